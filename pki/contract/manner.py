"""How a delivery is made where the standard leaves room, and everything that can be wrong with one on purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from v2g.keywrap import additional, derivation
from v2g.keywrap.additional import Reading
from v2g.keywrap.derivation import Derivation
from v2g.keywrap.ed448_secret import Ed448Form


class Deviation(StrEnum):
    """One fault of a delivery, for laboratories."""

    WRONG_KDF = "wrong-kdf"
    WRONG_RECIPIENT = "wrong-recipient"
    WRONG_KEY = "wrong-key"
    WRONG_SIGNER = "wrong-signer"
    UNSIGNED = "unsigned"
    THREE_REFERENCES = "three-references"
    OTHER_EMAID = "other-emaid"
    CHANGED = "changed"
    WRONG_ORDER = "wrong-order"

    @property
    def summary(self) -> str:
        """What is wrong."""
        return _SUMMARIES[self]


_SUMMARIES = {
    Deviation.WRONG_KDF: "the key of the cipher is derived by X9.63 without OtherInfo",
    Deviation.WRONG_RECIPIENT: "the contract's key is encrypted for another vehicle",
    Deviation.WRONG_KEY: "another key than that of the contract certificate is delivered",
    Deviation.WRONG_SIGNER: "somebody else signs in the provider's name",
    Deviation.UNSIGNED: "there is no signature",
    Deviation.THREE_REFERENCES: "the signature covers all parts but the eMAID (-2)",
    Deviation.OTHER_EMAID: "the eMAID is another than that of the contract certificate (-2)",
    Deviation.CHANGED: "one bit of the encrypted key is turned after the signature",
    Deviation.WRONG_ORDER: "the Sub-CAs of the contract stand in the wrong order",
}
ISO2_ALONE = frozenset({Deviation.THREE_REFERENCES, Deviation.OTHER_EMAID})
"""Deviations for which a delivery of -20 has no place: it has one reference and no eMAID."""
_WRONG_KDF = "x963-empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a delivery is made; as it stands, as we read the standards.

    `additional` is the additional data of -20; `form` allows Ed448 contracts, whose form is an experiment; `padded`
    fills the sender's X448 key up to the 133 bytes of the schema.
    """

    derivation: Derivation = derivation.STANDARD
    additional: Reading = additional.STANDARD
    form: Ed448Form | None = None
    padded: bool = False
    deviations: frozenset[Deviation] = frozenset()

    def __contains__(self, deviation: Deviation) -> bool:
        return deviation in self.deviations


STANDARD = Manner()


def deviating(names: Collection[str], manner: Manner = STANDARD) -> Manner:
    """Add deviations by name; raises ValueError naming all there are."""
    found = frozenset(_named(names))
    wrong = derivation.derivation(_WRONG_KDF) if Deviation.WRONG_KDF in found else manner.derivation
    return replace(manner, deviations=manner.deviations | found, derivation=wrong)


def _named(names: Collection[str]) -> Iterator[Deviation]:
    for name in names:
        if name not in set(Deviation):
            raise ValueError(f"no deviation is named {name!r}; there are {', '.join(Deviation)}")
        yield Deviation(name)
