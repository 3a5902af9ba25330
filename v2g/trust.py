"""The answer to "may this certificate chain be trusted in this role?".

`v2g` asks the question (in TLS) and `pki.validate` answers it; the two meet in these types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from v2g.errors import Untrusted


class Role(StrEnum):
    """What a leaf certificate is presented as; the profile it has to fit follows from it."""

    SECC = "secc"
    CONTRACT = "contract"
    OEM_PROVISIONING = "oem-provisioning"
    CPS = "cps"
    VEHICLE = "vehicle"


class Rule(StrEnum):
    """The checks a chain goes through, in the order they are made."""

    DEPTH = "depth"
    PARSE = "parse"
    ORDER = "order"
    PROFILE = "profile"
    SIGNATURE = "signature"
    ANCHOR = "anchor"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REVOCATION = "revocation"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a chain check; `broken` is None when the chain holds.

    `subject` is the leaf's CN, `anchor` the root's CN (empty when none was found), `expires` the leaf's end of
    validity; they are filled as far as the check got. `tier` names the certificate that broke it: leaf, sub2, sub1 or
    root, or nothing where no single one did. `pending` means that evidence of revocation is still being brought: asked
    again a little later, the same question may have another answer.
    """

    role: Role
    broken: Rule | None = None
    detail: str = ""
    tier: str = ""
    subject: str = ""
    anchor: str = ""
    expires: datetime | None = None
    pending: bool = False

    def __bool__(self) -> bool:
        """Tell whether the chain may be trusted."""
        return self.broken is None

    def demand(self) -> None:
        """Raise `Untrusted` unless the chain holds."""
        if self.broken is not None:
            raise Untrusted(f"{self.role} certificate, {self.broken}", self.detail)


Verify = Callable[[Sequence[bytes], Role], Verdict]
"""Checks a chain of DER certificates, leaf first and without the root, in a role."""
