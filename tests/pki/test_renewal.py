from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pki.renewal import Outcome, bring_up_to_date
from pki.store import Store
from pki.tree import Leaf, Tree, read
from v2g.trust import Role

TREE = read()["iso2"]
CONTRACT = ["ca/mo/sub2", "leaf/contract/car1"]


def renew(folder: Path, tree: Tree = TREE, days: float = 0) -> dict[str, str]:
    """Return what was made and why."""
    outcomes = bring_up_to_date(tree, Store(folder), datetime.now(UTC) + timedelta(days=days))
    return {outcome.entry.place: outcome.reason for outcome in outcomes if outcome.reason}


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def changed(before: dict[str, tuple[bytes, int]], folder: Path) -> set[str]:
    after = contents(folder)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - {".lock"}


def test_a_second_run_touches_nothing(folder: Path) -> None:
    before = contents(folder)
    assert renew(folder) == {}
    assert changed(before, folder) == set()


def test_a_missing_leaf_is_made_and_nothing_else(folder: Path) -> None:
    before = contents(folder)
    (folder / "leaf/secc/evse1/cert.pem").unlink()
    assert renew(folder) == {"leaf/secc/evse1": "new"}
    names = ("cert.pem", "cert.der", "chain.pem", "key.pem", "key.pem.old")
    files = {f"leaf/secc/evse1/{name}" for name in names}
    assert changed(before, folder) == files | {"manifest.json"}


@pytest.mark.parametrize("name", ["leaf/secc/evse1/chain.pem", "leaf/secc/evse1/cert.der", "trust/mo.pem"])
def test_a_missing_copy_is_written_again(folder: Path, name: str) -> None:
    before = contents(folder)
    (folder / name).unlink()
    assert renew(folder) == {}
    assert changed(before, folder) == {name}
    assert (folder / name).read_bytes() == before[name][0]


def _delete(path: Path) -> None:
    path.unlink()


def _garble(path: Path) -> None:
    path.write_bytes(b"garbage")


def _encrypt(path: Path) -> None:
    key = load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"mine")))


WITHHELD = {"missing": _delete, "encrypted": _encrypt}


@pytest.mark.parametrize("place", ["v2g/private/root.key", "mo/private/sub2.key"])
@pytest.mark.parametrize("why", WITHHELD)
def test_the_key_of_a_good_ca_that_is_kept_elsewhere_is_never_replaced(folder: Path, place: str, why: str) -> None:
    WITHHELD[why](folder / "ca" / place)
    before = contents(folder)
    with pytest.raises(ValueError, match=rf"is good, but its key is {why}; put .*{place} back, unencrypted"):
        renew(folder)
    assert changed(before, folder) == set()


def test_a_ca_is_made_anew_when_its_certificate_is_gone_and_its_key_stays(folder: Path) -> None:
    """As the remedy says."""
    key = folder / "ca/v2g/private/root.key"
    _encrypt(key)
    withheld = key.read_bytes()
    (folder / "ca/v2g/root.pem").unlink()
    assert renew(folder)["ca/v2g/root"] == "new"
    assert key.with_name("root.key.old").read_bytes() == withheld
    assert renew(folder) == {}


def test_the_withheld_key_of_a_ca_that_ends_is_set_aside(folder: Path) -> None:
    key = folder / "ca/v2g/private/root.key"
    _encrypt(key)
    withheld = key.read_bytes()
    assert renew(folder, days=14_605)["ca/v2g/root"] == "damaged: its key is encrypted"
    assert key.with_name("root.key.old").read_bytes() == withheld


@pytest.mark.parametrize("damage", [_delete, _garble, _encrypt])
def test_a_leaf_without_its_key_is_made_anew(folder: Path, damage: Callable[[Path], None]) -> None:
    for number in ("", "1"):
        key, certificate = (folder / f"leaf/secc/evse1/{name}.pem" for name in ("key", "cert"))
        damage(key)
        old = {path: path.read_bytes() for path in (key, certificate) if path.exists()}
        assert list(renew(folder)) == ["leaf/secc/evse1"]
        for path, data in old.items():
            assert path.with_name(f"{path.name}.old{number}").read_bytes() == data
            assert path.read_bytes() != data


def test_a_damaged_key_renews_what_hangs_below(folder: Path) -> None:
    _garble(folder / "ca/mo/private/sub2.key")
    made = renew(folder)
    assert list(made) == CONTRACT
    assert made["ca/mo/sub2"].startswith("damaged: ")
    assert made["leaf/contract/car1"] == "its issuer was renewed"


def test_a_foreign_key_is_noticed(folder: Path) -> None:
    key = folder / "ca/mo/private/sub2.key"
    key.write_bytes((folder / "ca/cpo/private/sub1.key").read_bytes())
    assert renew(folder)["ca/mo/sub2"] == "damaged: its key is another one's"


def test_a_damaged_certificate_is_made_anew(folder: Path) -> None:
    _garble(folder / "leaf/contract/car1/cert.pem")
    assert list(renew(folder)) == ["leaf/contract/car1"]


def test_what_ends_soon_is_renewed_alone(folder: Path) -> None:
    assert renew(folder, days=45) == {}
    made = renew(folder, days=47)
    assert list(made) == ["leaf/secc/evse1"]
    assert made["leaf/secc/evse1"].startswith("it ends on 20")
    assert renew(folder, days=47) == {}


def test_an_expiring_ca_takes_its_leaves_along(folder: Path) -> None:
    made = renew(folder, days=352)
    assert made["ca/cpo/sub2"].startswith("it ends on ")
    assert made["leaf/secc/evse1"] == "its issuer was renewed"
    assert "ca/cpo/sub1" not in made


def test_nothing_outlives_its_issuer_and_that_is_no_reason_to_renew(folder: Path) -> None:
    renew(folder, days=330)
    assert renew(folder, days=330) == {}
    manifest = json.loads((folder / "manifest.json").read_text())["certificates"]
    assert manifest["leaf/secc/evse1"]["not_after"] == manifest["ca/cpo/sub2"]["not_after"]


def test_a_short_life_is_not_renewed_at_every_run(folder: Path) -> None:
    leaf = msgspec.structs.replace(TREE.leaf[0], days=3)
    tree = msgspec.structs.replace(TREE, leaf=(leaf, *TREE.leaf[1:]))
    assert renew(folder, tree) == {"leaf/secc/evse1": "its validity changed"}
    assert renew(folder, tree) == {}
    assert renew(folder, tree, days=1.5) == {}
    assert list(renew(folder, tree, days=2.5)) == ["leaf/secc/evse1"]


def test_a_changed_declaration_renews(folder: Path) -> None:
    leaf = msgspec.structs.replace(TREE.leaf[0], cn="DE*PCG*E0002")
    tree = msgspec.structs.replace(TREE, leaf=(leaf, *TREE.leaf[1:]))
    assert renew(folder, tree) == {"leaf/secc/evse1": "its name changed"}


def test_a_new_leaf_leaves_the_others_alone(folder: Path) -> None:
    leaf = Leaf(role=Role.CONTRACT, id="car2", cn="DE8AA0012345670")
    tree = msgspec.structs.replace(TREE, leaf=(*TREE.leaf, leaf))
    assert renew(folder, tree) == {"leaf/contract/car2": "new"}


def test_a_clock_that_went_back_is_noticed(folder: Path) -> None:
    assert set(renew(folder, days=-30).values()) >= {"it is not yet valid"}


def test_what_cannot_be_made_leaves_everything_as_it_was(folder: Path) -> None:
    """64 letters of ASCII everywhere still fit in 800 bytes; 64 letters of two bytes do not."""
    before = contents(folder)
    roots = tuple(msgspec.structs.replace(root, cn="R" * 64) for root in TREE.root)
    tree = msgspec.structs.replace(TREE, organization="Ö" * 64, root=roots)
    with pytest.raises(ValueError, match=r"ca/v2g/root: 8.. bytes, more than 800 .* its longest field, O=ÖÖÖ"):
        renew(folder, tree)
    assert changed(before, folder) == set()


def test_the_longest_ascii_names_fit(folder: Path) -> None:
    roots = tuple(msgspec.structs.replace(root, cn="R" * 64) for root in TREE.root)
    leaf = msgspec.structs.replace(TREE.leaf[0], cn="C" * 64)
    renew(folder, msgspec.structs.replace(TREE, organization="O" * 64, root=roots, leaf=(leaf, *TREE.leaf[1:])))
    assert max(path.stat().st_size for path in folder.rglob("*.der")) <= 800


def test_keys_are_for_their_owner_only(pristine: Path) -> None:
    keys = [*pristine.rglob("*.key"), *pristine.rglob("key.pem")]
    assert len(keys) == 15
    for key in keys:
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.parent.stat().st_mode & 0o777 == 0o700
    assert (pristine / "trust/v2g.pem").stat().st_mode & 0o777 == 0o644


def test_permissions_are_repaired(folder: Path) -> None:
    key = folder / "leaf/secc/evse1/key.pem"
    before = key.read_bytes()
    key.chmod(0o644)
    assert renew(folder) == {}
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == before


def test_nothing_temporary_stays(folder: Path) -> None:
    renew(folder, days=3650)
    assert [path.name for path in folder.rglob(".*")] == [".lock"]


def test_two_runs_at_once_agree(tmp_path: Path) -> None:
    outcomes: list[list[Outcome]] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(bring_up_to_date(TREE, Store(tmp_path)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    made = [sum(1 for outcome in run if outcome.reason) for run in outcomes]
    assert sorted(made) == [0, 0, 0, 15]


def test_the_manifest_tells_serials_and_digests(pristine: Path) -> None:
    manifest = json.loads((pristine / "manifest.json").read_text())
    listed = manifest["certificates"]["leaf/contract/car1"]
    printed = subprocess.run(
        ["openssl", "x509", "-in", pristine / "leaf/contract/car1/cert.pem", "-noout", "-serial"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert int(printed.strip().removeprefix("serial="), 16) == int(listed["serial"])
    sums = subprocess.run(["sha256sum", "trust/v2g.pem"], cwd=pristine, capture_output=True, text=True, check=True)
    assert sums.stdout.split()[0] == manifest["files"]["trust/v2g.pem"]
    assert not [name for name in manifest["files"] if "key" in name]
