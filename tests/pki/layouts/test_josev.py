"""Josev (iso15118) loads what we export, and we judge what its own script makes as it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki import layouts
from pki.commands import pki
from pki.credentials import load_key
from pki.layouts.adopt import adopt
from pki.layouts.export import export
from pki.layouts.folder import RECORD
from pki.layouts.reader import read_folder
from pki.store import Store
from pki.validate import validate
from v2g.trust import Role, Rule

PYTHON = Path(os.environ.get("PLUGCHARGE_PEER") or Path(__file__).parents[3] / ".peer") / "bin" / "python"
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not PYTHON.exists(), reason="no Josev: run `make provision`, or set PLUGCHARGE_PEER"),
]

# Runs in Josev's environment: everything it ever loads, by its own functions.
PROBE = """
import json, sys
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from iso15118.shared import security as s
from iso15118.shared.messages.enums import Protocol
from iso15118.shared.settings import load_shared_settings, shared_settings

load_shared_settings()
C, K, P = s.CertPath, s.KeyPath, s.KeyPasswordPath
chains = {
    "secc": (C.SECC_LEAF_DER, C.CPO_SUB_CA2_DER, C.CPO_SUB_CA1_DER, C.V2G_ROOT_DER),
    "contract": (C.CONTRACT_LEAF_DER, C.MO_SUB_CA2_DER, C.MO_SUB_CA1_DER, C.MO_ROOT_DER),
    "oem-provisioning": (C.OEM_LEAF_DER, C.OEM_SUB_CA2_DER, C.OEM_SUB_CA1_DER, C.OEM_ROOT_DER),
    "cps": (C.CPS_LEAF_DER, C.CPS_SUB_CA2_DER, C.CPS_SUB_CA1_DER, C.V2G_ROOT_DER),
}
keys = {
    "secc": (K.SECC_LEAF_PEM, P.SECC_LEAF_KEY_PASSWORD),
    "contract": (K.CONTRACT_LEAF_PEM, P.CONTRACT_LEAF_KEY_PASSWORD),
    "oem-provisioning": (K.OEM_LEAF_PEM, P.OEM_LEAF_KEY_PASSWORD),
    "cps": (K.CPS_LEAF_PEM, P.CPS_LEAF_KEY_PASSWORD),
    "mo-sub2": (K.MO_SUB_CA2_PEM, P.MO_SUB_CA2_PASSWORD),
}
report = {"chains": {}, "verified": [], "refused": {}, "keys": {}, "contexts": {}}
for role, (leaf, sub2, sub1, root) in chains.items():
    try:
        chain = s.load_cert_chain(Protocol[sys.argv[1]], leaf, sub2, sub1)
        ders = [chain.certificate, *chain.sub_certificates.certificates]
        report["chains"][role] = [der.hex() for der in ders] + [s.load_cert(root).hex()]
        s.verify_certs(ders[0], ders[1:], s.load_cert(root))
        report["verified"].append(role)
    except Exception as error:
        report["refused"][role] = type(error).__name__
for role, (key, password) in keys.items():
    found = s.load_priv_key(key, s.KeyEncoding.PEM, password)
    report["keys"][role] = found.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).hex()
report["emaid"] = s.get_cert_cn(s.load_cert(C.CONTRACT_LEAF_DER))
report["root"] = [str(part) for part in s.get_cert_issuer_serial(C.V2G_ROOT_DER)]
for tls13 in (False, True):
    shared_settings["ENABLE_TLS_1_3"] = tls13
    for server in (True, False):
        report["contexts"][f"{tls13} {server}"] = s.get_ssl_context(server) is not None
print(json.dumps(report))
"""

ROLES = (Role.SECC, Role.CONTRACT, Role.OEM_PROVISIONING, Role.CPS)


def probe(folder: Path, protocol: str = "ISO_15118_2") -> dict[str, Any]:
    """Let Josev load and verify everything in a folder."""
    environment = os.environ | {"PKI_PATH": str(folder)}
    command = [str(PYTHON), "-W", "ignore", "-c", PROBE, protocol]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def exported(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Josev says of our export."""
    folder = tmp_path_factory.mktemp("josev")
    export(Store(pristine), "josev", folder)
    return probe(folder)


def test_josev_verifies_our_chains(exported: dict[str, Any], pristine: Path) -> None:
    assert exported["verified"] == ["secc", "contract", "oem-provisioning", "cps"]
    contract = bytes.fromhex(exported["chains"]["contract"][0])
    assert contract == (pristine / "leaf/contract/car1/cert.der").read_bytes()


def test_josev_opens_our_keys(exported: dict[str, Any], pristine: Path) -> None:
    assert len(exported["keys"]) == 5
    for role, place in (("contract", "leaf/contract/car1/key.pem"), ("mo-sub2", "ca/mo/private/sub2.key")):
        ours = load_key(pristine / place).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert exported["keys"][role] == ours.hex()


def test_josev_builds_tls_contexts_of_them(exported: dict[str, Any]) -> None:
    assert exported["contexts"] == dict.fromkeys(["False True", "False False", "True True", "True False"], True)


def test_josev_reads_our_names(exported: dict[str, Any]) -> None:
    assert exported["emaid"] == "DEPCGC00000001V"
    assert "V2G Root CA" in exported["root"][0]


def test_josev_verifies_the_tree_of_its_own_edition(editions: dict[str, Path], tmp_path: Path) -> None:
    """It reads `iso15118_2` for -20, too."""
    export(Store(editions["josev"]), "josev", tmp_path)
    report = probe(tmp_path, "ISO_15118_20_DC")
    assert report["verified"] == list(ROLES)
    assert all(report["contexts"].values())


def test_josev_opens_keys_on_p521_but_verifies_no_chain_of_them(editions: dict[str, Path], tmp_path: Path) -> None:
    """What is exported to `iso15118_20` may be moved to where it looks, but it takes every signature for one with
    SHA-256, and certificates of -20 for no larger than those of -2."""
    done = export(Store(editions["iso20"]), "josev", tmp_path)
    assert done.folder.name == "iso15118_20"
    done.folder.rename(tmp_path / "iso15118_2")
    report = probe(tmp_path, "ISO_15118_20_DC")
    assert len(report["keys"]) == 5
    assert all(report["contexts"].values())
    assert report["refused"].keys() == set(ROLES)
    assert set(report["refused"].values()) <= {"CertSignatureError", "ValidationError"}


@pytest.mark.parametrize("password", [b"", b"another one"])
def test_josev_reads_the_password_we_wrote(pristine: Path, tmp_path: Path, password: bytes) -> None:
    export(Store(pristine), "josev", tmp_path, password=password)
    assert len(probe(tmp_path)["keys"]) == 5


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Josev's own script makes, both versions of it."""
    command = [str(PYTHON), "-c", "import iso15118; print(iso15118.__path__[0])"]
    home = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path_factory.mktemp("script") / "pki"
    shutil.copytree(Path(home) / "shared" / "pki", folder)
    for version in ("iso-2", "iso-20"):
        subprocess.run(["bash", "create_certs.sh", "-v", version], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def theirs(script: Path) -> dict[str, Any]:
    """What Josev says of it."""
    return probe(script)


@pytest.mark.parametrize("folder", ["iso15118_2", "iso15118_20"])
def test_we_import_what_josevs_script_makes(script: Path, tmp_path: Path, folder: str) -> None:
    found = read_folder(layouts.named("josev"), script / folder)
    assert (len(found.certificates), len(found.keys), found.notes) == (15, 15, [])
    done = adopt(found, tmp_path / "tree")
    assert not done.notes
    for place in ("secc/evse1", "contract/car1", "oem-provisioning/car1", "cps/cps1"):
        result = CliRunner().invoke(pki, ["verify", str(tmp_path / "tree/leaf" / place)])
        assert result.exit_code == 0, result.output
    again = export(Store(tmp_path / "tree"), "josev", tmp_path / "again")
    names = {path.name for path in (script / folder).rglob("*") if path.is_file() and path.suffix != ".csr"}
    ours = {path.name for path in again.folder.rglob("*") if path.is_file() and path.name != RECORD}
    assert ours - names == {"moRootCA.key"} - names
    assert names - ours == set()
    for path in (script / folder / "certs").iterdir():
        if path.suffix != ".p12" and path.name != "cpsLeafCert.pem":
            ders = [one.public_bytes(Encoding.DER) for one in certificates(again.folder / "certs" / path.name)]
            assert ders == [one.public_bytes(Encoding.DER) for one in certificates(path)], path.name


def certificates(path: Path) -> list[x509.Certificate]:
    data = path.read_bytes()
    return [x509.load_der_x509_certificate(data)] if path.suffix == ".der" else x509.load_pem_x509_certificates(data)


@pytest.mark.skipif(shutil.which("keytool") is None, reason="the script needs Java's keytool for test systems")
def test_we_import_what_josevs_script_makes_for_test_systems(script: Path, tmp_path: Path) -> None:
    """Certificates in one folder, and three keys without a password in another."""
    folder = tmp_path / "pki"
    shutil.copytree(script, folder)
    subprocess.run(["bash", "create_certs.sh", "-v", "iso-2", "-k"], cwd=folder, check=True, capture_output=True)
    found = read_folder(layouts.named("flat"), folder / "pki-ext")
    assert len(found.certificates) == 15
    assert set(found.keys) == {"leaf/secc", "leaf/contract", "leaf/oem-provisioning"}
    made = {path.name for path in (folder / "pki-ext").rglob("PKI-Ext_*")}
    assert made <= {file.path for file in layouts.named("flat").files}
    assert [note for note in adopt(found, tmp_path / "tree").notes if "not trusted" in note] == []


def test_two_versions_in_one_folder_have_to_be_told_apart(script: Path) -> None:
    with pytest.raises(ValueError, match="has iso15118_2 and iso15118_20; name one of them"):
        read_folder(layouts.named("josev"), script)


@pytest.mark.parametrize("role", ROLES)
def test_we_trust_the_chains_of_josevs_script(theirs: dict[str, Any], role: Role) -> None:
    *chain, root = [bytes.fromhex(der) for der in theirs["chains"][role]]
    verdict = validate(chain, role, [root])
    assert verdict, verdict.detail


def test_their_roots_and_ours_do_not_mix(theirs: dict[str, Any], exported: dict[str, Any]) -> None:
    for role in ROLES:
        *chain, _ = [bytes.fromhex(der) for der in theirs["chains"][role]]
        ours = bytes.fromhex(exported["chains"][role][-1])
        assert validate(chain, role, [ours]).broken is Rule.ANCHOR
