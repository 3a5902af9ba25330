"""Nothing that is put before the linter makes it fail: whatever is wrong is told as a finding."""

from __future__ import annotations

import base64
import json
from functools import cache
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from pki.certificate import read
from pki.lint.contents import Piece, certificates_in, looks_like_certificates
from pki.lint.der import encoding
from pki.lint.junit import as_junit
from pki.lint.linter import Demand, lint
from pki.lint.report import Report
from pki.lint.sarif import as_sarif
from pki.lint.second import disagreements
from pki.lint.source import Source
from pki.lint.text import as_text
from pki.lint.tlv import Walk
from tests.endurance import count
from tests.pki.lint.made import CONTRACT_20, NOW, SUB1, SUB2, UTF8, Spec, ed, extension, make, path

MANY = settings(max_examples=count(150, 20_000), deadline=None)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@cache
def originals() -> tuple[bytes, ...]:
    own = path()
    return (*own.chain, own.root.der, make(CONTRACT_20).der, make(Spec(key=ed)).der)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A certificate with some bytes exchanged, taken out, or doubled."""
    data = bytearray(draw(st.sampled_from(originals())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(("set", "flip", "cut", "double", "insert"))):
            case "set":
                data[at] = draw(st.sampled_from((0x00, 0x01, 0x1F, 0x30, 0x7F, 0x80, 0x84, 0xA0, 0xFF)))
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at : at + draw(st.integers(1, 9))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=5))
        if not data:
            data = bytearray(b"\x30")
    return bytes(data)


def told(pieces: list[bytes]) -> Report:
    """Lint pieces and tell it in every form; return the report."""
    report = lint([Source("hostile.pem", [Piece(piece) for piece in pieces], chain=True)], Demand(at=NOW, hubject=True))
    assert list(as_text(report, every=True))
    json.dumps(as_sarif(report))
    ET.fromstring(as_junit(report))
    return report


@MANY
@given(mutated())
def test_a_mutated_certificate_is_told_and_not_raised(der: bytes) -> None:
    if der not in originals():
        report = told([der, *originals()[:3]])
        broken = [finding for finding in report.findings if finding.place.certificate == 1]
        try:
            read(der)
        except ValueError:
            assert any(finding.rule == "unreadable" for finding in broken)


# What DER or RFC 5280 forbids and `cryptography` lets pass.
TOLERATED = {
    "der-string-type",
    "der-unused-bits",
    "der-time",
    "der-algorithm",
}


@MANY
@given(mutated())
def test_what_a_strict_reader_takes_is_der(der: bytes) -> None:
    try:
        read(der)
    except ValueError:
        return
    found = {remark.rule for remark in encoding(der) if remark.rule.startswith("der-")}
    assert found <= TOLERATED


@MANY
@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    told([data])
    Walk(data).read()
    list(disagreements(data, None))
    looks_like_certificates(data)
    certificates_in(data)
    certificates_in(b"\x30\x82" + data)


@MANY
@given(
    st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([b"-----BEGIN ", b"CERTIFICATE-----\n", b"-----END "])))
)
def test_any_pem_is_read(parts: list[bytes]) -> None:
    certificates_in(b"".join(parts))
    body = base64.encodebytes(b"".join(parts))
    pieces, remarks = certificates_in(b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n")
    assert len(pieces) + len(remarks) == 1


@MANY
@given(ANY_TEXT, ANY_TEXT, st.binary(max_size=30))
def test_any_name_is_shown_without_harm(cn: str, organization: str, extra: bytes) -> None:
    parts = (("CN", UTF8, cn), ("O", UTF8, organization))
    above = make(SUB2, make(SUB1))
    der = make(Spec(parts=parts, extensions={"x": extension("1.2.3.4", extra)}), above).der
    report = told([der, above.der])
    assert all(line.isprintable() for line in as_text(report, every=True))


@settings(max_examples=50, deadline=None)
@given(st.integers(30, 5000))
def test_deep_nesting_ends(depth: int) -> None:
    data = b"\x30\x80" * depth
    report = told([data])
    assert {"unreadable", "der-nesting"} <= {finding.rule for finding in report.findings}
