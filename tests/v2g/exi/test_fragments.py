"""Fragments, as signatures are made over: their codes as transcribed, and vectors of another implementation."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from tests.endurance import count
from tests.random_messages import Messages
from tests.signed_elements import SIGNED, SIGNED_INFO, Signed
from v2g.errors import Undecodable
from v2g.exi.codec import LOOPS
from v2g.messages import iso2
from v2g.messages.iso20 import common
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "fragments.json").read_text())
ALL = [*SIGNED, *SIGNED_INFO]
signed_elements = pytest.mark.parametrize("signed", ALL, ids=lambda signed: f"{signed.schema} {signed.element}")


def bits(data: bytes) -> str:
    return f"{int.from_bytes(data):0{8 * len(data)}b}"


@signed_elements
def test_codes_are_those_of_the_table(signed: Signed) -> None:
    frame = schema(signed.schema).grammar.fragment
    assert frame.roots[signed.code].name == signed.element
    assert (frame.bits, frame.end_bits, frame.end) == (signed.bits, signed.bits, signed.end)
    assert frame.code(signed.cls, signed.element) == signed.code


@signed_elements
def test_codes_are_where_they_belong(signed: Signed) -> None:
    """After the header the element's code; at the end that of the end, and less than an octet of zeros."""
    codec = schema(signed.schema)
    messages = Messages(codec.grammar, Random(20))
    begin, end = f"10000000{signed.code:0{signed.bits}b}", f"{signed.end:0{signed.bits}b}"
    for _ in range(count(500, 20_000) // 25):
        message = messages.message(signed.cls)
        for data in codec.fragment_forms(message, signed.element):
            stream = bits(data)
            assert stream.startswith(begin)
            assert any(stream.endswith(end + "0" * padding) for padding in range(8))
            assert codec.decode_fragment(data) == message


def test_every_signed_element_has_a_vector() -> None:
    assert {(each["schema"], each["element"]) for each in VECTORS} == {(each.schema, each.element) for each in ALL}


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{each['schema']} {each['element']}" for each in VECTORS])
def test_vectors_read_as_written_down_and_are_written_back(vector: dict[str, Any]) -> None:
    codec, data = schema(vector["schema"]), bytes.fromhex(vector["hex"])
    decoded = codec.read_fragment(data)
    assert decoded.notes == ()
    assert msgspec.to_builtins(decoded.message) == vector["message"]
    assert codec.encode_fragment(decoded.message, vector["element"]).hex() == vector["hex"]
    assert next(iter(codec.fragment_forms(decoded.message, vector["element"]).items())) == (data, "ours")


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{each['schema']} {each['element']}" for each in VECTORS])
def test_a_fragment_cut_short_does_not_decode(vector: dict[str, Any]) -> None:
    codec, data = schema(vector["schema"]), bytes.fromhex(vector["hex"])
    for length in range(len(data)):
        with pytest.raises(Undecodable):
            codec.decode_fragment(data[:length])


def test_an_emaid_bit_by_bit() -> None:
    """The element is declared as a text in one place and as a text with an Id in another: a relaxed grammar."""
    emaid = iso2.EMAID(Id="id4", value="DE1")
    relaxed = "10000000"  # header
    relaxed += "11101100"  # SE eMAID, 236 of 243, SE(*) and END DOCUMENT
    relaxed += "000000100"  # AT Id of MsgDataTypes, 4: ten attribute names of the schema set, AT(*), 243 elements, ...
    relaxed += "00000101" + bits(b"id4")  # a length plus 2, and the characters
    relaxed += "100000000"  # CH, 256: after SE(*) 254 and EE 255
    relaxed += "00000101" + bits(b"DE1")
    relaxed += "11110100"  # EE, 244: 243 elements, SE(*)
    relaxed += "11110100"  # END DOCUMENT, 244
    typed = "10000000" + "11101100"
    typed += "0" + "00000101" + bits(b"id4")  # AT Id, the only production
    typed += "0" + "00000101" + bits(b"DE1")  # CH, the only production
    typed += "0" + "11110100"  # EE, END DOCUMENT
    forms = schema("iso2").fragment_forms(emaid)
    for form, (data, name) in zip((relaxed, typed), forms.items(), strict=True):
        padded = form + "0" * (-len(form) % 8)
        assert bits(data) == padded, name
        assert schema("iso2").decode_fragment(data) == emaid
    assert list(forms.values()) == ["ours", "typed"]
    assert schema("iso2").encode_fragment(emaid).hex() == "80ec0202b4b21a400151114c7d3d00"


def test_forms_of_a_full_list_are_named() -> None:
    """Of 1,024 entries the last needs no code before the end, but other codecs spend one; some do so of 4."""
    entry = iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=0))
    tariff = iso2.SalesTariff(Id="t", SalesTariffID=1, SalesTariffEntry=[entry] * 1_024)
    assert list(schema("iso2").fragment_forms(tariff).values()) == ["ours", f"open lists from {LOOPS[0]}"]
    subs = iso2.SubCertificates(Certificate=[b"1", b"2", b"3", b"4"])
    chain = iso2.CertificateChain(Id="c", Certificate=b"0", SubCertificates=subs)
    forms = schema("iso2").fragment_forms(chain, "ContractSignatureCertChain")
    assert list(forms.values()) == ["ours", f"open lists from {LOOPS[1]}"]
    few = msgspec.structs.replace(chain, SubCertificates=iso2.SubCertificates(Certificate=[b"1", b"2"]))
    assert list(schema("iso2").fragment_forms(few, "ContractSignatureCertChain").values()) == ["ours"]


def test_empty_values_have_a_second_form() -> None:
    """No octets as a length of 0, or as the end of the element by a code of the second level: 1 000 (EXI 8.5.4.4)."""
    key = iso2.DiffieHellmanPublickey(Id="i", value=b"")
    begin = "10000000" + "00101101" + "0" + "00000011" + bits(b"i")  # header, SE DHpublickey 45, AT Id
    ours = begin + "0" + "00000000" + "0" + "11110100"  # CH, length, EE, END DOCUMENT
    gaps = begin + "1" + "000" + "11110100"
    forms = schema("iso2").fragment_forms(key)
    assert list(forms.values()) == ["ours", "gaps"]
    for data, written in zip(forms, (ours, gaps), strict=True):
        assert bits(data) == written + "0" * (-len(written) % 8)
        assert schema("iso2").decode_fragment(data) == key


def test_a_chain_alone_does_not_tell_which_element_it_is() -> None:
    chain = iso2.CertificateChain(Certificate=b"0")
    with pytest.raises(ValueError, match="ContractSignatureCertChain, SAProvisioningCertificateChain: name which"):
        schema("iso2").fragment_forms(chain)
    other = common.SignedCertificateChain(Id="1", Certificate=b"0")
    with pytest.raises(ValueError, match="SignedCertificateChain is no element that can be sent alone"):
        schema("iso2").fragment_forms(other)
