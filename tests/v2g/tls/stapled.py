"""Chains that are valid today, and what a station may staple to them: right, or wrong in one point."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp as x509_ocsp

from pki import ocsp
from pki.evidence import GOOD, UNKNOWN, Standing, Status
from tests.certificates import VALID
from tests.pki.chains import Made, Path, build
from tests.pki.signers import KINDS, LONG, PURPOSE, delegate, signs
from tests.pki.site import Site, named
from v2g.tls.identity import Identity

DAY = timedelta(days=1)
TIERS = ("root", "sub1", "sub2", "leaf")
EDITIONS = {"P-256": "iso2", "P-521": "iso20", "Ed448": "iso20-ed448"}
STOLEN = Standing(status=Status.REVOKED, since=datetime(2026, 1, 1, tzinfo=UTC), reason=x509.ReasonFlags.key_compromise)


def path(kind: str = "P-256", role: str = "secc", name: str = "") -> Path:
    """The path of a kind of key for a role, valid today; another name gives another path that looks the same."""
    return _path(kind, role, name)


@cache
def _path(kind: str, role: str, _name: str) -> Path:
    return build(role, EDITIONS[kind], **{tier: {"days": VALID} for tier in TIERS})


def naming(site: Site) -> Path:
    """A path whose leaf names the responder of a site."""
    tiers: dict[str, dict[str, Any]] = {tier: {"days": VALID} for tier in TIERS}
    tiers["leaf"] |= {"extensions": named(site, lists=False)}
    return build("secc", **tiers)


def identity(of: Path) -> Identity:
    """What the holder of a path shows in TLS."""
    return Identity.of(of.chain, signs(of.leaf).key, of.root.der)


@cache
def signer(kind: str, **changes: Any) -> Made:
    """The signer that Sub 2 of a path appointed."""
    return delegate(path(kind).sub2, days=LONG, **KINDS[kind] | changes)


def response(kind: str = "P-256", standing: Standing = GOOD, **changes: Any) -> bytes:
    """A response about the leaf of a path that is right now but for the changes."""
    now = datetime.now(UTC)
    by: Made = changes.pop("signer", None) or signer(kind)
    about = ocsp.cert_id(path(kind).leaf.certificate.serial_number, path(kind).sub2.certificate, hashes.SHA256())
    said: dict[str, Any] = {"about": about, "this_update": now - DAY / 24, "next_update": now + DAY}
    said |= {"enclosed": [by.certificate]} | changes
    return ocsp.respond(said.pop("about"), standing, signs(by), **said)


def wrong(kind: str) -> dict[str, bytes]:
    """What may not be relied upon, by what is wrong with it."""
    now, of, stranger = datetime.now(UTC), path(kind), path(kind, name="stranger")
    good = response(kind)
    return {
        "expired": response(kind, this_update=now - 2 * DAY, next_update=now - DAY),
        "of tomorrow": response(kind, this_update=now + DAY, next_update=now + 2 * DAY),
        "signed by a stranger": response(kind, signer=delegate(stranger.sub2, days=LONG, **KINDS[kind])),
        "signed by Sub 1": response(kind, signer=of.sub1),
        "signed by one who may not": response(kind, signer=delegate(of.sub2, days=LONG, **KINDS[kind], extensions=())),
        "signed by one whose standing is open": response(
            kind, signer=delegate(of.sub2, days=LONG, **KINDS[kind], extensions=(PURPOSE,))
        ),
        "changed on its way": _turned(good),
        "no answer": ocsp.decline(x509_ocsp.OCSPResponseStatus.TRY_LATER),
    }


def misplaced() -> dict[str, bytes]:
    """What is no response at all, or to another question: the OpenSSL below us does not staple it, others may."""
    of = path()
    other = ocsp.cert_id(of.leaf.certificate.serial_number + 1, of.sub2.certificate, hashes.SHA256())
    return {
        "about another certificate": response(about=other),
        "cut": response()[:-20],
        "garbage": bytes(range(256)),
        "too long": bytes(ocsp.MOST_BYTES + 1),
    }


def _turned(der: bytes) -> bytes:
    """Change one bit of a response's time, which its signature covers."""
    place = der.index(b"\x18\x0f20") + 15
    return der[:place] + bytes([der[place] ^ 1]) + der[place + 1 :]


UNUSABLE = tuple(wrong("P-256"))
SAID = {"good": GOOD, "revoked": STOLEN, "unknown": UNKNOWN}
