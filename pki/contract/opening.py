"""What `pki contract open` finds: the outcome of every check of one delivery, and its key, if it is the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from pki.contract import iso2 as contract2
from pki.contract import iso20 as contract20
from pki.contract.chain import Chain, chain_of
from pki.contract.checks import Check, Examination, Trust
from pki.contract.document import Document
from pki.contract.recipient import Recipient
from pki.keys import PrivateKey
from pki.profiles import Edition
from pki.validate import Policy, validate
from v2g.keywrap import additional, derivation
from v2g.messages import iso2
from v2g.messages.iso20 import common
from v2g.record import Record
from v2g.trust import Role, Verdict, Verify

EDITIONS = {
    contract2.SCHEMA: (Edition.ISO2, Edition.JOSEV),
    contract20.SCHEMA: (Edition.ISO20, Edition.ISO20_ED448),
}


class Findings(Record):
    """What was found; `size` is that of the message as EXI, 0 where it came as XML or JSON.

    The variants are empty where the key could not be opened, `additional` also in -2; `form` tells how an Ed448 key was
    sent.
    """

    message: str
    schema: str
    size: int
    code: str
    checks: list[Check]
    derivation: str = ""
    additional: str = ""
    form: str = ""

    @property
    def deviations(self) -> list[str]:
        """The variants that fitted and are not those of the standard, as we read it."""
        fitted = (
            ("key derivation", self.derivation, derivation.STANDARD.name),
            ("additional data", self.additional, additional.STANDARD.name),
        )
        return [
            f"{what} {found} instead of {standard}" for what, found, standard in fitted if found not in ("", standard)
        ]

    @property
    def tolerable(self) -> bool:
        """Whether a vehicle that tries all variants may take it."""
        return all(check.holds for check in self.checks) and self.code.startswith("OK")

    @property
    def accepted(self) -> bool:
        """Whether a vehicle that knows the standard alone may take it."""
        return self.tolerable and not self.deviations


@dataclass(frozen=True, slots=True)
class Opening:
    """One delivery, examined; `key` is proved to be the certificate's, or None. It is in no text of this."""

    findings: Findings
    chain: Sequence[bytes]
    key: PrivateKey | None = field(repr=False)


def open_delivery(
    document: Document,
    recipient: Recipient,
    anchors: Sequence[bytes],
    *,
    rooted: bool = False,
    at: datetime | None = None,
) -> Opening:
    """Make all checks of a delivery; raises ValueError for a message that delivers nothing."""
    verify: Verify = partial(_judge, anchors, EDITIONS[document.schema], at)
    trust = Trust(verify=verify, rooted=rooted, at=at)
    envelope = document.envelope
    match envelope.body:
        case iso2.CertificateInstallationRes() | iso2.CertificateUpdateRes() as response:
            chain: Chain = response.ContractSignatureCertChain
            examination: Examination[PrivateKey] = contract2.examination(response, envelope.signature, recipient, trust)
        case common.CertificateInstallationRes() as response:
            chain = response.SignedInstallationData.ContractCertificateChain
            examination = contract20.examination(response, recipient, trust)
        case other:
            raise ValueError(f"a {type(other).__name__} delivers no contract; hand over a CertificateInstallationRes")
    checks, opened = examination.all(), examination.opened
    findings = Findings(
        message=type(response).__name__,
        schema=document.schema,
        size=document.size,
        code=str(response.ResponseCode),
        checks=checks,
        derivation=opened.derivation if opened else "",
        additional=opened.additional if opened else "",
        form=opened.form if opened else "",
    )
    return Opening(findings, chain_of(chain), opened.key if opened else None)


def _judge(
    anchors: Sequence[bytes], editions: tuple[Edition, ...], at: datetime | None, chain: Sequence[bytes], role: Role
) -> Verdict:
    return validate(chain, role, anchors, at, Policy(editions=editions))
