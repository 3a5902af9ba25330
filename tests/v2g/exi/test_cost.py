"""What the dearest bytes cost: lists that are full, texts that are long, many deviations; whole, cut and continued."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.cost import UNIT, timed
from v2g.errors import Undecodable
from v2g.exi.codec import LOOPS, Schema
from v2g.exi.compose import Writing
from v2g.exi.fields import Field, Type, fields
from v2g.exi.layout import FEW_ITEMS
from v2g.exi.message import Message
from v2g.exi.runtime import MOST_ITEMS
from v2g.exi.types import Choice, Flag, Listed, Octets, Text, Whole
from v2g.exi.values import MOST_NOTES
from v2g.messages import din, iso2, xmldsig
from v2g.messages.iso20 import common, common_types
from v2g.protocols import SCHEMAS, schema


class Boundless(Writing):
    """Writes more items than may be read."""

    def _spend(self, field: Any, items: int) -> None:
        """Let everything pass."""


def smallest(codec: Schema, kind: Type) -> Any:
    """Make the value with the fewest bits: the more of them fit a message, the more it costs."""
    match kind:
        case Flag():
            return False
        case Listed(members):
            return next(iter(members))
        case Whole(low):
            return max(low or 0, 0)
        case Text(least):
            return "a" * least
        case Octets(_, least):
            return bytes(least)
        case _:
            classes = [each for each in codec.grammar.classes if issubclass(each, kind) and not each.abstract]
            cls = kind if kind in classes else classes[-1]
            return cls(**{field.name: one(codec, field) for field in needed(cls)})


def one(codec: Schema, field: Field) -> Any:
    value = smallest(codec, field.type)
    return [value] * max(field.least, 1) if field.many else value


def needed(cls: type[Message]) -> Iterator[Field]:
    """Tell the fields without which no message of a class is complete, the first of each choice."""
    choices = set[Choice]()
    for field in fields(cls):
        if field.least or (field.choice and field.choice.required and field.choice not in choices):
            yield field
        if field.choice:
            choices.add(field.choice)


def lists(codec: Schema) -> Iterator[bytes]:
    """Write each long list of a schema set, full of the smallest items, and one short of that."""
    for code, root in enumerate(codec.grammar.fragments):
        cls = root.types[0]
        if not isinstance(cls, type) or cls.abstract or cls.content or len(root.types) > 1:
            continue
        for field in fields(cls):
            if field.many and (field.most is None or field.most > FEW_ITEMS) and field.name != "SignatureProperty":
                for size in (field.most or MOST_ITEMS, (field.most or MOST_ITEMS) - 1):
                    full = {field.name: [smallest(codec, field.type)] * size}
                    others = {each.name: one(codec, each) for each in needed(cls)}
                    yield Boundless(codec.grammar, strict=False).fragment(code, cls(**(others | full)))


def spoilt(data: bytes) -> Iterator[bytes]:
    """Tell a message as it is, and what the slow way and other lists' ends are tried on."""
    yield data
    yield data[:-2]
    yield data + bytes(2)
    yield data[:-1] + bytes([data[-1] ^ 0x55])


def check(codec: Schema, data: bytes) -> None:
    def read(data: bytes) -> object:
        try:
            return codec.read_fragment(data)
        except Undecodable as error:
            return error

    for each in spoilt(data):
        timed(read, each)


@pytest.mark.parametrize("name", SCHEMAS)
def test_full_lists_are_cheap(name: str) -> None:
    codec = schema(name)
    written = list(lists(codec))
    assert len(written) >= 2
    for data in written:
        check(codec, data)


ISO2, XMLDSIG, COMMON, DIN = (schema(name) for name in ("iso2", "xmldsig", "iso20.common", "din"))
START = iso2.RelativeTimeInterval(start=0)


def power(multiplier: int) -> iso2.PhysicalValue:
    """Make a value; a multiplier of 4 fits its bits but not its type."""
    return iso2.PhysicalValue(Multiplier=multiplier, Unit=iso2.UnitSymbol.W, Value=0)


def tariff_entry(multiplier: int) -> iso2.SalesTariffEntry:
    """Make an entry with all the parts it can have, of which the last may deviate."""

    def consumption(last: int) -> iso2.ConsumptionCost:
        costs = [
            iso2.Cost(costKind=iso2.CostKind.relativePricePercentage, amount=1, amountMultiplier=each)
            for each in (0, 0, last)
        ]
        return iso2.ConsumptionCost(startValue=power(0), Cost=costs)

    return iso2.SalesTariffEntry(
        TimeInterval=START, ConsumptionCost=[consumption(0), consumption(0), consumption(multiplier)]
    )


def tariff(deviating: int, good: int) -> iso2.SalesTariff:
    return iso2.SalesTariff(
        SalesTariffID=1, SalesTariffEntry=([tariff_entry(4)] + [tariff_entry(0)] * good) * deviating
    )


def schedules(size: int) -> iso2.SAScheduleList:
    """Make lists in a list."""
    entries = [iso2.PMaxScheduleEntry(TimeInterval=START, PMax=power(0))] * size
    prices = [iso2.SalesTariffEntry(TimeInterval=START)] * size
    schedule = iso2.SAScheduleTuple(
        SAScheduleTupleID=1,
        PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=entries),
        SalesTariff=iso2.SalesTariff(SalesTariffID=1, SalesTariffEntry=prices),
    )
    return iso2.SAScheduleList(SAScheduleTuple=[schedule] * 3)


def price_stacks(value: int, size: int) -> common.PriceRuleStackList:
    """Make stacks of eight rules, of which the last may deviate."""

    def rule(power: int) -> common.PriceRule:
        zero, start = (common_types.RationalNumber(Exponent=0, Value=each) for each in (0, power))
        return common.PriceRule(EnergyFee=zero, PowerRangeStart=start)

    stack = common.PriceRuleStack(Duration=0, PriceRule=[rule(0)] * 7 + [rule(value)])
    return common.PriceRuleStackList(PriceRuleStack=[stack] * size)


def transforms(text: str, times: int) -> xmldsig.Transforms:
    return xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=text)] * times)


def signed(sizes: list[int]) -> xmldsig.SignedInfo:
    """Make lists without bounds in one without bounds."""
    references = [
        xmldsig.Reference(
            Transforms=transforms("", size), DigestMethod=xmldsig.DigestMethod(Algorithm=""), DigestValue=b""
        )
        for size in sizes
    ]
    return xmldsig.SignedInfo(
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm=""),
        SignatureMethod=xmldsig.SignatureMethod(Algorithm=""),
        Reference=references,
    )


DEAREST = {
    "lists in lists": (ISO2, schedules(1_023)),
    "full lists in lists": (ISO2, schedules(1_024)),
    "a long tariff": (ISO2, tariff(1, 1_022)),
    "a tariff with deviations": (ISO2, tariff(MOST_NOTES, 0)),
    "a tariff with too many deviations": (ISO2, tariff(MOST_NOTES + 1, 0)),
    "a long tariff with deviations": (ISO2, tariff(MOST_NOTES, 20)),
    "price stacks": (COMMON, price_stacks(0, 500)),
    "price stacks with deviations": (COMMON, price_stacks(40_000, MOST_NOTES)),
    "one list without bounds": (XMLDSIG, signed([MOST_ITEMS - 1])),
    "many lists without bounds": (XMLDSIG, signed([1] * (MOST_ITEMS // 2))),
    "texts of two octets a character": (XMLDSIG, transforms("\x80" * 4_096, 7)),
    "texts of four octets a character": (XMLDSIG, transforms("\U0010ffff" * 4_096, 3)),
    "payment options of DIN": (DIN, din.PaymentOptions(PaymentOption=[din.PaymentOption.Contract] * MOST_ITEMS)),
}


@pytest.mark.parametrize(("codec", "message"), DEAREST.values(), ids=DEAREST.keys())
def test_the_dearest_messages_cost_milliseconds_per_4_kb(codec: Schema, message: Message) -> None:
    code = codec.grammar.fragment.code(type(message))
    check(codec, Writing(codec.grammar, strict=False).fragment(code, message))


@pytest.mark.parametrize("stacks", [price_stacks(0, 800), price_stacks(-40_000, 20)], ids=["good", "deviating"])
@pytest.mark.parametrize("identifier", [1, 0])
def test_forms_of_a_signed_list_cost_milliseconds_per_4_kb(stacks: common.PriceRuleStackList, identifier: int) -> None:
    """Whatever a peer had signed, looking for the form it used must not keep all others waiting."""
    schedule = common.AbsolutePriceSchedule(
        Id="i",
        TimeAnchor=0,
        PriceScheduleID=identifier,
        Currency="EUR",
        Language="",
        PriceAlgorithm="",
        PriceRuleStacks=stacks,
    )
    data = COMMON.encode_fragment(schedule)
    assert COMMON.decode_fragment(data) == schedule
    assert list(COMMON.fragment_forms(schedule).values()) == ["ours", "gaps", f"open lists from {LOOPS[1]}"]
    timed(lambda _: list(COMMON.fragment_forms(schedule)), data.ljust(UNIT) * 3)


def test_time_is_linear_in_the_input() -> None:
    def seconds(size: int) -> float:
        data = ISO2.encode_fragment(iso2.PMaxSchedule(PMaxScheduleEntry=[entry] * size))[:-2]
        best = float("inf")
        for _ in range(5):
            best = min(best, took(data))
        return best

    def took(data: bytes) -> float:
        began = time.thread_time()
        with pytest.raises(Undecodable):
            ISO2.read_fragment(data)
        return time.thread_time() - began

    entry = iso2.PMaxScheduleEntry(TimeInterval=START, PMax=power(0))
    assert seconds(1_000) < 2 * 10 * seconds(100)


@pytest.mark.parametrize(
    ("deviating", "refused"),
    [(0, True), (1, True), (1, False), (5, False)],
    ids=["cut", "deviating and cut", "deviating", "deviating five times"],
)
def test_nothing_long_is_read_twice(monkeypatch: pytest.MonkeyPatch, deviating: int, *, refused: bool) -> None:
    codec = Schema("iso2", (xmldsig, iso2))
    codec.warm(iso2.PMaxSchedule)
    name = codec.library.reader(iso2.PMaxScheduleEntry)
    read, calls = codec.library.read_function(iso2.PMaxScheduleEntry), list[int]()

    def counted(v: int, p: int) -> Any:
        calls.append(p)
        return read(v, p)

    monkeypatch.setitem(codec.library._space, name, counted)
    good, odd = (iso2.PMaxScheduleEntry(TimeInterval=START, PMax=power(each)) for each in (0, 4))
    message = iso2.PMaxSchedule(PMaxScheduleEntry=([good] * 100 + [odd] * bool(deviating)) * max(deviating, 5))
    code = codec.grammar.fragment.code(iso2.PMaxSchedule)
    data = Writing(codec.grammar, strict=False).fragment(code, message)
    if refused:
        with pytest.raises(Undecodable):
            codec.read_fragment(data[:-2])
    else:
        assert codec.read_fragment(data).message == message
    assert len(set(calls)) == len(calls) == len(message.PMaxScheduleEntry)
