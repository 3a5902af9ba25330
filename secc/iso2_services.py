"""Services of an ISO 15118-2 station besides charging: which are offered to this vehicle, with which parameter sets.

One table, built once per session, is what ServiceDiscovery lists, what ServiceDetail explains and what a selection is
checked against. Nothing of it is offered without TLS [V2G2-633] [V2G2-635].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from secc import api, provisioning
from secc import iso2_responses as say
from secc.config import Access, OwnService, ServiceSettings
from secc.visit import Visit
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import ServiceCategory

INTERNET = 3
NO_SCOPE = "\0 "

INTERNET_SETS: dict[Access, tuple[int, str, int]] = {
    "ftp-data": (1, "ftp", 20),
    "ftp": (2, "ftp", 21),
    "http": (3, "http", 80),
    "https": (4, "https", 443),
}
"""ParameterSetID, Protocol and Port of each way into the Internet; for -2 (unverified)."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One service as it is offered, with the parameter sets it can be had in; the charge service has none."""

    service: iso2.Service
    sets: Sequence[iso2.ParameterSet] = ()


def offered(visit: Visit) -> dict[int, Offered]:
    """All services offered to this vehicle, by ServiceID; the charge service comes first."""
    table = {say.CHARGE_SERVICE: Offered(say.charge_service(visit.setup))}
    if visit.secure:
        settings = visit.config.services
        more = [provided(visit), internet(settings), *(own(each) for each in settings.own)]
        table |= {each.service.ServiceID: each for each in more if each is not None}
    return table


def provided(visit: Visit) -> Offered | None:
    """Installation and update of contract certificates, where they are offered."""
    service = provisioning.service(visit)
    return None if service is None else Offered(service, provisioning.parameters(visit))


def internet(settings: ServiceSettings) -> Offered | None:
    """The ways into the Internet, where there are any."""
    if not settings.internet:
        return None
    service = iso2.Service(
        ServiceID=INTERNET,
        ServiceName="InternetAccess",
        ServiceCategory=ServiceCategory.Internet,
        FreeService=settings.internet_free,
    )
    return Offered(service, [_access(*INTERNET_SETS[way]) for way in settings.internet])


def _access(number: int, protocol: str, port: int) -> iso2.ParameterSet:
    return iso2.ParameterSet(
        ParameterSetID=number,
        Parameter=[iso2.Parameter(Name="Protocol", stringValue=protocol), iso2.Parameter(Name="Port", intValue=port)],
    )


def own(service: OwnService) -> Offered:
    """A service of the operator's own."""
    told = iso2.Service(
        ServiceID=service.id,
        ServiceName=service.name,
        ServiceCategory=ServiceCategory(service.category),
        ServiceScope=service.scope,
        FreeService=service.free,
    )
    sets = [
        iso2.ParameterSet(
            ParameterSetID=each.id, Parameter=[_parameter(name, value) for name, value in each.parameters.items()]
        )
        for each in service.sets
    ]
    return Offered(told, sets)


def _parameter(name: str, value: bool | int | str) -> iso2.Parameter:
    match value:
        case bool():
            return iso2.Parameter(Name=name, boolValue=value)
        case int():
            return iso2.Parameter(Name=name, intValue=value)
        case str():
            return iso2.Parameter(Name=name, stringValue=value)


def wanted(table: dict[int, Offered], request: iso2.ServiceDiscoveryReq) -> list[iso2.Service]:
    """The services besides charging that a ServiceDiscoveryReq asks for: of one scope or category, or all.

    A scope of nothing but NUL characters is none: BMW iX sends 64 of them.
    """
    scope, category = (request.ServiceScope or "").strip(NO_SCOPE), request.ServiceCategory
    return [
        each.service
        for number, each in table.items()
        if number != say.CHARGE_SERVICE
        and category in (None, each.service.ServiceCategory)
        and scope in ("", each.service.ServiceScope)
    ]


def detail(table: dict[int, Offered], request: iso2.ServiceDetailReq) -> iso2.ServiceDetailRes:
    """Answer with the parameter sets of a service; raises `Refused` for one that is not offered."""
    asked = table.get(request.ServiceID)
    if asked is None:
        raise Refused("FAILED_ServiceIDInvalid", f"service {request.ServiceID} is not offered [V2G2-425] [V2G2-464]")
    return say.service_detail(request, asked.sets)


def select(table: dict[int, Offered], request: iso2.PaymentServiceSelectionReq) -> list[api.SelectedService]:
    """Check the services selected and tell them without the charge service; raises `Refused`.

    A parameter set may be left out, where the vehicle does not care which.
    """
    selected = [(each.ServiceID, each.ParameterSetID) for each in request.SelectedServiceList.SelectedService]
    if all(number != say.CHARGE_SERVICE for number, _ in selected):
        raise Refused("FAILED_NoChargeServiceSelected", "the charge service is missing [V2G2-804]")
    for number, chosen in selected:
        known = [each.ParameterSetID for each in table[number].sets] if number in table else None
        taken = number == say.CHARGE_SERVICE or chosen is None or chosen in (known or ())
        if known is None or not taken:
            raise Refused("FAILED_ServiceSelectionInvalid", f"service {number}, set {chosen}: not offered [V2G2-467]")
    return [
        api.SelectedService(id=number, name=table[number].service.ServiceName or "", parameter_set=chosen)
        for number, chosen in dict(selected).items()
        if number != say.CHARGE_SERVICE
    ]
