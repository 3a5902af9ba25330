"""Who may enrol: secrets made, kept as hashes, and found again in HTTP's Authorization (basic or bearer)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets

from pki.serve.state import Secret, State

CHALLENGE = {"WWW-Authenticate": 'Basic realm="EST", charset="UTF-8", Bearer realm="EST"'}
LEAST = 12
"""Characters of a secret that somebody chose."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST = 512
_KNOWN = 256
"""Logins that are remembered as right, so that only the first of each costs its hash."""


def check_name(name: str) -> None:
    """Raise ValueError for what names no secret."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"name {name[:64]!a}: use up to 64 letters, digits, '_' and '-'")


def make(name: str, secret: str | None = None) -> tuple[Secret, str]:
    """Return what is kept of a secret, and the secret, made where none is given; raise ValueError for unfit ones."""
    check_name(name)
    plain = secrets.token_urlsafe(24) if secret is None else secret
    if not LEAST <= len(plain.encode()) <= _LONGEST:
        raise ValueError(f"a secret of {len(plain)} characters; choose {LEAST} or more, or leave it to the server")
    salt = secrets.token_bytes(16)
    return Secret(name=name, salt=salt, digest=_digest(plain, salt)), plain


def claimed(header: str) -> tuple[str, str] | None:
    """Read name and secret of an Authorization header: basic, or a bearer token NAME.SECRET; None for anything else."""
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        name, _, secret = value.strip().partition(".")
    elif scheme.lower() == "basic":
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        name, _, secret = text.partition(":")
    else:
        return None
    if not _NAME.fullmatch(name) or not secret or len(secret.encode()) > _LONGEST:
        return None
    return name, secret


class Door:
    """Lets in who knows a secret; blocks for the time of a hash, so it is asked in threads."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._salt = secrets.token_bytes(32)
        self._known: dict[bytes, Secret] = {}

    def opens(self, header: str) -> str | None:
        """Return the name that an Authorization header proves, or None; raises `Unavailable`."""
        claim = claimed(header)
        if claim is None:
            return None
        name, secret = claim
        kept = self._state.secret(name)
        # The hash is made for unknown names too: the time tells nobody which names there are.
        mark = hmac.digest(self._salt, header.encode(), "sha256")
        if kept is not None and self._known.get(mark) == kept:
            return name
        digest = _digest(secret, kept.salt if kept else self._salt[:16])
        if kept is None or not hmac.compare_digest(digest, kept.digest):
            return None
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[mark] = kept
        return name


def _digest(secret: str, salt: bytes) -> bytes:
    """Hash a secret slowly, with 16 MiB of memory: one that somebody chose is guessed no faster."""
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
