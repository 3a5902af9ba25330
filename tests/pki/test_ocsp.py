from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from pki import ocsp as ours
from pki.evidence import GOOD, ISO2, ISO20, UNKNOWN, Flaw, Source, Standing, Statement, Status, Terms, Unusable
from pki.keys import suite_of
from tests.pki.chains import NOW, Made, make
from tests.pki.signers import DELEGATE, KINDS, NO_CHECK, PURPOSE, delegate, facts, path_of, signs

PATH = path_of("P-256")
SIGNER = delegate(PATH.sub2)
LEAF, SUB2 = facts(PATH.leaf), facts(PATH.sub2)
ABOUT = ours.cert_id(LEAF.serial, SUB2.parsed, hashes.SHA256())
DAY = timedelta(days=1)
REVOKED = Standing(status=Status.REVOKED, since=NOW - DAY, reason=x509.ReasonFlags.key_compromise)
UNKNOWN_CRITICAL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def response(signer: Made = SIGNER, standing: Standing = GOOD, **changes: Any) -> bytes:
    """A response that is right but for the changes."""
    said: dict[str, Any] = {"about": ABOUT, "this_update": NOW, "next_update": NOW + DAY}
    said |= {"enclosed": [signer.certificate]} | changes
    return ours.respond(said.pop("about"), standing, signs(signer), **said)


def judge(der: bytes, at: datetime = NOW, terms: Terms = ISO2, nonce: bytes | None = None) -> Statement:
    return ours.judge(der, LEAF, SUB2, at, terms, nonce=nonce)


def flaw(der: bytes, at: datetime = NOW, terms: Terms = ISO2, nonce: bytes | None = None) -> Flaw:
    with pytest.raises(Unusable) as caught:
        judge(der, at, terms, nonce)
    assert caught.value.source is Source.OCSP
    assert caught.value.detail
    return caught.value.flaw


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("standing", [GOOD, REVOKED, UNKNOWN])
@pytest.mark.parametrize("delegated", [True, False])
def test_what_is_said_arrives(kind: str, standing: Standing, delegated: bool) -> None:
    path = path_of(kind)
    signer = delegate(path.sub2, **KINDS[kind]) if delegated else path.sub2
    about = ours.cert_id(path.leaf.certificate.serial_number, path.sub2.certificate, hashes.SHA256())
    der = response(signer, standing, about=about)
    found = ours.judge(der, facts(path.leaf), facts(path.sub2), NOW)
    assert found == Statement(standing=standing, source=Source.OCSP, this_update=NOW, until=NOW + DAY)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_the_hash_of_the_request_is_that_of_the_response(algorithm: hashes.HashAlgorithm) -> None:
    theirs = ocsp.OCSPRequestBuilder().add_certificate(LEAF.parsed, SUB2.parsed, algorithm).build()
    request = ours.read_request(theirs.public_bytes(Encoding.DER))
    assert request.about.fits(LEAF.serial, SUB2.parsed)
    assert not request.about.fits(LEAF.serial + 1, SUB2.parsed)
    assert not request.about.fits(LEAF.serial, PATH.sub1.certificate)
    der = response(about=request.about)
    assert type(ocsp.load_der_ocsp_response(der).hash_algorithm) is type(algorithm)
    assert judge(der).standing == GOOD


@pytest.mark.parametrize("kind", KINDS)
def test_the_hashes_are_those_of_another_implementation(kind: str) -> None:
    path = path_of(kind)
    theirs = ocsp.OCSPRequestBuilder().add_certificate(path.leaf.certificate, path.sub2.certificate, hashes.SHA512())
    request = theirs.build()
    about = ours.cert_id(request.serial_number, path.sub2.certificate, hashes.SHA512())
    assert (about.name_hash, about.key_hash) == (request.issuer_name_hash, request.issuer_key_hash)


def test_a_nonce_travels_both_ways() -> None:
    asked = ours.read_request(ours.ask(LEAF.parsed, SUB2.parsed, nonce=b"sixteen bytes..."))
    assert asked.nonce == b"sixteen bytes..."
    assert judge(response(nonce=asked.nonce), nonce=asked.nonce).standing == GOOD
    assert judge(response(nonce=asked.nonce)).standing == GOOD
    assert ours.read_request(ours.ask(LEAF.parsed, SUB2.parsed)).nonce is None


@pytest.mark.parametrize("sent", [None, b"another nonce..."])
def test_a_nonce_that_does_not_come_back(sent: bytes | None) -> None:
    assert flaw(response(nonce=sent), nonce=b"sixteen bytes...") is Flaw.NONCE


def test_a_request_that_is_none() -> None:
    for data in (b"", b"\x30\x00", b"\x30\x80", b"GET / HTTP/1.1", response()):
        with pytest.raises(ValueError, match="OCSP request"):
            ours.read_request(data)


# --- what a misbehaving responder says (see also the errors of transport in test_fetch) -------------------------------

TIMES: dict[str, tuple[dict[str, Any], Terms, Flaw]] = {
    "expired": ({"this_update": NOW - 2 * DAY, "next_update": NOW - DAY}, ISO2, Flaw.STALE),
    "just expired": ({"this_update": NOW - DAY, "next_update": NOW - timedelta(minutes=6)}, ISO2, Flaw.STALE),
    "of the future": ({"this_update": NOW + timedelta(minutes=6)}, ISO2, Flaw.NOT_YET),
    "ends before it begins": ({"next_update": NOW - DAY}, ISO2, Flaw.MALFORMED),
    "endless and old": ({"this_update": NOW - 2 * DAY, "next_update": None}, ISO2, Flaw.STALE),
    "older than a week": ({"this_update": NOW - 8 * DAY, "next_update": NOW + DAY}, ISO20, Flaw.TOO_OLD),
}


@pytest.mark.parametrize("case", TIMES)
def test_a_response_of_the_wrong_time(case: str) -> None:
    changes, terms, expected = TIMES[case]
    assert flaw(response(**changes), terms=terms) is expected


@pytest.mark.parametrize("case", TIMES)
def test_a_revocation_for_good_outlives_its_response(case: str) -> None:
    """Whoever keeps fresh responses away must not have a certificate count as good again."""
    changes, terms, expected = TIMES[case]
    hold = Standing(status=Status.REVOKED, since=NOW - DAY, reason=x509.ReasonFlags.certificate_hold)
    assert flaw(response(standing=hold, **changes), terms=terms) is expected
    told = response(standing=REVOKED, **changes)
    if expected in (Flaw.STALE, Flaw.TOO_OLD):
        assert judge(told, terms=terms).standing == REVOKED
    else:
        assert flaw(told, terms=terms) is expected


def test_a_signer_is_proved_once_and_its_validity_every_time() -> None:
    read = ours.read_response(response(delegate(PATH.sub2, days=(-10, 0.5)), next_update=NOW + 2 * DAY))
    assert read.judge(LEAF, SUB2, NOW).standing == GOOD
    assert list(read.proved) == [SUB2.der]
    with pytest.raises(Unusable, match="not valid at the time"):
        read.judge(LEAF, SUB2, NOW + DAY)
    with pytest.raises(Unusable, match="signer"):
        ours.read_response(response(delegate(OTHER.sub2))).judge(LEAF, SUB2, NOW)
    twin = facts(OTHER.sub2)
    with pytest.raises(Unusable, match="another certificate"):
        read.judge(LEAF, twin, NOW)
    assert list(read.proved) == [SUB2.der]


def test_clocks_may_differ_a_little() -> None:
    for moment in (NOW - timedelta(minutes=4), NOW + DAY + timedelta(minutes=4)):
        assert judge(response(), at=moment).standing == GOOD


def test_until_when_a_word_counts() -> None:
    assert judge(response(next_update=NOW + 30 * DAY)).until == NOW + 30 * DAY
    assert judge(response(next_update=NOW + 30 * DAY), terms=ISO20).until == NOW + 7 * DAY
    assert judge(response(next_update=None)).until == NOW + DAY


OTHER = path_of("P-256")
CLIENT = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
BOTH = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH]), False)
SIGNERS = {
    "of another CA": delegate(OTHER.sub2),
    "of the CA above": delegate(PATH.sub1),
    "of itself": make(DELEGATE),
    "the root": PATH.root,
    "another leaf of the CA": PATH.leaf,
    "without purpose": delegate(PATH.sub2, extensions=(NO_CHECK,)),
    "for something else": delegate(PATH.sub2, extensions=(NO_CHECK, CLIENT)),
    "for something else, too": delegate(PATH.sub2, extensions=(NO_CHECK, BOTH)),
    "without nocheck": delegate(PATH.sub2, extensions=(PURPOSE,)),
    "with a critical extension": delegate(PATH.sub2, extensions=(PURPOSE, NO_CHECK, (UNKNOWN_CRITICAL, True))),
    "a CA": delegate(PATH.sub2, ca=True),
    "without key usage": delegate(PATH.sub2, usage=None),
    "whose key may not sign": delegate(PATH.sub2, usage="a"),
    "expired": delegate(PATH.sub2, days=(-10, -1)),
    "not yet valid": delegate(PATH.sub2, days=(1, 10)),
}


@pytest.mark.parametrize("who", SIGNERS)
def test_a_signer_who_may_not(who: str) -> None:
    assert flaw(response(SIGNERS[who])) is Flaw.SIGNER


def test_a_signer_of_another_branch_with_the_same_name() -> None:
    """Issuers may share a name: the key decides."""
    assert OTHER.sub2.certificate.subject == PATH.sub2.certificate.subject
    assert flaw(response(OTHER.sub2, enclosed=[])) is Flaw.SIGNER


def test_a_signer_that_is_not_enclosed() -> None:
    assert flaw(response(enclosed=[])) is Flaw.SIGNER
    assert flaw(response(enclosed=[delegate(PATH.sub2).certificate])) is Flaw.SIGNER


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_of_another_key(kind: str) -> None:
    impostor = delegate(PATH.sub2, **KINDS[kind])
    der = suite_of(impostor.key).sign(built(impostor), signs(impostor).key).public_bytes(Encoding.DER)
    assert flaw(der) is Flaw.SIGNATURE


def test_a_signature_with_another_hash() -> None:
    for digest in (hashes.SHA384(), hashes.SHA512()):
        assert flaw(built().sign(SIGNER.key, digest).public_bytes(Encoding.DER)) is Flaw.SIGNATURE


def test_a_response_about_another_certificate() -> None:
    for about in (
        ours.cert_id(LEAF.serial + 1, SUB2.parsed, hashes.SHA256()),
        ours.cert_id(LEAF.serial, PATH.sub1.certificate, hashes.SHA256()),
        ours.cert_id(LEAF.serial, OTHER.sub2.certificate, hashes.SHA256()),
    ):
        assert flaw(response(about=about)) is Flaw.OTHER_CERTIFICATE


@pytest.mark.parametrize("status", [each for each in ocsp.OCSPResponseStatus if each.value])
def test_a_responder_that_does_not_answer(status: ocsp.OCSPResponseStatus) -> None:
    assert flaw(ours.decline(status)) is Flaw.NO_ANSWER


def built(signer: Made = SIGNER) -> ocsp.OCSPResponseBuilder:
    """A response made without our builder, with the right signer's certificate whoever is to sign."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        LEAF.parsed, SUB2.parsed, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, NOW, NOW + DAY, None, None
    )
    return builder.responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate).certificates([SIGNER.certificate])


@pytest.mark.parametrize("critical", [True, False])
def test_an_extension_nobody_knows(critical: bool) -> None:
    der = built().add_extension(UNKNOWN_CRITICAL, critical=critical)
    made = der.sign(SIGNER.key, hashes.SHA256()).public_bytes(Encoding.DER)
    if critical:
        assert flaw(made) is Flaw.EXTENSION
    else:
        assert judge(made).standing == GOOD


def test_bytes_that_are_no_response() -> None:
    good = response()
    for data in (b"", b"<html>", b"\x30\x80", good[:-1], good + b"\x00", good[: len(good) // 2]):
        assert flaw(data) is Flaw.MALFORMED
    assert flaw(b"\x30" * (ours.MOST_BYTES + 1)) is Flaw.SIZE


def test_whom_a_response_is_about() -> None:
    assert ours.read_response(response()).about.serial == LEAF.serial
    for data in (b"", ours.decline(ocsp.OCSPResponseStatus.TRY_LATER)):
        with pytest.raises(Unusable):
            ours.read_response(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert flaw(data) in {Flaw.MALFORMED, Flaw.NO_ANSWER}


MUTABLE = {standing.status: response(standing=standing, nonce=b"n" * 16) for standing in (GOOD, REVOKED, UNKNOWN)}


@given(st.sampled_from(sorted(MUTABLE)), st.data())
def test_a_changed_response_says_the_same_or_nothing(status: Status, data: st.DataObject) -> None:
    good = MUTABLE[status]
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = judge(bytes(changed), nonce=b"n" * 16)
    except Unusable:
        return
    assert found == judge(good)
    signed = {ocsp.load_der_ocsp_response(each).tbs_response_bytes for each in (good, bytes(changed))}
    assert len(signed) == 1


def test_every_byte_of_what_is_signed_counts() -> None:
    good = response()
    signed = ocsp.load_der_ocsp_response(good).tbs_response_bytes
    start = good.index(signed)
    for place in range(start, start + len(signed)):
        flaw(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
