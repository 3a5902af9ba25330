"""What a vehicle shows in each way, from the trees of both generations, and one certificate made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from lab.tls.deviation import Shows
from lab.tls.vehicle import Material, Shown
from pki import credentials
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from v2g.tls.identity import cert_sha1


@dataclass(frozen=True)
class Trees:
    """The folders of the default trees of -2 and -20 (P-521)."""

    first: Path
    second: Path

    @classmethod
    def make(cls, below: Path) -> Trees:
        for name in ("iso2", "iso20"):
            bring_up_to_date(read()[name], Store(below / name))
        return cls(below / "iso2", below / "iso20")

    @property
    def station(self) -> dict[str, dict[str, Any]]:
        """The sections of secc.toml for a station of both generations."""
        second = self.second / "leaf" / "secc" / "evse1"
        identity = {"chain": str(second / "chain.pem"), "key": str(second / "key.pem"), "root": str(self.root)}
        oem = self.second / "trust" / "oem.pem"
        return {"tls": {"identity": [identity]}, "trust": {"vehicle": [str(oem), str(self.root)]}}

    @property
    def root(self) -> Path:
        """The V2G root of -20."""
        return self.second / "trust" / "v2g.pem"

    def shown(self, role: str) -> Shown:
        """A leaf of -20."""
        leaf = self.second / "leaf" / role / "car1"
        credential = credentials.load_credential(leaf / "chain.pem", leaf / "key.pem")
        assert isinstance(credential.key, ec.EllipticCurvePrivateKey)
        return Shown(tuple(credential.chain), credential.key)

    def material(self) -> Material:
        shown = {
            Shows.VEHICLE: self.shown("vehicle"),
            Shows.CONTRACT: self.shown("contract"),
            Shows.MO_VEHICLE: self.below_the_operator(self.shown("vehicle")),
        }
        first = credentials.load_anchors(str(self.first / "trust" / "v2g.pem"))
        second = credentials.load_anchors(str(self.root))
        return Material(shown, ((3, _trusted(first)), (47, _authorities(second))))

    def below_the_operator(self, vehicle: Shown) -> Shown:
        """The same vehicle certificate, signed by a Sub-CA of the mobility operator."""
        mo = self.second / "ca" / "mo"
        issuers = [x509.load_pem_x509_certificate((mo / f"{tier}.pem").read_bytes()) for tier in ("sub2", "sub1")]
        key = load_pem_private_key((mo / "private" / "sub2.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        leaf = _moved(x509.load_der_x509_certificate(vehicle.chain[0]), issuers[0], key)
        chain = (leaf, *issuers)
        return Shown(tuple(each.public_bytes(Encoding.DER) for each in chain), vehicle.key)


def _moved(leaf: x509.Certificate, issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=issuer.subject,
        subject_name=leaf.subject,
        public_key=leaf.public_key(),
        serial_number=leaf.serial_number,
        not_valid_before=leaf.not_valid_before_utc,
        not_valid_after=leaf.not_valid_after_utc,
    )
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.AuthorityKeyIdentifier):
            value = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        builder = builder.add_extension(value, extension.critical)
    return builder.sign(key, hashes.SHA512())


def _block(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _trusted(anchors: Sequence[bytes]) -> bytes:
    return _block(b"".join(b"\x03" + cert_sha1(der).value for der in anchors))


def _authorities(anchors: Sequence[bytes]) -> bytes:
    names = [x509.load_der_x509_certificate(der).subject.public_bytes() for der in anchors]
    return _block(b"".join(map(_block, names)))
