"""The tester's station for a vehicle under test: the usual answers, up to the request that a case is about.

A stage is called after the request that it begins with; of the PowerDelivery requests the one that ends power is
`Stop`, and the one for new schedules `Renegotiate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lab.cases import responses as say
from lab.cases.peer import Line, Received, framed, stem
from lab.cases.pixit import Pixit
from lab.cases.responses import Schedule
from lab.cases.vehicle import VehiclePeer
from lab.cases.verdict import Unclear, Unmet, demand
from pki.provisioning import ProvisioningService
from v2g.errors import Undecodable
from v2g.messages import app_protocol, iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import ISO2, schema
from v2g.signature import sign

SESSION = bytes.fromhex("0102030405060708")
MOST = 10_000
"""Requests that a case waits for its own at the most."""
CERTIFICATES = ("CertificateInstallation", "CertificateUpdate")


def stage_of(request: Any) -> str:
    """The stage that a request belongs to."""
    if isinstance(request, iso2.PowerDeliveryReq) and request.ChargeProgress is not iso2.ChargeProgress.Start:
        return str(request.ChargeProgress)
    return stem(request)


@dataclass(slots=True)
class Host:
    """One session of the tester's station, on one connection."""

    vehicle: VehiclePeer
    pixit: Pixit
    line: Line
    session_id: bytes = SESSION
    joins: bool = False
    """Whether the session that the vehicle presents is joined."""
    services: Sequence[int] = ()
    schedules: Sequence[Schedule] = (Schedule(),)
    operator: ProvisioningService | None = None
    notification: str = "None"
    """What the charge loop asks of the vehicle after `turns`."""
    turns: int = 3
    reading: iso2.MeterInfo | None = None
    receipts: int = 0
    """How many receipts are still wanted."""
    discharges: int = 0
    """How often the output is still under voltage when the vehicle asks for it."""
    tuple_id: int = 1
    heard: list[Received] = field(default_factory=list)
    offer: app_protocol.SupportedAppProtocolReq | None = None
    waiting: Received | None = None
    """The request that is not answered yet."""

    # --- single messages --------------------------------------------------------------------------------------------

    async def negotiation(self, within: float = 5.0) -> app_protocol.SupportedAppProtocolReq:
        """The vehicle's offer of protocols; raises `Unmet`."""
        try:
            request = schema("sap").decode(await self.line.frame(within))
        except Undecodable as error:
            raise Unmet(f"what came is no offer: {error}") from error
        if not isinstance(request, app_protocol.SupportedAppProtocolReq):
            raise Unmet(f"{type(request).__name__} came")
        self.line.evidence.append("< SupportedAppProtocolReq")
        self.offer = request
        return request

    def agree(self, code: str = "OK_SuccessfulNegotiation") -> None:
        """Take the vehicle's ISO 15118-2, or nothing."""
        entries = self.offer.AppProtocol if self.offer is not None else []
        offered = [each for each in entries if each.ProtocolNamespace == ISO2.namespace]
        response = app_protocol.SupportedAppProtocolRes(
            ResponseCode=app_protocol.ResponseCode(code),
            SchemaID=offered[0].SchemaID if offered and code.startswith("OK") else None,
        )
        self.line.say(framed(schema("sap").encode(response)), f"SupportedAppProtocolRes {code}")

    async def hear(self, within: float = 5.0) -> Received:
        """The next request."""
        self.waiting = await self.line.hear(within)
        self.heard.append(self.waiting)
        return self.waiting

    def say(self, body: iso2.BodyElement, signature: Signature | None = None, session_id: bytes | None = None) -> None:
        """Answer."""
        self.line.send(body, self.session_id if session_id is None else session_id, signature)
        self.waiting = None

    # --- the usual way ----------------------------------------------------------------------------------------------

    async def reach(self, stage: str, *, occurrence: int = 1) -> Any:
        """Answer as usual until the request of a stage comes, which stays unanswered; raises `Unclear`."""
        try:
            if self.offer is None:
                await self.negotiation()
                if stage == "SupportedAppProtocol":
                    return self.offer
                self.agree()
            return await self.until(stage, occurrence=occurrence)
        except Unmet as error:
            raise Unclear(f"on the way to {stage}: {error}") from error

    async def until(self, *stages: str, occurrence: int = 1) -> Any:
        """Answer as usual until the request of one of some stages comes; raises `Unmet`."""
        seen = 0
        for _ in range(MOST):
            if self.waiting is not None:
                self.answer(self.waiting)
            request = (await self.hear()).body
            seen += stage_of(request) in stages
            if stage_of(request) in stages and seen >= occurrence:
                return request
        raise Unmet(f"{' or '.join(stages)} never comes")

    async def to_the_end(self) -> None:
        """Answer as usual until the session is over and TCP closed; raises `Unmet`."""
        if self.waiting is None or stage_of(self.waiting.body) != "SessionStop":
            await self.until("SessionStop")
        self.reply()
        await self.left()

    def reply(self) -> None:
        """Answer the request in hand as usual; raises `Unclear` where there is none."""
        if self.waiting is None:
            raise Unclear("no request is in hand")
        self.answer(self.waiting)

    async def left(self, within: float | None = None) -> None:
        """See TCP closed by the vehicle, with nothing sent before that, and its plug safe; raises `Unmet`."""
        within = self.pixit.seconds("close") if within is None else within
        demand(await self.line.closed(within), f"the vehicle has not closed TCP within {within:.3g} s")
        self.safe()

    def safe(self) -> None:
        """See the plug in B and the contactors open."""
        controls = self.vehicle.controls
        demand(controls.pilot in ("B", "A"), f"the vehicle still signals {controls.pilot}")
        demand(controls.contactor == "open", "the vehicle's contactors are not open")

    def answer(self, received: Received) -> None:
        """Answer a request as usual."""
        request = received.body
        if isinstance(request, iso2.SessionSetupReq):
            joined = self.joins and any(received.session_id)
            self.session_id = received.session_id if joined else self.session_id
            self.say(say.session_setup(joined=joined))
        elif stem(request) in CERTIFICATES:
            self._deliver(received)
        elif isinstance(request, iso2.ChargeParameterDiscoveryReq):
            response = self.usual(request)
            self.say(response, self._signature(response))
        else:
            self.say(self.usual(request))

    def usual(self, request: Any) -> Any:
        """The usual answer to a request."""
        return ANSWERS[stem(request)](self, request)

    def loop(self, response: Any) -> Any:
        """A turn of the charge loop: a reading where there is one, a wish after some turns."""
        self.turns -= 1
        notification = self.notification if self.turns <= 0 else "None"
        field_ = "AC_EVSEStatus" if self.pixit.energy == "AC" else "DC_EVSEStatus"
        changes: dict[str, Any] = {field_: say.status(self.pixit.energy, notification)}
        if self.reading is not None:
            wanted = self.receipts > 0
            self.receipts -= wanted
            changes |= {"MeterInfo": self.reading, "ReceiptRequired": wanted}
        return msgspec.structs.replace(response, SAScheduleTupleID=self.tuple_id, **changes)

    def discharge(self) -> iso2.WeldingDetectionRes:
        """The voltage behind the contactors, at first a high one."""
        self.discharges -= 1
        return say.welding_detection(say.LIVE_V if self.discharges >= 0 else say.FLAT_V)

    def _signature(self, response: iso2.ChargeParameterDiscoveryRes) -> Signature | None:
        """The operator's signature over the tariffs, which one needs for a contract."""
        offered = response.SASchedules
        tuples = offered.SAScheduleTuple if isinstance(offered, iso2.SAScheduleList) else []
        tariffs = [each.SalesTariff for each in tuples if each.SalesTariff is not None]
        if not tariffs or self.pixit.payment != "PnC":
            return None
        parts = [(str(each.Id), schema("iso2").encode_fragment(each)) for each in tariffs]
        return sign(parts, self.pixit.held.operator(), "iso2")

    def _deliver(self, received: Received) -> None:
        """Have the operator answer a certificate request."""
        if self.operator is None:
            raise Unclear("the tester has no operator")
        header = iso2.MessageHeader(SessionID=self.session_id, Signature=received.signature)
        message = iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=received.body))
        exi = self.operator.answer(schema("iso2").encode(message))
        self.line.say(framed(exi), f"{stem(received.body)}Res")
        self.waiting = None


def _payments(host: Host) -> tuple[str, ...]:
    return ("Contract", "ExternalPayment") if host.pixit.tls else ("ExternalPayment",)


ANSWERS: dict[str, Callable[[Host, Any], Any]] = {
    "ServiceDiscovery": lambda host, _: say.service_discovery(host.pixit.energy, _payments(host), host.services),
    "ServiceDetail": lambda _, request: say.service_detail(request.ServiceID),
    "PaymentServiceSelection": lambda *_: iso2.PaymentServiceSelectionRes(ResponseCode=say.OK),
    "PaymentDetails": lambda *_: say.payment_details(),
    "Authorization": lambda *_: say.authorization(),
    "ChargeParameterDiscovery": lambda host, _: say.charge_parameters(host.pixit.energy, host.schedules),
    "PowerDelivery": lambda host, _: say.power_delivery(host.pixit.energy),
    "ChargingStatus": lambda host, _: host.loop(say.charging_status()),
    "CurrentDemand": lambda host, _: host.loop(say.current_demand()),
    "MeteringReceipt": lambda host, _: say.metering_receipt(host.pixit.energy),
    "CableCheck": lambda *_: say.cable_check(),
    "PreCharge": lambda _, request: say.precharge(request.EVTargetVoltage),
    "WeldingDetection": lambda host, _: host.discharge(),
    "SessionStop": lambda *_: say.session_stop(),
}
"""The usual answers; those to SessionSetup and for certificates need more than the request."""


async def receive(vehicle: VehiclePeer, pixit: Pixit) -> Host:
    """Set the vehicle off and wait until it connects; raises `Unclear`."""
    vehicle.controls.start(port=await vehicle.listen(tls=pixit.tls))
    return await again(vehicle, pixit)


async def again(vehicle: VehiclePeer, pixit: Pixit) -> Host:
    """Wait until it connects once more; raises `Unclear`."""
    try:
        host = Host(vehicle, pixit, await vehicle.comes())
    except Unmet as error:
        raise Unclear(str(error)) from error
    host.services = tuple(
        number
        for feature, number in (("provisioning", say.CERTIFICATE), ("internet", say.INTERNET))
        if feature in pixit.features
    )
    if "provisioning" in pixit.features:
        host.operator = pixit.held.service()
    return host
