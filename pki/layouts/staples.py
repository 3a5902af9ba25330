"""The OCSP responses that lie in a tree (`ocsp/*.der`), for stacks that keep them beside their certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pki import ocsp
from pki.ancestry import issuers
from pki.certificate import Certificate
from pki.evidence import Unusable
from pki.layouts.forms import Held
from pki.layouts.found import read_file
from pki.store import Store

FOLDER = "ocsp"


def with_responses(tree: Store, held: Mapping[str, Held], at: datetime | None = None) -> dict[str, Held]:
    """Return what is held, with the response for each certificate that may be relied upon longest, if there is one.

    Raise ValueError for a response that cannot be read.
    """
    now = at or datetime.now(UTC)
    responses = list(_responses(tree))
    above = issuers({place: one.certificate for place, one in held.items()}) if responses else {}
    found = dict(held)
    for place, issuer in above.items():
        if issuer is not None:
            signer = held[issuer].certificate
            response = _longest(responses, held[place].certificate, signer, now)
            found[place] = replace(held[place], issuer=signer, response=response)
    return found


def _responses(tree: Store) -> Iterator[bytes]:
    for path in sorted((tree.folder / FOLDER).glob("*.der")):
        data = read_file(path)
        try:
            ocsp.read_response(data or b"")
        except Unusable as error:
            raise ValueError(f"{path}: {error}; remove it") from error
        yield data or b""


def _longest(responses: Sequence[bytes], certificate: Certificate, issuer: Certificate, at: datetime) -> bytes | None:
    """Return the response for a certificate that holds longest; one that is out of date holds nothing."""
    usable: list[tuple[datetime, bytes]] = []
    for response in responses:
        try:
            until = ocsp.judge(response, certificate, issuer, at).until
        except Unusable:
            continue
        if until >= at:
            usable.append((until, response))
    return max(usable)[1] if usable else None
