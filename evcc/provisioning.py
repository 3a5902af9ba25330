"""How the vehicle gets and renews its contract: when it asks, what it signs, and what it takes for an answer.

Nothing of an answer is kept unless all of it holds, and nothing is used that could not be kept. The key of the maker's
provisioning certificate signs an installation and opens its answer; in an update the old contract's key does both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509

from evcc import config, wallet
from evcc.wallet import Contract
from pki import credentials
from pki.contract.chain import chain_of
from pki.contract.iso2 import Response, chain_message, receive
from pki.keys import PrivateKey
from pki.relying_party import RelyingParty
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature, X509IssuerSerial
from v2g.record import Record
from v2g.trust import Role

Action = Literal["install", "update"]
Request = iso2.CertificateInstallationReq | iso2.CertificateUpdateReq
SERVICES: dict[Action, str] = {"install": "Installation", "update": "Update"}
"""What a parameter set of the certificate service is called."""
SIGNED_ID = "id1"
MOST_ROOTS = 20
SETTLE_S = 10.0
"""How long the next request waits for evidence about each of two chains: the station waits a minute for it."""


class Outcome(Record):
    """What came of asking for a contract.

    `outcome` is `stored`; `not-offered` by the station; `refused` with a response code; `failed` without an answer; the
    flaw of an answer that was not accepted: `provider`, `signature`, `contract-chain`, `emaid`, `key`; `not-stored`.
    """

    action: Action
    outcome: str
    detail: str = ""
    emaid: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        """What to tell people."""
        done = {"install": "installed", "update": "renewed"}[self.action]
        if self.outcome == "stored":
            return f"contract {self.emaid} {done}"
        return f"no contract {done}, {self.outcome}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Errand:
    """What the vehicle is about to ask for, by the ids under which the station offers it."""

    action: Action
    service_id: int
    parameter_set: int

    @property
    def selected(self) -> iso2.SelectedService:
        """The selection of this service."""
        return iso2.SelectedService(ServiceID=self.service_id, ParameterSetID=self.parameter_set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """What the vehicle's maker gave it, whom it trusts, and when it asks."""

    settings: config.Provisioning
    chain: Sequence[bytes]
    key: PrivateKey
    anchors: Sequence[bytes]
    party: RelyingParty

    def wish(self, contract: Contract | None, at: datetime | None = None) -> Action | None:
        """What to ask for, holding this contract."""
        if self.settings.when == "never":
            return None
        if contract is None or self.settings.when == "always":
            return "install"
        left = contract.expires - (at or datetime.now(UTC))
        soon = left < timedelta(days=self.settings.renew_within_days)
        return "update" if self.settings.when == "expiring" and soon else None

    def request(self, action: Action, contract: Contract | None) -> tuple[Request, PrivateKey]:
        """The request, and the key that signs it and opens the answer."""
        if action == "update" and contract is not None:
            update = iso2.CertificateUpdateReq(
                Id=SIGNED_ID,
                ContractSignatureCertChain=chain_message(contract.chain),
                eMAID=contract.emaid,
                ListOfRootCertificateIDs=self.roots(),
            )
            return update, contract.key
        install = iso2.CertificateInstallationReq(
            Id=SIGNED_ID, OEMProvisioningCert=self.chain[0], ListOfRootCertificateIDs=self.roots()
        )
        return install, self.key

    def roots(self) -> iso2.ListOfRootCertificateIDs:
        """The roots the vehicle knows, by issuer and serial number."""
        known = [x509.load_der_x509_certificate(der) for der in self.anchors[:MOST_ROOTS]]
        return iso2.ListOfRootCertificateIDs(
            RootCertificateID=[
                X509IssuerSerial(X509IssuerName=each.issuer.rfc4514_string(), X509SerialNumber=each.serial_number)
                for each in known
            ]
        )

    async def settle(self, response: Response) -> None:
        """Wait a while for evidence that the certificates of an answer are revoked, where there is any to come."""
        provider, contract = response.SAProvisioningCertificateChain, response.ContractSignatureCertChain
        await self.party.settle(chain_of(provider), Role.CPS, SETTLE_S)
        await self.party.settle(chain_of(contract), Role.CONTRACT, SETTLE_S)

    def take(
        self,
        response: Response,
        signed: Signature | None,
        key: PrivateKey,
    ) -> tuple[Contract, Path]:
        """Check an answer and keep its contract in the wallet. Raises `NotAccepted`, or OSError where it cannot be."""
        received = receive(response, signed, key, self.party.verify, rooted=bool(self.settings.roots))
        contract = Contract(emaid=received.emaid, chain=received.chain, key=received.key)
        return contract, wallet.keep(Path(self.settings.wallet), contract)


def load(settings: config.EvccConfig) -> Provisioning | None:
    """Read what provisioning needs from its files; raises ValueError naming file and remedy."""
    wanted = settings.provisioning
    if wanted is None:
        return None
    credential = credentials.load_credential(wanted.chain, wanted.key, wanted.password)
    anchors = [der for name in (*settings.tls.roots, *wanted.roots) for der in credentials.load_anchors(name)]
    return Provisioning(
        settings=wanted,
        chain=tuple(credential.chain),
        key=credential.key,
        anchors=anchors,
        party=RelyingParty(anchors, settings.trust),
    )
