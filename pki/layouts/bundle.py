"""Reads one file of certificates, however it is packed: a PEM bundle, the answer of an EST server, PKCS#7, PKCS#12.

Nothing in it has a name: what a certificate is for follows from what it says and from who issued whom.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pki.ancestry import issuers, self_signed
from pki.certificate import Certificate
from pki.keys import PrivateKey
from pki.layouts import forms
from pki.layouts.forms import Locked
from pki.layouts.found import Found, read_file
from pki.layouts.layout import Form, leaf_place
from pki.profiles import Branch, Edition, Tier, profile, profiles
from pki.roles import guessed_role
from v2g.trust import Role

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\s*", re.DOTALL)


def read_bundle(
    path: Path, password: bytes | None = None, *, role: Role | None = None, key: Path | None = None
) -> Found:
    """Return what lies in a file, by place; `role` says what a leaf is for that does not, `key` where its key lies.

    Raise ValueError naming the file for what is missing, damaged, locked or ambiguous.
    """
    data = read_file(path)
    if data is None:
        raise ValueError(f"{path}: no such file")
    passwords = [] if password is None else [password]
    try:
        secrets, certificates = _unpack(data, passwords)
        places = _places(certificates, role)
    except ValueError as error:
        remedy = "give its password with --password" if isinstance(error, Locked) else "name a file of certificates"
        raise ValueError(f"{path}: {error}; {remedy}") from error
    found = Found()
    for place, certificate in zip(places, certificates, strict=True):
        found.add(place, certificate, path)
    for secret, source in [*((each, path) for each in secrets), *_key_of(key, passwords)]:
        found.add_key(_owner(found.certificates, secret, source), secret, source)
    return found


def _unpack(data: bytes, passwords: Sequence[bytes]) -> tuple[list[PrivateKey], list[Certificate]]:
    """Return keys and certificates, without repetitions."""
    keys: list[PrivateKey] = []
    certificates: list[Certificate] = []
    blocks = list(_BLOCK.finditer(data))
    if not blocks:
        keys, certificates = _binary(data, passwords)
    for block in blocks:
        kind, text = block[1], block[0]
        if kind == b"CERTIFICATE":
            certificates += forms.certificates(Form.PEM, text)
        elif kind in (b"PKCS7", b"CMS"):
            certificates += forms.pkcs7_certificates(_body(text))
        elif kind.endswith(b"PRIVATE KEY"):
            keys.append(forms.key(Form.KEY, text, passwords))
    if not certificates:
        raise ValueError("holds no certificates")
    return keys, list({certificate.der: certificate for certificate in certificates}.values())


def _body(text: bytes) -> bytes:
    return _unbase64(b"".join(text.strip().splitlines()[1:-1]))


def _unbase64(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("holds neither PEM, nor DER, nor base64") from error


def _binary(data: bytes, passwords: Sequence[bytes]) -> tuple[list[PrivateKey], list[Certificate]]:
    """Read a DER certificate, PKCS#7 or PKCS#12, or base64 of one, as EST servers answer."""
    der = data if data[:1] == b"\x30" else _unbase64(data)
    for read in (forms.pkcs7_certificates, lambda der: forms.certificates(Form.DER, der)):
        try:
            return [], read(der)
        except ValueError:
            continue
    key, certificates = forms.p12(der, passwords)
    return ([] if key is None else [key]), certificates


def _places(certificates: Sequence[Certificate], role: Role | None) -> list[str]:
    """Return the place of each certificate; raise ValueError where nothing tells."""
    above = issuers(dict(enumerate(certificates)))
    places: dict[int, str] = {}
    for number, certificate in enumerate(certificates):
        if not certificate.ca and not self_signed(certificate):
            its = role or _role(certificate)
            places[number] = leaf_place(its)
            places |= _authorities(above[number], certificates, above, profile(its, Edition.ISO20).branch)
    for number, certificate in enumerate(certificates):
        if number not in places:
            places[number] = _authority(certificate, role, set(places.values()))
    return [places[number] for number in range(len(certificates))]


def _role(certificate: Certificate) -> Role:
    guess = guessed_role(certificate, root=False)
    if not guess:
        raise ValueError("neither DC nor EMAID says what its leaf is for; say it with --role")
    return Role(guess)


def _authorities(
    at: int | None, certificates: Sequence[Certificate], above: Mapping[int, int | None], branch: Branch
) -> dict[int, str]:
    """Return the places of the Sub-CAs above a leaf."""
    places: dict[int, str] = {}
    for tier in (Tier.SUB2, Tier.SUB1):
        if at is not None and not self_signed(certificates[at]):
            places[at] = f"ca/{branch}/{tier}"
            at = above[at]
    return places


def _authority(certificate: Certificate, role: Role | None, taken: set[str]) -> str:
    """Return the place of a CA above no leaf: by its DC, or the branch of a role."""
    branch = profile(role, Edition.ISO20).branch if role else None
    if not self_signed(certificate):
        tier = Tier.SUB1 if certificate.path_length else Tier.SUB2
        return f"ca/{branch or _branch(certificate)}/{tier}"
    guess = guessed_role(certificate, root=True).removesuffix(f"-{Tier.ROOT}")
    if not guess and branch is None:
        raise ValueError("no DC says whose root is in it; say it with --role")
    kind = guess or (branch if branch in (Branch.MO, Branch.OEM) else Branch.V2G)
    place, number = f"ca/{kind}/{Tier.ROOT}", 1
    # Several roots may be valid at once [V2G2-878].
    while place in taken:
        number += 1
        place = f"ca/{kind}/{Tier.ROOT}{number}"
    return place


def _branch(certificate: Certificate) -> Branch:
    for row in profiles(Edition.ISO2).values():
        if row.tier is Tier.SUB2 and certificate.components == (row.dc,):
            return row.branch
    raise ValueError("no DC says whose Sub-CA is in it; say it with --role")


def _key_of(path: Path | None, passwords: Sequence[bytes]) -> list[tuple[PrivateKey, Path]]:
    """Read the key that lies apart from its certificate."""
    if path is None:
        return []
    data = read_file(path)
    if data is None:
        raise ValueError(f"{path}: no such file")
    try:
        return [(forms.key(Form.KEY if b"-----BEGIN" in data else Form.PKCS8_DER, data, passwords), path)]
    except ValueError as error:
        remedy = "give its password with --password" if isinstance(error, Locked) else "name a file with a private key"
        raise ValueError(f"{path}: {error}; {remedy}") from error


def _owner(certificates: Mapping[str, Certificate], key: PrivateKey, source: Path) -> str:
    for place, certificate in certificates.items():
        if certificate.key == key.public_key():
            return place
    raise ValueError(f"{source}: the key of none of the certificates; take both from one source")
