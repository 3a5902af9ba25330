"""What a text may be the name of: every identifier that fits, its normal form, and if its check character is right.

A wrong check character is told and never refused: most samples in use carry one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from v2g import identifiers
from v2g.check_character import din, iso
from v2g.identifiers import BadIdentifier
from v2g.record import Record

_EVCC_ISO20 = "EVCCID of -20"
Check = Literal["right", "wrong", "absent", "none", "unknown"]
"""Of a check character: `none` where the kind has none, `unknown` where nothing free says how it is computed."""


class Identified(Record):
    """One reading of a text.

    `normal` is the form to compare and to send, `written` the one for people; `expected` is the right check character
    where it can be computed, `others` the same in other forms.
    """

    kind: str
    normal: str
    written: str
    check: Check
    expected: str = ""
    others: dict[str, str] = {}

    @property
    def verdict(self) -> str:
        """What is to be said of the check character."""
        return {
            "right": f"check character {self.expected} is right",
            "wrong": f"check character is wrong, {self.expected} would be right",
            "absent": f"without check character, which would be {self.expected}",
            "none": "has no check character",
            "unknown": "how its check character is computed is not free to read: not checked",
        }[self.check]


def identify(text: str) -> list[Identified]:
    """Tell everything a text may be, the likeliest first; nothing where it is no identifier at all."""
    found = [found for read in _READERS for found in _tried(read, text)]
    kinds = {each.kind for each in found}
    return [*found, _short_evcc_iso20(found[0])] if "EMAID" in kinds and _EVCC_ISO20 not in kinds else found


def _short_evcc_iso20(emaid: Identified) -> Identified:
    """Read an EMAID as the CN of a vehicle, which may be any text [V2G20-2598]: certificates may bear either."""
    return Identified(kind=_EVCC_ISO20, normal=emaid.normal, written=emaid.normal, check="unknown")


def _tried(read: Callable[[str], Identified], text: str) -> Iterator[Identified]:
    try:
        yield read(text)
    except BadIdentifier:
        return


def _checked(plain: str, size: int, compute: Callable[[str], str]) -> tuple[Check, str]:
    """Judge the check character behind `size` characters."""
    expected = compute(plain[:size])
    if len(plain) == size:
        return "absent", expected
    return ("right" if plain[size] == expected else "wrong"), expected


def _joined(*parts: str) -> str:
    return "-".join(part for part in parts if part)


def _emaid(text: str) -> Identified:
    plain = identifiers.emaid(text)
    check, expected = _checked(plain, 14, iso)
    din_form = identifiers.din_of_emaid(plain)
    return Identified(
        kind="EMAID",
        normal=plain,
        written=_joined(plain[:2], plain[2:5], plain[5:14], plain[14:]),
        check=check,
        expected=expected,
        others={"contract id of DIN 91286": din_form} if din_form else {},
    )


def _din(text: str) -> Identified:
    plain = identifiers.contract_id_din(text)
    check, expected = _checked(plain, 11, din)
    return Identified(
        kind="contract id of DIN 91286",
        normal=plain,
        written=_joined(plain[:2], plain[2:5], plain[5:11], plain[11:]),
        check=check,
        expected=expected,
        others={"EMAID": identifiers.emaid_of_din(plain)},
    )


def _pcid(text: str) -> Identified:
    plain = identifiers.pcid(text)
    return Identified(kind="PCID", normal=plain, written=_joined(plain[:3], plain[3:17], plain[17:]), check="unknown")


def _secc(text: str) -> Identified:
    plain = identifiers.secc_id(text)
    written = _joined(plain[:2], plain[2:5], plain[5:])
    return Identified(kind="SECCID", normal=plain, written=written, check="unknown")


def _evcc_iso20(text: str) -> Identified:
    plain = identifiers.evcc_id_iso20(text)
    return Identified(kind=_EVCC_ISO20, normal=plain, written=plain, check="unknown")


def _mac(text: str) -> Identified:
    written = identifiers.evcc_text(identifiers.evcc_id(text))
    return Identified(kind="EVCCID of DIN and -2", normal=written.replace(":", ""), written=written, check="none")


def _evse(text: str) -> Identified:
    plain = identifiers.evse_id(text.strip())
    others = {"EVSEID without separators": plain.replace("*", "")} if "*" in plain else {}
    return Identified(kind="EVSEID", normal=plain, written=plain, check="none", others=others)


def _evse_din(text: str) -> Identified:
    plain = identifiers.evse_id_din(text.strip())
    others = {"bytes in DIN 70121": identifiers.evse_bytes_din(plain).hex()}
    return Identified(kind="EVSEID of DIN 91286", normal=plain, written=plain, check="none", others=others)


_READERS = (_emaid, _din, _pcid, _secc, _evcc_iso20, _mac, _evse, _evse_din)
