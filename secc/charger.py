"""What a session needs of a charger: a snapshot to read, actions to ask for.

Sessions know this protocol and nothing of MQTT. Every property answers at once from what was last heard; every action
returns at once. Only `until` waits, for a level and never longer than told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from secc import api

Wish = Literal["none", "stop", "pause", "renegotiate"]
Recall = Literal["none", "wake_up", "release"]
Source = Literal["charger", "backend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why no power may flow now. `emergency` ends the session at once, otherwise it is stopped in order."""

    kind: str
    emergency: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The word of the charger or the operator on one authorization request."""

    accepted: bool
    source: api.Verdict
    max_power_w: float | None = None
    max_energy_wh: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and when it came, monotonic: its steps count from then."""

    plan: api.Plan
    at: float

    @property
    def over(self) -> bool:
        """Whether it says nothing any more: less than the second is left that a schedule lasts at least."""
        duration_s = self.plan.duration_s
        return duration_s is not None and time.monotonic() - self.at > duration_s - 1


class Charger(Protocol):
    """One EVSE's hardware as a session sees it."""

    @property
    def setup(self) -> api.Setup | None:
        """What this charge point is; None until its controller has said so and is alive."""

    @property
    def state(self) -> api.ChargerState | None:
        """Plug, contactor, lock, isolation, faults; None while the controller is not alive."""

    @property
    def measurement(self) -> api.Measurement | None:
        """Present voltage and current; None when older than the bound or when the sample counter stands still."""

    @property
    def hardware_limits(self) -> api.ChargerLimits | None:
        """What the hardware can do now, where it differs from its rating."""

    @property
    def meter(self) -> api.Meter | None:
        """The last reading; None for an EVSE without meter."""

    @property
    def linked(self) -> bool:
        """Whether the data link is there (or the controller does not report one)."""

    @property
    def link_reported(self) -> bool:
        """Whether the controller reports a data link at all: only then D-LINK_READY is known."""

    @property
    def wish(self) -> Wish:
        """What the charger asked for in this session."""

    @property
    def trouble(self) -> Trouble | None:
        """A fault, a silent controller or a dead measurement; None when power may flow."""

    def followed(self) -> None:
        """Note that the vehicle renegotiated, as was wished: another wish needs another request."""

    def begin(self, session: str, *, resumed: bool = False) -> None:
        """Start a session: its id stands in everything said from now on; wishes and acks start anew.

        The lock is as it was where the session is resumed.
        """

    def end(self, *, paused: bool = False) -> None:
        """Forget the session: permit open and off, target zero, limits zero, personal data overwritten.

        While it is paused the lock stays as it is.
        """

    @property
    def recall(self) -> Recall:
        """What the charger asks of the paused session: to wake the vehicle, or to give it up."""

    def wake_up(self, session: str, deadline_s: float) -> None:
        """Ask for the vehicle of the paused session to be woken by the pilot; fulfils the wish for it."""

    def permit(
        self,
        *,
        lock: Literal["locked", "unlocked"] | None = None,
        contactor: Literal["open", "closed"] | None = None,
        power: Literal["off", "on"] | None = None,
        reason: str = "",
    ) -> None:
        """Order levels; what is None keeps its level."""

    def target(
        self,
        phase: Literal["idle", "precharge", "charge", "welding"],
        voltage_v: float = 0.0,
        current_a: float = 0.0,
        *,
        vehicle_max_voltage_v: float | None = None,
    ) -> None:
        """Set the operating point; it is repeated four times a second and falls to 0 A when the loop goes silent."""

    def check_cable(self, *, test_voltage_v: float, vehicle_max_voltage_v: float, deadline_s: float) -> None:
        """Ask for one cable check; its outcome is read from `cable_check`."""

    @property
    def cable_check(self) -> Literal["idle", "running", "passed", "failed"]:
        """The outcome of the cable check asked for in this session; a rejected command counts as failed."""

    def limits(self, limits: api.Limits) -> None:
        """Publish authorised limits; `boot`, `seq`, `time` and `session` are filled in here."""

    def session(self, session: api.Session) -> None:
        """Publish where the session is; the header is filled in here."""

    def vehicle(self, vehicle: api.Vehicle) -> None:
        """Publish what the car said; the header is filled in here."""

    def services(self, selected: Sequence[api.SelectedService]) -> None:
        """Publish what the car selected besides charging."""

    def schedules(self, schedules: api.Schedules) -> None:
        """Publish the schedules offered and chosen; the header is filled in here."""

    def receipt(self, receipt: api.Receipt) -> None:
        """Publish a meter reading as the car signed it."""

    def event(self, kind: str, reason: str = "", **facts: str) -> None:
        """Publish one event; `facts` are the other members of `api.Event`."""

    def ask(self, request: api.AuthorizationRequest) -> None:
        """Ask charger and operator whether this session may charge."""

    def answered(self, request_id: str, source: Source) -> Presented | None:
        """Return the word of `source` on a request, also a later revocation; None while there is none."""

    def advance(self, source: Source, request_id: str) -> Presented | None:
        """Take a card shown before the plug as the word on a request: valid once, within its time, for EIM only."""

    def readmit(self, source: Source, request_id: str, word: Presented) -> None:
        """Take the word given before a pause as the word on a request, which may be revoked by its id."""

    def ask_plan(self, request: api.PlanRequest, source: Source) -> None:
        """Ask charger or operator how much may flow when."""

    def planned(self, request_id: str) -> Planned | None:
        """Return the newest plan said for a request; None while there is none."""

    def ask_certificate(self, request: api.CertificateRequest) -> None:
        """Ask the operator for a contract certificate."""

    def certificate(self, request_id: str) -> api.BackendCertificate | None:
        """Return the operator's answer to a certificate request; None while there is none."""

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until `holds()` is true, woken by whatever the charger says; False when the time is over first."""
