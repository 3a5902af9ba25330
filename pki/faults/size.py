"""Certificates of an exact size: the address of their status is as long as it takes."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.faults.draft import Draft, Signing, extension, sign

_URL = "http://127.0.0.1/"
_TRIES = 1_000


def sign_sized(draft: Draft, signing: Signing, size: int) -> bytes:
    """Return the DER of a certificate of `size` bytes; raises ValueError where it has more without any address.

    Signatures on curves differ in length by a few bytes: it is signed until one fits.
    """
    length = 0
    for _ in range(_TRIES):
        data = sign(_addressed(draft, length), signing)
        if len(data) == size:
            return data
        length = max(0, length + size - len(data))
    raise ValueError(f"no certificate of {size} bytes can be made: it has {len(data)}")


def _addressed(draft: Draft, length: int) -> Draft:
    address = x509.UniformResourceIdentifier(_URL + "x" * length)
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)
    return draft.refreshed(extension(x509.AuthorityInformationAccess([access])))
