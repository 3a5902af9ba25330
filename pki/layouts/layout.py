"""What a layout is made of: files, each with the place in a tree it is made from, and goes to when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cached_property
from types import MappingProxyType

from v2g.trust import Role

MAX_PASSWORD = 1023
"""Bytes; OpenSSL takes no longer one for a key."""


class Form(StrEnum):
    """What a file holds, and how."""

    PEM = "pem"
    """The certificates of its places, one after the other."""
    DER = "der"
    """One certificate."""
    KEY = "key"
    """A private key as PEM, the way OpenSSL wrote them before PKCS#8 ("EC PRIVATE KEY"); Ed448 has PKCS#8 alone."""
    PKCS8 = "pkcs8"
    """A private key as PKCS#8 PEM."""
    PKCS8_DER = "pkcs8-der"
    P12 = "p12"
    """The certificates of its places as PKCS#12, with the key of the first."""
    PASSWORD = auto()
    """The password of the key of its place, on one line; an empty line says that there is none."""
    STAPLE = "ocsp-response"
    """What an OCSP responder said of its place, where the tree has it."""
    STAPLE_ID = "ocsp-id"
    """Whom that is about, in lines of text: hash algorithm, hashes of the issuer's name and key, serial number."""

    @property
    def keyed(self) -> bool:
        """Tell whether there is a private key in it."""
        return self in (Form.KEY, Form.PKCS8, Form.PKCS8_DER, Form.P12)

    @property
    def secret(self) -> bool:
        """Tell whether only its owner may read it."""
        return self.keyed or self is Form.PASSWORD


@dataclass(frozen=True, slots=True)
class File:
    """One row: `path` below the folder of the layout, `places` in their order, `label` the friendly name of a P12.

    A place is "ca/<branch>/<name>", or "leaf/<role>" for the one leaf of that role that a layout has room for.
    """

    path: str
    form: Form
    places: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class Layout:
    """A table of files. `folders` holds them below the folder named to us: for keys on P-256, and for all others.

    Without the places in `demanded` nobody could use it, for the `reason` given. `password` protects keys where no
    other is wanted; an empty one leaves them open. `suites` are the keys its reader knows (none: all). Where file names
    alone tell what is in them, `kin` matches all such names: files are looked for in every folder below.
    """

    name: str
    files: tuple[File, ...]
    password: bytes
    demanded: tuple[str, ...]
    reason: str
    folders: tuple[str, str] = ("", "")
    suites: tuple[str, ...] = ()
    kin: str = ""

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Every place a layout has room for."""
        return tuple(dict.fromkeys(place for file in self.files for place in file.places))

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        """The roles it has room for a leaf of."""
        return tuple(Role(place.removeprefix("leaf/")) for place in self.places if place.startswith("leaf/"))

    def of(self, *forms: Form) -> Iterator[File]:
        """Yield the rows of some forms."""
        return (file for file in self.files if file.form in forms)


LEAF_IDS = MappingProxyType(
    {Role.SECC: "evse1", Role.CONTRACT: "car1", Role.OEM_PROVISIONING: "car1", Role.VEHICLE: "car1", Role.CPS: "cps1"}
)
"""What a leaf is called that comes from a layout, which has no names for them: as in the built-in tree."""


def leaf_place(role: Role) -> str:
    """Return the place of the one leaf of a role."""
    return f"leaf/{role}"


def table(*rows: File | Iterable[File]) -> tuple[File, ...]:
    """Return single and grouped rows as one table."""
    return tuple(file for row in rows for file in ([row] if isinstance(row, File) else row))
