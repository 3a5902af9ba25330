from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pki.commands import pki
from pki.tree import built_in, read


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


def test_init_makes_and_keeps(tmp_path: Path) -> None:
    first = run("init", "--out", tmp_path)
    assert first.exit_code == 0, first.output
    assert f"{tmp_path / 'iso2'}: 26 made, 0 kept" in first.output
    assert f"{tmp_path / 'iso20'}: 31 made, 0 kept" in first.output
    assert "leaf/contract/car1  (new)" in first.output
    again = run("init", "--out", tmp_path, "--tree", "iso2").output
    assert "iso2: 0 made, 26 kept" in again
    assert "iso20" not in again


def test_init_makes_what_else_is_declared_and_keeps_it(tmp_path: Path) -> None:
    config = tmp_path / "pki.toml"
    declared = 'ocsp_signers = true\nvariants = ["contract-leaf-expired", "secc-sub2-expired"]\nexport = ["josev"]\n'
    config.write_text(built_in().read_text(encoding="utf-8").replace("ocsp_signers = true", declared, 1))
    arguments = ("init", "--config", config, "--out", tmp_path / "out", "--tree", "iso2")
    assert "broken: 2 variants made, 0 kept" in run(*arguments).output
    broken = tmp_path / "out/iso2/broken"
    assert {path.name for path in broken.iterdir()} == {"contract-leaf-expired", "secc-sub2-expired"}
    assert (tmp_path / "out/iso2/export/josev/iso15118_2/certs/v2gRootCACert.pem").is_file()
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    again = run(*arguments).output
    assert "broken: 0 variants made, 2 kept" in again
    assert "0 files written" in again
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out/iso2/ca/mo/root.pem").unlink()
    assert "broken: 1 variants made, 1 kept" in run(*arguments).output


def test_an_unknown_variant_is_named_with_those_near(tmp_path: Path) -> None:
    config = tmp_path / "pki.toml"
    text = built_in().read_text(encoding="utf-8")
    config.write_text(text.replace("ocsp_signers = true", 'variants = ["contract-leaf-expire"]', 1))
    result = run("init", "--config", config, "--out", tmp_path / "out", "--tree", "iso2")
    assert result.exit_code == 1
    assert "contract-leaf-expired" in result.output


def test_a_seed_is_loud_and_gives_the_same_tree(tmp_path: Path) -> None:
    for name in ("one", "two"):
        result = run("init", "--seed", "demo", "--tree", "iso20", "--out", tmp_path / name)
        assert "FOR TESTS ONLY" in result.output
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.pem")}
        for name in ("one", "two")
    )
    assert one == two
    assert one


def test_renew_makes_anew_what_ends_within_a_time(tmp_path: Path) -> None:
    run("init", "--tree", "iso2", "--out", tmp_path)
    assert "0 made, 26 kept" in run("renew", "--tree", "iso2", "--out", tmp_path).output
    result = run("renew", "--tree", "iso2", "--out", tmp_path, "--within", "9w")
    assert "leaf/secc/evse1  (it ends on" in result.output
    assert "leaf/contract/car1" not in result.output


def test_many_are_told_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "pki.toml"
    config.write_text(
        '[t]\norganization = "O"\ncountry = "DE"\n[[t.root]]\nkind = "mo"\ncn = "MO"\n'
        '[[t.branch]]\nname = "mo"\nunder = "mo"\n[[t.leaf]]\nrole = "contract"\nid = "c{n}"\n'
        'emaid = "DEPCGC{n:08}{check}"\ncount = 300\n'
    )
    result = run("init", "--config", config, "--out", tmp_path / "out")
    assert "  300 x leaf/contract  (new)" in result.output
    assert f"{tmp_path / 'out/t'}: 303 made, 0 kept" in result.output
    assert len(list((tmp_path / "out/t/leaf/contract").iterdir())) == 300


def test_init_lies_in_certs_out_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init").exit_code == 0
    assert (tmp_path / "certs/out/iso2/trust/v2g.pem").is_file()
    assert run("show").exit_code == 0
    assert run("export", "--layout", "josev", "josev").exit_code == 0


def test_verify_trusts_what_we_made(folder: Path) -> None:
    for path, name in (("leaf/contract/car1", "DEPCGC00000001V"), ("leaf/secc/evse1/chain.pem", "DE*PCG*E0001")):
        result = run("verify", folder / path)
        assert result.exit_code == 0, result.output
        assert name in result.output


REFUSED = {
    "other role": (["verify", "{}/leaf/contract/car1", "--role", "secc"], 1, "not trusted as secc: profile: leaf: "),
    "expired": (["verify", "{}/leaf/contract/car1", "--at", "2050-01-01"], 1, "expired: leaf: was valid until"),
    "no path": (["verify", "{}/leaf/none"], 1, "no such certificate chain"),
    "no role": (["verify", "{}/ca/cpo/sub1.pem"], 2, "--role"),
    "unknown role": (["verify", "{}/leaf/contract/car1", "--role", "mayor"], 2, "'mayor' is not one of"),
    "no trust": (["verify", "{}/trust/v2g.pem", "--role", "secc"], 2, "--trust"),
    "no tree": (["show", "--out", "{}/none"], 1, "holds no tree; `plugcharge pki init` makes one"),
    "no configuration": (["init", "--config", "{}/none.toml"], 1, "none.toml: no such file"),
    "a folder for a configuration": (["init", "--config", "{}"], 1, "cannot be read: Is a directory; name a TOML file"),
    "a file for a folder": (["init", "--out", "{}/manifest.json"], 2, "is a file"),
    "no such tree": (["init", "--tree", "x", "--out", "{}/y"], 1, "declares no tree x, only iso2, iso20, iso20-ed448"),
    "no period": (["renew", "--within", "soon", "--out", "{}/y"], 2, "'soon'; write a number and d, h or w"),
    "no layout": (["export", "{}/x"], 2, "--layout"),
    "unknown layout": (["export", "--layout", "bus", "{}/x"], 2, "'bus' is not"),
    "leaf without id": (["export", "--layout", "josev", "--leaf", "secc", "{}/x"], 2, "write ROLE=ID"),
    "unknown leaf": (["export", "--layout", "josev", "--from", "{}", "--leaf", "secc=x", "{}/y"], 1, "certificate x"),
    "nothing to export": (
        ["export", "--layout", "josev", "--from", "{}/none", "{}/y"],
        1,
        "none: holds no tree; `plugcharge",
    ),
}


@pytest.mark.parametrize(("arguments", "status", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_one_line(folder: Path, arguments: list[str], status: int, message: str) -> None:
    result = run(*(argument.format(folder) for argument in arguments))
    assert result.exit_code == status, result.output
    assert message in result.output
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.output


def test_python_m_pki_works() -> None:
    command = [sys.executable, "-m", "pki", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert [word for word in ("init", "show", "verify", "export") if word not in result.stdout] == []


def test_help_loads_no_cryptography() -> None:
    code = "import sys; from pki.commands import pki; assert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_configuration_printed_is_the_one_followed(tmp_path: Path) -> None:
    result = run("init", "--print-config", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "out").exists()
    (tmp_path / "pki.toml").write_text(result.output, encoding="utf-8")
    assert read(tmp_path / "pki.toml") == read()
