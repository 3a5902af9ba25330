"""Josev (iso15118) loads what we export, and we judge what its own script makes as it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.credentials import load_key
from pki.layouts.export import export
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
report = {"chains": {}, "verified": [], "keys": {}, "contexts": {}}
for role, (leaf, sub2, sub1, root) in chains.items():
    chain = s.load_cert_chain(Protocol.ISO_15118_2, leaf, sub2, sub1)
    ders = [chain.certificate, *chain.sub_certificates.certificates]
    report["chains"][role] = [der.hex() for der in ders] + [s.load_cert(root).hex()]
    s.verify_certs(ders[0], ders[1:], s.load_cert(root))
    report["verified"].append(role)
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


def probe(pki: Path) -> dict[str, Any]:
    """Let Josev load and verify everything in a folder."""
    environment = os.environ | {"PKI_PATH": str(pki)}
    command = [str(PYTHON), "-W", "ignore", "-c", PROBE]
    done = subprocess.run(command, cwd=pki, env=environment, capture_output=True, text=True, check=False, timeout=60)
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


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Josev says of the PKI its own script makes."""
    command = [str(PYTHON), "-c", "import iso15118; print(iso15118.__path__[0])"]
    home = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path_factory.mktemp("script") / "pki"
    shutil.copytree(Path(home) / "shared" / "pki", folder)
    subprocess.run(["bash", "create_certs.sh", "-v", "iso-2"], cwd=folder, check=True, capture_output=True)
    return probe(folder)


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
