"""DIN 70121, the vehicle's side. Read `drive` beside the sequence diagram: every `ask` is one exchange.

DC, external payment and plain TCP are all there is. What is not seen here is kept elsewhere: message timeouts, session
id and failure codes in `v2g.link`, the plug in `evcc.cable`, what a DC inlet makes of the answers in `evcc.dc_inlet`.
"""

from __future__ import annotations

import asyncio
import contextlib

from evcc import dc_inlet
from evcc import din_requests as say
from evcc.patience import Patience, within
from evcc.trip import Declined, Interrupted, StationFault, Trip
from v2g.errors import Refused, V2GError
from v2g.identifiers import evcc_id, evse_text_din
from v2g.link import EvccLink
from v2g.messages.din import (
    ContractAuthenticationReq,
    DC_EVSEChargeParameter,
    DC_EVSEStatus,
    EVSEProcessing,
    PaymentOption,
    ServiceDiscoveryReq,
    ServiceDiscoveryRes,
    SessionSetupReq,
    SessionStopReq,
)
from v2g.timing import Timing

FINISHED = EVSEProcessing.Finished


async def drive(evse: EvccLink, trip: Trip) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the car's contactors are open."""
    trip.begin(evse.timing.scale)
    try:
        setup = await evse.ask(SessionSetupReq(EVCCID=evcc_id(trip.vehicle.config.evcc_id)))
        trip.evse_id = evse_text_din(setup.EVSEID)
        async with within(evse.timing, Timing.ready_evcc):
            await identify(evse, trip)
            await prepare(evse, trip)
        await charge(evse, trip)
        await evse.ask(SessionStopReq())
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
            await evse.ask(say.power_delivery(trip.vehicle, ready=False))
        await evse.ask(SessionStopReq())


async def identify(evse: EvccLink, trip: Trip) -> None:
    """From ServiceDiscovery to the authorization that the station finished."""
    discovery = await evse.ask(ServiceDiscoveryReq())
    check_offer(discovery)
    trip.payment, trip.free = "external", discovery.ChargeService.FreeService
    await evse.ask(say.service_payment_selection(discovery.ChargeService.ServiceTag.ServiceID))
    patience = Patience(trip, evse.timing, Timing.ongoing_evcc)
    response = await evse.ask(ContractAuthenticationReq())
    while response.EVSEProcessing is not FINISHED:
        await patience.again()
        response = await evse.ask(ContractAuthenticationReq())


def check_offer(discovery: ServiceDiscoveryRes) -> None:
    """Take leave of a station without external payment or without DC; raises `Declined`."""
    offered = discovery.PaymentOptions.PaymentOption
    if PaymentOption.ExternalPayment not in offered:
        raise Declined(f"the station takes no payment but {', '.join(offered)}")
    transfer = discovery.ChargeService.EnergyTransferType
    if "DC" not in transfer.split("_"):
        raise Declined(f"the station offers no DC, only {transfer}")


async def prepare(evse: EvccLink, trip: Trip) -> None:
    """Agree on limits, have the cable checked and the output pre-charged, and start unless the station wants an end."""
    await discover_parameters(evse, trip)
    trip.cable.battery(trip.vehicle.voltage_v)
    trip.go_on()
    trip.cable.pilot("C")
    await wait_for_cable_check(evse, trip)
    await precharge(evse, trip)
    if not trip.notice.stop:
        trip.cable.contactor("closed")
        await switch(evse, trip, ready=True)


async def switch(evse: EvccLink, trip: Trip, *, ready: bool) -> None:
    """Start or stop power, and hear what the station says to it."""
    trip.live = True
    response = await evse.ask(say.power_delivery(trip.vehicle, ready=ready))
    trip.live = ready
    if isinstance(response.EVSEStatus, DC_EVSEStatus):
        trip.hear(response.EVSEStatus)


async def discover_parameters(evse: EvccLink, trip: Trip) -> None:
    """Tell the car's needs until the station has made its offer."""
    patience = Patience(trip, evse.timing, Timing.ongoing_evcc)
    trip.go_on()
    response = await evse.ask(say.charge_parameters(trip.vehicle))
    while response.EVSEProcessing is not FINISHED:
        await patience.again()
        response = await evse.ask(say.charge_parameters(trip.vehicle))
    parameter = response.EVSEChargeParameter
    if not isinstance(parameter, DC_EVSEChargeParameter):
        raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} in answer to DC")
    trip.hear(parameter.DC_EVSEStatus)
    dc_inlet.require_no_stop(trip, "before its cable check")
    dc_inlet.require_range(trip, parameter)


async def wait_for_cable_check(evse: EvccLink, trip: Trip) -> None:
    """Ask until the station has tested the isolation; a fault ends the session, and so does a stop without delay."""
    patience = Patience(trip, evse.timing, Timing.cable_check_evcc)
    trip.go_on()
    while True:
        response = await evse.ask(say.cable_check(trip.vehicle))
        trip.hear(response.DC_EVSEStatus)
        dc_inlet.require_no_stop(trip, "in its cable check")
        if response.EVSEProcessing is FINISHED:
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


async def charge(evse: EvccLink, trip: Trip) -> None:
    """Take energy until the plan is fulfilled or somebody wants the end; then switch off and look for welding."""
    if trip.live:
        await loop(evse, trip)
    if trip.notice.stop:
        trip.yield_to_station()
    await switch(evse, trip, ready=False)
    trip.make_safe()
    await detect_welding(evse, trip)


async def loop(evse: EvccLink, trip: Trip) -> None:
    """Ask for current again and again, until something ends the loop."""
    trip.vehicle.begin()
    while True:
        response = await evse.ask(say.current_demand(trip.vehicle))
        dc_inlet.receive(trip, response.EVSEPresentVoltage, response.EVSEPresentCurrent)
        trip.hear(response.DC_EVSEStatus)
        dc_inlet.require_isolation(trip, response.DC_EVSEStatus)
        if trip.notice.stop or trip.vehicle.satisfied or trip.interrupt.is_set():
            return
        await trip.pause(trip.plan.loop_s)


async def detect_welding(evse: EvccLink, trip: Trip) -> None:
    """Watch the voltage behind the open contactors fall below 60 V."""
    for _ in range(dc_inlet.welding_tries(trip)):
        response = await evse.ask(say.welding_detection(trip.vehicle))
        trip.hear(response.DC_EVSEStatus)
        if dc_inlet.discharged(trip, response.EVSEPresentVoltage):
            return
        await asyncio.sleep(trip.plan.poll_s)
