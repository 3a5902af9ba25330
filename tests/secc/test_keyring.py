"""What stations show and trust comes from the files that are watched, and from no others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from secc import config, keyring
from v2g.tls.suites import Generation
from v2g.toml import ConfigurationError

SETTINGS = """\
[[evse]]
id = "1"
interface = "lo"
[tls]
chain = "iso2/leaf/secc/evse1/chain.pem"
key = "iso2/leaf/secc/evse1/key.pem"
root = "iso2/trust/v2g.pem"
[[tls.identity]]
chain = "iso20/leaf/secc/evse1/chain.pem"
key = "iso20/leaf/secc/evse1/key.pem"
root = "iso20/trust/v2g.pem"
[trust]
contract = ["iso2/trust/mo.pem", "iso20/trust/mo.pem"]
vehicle = ["iso20/trust/oem.pem"]
"""


class Opened:
    """Notes which files are opened while it is `listening`; an audit hook stays for good."""

    def __init__(self) -> None:
        self.listening = False
        self.names: set[Path] = set()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event == "open" and isinstance(arguments[0], str):
            self.names.add(Path(arguments[0]))


OPENED = Opened()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trees of both generations, and a secc.toml that names everything it may."""
    folder = tmp_path_factory.mktemp("keyring")
    for name in ("iso2", "iso20"):
        bring_up_to_date(read()[name], Store(folder / name))
    (folder / "secc.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


def test_every_file_that_is_read_is_watched(folder: Path) -> None:
    """One that is not would be renewed in vain."""
    settings = config.load(folder / "secc.toml")
    OPENED.names.clear()
    OPENED.listening = True
    try:
        keys = keyring.load(folder / "secc.toml", settings)
    finally:
        OPENED.listening = False
    ours = {name for name in OPENED.names if name.is_relative_to(folder)}
    assert ours == set(keyring.files(settings))
    assert len(ours) == 9
    assert [each.generation for each in keys.identities] == [Generation.ISO2, Generation.ISO20]
    assert keys.vehicles is not None


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ("iso2/leaf/secc/evse1/key.pem", "[tls]"),
        ("iso20/leaf/secc/evse1/chain.pem", "[tls]"),
        ("iso20/trust/oem.pem", "[trust] vehicle"),
        ("iso2/trust/mo.pem", "[trust] contract"),
    ],
)
def test_a_broken_file_is_named_with_its_place(folder: Path, broken: str, place: str) -> None:
    file, settings = folder / broken, config.load(folder / "secc.toml")
    sound = file.read_bytes()
    file.write_bytes(b"-----BEGIN")
    try:
        with pytest.raises(ConfigurationError) as refused:
            keyring.load(folder / "secc.toml", settings)
    finally:
        file.write_bytes(sound)
    assert str(refused.value).startswith(f"{folder / 'secc.toml'}: {place}: {file}: ")


def test_without_certificates_there_is_nothing_to_watch(tmp_path: Path) -> None:
    file = tmp_path / "secc.toml"
    file.write_text('[[evse]]\nid = "1"\ninterface = "lo"\n[tls]\nrequired = false\n', encoding="utf-8")
    settings = config.load(file)
    keys = keyring.load(file, settings)
    assert (keyring.files(settings), keys.tls, keys.vehicles, keys.identities) == ([], None, None, ())
