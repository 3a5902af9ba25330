"""Signatures under attack: bits flipped anywhere, structures no honest peer sends. All ends in `Untrusted`."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.endurance import count
from tests.signing import (
    C14N,
    ECDSA,
    ECDSA_512,
    EDDSA,
    ELEMENTS,
    EXI,
    HMAC,
    INFO,
    ONE,
    OURS,
    PUBLIC,
    RAW,
    SHA1,
    SHA256,
    SHA512,
    TWO,
    Made,
    kinds,
    refused,
    seal,
    transformed,
)
from v2g.errors import Undecodable, Untrusted
from v2g.messages import iso2
from v2g.messages.iso20 import common, common_types
from v2g.messages.xmldsig import (
    CanonicalizationMethod,
    DigestMethod,
    KeyInfo,
    Object,
    Reference,
    Signature,
    SignatureMethod,
    SignatureValue,
    SignedInfo,
)
from v2g.protocols import schema
from v2g.signature import Verified, sign, verify


@kinds
@given(data=st.data())
def test_any_changed_bit_of_the_value_is_noticed(made: Made, data: st.DataObject) -> None:
    signature = sign([("a", ONE)], made.key, made.message_set)
    bit = data.draw(st.integers(0, 8 * made.size - 1))
    value = (int.from_bytes(signature.SignatureValue.value) ^ 1 << bit).to_bytes(made.size)
    changed = replace(signature, SignatureValue=SignatureValue(value=value))
    refused(changed, {"a": {ONE: ""}}, made.key.public_key(), made.message_set, text="signature")


REQUEST = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(range(16)))
CONTRACT = common.PnC_AReqAuthorizationMode(
    Id="id1",
    GenChallenge=bytes(range(16)),
    ContractCertificateChain=common.ContractCertificateChain(
        Certificate=bytes(range(60)), SubCertificates=common.SubCertificates(Certificate=[bytes(range(50))])
    ),
)


def message(made: Made) -> Any:
    """A whole message with its signature."""
    later = made.message_set != "iso2"
    element = CONTRACT if later else REQUEST
    signature = sign([("id1", schema(made.message_set).encode_fragment(element))], made.key, made.message_set)
    if not later:
        old = iso2.MessageHeader(SessionID=b"8 octets", Signature=signature)
        return iso2.V2G_Message(Header=old, Body=iso2.Body(BodyElement=REQUEST))
    return common.AuthorizationReq(
        Header=common_types.MessageHeader(SessionID=b"8 octets", TimeStamp=1, Signature=signature),
        SelectedAuthorizationService=common.Authorization.PnC,
        PnC_AReqAuthorizationMode=CONTRACT,
    )


def signed_part(received: Any) -> tuple[Any, Signature | None]:
    """The element a station wants signed, None where there is none, and the signature."""
    element = received.Body.BodyElement if isinstance(received, iso2.V2G_Message) else received
    signature = getattr(getattr(received, "Header", None), "Signature", None)
    if isinstance(element, common.AuthorizationReq):
        return element.PnC_AReqAuthorizationMode, signature
    return (element if isinstance(element, iso2.AuthorizationReq) and element.Id else None), signature


@kinds
def test_any_changed_bit_of_a_message_is_noticed_where_it_is_signed(made: Made) -> None:
    """Whatever else the message was read as: unless element and signature came out as they were, it proves nothing."""
    codec = schema(made.message_set)

    def proof(element: Any, signature: Any) -> Verified:
        return verify(signature, {element.Id: codec.fragment_forms(element)}, made.key.public_key(), made.message_set)

    sent = message(made)
    document = codec.encode(sent)
    assert proof(*signed_part(codec.decode(document))) == replace(OURS, elements={"#id1": "ours"})
    size = 8 * len(document)
    bits = Random(15118).sample(range(size), k=min(size, count(300, 20_000)))
    noticed = 0
    for bit in bits:
        changed = (int.from_bytes(document) ^ 1 << bit).to_bytes(len(document))
        try:
            element, signature = signed_part(codec.decode(changed))
            if element is not None and signature is not None and (element, signature) != signed_part(sent):
                proof(element, signature)
                pytest.fail(f"bit {bit} was changed, and nobody noticed")
        except (Undecodable, Untrusted):
            noticed += 1
    assert noticed > len(bits) * 0.8


@pytest.mark.parametrize("form", ["xmldsig", "iso2"])
def test_any_changed_bit_of_signed_info_is_noticed(form: str) -> None:
    """The value was made over the right bits; SignedInfo is then read from changed ones."""
    codec = schema(form)
    sealed = seal(INFO, form)
    encoded = codec.encode_fragment(INFO)
    size = 8 * len(encoded)
    for bit in Random(7).sample(range(size), k=min(size, count(200, 10_000))):
        changed = (int.from_bytes(encoded) ^ 1 << bit).to_bytes(len(encoded))
        try:
            info: Any = codec.decode_fragment(changed)
        except Undecodable:
            continue
        if info != INFO:
            refused(replace(sealed, SignedInfo=info), text="")


URIS = st.sampled_from([None, "", "#", "#id1", "#id2", "#id3", "id1", EXI]) | st.text(max_size=9)
ALGORITHMS = st.sampled_from([EXI, SHA256, SHA512, SHA1, ECDSA, ECDSA_512, EDDSA, HMAC, C14N, ""]) | st.text(max_size=9)
DIGESTS = st.sampled_from([hashlib.sha256(ONE).digest(), hashlib.sha256(TWO).digest()]) | st.binary(max_size=64)
IDS = st.none() | st.none() | st.text(max_size=3)
MOST_EXI = st.just(EXI) | ALGORITHMS
REFERENCES = st.builds(
    Reference,
    Id=IDS,
    Type=IDS,
    URI=st.sampled_from(["#id1", "#id2"]) | URIS,
    Transforms=st.none() | st.lists(MOST_EXI, min_size=1, max_size=2).map(lambda each: transformed(*each)),
    DigestMethod=st.builds(DigestMethod, Algorithm=st.just(SHA256) | ALGORITHMS),
    DigestValue=DIGESTS,
)
INFOS = st.builds(
    SignedInfo,
    Id=IDS,
    CanonicalizationMethod=st.builds(CanonicalizationMethod, Algorithm=MOST_EXI),
    SignatureMethod=st.builds(SignatureMethod, Algorithm=st.just(ECDSA) | ALGORITHMS),
    Reference=st.permutations(INFO.Reference) | st.lists(REFERENCES, min_size=1, max_size=6),
)
SIGNATURES = st.builds(
    Signature,
    Id=IDS,
    SignedInfo=INFOS,
    SignatureValue=st.builds(SignatureValue, Id=IDS, value=st.just(RAW) | st.binary(max_size=70)),
    KeyInfo=st.none() | st.just(KeyInfo()),
    Object=st.just([]) | st.just([Object()]),
)
FORMS = st.dictionaries(st.just(ONE) | st.binary(max_size=9), st.text(max_size=3), max_size=3)
WANTED = st.just(ELEMENTS) | st.dictionaries(st.sampled_from(["id1", "id2", "", "x"]), FORMS, max_size=3)


@given(SIGNATURES, WANTED)
def test_hostile_signatures_end_in_untrusted_only(signature: Signature, elements: dict[str, dict[bytes, str]]) -> None:
    if (signature.SignedInfo, signature.SignatureValue.value) != (INFO, RAW):
        refused(signature, elements, text="")


@given(INFOS)
def test_nothing_but_the_prescribed_form_passes_though_the_value_fits(info: SignedInfo) -> None:
    """Sealed with the right key: what passes has each element once, with its digest, and nothing forbidden."""
    try:
        verify(seal(info), ELEMENTS, PUBLIC, "iso2")
    except Untrusted:
        return
    assert info.Id is None
    assert [replace(reference, Id=None) for reference in info.Reference] in (INFO.Reference, INFO.Reference[::-1])
    assert (info.CanonicalizationMethod, info.SignatureMethod) == (INFO.CanonicalizationMethod, INFO.SignatureMethod)
