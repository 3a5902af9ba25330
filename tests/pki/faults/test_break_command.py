"""`pki break`: what it prints, what it writes, and what it says when it cannot."""

from __future__ import annotations

import errno
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

import pki as pki_package
from pki import store
from pki.commands import pki
from pki.faults import folder as faults
from pki.faults.catalogue import variants
from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(pki, ["break", *map(str, words)])


def test_list_prints_one_per_line(folder: Path) -> None:
    ran = run("--list", "--tree", folder)
    assert ran.exit_code == 0
    assert ran.output.splitlines() == list(variants(Edition.ISO2))
    assert not (folder / "broken").exists()


def test_list_needs_no_tree(tmp_path: Path) -> None:
    assert run("--list", "--tree", tmp_path / "none").output.splitlines() == list(variants(Edition.ISO2))
    ran = run("--list", "--edition", "iso20", "vehicle-wrong-role")
    assert ran.output == "vehicle-wrong-role\n"


@pytest.mark.parametrize(("edition", "named"), [("iso2", "V2G2-009"), ("iso20", "V2G20-1003")])
def test_the_requirement_is_that_of_the_edition(tmp_path: Path, edition: str, named: str) -> None:
    ran = run("--list", "--json", "--edition", edition, "secc-four-deep", "--tree", tmp_path / "none")
    assert [each["requirement"] for each in json.loads(ran.output)] == [[named]]


def test_list_for_machines(folder: Path) -> None:
    ran = run("--list", "--json", "--from", folder)
    told = json.loads(ran.output)
    assert [each["variant"] for each in told] == list(variants(Edition.ISO2))
    assert {"alias", "role", "edition", "reason", "requirement", "tier", "files", "expected", "accepted"} <= told[
        0
    ].keys()


def test_variants_are_made_by_any_of_their_names(folder: Path, tmp_path: Path) -> None:
    ran = run("CRT_OEM_LEAF_EXPIRED", "secc-twin-root", "--tree", folder, "--out", tmp_path / "there")
    assert ran.exit_code == 0, ran.output
    assert {each.name for each in (tmp_path / "there").iterdir()} == {"oem-provisioning-leaf-expired", "secc-twin-root"}
    assert "expected: FAILED_CertificateExpired" in ran.output
    assert "expected: unknown_ca" in ran.output


def test_again_renews(folder: Path) -> None:
    made = folder / "broken" / "contract-leaf-expired"
    assert run("contract-leaf-expired", "--tree", folder).exit_code == 0
    before = (made / "cert.der").read_bytes()
    (made / "stray").write_text("of somebody")
    assert run("contract-leaf-expired", "--tree", folder).exit_code == 0
    assert (made / "cert.der").read_bytes() != before
    assert [each.name for each in made.parent.iterdir()] == [made.name]
    assert not (made / "stray").exists()


def test_the_tree_is_left_as_it_was(folder: Path) -> None:
    def content() -> dict[Path, bytes]:
        kept = (each for part in ("ca", "leaf", "trust") for each in (folder / part).rglob("*"))
        return {each: each.read_bytes() for each in kept if each.is_file()}

    before = content()
    assert run("--all", "--tree", folder).exit_code == 0
    assert content() == before


def test_an_unknown_name_makes_nothing(folder: Path) -> None:
    ran = run("contract-leaf-valid", "contract-leaf-expird", "--tree", folder)
    assert ran.exit_code == 1
    assert "near: contract-leaf-expired" in ran.output
    assert not (folder / "broken").exists()


@pytest.mark.parametrize(
    ("place", "variant"),
    [("ca/mo/private/sub2.key", "contract-leaf-expired"), ("ca/mo/private/root.key", "contract-root-expired")],
)
def test_a_missing_key_is_named(folder: Path, place: str, variant: str) -> None:
    (folder / place).unlink()
    ran = run("secc-leaf-valid", variant, "--tree", folder)
    assert ran.exit_code == 1
    assert f"{folder / place}: its key is missing" in ran.output
    assert not (folder / "broken").exists()


def test_no_more_keys_than_needed(folder: Path) -> None:
    for key in ("ca/mo/private/root.key", "ca/cpo/private/sub2.key"):
        (folder / key).unlink()
    ran = run("contract-leaf-expired", "--tree", folder)
    assert ran.exit_code == 0, ran.output


def test_all_leaves_out_what_lacks_a_key_and_says_so(folder: Path) -> None:
    (folder / "ca/mo/private/root.key").unlink()
    ran = run("--all", "--json", "--tree", folder)
    assert ran.exit_code == 0, ran.stderr
    assert f"{folder / 'ca/mo/private/root.key'}: its key is missing" in ran.stderr
    made = {each["variant"] for each in json.loads(ran.stdout)}
    assert {"contract-leaf-expired", "secc-root-expired"} < made
    assert "contract-root-expired" not in made


def test_a_damaged_key_is_no_missing_one(folder: Path) -> None:
    (folder / "ca/mo/private/root.key").write_text("no key")
    ran = run("--all", "--tree", folder)
    assert ran.exit_code == 1
    assert "its key cannot be read" in ran.stderr


def test_a_cross_certificate_is_not_taken_for_the_root(tmp_path: Path) -> None:
    """A tree with a second V2G root that certifies the first: the path of a station ends at its own."""
    before = (Path(pki_package.__file__).parent / "default.toml").read_text().partition("[iso20]")[2]
    text = f"[iso20]{before.partition('[iso20-ed448]')[0]}"
    text += '[[iso20.root]]\nkind = "v2g"\nname = "aside"\ncn = "Aside"\n'
    text += '[[iso20.cross]]\nroot = "v2g"\nby = "v2g/aside"\n'
    config = tmp_path / "pki.toml"
    config.write_text(text)
    tree = tmp_path / "iso20"
    bring_up_to_date(read(config)["iso20"], Store(tree))
    assert (tree / "ca" / "v2g" / "root-by-aside.pem").is_file()
    ran = run("cps-sub1-expired", "secc-root-expired", "--tree", tree)
    assert ran.exit_code == 0, ran.output
    assert (tree / "broken/cps-sub1-expired/expect.json").is_file()


def test_a_tree_without_such_a_leaf(folder: Path) -> None:
    shutil.rmtree(folder / "leaf" / "cps")
    ran = run("cps-leaf-expired", "--tree", folder)
    assert ran.exit_code == 1
    assert "has no cps leaf; declare one" in ran.output
    ran = run("--all", "--json", "--tree", folder)
    assert ran.exit_code == 0
    made = {each.name for each in (folder / "broken").iterdir()}
    assert made == {name for name, variant in variants(Edition.ISO2).items() if variant.role != "cps"} - {
        "secc-wrong-branch",
        "secc-wrong-role",
    }


def test_no_tree(tmp_path: Path) -> None:
    ran = run("contract-leaf-expired", "--tree", tmp_path / "none")
    assert ran.exit_code == 1
    assert "pki init" in ran.output
    assert not (tmp_path / "none").exists()


def test_nothing_is_asked_for(folder: Path) -> None:
    ran = run("--tree", folder)
    assert ran.exit_code == 2
    assert "--all" in ran.output


def test_below_a_ca_that_is_over_more_than_one_thing_would_be_wrong(folder: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    with pytest.raises(ValueError, match=r"ca/cpo/sub2: is valid from .* pki renew"):
        faults.write(Store(folder), ["secc-leaf-wrong-dc"], at=later)
    assert faults.write(Store(folder), ["contract-leaf-wrong-dc"], at=later)


def stamps(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_ino for each in (folder / "broken").iterdir()}


def test_what_pki_init_makes_stays_for_a_while(folder: Path) -> None:
    tree, names, now = Store(folder), ["contract-leaf-expired", "secc-leaf-revoked"], datetime.now(UTC)
    assert [each.variant for each in faults.write(tree, names, at=now)] == names
    before = stamps(folder)
    assert faults.write(tree, names, at=now + timedelta(days=2), renew=False) == []
    assert stamps(folder) == before
    assert len(faults.write(tree, names, at=now + timedelta(days=4), renew=False)) == 2


@pytest.mark.parametrize("damage", ["a file is gone", "no JSON", "another issuer"])
def test_what_pki_init_made_is_made_anew(folder: Path, damage: str) -> None:
    tree, names = Store(folder), ["contract-leaf-expired", "secc-leaf-expired"]
    faults.write(tree, names)
    made = folder / "broken" / "contract-leaf-expired"
    if damage == "a file is gone":
        (made / "key.pem").unlink()
    elif damage == "no JSON":
        (made / "expect.json").write_text("{", encoding="utf-8")
    else:
        for file in (folder / "ca" / "mo" / "sub2.pem", folder / "ca" / "mo" / "private" / "sub2.key"):
            file.unlink()
        bring_up_to_date(read()["iso2"], tree)
    assert [each.variant for each in faults.write(tree, names, renew=False)] == ["contract-leaf-expired"]


def test_a_full_disk_leaves_what_was_there(folder: Path) -> None:
    tree = Store(folder)
    faults.write(tree, ["contract-leaf-expired"])
    made = folder / "broken" / "contract-leaf-expired"
    before = {each.name: each.read_bytes() for each in made.iterdir()}
    whole, count = store.write, iter(range(100))

    def fills(path: Path, data: bytes, mode: int = store.PUBLIC, *, durable: bool = True) -> None:
        if next(count) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        whole(path, data, mode, durable=durable)

    with patch.object(store, "write", fills):
        ran = run("contract-leaf-expired", "--tree", folder)
    assert ran.exit_code == 1
    assert "No space left on device" in ran.output
    assert {each.name: each.read_bytes() for each in made.iterdir()} == before
    assert [each.name for each in made.parent.iterdir()] == [made.name]
