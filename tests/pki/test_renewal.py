from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pki import revoked
from pki.credentials import load_chain
from pki.options import Options
from pki.profiles import Edition, profile
from pki.renewal import Outcome, bring_up_to_date
from pki.store import Store
from pki.tree import Cross, Leaf, Root, Tree, Urls, read
from pki.validate import Policy, validate
from v2g.trust import Role

TREE = msgspec.structs.replace(read()["iso2"], ocsp_signers=False)
CONTRACT = ["ca/mo/sub2", "leaf/contract/car1"]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default tree, without the signers of OCSP responses."""
    folder = tmp_path_factory.mktemp("plain") / "iso2"
    bring_up_to_date(TREE, Store(folder))
    return folder


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


@pytest.mark.parametrize("at", [1, 2, 25, 50])
def test_a_full_disk_leaves_the_tree_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    before, synced = contents(folder), []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        bring_up_to_date(TREE, Store(folder), within=timedelta(days=36_525))
    assert changed(before, folder) == set()
    monkeypatch.undo()
    assert bring_up_to_date(TREE, Store(folder), within=timedelta(days=36_525))
    assert changed(before, folder)


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
    assert renew(folder) == {}
    assert changed(before, folder) == set()


@pytest.mark.parametrize("why", WITHHELD)
def test_only_what_a_ca_without_its_key_had_to_sign_is_not_made(folder: Path, why: str) -> None:
    WITHHELD[why](folder / "ca/cpo/private/sub2.key")
    (folder / "leaf/contract/car1/cert.pem").unlink()
    assert renew(folder) == {"leaf/contract/car1": "new"}
    (folder / "leaf/secc/evse1/cert.pem").unlink()
    before = contents(folder)
    named = (
        rf"leaf/secc/evse1 has to be made \(new\), but .*ca/cpo/sub2\.pem is good, but its key is {why}; "
        r"put .*/private/sub2\.key back, unencrypted, or move the certificate away"
    )
    with pytest.raises(ValueError, match=named):
        renew(folder)
    assert changed(before, folder) == set()


def test_an_offline_root_stops_nothing_whose_ocsp_signer_is_good(tmp_path: Path) -> None:
    renew(tmp_path, of("iso2"))
    (tmp_path / "ca/v2g/private/root.key").unlink()
    assert renew(tmp_path, of("iso2")) == {}
    assert set(renew(tmp_path, of("iso2"), days=15)) == set()
    with pytest.raises(ValueError, match=r"leaf/v2g-ocsp/root has to be made \(it ends on .*its key is missing"):
        renew(tmp_path, of("iso2"), days=29)


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
    with pytest.raises(ValueError, match=r"root\[0\]\.cn: CN and O .* 192 bytes, more than 190; shorten the O, 'ÖÖÖ"):
        renew(folder, tree)
    addresses = Urls(ocsp=f"http://o/{'o' * 150}", crl=f"http://c/{'c' * 200}")
    with pytest.raises(ValueError, match=r"ca/cpo/sub1: 9.. bytes, more than 800; shorten its longest field, O=Plug"):
        renew(folder, msgspec.structs.replace(TREE, urls=addresses))
    assert changed(before, folder) == set()


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


def of(edition: str) -> Tree:
    return read()[edition]


@pytest.mark.parametrize("edition", ["iso2", "iso20", "iso20-ed448"])
def test_a_tree_of_a_seed_is_the_same_byte_by_byte(tmp_path: Path, edition: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for name, seed in (("one", b"a"), ("two", b"a"), ("other", b"b")):
        bring_up_to_date(of(edition), Store(tmp_path / name), at, seed=seed)
    one, two, other = (
        {name: data for name, (data, _) in contents(tmp_path / each).items()} for each in ("one", "two", "other")
    )
    assert one == two
    assert set(one) == set(other)
    same = {name for name in one if one[name] == other[name]}
    assert same == {".lock"}


def test_a_seed_makes_another_certificate_for_the_same_key_when_it_renews(tmp_path: Path) -> None:
    folder, at = Store(tmp_path), datetime(2026, 1, 1, tzinfo=UTC)
    bring_up_to_date(TREE, folder, at, seed=b"a")
    before = folder.load("leaf/secc/evse1")
    outcomes = bring_up_to_date(TREE, folder, at + timedelta(days=55), seed=b"a")
    assert [outcome.entry.place for outcome in outcomes if outcome.reason] == ["leaf/secc/evse1"]
    after = folder.load("leaf/secc/evse1")
    assert after.certificate.serial_number != before.certificate.serial_number


def test_what_ends_within_a_wish_is_renewed_however_young(folder: Path) -> None:
    outcomes = bring_up_to_date(TREE, Store(folder), within=timedelta(days=100))
    made = {outcome.entry.place for outcome in outcomes if outcome.reason}
    assert made == {"leaf/secc/evse1", "leaf/cps/cps1"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"urls": Urls(ocsp="http://127.0.0.1:1/o")}, "its extensions changed"),
        ({"options": Options(purposes_iso2=True)}, "its extensions changed"),
    ],
)
def test_an_extension_that_is_declared_otherwise_renews(folder: Path, change: dict[str, Any], reason: str) -> None:
    assert reason in renew(folder, msgspec.structs.replace(TREE, **change)).values()
    assert renew(folder, msgspec.structs.replace(TREE, **change)) == {}


def test_a_key_identifier_that_is_declared_otherwise_renews(tmp_path: Path) -> None:
    tree = of("iso20")
    renew(tmp_path, tree)
    longer = msgspec.structs.replace(tree, options=Options(contract_key_id_bytes=20))
    assert renew(tmp_path, longer) == {"leaf/contract/car1": "its key identifier changed"}


def test_a_second_key_is_made_kept_and_missed(tmp_path: Path) -> None:
    tree = msgspec.structs.replace(of("iso20"), options=Options(dual_curve=True))
    renew(tmp_path, tree)
    place = "leaf/oem-provisioning/car1"
    second = tmp_path / place / "key-x448.pem"
    assert second.stat().st_mode & 0o777 == 0o600
    assert renew(tmp_path, tree) == {}
    certificate = Store(tmp_path).load(place)
    assert certificate.second is not None
    point = certificate.second.public_key().public_bytes_raw()
    assert certificate.der.count(point) == 1
    second.unlink()
    assert renew(tmp_path, tree) == {place: "damaged: its second key is missing"}


def test_a_tree_of_another_seed_or_none_is_refused(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(ValueError, match=r"ca/v2g/root\.pem: its key is not of this seed; give an empty folder"):
        bring_up_to_date(TREE, Store(folder), seed=b"a")
    assert changed(before, folder) == set()


def asked(folder: Path, *places: str, tree: Tree = TREE) -> dict[str, str]:
    outcomes = bring_up_to_date(tree, Store(folder), anew=places)
    return {outcome.entry.place: outcome.reason for outcome in outcomes if outcome.reason}


def test_what_is_asked_for_is_made_anew_with_another_key_and_what_hangs_below(folder: Path) -> None:
    tree = Store(folder)
    before = {place: tree.load(place) for place in CONTRACT}
    assert asked(folder, "leaf/contract/car1") == {"leaf/contract/car1": "as asked"}
    assert asked(folder, "ca/mo/sub2") == {"ca/mo/sub2": "as asked", "leaf/contract/car1": "its issuer was renewed"}
    for place, old in before.items():
        new = tree.load(place)
        assert new.key.public_key() != old.key.public_key()
        assert new.certificate.serial_number != old.certificate.serial_number
    assert renew(folder) == {}


def test_a_place_that_is_not_declared_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"leaf/contract/car9: is not declared .*did you mean leaf/contract/car1"):
        asked(folder, "leaf/contract/car9")


@pytest.mark.parametrize(("place", "below"), [("leaf/contract/car1", []), ("ca/mo/sub2", ["leaf/contract/car1"])])
def test_what_was_revoked_for_good_is_made_anew_once(folder: Path, place: str, below: list[str]) -> None:
    tree, now = Store(folder), datetime.now(UTC)
    revoked.revoke(tree, place, now, x509.ReasonFlags.certificate_hold)
    assert renew(folder) == {}
    revoked.revoke(tree, place, now, x509.ReasonFlags.key_compromise)
    listed = (folder / revoked.NAME).read_bytes()
    made = renew(folder)
    assert list(made) == [place, *below]
    assert made[place] == "it was revoked (keyCompromise)"
    assert renew(folder) == {}
    assert (folder / revoked.NAME).read_bytes() == listed


def test_a_revoked_fixture_stays(tmp_path: Path) -> None:
    """Its key follows from the seed: another certificate would be for the compromised one."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    bring_up_to_date(TREE, Store(tmp_path), at, seed=b"a")
    revoked.revoke(Store(tmp_path), "leaf/contract/car1", at, x509.ReasonFlags.key_compromise)
    assert not any(outcome.reason for outcome in bring_up_to_date(TREE, Store(tmp_path), at, seed=b"a"))


def test_what_an_interrupted_run_left_is_swept_away_and_nothing_else(folder: Path) -> None:
    left = [folder / name for name in ("leaf/secc/evse1/.cert.der.ab_c1234", "ca/mo/private/.sub2.key.abcdefgh")]
    others = [folder / name for name in ("leaf/secc/evse1/.cert.der.swp", "ca/.notes", "leaf/.x.pem.ABCDEFGH")]
    for path in (*left, *others):
        path.write_bytes(b"x")
    assert renew(folder) == {}
    assert [path.exists() for path in (*left, *others)] == [False] * 2 + [True] * 3


def crossed() -> Tree:
    tree = of("iso20")
    second = Root(kind="v2g", cn="Second Root CA", name="second")
    return msgspec.structs.replace(tree, root=(*tree.root, second), cross=(Cross(root="v2g", by="v2g/second"),))


def test_a_cross_certificate_leads_to_the_other_root(tmp_path: Path) -> None:
    renew(tmp_path, crossed())
    assert renew(tmp_path, crossed()) == {}
    chain = load_chain(tmp_path / "leaf/secc/evse1/chain-root-by-second.pem")
    other = [(tmp_path / "ca/v2g/second.der").read_bytes()]
    policy = Policy(editions=(Edition.ISO20,))
    assert len(chain) == 4
    assert validate(chain, Role.SECC, other, policy=policy)
    assert not validate(chain[:3], Role.SECC, other, policy=policy)
    assert not (tmp_path / "ca/v2g/private/root-by-second.key").exists()


def test_a_cross_certificate_follows_its_root(tmp_path: Path) -> None:
    renew(tmp_path, crossed())
    (tmp_path / "ca/v2g/root.pem").unlink()
    made = renew(tmp_path, crossed())
    assert made["ca/v2g/root-by-second"] == "damaged: the root it certifies was renewed"


def test_the_longest_names_fit_in_every_edition(tmp_path: Path) -> None:
    """CN and O of subject and issuer as long as the profile lets them be, with the URLs of the default tree."""
    for edition in ("iso2", "iso20", "iso20-ed448"):
        tree = of(edition)
        organization = "O" * min(64, (profile("secc", tree.edition).names_bytes - 64 - len("CPO Sub-CA 2")) // 2)
        roots = tuple(msgspec.structs.replace(root, cn="R" * 64) for root in tree.root)
        leaf = msgspec.structs.replace(tree.leaf[0], cn="C" * 64, seccid=None)
        longest = msgspec.structs.replace(tree, organization=organization, root=roots, leaf=(leaf, *tree.leaf[1:]))
        renew(tmp_path / edition, longest)
        sizes = [path.stat().st_size for path in (tmp_path / edition).rglob("*.der")]
        assert max(sizes) <= (800 if edition == "iso2" else 1600)
