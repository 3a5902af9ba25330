"""The OCSP responder behind the simulated operator: it knows a tree of `pki init` and what is revoked in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pki import revoked
from pki.certificate import Certificate
from pki.issue import Issued
from pki.ocsp import CertId, respond
from pki.store import Store

LIFETIME = timedelta(days=1)


class TreeResponder:
    """Answers for every CA of one tree, as it stands when it is asked; raises ValueError for a tree that has none."""

    def __init__(self, tree: Path) -> None:
        self._store = Store(tree)
        if not self._authorities():
            raise ValueError(f"{tree}: has no CA; `plugcharge pki init` makes a tree that has some")

    def __call__(self, about: CertId, at: datetime) -> bytes:
        """Return a response, valid for a day from a time (aware); raises ValueError where none can be given."""
        place = self._issuer(about)
        _, branch, name = place.split("/")
        delegate = f"leaf/{branch}-ocsp/{name}"
        appointed = delegate in self._store.places()
        signer: Issued = self._store.load(delegate if appointed else place)
        return respond(
            about,
            revoked.load(self._store.folder).standing(place, about.serial),
            signer,
            this_update=at,
            next_update=at + LIFETIME,
            enclosed=(signer.certificate,) if appointed else (),
        )

    def _issuer(self, about: CertId) -> str:
        """Return the place of the CA that a request is about."""
        for place, authority in self._authorities().items():
            if about.fits(about.serial, authority.parsed):
                return place
        raise ValueError("a certificate of a CA that is not in this tree")

    def _authorities(self) -> dict[str, Certificate]:
        return dict(revoked.authorities(self._store))
