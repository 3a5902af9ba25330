"""What is known of the certificates of CAs, which come again with every chain: read once, signatures checked once.

All of it follows from the bytes of certificates alone, so that nothing kept here can be out of date, or be another's.
It is bounded: who sends many different CAs only has the usual work done for each.
"""

from __future__ import annotations

from functools import lru_cache

from pki.certificate import Certificate, read, signed_by
from pki.fit import misfits
from pki.profiles import Profile

MOST = 256


@lru_cache(maxsize=MOST)
def authority(der: bytes) -> Certificate:
    """Read the certificate of a CA; raise ValueError if any part of it is malformed."""
    return read(der)


@lru_cache(maxsize=MOST)
def issued(der: bytes, issuer: bytes) -> bool:
    """Tell whether one CA named and signed the other's certificate, both read before; ValueError if one cannot be."""
    return signed_by(authority(der).parsed, authority(issuer).parsed)


@lru_cache(maxsize=MOST)
def fits(der: bytes, row: Profile) -> bool:
    """Tell whether the certificate of a CA fits its row; raise ValueError if it cannot be read."""
    return not any(misfits(authority(der), row))
