from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import v2g
from plugcharge.commands import MOUNTS, main


def test_help_lists_every_subcommand() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, mount in MOUNTS.items():
        assert f"\n  {name}" in result.output
        assert mount.summary in " ".join(result.output.split())


def test_version_is_the_packages() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"plugcharge, version {v2g.__version__}\n"


def test_unknown_subcommand_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["charge"])
    assert result.exit_code == 2
    assert "No such command 'charge'" in result.output


@pytest.mark.parametrize("name", MOUNTS)
def test_mounted_command_exists(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert command.name == name


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_a_session_may_never_need(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from plugcharge.commands import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "heavy = {'cryptography', 'OpenSSL', 'aiomqtt', 'amqtt', 'rich', 'asyncio', 'secc', 'evcc', 'pki', 'lxml'}\n"
        "heavy |= {'v2g.messages', 'v2g.views', 'msgspec'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output.endswith("loaded: []\n")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plugcharge.demo", None)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert "pip install 'plugcharge[demo]'" in result.output
