"""What has to stand in a vehicle's requests when all is well."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from lab.cases import responses as say
from lab.cases.host import Host
from lab.cases.peer import HEADER
from lab.cases.verdict import Unmet, demand
from pki.contract.chain import chain_of, common_name
from v2g import units
from v2g.errors import Untrusted
from v2g.messages import iso2
from v2g.protocols import ISO2, schema
from v2g.signature import verify

EXI = schema("iso2")


def offers(_: Host, request: Any) -> None:
    """ISO 15118-2 is among the protocols offered, once, with a priority."""
    entries = [each for each in request.AppProtocol if each.ProtocolNamespace == ISO2.namespace]
    demand(len(entries) == 1, f"{len(entries)} offers of ISO 15118-2")
    demand((entries[0].VersionNumberMajor, entries[0].VersionNumberMinor) == (2, 0), "the version is not 2.0")
    ids = [each.SchemaID for each in request.AppProtocol]
    demand(len(set(ids)) == len(ids), f"SchemaIDs {ids}")
    demand(1 <= entries[0].Priority <= 20, f"the priority is {entries[0].Priority}")


def header(host: Host, _: Any) -> None:
    """The V2GTP header is that of an EXI message."""
    version, inverse, kind, length = HEADER.unpack(host.line.header)
    demand((version, inverse, kind) == (1, 0xFE, 0x8001) and length > 0, f"the header is {host.line.header.hex()}")


def begins(host: Host, _: Any) -> None:
    """A new session is asked for by the id zero."""
    demand(not any(host.heard[-1].session_id), f"session id {host.heard[-1].session_id.hex()}")


def names_itself(host: Host, request: iso2.SessionSetupReq) -> None:
    """EVCCID is the vehicle's own."""
    demand(host.vehicle.controls.evcc_id == request.EVCCID, f"EVCCID {request.EVCCID.hex()}")


def in_session(host: Host, _: Any) -> None:
    """The request carries the session's id."""
    demand(host.heard[-1].session_id == host.session_id, f"session id {host.heard[-1].session_id.hex()}")


def asks_for(service: int) -> Any:
    """The details of this service are asked for."""

    def check(host: Host, request: iso2.ServiceDetailReq) -> None:
        in_session(host, request)
        demand(request.ServiceID == service, f"service {request.ServiceID} is asked for")

    return check


def selects(host: Host, request: iso2.PaymentServiceSelectionReq) -> None:
    """The payment of the run and the charge service are selected, and the services whose details were asked for."""
    in_session(host, request)
    wanted = "Contract" if host.pixit.payment == "PnC" else "ExternalPayment"
    demand(str(request.SelectedPaymentOption) == wanted, f"{request.SelectedPaymentOption} is selected")
    selected = {each.ServiceID for each in request.SelectedServiceList.SelectedService}
    asked = {each.body.ServiceID for each in host.heard if isinstance(each.body, iso2.ServiceDetailReq)}
    demand(selected == {1, *asked}, f"services {sorted(selected)} are selected, asked for were {sorted(asked)}")


def presents(host: Host, request: iso2.PaymentDetailsReq) -> None:
    """The contract presented holds, and is the one that is named."""
    chain = chain_of(request.ContractSignatureCertChain)
    demand(common_name(chain[0]) == request.eMAID, f"eMAID {request.eMAID} is not that of the certificate")
    certified = any(type(each.body).__name__.startswith("Certificate") for each in host.heard)
    old = chain == list(host.pixit.held.contract().chain)
    demand(old is not certified, "the contract is not the new one" if certified else "the contract is a new one")


def external(_: Host, request: iso2.AuthorizationReq) -> None:
    """Nothing is proved where somebody else identifies the driver."""
    demand(request.GenChallenge is None and request.Id is None, "a challenge comes without a contract")


def proves(host: Host, request: iso2.AuthorizationReq) -> None:
    """The challenge comes back, signed by the contract that was presented."""
    demand(request.GenChallenge == say.CHALLENGE, "the challenge is another one")
    signed(host, request)


def signed(host: Host, request: Any) -> None:
    """The request is signed by the contract that was presented, or by the certificate that it brings itself."""
    signature = host.heard[-1].signature
    if signature is None or not request.Id:
        raise Unmet("it is not signed")
    try:
        verify(signature, {request.Id: EXI.fragment_forms(request)}, _key(host, request), "iso2")
    except Untrusted as error:
        raise Unmet(f"the signature does not hold: {error}") from error


def _key(host: Host, request: Any) -> ec.EllipticCurvePublicKey:
    if isinstance(request, iso2.CertificateInstallationReq):
        leaf = request.OEMProvisioningCert
    elif isinstance(request, iso2.CertificateUpdateReq):
        leaf = request.ContractSignatureCertChain.Certificate
    else:
        presented = [each.body for each in host.heard if isinstance(each.body, iso2.PaymentDetailsReq)]
        leaf = presented[-1].ContractSignatureCertChain.Certificate
    key = x509.load_der_x509_certificate(leaf).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unmet("the certificate's key is on no curve")
    return key


def wants_energy(host: Host, request: iso2.ChargeParameterDiscoveryReq) -> None:
    """Mode and parameters are of one kind, and one that the station has."""
    in_session(host, request)
    mode, energy = str(request.RequestedEnergyTransferMode), host.pixit.energy
    demand(mode in say.MODES[energy], f"{mode} is asked for, offered was {', '.join(say.MODES[energy])}")
    kind = iso2.AC_EVChargeParameter if energy == "AC" else iso2.DC_EVChargeParameter
    demand(isinstance(request.EVChargeParameter, kind), f"{type(request.EVChargeParameter).__name__} in {energy}")


def departs(_: Host, request: iso2.ChargeParameterDiscoveryReq) -> None:
    """A departure is told [V2G2-215]."""
    demand(request.EVChargeParameter.DepartureTime is not None, "no DepartureTime")


def departs_never(_: Host, request: iso2.ChargeParameterDiscoveryReq) -> None:
    """No departure is told."""
    demand(request.EVChargeParameter.DepartureTime is None, "a DepartureTime")


def connected(host: Host, _: Any) -> None:
    """The pilot is C or D before the request [V2G2-916]."""
    demand(host.vehicle.controls.pilot in ("C", "D"), f"the vehicle signals {host.vehicle.controls.pilot}")


def disconnected(host: Host, _: Any) -> None:
    """The pilot is B."""
    demand(host.vehicle.controls.pilot == "B", f"the vehicle signals {host.vehicle.controls.pilot}")


def precharges(_: Host, request: iso2.PreChargeReq) -> None:
    """A voltage is asked for, with hardly any current."""
    demand(units.number(request.EVTargetVoltage) > 60, "the target voltage is none")
    demand(units.number(request.EVTargetCurrent) <= 2, "more than 2 A are asked for in pre-charge")


def starts(host: Host, request: iso2.PowerDeliveryReq) -> None:
    """Power is asked for under a schedule that was offered, within it at any time."""
    in_session(host, request)
    offered = {each.id: each for each in host.schedules}
    demand(request.SAScheduleTupleID in offered, f"schedule {request.SAScheduleTupleID} was not offered")
    if request.ChargingProfile is None:
        raise Unmet("there is no ChargingProfile")
    steps = [
        (each.ChargingProfileEntryStart, units.number(each.ChargingProfileEntryMaxPower))
        for each in request.ChargingProfile.ProfileEntry
    ]
    allowed = offered[request.SAScheduleTupleID].steps
    for second in sorted({start for start, _ in (*steps, *allowed)}):
        wanted, most = _power(steps, second), _power(list(allowed), second)
        demand(wanted <= most, f"{wanted:.0f} W from {second} s on, allowed are {most:.0f} W [V2G2-832]")


def _power(steps: list[tuple[int, float]], second: int) -> float:
    begun = [power for start, power in steps if start <= second]
    return begun[-1] if begun else 0.0


def cheapest(host: Host, request: iso2.PowerDeliveryReq) -> None:
    """Of several schedules the one with the lowest price is taken."""
    prices = {each.id: sum(each.prices) for each in host.schedules}
    demand(request.SAScheduleTupleID == min(prices, key=lambda key: prices[key]), "a dearer schedule is taken")


def confirms(host: Host, request: iso2.MeteringReceiptReq) -> None:
    """The reading comes back bit by bit, signed, with session and schedule [V2G2-902] [V2G2-903]."""
    demand(request.MeterInfo == host.reading, f"{request.MeterInfo} was not the reading")
    demand(request.SessionID == host.session_id, "it is for another session")
    demand(request.SAScheduleTupleID in (None, host.tuple_id), f"schedule {request.SAScheduleTupleID}")
    signed(host, request)
