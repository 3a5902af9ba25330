"""Certificates as OCSP requests over MQTT name them: hashes and a number instead of DER."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki.fetch import responders
from pki.ocsp import CertId, cert_id
from secc import api

LONGEST_URL = 512


def request_data(certificate: x509.Certificate, issuer: x509.Certificate) -> api.OcspRequestData:
    """Name a certificate, and the first responder it names itself. Raises ValueError for an issuer's key unknown here.

    A responder at a longer address than anybody asks is left out.
    """
    named = cert_id(certificate.serial_number, issuer, hashes.SHA256())
    urls = [url for url in responders(certificate) if len(url) <= LONGEST_URL]
    return api.OcspRequestData(
        hash_algorithm="SHA256",
        issuer_name_hash=named.name_hash.hex(),
        issuer_key_hash=named.key_hash.hex(),
        serial_number=f"{named.serial:x}",
        responder_url=urls[0] if urls else None,
    )


def cert_id_of(data: api.OcspRequestData) -> CertId:
    """Read such a name. Raises ValueError for what is no hexadecimal number."""
    name, key = bytes.fromhex(data.issuer_name_hash), bytes.fromhex(data.issuer_key_hash)
    return CertId(hashes.SHA256(), name, key, int(data.serial_number, 16))
