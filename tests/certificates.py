"""The certificates that sessions need, made once per run, and contracts made by hand to be wrong in one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from pki import credentials
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.pki.chains import NOW, build
from tests.pki.chains import Path as ChainPath


def make_tree(folder: Path) -> Path:
    """The default -2 tree below a folder."""
    bring_up_to_date(read()["iso2"], Store(folder / "iso2"))
    return folder / "iso2"


@dataclass(frozen=True)
class Holder:
    """A contract with its key; the chain is DER, leaf first and without the root."""

    emaid: str
    chain: Sequence[bytes]
    key: ec.EllipticCurvePrivateKey


def car1(tree: Path) -> Holder:
    """The contract of the default tree."""
    leaf = tree / "leaf" / "contract" / "car1"
    credential = credentials.load_credential(leaf / "chain.pem", leaf / "key.pem")
    assert isinstance(credential.key, ec.EllipticCurvePrivateKey)
    return Holder("DEPCGC00000001V", credential.chain, credential.key)


TODAY = (datetime.now(UTC) - NOW).days
VALID = (TODAY - 10, TODAY + 100)


def by_hand(**changes: dict[str, Any]) -> tuple[Holder, ChainPath]:
    """A contract and its path, right today but for the changes, given by tier as fields of `Spec`."""
    tiers = {tier: {"days": VALID} | changes.get(tier, {}) for tier in ("root", "sub1", "sub2", "leaf")}
    path = build("contract", **tiers)
    assert isinstance(path.leaf.key, ec.EllipticCurvePrivateKey)
    return Holder("DE8AA0012345670", path.chain, path.leaf.key), path
