from __future__ import annotations

import base64
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.ocsp import ask
from tests.pki.chains import build
from tests.pki.serve.certificates import EVSE, SUB2, request
from tests.pki.serve.serving import Served

TREES = ["iso2", "iso20", "iso20-ed448"]
HASHES = [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
# The server is the same for all examples; what one of them asks changes nothing for the next.
AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def post(served: Served, der: bytes, tree: str = "iso2", **headers: str) -> ocsp.OCSPResponse:
    answer = served.client.post(
        f"/{tree}/ocsp", content=der, headers={"Content-Type": "application/ocsp-request", **headers}
    )
    return response(answer)


def response(answer: httpx.Response) -> ocsp.OCSPResponse:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(answer.content)


def openssl(served: Served, tree: str, *more: str, place: str = EVSE) -> str:
    """What `openssl ocsp` says of a certificate, after it verified the response."""
    command = ["openssl", "ocsp", "-issuer", str(served.file(SUB2, tree)), "-cert", str(served.file(place, tree))]
    command += ["-url", f"{served.url}/{tree}/ocsp", "-CAfile", str(served.chain(tree)), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def revoke(served: Served, place: str, tree: str = "iso2", **body: str) -> str:
    path = f"/admin/revocations/{tree}/{served.certificate(place, tree).serial_number}"
    assert served.client.put(path, json=body).status_code == 200
    return path


@pytest.mark.parametrize("tree", TREES)
def test_openssl_sees_good_then_revoked_then_good(served: Served, tree: str) -> None:
    said = openssl(served, tree)
    assert "Response verify OK" in said
    assert ": good" in said
    path = revoke(served, EVSE, tree, reason="keyCompromise")
    said = openssl(served, tree)
    assert "Response verify OK" in said
    assert ": revoked" in said
    assert "Reason: keyCompromise" in said
    assert served.client.delete(path).status_code == 200
    assert ": good" in openssl(served, tree)


@pytest.mark.parametrize("digest", ["-sha1", "-sha256", "-sha384", "-sha512"])
def test_openssl_names_certificates_by_any_hash(served: Served, digest: str) -> None:
    command = ["openssl", "ocsp", digest, "-issuer", str(served.file(SUB2)), "-cert", str(served.file(EVSE))]
    command += ["-url", f"{served.url}/iso2/ocsp", "-CAfile", str(served.chain("iso2"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ": good" in done.stdout
    assert "Response verify OK" in done.stderr


def test_openssl_sees_unknown(served: Served) -> None:
    command = ["openssl", "ocsp", "-issuer", str(served.file(SUB2)), "-serial", "0x1267"]
    command += ["-url", f"{served.url}/iso2/ocsp", "-CAfile", str(served.chain("iso2"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert "Response verify OK" in done.stderr
    assert "0x1267: unknown" in done.stdout


def test_gnutls_agrees(served: Served, tmp_path: Path) -> None:
    for tree in ("iso2", "iso20"):
        command = ["ocsptool", f"--ask={served.url}/{tree}/ocsp", "--load-cert", str(served.file(EVSE, tree))]
        command += ["--load-issuer", str(served.file(SUB2, tree)), "--load-trust", str(served.file(SUB2, tree))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert re.search("Verifying OCSP Response: Success", done.stdout), done.stdout + done.stderr
        assert "Certificate Status: good" in done.stdout


@pytest.mark.parametrize("algorithm", HASHES, ids=lambda algorithm: algorithm.name)
def test_the_certificate_is_named_as_in_the_request(served: Served, algorithm: hashes.HashAlgorithm) -> None:
    der = ask(served.certificate(EVSE), served.certificate(SUB2), algorithm=algorithm)
    asked, answer = ocsp.load_der_ocsp_request(der), post(served, der)
    assert answer.certificate_status is OCSPCertStatus.GOOD
    assert (answer.hash_algorithm.name, answer.serial_number) == (algorithm.name, asked.serial_number)
    assert (answer.issuer_name_hash, answer.issuer_key_hash) == (asked.issuer_name_hash, asked.issuer_key_hash)


def test_every_ca_answers_for_what_it_issued(served: Served) -> None:
    """Sub-CAs included, by a signer of its own that it appointed itself."""
    for name, services in served.server.trees.items():
        for authority in services.realm.authorities.values():
            if authority.entry.issuer is None:
                continue
            above = services.realm.authorities[authority.entry.issuer.place]
            answer = post(served, ask(authority.certificate.parsed, above.certificate.parsed), name)
            assert answer.certificate_status is OCSPCertStatus.GOOD
            (signer,) = answer.certificates
            signer.verify_directly_issued_by(above.certificate.parsed)


def test_an_unknown_serial_number_is_unknown(served: Served) -> None:
    issuer = served.certificate(SUB2)
    builder = ocsp.OCSPRequestBuilder()
    known = ocsp.load_der_ocsp_request(ask(served.certificate(EVSE), issuer))
    builder = builder.add_certificate_by_hash(known.issuer_name_hash, known.issuer_key_hash, 4711, known.hash_algorithm)
    answer = post(served, builder.build().public_bytes(Encoding.DER))
    assert answer.certificate_status is OCSPCertStatus.UNKNOWN


def test_for_foreign_issuers_it_is_not_authorized(served: Served) -> None:
    foreign = build("secc")
    answer = post(served, ask(foreign.leaf.certificate, foreign.sub2.certificate))
    assert answer.response_status is OCSPResponseStatus.UNAUTHORIZED
    other_tree = post(served, request(served, tree="iso20"), "iso2")
    assert other_tree.response_status is OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("length", [1, 8, 16, 32])
def test_the_nonce_comes_back(served: Served, length: int) -> None:
    nonce = bytes(range(length))
    answer = post(served, request(served, nonce=nonce))
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    assert len(post(served, request(served)).extensions) == 0


@pytest.mark.parametrize("length", [0, 33, 200])
def test_nonces_out_of_bounds_are_malformed(served: Served, length: int) -> None:
    """RFC 8954 2.1."""
    assert post(served, request(served, nonce=bytes(length))).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_a_request_about_two_certificates_is_malformed(served: Served) -> None:
    asked = asn1_ocsp.OCSPRequest.load(request(served))
    single = asked["tbs_request"]["request_list"][0]
    asked["tbs_request"]["request_list"] = asn1_ocsp.Requests([single, single])
    assert post(served, asked.dump(force=True)).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_an_unknown_critical_extension_is_malformed(served: Served) -> None:
    asked = asn1_ocsp.OCSPRequest.load(request(served))
    extension = {"extn_id": "1.2.3.4", "critical": True, "extn_value": core.ParsableOctetString(b"\x05\x00")}
    asked["tbs_request"]["request_extensions"] = asn1_ocsp.TBSRequestExtensions([extension])
    assert post(served, asked.dump(force=True)).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_get_is_answered_like_post(served: Served) -> None:
    for nonce in (None, b"\xff" * 31, b"\xfb\xef\xbe" * 8):
        text = base64.b64encode(request(served, nonce=nonce)).decode()
        escaped = text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        for path in {text, escaped}:
            answer = response(served.client.get(f"/iso2/ocsp/{path}"))
            assert answer.certificate_status is OCSPCertStatus.GOOD
    for path in ("AAAA", "=", "%00", "a" * 8000):
        assert response(served.client.get(f"/iso2/ocsp/{path}")).response_status is OCSPResponseStatus.MALFORMED_REQUEST


@AGAIN
@given(st.binary(max_size=300))
def test_random_bytes_are_malformed(served: Served, body: bytes) -> None:
    assert post(served, body).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_a_serial_number_below_zero_is_malformed(served: Served) -> None:
    """No response can be about it; a bit of the request turned is enough to ask."""
    serial = served.certificate(EVSE).serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    der = request(served)
    assert der.count(octets) == 1
    below = der.replace(octets, bytes([octets[0] | 0x80]) + octets[1:])
    assert post(served, below).response_status is OCSPResponseStatus.MALFORMED_REQUEST


@AGAIN
@given(st.data())
def test_changed_requests_get_some_response(served: Served, data: st.DataObject) -> None:
    der = bytearray(request(served, nonce=b"n" * 16))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    for body in (bytes(der), bytes(der[:cut])):
        assert isinstance(post(served, body).response_status, OCSPResponseStatus)


def test_too_long_a_body_is_refused(served: Served) -> None:
    assert served.client.post("/iso2/ocsp", content=bytes(5_000)).status_code == 413
    chunked = served.client.post("/iso2/ocsp", content=iter([bytes(2_000)] * 5))
    assert chunked.status_code == 413


def test_the_clock_of_a_request(served: Served) -> None:
    """A revocation counts from its time on; in another year another signer is appointed."""
    revoke(served, "leaf/secc/evse1", at="2027-06-01T00:00:00Z")
    try:
        times = {"2027-05-31T23:59:59Z": OCSPCertStatus.GOOD, "2027-06-01T02:00:00+02:00": OCSPCertStatus.REVOKED}
        for told, status in times.items():
            answer = post(served, request(served), **{"X-Plugcharge-Time": told})
            assert answer.certificate_status is status
            assert answer.this_update_utc == datetime.fromisoformat(told)
            (signer,) = answer.certificates
            assert signer.not_valid_before_utc <= answer.this_update_utc <= signer.not_valid_after_utc
    finally:
        served.client.delete(f"/admin/revocations/iso2/{served.certificate(EVSE).serial_number}")


def test_the_clock_of_all_requests(served: Served) -> None:
    assert served.client.put("/admin/clock", json={"offset_s": -86_400 * 30}).status_code == 200
    this_update = post(served, request(served)).this_update_utc
    assert abs(this_update + timedelta(days=30) - datetime.now(UTC)) < timedelta(minutes=1)
    assert served.client.put("/admin/clock", json={"time": "2031-01-01T00:00:00Z"}).status_code == 200
    assert post(served, request(served)).this_update_utc.year == 2031


@pytest.mark.parametrize(
    "told", ["", "now", "2030-01-01", "2030-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T00:00:00Z"]
)
def test_times_that_are_none(served: Served, told: str) -> None:
    for path in ("/iso2/ocsp/AAAA", "/iso2/crl/cpo-sub2.crl"):
        answer = served.client.get(path, headers={"X-Plugcharge-Time": told})
        assert answer.status_code == 400
        assert "X-Plugcharge-Time: " in answer.text


def test_an_unknown_tree(served: Served) -> None:
    answer = served.client.post("/iso3/ocsp", content=b"")
    assert answer.status_code == 404
    assert "there are iso2, iso20, iso20-ed448" in answer.text


@pytest.mark.parametrize(
    ("octets", "status"),
    [(20, "SUCCESSFUL"), (128, "SUCCESSFUL"), (129, "MALFORMED_REQUEST"), (3_900, "MALFORMED_REQUEST")],
)
def test_serial_numbers_of_any_length_get_a_response(served: Served, octets: int, status: str) -> None:
    asked = asn1_ocsp.OCSPRequest.load(request(served))
    asked["tbs_request"]["request_list"][0]["req_cert"]["serial_number"] = (1 << 8 * octets - 1) - 1
    assert post(served, asked.dump(force=True)).response_status is OCSPResponseStatus[status]
