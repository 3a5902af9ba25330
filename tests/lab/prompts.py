"""What a waiting vehicle is answered: every variation of the right response, and everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from lab.standard.sequence import FAILURE, MISTAKE, name, stem
from tests.endurance import ENDURANCE
from tests.evcc import bench_din, bench_station
from tests.evcc.bench_station import SESSION, packed
from tests.lab.injections import OTHER, REQUESTS, STRANGER, responses
from tests.lab.vehicles import Answered
from tests.secc.bench_car import Car, framed, hello
from v2g.din import ac_status
from v2g.exi.message import Message
from v2g.messages import din
from v2g.protocols import schema

FOREIGN_SHARE = 1 if ENDURANCE else 6
"""Of the other standard's responses, which are nothing in this one, every wait usually gets one in so many."""

_AMPERE = bench_din.value(16, bench_din.A)
PARAMETERS = (
    bench_station.ac_parameter(),
    bench_station.dc_parameter(),
    din.AC_EVSEChargeParameter(
        AC_EVSEStatus=ac_status(),
        EVSEMaxVoltage=bench_din.value(230, bench_din.V),
        EVSEMaxCurrent=_AMPERE,
        EVSEMinCurrent=_AMPERE,
    ),
    bench_din.dc_parameter(),
)
"""What a station offers, in each standard and energy."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """An answer by name, the bytes of it, and what the vehicle should, and by another reading may, do next."""

    title: str
    data: bytes
    should: set[str]
    may: set[str]


def others(response: Message) -> Iterator[tuple[str, Any]]:
    """The response with one thing in it otherwise, or with the parameters of the other kind of energy."""
    yield from variations(response)
    parameter = getattr(response, "EVSEChargeParameter", None)
    if parameter is not None:
        base, kind = type(parameter).__base__, type(parameter)
        other = next(each for each in PARAMETERS if type(each).__base__ is base and type(each) is not kind)
        yield "the other energy", msgspec.structs.replace(response, EVSEChargeParameter=other)


def variations(message: Message, path: str = "") -> Iterator[tuple[str, Any]]:
    """The message with one code, flag or part otherwise, or left out where it may be."""
    for field in message.__struct_fields__:
        value = getattr(message, field)
        for title, other in _others(value, f"{path}{field}"):
            yield title, msgspec.structs.replace(message, **{field: other})
        if value is not None and "None" in str(type(message).__annotations__.get(field, "")):
            yield f"{path}{field} left out", msgspec.structs.replace(message, **{field: None})


def _others(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Enum):
        yield from ((f"{path}={other}", other) for other in type(value) if other is not value)
    elif isinstance(value, bool):
        yield f"{path}={not value}", not value
    elif isinstance(value, Message):
        yield from variations(value, f"{path}/")
    elif isinstance(value, list) and value:
        yield from ((title, [other, *value[1:]]) for title, other in _others(value[0], path))


def prompts(wait: Answered) -> Iterator[Prompt]:
    """Everything that a station can answer here."""
    yield _prompt(wait, "as usual", wait.response)
    for title, response in others(wait.response):
        with suppress(ValueError):  # what cannot be expressed cannot come
            yield _prompt(wait, title, response)
    yield from _sessions(wait)
    yield from _misfits(wait)
    right = packed(wait.response)
    usual = wait.next(wait.response)
    for title, skipped in (("nothing", framed(b"")), ("mainstream of -20", framed(b"\x80\x00", 0x8002))):
        yield Prompt(f"{title}, then as usual", skipped + right, *usual)


def _prompt(wait: Answered, title: str, response: Any) -> Prompt:
    """A response of the right type, whatever its contents. Raises ValueError for one that cannot be sent."""
    data, code = packed(response), str(response.ResponseCode)
    if code.startswith("FAILED"):
        return Prompt(title, data, *FAILURE)
    should, may = wait.next(response)
    strange = code not in wait.journey.standard.allowed(stem(name(response)))
    return Prompt(title, data, should, may | FAILURE[0] if strange else may)


def _sessions(wait: Answered) -> Iterator[Prompt]:
    """The right response in a session that is not this one, or none; SessionSetupRes may name any but zero."""
    opens = stem(name(wait.request)) == "SessionSetup"
    for session_id in (STRANGER, bytes(8), b"", SESSION[:4]):
        outcome = wait.next(wait.response) if opens and any(session_id) else MISTAKE
        yield Prompt(f"session {session_id.hex()}", packed(wait.response, session_id), *outcome)


def _misfits(wait: Answered) -> Iterator[Prompt]:
    """Other responses, requests, other standards' messages, and bytes that are no message."""
    key = wait.journey.standard.key
    sender = Car.__new__(Car)
    sender.session_id = SESSION
    for message in (*responses(key), *{type(each): each for each in REQUESTS[key]}.values()):
        if type(message) is not type(wait.response):
            yield Prompt(type(message).__name__, sender.encode(message), *MISTAKE)
    for foreign in tuple(responses(OTHER[key]))[wait.index % FOREIGN_SHARE :: FOREIGN_SHARE]:
        yield Prompt(f"{OTHER[key]} {type(foreign).__name__}", sender.encode(foreign), *MISTAKE)
    yield Prompt("SupportedAppProtocol", framed(schema("sap").encode(hello())), *MISTAKE)
    yield Prompt("garbage", framed(b"\xff\x00\x55" * 5), *MISTAKE)
    yield Prompt("an EXI header alone", framed(b"\x80"), *MISTAKE)
    yield Prompt("two at once", packed(wait.response) * 3, *MISTAKE)
