"""What an ISO 15118-2 session agreed on, and the answers of its charge loops: from the snapshot alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from secc import iso2_responses as say
from secc import vehicle
from secc.dc_output import DcOutput
from secc.plan import Planning
from secc.receipts import Receipts
from secc.schedules import TUPLE_ID
from secc.visit import Visit
from v2g import units
from v2g.errors import Refused
from v2g.link import SeccLink
from v2g.messages.iso2 import (
    AC_EVSEStatus,
    ChargingStatusRes,
    CurrentDemandReq,
    CurrentDemandRes,
    DC_EVSEStatus,
    EVSEStatus,
    MeteringReceiptReq,
    MeteringReceiptRes,
    PowerDeliveryReq,
)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """The schedules, the receipts and the DC output of one session."""

    visit: Visit
    tuple_id: int = TUPLE_ID
    """The schedule that the vehicle chose last."""
    planning: Planning = field(init=False)
    receipts: Receipts = field(init=False)
    output: DcOutput = field(init=False)

    def __post_init__(self) -> None:
        resumed = self.visit.resumed
        self.planning = Planning(visit=self.visit, kept=None if resumed is None else resumed.left)
        self.receipts = Receipts(visit=self.visit)
        self.output = DcOutput(visit=self.visit)

    def begin(self, power: PowerDeliveryReq, *, tested: bool = True) -> None:
        """Check what PowerDeliveryReq(Start) asks for; raises `Refused`.

        A DC output that was not `tested` for it may go on after a renegotiation, if all was kept up.
        """
        if not tested and (why := self.output.lapsed):
            raise Refused("FAILED_SequenceError", f"CableCheckReq has to come first: {why}")
        self.tuple_id = self.planning.choose(power)
        if reason := self.visit.reason_to_stop():
            raise Refused("FAILED_PowerDeliveryNotApplied", reason)

    def interrupt(self) -> None:
        """Let no DC flow while the vehicle renegotiates; in AC it goes on."""
        self.visit.followed()
        if self.visit.limits.energy == "DC":
            self.output.interrupt()

    # --- the loops --------------------------------------------------------------------------------------------------

    def charging_status(self) -> ChargingStatusRes:
        """Answer one turn of the AC loop; EVSEMaxCurrent is for EIM only."""
        visit = self.visit
        bounds = visit.limits.refresh()
        visit.charger.target("charge", visit.setup.nominal_voltage_v, bounds.max_a)
        reading = say.meter_info(visit.charger.meter)
        return say.charging_status(
            visit.setup,
            self.tuple_id,
            bounds.max_a if visit.contract is None else None,
            reading,
            ac_status(visit),
            receipt=self.receipts.due(reading),
        )

    def current_demand(self, request: CurrentDemandReq) -> CurrentDemandRes:
        """Answer one turn of the DC loop, and set the operating point within all limits."""
        visit = self.visit
        vehicle.follow_dc(request, visit)
        flow = self.output.supply(units.number(request.EVTargetVoltage), units.number(request.EVTargetCurrent))
        reading = say.meter_info(visit.charger.meter)
        return say.current_demand(
            visit.setup, self.tuple_id, flow, reading, _dc_loop_status(visit), receipt=self.receipts.due(reading)
        )

    async def confirm(self, ev: SeccLink, request: MeteringReceiptReq) -> MeteringReceiptRes:
        """Check and keep a receipt; raises `Refused`."""
        await self.receipts.accept(ev, request, self.tuple_id)
        visit = self.visit
        return say.metering_receipt(ac_status(visit) if visit.limits.energy == "AC" else _dc_loop_status(visit))


def status(visit: Visit) -> EVSEStatus:
    """The EVSEStatus for messages that exist in AC and DC."""
    if visit.limits.energy == "AC":
        return ac_status(visit)
    code: say.Status = "EVSE_Ready" if visit.live else "EVSE_Shutdown"
    return say.dc_status(code, state=visit.charger.state)


def ac_status(visit: Visit) -> AC_EVSEStatus:
    """The AC status, with what the station wishes of the vehicle."""
    return say.ac_status(visit.wish(), visit.config.session.notification_max_delay_s, visit.charger.state)


def _dc_loop_status(visit: Visit) -> DC_EVSEStatus:
    """The DC status in the loop, with what the station wishes of the vehicle."""
    delay_s = visit.config.session.notification_max_delay_s
    return say.dc_status("EVSE_Ready", visit.wish(), delay_s, visit.charger.state)
