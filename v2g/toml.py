"""TOML files into records, for every configuration there is: an error names file, key, what may stand there, remedy."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")


class ConfigurationError(ValueError):
    """A configuration that cannot be used; the text names file, key and remedy."""


def read(source: Path | Traversable, *, absent: str) -> dict[str, Any]:
    """Read the tables of a TOML file; raises `ConfigurationError`, with `absent` as the remedy for no such file."""
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{source}: no such file; {absent}") from None
    except OSError as error:
        raise ConfigurationError(f"{source}: cannot be read: {error.strerror}; name a TOML file") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{source}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source}: not TOML: {error}") from error


@contextlib.contextmanager
def place(path: Path, where: str) -> Iterator[None]:
    """Say where in which file the values stand that cannot be used: ValueError and OSError become its error."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"{path}: {where}: {error}") from error


def convert(tables: object, kind: type[T], source: object, *, under: str = "", remedy: str = "") -> T:
    """Make a record of tables, those `under` a key of the source.

    Raises `ConfigurationError` naming source, key, and the choices where there are some.
    """
    try:
        return msgspec.convert(tables, kind)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        key = ".".join(part for part in (under, place) if part)
        where = f"{source}: {key}: " if key else f"{source}: "
        raise ConfigurationError(where + problem + _choices(kind, place) + (f"; {remedy}" if remedy else "")) from error


def _choices(kind: Any, place: str) -> str:
    """Say what may stand in a place such as "leaf[0].role", or nothing where that is no choice."""
    found: inspect.Type = inspect.type_info(kind)
    for name in re.findall(r"[a-z_]\w*", place):
        found = _member(found, name)
    found = _element(found)
    match found:
        case inspect.EnumType():
            values = [str(each.value) for each in found.cls]
        case inspect.LiteralType():
            values = [str(value) for value in found.values]
        case _:
            return ""
    return f", not one of {', '.join(values)}"


def _element(kind: inspect.Type) -> inspect.Type:
    """What a list holds, however deep; anything else as it is."""
    while isinstance(kind, inspect.ListType | inspect.VarTupleType):
        kind = kind.item_type
    return kind


def _member(kind: inspect.Type, name: str) -> inspect.Type:
    """Go one name down, through optional values and lists."""
    while True:
        match kind:
            case inspect.UnionType():
                structs = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
                kind = structs[0]
            case inspect.ListType() | inspect.VarTupleType():
                kind = kind.item_type
            case inspect.StructType():
                fields = {field.encode_name: field.type for field in kind.fields}
                return fields.get(name, inspect.AnyType())
            case _:
                return inspect.AnyType()
