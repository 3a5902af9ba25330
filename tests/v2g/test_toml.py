"""Configuration files: every error names the file, the key, what may stand there and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from v2g import toml
from v2g.record import Record


class Leaf(Record, forbid_unknown_fields=True):
    role: Literal["secc", "cps"]
    days: int = 1


class Tree(Record, forbid_unknown_fields=True):
    name: str
    leaf: list[Leaf] = []
    only: Leaf | None = None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = 1", ["name: Expected `str`, got `int`"]),
        (b"", ["missing required field `name`"]),
        (b'name = "a"\nother = 1', ["unknown field `other`"]),
        (b'name = "a"\n[[leaf]]\nrole = "cpo"', ["leaf[0].role", "not one of", "cps, secc"]),
        (b'name = "a"\n[only]\nrole = "cpo"', ["only.role", "not one of", "cps, secc"]),
        (b'name = "a"\n[[leaf]]\nrole = "secc"\ndays = "x"', ["leaf[0].days: Expected `int`"]),
        (b'name = "\xff"', ["byte 8 is not UTF-8", "save the file as UTF-8"]),
        (b"name =", ["not TOML", "end of document"]),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, said: list[str]) -> None:
    file = tmp_path / "tree.toml"
    file.write_bytes(content)
    with pytest.raises(toml.ConfigurationError) as caught:
        toml.convert(toml.read(file, absent="make one"), Tree, file, remedy="see the docs")
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    for part in said:
        assert part.lower() in message.lower(), message


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(toml.ConfigurationError, match="no such file; make one"):
        toml.read(tmp_path / "none.toml", absent="make one")
    with pytest.raises(toml.ConfigurationError, match="cannot be read: Is a directory"):
        toml.read(tmp_path, absent="make one")


def test_what_is_right(tmp_path: Path) -> None:
    file = tmp_path / "tree.toml"
    file.write_text('name = "a"\n[[leaf]]\nrole = "cps"\n', encoding="utf-8")
    assert toml.convert(toml.read(file, absent=""), Tree, file) == Tree(name="a", leaf=[Leaf(role="cps")])
