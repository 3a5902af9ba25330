from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.keys import PublicKey
from tests.pki.serve.serving import Served

TREES = ["iso2", "iso20", "iso20-ed448"]


def fetched(served: Served, tree: str, label: str, **headers: str) -> x509.CertificateRevocationList:
    answer = served.client.get(f"/{tree}/crl/{label}.crl", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    return x509.load_der_x509_crl(answer.content)


def test_every_ca_has_a_list_of_its_own(served: Served) -> None:
    for name, services in served.server.trees.items():
        for authority in services.realm.authorities.values():
            found = fetched(served, name, authority.label)
            assert found.issuer == authority.certificate.parsed.subject
            assert isinstance(authority.certificate.key, PublicKey)
            assert found.is_signature_valid(authority.certificate.key)
            assert list(found) == []


@pytest.mark.parametrize("tree", TREES)
def test_openssl_and_gnutls_agree(served: Served, tree: str, tmp_path: Path) -> None:
    """Good, then revoked; both verify the list's signature first."""
    leaf = served.certificate("leaf/secc/evse1", tree)
    path = f"/admin/revocations/{tree}/{leaf.serial_number}"
    for revoked in (False, True):
        if revoked:
            assert served.client.put(path, json={"reason": "superseded"}).status_code == 200
        for label in ("cpo-sub2", "cpo-sub1", "v2g-root"):
            der = served.client.get(f"/{tree}/crl/{label}.crl").content
            (tmp_path / f"{label}.der").write_bytes(der)
            (tmp_path / f"{label}.pem").write_bytes(x509.load_der_x509_crl(der).public_bytes(Encoding.PEM))
        said = openssl_crl(served, tree, tmp_path)
        assert "verify OK" in said
        assert ("Superseded" in said) is revoked
        assert ("certificate revoked" in openssl_verify(served, tree, tmp_path)) is revoked
        if tree != "iso20-ed448":
            assert ("Revoked certificates (1)" in certtool(served, tree, tmp_path)) is revoked
    assert served.client.delete(path).status_code == 200


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def openssl_crl(served: Served, tree: str, folder: Path) -> str:
    sub2 = str(served.file("ca/cpo/sub2", tree))
    return run("openssl", "crl", "-inform", "DER", "-in", str(folder / "cpo-sub2.der"), "-CAfile", sub2, "-text")


def openssl_verify(served: Served, tree: str, folder: Path) -> str:
    lists = (folder / f"{label}.pem" for label in ("cpo-sub2", "cpo-sub1", "v2g-root"))
    together = folder / "crls.pem"
    together.write_bytes(b"".join(file.read_bytes() for file in lists))
    leaf = str(served.file("leaf/secc/evse1", tree))
    lists_and_cas = ["-CRLfile", str(together), "-CAfile", str(served.chain(tree))]
    return run("openssl", "verify", "-crl_check_all", *lists_and_cas, leaf)


def certtool(served: Served, tree: str, folder: Path) -> str:
    ca = str(served.file("ca/cpo/sub2", tree))
    verified = run("certtool", "--verify-crl", "--load-ca-certificate", ca, "--infile", str(folder / "cpo-sub2.pem"))
    assert "Verification output: Verified" in verified
    return run("certtool", "--crl-info", "--infile", str(folder / "cpo-sub2.pem"))


def test_a_list_lasts_a_day_and_its_number_rises(served: Served) -> None:
    numbers: list[int] = []
    for _ in range(3):
        assert served.client.put("/admin/clock", json={"offset_s": len(numbers) * 120}).status_code == 200
        found = fetched(served, "iso2", "mo-sub2")
        assert found.next_update_utc is not None
        assert found.next_update_utc - found.last_update_utc == timedelta(days=1)
        numbers.append(found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    assert numbers == sorted(set(numbers))


def test_a_list_of_another_time(served: Served) -> None:
    told = "2028-02-29T12:00:00Z"
    found = fetched(served, "iso2", "cpo-sub2", **{"X-Plugcharge-Time": told})
    assert found.last_update_utc == datetime(2028, 2, 29, 12, tzinfo=UTC)


def test_what_is_revoked_later_is_not_listed_before(served: Served) -> None:
    serial = served.certificate("leaf/secc/evse1").serial_number
    path = f"/admin/revocations/iso2/{serial}"
    assert served.client.put(path, json={"at": "2027-01-01T00:00:00Z"}).status_code == 200
    for told, count in (("2026-12-31T00:00:00Z", 0), ("2027-01-02T00:00:00Z", 1)):
        assert len(list(fetched(served, "iso2", "cpo-sub2", **{"X-Plugcharge-Time": told}))) == count
    assert served.client.delete(path).status_code == 200


@pytest.mark.parametrize("label", ["cpo", "cpo-sub3", "../../ca/cpo/private/sub2", "%2e%2e", "x" * 500])
def test_an_unknown_ca(served: Served, label: str) -> None:
    answer = served.client.get(f"/iso2/crl/{label}.crl")
    assert answer.status_code == 404
