"""The charger controller of demo and tests: a process of its own that knows only MQTT and `secc.api`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO, TypeVar

import msgspec

from secc import api
from secc.mqtt import Bus
from secc.simulated import console
from secc.simulated.charger import SimulatedCharger
from secc.simulated.config import SimulatorConfig
from v2g.record import Record

__all__ = ["Simulator", "SimulatorConfig", "run"]

BUSY_S = 0.01
IDLE_S = 0.05
READS = (
    api.SECC_STATUS, api.SECC_HEARTBEAT, api.SECC_SESSION, api.SECC_AUTHORIZATION, api.SECC_LIMITS, api.SECC_PERMIT,
    api.SECC_TARGET, api.SECC_COMMAND, api.SECC_EVENT, api.SECC_PLAN_REQUEST, api.CABLE_VEHICLE,
)  # fmt: skip

P = TypeVar("P", bound=Record)
_log = logging.getLogger(__name__)


class Recorder:
    """A file with one JSON line for each thing worth keeping, `at` in Unix time; without a path it keeps nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = Path(self._path).open("w", encoding="utf-8", buffering=1)
            except OSError as error:
                raise ValueError(f"record: cannot write {self._path}: {error.strerror}; name another file") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, **facts: object) -> None:
        """Append one line."""
        if self._file is not None:
            self._file.write(msgspec.json.encode({"at": round(time.time(), 3), **facts}).decode() + "\n")


class Simulator:
    """One simulated charge point on its broker; `charger` is the controller, open to tests."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.charger = SimulatedCharger(config, boot=secrets.token_hex(8), now=time.monotonic(), say=self._say)
        self._config = config
        self._recorder = Recorder(config.record)
        self._bus = Bus(
            config.broker,
            config.evse,
            writer="charger",
            reads=READS if config.cable == "mqtt" else READS[:-1],
            will=(api.CHARGER_STATUS, self.charger.reports.farewell()),
            handle=self._hear,
            rejected=self._reject,
            connected=self.charger.reports.beat,
            disconnected=_nothing,
        )

    async def run(self) -> None:
        """Serve until cancelled; then say goodbye. Raises ValueError for a record or console that cannot be used."""
        commands = await console.attach() if self._config.console else None
        with self._recorder:
            async with asyncio.TaskGroup() as tasks:
                if commands is not None:
                    tasks.create_task(console.listen(commands, self.charger))
                bus = tasks.create_task(self._bus.run())
                try:
                    await self._tick()
                finally:
                    self.charger.leave()
                    self._summarise()
                    bus.cancel()

    async def _tick(self) -> None:
        while True:
            self.charger.step(time.monotonic())
            await asyncio.sleep(BUSY_S if self.charger.busy else IDLE_S)

    def _hear(self, topic: api.Topic[Record], payload: Record, retained: bool) -> None:
        del topic
        if isinstance(payload, api.Limits):
            self._recorder.write(limits=payload)
        elif isinstance(payload, api.Event):
            self._recorder.write(event=payload)
        self.charger.hear(payload, retained=retained, now=time.monotonic())

    def _say(self, topic: api.Topic[P], payload: P) -> None:
        if isinstance(payload, api.ChargerState):
            self._recorder.write(state=payload)
        self._bus.publish(topic, payload)

    def _reject(self, topic: str, reason: str) -> None:
        _log.warning("rejected %s: %s", topic, reason)

    def _summarise(self) -> None:
        hardware = self.charger.hardware
        end = {
            "energy_wh": round(hardware.energy_wh, 3),
            "contactor": hardware.contactor.state,
            "lock": hardware.lock.state,
            "voltage_v": hardware.voltage_v,
            "faults": [fault.kind for fault in hardware.faults.standing],
        }
        self._recorder.write(end=end)


def _nothing() -> None:
    """Do nothing: a lost broker is noticed by its silence."""


async def run(config: SimulatorConfig) -> None:
    """Simulate one charge point until cancelled. Raises ValueError for a configuration that cannot be used."""
    await Simulator(config).run()
