from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs12

from pki.credentials import load_chain, load_key
from pki.layouts.export import export
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import Leaf, read
from v2g.trust import Role

CERTIFICATES = [f"{name}{tier}" for name in ("oem", "mo") for tier in ("RootCA", "SubCA1", "SubCA2")]
CERTIFICATES += ["v2gRootCA", *(f"{name}SubCA{number}" for name in ("cpo", "cps") for number in (1, 2))]
CERTIFICATES += ["seccLeaf", "contractLeaf", "oemLeaf", "cpsLeaf"]
PASSWORDS = ["seccLeaf", "oemLeaf", "contractLeaf", "cpsLeaf", "moSubCA2Leaf"]


def test_the_folder_is_the_one_josev_reads(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "josev", tmp_path)
    expected = {f"certs/{name}Cert.{kind}" for name in CERTIFICATES for kind in ("pem", "der")}
    expected |= {f"certs/{name}" for name in ("cpoCertChain.pem", "oemCertChain.pem", "moCertChain.p12")}
    expected |= {f"certs/{name}" for name in ("cpsCertChain.p12", "intermediateMOCACerts.pem")}
    expected |= {"certs/intermediateCPSCACerts.pem", "private_keys/moSubCA2.pkcs8.der"}
    expected |= {f"private_keys/{name}.key" for name in CERTIFICATES}
    expected |= {f"private_keys/{name}Password.txt" for name in PASSWORDS}
    expected.add(".plugcharge-export.json")
    base = tmp_path / "iso15118_2"
    assert {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()} == expected
    secrets = [*(base / "private_keys").iterdir(), *base.glob("certs/*.p12")]
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


def test_keys_chains_and_bundles_are_those_of_the_tree(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "josev", tmp_path)
    certs, keys = tmp_path / "iso15118_2/certs", tmp_path / "iso15118_2/private_keys"
    assert load_chain(certs / "cpoCertChain.pem") == load_chain(pristine / "leaf/secc/evse1/chain.pem")
    assert load_chain(certs / "oemCertChain.pem") == load_chain(pristine / "leaf/oem-provisioning/car1/chain.pem")
    contract = load_key(pristine / "leaf/contract/car1/key.pem").public_key()
    assert load_key(keys / "contractLeaf.key", "12345").public_key() == contract
    bundle = pkcs12.load_pkcs12((certs / "moCertChain.p12").read_bytes(), b"12345")
    assert bundle.cert is not None
    assert bundle.cert.friendly_name == b"contract_leaf_cert"
    assert len(bundle.additional_certs) == 2
    assert load_der_private_key((keys / "moSubCA2.pkcs8.der").read_bytes(), b"12345")


def test_openssl_opens_the_keys_with_the_password_file(pristine: Path, tmp_path: Path) -> None:
    export(Store(pristine), "josev", tmp_path)
    keys = tmp_path / "iso15118_2/private_keys"
    command = ["openssl", "ec", "-in", "seccLeaf.key", "-passin", "file:seccLeafPassword.txt", "-noout"]
    subprocess.run(command, cwd=keys, check=True, capture_output=True)
    assert b"BEGIN EC PRIVATE KEY" in (keys / "seccLeaf.key").read_bytes()


def test_one_of_several_leaves_must_be_chosen(folder: Path, tmp_path: Path) -> None:
    tree = read()["iso2"]
    second = Leaf(role=Role.CONTRACT, id="car2", cn="DE8AA0012345670")
    bring_up_to_date(msgspec.structs.replace(tree, leaf=(*tree.leaf, second)), Store(folder))
    with pytest.raises(ValueError, match=r"several contract certificates \(car1, car2\); choose one with --leaf"):
        export(Store(folder), "josev", tmp_path / "josev")
    assert not (tmp_path / "josev").exists()
    export(Store(folder), "josev", tmp_path / "josev", leaves={Role.CONTRACT: "car2"})
    chosen = (tmp_path / "josev/iso15118_2/certs/contractLeafCert.der").read_bytes()
    assert chosen == (folder / "leaf/contract/car2/cert.der").read_bytes()


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: holds no tree; `plugcharge pki init` makes one"):
        export(Store(tmp_path / "nowhere"), "josev", tmp_path / "josev")
    with pytest.raises(ValueError, match=r"has no secc certificate evse9; declare it as a leaf in pki\.toml"):
        export(Store(folder), "josev", tmp_path / "josev", leaves={Role.SECC: "evse9"})
    (folder / "ca/cpo/sub1.pem").unlink()
    with pytest.raises(ValueError, match="ca/cpo/sub1 missing; Josev needs"):
        export(Store(folder), "josev", tmp_path / "josev")
