"""The simulated operator's configuration; what he says is tested with real processes in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from secc.backend_simulator import BackendConfig, BackendSimulator, read
from secc.commands import secc


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "backend.toml"
    file.write_text('tree = "certs"\ncertificates = "late"\n[broker]\nhost = "there"\nport = 1\n', encoding="utf-8")
    config = read(file, {"certificates": "silent", "broker": {"port": 2}})
    assert (config.certificates, config.broker.host, config.broker.port) == ("silent", "there", 2)
    assert config.tree == str(tmp_path / "certs")
    assert read(None, {"tree": "certs"}).tree == "certs"
    assert read(None, {}) == BackendConfig()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colour = 1\n", "colour"),
        ('certificates = "never"\n', "certificates.*not one of answer, failed, garbage"),
        ("delay_s = -1.0\n", "delay_s"),
        ("tree = 1\n", "tree"),
        ("broker = 1\n", "broker"),
        ('evse = "a/b"\n', "evse"),
        ("[", "not TOML"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "backend.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=why) as caught:
        read(file, {})
    assert str(file) in str(caught.value)


def test_a_tree_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no ca/mo/sub2"):
        BackendSimulator(BackendConfig(tree=str(tmp_path)), lambda: None)
    ended = CliRunner().invoke(secc, ["simulate-backend", "--tree", str(tmp_path / "nowhere")])
    assert ended.exit_code == 1
    assert ended.output.startswith("Error: ")
    assert "has no ca/mo/sub2" in ended.output
