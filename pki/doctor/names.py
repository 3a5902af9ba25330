"""Checks of what certificates say: whether each fits the profile of its role, and how its identifiers are written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pki.certificate import Certificate
from pki.doctor.case import Case, name_of
from pki.doctor.finding import Remark, Severity
from pki.fit import misfits
from pki.shown import shown
from v2g.identifiers import BadIdentifier, check_character, emaid
from v2g.trust import Role

_MOST = 5  # of one certificate


def profiles(case: Case) -> Iterator[Remark]:
    """Tell what keeps a certificate from the profile of its role."""
    for path, certificate in case.certificates():
        row = case.row(path, certificate)
        if row is None:
            yield from _unknown(case, certificate)
            continue
        for misfit in islice(misfits(certificate, row), _MOST):
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(path),
                what=f"{name_of(certificate)} as {row.role} of {row.edition}: {shown(str(misfit), 300)}",
                remedy="have it issued anew; `plugcharge pki lint` tells more",
            )


def _unknown(case: Case, certificate: Certificate) -> Iterator[Remark]:
    path = case.homes[certificate.der]
    role = case.role(path, certificate)
    if role:
        yield Remark(
            severity=Severity.ERROR,
            place=case.place(path),
            what=f"{name_of(certificate)}: no edition has a {shown(role)} with such a key",
            remedy="use P-256 in ISO 15118-2, P-521 or Ed448 in -20",
        )


def accounts(case: Case) -> Iterator[Remark]:
    """Tell EMAIDs that are written as some do not expect them; nobody has to refuse them."""
    for path, certificate in case.certificates():
        if case.role(path, certificate) != Role.CONTRACT:
            continue
        what = _unusual(certificate.common_name)
        if what:
            yield Remark(
                severity=Severity.WARNING,
                place=case.place(path),
                what=f"the EMAID {shown(certificate.common_name, 64)} {what[0]}",
                remedy=what[1],
            )


def _unusual(text: str) -> tuple[str, str] | None:
    try:
        plain = emaid(text)
    except BadIdentifier:
        return None
    if len(plain) == 15 and plain[14] != check_character(plain[:14]):
        return f"ends with the wrong check character {plain[14]}", f"it should be {check_character(plain[:14])}"
    if plain != text:
        return "is not in capitals without separators", f"issue it as {plain}, as it is sent"
    return None
