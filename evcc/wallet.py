"""The contracts a vehicle holds, and the signature that proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evcc import config
from pki import credentials
from v2g import identifiers, protocols, signature
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature

SIGNED_ID = "id1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract with its key; `chain` is DER, leaf first and without the root."""

    emaid: str
    chain: Sequence[bytes]
    key: ec.EllipticCurvePrivateKey

    def details(self) -> iso2.PaymentDetailsReq:
        """Present the contract."""
        leaf, *subs = self.chain
        return iso2.PaymentDetailsReq(
            eMAID=self.emaid,
            ContractSignatureCertChain=iso2.CertificateChain(
                Certificate=leaf, SubCertificates=iso2.SubCertificates(Certificate=subs) if subs else None
            ),
        )

    def authorize(self, challenge: bytes) -> tuple[iso2.AuthorizationReq, Signature]:
        """Echo the challenge and sign it."""
        request = iso2.AuthorizationReq(Id=SIGNED_ID, GenChallenge=challenge)
        fragment = protocols.schema("iso2").encode_fragment(request)
        return request, signature.sign([(SIGNED_ID, fragment)], self.key, "iso2")


def load(settings: config.Contract) -> Contract:
    """Read a contract from its PEM files; raises ValueError naming file and remedy."""
    credential = credentials.load_credential(settings.chain, settings.key, settings.password)
    names = x509.load_der_x509_certificate(credential.chain[0]).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names:
        raise ValueError(f"{settings.chain}: the contract certificate has no common name, which is the EMAID")
    return Contract(emaid=identifiers.emaid(str(names[0].value)), chain=tuple(credential.chain), key=credential.key)
