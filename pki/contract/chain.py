"""Chains of certificates as messages of both editions carry them: a leaf, and what stands between it and the root."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID


class Subs(Protocol):
    """The certificates below the root, the leaf's issuer first."""

    @property
    def Certificate(self) -> Sequence[bytes]:
        """They, as DER."""


class Chain(Protocol):
    """A chain in a message of either edition."""

    @property
    def Certificate(self) -> bytes:
        """The leaf, as DER."""

    @property
    def SubCertificates(self) -> Subs | None:
        """The others, if there are any."""


def chain_of(message: Chain) -> list[bytes]:
    """The DER certificates of a chain in a message, leaf first."""
    return [message.Certificate, *(message.SubCertificates.Certificate if message.SubCertificates else ())]


def common_name(der: bytes) -> str:
    """The CN of a certificate, empty where it has none; raises ValueError for what is no certificate."""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
