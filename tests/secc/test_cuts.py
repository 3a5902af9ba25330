"""A session cut at every message, in every way: contactor open, limits zero, told once, and the next one works."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

import pytest

from tests.certificates import car1
from tests.elastic import Elastic
from tests.secc import bench_din
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_charger import FINAL_EVENTS, Order
from tests.secc.bench_requests import AC, DC, Step, power, walk, with_contract

HASTE = 0.001
"""A minute of waiting is 60 ms."""
SETUP_HASTE = 0.015
"""The setup time runs from the connection, over the TLS handshake: it is 270 ms."""
SETUP_WAITS = 2
PROMISED_S = 1.0
RESET = struct.pack("ii", 1, 0)
ROUTES = {"AC": AC, "DC": DC, "DIN": bench_din.DC}

Kind = Literal["gone", "silence", "undecodable"]


class Cut(Exception):
    """No answer is waited for."""


async def reset(car: Car) -> None:
    """RST, as from a machine that lost its power and came back."""
    car.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    car.writer.transport.abort()


async def fin(car: Car) -> None:
    """A FIN, though within TLS without the close_notify that belongs before it."""
    car.writer.transport.abort()


async def shut(car: Car) -> None:
    """Half closed: the car reads on, but says nothing more; in TLS an end in order."""
    if car.writer.can_write_eof():
        car.writer.write_eof()
    else:
        car.writer.close()


async def fall_silent(_car: Car) -> None:
    """Nothing at all, the connection stands."""


async def garbage(car: Car) -> None:
    """Bytes where no header can be."""
    car.send(b"GET / HTTP/1.1\r\n\r\n")


async def no_message(car: Car) -> None:
    """A frame whose payload no grammar reads."""
    car.send(framed(bytes(range(7, 200))))


class Way(NamedTuple):
    """How a session is cut, and which share of the next frame leaves before that."""

    cut: Callable[[Car], Awaitable[None]]
    kind: Kind
    share: float = 0.0


WAYS = {
    "reset": Way(reset, "gone"),
    "fin": Way(fin, "gone"),
    "shut": Way(shut, "gone"),
    "silence": Way(fall_silent, "silence"),
    "garbage": Way(garbage, "undecodable"),
    "no message": Way(no_message, "undecodable"),
    "half a frame, then silence": Way(fall_silent, "silence", 0.5),
    "half a frame, then reset": Way(reset, "gone", 0.5),
    "half a frame, then fin": Way(fin, "gone", 0.5),
    "a request, then reset": Way(reset, "gone", 1.0),
    "a request, then shut": Way(shut, "gone", 1.0),
}


async def send_part(car: Car, station: Bench, step: Callable[[Car, Any], Awaitable[Any]], share: float) -> None:
    """Do a step of a route, of whose frame only a part leaves."""

    def mangled(data: bytes) -> None:
        car.writer.write(data[: int(len(data) * share)])
        raise Cut

    with patch.object(car, "send", mangled), pytest.raises(Cut):
        await step(car, station.charger)


def finals(orders: Sequence[Order]) -> list[dict[str, Any]]:
    return [order.facts for order in orders if order.kind == "event" and order.facts["kind"] in FINAL_EVENTS]


def opened(orders: Sequence[Order]) -> bool:
    permits = [order.facts for order in orders if order.kind == "permit"]
    return any((each["contactor"], each["power"]) == ("open", "off") for each in permits)


async def cut_at(station: Bench, route: Sequence[Step], place: int, way: Way, timing: Elastic, *, tls: bool) -> None:
    """One session up to a wait, then the cut; and everything that must hold afterwards."""
    charger = station.charger
    charger.change(plug="B")
    haste = 1.0 if way.kind != "silence" else SETUP_HASTE if place < SETUP_WAITS else HASTE
    within = 60 * haste if way.kind == "silence" else 0.0
    timing.stretch(haste if place < SETUP_WAITS else 1.0)
    mark = len(charger.orders)
    car = await station.car(tls=tls)
    *before, last = route[: place + 1]
    await walk(car, charger, before[:-1])
    timing.stretch(haste)  # what is waited for from the next answer on
    if before:
        await before[-1][1](car, charger)
    else:
        await station.until(lambda: any(order.kind == "session" for order in charger.orders[mark:]))
    if way.share:
        await send_part(car, station, last[1], way.share)
    began, mark = time.monotonic(), len(charger.orders)
    await way.cut(car)
    where = f"{way.cut.__name__} before {last[0]}"
    await station.until(lambda: bool(finals(charger.orders[mark:])), within + 2 * PROMISED_S)
    assert time.monotonic() - began < within + PROMISED_S, where
    await station.until(lambda: not charger.running)
    told = finals(charger.orders[mark:])
    stopped = way.share == 1.0 and place == len(route) - 1  # the station may have heard the stop
    assert [each["kind"] for each in told] in ([way.kind], ["session_ended"] if stopped else []), where
    assert told[0]["reason"] or stopped, where
    assert opened(charger.orders[mark:]), where
    station.assert_safe()
    timing.stretch(1.0)
    await car.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "payment"),
    [("AC", "external"), ("AC", "contract"), ("DC", "external"), ("DC", "contract"), ("DIN", "external")],
)
async def test_a_cut_at_every_message(certificates: Path, kind: str, payment: str, way: str) -> None:
    """One station for all of them, so that each cut also shows that it serves the next car."""
    tls = payment == "contract"
    route = with_contract(ROUTES[kind], car1(certificates)) if tls else ROUTES[kind]
    timing = Elastic()
    async with bench("AC" if kind == "AC" else "DC", certificates=certificates, timing=timing) as station:
        for place in range(len(route)):
            await cut_at(station, route, place, WAYS[way], timing, tls=tls)
        station.charger.change(plug="B")
        mark = len(station.charger.orders)
        await walk(await station.car(tls=tls), station.charger, route)
        await station.until(lambda: bool(finals(station.charger.orders[mark:])))
        assert finals(station.charger.orders[mark:])[0]["kind"] == "session_ended"
        assert len(asyncio.all_tasks()) < 12, "tasks of sessions that are over"


# --- while a request is in work -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("way", [reset, fin])
async def test_nothing_is_energised_for_a_vehicle_that_left(
    certificates: Path, way: Callable[[Car], Awaitable[None]], tls: bool
) -> None:
    """It asks for power, and is gone before its pilot is seen in C: no contactor waits for the next one."""
    async with bench("AC", certificates=certificates) as station:
        car = await station.car_at(AC, "PowerDeliveryStart", tls=tls)
        mark = len(station.charger.orders)
        car.send(car.encode(power("Start")))
        await way(car)
        began = time.monotonic()
        await station.until(lambda: opened(station.charger.orders[mark:]))
        station.charger.change(plug="C")
        await station.until(lambda: not station.charger.running)
        assert time.monotonic() - began < PROMISED_S
        station.assert_safe()
        permits = [order.facts for order in station.charger.orders[mark:] if order.kind == "permit"]
        assert all(each["contactor"] != "closed" for each in permits)


async def test_a_contactor_that_does_not_close_is_not_waited_for_alone() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.closes = False
        station.charger.change(plug="C")
        car.send(car.encode(power("Start")))
        await station.until(lambda: station.charger.levels["contactor"] == "closed")
        began = time.monotonic()
        await reset(car)
        await station.until(lambda: station.charger.levels["contactor"] == "open")
        assert time.monotonic() - began < PROMISED_S
        await station.until(lambda: not station.charger.running)
        station.assert_safe()
