from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pki import layouts
from pki.credentials import load_chain
from pki.layouts.export import export
from pki.layouts.folder import RECORD
from pki.layouts.layout import Form
from pki.layouts.selection import Selection, select
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import Leaf, Root, SubCas, read
from tests.pki.layouts.cases import CASES
from v2g.trust import Role


def openssl(*arguments: str | Path) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize(
    ("layout", "edition"), [("josev", "iso2"), ("josev", "iso20"), ("everest", "iso20-ed448"), ("flat", "iso20")]
)
def test_openssl_opens_every_key_and_it_is_that_of_the_certificate(
    editions: dict[str, Path], tmp_path: Path, layout: str, edition: str
) -> None:
    done = export(Store(editions[edition]), layout, tmp_path)
    table = layouts.named(layout)
    secret = f"pass:{table.password.decode()}"
    public = {
        file.places[0]: openssl("x509", "-in", done.folder / file.path, "-pubkey", "-noout")
        for file in table.of(Form.PEM)
        if (done.folder / file.path).exists()
    }
    keys = [file for file in table.files if file.form.keyed and (done.folder / file.path).exists()]
    assert len(keys) >= len(public) > 14
    for file in keys:
        path = done.folder / file.path
        if file.form is Form.P12:
            subprocess.run(["openssl", "pkcs12", "-in", path, "-passin", secret, "-noout"], check=True)
        else:
            kind = "DER" if file.form is Form.PKCS8_DER else "PEM"
            found = openssl("pkey", "-in", path, "-inform", kind, "-passin", secret, "-pubout")
            assert found == public[file.places[0]], file.path


def test_nobody_renews_a_tree_while_it_is_read(
    editions: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is exported has to be of one moment: a new Sub-CA did not sign an old leaf."""
    tree, kept_out = tmp_path / "tree", []
    shutil.copytree(editions["iso2"], tree)
    with Store(tree).alone():
        pass

    def reading(*arguments: Any, **more: Any) -> Selection:
        with (tree / ".lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept_out.append(True)
        return select(*arguments, **more)

    monkeypatch.setattr("pki.layouts.export.select", reading)
    export(Store(tree), "josev", tmp_path / "export")
    assert kept_out
    with (tree / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("layout", "edition"), CASES)
def test_secrets_are_for_their_owner_only(editions: dict[str, Path], tmp_path: Path, layout: str, edition: str) -> None:
    done = export(Store(editions[edition]), layout, tmp_path)
    for path in done.folder.rglob("*"):
        if path.is_file():
            secret = path.suffix in {".key", ".p12", ".txt"} or path.name in {RECORD, "moSubCA2.pkcs8.der"}
            secret |= path.name == "MO_SUB_CA2.pkcs8.der"
            assert path.stat().st_mode & 0o777 == (0o600 if secret else 0o644), path
        elif any(below.suffix == ".pem" for below in path.iterdir()):
            assert path.stat().st_mode & 0o777 == 0o755, path


@pytest.mark.parametrize("layout", layouts.LayoutName)
def test_a_second_export_writes_nothing(editions: dict[str, Path], tmp_path: Path, layout: str) -> None:
    first = export(Store(editions["iso2"]), layout, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*") if path.is_file()}
    second = export(Store(editions["iso2"]), layout, tmp_path)
    assert (second.written, second.kept) == ((), len(first.written))
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*") if path.is_file()} == before


def test_what_was_renewed_is_brought_up_to_date(folder: Path, tmp_path: Path) -> None:
    export(Store(folder), "josev", tmp_path / "josev")
    (folder / "leaf/secc/evse1/cert.pem").unlink()
    bring_up_to_date(read()["iso2"], Store(folder))
    done = export(Store(folder), "josev", tmp_path / "josev")
    assert done.written == (
        *("certs/cpoCertChain.pem", "certs/seccLeafCert.der", "certs/seccLeafCert.pem"),
        "private_keys/seccLeaf.key",
    )
    assert load_chain(done.folder / "certs/cpoCertChain.pem") == load_chain(folder / "leaf/secc/evse1/chain.pem")


def test_another_password_is_written_down_and_used(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "josev", tmp_path)
    done = export(Store(pristine), "josev", tmp_path, password=b"correct horse")
    assert (done.folder / "private_keys/seccLeafPassword.txt").read_bytes() == b"correct horse\n"
    assert sum(path.endswith((".key", ".p12", ".txt", "pkcs8.der")) for path in done.written) == len(done.written)
    openssl("pkey", "-in", done.folder / "private_keys/seccLeaf.key", "-passin", "pass:correct horse", "-noout")
    opened = export(Store(pristine), "josev", tmp_path, password=b"")
    key = (opened.folder / "private_keys/seccLeaf.key").read_bytes()
    assert load_pem_private_key(key, None)
    assert (opened.folder / "private_keys/seccLeafPassword.txt").read_bytes() == b"\n"


@pytest.mark.parametrize("password", [b"two\nlines", b"x" * 1024, b"\x00"])
def test_a_password_nobody_could_use_is_refused(pristine: Path, tmp_path: Path, password: bytes) -> None:
    with pytest.raises(ValueError, match="a password is one line of at most 1023 bytes"):
        export(Store(pristine), "josev", tmp_path / "josev", password=password)
    assert not (tmp_path / "josev").exists()


@pytest.mark.parametrize("layout", layouts.LayoutName)
def test_certificates_alone(pristine: Path, tmp_path: Path, layout: str) -> None:
    export(Store(pristine), layout, tmp_path)
    done = export(Store(pristine), layout, tmp_path, keys=False)
    left = [path for path in done.folder.rglob("*") if path.is_file() and path.name != RECORD]
    assert {path.suffix for path in left} == {".pem", ".der"}
    assert not any("pkcs8" in path.name for path in left)
    assert all(b"PRIVATE" not in path.read_bytes() for path in left)


def test_the_key_of_a_ca_may_lie_elsewhere_that_of_a_leaf_not(folder: Path, tmp_path: Path) -> None:
    (folder / "ca/cpo/private/sub1.key").unlink()
    done = export(Store(folder), "josev", tmp_path / "josev")
    assert done.notes[-1] == f"no key in {folder} for ca/cpo/sub1: exported without"
    assert not (done.folder / "private_keys/cpoSubCA1.key").exists()
    (folder / "leaf/secc/evse1/key.pem").unlink()
    with pytest.raises(ValueError, match=r"evse1/cert\.pem: its key is missing; put it to .*key\.pem, unencrypted, or"):
        export(Store(folder), "josev", tmp_path / "josev")
    assert export(Store(folder), "josev", tmp_path / "alone", keys=False).written


def test_one_of_several_leaves_must_be_chosen(folder: Path, tmp_path: Path) -> None:
    tree = read()["iso2"]
    second = Leaf(role=Role.CONTRACT, id="car2", cn="DE8AA0012345670")
    bring_up_to_date(msgspec.structs.replace(tree, leaf=(*tree.leaf, second)), Store(folder))
    with pytest.raises(ValueError, match=r"several contract certificates \(car1, car2\); choose one with --leaf"):
        export(Store(folder), "josev", tmp_path / "josev")
    assert not (tmp_path / "josev").exists()
    chosen = tmp_path / "josev/iso15118_2/certs/contractLeafCert.der"
    export(Store(folder), "josev", tmp_path / "josev", leaves={Role.CONTRACT: "car2"})
    assert chosen.read_bytes() == (folder / "leaf/contract/car2/cert.der").read_bytes()
    export(Store(folder), "josev", tmp_path / "josev", first=True)
    assert chosen.read_bytes() == (folder / "leaf/contract/car1/cert.der").read_bytes()


def test_the_authorities_are_those_above_the_leaf(folder: Path, tmp_path: Path) -> None:
    """A tree may have two branches of one kind; a chain of one with a Sub-CA of the other would hold nowhere."""
    tree = read()["iso2"]
    branch = SubCas(name="cpo", under="v2g", label="north", subs=1)
    leaf = Leaf(role=Role.SECC, id="evse2", cn="DE*PCG*E0002", below="north")
    more = msgspec.structs.replace(tree, branch=(*tree.branch, branch), leaf=(*tree.leaf, leaf))
    bring_up_to_date(more, Store(folder))
    done = export(Store(folder), "flat", tmp_path, leaves={Role.SECC: "evse2"})
    sub2 = (tmp_path / "PKI-Ext_CRT_CPO_SUB2_VALID.der").read_bytes()
    assert sub2 == load_chain(folder / "leaf/secc/evse2/chain.pem")[1]
    assert not (tmp_path / "PKI-Ext_CRT_CPO_SUB1_VALID.der").exists()
    assert "ca/cpo/sub1, ca/cpo/sub2" in done.notes[0]
    everest = export(Store(folder), "everest", tmp_path / "e", leaves={Role.SECC: "evse2"})
    chain = load_chain(everest.folder / "client/cso/CPO_CERT_CHAIN.pem")
    assert chain == load_chain(folder / "leaf/secc/evse2/chain.pem")
    told = "evse2 hangs below ca/cpo/north-sub2 and ca/v2g/root, without a Sub1 between; Josev needs .* two Sub-CAs"
    with pytest.raises(ValueError, match=told):
        export(Store(folder), "josev", tmp_path / "josev", leaves={Role.SECC: "evse2"})


def test_a_station_below_its_own_root_has_not_what_others_need(folder: Path, tmp_path: Path) -> None:
    tree = read()["iso2"]
    root = Root(kind="private", cn="Own root")
    leaf = Leaf(role=Role.SECC, id="evse3", cn="DE*PCG*E0003", below="private")
    bring_up_to_date(msgspec.structs.replace(tree, root=(*tree.root, root), leaf=(*tree.leaf, leaf)), Store(folder))
    for layout, lacking in (("everest", "Sub2"), ("josev", "Sub1 and Sub2")):
        with pytest.raises(ValueError, match=f"evse3 hangs below ca/private/root, without a {lacking} between"):
            export(Store(folder), layout, tmp_path / layout, leaves={Role.SECC: "evse3"})
        assert not (tmp_path / layout).exists()


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: holds no tree; `plugcharge pki init` makes one"):
        export(Store(tmp_path / "nowhere"), "josev", tmp_path / "josev")
    with pytest.raises(ValueError, match=r"has no secc certificate evse9; declare it as a leaf in pki\.toml"):
        export(Store(folder), "josev", tmp_path / "josev", leaves={Role.SECC: "evse9"})
    with pytest.raises(ValueError, match="josev has no place for a vehicle certificate; leave out --leaf vehicle="):
        export(Store(folder), "josev", tmp_path / "josev", leaves={Role.VEHICLE: "car1"})
    with pytest.raises(ValueError, match="no layout 'bus'; known: everest, flat, josev"):
        export(Store(folder), "bus", tmp_path / "bus")
    (folder / "ca/cpo/sub1.pem").write_bytes(b"noise")
    with pytest.raises(ValueError, match=r"ca/cpo/sub1\.pem: it is no readable PEM certificate; `plugcharge pki init`"):
        export(Store(folder), "josev", tmp_path / "josev")
    (folder / "ca/cpo/sub1.pem").unlink()
    with pytest.raises(ValueError, match="ca/cpo/sub1 missing; Josev needs"):
        export(Store(folder), "josev", tmp_path / "josev")
    assert not (tmp_path / "josev").exists()


def test_what_has_no_place_is_told(editions: dict[str, Path], tmp_path: Path) -> None:
    done = export(Store(editions["iso20"]), "josev", tmp_path)
    assert "no place in josev for ca/vehicle/sub1, ca/vehicle/sub2" in done.notes[0]


def test_josev_is_not_given_keys_it_cannot_read(editions: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has a key on Ed448, and josev reads P-256 and P-521 alone"):
        export(Store(editions["iso20-ed448"]), "josev", tmp_path / "josev")
