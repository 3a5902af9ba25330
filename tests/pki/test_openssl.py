"""Our verdicts against those of the openssl command, on chains it can judge: it knows no V2G profile, but the rest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU

from pki.credentials import load_anchors, load_chain
from pki.profiles import Edition, profiles
from pki.validate import Policy, validate
from tests.pki.chains import GOOD, NOW, build, make
from v2g.trust import Role

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
ANCHOR = {Role.VEHICLE: "oem", Role.SECC: "v2g", Role.CONTRACT: "mo", Role.OEM_PROVISIONING: "oem", Role.CPS: "v2g"}


def openssl(folder: Path, chain: list[bytes], anchors: list[bytes], at: int | None = None) -> bool:
    """Ask `openssl verify`, at a Unix time and for a TLS server if a time is given."""
    files = {"leaf": chain[:1], "subs": chain[1:], "roots": anchors}
    for name, ders in files.items():
        pems = [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders]
        (folder / f"{name}.pem").write_bytes(b"".join(pems))
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", str(folder / "roots.pem")]
    command += ["-untrusted", str(folder / "subs.pem")] + (["-attime", str(at), "-purpose", "sslserver"] if at else [])
    return subprocess.run([*command, str(folder / "leaf.pem")], capture_output=True, check=False).returncode == 0


LEAVES = [
    (edition, role)
    for edition in Edition
    for role in Role
    if edition is not Edition.JOSEV and role in profiles(edition)
]


@pytest.mark.parametrize(("edition", "role"), LEAVES)
def test_openssl_and_gnutls_trust_what_we_issue(edition: Edition, role: Role, trees: Path, tmp_path: Path) -> None:
    tree = trees / edition
    chain = load_chain(next(tree.glob(f"leaf/{role}/*/chain.pem")))
    anchors = load_anchors(tree / f"trust/{ANCHOR[role]}.pem")
    assert openssl(tmp_path, chain, anchors)
    assert validate(chain, role, anchors, policy=Policy(editions=(edition,)))
    if shutil.which("certtool"):
        assert gnutls(tmp_path)
        assert not gnutls(tmp_path, anchors="leaf")


def gnutls(folder: Path, anchors: str = "roots") -> bool:
    """Ask `certtool --verify` about the chain that was written last, under one of its files."""
    presented = (folder / "leaf.pem").read_bytes() + (folder / "subs.pem").read_bytes()
    (folder / "presented.pem").write_bytes(presented)
    command = ["certtool", "--verify", "--verify-profile", "medium", "--load-ca-certificate", f"{anchors}.pem"]
    done = subprocess.run([*command, "--infile", "presented.pem"], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


SERVER, CLIENT = ((x509.ExtendedKeyUsage([purpose]), False) for purpose in (EKU.SERVER_AUTH, EKU.CLIENT_AUTH))
OTHER = (x509.AuthorityKeyIdentifier(b"0987654321", None, None), False)
AGREED: dict[str, dict[str, dict[str, Any]]] = {
    "good": {},
    "leaf expired": {"leaf": {"days": (-10, -1)}},
    "sub2 expired": {"sub2": {"days": (-10, -1)}},
    "sub1 not yet valid": {"sub1": {"days": (1, 9)}},
    "root expired": {"root": {"days": (-10, -1)}},
    "sub2 no CA": {"sub2": {"ca": False, "path_length": None}},
    "sub1 without key usage to issue": {"sub1": {"usage": "s"}},
    "leaf for servers": {"leaf": {"extensions": (SERVER,)}},
    "leaf for clients": {"leaf": {"extensions": (CLIENT,)}},
    "sub2 for clients": {"sub2": {"extensions": (CLIENT,)}},
    "leaf of another key": {"leaf": {"extensions": (OTHER,)}},
    "sub1 of another key": {"sub1": {"extensions": (OTHER,)}},
    "path length violated": {"sub1": {"path_length": 0}},
    "path length of the root violated": {"root": {"path_length": 1}},
}


@pytest.mark.parametrize("changes", AGREED.values(), ids=AGREED)
def test_openssl_judges_like_us(changes: dict[str, Any], tmp_path: Path) -> None:
    path = build(**_identified(changes))
    ours = bool(validate(path.chain, Role.SECC, path.anchors, NOW))
    assert openssl(tmp_path, path.chain, path.anchors, int(NOW.timestamp())) is ours


def _identified(changes: dict[str, Any]) -> dict[str, Any]:
    """Add what -x509_strict wants and V2G does not demand: key identifiers."""
    own = x509.SubjectKeyIdentifier(b"1234567890")
    above = x509.AuthorityKeyIdentifier(b"1234567890", None, None)
    identified = {}
    for tier in GOOD["secc"]:
        change = changes.get(tier, {})
        extensions = {type(extension): (extension, critical) for extension, critical in ((own, False), (above, False))}
        extensions |= {type(extension): (extension, critical) for extension, critical in change.get("extensions", ())}
        identified[tier] = change | {"extensions": tuple(extensions.values())}
    return identified


def test_openssl_and_we_refuse_a_twin_and_a_gap(tmp_path: Path) -> None:
    path = build(**_identified({}))
    twin = make(GOOD["secc"]["root"])
    for chain, anchors in ((path.chain, [twin.der]), (path.chain[:2], path.anchors), (path.chain[:1], path.anchors)):
        assert not openssl(tmp_path, chain, anchors, int(NOW.timestamp()))
        assert not validate(chain, Role.SECC, anchors, NOW)
