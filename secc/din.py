"""DIN 70121, the station's side. Read `serve` beside the sequence diagram: every `answer` names what may come next.

DC, external payment and plain TCP are all there is: no contract, no other service, no pause, no renegotiation. What is
not seen here is kept elsewhere: order, session id, timers and refusals in `v2g.link`, the order of power in
`secc.dc_output` and `secc.visit`, who may charge in `secc.authorization`, how much in `secc.limits`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secc import authorization, vehicle
from secc import din_responses as say
from secc.dc_output import DcOutput
from secc.plan import Planning
from secc.schedules import Schedule
from secc.visit import Visit
from v2g import identifiers, units
from v2g.din import CHARGE_SERVICE
from v2g.errors import Refused
from v2g.link import SeccLink
from v2g.messages.din import (
    CableCheckReq,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    ContractAuthenticationReq,
    CurrentDemandReq,
    CurrentDemandRes,
    DC_EVChargeParameter,
    DC_EVSEStatusCode,
    EVRequestedEnergyTransfer,
    EVSEProcessing,
    PaymentOption,
    PowerDeliveryReq,
    PreChargeReq,
    ServiceDiscoveryReq,
    ServicePaymentSelectionReq,
    SessionSetupReq,
    SessionStopReq,
    WeldingDetectionReq,
)
from v2g.timing import Budget

READY = DC_EVSEStatusCode.EVSE_Ready
TESTING = DC_EVSEStatusCode.EVSE_IsolationMonitoringActive
SHUTDOWN = DC_EVSEStatusCode.EVSE_Shutdown
ONGOING, FINISHED = EVSEProcessing.Ongoing, EVSEProcessing.Finished


async def serve(ev: SeccLink, visit: Visit) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the contactor is ordered open."""
    try:
        ready = await open_session(ev, visit)
        await select_service(ev, visit)
        wanted = await authorize(ev, visit)
        await charge(ev, visit, wanted, ready)
        visit.make_safe("SessionStopReq")
        await ev.finish(say.session_stop())
    finally:
        visit.make_safe("the session ended")


# --- identification -------------------------------------------------------------------------------------------------


async def open_session(ev: SeccLink, visit: Visit) -> Budget:
    """SessionSetup, up to the ServiceDiscoveryReq; from its answer on the vehicle has its time to get ready."""
    visit.renegotiates = False
    setup = await ev.first(SessionSetupReq)
    ev.open(visit.begin())
    ev.refusing.evse_id, ev.refusing.energy = say.evse_id(visit.setup), "DC"
    visit.stage("identified", evcc_id=identifiers.evcc_text(setup.EVCCID))
    ready = Budget(visit.timing.ready_secc)
    await ev.answer(say.session_setup(visit.setup), ServiceDiscoveryReq)
    return ready


async def select_service(ev: SeccLink, visit: Visit) -> None:
    """ServiceDiscovery and ServicePaymentSelection, up to the vehicle's first wish to be authorised."""
    selection = await ev.answer(say.service_discovery(visit.setup), ServicePaymentSelectionReq)
    check_selection(selection)
    visit.stage("identified", payment="external")
    await ev.answer(say.service_payment_selection(), ContractAuthenticationReq)


def check_selection(request: ServicePaymentSelectionReq) -> None:
    """Refuse everything but external payment and the charge service alone."""
    if request.SelectedPaymentOption is not PaymentOption.ExternalPayment:
        raise Refused("FAILED_PaymentSelectionInvalid", f"{request.SelectedPaymentOption} is not offered [V2G-DC-395]")
    services = [each.ServiceID for each in request.SelectedServiceList.SelectedService]
    if services != [CHARGE_SERVICE]:
        raise Refused("FAILED_ServiceSelectionInvalid", f"services {services}: only 1, once [V2G-DC-396] [V2G-DC-635]")


async def authorize(ev: SeccLink, visit: Visit) -> ChargeParameterDiscoveryReq:
    """Ask whose word counts, and let the vehicle ask again until there is a decision; a rejection ends the session.

    DIN cannot say that a person is waited for, so a vehicle waits no longer than for any answer.
    """
    visit.stage("authorizing")
    settings = visit.config.authorization
    wait_s = min(settings.external_wait_s, visit.timing.ongoing_secc)
    patient = msgspec.structs.replace(settings, external_wait_s=wait_s)
    grant = visit.grant = authorization.ask_external(visit.charger, visit.session, patient)
    while grant.decision != "accepted":
        if grant.decision == "rejected":
            raise Refused("FAILED", "the identification was rejected")
        if grant.budget.over:
            raise Refused("FAILED", "nobody decided in time")
        await ev.answer(say.contract_authentication(ONGOING), ContractAuthenticationReq)
    visit.authorised(grant)
    visit.stage("negotiating")
    return await ev.answer(say.contract_authentication(FINISHED), ChargeParameterDiscoveryReq)


# --- charging -------------------------------------------------------------------------------------------------------


async def charge(ev: SeccLink, visit: Visit, wanted: ChargeParameterDiscoveryReq, ready: Budget) -> SessionStopReq:
    """From the offer over cable check and pre-charge to the end of delivery, once, and to the SessionStopReq."""
    planning, output = Planning(visit=visit), DcOutput(visit=visit)
    check = await ev.answer(await negotiate(ev, visit, planning, wanted), CableCheckReq)
    first = await check_cable(ev, visit, output, check)
    power = await precharge(ev, visit, output, first)
    if power.ReadyToChargeState:
        if ready.over:
            raise Refused("FAILED", "the vehicle took too long until it was ready to charge")
        choose_schedule(planning, power)
        await deliver(ev, visit, output)
    visit.stage("stopping")
    await visit.power_down(visit.timing.ramp_down_din, visit.timing.contactor_open_din)
    return await detect_welding(ev, visit, output)


async def negotiate(
    ev: SeccLink, visit: Visit, planning: Planning, wanted: ChargeParameterDiscoveryReq
) -> ChargeParameterDiscoveryRes:
    """Put schedules together and order the plug locked; the vehicle asks again until they are there."""
    accept(wanted, visit)
    ev.refusing.status = READY
    planning.ask(say.MOST_ENTRIES)
    while not planning.ready:
        wanted = await ev.answer(offer(visit), ChargeParameterDiscoveryReq)
        accept(wanted, visit)
    offered = planning.offer(say.MOST_ENTRIES, None)
    visit.lock()
    visit.stage("preparing")
    return offer(visit, offered)


def accept(wanted: ChargeParameterDiscoveryReq, visit: Visit) -> None:
    """Check mode and parameters, and state them as the vehicle's claim on the limits."""
    mode, parameter = wanted.EVRequestedEnergyTransferType, wanted.EVChargeParameter
    if mode is not EVRequestedEnergyTransfer.DC_extended:
        raise Refused("FAILED_WrongEnergyTransferType", f"{mode} is not offered [V2G-DC-397]")
    if not isinstance(parameter, DC_EVChargeParameter):
        raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} does not fit {mode} [V2G-DC-398]")
    vehicle.accept_dc(parameter, visit)


def offer(visit: Visit, offered: Sequence[Schedule] = ()) -> ChargeParameterDiscoveryRes:
    """What the station can do now, and the schedules once they are there."""
    status = say.status(READY, state=visit.charger.state)
    return say.charge_parameters(visit.setup, visit.limits.station(), offered, status)


def choose_schedule(planning: Planning, power: PowerDeliveryReq) -> None:
    """Put the schedule in force that the profile names, without one the first; raises `Refused` for another.

    The profile's powers are not compared [V2G-DC-399]: PMax ends at 32.767 kW, and vehicles that charge with more say
    so. What flows is bounded by the schedule all the same.
    """
    offered = [schedule.id for schedule in planning.offered]
    chosen = power.ChargingProfile.SAScheduleTupleID if power.ChargingProfile is not None else offered[0]
    if chosen not in offered:
        raise Refused("FAILED_TariffSelectionInvalid", f"SAScheduleTupleID {chosen} is not offered [V2G-DC-400]")
    planning.take(chosen)


async def check_cable(ev: SeccLink, visit: Visit, output: DcOutput, request: CableCheckReq) -> PreChargeReq:
    """Have the isolation tested; the vehicle asks again until the test is over."""
    output.begin_test()
    while not output.tested(vehicle.error(request.DC_EVStatus)):
        request = await ev.answer(say.cable_check(ONGOING, say.status(TESTING, *output.wish())), CableCheckReq)
    ready = say.status(READY, *output.wish(), state=visit.charger.state)
    return await ev.answer(say.cable_check(FINISHED, ready), PreChargeReq)


async def precharge(ev: SeccLink, visit: Visit, output: DcOutput, request: PreChargeReq) -> PowerDeliveryReq:
    """Bring the output to the voltage the vehicle names each time, with 2 A at the most."""
    output.begin_precharge()
    following: PreChargeReq | PowerDeliveryReq = request
    while isinstance(following, PreChargeReq):
        volts, amperes = units.number(following.EVTargetVoltage), units.number(following.EVTargetCurrent)
        present_v = output.precharge(volts, amperes, vehicle.error(following.DC_EVStatus))
        answer = say.precharge(present_v, say.status(READY, *output.wish(), state=visit.charger.state))
        following = await ev.answer(answer, PreChargeReq, PowerDeliveryReq)
    return following


async def deliver(ev: SeccLink, visit: Visit, output: DcOutput) -> None:
    """From ReadyToChargeState to the PowerDeliveryReq without it; a second start in between is none."""
    if reason := visit.reason_to_stop():
        raise Refused("FAILED_PowerDeliveryNotApplied", f"{reason} [V2G-DC-401]")
    output.deliver()
    visit.stage("charging")
    answer = say.power_delivery(say.status(READY, state=visit.charger.state))
    loop: CurrentDemandReq | PowerDeliveryReq
    loop = await ev.answer(answer, CurrentDemandReq)
    while isinstance(loop, CurrentDemandReq):
        loop = await ev.answer(current_demand(visit, output, loop), CurrentDemandReq, PowerDeliveryReq)
    if loop.ReadyToChargeState:
        raise Refused("FAILED", "power is delivered already")


def current_demand(visit: Visit, output: DcOutput, request: CurrentDemandReq) -> CurrentDemandRes:
    """Answer one turn of the loop from the snapshot alone, and set the operating point within all limits."""
    vehicle.follow_dc(request, visit)
    flow = output.supply(units.number(request.EVTargetVoltage), units.number(request.EVTargetCurrent))
    delay_s = visit.config.session.notification_max_delay_s
    return say.current_demand(flow, say.status(READY, visit.wish(), delay_s, visit.charger.state))


async def detect_welding(ev: SeccLink, visit: Visit, output: DcOutput) -> SessionStopReq:
    """Tell the vehicle the output voltage while it tests its contactors, as often as it asks."""
    ev.refusing.status = SHUTDOWN
    output.discharge()
    answer = say.power_delivery(say.status(SHUTDOWN, state=visit.charger.state))
    request = await ev.answer(answer, WeldingDetectionReq, SessionStopReq)
    while isinstance(request, WeldingDetectionReq):
        await output.left_by_vehicle()
        status = say.status(SHUTDOWN, state=visit.charger.state)
        request = await ev.answer(say.welding_detection(output.voltage_v, status), WeldingDetectionReq, SessionStopReq)
    await output.left_by_vehicle()
    return request
