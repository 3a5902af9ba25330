"""One case for the doctor: what was asked about, what was read there, and what follows from it for every check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.ancestry import issuers, self_signed
from pki.certificate import Certificate
from pki.doctor.evidence import CertificateFile, Evidence, KeyFile
from pki.doctor.settings import Settings
from pki.profiles import Profile
from pki.roles import guessed_role, role_of, row_of
from pki.shown import shown
from pki.store import Store


@dataclass
class Case:
    """`path` is the file or folder asked about, None where only configurations are."""

    path: Path | None
    evidence: Evidence
    settings: list[Settings] = field(default_factory=list)
    _homes: dict[Path, Path | None] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The time to judge by."""
        return self.evidence.at

    def place(self, path: Path) -> str:
        """Name a file as its owner would: below the folder asked about, or as it stands in a configuration."""
        inside = self.path is not None and path.is_relative_to(self.path) and path != self.path
        return shown(str(path.relative_to(self.path) if inside and self.path else path))

    @cached_property
    def trees(self) -> list[Path]:
        """The trees of ours that were read."""
        found = (_tree_above(path) for path in self.evidence.files)
        return sorted({tree for tree in found if tree is not None})

    @cached_property
    def homes(self) -> dict[bytes, Path]:
        """The file each certificate is told of in: its own before a chain it stands in."""
        found: dict[bytes, Path] = {}
        for file in sorted(self.evidence.files.values(), key=lambda file: len(file.certificates)):
            for certificate in file.certificates:
                found.setdefault(certificate.der, file.path)
        return found

    def certificates(self) -> Iterator[tuple[Path, Certificate]]:
        """Yield every certificate once, with the file it is told of in."""
        for der, path in self.homes.items():
            yield path, self.evidence.known[der]

    @cached_property
    def issuers(self) -> dict[bytes, bytes | None]:
        """The DER of the issuer of each certificate, None where it is a root or was not read."""
        return issuers(self.evidence.known)

    @cached_property
    def roots(self) -> frozenset[bytes]:
        """The DER of the certificates that signed themselves."""
        return frozenset(der for der, certificate in self.evidence.known.items() if self_signed(certificate))

    @cached_property
    def keys(self) -> dict[bytes, KeyFile]:
        """Key files by their public key."""
        return {spki(key.public): key for key in self.evidence.keys.values() if key.public is not None}

    def chains(self) -> Iterator[CertificateFile]:
        """Yield the files that hold a leaf with others."""
        anchors = {file.path for file in self.anchors()}
        for path, file in self.evidence.files.items():
            if len(file.certificates) > 1 and path not in anchors and not all(each.ca for each in file.certificates):
                yield file

    def anchors(self) -> Iterator[CertificateFile]:
        """Yield the files that hold trust anchors: those of trees, and those that configurations call so."""
        called = {reference.path for settings in self.settings for reference in settings.anchors()}
        for path, file in self.evidence.files.items():
            if path in called or (path.parent.name == "trust" and path.parent.parent in self.trees):
                yield file

    def tree_of(self, path: Path) -> Path | None:
        """Return the tree a file lies in; None if in none."""
        folder = path.parent
        if folder not in self._homes:
            self._homes[folder] = next((tree for tree in self.trees if path.is_relative_to(tree)), None)
        return self._homes[folder]

    def own(self, path: Path, certificate: Certificate) -> bool:
        """Tell whether a file is about a certificate, and does not only hold it among those above another one.

        It is about its first; a CA before a leaf is out of its order.
        """
        file = self.evidence.files.get(path)
        if file is None or file.certificates[0].der != certificate.der:
            return False
        return not certificate.ca or all(each.ca for each in file.certificates)

    def role(self, path: Path, certificate: Certificate) -> str:
        """Return the role a certificate should fit, by where it lies or by what it says; "" where neither tells."""
        tree = self.tree_of(path) if self.own(path, certificate) else None
        inside = path.relative_to(tree) if tree else Path()
        if inside.parts[:1] == ("leaf",):
            return role_of(inside.parent.as_posix(), certificate)
        if inside.parts[:1] == ("ca",):
            return role_of(inside.with_suffix("").as_posix(), certificate)
        return guessed_role(certificate, root=certificate.der in self.roots)

    def row(self, path: Path, certificate: Certificate) -> Profile | None:
        """Return the profile a certificate should fit; None where its role or edition is not to be told."""
        role = self.role(path, certificate)
        return row_of(role, certificate) if role else None


def _tree_above(path: Path) -> Path | None:
    """Return the tree that a certificate at "ca/<branch>/<name>.pem" or "leaf/<role>/<id>/cert.pem" belongs to."""
    parents = path.parents
    if path.name == "cert.pem" and len(parents) > 3 and parents[2].name == "leaf":
        return parents[3]
    if path.suffix == ".pem" and len(parents) > 2 and parents[1].name == "ca":
        return parents[2] if Store(parents[2]).manifest.is_file() else None
    return None


def spki(key: PublicKeyTypes | CertificatePublicKeyTypes) -> bytes:
    """Return a public key as DER, to compare."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name_of(certificate: Certificate) -> str:
    """Name a certificate for people."""
    name = certificate.common_name.strip() or certificate.parsed.subject.rfc4514_string().strip()
    return shown(name, 64) or "a certificate without name"


def store_key(tree: Path, path: Path) -> Path | None:
    """Return where a tree keeps the key of the certificate in a file; None for a file that is no certificate's own."""
    store = Store(tree)
    parts = path.relative_to(tree).parts
    if parts[0] == "leaf" and len(parts) == 4 and parts[3] in {"cert.pem", "chain.pem"}:
        return store.key("/".join(parts[:3]))
    if parts[0] == "ca" and len(parts) == 3 and path.suffix == ".pem":
        return store.key(path.with_suffix("").relative_to(tree).as_posix())
    return None
