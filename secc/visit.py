"""One vehicle's stay at one EVSE: what is known of it, and the steps of power that all standards share.

The order of power is kept here: nothing is energised unless the step before it holds, by level and not by event.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from secc import api, expectations
from secc.authorization import Contract, Given, Grant
from secc.charger import Charger, Wish
from secc.config import SeccConfig
from secc.expectations import Expectations
from secc.limits import AuthorisedLimits
from secc.pause import Berth, Paused, Payment
from secc.schedules import Schedule
from v2g.errors import PeerGone, Refused, V2GError
from v2g.exi.message import Message
from v2g.journal import Journal
from v2g.timing import Budget, Timing
from v2g.tls.suites import Generation
from v2g.trust import Verify

SESSION_ID_BYTES = 8
NO_CURRENT_A = 1.0
SAFE_V = 60.0
REACHED_V = 20.0


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
    berth: Berth
    generation: Generation | None = None
    """The generation of TLS; None on plain TCP."""
    session_id: bytes = b""
    contract: Contract | None = None
    grant: Grant | None = None
    resumed: Paused | None = None
    """The paused session that this one goes on from."""
    live: bool = False
    """Whether the pilot must stay in C or D: from the order to close (in DC: to test) until the stop."""
    over: str = ""
    """Why nothing may be energised any more; empty while it may."""
    pardons: Callable[[Message], bool] = _nothing
    """Which requests are still served after the pilot left C and D."""
    fallen: str = ""
    """Why a DC output was opened in the loop; nothing of this session closes it again."""
    renegotiates: bool = True
    """Whether the vehicle can be asked to renegotiate, which not every standard knows."""
    expected: Expectations = field(init=False)
    _ordered: Literal["open", "closed"] = "open"
    _closed: bool = False
    _astray: Budget | None = None
    _session: api.Session = field(default_factory=lambda: api.Session(stage="connected"))
    vehicle: api.Vehicle = field(default_factory=api.Vehicle)
    """What the car said about itself so far."""

    def __post_init__(self) -> None:
        delay_s = self.config.session.notification_max_delay_s * self.timing.scale
        self.expected = Expectations(delay_s=delay_s, follow_s=self.timing.follow)

    def begin(self, presented: bytes = b"") -> bytes:
        """Join the paused session of the id presented, or draw an id: 8 random bytes, never zero [V2G2-750]."""
        self.resumed = self.berth.take(presented, self.setup, self.payments)
        if self.resumed is not None:
            self.session_id = self.resumed.session_id
        while not any(self.session_id):
            self.session_id = secrets.token_bytes(SESSION_ID_BYTES)
        self.charger.begin(self.session, resumed=self.resumed is not None)
        if self.resumed is not None:
            self.charger.event("session_resumed")
        return self.session_id

    def pause(self, schedule: Schedule | None) -> None:
        """Keep what a paused session needs to go on, `schedule` among it; raises `Refused` where it must not go on."""
        if not self.config.session.pause:
            raise Refused("FAILED", "this station does not pause sessions")
        grant = self.grant
        if grant is None or grant.decision != "accepted" or self.limits.spent or self.charger.wish == "stop":
            raise Refused("FAILED", "this session is not to go on")
        word = grant.presented if self.contract is None else None
        self.berth.keep(
            Paused(
                session_id=self.session_id,
                setup=self.setup,
                payment="external" if self.contract is None else "contract",
                grant=grant,
                given=None if word is None else Given(grant.id, word),
                energy_left_wh=self.limits.energy_left_wh,
                schedule=schedule,
                at=time.monotonic(),
            )
        )

    @property
    def energy_mode(self) -> api.EnergyMode:
        """What the vehicle chose; AC1 before it did."""
        return self._session.energy_mode or "AC1"

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
        if vehicle != self.vehicle:
            self.vehicle = vehicle
            self.charger.vehicle(vehicle)

    # --- authorization ----------------------------------------------------------------------------------------------

    @property
    def payments(self) -> list[Payment]:
        """What may be offered: contracts only inside TLS [V2G2-634] and only with roots to check them against.

        After a pause it is what was chosen before [V2G2-741].
        """
        if self.resumed is not None:
            return [self.resumed.payment]
        contracts = self.secure and bool(self.config.trust.contract)
        return [each for each in self.setup.authorization if each == "external" or contracts]

    def authorised(self, grant: Grant) -> None:
        """Put the grant in force: limits are authorised from now on, though still zero."""
        presented = grant.presented
        if self.contract is not None:
            self.limits.contract = self._called(self.contract.emaid)
        if presented is not None:
            self.limits.max_energy_wh = presented.max_energy_wh
        self._heed_contract()
        if self.resumed is not None and self.resumed.energy_left_wh is not None:
            self.limits.max_energy_wh = self.resumed.energy_left_wh
        self.limits.authorised = True
        self.limits.refresh()
        self.journal.record("authorised", by=grant.source)
        self.charger.event("authorised", f"by {grant.source}", id=grant.id)

    def _heed_contract(self) -> None:
        """Allow the power that came with the latest acceptance; a revocation allows no other, it ends the session."""
        presented = None if self.grant is None else self.grant.presented
        if presented is not None and presented.accepted:
            self.limits.allow("contract", max_w=presented.max_power_w)

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
        """Raise `Refused` where nothing may be energised: in danger, and where the vehicle is to stop anyway."""
        danger = self.danger()
        if self.over or danger is not None:
            raise Refused("FAILED", self.over or str(danger))
        if reason := self.reason_to_stop():
            raise Refused("FAILED", reason)

    def energise(self, reason: str) -> None:
        """Order the contactor closed and power on; from here on the pilot must stay in C or D."""
        self.demand_safety()
        self.live = True
        self._ordered, self._closed = "closed", False
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

    def deliver(self, precharged_v: float) -> None:
        """Let DC flow, once the contactor is closed and the output near the voltage it was brought to."""
        if self.contactor != "closed":
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not closed")
        measured = self.charger.measurement
        if measured is None or abs(measured.voltage_v - precharged_v) > REACHED_V:
            found = "unknown" if measured is None else f"{measured.voltage_v:.0f} V"
            raise Refused("FAILED_PowerDeliveryNotApplied", f"the output is {found}, not {precharged_v:.0f} V")
        self._closed = True
        self.limits.move("open")

    def order_open(self, reason: str) -> None:
        """Order power off and the contactor open."""
        self._ordered, self._closed = "open", False
        self.charger.permit(power="off", contactor="open", reason=reason)

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
        return self.contactor == "open" and measured is not None and abs(measured.voltage_v) < SAFE_V

    async def power_down(self, ramp_s: float, open_s: float) -> None:
        """Ramp to 0 A, then power off, then open, each in its time; raises FAILED_ContactorError when still closed."""
        self.live = False
        self.charger.target("idle")
        self.limits.move("closed")
        await self.charger.until(lambda: bool(self.over) or self._currentless(), ramp_s)
        self.order_open("PowerDelivery(Stop)")
        if not await self.charger.until(lambda: self.contactor == "open", open_s):
            raise Refused("FAILED_ContactorError", f"the contactor is {self.contactor}, not open")

    def _currentless(self) -> bool:
        measured = self.charger.measurement
        return measured is not None and abs(measured.current_a) < NO_CURRENT_A

    def make_safe(self, reason: str) -> None:
        """Order everything open, off and zero, at once and for the rest of the stay; harmless when it is already."""
        self.live, self.over = False, self.over or reason
        self.order_open(reason)
        self.charger.target("idle")
        self.limits.authorised = False
        self.limits.move("closed")

    def leave(self, ended: api.Session) -> None:
        """End the stay: tell how, then let nothing else of it be left in retained states."""
        self.make_safe("the session ended")
        self.charger.session(ended)
        self.charger.end(paused=self.berth.paused is not None)
        self.berth.left()

    # --- wishes and dangers -----------------------------------------------------------------------------------------

    def wish(self) -> Wish:
        """What to ask of the vehicle in the next status; while power is on, its time to follow runs from now."""
        wish = self._wanted()
        if self.live:
            self.expected.ask(wish)
        schedule_tells = self._knows_the_schedule_only or self.limits.withholds
        outdated = self.limits.replanned or (schedule_tells and self.limits.outdated)
        untold = self.live and self.renegotiates and outdated
        return "renegotiate" if wish == "none" and untold else wish

    def followed(self) -> None:
        """Note that the vehicle renegotiated, whether that was wished or not; a wish to stop stands."""
        self.charger.followed()
        self.expected.renegotiated()

    @property
    def _knows_the_schedule_only(self) -> bool:
        """Whether no answer of the charge loop tells the vehicle its limits: in AC with a contract.

        It hears of other limits by a new schedule alone, and may decline one.
        """
        return self.limits.energy == "AC" and self.contract is not None

    def _wanted(self) -> Wish:
        wish = "stop" if self.reason_to_stop() else self.charger.wish
        return "none" if wish == "renegotiate" and not self.renegotiates else wish

    @property
    def no_energy(self) -> bool:
        """Whether there is nothing to give to a vehicle now, however little it wants."""
        return self.limits.bounds(without=frozenset({"ev"})).max_w == 0

    def reason_to_stop(self) -> str:
        """Why the vehicle has to stop, and why nothing new may be energised; empty while it may go on."""
        trouble = self.charger.trouble
        if self.grant is not None and self.grant.decision == "rejected":
            return "the authorization was revoked"
        if trouble is not None:
            return trouble.kind
        if self.charger.wish in ("stop", "pause"):
            return f"the charger wishes to {self.charger.wish}"
        if self.limits.spent:
            return "the energy of the contract is used up"
        return self.fallen or ("the vehicle draws more than it is allowed to" if self.expected.exceeding else "")

    def observe(self) -> None:
        """Look, for as long as the session runs, whether vehicle and contactor keep to what is in force."""
        self._heed_contract()
        measured, bounds = self.charger.measurement, self.limits.refresh()
        excess = expectations.excess(measured, bounds) if measured is not None and self.live else ""
        if self.expected.draws(excessive=bool(excess)):
            self.charger.event("limit_not_followed", excess)
        self.expected.arises(self._wanted() if self.live else "none")
        self._watch_contactor(flowing=bounds.max_a > 0)

    def _watch_contactor(self, *, flowing: bool) -> None:
        """Note since when the contactor stands against the order; open a DC output that may not deliver any more."""
        self._closed = self._ordered == "closed" and (self._closed or self.contactor == "closed")
        opened = self._closed and self.contactor == "open"
        if self.limits.energy == "DC" and self.limits.window == "open" and (opened or not flowing):
            self._fall(opened=opened)
        unordered = self._ordered == "open" and self.contactor == "closed" and self.limits.window != "testing"
        if not (unordered or (opened and flowing)):
            self._astray = None
        elif self._astray is None:
            self._astray = Budget(self.timing.contactor_close)

    def _fall(self, *, opened: bool) -> None:
        """Let no DC flow any more, and have the vehicle asked to stop: the output must not close onto the battery.

        Where the charger reports a fault the contactor is left to the stop that follows, or to the charger.
        """
        trouble = self.charger.trouble
        self.fallen = trouble.kind if trouble else "the output was opened" if opened else "the limits fell to zero"
        self.limits.move("closed")
        if trouble is None:
            self.charger.target("idle")
            self.order_open(self.fallen)
            self.charger.event("output_opened", self.fallen)

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
