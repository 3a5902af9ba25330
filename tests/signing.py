"""Keys, elements and signatures over them, right and wrong, for the tests of signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from v2g.errors import Untrusted
from v2g.messages.xmldsig import (
    Signature,
    SignatureValue,
    SignedInfo,
    Transform,
    Transforms,
)
from v2g.protocols import schema
from v2g.signature import Verified, sign, verify

EXI = "http://www.w3.org/TR/canonical-exi/"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ECDSA_512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
ISO_ED448 = "urn:iso:std:iso:15118:-20:Security:xmldsig#Ed448"
ISO_SHAKE256 = "urn:iso:std:iso:15118:-20:Security:xmlenc#SHAKE256"
EDDSA = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed448"
"""What the W3C calls it, not ISO."""

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key()
P521_KEY = ec.generate_private_key(ec.SECP521R1())
ED448_KEY = ed448.Ed448PrivateKey.generate()
ONE, TWO = b"the fragment of one element", b"the fragment of another"
SIGNED = sign([("id1", ONE), ("id2", TWO)], KEY, "iso2")
ELEMENTS: dict[str, Mapping[bytes, str]] = {"id1": {ONE: "ours"}, "id2": {TWO: "ours"}}
OURS = Verified(signed_info="xmldsig", elements={"#id1": "ours", "#id2": "ours"})
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of secp256r1 (SEC 2, 2.4.2)."""


@dataclass(frozen=True)
class Made:
    """A key of one kind, what it signs, and the facts of its signatures as the references give them."""

    key: Any
    message_set: str
    method: str
    digest: str
    hash: str
    size: int

    def digested(self, data: bytes) -> bytes:
        """Digest by another library than the one under test."""
        if self.hash == "shake256":
            return hashlib.shake_256(data).digest(64)
        return hashlib.new(self.hash, data).digest()


KINDS = {
    "secp256r1": Made(KEY, "iso2", ECDSA, SHA256, "sha256", 64),
    "secp521r1": Made(P521_KEY, "iso20.common", ECDSA_512, SHA512, "sha512", 132),
    "ed448": Made(ED448_KEY, "iso20.common", ISO_ED448, ISO_SHAKE256, "shake256", 114),
}
kinds = pytest.mark.parametrize("made", KINDS.values(), ids=KINDS)


def seal(info: SignedInfo, form: str = "xmldsig", key: ec.EllipticCurvePrivateKey = KEY) -> Signature:
    """Sign any SignedInfo, also one that we would never send, encoded with the schema set `form`."""
    small = key.curve.name == "secp256r1"
    width = 32 if small else 66
    algorithm = ec.ECDSA(hashes.SHA256() if small else hashes.SHA512())
    r, s = decode_dss_signature(key.sign(schema(form).encode_fragment(info), algorithm))
    return Signature(SignedInfo=info, SignatureValue=SignatureValue(value=r.to_bytes(width) + s.to_bytes(width)))


def refused(
    signature: Any, elements: Any = ELEMENTS, key: Any = PUBLIC, message_set: str = "iso2", *, text: str
) -> None:
    """Verify a signature that must not pass, for the given reason, told in few words."""
    with pytest.raises(Untrusted) as caught:
        verify(signature, elements, key, message_set)
    assert text in str(caught.value)
    assert len(str(caught.value)) < 500


def transformed(*algorithms: str) -> Transforms:
    return Transforms(Transform=[Transform(Algorithm=algorithm) for algorithm in algorithms])


INFO = SIGNED.SignedInfo
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
RAW = SIGNED.SignatureValue.value
