"""ISO 15118-2, the vehicle's side. Read `drive` beside the sequence diagram: every `ask` is one exchange.

What is not seen here is kept elsewhere: message timeouts, session id and failure codes in `v2g.link`, the plug in
`evcc.cable`, the battery in `evcc.vehicle`, the contract in `evcc.wallet`.
"""

from __future__ import annotations

import asyncio
import contextlib

from evcc import ac_inlet, dc_inlet, receipts, services, tariff
from evcc import iso2_provisioning as provisioning
from evcc import iso2_requests as say
from evcc.choice import Need, choose
from evcc.notice import status_in
from evcc.patience import Patience
from evcc.trip import Declined, Interrupted, StationFault, Trip
from v2g import units
from v2g.errors import Refused, Silence, Undecodable, V2GError
from v2g.identifiers import evcc_id
from v2g.link import EvccLink
from v2g.messages.iso2 import (
    AC_EVSEChargeParameter,
    AuthorizationReq,
    AuthorizationRes,
    ChargeParameterDiscoveryRes,
    ChargeProgress,
    ChargeService,
    ChargingSession,
    ChargingStatusReq,
    DC_EVSEChargeParameter,
    EVSEProcessing,
    MeterInfo,
    PaymentOption,
    ResponseCode,
    SAScheduleList,
    SessionSetupReq,
    SessionSetupRes,
    SessionStopReq,
)
from v2g.timing import Budget, Timing


async def drive(evse: EvccLink, trip: Trip) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the car's contactors are open."""
    trip.begin(evse.timing.scale)
    try:
        await identify(evse, trip)
        await (charge_dc if trip.plan.energy == "dc" else charge_ac)(evse, trip)
        await evse.ask(SessionStopReq(ChargingSession=trip.farewell))
        if trip.farewell is ChargingSession.Pause:
            trip.rest(evse.session_id)
    except (Declined, Interrupted, StationFault):
        await leave(evse, trip)
        raise
    finally:
        trip.make_safe()


async def leave(evse: EvccLink, trip: Trip) -> None:
    """Switch everything off at once and leave, as politely as the station allows."""
    trip.make_safe()
    with contextlib.suppress(V2GError):
        if trip.live:
            await evse.ask(say.power_delivery(trip.vehicle, ChargeProgress.Stop, trip.schedule))
        await evse.ask(SessionStopReq(ChargingSession=ChargingSession.Terminate))


# --- identification -------------------------------------------------------------------------------------------------


async def identify(evse: EvccLink, trip: Trip) -> None:
    """From SessionSetup to the authorization that the station finished."""
    evse.joins = b"" if trip.paused is None else trip.paused.identifier
    setup = await evse.ask(SessionSetupReq(EVCCID=evcc_id(trip.vehicle.config.evcc_id)))
    trip.evse_id = setup.EVSEID
    join(evse, trip, setup)
    discovery = await evse.ask(services.discovery(trip.plan))
    trip.free = discovery.ChargeService.FreeService
    require_mode(trip, discovery.ChargeService)
    trip.errand = None if trip.joined else await provisioning.choose(evse, trip, discovery)
    trip.services = await services.look(evse, trip.plan, discovery)
    option = choose_payment(trip, discovery.PaymentOptionList.PaymentOption, secure=evse.stream.facts.secure)
    others = services.selected(trip.services) + ([] if trip.errand is None else [trip.errand.selected])
    await evse.ask(say.payment_selection(option, discovery.ChargeService.ServiceID, *others))
    if trip.errand is not None:
        await provisioning.fetch(evse, trip, trip.errand)
    first, signature = AuthorizationReq(), None
    if option is PaymentOption.Contract and trip.contract is not None:
        details = await evse.ask(trip.contract.details())
        first, signature = trip.contract.authorize(details.GenChallenge)
    await wait_for_authorization(evse, trip, await evse.ask(first, signature=signature))


def join(evse: EvccLink, trip: Trip, setup: SessionSetupRes) -> None:
    """Go on with the paused session if the station still knows it; otherwise forget it, this is a new one."""
    trip.joined = trip.paused is not None and setup.ResponseCode is ResponseCode.OK_OldSessionJoined
    if trip.paused is not None and trip.joined and evse.session_id != trip.paused.identifier:
        raise Undecodable("the station joined another session than the one that was paused")
    if not trip.joined:
        trip.paused = None


def require_mode(trip: Trip, service: ChargeService) -> None:
    """Leave a station that does not offer the mode planned; any DC will do for DC. Raises `Declined`."""
    offered = service.SupportedEnergyTransferMode.EnergyTransferMode
    if trip.plan.energy == "dc":
        fits = any(each.startswith("DC_") for each in offered)
    else:
        fits = say.transfer_mode(trip.plan) in offered
    if not fits:
        raise Declined(f"the station offers no {trip.plan.energy}, only {', '.join(offered)}")


def choose_payment(trip: Trip, offered: list[PaymentOption], *, secure: bool) -> PaymentOption:
    """Take the payment planned, and another one only where the plan admits it. Raises `Declined`."""
    plan = trip.plan
    planned = plan.payment if trip.paused is None else trip.paused.payment  # the same again [V2G2-740]
    if planned == "contract":
        obstacle = _obstacle(trip, offered, secure=secure)
        if not obstacle:
            trip.payment = "contract"
            return PaymentOption.Contract
        if not plan.accept_external:
            raise Declined(f"{obstacle}; with `accept_external = true` in [plan] the car charges without it")
    if PaymentOption.ExternalPayment not in offered:
        raise Declined(f"the station takes no payment but {', '.join(offered)}")
    trip.payment = "external"
    return PaymentOption.ExternalPayment


def _obstacle(trip: Trip, offered: list[PaymentOption], *, secure: bool) -> str:
    """Why no contract can pay, empty if it can."""
    if PaymentOption.Contract not in offered:
        return f"the station offers no contract, only {', '.join(offered)}"
    if not secure:
        return "there is no TLS, without which a contract must not be used [V2G2-635]"
    paying = trip.contract is not None or trip.errand is not None
    return "" if paying else "the car holds no contract, and gets none here"


async def wait_for_authorization(evse: EvccLink, trip: Trip, response: AuthorizationRes) -> None:
    """Ask again, now unsigned [V2G2-684], until the station has decided; waiting for a person takes its own time."""
    budget, patience = Budget(evse.timing.ongoing_evcc), Budget(evse.timing.eim_waiting)
    while response.EVSEProcessing is not EVSEProcessing.Finished:
        waiting = response.EVSEProcessing is EVSEProcessing.Ongoing_WaitingForCustomerInteraction
        if patience.over if waiting else budget.over:
            raise Silence("V2G_EVCC_Ongoing_Timeout", evse.timing.ongoing_evcc)
        await trip.pause(trip.vehicle.config.plan.poll_s)
        trip.go_on()
        response = await evse.ask(AuthorizationReq())


async def discover_parameters(evse: EvccLink, trip: Trip) -> ChargeParameterDiscoveryRes:
    """Tell the car's needs until the station has made its offer; meanwhile nothing but a fault is heard [V2G2-841]."""
    patience = Patience(trip, evse.timing, Timing.ongoing_evcc)
    trip.go_on()
    while True:
        response = await evse.ask(say.charge_parameters(trip.vehicle))
        trip.require_no_fault(status_in(response.EVSEChargeParameter))
        if response.EVSEProcessing is EVSEProcessing.Finished:
            return response
        await patience.again()


def take_schedule(evse: EvccLink, trip: Trip, offer: ChargeParameterDiscoveryRes, need: Need) -> None:
    """Choose among the schedules offered, in a joined session that of before; raises `Declined` for none."""
    if not isinstance(offer.SASchedules, SAScheduleList):
        raise Refused("FAILED_WrongChargeParameter", "the station finished without a schedule [V2G2-905]")
    tuples = offer.SASchedules.SAScheduleTuple
    flaws = tariff.judge(tuples, evse.signature, trip.contract if trip.payment == "contract" else None)
    before = trip.paused.schedule_id if trip.paused is not None and not trip.schedules else None
    offered = [each.SAScheduleTupleID for each in tuples]
    chosen, trip.schedules = choose(tuples, flaws, need, before if before in offered else trip.plan.schedule)
    if chosen is None:
        raise Declined(f"schedule {trip.plan.schedule} is not offered, only {', '.join(map(str, offered))}")
    trip.schedule = chosen


async def switch(evse: EvccLink, trip: Trip, progress: ChargeProgress, max_w: float = 0.0) -> None:
    """Start, stop or renegotiate power, and hear what the station says to it."""
    trip.live = True
    response = await evse.ask(say.power_delivery(trip.vehicle, progress, trip.schedule, max_w))
    trip.live = progress is ChargeProgress.Start
    trip.hear(response.EVSEStatus)


async def confirm(evse: EvccLink, trip: Trip, reading: MeterInfo | None, schedule_id: int) -> None:
    """Sign the meter's reading for a station that demands it; without a contract there is no key to do so."""
    if trip.payment != "contract" or trip.contract is None:
        raise Declined("the station demands a receipt, which only a contract can sign [V2G2-691] [V2G2-903]")
    if reading is None:
        raise Declined("the station demands a receipt for a reading that it does not tell")
    request, signature = receipts.sign(trip.contract, evse.session_id, reading, schedule_id)
    response = await evse.ask(request, signature=signature)
    trip.receipts.append(receipts.Receipt.of(request))
    trip.hear(response.EVSEStatus)


async def dismissed(evse: EvccLink, trip: Trip) -> None:
    """Stop before energy flows, as the station has none, or wants none of this."""
    trip.obey()
    await switch(evse, trip, ChargeProgress.Stop)
    trip.make_safe()


def follow(trip: Trip) -> ChargeProgress | None:
    """What comes next: go on (None), stop or pause as station, plan or somebody wants it, or renegotiate."""
    if trip.notice.stop:
        trip.obey()
        return ChargeProgress.Stop
    if trip.vehicle.satisfied or trip.interrupt.is_set():
        return ChargeProgress.Stop
    if trip.wants_pause:
        trip.farewell = ChargingSession.Pause
        return ChargeProgress.Stop
    if trip.notice.renegotiate or trip.wants_renegotiation:
        trip.renegotiate()
        return ChargeProgress.Renegotiate
    return None


# --- AC -------------------------------------------------------------------------------------------------------------


async def charge_ac(evse: EvccLink, trip: Trip) -> None:
    """Charge until something ends it; each turn is one (re)negotiation, through which the contactor stays closed."""
    while True:
        offer = await discover_parameters(evse, trip)
        if not isinstance(offer.EVSEChargeParameter, AC_EVSEChargeParameter):
            raise Refused("FAILED_WrongChargeParameter", f"{type(offer.EVSEChargeParameter).__name__} in answer to AC")
        ac_inlet.connect(trip, offer.EVSEChargeParameter)
        need = ac_inlet.need(trip)
        take_schedule(evse, trip, offer, need)
        trip.hear(offer.EVSEChargeParameter.AC_EVSEStatus)
        if trip.notice.stop:
            trip.make_safe()
            return await dismissed(evse, trip)
        trip.go_on()
        trip.cable.pilot("C")
        await switch(evse, trip, ChargeProgress.Start, need.most_w)
        trip.cable.contactor("closed")
        progress = await loop_ac(evse, trip)
        if progress is ChargeProgress.Stop:
            trip.make_safe()
        await switch(evse, trip, progress)
        if progress is ChargeProgress.Stop:
            return None


async def loop_ac(evse: EvccLink, trip: Trip) -> ChargeProgress:
    """Draw what the station allows and ask for its status, until something ends the loop."""
    trip.vehicle.begin()
    while True:
        status = await evse.ask(ChargingStatusReq())
        if status.EVSEMaxCurrent is not None:
            trip.max_current_a = units.number(status.EVSEMaxCurrent)
        ac_inlet.draw(trip)
        trip.hear(status.AC_EVSEStatus)
        if status.ReceiptRequired:
            await confirm(evse, trip, status.MeterInfo, status.SAScheduleTupleID)
        if (progress := follow(trip)) is not None:
            return progress
        await trip.pause(trip.plan.loop_s)
        trip.vehicle.settle(ac_inlet.power_w(trip))


# --- DC -------------------------------------------------------------------------------------------------------------


async def charge_dc(evse: EvccLink, trip: Trip) -> None:
    """Charge until something ends it; each turn is one (re)negotiation, which always goes through CableCheck."""
    while True:
        offer = await discover_parameters(evse, trip)
        if not isinstance(offer.EVSEChargeParameter, DC_EVSEChargeParameter):
            raise Refused("FAILED_WrongChargeParameter", f"{type(offer.EVSEChargeParameter).__name__} in answer to DC")
        need = dc_inlet.need(trip)
        take_schedule(evse, trip, offer, need)
        trip.hear(offer.EVSEChargeParameter.DC_EVSEStatus)
        if not trip.notice.due:
            dc_inlet.require_range(trip, offer.EVSEChargeParameter)
            await prepare(evse, trip)
        if trip.notice.stop:
            return await dismissed(evse, trip)
        trip.cable.contactor("closed")
        await switch(evse, trip, ChargeProgress.Start, need.most_w)
        progress = await loop_dc(evse, trip)
        await switch(evse, trip, progress)
        trip.cable.draw(0.0)
        trip.cable.contactor("open")
        if progress is ChargeProgress.Stop:
            trip.cable.pilot("B")
            return await detect_welding(evse, trip)


async def prepare(evse: EvccLink, trip: Trip) -> None:
    """Have the cable checked and the output pre-charged."""
    trip.cable.battery(trip.vehicle.voltage_v)
    trip.go_on()
    trip.cable.pilot("C")
    await wait_for_cable_check(evse, trip)
    await precharge(evse, trip)


async def wait_for_cable_check(evse: EvccLink, trip: Trip) -> None:
    """Ask until the station has tested the isolation; a fault ends the session, and so does a stop without delay."""
    patience = Patience(trip, evse.timing, Timing.cable_check_evcc)
    trip.go_on()
    while True:
        response = await evse.ask(say.cable_check(trip.vehicle))
        trip.hear(response.DC_EVSEStatus)
        dc_inlet.require_no_stop(trip, "in its cable check")
        if response.EVSEProcessing is EVSEProcessing.Finished:
            return dc_inlet.require_insulation(trip, response.DC_EVSEStatus)
        await patience.again()


async def precharge(evse: EvccLink, trip: Trip) -> None:
    """Ask until the output voltage is near the battery's, so that the contactors may close, or a stop is due."""
    patience = Patience(trip, evse.timing, Timing.precharge_evcc)
    trip.go_on()
    while True:
        response = await evse.ask(say.precharge(trip.vehicle))
        trip.hear(response.DC_EVSEStatus)
        if trip.notice.due or dc_inlet.precharged(trip, response.EVSEPresentVoltage):
            return
        await patience.again()


async def loop_dc(evse: EvccLink, trip: Trip) -> ChargeProgress:
    """Ask for current again and again, until something ends the loop."""
    trip.vehicle.begin()
    while True:
        response = await evse.ask(say.current_demand(trip.vehicle, trip.schedule))
        dc_inlet.receive(trip, response.EVSEPresentVoltage, response.EVSEPresentCurrent)
        trip.hear(response.DC_EVSEStatus)
        if response.ReceiptRequired:
            await confirm(evse, trip, response.MeterInfo, response.SAScheduleTupleID)
        dc_inlet.require_isolation(trip, response.DC_EVSEStatus)
        if (progress := follow(trip)) is not None:
            return progress
        await trip.pause(trip.plan.loop_s)


async def detect_welding(evse: EvccLink, trip: Trip) -> None:
    """Watch the voltage behind the open contactors fall below 60 V."""
    for _ in range(dc_inlet.welding_tries(trip)):
        response = await evse.ask(say.welding_detection(trip.vehicle))
        trip.hear(response.DC_EVSEStatus)
        if dc_inlet.discharged(trip, response.EVSEPresentVoltage):
            return
        await asyncio.sleep(trip.plan.poll_s)
