"""The controller interface: every topic and payload of the MQTT tree, declared once.

SI units stand in the names. Absent means unknown: never zero, never unlimited. Positive means towards the vehicle.
The AsyncAPI document, the checks on what arrives and the topics themselves all derive from this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta

from v2g.cable import CHARGER_TOPIC, VEHICLE_TOPIC, CableCharger, CableVehicle
from v2g.record import Record

PREFIX = "plugcharge/v1"
NAME = r"^[A-Za-z0-9_-]{1,36}$"
PAYLOAD_LIMIT = 65_536

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

    `boot` is random per process start, `seq` rises from 1 with each publication. They have defaults only so that
    whoever states a level need not know them: one that arrives without a boot is rejected.
    """

    boot: Id = ""
    seq: Count = 0
    time: Time = ""
    session: Id | None = None


class Beat(Payload):
    """A sign of life, twice a second; what a writer said counts only while its beats with the same `boot` come."""

    boot: Id
    counter: Count
    uptime_s: Second | None = None


# --- what the SECC writes -------------------------------------------------------------------------------------------


class SeccStatus(Level):
    """Whether the SECC is there; the last will says `offline`."""

    state: Literal["online", "offline"]
    version: Text | None = None
    protocols: list[Text] = []
    since: Time | None = None
    interface: Text | None = None


class Session(Level):
    """Where the session is and what is known about the vehicle and the link."""

    stage: Literal[
        "idle", "discovered", "connected", "identified", "authorizing", "negotiating", "preparing", "charging",
        "stopping", "paused", "failed",
    ]  # fmt: skip
    protocol: Text | None = None
    evcc_id: Text | None = None
    payment: Literal["contract", "external"] | None = None
    energy_mode: EnergyMode | None = None
    tls: Text | None = None
    started: Time | None = None
    reason: Text | None = None
    last_message: Text | None = None
    response_code: Text | None = None


class OcspRequestData(Payload):
    """What an OCSP request about one certificate needs; hashes in lower-case hex, serial in hex."""

    hash_algorithm: Literal["SHA256"]
    issuer_name_hash: Text
    issuer_key_hash: Text
    serial_number: Text
    responder_url: Text | None = None


class AuthorizationRequest(Payload):
    """May this session charge? Answered on `charger/authorization` or `backend/authorization/response`."""

    id: Id
    session: Id
    kind: Literal["external", "contract"]
    deadline_s: Second
    emaid: Text | None = None
    chain: Pem | None = None
    ocsp: list[OcspRequestData] = []
    local_check: Text | None = None


class ScheduleEntry(Payload):
    """One step of the schedule in force; `start_s` counts from this publication and may lie in the past."""

    start_s: Annotated[float, Meta(ge=-1e9, le=1e9)]
    max_w: Watt


class Limits(Level):
    """**The authorised limits.** Before authorization, after the end and on every fault: not authorised and zero."""

    authorised: bool
    direction: Literal["charge", "none"]
    max_charge_w: Watt
    max_discharge_w: Watt
    max_current_a: Ampere
    contract: Text | None = None
    max_charge_w_per_phase: Watt | None = None
    max_voltage_v: Volt | None = None
    min_voltage_v: Volt | None = None
    energy_left_wh: WattHour | None = None
    valid_for_s: Second | None = None
    limited_by: dict[str, Text] = {}
    schedule: list[ScheduleEntry] = []


class Permit(Level):
    """The only order for lock, contactor and power, as levels; acked by its `seq`."""

    lock: Literal["locked", "unlocked"]
    contactor: Literal["open", "closed"]
    power: Literal["off", "on"]
    reason: Text | None = None


class Target(Payload):
    """The operating point wanted now; four times a second, zero when the loop is silent."""

    boot: Id
    session: Id | None = None
    phase: Literal["idle", "precharge", "charge", "welding"]
    voltage_v: Volt
    current_a: Ampere
    power_w: Watt | None = None
    vehicle_max_voltage_v: Volt | None = None


class Command(Payload):
    """An act that is no state; acked by `id`, never executed twice, void after `deadline_s` or in another session."""

    id: Id
    boot: Id
    session: Id
    do: Literal["start_cable_check", "wake_up", "read_meter", "set_phases"]
    deadline_s: Second
    test_voltage_v: Volt | None = None
    vehicle_max_voltage_v: Volt | None = None
    phases: Phases | None = None


class Vehicle(Level):
    """What the car said about itself."""

    ready: bool | None = None
    error: Text | None = None
    soc_percent: Percent | None = None
    full_soc_percent: Percent | None = None
    bulk_soc_percent: Percent | None = None
    max_voltage_v: Volt | None = None
    max_current_a: Ampere | None = None
    min_current_a: Ampere | None = None
    max_power_w: Watt | None = None
    energy_request_wh: WattHour | None = None
    energy_capacity_wh: WattHour | None = None
    departure_s: Second | None = None
    remaining_to_full_s: Second | None = None
    remaining_to_bulk_s: Second | None = None


class Event(Payload):
    """Everything worth a log line; never carries personal data."""

    boot: Id
    time: Time
    kind: Text
    session: Id | None = None
    topic: Text | None = None
    reason: Text | None = None
    id: Id | None = None
    message: Text | None = None
    response_code: Text | None = None


# --- what the charger controller writes -----------------------------------------------------------------------------


class ChargerStatus(Level):
    """Whether the controller is there; the last will says `offline`."""

    state: Literal["online", "offline"]
    name: Text | None = None
    firmware: Text | None = None


class Setup(Level):
    """What this charge point is. Without it the SECC stays silent on SDP; a change counts from the next session."""

    evse_id: Annotated[str, Meta(min_length=7, max_length=37)]
    energy_modes: Annotated[list[EnergyMode], Meta(min_length=1, max_length=8)]
    max_current_a: Annotated[float, Meta(gt=0, le=20_000)]
    max_voltage_v: Annotated[float, Meta(gt=0, le=5_000)]
    max_power_w: Annotated[float, Meta(gt=0, le=20_000_000)]
    connector: Text | None = None
    evse_id_din: Text | None = None
    nominal_voltage_v: Annotated[float, Meta(gt=0, le=5_000)] = 230.0
    min_voltage_v: Annotated[float, Meta(ge=0, le=5_000)] = 0.0
    min_current_a: Annotated[float, Meta(ge=0, le=20_000)] = 0.0
    phases: Phases = 3
    current_ripple_a: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    locks: bool = True
    metered: bool = True
    free: bool = False
    authorization: tuple[Literal["contract", "external"], ...] = ("contract", "external")


class Fault(Payload):
    """A fault the hardware acted on by itself; `stop` ends the session in order, `emergency` at once."""

    kind: FaultKind
    severity: Literal["stop", "emergency"]
    latched: bool = False


class ChargerState(Level):
    """Plug, contactor, lock, isolation and faults as they are now; published at once when one of them changes."""

    plug: Pilot
    contactor: Contactor
    lock: Literal["locked", "unlocked", "failed"]
    isolation: Literal["invalid", "valid", "warning", "fault", "no_imd"]
    cable_check: Literal["idle", "running", "passed", "failed"]
    ready: bool
    faults: list[Fault]
    pwm: bool | None = None
    duty_percent: Percent | None = None
    since_ms: Count | None = None


class ChargerLink(Level):
    """The data link below IPv6."""

    kind: Literal["plc", "wlan", "ethernet", "10base-t1s"]
    state: Literal["unmatched", "matching", "matched", "lost"]
    vehicle_mac: Text | None = None
    attenuation_db: Annotated[float, Meta(ge=-200, le=200)] | None = None


class Measurement(Payload):
    """Present values on the vehicle side of the contactor, ten times a second; a frozen `sample` is a dead sensor."""

    boot: Id
    sample: Count
    voltage_v: Volt
    current_a: Ampere
    power_w: Watt | None = None
    current_per_phase_a: list[Ampere] = []


class ChargerLimits(Level):
    """What the hardware can do now; a quantity not stated keeps the rating of `charger/setup`."""

    max_charge_w: Watt | None = None
    max_current_a: Ampere | None = None
    max_voltage_v: Volt | None = None
    min_voltage_v: Volt | None = None


class Meter(Level):
    """The meter's reading; `signed` is base64 of the meter's own signed data set."""

    meter_id: Annotated[str, Meta(min_length=1, max_length=32)]
    energy_import_wh: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    energy_export_wh: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    signed: Text | None = None
    read_at: Time | None = None


class ChargerAuthorization(Payload):
    """The charger's own word for EIM: a card reader, a button. Id `advance`: shown before the plug, used once."""

    id: Id
    accepted: bool
    token: Text | None = None
    valid_for_s: Second | None = None


class Ack(Payload):
    """The answer to a command (`id`) or a permit (`seq`)."""

    boot: Id
    result: Literal["accepted", "done", "rejected", "failed"]
    id: Id | None = None
    seq: Count | None = None
    reason: Text | None = None


class ChargerRequest(Payload):
    """What the charger wishes of the session; answered by an event."""

    id: Id
    do: Literal["stop", "pause", "resume", "renegotiate", "emergency_stop"]
    reason: Text | None = None


# --- what the operator's side writes --------------------------------------------------------------------------------


class BackendAuthorization(Payload):
    """The operator's word; `rejected` later, for the id of the running session, is a revocation."""

    id: Id
    status: Answer
    contract_status: Text | None = None
    valid_for_s: Second | None = None
    max_power_w: Annotated[float, Meta(ge=0, le=20_000_000)] | None = None
    max_energy_wh: Annotated[float, Meta(ge=0, le=1e12)] | None = None


# --- the topics -----------------------------------------------------------------------------------------------------

P = TypeVar("P", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Topic(Generic[P]):
    """One topic below `{prefix}/{evse}/`; its first part names the only writer."""

    name: str
    payload: type[P]
    retained: bool = False
    qos: int = 1

    @property
    def writer(self) -> str:
        """Who alone may write it: `secc`, `charger`, `backend` or `cable`."""
        return self.name.partition("/")[0]


SECC_STATUS = Topic("secc/status", SeccStatus, retained=True)
SECC_HEARTBEAT = Topic("secc/heartbeat", Beat, qos=0)
SECC_SESSION = Topic("secc/session", Session, retained=True)
SECC_AUTHORIZATION = Topic("secc/authorization/request", AuthorizationRequest)
SECC_LIMITS = Topic("secc/limits", Limits, retained=True)
SECC_PERMIT = Topic("secc/permit", Permit, retained=True)
SECC_TARGET = Topic("secc/target", Target, qos=0)
SECC_COMMAND = Topic("secc/command", Command)
SECC_VEHICLE = Topic("secc/vehicle", Vehicle, retained=True)
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
BACKEND_AUTHORIZATION = Topic("backend/authorization/response", BackendAuthorization)
CABLE_VEHICLE = Topic(VEHICLE_TOPIC, CableVehicle, retained=True, qos=0)
CABLE_CHARGER = Topic(CHARGER_TOPIC, CableCharger, retained=True, qos=0)

TOPICS: tuple[Topic[Record], ...] = tuple(value for value in list(globals().values()) if isinstance(value, Topic))


def written_by(writer: str) -> tuple[Topic[Record], ...]:
    """All topics that `writer` alone may write."""
    return tuple(topic for topic in TOPICS if topic.writer == writer)
