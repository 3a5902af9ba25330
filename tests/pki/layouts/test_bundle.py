"""One file of certificates, however it is packed; packed by openssl."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.layouts.bundle import read_bundle
from pki.store import Store
from tests.pki import chains
from v2g.trust import Role

LEAVES = {
    Role.SECC: ("leaf/secc/evse1", "cpo"),
    Role.CONTRACT: ("leaf/contract/car1", "mo"),
    Role.OEM_PROVISIONING: ("leaf/oem-provisioning/car1", "oem"),
    Role.CPS: ("leaf/cps/cps1", "cps"),
}


def openssl(*arguments: str | Path) -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


@pytest.mark.parametrize("role", list(LEAVES))
@pytest.mark.parametrize("edition", ["iso2", "iso20", "iso20-ed448"])
def test_a_pem_bundle_says_itself_what_is_in_it(trees: Path, role: Role, edition: str) -> None:
    place, branch = LEAVES[role]
    tree = Store(trees / edition)
    found = read_bundle(tree.chain(place), key=tree.key(place), role=role if role is Role.CONTRACT else None)
    assert found.keys[f"leaf/{role}"].public_key() == tree.load(place).key.public_key()
    for own, theirs in ((place, f"leaf/{role}"), (f"ca/{branch}/sub2",) * 2, (f"ca/{branch}/sub1",) * 2):
        assert found.certificates[theirs].parsed == tree.load_certificate(own)
    assert len(found.certificates) == 3


@pytest.mark.parametrize("packing", ["PEM", "DER", "base64", "base64 in lines", "P12", "bag and key"])
def test_every_packing_holds_the_same(pristine: Path, tmp_path: Path, packing: str) -> None:
    leaf = pristine / "leaf/secc/evse1"
    path = tmp_path / "answer"
    packed = ("crl2pkcs7", "-nocrl", "-certfile", leaf / "chain.pem", "-certfile", pristine / "ca/v2g/root.pem")
    match packing:
        case "P12":
            above = ("-certfile", pristine / "trust/v2g.pem")
            key = ("-inkey", leaf / "key.pem", "-passout", "pass:secret")
            path.write_bytes(openssl("pkcs12", "-export", "-in", leaf / "chain.pem", *above, *key))
        case "PEM" | "DER":
            path.write_bytes(openssl(*packed, "-outform", packing))
        case "bag and key":
            bundle = b"Bag Attributes\r\n" + (leaf / "chain.pem").read_bytes().replace(b"\n", b"\r\n")
            path.write_bytes(bundle + (leaf / "key.pem").read_bytes() + (pristine / "trust/v2g.pem").read_bytes())
        case _:
            encode = base64.b64encode if packing == "base64" else base64.encodebytes
            path.write_bytes(encode(openssl(*packed, "-outform", "DER")))
    found = read_bundle(path, b"secret")
    assert set(found.certificates) == {"leaf/secc", "ca/cpo/sub2", "ca/cpo/sub1", "ca/v2g/root"}
    for place, certificate in found.certificates.items():
        own = "leaf/secc/evse1" if place == "leaf/secc" else place
        assert certificate.parsed == Store(pristine).load_certificate(own)
    assert set(found.keys) == ({"leaf/secc"} if packing in {"P12", "bag and key"} else set())


def test_authorities_alone_have_their_branch_by_dc_or_role(trees: Path, tmp_path: Path) -> None:
    both = tmp_path / "cacerts.pem"
    roots = [(trees / f"{edition}/trust/v2g.pem").read_bytes() for edition in ("iso2", "iso20")]
    sub = (trees / "iso2/ca/mo/sub2.pem").read_bytes()
    both.write_bytes(b"".join([*roots, sub]))
    assert set(read_bundle(both).certificates) == {"ca/v2g/root", "ca/v2g/root2", "ca/mo/sub2"}
    assert set(read_bundle(trees / "iso2/ca/cps/sub1.pem", role=Role.CPS).certificates) == {"ca/cps/sub1"}


def test_one_der_certificate_will_do(pristine: Path) -> None:
    assert set(read_bundle(pristine / "ca/oem/root.der").certificates) == {"ca/oem/root"}


def test_what_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    made = chains.build("secc", root={"dc": ()}, sub1={"dc": ()}, sub2={"dc": ()}, leaf={"dc": ()})
    for name, one, asked in (
        ("leaf", made.leaf, "neither DC nor EMAID says what its leaf is for; say it with --role"),
        ("sub2", made.sub2, "no DC says whose Sub-CA is in it; say it with --role"),
        ("root", made.root, "no DC says whose root is in it; say it with --role"),
    ):
        path = tmp_path / f"{name}.pem"
        path.write_bytes(one.certificate.public_bytes(Encoding.PEM))
        with pytest.raises(ValueError, match=f"{name}.pem: {asked}"):
            read_bundle(path)
        place = {"leaf": "leaf/secc", "sub2": "ca/cpo/sub2", "root": "ca/v2g/root"}[name]
        assert set(read_bundle(path, role=Role.SECC).certificates) == {place}


def test_what_cannot_be_used_is_told(pristine: Path, tmp_path: Path) -> None:
    chain = pristine / "leaf/secc/evse1/chain.pem"
    empty, locked, two = tmp_path / "empty", tmp_path / "locked.key", tmp_path / "two.pem"
    empty.write_bytes(b"")
    locked.write_bytes(openssl("pkey", "-in", pristine / "leaf/secc/evse1/key.pem", "-aes128", "-passout", "pass:x"))
    two.write_bytes(chain.read_bytes() + chains.build("secc").leaf.certificate.public_bytes(Encoding.PEM))
    with pytest.raises(ValueError, match=f"{tmp_path}/none: no such file"):
        read_bundle(tmp_path / "none")
    with pytest.raises(ValueError, match=r"empty: .*; give its password with --password"):
        read_bundle(empty)
    with pytest.raises(ValueError, match=r"locked\.key: none of the passwords .* give its password with --password"):
        read_bundle(chain, key=locked)
    assert read_bundle(chain, b"x", key=locked).keys
    with pytest.raises(ValueError, match=r"key\.pem: the key of none of the certificates; take both from one source"):
        read_bundle(chain, key=pristine / "leaf/cps/cps1/key.pem")
    with pytest.raises(ValueError, match=r"not the certificate for leaf/secc that .* holds; keep the one in use"):
        read_bundle(two)
    with pytest.raises(ValueError, match=r"trust/v2g\.pem: .*; name a file with a private key"):
        read_bundle(chain, key=pristine / "trust/v2g.pem")


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=300), head=st.sampled_from([b"", b"0\x82", b"-----BEGIN PKCS7-----\n", b"MII"]))
def test_noise_is_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, head: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise"
    path.write_bytes(head + noise)
    with pytest.raises(ValueError, match="noise: "):
        read_bundle(path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_answer_is_an_error_or_holds_less(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = read_bundle(pristine / "leaf/secc/evse1/chain.pem")
    text = bytearray((pristine / "leaf/secc/evse1/chain.pem").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.pem"
    path.write_bytes(text[: data.draw(st.integers(0, len(text)))])
    try:
        found = read_bundle(path, role=Role.SECC)
    except ValueError as error:
        told = str(error)
    else:
        told = f"{path}: {len(found.certificates)}"
        assert len(found.certificates) <= len(whole.certificates)
    assert told.startswith(f"{path}: ")
