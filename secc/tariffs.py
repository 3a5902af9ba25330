"""Sales tariffs of a plan: signed by the mobility operator, handed on to the vehicle with their signature.

What a vehicle would ignore is not sent: all tariffs of a plan hold together, or none of them goes out. They are for
contracts alone; the key that signs is the one that issued the contract certificate (Sub-CA 2 of the operator).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from secc import api
from secc.authorization import Contract
from v2g import protocols, signature
from v2g.errors import Undecodable, Untrusted
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature

SCHEMA = "iso2"


@dataclass(frozen=True, slots=True)
class Tariffs:
    """The tariff of each schedule of a plan, None for one without, and the signature over all of them."""

    each: Sequence[iso2.SalesTariff | None]
    signature: Signature


def read(plan: api.Plan, contract: Contract | None, most_entries: int) -> Tariffs | None:
    """Read and verify the tariffs of a plan; None where it has none, or nobody whose operator could have signed them.

    Raises `Undecodable` for what is no tariff, or more than the vehicle takes, and `Untrusted` for what is not signed.
    """
    if contract is None or all(schedule.tariff is None for schedule in plan.schedules):
        return None
    if plan.signature is None:
        raise Untrusted("tariff", "the tariffs are not signed")
    each = [None if schedule.tariff is None else _tariff(schedule.tariff) for schedule in plan.schedules]
    signed = _decoded(plan.signature)
    if not isinstance(signed, Signature):
        raise Undecodable(f"{type(signed).__name__} in place of a Signature")
    present = [tariff for tariff in each if tariff is not None]
    _check_unique(present)
    longest = max(len(tariff.SalesTariffEntry) for tariff in present)
    if longest > most_entries:
        raise Undecodable(f"a tariff of {longest} entries, the vehicle takes {most_entries}")
    _verify(present, signed, contract)
    return Tariffs(each, signed)


def _decoded(data: bytes) -> object:
    if len(data) > api.EXI_LIMIT:
        raise Undecodable(f"a fragment of {len(data)} bytes; {api.EXI_LIMIT} are the most that fit a message")
    return protocols.schema(SCHEMA).decode_fragment(data)


def _tariff(data: bytes) -> iso2.SalesTariff:
    tariff = _decoded(data)
    if not isinstance(tariff, iso2.SalesTariff):
        raise Undecodable(f"{type(tariff).__name__} in place of a SalesTariff")
    return tariff


def _check_unique(tariffs: Sequence[iso2.SalesTariff]) -> None:
    """Refuse tariffs that could be taken for one another."""
    for what in ("Id", "SalesTariffID"):
        ids = [getattr(tariff, what) for tariff in tariffs]
        if len(set(ids)) < len(ids) or None in ids:
            raise Undecodable(f"{what} of the tariffs: {ids}; each needs its own")


def _verify(tariffs: Sequence[iso2.SalesTariff], signed: Signature, contract: Contract) -> None:
    if len(contract.chain) < 2:
        raise Untrusted("tariff", "the contract came without its issuer, whose key would have signed")
    forms = {str(tariff.Id): protocols.schema(SCHEMA).fragment_forms(tariff) for tariff in tariffs}
    issuer = x509.load_der_x509_certificate(contract.chain[1])
    signature.verify(signed, forms, issuer.public_key(), SCHEMA)
