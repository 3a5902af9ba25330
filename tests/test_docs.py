"""What the pages show works: configurations load, commands and files exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from click.testing import CliRunner

import evcc.config
import pki.tree
import secc.config
from evcc.config import EvccConfig
from pki.options import Options
from plugcharge.commands import main
from secc.config import SeccConfig
from v2g.exi.notes import Quirk
from v2g.protocols import SCHEMAS, schema_names
from v2g.v2gtp import PayloadType

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("text", blocks("secc.md", "toml"))
def test_secc_configurations_load(text: str, tmp_path: Path) -> None:
    file = tmp_path / "secc.toml"
    file.write_text(text, encoding="utf-8")
    assert secc.config.load(file).evse[0].id == "1"


@pytest.mark.parametrize("text", blocks("evcc.md", "toml"))
def test_evcc_configurations_load(text: str, tmp_path: Path) -> None:
    file = tmp_path / "evcc.toml"
    file.write_text(text, encoding="utf-8")
    assert evcc.config.load(file).network.interface == "eth1"


def test_the_configurations_of_the_readme_load(tmp_path: Path) -> None:
    """They meet on one broker and one link, and end by themselves."""
    station, vehicle = blocks("../README.md", "toml")
    (tmp_path / "secc.toml").write_text(station, encoding="utf-8")
    (tmp_path / "evcc.toml").write_text(vehicle, encoding="utf-8")
    run, charge = secc.config.load(tmp_path / "secc.toml"), evcc.config.load(tmp_path / "evcc.toml")
    assert charge.cable is not None
    assert (charge.cable.port, charge.cable.evse) == (run.mqtt.port, run.evse[0].id)
    assert (charge.network.interface, charge.network.sdp_port) == (run.evse[0].interface, run.evse[0].sdp_port)
    assert charge.plan.charge_s is not None


def test_the_long_configurations_show_the_defaults() -> None:
    """Beside file names, a page's long block says the same as its short one."""
    short, long = (msgspec.convert(tomllib.loads(text), SeccConfig) for text in blocks("secc.md", "toml"))
    assert long.tls.required == short.tls.required
    assert msgspec.structs.replace(long, tls=short.tls, trust=short.trust) == short
    brief, full = (msgspec.convert(tomllib.loads(text), EvccConfig) for text in blocks("evcc.md", "toml"))
    assert full.tls.handshake_s == brief.tls.handshake_s
    assert msgspec.structs.replace(full, tls=brief.tls, contract=brief.contract) == brief


@pytest.mark.parametrize(
    ("page", "config"), [("secc.md", SeccConfig), ("evcc.md", EvccConfig)], ids=["secc.md", "evcc.md"]
)
def test_every_key_is_shown(page: str, config: type[msgspec.Struct]) -> None:
    """A key that can be set stands in the long block, be it in a comment."""
    text = blocks(page, "toml")[1]
    assert [key for key in keys(config) if not re.search(rf"\b{key}\b", text)] == []


def keys(config: type[msgspec.Struct]) -> Iterator[str]:
    """Yield the names of all tables and keys of a configuration."""
    for field in msgspec.structs.fields(config):
        yield field.name
        for kind in (
            field.type,
            *get_args(field.type),
            *(arg for each in get_args(field.type) for arg in get_args(each)),
        ):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                yield from keys(kind)


def test_the_pki_page_shows_every_key_and_its_default(tmp_path: Path) -> None:
    """Written out, the defaults change nothing: the tree is the built-in one as far as it goes."""
    (text,) = blocks("pki.md", "toml")
    assert [key for key in keys(pki.tree.Tree) if not re.search(rf"\b{key}\b", text)] == []
    file = tmp_path / "pki.toml"
    file.write_text(text, encoding="utf-8")
    shown, built_in = pki.tree.read(file)["iso2"], pki.tree.read()["iso2"]
    assert shown.entries() == [entry for entry in built_in.entries() if entry in shown.entries()]
    printed = pki.tree.built_in().read_text(encoding="utf-8")
    assert [key for key in keys(pki.tree.Tree) if not re.search(rf"\b{key}\b", printed)] == []


def test_the_printed_options_are_the_defaults() -> None:
    printed = pki.tree.built_in().read_text(encoding="utf-8")
    block = printed.partition("# [iso2.options]")[2].partition("\n\n")[0]
    lines = [line.removeprefix("# ") for line in block.splitlines()[1:]]
    options = tomllib.loads("\n".join(line for line in lines if "none without it" not in line))
    assert msgspec.convert(options, Options) == Options()
    assert set(options) | {"cross_path_length"} == set(Options.__struct_fields__)


def test_the_lines_about_the_pki_in_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the last, which serves until interrupted."""
    (text,) = (each for each in blocks("../README.md", "sh") if "pki lint" in each)
    *lines, last = (shlex.split(line, comments=True) for line in text.splitlines())
    monkeypatch.chdir(tmp_path)
    for program, *arguments in lines:
        ended = CliRunner().invoke(main, arguments)
        assert (program, ended.exit_code) == ("plugcharge", 0), ended.output
    assert last == ["plugcharge", "pki", "serve"]


@pytest.mark.parametrize("text", blocks("codec.md", "python"))
def test_the_python_of_the_codec_page_runs(text: str) -> None:
    exec(compile(text, "codec.md", "exec"), {})


def test_the_python_of_the_codec_page_type_checks(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(blocks("codec.md", "python")):
        files.append(tmp_path / f"block_{number}.py")
        files[-1].write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", blocks("codec.md", "console"))
def test_the_commands_of_the_codec_page_print_what_it_shows(text: str) -> None:
    line, _, shown = text.partition("\n")
    output = ""
    for command in line.removeprefix("$ ").split(" | "):
        _, *arguments = shlex.split(command)
        ended = CliRunner().invoke(main, arguments, input=output)
        assert ended.exit_code == 0, ended.output
        output = ended.stdout
    assert output == shown


def test_the_codec_page_names_every_schema_set_and_note() -> None:
    text = (ROOT / "docs" / "codec.md").read_text(encoding="utf-8")
    assert [name for name in (*SCHEMAS, *Quirk) if f"`{name}`" not in text] == []
    kinds = [kind for kind in PayloadType if (names := schema_names(kind)) and names[0] != "iso20.common"]
    assert [kind for kind in kinds if f"{kind:#06x}" not in text and kind < PayloadType.SCHEDULE_RENEGOTIATION] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
