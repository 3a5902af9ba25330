"""A vehicle of -20 that asks for a contract, and what it makes of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pki.certificate import Certificate, read
from pki.contract import iso20
from pki.contract.recipient import Recipient, agreeing_key
from pki.keys import PrivateKey
from pki.operator import Operator
from pki.store import Store
from v2g.messages.iso20 import common, common_types
from v2g.messages.xmldsig import Signature, X509IssuerSerial
from v2g.protocols import schema
from v2g.signature import sign

EXI = schema("iso20.common")
EMAID = "DEPCGC00000001V"
PLACE = "leaf/oem-provisioning/car1"
SESSION = bytes.fromhex("0102030405060708")
ELEMENT = "OEMProvisioningCertificateChain"
ROOTS = common_types.ListOfRootCertificateIDs(
    RootCertificateID=[X509IssuerSerial(X509IssuerName="CN=V2G Root CA", X509SerialNumber=1)]
)


@dataclass(frozen=True)
class Vehicle:
    """What its maker gave it: a chain, the key that signs, and the key that agrees, which may be the same."""

    chain: list[bytes]
    key: PrivateKey
    recipient: Recipient

    @property
    def leaf(self) -> Certificate:
        return read(self.chain[0])


@dataclass(frozen=True)
class Tree:
    """A tree of -20: who delivers, and to whom."""

    store: Store
    operator: Operator
    vehicle: Vehicle


def stage(folder: Path) -> Tree:
    """The vehicle `car1` of a tree, and the operator of its contract."""
    store = Store(folder)
    issued = store.load(PLACE)
    operator = Operator(store)
    chain = operator.completed(issued.der)
    recipient = Recipient(
        key=issued.second or agreeing_key(issued.key), pcid=read(chain[0]).common_name, experimental=True
    )
    return Tree(store, operator, Vehicle(chain, issued.key, recipient))


def signed(chain: common.SignedCertificateChain, key: PrivateKey) -> Signature:
    """The signature over the chain of a request."""
    return sign([(chain.Id, EXI.encode_fragment(chain, ELEMENT))], key, "iso20.common")


def request(vehicle: Vehicle, key: PrivateKey | None = None, **fields: Any) -> common.CertificateInstallationReq:
    """A request of the vehicle, signed with its key or another; `fields` are changed after that."""
    chain = iso20.request_chain(vehicle.chain)
    asked = common.CertificateInstallationReq(
        Header=iso20.header(SESSION, signed(chain, key or vehicle.key)),
        OEMProvisioningCertificateChain=chain,
        ListOfRootCertificateIDs=ROOTS,
        MaximumContractCertificateChains=1,
    )
    return msgspec.structs.replace(asked, **fields)
