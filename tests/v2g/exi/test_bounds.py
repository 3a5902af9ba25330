"""What bounds the work and the memory that bytes can cause: each bound is reached, and one more is `Undecodable`."""

from __future__ import annotations

from typing import Any

import pytest

from v2g.errors import Undecodable
from v2g.exi.compose import Writing
from v2g.exi.explain import MOST_NOTES, MOST_QUOTED
from v2g.exi.notes import Quirk
from v2g.messages import iso2, xmldsig
from v2g.protocols import schema

ISO2 = schema("iso2")
XMLDSIG = schema("xmldsig")


def power(multiplier: int) -> iso2.PMaxScheduleEntry:
    """Make an entry; a multiplier of 4 fits its bits but not its type."""
    most = iso2.PhysicalValue(Multiplier=multiplier, Unit=iso2.UnitSymbol.W, Value=11)
    return iso2.PMaxScheduleEntry(TimeInterval=iso2.RelativeTimeInterval(start=0), PMax=most)


def schedule(good: int, deviating: int) -> bytes:
    return ISO2.encode_fragment(iso2.PMaxSchedule(PMaxScheduleEntry=[power(3)] * good + [power(4)] * deviating))


def test_a_message_deviates_in_so_many_places_and_no_more() -> None:
    decoded = ISO2.read_fragment(schedule(500, MOST_NOTES))
    assert [note.quirk for note in decoded.notes] == [Quirk.FACET] * MOST_NOTES
    with pytest.raises(Undecodable, match=f"more than {MOST_NOTES} deviations at PMaxSchedule/PMaxScheduleEntry.64."):
        ISO2.read_fragment(schedule(0, MOST_NOTES + 1))


class Repeating(Writing):
    """Writes a text that came before under the same name as a reference to it."""

    earlier: frozenset[str] = frozenset()

    def _text(self, kind: Any, value: Any) -> None:
        if value in self.earlier:
            self._number(0)
            return
        super()._text(kind, value)
        self.earlier |= {value}


def repeated(text: str, times: int) -> bytes:
    transforms = xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=text)] * times)
    grammar = XMLDSIG.grammar
    return Repeating(grammar, strict=False).fragment(grammar.fragment.code(xmldsig.Transforms), transforms)


def test_what_is_said_about_a_long_text_is_short() -> None:
    text = "\U000e0001" * 4_096
    decoded = XMLDSIG.read_fragment(repeated(text, 3))
    assert decoded.message == xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=text)] * 3)
    assert [note.quirk for note in decoded.notes] == [Quirk.TABLE] * 2
    assert decoded.notes[0].detail == repr(text[:MOST_QUOTED])


def test_a_flood_of_references_is_refused() -> None:
    with pytest.raises(Undecodable, match=f"more than {MOST_NOTES} deviations"):
        XMLDSIG.read_fragment(repeated("x" * 4_096, 4_000))
