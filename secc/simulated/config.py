"""The configuration of the simulated charger controller, from a TOML file and the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secc import api
from secc.mqtt import Broker
from secc.simulated.faults import KINDS
from secc.simulated.supply import Isolation
from v2g import identifiers, toml
from v2g.record import Record

Positive = Annotated[float, Meta(gt=0, le=20_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=1e6)]

FAULT = re.compile(r"(?P<kind>[a-z_]+)@(?P<charging>charge\+)?(?P<after>[0-9]{1,6}(\.[0-9]{1,6})?)")


class PlannedFault(Record):
    """A fault that comes by itself, `after_s` seconds after the start of the process or of the current."""

    kind: api.FaultKind
    after_s: Seconds = 0.0
    since: Literal["start", "charge"] = "start"

    @classmethod
    def parse(cls, text: str) -> PlannedFault:
        """Read `KIND@SECONDS` or `KIND@charge+SECONDS`. Raises ValueError that says what may stand there."""
        found = FAULT.fullmatch(text)
        if found is None:
            raise ValueError(f"fault {text!r}: write KIND@SECONDS, or KIND@charge+SECONDS to count from the current")
        if found["kind"] not in KINDS:
            raise ValueError(f"fault {text!r}: no kind {found['kind']!r}; there are {', '.join(KINDS)}")
        since = "charge" if found["charging"] else "start"
        return msgspec.convert({"kind": found["kind"], "after_s": float(found["after"]), "since": since}, cls)


class AcRating(Record):
    """What the AC side can do: amperes per phase, volts between phase and neutral."""

    current_a: Positive = 32.0
    voltage_v: Positive = 230.0
    phases: api.Phases = 3

    @property
    def power_w(self) -> float:
        """Watts of all phases together."""
        return self.current_a * self.voltage_v * self.phases


class DcRating(Record):
    """What the DC side can do."""

    current_a: Positive = 200.0
    voltage_v: Annotated[float, Meta(gt=0, le=5_000)] = 920.0
    power_w: Positive = 150_000.0


class SimulatorConfig(Record, forbid_unknown_fields=True):
    """One simulated charge point and its way to the broker."""

    broker: Broker = Broker()
    evse: api.Name = "1"
    evse_id: str = "DE*PCG*E0001"
    energy: Literal["ac", "dc", "both"] = "ac"
    ac: AcRating = AcRating()
    dc: DcRating = DcRating()
    locks: bool = True
    cable: Literal["mqtt", "none"] = "mqtt"
    """`mqtt`: the emulator tells what the plug would; `none`: a foreign car, whose part is played from the session."""
    link: Literal["plc", "wlan", "ethernet", "10base-t1s"] = "ethernet"
    card: Literal["accept", "reject", "none"] = "accept"
    card_delay_s: Seconds = 0.0
    meter_wh: api.Count = 0
    isolation: Isolation = "valid"
    lock_fails: bool = False
    speed: Annotated[float, Meta(ge=0.001, le=1_000)] = 1.0
    """How much faster than its usual pace the supply ramps and the isolation monitor measures."""
    stop_after_s: Seconds | None = None
    faults: tuple[PlannedFault, ...] = ()
    record: str | None = None
    """A file that gets one JSON line for each limit and event received, each state told and, at the end, the sums."""
    plan: str | None = None
    """What sessions may draw when, for those that ask (see `secc.simulated.planner`)."""
    console: bool = False
    """Whether commands are read from standard input (see `secc.simulated.console`)."""

    def __post_init__(self) -> None:
        """Refuse an EVSE id that no vehicle could be told."""
        identifiers.evse_id(self.evse_id)

    def setup(self) -> api.Setup:
        """What this charge point says of itself. With `both`, the smaller current and power hold for AC and DC."""
        modes: list[api.EnergyMode] = []
        if self.energy != "dc":
            modes += ["AC1", "AC3"] if self.ac.phases == 3 else ["AC1"]
        if self.energy != "ac":
            modes.append("DC")
        rated: dict[str, list[AcRating | DcRating]] = {"ac": [self.ac], "dc": [self.dc], "both": [self.ac, self.dc]}
        sides = rated[self.energy]
        return api.Setup(
            evse_id=self.evse_id,
            energy_modes=modes,
            max_current_a=min(side.current_a for side in sides),
            max_voltage_v=self.ac.voltage_v if self.energy == "ac" else self.dc.voltage_v,
            max_power_w=min(side.power_w for side in sides),
            nominal_voltage_v=self.ac.voltage_v,
            phases=self.ac.phases,
            locks=self.locks,
        )


def read(path: Path | None, changes: Mapping[str, object]) -> SimulatorConfig:
    """Read a TOML file (or nothing) and lay `changes` over it, tables key by key.

    Raises ValueError with file, key and what was expected.
    """
    source = path or "command line"
    found = toml.read(path, absent="leave --config out to go by the options alone") if path else {}
    for key, value in changes.items():
        table = found.get(key)
        found[key] = table | value if isinstance(table, dict) and isinstance(value, dict) else value
    return toml.convert(found, SimulatorConfig, source, remedy="see `plugcharge secc simulate --help`")
