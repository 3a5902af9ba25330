"""Chains made at random: good ones, and ones with one or two points that differ, each known by its name.

A point is `harmless` (V2G allows it), against the `path` (whoever checks a path should refuse it) or against the
`profile` (nobody but V2G minds).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU

from tests.pki import chains
from tests.pki.chains import AIA, EDITIONS, NOW, Path, build, make, purposes
from tests.pki.judges import Question
from v2g.trust import Role

TIERS = ("leaf", "sub2", "sub1", "root")
Extension = tuple[x509.ExtensionType, bool]


class Kind(StrEnum):
    HARMLESS = "harmless"
    PATH = "path"
    PROFILE = "profile"


@dataclass(frozen=True)
class Made:
    """A path as it was made, and what is put before the judges."""

    path: Path
    question: Question


@dataclass(frozen=True)
class Point:
    """One point in which a chain differs: fields of its `Spec`, extensions, or what is done to the finished list."""

    name: str
    kind: Kind
    tier: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    extensions: tuple[Extension, ...] = ()
    edit: Callable[[Made], Question] | None = None
    editions: tuple[str, ...] = tuple(EDITIONS)
    roles: tuple[str, ...] = tuple(Role)

    def touches(self) -> set[tuple[str, str]]:
        """What it changes, so that two points do not undo each other."""
        if self.edit is not None:
            return {("list", "")}
        kinds = {type(extension).__name__ for extension, _ in self.extensions}
        return {(self.tier, name) for name in (*self.changes, *kinds)}


def flipped(der: bytes) -> bytes:
    """Change a bit of the signature's last number."""
    return der[:-1] + bytes([der[-1] ^ 1])


def _listed(made: Made, chain: list[bytes]) -> Question:
    return replace(made.question, chain=chain)


def _flip(place: int) -> Callable[[Made], Question]:
    def edit(made: Made) -> Question:
        chain = list(made.question.chain)
        chain[place] = flipped(chain[place])
        return _listed(made, chain)

    return edit


def _without(place: int) -> Callable[[Made], Question]:
    return lambda made: _listed(made, [der for at, der in enumerate(made.question.chain) if at != place])


def _twin(tier: str) -> Callable[[Made], Question]:
    """Another CA of the same name in the place of one, signed as it should be."""

    def edit(made: Made) -> Question:
        above = {"sub2": made.path.sub1, "sub1": made.path.root, "root": None}[tier]
        twin = _again(getattr(made.path, tier), above).der
        if tier == "root":
            return replace(made.question, anchors=[twin])
        chain = list(made.question.chain)
        chain[TIERS.index(tier)] = twin
        return _listed(made, chain)

    return edit


def _again(made: chains.Made, issuer: chains.Made | None) -> chains.Made:
    """Make a CA with the names of another and a key of its own."""
    own = made.certificate
    makers = {56: chains.ed, 256: chains.p256, 384: chains.p384, 521: chains.p521}
    key: Any = makers[getattr(made.key, "key_size", 56)]()
    signer: Any = issuer.key if issuer else key
    builder: Any = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(own.subject)
        .issuer_name(own.issuer)
        .public_key(key.public_key())
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc)
    )
    for extension in own.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return chains.Made(builder.sign(signer, own.signature_hash_algorithm), key)


def _clock(days: float) -> Callable[[Made], Question]:
    return lambda made: replace(made.question, at=NOW + timedelta(days=days))


def _own(tier: str, text: bytes) -> Extension:
    return x509.SubjectKeyIdentifier(text), False


def _points() -> Iterator[Point]:
    yield from _validity()
    yield from _authority()
    yield from _lists()
    yield from _extensions()
    yield from _profile()


def _validity() -> Iterator[Point]:
    for tier in TIERS:
        yield Point(f"{tier} expired", Kind.PATH, tier, {"days": (-10, -1)})
        yield Point(f"{tier} not yet valid", Kind.PATH, tier, {"days": (1, 9)})
        yield Point(f"{tier} ends today", Kind.HARMLESS, tier, {"days": (-10, 0.5)})
    yield Point("a clock ahead", Kind.PATH, edit=_clock(101))
    yield Point("a clock behind", Kind.PATH, edit=_clock(-11))
    yield Point("a clock a little ahead", Kind.HARMLESS, edit=_clock(0.25))


def _authority() -> Iterator[Point]:
    for tier in ("sub2", "sub1", "root"):
        yield Point(f"{tier} no CA", Kind.PATH, tier, {"ca": False, "path_length": None})
        yield Point(f"{tier} without basic constraints", Kind.PATH, tier, {"ca": None})
        yield Point(f"{tier} may not issue", Kind.PATH, tier, {"usage": "L"})
        yield Point(f"{tier} does not say what its key is for", Kind.PROFILE, tier, {"usage": None})
    yield Point("path length of sub1 violated", Kind.PATH, "sub1", {"path_length": 0})
    yield Point("path length of root violated", Kind.PATH, "root", {"path_length": 1})
    yield Point("path length of root 0", Kind.PATH, "root", {"path_length": 0})
    yield Point("path length of root kept", Kind.HARMLESS, "root", {"path_length": 2})
    yield Point("path length of sub2 too long", Kind.PROFILE, "sub2", {"path_length": 3})
    yield Point("sub1 without path length", Kind.PROFILE, "sub1", {"path_length": None})
    yield Point("a leaf that is a CA", Kind.PROFILE, "leaf", {"ca": True})
    yield Point("a leaf that may issue", Kind.PROFILE, "leaf", {"usage": "sC"})


def _lists() -> Iterator[Point]:
    for place, tier in enumerate(TIERS[:-1]):
        yield Point(f"signature of {tier} wrong", Kind.PATH, edit=_flip(place))
    for place in (1, 2):
        yield Point(f"{TIERS[place]} missing", Kind.PATH, edit=_without(place))
    for tier in ("sub2", "sub1", "root"):
        yield Point(f"another {tier} of the name", Kind.PATH, edit=_twin(tier))
    yield Point("leaf alone", Kind.PATH, edit=lambda made: _listed(made, list(made.question.chain[:1])))
    yield Point("no anchor", Kind.PATH, edit=lambda made: replace(made.question, anchors=[]))
    yield Point(
        "a foreign anchor",
        Kind.PATH,
        edit=lambda made: replace(made.question, anchors=[FOREIGN.der]),
    )
    yield Point(
        "a foreign anchor more",
        Kind.HARMLESS,
        edit=lambda made: replace(made.question, anchors=[FOREIGN.der, *made.question.anchors]),
    )
    yield Point(
        "an anchor of the same name more",
        Kind.HARMLESS,
        edit=lambda made: replace(made.question, anchors=[_again(made.path.root, None).der, *made.question.anchors]),
    )
    yield Point(
        "swapped",
        Kind.PROFILE,
        edit=lambda made: _listed(made, [made.question.chain[at] for at in (0, 2, 1)]),
    )
    yield Point(
        "root sent along", Kind.PROFILE, edit=lambda made: _listed(made, [*made.question.chain, made.path.root.der])
    )


def _extensions() -> Iterator[Point]:
    issuers = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://x")
    )
    crl = x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://c.test/")], None, None, None)]
    )
    first = ("iso2", "josev")
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    for tier in TIERS:
        yield Point(f"{tier} with what is unknown", Kind.HARMLESS, tier,
                    extensions=((unknown, False),), editions=first)  # fmt: skip
        yield Point(f"{tier} with what is unknown and critical", Kind.PATH, tier,
                    extensions=((unknown, True),))  # fmt: skip
        yield Point(f"{tier} with a CRL", Kind.HARMLESS, tier, extensions=((crl, False),))
        yield Point(f"{tier} with a critical CRL", Kind.HARMLESS, tier, extensions=((crl, True),))
        for critical, word in ((False, ""), (True, "critical ")):
            yield Point(f"{tier} with a {word}SKI", Kind.HARMLESS, tier,
                        extensions=((x509.SubjectKeyIdentifier(b"12345678"), critical),))  # fmt: skip
            if tier != "root":
                yield Point(f"{tier} with a {word}AKI", Kind.HARMLESS, tier,
                            extensions=((x509.AuthorityKeyIdentifier(b"12345678", None, None), critical),))  # fmt: skip
                yield Point(f"{tier} with a {word}AIA", Kind.HARMLESS, tier, extensions=((AIA, critical),))
                yield Point(f"{tier} with a {word}SIA", Kind.HARMLESS, tier,
                            extensions=((x509.SubjectInformationAccess([issuers]), critical),))  # fmt: skip
        yield Point(f"{tier} for code", Kind.PROFILE, tier, extensions=(purposes(EKU.CODE_SIGNING),))
        yield Point(f"{tier} with names it may not sign", Kind.PROFILE, tier,
                    extensions=((x509.NameConstraints(None, [x509.DirectoryName(x509.Name([]))]), True),))  # fmt: skip
    yield Point("a leaf of any purpose", Kind.HARMLESS, "leaf", extensions=(purposes(EKU.ANY_EXTENDED_KEY_USAGE),),
                roles=("secc", "vehicle", "oem-provisioning"))  # fmt: skip
    yield Point("a leaf with a SAN", Kind.HARMLESS, "leaf", editions=first,
                extensions=((x509.SubjectAlternativeName([x509.DNSName("x.test")]), False),))  # fmt: skip


def _profile() -> Iterator[Point]:
    for tier in TIERS[:-1]:
        yield Point(f"{tier} of nobody's branch", Kind.PROFILE, tier, {"dc": ("XYZ",)})
        yield Point(f"{tier} with a critical country", Kind.PROFILE, tier, {"country": "00"})
        yield Point(f"{tier} without CN", Kind.PROFILE, tier, {"cn": ()})
        yield Point(f"{tier} on P-384", Kind.PROFILE, tier, {"key": chains.p384})
        yield Point(f"{tier} signed with SHA-384", Kind.PROFILE, tier, {"digest": hashes.SHA384()},
                    editions=("iso2", "iso20", "josev"))  # fmt: skip
        yield Point(f"{tier} whose usage is not critical", Kind.PROFILE, tier, {"usage_critical": False})
        yield Point(f"{tier} whose constraints are not critical", Kind.PROFILE, tier, {"constraints_critical": False})
        yield Point(f"{tier} with a country", Kind.HARMLESS, tier, {"country": "DE"},
                    roles=("secc", "contract", "oem-provisioning", "cps"))  # fmt: skip
    yield Point("a leaf that signs nothing", Kind.PROFILE, "leaf", {"usage": "e"})
    yield Point("a leaf that agrees, too", Kind.HARMLESS, "leaf", {"usage": "sna"})


FOREIGN = make(replace(chains.GOOD["secc"]["root"], cn=("Foreign root",)))
POINTS = tuple(_points())


@dataclass(frozen=True)
class Case:
    """A chain with what it differs in, and the role and the edition it is of."""

    role: str
    edition: str
    points: tuple[Point, ...]
    question: Question

    @property
    def names(self) -> str:
        return f"{self.edition} {self.role}: {' + '.join(point.name for point in self.points) or 'good'}"


def random_case(source: random.Random, number: int) -> Case:
    """Make the next case; `number` keeps its names apart from all others'."""
    edition = source.choice(list(EDITIONS))
    role = source.choice(list(EDITIONS[edition]))
    points: tuple[Point, ...] = ()
    for _ in range(source.choice((0, 1, 1, 2, 2))):
        point = source.choice(POINTS)
        touched = {touch for each in points for touch in each.touches()}
        if edition in point.editions and role in point.roles and not point.touches() & touched:
            points = (*points, point)
    return case(role, edition, points, f"Test {number}")


def case(role: str, edition: str, points: tuple[Point, ...], organization: str = "Test", at: datetime = NOW) -> Case:
    """Make a chain that differs in these points."""
    changes: dict[str, dict[str, Any]] = {tier: {"organization": organization} for tier in TIERS}
    for tier in TIERS:
        found = {type(each[0]): each for each in EDITIONS[edition][role][tier].extensions}
        for point in points:
            if point.tier == tier:
                changes[tier] |= point.changes
                found |= {type(each[0]): each for each in point.extensions}
        changes[tier]["extensions"] = tuple(found.values())
    path = build(role, edition, **changes)
    question = Question(path.chain, path.anchors, at)
    for point in points:
        if point.edit is not None:
            question = point.edit(Made(path, question))
    return Case(role, edition, points, question)
