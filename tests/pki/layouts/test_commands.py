"""`pki export` and `pki import` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pki.commands import pki
from pki.tree import built_in
from v2g.trust import Role


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


@pytest.mark.parametrize("layout", ["josev", "everest", "flat"])
def test_there_and_back(pristine: Path, tmp_path: Path, layout: str) -> None:
    done = run("export", "--layout", layout, "--tree", pristine, tmp_path / "theirs")
    assert done.exit_code == 0, done.output
    assert f"files written for {layout}, 0 kept" in done.output
    back = run("import", "--layout", layout, "--out", tmp_path / "out/lab", tmp_path / "theirs")
    assert back.exit_code == 0, back.output
    assert back.output == f"{tmp_path}/out/lab: 15 certificates imported\n"
    again = run("import", "--layout", layout, "--out", tmp_path / "out/lab", tmp_path / "theirs")
    assert again.output == f"{tmp_path}/out/lab: 15 certificates there already\n"
    shown = json.loads(run("show", "--out", tmp_path / "out", "--json").output)["lab"]
    assert len(shown) == 15
    for leaf in ("secc/evse1", "contract/car1", "oem-provisioning/car1", "cps/cps1"):
        verified = run("verify", tmp_path / "out/lab/leaf" / leaf)
        assert verified.exit_code == 0, verified.output


def test_an_answer_of_an_est_server_becomes_a_tree(pristine: Path, tmp_path: Path) -> None:
    leaf = pristine / "leaf/secc/evse1"
    done = run("import", "--layout", "flat", "--key", leaf / "key.pem", "--out", tmp_path / "tree", leaf / "chain.pem")
    assert done.exit_code == 0, done.output
    assert "not trusted: anchor: sub1: its issuer is none of our trust anchors" in done.output
    verified = run("verify", tmp_path / "tree/leaf/secc/evse1", "--trust", pristine / "trust/v2g.pem")
    assert verified.exit_code == 0, verified.output


def test_declared_exports_are_written_with_the_tree(tmp_path: Path) -> None:
    text = built_in().read_text(encoding="utf-8").partition("\n[iso20]\n")[0]
    config = tmp_path / "pki.toml"
    config.write_text(text.replace("[iso2]\n", '[iso2]\nexport = ["josev", "everest", "flat"]\n'), encoding="utf-8")
    assert run("init", "--config", config, "--out", tmp_path / "out").exit_code == 0
    folder = tmp_path / "out/iso2/export"
    assert (folder / "josev/iso15118_2/certs/seccLeafCert.pem").exists()
    assert (folder / "everest/client/cso/SECC_LEAF.key").exists()
    assert (folder / "flat/PKI-Ext_CRT_EVSE_LEAF_VALID_pkcs8.key").exists()
    again = run("init", "--config", config, "--out", tmp_path / "out")
    assert "export/josev: 0 files written, 57 kept" in again.output


REFUSED = {
    "a leaf without id": (["export", "--layout", "josev", "--leaf", "secc", "{}/x"], 2, "write ROLE=ID"),
    "an unknown layout": (["import", "--layout", "bus", "{}"], 2, "'bus' is not one of"),
    "no such folder": (
        ["import", "--layout", "everest", "{}/none"],
        1,
        "none: no such folder; name the one",
    ),
    "no such file": (["import", "--layout", "flat", "{}/none"], 1, "none: no such file"),
    "no layout": (["import", "--layout", "everest", "{}/ca"], 1, "holds nothing of the everest layout, such as"),
    "a role of a folder": (
        ["import", "--layout", "josev", "--role", "secc", "{}"],
        2,
        "--role and --key are for a file, with --layout flat",
    ),
    "a password of two lines": (
        ["export", "--layout", "josev", "--tree", "{}", "--password", "a\nb", "{}/x"],
        1,
        "one line",
    ),
    "a name that is a path": (
        ["import", "--layout", "flat", "--leaf", "secc=../../x", "--out", "{}/x", "{}/leaf/secc/evse1/chain.pem"],
        1,
        "'../../x' names no leaf; use letters, digits",
    ),
    "no tree to set aside": (
        ["import", "--layout", "flat", "--force", "--out", "{}/leaf", "{}/leaf/secc/evse1/chain.pem"],
        1,
        "leaf: is there, and no tree; name a new folder with --out",
    ),
}


@pytest.mark.parametrize(("arguments", "status", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_one_line(folder: Path, arguments: list[str], status: int, message: str) -> None:
    result = run(*(argument.format(folder) for argument in arguments))
    assert result.exit_code == status, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_certificates_without_keys_are_told_and_shown(pristine: Path, tmp_path: Path) -> None:
    assert run("export", "--layout", "josev", "--tree", pristine, "--without-keys", tmp_path / "x").exit_code == 0
    done = run("import", "--layout", "josev", "--out", tmp_path / "out/tree", tmp_path / "x")
    assert done.exit_code == 0, done.output
    assert "no keys for ca/v2g/root" in done.output
    assert run("show", "--out", tmp_path / "out/tree").exit_code == 0
    chain = tmp_path / "out/tree/leaf/contract/car1/chain.pem"
    assert run("verify", chain, "--role", Role.CONTRACT).exit_code == 0


def test_every_edition_can_be_verified_when_imported(editions: dict[str, Path], tmp_path: Path) -> None:
    for edition, tree in editions.items():
        assert run("export", "--layout", "flat", "--tree", tree, tmp_path / edition).exit_code == 0
        assert run("import", "--layout", "flat", "--out", tmp_path / "out" / edition, tmp_path / edition).exit_code == 0
        for leaf in (tmp_path / "out" / edition / "leaf").glob("*/*"):
            verified = run("verify", leaf)
            assert verified.exit_code == 0, verified.output
