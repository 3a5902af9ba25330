"""One vehicle's stay at one EVSE: what is known of it, and the steps of power that all standards share.

The order of power is kept here: nothing is energised unless the step before it holds, by level and not by event.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from secc import api
from secc.authorization import Contract, Grant
from secc.charger import Charger, Wish
from secc.config import SeccConfig
from secc.expectations import Expectations
from secc.limits import AuthorisedLimits
from v2g.errors import PeerGone, Refused, V2GError
from v2g.exi.message import Message
from v2g.journal import Journal
from v2g.timing import Budget, Timing
from v2g.trust import Verify

SESSION_ID_BYTES = 8
NO_CURRENT_A = 1.0
SAFE_V = 60.0
FOLLOW_TOLERANCE = 1.1
FOLLOW_MARGIN_A = 2.0


class PilotLeft(Refused):
    """The vehicle left C and D while power was on; in AC it may have meant to stop."""


def _nothing(_request: Message) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class Visit:
    """The facts of one session and the charger it happens at. `setup` is what the EVSE was when it began."""

    charger: Charger
    setup: api.Setup
    config: SeccConfig
    timing: Timing
    journal: Journal
    verify: Verify
    secure: bool
    limits: AuthorisedLimits
    session_id: bytes = b""
    contract: Contract | None = None
    grant: Grant | None = None
    live: bool = False
    """Whether the pilot must stay in C or D: from the order to close (in DC: to test) until the stop."""
    over: str = ""
    """Why nothing may be energised any more; empty while it may."""
    pardons: Callable[[Message], bool] = _nothing
    """Which requests are still served after the pilot left C and D."""
    touched: bool = False
    """Whether this stay has given a reason for the contactor to be closed: a cable check, or power."""
    expected: Expectations = field(init=False)
    _closed: bool = False
    _astray: Budget | None = None
    _session: api.Session = field(default_factory=lambda: api.Session(stage="connected"))
    _vehicle: api.Vehicle | None = None

    def __post_init__(self) -> None:
        delay_s = self.config.session.notification_max_delay_s * self.timing.scale
        self.expected = Expectations(delay_s=delay_s, follow_s=self.timing.follow)

    def begin(self) -> bytes:
        """Draw the session id: 8 random bytes, never zero [V2G2-750]."""
        while not any(self.session_id):
            self.session_id = secrets.token_bytes(SESSION_ID_BYTES)
        self.charger.begin(self.session_id.hex().upper())
        return self.session_id

    @property
    def session(self) -> str:
        """The session id as it stands in MQTT."""
        return self.session_id.hex().upper()

    def stage(self, stage: Any, **facts: Any) -> None:
        """Publish where the session is; `facts` are other members of `api.Session` that became known."""
        changed = msgspec.structs.replace(self._session, stage=stage, **facts)
        if changed != self._session:
            self._session = changed
            self.charger.session(changed)

    def told(self, vehicle: api.Vehicle) -> None:
        """Publish what the car said, when it said something new."""
        if vehicle != self._vehicle:
            self._vehicle = vehicle
            self.charger.vehicle(vehicle)

    # --- authorization ----------------------------------------------------------------------------------------------

    @property
    def payments(self) -> list[Literal["contract", "external"]]:
        """What may be offered: contracts only inside TLS [V2G2-634] and only with roots to check them against."""
        contracts = self.secure and bool(self.config.trust.contract)
        return [each for each in self.setup.authorization if each == "external" or contracts]

    def authorised(self, grant: Grant) -> None:
        """Put the grant in force: limits are authorised from now on, though still zero."""
        presented = grant.presented
        if self.contract is not None:
            self.limits.contract = self._called(self.contract.emaid)
        if presented is not None:
            self.limits.max_energy_wh = presented.max_energy_wh
            self.limits.allow("contract", max_w=presented.max_power_w)
        self.limits.authorised = True
        self.limits.refresh()
        self.journal.record("authorised", by=grant.source)
        self.charger.event("authorised", f"by {grant.source}", id=grant.id)

    def _called(self, emaid: str) -> str:
        return emaid if self.config.session.emaid == "plain" else hashlib.sha256(emaid.encode()).hexdigest()

    # --- the order of power -----------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Order the plug locked, where this EVSE has a lock."""
        if self.setup.locks:
            self.charger.permit(lock="locked", reason="negotiated")

    @property
    def locked(self) -> bool:
        """Whether the plug is locked, or need not be."""
        state = self.charger.state
        return not self.setup.locks or (state is not None and state.lock == "locked")

    @property
    def pilot(self) -> str:
        """The control pilot state, `?` while nobody tells."""
        state = self.charger.state
        return state.plug if state is not None else "?"

    async def pilot_becomes(self, states: str, within_s: float) -> bool:
        """Wait for one of the pilot states, which the charger sees with a delay."""
        return await self.charger.until(lambda: self.pilot in states, within_s)

    def demand_safety(self) -> None:
        """Raise `Refused` once everything was made safe, or is about to be: nothing is energised after that."""
        danger = self.danger()
        if self.over or danger is not None:
            raise Refused("FAILED", self.over or str(danger))

    def energise(self, reason: str) -> None:
        """Order the contactor closed and power on; from here on the pilot must stay in C or D."""
        self.demand_safety()
        self.live = self.touched = True
        self.charger.permit(contactor="closed", power="on", reason=reason)

    async def close_contactor(self) -> None:
        """Close the AC contactor once the pilot is C or D; raises FAILED_ContactorError when it does not close."""
        budget = Budget(self.timing.contactor_close)
        if not await self._becomes(lambda: self.pilot in "CD" and self.locked, budget):
            raise Refused("FAILED_ContactorError", f"the pilot is {self.pilot}, not C or D; locked: {self.locked}")
        self.limits.move("open")
        self.energise("PowerDelivery(Start)")
        if not await self._becomes(lambda: self.contactor == "closed", budget):
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not closed")
        self._closed = True

    def deliver(self) -> None:
        """Let power flow through a contactor that the pre-charge has closed."""
        self._closed = self.contactor == "closed"
        self.limits.move("open")

    async def _becomes(self, holds: Callable[[], bool], budget: Budget) -> bool:
        """Wait for a level, unless it is over meanwhile, which raises `Refused`."""
        await self.charger.until(lambda: bool(self.over) or holds(), budget.left())
        self.demand_safety()
        return holds()

    @property
    def contactor(self) -> str:
        """What the contactor is, `unknown` while nobody tells."""
        state = self.charger.state
        return state.contactor if state is not None else "unknown"

    @property
    def dead(self) -> bool:
        """Whether the output is off and below 60 V, as a cable check needs it before it begins."""
        measured = self.charger.measurement
        return self.contactor == "open" and measured is not None and measured.voltage_v < SAFE_V

    async def power_down(self) -> None:
        """Ramp to 0 A, then power off, then open; raises FAILED_ContactorError when it does not open."""
        self.live = False
        self.charger.target("idle")
        self.limits.move("closed")
        await self.charger.until(lambda: bool(self.over) or self._currentless(), self.timing.ramp_down)
        self.charger.permit(power="off", contactor="open", reason="PowerDelivery(Stop)")
        if not await self.charger.until(lambda: self.contactor == "open", self.timing.contactor_open):
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not open")

    def _currentless(self) -> bool:
        measured = self.charger.measurement
        return measured is not None and abs(measured.current_a) < NO_CURRENT_A

    def make_safe(self, reason: str) -> None:
        """Order everything open, off and zero, at once and for the rest of the stay; harmless when it is already."""
        self.live, self.over = False, self.over or reason
        self.charger.permit(contactor="open", power="off", reason=reason)
        self.charger.target("idle")
        self.limits.authorised = False
        self.limits.move("closed")

    def leave(self, ended: api.Session) -> None:
        """End the stay: tell how, then let nothing else of it be left in retained states."""
        self.make_safe("the session ended")
        self.charger.session(ended)
        self.charger.end()

    # --- wishes and dangers -----------------------------------------------------------------------------------------

    def wish(self) -> Wish:
        """What to ask of the vehicle in the next status; while power is on, its time to follow runs from now.

        A vehicle with a contract hears of other limits in AC by its schedule alone; it may decline a new one.
        """
        wish: Wish = "stop" if self._reason_to_stop() else self.charger.wish
        if self.live:
            self.expected.ask(wish)
        untold = self.live and self.contract is not None and self.limits.energy == "AC" and self.limits.outdated
        return "renegotiate" if wish == "none" and untold else wish

    def followed(self) -> None:
        """Note that the vehicle renegotiated, whether that was wished or not; a wish to stop stands."""
        self.charger.followed()
        self.expected.renegotiated()

    def _knows_the_schedule_only(self) -> bool:
        """Whether no answer of the charge loop tells the vehicle its limits: in AC with a contract."""
        return self.limits.energy == "AC" and self.contract is not None

    def _reason_to_stop(self) -> bool:
        revoked = self.grant is not None and self.grant.decision == "rejected"
        return revoked or self.charger.trouble is not None or self.expected.exceeding

    def observe(self) -> None:
        """Look whether the vehicle keeps to the limits in force; tell once when it does not."""
        measured, bounds = self.charger.measurement, self.limits.refresh()
        drawn_a = abs(measured.current_a) if measured is not None and self.live else 0.0
        if self.expected.draws(drawn_a, bounds.max_a * FOLLOW_TOLERANCE + FOLLOW_MARGIN_A):
            self.charger.event("limit_not_followed", f"{drawn_a:.1f} A flow, {bounds.max_a:.1f} A allowed")
        self._watch_contactor(flowing=bounds.max_a > 0)

    def _watch_contactor(self, *, flowing: bool) -> None:
        """Note since when the contactor is closed without an order, or open although it was closed and may be."""
        self._closed = self.live and (self._closed or self.contactor == "closed")
        unordered = self.contactor == "closed" and not self.touched
        if not (unordered or (self._closed and flowing and self.contactor == "open")):
            self._astray = None
        elif self._astray is None:
            self._astray = Budget(self.timing.contactor_close)

    def danger(self) -> V2GError | None:
        """Why the session must end now, whatever the vehicle says; None while nothing is wrong."""
        trouble = self.charger.trouble
        if trouble is not None and trouble.emergency:
            told = trouble.detail and trouble.detail != trouble.kind
            return Refused("FAILED", f"{trouble.kind}: {trouble.detail}" if told else trouble.kind)
        if self.pilot == "A":
            return PeerGone("the vehicle was unplugged")
        if self.pilot in "EF":
            return PeerGone(f"the control pilot went to {self.pilot}")
        if not self.charger.linked:
            return PeerGone("the data link was lost")
        if self.live and self.pilot not in "CD":
            return PilotLeft("FAILED", f"the control pilot went to {self.pilot} while power was on")
        if self.live and self.expected.overdue:
            return Refused("FAILED", self.expected.overdue)
        return self._contactor_astray()

    def _contactor_astray(self) -> V2GError | None:
        """Why the contactor itself is a danger: welded, closed without an order, or open against one."""
        if self.contactor == "welded":
            return Refused("FAILED_ContactorError", "the contactor is welded")
        if self._astray is not None and self._astray.over:
            return Refused("FAILED_ContactorError", f"the contactor is {self.contactor} against the order")
        return None
