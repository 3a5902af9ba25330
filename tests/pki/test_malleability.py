"""Anybody can make a second certificate of an ECDSA one without a key: s becomes n - s. It changes nothing.

What was signed is the same, and nothing of ours is decided by a hash over the whole certificate.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from evcc import wallet
from evcc.wallet import Contract
from pki import crl, known, ocsp
from pki.cache import Cache
from pki.certificate import Certificate, read
from pki.evidence import Standing, Status
from pki.keys import P256
from pki.profiles import Edition
from pki.revocation import Mode, Revocation
from pki.validate import Policy, validate
from tests.pki import by_hand
from tests.pki.chains import NOW, build
from tests.pki.signers import delegate, signs
from v2g.trust import Role, Rule, Verdict

ORDERS = {"iso2": ec.SECP256R1().group_order, "iso20": ec.SECP521R1().group_order}
ED448_ORDER = 2**446 - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)


def twin(der: bytes, edition: str = "iso2") -> bytes:
    """The other certificate of the same signed part."""
    parsed = x509.load_der_x509_certificate(der)
    r, s = decode_dss_signature(parsed.signature)
    other = encode_dss_signature(r, ORDERS[edition] - s)
    algorithm = by_hand.ECDSA_SHA256 if edition == "iso2" else by_hand.ECDSA_SHA512
    return by_hand.tlv(0x30, parsed.tbs_certificate_bytes, algorithm, by_hand.tlv(3, b"\x00", other))


def judge(edition: str, chain: list[bytes], anchors: list[bytes]) -> Verdict:
    return validate(chain, Role.SECC, anchors, NOW, Policy(editions=(Edition(edition),)))


@pytest.mark.parametrize("edition", ORDERS)
def test_a_twin_gets_the_same_verdict(edition: str) -> None:
    path = build("secc", edition)
    usual = judge(edition, path.chain, path.anchors)
    assert usual
    every = [*path.chain, *path.anchors]
    for places in (places for number in range(5) for places in combinations(range(4), number)):
        mixed = [twin(der, edition) if place in places else der for place, der in enumerate(every)]
        assert len(set(mixed) - set(every)) == len(places)
        assert judge(edition, mixed[:3], mixed[3:]) == usual


def test_a_twin_is_refused_for_the_same_reason() -> None:
    for changes in ({"leaf": {"days": (-10, -1)}}, {"leaf": {"dc": ("CPS",)}}, {"sub2": {"path_length": 1}}):
        path = build(**changes)
        twins = [twin(der) for der in path.chain]
        assert judge("iso2", twins, path.anchors) == judge("iso2", path.chain, path.anchors)


def test_ed448_has_no_twins() -> None:
    """The second half is smaller than the order (RFC 8032 5.2.7)."""
    path = build("secc", "iso20-ed448")
    parsed = path.leaf.certificate
    point, s = parsed.signature[:57], int.from_bytes(parsed.signature[57:], "little")
    for other in (s + ED448_ORDER, ED448_ORDER - s):
        signature = point + other.to_bytes(57, "little")
        leaf = by_hand.tlv(0x30, parsed.tbs_certificate_bytes, by_hand.ED448, by_hand.tlv(3, b"\x00", signature))
        verdict = judge("iso20-ed448", [leaf, *path.chain[1:]], path.anchors)
        assert verdict.broken is Rule.SIGNATURE


def test_no_other_form_of_a_signature() -> None:
    """r and s in range, in as few bytes as they need."""
    path = build()
    parsed = path.leaf.certificate
    r, s = decode_dss_signature(parsed.signature)
    order, integer = ORDERS["iso2"], by_hand.integer
    wide = by_hand.tlv(2, b"\x00\x00" + s.to_bytes(32))
    for content in (
        *(integer(r) + integer(s + order), integer(r + order) + integer(s), integer(r) + integer(-s)),
        *(integer(r) + wide, integer(r) + integer(s) + b"\x05\x00", integer(0) + integer(s), integer(r) + integer(0)),
    ):
        signature = by_hand.tlv(3, b"\x00", by_hand.tlv(0x30, content))
        leaf = by_hand.tlv(0x30, parsed.tbs_certificate_bytes, by_hand.ECDSA_SHA256, signature)
        assert judge("iso2", [leaf, *path.chain[1:]], path.anchors).broken is Rule.SIGNATURE, content.hex()


def test_a_twin_of_what_is_revoked_is_revoked() -> None:
    path = build()
    issuer = read(path.sub2.der)
    about = ocsp.cert_id(path.leaf.certificate.serial_number, path.sub2.certificate, hashes.SHA256())
    stolen = Standing(status=Status.REVOKED, since=NOW, reason=x509.ReasonFlags.key_compromise)
    by = delegate(path.sub2)
    entry = crl.Listed(serial=path.leaf.certificate.serial_number, at=NOW, reason=x509.ReasonFlags.key_compromise)
    evidence = (
        crl.build(signs(path.sub2), [entry], number=1, this_update=NOW, next_update=NOW + DAY),
        ocsp.respond(about, stolen, signs(by), this_update=NOW, next_update=NOW + DAY, enclosed=[by.certificate]),
    )
    for piece in evidence:
        cache = Cache()
        cache.add(piece)
        policy = Policy(revocation=Revocation(Mode.SOFT, cache))
        for leaf in (path.chain[0], twin(path.chain[0])):
            for sub2 in (path.chain[1], twin(path.chain[1])):
                verdict = validate([leaf, sub2, path.chain[2]], Role.SECC, path.anchors, NOW, policy)
                assert verdict.broken is Rule.REVOKED
    assert issuer.names(read(path.sub1.der))


def test_a_twin_takes_the_place_of_a_contract(tmp_path: Path) -> None:
    """The wallet keeps one of each EMAID."""
    path = build("contract")
    assert P256.fits(path.leaf.key)
    for chain in (path.chain, [twin(der) for der in path.chain]):
        verdict = validate(chain, Role.CONTRACT, path.anchors, NOW)
        key = P256.generate()
        kept = wallet.keep(tmp_path, Contract(emaid=verdict.subject, chain=chain, key=key))
        assert list(tmp_path.glob("*.pem")) == [kept]


def test_what_is_remembered_of_a_ca_is_remembered_of_its_bytes_alone() -> None:
    """A twin is looked at anew, and a wrong one has nothing of what is known of the right one."""
    path = build()
    assert judge("iso2", path.chain, path.anchors)
    for place in (1, 2):
        wrong = list(path.chain)
        wrong[place] = wrong[place][:-1] + bytes([wrong[place][-1] ^ 1])
        assert judge("iso2", wrong, path.anchors).broken is Rule.SIGNATURE
    right: Certificate = known.authority(path.sub2.der)
    assert known.authority(twin(path.sub2.der)).parsed.tbs_certificate_bytes == right.parsed.tbs_certificate_bytes
    assert known.issued(path.sub2.der, path.sub1.der)
    assert not known.issued(path.sub2.der, path.root.der)
    assert judge("iso2", path.chain, path.anchors)


# Where a hash over more than a name or a key is made by those who trust, or by what they use, and why that is harmless.
HASHES = {
    "secc/authorization.py": "names and keys of issuers, which a backend asks responders with",
    "secc/visit.py": "an EMAID",
    "evcc/result.py": "the report of a session, for people",
    "secc/staples.py": "names the file of our own certificate's OCSP response",
    "pki/ocsp.py": "names and keys of issuers",
    "pki/issue.py": "seeds of fixtures",
    "pki/manifest.py": "whether a file of a tree was changed",
}
RELYING = ("secc", "evcc", "pki")
ELSEWHERE = ("pki/serve", "pki/layouts", "pki/faults", "pki/lint", "pki/report", "pki/contract", "pki/doctor")
HASHING = re.compile(r"\bsha\d+\(|\bHash\(|\.fingerprint\(|\bblake2|\bmd5\(|hashlib\.")


def test_nothing_hangs_on_a_hash_of_a_certificate() -> None:
    """Whoever adds one says here why it may stay."""
    found = {
        name
        for room in RELYING
        for path in (ROOT / room).rglob("*.py")
        if HASHING.search(path.read_text(encoding="utf-8"))
        and not (name := path.relative_to(ROOT).as_posix()).startswith(ELSEWHERE)
    }
    assert found - {"pki/keys.py"} <= set(HASHES), found
