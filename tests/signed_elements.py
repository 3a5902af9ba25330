"""Which elements are signed, and the facts of their fragments: transcribed, so that the codec can be held to them."""

from __future__ import annotations

from typing import NamedTuple

from v2g.exi.message import Message
from v2g.exi.relaxed import relaxed_class
from v2g.protocols import schema


class Signed(NamedTuple):
    """A signed element: its schema set and name, its code, the width of codes, and the code of the fragment's end."""

    schema: str
    element: str
    code: int
    bits: int
    end: int

    @property
    def cls(self) -> type[Message]:
        """The class of the element."""
        root = schema(self.schema).grammar.fragments[self.code]
        found = relaxed_class(root) if len(root.types) > 1 else root.types[0]
        assert isinstance(found, type)
        return found


SIGNED = [
    Signed("iso2", "AuthorizationReq", 4, 8, 244),
    Signed("iso2", "CertificateInstallationReq", 15, 8, 244),
    Signed("iso2", "CertificateUpdateReq", 17, 8, 244),
    Signed("iso2", "MeteringReceiptReq", 121, 8, 244),
    Signed("iso2", "ContractSignatureCertChain", 33, 8, 244),
    Signed("iso2", "ContractSignatureEncryptedPrivateKey", 34, 8, 244),
    Signed("iso2", "DHpublickey", 45, 8, 244),
    Signed("iso2", "eMAID", 236, 8, 244),
    Signed("iso2", "SalesTariff", 174, 8, 244),
    Signed("iso20.common", "PnC_AReqAuthorizationMode", 151, 9, 282),
    Signed("iso20.common", "OEMProvisioningCertificateChain", 128, 9, 282),
    Signed("iso20.common", "CertificateInstallationReq", 27, 9, 282),
    Signed("iso20.common", "SignedInstallationData", 231, 9, 282),
    Signed("iso20.common", "SignedMeteringData", 232, 9, 282),
    Signed("iso20.common", "MeteringConfirmationReq", 119, 9, 282),
    Signed("iso20.common", "AbsolutePriceSchedule", 0, 9, 282),
    Signed("iso20.common", "PriceLevelSchedule", 167, 9, 282),
]

SIGNED_INFO = [
    Signed("xmldsig", "SignedInfo", 32, 6, 46),
    Signed("iso2", "SignedInfo", 208, 8, 244),
    Signed("iso20.common", "SignedInfo", 230, 9, 282),
    Signed("iso20.dc", "SignedInfo", 129, 8, 150),
    Signed("iso20.ac", "SignedInfo", 135, 8, 155),
]
"""By the schema of xmldsig alone, as it should be, and by those of messages."""
