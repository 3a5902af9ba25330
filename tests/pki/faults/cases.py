"""A variant as a laboratory finds it: its files, read without the code that wrote them."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pki.faults import folder
from pki.faults.catalogue import variants
from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from v2g.trust import Role

PLAYED = Edition.ISO2
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def cases(*editions: Edition, role: Role | None = None) -> list[str]:
    """The variants of editions, perhaps of one role, as parameters of the fixture `case`."""
    return [
        f"{edition}:{name}"
        for edition in editions
        for name, variant in variants(edition).items()
        if role in (None, variant.role)
    ]


@dataclass(frozen=True)
class Case:
    """One folder."""

    folder: Path

    @cached_property
    def expect(self) -> dict[str, Any]:
        found = json.loads((self.folder / "expect.json").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    @property
    def reaction(self) -> dict[str, str]:
        found = self.expect["expected"]
        assert isinstance(found, dict)
        return found

    @property
    def accepted(self) -> bool:
        return bool(self.expect["accepted"])

    @cached_property
    def chain(self) -> list[bytes]:
        return blocks(self.folder / "chain.pem")

    @cached_property
    def anchors(self) -> list[bytes]:
        return blocks(self.folder / "anchors.pem")

    @cached_property
    def key(self) -> object:
        return load_pem_private_key((self.folder / "key.pem").read_bytes(), None)

    @cached_property
    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """Its key, or another where it is none that signs messages of -2: the chain is judged first."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey) and isinstance(self.key.curve, ec.SECP256R1):
            return self.key
        return ec.generate_private_key(ec.SECP256R1())

    @property
    def evidence(self) -> Path | None:
        folder = self.folder / "evidence"
        return folder if folder.exists() else None

    @property
    def trust(self) -> dict[str, Any]:
        """The settings of whoever trusts, as secc.toml and evcc.toml have them."""
        asked = self.expect["revocation"]
        if asked == "off":
            return {}
        found: dict[str, Any] = {"revocation": asked, "checked": "leaf" if asked == "hard" else "chain"}
        return found | ({"evidence": str(self.evidence)} if self.evidence else {})


def blocks(file: Path) -> list[bytes]:
    """The certificates of a PEM file, whatever they hold."""
    return [base64.b64decode(found) for found in _BLOCK.findall(file.read_text(encoding="ascii"))]


class Trees:
    """The folders of the default trees by edition, each with all of its variants in `broken`; made when asked for."""

    def __init__(self, below: Path) -> None:
        self._below = below

    def __getitem__(self, name: str) -> Path:
        made = self._below / name
        if not made.exists():
            tree = Store(made)
            bring_up_to_date(read()[name], tree)
            folder.write_all(tree)
        return made
