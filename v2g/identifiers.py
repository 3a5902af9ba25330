"""Names of accounts, stations and vehicles: how they are written, checked and compared.

A check character is computed and told, but no name is refused for it unless asked to: most samples in use carry a
wrong one. Every function that reads a name raises `BadIdentifier` with what was expected.
"""

from __future__ import annotations

import re

from v2g.check_character import din, iso
from v2g.errors import V2GError

UNKNOWN_EVSE = "ZZ00000"  # (unverified) what a station without an id sends

_EMAID = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[A-Z0-9]{9}[A-Z0-9]?")
_EVSE = re.compile(r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?[Ee][A-Za-z0-9*]{1,30}")
_EVSE_DIN = re.compile(r"[0-9*]{1,64}")
_EVSE_DIN_BYTES = 32
_PCID = re.compile(r"[A-Z0-9]{17,18}")
_CONTRACT_DIN = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[A-Z0-9]{6}[0-9X]?")
# Country, operator, S, and at least 32 characters of the controller, one of them perhaps its check (unverified).
_SECC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}S[A-Z0-9]{32,58}")
# The maker's three characters of ISO 3780, then its own (unverified).
_EVCC_ISO20 = re.compile(r"[A-Z0-9]{3}[A-Z0-9]{14,61}")
_MAC = re.compile(r"[0-9A-Fa-f]{12}")
_LONGEST = 64


class BadIdentifier(V2GError, ValueError):
    """A name that is not written as its kind must be; from a peer and from a configuration alike."""

    def __init__(self, kind: str, text: str, expected: str) -> None:
        self.kind = kind
        self.text = text
        super().__init__(f"{kind} {text[:_LONGEST]!a}: expected {expected}")


def emaid(text: str, *, check: bool = False) -> str:
    """Return an EMAID as on the wire: upper case, no separators, 14 characters or 15 with its check character.

    With `check`, a check character that is there must be right.
    """
    plain = _bare(text)
    if not _EMAID.fullmatch(plain):
        raise BadIdentifier("EMAID", text, "2 letters, 3 and 9 letters or digits, and perhaps a check character")
    if check and len(plain) == 15 and plain[14] != check_character(plain[:14]):
        raise BadIdentifier("EMAID", text, f"check character {check_character(plain[:14])}")
    return plain


def same_emaid(one: str, other: str) -> bool:
    """Whether two EMAIDs name one account: case, separators and an absent check character make no difference."""
    first, second = _bare(one), _bare(other)
    if len(first) > len(second):
        first, second = second, first
    return first != "" and (
        first == second or (len(first) == 14 and _EMAID.fullmatch(second) is not None and first == second[:14])
    )


def check_character(emaid14: str) -> str:
    """Return the check character of an EMAID's first 14 characters; raises `BadIdentifier` for other input."""
    plain = _bare(emaid14)
    if len(plain) != 14 or not _EMAID.fullmatch(plain):
        raise BadIdentifier("EMAID", emaid14, "14 characters, without the check character")
    return iso(plain)


def contract_id_din(text: str, *, check: bool = False) -> str:
    """Return a contract id of DIN SPEC 91286 in capitals, without separators: 11 characters, or 12 with the check.

    With `check`, a check character that is there must be right.
    """
    plain = _bare(text.replace("*", "-"))
    if not _CONTRACT_DIN.fullmatch(plain):
        raise BadIdentifier(
            "contract id of DIN 91286", text, "2 letters, 3 and 6 letters or digits, and perhaps 0-9, X"
        )
    if check and len(plain) == 12 and plain[11] != din(plain[:11]):
        raise BadIdentifier("contract id of DIN 91286", text, f"check character {din(plain[:11])}")
    return plain


def emaid_of_din(text: str) -> str:
    """Return the EMAID, with its check character, of the account that a contract id of DIN SPEC 91286 names."""
    plain = contract_id_din(text)[:11]
    whole = f"{plain[:5]}00{plain[5:]}{din(plain)}"
    return whole + iso(whole)


def din_of_emaid(text: str) -> str | None:
    """Return the contract id of DIN SPEC 91286, with its check character, of an EMAID; None for one that has none.

    Those have one whose nine characters are 00, or C0 as of eMI3, then the six of DIN and their check character.
    """
    plain = emaid(text)
    short = plain[:5] + plain[7:13]
    return short + plain[13] if plain[5:7] in ("00", "C0") and plain[13] == din(short) else None


def evse_id(text: str) -> str:
    """Return an EVSEID of -2 unchanged, 7 to 37 characters such as `DE*ABC*E1234`; cars compare it literally."""
    if text != UNKNOWN_EVSE and not (7 <= len(text) <= 37 and _EVSE.fullmatch(text)):
        raise BadIdentifier("EVSEID", text, "country*operator*E..., 7 to 37 characters, such as DE*ABC*E1234")
    return text


def evse_id_din(text: str) -> str:
    """Return an EVSEID of DIN 91286 unchanged, digits and `*` such as `49*89*6360`, at most 64 of them."""
    if not _EVSE_DIN.fullmatch(text):
        raise BadIdentifier("EVSEID of DIN 91286", text, "up to 64 digits and *, such as 49*89*6360")
    return text


def evse_bytes_din(text: str) -> bytes:
    """Return an EVSEID as DIN 70121 carries it: a digit for each character, A for `*`, B to fill the last byte.

    An id with letters has no such form. It goes as its characters, as stations in the field send it, cut to 32.
    """
    if _EVSE_DIN.fullmatch(text):
        digits = text.replace("*", "A")
        return bytes.fromhex(digits + "B" * (len(digits) % 2))
    return text.encode("ascii", "replace")[:_EVSE_DIN_BYTES]


def evse_text_din(evse: bytes) -> str:
    """Return an EVSEID of DIN 70121 as people read it; what is neither text nor digits is told in hex."""
    text = evse.decode("latin-1")
    if _EVSE.fullmatch(text):
        return text
    digits = evse.hex().upper()
    plain = digits.removesuffix("B").replace("A", "*")
    if _EVSE_DIN.fullmatch(plain):
        return plain
    return text if text.isascii() and text.isprintable() else digits


def evcc_id(text: str) -> bytes:
    """Return the 6 bytes of an EVCCID of DIN and -2, a MAC address with or without `:` or `-`."""
    plain = text.strip().replace(":", "").replace("-", "")
    if not _MAC.fullmatch(plain):
        raise BadIdentifier("EVCCID", text, "a MAC address of 6 bytes, such as 02:00:00:00:00:01")
    return bytes.fromhex(plain)


def evcc_text(evcc: bytes) -> str:
    """Return an EVCCID as people read it, `02:00:00:00:00:01`; any length, as cars pad it or leave it empty."""
    return evcc.hex(":").upper()


def pcid(text: str) -> str:
    """Return a provisioning certificate id in upper case: 17 characters, or 18 with its check character."""
    plain = _bare(text)
    if not _PCID.fullmatch(plain):
        raise BadIdentifier("PCID", text, "17 or 18 letters and digits")
    return plain


def secc_id(text: str) -> str:
    """Return a SECCID of -20 in capitals, without separators: country, operator, S and 32 characters or more."""
    plain = _bare(text.replace("*", "-"))
    if not _SECC.fullmatch(plain):
        raise BadIdentifier("SECCID", text, "country, operator, S and 32 to 58 letters or digits")
    return plain


def evcc_id_iso20(text: str) -> str:
    """Return an EVCCID of -20 in capitals, 17 to 64 letters and digits that begin with the maker's WMI."""
    plain = _bare(text)
    if not _EVCC_ISO20.fullmatch(plain):
        raise BadIdentifier("EVCCID of -20", text, "17 to 64 letters and digits, such as WMIV1234567890ABCDEX")
    return plain


def _bare(text: str) -> str:
    # Outside ASCII several characters share an upper case letter: those are left to fail.
    return text.strip().replace("-", "").upper() if text.isascii() else text
