"""Every misbehaviour there is, switched on over HTTP and seen from outside."""

from __future__ import annotations

import base64
import re
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.ocsp import load_der_ocsp_response

from pki import crl, ocsp
from pki.certificate import Certificate, read
from pki.contract.iso2 import receive
from pki.contract.manner import Deviation
from pki.credentials import load_anchors
from pki.evidence import Flaw, Status, Unusable
from pki.serve import misbehaviour
from pki.serve.misbehaviour import MISBEHAVIOURS, Misbehaviour, Service, Switch, faults
from pki.validate import validate
from tests.pki.serve.certificates import EVSE, SUB2, request, signing_request
from tests.pki.serve.serving import DELAY_S, LOGIN, Served
from tests.provisioning import installation, leaf, message, opened, signed
from v2g.errors import Untrusted
from v2g.messages import iso2

NONCE = bytes(range(16))
TRANSPORT = {"delay", "truncated", "http-500"}


def of(service: Service) -> list[str]:
    """The misbehaviours of a service that are no faults of the transport."""
    return [each.name for each in MISBEHAVIOURS if each.service is service and each.name not in TRANSPORT]


def facts(served: Served, place: str) -> Certificate:
    return read(served.certificate(place).public_bytes(Encoding.DER))


# --- ocsp -------------------------------------------------------------------------------------------------------------

OCSP_SEEN: dict[str, Flaw | Status] = {
    "revoked": Status.REVOKED,
    "unknown": Status.UNKNOWN,
    "try-later": Flaw.NO_ANSWER,
    "expired": Flaw.STALE,
    "future": Flaw.NOT_YET,
    "wrong-signer": Flaw.SIGNER,
    "signer-without-eku": Flaw.SIGNER,
    "wrong-cert-id": Flaw.OTHER_CERTIFICATE,
    "no-nonce": Flaw.NONCE,
    "wrong-nonce": Flaw.NONCE,
    "bad-signature": Flaw.SIGNATURE,
}
OPENSSL_SEES = {
    "revoked": "Reason: keyCompromise",
    "unknown": "cert.pem: unknown",
    "try-later": "Responder Error: trylater (3)",
    "expired": "Status times invalid",
    "future": "Status times invalid",
    "wrong-signer": "Response Verify Failure",
    "signer-without-eku": "Response Verify Failure",
    "wrong-cert-id": "No Status found",
    "no-nonce": "WARNING: no nonce in response",
    "wrong-nonce": "Nonce Verify error",
    "bad-signature": "Response Verify Failure",
}


def ask(served: Served) -> httpx.Response:
    return served.client.post("/iso2/ocsp", content=request(served, nonce=NONCE))


def judged(served: Served, der: bytes) -> Flaw | Status:
    try:
        certificate, issuer = facts(served, EVSE), facts(served, SUB2)
        return ocsp.judge(der, certificate, issuer, datetime.now(UTC), nonce=NONCE).standing.status
    except Unusable as error:
        return error.flaw


@pytest.mark.parametrize("name", of(Service.OCSP))
def test_ocsp(served: Served, name: str) -> None:
    assert judged(served, ask(served).content) is Status.GOOD
    served.switch(f"ocsp:{name}")
    assert judged(served, ask(served).content) is OCSP_SEEN[name]
    command = ["openssl", "ocsp", "-issuer", str(served.file(SUB2)), "-cert", str(served.file(EVSE)), "-nonce"]
    command += ["-url", f"{served.url}/iso2/ocsp", "-CAfile", str(served.chain("iso2"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    said = done.stdout + done.stderr
    assert OPENSSL_SEES[name] in said, said
    served.switch()
    assert judged(served, ask(served).content) is Status.GOOD


@pytest.mark.parametrize("name", ["wrong-signer", "signer-without-eku"])
def test_a_signer_has_one_fault_at_any_time(served: Served, name: str) -> None:
    """It is not expired as well because it was made for a request of another time."""
    served.switch(f"ocsp:{name}")
    now = datetime.now(UTC)
    for moment in (now, now + timedelta(days=200), now):
        told = served.client.post(
            "/iso2/ocsp", content=request(served), headers={"X-Plugcharge-Time": moment.isoformat()}
        )
        (signer,) = load_der_ocsp_response(told.content).certificates
        assert signer.not_valid_before_utc <= moment <= signer.not_valid_after_utc


@pytest.mark.parametrize("written", ["serial", "hexadecimal", "colons", "name"])
def test_one_certificate_alone(served: Served, written: str) -> None:
    certificate = served.certificate(EVSE)
    digits = f"{certificate.serial_number:040X}"
    texts = {
        "serial": str(certificate.serial_number),
        "hexadecimal": f"0x{digits}",
        "colons": "0x" + ":".join(digits[at : at + 2] for at in range(0, 40, 2)),
        "name": "DE*PCG*E0001",
    }
    served.switch("ocsp:revoked", certificate=texts[written])
    assert judged(served, ask(served).content) is Status.REVOKED
    others = ocsp.ask(served.certificate(SUB2), served.certificate("ca/cpo/sub1"))
    other = served.client.post("/iso2/ocsp", content=others)
    found = ocsp.judge(other.content, facts(served, SUB2), facts(served, "ca/cpo/sub1"), datetime.now(UTC))
    assert found.standing.status is Status.GOOD


def test_several_at_once(served: Served) -> None:
    served.switch("ocsp:revoked", "ocsp:no-nonce", "ocsp:delay", "crl:expired")
    began = time.monotonic()
    assert judged(served, ask(served).content) is Flaw.NONCE
    assert time.monotonic() - began > DELAY_S


# --- crl --------------------------------------------------------------------------------------------------------------

CRL_SEEN = {"expired": Flaw.STALE, "wrong-issuer": Flaw.OTHER_ISSUER, "unsigned": Flaw.SIGNATURE}


@pytest.mark.parametrize("name", of(Service.CRL))
def test_crl(served: Served, name: str) -> None:
    def flaw() -> Flaw | None:
        data = served.client.get("/iso2/crl/cpo-sub2.crl").content
        try:
            crl.read(data).judge(facts(served, EVSE), facts(served, SUB2), datetime.now(UTC))
        except Unusable as error:
            return error.flaw
        return None

    assert flaw() is None
    served.switch(f"crl:{name}", certificate="cpo-sub2")
    assert flaw() is CRL_SEEN[name]
    other = x509.load_der_x509_crl(served.client.get("/iso2/crl/cpo-sub1.crl").content)
    assert other.issuer == served.certificate("ca/cpo/sub1").subject
    assert other.next_update_utc is not None
    assert other.next_update_utc > datetime.now(UTC)
    served.switch()
    assert flaw() is None


# --- est --------------------------------------------------------------------------------------------------------------


def enrolled(served: Served) -> httpx.Response:
    _, body = signing_request("DE*PCG*E4711")
    headers = {"Content-Type": "application/pkcs10"}
    return served.client.post("/.well-known/est/iso2/simpleenroll", content=body, headers=headers, auth=LOGIN)


def _unauthorized(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"]


def _pending(answer: httpx.Response) -> bool:
    return answer.status_code == 202 and answer.headers["Retry-After"] == "5"


def _wrong_key(answer: httpx.Response) -> bool:
    (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content))
    key, _ = signing_request("DE*PCG*E4711")
    return certificate.public_key() != key.public_key()


def _wrong_order(answer: httpx.Response) -> bool:
    with pytest.warns(UserWarning, match="falling back to parsing as BER"):
        chain = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content))
    names = [each.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for each in chain]
    return names == ["CPO Sub-CA 1", "CPO Sub-CA 2", "DE*PCG*E4711"]


EST_SEEN: dict[str, Callable[[httpx.Response], bool]] = {
    "unauthorized": _unauthorized,
    "pending": _pending,
    "wrong-key": _wrong_key,
    "wrong-order": _wrong_order,
}


@pytest.mark.parametrize("name", of(Service.EST))
@pytest.mark.parametrize("certificate", ["", "DE*PCG*E4711"])
def test_est(served: Served, name: str, certificate: str) -> None:
    served.switch(f"est:{name}", certificate=certificate)
    assert EST_SEEN[name](enrolled(served))
    served.switch(f"est:{name}", certificate="DE*PCG*E4712")
    answer = enrolled(served)
    assert answer.status_code == 200
    assert not _wrong_key(answer)


# --- contracts --------------------------------------------------------------------------------------------------------

CONTRACT_SEEN = {
    "wrong-kdf": "key",
    "wrong-recipient": "key",
    "wrong-key": "key",
    "wrong-signer": "signature",
    "unsigned": "signature",
    "three-references": "signature",
    "other-emaid": "emaid",
    "changed": "signature",
    "wrong-order": "contract-chain",
}


def delivered(served: Served) -> str:
    """Which check of the vehicle a delivery fails."""
    vehicle = leaf(served.out / "iso2", "oem-provisioning", "car1")
    body = installation(vehicle)
    answer = served.client.post("/iso2/contract", content=message(body, signed(body, vehicle.key)))
    assert answer.status_code == 200
    response = opened(answer.content)
    assert isinstance(response.Body.BodyElement, iso2.CertificateInstallationRes)
    anchors = [der for file in (served.out / "iso2" / "trust").glob("*.pem") for der in load_anchors(file)]
    try:
        receive(
            response.Body.BodyElement,
            response.Header.Signature,
            vehicle.key,
            lambda chain, role: validate(chain, role, anchors),
            rooted=True,
        )
    except Untrusted as error:
        return str(getattr(error, "flaw", error))
    return ""


@pytest.mark.parametrize("name", of(Service.CONTRACT))
def test_contract(served: Served, name: str) -> None:
    assert delivered(served) == ""
    served.switch(f"contract:{name}", certificate="PCGPLUGCHARGE0001")
    assert delivered(served) == CONTRACT_SEEN[name]
    served.switch(f"contract:{name}", certificate="PCGPLUGCHARGE0002")
    assert delivered(served) == ""


# --- the transport ----------------------------------------------------------------------------------------------------


def contract(served: Served) -> httpx.Response:
    vehicle = leaf(served.out / "iso2", "oem-provisioning", "car1")
    body = installation(vehicle)
    return served.client.post("/iso2/contract", content=message(body, signed(body, vehicle.key)))


ASKED: dict[Service, Callable[[Served], httpx.Response]] = {
    Service.OCSP: ask,
    Service.CRL: lambda served: served.client.get("/iso2/crl/cpo-sub2.crl"),
    Service.EST: enrolled,
    Service.CONTRACT: contract,
}


@pytest.mark.parametrize("service", Service)
def test_faults_of_the_transport(served: Served, service: Service) -> None:
    good = ASKED[service](served)
    assert good.status_code == 200
    served.switch(f"{service}:http-500")
    assert ASKED[service](served).status_code == 500
    served.switch(f"{service}:truncated")
    assert len(ASKED[service](served).content) < 0.6 * len(good.content)
    served.switch(f"{service}:delay")
    began = time.monotonic()
    assert len(ASKED[service](served).content) > 0.9 * len(good.content)
    assert time.monotonic() - began > DELAY_S


def test_a_delayed_answer_delays_no_other(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.server, "delay_s", 3.0)
    served.switch("crl:delay")
    late = threading.Thread(
        target=httpx.get, args=(f"{served.url}/iso2/crl/cpo-sub2.crl",), kwargs={"trust_env": False}
    )
    late.start()
    assert judged(served, ask(served).content) is Status.GOOD
    assert late.is_alive()
    late.join(20)
    assert not late.is_alive()


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_misbehaviour_is_seen() -> None:
    seen = {
        *((Service.OCSP, name) for name in OCSP_SEEN),
        *((Service.CRL, name) for name in CRL_SEEN),
        *((Service.EST, name) for name in EST_SEEN),
        *((Service.CONTRACT, name) for name in CONTRACT_SEEN),
        *((service, name) for service in Service for name in TRANSPORT),
    }
    assert seen == {(each.service, each.name) for each in MISBEHAVIOURS}
    assert len(seen) == len(MISBEHAVIOURS)
    assert set(of(Service.CONTRACT)) == set(Deviation)


def test_switches_are_read() -> None:
    assert misbehaviour.parse("ocsp:revoked") == Switch(service=Service.OCSP, name="revoked")
    assert misbehaviour.parse("est:pending@DE*PCG*E0001").certificate == "DE*PCG*E0001"
    assert misbehaviour.parse("ocsp:unknown@0xFF").certificate == "255"
    assert misbehaviour.parse("ocsp:unknown@0xyz").certificate == "0xyz"
    for text, told in {
        "ocsp": "such as ocsp:revoked",
        "ocps:revoked": "there are ocsp, crl, est, contract",
        "crl:revoked": "there are expired, wrong-issuer, unsigned, delay",
    }.items():
        with pytest.raises(ValueError, match=told):
            misbehaviour.parse(text)


def test_whom_a_switch_concerns() -> None:
    on = [misbehaviour.parse("ocsp:revoked@7"), misbehaviour.parse("ocsp:delay"), misbehaviour.parse("crl:expired")]
    assert faults(on, Service.OCSP, ("7", "x")) == {"revoked", "delay"}
    assert faults(on, Service.OCSP, ("8",)) == {"delay"}
    assert faults(on, Service.EST) == frozenset()
    assert isinstance(MISBEHAVIOURS[0], Misbehaviour)


def test_the_page_names_them_all() -> None:
    """In its last table, a row per service and one for the faults of the transport."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "pki-serve.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| Service    | Names |\n")
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    shown = {cells[1].strip().strip("`"): set(re.findall(r"`([a-z0-9-]+)`", cells[2])) - {"--delay"} for cells in rows}
    assert shown == {service.value: set(of(service)) for service in Service} | {"all": TRANSPORT}
