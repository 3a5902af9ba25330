"""The files of EVerest's `etc/everest/certs`, written down from its documentation, apart from our table."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from pki.layouts.export import export
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read

PASSWORD = b"123456"

BOTH = """
ca/v2g/V2G_ROOT_CA.pem ca/v2g/V2G_ROOT_CA.der client/v2g/V2G_ROOT_CA.key client/v2g/V2G_ROOT_CA_PASSWORD.txt
ca/cso/CPO_SUB_CA1.pem ca/cso/CPO_SUB_CA1.der ca/cso/CPO_SUB_CA1_LEAF.der
ca/cso/CPO_SUB_CA2.pem ca/cso/CPO_SUB_CA2.der ca/cso/CPO_SUB_CA2_LEAF.der
ca/csms/CPO_SUB_CA1.pem ca/csms/CPO_SUB_CA1_LEAF.der ca/csms/CPO_SUB_CA2.pem ca/csms/CPO_SUB_CA2_LEAF.der
client/cso/SECC_LEAF.pem client/cso/SECC_LEAF.der client/cso/SECC_LEAF.key client/cso/SECC_LEAF_PASSWORD.txt
client/cso/CPO_CERT_CHAIN.pem client/cso/CPO_SUB_CA1.key client/cso/CPO_SUB_CA2.key
ca/mo/MO_ROOT_CA.pem ca/mo/MO_ROOT_CA.der ca/mo/MO_SUB_CA1.pem ca/mo/MO_SUB_CA1.der
ca/mo/MO_SUB_CA2.pem ca/mo/MO_SUB_CA2.der ca/mo/INTERMEDIATE_MO_CA_CERTS.pem
client/mo/MO_ROOT_CA.key client/mo/MO_SUB_CA1.key client/mo/MO_SUB_CA2.key client/mo/MO_SUB_CA2.pkcs8.der
client/mo/MO_LEAF.pem client/mo/MO_LEAF.der client/mo/MO_LEAF.key client/mo/MO_CERT_CHAIN.p12
client/mo/MO_LEAF_PASSWORD.txt client/mo/MO_SUB_CA2_LEAF_PASSWORD.txt
ca/cps/CPS_SUB_CA1.pem ca/cps/CPS_SUB_CA1.der ca/cps/CPS_SUB_CA2.pem ca/cps/CPS_SUB_CA2.der
ca/cps/INTERMEDIATE_CPS_CA_CERTS.pem client/cps/CPS_SUB_CA1.key client/cps/CPS_SUB_CA2.key
client/cps/CPS_LEAF.pem client/cps/CPS_LEAF.der client/cps/CPS_LEAF.key client/cps/CPS_LEAF_PASSWORD.txt
client/cps/CPS_CERT_CHAIN.p12
ca/oem/OEM_ROOT_CA.pem ca/oem/OEM_ROOT_CA.der ca/oem/OEM_SUB_CA1.pem ca/oem/OEM_SUB_CA1.der
ca/oem/OEM_SUB_CA2.pem ca/oem/OEM_SUB_CA2.der ca/oem/OEM_CERT_CHAIN.pem ca/oem/INTERMEDIATE_OEM_CA.pem
client/oem/OEM_ROOT_CA.key client/oem/OEM_SUB_CA1.key client/oem/OEM_SUB_CA2.key client/oem/OEM_CERT_CHAIN.pem
client/oem/OEM_LEAF.pem client/oem/OEM_LEAF.der client/oem/OEM_LEAF.key client/oem/OEM_LEAF_PASSWORD.txt
client/oem/OEM_CERT_CHAIN.p12
"""
SECOND_GENERATION = """
ca/vehicle/VEHICLE_SUB_CA1.pem ca/vehicle/VEHICLE_SUB_CA1.der
ca/vehicle/VEHICLE_SUB_CA2.pem ca/vehicle/VEHICLE_SUB_CA2.der
ca/vehicle/VEHICLE_CERT_CHAIN.pem client/vehicle/VEHICLE_CERT_CHAIN.pem
client/vehicle/VEHICLE_SUB_CA1.key client/vehicle/VEHICLE_SUB_CA2.key
client/vehicle/VEHICLE_LEAF.pem client/vehicle/VEHICLE_LEAF.der client/vehicle/VEHICLE_LEAF.key
client/vehicle/VEHICLE_LEAF_PASSWORD.txt
"""
CHAINS = {
    "client/cso/CPO_CERT_CHAIN.pem": "secc/evse1",
    "ca/oem/OEM_CERT_CHAIN.pem": "oem-provisioning/car1",
    "client/oem/OEM_CERT_CHAIN.pem": "oem-provisioning/car1",
    "ca/vehicle/VEHICLE_CERT_CHAIN.pem": "vehicle/car1",
    "client/vehicle/VEHICLE_CERT_CHAIN.pem": "vehicle/car1",
}
BUNDLES = {
    "client/mo/MO_CERT_CHAIN.p12": ("contract_leaf_cert", "contract/car1"),
    "client/cps/CPS_CERT_CHAIN.p12": ("cps_leaf_cert", "cps/cps1"),
    "client/oem/OEM_CERT_CHAIN.p12": ("oem_prov_cert", "oem-provisioning/car1"),
}


@pytest.mark.parametrize(
    ("edition", "files"),
    [("iso2", BOTH), ("iso20", f"{BOTH} {SECOND_GENERATION}"), ("iso20-ed448", f"{BOTH} {SECOND_GENERATION}")],
)
def test_every_file_is_where_everest_looks(editions: dict[str, Path], tmp_path: Path, edition: str, files: str) -> None:
    expected = files.split()
    done = export(Store(editions[edition]), "everest", tmp_path)
    assert done.folder == tmp_path
    assert sorted(done.written) == sorted(expected)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*expected, ".plugcharge-export.json"}
    passwords = [path for path in expected if path.endswith("_PASSWORD.txt")]
    assert {(tmp_path / path).read_bytes() for path in passwords} == {PASSWORD + b"\n"}


def test_chains_are_leaf_sub2_sub1_without_a_root(editions: dict[str, Path], tmp_path: Path) -> None:
    export(Store(editions["iso20"]), "everest", tmp_path)
    for path, leaf in CHAINS.items():
        assert (tmp_path / path).read_bytes() == (editions["iso20"] / "leaf" / leaf / "chain.pem").read_bytes()
    above = (tmp_path / "ca/mo/INTERMEDIATE_MO_CA_CERTS.pem").read_bytes()
    leaf_pem = (tmp_path / "client/mo/MO_LEAF.pem").read_bytes()
    assert leaf_pem + above == (editions["iso20"] / "leaf/contract/car1/chain.pem").read_bytes()


def test_bundles_have_the_names_everest_gives_them(editions: dict[str, Path], tmp_path: Path) -> None:
    export(Store(editions["iso2"]), "everest", tmp_path)
    for path, (label, leaf) in BUNDLES.items():
        bundle = pkcs12.load_pkcs12((tmp_path / path).read_bytes(), PASSWORD)
        assert bundle.cert is not None
        assert bundle.key is not None
        assert bundle.cert.friendly_name == label.encode()
        chain = x509.load_pem_x509_certificates((editions["iso2"] / "leaf" / leaf / "chain.pem").read_bytes())
        assert [bundle.cert.certificate, *(each.certificate for each in bundle.additional_certs)] == chain
        assert bundle.key.public_key() == chain[0].public_key()


def test_root_bundles_hold_the_root_alone(editions: dict[str, Path], tmp_path: Path) -> None:
    export(Store(editions["iso2"]), "everest", tmp_path)
    for name in ("v2g/V2G", "mo/MO", "oem/OEM"):
        (root,) = x509.load_pem_x509_certificates((tmp_path / f"ca/{name}_ROOT_CA.pem").read_bytes())
        assert root.issuer == root.subject
        assert (tmp_path / f"ca/{name}_ROOT_CA.der").read_bytes() == root.public_bytes(Encoding.DER)


def test_what_everest_keeps_there_itself_stays(editions: dict[str, Path], tmp_path: Path) -> None:
    own = {"ca/csms/CSMS_ROOT_CA.pem": b"csms", "client/cso/ocsp/x.hash": b"SHA256"}
    for name, data in own.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(data)
    export(Store(editions["iso2"]), "everest", tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in own} == own


def test_a_station_with_one_sub_ca_needs_no_more(editions: dict[str, Path], tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    source = editions["iso2"]
    for name in ("ca/v2g/root.pem", "ca/cpo/sub1.pem", "ca/cpo/sub2.pem"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((source / name).read_bytes())
    with pytest.raises(ValueError, match="leaf/secc missing; EVerest needs a V2G root, a Sub-CA of the CPO and a leaf"):
        export(Store(tree), "everest", tmp_path / "certs")


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def put_response(tree: Path, name: str, certificate: str, issuer: str, days: int) -> bytes:
    """Have openssl sign a response into a tree, as the responder of its CA."""
    serial = openssl("x509", "-in", tree / certificate, "-noout", "-serial").strip().removeprefix("serial=")
    index = tree.parent / "index.txt"
    index.write_text(f"V\t351231235959Z\t\t{serial}\tunknown\t/CN=x\n", encoding="utf-8")
    signer = tree / "leaf/cpo-ocsp" / Path(issuer).name
    about = ("-issuer", tree / f"{issuer}.pem", "-cert", tree / certificate)
    answer = ("-index", index, "-CA", tree / f"{issuer}.pem", "-rsigner", signer / "cert.pem")
    target = tree / "ocsp" / f"{name}.der"
    target.parent.mkdir(exist_ok=True)
    openssl("ocsp", "-sha256", *about, *answer, "-rkey", signer / "key.pem", "-ndays", str(days), "-respout", target)
    return target.read_bytes()


def test_responses_in_the_tree_are_put_where_everest_caches_them(folder: Path, tmp_path: Path) -> None:
    response = put_response(folder, "any", "leaf/secc/evse1/cert.pem", "ca/cpo/sub2", 7)
    above = put_response(folder, "name", "ca/cpo/sub2.pem", "ca/cpo/sub1", 7)
    done = export(Store(folder), "everest", tmp_path / "certs")
    cache = done.folder / "client/cso/ocsp"
    assert {path.name for path in cache.iterdir()} == {
        *("SECC_LEAF.der", "SECC_LEAF.hash", "CPO_SUB_CA2.der", "CPO_SUB_CA2.hash"),
    }
    assert (cache / "SECC_LEAF.der").read_bytes() == response
    assert (cache / "CPO_SUB_CA2.der").read_bytes() == above
    asked = ("-issuer", folder / "ca/cpo/sub2.pem", "-sha256", "-cert", folder / "leaf/secc/evse1/cert.pem")
    printed = openssl("ocsp", *asked, "-no_nonce", "-req_text").splitlines()
    said = dict(line.strip().split(": ", 1) for line in printed if ": " in line)
    wanted = ["SHA256", *(said[key].lower() for key in ("Issuer Name Hash", "Issuer Key Hash"))]
    *lines, serial = (cache / "SECC_LEAF.hash").read_text(encoding="utf-8").splitlines()
    assert lines == wanted
    assert serial == said["Serial Number"].lower().lstrip("0")
    assert export(Store(folder), "everest", tmp_path / "certs").written == ()


def test_responses_about_others_or_out_of_date_are_no_evidence(folder: Path, tmp_path: Path) -> None:
    put_response(folder, "other", "leaf/secc/evse1/cert.pem", "ca/cpo/sub2", 7)
    (folder / "leaf/secc/evse1/cert.pem").unlink()
    bring_up_to_date(read()["iso2"], Store(folder))
    done = export(Store(folder), "everest", tmp_path / "certs")
    assert not (done.folder / "client/cso/ocsp").exists()
    (folder / "ocsp/noise.der").write_bytes(b"noise")
    with pytest.raises(ValueError, match=r"ocsp/noise\.der: .*; remove it"):
        export(Store(folder), "everest", tmp_path / "certs")
