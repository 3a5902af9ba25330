"""Services besides charging in ISO 15118-2: which the vehicle wants, what the station has of them, what is selected."""

from __future__ import annotations

from evcc.config import Plan, WantedService
from v2g import units
from v2g.link import EvccLink
from v2g.messages import iso2
from v2g.record import Record

Value = bool | int | float | str


class Offered(Record):
    """A service as a station offered it, and whether it was selected, with which parameter set, if it has any.

    `parameter_sets` are known of those that were asked for, by their id.
    """

    service_id: int
    name: str | None
    category: str
    scope: str | None
    free: bool
    parameter_sets: dict[int, dict[str, Value]] = {}
    selected: bool = False
    parameter_set: int | None = None


def discovery(plan: Plan) -> iso2.ServiceDiscoveryReq:
    """Ask for the services, of one category or scope if the plan says so."""
    category = plan.service_category
    return iso2.ServiceDiscoveryReq(
        ServiceScope=plan.service_scope, ServiceCategory=None if category is None else iso2.ServiceCategory(category)
    )


async def look(evse: EvccLink, plan: Plan, offer: iso2.ServiceDiscoveryRes) -> list[Offered]:
    """Ask for the details of each service wanted [V2G2-422] and select it; only TLS gives access to any."""
    offered = []
    for service in offer.ServiceList.Service if offer.ServiceList is not None else []:
        wish = next((each for each in plan.services if _meant(each, service)), None)
        provisioning = service.ServiceCategory is iso2.ServiceCategory.ContractCertificate
        if wish is None or provisioning or not evse.stream.facts.secure:
            offered.append(_told(service))
            continue
        detail = await evse.ask(iso2.ServiceDetailReq(ServiceID=service.ServiceID))
        offered.append(_told(service, detail, wish))
    return offered


def selected(offered: list[Offered]) -> list[iso2.SelectedService]:
    """What of it the vehicle takes."""
    return [
        iso2.SelectedService(ServiceID=each.service_id, ParameterSetID=each.parameter_set)
        for each in offered
        if each.selected
    ]


def _meant(wish: WantedService, service: iso2.Service) -> bool:
    """Whether a service is all that the wish says of it."""
    facts = {"id": service.ServiceID, "name": service.ServiceName, "category": service.ServiceCategory.value}
    return all(getattr(wish, name) in (None, fact) for name, fact in facts.items())


def _told(
    service: iso2.Service, detail: iso2.ServiceDetailRes | None = None, wish: WantedService | None = None
) -> Offered:
    sets = {}
    if detail is not None and detail.ServiceParameterList is not None:
        sets = {
            each.ParameterSetID: {parameter.Name: _value(parameter) for parameter in each.Parameter}
            for each in detail.ServiceParameterList.ParameterSet
        }
    fitting = None if wish is None else _fitting(wish, sets)
    return Offered(
        service_id=service.ServiceID,
        name=service.ServiceName,
        category=service.ServiceCategory.value,
        scope=service.ServiceScope,
        free=service.FreeService,
        parameter_sets=sets,
        selected=wish is not None and (fitting is not None or not (sets or wish.choosy)),
        parameter_set=fitting,
    )


def _fitting(wish: WantedService, sets: dict[int, dict[str, Value]]) -> int | None:
    """The first parameter set that has all parameters the wish names."""
    fitting = (
        number
        for number, has in sets.items()
        if wish.parameter_set in (None, number) and has.items() >= wish.parameters.items()
    )
    return next(fitting, None)


def _value(parameter: iso2.Parameter) -> Value:
    """The value of a parameter, whatever its type; a physical one in its own unit."""
    if parameter.physicalValue is not None:
        return units.number(parameter.physicalValue)
    plain = (
        parameter.boolValue,
        parameter.byteValue,
        parameter.shortValue,
        parameter.intValue,
        parameter.stringValue,
    )
    return next((value for value in plain if value is not None), "")
