"""Signatures between us and Josev's own code, over whole messages: each side reads, signs and verifies the other's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.interop import josev
from v2g.errors import Untrusted
from v2g.exi.message import Message
from v2g.messages import iso2
from v2g.messages.iso20 import common, common_types
from v2g.messages.xmldsig import Signature, X509IssuerSerial
from v2g.protocols import schema
from v2g.signature import P256, Verified, sign, verify

OBSTACLE = josev.obstacle()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)]

SCRIPT = Path(__file__).parent / "josev_signatures.py"
NAMESPACES = {"iso2": "urn:iso:15118:2:2013:MsgDef", "iso20.common": "urn:iso:std:iso:15118:-20:CommonMessages"}
KEY = ec.generate_private_key(ec.SECP256R1())
SECONDS = 60.0


class Case(NamedTuple):
    """A message, its signed elements as our names and as Josev's paths, and the names `fragment_forms` needs."""

    schema: str
    message: Any
    elements: Callable[[Any], list[tuple[Message, str | None]]]
    paths: list[str]

    def forms(self, message: Any) -> dict[str, Mapping[bytes, str]]:
        """The encodings of the signed elements, by Id."""
        codec = schema(self.schema)
        return {
            getattr(element, "Id", ""): codec.fragment_forms(element, name) for element, name in self.elements(message)
        }

    def signed(self, signature: Signature | None) -> Any:
        """The message with a signature in its header."""
        return msgspec.structs.replace(
            self.message, Header=msgspec.structs.replace(self.message.Header, Signature=signature)
        )


def in_body(body: iso2.BodyElement) -> iso2.V2G_Message:
    return iso2.V2G_Message(Header=iso2.MessageHeader(SessionID=b"\x0f" * 8), Body=iso2.Body(BodyElement=body))


def octets(size: int) -> bytes:
    """Something to sign, of this size, up to 256."""
    return bytes(range(256))[-size:]


ISSUER = X509IssuerSerial(X509IssuerName="CN=V2GRootCA,O=Somebody,C=DE", X509SerialNumber=2**70 + 1)
CHAIN = iso2.CertificateChain(
    Id="id1", Certificate=octets(200), SubCertificates=iso2.SubCertificates(Certificate=[octets(180), octets(190)])
)
INSTALLATION = iso2.CertificateInstallationRes(
    ResponseCode=iso2.ResponseCode.OK,
    SAProvisioningCertificateChain=msgspec.structs.replace(CHAIN, Id=None),
    ContractSignatureCertChain=CHAIN,
    ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(Id="id2", value=octets(48)),
    DHpublickey=iso2.DiffieHellmanPublickey(Id="id3", value=octets(65)),
    eMAID=iso2.EMAID(Id="id4", value="DE8AA0012345670"),
)
HEADER = common_types.MessageHeader(SessionID=b"\x0f" * 8, TimeStamp=1_700_000_000)


def whole(message: Any) -> list[tuple[Message, str | None]]:
    """The body element itself is signed."""
    return [(message.Body.BodyElement, None)]


def installed(message: Any) -> list[tuple[Message, str | None]]:
    """Four parts of the answer are signed."""
    answer = message.Body.BodyElement
    parts = [answer.ContractSignatureEncryptedPrivateKey, answer.DHpublickey, answer.eMAID]
    return [(answer.ContractSignatureCertChain, "ContractSignatureCertChain"), *((part, None) for part in parts)]


CASES = {
    "-2 AuthorizationReq": Case(
        "iso2",
        in_body(iso2.AuthorizationReq(Id="id1", GenChallenge=octets(16))),
        whole,
        ["body.authorization_req"],
    ),
    "-2 MeteringReceiptReq": Case(
        "iso2",
        in_body(
            iso2.MeteringReceiptReq(
                Id="id1",
                SessionID=b"\x0f" * 8,
                SAScheduleTupleID=1,
                MeterInfo=iso2.MeterInfo(MeterID="meter1", MeterReading=12_345, SigMeterReading=octets(64), TMeter=17),
            )
        ),
        whole,
        ["body.metering_receipt_req"],
    ),
    "-2 CertificateInstallationReq": Case(
        "iso2",
        in_body(
            iso2.CertificateInstallationReq(
                Id="id1",
                OEMProvisioningCert=octets(220),
                ListOfRootCertificateIDs=iso2.ListOfRootCertificateIDs(RootCertificateID=[ISSUER]),
            )
        ),
        whole,
        ["body.certificate_installation_req"],
    ),
    "-2 CertificateInstallationRes": Case(
        "iso2",
        in_body(INSTALLATION),
        installed,
        [
            f"body.certificate_installation_res.{part}"
            for part in ("contract_cert_chain", "encrypted_private_key", "dh_public_key", "emaid")
        ],
    ),
    "-20 AuthorizationReq": Case(
        "iso20.common",
        common.AuthorizationReq(
            Header=HEADER,
            SelectedAuthorizationService=common.Authorization.PnC,
            PnC_AReqAuthorizationMode=common.PnC_AReqAuthorizationMode(
                Id="id1",
                GenChallenge=octets(16),
                ContractCertificateChain=common.ContractCertificateChain(
                    Certificate=octets(230), SubCertificates=common.SubCertificates(Certificate=[octets(210)])
                ),
            ),
        ),
        lambda message: [(message.PnC_AReqAuthorizationMode, None)],
        ["pnc_params"],
    ),
    "-20 CertificateInstallationReq": Case(
        "iso20.common",
        common.CertificateInstallationReq(
            Header=HEADER,
            OEMProvisioningCertificateChain=common.SignedCertificateChain(
                Id="id1",
                Certificate=octets(240),
                SubCertificates=common.SubCertificates(Certificate=[octets(210), octets(99)]),
            ),
            ListOfRootCertificateIDs=common_types.ListOfRootCertificateIDs(
                RootCertificateID=[X509IssuerSerial(X509IssuerName="CN=V2GRootCA", X509SerialNumber=2**70 + 1)]
            ),
            MaximumContractCertificateChains=2,
        ),
        lambda message: [(message.OEMProvisioningCertificateChain, "OEMProvisioningCertificateChain")],
        ["oem_prov_cert_chain"],
    ),
}
"""Josev signs -20 messages by the suite of -2, and knows no other; we are told to accept that here."""


def leaf() -> str:
    """A certificate of our key, in hex; Josev takes the public key out of one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, start, start + timedelta(days=9))
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER).hex()


def ours(case: Case) -> Any:
    """The message signed by us."""
    elements = [(name, next(iter(forms))) for name, forms in case.forms(case.message).items()]
    return case.signed(sign(elements, KEY, case.schema, suites=[P256]))


def tasks() -> list[dict[str, Any]]:
    """For each case: sign; verify what we signed; verify it with one bit of the value changed."""
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificate = leaf()
    found: list[dict[str, Any]] = []
    for case in CASES.values():
        codec = schema(case.schema)
        common_part = {"namespace": NAMESPACES[case.schema], "paths": case.paths}
        good, wrong = ours(case), ours(case)
        value = wrong.Header.Signature.SignatureValue.value
        tampered = msgspec.structs.replace(
            wrong.Header.Signature,
            SignatureValue=msgspec.structs.replace(
                wrong.Header.Signature.SignatureValue, value=value[:-1] + bytes([value[-1] ^ 1])
            ),
        )
        found += [
            {**common_part, "document": codec.encode(case.message).hex(), "key": pem},
            {**common_part, "document": codec.encode(good).hex(), "leaf": certificate},
            {**common_part, "document": codec.encode(case.signed(tampered)).hex(), "leaf": certificate},
        ]
    return found


@pytest.fixture(scope="module")
def answers() -> dict[str, list[dict[str, Any]]]:
    """What Josev says to all tasks, by case; its codec is started once."""
    asked = tasks()
    done = subprocess.run(
        [str(josev.PYTHON), str(SCRIPT)],
        input="".join(json.dumps(task) + "\n" for task in asked),
        env={**os.environ, "JAVA_TOOL_OPTIONS": josev.JVM, "MESSAGE_LOG_JSON": "False"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    assert said, done.stderr[-2_000:]
    replies = json.loads(said[0].removeprefix("ANSWERS "))
    each = len(asked) // len(CASES)
    return {name: replies[each * at : each * (at + 1)] for at, name in enumerate(CASES)}


@pytest.mark.parametrize("name", CASES)
def test_we_verify_josevs_signature(name: str, answers: dict[str, list[dict[str, Any]]]) -> None:
    case, document = CASES[name], bytes.fromhex(answers[name][0]["document"])
    received: Any = schema(case.schema).decode(document)
    assert case.forms(received) == case.forms(case.message)
    signature, forms = received.Header.Signature, case.forms(received)
    expected = Verified(signed_info="xmldsig", elements={f"#{element}": "ours" for element in forms})
    assert verify(signature, forms, KEY.public_key(), case.schema, suites=[P256]) == expected
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(Untrusted, match="not made with the certificate's key"):
        verify(signature, forms, other, case.schema, suites=[P256])


@pytest.mark.parametrize("name", CASES)
def test_josev_verifies_our_signature(name: str, answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers[name][1:] == [{"holds": True}, {"holds": False}]
