"""What a station may not start with."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.certificates import VALID
from tests.pki.chains import EDITIONS, make
from tests.pki.signers import signs
from tests.v2g.tls.chains import DAY, NOW, chain
from v2g.tls.client_hello import Identifier, TrustedAuthority
from v2g.tls.context import BadIdentity, Identity, server_context
from v2g.tls.identity import cert_sha1

GOOD = chain()


def test_a_good_identity_passes() -> None:
    GOOD.identity.check()
    server_context(GOOD.identity)


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (Identity((), GOOD.key), "0 certificates; give leaf"),
        (Identity((b"no certificate",), GOOD.key), "certificate 1 of the chain is no X.509 certificate"),
        (Identity(GOOD.der, chain("other").key), "private key does not belong to the leaf"),
        (Identity((*GOOD.der, GOOD.root), GOOD.key), "4 certificates"),
        (Identity((GOOD.der[0], chain("other").der[1]), GOOD.key), "V2G SECC is not issued by CN=other Sub2"),
        (Identity((GOOD.der[0], GOOD.der[2], GOOD.der[1]), GOOD.key), "order: leaf, Sub 2, Sub 1"),
        (Identity(GOOD.der[1:], GOOD.key), "private key does not belong"),
        (chain("p384", curve=ec.SECP384R1).identity, "leaf key is not on secp256r1"),
        (Identity(GOOD.der, ec.generate_private_key(ec.SECP384R1())), "private key is not on secp256r1"),
        (chain("old", begins=NOW - 2 * DAY, ends=NOW - timedelta(hours=1)).identity, "CN=old SECC expired .* issue a"),
        (chain("new", begins=NOW + timedelta(hours=1)).identity, "CN=new SECC is not valid before .* set the clock"),
    ],
)
def test_a_bad_identity_is_refused_with_its_remedy(identity: Identity, text: str) -> None:
    with pytest.raises(BadIdentity, match=text):
        server_context(chain("first").identity, identity)


def test_the_root_is_left_out() -> None:
    short = Identity((chain("root").root,), chain("root").root_key)
    with pytest.raises(BadIdentity, match="contains the root CN=root Root; leave it out"):
        short.check()


def test_roots_are_known_by_hash_and_name(tmp_path: Path) -> None:
    """Hashes as the openssl command line has them."""
    root = tmp_path / "root.der"
    root.write_bytes(GOOD.root)
    shown = _openssl("x509", "-inform", "DER", "-in", str(root), "-noout", "-fingerprint", "-sha1").decode()
    fingerprint = bytes.fromhex(shown.split("=")[1].replace(":", ""))
    spki = _openssl("x509", "-inform", "DER", "-in", str(root), "-noout", "-pubkey")
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=spki, capture_output=True, check=True
    ).stdout
    point = der[-65:]  # the subject public key of P-256: 04, x, y
    assert {
        TrustedAuthority(Identifier.CERT_SHA1, fingerprint),
        TrustedAuthority(Identifier.KEY_SHA1, hashlib.sha1(point).digest()),
        TrustedAuthority(Identifier.X509_NAME, GOOD.certificates[-1].subject.public_bytes()),
        TrustedAuthority(Identifier.X509_NAME, GOOD.certificates[1].subject.public_bytes()),
    } <= GOOD.identity.authorities()


def test_without_its_root_the_name_is_known_still() -> None:
    name = TrustedAuthority(Identifier.X509_NAME, GOOD.certificates[-1].subject.public_bytes())
    assert name in Identity(GOOD.der, GOOD.key).authorities()


def _openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def test_a_private_operators_root_goes_with_the_leaf_it_signed() -> None:
    """[V2G2-868] [V2G2-872]; a root that is not the leaf's issuer, or stands above Sub-CAs, stays out."""
    specs = {tier: replace(spec, days=VALID) for tier, spec in EDITIONS["iso2"]["secc"].items()}
    root = make(specs["root"])
    leaf = make(specs["leaf"], root)
    pair = Identity.of((leaf.der, root.der), signs(leaf).key)
    pair.check()
    assert pair.private
    assert cert_sha1(root.der) in pair.authorities()
    server_context(pair)
    assert not Identity.of((leaf.der,), signs(leaf).key).private
    assert not GOOD.identity.private
    other = make(specs["root"])
    with pytest.raises(BadIdentity, match="is not issued by"):
        Identity.of((leaf.der, other.der), signs(leaf).key).check()
    sub2 = make(specs["sub2"], root)
    below = make(specs["leaf"], sub2)
    with pytest.raises(BadIdentity, match=r"contains the root .*CN=Root; leave it out"):
        Identity.of((below.der, sub2.der, root.der), signs(below).key).check()
