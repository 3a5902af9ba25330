"""What `pki contract issue` is asked to make: a contract for a vehicle, from a tree, from files, or from a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from pki import credentials
from pki.certificate import Certificate, read
from pki.contract import document as documents
from pki.contract import iso2 as contract2
from pki.contract import iso20 as contract20
from pki.contract.document import Document
from pki.contract.manner import STANDARD, Manner
from pki.contract.recipient import receiver_key
from pki.credentials import Credential
from pki.keys import ED448, PublicKey
from pki.operator import Operator, edition_of
from pki.options import DEFAULT, Options
from pki.provisioning import ProvisioningService
from pki.provisioning_iso20 import ProvisioningService20, expect
from pki.store import Store
from v2g import identifiers
from v2g.dialect import Envelope
from v2g.errors import Refused, Undecodable
from v2g.exi.message import Message
from v2g.iso2 import ISO2
from v2g.trust import Role


@dataclass(frozen=True, kw_only=True)
class Order:
    """A wish for a delivery; what is left out comes from the tree, whose keys tell the edition if none is demanded.

    `leaf` is the id of the receiver in the tree, `receiver` a file with its certificate; `update` delivers to the owner
    of an old contract instead of a provisioning certificate; `contract` and `provider` are files of chain and key;
    `options` are those the tree was made by.
    """

    tree: Path
    edition: str = ""
    emaid: str | None = None
    pcid: str | None = None
    leaf: str | None = None
    receiver: Path | None = None
    contract: tuple[Path, Path] | None = None
    provider: tuple[Path, Path] | None = None
    update: bool = False
    session_id: bytes = bytes(8)
    manner: Manner = STANDARD
    options: Options = DEFAULT

    def delivered(self) -> Document:
        """Make the delivery; raises ValueError naming what is missing or does not fit."""
        vehicle = self._receiver()
        contract = self._contract(vehicle)
        provider = credentials.load_credential(*self.provider) if self.provider else self._operator.provider
        edition = edition_of(contract.key)
        if self.edition not in ("", edition):
            raise ValueError(f"the contract's key is of {edition}, not of {self.edition}: name a tree of that edition")
        if not edition.second:
            return self._iso2(contract, vehicle, provider)
        if self.update:
            raise ValueError("-20 knows no update: leave out --update")
        pcid = vehicle.common_name if self.pcid is None else self.pcid
        receiver = receiver_key(vehicle, self.options, second=ED448.fits(contract.key))
        delivery = contract20.deliver(contract, receiver, provider, pcid, self.manner)
        return Document(contract20.SCHEMA, delivery.installed(self.session_id))

    def answered(self, file: Path) -> tuple[Document, str]:
        """Answer a request in a file; tells why, where it is refused. Raises ValueError for what is no request."""
        request = documents.load(file)
        try:
            return self._answered20(request) if request.schema == contract20.SCHEMA else self._answered2(request)
        except Undecodable as error:
            raise ValueError(str(error)) from error

    def _answered2(self, request: Document) -> tuple[Document, str]:
        service = ProvisioningService(self._operator, manner=self.manner)
        try:
            return _packed(service.fulfil(request.envelope)), ""
        except Refused as refusal:
            return _packed(service.refusal(request.envelope, refusal.code)), str(refusal)

    def _answered20(self, request: Document) -> tuple[Document, str]:
        service = ProvisioningService20(self._operator, self.manner)
        asked = expect(request.message)
        try:
            return Document(contract20.SCHEMA, service.fulfil(asked)), ""
        except Refused as refusal:
            return Document(contract20.SCHEMA, service.refusal(asked, refusal.code)), str(refusal)

    def _iso2(self, contract: Credential, vehicle: Certificate, provider: Credential) -> Document:
        delivery = contract2.deliver(contract, _key(vehicle), provider, self.manner)
        body = delivery.updated() if self.update else delivery.installed()
        return _packed(Envelope(session_id=self.session_id, body=body, signature=delivery.signature))

    @cached_property
    def _operator(self) -> Operator:
        return Operator(Store(self.tree), options=self.options)

    def _contract(self, vehicle: Certificate) -> Credential:
        """The contract to deliver: a given one, or a new one of the account."""
        if self.contract is not None:
            return credentials.load_credential(*self.contract)
        if self.emaid is not None:
            return self._operator.new_contract(self.emaid)
        name = vehicle.common_name
        account = identifiers.emaid(name) if self.update else self._operator.account(name)
        if account is None:
            raise ValueError(f"{self.tree}: no contract belongs to {name}; name one with --emaid")
        return self._operator.new_contract(account)

    def _receiver(self) -> Certificate:
        """The certificate for whose owner the delivery is."""
        if self.receiver is not None:
            return read(credentials.load_chain(self.receiver)[0])
        role = Role.CONTRACT if self.update else Role.OEM_PROVISIONING
        fitting = [each for each in self._leaves(role) if self._named(each)]
        if len(fitting) > 1 and self.emaid is not None:
            fitting = [each for each in fitting if self._has_account(each[1])]
        if len(fitting) == 1:
            return fitting[0][1]
        found = ", ".join(name for name, _ in fitting)
        why = f"several {role} leaves fit ({found}): name one with --leaf" if found else f"no such {role} leaf"
        raise ValueError(f"{self.tree}: {why}; or give the certificate of the receiver with --receiver")

    def _named(self, leaf: tuple[str, Certificate]) -> bool:
        """Tell whether a leaf of the tree may be the receiver meant, by its id or its PCID."""
        name, certificate = leaf
        if self.leaf is not None:
            return name == self.leaf
        return self.update or self.pcid is None or identifiers.pcid(self.pcid) == certificate.common_name.upper()

    def _has_account(self, receiver: Certificate) -> bool:
        """Tell whether the receiver has the account meant."""
        name = receiver.common_name
        account = name if self.update else self._operator.account(name)
        return identifiers.same_emaid(self.emaid or "", account or "")

    def _leaves(self, role: Role) -> Iterator[tuple[str, Certificate]]:
        store = Store(self.tree)
        for place in store.places():
            if place.startswith(f"leaf/{role}/"):
                der = store.load_certificate(place).public_bytes(Encoding.DER)
                yield place.rpartition("/")[2], read(der)


def _key(certificate: Certificate) -> PublicKey:
    if isinstance(certificate.key, PublicKey):
        return certificate.key
    raise ValueError("the receiver's key is none that -2 delivers to; name a certificate on P-256")


def _packed(envelope: Envelope) -> Document:
    message: Message = ISO2.wrap(envelope)
    return Document(contract2.SCHEMA, message)
