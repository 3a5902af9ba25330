from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pki import crl
from pki.evidence import GOOD, ISO2, ISO20, Flaw, Source, Standing, Statement, Status, Terms, Unusable
from tests.pki.chains import NOW, Made, build
from tests.pki.signers import KINDS, facts, path_of, signs

PATH, OTHER = path_of("P-256"), path_of("P-256")
LEAF, SUB2 = facts(PATH.leaf), facts(PATH.sub2)
DAY = timedelta(days=1)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
COMPROMISED = crl.Listed(serial=LEAF.serial, at=NOW - DAY, reason=x509.ReasonFlags.key_compromise)
REVOKED = Standing(status=Status.REVOKED, since=NOW - DAY, reason=x509.ReasonFlags.key_compromise)


def listed(*entries: crl.Listed, issuer: Made = PATH.sub2, **changes: Any) -> bytes:
    """A list that is right but for the changes."""
    said: dict[str, Any] = {"number": 7, "this_update": NOW, "next_update": NOW + DAY} | changes
    return crl.build(signs(issuer), entries, **said)


def judge(data: bytes, at: datetime = NOW, terms: Terms = ISO2) -> Statement:
    return crl.read(data).judge(LEAF, SUB2, at, terms)


def flaw(data: bytes, at: datetime = NOW, terms: Terms = ISO2) -> Flaw:
    with pytest.raises(Unusable) as caught:
        judge(data, at, terms)
    assert caught.value.source is Source.CRL
    assert caught.value.detail
    return caught.value.flaw


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_listed_is_revoked_and_nothing_else(kind: str) -> None:
    path = path_of(kind)
    serial = path.leaf.certificate.serial_number
    for entries, standing in (((replace(COMPROMISED, serial=serial),), REVOKED), ((COMPROMISED,), GOOD), ((), GOOD)):
        found = crl.read(listed(*entries, issuer=path.sub2)).judge(facts(path.leaf), facts(path.sub2), NOW)
        assert found == Statement(standing=standing, source=Source.CRL, this_update=NOW, until=NOW + DAY)


def test_a_list_says_its_number_and_no_reason_where_there_is_none() -> None:
    data = listed(crl.Listed(serial=LEAF.serial, at=NOW))
    assert crl.read(data).number == 7
    assert judge(data).standing.reason is None
    assert x509.load_der_x509_crl(data).is_signature_valid(PATH.sub2.key.public_key())


def test_the_same_list_has_the_same_bytes_where_that_is_wanted() -> None:
    assert listed(COMPROMISED, deterministic=True) == listed(COMPROMISED, deterministic=True)


def test_a_list_may_be_pem() -> None:
    pem = x509.load_der_x509_crl(listed(COMPROMISED)).public_bytes(Encoding.PEM)
    assert judge(pem).standing == REVOKED


def test_a_list_is_old_at_its_end_and_not_before() -> None:
    data = listed()
    assert judge(data, NOW + DAY + timedelta(minutes=4)).standing == GOOD
    assert flaw(data, NOW + DAY + timedelta(minutes=6)) is Flaw.STALE
    assert flaw(data, NOW - timedelta(minutes=6)) is Flaw.NOT_YET
    assert flaw(listed(next_update=NOW + 30 * DAY), NOW + 8 * DAY, ISO20) is Flaw.TOO_OLD


def test_a_revocation_for_good_outlives_its_list() -> None:
    """Whoever keeps fresh lists away must not have a certificate count as good again."""
    hold = replace(COMPROMISED, reason=x509.ReasonFlags.certificate_hold)
    for later, terms in ((30 * DAY, ISO2), (8 * DAY, ISO20)):
        assert judge(listed(COMPROMISED), NOW + later, terms).standing == REVOKED
        assert flaw(listed(hold), NOW + later, terms) in (Flaw.STALE, Flaw.TOO_OLD)
    assert flaw(listed(COMPROMISED), NOW - DAY) is Flaw.NOT_YET
    assert flaw(listed(COMPROMISED, issuer=OTHER.sub2), NOW + 30 * DAY) is Flaw.SIGNATURE


def test_a_list_of_another_ca() -> None:
    assert flaw(listed(issuer=PATH.sub1)) is Flaw.OTHER_ISSUER


def test_a_list_of_another_ca_of_the_same_name() -> None:
    """The key identifiers tell them apart where there are some, the signature in any case."""
    assert OTHER.sub2.certificate.subject == PATH.sub2.certificate.subject
    assert flaw(listed(issuer=OTHER.sub2)) is Flaw.SIGNATURE
    own = x509.SubjectKeyIdentifier(b"1" * 20), False
    path = build(sub2={"extensions": (own,)})
    with pytest.raises(Unusable, match="another CA"):
        crl.read(listed(issuer=PATH.sub2)).judge(facts(path.leaf), facts(path.sub2), NOW)


def test_the_key_identifier_is_the_one_its_ca_has() -> None:
    own = x509.SubjectKeyIdentifier(b"12345678"), False
    path = build(sub2={"extensions": (own,)})
    assert crl.read(listed(issuer=path.sub2)).judge(facts(path.leaf), facts(path.sub2), NOW).standing == GOOD


@pytest.mark.parametrize("usage", ["C", None, "s"])
def test_a_ca_that_may_not_sign_lists(usage: str | None) -> None:
    path = build(sub2={"usage": usage})
    with pytest.raises(Unusable) as caught:
        crl.read(listed(issuer=path.sub2)).judge(facts(path.leaf), facts(path.sub2), NOW)
    assert caught.value.flaw is Flaw.SIGNER


def test_a_list_nobody_signed() -> None:
    data = listed()
    unsigned = x509.load_der_x509_crl(data)
    forged = data.replace(unsigned.signature, bytes(len(unsigned.signature)))
    assert flaw(forged) is Flaw.SIGNATURE


def test_a_signature_with_another_hash() -> None:
    assert flaw(built(digest=hashes.SHA512())) is Flaw.SIGNATURE


def built(
    *extensions: tuple[x509.ExtensionType, bool],
    entry: tuple[x509.ExtensionType, bool] | None = None,
    digest: hashes.SHA256 | hashes.SHA512 | None = None,
) -> bytes:
    """A list made without our builder."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(PATH.sub2.certificate.subject)
    builder = builder.last_update(NOW).next_update(NOW + DAY)
    for extension in extensions:
        builder = builder.add_extension(*extension)
    revoked = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(NOW)
    builder = builder.add_revoked_certificate((revoked.add_extension(*entry) if entry else revoked).build())
    return builder.sign(signs(PATH.sub2).key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


def point(**changes: Any) -> tuple[x509.ExtensionType, bool]:
    given: dict[str, Any] = dict.fromkeys(("full_name", "relative_name", "only_some_reasons"))
    given |= dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    return x509.IssuingDistributionPoint(**(given | changes)), True


SOMEWHERE = [x509.UniformResourceIdentifier("http://crl.test/")]
SOME_REASONS = frozenset([x509.ReasonFlags.key_compromise])
NARROW = {
    "delta": (built((x509.DeltaCRLIndicator(6), True)), Flaw.DELTA),
    "delta, not critical": (built((x509.DeltaCRLIndicator(6), False)), Flaw.DELTA),
    "indirect": (built(point(indirect_crl=True)), Flaw.INDIRECT),
    "of CAs only": (built(point(only_contains_ca_certs=True)), Flaw.SCOPE),
    "of leaves only": (built(point(only_contains_user_certs=True)), Flaw.SCOPE),
    "for some reasons": (built(point(only_some_reasons=SOME_REASONS)), Flaw.SCOPE),
    "of one distribution point": (built(point(full_name=SOMEWHERE)), Flaw.SCOPE),
    "critical": (built((UNKNOWN, True)), Flaw.EXTENSION),
    "critical in an entry": (built(entry=(UNKNOWN, True)), Flaw.EXTENSION),
    "entry of another CA": (built(entry=(x509.CertificateIssuer(SOMEWHERE), True)), Flaw.INDIRECT),
}


@pytest.mark.parametrize("case", NARROW)
def test_a_list_that_is_not_complete_or_not_understood(case: str) -> None:
    data, expected = NARROW[case]
    assert flaw(data) is expected


def test_what_is_not_critical_may_be_anything() -> None:
    invalidity = x509.InvalidityDate(NOW.replace(tzinfo=None)), False
    assert judge(built((UNKNOWN, False), entry=invalidity)).standing == GOOD


def test_bytes_that_are_no_list() -> None:
    good = listed(COMPROMISED)
    armored = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    for data in (b"", b"<html>", b"\x30\x80", good[:-1], good + b"\x00", good[: len(good) // 2], armored):
        assert flaw(data) is Flaw.MALFORMED
    assert flaw(b"\x30" * (crl.MOST_BYTES + 1)) is Flaw.SIZE


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert flaw(data) is Flaw.MALFORMED


MUTABLE = [listed(), listed(COMPROMISED), listed(COMPROMISED, replace(COMPROMISED, serial=9))]


@given(st.sampled_from(MUTABLE), st.data())
def test_a_changed_list_says_the_same_or_nothing(good: bytes, data: st.DataObject) -> None:
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = judge(bytes(changed))
    except Unusable:
        return
    assert found == judge(good)
    assert len({x509.load_der_x509_crl(each).tbs_certlist_bytes for each in (good, bytes(changed))}) == 1


def test_every_byte_of_what_is_signed_counts() -> None:
    good = listed(COMPROMISED)
    signed = x509.load_der_x509_crl(good).tbs_certlist_bytes
    start = good.index(signed)
    for place in range(start, start + len(signed)):
        flaw(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])


def test_a_long_list_is_read() -> None:
    entries = [crl.Listed(serial=serial + 1, at=NOW) for serial in range(20_000)]
    data = listed(*entries)
    assert len(data) <= crl.MOST_BYTES
    assert judge(data).standing == GOOD
