"""The checks that a delivered contract goes through, of either edition, in their order: each can fail by itself.

A vehicle takes all of a delivery or nothing, and stops at the first flaw; a laboratory hears of every one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from pki.certificate import Certificate, read
from v2g import identifiers, signature
from v2g.errors import Untrusted
from v2g.exi.message import Message
from v2g.keywrap.wrapped import Key, Opened
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.record import Record
from v2g.trust import Role, Rule, Verify


class Flaw(StrEnum):
    """Why a delivery is not accepted, in the order of the checks."""

    PROVIDER = "provider"
    SIGNATURE = "signature"
    CHAIN = "contract-chain"
    EMAID = "emaid"
    KEY = "key"


class NotAccepted(Untrusted):
    """A delivery that must not be used; `flaw` names the check that it failed."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        self.flaw = flaw
        super().__init__(f"delivered contract, {flaw}", detail)


class Check(Record):
    """The outcome of one check; `detail` says what was found, or what is wrong."""

    check: Flaw
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Received(Generic[Key]):
    """A contract that passed every check; `chain` is DER, leaf first and without the root."""

    emaid: str
    chain: Sequence[bytes]
    key: Key
    opened: Opened[Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Generic[Key]):
    """What was delivered, without the packing of its edition.

    `parts` are what has to be signed, each with the name of its element where its class does not tell; `emaid` is None
    where the message has none; `open` decrypts the key and proves it to be that of the certificate, or raises
    `Untrusted`.
    """

    schema: str
    provider: Sequence[bytes]
    chain: Sequence[bytes]
    parts: Sequence[tuple[Message, str | None]]
    emaid: str | None
    open: Callable[[Certificate], Opened[Key]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How the receiver judges: `verify` the chains of provider and contract, at a time (now where it is None).

    A vehicle need not know the roots of mobility operators: unless `rooted`, a contract under an unknown root is taken
    as the provider signed it, if it is valid.
    """

    verify: Verify
    rooted: bool = False
    at: datetime | None = None


class Examination(Generic[Key]):
    """One delivery under examination; every check can be made whatever the others say."""

    def __init__(self, parcel: Parcel[Key], signed: Signature | None, trust: Trust) -> None:
        self._parcel = parcel
        self._signed = signed
        self._trust = trust
        self.opened: Opened[Key] | None = None
        self._checks: dict[Flaw, Callable[[], str]] = {
            Flaw.PROVIDER: self._provider,
            Flaw.SIGNATURE: self._signature,
            Flaw.CHAIN: self._chain,
            Flaw.EMAID: self._emaid,
            Flaw.KEY: self._key,
        }

    def receive(self) -> Received[Key]:
        """Make the checks up to the first that fails; raises `NotAccepted`."""
        for flaw in self._checks:
            self._made(flaw)
        if self.opened is None:
            raise NotAccepted(Flaw.KEY, "it was not opened")
        chain = tuple(self._parcel.chain)
        return Received(identifiers.emaid(self._leaf().common_name), chain, self.opened.key, self.opened)

    def all(self) -> list[Check]:
        """Make all checks, and tell the outcome of each."""
        return [self._told(flaw) for flaw in self._checks]

    def _told(self, flaw: Flaw) -> Check:
        try:
            return Check(check=flaw, holds=True, detail=self._made(flaw))
        except NotAccepted as error:
            return Check(check=flaw, holds=False, detail=error.detail)

    def _made(self, flaw: Flaw) -> str:
        """Make a check; whatever it raises is a flaw."""
        try:
            return self._checks[flaw]()
        except NotAccepted:
            raise
        except Untrusted as error:
            raise NotAccepted(flaw, error.detail if flaw is Flaw.KEY else str(error)) from error
        except ValueError as error:
            raise NotAccepted(flaw, str(error)) from error

    def _provider(self) -> str:
        verdict = self._trust.verify(self._parcel.provider, Role.CPS)
        if verdict.broken is not None:
            raise NotAccepted(Flaw.PROVIDER, f"{verdict.broken}: {verdict.detail}")
        return f"{verdict.subject} under {verdict.anchor}"

    def _signature(self) -> str:
        """Demand that the provider signed exactly the parts."""
        if self._signed is None:
            raise NotAccepted(Flaw.SIGNATURE, "the response is not signed")
        codec = schema(self._parcel.schema)
        forms = {
            str(getattr(part, "Id", None) or ""): codec.fragment_forms(part, name) for part, name in self._parcel.parts
        }
        key = _key_of(read(self._parcel.provider[0]))
        verified = signature.verify(self._signed, forms, key, self._parcel.schema)
        if len(forms) < len(self._parcel.parts):
            raise NotAccepted(Flaw.SIGNATURE, "two parts share an Id, or have none")
        return str(verified)

    def _chain(self) -> str:
        verdict = self._trust.verify(self._parcel.chain, Role.CONTRACT)
        unknown = verdict.broken is Rule.ANCHOR and not self._trust.rooted
        if verdict.broken is not None and not unknown:
            raise NotAccepted(Flaw.CHAIN, f"{verdict.broken}: {verdict.detail}")
        # A chain whose root is unknown is judged no further than to that.
        at = self._trust.at or datetime.now(UTC)
        for each in map(read, self._parcel.chain):
            if not each.not_before <= at <= each.not_after:
                raise NotAccepted(Flaw.CHAIN, f"{each.parsed.subject.rfc4514_string()} is not valid now")
        return "its root is unknown here; it is valid now" if unknown else f"under {verdict.anchor}"

    def _emaid(self) -> str:
        name = self._leaf().common_name
        if self._parcel.emaid is not None and not identifiers.same_emaid(self._parcel.emaid, name):
            raise NotAccepted(Flaw.EMAID, "the eMAID is not the one of the contract certificate")
        return identifiers.emaid(name)

    def _key(self) -> str:
        self.opened = self._parcel.open(self._leaf())
        return str(self.opened)

    def _leaf(self) -> Certificate:
        return read(self._parcel.chain[0])


def _key_of(certificate: Certificate) -> PublicKeyTypes:
    if certificate.key is None:
        raise ValueError("the certificate's key cannot be read")
    return certificate.key
