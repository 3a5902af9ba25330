"""One vehicle's stay at one EVSE: what is known of it, and the steps of power that all standards share.

The order of power is kept here: nothing is energised unless the step before it holds, by level and not by event.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from secc import api
from secc.authorization import Contract, Grant
from secc.charger import Charger, Wish
from secc.config import SeccConfig
from secc.limits import AuthorisedLimits
from v2g.errors import PeerGone, Refused, V2GError
from v2g.journal import Journal
from v2g.timing import Budget, Timing
from v2g.trust import Verify

SESSION_ID_BYTES = 8
NO_CURRENT_A = 1.0
SAFE_V = 60.0
RAMP_DOWN_S = 2.0
OPENING_S = 1.0
FOLLOW_S = 5.0
FOLLOW_TOLERANCE = 1.1
FOLLOW_MARGIN_A = 2.0


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
    """Whether the pilot must stay in C or D: from the closed contactor until the stop."""
    _session: api.Session = field(default_factory=lambda: api.Session(stage="connected"))
    _vehicle: api.Vehicle | None = None
    _follow: Budget | None = None
    _wish: Wish = "none"
    _patience: Budget | None = None

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

    async def close_contactor(self) -> None:
        """Close the AC contactor once the pilot is C or D; raises FAILED_ContactorError when it does not close."""
        budget = Budget(self.timing.contactor_close)
        if not await self.charger.until(lambda: self.pilot in "CD" and self.locked, budget.left()):
            raise Refused("FAILED_ContactorError", f"the pilot is {self.pilot}, not C or D; locked: {self.locked}")
        self.limits.move("open")
        self.charger.permit(contactor="closed", power="on", reason="PowerDelivery(Start)")
        if not await self.charger.until(lambda: self.contactor == "closed", budget.left()):
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not closed")
        self.live = True

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
        await self.charger.until(self._currentless, RAMP_DOWN_S)
        self.charger.permit(power="off", contactor="open", reason="PowerDelivery(Stop)")
        if not await self.charger.until(lambda: self.contactor == "open", OPENING_S):
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not open")

    def _currentless(self) -> bool:
        measured = self.charger.measurement
        return measured is not None and abs(measured.current_a) < NO_CURRENT_A

    def make_safe(self, reason: str) -> None:
        """Order everything open, off and zero, at once; harmless when it is already."""
        self.live = False
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
        """What to ask of the vehicle in the next status; raises `Refused` when it had its time to follow."""
        wish = self._reason_to_stop() or self.charger.wish
        if wish != self._wish:
            self._wish = wish
            self._patience = Budget(self.config.session.notification_max_delay_s) if wish != "none" else None
        if self._patience is not None and self._patience.over:
            raise Refused("FAILED", f"the vehicle was asked to {wish} and did not follow in time")
        return wish

    def followed(self) -> None:
        """Note that the vehicle renegotiated, whether that was wished or not; a wish to stop stands."""
        self.charger.followed()
        if self._wish == "renegotiate":
            self._wish, self._patience = "none", None

    def _reason_to_stop(self) -> Wish | None:
        trouble = self.charger.trouble
        if trouble is not None:
            return "stop"
        if self.grant is not None and self.grant.decision == "rejected":
            return "stop"
        return "stop" if self._does_not_follow() else None

    def _does_not_follow(self) -> bool:
        """Whether more current than allowed has flowed for longer than the vehicle may take to follow."""
        measured, bounds = self.charger.measurement, self.limits.refresh()
        allowed = bounds.max_a * FOLLOW_TOLERANCE + FOLLOW_MARGIN_A
        if measured is None or not self.live or abs(measured.current_a) <= allowed:
            self._follow = None
            return False
        if self._follow is None:
            self._follow = Budget(FOLLOW_S)
        if self._follow.over:
            self.charger.event("limit_not_followed", f"{measured.current_a:.1f} A flow, {bounds.max_a:.1f} A allowed")
        return self._follow.over

    def danger(self) -> V2GError | None:
        """Why the session must end now, whatever the vehicle says; None while nothing is wrong."""
        trouble = self.charger.trouble
        if trouble is not None and trouble.emergency:
            return Refused("FAILED", f"{trouble.kind}: {trouble.detail}")
        if self.pilot == "A":
            return PeerGone("the vehicle was unplugged")
        if self.pilot in "EF":
            return PeerGone(f"the control pilot went to {self.pilot}")
        if self.live and self.pilot not in "CD":
            return PeerGone(f"the control pilot went to {self.pilot} while power was on")
        if not self.charger.linked:
            return PeerGone("the data link was lost")
        return None
