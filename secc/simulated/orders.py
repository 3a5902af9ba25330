"""What the SECC ordered, and how much of it still counts: liveness, sessions, staleness. Time is an argument.

Orders that lower energy are always obeyed, also late, repeated or from a stranger. Orders that raise it hold for one
session of one living `boot`, once: after a loss they stay void until a session with another id asks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from secc import api

SILENCE_S = 1.5  # three heartbeats
TARGET_AGE_S = 1.0
LIMITS_GRACE_S = 1.0  # the next schedule step may reach us a moment after the last one ran out
PRECHARGE_A = 2.0
REMEMBERED_SESSIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What is to be done now, nothing of it stale; without a living SECC everything is open and off."""

    energy: bool = False  # the limits in force allow any
    lock: Literal["locked", "unlocked"] | None = None  # None: nobody alive says, it stays where it is
    contactor: Literal["open", "closed"] = "open"
    power: Literal["off", "on"] = "off"
    phase: Literal["idle", "precharge", "charge", "welding"] = "idle"
    voltage_v: float = 0.0
    current_a: float = 0.0
    power_w: float = 0.0
    wanted_v: float = 0.0  # before any clamping
    vehicle_max_voltage_v: float | None = None


def live(limits: api.Limits) -> bool:
    """Whether these limits allow any energy at all."""
    return limits.authorised and limits.direction == "charge" and limits.max_current_a > 0 and limits.max_charge_w > 0


def energising(permit: api.Permit) -> bool:
    """Whether a permit asks for more than everything open and off."""
    return permit.contactor == "closed" or permit.power == "on"


class Mandate:
    """All the SECC said, kept by writer's `boot` and by session; `orders` is what remains of it."""

    def __init__(self) -> None:
        self.silent = False
        """Whether a SECC fell silent with a session it has not given up since."""
        self._status: api.SeccStatus | None = None
        self._beat_at = -math.inf
        self._was_alive = False
        self._permit: api.Permit | None = None
        self._limits: api.Limits | None = None
        self._limits_at = -math.inf
        self._target: api.Target | None = None
        self._target_at = -math.inf
        self._spent: deque[str] = deque(maxlen=REMEMBERED_SESSIONS)
        self._refused = ""
        self._tripped = ""

    # --- who speaks -------------------------------------------------------------------------------------------------

    def alive(self, now: float) -> bool:
        """Whether the SECC is online and its heartbeats come."""
        online = self._status is not None and self._status.state == "online"
        return online and now - self._beat_at <= SILENCE_S

    def in_charge(self, boot: str) -> bool:
        """Whether `boot` is the process start that the SECC's status names."""
        return self._status is not None and self._status.boot == boot

    @property
    def session(self) -> str | None:
        """The session of the permit in hand, unless it is spent."""
        permit = self._permit
        if permit is None or not self.in_charge(permit.boot) or permit.session in self._spent:
            return None
        return permit.session

    def status(self, status: api.SeccStatus) -> None:
        """Hear whether the SECC is there; another `boot` or `offline` ends whatever the one before had begun."""
        known = self._status
        if known is not None and (known.boot != status.boot or status.state == "offline"):
            self._lose()
            self._beat_at = -math.inf
        self._status = status

    def beat(self, beat: api.Beat, now: float) -> None:
        """Hear a heartbeat; those of another `boot` than the status count for nothing."""
        if self.in_charge(beat.boot):
            self._beat_at = now
            self._was_alive = True

    def watch(self, now: float, *, powered_since: float | None) -> None:
        """Notice that the SECC fell silent: beats missed, or its target too old while DC power is on."""
        mute = powered_since is not None and now - max(self._target_at, powered_since) > TARGET_AGE_S
        if (self._was_alive and not self.alive(now)) or (mute and self.session is not None):
            self._lose()
        elif self.silent and self.alive(now) and not self._still_claimed():
            self.silent = False

    def _lose(self) -> None:
        self._was_alive = False
        self.silent = self.silent or self.session is not None
        self.spend()

    def _still_claimed(self) -> bool:
        """Whether the permit in hand is that of a session already over."""
        permit = self._permit
        return permit is not None and self.in_charge(permit.boot) and permit.session in self._spent

    # --- what was ordered -------------------------------------------------------------------------------------------

    def permit(self, permit: api.Permit, *, retained: bool, now: float, obstacle: Callable[[api.Permit], str]) -> str:
        """Hear the levels ordered; return why they are refused, or nothing. `obstacle` is the hardware's own word."""
        known = self._permit
        if self._status is not None and not self.in_charge(permit.boot):
            return self._refuse_stranger(permit, "another SECC process is in charge")
        if known is not None and known.boot == permit.boot and permit.seq <= known.seq:
            return self._refuse_stranger(permit, "stale")
        if retained and permit.session is not None and permit.session != self.session:
            self._spent.append(permit.session)
        if permit.contactor == "open" or known is None or permit.session != known.session:
            self._tripped = ""
        self._permit = permit
        self._refused = self._objection(permit, now, obstacle) if energising(permit) else ""
        return self._refused

    def _refuse_stranger(self, permit: api.Permit, reason: str) -> str:
        if permit.contactor == "open" or permit.power == "off":
            self.trip("ordered open by a late permit")
        return reason if energising(permit) else ""

    def _objection(self, permit: api.Permit, now: float, obstacle: Callable[[api.Permit], str]) -> str:
        return self.void(permit.session, now) or self._tripped or obstacle(permit)

    def void(self, session: str | None, now: float) -> str:
        """Say why an order of `session` cannot raise energy, or nothing."""
        if not self.alive(now):
            return "the SECC is not alive"
        if session is None:
            return "no session"
        if session in self._spent:
            return "the session is over"
        if self._permit is None or session != self._permit.session:
            return "another session"
        return ""

    def limits(self, limits: api.Limits, now: float) -> None:
        """Hear authorised limits; zeros stop the charge whoever said them."""
        known = self._limits
        if known is not None and known.boot == limits.boot and limits.seq <= known.seq:
            if limits.seq < known.seq and not live(limits):
                self.trip("limits withdrawn late")
        elif self._status is None or self.in_charge(limits.boot):
            self._limits, self._limits_at = limits, now
        elif not live(limits):
            self.trip("limits withdrawn by a stranger")

    def target(self, target: api.Target, now: float) -> None:
        """Hear the operating point; one of another process or session counts for nothing."""
        if self.in_charge(target.boot) and target.session is not None and target.session == self.session:
            self._target, self._target_at = target, now

    def trip(self, reason: str) -> None:
        """Void a permit that energises until it has been open once."""
        if self._permit is not None and energising(self._permit):
            self._tripped = self._tripped or reason

    def spend(self) -> None:
        """End the session at hand: only another one may raise energy again."""
        if self.session is not None:
            self._spent.append(self.session)

    # --- what remains -----------------------------------------------------------------------------------------------

    def limits_in_force(self, now: float) -> api.Limits | None:
        """The authorised limits of the session at hand; None when there are none or they are zero."""
        limits = self._limits
        if limits is None or not live(limits) or not self.in_charge(limits.boot):
            return None
        if self.session is None or limits.session != self.session or not self.alive(now):
            return None
        if limits.valid_for_s is not None and now - self._limits_at > limits.valid_for_s + LIMITS_GRACE_S:
            return None
        return limits

    def orders(self, now: float) -> Orders:
        """What is to be done now."""
        permit = self._permit
        if permit is None or not self.in_charge(permit.boot) or not self.alive(now):
            return Orders()
        limits = self.limits_in_force(now)
        if limits is None:
            return Orders(lock=permit.lock)
        if self._refused or self._tripped or permit.contactor == "open":
            return Orders(energy=True, lock=permit.lock)
        if permit.power == "off":
            return Orders(energy=True, lock=permit.lock, contactor="closed")
        return self._operating_point(permit, limits, now)

    def _operating_point(self, permit: api.Permit, limits: api.Limits, now: float) -> Orders:
        target = self._target
        if target is None or target.session != permit.session or now - self._target_at > TARGET_AGE_S:
            target = api.Target(boot=permit.boot, phase="idle", voltage_v=0.0, current_a=0.0)
        drives = target.phase in {"precharge", "charge"}
        ceiling = PRECHARGE_A if target.phase == "precharge" else math.inf
        highest = math.inf if limits.max_voltage_v is None else limits.max_voltage_v
        power = limits.max_charge_w if target.power_w is None else min(limits.max_charge_w, target.power_w)
        return Orders(
            energy=True,
            lock=permit.lock,
            contactor="closed",
            power="on",
            phase=target.phase,
            voltage_v=max(0.0, min(target.voltage_v, highest)) if drives else 0.0,
            current_a=max(0.0, min(target.current_a, limits.max_current_a, ceiling)) if drives else 0.0,
            power_w=max(0.0, power),
            wanted_v=target.voltage_v if drives else 0.0,
            vehicle_max_voltage_v=target.vehicle_max_voltage_v,
        )
