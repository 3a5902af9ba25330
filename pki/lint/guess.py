"""What is a foreign certificate meant to be? Every row of the profile table gets points for what speaks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.certificate import Certificate
from pki.options import DEFAULT, Options
from pki.profiles import Branch, Edition, Profile, Tier, profile, profiles
from v2g import identifiers
from v2g.identifiers import BadIdentifier
from v2g.trust import Role

_READERS: Mapping[str, tuple[Callable[[str], str], ...]] = {
    Role.SECC: (identifiers.evse_id, identifiers.secc_id),
    Role.CONTRACT: (identifiers.emaid,),
    Role.OEM_PROVISIONING: (identifiers.pcid,),
}
_OWN_KINDS = (Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448)
_NEAR = 3
"""Points between rows that are too few to tell them apart: less than a DC has."""
_WORDS = {Branch.CPO: ("CPO", "CSO"), Branch.MO: ("MO", "EMSP"), Branch.PRIVATE: ("PRIVATE", "PE")}


@dataclass(frozen=True, slots=True)
class Taken:
    """The row a certificate is judged by, None if no row comes near; `why` names what spoke for it."""

    row: Profile | None
    why: str


@dataclass(frozen=True, slots=True)
class Clue:
    """What speaks for a row (points above 0) or against it."""

    points: int
    text: str


def edition_of(certificate: Certificate) -> Edition | None:
    """Return the edition whose keys are of the certificate's kind; None for a key of no edition."""
    for edition in _OWN_KINDS:
        if profile("v2g-root", edition).suite.fits(certificate.key):
            return edition
    return None


def taken_for(
    certificate: Certificate,
    edition: Edition,
    options: Options = DEFAULT,
    *,
    issued: Collection[str] = (),
    issuer: Collection[str] = (),
) -> Taken:
    """Return the row of an edition that fits best.

    `issued` are the roles of what the certificate signed, `issuer` those that who signed it may have, as far as they
    are known.
    """
    best, clues = None, list[Clue]()
    for row in profiles(edition, options).values():
        found = list(_clues(certificate, row, issued))
        above = sorted(set(issuer) & set(row.issuers))
        if above:
            found.append(Clue(4, f"issued by {' or '.join(above)}"))
        if best is None or _sum(found) > _sum(clues):
            best, clues = row, found
    if best is None or _sum(clues) <= 0:
        return Taken(None, "nothing in it fits any role")
    speaking = sorted((clue for clue in clues if clue.points > 0), key=lambda clue: -clue.points)
    return Taken(best, ", ".join(clue.text for clue in speaking))


def likely(certificate: Certificate, edition: Edition, options: Options = DEFAULT) -> frozenset[str]:
    """Return the roles that a certificate may well have by itself, whatever it issued."""
    points = {row.role: _sum(list(_clues(certificate, row, ()))) for row in profiles(edition, options).values()}
    best = max(points.values())
    return frozenset(role for role, found in points.items() if found > best - _NEAR and best > 0)


def _sum(clues: Collection[Clue]) -> int:
    return sum(clue.points for clue in clues)


def _clues(certificate: Certificate, row: Profile, issued: Collection[str]) -> Iterator[Clue]:
    yield from _kind(certificate, row)
    yield from _component(certificate, row)
    yield from _name(certificate, row)
    yield from _purpose(certificate, row)
    for role in sorted(set(issued)):
        below = profiles(row.edition).get(role)
        if below is not None and row.ca:
            yield Clue(4 if row.role in below.issuers else -4, f"it issued a {role}")
    if certificate.usage is not None and not row.ca:
        yield Clue(1 if row.usage_demanded <= certificate.usage else -1, "its key usage")


def _kind(certificate: Certificate, row: Profile) -> Iterator[Clue]:
    """Whether it is a CA, and of which tier."""
    if bool(certificate.ca) is not row.ca:
        yield Clue(-8, "")
        return
    own = certificate.subject == certificate.issuer
    if row.ca:
        yield Clue(6 if own is (row.tier is Tier.ROOT) else -6, "self-issued" if own else "a CA below others")
        if row.tier is not Tier.ROOT:
            yield Clue(3 if certificate.path_length == row.path_length else -1, f"path length {row.path_length}")
        if row.tier is Tier.CROSS:
            yield Clue(-1, "")
    else:
        yield Clue(2, "no CA")


def _component(certificate: Certificate, row: Profile) -> Iterator[Clue]:
    found = {component.upper() for component in certificate.components}
    if row.dc and row.dc in found:
        yield Clue(4, f"DC={row.dc}")
    elif found:
        yield Clue(-4, "")
    elif row.dc == "":
        yield Clue(1, "no DC")


def _name(certificate: Certificate, row: Profile) -> Iterator[Clue]:
    if identifies(row.role, certificate.common_name):
        yield Clue(3, "its CN")
    elif row.ca and _words(row) & set(_split(certificate.common_name)):
        yield Clue(1, "a word in its CN")


def identifies(role: str, text: str) -> bool:
    """Tell whether a CN has the shape of what leaves of a role are named by; False for roles of any name."""
    for read in _READERS.get(role, ()):
        try:
            read(text)
        except BadIdentifier:
            continue
        return True
    return False


def _words(row: Profile) -> set[str]:
    return set(_WORDS.get(row.branch, (row.branch.upper(),)))


def _split(text: str) -> Iterator[str]:
    """Yield the words of a name, and what a compound such as "cpoSubCA1" begins with."""
    for word in text.upper().replace("-", " ").replace("_", " ").split():
        yield word
        yield word.split("SUB", 1)[0].split("ROOT", 1)[0]


def answers(certificate: Certificate) -> bool:
    """Tell whether it signs OCSP responses: any CA may have such a signer, so that it tells nothing of its issuer."""
    return not certificate.ca and ExtendedKeyUsageOID.OCSP_SIGNING in (certificate.purposes or ())


def _purpose(certificate: Certificate, row: Profile) -> Iterator[Clue]:
    found = certificate.purposes or frozenset()
    signs = answers(certificate)
    if row.tier is Tier.OCSP or signs:
        yield Clue(8 if signs is (row.tier is Tier.OCSP) else -8, "OCSPSigning" if signs else "")
    elif row.purpose is not None and row.purpose in found:
        yield Clue(2, "its extended key usage")
    elif found and row.purpose is None:
        yield Clue(-3, "")
    elif row.role == Role.VEHICLE:
        yield Clue(-1, "")
