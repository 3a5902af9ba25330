"""The contracts a vehicle holds, where those it was sent are kept, and the signature that proves one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evcc import config
from pki import credentials, store
from pki.contract.chain import common_name
from pki.contract.iso2 import chain_message
from pki.keys import PrivateKey
from v2g import identifiers, protocols, signature
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature

SIGNED_ID = "id1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract with its key; `chain` is DER, leaf first and without the root."""

    emaid: str
    chain: Sequence[bytes]
    key: PrivateKey

    @property
    def current(self) -> bool:
        """Whether its certificate is valid now."""
        leaf = x509.load_der_x509_certificate(self.chain[0])
        return leaf.not_valid_before_utc <= datetime.now(UTC) <= leaf.not_valid_after_utc

    @property
    def expires(self) -> datetime:
        """The end of its certificate's validity."""
        return x509.load_der_x509_certificate(self.chain[0]).not_valid_after_utc

    def details(self) -> iso2.PaymentDetailsReq:
        """Present the contract."""
        chain = chain_message(self.chain)
        return iso2.PaymentDetailsReq(eMAID=self.emaid, ContractSignatureCertChain=chain)

    def authorize(self, challenge: bytes) -> tuple[iso2.AuthorizationReq, Signature]:
        """Echo the challenge and sign it."""
        request = iso2.AuthorizationReq(Id=SIGNED_ID, GenChallenge=challenge)
        fragment = protocols.schema("iso2").encode_fragment(request)
        return request, signature.sign([(SIGNED_ID, fragment)], self.key, "iso2")


def load(settings: config.Contract) -> Contract:
    """Read a contract from its PEM files, which may be one; raises ValueError naming file and remedy."""
    credential = credentials.load_credential(settings.chain, settings.key, settings.password)
    name = common_name(credential.chain[0])
    if not name:
        raise ValueError(f"{settings.chain}: the contract certificate has no common name, which is the EMAID")
    return Contract(emaid=identifiers.emaid(name), chain=tuple(credential.chain), key=credential.key)


def best(settings: config.EvccConfig) -> Contract | None:
    """Read the contract that is valid longest, of the one configured and those kept; None where there is none.

    One that is valid now goes before any that is not yet. Raises ValueError naming file and remedy.
    """
    files = [] if settings.contract is None else [settings.contract]
    if settings.provisioning is not None:
        kept = sorted(Path(settings.provisioning.wallet).glob("*.pem"))
        files += [config.Contract(chain=str(file), key=str(file)) for file in kept]
    return max(map(load, files), key=lambda contract: (contract.current, contract.expires), default=None)


def keep(wallet: Path, contract: Contract) -> Path:
    """Store a contract, key and chain in one file that its owner alone may read; replaces an older one of its EMAID.

    There is the old file or the new one at any time. Raises OSError.
    """
    key = contract.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in contract.chain]
    file = wallet / f"{contract.emaid}.pem"
    store.write(file, b"".join([key, *chain]), store.PRIVATE)
    return file
