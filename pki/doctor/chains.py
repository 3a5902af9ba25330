"""Checks of files with several certificates: chains as they are sent, and the anchors they are to hang on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from pki.certificate import Certificate, signed_by
from pki.doctor.case import Case, name_of
from pki.doctor.evidence import CertificateFile
from pki.doctor.finding import Remark, Severity
from pki.shown import shown

_LONGEST = 4  # a leaf, two Sub-CAs and, in -20, a cross certificate [V2G2-009] [V2G20-1005]
_ORDER = "write the leaf first, then Sub2, then Sub1, without the root"


def order(case: Case) -> Iterator[Remark]:
    """A chain is the leaf, then each issuer in turn."""
    for file in case.chains():
        unique = {certificate.der: certificate for certificate in file.certificates}
        chain = [certificate for der, certificate in unique.items() if der not in case.roots]
        if all(case.issuers[lower.der] == upper.der or _issued(lower, upper) for lower, upper in pairwise(chain)):
            continue
        ordered = _ordered(case, chain)
        if len(ordered) == len(chain):
            what, remedy = "the order of the chain is wrong", f"{_ORDER}: {', '.join(map(name_of, ordered))}"
        else:
            strays = [name_of(certificate) for certificate in chain if certificate not in ordered]
            missing = _missing_link(case, ordered[-1]) if ordered else ""
            what = f"the certificates are no chain: {', '.join(strays)} did not issue the one before"
            remedy = missing or "build it anew from the leaf and the CAs that issued it"
        yield Remark(severity=Severity.ERROR, place=case.place(file.path), what=what, remedy=remedy)


def _ordered(case: Case, chain: Sequence[Certificate]) -> list[Certificate]:
    """Return the certificates of a chain that hang together, from the leaf upwards."""
    leaves = [certificate for certificate in chain if not certificate.ca]
    members = {certificate.der for certificate in chain}
    found: list[Certificate] = []
    der: bytes | None = leaves[0].der if leaves else None
    while der is not None and der in members:
        found.append(case.evidence.known[der])
        der = case.issuers[der]
    return found


def complete(case: Case) -> Iterator[Remark]:
    """The last of a chain has to be issued by a root, which the other side knows."""
    for file in case.chains():
        chain = _ordered(case, file.certificates)
        top = chain[-1] if chain else None
        if top is None or top.der in case.roots:
            continue
        issuer = case.issuers[top.der]
        # A Sub1 hangs on a root, be it here or not; above a Sub2 something may be missing.
        if issuer not in case.roots and (issuer or top.path_length == 0 or not top.ca):
            yield Remark(
                severity=Severity.ERROR if issuer else Severity.WARNING,
                place=case.place(file.path),
                what=f"the chain ends with {name_of(top)}, which no root here issued",
                remedy=_missing_link(case, top)
                or f"add {_issuer_name(top)}, or if that is the root, its file to this folder",
            )


def _missing_link(case: Case, top: Certificate) -> str:
    issuer = case.issuers[top.der]
    if issuer is None or issuer in case.roots:
        return ""
    return f"add {name_of(case.evidence.known[issuer])} ({case.place(case.homes[issuer])}) after {name_of(top)}"


def _issuer_name(certificate: Certificate) -> str:
    return shown(certificate.parsed.issuer.rfc4514_string())


def surplus(case: Case) -> Iterator[Remark]:
    """Nothing belongs into a chain twice, nor the root: the other side trusts its own copy or none."""
    for file in case.chains():
        roots = [name_of(each) for each in file.certificates if each.der in case.roots]
        if roots:
            yield Remark(
                severity=Severity.WARNING,
                place=case.place(file.path),
                what=f"the chain contains the root {roots[0]}",
                remedy="take it out; it counts against the depth and the size of what is sent",
            )
        twice = [name_of(case.evidence.known[der]) for der, count in _counted(file).items() if count > 1]
        if twice:
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(file.path),
                what=f"{twice[0]} stands in it twice",
                remedy="take one out",
            )
        elif len(file.certificates) - len(roots) > _LONGEST:
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(file.path),
                what=f"the chain has {len(file.certificates)} certificates; a leaf and two Sub-CAs are the most",
                remedy=_ORDER,
            )


def _counted(file: CertificateFile) -> Counter[bytes]:
    return Counter(certificate.der for certificate in file.certificates)


def anchors(case: Case) -> Iterator[Remark]:
    """A file of trust anchors holds roots and nothing else."""
    for file in case.anchors():
        for certificate in file.certificates:
            if certificate.der in case.roots:
                continue
            kind = "Sub-CA" if certificate.ca else "leaf"
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(file.path),
                what=f"the {kind} {name_of(certificate)} is among the trust anchors",
                remedy="take it out; what hangs on it is found through its root",
            )


def branches(case: Case) -> Iterator[Remark]:
    """The anchors of a branch bear its DC: a mobility operator's root anchors no station [V2G2-925]."""
    for file in case.anchors():
        wanted = file.path.stem.upper()
        if wanted not in {"V2G", "MO", "OEM"}:
            continue
        for certificate in file.certificates:
            if certificate.components and wanted not in certificate.components and certificate.der in case.roots:
                yield Remark(
                    severity=Severity.ERROR,
                    place=case.place(file.path),
                    what=f"{name_of(certificate)} has DC={certificate.components[0]}, which is no {wanted} root's",
                    remedy=f"move it to {certificate.components[0].lower()}.pem",
                )


def twins(case: Case) -> Iterator[Remark]:
    """Several roots may share a name [V2G2-878]; who then picks by name alone picks wrongly."""
    named: dict[tuple[Path | None, bytes], list[Certificate]] = defaultdict(list)
    for path, certificate in case.certificates():
        if certificate.der in case.roots:
            named[case.tree_of(path), certificate.subject].append(certificate)
    for first, *others in named.values():
        for other in others:
            yield Remark(
                severity=Severity.NOTE,
                place=case.place(case.homes[other.der]),
                what=f"two roots are named {name_of(first)}; the other is {case.place(case.homes[first.der])}",
                remedy="nothing, if both are meant; else take the old one out of the anchors",
            )


def _issued(lower: Certificate, upper: Certificate) -> bool:
    return lower.names(upper) and signed_by(lower.parsed, upper.parsed)
