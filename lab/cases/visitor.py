"""The tester's vehicle at a station under test: the usual way through a session, stage by stage.

A stage is called after the request that it begins with; of the two PowerDelivery the one that ends power is `Stop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lab.cases import requests as say
from lab.cases.peer import Line, Received, framed, offer, stem
from lab.cases.pixit import Pixit
from lab.cases.station import StationPeer
from lab.cases.verdict import Unclear, Unmet, demand
from pki.contract.chain import common_name
from pki.contract.iso2 import receive
from pki.credentials import Credential
from v2g import units
from v2g.errors import V2GError
from v2g.messages import app_protocol, iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import ISO2, schema
from v2g.signature import sign

TURNS = 100
POLL_S = 0.005
"""How often a tester asks again where the station is not ready."""
CERTIFICATES = ("CertificateInstallation", "CertificateUpdate")
CERTIFICATE_SERVICE = 2
DETAILS = ("ServiceDetail",)
OPTIONAL = (*DETAILS, *CERTIFICATES, "MeteringReceipt")
NEAR_V = 20


def course(pixit: Pixit, *extra: str) -> tuple[str, ...]:
    """The stages of a session in their order; `extra` names those that are not on everybody's way."""
    contract = pixit.payment == "PnC"
    names = (
        "SupportedAppProtocol", "SessionSetup", "ServiceDiscovery", *(each for each in DETAILS if each in extra),
        "PaymentServiceSelection", *(each for each in CERTIFICATES if each in extra),
        *(["PaymentDetails"] if contract else ()), "Authorization", "ChargeParameterDiscovery",
    )  # fmt: skip
    receipt = ["MeteringReceipt"] if "MeteringReceipt" in extra else []
    if pixit.energy == "AC":
        return (*names, "PowerDelivery", "ChargingStatus", *receipt, "Stop", "SessionStop")
    return (
        *names, "CableCheck", "PreCharge", "PowerDelivery", "CurrentDemand", *receipt, "Stop", "WeldingDetection",
        "SessionStop",
    )  # fmt: skip


@dataclass(slots=True)
class Visitor:
    """One session of the tester's vehicle, on one connection."""

    station: StationPeer
    pixit: Pixit
    line: Line
    extra: tuple[str, ...] = ()
    """Stages besides the usual ones."""
    skip: tuple[str, ...] = ()
    """Stages that are left out."""
    session_id: bytes = bytes(8)
    challenge: bytes = b""
    offered: iso2.ChargeParameterDiscoveryRes | None = None
    schedule: int = 1
    reading: iso2.MeterInfo | None = None
    departure_s: int | None = None
    entries: int | None = None
    service: int = 1
    """The service whose details are asked for."""
    services: tuple[int, ...] = ()
    """Services selected besides charging."""
    own: Credential | None = None
    """The contract; that of the PIXIT where it is None."""
    maker: Credential | None = None
    """What the maker gave; as above."""
    chain: Sequence[bytes] = ()
    """The chain that is presented; the contract's where it is empty."""
    pilot: Literal["C", "D"] = "C"
    """The pilot state in which it charges."""
    error: str = "NO_ERROR"
    """What it tells of itself when it stops."""
    said: list[Received] = field(default_factory=list)
    """All answers."""

    @property
    def course(self) -> tuple[str, ...]:
        """The stages of this session in their order."""
        return tuple(name for name in course(self.pixit, *self.extra) if name not in self.skip)

    # --- single exchanges -------------------------------------------------------------------------------------------

    async def ask(self, body: Any, *, session_id: bytes | None = None, signature: Signature | None = None) -> Any:
        """Send a request and return the answer, which has to be of its type and in its session; raises `Unmet`."""
        self.line.send(body, self.session_id if session_id is None else session_id, signature)
        answer = await self.line.hear()
        self.said.append(answer)
        demand(isinstance(answer.body, body.Response), f"{stem(body)}Req was answered by {type(answer.body).__name__}")
        if isinstance(answer.body, iso2.SessionSetupRes):
            self.session_id = answer.session_id
        demand(answer.session_id == self.session_id, "the answer carries another session id [V2G2-752]")
        return answer.body

    async def negotiate(self, namespace: str = ISO2.namespace, minor: int = 0) -> app_protocol.SupportedAppProtocolRes:
        """Offer a protocol."""
        self.line.say(framed(schema("sap").encode(offer(namespace, minor=minor))), "SupportedAppProtocolReq")
        response = schema("sap").decode(await self.line.frame())
        if not isinstance(response, app_protocol.SupportedAppProtocolRes):
            raise Unmet(f"SupportedAppProtocolReq was answered by {type(response).__name__}")
        self.line.evidence.append(f"< SupportedAppProtocolRes {response.ResponseCode}")
        return response

    # --- the usual way ----------------------------------------------------------------------------------------------

    async def reach(self, stage: str) -> None:
        """Go all the usual way to a stage, the request of which is then to be sent. Raises `Unclear`."""
        if stage in OPTIONAL and stage not in self.extra:
            self.extra = (*self.extra, stage)
        names = self.course
        if stage not in names:
            raise Unclear(f"there is no {stage} in this run")
        try:
            for name in names[: names.index(stage)]:
                demand(str((await self.exchange(name)).ResponseCode).startswith("OK"), f"{name} was refused")
        except Unmet as error:
            raise Unclear(f"on the way to {stage}: {error}") from error

    async def go_on(self, stage: str, until: str) -> None:
        """Go on from one stage to the next ones, and stop before `until`. Raises `Unmet`."""
        names = self.course
        for name in names[names.index(stage) : names.index(until) if until else None]:
            demand(str((await self.exchange(name)).ResponseCode).startswith("OK"), f"{name} was refused")

    async def exchange(self, stage: str) -> Any:
        """Do what the usual way does at a stage, pilot and repetitions included."""
        if stage == "SupportedAppProtocol":
            return await self.negotiate()
        self.prepare(stage)
        request = self.request(stage)
        answer = await self.ask(request, signature=self.sign(request))
        for _ in range(TURNS):
            if not self._again(stage, answer):
                break
            await asyncio.sleep(POLL_S)
            answer = await self.ask(self.again(stage))
        self._learn(answer)
        return answer

    def prepare(self, stage: str) -> None:
        """Set the control pilot to what a stage needs."""
        ac = self.pixit.energy == "AC"
        states: dict[str, Literal["B", "C", "D"]] = {"PowerDelivery" if ac else "CableCheck": self.pilot}
        states["Stop" if ac else "WeldingDetection"] = states["SessionStop"] = "B"
        if stage in states:
            self.station.controls.pilot(states[stage])

    def request(self, stage: str) -> Any:
        """The usual request of a stage."""
        return REQUESTS[stage](self)

    def selection(self) -> iso2.PaymentServiceSelectionReq:
        """Select what this run pays by, charging, and what the way to be gone needs."""
        certificate = [CERTIFICATE_SERVICE] if any(each in self.extra for each in CERTIFICATES) else []
        services = [1, *self.services, *certificate]
        return say.selection("Contract" if self.pixit.payment == "PnC" else "ExternalPayment", *services)

    def receipt(self) -> iso2.MeteringReceiptReq:
        """Confirm the reading heard last."""
        return iso2.MeteringReceiptReq(
            Id="id1",
            SessionID=self.session_id,
            SAScheduleTupleID=self.schedule,
            MeterInfo=self.reading or iso2.MeterInfo(MeterID="none"),
        )

    def again(self, stage: str) -> Any:
        """The request by which a stage is repeated: of an authorization only the first is signed [V2G2-684]."""
        return iso2.AuthorizationReq() if stage == "Authorization" else self.request(stage)

    def sign(self, request: Any, by: Credential | None = None) -> Signature | None:
        """Sign a request that has to be: by the vehicle's key for an installation, by the contract's otherwise."""
        if getattr(request, "Id", None) is None:
            return None
        installs = isinstance(request, iso2.CertificateInstallationReq)
        key = (by or (self.vehicle if installs else self.holder)).key
        return sign([(request.Id, schema("iso2").encode_fragment(request))], key, "iso2")

    @property
    def holder(self) -> Credential:
        """The contract of this session."""
        return self.own or self.pixit.held.contract()

    @property
    def vehicle(self) -> Credential:
        """What the vehicle's maker gave it."""
        return self.maker or self.pixit.held.vehicle()

    @property
    def contract(self) -> Sequence[bytes]:
        """The chain that is presented."""
        return self.chain or self.holder.chain

    @property
    def emaid(self) -> str:
        """The account of the contract that is presented."""
        return common_name(self.contract[0])

    @property
    def pmax_w(self) -> float | None:
        """The power that the schedule chosen always allows."""
        schedules = self.offered.SASchedules if self.offered is not None else None
        if not isinstance(schedules, iso2.SAScheduleList):
            return None
        chosen = [each for each in schedules.SAScheduleTuple if each.SAScheduleTupleID == self.schedule]
        return min(units.number(each.PMax) for each in chosen[0].PMaxSchedule.PMaxScheduleEntry) if chosen else None

    def _again(self, stage: str, answer: Any) -> bool:
        """Whether a stage is to be repeated."""
        if not str(answer.ResponseCode).startswith("OK"):
            return False
        if stage in ("ChargingStatus", "CurrentDemand") and "MeteringReceipt" in self.extra:
            self._learn(answer)
            return not answer.ReceiptRequired
        if stage == "PreCharge":
            return abs(units.number(answer.EVSEPresentVoltage) - say.PRECHARGE_V) > NEAR_V
        processing = getattr(answer, "EVSEProcessing", None)
        return processing not in (None, iso2.EVSEProcessing.Finished)

    def _learn(self, answer: Any) -> None:
        """Keep what later requests need."""
        if isinstance(answer, iso2.CertificateInstallationRes | iso2.CertificateUpdateRes):
            self._open(answer)
        if isinstance(answer, iso2.PaymentDetailsRes):
            self.challenge = answer.GenChallenge
        if isinstance(answer, iso2.ChargeParameterDiscoveryRes):
            self.offered = answer
            if isinstance(answer.SASchedules, iso2.SAScheduleList):
                self.schedule = answer.SASchedules.SAScheduleTuple[0].SAScheduleTupleID
        if isinstance(answer, iso2.ChargingStatusRes | iso2.CurrentDemandRes):
            self.reading = answer.MeterInfo

    def _open(self, delivery: iso2.CertificateInstallationRes | iso2.CertificateUpdateRes) -> None:
        """Take a contract that was delivered, which has to hold in every respect; raises `Unmet`."""
        updated = isinstance(delivery, iso2.CertificateUpdateRes)
        key = (self.holder if updated else self.vehicle).key
        try:
            got = receive(delivery, self.said[-1].signature, key, self.pixit.held.judge)
        except V2GError as error:
            raise Unmet(f"the delivery does not hold: {error}") from error
        self.own = Credential(list(got.chain), got.key)


def _authorization(visitor: Visitor) -> iso2.AuthorizationReq:
    """The first of a session, which a contract has to sign."""
    contract = visitor.pixit.payment == "PnC"
    return iso2.AuthorizationReq(Id="id1", GenChallenge=visitor.challenge) if contract else iso2.AuthorizationReq()


REQUESTS: dict[str, Callable[[Visitor], Any]] = {
    "SessionSetup": lambda _: say.session_setup(),
    "ServiceDiscovery": lambda _: iso2.ServiceDiscoveryReq(),
    "ServiceDetail": lambda visitor: iso2.ServiceDetailReq(ServiceID=visitor.service),
    "PaymentServiceSelection": lambda visitor: visitor.selection(),
    "CertificateInstallation": lambda visitor: say.installation(visitor.vehicle),
    "CertificateUpdate": lambda visitor: say.update(visitor.contract, visitor.emaid),
    "PaymentDetails": lambda visitor: say.payment_details(visitor.contract, visitor.emaid),
    "Authorization": _authorization,
    "ChargeParameterDiscovery": lambda visitor: say.charge_parameters(
        visitor.pixit.energy, departure_s=visitor.departure_s, entries=visitor.entries
    ),
    "PowerDelivery": lambda visitor: say.power_delivery(
        visitor.pixit.energy, "Start", visitor.schedule, profile_w=visitor.pmax_w
    ),
    "Stop": lambda visitor: say.power_delivery(visitor.pixit.energy, "Stop", visitor.schedule, error=visitor.error),
    "MeteringReceipt": lambda visitor: visitor.receipt(),
    "ChargingStatus": lambda _: iso2.ChargingStatusReq(),
    "CableCheck": lambda _: say.cable_check(),
    "PreCharge": lambda _: say.precharge(),
    "CurrentDemand": lambda _: say.current_demand(),
    "WeldingDetection": lambda _: say.welding_detection(),
    "SessionStop": lambda _: say.session_stop(),
}
"""The usual request of every stage."""


async def visit(station: StationPeer, pixit: Pixit, *extra: str, skip: tuple[str, ...] = ()) -> Visitor:
    """Connect a vehicle that has said nothing yet; `extra` and `skip` are stages."""
    return Visitor(station, pixit, await station.connect(pixit), extra, skip)
