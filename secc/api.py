"""The controller interface: every topic and payload of the MQTT tree, declared once.

SI units stand in the names; positive means towards the vehicle. A member that is absent has its default; where that is
None, it is unknown: never zero, never unlimited. The AsyncAPI document, its descriptions taken from the literals below
the fields, the checks on what arrives and the topics themselves all derive from this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta

from v2g.cable import CHARGER_TOPIC, VEHICLE_TOPIC, CableCharger, CableVehicle
from v2g.identifiers import evse_id, evse_id_din
from v2g.record import Record

PREFIX = "plugcharge/v1"
NAME = r"^[A-Za-z0-9_-]{1,36}$"
PAYLOAD_LIMIT = 65_536
PLAN_LIMIT = 524_288
EXI_LIMIT = 10_240  # the largest answer has ten certificates of 800 bytes, a signature and a key
OCSP_LIMIT = 16_384
UNIQUE = {"uniqueItems": True}

Volt = Annotated[float, Meta(ge=-5_000, le=5_000)]
Ampere = Annotated[float, Meta(ge=-20_000, le=20_000)]
Watt = Annotated[float, Meta(ge=-20_000_000, le=20_000_000)]
WattHour = Annotated[float, Meta(ge=-1e10, le=1e12)]
Second = Annotated[float, Meta(ge=0, le=1e9)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Phases = Annotated[int, Meta(ge=1, le=3)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(pattern=NAME)]
Text = Annotated[str, Meta(max_length=512)]
Pem = Annotated[str, Meta(max_length=32_768)]
Exi = Annotated[bytes, Meta(min_length=1, max_length=EXI_LIMIT)]  # a whole V2G message or a fragment, base64
Ocsp = Annotated[bytes, Meta(min_length=1, max_length=OCSP_LIMIT)]  # DER, base64
Tariff = Annotated[bytes, Meta(min_length=1)]  # a fragment, base64; its length is no reason to lose the plan
Time = Annotated[str, Meta(max_length=40)]  # RFC 3339 UTC, for people only

Contactor = Literal["open", "closed", "welded", "unknown"]
Pilot = Literal["A", "B", "C", "D", "E", "F"]
EnergyMode = Literal["AC1", "AC3", "DC"]
Answer = Literal["accepted", "rejected", "pending"]
Verdict = Literal["local", "charger", "backend"]
FaultKind = Literal[
    "contactor", "welded", "rcd", "utility", "malfunction", "emergency", "overvoltage", "overcurrent",
    "temperature", "isolation", "pilot", "protective_earth", "secc_silent",
]  # fmt: skip


class Payload(Record, omit_defaults=True):
    """Anything that travels over MQTT; unknown members are ignored, so that both sides may grow."""


class Level(Payload):
    """A retained state, with the header that its publisher stamps on it.

    The header has defaults only so that whoever states a level need not know it: one that arrives without a boot is
    rejected.
    """

    boot: Id = ""
    """Random per process start; the level counts only while its writer's heartbeat with the same `boot` comes."""
    seq: Count = 0
    """Rises with the levels this process says; on one topic, one lower than the last is late and void."""
    time: Time = ""
    """When it was said, RFC 3339 UTC; for people, nothing is decided by it."""
    session: Id | None = None
    """The session it was said in; absent outside of one."""


class Beat(Payload):
    """A sign of life, twice a second; what a writer said counts only while its beats with the same `boot` come."""

    boot: Id
    """The process start that lives."""
    counter: Count
    """Rises with each beat; one that stands still is no sign of life."""
    uptime_s: Second | None = None
    """How long the process has been running."""


# --- what the SECC writes -------------------------------------------------------------------------------------------


class SeccStatus(Level):
    """Whether the SECC is there; the last will says `offline`."""

    state: Literal["online", "offline"]
    """`online`: vehicles can reach it. `offline`: it is going, or gone; open by yourself."""
    version: Text | None = None
    """Version of the software."""
    protocols: list[Text] = []
    """The protocols it speaks: `iso2` is ISO 15118-2, `din` is DIN 70121."""
    since: Time | None = None
    """When the process started."""
    interface: Text | None = None
    """The network interface where vehicles find it."""


class TlsDetails(Payload):
    """What the car and the station agreed on in TLS, by the names of the registries."""

    suite: Text
    """The cipher suite."""
    group: Text
    """The group of the key exchange."""
    generation: Literal["iso2", "iso20"]
    """Whose TLS it is: `iso2` is TLS 1.2 of ISO 15118-2, `iso20` TLS 1.3 of ISO 15118-20."""
    chain: Text | None = None
    """The subject of the station's leaf that the car was shown."""
    chain_by: Text | None = None
    """The extension of the car that chose this chain: `trusted_ca_keys`, `certificate_authorities` or
    `signature_algorithms`; `default`: it named no root that is known here."""
    staple: Text | None = None
    """Whether an OCSP response went with the chain, `sent` or `none`; absent: the car did not ask for one."""
    vehicle: Text | None = None
    """In `iso20` the common name of the vehicle's certificate."""


class Session(Level):
    """Where the session is and what is known about the vehicle and the link."""

    stage: Literal[
        "idle", "discovered", "connected", "identified", "authorizing", "negotiating", "preparing", "charging",
        "stopping", "paused", "failed",
    ]  # fmt: skip
    """`discovered`: SDP was answered; `idle` again if no connection follows. `preparing`: limits are agreed on, lock,
    cable check and pre-charge come next.

    A session ends with `stopping` when it went in order, else with `failed`; `idle` follows at once, with the reason.
    `paused` stays: the car sleeps, and may come back to go on until the event `pause_ended`.
    """
    protocol: Text | None = None
    """The protocol agreed on, such as `iso2`."""
    evcc_id: Text | None = None
    """What the vehicle calls itself, a MAC address such as `02:00:00:00:00:01`."""
    payment: Literal["contract", "external"] | None = None
    """`contract`: Plug & Charge. `external`: identification by other means (EIM), such as a card."""
    energy_mode: EnergyMode | None = None
    """What the vehicle chose of the `energy_modes` of `charger/setup`."""
    tls: Text | None = None
    """Version of TLS; absent on plain TCP."""
    tls_details: TlsDetails | None = None
    """What TLS came to; absent on plain TCP."""
    alert: Text | None = None
    """The TLS alert by which the last handshake failed, such as `unknown_ca`, with `sent` or `received` before it."""
    started: Time | None = None
    """When the vehicle connected."""
    reason: Text | None = None
    """How the last session ended, `kind: text`."""
    last_message: Text | None = None
    """The last message of the session that ended."""
    response_code: Text | None = None
    """The response code the session ended with, if one was sent."""


class OcspRequestData(Payload):
    """What an OCSP request about one certificate needs; hashes in lower-case hex, serial in hex."""

    hash_algorithm: Literal["SHA256"]
    """The algorithm of both hashes."""
    issuer_name_hash: Text
    """Hash of the issuer's distinguished name."""
    issuer_key_hash: Text
    """Hash of the issuer's public key."""
    serial_number: Text
    """The certificate's serial number."""
    responder_url: Text | None = None
    """The responder that the certificate names."""


class AuthorizationRequest(Payload):
    """May this session charge? Answered on `charger/authorization` or `backend/authorization/response`."""

    id: Id
    """To be repeated in the answer; no other id counts."""
    session: Id
    """The session that asks."""
    kind: Literal["external", "contract"]
    """`external`: a card or a button is wanted. `contract`: the contract holds; is it welcome here?"""
    deadline_s: Second
    """Seconds from receipt after which no answer authorises any more."""
    emaid: Text | None = None
    """The contract's account, 14 or 15 characters."""
    chain: Pem | None = None
    """The contract's certificates, PEM, leaf first, without the root."""
    ocsp: list[OcspRequestData] = []
    """For each certificate of `chain` whose issuer stands in it too."""
    local_check: Text | None = None
    """`passed`: chain, EMAID, challenge and signature were checked. Nobody is asked about a contract that failed."""


class CertificateRequest(Payload):
    """A car wants a contract certificate. Answered on `backend/certificate/response`, within `deadline_s`."""

    id: Id
    """To be repeated in the answer; no other id counts, and only the first answer does."""
    session: Id
    """The session that asks; the answer has to bear its id in the header of the message."""
    action: Literal["install", "update"]
    """`install`: on the strength of the provisioning certificate. `update`: on that of the contract it has."""
    deadline_s: Second
    """Seconds from receipt after which the car has been refused."""
    namespace: Text
    """The schema of `exi`: `urn:iso:15118:2:2013:MsgDef` for ISO 15118-2."""
    exi: Exi
    """The car's message as it came, base64: OCPP's Get15118EVCertificate takes it like this."""


class OcspRequest(Payload):
    """How does a certificate of the station stand? Answered on `backend/ocsp/response`; vehicles get it in TLS."""

    id: Id
    """To be repeated in the answer; no other id counts, and only the first answer does."""
    deadline_s: Second
    """Seconds from receipt after which somebody else is asked, or the same again with another id."""
    certificate: OcspRequestData
    """Which certificate: OCPP's GetCertificateStatus takes it like this."""


class ScheduleEntry(Payload):
    """One step of the schedule in force."""

    start_s: Annotated[float, Meta(ge=-1e9, le=1e9)]
    """When it begins, seconds from this publication; below zero for the step that runs."""
    max_w: Watt
    """The most power from then on, all phases together."""


class Limits(Level):
    """**The authorised limits.** Before authorization, after the end and on every fault: not authorised and zero."""

    authorised: bool
    """Whether this session may charge; the limits may still be zero, before and after power is wanted."""
    direction: Literal["charge", "none"]
    """`none` while the limits are zero."""
    max_charge_w: Watt
    """The most power into the vehicle, all phases together."""
    max_discharge_w: Watt
    """The most power out of the vehicle; always 0 so far."""
    max_current_a: Ampere
    """The most current: in AC of each phase, in DC of the output."""
    contract: Text | None = None
    """The contract's EMAID, or its SHA-256 where secc.toml wants that; absent without a contract."""
    max_charge_w_per_phase: Watt | None = None
    """AC alone: the most power of each phase."""
    max_voltage_v: Volt | None = None
    """The highest output voltage: the least of vehicle, rating and hardware."""
    min_voltage_v: Volt | None = None
    """The lowest output voltage of this charger."""
    energy_left_wh: WattHour | None = None
    """What is left of the energy the operator allowed; needs `charger/meter`."""
    valid_for_s: Second | None = None
    """Seconds from receipt until the next step of the schedule; new limits come then, these end. Absent: no end."""
    limited_by: dict[str, Text] = {}
    """Who sets each bound: `max_w`, `max_a`, `max_v`, `min_v` by `ev`, `evse`, `hardware`, `schedule`, `plan` (a newer
    one than the schedule is of) or `contract`."""
    schedule: list[ScheduleEntry] = []
    """The step in force and the next ones, 32 at the most; all of them stand in `secc/plan`."""


class SelectedService(Payload):
    """One service besides charging that the car selected."""

    id: Annotated[int, Meta(ge=0, le=65_535)]
    """Its ServiceID: 2 certificates, 3 Internet access, others as in secc.toml."""
    name: Text = ""
    """Its name."""
    parameter_set: Annotated[int, Meta(ge=-32_768, le=32_767)] | None = None
    """The ParameterSetID the car wants; absent: it does not care which."""


class Services(Level):
    """The value added services that the car selected, until the session ends."""

    selected: list[SelectedService] = []
    """All but charging itself."""


class PlanRequest(Payload):
    """How much may flow when? Answered on `charger/plan` or `backend/plan/response`, as secc.toml says."""

    id: Id
    """To be repeated in the answer; only that of the last request of a session counts."""
    session: Id
    """The session that asks."""
    deadline_s: Second
    """Seconds from receipt after which the car is offered what the station can do. A later answer renegotiates."""
    energy_mode: EnergyMode
    """What the car wants."""
    max_charge_w: Watt
    """What the station can do now; more than that is never offered."""
    max_entries: Count
    """So many steps of a schedule the car can take; with more, neighbours are put together at the lower power."""
    departure_s: Second | None = None
    """Seconds until the car wants to leave."""
    energy_request_wh: WattHour | None = None
    """What the car wants."""
    emaid: Text | None = None
    """The contract's account, for its tariff."""


class OfferedSchedule(Payload):
    """One schedule as the car was offered it."""

    id: Annotated[int, Meta(ge=1, le=255)]
    """SAScheduleTupleID."""
    entries: Annotated[list[ScheduleEntry], Meta(min_length=1, max_length=1024)]
    """Its steps."""
    duration_s: Second
    """Seconds from this publication until it ends."""
    tariff: bool = False
    """Whether a signed SalesTariff went with it."""


class ProfileStep(Payload):
    """One step of what the car means to draw."""

    start_s: Second
    """When it begins, seconds from the offer."""
    max_w: Annotated[float, Meta(ge=-1e9, le=1e9)]
    """The most power from then on, as the car wrote it."""


class Schedules(Level):
    """The schedules offered to the car, the one it chose and the profile it means to follow."""

    source: Literal["default", "charger", "backend", "resumed"] = "default"
    """Where they come from; `default`: what the station can do. `resumed`: the one that was in force at the pause."""
    offered: Annotated[list[OfferedSchedule], Meta(max_length=3)] = []
    """Empty outside of a session."""
    chosen: Annotated[int, Meta(ge=1, le=255)] | None = None
    """The id of the one in force."""
    profile: Annotated[list[ProfileStep], Meta(max_length=24)] = []
    """Empty where the car did not say."""


class Receipt(Payload):
    """A meter reading as the car confirmed it: its signed MeteringReceiptReq, and whether that holds."""

    session: Id
    """The session it is of."""
    accepted: bool
    """Whether it is of this session, repeats the reading the car was told, and bears the contract's signature."""
    meter_id: Text
    """The meter's name, as the car wrote it."""
    energy_import_wh: Count | None = None
    """The reading, as the car wrote it."""
    tuple_id: Annotated[int, Meta(ge=0, le=255)] | None = None
    """SAScheduleTupleID, if the car wrote one."""
    namespace: Text
    """The schema of `exi`."""
    exi: Exi
    """The car's message as it came, signature in its header, base64."""
    contract: Text | None = None
    """The contract's EMAID, or its SHA-256 where secc.toml wants that."""
    certificate: Pem | None = None
    """The contract certificate that the signature is checked with, PEM; absent where the EMAID is hashed."""
    reason: Text | None = None
    """Why it does not hold."""


class Permit(Level):
    """The only order for lock, contactor and power, as levels; acked by its `seq`."""

    lock: Literal["locked", "unlocked"]
    """The plug's lock. `unlocked` waits for an open contactor and, in DC, for less than 60 V."""
    contactor: Literal["open", "closed"]
    """The contactor; `closed` is a permission that hardware may refuse, `open` an order."""
    power: Literal["off", "on"]
    """Whether the supply may drive the output; in AC it goes with the contactor."""
    reason: Text | None = None
    """Why, for people."""


class Target(Payload):
    """The operating point wanted now; four times a second, zero when the loop is silent."""

    boot: Id
    """The SECC's process start."""
    session: Id | None = None
    """The session that wants it."""
    phase: Literal["idle", "precharge", "charge", "welding"]
    """`precharge`: reach the voltage with 2 A at the most. `idle` and `welding`: drive nothing."""
    voltage_v: Volt
    """Output voltage; in AC the nominal one."""
    current_a: Ampere
    """Output current, in AC of each phase; within the limits already."""
    power_w: Watt | None = None
    """Output power; absent: what voltage and current make."""
    vehicle_max_voltage_v: Volt | None = None
    """DC: the vehicle's own maximum. An output above it is an emergency, nothing to clamp."""


class Command(Payload):
    """An act that is no state; acked by `id`, never executed twice, void after `deadline_s` or in another session."""

    id: Id
    """To be repeated in the ack; the same id again gets the same ack."""
    boot: Id
    """The SECC's process start; from another than that of `secc/status` it is void."""
    session: Id
    """The session that commands."""
    do: Literal["start_cable_check", "wake_up", "read_meter", "set_phases"]
    """`start_cable_check`: test the isolation (DC). `wake_up`: wake the paused car by the pilot; `session` is the
    paused one. The others are reserved; the SECC does not send them yet."""
    deadline_s: Second
    """Seconds from receipt within which it has to be done."""
    test_voltage_v: Volt | None = None
    """Voltage of the cable check."""
    vehicle_max_voltage_v: Volt | None = None
    """The vehicle's own maximum voltage, not to be exceeded by more than the test demands."""
    phases: Phases | None = None
    """For `set_phases`: how many."""


class Vehicle(Level):
    """What the car said about itself. Energy and time are estimates of the car."""

    ready: bool | None = None
    """DC: EVReady."""
    error: Text | None = None
    """DC: EVErrorCode; absent for NO_ERROR."""
    soc_percent: Percent | None = None
    """DC: state of charge."""
    full_soc_percent: Percent | None = None
    """DC: the state of charge it calls full."""
    bulk_soc_percent: Percent | None = None
    """DC: the state of charge where fast charging ends."""
    max_voltage_v: Volt | None = None
    """Its highest voltage."""
    max_current_a: Ampere | None = None
    """Its highest current, in AC of each phase."""
    min_current_a: Ampere | None = None
    """AC: below this it does not charge."""
    max_power_w: Watt | None = None
    """DC: its highest power."""
    energy_request_wh: WattHour | None = None
    """What it wants."""
    energy_capacity_wh: WattHour | None = None
    """DC: what its battery holds."""
    departure_s: Second | None = None
    """Seconds until it leaves, from when it stated its limits; not counted down."""
    remaining_to_full_s: Second | None = None
    """DC: seconds until it is full."""
    remaining_to_bulk_s: Second | None = None
    """DC: seconds until fast charging ends."""


class Event(Payload):
    """Everything worth a log line; never carries personal data."""

    boot: Id
    """The SECC's process start."""
    time: Time
    """When, RFC 3339 UTC; for people."""
    kind: Text
    """What happened: `rejected`, `authorised`, `session_ended`, `controller_silent` and so on; more may come."""
    session: Id | None = None
    """The session it happened in."""
    topic: Text | None = None
    """The topic it is about."""
    reason: Text | None = None
    """Why, for people."""
    id: Id | None = None
    """The request it is about."""
    message: Text | None = None
    """The last message of a session that ended."""
    response_code: Text | None = None
    """The response code a session ended with."""


# --- what the charger controller writes -----------------------------------------------------------------------------


class ChargerStatus(Level):
    """Whether the controller is there; the last will says `offline`."""

    state: Literal["online", "offline"]
    """`offline` voids everything this process said."""
    name: Text | None = None
    """What people call the charge point."""
    firmware: Text | None = None
    """Version of the controller's firmware."""


class Setup(Level):
    """What this charge point is. Without it the SECC stays silent on SDP; a change counts from the next session."""

    evse_id: str
    """Country, operator, `E` and the outlet's id, such as `DE*ABC*E0001`, 7 to 37 characters; the car is told it."""
    energy_modes: Annotated[list[EnergyMode], Meta(min_length=1, max_length=3, extra_json_schema=UNIQUE)]
    """What may be chosen, each once: `AC1` one phase, `AC3` three phases (`phases` is 3), `DC`."""
    max_current_a: Annotated[float, Meta(gt=0, le=20_000)]
    """Rated current, in AC of each phase."""
    max_voltage_v: Annotated[float, Meta(gt=0, le=5_000)]
    """Rated voltage; in AC the highest between phase and neutral."""
    max_power_w: Annotated[float, Meta(gt=0, le=20_000_000)]
    """Rated power, all phases together."""
    connector: Text | None = None
    """DC: `cCombo1` or `cCombo2`, which is also what is offered without it."""
    evse_id_din: Text | None = None
    """The id for cars that speak DIN 70121, digits and `*` such as `49*89*6360`; without it they get `evse_id`."""
    nominal_voltage_v: Annotated[float, Meta(gt=0, le=5_000)] = 230.0
    """AC: between phase and neutral."""
    min_voltage_v: Annotated[float, Meta(ge=0, le=5_000)] = 0.0
    """DC: the lowest output voltage."""
    min_current_a: Annotated[float, Meta(ge=0, le=20_000)] = 0.0
    """Less than this cannot be delivered: limits below it are zero. In AC it is 6 A at the least."""
    phases: Phases = 3
    """AC: how many phases are connected."""
    current_ripple_a: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    """DC: EVSEPeakCurrentRipple, peak to peak."""
    locks: bool = True
    """Whether the plug has a lock here that the SECC orders and waits for; false for an AC cable that is fixed."""
    metered: bool = True
    """Whether there is a meter; not used yet."""
    free: bool = False
    """Whether energy is free of charge; the car is told."""
    authorization: Annotated[
        tuple[Literal["contract", "external"], ...], Meta(min_length=1, max_length=2, extra_json_schema=UNIQUE)
    ] = ("contract", "external")
    """How a car may identify here; contracts need TLS and the roots in secc.toml as well."""

    def __post_init__(self) -> None:
        """Refuse what is no EVSE id, which cars and back ends compare literally, and what cannot be offered."""
        evse_id(self.evse_id)
        if self.evse_id_din is not None:
            evse_id_din(self.evse_id_din)
        for name, offered in (("energy_modes", self.energy_modes), ("authorization", self.authorization)):
            if len(set(offered)) != len(offered):
                raise ValueError(f"{name} names one twice; each may stand once")
        if "AC3" in self.energy_modes and self.phases != 3:
            raise ValueError(f"energy_modes has AC3, but phases is {self.phases}; leave AC3 out, or connect 3 phases")


class Fault(Payload):
    """A fault the hardware acted on by itself. With any fault the limits are zero at once."""

    kind: FaultKind
    """What is broken; `secc_silent` is yours for a SECC whose heartbeats stopped."""
    severity: Literal["stop", "emergency"]
    """`emergency`: all is ordered open and the session fails, at once. `stop`: the car is asked to stop first."""
    latched: bool = False
    """Whether it stays until the plug is out and somebody cleared it."""


class ChargerState(Level):
    """Plug, contactor, lock, isolation and faults as they are now; published at once when one of them changes."""

    plug: Pilot
    """The control pilot's state (IEC 61851-1): `A` no car, `B` plugged, `C` and `D` ready, `E` and `F` error."""
    contactor: Contactor
    """What the mirror contact says. `welded`: it should be open and is not."""
    lock: Literal["locked", "unlocked", "failed"]
    """The plug's lock; not looked at where `locks` of the setup is false."""
    isolation: Literal["invalid", "valid", "warning", "fault", "no_imd"]
    """DC: the isolation monitor; `invalid` before the first test. AC chargers say `invalid`; it is not looked at."""
    cable_check: Literal["idle", "running", "passed", "failed"]
    """DC: the check that was commanded last. AC chargers say `idle`."""
    ready: bool
    """Whether the charger works, for people and back ends; the SECC goes by `faults`."""
    faults: list[Fault]
    """All that stand; empty when nothing is wrong."""
    pwm: bool | None = None
    """Whether the pilot oscillates; not looked at."""
    duty_percent: Percent | None = None
    """The pilot's duty cycle: 5 asks for digital communication; not looked at."""
    since_ms: Count | None = None
    """How long the pilot had been in this state when this was said; not looked at."""


class ChargerLink(Level):
    """The data link below IPv6. Not published at all, it counts as there."""

    kind: Literal["plc", "wlan", "ethernet", "10base-t1s"]
    """What it runs on."""
    state: Literal["unmatched", "matching", "matched", "lost"]
    """Without `matched` SDP stays silent, and a session that runs ends."""
    vehicle_mac: Text | None = None
    """The vehicle's MAC address on the link."""
    attenuation_db: Annotated[float, Meta(ge=-200, le=200)] | None = None
    """The attenuation that SLAC measured."""


class Measurement(Payload):
    """Present values on the vehicle side of the contactor, ten times a second; a frozen `sample` is a dead sensor."""

    boot: Id
    """The controller's process start, as in its heartbeat."""
    sample: Count
    """Rises with each measurement."""
    voltage_v: Volt
    """In AC between phase and neutral."""
    current_a: Ampere
    """In AC that of the phase that carries most."""
    power_w: Watt | None = None
    """All phases together."""
    current_per_phase_a: list[Ampere] = []
    """AC: L1, L2, L3, as far as connected."""


class ChargerLimits(Level):
    """What the hardware can do now; a quantity not stated keeps the rating of `charger/setup`."""

    max_charge_w: Watt | None = None
    """The most power, all phases together."""
    max_current_a: Ampere | None = None
    """The most current, in AC of each phase."""
    max_voltage_v: Volt | None = None
    """DC: the highest voltage."""
    min_voltage_v: Volt | None = None
    """DC: the lowest voltage."""


class Meter(Level):
    """The meter's reading."""

    meter_id: Annotated[str, Meta(min_length=1, max_length=32)]
    """Its name; the car is told."""
    energy_import_wh: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    """All energy that went to vehicles, over the meter's life."""
    energy_export_wh: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    """All energy that came from vehicles."""
    signed: Text | None = None
    """The meter's own signed data set, base64; the car is told one of up to 64 bytes."""
    read_at: Time | None = None
    """When it was read, RFC 3339 UTC."""


class ChargerAuthorization(Payload):
    """The charger's own word for EIM: a card reader, a button."""

    id: Id
    """That of the request; `advance` for a card shown before the plug, which is used once."""
    accepted: bool
    """A card refused leaves the request open for the next card; false after an acceptance revokes it for good."""
    token: Text | None = None
    """The kind of token, such as `rfid`, never its number; not looked at."""
    valid_for_s: Second | None = None
    """With `advance`, and needed there: seconds from receipt within which the plug has to follow."""


class Ack(Payload):
    """The answer to a command (`id`) or a permit (`seq`); one of them has to be there."""

    boot: Id
    """The controller's process start."""
    result: Literal["accepted", "done", "rejected", "failed"]
    """`accepted`: it is on its way. `rejected`: it was not begun. `failed`: it was, in vain."""
    id: Id | None = None
    """That of the command."""
    seq: Count | None = None
    """That of the permit."""
    reason: Text | None = None
    """Why not, for people."""


class ChargerRequest(Payload):
    """What the charger wishes of the session; answered by an event `request_accepted` or `request_refused`."""

    id: Id
    """New for each wish; the same id again gets the same answer."""
    do: Literal["stop", "pause", "resume", "renegotiate", "emergency_stop"]
    """`emergency_stop` ends the session at once, all others ask the car. `pause` is asked for like `stop`: the car
    decides which it does. While a session is paused, `resume` wakes the car, `stop` gives up the pause and the lock.
    A car that speaks DIN 70121 knows neither pause nor renegotiation: it stops for `pause`, and does nothing else."""
    reason: Text | None = None
    """Why, for people."""


class PlanStep(Payload):
    """One step of a plan."""

    start_s: Annotated[float, Meta(ge=0, le=16_777_214)]
    """When it begins, seconds from receipt of the plan; it ends where the next one begins."""
    max_w: Annotated[float, Meta(ge=0, le=20_000_000)]
    """The most power from then on, all phases together; 0 is a break."""


class PlannedSchedule(Payload):
    """One schedule that the car may choose."""

    steps: Annotated[list[PlanStep], Meta(min_length=1, max_length=1024)]
    """In order; the first begins at 0."""
    tariff: Tariff | None = None
    """SalesTariff as an EXI fragment of ISO 15118-2, base64; for a contract, and only with a `signature`.

    What the car could not use is left out, one of more than 10 240 bytes among it; the steps hold all the same."""

    def __post_init__(self) -> None:
        """Refuse steps that do not begin at once, or do not rise."""
        starts = [step.start_s for step in self.steps]
        if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("steps begin at 0, and each one after the one before")


class Plan(Payload):
    """How much may flow when, for the session that asked. Another for the same id has the car renegotiate."""

    id: Id
    """That of the request."""
    schedules: Annotated[list[PlannedSchedule], Meta(max_length=3)]
    """What the car may choose from, the best first; none: what the station can do."""
    signature: Tariff | None = None
    """The mobility operator's XML signature over all tariffs, one reference each, as an EXI fragment, base64."""
    duration_s: Annotated[float, Meta(gt=0, le=16_777_214)] | None = None
    """Seconds from receipt until the last step ends; absent: at the departure, or after a day."""


# --- what the operator's side writes --------------------------------------------------------------------------------


class BackendAuthorization(Payload):
    """The operator's word; `rejected` later, for the id of the running session, is a revocation."""

    id: Id
    """That of the request; `advance` for a card shown before the plug, which is used once."""
    status: Answer
    """`pending` changes nothing: the car waits on, until the deadline."""
    contract_status: Text | None = None
    """What OCPP calls the certificate status, for people."""
    valid_for_s: Second | None = None
    """With `advance`, and needed there: seconds from receipt within which the plug has to follow."""
    max_power_w: Annotated[float, Meta(ge=0, le=20_000_000)] | None = None
    """The most power the contract allows."""
    max_energy_wh: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """The most energy the contract allows in this session; needs `charger/meter`."""


class BackendCertificate(Payload):
    """The operator's answer to a certificate request."""

    id: Id
    """That of the request."""
    status: Literal["accepted", "failed"]
    """`failed`: there is no answer of the provisioning service to hand on; the car is refused."""
    exi: Exi | None = None
    """The response of the provisioning service, base64; the car gets it as it is, also one that refuses."""
    reason: Text | None = None
    """Why not, for people."""


class BackendOcsp(Payload):
    """The operator's answer to an OCSP request; what it says is checked before any vehicle is told it."""

    id: Id
    """That of the request."""
    status: Literal["accepted", "failed"]
    """`failed`: there is no response of the responder to hand on."""
    response: Ocsp | None = None
    """The responder's OCSP response (RFC 6960) in DER, base64, as it came."""
    reason: Text | None = None
    """Why not, for people."""


# --- the topics -----------------------------------------------------------------------------------------------------

P = TypeVar("P", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Topic(Generic[P]):
    """One topic below `{prefix}/{evse}/`; its first part names the only writer."""

    name: str
    payload: type[P]
    retained: bool = False
    qos: int = 1
    limit: int = PAYLOAD_LIMIT
    """Bytes of a payload that are still read."""

    @property
    def writer(self) -> str:
        """Who alone may write it: `secc`, `charger`, `backend` or `cable`."""
        return self.name.partition("/")[0]


SECC_STATUS = Topic("secc/status", SeccStatus, retained=True)
SECC_HEARTBEAT = Topic("secc/heartbeat", Beat, qos=0)
SECC_SESSION = Topic("secc/session", Session, retained=True)
SECC_AUTHORIZATION = Topic("secc/authorization/request", AuthorizationRequest)
SECC_CERTIFICATE = Topic("secc/certificate/request", CertificateRequest)
SECC_OCSP = Topic("secc/ocsp/request", OcspRequest)
SECC_LIMITS = Topic("secc/limits", Limits, retained=True)
SECC_PERMIT = Topic("secc/permit", Permit, retained=True)
SECC_TARGET = Topic("secc/target", Target, qos=0)
SECC_COMMAND = Topic("secc/command", Command)
SECC_VEHICLE = Topic("secc/vehicle", Vehicle, retained=True)
SECC_SERVICE = Topic("secc/service", Services, retained=True)
SECC_PLAN = Topic("secc/plan", Schedules, retained=True, limit=PLAN_LIMIT)
SECC_PLAN_REQUEST = Topic("secc/plan/request", PlanRequest)
SECC_RECEIPT = Topic("secc/receipt", Receipt)
SECC_EVENT = Topic("secc/event", Event)
CHARGER_STATUS = Topic("charger/status", ChargerStatus, retained=True)
CHARGER_HEARTBEAT = Topic("charger/heartbeat", Beat, qos=0)
CHARGER_SETUP = Topic("charger/setup", Setup, retained=True)
CHARGER_STATE = Topic("charger/state", ChargerState, retained=True)
CHARGER_LINK = Topic("charger/link", ChargerLink, retained=True)
CHARGER_MEASUREMENT = Topic("charger/measurement", Measurement, qos=0)
CHARGER_LIMITS = Topic("charger/limits", ChargerLimits, retained=True)
CHARGER_METER = Topic("charger/meter", Meter, retained=True)
CHARGER_AUTHORIZATION = Topic("charger/authorization", ChargerAuthorization)
CHARGER_ACK = Topic("charger/ack", Ack)
CHARGER_REQUEST = Topic("charger/request", ChargerRequest)
CHARGER_PLAN = Topic("charger/plan", Plan, limit=PLAN_LIMIT)
BACKEND_AUTHORIZATION = Topic("backend/authorization/response", BackendAuthorization)
BACKEND_CERTIFICATE = Topic("backend/certificate/response", BackendCertificate)
BACKEND_OCSP = Topic("backend/ocsp/response", BackendOcsp)
BACKEND_PLAN = Topic("backend/plan/response", Plan, limit=PLAN_LIMIT)
CABLE_VEHICLE = Topic(VEHICLE_TOPIC, CableVehicle, retained=True, qos=0)
CABLE_CHARGER = Topic(CHARGER_TOPIC, CableCharger, retained=True, qos=0)

TOPICS: tuple[Topic[Record], ...] = tuple(value for value in list(globals().values()) if isinstance(value, Topic))


def written_by(writer: str) -> tuple[Topic[Record], ...]:
    """All topics that `writer` alone may write."""
    return tuple(topic for topic in TOPICS if topic.writer == writer)
