"""The manifest of a tree: every certificate, for machines to find, and the digest of every file that is no secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from cryptography import x509

from pki import store
from pki.store import Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate as it is listed; `issuer` is the place of the one that issued it, its own for a root."""

    role: str
    certificate: x509.Certificate
    issuer: str


def write(folder: Store, listed: Mapping[str, Listed]) -> None:
    """Write the manifest of what lies in a tree; raise OSError."""
    certificates = {
        place: {
            "role": one.role,
            "subject": one.certificate.subject.rfc4514_string(),
            "issuer": one.issuer,
            "serial": str(one.certificate.serial_number),
            "not_before": one.certificate.not_valid_before_utc.isoformat(),
            "not_after": one.certificate.not_valid_after_utc.isoformat(),
        }
        for place, one in listed.items()
    }
    kept = (folder.folder / name for name in ("ca", "leaf", "trust"))
    paths = sorted(chain.from_iterable((*part.rglob("*.pem"), *part.rglob("*.der")) for part in kept))
    files = {
        str(path.relative_to(folder.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if not path.name.startswith("key")
    }
    text = json.dumps({"certificates": certificates, "files": files}, indent=2)
    store.write(folder.manifest, f"{text}\n".encode())
