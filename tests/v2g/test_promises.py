"""Late answers: counted by request, told once, in words; quick ones say nothing."""

from __future__ import annotations

import pytest

from v2g.journal import Journal
from v2g.promises import Promises
from v2g.timing import Timing


def test_answers_in_time_are_not_worth_a_word() -> None:
    journal, promises = Journal(), Promises(Timing())
    promises.answered("iso2", "CurrentDemandRes", 0.025)
    promises.answered("sap", "SupportedAppProtocolRes", 1.5)
    promises.tell(journal)
    assert journal.entries == []


def test_late_ones_are_told_once() -> None:
    journal, promises = Journal(), Promises(Timing())
    for took_s in (0.026, 0.3, 0.1):
        promises.answered("din", "CurrentDemandRes", took_s)
    promises.answered("iso2", "PowerDeliveryRes", 4.6)
    promises.tell(journal)
    (entry,) = journal.entries
    assert entry.kind == "late"
    assert entry.facts == {"messages": "CurrentDemandReq 3x, PowerDeliveryReq 1x", "most_s": 4.6}


@pytest.mark.parametrize(("key", "late"), [("din", True), ("iso2", False)])
def test_each_standard_has_its_own_times(key: str, late: bool) -> None:
    """PowerDeliveryRes is due after 1.5 s in DIN, after 4.5 s in -2."""
    promises = Promises(Timing())
    promises.answered(key, "PowerDeliveryRes", 2.0)
    assert bool(promises.broken) is late
