"""What was found in foreign files: certificates and keys by place, each with the file that it is from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pki.certificate import Certificate
from pki.keys import PrivateKey

MAX_BYTES = 1 << 20
"""No file of certificates or keys is larger; nobody has us read what is."""


@dataclass(slots=True)
class Found:
    """Certificates and keys by place of a layout, and what is to be told about the files they are from."""

    certificates: dict[str, Certificate] = field(default_factory=dict)
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _sources: dict[str, Path] = field(default_factory=dict)
    _key_sources: dict[str, Path] = field(default_factory=dict)

    def add(self, place: str, certificate: Certificate, source: Path) -> None:
        """Take a certificate; raise ValueError if another file, or the same, has another one for this place."""
        if self.certificates.setdefault(place, certificate).der != certificate.der:
            raise ValueError(
                f"{source}: not the certificate for {place} that {self._sources[place]} holds; "
                "keep the one in use and remove the other"
            )
        self._sources.setdefault(place, source)

    def add_key(self, place: str, key: PrivateKey, source: Path) -> None:
        """Take a key; raise ValueError if there is another one for this place."""
        if self.keys.setdefault(place, key).public_key() != key.public_key():
            raise ValueError(
                f"{source}: not the key for {place} that {self._key_sources[place]} holds; "
                "keep the one in use and remove the other"
            )
        self._key_sources.setdefault(place, source)

    def match(self) -> None:
        """Check keys against their certificates; raise ValueError if they do not belong together."""
        for place in list(self.keys):
            certificate, source = self.certificates.get(place), self._key_sources[place]
            if certificate is None:
                del self.keys[place]
                self.notes.append(f"{source}: left out, a key without its certificate")
            elif certificate.key != self.keys[place].public_key():
                raise ValueError(
                    f"{source}: not the key of {self._sources[place]}; take both from one source, or remove the key"
                )


def read_file(path: Path) -> bytes | None:
    """Return the bytes of a file, None if there is none; raise ValueError if it cannot be read or is too large."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: is no file; remove it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}; make it readable or remove it") from error
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path}: has more than {MAX_BYTES} bytes, as no certificate or key has; remove it")
    return data


def ordered(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Return certificates each before its issuer, as far as they say so: what issued none of the others first."""
    rest = list(certificates)
    path: list[Certificate] = []
    while rest:
        following = _issuer(path[-1], rest) if path else None
        if following is None:
            following = next((one for one in rest if not _issued(one, rest)), rest[0])
        path.append(following)
        rest.remove(following)
    return path


def _issuer(certificate: Certificate, others: Iterable[Certificate]) -> Certificate | None:
    return next((other for other in others if certificate.names(other)), None)


def _issued(certificate: Certificate, others: Iterable[Certificate]) -> bool:
    return any(other is not certificate and other.names(certificate) for other in others)
