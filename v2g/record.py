"""Records and facts: frozen structs, so that a declaration is nothing but its fields, and cheap at import."""

from __future__ import annotations

from typing import Any, dataclass_transform

import msgspec


class RecordType(msgspec.StructMeta):
    """Metaclass that makes `kw_only` and `frozen` the rule (msgspec inherits neither for new fields)."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, object], **options: Any) -> RecordType:
        """Define the struct; `options` are those of `msgspec.Struct`."""
        rules: dict[str, Any] = {"kw_only": True, "frozen": True}
        return super().__new__(mcls, name, bases, namespace, **(rules | options))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, metaclass=RecordType, kw_only=True, frozen=True):
    """Base of everything that is declared by its fields alone: messages, MQTT payloads, configuration."""


class FactType(msgspec.StructMeta):
    """Metaclass that makes `frozen` the rule."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, object], **options: Any) -> FactType:
        """Define the struct; `options` are those of `msgspec.Struct`."""
        return super().__new__(mcls, name, bases, namespace, **({"frozen": True} | options))


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, metaclass=FactType, frozen=True):
    """Base of small values whose fields have an order: limits, productions, steps."""
