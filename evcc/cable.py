"""The vehicle's end of the plug: pilot state, contactors and the current it draws.

A real vehicle moves copper; on a bench these three travel over MQTT to the simulated charger (`v2g.cable`), or
nowhere at all. Every setting returns at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Literal, Protocol

import aiomqtt
import msgspec

from evcc import config
from v2g.cable import CHARGER_TOPIC, VEHICLE_TOPIC, CableCharger, CableVehicle
from v2g.journal import Journal
from v2g.mqtt_client import Client

PLUG_WAIT_S = 5.0
CONNECT_S = 15.0
LEAVE_WAIT_S = 1.0
RETRY_S = 0.2
TOGGLE_S = 0.3  # (unverified) how long C lasts when a vehicle wakes a station
UNPLUGGED = CableVehicle(plugged=False)

log = logging.getLogger(__name__)

Pilot = Literal["A", "B", "C", "D"]


class Cable(Protocol):
    """What the vehicle does at the plug."""

    @property
    def dead(self) -> bool:
        """Whether the charger tells that there is no voltage at the plug; one that tells no voltage leaves it open."""

    async def plug(self) -> None:
        """Plug in: pilot B; returns once the charger's pilot signal is there, or cannot be known.

        Raises OSError when nobody can be told.
        """

    def pilot(self, state: Pilot) -> None:
        """Switch the pilot's resistor."""

    def contactor(self, state: Literal["open", "closed"]) -> None:
        """Switch the vehicle's own contactors."""

    def draw(self, current_a: float) -> None:
        """Draw this current (per phase in AC)."""

    def battery(self, voltage_v: float) -> None:
        """Present this voltage behind the contactors."""

    async def wake(self) -> None:
        """Wake a station that sleeps: pilot C for a moment; returns as `plug` does."""

    async def called(self) -> None:
        """Wait until a station that slept switches its pilot signal on again."""

    async def failed(self) -> str:
        """Wait until the charger signals a fault; returns the pilot state, E or F."""

    async def leave(self) -> None:
        """Let go of the plug without pulling it: the vehicle stays connected, in pilot B."""

    async def unplug(self) -> None:
        """Leave: everything open, pilot A."""


class NoCable:
    """A plug nobody listens to: for stations with their own idea of the pilot."""

    dead = False

    async def plug(self) -> None:
        """Do nothing."""

    def pilot(self, state: Pilot) -> None:
        """Do nothing."""

    def contactor(self, state: Literal["open", "closed"]) -> None:
        """Do nothing."""

    def draw(self, current_a: float) -> None:
        """Do nothing."""

    def battery(self, voltage_v: float) -> None:
        """Do nothing."""

    async def wake(self) -> None:
        """Do nothing."""

    async def called(self) -> None:
        """Wait for ever: nobody can be heard."""
        await asyncio.Event().wait()

    async def failed(self) -> str:
        """Wait for ever: nobody can be heard."""
        await asyncio.Event().wait()
        return ""

    async def leave(self) -> None:
        """Do nothing."""

    async def unplug(self) -> None:
        """Do nothing."""


class MqttCable:
    """The plug over MQTT: the newest state goes out, older ones waiting are overtaken by it."""

    def __init__(self, settings: config.Cable, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._root = f"{settings.prefix}/{settings.evse}/"
        self._state = UNPLUGGED
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._signal = asyncio.Event()
        self._rising = asyncio.Event()
        self._fault = asyncio.Event()
        self._state_of_fault = ""
        self._voltage_v: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._met = asyncio.Event()
        self._tried = asyncio.Event()
        self._heard = False
        self._why = "no answer"

    @property
    def dead(self) -> bool:
        """Whether the charger tells 0 V at the plug."""
        return self._voltage_v is not None and self._voltage_v <= 0

    async def plug(self) -> None:
        """Plug in: pilot B; returns once the charger switches its oscillator on, or after 5 s without it.

        Raises OSError when no broker was there in that time, or one did not answer the connection within 15 s.
        """
        self._task = asyncio.create_task(self._run())
        self._set(plugged=True, pilot="B")
        if not await _within(PLUG_WAIT_S, self._met):
            await self._tried.wait()
        if not self._met.is_set():
            await self._end()
            where = f"{self._settings.host}:{self._settings.port}"
            raise OSError(f"[cable] no broker at {where}: {self._why}; start it, or leave [cable] out")
        if not await _within(PLUG_WAIT_S, self._signal):
            self._complain()

    async def wake(self) -> None:
        """Wake a station that sleeps: pilot C for a moment; returns once its signal is there, or after 5 s."""
        self._set(pilot="C")
        await _within(LEAVE_WAIT_S, self._idle)
        await asyncio.sleep(TOGGLE_S)
        self._set(pilot="B")
        if not await _within(PLUG_WAIT_S, self._signal):
            self._complain()

    async def called(self) -> None:
        """Wait until the charger's oscillator goes from off to on."""
        self._rising.clear()
        await self._rising.wait()

    async def failed(self) -> str:
        """Wait until the charger signals E or F, and return that."""
        await self._fault.wait()
        return self._state_of_fault

    async def leave(self) -> None:
        """Leave the broker, with the plug where it is."""
        await _within(LEAVE_WAIT_S, self._idle)
        await self._end()

    def _complain(self) -> None:
        """Say what is missing at the plug; the charge is tried all the same."""
        topic = self._root + CHARGER_TOPIC
        reason = f"nothing was heard on {topic} for {PLUG_WAIT_S:g} s: is a charger there, with this prefix and evse?"
        if self._heard:
            reason = f"{topic} says that the pilot is off, {PLUG_WAIT_S:g} s after the car was plugged in."
        self._journal.record("no_pilot", reason=reason)
        log.warning("[cable] %s Going on without a pilot signal", reason)

    def pilot(self, state: Pilot) -> None:
        """Switch the pilot's resistor."""
        self._set(pilot=state)

    def contactor(self, state: Literal["open", "closed"]) -> None:
        """Switch the vehicle's own contactors."""
        self._set(contactor=state)

    def draw(self, current_a: float) -> None:
        """Draw this current (per phase in AC)."""
        self._set(current_a=current_a)

    def battery(self, voltage_v: float) -> None:
        """Present this voltage behind the contactors."""
        self._set(battery_v=voltage_v)

    async def unplug(self) -> None:
        """Leave: everything open, pilot A; returns when the charger was told, or after a second."""
        self._set(plugged=False, pilot="A", contactor="open", current_a=0.0)
        if self._task is not None:
            await _within(LEAVE_WAIT_S, self._idle)
            await self._end()

    async def _end(self) -> None:
        """Leave the broker."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _set(self, **what: object) -> None:
        changed = msgspec.structs.replace(self._state, **what)
        if changed != self._state:
            self._state = changed
            self._idle.clear()
            self._changed.set()

    async def _run(self) -> None:
        """Hold the connection to the broker for as long as the cable is plugged."""
        while True:
            try:
                await self._converse()
            except aiomqtt.MqttError as error:
                self._why = str(error) or self._why
                self._tried.set()
            await asyncio.sleep(RETRY_S)

    async def _converse(self) -> None:
        """Tell our state and hear the charger's on one connection; raises `MqttError` when it is lost."""
        no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        settings = self._settings
        will = aiomqtt.Will(self._root + VEHICLE_TOPIC, msgspec.json.encode(UNPLUGGED), retain=True)
        async with Client(
            settings.host, settings.port, keepalive=5, timeout=CONNECT_S, will=will, socket_options=[no_delay]
        ) as client:
            await client.subscribe(self._root + CHARGER_TOPIC)
            self._met.set()
            self._tried.set()
            self._changed.set()
            telling = asyncio.create_task(self._tell(client))
            try:
                async for message in client.messages:
                    self._hear(message.payload)
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self, client: aiomqtt.Client) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await client.publish(self._root + VEHICLE_TOPIC, msgspec.json.encode(self._state), qos=0, retain=True)
            if not self._changed.is_set():
                self._idle.set()

    def _hear(self, payload: object) -> None:
        """Note the charger's oscillator and its voltage; what cannot be read says nothing."""
        if isinstance(payload, bytes):
            with contextlib.suppress(msgspec.DecodeError):
                charger = msgspec.json.decode(payload, type=CableCharger)
                self._heard = True
                self._voltage_v = charger.voltage_v
                self._signalled(on=charger.pwm)
                if charger.fault is not None:
                    self._state_of_fault = charger.fault
                    self._fault.set()

    def _signalled(self, *, on: bool) -> None:
        if not on:
            self._signal.clear()
        elif not self._signal.is_set():
            self._signal.set()
            self._rising.set()


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for an event; returns whether it came."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
