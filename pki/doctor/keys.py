"""Checks of private keys: there, readable by their owner alone, and of the certificate beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pki.certificate import Certificate
from pki.doctor.case import Case, name_of, spki, store_key
from pki.doctor.evidence import KeyFile
from pki.doctor.finding import Remark, Severity
from pki.profiles import Tier


def permissions(case: Case) -> Iterator[Remark]:
    """Tell keys that others may read."""
    for key in case.evidence.keys.values():
        if key.mode & 0o077:
            yield Remark(
                severity=Severity.WARNING,
                place=case.place(key.path),
                what=f"others can read this private key (mode {key.mode:03o})",
                remedy="chmod 600 it",
            )


def readable(case: Case) -> Iterator[Remark]:
    """Tell keys that cannot be read, or not without their password."""
    for key in case.evidence.keys.values():
        if key.problem:
            severity, what = Severity.ERROR, key.problem
            remedy = "copy it again, with its password; PEM and DER, PKCS#8 or SEC 1 are read"
        elif key.encrypted:
            severity, what = Severity.NOTE, "the key is encrypted; whether it is the right one is not checked"
            remedy = "give `password` in secc.toml or evcc.toml; `openssl pkey` takes the encryption off"
        else:
            continue
        yield Remark(severity=severity, place=case.place(key.path), what=what, remedy=remedy)


def pairs(case: Case) -> Iterator[Remark]:
    """Tell certificates beside the key of another one, and those that should have a key beside them and do not."""
    told: set[tuple[Path, bytes]] = set()
    for path, file in case.evidence.files.items():
        certificate, *others = file.certificates
        # Files that begin with a CA are anchors or turned over: no key goes with them.
        beside = None if others and certificate.ca else beside_of(case, path, certificate)
        # A cross certificate is about the key of a root, which lies with the root.
        if beside is None or (beside, certificate.der) in told or case.role(path, certificate).endswith(Tier.CROSS):
            continue
        told.add((beside, certificate.der))
        key = case.evidence.keys.get(beside)
        if key is None and not beside.exists():
            yield _missing(case, path, certificate, beside)
        elif key is not None and key.public is not None and not _belongs(key, certificate):
            yield other_key(case, certificate, key)


def beside_of(case: Case, path: Path, certificate: Certificate) -> Path | None:
    """Return where the key of the first certificate in a file is expected; None where no layout says so."""
    tree = case.tree_of(path)
    if tree is not None:
        return store_key(tree, path)
    stem = path.stem.removesuffix("Cert")
    candidates = (
        path.parent.parent / "private_keys" / f"{stem}.key",  # Josev
        path.parent.parent.parent / "client" / path.parent.name / f"{stem}.key",  # EVerest
        path.with_suffix(".key"),
        *(() if certificate.ca else (path.parent / "key.pem",)),
    )
    return next((each for each in candidates if each in case.evidence.keys), None)


def other_key(case: Case, certificate: Certificate, key: KeyFile) -> Remark:
    """Say that a key is another one's, whose it is, and where the right one lies, as far as that was read."""
    owners = [name_of(other) for _, other in case.certificates() if _belongs(key, other)]
    right = case.keys.get(spki(certificate.key)) if certificate.key else None
    whose = f"the key of {owners[0]}" if owners else "another one's key"
    return Remark(
        severity=Severity.ERROR,
        place=case.place(key.path),
        what=f"{whose}, not of {name_of(certificate)} beside it",
        remedy=f"the right one is {case.place(right.path)}" if right else "take certificate and key from one folder",
    )


def _belongs(key: KeyFile, certificate: Certificate) -> bool:
    return key.public is not None and certificate.key is not None and spki(key.public) == spki(certificate.key)


def _missing(case: Case, path: Path, certificate: Certificate, beside: Path) -> Remark:
    if certificate.ca:
        severity, remedy = Severity.NOTE, "its owner may keep it elsewhere; without it nothing can be issued here"
    else:
        severity, remedy = Severity.WARNING, "copy the key, too, with mode 600; who uses this certificate needs it"
    return Remark(
        severity=severity,
        place=case.place(path),
        what=f"the private key of {name_of(certificate)} is missing ({beside.name})",
        remedy=remedy,
    )
