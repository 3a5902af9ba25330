"""OpenSSL and GnuTLS find the same faults in what they know about: a word of somebody who never saw our code."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pki.profiles import Edition
from tests.pki.faults.cases import Case, Trees

# What `openssl verify` says of the contract chain of that name, by the number of its error; 0 means that it holds.
ERRORS = {
    "leaf-valid": 0,
    "leaf-expires-soon": 0,
    "leaf-expired": 10,
    "sub2-expired": 10,
    "sub1-expired": 10,
    "root-expired": 10,
    "leaf-not-yet-valid": 9,
    "sub2-not-yet-valid": 9,
    "root-not-yet-valid": 9,
    "leaf-bad-signature": 7,
    "sub2-bad-signature": 7,
    "sub1-bad-signature": 7,
    "leaf-algorithm-mismatch": 78,
    "leaf-unknown-critical-extension": 34,
    "sub2-unknown-critical-extension": 34,
    "sub2-ca-false": 79,
    "sub2-no-constraints": 79,
    "sub1-path-length-violated": 25,
    "root-path-length-violated": 25,
    "sub2-wrong-key-usage": 79,
    "missing-sub2": 20,
    "missing-sub1": 20,
    "leaf-alone": 20,
    "wrong-order": 0,
    "four-deep": 25,
    "leaf-signed-by-root": 0,
    "leaf-signed-by-leaf": 20,
    "twin-root-with-key-id": 7,
    # It looks at the first root of that name alone; V2G has to try them all [V2G2-878].
    "two-roots-of-one-name": 7,
    "leaf-missing-dc": 0,
    "leaf-negative-serial": 0,
    "leaf-801-bytes": 0,
}


def said(case: Case, *options: str) -> int:
    """The first error that `openssl verify` names; 0 if there is none."""
    ran = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-CAfile", str(case.folder / "anchors.pem")),
            *("-untrusted", str(case.folder / "chain.pem"), *options, str(case.folder / "chain.pem")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith("error ")]
    return int(errors[0].split()[1]) if errors else ran.returncode


@pytest.mark.parametrize("name", ERRORS)
def test_openssl_names_the_same_fault(broken: Trees, name: str) -> None:
    case = Case(broken[Edition.ISO2] / "broken" / f"contract-{name}")
    assert said(case) == ERRORS[name]


def test_openssl_reads_the_list_of_a_revoked_contract(broken: Trees) -> None:
    case = Case(broken[Edition.ISO2] / "broken" / "contract-leaf-revoked")
    pem = case.folder.parent.parent / "list.pem"
    assert case.evidence
    command = ("openssl", "crl", "-inform", "DER", "-in", str(case.evidence / "list.crl"), "-out", str(pem))
    subprocess.run(command, check=True, capture_output=True)
    assert said(case, "-crl_check", "-CRLfile", str(pem)) == 23


STATUS = {
    "ocsp-good": "good",
    "revoked-by-ocsp": "revoked",
    "ocsp-unknown": "unknown",
    "ocsp-expired": "Status times invalid",
    "ocsp-future": "Status times invalid",
    "ocsp-wrong-signer": "Response Verify Failure",
    "ocsp-signer-without-purpose": "Response Verify Failure",
    "ocsp-other-certificate": "No Status found",
}


@pytest.mark.parametrize("name", STATUS)
def test_openssl_reads_the_answers_of_responders(broken: Trees, name: str) -> None:
    case = Case(broken[Edition.ISO2] / "broken" / f"contract-leaf-{name}")
    issuer = case.folder / "issuer.der"
    issuer.write_bytes(case.chain[1])
    ran = subprocess.run(
        [
            *("openssl", "ocsp", "-respin", str(case.folder / "evidence" / "ocsp.der"), "-sha256"),
            *("-issuer", str(issuer), "-cert", str(case.folder / "cert.der"), "-no_nonce"),
            *("-CAfile", str(case.folder / "anchors.pem"), "-verify_other", str(case.folder / "chain.pem")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    issuer.unlink()
    assert STATUS[name] in ran.stdout + ran.stderr


@pytest.mark.skipif(shutil.which("certtool") is None, reason="GnuTLS is not installed (apt-get install gnutls-bin)")
@pytest.mark.parametrize(
    ("name", "verified"), [("leaf-valid", True), ("leaf-expired", False), ("leaf-bad-signature", False)]
)
def test_gnutls_agrees(broken: Trees, name: str, verified: bool) -> None:
    case = Case(broken[Edition.ISO2] / "broken" / f"contract-{name}")
    command = ("certtool", "--verify", "--infile", str(case.folder / "chain.pem"))
    ran = subprocess.run(
        [*command, "--load-ca-certificate", str(case.folder / "anchors.pem")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("Chain verification output: Verified" in ran.stdout + ran.stderr) is verified
