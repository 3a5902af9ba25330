from __future__ import annotations

import base64
import subprocess
import threading
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.credentials import load_anchors
from pki.ocsp import ask
from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.pki.serve.certificates import Key, signed, signing_request, subject
from tests.pki.serve.serving import LOGIN, SECRET, Served
from v2g.trust import Role

EST = "/.well-known/est"
STATION = "DE*PCG*E0815"
KINDS = {"iso2": "P-256", "iso20": "P-521", "iso20-ed448": "Ed448"}
EDITIONS = {"iso2": Edition.ISO2, "iso20": Edition.ISO20, "iso20-ed448": Edition.ISO20_ED448}
NAMES = {
    Role.SECC: STATION,
    Role.CONTRACT: "DEPCGC00000002X",
    Role.OEM_PROVISIONING: "PCGPLUGCHARGE0002",
    Role.VEHICLE: "WMIV1234567890ABCDEX",
}
ONE_REQUEST = signing_request("DE*PCG*E0001")[1]
AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def post(served: Served, path: str, body: bytes, **more: str) -> httpx.Response:
    headers = {"Content-Type": "application/pkcs10", **more}
    auth = httpx.USE_CLIENT_DEFAULT if "Authorization" in more else httpx.BasicAuth(*LOGIN)
    return served.client.post(f"{EST}/{path}", content=body, headers=headers, auth=auth)


def certificates(answer: httpx.Response) -> list[x509.Certificate]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert answer.headers["Content-Transfer-Encoding"] == "base64"
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content))


def only(answer: httpx.Response) -> x509.Certificate:
    (certificate,) = certificates(answer)
    return certificate


def branch_of(role: Role) -> str:
    return {Role.SECC: "cpo", Role.CONTRACT: "mo", Role.OEM_PROVISIONING: "oem", Role.VEHICLE: "vehicle"}[role]


@pytest.mark.parametrize(
    ("tree", "role"),
    [(tree, role) for tree in KINDS for role in NAMES if (tree, role) != ("iso2", Role.VEHICLE)],
)
def test_who_enrols_is_trusted(served: Served, tree: str, role: Role) -> None:
    """By our validator, as that role; the status of the new certificate is told at once."""
    label = tree if role is Role.SECC else f"{tree}-{role}"
    key, body = signing_request(NAMES[role], KINDS[tree])
    answer = post(served, f"{label}/simpleenroll", body)
    if (tree, role) == ("iso20-ed448", Role.OEM_PROVISIONING):
        assert answer.status_code == 400
        assert "second key" in answer.text
        return
    certificate = only(answer)
    assert certificate.public_key() == key.public_key()
    folder = served.out / tree
    subs = [served.certificate(f"ca/{branch_of(role)}/{tier}", tree) for tier in ("sub2", "sub1")]
    chain = [each.public_bytes(Encoding.DER) for each in (certificate, *subs)]
    anchors = [der for file in (folder / "trust").glob("*.pem") for der in load_anchors(file)]
    verdict = validate(chain, role, anchors, None, Policy(editions=(EDITIONS[tree],)))
    assert verdict, verdict.detail
    asked = ask(certificate, subs[0])
    status = load_der_ocsp_response(served.client.post(f"/{tree}/ocsp", content=asked).content).certificate_status
    assert status is OCSPCertStatus.GOOD


def test_openssl_reads_request_and_answer(served: Served, tmp_path: Path) -> None:
    key, csr, answer = tmp_path / "key.pem", tmp_path / "csr.der", tmp_path / "answer.p7"
    made = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made += ["-subj", f"/CN={STATION}/O=Operator/C=DE/DC=CPO", "-keyout", str(key), "-outform", "DER", "-out", str(csr)]
    subprocess.run(made, check=True, capture_output=True, timeout=20)
    for path, count in (("iso2/simpleenroll", 1), ("cpo/simpleenroll/ISO15118-2", 3), ("iso2/cacerts", 3)):
        if path.endswith("cacerts"):
            got = served.client.get(f"{EST}/{path}")
        else:
            got = post(served, path, base64.b64encode(csr.read_bytes()))
        answer.write_bytes(base64.b64decode(got.content))
        command = ["openssl", "pkcs7", "-inform", "DER", "-in", str(answer), "-print_certs"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout
        assert said.count("subject=") == count
        assert ("O = Operator" in said) is (count == 1 or "simpleenroll" in path)


def test_only_the_certificate_comes_back_and_with_opcp_its_chain(served: Served) -> None:
    """RFC 7030 4.2.3."""
    _, body = signing_request(STATION)
    assert len(certificates(post(served, "iso2/simpleenroll", body))) == 1
    chain = certificates(post(served, "cpo/simpleenroll/ISO15118-2", body))
    subs = {served.certificate(f"ca/cpo/{tier}") for tier in ("sub1", "sub2")}
    assert len(chain) == 3
    assert subs < set(chain)


def test_the_cas(served: Served) -> None:
    for path in ("cacerts", "iso2/cacerts", "cpo/cacerts/ISO15118-2", "cpo/cacerts/ISO15118-2/secp256r1/"):
        found = certificates(served.client.get(f"{EST}/{path}"))
        assert set(found) == {served.certificate(place) for place in ("ca/cpo/sub2", "ca/cpo/sub1", "ca/v2g/root")}
    found = certificates(served.client.get(f"{EST}/oem/cacerts/ISO15118-20/ed448"))
    wanted = {served.certificate(place, "iso20-ed448") for place in ("ca/oem/sub2", "ca/oem/sub1", "ca/oem/root")}
    assert set(found) == wanted


def test_the_attributes_of_a_request(served: Served) -> None:
    """RFC 7030 4.5.2, read by openssl: the curve and the algorithm."""
    wanted = {
        "iso2": ["id-ecPublicKey", "prime256v1", "ecdsa-with-SHA256"],
        "iso20": ["id-ecPublicKey", "secp521r1", "ecdsa-with-SHA512"],
        "iso20-ed448": ["ED448"],
    }
    for tree, names in wanted.items():
        answer = served.client.get(f"{EST}/{tree}/csrattrs")
        assert answer.headers["Content-Type"] == "application/csrattrs"
        done = subprocess.run(
            ["openssl", "asn1parse", "-inform", "DER"],
            input=base64.b64decode(answer.content),
            capture_output=True,
            timeout=20,
            check=True,
        )
        objects = [line.rpartition(":")[2] for line in done.stdout.decode().splitlines() if "OBJECT" in line]
        assert objects == names


@pytest.mark.parametrize(
    ("header", "opens"),
    [
        (f"Bearer csms.{SECRET}", True),
        (f"bearer csms.{SECRET}", True),
        ("Basic " + base64.b64encode(f"csms:{SECRET}".encode()).decode(), True),
        ("Basic " + base64.b64encode(f"csms:{SECRET}x".encode()).decode(), False),
        ("Basic " + base64.b64encode(f"cpo:{SECRET}".encode()).decode(), False),
        ("Basic " + base64.b64encode(b"csms:").decode(), False),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), False),
        ("Basic ???", False),
        ("Bearer csms", False),
        (f"Digest csms.{SECRET}", False),
        ("", False),
    ],
)
def test_who_may_enrol(served: Served, header: str, opens: bool) -> None:
    _, body = signing_request(STATION)
    answer = post(served, "iso2/simpleenroll", body, Authorization=header)
    assert answer.status_code == (200 if opens else 401)
    if not opens:
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="EST"')


REFUSED: dict[str, tuple[bytes, str]] = {
    "not base64": (b"\x00\xff", "not base64"),
    "no request": (base64.b64encode(b"hello"), "no usable certificate request"),
    "nothing": (b"", "no usable certificate request"),
    "an O that moves the cursor": (signing_request(STATION, O="Operator\x1b[2J")[1], "do not print"),
    "another curve": (signing_request(STATION, "P-521")[1], "of iso2 has P-256"),
    "Ed448": (signing_request(STATION, "Ed448")[1], "of iso2 has P-256"),
    "OU": (signing_request(STATION, OU="x")[1], "CN, O, C, DC, each once"),
    "another DC": (signing_request(STATION, DC="OEM")[1], "DC 'OEM' is not CPO"),
    "a country": (signing_request(STATION, C="de")[1], "two capital letters"),
    "a long O": (signing_request(STATION, O="O" * 64)[1], ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_requests_refused(served: Served, name: str) -> None:
    body, told = REFUSED[name]
    before = served.server.state.counts()["certificates"]
    answer = post(served, "iso2/simpleenroll", body)
    if told:
        assert answer.status_code == 400
        assert told in answer.text
        assert served.server.state.counts()["certificates"] == before


def test_a_key_that_is_not_the_askers(served: Served) -> None:
    key, _ = signing_request(STATION)
    der = bytearray(signed(subject(STATION), key).public_bytes(Encoding.DER))
    der[-1] ^= 1
    answer = post(served, "iso2/simpleenroll", base64.b64encode(bytes(der)))
    assert answer.status_code == 400
    big = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(STATION))
    of_rsa = builder.sign(big, hashes.SHA256())
    answer = post(served, "iso2/simpleenroll", base64.b64encode(of_rsa.public_bytes(Encoding.DER)))
    assert answer.status_code == 400
    assert "a key of kind RSA" in answer.text


def test_pem_and_lines_are_taken(served: Served) -> None:
    key, _ = signing_request(STATION)
    pem = signed(subject(STATION), key).public_bytes(Encoding.PEM)
    one_line = base64.b64encode(signed(subject(STATION), key).public_bytes(Encoding.DER))
    for body in (pem, pem.replace(b"\n", b"\r\n"), one_line):
        assert only(post(served, "iso2/simpleenroll", body)).public_key() == key.public_key()


def test_another_type_of_content(served: Served) -> None:
    _, body = signing_request(STATION)
    answer = served.client.post(f"{EST}/iso2/simpleenroll", content=body, auth=LOGIN)
    assert answer.status_code == 415
    assert "application/pkcs10" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "iso3/simpleenroll",
        "iso2-cps/simpleenroll",
        "iso2-vehicle/simpleenroll",
        "cps/simpleenroll/ISO15118-2",
        "cpo/simpleenroll/ISO15118-3",
        "vehicle/simpleenroll/ISO15118-2",
    ],
)
def test_labels_that_are_none(served: Served, path: str) -> None:
    answer = post(served, path, signing_request(STATION)[1])
    assert answer.status_code == 404
    assert "iso2" in answer.text or "cpo" in answer.text or "ISO15118-2" in answer.text


@AGAIN
@given(st.binary(max_size=400) | st.binary(max_size=200).map(base64.b64encode))
def test_random_requests_are_refused(served: Served, body: bytes) -> None:
    assert post(served, "iso2/simpleenroll", body).status_code == 400


@AGAIN
@given(st.data())
def test_changed_requests_are_refused(served: Served, data: st.DataObject) -> None:
    """No bit that the signature covers can be changed."""
    der = bytearray(base64.b64decode(ONE_REQUEST))
    covered = x509.load_der_x509_csr(bytes(der)).tbs_certrequest_bytes
    bit = data.draw(st.integers(0, (der.index(covered) + len(covered)) * 8 - 1))
    der[bit // 8] ^= 1 << bit % 8
    assert post(served, "iso2/simpleenroll", base64.b64encode(bytes(der))).status_code == 400


# --- again ------------------------------------------------------------------------------------------------------------


def renewal_of(certificate: x509.Certificate, key: Key) -> bytes:
    return base64.b64encode(signed(certificate.subject, key).public_bytes(Encoding.DER))


def test_a_certificate_is_renewed_with_its_key_or_another(served: Served) -> None:
    """RFC 7030 4.2.2: with the very subject of one that is still good."""
    key, body = signing_request("DE*PCG*E0816")
    old = only(post(served, "iso2/simpleenroll", body))
    other, _ = signing_request("DE*PCG*E0817")
    for own in (key, other):
        new = only(post(served, "iso2/simplereenroll", renewal_of(old, own)))
        assert new.subject == old.subject
        assert new.serial_number != old.serial_number
        assert new.public_key() == own.public_key()
    assert post(served, "iso2/simplereenroll", body).status_code == 403, "without DC it is another subject"


def test_what_is_not_renewed(served: Served) -> None:
    """Who is unknown, revoked, or expired; by whom nobody knows."""
    key, body = signing_request("DE*PCG*E0818")
    assert post(served, "iso2/simplereenroll", body).status_code == 403
    old = only(post(served, "iso2/simpleenroll", body))
    again = renewal_of(old, key)
    assert post(served, "iso2/simplereenroll", again, Authorization="").status_code == 401
    late = post(served, "iso2/simplereenroll", again, **{"X-Plugcharge-Time": "2027-06-01T00:00:00Z"}, **bearer())
    assert late.status_code == 403
    path = f"/admin/revocations/iso2/{old.serial_number}"
    assert served.client.put(path, json={"reason": "cessationOfOperation"}).status_code == 200
    assert post(served, "iso2/simplereenroll", again).status_code == 403


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer csms.{SECRET}"}


def test_a_certificate_of_another_time(served: Served) -> None:
    told = {"X-Plugcharge-Time": "2027-01-15T00:00:00Z"}
    _, body = signing_request(STATION)
    certificate = only(post(served, "iso2/simpleenroll", body, **told, **bearer()))
    assert certificate.not_valid_before_utc.isoformat() == "2027-01-14T23:00:00+00:00"
    far = {"X-Plugcharge-Time": "2060-01-15T00:00:00Z"}
    answer = post(served, "iso2/simpleenroll", body, **far, **bearer())
    assert answer.status_code == 503
    assert "cpo-sub2 is not valid" in answer.text


def test_many_at_once(served: Served) -> None:
    """No serial number twice, and none lost."""
    answers: list[httpx.Response] = []
    bodies = [signing_request(f"DE*PCG*E1{number:03}")[1] for number in range(24)]

    def enrol(body: bytes) -> None:
        answers.append(post(served, "iso2/simpleenroll", body, **bearer()))

    before = served.server.state.counts()["certificates"]
    threads = [threading.Thread(target=enrol, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    made = [only(answer) for answer in answers]
    assert len({each.serial_number for each in made}) == len(bodies)
    names = {each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for each in made}
    assert names == {f"DE*PCG*E1{number:03}" for number in range(24)}
    assert served.server.state.counts()["certificates"] == before + len(bodies)
