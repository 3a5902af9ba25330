"""Deliveries as files: whatever form they come in, the same message is read."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.contract.document import Document, Form, read
from pki.contract.order import Order
from pki.contract.variants import manner_of
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.v2gtp import PayloadType, frame


@pytest.fixture(scope="module", params=["iso2", "iso20", "iso20-ed448"])
def document(request: pytest.FixtureRequest, trees: Path) -> Document:
    return Order(tree=trees / request.param, manner=manner_of(None, None, "short", [])).delivered()


@pytest.mark.parametrize("form", Form)
def test_every_form_is_read_again(document: Document, form: Form) -> None:
    again = read(document.written(form))
    assert (again.schema, again.message) == (document.schema, document.message)


def test_frames_and_line_breaks(document: Document) -> None:
    exi = document.written(Form.EXI)
    payload = PayloadType.EXI if document.schema == "iso2" else PayloadType.MAINSTREAM
    for data in (
        frame(payload, exi),
        base64.encodebytes(exi),
        exi.hex(" ", 16).encode(),
        b"\n" + document.written(Form.JSON),
    ):
        assert read(data).message == document.message


def test_the_forms_are_what_they_are_called(document: Document) -> None:
    exi = document.written(Form.EXI)
    assert schema(document.schema).decode(exi) == document.message
    assert bytes.fromhex(document.written(Form.HEX).decode()) == exi
    assert base64.b64decode(document.written(Form.BASE64)) == exi
    told = json.loads(document.written(Form.JSON))
    assert told["schema"] == document.schema
    assert b"CertificateInstallationRes" in document.written(Form.XML)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no message"),
        (b"no message at all", "no hexadecimal digit"),
        (b"AAA", "3 hexadecimal digits"),
        (b"Zm9v", "no message"),
        (b"Zm9vZ", "no hexadecimal digit"),
        (b"{}", "no message"),
        (b"[]", "list is empty"),
        (b"<a/>", "root element of no schema set"),
        (b"8000", "no message"),
        (bytes.fromhex("80980200"), "no message"),
    ],
)
def test_what_is_no_message(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(content)


def test_two_messages(document: Document) -> None:
    with pytest.raises(ValueError, match="2 messages"):
        read(2 * document.written(Form.HEX))


def test_a_message_without_body() -> None:
    empty = iso2.V2G_Message(Header=iso2.MessageHeader(SessionID=b""), Body=iso2.Body())
    with pytest.raises(ValueError, match="without a body"):
        _ = read(schema("iso2").encode(empty)).envelope


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_message_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        read(content)
