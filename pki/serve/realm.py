"""One tree as it is served: its CAs, who issues which leaves, what lies in its folder."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.certificate import Certificate, read, signed_by
from pki.issue import Issued
from pki.ocsp import CertId, cert_id
from pki.profiles import Tier, profile
from pki.serve.state import Held
from pki.store import Store
from pki.tree import Entry, Tree
from v2g.trust import Role

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA; `issued` is None where its key is not at hand. `id` names it in the state, by its name and key."""

    entry: Entry
    certificate: Certificate
    issued: Issued | None
    id: str

    @property
    def label(self) -> str:
        """Its name in URLs: "cpo-sub2"."""
        return self.entry.label


class Realm:
    """A tree, its folder and its CAs."""

    def __init__(self, name: str, tree: Tree, store: Store) -> None:
        """Read the CAs; raises ValueError naming what is missing or damaged."""
        self.name = name
        self.tree = tree
        self.store = store
        entries = tree.entries()
        self.authorities = {
            entry.place: _authority(entry, store)
            for entry in entries
            if entry.profile.ca and entry.profile.tier is not Tier.CROSS and store.certificate(entry.place).exists()
        }
        if not self.authorities:
            raise ValueError(f"{store.folder}: holds no CA of the tree {name}; `plugcharge pki init` makes them")
        self._named = defaultdict(list)
        for authority in self.authorities.values():
            self._named[authority.certificate.subject].append(authority)
        self._entries = {entry.place: entry for entry in entries}
        self._by_hash: dict[str, dict[tuple[bytes, bytes], Authority]] = {}

    def named(self, about: CertId) -> Authority | None:
        """Return the CA that an OCSP request means."""
        known = self._by_hash.get(about.algorithm.name)
        if known is None:
            known = self._by_hash[about.algorithm.name] = dict(self._hashed(about.algorithm))
        return known.get((about.name_hash, about.key_hash))

    def _hashed(self, algorithm: hashes.HashAlgorithm) -> Iterator[tuple[tuple[bytes, bytes], Authority]]:
        for authority in self.authorities.values():
            about = cert_id(0, authority.certificate.parsed, algorithm)
            yield (about.name_hash, about.key_hash), authority

    def labelled(self, label: str) -> Authority | None:
        """Return the CA with a name such as "cpo-sub2"."""
        return next((each for each in self.authorities.values() if each.label == label), None)

    def above(self, authority: Authority, *, root: bool = False) -> list[Authority]:
        """Return a CA and those above it, with or without the root."""
        chain = []
        entry: Entry | None = authority.entry
        while entry is not None and (root or entry.issuer is not None):
            if entry.place in self.authorities:
                chain.append(self.authorities[entry.place])
            entry = entry.issuer
        return chain

    def above_of(self, found: Certificate) -> Authority | None:
        """Return the CA that issued a certificate; a signature is tried only where names leave a choice."""
        named = [each for each in self._named.get(found.issuer, ()) if found.names(each.certificate)]
        if len(named) > 1 or found.issuer_key_id is None:
            named = [each for each in named if signed_by(found.parsed, each.certificate.parsed)]
        return named[0] if named else None

    def issuer(self, role: Role) -> Authority:
        """Return the CA that signs leaves of a role; raises ValueError where there is none, or it has no key."""
        declared = (entry.issuer for entry in self._entries.values() if entry.profile.role == role)
        wanted = [issuer.place for issuer in declared if issuer is not None]
        row = profile(role, self.tree.edition, self.tree.options)
        wanted += [
            place for name in row.issuers for place, ca in self.authorities.items() if ca.entry.profile.role == name
        ]
        for place in wanted:
            authority = self.authorities.get(place)
            if authority is not None and authority.issued is not None:
                return authority
        raise ValueError(f"the tree {self.name} has no CA with its key that signs {role} certificates")

    def template(self, role: Role, common_name: str) -> Entry:
        """Return what a new leaf of a role has to be like."""
        row = profile(role, self.tree.edition, self.tree.options)
        return Entry(
            profile=row,
            name="served",
            common_name=common_name,
            organization=self.tree.organization,
            country=self.tree.country,
            days=row.days,
            issuer=self.issuer(role).entry,
            urls=self.tree.urls,
        )

    def signer_entries(self) -> dict[str, Entry]:
        """Return what the OCSP signer of each CA is like, by the CA's place, declared or not."""
        tree = msgspec.structs.replace(self.tree, ocsp_signers=True, leaf=())
        signers = (entry for entry in tree.entries() if entry.profile.tier is Tier.OCSP)
        return {entry.issuer.place: entry for entry in signers if entry.issuer is not None}

    def held(self) -> Iterator[Held]:
        """Yield what lies in the folder and was issued by its CAs; say in the log what cannot be read."""
        for place in self.store.places():
            try:
                found = read(self.store.load_certificate(place).public_bytes(Encoding.DER))
            except (ValueError, OSError) as error:
                log.warning("%s: %s: not served", self.store.certificate(place), error)
                continue
            issuer = self.above_of(found)
            if issuer is None:
                log.warning("%s: no CA of this tree issued it: not served", self.store.certificate(place))
            else:
                yield self.hold(found, issuer, self._role(place))

    def hold(self, found: Certificate, issuer: Authority, role: str) -> Held:
        """Return a certificate as the state keeps it."""
        return Held(
            tree=self.name,
            issuer=issuer.id,
            serial=found.serial,
            role=role,
            common_name=found.common_name,
            subject=found.subject,
            not_before=found.not_before.timestamp(),
            not_after=found.not_after.timestamp(),
            der=found.der,
        )

    def _role(self, place: str) -> str:
        """Return the role of what lies in a place: that of its declaration, or of its folder."""
        entry = self._entries.get(place)
        if entry is not None:
            return entry.profile.role
        kind, group, name = place.split("/", 2)
        return group if kind == "leaf" else f"{group}-{name}"


def _authority(entry: Entry, store: Store) -> Authority:
    try:
        certificate = read(store.load_certificate(entry.place).public_bytes(Encoding.DER))
    except ValueError as error:
        raise ValueError(f"{store.certificate(entry.place)}: {error}; `plugcharge pki init` repairs it") from error
    try:
        issued = store.load(entry.place)
    except ValueError as error:
        log.warning("%s: %s: this CA signs nothing", store.key(entry.place), error)
        issued = None
    info = certificate.parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(certificate.subject + info).hexdigest()
    return Authority(entry=entry, certificate=certificate, issued=issued, id=digest)
