"""What is told about the revocation of a leaf or a Sub2, rightly or wrongly; the certificates are as they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki import crl, ocsp
from pki.evidence import GOOD, Signer, Standing, Status
from pki.faults.fault import LEAF, Fault
from pki.faults.making import Making
from pki.issue import Issued, issue
from pki.profiles import Tier, profile
from pki.tree import Entry
from v2g.trust import Rule

_REVOKED = ("V2G2-885", "RFC 5280 6.3")
_OCSP = ("RFC 6960 3.2", "V2G20-2411")
_STAPLED = ("RFC 6960 4.2.2.1", "V2G20-1021")
_SIGNED = ("RFC 6960 4.2.2.2", "V2G20-2327")
Evidence = Callable[[Making], Mapping[str, bytes]]


def _below(making: Making, tier: Tier) -> tuple[x509.Certificate, Issued]:
    """The certificate of a tier, and its issuer with its key."""
    above = making.path.tiers[making.path.tiers.index(tier) - 1]
    return x509.load_der_x509_certificate(making.links[tier].der), making.path.issued(above)


def _revoked(making: Making) -> Standing:
    reason = x509.ReasonFlags.key_compromise
    return Standing(status=Status.REVOKED, since=making.days(-1), reason=reason)


def _good(_making: Making) -> Standing:
    return GOOD


def _unknown(_making: Making) -> Standing:
    return Standing(status=Status.UNKNOWN)


def _itself(_making: Making, issuer: Issued) -> Signer:
    return issuer


def _delegate(making: Making, issuer: Issued, **changes: Any) -> Issued:
    """A signer of responses below a CA, made for this one response."""
    row = replace(profile(f"{making.row.branch}-ocsp", making.edition), **changes)
    ca = Entry(profile=row, name="ca", common_name="ca", organization="", country="", days=1)
    entry = Entry(
        profile=row, name="ocsp", common_name="OCSP", organization="Test", country="", days=row.days, issuer=ca
    )
    return issue(entry, issuer, making.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    """How a response is made: `days` are those of thisUpdate and nextUpdate, counted from now."""

    standing: Callable[[Making], Standing] = _good
    days: tuple[float, float] = (-0.5, 6)
    signer: Callable[[Making, Issued], Signer] = _itself
    enclosed: bool = False
    other_serial: bool = False

    def __call__(self, making: Making) -> Mapping[str, bytes]:
        certificate, issuer = _below(making, making.tier or Tier.LEAF)
        serial = certificate.serial_number + self.other_serial
        signer = self.signer(making, issuer)
        data = ocsp.respond(
            ocsp.cert_id(serial, issuer.certificate, hashes.SHA256()),
            self.standing(making),
            signer,
            this_update=making.days(self.days[0]),
            next_update=making.days(self.days[1]),
            enclosed=[signer.certificate] if self.enclosed else [],
        )
        return {"ocsp.der": data}


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """How a list is made; `flipped` turns a bit of its signature."""

    revoked: bool = False
    days: tuple[float, float] = (-0.5, 6)
    flipped: bool = False

    def __call__(self, making: Making) -> Mapping[str, bytes]:
        certificate, issuer = _below(making, making.tier or Tier.LEAF)
        entry = crl.Listed(serial=certificate.serial_number, at=making.days(-1), reason=x509.ReasonFlags.key_compromise)
        data = crl.build(
            issuer,
            [entry] if self.revoked else [],
            number=1,
            this_update=making.days(self.days[0]),
            next_update=making.days(self.days[1]),
        )
        return {"list.crl": data[:-1] + bytes([data[-1] ^ self.flipped])}


def _both(making: Making) -> Mapping[str, bytes]:
    return {**_Response(standing=_revoked)(making), **_List(revoked=True)(making)}


def _stranger(making: Making, _issuer: Issued) -> Signer:
    """Somebody of the name of the issuer, with another key: as the issuer of that one certified him."""
    tier = making.path.tiers[making.path.tiers.index(making.tier or Tier.LEAF) - 1]
    above = making.path.tiers[making.path.tiers.index(tier) - 1]
    key = making.suite.generate()
    link = making.issue(tier, making.links[above], key=key)
    return Issued(x509.load_der_x509_certificate(link.der), key)


def _told(
    name: str, reason: str, requirement: tuple[str, ...], rule: Rule | None, evidence: Evidence, **how: Any
) -> Fault:
    given: dict[str, Any] = {"tiers": LEAF, "revocation": "hard"} | how
    return Fault(name=name, reason=reason, requirement=requirement, rule=rule, evidence=evidence, **given)


FAULTS = (
    _told(
        "revoked",
        "it is revoked, as list and OCSP response say",
        _REVOKED,
        Rule.REVOKED,
        _both,
        tiers=(Tier.LEAF, Tier.SUB2),
        revocation="soft",
    ),
    _told("revoked-by-list", "it is revoked, as a list says", _REVOKED, Rule.REVOKED, _List(revoked=True)),
    _told(
        "revoked-by-ocsp",
        "it is revoked, as an OCSP response says",
        _REVOKED,
        Rule.REVOKED,
        _Response(standing=_revoked),
    ),
    _told("ocsp-good", "it is good, as an OCSP response says", _OCSP, None, _Response()),
    _told(
        "ocsp-good-by-delegate",
        "it is good, as a signer says whom its issuer named for that",
        _SIGNED,
        None,
        _Response(signer=_delegate, enclosed=True),
    ),
    _told("list-good", "it is on no list", _REVOKED, None, _List()),
    _told("ocsp-unknown", "its responder does not know it", _OCSP, Rule.REVOCATION, _Response(standing=_unknown)),
    _told("no-evidence", "nobody says whether it is revoked", _OCSP, Rule.REVOCATION, lambda _: {}),
    _told(
        "ocsp-expired",
        "its OCSP response was to be renewed two days ago",
        _STAPLED,
        Rule.REVOCATION,
        _Response(days=(-5, -2)),
    ),
    _told(
        "ocsp-future",
        "its OCSP response is of next week",
        _STAPLED,
        Rule.REVOCATION,
        _Response(days=(7, 9)),
    ),
    _told(
        "ocsp-wrong-signer",
        "somebody else signed its OCSP response in the name of its issuer",
        _SIGNED,
        Rule.REVOCATION,
        _Response(signer=_stranger, enclosed=True),
    ),
    _told(
        "ocsp-signer-without-purpose",
        "the signer of its OCSP response is not named for that",
        _SIGNED,
        Rule.REVOCATION,
        _Response(signer=lambda m, i: _delegate(m, i, purposes=frozenset()), enclosed=True),
    ),
    _told(
        "ocsp-other-certificate",
        "its OCSP response is about another certificate",
        _OCSP,
        Rule.REVOCATION,
        _Response(other_serial=True),
    ),
    _told("list-expired", "its list was to be renewed two days ago", _REVOKED, Rule.REVOCATION, _List(days=(-5, -2))),
    _told(
        "list-unsigned",
        "one bit of the signature of its list is turned",
        _REVOKED,
        Rule.REVOCATION,
        _List(flipped=True),
    ),
)
