"""What the SECC says about one EVSE: permit, target, limits and the rest, each under one header.

Whatever raises energy is said only for a running session that has lost nobody: otherwise open, off and zero go out.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar

from msgspec.structs import replace

from secc import api
from secc.mqtt import Allowance
from v2g.record import Record

REASON_LIMIT = 512
STRANGERS_BURST = 10
STRANGERS = frozenset({"rejected", "connection_refused"})
"""The events that anybody may cause without end; all others come a few times in a session."""

NO_LIMITS = api.Limits(authorised=False, direction="none", max_charge_w=0, max_discharge_w=0, max_current_a=0)

NOTHING: tuple[tuple[api.Topic[api.Level], api.Level], ...] = (
    (api.SECC_VEHICLE, api.Vehicle()),
    (api.SECC_SERVICE, api.Services()),
    (api.SECC_PLAN, api.Schedules()),
)
"""What stands about a vehicle while none is here."""

Publish = Callable[[api.Topic[Record], Record], None]
Phase = Literal["idle", "precharge", "charge", "welding"]
L = TypeVar("L", bound=api.Level)


class Orders:
    """The orders in force, and how they are published. Times are monotonic seconds."""

    def __init__(self, publish: Publish, *, version: str, protocols: Sequence[str], interface: str) -> None:
        self.boot = secrets.token_hex(8)
        self.session: str | None = None
        self.void = False
        """Set after a loss: nothing that raises energy is said until the next session."""
        self.permit = api.Permit(lock="unlocked", contactor="open", power="off")
        self.permit_seq = -1
        self.powered_at = 0.0
        self.status = api.SeccStatus(
            boot=self.boot,
            seq=1,
            time=_utc(),
            state="offline",
            version=version,
            protocols=list(protocols),
            since=_utc(),
            interface=interface,
        )
        self._publish = publish
        self._seq = 0
        self._beats = 0
        self._began = time.monotonic()
        self._target = api.Target(boot=self.boot, phase="idle", voltage_v=0.0, current_a=0.0)
        self._targeted_at = 0.0
        self._stage = api.Session(stage="idle")
        self._strangers = Allowance(STRANGERS_BURST)

    @property
    def energising(self) -> bool:
        """Whether a session runs to which power may be given."""
        return self.session is not None and not self.void

    def greet(self) -> None:
        """Say where we stand before any session, over whatever an earlier process left behind."""
        self.say(api.SECC_STATUS, self.status)
        self.clear()

    def online(self, *, online: bool) -> None:
        """Say whether vehicles can reach us."""
        self.status = replace(self.status, state="online" if online else "offline")
        self.say(api.SECC_STATUS, self.status)

    def say(self, topic: api.Topic[L], level: L) -> None:
        """Publish a level under our header."""
        self._seq += 1
        header = {"boot": self.boot, "seq": self._seq, "time": _utc(), "session": self.session}
        self._publish(topic, replace(level, **header))

    def beat(self) -> None:
        """Publish one sign of life."""
        self._beats += 1
        uptime = round(time.monotonic() - self._began, 3)
        self._publish(api.SECC_HEARTBEAT, api.Beat(boot=self.boot, counter=self._beats, uptime_s=uptime))

    def begin(self, session: str, *, keep_lock: bool = False) -> None:
        """Start anew for a session."""
        self.session = session
        self.void = False
        self._lower("session begins", lock=self.permit.lock if keep_lock else "unlocked")

    def lose(self, reason: str) -> None:
        """Fall back to open, off and zero; the lock stays, the cable may still be live."""
        self.void = True
        self._lower(reason, lock=self.permit.lock)

    def clear(self, *, paused: bool = False) -> None:
        """End what was: nothing permitted, and what was known about a vehicle overwritten. Why it ended stays.

        The plug of a paused vehicle stays as it is, locked perhaps.
        """
        self.session = None
        self.void = False
        self._lower("no session", lock=self.permit.lock if paused else "unlocked")
        last = self._stage
        self._stage = api.Session(
            stage="paused" if paused else "idle",
            protocol=last.protocol,
            reason=last.reason,
            last_message=last.last_message,
            response_code=last.response_code,
        )
        self.say(api.SECC_SESSION, self._stage)
        for topic, nothing in NOTHING:
            self.say(topic, nothing)

    def allow(
        self,
        *,
        lock: Literal["locked", "unlocked"] | None = None,
        contactor: Literal["open", "closed"] | None = None,
        power: Literal["off", "on"] | None = None,
        reason: str = "",
    ) -> None:
        """Publish the permit, if a level of it changes; what is None keeps its level."""
        held = self.permit
        wanted = replace(
            held,
            lock=lock or held.lock,
            contactor=(contactor or held.contactor) if self.energising else "open",
            power=(power or held.power) if self.energising else "off",
        )
        if wanted == held and self.permit_seq >= 0:
            return
        if wanted.power == "on" and held.power == "off":
            self.powered_at = time.monotonic()
        self.permit = wanted
        self.say(api.SECC_PERMIT, replace(wanted, reason=reason[:REASON_LIMIT] or None))
        self.permit_seq = self._seq

    def target(self, phase: Phase, voltage_v: float, current_a: float, vehicle_max_voltage_v: float | None) -> None:
        """Set the operating point; published at once when it changes."""
        wanted = api.Target(
            boot=self.boot,
            session=self.session,
            phase=phase if self.energising else "idle",
            voltage_v=voltage_v if self.energising else 0.0,
            current_a=current_a if self.energising else 0.0,
            vehicle_max_voltage_v=vehicle_max_voltage_v if self.energising else None,
        )
        self._targeted_at = time.monotonic()
        if wanted != self._target:
            self._target = wanted
            self.repeat_target()

    def repeat_target(self) -> None:
        """Publish the operating point as it stands."""
        self._publish(api.SECC_TARGET, self._target)

    def quieten(self, loop_silence_s: float) -> bool:
        """Take back what a DC vehicle that fell silent asked for; True when that was news.

        In its charge loop that is the current. In pre-charge it is the voltage, too: nobody may be there to use it.
        In AC the vehicle draws by itself, within the limits, and may ask as seldom as every minute.
        """
        held = self._target
        loop = held.phase == "charge" and self._stage.energy_mode == "DC"
        if (not loop and held.phase != "precharge") or time.monotonic() - self._targeted_at <= loop_silence_s:
            return False
        self._target = replace(held, current_a=0.0, voltage_v=held.voltage_v if loop else 0.0)
        return self._target != held

    def limits(self, limits: api.Limits) -> None:
        """Publish authorised limits; zero where no power may be given."""
        self.say(api.SECC_LIMITS, limits if self.energising else NO_LIMITS)

    def stage(self, session: api.Session) -> None:
        """Publish where the session is."""
        self._stage = session
        self.say(api.SECC_SESSION, session)

    def event(self, kind: str, reason: str = "", **facts: str) -> bool:
        """Publish one event; False where strangers have made us say too many."""
        if kind in STRANGERS and not self._strangers.take():
            return False
        text = reason[:REASON_LIMIT] or None
        self._publish(
            api.SECC_EVENT,
            api.Event(boot=self.boot, time=_utc(), kind=kind, session=self.session, reason=text, **facts),
        )
        return True

    def _lower(self, reason: str, *, lock: Literal["locked", "unlocked"]) -> None:
        self.target("idle", 0.0, 0.0, None)
        self.limits(NO_LIMITS)
        self.permit_seq = -1
        self.allow(lock=lock, contactor="open", power="off", reason=reason)


def _utc() -> str:
    """Tell the time, for people."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
