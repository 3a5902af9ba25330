"""How an ISO 15118-2 vehicle asks the station for a contract, between ServiceDiscovery and PaymentDetails."""

from __future__ import annotations

from functools import partial

from evcc.provisioning import SERVICES, SIGNED_ID, Errand, Outcome
from evcc.trip import Declined, Trip
from pki.contract.checks import NotAccepted
from pki.contract.iso2 import Response
from v2g import protocols, signature
from v2g.errors import Refused, V2GError
from v2g.link import Asks, EvccLink
from v2g.messages import iso2


class NotProvisioned(Declined):
    """The vehicle asked for its first contract and got none that it may use."""


async def choose(evse: EvccLink, trip: Trip, offer: iso2.ServiceDiscoveryRes) -> Errand | None:
    """Decide what to ask for, and find it in the station's offer; None where there is nothing to ask for."""
    able = evse.stream.facts.secure and iso2.PaymentOption.Contract in offer.PaymentOptionList.PaymentOption
    if trip.provisioning is None or trip.vehicle.config.plan.payment != "contract" or not able:
        return None
    action = trip.provisioning.wish(trip.contract)
    if action is None:
        return None
    services = offer.ServiceList.Service if offer.ServiceList is not None else []
    for service in services:
        if service.ServiceCategory is iso2.ServiceCategory.ContractCertificate:
            detail = await evse.ask(iso2.ServiceDetailReq(ServiceID=service.ServiceID))
            if (number := _parameter_set(detail, SERVICES[action])) is not None:
                return Errand(action, service.ServiceID, number)
    trip.provisioned = Outcome(action=action, outcome="not-offered", detail=f"the station offers no {SERVICES[action]}")
    return None


def _parameter_set(detail: iso2.ServiceDetailRes, name: str) -> int | None:
    """The id of the parameter set that is called so."""
    sets = detail.ServiceParameterList.ParameterSet if detail.ServiceParameterList is not None else []
    matching = (each.ParameterSetID for each in sets if any(value.stringValue == name for value in each.Parameter))
    return next(matching, None)


async def fetch(evse: EvccLink, trip: Trip, errand: Errand) -> None:
    """Ask for a contract, and pay with it from now on.

    Raises `NotProvisioned` where the answer to an installation cannot be used; after an update the old contract is as
    good as before. A refusal or silence of the station ends the session, as anywhere.
    """
    provisioning = trip.provisioning
    if provisioning is None:
        return
    request, key = provisioning.request(errand.action, trip.contract)
    signed = signature.sign([(SIGNED_ID, protocols.schema("iso2").encode_fragment(request))], key, "iso2")
    told = partial(Outcome, action=errand.action)
    try:
        asked: Asks[Response] = request
        response = await evse.ask(asked, signature=signed)
        await provisioning.settle(response)
        trip.contract, file = provisioning.take(response, evse.signature, key)
        trip.provisioned = told(outcome="stored", emaid=trip.contract.emaid, file=str(file))
    except NotAccepted as error:
        trip.provisioned = told(outcome=error.flaw.value, detail=error.detail)
    except OSError as error:
        trip.provisioned = told(outcome="not-stored", detail=f"{provisioning.settings.wallet}: {error.strerror}")
    except V2GError as error:
        outcome = "refused" if isinstance(error, Refused) else "failed"
        trip.provisioned = told(outcome=outcome, detail=str(error))
        raise
    if errand.action == "install" and trip.provisioned.outcome != "stored":
        raise NotProvisioned(f"no contract to pay with: {trip.provisioned.outcome}: {trip.provisioned.detail}")
