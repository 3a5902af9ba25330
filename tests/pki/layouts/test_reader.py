"""Folders of other stacks as they come: complete, damaged, locked, mixed up."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki import layouts
from pki.layouts.export import export
from pki.layouts.found import MAX_BYTES
from pki.layouts.layout import Form
from pki.layouts.reader import read_folder
from pki.store import Store
from tests.pki.layouts.cases import CASES


@pytest.fixture(scope="session")
def josevs(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What we export for Josev; not to be changed."""
    folder = tmp_path_factory.mktemp("josev")
    return export(Store(pristine), "josev", folder).folder


@pytest.fixture
def josev(josevs: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    shutil.copytree(josevs, tmp_path / "iso15118_2")
    return tmp_path / "iso15118_2"


def read(folder: Path, password: bytes | None = None) -> object:
    return read_folder(layouts.named("josev"), folder, password)


@pytest.mark.parametrize(("layout", "edition"), CASES)
def test_what_was_exported_is_found_again(editions: dict[str, Path], tmp_path: Path, layout: str, edition: str) -> None:
    tree = Store(editions[edition])
    export(tree, layout, tmp_path)
    found = read_folder(layouts.named(layout), tmp_path)
    wanted = {
        "/".join(place.split("/")[:2]) if place.startswith("leaf/") else place: place
        for place in tree.places()
        if "-ocsp/" not in place and not (layout == "josev" and "vehicle" in place)
    }
    assert {place: one.der for place, one in found.certificates.items()} == {
        place: tree.load_certificate(own).public_bytes(Encoding.DER) for place, own in wanted.items()
    }
    raw = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert {place: key.private_bytes(*raw) for place, key in found.keys.items()} == {
        place: tree.load(own).key.private_bytes(*raw) for place, own in wanted.items()
    }
    assert not found.notes


def test_every_password_is_found_or_given(pristine: Path, tmp_path: Path) -> None:
    folder = export(Store(pristine), "josev", tmp_path, password=b"correct horse").folder
    assert len(read_folder(layouts.named("josev"), tmp_path).keys) == 15
    for path in folder.glob("private_keys/*.txt"):
        path.unlink()
    with pytest.raises(ValueError, match=r"moCertChain\.p12: none of the passwords known opens it, .*--password"):
        read(folder)
    with pytest.raises(ValueError, match="none of the passwords known opens it"):
        read(folder, b"wrong")
    assert len(read_folder(layouts.named("josev"), folder, b"correct horse").keys) == 15


def test_passwords_may_differ_from_key_to_key(pristine: Path, josev: Path, tmp_path: Path) -> None:
    other = export(Store(pristine), "josev", tmp_path / "other", password=b"another").folder
    for name in ("contractLeaf.key", "contractLeafPassword.txt"):
        shutil.copy(other / "private_keys" / name, josev / "private_keys" / name)
    shutil.copy(other / "certs/moCertChain.p12", josev / "certs/moCertChain.p12")
    assert len(read_folder(layouts.named("josev"), josev).keys) == 15


def overwrite(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def copy(name: str, other: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copy(folder / name, folder / other)


def truncate(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def become_folder(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


def loop(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(name.rpartition("/")[2])

    return change


def p384() -> bytes:
    return ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def of_rsa() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


DAMAGED = {
    "noise for a certificate": (overwrite("certs/seccLeafCert.pem", b"\x00noise"), "seccLeafCert.pem: .*copy it again"),
    "an empty certificate": (overwrite("certs/seccLeafCert.der", b""), "seccLeafCert.der: no well-formed .*copy"),
    "a truncated certificate": (truncate("certs/cpoSubCA1Cert.der"), "cpoSubCA1Cert.der: no well-formed .*copy it"),
    "a truncated PEM": (truncate("certs/cpoSubCA1Cert.pem"), "cpoSubCA1Cert.pem: .*copy it again from its source"),
    "another certificate": (
        copy("certs/cpoSubCA1Cert.der", "certs/seccLeafCert.der"),
        "not the certificate for leaf/secc that .*seccLeafCert.* holds; keep the one in use",
    ),
    "another chain": (
        copy("certs/oemCertChain.pem", "certs/cpoCertChain.pem"),
        "cpoCertChain.pem: not the certificate for leaf/secc that .*; keep the one in use and remove the other",
    ),
    "the key of another": (
        copy("private_keys/oemLeaf.key", "private_keys/seccLeaf.key"),
        "private_keys/seccLeaf.key: not the key of .*/certs/seccLeafCert.pem; take both from one source",
    ),
    "two keys": (
        copy("private_keys/oemLeaf.key", "private_keys/contractLeaf.key"),
        "contractLeaf.key: not the key for leaf/contract that .*moCertChain.p12 holds",
    ),
    "a truncated key": (truncate("private_keys/seccLeaf.key"), "seccLeaf.key: .*remove it"),
    "noise for a key": (overwrite("private_keys/seccLeaf.key", b"\xff\x00"), "seccLeaf.key: .*copy it again"),
    "noise for a P12": (overwrite("certs/moCertChain.p12", b"\xff\x00"), "moCertChain.p12: none of the passwords"),
    "a key on P-384": (overwrite("private_keys/seccLeaf.key", p384()), "a key of kind secp384r1, which no V2G"),
    "an RSA key": (overwrite("private_keys/seccLeaf.key", of_rsa()), "seccLeaf.key: a key of kind _?RSA, which no V2G"),
    "a wrong password": (overwrite("private_keys/seccLeafPassword.txt", b"\x07\n"), "seccLeafPassword.txt: a password"),
    "a folder for a file": (become_folder("certs/seccLeafCert.pem"), "seccLeafCert.pem: is no file; remove it"),
    "a link to itself": (loop("certs/seccLeafCert.pem"), "seccLeafCert.pem: cannot be read: .*; make it readable"),
    "a file without end": (overwrite("certs/seccLeafCert.pem", b" " * (MAX_BYTES + 1)), "has more than 1048576 bytes"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_told_with_file_and_remedy(josev: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(josev)
    with pytest.raises(ValueError, match=message) as raised:
        read(josev)
    assert str(josev) in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(josev: Path) -> None:
    (josev / "private_keys/seccLeaf.key").chmod(0)
    with pytest.raises(ValueError, match=r"seccLeaf\.key: cannot be read: Permission denied; make it readable"):
        read(josev)


def test_certificates_may_come_without_keys(josev: Path) -> None:
    for path in (josev / "private_keys").iterdir():
        path.unlink()
    for path in josev.glob("certs/*.p12"):
        path.unlink()
    found = read_folder(layouts.named("josev"), josev)
    assert len(found.certificates) == 15
    assert not found.keys


def test_any_one_file_of_a_certificate_is_enough(josev: Path) -> None:
    for path in [*josev.glob("certs/*Cert.pem"), *josev.glob("certs/*Cert.der")]:
        path.unlink()
    found = read_folder(layouts.named("josev"), josev)
    assert {place for place in found.certificates if place.startswith("leaf/")} == {
        *("leaf/secc", "leaf/contract", "leaf/oem-provisioning", "leaf/cps"),
    }
    assert {place for place in found.certificates if place.startswith("ca/")} == {
        f"ca/{branch}/{tier}" for branch in ("cpo", "mo", "oem", "cps") for tier in ("sub1", "sub2")
    }
    assert any("mo/root" in note or "a key without its certificate" in note for note in found.notes)


def test_a_chain_in_another_order_or_with_its_root_is_told(josev: Path) -> None:
    certs = josev / "certs"
    parts = [(certs / f"{name}Cert.pem").read_bytes() for name in ("cpoSubCA1", "v2gRootCA", "seccLeaf", "cpoSubCA2")]
    (certs / "cpoCertChain.pem").write_bytes(b"".join(parts))
    found = read_folder(layouts.named("josev"), josev)
    assert [note.partition(": ")[2] for note in found.notes] == [
        "its certificates are in another order than leaf, Sub2, Sub1",
        "1 more than belong there left out, a root or other certificates",
    ]


def test_several_roots_in_one_file_are_all_taken(josev: Path, editions: dict[str, Path]) -> None:
    root = josev / "certs/v2gRootCACert.pem"
    other = (editions["josev"] / "ca/v2g/root.pem").read_bytes()
    root.write_bytes(root.read_bytes() + other + (josev / "certs/cpoSubCA1Cert.pem").read_bytes())
    found = read_folder(layouts.named("josev"), josev)
    second = found.certificates["ca/v2g/root2"]
    assert second.parsed.public_bytes(Encoding.PEM) == other
    assert found.notes == [f"{root}: certificate 3 is no root and left out"]


def test_the_folder_has_to_be_one_of_the_layout(josev: Path, tmp_path: Path) -> None:
    assert read_folder(layouts.named("josev"), tmp_path).certificates
    with pytest.raises(ValueError, match="nowhere: no such folder; name the one the josev layout is in"):
        read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds nothing of the josev layout, such as .*v2gRootCACert\.pem"):
        read(josev / "certs")
    shutil.copytree(josev, tmp_path / "iso15118_20")
    with pytest.raises(ValueError, match="has iso15118_2 and iso15118_20; name one of them"):
        read(tmp_path)
    assert read(tmp_path / "iso15118_20")


def test_a_p12_of_an_older_openssl_is_read(josev: Path) -> None:
    old = ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"]
    command = ["openssl", "pkcs12", "-export", *old, "-passin", "pass:12345", "-passout", "pass:12345"]
    files = ["-inkey", "../private_keys/contractLeaf.key", "-in", "contractLeafCert.pem", "-out", "moCertChain.p12"]
    above = ["-certfile", "intermediateMOCACerts.pem"]
    subprocess.run([*command, *files, *above], cwd=josev / "certs", check=True, capture_output=True)
    for path in [*josev.glob("certs/contractLeafCert.*"), josev / "private_keys/contractLeaf.key"]:
        path.unlink()
    found = read_folder(layouts.named("josev"), josev)
    assert "leaf/contract" in found.keys


@contextmanager
def changed(path: Path, data: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


@pytest.fixture(scope="session")
def flats(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is quickly read; left as it was by who changes it."""
    return export(Store(pristine), "flat", tmp_path_factory.mktemp("flat")).folder


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_noise_in_any_file_is_an_error_that_names_it(flats: Path, data: st.DataObject) -> None:
    path = data.draw(
        st.sampled_from(sorted(path for path in flats.iterdir() if path.suffix in {".pem", ".der", ".key"}))
    )
    noise = data.draw(st.binary(max_size=400))
    with changed(path, noise), pytest.raises(ValueError, match="remove") as raised:
        read_folder(layouts.named("flat"), flats)
    assert path.name in str(raised.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_is_an_error_or_changes_nothing_unseen(flats: Path, data: st.DataObject) -> None:
    table = layouts.named("flat")
    rows = [file for file in table.files if (flats / file.path).exists()]
    file = data.draw(st.sampled_from(rows))
    path = flats / file.path
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(0, 255))
    whole = read_folder(table, flats)
    with changed(path, before[:at] + bytes([byte]) + before[at + 1 :]):
        try:
            found = read_folder(table, flats)
        except ValueError as error:
            told: str | None = str(error)
        else:
            told = None
            assert {place: one.der for place, one in found.certificates.items()} == {
                place: one.der for place, one in whole.certificates.items()
            }
    assert told is None or path.name in told


def test_tables_have_no_path_twice_and_a_password_for_every_encrypted_leaf() -> None:
    for name in layouts.LayoutName:
        table = layouts.named(name)
        paths = [file.path for file in table.files]
        assert len(paths) == len(set(paths))
        assert {file.places[0] for file in table.of(Form.PASSWORD)} >= (
            {f"leaf/{role}" for role in table.roles} if table.password else set()
        )


def test_flat_names_are_found_in_every_folder_below(flats: Path, tmp_path: Path) -> None:
    """As test systems keep them: certificates here, keys there."""
    for path in flats.glob("PKI-Ext*"):
        folder = tmp_path / ("privateKeys" if path.suffix == ".key" else "certs") / "sut_secc"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    certs = tmp_path / "certs/sut_secc"
    other = certs / "PKI-Ext_CRT_CONTRACT_LEAF_EXPIRED.pem"
    shutil.copy(certs / "PKI-Ext_CRT_CONTRACT_LEAF_VALID.pem", other)
    found = read_folder(layouts.named("flat"), tmp_path)
    assert (len(found.certificates), len(found.keys)) == (15, 15)
    assert found.notes == [f"1 files of other names left out, such as {other}"]
    shutil.copytree(certs, tmp_path / "certs/sut_evcc")
    assert len(read_folder(layouts.named("flat"), tmp_path).certificates) == 15
    changed_name = "PKI-Ext_CRT_EVSE_LEAF_VALID.pem"
    shutil.copy(certs / "PKI-Ext_CRT_CPS_LEAF_VALID.pem", tmp_path / "certs/sut_evcc" / changed_name)
    with pytest.raises(ValueError, match=r"not the certificate for leaf/secc that .* holds; keep the one in use"):
        read_folder(layouts.named("flat"), tmp_path)
