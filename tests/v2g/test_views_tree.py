"""Trees: one line for each value, physical ones as numbers, nothing wider than the page but what must be."""

from __future__ import annotations

from random import Random

import pytest

from tests.random_messages import Messages
from v2g.messages import iso2
from v2g.messages.din import PhysicalValue
from v2g.messages.iso20.common_types import RationalNumber
from v2g.protocols import SCHEMAS, schema
from v2g.views.tree import physical_text, to_tree


@pytest.mark.parametrize(
    ("multiplier", "value", "told"),
    [(0, 400, "400 V (Multiplier 0)"), (-1, -2, "-0.2 V (Multiplier -1)"), (3, 20, "20000 V (Multiplier 3)")],
)
def test_physical_values_are_numbers(multiplier: int, value: int, told: str) -> None:
    physical = iso2.PhysicalValue(Multiplier=multiplier, Unit=iso2.UnitSymbol.V, Value=value)
    assert physical_text(physical) == told


def test_numbers_without_a_unit() -> None:
    assert physical_text(PhysicalValue(Multiplier=-3, Value=1)) == "0.001 (Multiplier -3)"
    assert physical_text(RationalNumber(Exponent=-1, Value=4005)) == "400.5 (Exponent -1)"
    assert physical_text(RationalNumber(Exponent=127, Value=1)) == "1E+127 (Exponent 127)"
    assert physical_text(iso2.SelectedService(ServiceID=1)) == ""


def test_lists_and_attributes() -> None:
    parameters = [iso2.Parameter(Name="Protocol", stringValue="http"), iso2.Parameter(Name=" x", intValue=80)]
    tree = to_tree(iso2.ParameterSet(ParameterSetID=3, Parameter=parameters), "ParameterSet")
    assert tree.splitlines() == [
        "ParameterSet",
        "  ParameterSetID 3",
        "  Parameter[0] @Name=Protocol",
        "    stringValue http",
        "  Parameter[1] @Name=' x'",
        "    intValue 80",
    ]
    options = iso2.PaymentOptionList(PaymentOption=[iso2.PaymentOption.Contract, iso2.PaymentOption.ExternalPayment])
    assert to_tree(options, "Options").splitlines()[1] == "  PaymentOption Contract, ExternalPayment"


def test_what_is_too_wide_is_cut_and_its_size_told() -> None:
    chain = iso2.CertificateChain(Id="id1", Certificate=bytes(800))
    line = to_tree(chain, "Chain", width=60).splitlines()[1]
    assert line.startswith("  Certificate AAAA")
    assert line.endswith("... (800 bytes)")
    assert len(line) == 60


def test_empty_values_are_seen() -> None:
    header = iso2.MessageHeader(
        SessionID=b"", Notification=iso2.Notification(FaultCode=iso2.FaultCode.UnknownError, FaultMsg="")
    )
    assert to_tree(header, "Header").splitlines() == [
        "Header",
        "  SessionID (empty)",
        "  Notification",
        "    FaultCode UnknownError",
        "    FaultMsg ''",
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_message_has_a_tree_that_is_safe_to_print(name: str) -> None:
    messages = Messages(schema(name).grammar, Random(25))
    for _ in range(100):
        assert all(line.isprintable() for line in to_tree(messages.root()).splitlines())
