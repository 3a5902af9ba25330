"""What bounds the work and the memory that bytes can cause: each bound is reached, and one more is `Undecodable`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from v2g.errors import Undecodable
from v2g.exi import runtime
from v2g.exi.codec import Schema
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.exi.library import READING
from v2g.exi.message import Message
from v2g.exi.notes import Quirk
from v2g.exi.runtime import MOST_ITEMS, TRIM_BITS, Deviation
from v2g.exi.values import LEAST_BORROWED, MOST_BORROWED, MOST_NOTES, MOST_QUOTED, MOST_REFERENCES_NOTED
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
    at = f"PMaxSchedule/PMaxScheduleEntry.{MOST_NOTES}."
    with pytest.raises(Undecodable, match=f"more than {MOST_NOTES} deviations at {at}"):
        ISO2.read_fragment(schedule(0, MOST_NOTES + 1))


class Boundless(Writing):
    """Writes more than may be read."""

    def _check_length(self, kind: Any, length: int, cap: int) -> None:
        """Let everything pass."""

    def _spend(self, field: Any, items: int) -> None:
        """Let everything pass."""


class Referring(Boundless):
    """Writes a text that came before as a reference to it, into the table of all texts."""

    def _text(self, kind: Any, value: Any) -> None:
        earlier = vars(self).setdefault("earlier", [])
        if value in earlier:
            self._number(1)
            self._put((len(earlier) - 1).bit_length(), earlier.index(value))
        else:
            super()._text(kind, value)
            earlier += [value] * bool(value)


def referring(codec: Schema, message: Message) -> bytes:
    return Referring(codec.grammar, strict=False).fragment(codec.grammar.fragment.code(type(message)), message)


def transforms(text: str, times: int) -> xmldsig.Transforms:
    return xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=text)] * times)


def test_what_is_said_about_a_long_text_is_short() -> None:
    text = "\U000e0001" * 4_096
    decoded = XMLDSIG.read_fragment(referring(XMLDSIG, transforms(text, 3)))
    assert decoded.message == transforms(text, 3)
    assert [note.quirk for note in decoded.notes] == [Quirk.TABLE] * 2
    assert decoded.notes[0].detail == repr(text[:MOST_QUOTED])


def test_many_references_are_read_and_a_flood_is_refused() -> None:
    for size in (16, LEAST_BORROWED, 4_096):
        most = 1 + MOST_BORROWED // max(size, LEAST_BORROWED)
        decoded = XMLDSIG.read_fragment(referring(XMLDSIG, transforms("x" * size, most)))
        assert decoded.message == transforms("x" * size, most)
        assert [note.quirk for note in decoded.notes] == [Quirk.TABLE] * min(most - 1, MOST_REFERENCES_NOTED)
        with pytest.raises(Undecodable, match=f"more than {MOST_BORROWED} characters"):
            XMLDSIG.read_fragment(referring(XMLDSIG, transforms("x" * size, most + 1)))


def written(message: Message) -> bytes:
    """Write a fragment whatever its lengths are."""
    codec = XMLDSIG if isinstance(message, xmldsig.SignaturePart) else ISO2
    return Boundless(codec.grammar, strict=False).fragment(codec.grammar.fragment.code(type(message)), message)


def reference(**values: Any) -> xmldsig.Reference:
    """Make a reference; its lengths are not declared, so that only the hard caps hold."""
    method = xmldsig.DigestMethod(Algorithm="")
    return xmldsig.Reference(**{"DigestMethod": method, "DigestValue": b"", **values})


def setup(size: int) -> iso2.SessionSetupReq:
    return iso2.SessionSetupReq(EVCCID=bytes(size))


def discovery(size: int) -> iso2.ServiceDiscoveryReq:
    return iso2.ServiceDiscoveryReq(ServiceScope="x" * size)


@pytest.mark.parametrize(
    ("make", "longest", "expected"),
    [
        (setup, 2 * 6 + 8, "0 to 6 octets"),
        (discovery, 2 * 64 + 8, "a text of 0 to 64 characters"),
        (lambda size: reference(URI="x" * size), 4_096, "at most 4096"),
        (lambda size: reference(URI="\xe4" * size), 4_096, "at most 4096"),
        (lambda size: reference(DigestValue=bytes(size)), 16_384, "at most 16384"),
    ],
)
def test_a_length_is_exceeded_a_little_and_no_more(make: Callable[[int], Message], longest: int, expected: str) -> None:
    codec = XMLDSIG if isinstance(make(0), xmldsig.SignaturePart) else ISO2
    assert codec.read_fragment(written(make(longest))).message == make(longest)
    assert codec.encode_fragment(make(longest)) == written(make(longest))
    for read in (codec.read_fragment, lambda data: Reading(codec.grammar, data).fragment()):
        with pytest.raises(Undecodable, match=f"length {longest + 1}") as caught:
            read(written(make(longest + 1)))
        assert expected in caught.value.expected
    with pytest.raises(ValueError, match=f"length {longest + 1} is not within 0 to {longest}"):
        codec.encode_fragment(make(longest + 1))


@pytest.mark.parametrize(("size", "fits"), [(2 * 32 + 8, True), (2 * 32 + 9, False)])
def test_a_reference_to_a_longer_text_is_no_way_around(size: int, *, fits: bool) -> None:
    text = "n" * size
    first = iso2.Service(
        ServiceID=1, ServiceScope=text, ServiceCategory=iso2.ServiceCategory.Internet, FreeService=True
    )
    second = iso2.Service(
        ServiceID=2, ServiceName=text, ServiceCategory=iso2.ServiceCategory.Internet, FreeService=True
    )
    services = iso2.ServiceList(Service=[first, second])
    if fits:
        assert ISO2.read_fragment(referring(ISO2, services)).message == services
    else:
        with pytest.raises(Undecodable, match=f"length {size} at ServiceList/Service.1./ServiceName"):
            ISO2.read_fragment(referring(ISO2, services))


def signed(*sizes: int) -> xmldsig.SignedInfo:
    """Make a SignedInfo of references with so many transforms each: lists without bounds in one without bounds."""
    return xmldsig.SignedInfo(
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm=""),
        SignatureMethod=xmldsig.SignatureMethod(Algorithm=""),
        Reference=[reference(Transforms=transforms("", size)) for size in sizes],
    )


BUDGETS = [(MOST_ITEMS - 1,), (MOST_ITEMS // 2 - 1,) * 2, (1,) * (MOST_ITEMS // 2)]


@pytest.mark.parametrize("sizes", BUDGETS, ids=["one list", "two lists", "many lists"])
def test_a_stream_holds_so_many_items_of_lists_without_bounds_and_no_more(sizes: tuple[int, ...]) -> None:
    frame = XMLDSIG.grammar.fragment
    data = written(signed(*sizes))
    assert XMLDSIG.library.read(frame, data)[0] == signed(*sizes)
    assert Reading(XMLDSIG.grammar, data).fragment().message == signed(*sizes)
    assert XMLDSIG.decode_fragment(data) == signed(*sizes)
    assert XMLDSIG.encode_fragment(signed(*sizes)) == data
    with pytest.raises(ValueError, match=f"more than {MOST_ITEMS} items of lists without a bound"):
        XMLDSIG.encode_fragment(signed(*sizes[1:], sizes[0] + 1))
    more = written(signed(*sizes[1:], sizes[0] + 1))
    with pytest.raises(Deviation):
        XMLDSIG.library.read(frame, more)
    for read in (lambda data: Reading(XMLDSIG.grammar, data).fragment(), XMLDSIG.read_fragment):
        with pytest.raises(Undecodable, match=f"more than {MOST_ITEMS} items"):
            read(more)


def test_items_read_by_generated_code_count_in_a_deviating_stream() -> None:
    def deviating(*sizes: int) -> bytes:
        return referring(XMLDSIG, msgspec.structs.replace(signed(*sizes), Id="once", CanonicalizationMethod=method))

    method = xmldsig.CanonicalizationMethod(Algorithm="once")
    half = MOST_ITEMS // 2 - 1
    assert [note.quirk for note in XMLDSIG.read_fragment(deviating(half, half)).notes] == [Quirk.TABLE]
    with pytest.raises(Undecodable, match=f"more than {MOST_ITEMS} items"):
        XMLDSIG.read_fragment(deviating(half, half + 1))


PADDED = 77


class Padding(Writing):
    """Writes one number in more octets than it takes."""

    octets = 0

    def _number(self, number: int) -> None:
        if number != PADDED:
            super()._number(number)
            return
        self._put(8, 128 | number)
        for _ in range(self.octets - 2):
            self._put(8, 128)
        self._put(8, 0)


SERIAL = xmldsig.X509IssuerSerial(X509IssuerName="", X509SerialNumber=PADDED)


@pytest.mark.parametrize(
    ("codec", "message", "most"),
    [
        (ISO2, iso2.SelectedService(ServiceID=PADDED), 10),
        (XMLDSIG, SERIAL, 293),
        (XMLDSIG, reference(URI=chr(PADDED)), 10),
        (XMLDSIG, reference(URI="x" * (PADDED - 2)), 10),
        (XMLDSIG, reference(DigestValue=bytes(PADDED)), 10),
    ],
    ids=["number", "long number", "character", "length of a text", "length of octets"],
)
def test_numbers_have_so_many_octets_and_no_more(codec: Schema, message: Message, most: int) -> None:
    def padded(octets: int) -> bytes:
        writing = Padding(codec.grammar)
        writing.octets = octets
        return writing.fragment(codec.grammar.fragment.code(type(message)), message)

    assert codec.library.read(codec.grammar.fragment, padded(most))[0] == message
    assert Reading(codec.grammar, padded(most)).fragment().message == message
    for octets in (most + 1, 50_000):
        data = padded(octets)
        began = time.thread_time()
        with pytest.raises(READING):
            codec.library.read(codec.grammar.fragment, data)
        with pytest.raises(Undecodable, match=f"more than {most} octets"):
            codec.read_fragment(data)
        assert time.thread_time() - began < 0.05


def test_what_was_read_is_not_dragged_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits behind us cost time with every read; how many there ever are is measured at all three places."""
    dragged = list[int]()

    def longer(v: int, p: int, *rest: Any) -> tuple[int, int]:
        dragged.append(v.bit_length() - p)
        return read_on(v, p, *rest)

    class Watching(Reading):
        def _bits(self, width: int) -> int:
            dragged.append(self._all_bits.bit_length() - self._left)
            return super()._bits(width)

    read_on = runtime.longer
    monkeypatch.setattr(runtime, "longer", longer)
    XMLDSIG.read_fragment(written(reference(URI="\xe4" * 4_096)))
    assert len(dragged) == 4_096
    Watching(ISO2.grammar, schedule(1_000, 0)).fragment()
    assert len(dragged) > 10_000
    codec = Schema("iso2", (xmldsig, iso2))
    codec.warm(iso2.PMaxSchedule)
    read_entry = codec.library.read_function(iso2.PMaxScheduleEntry)

    def watched(v: int, p: int) -> Any:
        dragged.append(v.bit_length() - p)
        return read_entry(v, p)

    monkeypatch.setitem(codec.library._space, codec.library.reader(iso2.PMaxScheduleEntry), watched)
    before = len(dragged)
    codec.read_fragment(schedule(1_000, 0))
    assert len(dragged) == before + 1_000
    assert max(dragged) < TRIM_BITS + 100
