"""The tariffs that come with schedules: whose word they are, and what energy costs under them.

A driver with a contract is told prices by his mobility operator: its Sub-CA, the issuer of the contract's certificate,
signs them (unverified: which of its Sub-CAs). The vehicle knows that one from the contract it holds, never from the
message. Without a contract there is nobody to sign, and the station's own word is all there is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from evcc.schedule import start_of
from evcc.wallet import Contract
from pki.certificate import signed_by
from v2g import protocols, signature, units
from v2g.errors import Untrusted
from v2g.messages.iso2 import CostKind, SalesTariff, SalesTariffEntry, SAScheduleTuple
from v2g.messages.xmldsig import Signature

Measure = CostKind | Literal["level"]
MEASURES: tuple[Measure, ...] = (
    CostKind.relativePricePercentage,
    "level",
    CostKind.CarbonDioxideEmission,
    CostKind.RenewableGenerationPercentage,
)
"""What tariffs are compared by: the first that all of them tell throughout."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """One SalesTariff: entries by the second they begin; an entry ends where the next begins."""

    entries: tuple[tuple[int, SalesTariffEntry], ...]

    @classmethod
    def of(cls, told: SalesTariff) -> Tariff:
        """Read a tariff."""
        entries = sorted(told.SalesTariffEntry, key=start_of)
        return cls(tuple((start_of(each), each) for each in entries))

    @property
    def starts(self) -> list[int]:
        """The seconds at which the price may change."""
        return [start for start, _ in self.entries]

    def price(self, second: float, power_w: float, measure: Measure) -> float | None:
        """What a Wh costs at a time and power, in a unit of no meaning but for comparison; less is better."""
        place = max(0, bisect_right(self.entries, second, key=itemgetter(0)) - 1)
        return _price(self.entries[place][1], power_w, measure)

    def tells(self, measure: Measure) -> bool:
        """Whether every entry has a price of this kind."""
        return all(_price(entry, 0.0, measure) is not None for _, entry in self.entries)


def common_measure(tariffs: Iterable[Tariff]) -> Measure | None:
    """What these tariffs can be compared by; None where there is nothing."""
    known = list(tariffs)
    return next((each for each in MEASURES if known and all(tariff.tells(each) for tariff in known)), None)


def _price(entry: SalesTariffEntry, power_w: float, measure: Measure) -> float | None:
    """The price of an entry; of its consumption costs the one that begins highest, but not above the power."""
    if measure == "level":
        return None if entry.EPriceLevel is None else float(entry.EPriceLevel)
    bands = sorted(entry.ConsumptionCost, key=lambda band: units.number(band.startValue))
    if not bands:
        return None
    fitting = [band for band in bands if units.number(band.startValue) <= power_w]
    costs = {each.costKind: each for each in (fitting[-1] if fitting else bands[0]).Cost}
    if (cost := costs.get(measure)) is None:
        return None
    amount = cost.amount * 10.0 ** (cost.amountMultiplier or 0)
    return 100.0 - amount if measure is CostKind.RenewableGenerationPercentage else amount


# --- trust ----------------------------------------------------------------------------------------------------------


def judge(tuples: Sequence[SAScheduleTuple], signed: Signature | None, contract: Contract | None) -> Mapping[int, str]:
    """Tell for each tariff, by its tuple's id, why it must not be used; empty where it may.

    `contract` is the one that pays, None where somebody else does.
    """
    tariffs = {each.SAScheduleTupleID: each.SalesTariff for each in tuples if each.SalesTariff is not None}
    if contract is None:
        return dict.fromkeys(tariffs, "")
    named = [tariff for tariff in tariffs.values() if tariff.Id]
    try:
        _verify(named, signed, contract)
        flaw = ""
    except (Untrusted, ValueError) as error:
        flaw = str(error)
    return {number: flaw if tariff.Id else "it is not signed" for number, tariff in tariffs.items()}


def _verify(tariffs: Sequence[SalesTariff], signed: Signature | None, contract: Contract) -> None:
    """Verify that the issuer of the contract signed exactly these tariffs; raises `Untrusted` or ValueError."""
    if not tariffs:
        return
    if signed is None:
        raise Untrusted("signature", "there is none")
    forms = {tariff.Id or "": protocols.schema("iso2").fragment_forms(tariff) for tariff in tariffs}
    if len(forms) < len(tariffs):
        raise Untrusted("signature", "two tariffs share an Id")
    signature.verify(signed, forms, _issuer_key(contract), "iso2")


def _issuer_key(contract: Contract) -> PublicKeyTypes:
    """The key of the operator's Sub-CA that issued the contract, if that is valid now; raises `Untrusted`."""
    leaf, *subs = [x509.load_der_x509_certificate(der) for der in contract.chain]
    if not subs or not signed_by(leaf, subs[0]):
        raise Untrusted("tariff", "the car does not hold the certificate of the contract's issuer")
    if not subs[0].not_valid_before_utc <= datetime.now(UTC) <= subs[0].not_valid_after_utc:
        raise Untrusted("tariff", "the certificate of the contract's issuer is not valid now")
    return subs[0].public_key()
