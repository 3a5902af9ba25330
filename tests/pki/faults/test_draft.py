"""DER written by hand is read as it is meant, and a certificate that nobody changed is written as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from pki.evidence import signs
from pki.faults import der
from pki.faults.draft import Draft, Signing, sign
from pki.profiles import Edition
from pki.store import Store
from tests.pki.faults.cases import Trees

ARCS = st.tuples(st.integers(0, 1), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 47))


@given(st.integers() | st.integers(-300, 300) | st.integers(0, 1 << 170))
def test_integers(number: int) -> None:
    read = core.Integer.load(der.integer(number), strict=True)
    assert read.native == number
    assert der.integer(number) == core.Integer(number).dump()


@given(ARCS, st.lists(st.integers(0, 1 << 40), max_size=8))
def test_object_identifiers(head: tuple[int, int], others: list[int]) -> None:
    dotted = ".".join(map(str, (*head, *others)))
    assert core.ObjectIdentifier.load(der.oid(ObjectIdentifier(dotted)), strict=True).dotted == dotted


@given(st.binary(max_size=70_000))
def test_lengths(content: bytes) -> None:
    assert core.OctetString.load(der.tlv(der.OCTETS, content), strict=True).native == content
    assert der.tlv(der.OCTETS, content) == core.OctetString(content).dump()


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_at_their_limits(size: int) -> None:
    assert der.tlv(der.OCTETS, bytes(size)) == core.OctetString(bytes(size)).dump()


@given(st.integers(-631_152_000, 7_258_118_400))
def test_times(seconds: int) -> None:
    """From 1950 to 2200."""
    moment = datetime.fromtimestamp(seconds, UTC)
    kind = core.UTCTime if moment.year < 2050 else core.GeneralizedTime
    assert kind.load(der.time(moment), strict=True).native == moment


@pytest.mark.parametrize("edition", [Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448])
def test_what_nobody_changed_is_written_as_it_was(broken: Trees, edition: Edition) -> None:
    tree = Store(broken[edition])
    for place in tree.places():
        issued = tree.load(place)
        algorithm = Signing(issued.key, issued.certificate.signature_hash_algorithm).algorithm
        draft = Draft.of(issued.certificate)
        written = sign(draft, Signing(issued.key, issued.certificate.signature_hash_algorithm))
        read = x509.load_der_x509_certificate(written)
        assert read.tbs_certificate_bytes == issued.certificate.tbs_certificate_bytes, place
        assert algorithm in written
        oid = read.signature_algorithm_oid
        assert signs(issued.key.public_key(), oid, read.signature, read.tbs_certificate_bytes)
