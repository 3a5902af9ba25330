from __future__ import annotations

import errno
import os
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
    "no such tree": (["init", "--tree", "x", "--out", "{}/y"], 1, "--tree takes such a name here, --out the folder"),
    "folder for a name": (["renew", "--tree", "{}", "--out", "{}/y"], 1, "declares no tree /"),
    "name for a folder": (["crl", "--tree", "isox"], 2, "--tree takes a folder here, such as certs/out/isox"),
    "another tree": (["crl", "{}/ca/mo/sub2", "{}x/ca/mo/sub2"], 1, "are two trees"),
    "place in no tree": (["renew", "{}/leaf/secc/evse1", "--out", "{}/y"], 1, "lies in none of the trees iso2, iso20"),
    "place in several": (["renew", "leaf/secc/evse1", "--out", "{}/y"], 1, "lies in iso2, iso20, iso20-ed448; say"),
    "no place": (["renew", "leaf/secc/evse", "--tree", "iso2", "--out", "{}/y"], 1, "did you mean leaf/secc/evse1?"),
    "list of no CA": (["crl", "{}/leaf/secc/evse1"], 1, "leaf/secc/evse1: is no CA, and only those have lists"),
    "list of nobody": (["crl", "{}/ca/mo/sub9"], 1, "ca/mo/sub9: no certificate lies there"),
    "a file in the way": (["crl", "--tree", "{}", "--out", "{}/manifest.json/x"], 1, "; a file stands where a folder"),
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


def test_what_is_named_is_made_anew(folder: Path) -> None:
    out = folder.parent
    first = run("renew", "leaf/contract/car1", "--tree", "iso2", "--out", out).output
    assert "  leaf/contract/car1  (as asked)" in first
    assert "iso2: 1 made, 25 kept" in first
    assert "iso2: 1 made, 25 kept" in run("renew", folder / "leaf/secc/evse1/cert.pem", "--out", out).output


def test_a_revoked_certificate_is_replaced_as_revoke_says(folder: Path) -> None:
    told = run("revoke", folder / "leaf/contract/car1", "--reason", "keyCompromise").output
    assert "`pki renew` make another" in told
    assert run("verify", folder / "leaf/contract/car1").exit_code == 1
    assert "car1  (it was revoked (keyCompromise))" in run("init", "--tree", "iso2", "--out", folder.parent).output
    assert run("verify", folder / "leaf/contract/car1").exit_code == 0
    assert run("crl", folder / "ca/mo/private/sub2.key").output.startswith(f"{folder / 'crl/mo-sub2.crl'}: 1 revoked")


def test_a_seed_does_not_take_over_another_tree(folder: Path) -> None:
    result = run("init", "--seed", "demo", "--tree", "iso2", "--out", folder.parent)
    assert (result.exit_code, "its key is not of this seed" in result.output) == (1, True)


def test_a_fixture_is_judged_at_its_time(tmp_path: Path) -> None:
    arguments = ("--tree", "iso2", "--out", tmp_path)
    run("init", "--seed", "demo", *arguments)
    leaf = tmp_path / "iso2/leaf/secc/evse1"
    assert run("verify", leaf, "--at", "2026-01-02").exit_code == 0
    assert "0 made" in run("renew", "--at", "2026-01-02", *arguments).output


def test_a_pki_toml_that_is_not_followed_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pki.toml").write_text("[other]")
    result = CliRunner().invoke(pki, ["init", "--tree", "none"])
    assert "pki.toml lies here and is not followed; --config pki.toml follows it" in result.stderr


def test_an_interruption_says_what_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pki.renewal.bring_up_to_date", interrupted)
    result = run("init", "--tree", "iso2", "--out", folder.parent)
    assert result.exit_code == 130
    assert f"{folder}: interrupted; 26 certificates are there, the next run goes on" in result.output


def test_a_full_disk_is_told_with_file_and_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = run("init", "--tree", "iso2", "--out", tmp_path)
    assert result.exit_code == 1
    assert f"Error: {tmp_path}/iso2/" in result.output
    assert result.output.splitlines()[-1].endswith("No space left on device; make room on the disk and run it again")


def test_a_reader_that_goes_away_ends_it_without_a_word(folder: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "pki", "show", "--out", str(folder)]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")
