"""What secc.toml and evcc.toml say about certificates, read as text: this package knows neither of their owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from v2g import toml
from v2g.trust import Role


class Kind(StrEnum):
    """What a configured file has to hold."""

    CHAIN = "chain"
    KEY = "key"
    ROOT = "root"
    ANCHORS = "anchors"


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that names files: its table, its name, what lies there, and for whom."""

    table: str
    key: str
    kind: Kind
    role: Role | None = None


SETTINGS = (
    Setting("tls", "chain", Kind.CHAIN, Role.SECC),
    Setting("tls", "key", Kind.KEY, Role.SECC),
    Setting("tls", "root", Kind.ROOT, Role.SECC),
    Setting("tls", "roots", Kind.ANCHORS),
    Setting("trust", "contract", Kind.ANCHORS),
    Setting("contract", "chain", Kind.CHAIN, Role.CONTRACT),
    Setting("contract", "key", Kind.KEY, Role.CONTRACT),
    Setting("provisioning", "chain", Kind.CHAIN, Role.OEM_PROVISIONING),
    Setting("provisioning", "key", Kind.KEY, Role.OEM_PROVISIONING),
    Setting("provisioning", "roots", Kind.ANCHORS),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a configuration names."""

    setting: Setting
    path: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The files one configuration names; `problem` says why it cannot be read."""

    file: Path
    references: tuple[Reference, ...] = ()
    passwords: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""

    def anchors(self) -> Iterator[Reference]:
        """Yield the references to trust anchors."""
        yield from (each for each in self.references if each.setting.kind in (Kind.ANCHORS, Kind.ROOT))

    def find(self, table: str, kind: Kind) -> Path | None:
        """Return the file that a table names as something; None if it names none."""
        found = (each.path for each in self.references if (each.setting.table, each.setting.kind) == (table, kind))
        return next(found, None)

    @property
    def tables(self) -> list[str]:
        """The tables that name files, each once."""
        return list(dict.fromkeys(each.setting.table for each in self.references))


def read(path: Path) -> Settings:
    """Read which files a secc.toml or evcc.toml names, relative ones to its folder; what fails is told inside."""
    try:
        tables = toml.read(path, absent="name a secc.toml or evcc.toml")
    except toml.ConfigurationError as error:
        return Settings(path, problem=str(error).removeprefix(f"{path}: "))
    references = tuple(
        Reference(setting, path.parent / name)
        for setting in SETTINGS
        for name in _texts(_table(tables, setting.table).get(setting.key))
    )
    passwords = {
        setting.table: text.encode()
        for setting in SETTINGS
        for text in _texts(_table(tables, setting.table).get("password"))
    }
    return Settings(path, references, passwords)


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tables.get(name)
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> list[str]:
    """Return the file names in a value: one, several or, where it is something else, none."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text and "\0" not in text]
