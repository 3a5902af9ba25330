"""One broken chain in the making: as the tree issues it, but for its fault."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from pki.certificate import read
from pki.faults.draft import Draft, Extension, Key, Signing, extension, sign
from pki.faults.fault import NONE, Fault
from pki.faults.path import Path
from pki.faults.size import sign_sized
from pki.issue import CLOCK_SLACK, SHORT_KEY_ID_BYTES, short_key_id
from pki.keys import Suite
from pki.profiles import Edition, Profile, Tier, profile
from v2g.identifiers import BadIdentifier, emaid
from v2g.trust import Role

_SERIAL_BITS = 126
_BY_SIZE: Mapping[int, type[hashes.HashAlgorithm]] = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}
_SKI = ExtensionOID.SUBJECT_KEY_IDENTIFIER


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate as what is below it sees it; `holder` gives its private key when it is needed."""

    der: bytes
    name: bytes
    key_id: bytes
    public: bytes
    holder: Callable[[], Key]

    @property
    def key(self) -> Key:
        """The private key; raises ValueError where it is not at hand."""
        return self.holder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it: DER leaf first, anchors, evidence by file name, and the name that goes with the leaf."""

    chain: Sequence[bytes]
    key: Key
    anchors: Sequence[bytes]
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    name: str = ""


class Making:
    """A path of a tree with one fault; raises ValueError where a key or a tier is not there."""

    def __init__(self, path: Path, edition: Edition, fault: Fault, tier: Tier | None, at: datetime) -> None:
        self.path = path
        self.role: Role = path.role
        self.edition = edition
        self.fault = fault
        self.tier = tier
        self.at = at
        self.links: dict[Tier, Link] = {}
        for needed in (tier, Tier.SUB1 if fault.two_subs else None):
            if needed is not None:
                path.place(needed)

    @property
    def row(self) -> Profile:
        """The profile of the leaf."""
        return profile(self.role, self.edition)

    @property
    def suite(self) -> Suite:
        """The kind of keys of the tree."""
        return self.row.suite

    def make(self) -> Made:
        """Make all of it."""
        above: Link | None = None
        for tier in self.path.tiers:
            self.links[tier] = above = self._link(tier, above)
        shaped, trusted, told = self.fault.shape, self.fault.anchors, self.fault.evidence
        return Made(
            chain=tuple(shaped(self) if shaped else self.chain()),
            key=self.links[Tier.LEAF].key,
            anchors=tuple(trusted(self) if trusted else [self.links[Tier.ROOT].der]),
            evidence=told(self) if told else {},
            name=self._name(),
        )

    def chain(self) -> list[bytes]:
        """The certificates below the root, leaf first."""
        return [self.links[tier].der for tier in reversed(self.path.tiers) if tier is not Tier.ROOT]

    def kept(self, tier: Tier) -> Link:
        """The certificate of a tier as the tree has it."""
        certificate = self.path.certificate(tier)
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return Link(
            der=certificate.public_bytes(Encoding.DER),
            name=certificate.subject.public_bytes(),
            key_id=own.digest,
            public=_public(certificate),
            holder=lambda: self.path.issued(tier).key,
        )

    def _link(self, tier: Tier, above: Link | None) -> Link:
        fault = self.fault
        if fault.everywhere or tier is self.tier:
            key = fault.key(self.suite) if fault.key else self.suite.generate() if tier is Tier.LEAF else None
            signer = fault.signer(self) if fault.signer else above
            made = self.issue(tier, signer, key=key, fault=fault)
            return replace(made, der=fault.der(made.der)) if fault.der else made
        if tier is Tier.LEAF:
            return self.issue(tier, above, key=self.suite.generate())
        if above is None or self._as_before(tier, above):
            return self.kept(tier)
        return self.issue(tier, above)

    def _as_before(self, tier: Tier, above: Link) -> bool:
        """Tell whether the tree's own certificate of a tier still fits below a changed one."""
        certificate = self.path.certificate(tier)
        issuer = self.path.certificate(self.path.tiers[self.path.tiers.index(tier) - 1])
        return above.name == certificate.issuer.public_bytes() and above.public == _public(issuer)

    def issue(
        self,
        tier: Tier,
        above: Link | None,
        *,
        key: Key | None = None,
        fault: Fault = NONE,
    ) -> Link:
        """Issue the certificate of a tier anew, for its old key or another, signed by `above` or itself."""
        own = key or self.path.issued(tier).key
        public, key_id = own.public_key(), x509.SubjectKeyIdentifier.from_public_key(own.public_key())
        draft = Draft.of(self.path.certificate(tier))
        if _id_length(draft) == SHORT_KEY_ID_BYTES:
            key_id = short_key_id(key_id)
        draft = replace(
            draft,
            serial=secrets.randbits(_SERIAL_BITS) | 1 << _SERIAL_BITS,
            key=public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            issuer=above.name if above else draft.name,
        ).refreshed(extension(key_id))
        if above is not None:
            draft = draft.refreshed(_issued_by(above.key_id))
        if tier is Tier.LEAF:
            draft = self._dated(draft)
        draft = fault.draft(draft, self) if fault.draft else draft
        signer = above.key if above else own
        signing = Signing(signer, fault.digest or self._digest(signer))
        signed = sign(draft, signing) if fault.size is None else sign_sized(draft, signing, fault.size)
        return Link(signed, draft.name, key_id.digest, draft.key, lambda: own)

    def _dated(self, draft: Draft) -> Draft:
        """Give a leaf the length of validity it has in the tree, from now on."""
        lasts, start = draft.not_after - draft.not_before, self.at.replace(microsecond=0) - CLOCK_SLACK
        ends = [self.path.certificate(tier).not_valid_after_utc for tier in self.path.tiers if tier is not Tier.LEAF]
        return replace(draft, not_before=start, not_after=min(start + lasts, *ends))

    def _digest(self, key: Key) -> hashes.HashAlgorithm | None:
        """The hash of the edition, whatever the key: one thing is wrong at a time."""
        if self.suite.digest is not None:
            return self.suite.digest()
        return _BY_SIZE[key.curve.key_size]() if isinstance(key, ec.EllipticCurvePrivateKey) else None

    def _name(self) -> str:
        """The EMAID that the request has beside the chain: the leaf's own where it can be read, else the tree's."""
        if self.role is not Role.CONTRACT:
            return ""
        leaves = [self.path.certificate(Tier.LEAF).public_bytes(Encoding.DER)]
        if not self.fault.other_name:
            leaves.insert(0, self.links[Tier.LEAF].der)
        return next((name for name in map(_emaid, leaves) if name), "")

    def days(self, number: float) -> datetime:
        """The moment so many days from now."""
        return self.at.replace(microsecond=0) + timedelta(days=number)


def _emaid(leaf: bytes) -> str:
    """The EMAID of a certificate; empty where there is none to be read."""
    try:
        return emaid(read(leaf).common_name)
    except (BadIdentifier, ValueError):
        return ""


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _issued_by(key_id: bytes) -> Extension:
    return extension(x509.AuthorityKeyIdentifier(key_id, None, None))


def _id_length(draft: Draft) -> int:
    found = next((each.value for each in draft.extensions if each.oid == _SKI), b"")
    return len(found) - 2
