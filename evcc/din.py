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
from evcc.trip import Declined, Interrupted, Trip
from v2g.errors import Refused, V2GError
from v2g.identifiers import evcc_id, evse_text_din
from v2g.link import EvccLink
from v2g.messages.din import (
    ContractAuthenticationReq,
    DC_EVSEChargeParameter,
    EVSENotification,
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
    try:
        try:
            setup = await evse.ask(SessionSetupReq(EVCCID=evcc_id(trip.vehicle.config.evcc_id)))
            trip.evse_id = evse_text_din(setup.EVSEID)
            async with within(evse.timing, Timing.ready_evcc):
                await identify(evse, trip)
                await prepare(evse, trip)
            await charge(evse, trip)
        except (Declined, Interrupted):
            trip.cable.draw(0.0)
            with contextlib.suppress(V2GError):
                await evse.ask(SessionStopReq())
            raise
        await evse.ask(SessionStopReq())
    finally:
        trip.cable.draw(0.0)
        trip.cable.contactor("open")
        trip.cable.pilot("B")


async def identify(evse: EvccLink, trip: Trip) -> None:
    """From ServiceDiscovery to the authorization that the station finished."""
    discovery = await evse.ask(ServiceDiscoveryReq())
    check_offer(discovery)
    trip.payment = "external"
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
    """Agree on limits, have the cable checked and the output pre-charged, and switch power on."""
    await discover_parameters(evse, trip)
    trip.cable.battery(trip.vehicle.voltage_v)
    trip.go_on()
    trip.cable.pilot("C")
    await wait_for_cable_check(evse, trip)
    await precharge(evse, trip)
    trip.cable.contactor("closed")
    await evse.ask(say.power_delivery(trip.vehicle, ready=True))


async def discover_parameters(evse: EvccLink, trip: Trip) -> None:
    """Tell the car's needs until the station has made its offer."""
    patience = Patience(trip, evse.timing, Timing.ongoing_evcc)
    trip.go_on()
    response = await evse.ask(say.charge_parameters(trip.vehicle))
    while response.EVSEProcessing is not FINISHED:
        await patience.again()
        response = await evse.ask(say.charge_parameters(trip.vehicle))
    if not isinstance(response.EVSEChargeParameter, DC_EVSEChargeParameter):
        name = type(response.EVSEChargeParameter).__name__
        raise Refused("FAILED_WrongChargeParameter", f"{name} in answer to DC")


async def wait_for_cable_check(evse: EvccLink, trip: Trip) -> None:
    """Ask until the station has tested the isolation; a fault ends the session."""
    patience = Patience(trip, evse.timing, Timing.cable_check_evcc)
    trip.go_on()
    response = await evse.ask(say.cable_check(trip.vehicle))
    while response.EVSEProcessing is not FINISHED:
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


async def charge(evse: EvccLink, trip: Trip) -> None:
    """Ask for current until the plan is fulfilled or somebody wants the end; then switch off and look for welding."""
    trip.vehicle.begin()
    while True:
        response = await evse.ask(say.current_demand(trip.vehicle))
        dc_inlet.receive(trip, response.EVSEPresentVoltage, response.EVSEPresentCurrent)
        notified = response.DC_EVSEStatus.EVSENotification is EVSENotification.StopCharging
        if dc_inlet.asked_to_stop(trip, response.DC_EVSEStatus) or notified:
            trip.ended_by = "station"
            break
        if trip.vehicle.satisfied or trip.interrupt.is_set():
            break
        await trip.pause(trip.vehicle.config.plan.loop_s)
    await evse.ask(say.power_delivery(trip.vehicle, ready=False))
    trip.cable.draw(0.0)
    trip.cable.contactor("open")
    trip.cable.pilot("B")
    await detect_welding(evse, trip)


async def detect_welding(evse: EvccLink, trip: Trip) -> None:
    """Watch the voltage behind the open contactors fall below 60 V."""
    for _ in range(dc_inlet.WELDING_TRIES):
        response = await evse.ask(say.welding_detection(trip.vehicle))
        if dc_inlet.discharged(response.EVSEPresentVoltage):
            return
        await asyncio.sleep(trip.vehicle.config.plan.poll_s)
