"""What a configuration asks beyond trust anchors; SECC and EVCC have the same keys. Reads nothing, imports little."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from pki.options import DEFAULT, Options
from v2g.record import Record

S = TypeVar("S", bound="RevocationSettings")
Host = Annotated[str, msgspec.Meta(pattern=r"^(\*|[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?)$")]
"""Whom one may ask over HTTP: "host", "host:port" or "*" for whomever a certificate names."""


class RevocationSettings(Record, forbid_unknown_fields=True):
    """Whether certificates may be revoked, and where that is told.

    `revocation` is `soft` (only what is known to be revoked breaks a chain), `hard` (whatever is not known to be good)
    or `off`; `checked` are all below the root, or the leaf alone. Evidence are the files `crls`, the folder `evidence`
    of lists and OCSP responses, and whom certificates name, as far as the hosts are among `fetch`: "host", "host:port"
    or "*". `fetch_s` bounds one exchange, `nonce` makes responders prove that their answers are fresh. `options` are
    answers to what the references leave open about certificates.
    """

    revocation: Literal["off", "soft", "hard"] = "soft"
    checked: Literal["chain", "leaf"] = "chain"
    crls: list[str] = []
    evidence: str | None = None
    fetch: list[Host] = []
    fetch_s: Annotated[float, msgspec.Meta(gt=0, le=30)] = 5.0
    nonce: bool = True
    options: Options = DEFAULT

    def __post_init__(self) -> None:
        """Refuse evidence that nobody would look at."""
        if self.revocation == "off" and (self.crls or self.evidence or self.fetch):
            raise ValueError('revocation = "off" asks for no crls, evidence or fetch; leave them out, or set "soft"')


def anchored(settings: S, folder: Path) -> S:
    """Make file names absolute, those of a configuration being relative to its folder."""
    evidence = None if settings.evidence is None else str(folder / settings.evidence)
    return msgspec.structs.replace(settings, crls=[str(folder / name) for name in settings.crls], evidence=evidence)
