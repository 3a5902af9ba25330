"""ISO 15118-2, the station's side. Read `serve` beside the sequence diagram: every `answer` names what may come next.

What is not seen here is kept elsewhere: order, session id, timers and refusals in `v2g.link`, the order of power in
`secc.visit`, who may charge in `secc.authorization`, how much in `secc.limits`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from secc import authorization, provisioning, schedules, vehicle
from secc import iso2_parameters as parameters
from secc import iso2_responses as say
from secc import iso2_services as services
from secc.authorization import Grant
from secc.dc_output import DcOutput
from secc.visit import Visit
from v2g import identifiers, units
from v2g.errors import Refused
from v2g.exi.message import Message
from v2g.link import SeccLink
from v2g.messages.iso2 import (
    AC_EVSEStatus,
    AuthorizationReq,
    CableCheckReq,
    CertificateInstallationReq,
    CertificateUpdateReq,
    ChargeParameterDiscoveryReq,
    ChargeProgress,
    ChargingSession,
    ChargingStatusReq,
    ChargingStatusRes,
    CurrentDemandReq,
    CurrentDemandRes,
    EVSEStatus,
    PaymentDetailsReq,
    PaymentOption,
    PaymentServiceSelectionReq,
    PowerDeliveryReq,
    PreChargeReq,
    SAScheduleList,
    ServiceDetailReq,
    ServiceDiscoveryReq,
    SessionSetupReq,
    SessionStopReq,
    WeldingDetectionReq,
)


@dataclass(slots=True, kw_only=True)
class Agreed:
    """What was negotiated: the schedules offered and the tuple chosen."""

    offered: SAScheduleList = field(default_factory=lambda: SAScheduleList(SAScheduleTuple=[]))
    tuple_id: int = schedules.TUPLE_ID


async def serve(ev: SeccLink, visit: Visit) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the contactor is ordered open."""
    try:
        payment = await select_services(ev, visit)
        request = await identify(ev, visit, payment)
        wanted = await authorize(ev, visit, request)
        stop = await charge(ev, visit, wanted)
        await say_goodbye(ev, visit, stop)
    finally:
        visit.make_safe("the session ended")


# --- identification -------------------------------------------------------------------------------------------------


async def select_services(ev: SeccLink, visit: Visit) -> PaymentServiceSelectionReq:
    """SessionSetup, ServiceDiscovery and ServiceDetail, up to the vehicle's choice."""
    setup = await ev.first(SessionSetupReq)
    ev.open(visit.begin())
    ev.refusing.evse_id = visit.setup.evse_id
    ev.refusing.energy = "AC" if "DC" not in visit.setup.energy_modes else "DC"
    visit.stage("identified", evcc_id=identifiers.evcc_text(setup.EVCCID))
    discovery = await ev.answer(say.session_setup(visit.setup), ServiceDiscoveryReq)
    if not visit.payments:
        raise Refused("FAILED", "no way to identify is left: a contract needs TLS and roots to check it against")
    offered = services.offered(visit)
    listed = services.wanted(offered, discovery)
    request = await ev.answer(
        say.service_discovery(visit.setup, visit.payments, listed), ServiceDetailReq, PaymentServiceSelectionReq
    )
    while isinstance(request, ServiceDetailReq):
        detail = services.detail(offered, request)
        request = await ev.answer(detail, ServiceDetailReq, PaymentServiceSelectionReq)
    payment = "contract" if request.SelectedPaymentOption is PaymentOption.Contract else "external"
    if payment not in visit.payments:
        raise Refused("FAILED_PaymentSelectionInvalid", f"{payment} is not offered here [V2G2-465]")
    visit.charger.services(services.select(offered, request))
    visit.stage("identified", payment=payment)
    return request


async def identify(ev: SeccLink, visit: Visit, selection: PaymentServiceSelectionReq) -> AuthorizationReq:
    """PaymentDetails, for a contract, perhaps one that it gets here; the vehicle's first AuthorizationReq ends it."""
    if selection.SelectedPaymentOption is not PaymentOption.Contract:
        return await ev.answer(say.payment_service_selection(), AuthorizationReq)
    details = await ev.answer(
        say.payment_service_selection(), PaymentDetailsReq, CertificateInstallationReq, CertificateUpdateReq
    )
    if not isinstance(details, PaymentDetailsReq):
        details = await provisioning.provide(ev, visit, details)
    contract = visit.contract = authorization.accept_contract(details, visit.verify)
    answer = say.payment_details(contract.challenge, expires_soon=contract.expires_soon)
    return await ev.answer(answer, AuthorizationReq)


async def authorize(ev: SeccLink, visit: Visit, request: AuthorizationReq) -> ChargeParameterDiscoveryReq:
    """Prove the contract, ask whose word counts, and let the vehicle ask again until there is a decision.

    An identification refused from outside leaves the vehicle waiting for the next card; a contract refused ends it.
    """
    visit.stage("authorizing")
    grant = visit.grant = ask(ev, visit, request)
    waiting: say.Processing = "Ongoing" if visit.contract is not None else "Ongoing_WaitingForCustomerInteraction"
    while grant.decision != "accepted":
        if grant.decision == "rejected" and visit.contract is not None:
            raise Refused("FAILED", "the contract was rejected")
        if grant.budget.over:
            why = "no card was accepted" if grant.decision == "rejected" else "nobody decided"
            raise Refused("FAILED", f"{why} in time [V2G2-713]")
        await ev.answer(say.authorization(waiting), AuthorizationReq)
    visit.authorised(grant)
    visit.stage("negotiating")
    return await ev.answer(say.authorization("Finished"), ChargeParameterDiscoveryReq)


def ask(ev: SeccLink, visit: Visit, request: AuthorizationReq) -> Grant:
    """Check what the vehicle can prove itself, then ask for the rest."""
    settings = visit.config.authorization
    if visit.contract is None:
        return authorization.ask_external(visit.charger, visit.session, settings)
    proof = authorization.prove_contract(request, ev.signature, visit.contract)
    visit.journal.record("signature", verified=str(proof))
    return authorization.ask_contract(visit.charger, visit.session, settings, visit.contract, visit.timing.ongoing_secc)


# --- charging -------------------------------------------------------------------------------------------------------


async def charge(ev: SeccLink, visit: Visit, wanted: ChargeParameterDiscoveryReq) -> SessionStopReq:
    """Negotiate and deliver until the vehicle stops; each turn is one (re)negotiation."""
    agreed = Agreed()
    while True:
        energy = parameters.accept(wanted, visit)
        ev.refusing.energy = energy
        deliver = deliver_ac if energy == "AC" else deliver_dc
        power = await deliver(ev, visit, agreed, wanted)
        if power.ChargeProgress is ChargeProgress.Renegotiate:
            visit.followed()
            visit.charger.target("idle")
            wanted = await ev.answer(say.power_delivery(status(visit)), ChargeParameterDiscoveryReq)
            continue
        visit.stage("stopping")
        await visit.power_down(visit.timing.ramp_down, visit.timing.contactor_open)
        if energy == "AC":
            return await ev.answer(say.power_delivery(status(visit)), SessionStopReq)
        return await detect_welding(ev, visit, DcOutput(visit=visit))


def negotiate(visit: Visit, agreed: Agreed, wanted: ChargeParameterDiscoveryReq) -> None:
    """Put schedules together for the vehicle's wishes and order the plug locked."""
    bounds = visit.limits.station()
    steps = schedules.default_steps(bounds.max_w)
    agreed.offered = schedules.sa_schedule_list(steps, wanted.EVChargeParameter.DepartureTime)
    visit.limits.schedule(steps)
    visit.lock()
    visit.stage("preparing")


def begin_delivery(visit: Visit, agreed: Agreed, power: PowerDeliveryReq) -> None:
    """Check what PowerDeliveryReq(Start) asks for; raises `Refused`."""
    tolerance = visit.config.session.profile_tolerance
    schedules.check_profile(power, agreed.offered, tolerance=tolerance)
    agreed.tuple_id = power.SAScheduleTupleID
    if reason := visit.reason_to_stop():
        raise Refused("FAILED_PowerDeliveryNotApplied", reason)


async def deliver_ac(
    ev: SeccLink, visit: Visit, agreed: Agreed, wanted: ChargeParameterDiscoveryReq
) -> PowerDeliveryReq:
    """AC: from the offer to the PowerDeliveryReq that ends delivery; the contactor stays closed to renegotiate."""
    negotiate(visit, agreed, wanted)
    visit.pardons = stops
    power = await ev.answer(parameters.ac_offer(visit, agreed.offered), PowerDeliveryReq)
    if power.ChargeProgress is ChargeProgress.Stop:
        return power
    if power.ChargeProgress is ChargeProgress.Renegotiate:
        raise Refused("FAILED", "nothing was started that could be renegotiated [V2G2-812]")
    begin_delivery(visit, agreed, power)
    await visit.close_contactor()
    visit.stage("charging")
    loop: ChargingStatusReq | PowerDeliveryReq
    loop = await ev.answer(say.power_delivery(status(visit)), ChargingStatusReq)
    while isinstance(loop, ChargingStatusReq):
        loop = await ev.answer(charging_status(visit, agreed), ChargingStatusReq, PowerDeliveryReq)
    return ends_delivery(loop)


async def deliver_dc(
    ev: SeccLink, visit: Visit, agreed: Agreed, wanted: ChargeParameterDiscoveryReq
) -> PowerDeliveryReq:
    """DC: from the offer over cable check and pre-charge to the PowerDeliveryReq that ends delivery."""
    negotiate(visit, agreed, wanted)
    output = DcOutput(visit=visit)
    ev.refusing.status = "EVSE_Ready"
    check = await ev.answer(parameters.dc_offer(visit, agreed.offered), CableCheckReq)
    request = await check_cable(ev, visit, output, check)
    power = await precharge(ev, visit, output, request)
    if power.ChargeProgress is ChargeProgress.Stop:
        return power
    if power.ChargeProgress is ChargeProgress.Renegotiate:
        raise Refused("FAILED", "nothing was started that could be renegotiated [V2G2-812]")
    begin_delivery(visit, agreed, power)
    output.deliver()
    visit.stage("charging")
    loop: CurrentDemandReq | PowerDeliveryReq
    loop = await ev.answer(say.power_delivery(status(visit)), CurrentDemandReq)
    while isinstance(loop, CurrentDemandReq):
        loop = await ev.answer(current_demand(visit, output, agreed, loop), CurrentDemandReq, PowerDeliveryReq)
    return ends_delivery(loop)


def stops(request: Message) -> bool:
    """Whether a vehicle stops in order; in AC it leaves C before or with that."""
    stop = isinstance(request, PowerDeliveryReq) and request.ChargeProgress is ChargeProgress.Stop
    return stop or isinstance(request, SessionStopReq)


def ends_delivery(power: PowerDeliveryReq) -> PowerDeliveryReq:
    """Let Stop and Renegotiate through; a second Start is none."""
    if power.ChargeProgress is ChargeProgress.Start:
        raise Refused("FAILED", "power is already delivered; renegotiate before starting anew")
    return power


def status(visit: Visit) -> EVSEStatus:
    """The EVSEStatus for messages that exist in AC and DC."""
    if visit.limits.energy == "AC":
        return ac_status(visit)
    code: say.Status = "EVSE_Ready" if visit.live else "EVSE_Shutdown"
    return say.dc_status(code, state=visit.charger.state)


def ac_status(visit: Visit) -> AC_EVSEStatus:
    """The AC status, with what the station wishes of the vehicle."""
    return say.ac_status(visit.wish(), visit.config.session.notification_max_delay_s, visit.charger.state)


def charging_status(visit: Visit, agreed: Agreed) -> ChargingStatusRes:
    """Answer one turn of the AC loop from the snapshot alone; EVSEMaxCurrent is for EIM only."""
    bounds = visit.limits.refresh()
    visit.charger.target("charge", visit.setup.nominal_voltage_v, bounds.max_a)
    max_a = bounds.max_a if visit.contract is None else None
    return say.charging_status(visit.setup, agreed.tuple_id, max_a, visit.charger.meter, ac_status(visit))


def current_demand(visit: Visit, output: DcOutput, agreed: Agreed, request: CurrentDemandReq) -> CurrentDemandRes:
    """Answer one turn of the DC loop from the snapshot alone, and set the operating point within all limits."""
    vehicle.follow_dc(request, visit)
    flow = output.supply(units.number(request.EVTargetVoltage), units.number(request.EVTargetCurrent))
    delay_s = visit.config.session.notification_max_delay_s
    status = say.dc_status("EVSE_Ready", visit.wish(), delay_s, visit.charger.state)
    return say.current_demand(visit.setup, agreed.tuple_id, flow, visit.charger.meter, status)


# --- DC before and after the loop -----------------------------------------------------------------------------------


async def check_cable(ev: SeccLink, visit: Visit, output: DcOutput, request: CableCheckReq) -> PreChargeReq:
    """Have the isolation tested; the vehicle asks again until the test is over."""
    output.begin_test()
    while not output.tested(vehicle.error(request.DC_EVStatus)):
        active = say.dc_status("EVSE_IsolationMonitoringActive")
        request = await ev.answer(say.cable_check("Ongoing", active), CableCheckReq)
    ready = say.dc_status("EVSE_Ready", state=visit.charger.state)
    return await ev.answer(say.cable_check("Finished", ready), PreChargeReq)


async def precharge(ev: SeccLink, visit: Visit, output: DcOutput, request: PreChargeReq) -> PowerDeliveryReq:
    """Bring the output to the voltage the vehicle names each time, with 2 A at the most."""
    output.begin_precharge()
    following: PreChargeReq | PowerDeliveryReq = request
    while isinstance(following, PreChargeReq):
        volts, amperes = units.number(following.EVTargetVoltage), units.number(following.EVTargetCurrent)
        present_v = output.precharge(volts, amperes, vehicle.error(following.DC_EVStatus))
        answer = say.precharge(present_v, say.dc_status("EVSE_Ready", state=visit.charger.state))
        following = await ev.answer(answer, PreChargeReq, PowerDeliveryReq)
    return following


async def detect_welding(ev: SeccLink, visit: Visit, output: DcOutput) -> SessionStopReq:
    """Tell the vehicle the output voltage while it tests its contactors, as often as it asks."""
    ev.refusing.status = "EVSE_Shutdown"
    output.discharge()
    request = await ev.answer(say.power_delivery(status(visit)), WeldingDetectionReq, SessionStopReq)
    while isinstance(request, WeldingDetectionReq):
        await output.left_by_vehicle()
        answer = say.welding_detection(output.voltage_v, say.dc_status("EVSE_Shutdown", state=visit.charger.state))
        request = await ev.answer(answer, WeldingDetectionReq, SessionStopReq)
    await output.left_by_vehicle()
    return request


async def say_goodbye(ev: SeccLink, visit: Visit, stop: SessionStopReq) -> None:
    """Answer the SessionStopReq; pausing is not offered yet."""
    if stop.ChargingSession is ChargingSession.Pause:
        raise Refused("FAILED", "this station does not pause sessions")
    visit.make_safe("SessionStopReq")
    await ev.finish(say.session_stop())
