"""ISO 15118-2, the station's side. Read `serve` beside the sequence diagram: every `answer` names what may come next.

What is not seen here is kept elsewhere: order, session id, timers and refusals in `v2g.link`, the order of power in
`secc.visit`, who may charge in `secc.authorization`, how much in `secc.limits`.
"""

from __future__ import annotations

from secc import authorization, provisioning, vehicle
from secc import iso2_parameters as parameters
from secc import iso2_responses as say
from secc import iso2_services as services
from secc.authorization import Grant
from secc.dc_output import DcOutput
from secc.iso2_delivery import Delivery, status
from secc.iso2_parameters import Offer
from secc.plan import most_entries
from secc.visit import Visit
from v2g import identifiers, units
from v2g.errors import Refused, Stopped
from v2g.exi.message import Message
from v2g.link import SeccLink
from v2g.messages.iso2 import (
    AuthorizationReq,
    CableCheckReq,
    CertificateInstallationReq,
    CertificateUpdateReq,
    ChargeParameterDiscoveryReq,
    ChargeProgress,
    ChargingSession,
    ChargingStatusReq,
    CurrentDemandReq,
    MeteringReceiptReq,
    PaymentDetailsReq,
    PaymentOption,
    PaymentServiceSelectionReq,
    PowerDeliveryReq,
    PreChargeReq,
    ServiceDetailReq,
    ServiceDiscoveryReq,
    SessionSetupReq,
    SessionStopReq,
    WeldingDetectionReq,
)


async def serve(ev: SeccLink, visit: Visit) -> None:
    """One session, from SessionSetupReq to SessionStopRes; whatever ends it, the contactor is ordered open."""
    try:
        payment = await select_services(ev, visit)
        request = await identify(ev, visit, payment)
        wanted = await authorize(ev, visit, request)
        delivery = Delivery(visit=visit)
        stop = await charge(ev, visit, delivery, wanted)
        await say_goodbye(ev, visit, delivery, stop)
    finally:
        visit.make_safe("the session ended")


# --- identification -------------------------------------------------------------------------------------------------


async def select_services(ev: SeccLink, visit: Visit) -> PaymentServiceSelectionReq:
    """SessionSetup, ServiceDiscovery and ServiceDetail, up to the vehicle's choice."""
    setup = await ev.first(SessionSetupReq)
    ev.open(visit.begin(ev.presented))
    ev.refusing.evse_id = visit.setup.evse_id
    ev.refusing.energy = "AC" if "DC" not in visit.setup.energy_modes else "DC"
    visit.stage("identified", evcc_id=identifiers.evcc_text(setup.EVCCID))
    discovery = await ev.answer(say.session_setup(visit.setup, joined=visit.resumed is not None), ServiceDiscoveryReq)
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
    It waits, too, while it is being found out whether a contract is revoked.
    """
    visit.stage("authorizing")
    grant = visit.grant = ask(ev, visit, request)
    waiting: say.Processing = "Ongoing" if visit.contract is not None else "Ongoing_WaitingForCustomerInteraction"
    while unsettled(visit, last=(over := grant.budget.over)) or grant.decision != "accepted":
        if grant.decision == "rejected" and visit.contract is not None:
            raise Refused("FAILED", "the contract was rejected")
        if over:
            why = "no card was accepted" if grant.decision == "rejected" else "nobody decided"
            raise Refused("FAILED", f"{why} in time [V2G2-713]")
        await ev.answer(say.authorization(waiting), AuthorizationReq)
    visit.authorised(grant)
    visit.stage("negotiating")
    return await ev.answer(say.authorization("Finished"), ChargeParameterDiscoveryReq)


def unsettled(visit: Visit, *, last: bool) -> bool:
    """Whether it is still being found out if the contract is revoked, unless asked for the last time.

    Raises `Refused` for one that is.
    """
    if visit.contract is None:
        return False
    visit.contract = authorization.reconsider(visit.contract, visit.verify, last=last)
    return visit.contract.verdict.pending


def ask(ev: SeccLink, visit: Visit, request: AuthorizationReq) -> Grant:
    """Check what the vehicle can prove itself, then ask for the rest."""
    settings = visit.config.authorization
    if visit.contract is None:
        before = None if visit.resumed is None else visit.resumed.given
        return authorization.ask_external(visit.charger, visit.session, settings, before)
    proof = authorization.prove_contract(request, ev.signature, visit.contract)
    visit.journal.record("signature", verified=str(proof))
    return authorization.ask_contract(visit.charger, visit.session, settings, visit.contract, visit.timing.ongoing_secc)


# --- charging -------------------------------------------------------------------------------------------------------


async def charge(ev: SeccLink, visit: Visit, delivery: Delivery, wanted: ChargeParameterDiscoveryReq) -> SessionStopReq:
    """Negotiate and deliver until the vehicle stops; each turn is one (re)negotiation."""
    while True:
        energy = ev.refusing.energy = parameters.accept(wanted, visit)
        deliver = deliver_ac if energy == "AC" else deliver_dc
        power = await deliver(ev, visit, delivery, wanted)
        if power.ChargeProgress is not ChargeProgress.Renegotiate:
            break
        delivery.interrupt()
        wanted = await ev.answer(say.power_delivery(status(visit)), ChargeParameterDiscoveryReq)
    visit.stage("stopping")
    await visit.power_down(visit.timing.ramp_down, visit.timing.contactor_open)
    if energy == "AC":
        return await ev.answer(say.power_delivery(status(visit)), SessionStopReq)
    return await detect_welding(ev, visit, delivery.output)


async def negotiate(ev: SeccLink, visit: Visit, delivery: Delivery, wanted: ChargeParameterDiscoveryReq) -> Offer:
    """Put schedules together for the vehicle's wishes and order the plug locked; it asks again until they are there."""
    planning, energy = delivery.planning, visit.limits.energy
    planning.ask(most_entries(wanted))
    while not planning.ready:
        wanted = await ev.answer(parameters.offer(visit, None).response, ChargeParameterDiscoveryReq)
        if parameters.accept(wanted, visit) != energy:
            raise Refused("FAILED_WrongEnergyTransferMode", f"{energy} was asked for before")
    planning.offer(most_entries(wanted), wanted.EVChargeParameter.DepartureTime)
    visit.lock()
    visit.stage("preparing")
    return parameters.offer(visit, planning.told)


async def deliver_ac(
    ev: SeccLink, visit: Visit, delivery: Delivery, wanted: ChargeParameterDiscoveryReq
) -> PowerDeliveryReq:
    """AC: from the offer to the PowerDeliveryReq that ends delivery; the contactor stays closed to renegotiate."""
    offer = await negotiate(ev, visit, delivery, wanted)
    visit.pardons = stops
    power = await ev.answer(offer.response, PowerDeliveryReq, signature=delivery.planning.signature)
    if power.ChargeProgress is ChargeProgress.Stop:
        return power
    starts(power)
    delivery.begin(power)
    await visit.close_contactor()
    visit.stage("charging")
    loop: ChargingStatusReq | PowerDeliveryReq
    loop = await ev.answer(say.power_delivery(status(visit)), ChargingStatusReq)
    while isinstance(loop, ChargingStatusReq):
        answer = delivery.charging_status()
        if answer.ReceiptRequired:
            receipt = await ev.answer(answer, MeteringReceiptReq)
            loop = await ev.answer(await delivery.confirm(ev, receipt), ChargingStatusReq, PowerDeliveryReq)
        else:
            loop = await ev.answer(answer, ChargingStatusReq, PowerDeliveryReq)
    return ends_delivery(loop)


async def deliver_dc(
    ev: SeccLink, visit: Visit, delivery: Delivery, wanted: ChargeParameterDiscoveryReq
) -> PowerDeliveryReq:
    """DC: from the offer over cable check and pre-charge to the PowerDeliveryReq that ends delivery."""
    output = delivery.output
    ev.refusing.status = "EVSE_Ready"
    following = await propose_dc(ev, visit, delivery, wanted)
    tested = isinstance(following, CableCheckReq)
    if isinstance(following, CableCheckReq):
        request = await check_cable(ev, visit, output, following)
        following = await precharge(ev, visit, output, request)
    if following.ChargeProgress is ChargeProgress.Stop:
        return following
    starts(following)
    delivery.begin(following, tested=tested)
    output.deliver()
    visit.stage("charging")
    loop: CurrentDemandReq | PowerDeliveryReq
    loop = await ev.answer(say.power_delivery(status(visit)), CurrentDemandReq)
    while isinstance(loop, CurrentDemandReq):
        answer = delivery.current_demand(loop)
        if answer.ReceiptRequired:
            receipt = await ev.answer(answer, MeteringReceiptReq)
            loop = await ev.answer(await delivery.confirm(ev, receipt), CurrentDemandReq, PowerDeliveryReq)
        else:
            loop = await ev.answer(answer, CurrentDemandReq, PowerDeliveryReq)
    return ends_delivery(loop)


async def propose_dc(
    ev: SeccLink, visit: Visit, delivery: Delivery, wanted: ChargeParameterDiscoveryReq
) -> CableCheckReq | PowerDeliveryReq:
    """Answer with an offer; a cable check is next.

    Unless the vehicle was asked to stop, or it renegotiates and goes straight on, as some do though they should not.
    """
    offer = await negotiate(ev, visit, delivery, wanted)
    signature, goes_on = delivery.planning.signature, visit.live and visit.config.session.direct_restart
    if not offer.stops and not goes_on:
        return await ev.answer(offer.response, CableCheckReq, signature=signature)
    following = await ev.answer(offer.response, CableCheckReq, PowerDeliveryReq, signature=signature)
    stopping = isinstance(following, PowerDeliveryReq) and following.ChargeProgress is ChargeProgress.Stop
    if isinstance(following, PowerDeliveryReq) and not goes_on and not stopping:
        raise Refused("FAILED_SequenceError", "PowerDeliveryReq came, legal is CableCheckReq")
    return following


def stops(request: Message) -> bool:
    """Whether a vehicle stops in order; in AC it leaves C before or with that."""
    stop = isinstance(request, PowerDeliveryReq) and request.ChargeProgress is ChargeProgress.Stop
    return stop or isinstance(request, SessionStopReq)


def starts(power: PowerDeliveryReq) -> None:
    """Let Start through alone; raises `Refused`."""
    if power.ChargeProgress is not ChargeProgress.Start:
        raise Refused("FAILED", "nothing was started that could be renegotiated [V2G2-812]")


def ends_delivery(power: PowerDeliveryReq) -> PowerDeliveryReq:
    """Let Stop and Renegotiate through; a second Start is none."""
    if power.ChargeProgress is ChargeProgress.Start:
        raise Refused("FAILED", "power is already delivered; renegotiate before starting anew")
    return power


# --- DC before and after the loop -----------------------------------------------------------------------------------


async def check_cable(ev: SeccLink, visit: Visit, output: DcOutput, request: CableCheckReq) -> PreChargeReq:
    """Have the isolation tested; the vehicle asks again until the test is over."""
    output.begin_test()
    while not output.tested(vehicle.error(request.DC_EVStatus)):
        active = say.dc_status("EVSE_IsolationMonitoringActive", *output.wish())
        request = await ev.answer(say.cable_check("Ongoing", active), CableCheckReq)
    ready = say.dc_status("EVSE_Ready", *output.wish(), state=visit.charger.state)
    return await ev.answer(say.cable_check("Finished", ready), PreChargeReq)


async def precharge(ev: SeccLink, visit: Visit, output: DcOutput, request: PreChargeReq) -> PowerDeliveryReq:
    """Bring the output to the voltage the vehicle names each time, with 2 A at the most."""
    output.begin_precharge()
    following: PreChargeReq | PowerDeliveryReq = request
    while isinstance(following, PreChargeReq):
        volts, amperes = units.number(following.EVTargetVoltage), units.number(following.EVTargetCurrent)
        present_v = output.precharge(volts, amperes, vehicle.error(following.DC_EVStatus))
        answer = say.precharge(present_v, say.dc_status("EVSE_Ready", *output.wish(), state=visit.charger.state))
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


async def say_goodbye(ev: SeccLink, visit: Visit, delivery: Delivery, stop: SessionStopReq) -> None:
    """Answer the SessionStopReq; a vehicle that pauses may come back for what was agreed."""
    if stop.ChargingSession is ChargingSession.Pause:
        visit.pause(delivery.planning.left)
        raise Stopped("Pause")
    visit.make_safe("SessionStopReq")
    await ev.finish(say.session_stop())
