"""Random messages through our codec and a live EXIficient: the same bytes, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from tests.endurance import count
from tests.interop.exificient import Exificient, obstacle
from tests.random_messages import Messages
from tests.xml_of import xml_of
from v2g.exi.message import Message
from v2g.exi.notes import Quirk
from v2g.messages import iso2, xmldsig
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "exi.json").read_text())
OBSTACLE = obstacle()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)]

MESSAGES = count(300, 3_000)
ROOTS = {"sap": None, "xmldsig": None, "iso2": iso2.V2G_Message}
SIGNED: list[tuple[type[Message], str | None]] = [
    (iso2.AuthorizationReq, None),
    (iso2.MeteringReceiptReq, None),
    (iso2.CertificateInstallationReq, None),
    (iso2.CertificateUpdateReq, None),
    (iso2.CertificateChain, "ContractSignatureCertChain"),
    (iso2.ContractSignatureEncryptedPrivateKey, None),
    (iso2.DiffieHellmanPublickey, None),
    (iso2.EMAID, None),
    (iso2.SalesTariff, None),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the compiled driver and the copied schemas lie."""
    return tmp_path_factory.mktemp("exificient")


@pytest.fixture(scope="module")
def oracle(folder: Path) -> Iterator[Exificient]:
    """EXIficient on the schemas of ISO 15118-2."""
    with Exificient("iso2", folder) as running:
        yield running


def _same_xml(one: bytes, other: bytes) -> bool:
    return ET.canonicalize(one, rewrite_prefixes=True) == ET.canonicalize(other, rewrite_prefixes=True)


@pytest.mark.parametrize("name", ["sap", "xmldsig", "iso2"])
def test_documents_are_the_same_bytes(name: str, folder: Path) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(15118), tame=True)
    cls = ROOTS[name]
    with Exificient(name, folder) as exificient:
        for _ in range(MESSAGES):
            message = messages.root() if cls is None else messages.message(cls)
            data = codec.encode(message)
            xml = xml_of(message)
            assert exificient.encode(xml).hex() == data.hex(), message
            assert _same_xml(exificient.decode(data), xml), message
            assert codec.read(data).message == message
            assert codec.read(data).notes == ()


@pytest.mark.parametrize(("cls", "name"), SIGNED)
def test_fragments_are_the_same_bytes(cls: type[Message], name: str | None, oracle: Exificient) -> None:
    codec = schema("iso2")
    messages = Messages(codec.grammar, Random(2), tame=True)
    element = codec.grammar.fragments[codec.grammar.fragment.code(cls, name)]
    for _ in range(30):
        message = messages.message(cls)
        data = codec.encode_fragment(message, name)
        xml = xml_of(message, element.name, element.namespace)
        assert oracle.encode(xml, "fragment").hex() == data.hex(), message
        assert codec.decode_fragment(data) == message


def test_signed_info_is_the_same_bytes_by_the_signature_schema_alone(folder: Path) -> None:
    codec = schema("xmldsig")
    messages = Messages(codec.grammar, Random(3), tame=True)
    with Exificient("xmldsig", folder) as exificient:
        for _ in range(30):
            message = messages.message(xmldsig.SignedInfo)
            data = codec.encode_fragment(message)
            assert exificient.encode(xml_of(message), "fragment").hex() == data.hex()
            assert codec.decode_fragment(data) == message


def test_empty_values_and_repeated_texts_are_understood(oracle: Exificient) -> None:
    codec = schema("iso2")
    signature = xmldsig.SignedInfo(
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm="same"),
        SignatureMethod=xmldsig.SignatureMethod(Algorithm="same"),
        Reference=[
            xmldsig.Reference(
                URI="same",
                DigestMethod=xmldsig.DigestMethod(Algorithm="same"),
                DigestValue=b"",
            ),
        ],
    )
    message = iso2.V2G_Message(
        Header=iso2.MessageHeader(
            SessionID=b"",
            Notification=iso2.Notification(FaultCode=iso2.FaultCode.UnknownError, FaultMsg=""),
            Signature=xmldsig.Signature(
                SignedInfo=signature,
                SignatureValue=xmldsig.SignatureValue(Id="same", value=b""),
            ),
        ),
        Body=iso2.Body(BodyElement=iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="same")),
    )
    xml = xml_of(message)
    plain = codec.read(oracle.encode(xml))
    assert plain.message == message
    assert [note.quirk for note in plain.notes] == [Quirk.EMPTY] * 4 + [Quirk.FACET]
    tables = codec.read(oracle.encode(xml, tables=True))
    assert tables.message == message
    assert [note.quirk for note in tables.notes].count(Quirk.TABLE) == 5


def test_texts_repeated_across_list_items_are_understood(oracle: Exificient) -> None:
    codec = schema("iso2")
    names = ["one", "two", "one", "three", "", "two", "one"]
    services = [
        iso2.Service(
            ServiceID=number,
            ServiceName=name,
            ServiceCategory=iso2.ServiceCategory.Internet,
            ServiceScope=name[::-1],
            FreeService=True,
        )
        for number, name in enumerate(names)
    ]
    message = iso2.ServiceList(Service=services)
    element = codec.grammar.fragments[codec.grammar.fragment.code(iso2.ServiceList)]
    xml = xml_of(message, element.name, element.namespace)
    decoded = codec.read_fragment(oracle.encode(xml, "fragment", tables=True))
    assert decoded.message == message
    assert [note.quirk for note in decoded.notes].count(Quirk.TABLE) == 6


@pytest.mark.parametrize("name", ["sap", "xmldsig", "iso2"])
def test_it_reads_our_vectors_as_we_do(name: str, folder: Path) -> None:
    ordinary = [vector for vector in VECTORS if vector["schema"] == name and not vector["notes"]]
    readable = [vector for vector in ordinary if "\\u000" not in json.dumps(vector["message"])]
    codec = schema(name)
    with Exificient(name, folder) as exificient:
        for vector in readable:
            data = bytes.fromhex(vector["hex"])
            if vector["stream"] == "document":
                message = codec.decode(data)
                assert _same_xml(exificient.decode(data), xml_of(message)), vector["name"]
            else:
                assert _same_xml(exificient.decode(data, "fragment"), xml_of(codec.decode_fragment(data)))
    assert readable
