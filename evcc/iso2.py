"""ISO 15118-2, the vehicle's side. Read `drive` beside the sequence diagram: every `ask` is one exchange.

What is not seen here is kept elsewhere: message timeouts, session id and failure codes in `v2g.link`, the plug in
`evcc.cable`, the battery in `evcc.vehicle`, the contract in `evcc.wallet`.
"""

from __future__ import annotations

import asyncio
import contextlib

from evcc import dc_inlet
from evcc import iso2_provisioning as provisioning
from evcc import iso2_requests as say
from evcc.patience import Patience
from evcc.schedule import Schedule
from evcc.trip import Declined, Interrupted, Trip
from v2g import units
from v2g.errors import Refused, Silence, V2GError
from v2g.identifiers import evcc_id
from v2g.link import EvccLink
from v2g.messages.iso2 import (
    AC_EVSEChargeParameter,
    AuthorizationReq,
    AuthorizationRes,
    ChargeParameterDiscoveryRes,
    ChargeProgress,
    ChargingSession,
    ChargingStatusReq,
    DC_EVSEChargeParameter,
    EVSENotification,
    EVSEProcessing,
    PaymentOption,
    SAScheduleList,
    ServiceDiscoveryReq,
    SessionSetupReq,
    SessionStopReq,
)
from v2g.timing import Budget, Timing


async def drive(evse: EvccLink, trip: Trip) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the car's contactors are open."""
    try:
        try:
            await identify(evse, trip)
            await (charge_dc if trip.vehicle.config.plan.energy == "dc" else charge_ac)(evse, trip)
        except (Declined, Interrupted):
            trip.cable.draw(0.0)
            with contextlib.suppress(V2GError):
                await evse.ask(SessionStopReq(ChargingSession=ChargingSession.Terminate))
            raise
        await evse.ask(SessionStopReq(ChargingSession=ChargingSession.Terminate))
    finally:
        trip.cable.draw(0.0)
        trip.cable.contactor("open")
        trip.cable.pilot("B")


# --- identification -------------------------------------------------------------------------------------------------


async def identify(evse: EvccLink, trip: Trip) -> None:
    """From SessionSetup to the authorization that the station finished."""
    setup = await evse.ask(SessionSetupReq(EVCCID=evcc_id(trip.vehicle.config.evcc_id)))
    trip.evse_id = setup.EVSEID
    discovery = await evse.ask(ServiceDiscoveryReq())
    trip.errand = await provisioning.choose(evse, trip, discovery)
    option = choose_payment(trip, discovery.PaymentOptionList.PaymentOption, secure=evse.stream.facts.secure)
    services = [] if trip.errand is None else [trip.errand.selected]
    await evse.ask(say.payment_selection(option, discovery.ChargeService.ServiceID, *services))
    if trip.errand is not None:
        await provisioning.fetch(evse, trip, trip.errand)
    first, signature = AuthorizationReq(), None
    if option is PaymentOption.Contract and trip.contract is not None:
        details = await evse.ask(trip.contract.details())
        first, signature = trip.contract.authorize(details.GenChallenge)
    await wait_for_authorization(evse, trip, await evse.ask(first, signature=signature))


def choose_payment(trip: Trip, offered: list[PaymentOption], *, secure: bool) -> PaymentOption:
    """Take the payment planned, and another one only where the plan admits it. Raises `Declined`."""
    plan = trip.vehicle.config.plan
    if plan.payment == "contract":
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
    """Tell the car's needs and take the station's offer, the first schedule of it."""
    budget = Budget(evse.timing.ongoing_evcc)
    while True:
        trip.go_on()
        response = await evse.ask(say.charge_parameters(trip.vehicle))
        if response.EVSEProcessing is EVSEProcessing.Finished:
            break
        if budget.over:
            raise Silence("V2G_EVCC_Ongoing_Timeout", evse.timing.ongoing_evcc)
        await trip.pause(trip.vehicle.config.plan.poll_s)
    if not isinstance(response.SASchedules, SAScheduleList):
        raise Refused("FAILED_WrongChargeParameter", "the station finished without a schedule [V2G2-905]")
    trip.schedule = Schedule.of(response.SASchedules.SAScheduleTuple[0])
    return response


# --- AC -------------------------------------------------------------------------------------------------------------


async def charge_ac(evse: EvccLink, trip: Trip) -> None:
    """Charge until the plan is fulfilled or the station asks to stop; each turn is one (re)negotiation."""
    while True:
        parameter = (await discover_parameters(evse, trip)).EVSEChargeParameter
        if not isinstance(parameter, AC_EVSEChargeParameter):
            raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} in answer to AC")
        trip.nominal_v = units.number(parameter.EVSENominalVoltage)
        if trip.nominal_v <= 0:
            raise Refused("FAILED_WrongChargeParameter", f"the station's nominal voltage is {trip.nominal_v} V")
        trip.max_current_a = units.number(parameter.EVSEMaxCurrent)
        trip.go_on()
        trip.cable.pilot("C")
        await evse.ask(say.power_delivery(trip.vehicle, ChargeProgress.Start, trip.schedule))
        trip.cable.contactor("closed")
        progress = await loop_ac(evse, trip)
        if progress is ChargeProgress.Stop:
            trip.cable.draw(0.0)
            trip.cable.contactor("open")
            trip.cable.pilot("B")
        await evse.ask(say.power_delivery(trip.vehicle, progress, trip.schedule))
        if progress is ChargeProgress.Stop:
            return


async def loop_ac(evse: EvccLink, trip: Trip) -> ChargeProgress:
    """Draw what the station allows and ask for its status, until something ends the loop."""
    trip.vehicle.begin()
    while True:
        status = await evse.ask(ChargingStatusReq())
        if status.EVSEMaxCurrent is not None:
            trip.max_current_a = units.number(status.EVSEMaxCurrent)
        draw_ac(trip)
        tripped = status.AC_EVSEStatus.RCD
        if (progress := follow(trip, status.AC_EVSEStatus.EVSENotification, stops=tripped)) is not None:
            return progress
        await trip.pause(trip.vehicle.config.plan.loop_s)
        trip.vehicle.settle(power_ac(trip))


def draw_ac(trip: Trip) -> None:
    """Draw what onboard charger, station and schedule allow; below the charger's minimum nothing."""
    onboard = trip.vehicle.config.onboard
    scheduled = trip.schedule.pmax_w / (trip.nominal_v * say.phases(trip.vehicle))
    allowed = min(onboard.max_current_a, trip.max_current_a, scheduled)
    trip.cable.draw(allowed if allowed >= onboard.min_current_a else 0.0)
    trip.max_current_a = allowed


def power_ac(trip: Trip) -> float:
    """Power drawn now, all phases together."""
    drawn = trip.max_current_a if trip.max_current_a >= trip.vehicle.config.onboard.min_current_a else 0.0
    return drawn * trip.nominal_v * say.phases(trip.vehicle)


# --- DC -------------------------------------------------------------------------------------------------------------


async def charge_dc(evse: EvccLink, trip: Trip) -> None:
    """Charge until the plan is fulfilled or the station asks to stop; each turn is one (re)negotiation."""
    while True:
        parameter = (await discover_parameters(evse, trip)).EVSEChargeParameter
        if not isinstance(parameter, DC_EVSEChargeParameter):
            raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} in answer to DC")
        trip.cable.battery(trip.vehicle.voltage_v)
        trip.go_on()
        trip.cable.pilot("C")
        await wait_for_cable_check(evse, trip)
        await precharge(evse, trip)
        trip.cable.contactor("closed")
        await evse.ask(say.power_delivery(trip.vehicle, ChargeProgress.Start, trip.schedule))
        progress = await loop_dc(evse, trip)
        await evse.ask(say.power_delivery(trip.vehicle, progress, trip.schedule))
        trip.cable.draw(0.0)
        trip.cable.contactor("open")
        if progress is ChargeProgress.Stop:
            trip.cable.pilot("B")
            return await detect_welding(evse, trip)


async def wait_for_cable_check(evse: EvccLink, trip: Trip) -> None:
    """Ask until the station has tested the isolation; a fault ends the session."""
    patience = Patience(trip, evse.timing, Timing.cable_check_evcc)
    trip.go_on()
    response = await evse.ask(say.cable_check(trip.vehicle))
    while response.EVSEProcessing is not EVSEProcessing.Finished:
        await patience.again()
        response = await evse.ask(say.cable_check(trip.vehicle))
    dc_inlet.require_insulation(trip, response.DC_EVSEStatus)


async def precharge(evse: EvccLink, trip: Trip) -> None:
    """Ask until the output voltage is near the battery's, so that the contactors may close."""
    patience = Patience(trip, evse.timing, Timing.precharge_evcc)
    trip.go_on()
    response = await evse.ask(say.precharge(trip.vehicle))
    while not dc_inlet.precharged(trip, response.EVSEPresentVoltage):
        await patience.again()
        response = await evse.ask(say.precharge(trip.vehicle))


async def loop_dc(evse: EvccLink, trip: Trip) -> ChargeProgress:
    """Ask for current again and again, until something ends the loop."""
    trip.vehicle.begin()
    while True:
        response = await evse.ask(say.current_demand(trip.vehicle))
        dc_inlet.receive(trip, response.EVSEPresentVoltage, response.EVSEPresentCurrent)
        status = response.DC_EVSEStatus
        stops = dc_inlet.asked_to_stop(trip, status)
        if (progress := follow(trip, status.EVSENotification, stops=stops)) is not None:
            return progress
        await trip.pause(trip.vehicle.config.plan.loop_s)


async def detect_welding(evse: EvccLink, trip: Trip) -> None:
    """Watch the voltage behind the open contactors fall below 60 V."""
    for _ in range(dc_inlet.WELDING_TRIES):
        response = await evse.ask(say.welding_detection(trip.vehicle))
        if dc_inlet.discharged(response.EVSEPresentVoltage):
            return
        await asyncio.sleep(trip.vehicle.config.plan.poll_s)


def follow(trip: Trip, notification: EVSENotification, *, stops: bool) -> ChargeProgress | None:
    """What to do next: go on (None), stop as the plan, somebody, the station or `stops` says, or renegotiate."""
    if stops or notification is EVSENotification.StopCharging:
        trip.ended_by = "station"
        return ChargeProgress.Stop
    if trip.vehicle.satisfied or trip.interrupt.is_set():
        return ChargeProgress.Stop
    return ChargeProgress.Renegotiate if notification is EVSENotification.ReNegotiation else None
