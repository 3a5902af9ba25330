"""Trees of ours made of what others have."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pki import layouts, store
from pki.certificate import read as read_certificate
from pki.credentials import load_anchors, load_chain, load_credential
from pki.layouts.adopt import adopt
from pki.layouts.export import export
from pki.layouts.found import Found
from pki.layouts.reader import read_folder
from pki.overview import survey
from pki.profiles import Edition
from pki.store import Store
from pki.validate import Policy, validate
from tests.pki import chains
from tests.pki.layouts.cases import CASES
from v2g.trust import Role


def fetch(layout: str, folder: Path) -> Found:
    return read_folder(layouts.named(layout), folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("layout", "edition"), CASES)
def test_export_import_export_gives_the_same(
    editions: dict[str, Path], tmp_path: Path, layout: str, edition: str
) -> None:
    first = export(Store(editions[edition]), layout, tmp_path / "first").folder
    done = adopt(fetch(layout, first), tmp_path / "tree")
    assert not done.notes
    second = export(Store(tmp_path / "tree"), layout, tmp_path / "second").folder
    assert first.name == second.name or layout != "josev"
    open_files = {name: data for name, data in contents(first).items() if name.endswith((".pem", ".der", ".txt"))}
    for name, data in open_files.items():
        if "pkcs8" not in name:
            assert (second / name).read_bytes() == data
    assert fetch(layout, second).keys.keys() == fetch(layout, first).keys.keys()
    for name, path in contents(tmp_path / "tree").items():
        ours = editions[edition] / name
        if name != "manifest.json" and not name.startswith("trust/"):
            assert ours.read_bytes() == path, name


@pytest.mark.parametrize("edition", ["iso2", "iso20", "iso20-ed448", "josev"])
def test_the_tree_is_one_of_ours(editions: dict[str, Path], tmp_path: Path, edition: str) -> None:
    export(Store(editions[edition]), "everest", tmp_path / "certs")
    tree = tmp_path / "tree"
    adopt(fetch("everest", tmp_path / "certs"), tree)
    for kind in ("v2g", "mo", "oem"):
        assert (tree / f"trust/{kind}.pem").read_bytes() == (editions[edition] / f"trust/{kind}.pem").read_bytes()
    places = Store(tree).places()
    assert {line.place for line in survey(tree)} == set(places)
    anchors = [anchor for file in tree.glob("trust/*.pem") for anchor in load_anchors(file)]
    leaves = [place for place in places if place.startswith("leaf/")]
    assert len(leaves) == (5 if edition.startswith("iso20") else 4)
    for place in leaves:
        credential = load_credential(tree / place / "chain.pem", tree / place / "key.pem")
        policy = Policy(editions=(Edition(edition),))
        assert validate(credential.chain, Role(place.split("/")[1]), anchors, policy=policy), place
    ours, theirs = ((path / "manifest.json").read_bytes() for path in (tree, editions[edition]))
    listed, made = json.loads(ours)["certificates"], json.loads(theirs)["certificates"]
    assert listed == {place: made[place] for place in places}
    assert {path.stat().st_mode & 0o777 for path in [*tree.rglob("key.pem"), *tree.rglob("*.key")]} == {0o600}


def test_a_second_import_changes_nothing(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "flat", tmp_path / "flat")
    adopt(fetch("flat", tmp_path / "flat"), tmp_path / "tree")
    (tmp_path / "tree/revoked.json").write_text("of later", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert adopt(fetch("flat", tmp_path / "flat"), tmp_path / "tree").unchanged
    tree = {path: time for path, time in before.items() if (tmp_path / "tree") in path.parents}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tree").rglob("*")} == tree


def test_another_tree_is_set_aside_only_when_asked(editions: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(editions["iso2"], tmp_path / "tree")
    before = contents(tmp_path / "tree")
    export(Store(editions["josev"]), "flat", tmp_path / "flat")
    found = fetch("flat", tmp_path / "flat")
    with pytest.raises(ValueError, match="tree: holds another tree; name a new folder with --out, or set that"):
        adopt(found, tmp_path / "tree")
    assert contents(tmp_path / "tree") == before
    done = adopt(found, tmp_path / "tree", force=True)
    assert done.aside == tmp_path / "tree.old"
    assert contents(tmp_path / "tree.old") == before
    assert adopt(found, tmp_path / "tree", force=True).unchanged
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flat", "tree", "tree.old"]


def test_a_folder_that_is_no_tree_is_never_touched(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "flat", tmp_path / "flat")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="is there, and no tree; name a new folder with --out"):
        adopt(fetch("flat", tmp_path / "flat"), tmp_path / "flat", force=True)
    assert contents(tmp_path) == before
    (tmp_path / "empty").mkdir()
    assert not adopt(fetch("flat", tmp_path / "flat"), tmp_path / "empty").unchanged


@pytest.mark.parametrize("at", [0, 20, 50])
def test_what_fails_halfway_leaves_nothing(
    pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    export(Store(pristine), "flat", tmp_path / "flat")
    found, whole, calls = fetch("flat", tmp_path / "flat"), store.write, iter(range(1000))

    def write(path: Path, data: bytes, mode: int = store.PUBLIC) -> None:
        if next(calls) == at:
            raise OSError(28, "No space left on device")
        whole(path, data, mode)

    monkeypatch.setattr(store, "write", write)
    with pytest.raises(OSError, match=r"No space left on device: '.*/tree'"):
        adopt(found, tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["flat"]


def test_leaves_are_named_as_in_the_built_in_tree_or_as_told(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "flat", tmp_path / "flat")
    found = fetch("flat", tmp_path / "flat")
    adopt(found, tmp_path / "tree", {Role.SECC: "north-1"})
    leaves = {place for place in Store(tmp_path / "tree").places() if place.startswith("leaf/")}
    assert leaves == {"leaf/secc/north-1", "leaf/contract/car1", "leaf/oem-provisioning/car1", "leaf/cps/cps1"}
    with pytest.raises(ValueError, match=r"'\.\./x' names no leaf; use letters"):
        adopt(found, tmp_path / "other", {Role.SECC: "../x"})


def found_of(path: chains.Path, *, leave: str = "") -> Found:
    """What a folder with one SECC path made by hand holds."""
    found = Found()
    made = {"ca/v2g/root": path.root, "ca/cpo/sub1": path.sub1, "ca/cpo/sub2": path.sub2, "leaf/secc": path.leaf}
    for place, one in made.items():
        if place != leave:
            found.add(place, read_certificate(one.certificate.public_bytes(Encoding.DER)), Path(place))
    return found


DOUBTS = {
    "expired": ({"leaf": {"days": (-10, -1)}}, "", "leaf/secc/evse1: not trusted: expired: leaf: was valid until"),
    "no DC": ({"leaf": {"dc": ()}}, "", "leaf/secc/evse1: not trusted: profile: leaf: its DC is missing"),
    "no root": ({}, "ca/v2g/root", "leaf/secc/evse1: not trusted: anchor: sub1: its issuer is none of our trust"),
    "no Sub2": ({}, "ca/cpo/sub2", "leaf/secc/evse1: not trusted: "),
}


@pytest.mark.parametrize(("changes", "leave", "doubt"), DOUBTS.values(), ids=DOUBTS)
def test_what_would_not_be_trusted_is_told_and_imported(
    tmp_path: Path, changes: dict[str, dict[str, object]], leave: str, doubt: str
) -> None:
    done = adopt(found_of(chains.build("secc", **changes), leave=leave), tmp_path / "tree")
    assert any(note.startswith(doubt) for note in done.notes), done.notes
    assert done.notes[-1].startswith("no keys for ")
    assert len(Store(tmp_path / "tree").places()) == (3 if leave else 4)
    if leave == "ca/v2g/root":
        assert "ca/cpo/sub1: its issuer is not among them" in done.notes
    assert len(load_chain(tmp_path / "tree/leaf/secc/evse1/chain.pem")) == (1 if leave == "ca/cpo/sub2" else 3)


def test_nothing_found_makes_no_tree(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no certificate to import"):
        adopt(Found(), tmp_path / "tree")
    assert not list(tmp_path.iterdir())
