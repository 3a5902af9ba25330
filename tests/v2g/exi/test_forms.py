"""Encodings of a fragment: each made when it is asked for, and at most once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from v2g.exi.forms import Forms
from v2g.messages import iso2
from v2g.protocols import schema


class Making:
    """A source of forms that remembers what was made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        for data, name in ((b"1", "second"), (b"2", "third"), (b"3", "fourth")):
            self.made.append(name)
            yield data, name


def test_a_form_is_made_when_those_before_it_are_not_enough() -> None:
    making = Making()
    forms = Forms([(b"1", "first")], iter(making))
    assert next(iter(forms)) == b"1"
    assert forms[b"1"] == "first"
    assert making.made == []
    assert forms[b"2"] == "third"
    assert making.made == ["second", "third"]
    assert b"4" not in forms
    with pytest.raises(KeyError):
        forms[b"4"]
    assert making.made == ["second", "third", "fourth"]


def test_all_forms_come_in_order_and_once() -> None:
    forms = Forms([(b"1", "first")], iter(Making()))
    one, other = iter(forms), iter(forms)
    assert [next(one), next(other), next(one), next(other)] == [b"1", b"1", b"2", b"2"]
    assert [*one] == [*other] == [b"3"]
    assert dict(forms) == {b"1": "first", b"2": "third", b"3": "fourth"}
    assert len(forms) == 3


def test_the_form_most_peers_use_takes_no_slow_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise AssertionError("written slowly")

    monkeypatch.setattr("v2g.exi.codec.Writing", refuse)
    entry = iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=0))
    tariff = iso2.SalesTariff(Id="t", SalesTariffID=1, SalesTariffEntry=[entry] * 1_024)
    forms = schema("iso2").fragment_forms(tariff)
    assert next(iter(forms.values())) == "ours"
    with pytest.raises(AssertionError, match="written slowly"):
        list(forms)
