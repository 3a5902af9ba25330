"""The rules for a certificate and its issuer, wherever both lie: signature, names, key identifiers, dates, roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509

from pki.ancestry import TRIED
from pki.certificate import Certificate, signed_by
from pki.lint.finding import Remark
from pki.profiles import Profile, Tier

_HIGHEST = 8  # issuers above each other whose path lengths are looked at


@dataclass(slots=True, eq=False)
class Known:
    """A certificate with the row it is judged by and where it is, for people; `issuer` is found among the others."""

    certificate: Certificate
    label: str
    row: Profile | None = None
    issuer: Known | None = None


class Register:
    """All certificates there are, by the names they have; `read` finds names written otherwise, too."""

    def __init__(self, known: Sequence[Known]) -> None:
        self.named: dict[bytes, list[Known]] = defaultdict(list)
        self.read: dict[x509.Name, list[Known]] = defaultdict(list)
        for one in known:
            self.named[one.certificate.subject].append(one)
            self.read[one.certificate.parsed.subject].append(one)


def link(known: Known, register: Register) -> Iterator[Remark]:
    """Judge a certificate with its issuer, or find out why it has none."""
    if known.issuer is not None:
        yield from _dates(known, known.issuer)
        yield from _roles(known, known.issuer)
        yield from _kinds(known, known.issuer)
        yield from _path_length(known)
        return
    own = known.certificate
    if own.subject == own.issuer:
        return  # a root, whose profile asks for its signature, or one that pretends to be
    candidates = [one for one in register.named.get(own.issuer, ()) if one is not known and one.certificate.ca]
    for one in candidates[:TRIED]:
        if signed_by(own.parsed, one.certificate.parsed):
            text = f"{one.label} signed it, but it names another key"
            yield Remark("chain-key-id", text, "extensions.authorityKeyIdentifier")
            return
    for one in candidates:
        if own.names(one.certificate):
            yield unsigned(one)
            return
    others = register.read.get(own.parsed.issuer, ())
    if not candidates and others:
        text = f"the name is that of {others[0].label}, but its bytes are others"
        yield Remark("chain-name", text, "issuer")


def unsigned(issuer: Known) -> Remark:
    """Say that the issuer a certificate names did not sign it."""
    return Remark("chain-signature", f"{issuer.label}, which it names as its issuer, did not sign it", "signatureValue")


def _dates(known: Known, issuer: Known) -> Iterator[Remark]:
    own, above = known.certificate, issuer.certificate
    if own.not_after > above.not_after:
        ends = f"{own.not_after:%Y-%m-%d %H:%M}, its issuer, {issuer.label}, {above.not_after:%Y-%m-%d %H:%M}"
        text = f"it ends {ends} UTC"
        yield Remark("chain-nesting", text, "validity.notAfter")
    if own.not_before < above.not_before:
        yield Remark("chain-nesting", f"it begins before its issuer, {issuer.label}", "validity.notBefore")


def _roles(known: Known, issuer: Known) -> Iterator[Remark]:
    row, above = known.row, issuer.row
    if row is None or above is None or row.tier is Tier.ROOT or above.role in row.issuers:
        return
    if above.tier is Tier.CROSS:
        return  # it stands for the root whose name and key it has
    yield Remark("chain-issuer", f"a {row.role} is issued by {above.role}, {issuer.label}", "issuer")


def _kinds(known: Known, issuer: Known) -> Iterator[Remark]:
    row, above = known.row, issuer.row
    if row is None or above is None:
        return
    if row.suite is not above.suite:
        text = f"its key is on {row.suite.name}, that of its issuer on {above.suite.name}"
        yield Remark("chain-curves", text, "subjectPublicKeyInfo")


def _path_length(known: Known) -> Iterator[Remark]:
    """Look upwards: CAs between count, the certificate itself only if it is a CA (RFC 5280 4.2.1.9)."""
    if not known.certificate.ca:
        return
    between = 0
    below, above = known, known.issuer
    for _ in range(_HIGHEST):
        if above is None:
            return
        between += below.certificate.subject != below.certificate.issuer
        limit = above.certificate.path_length
        if limit is not None and between > limit:
            text = f"it is the CA number {between} below {above.label}, whose path length is {limit}"
            yield Remark("chain-path-length", text, "extensions.basicConstraints")
            return
        below, above = above, above.issuer
