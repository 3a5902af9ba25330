"""Tariffs as a mobility operator would sign them: the less power a step allows, the dearer it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pki.keys import PrivateKey
from pki.store import Store
from secc import api
from v2g import protocols
from v2g.messages import iso2
from v2g.signature import sign

SIGNER = "ca/mo/sub2"  # the one that issues contracts: vehicles know its key from theirs
SCHEMA = "iso2"


class TariffOperator:
    """Holds the key of the mobility operator of a tree of `pki init`."""

    def __init__(self, tree: Path) -> None:
        """Raises ValueError naming what is missing."""
        store = Store(tree)
        if SIGNER not in store.places():
            raise ValueError(f"{tree}: has no {SIGNER}; `plugcharge pki init` makes a tree that has one")
        self._key: PrivateKey = store.load(SIGNER).key

    def __call__(self, schedules: Sequence[api.PlannedSchedule]) -> tuple[Sequence[api.PlannedSchedule], bytes]:
        """Add a tariff to each schedule; tells the signature over all of them."""
        schema = protocols.schema(SCHEMA)
        tariffs = [_tariff(number, schedule) for number, schedule in enumerate(schedules, 1)]
        fragments = [(str(tariff.Id), schema.encode_fragment(tariff)) for tariff in tariffs]
        signature = schema.encode_fragment(sign(fragments, self._key, SCHEMA))
        priced = [
            msgspec.structs.replace(schedule, tariff=fragment)
            for schedule, (_, fragment) in zip(schedules, fragments, strict=True)
        ]
        return priced, signature


def _tariff(number: int, schedule: api.PlannedSchedule) -> iso2.SalesTariff:
    """One price level for each power, the highest power the cheapest."""
    levels = sorted({step.max_w for step in schedule.steps}, reverse=True)[:255]
    entries = [
        iso2.SalesTariffEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=round(step.start_s)),
            EPriceLevel=levels.index(step.max_w) + 1 if step.max_w in levels else len(levels),
        )
        for step in schedule.steps
    ]
    return iso2.SalesTariff(
        Id=f"tariff{number}", SalesTariffID=number, NumEPriceLevels=len(levels), SalesTariffEntry=entries
    )
