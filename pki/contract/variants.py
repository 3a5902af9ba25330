"""The names by which a user chooses how a delivery is made, and what each means."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pki.contract.manner import STANDARD, Deviation, Manner, deviating
from v2g.keywrap import additional, derivation
from v2g.keywrap.ed448_secret import Ed448Form

FORMS = {"short": Ed448Form.SHORT, "whole": Ed448Form.WHOLE}


def manner_of(
    kdf: str | None, aad: str | None, form: str | None, deviations: Collection[str], *, padded: bool = False
) -> Manner:
    """Tell the manner of these names; raises ValueError naming all there are."""
    manner = Manner(
        derivation=STANDARD.derivation if kdf is None else derivation.derivation(kdf),
        additional=STANDARD.additional if aad is None else additional.reading(aad),
        form=None if form is None else FORMS[form],
        padded=padded,
    )
    return deviating(deviations, manner)


def listed() -> Iterator[str]:
    """Yield all names, a line each."""
    for kdf in derivation.DERIVATIONS:
        info = kdf.info.hex() or "nothing"
        yield f"--kdf {kdf.name}: {kdf.function} over {info}{' with SHA-256 in -20, too' if kdf.hash else ''}"
    for reading in additional.READINGS:
        yield f"--aad {reading.name}: {reading.meaning}"
    for deviation in Deviation:
        yield f"--deviate {deviation}: {deviation.summary}"
