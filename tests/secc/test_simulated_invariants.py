"""What the simulated charger never does, whatever is said to it and in whatever order."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from secc import api
from secc.simulated.faults import KINDS
from tests.endurance import count
from tests.secc.simulated_bench import Bench

RATED_A = 120.0
SILENCE_LIMIT_S = 3.0
SLACK = 1e-6

LEVELS = st.sampled_from([("open", "off"), ("closed", "off"), ("closed", "on"), ("open", "on")])
PILOTS = st.sampled_from(["A", "B", "C", "C", "D", "E", "F"])
AMPERES = st.sampled_from([0.0, 1.0, 5.0, 40.0, 100.0, 500.0])
VOLTS = st.sampled_from([0.0, 50.0, 380.0, 400.0, 500.0, 2_000.0])


class Abuse(RuleBasedStateMachine):
    """A SECC, ghosts of former ones, a car and a saboteur, all talking at random."""

    energy: ClassVar[Literal["ac", "dc"]] = "dc"

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.energy, dc={"current_a": RATED_A})
        self.bench.after_step = self.look
        self.heard_at = self.bench.now
        self.allowed_a = self.target_a = 0.0
        self.was_a = 0.0
        self.was_locked = False
        self.broken: str | None = None
        self.sessions = 0

    def look(self) -> None:
        """Remember the first broken promise; called after every step of the charger."""
        self.broken = self.broken or self.promise()
        hardware = self.bench.hardware
        self.was_a = hardware.current_a
        self.was_locked = hardware.lock.state == "locked"

    def promise(self) -> str | None:
        bench, hardware = self.bench, self.bench.hardware
        if bench.beating:
            self.heard_at = bench.now
        closed = hardware.contactor.state == "closed"
        if closed and hardware.plug not in {"C", "D"}:
            return "closed outside C and D"
        if closed and hardware.faults.emergency:
            return f"closed with {hardware.faults.emergency}"
        if closed and bench.now - self.heard_at > SILENCE_LIMIT_S:
            return "closed without a SECC"
        if hardware.powered_since is not None and hardware.check.state != "passed":
            return "power without a passed cable check"
        if (
            self.was_locked
            and hardware.lock.state != "locked"
            and (hardware.contactor.conducts or hardware.voltage_v >= 60)
        ):
            return "unlocked while live"
        if self.energy == "ac":  # there the car decides how much it draws
            return None
        if hardware.current_a > self.was_a + SLACK and hardware.current_a > self.most() + SLACK:
            return f"rose to {hardware.current_a} A, though {self.most()} A are allowed"
        if hardware.current_a and not hardware.contactor.conducts:
            return "current through an open contactor"
        return None

    def most(self) -> float:
        return min(self.allowed_a, self.target_a, RATED_A)

    @rule(seconds=st.sampled_from([0.01, 0.05, 0.3, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        self.bench.run(seconds)

    @rule(pilot=PILOTS, contactor=st.sampled_from(["open", "closed"]))
    def car(self, pilot: api.Pilot, contactor: Literal["open", "closed"]) -> None:
        self.bench.plug(pilot, contactor, 99.0)

    @rule(levels=LEVELS, lock=st.sampled_from(["locked", "locked", "unlocked"]))
    def permit(
        self, levels: tuple[Literal["open", "closed"], Literal["off", "on"]], lock: Literal["locked", "unlocked"]
    ) -> None:
        self.bench.permit(lock, *levels)

    @rule(
        levels=LEVELS,
        boot=st.sampled_from(["secc-0", "secc-1", "secc-2"]),
        seq=st.integers(0, 9),
        retained=st.booleans(),
    )
    def ghost_permit(
        self, levels: tuple[Literal["open", "closed"], Literal["off", "on"]], boot: str, seq: int, *, retained: bool
    ) -> None:
        facts = {"boot": boot, "seq": seq, "session": "s1", "contactor": levels[0], "power": levels[1]}
        self.bench.hear(msgspec.convert({**facts, "lock": "unlocked"}, api.Permit), retained=retained)

    @rule(current_a=AMPERES, power_w=st.sampled_from([1.0, 4_000.0, 1e6]))
    def limits(self, current_a: float, power_w: float) -> None:
        self.allowed_a = current_a
        self.bench.limits(current_a, power_w)

    @rule(boot=st.sampled_from(["secc-0", "secc-9"]))
    def ghost_limits(self, boot: str) -> None:
        self.bench.hear(
            api.Limits(
                boot=boot, seq=9, session=self.bench.session, authorised=True, direction="charge",
                max_charge_w=1e6, max_discharge_w=0.0, max_current_a=900.0,
            )
        )  # fmt: skip

    @rule(phase=st.sampled_from(["precharge", "charge", "idle", "welding"]), volts=VOLTS, amperes=AMPERES)
    def target(self, phase: Literal["precharge", "charge", "idle", "welding"], volts: float, amperes: float) -> None:
        self.target_a = amperes
        self.bench.target(phase, volts, amperes)

    @rule()
    def target_stops(self) -> None:
        self.bench.follow = None

    @rule(ident=st.sampled_from(["check-1", "check-2", "check-3"]), deadline_s=st.sampled_from([0.0, 0.1, 38.0]))
    def check(self, ident: str, deadline_s: float) -> None:
        self.bench.check_cable(ident, deadline_s=deadline_s)

    @rule(session=st.sampled_from(["s1", "s2", "s3", None]))
    def begin(self, session: str | None) -> None:
        self.allowed_a = self.target_a = 0.0
        self.bench.follow = None
        self.bench.session = session
        self.bench.permit("unlocked")

    @rule(beating=st.booleans())
    def heart(self, *, beating: bool) -> None:
        self.bench.beating = beating
        if not beating:
            self.bench.run(SILENCE_LIMIT_S + 1.0)

    @rule(boot=st.sampled_from(["secc-1", "secc-2"]), state=st.sampled_from(["online", "offline"]))
    def status(self, boot: str, state: Literal["online", "offline"]) -> None:
        self.bench.boot = boot
        self.bench.hear(api.SeccStatus(**self.bench.header(), state=state))

    @rule(kind=st.sampled_from(KINDS), mend=st.booleans())
    def sabotage(self, kind: api.FaultKind, *, mend: bool) -> None:
        if mend:
            self.bench.charger.mend(kind)
        else:
            self.bench.charger.fault(kind)

    @rule()
    def charge(self) -> None:
        """Repair everything and try to charge, so that the abuse meets a live output."""
        bench = self.bench
        for kind in KINDS:
            bench.charger.mend(kind)
        bench.plug("A")
        bench.beating = True
        bench.online()
        self.sessions += 1
        self.begin(f"fresh-{self.sessions}")
        bench.plug("C")
        bench.permit("locked")
        self.limits(500.0, 1e6)
        bench.run(0.1)
        bench.check_cable(f"fresh-{self.sessions}")
        bench.run(0.5)
        self.target("precharge", 400.0, 2.0)
        bench.permit("locked", "closed", "on")
        bench.run(0.2)
        bench.plug("C", "closed")
        self.target("charge", 400.0, 500.0)
        bench.run(0.2)

    @invariant()
    def kept(self) -> None:
        assert self.broken is None, self.broken


class AcAbuse(Abuse):
    """The same for an AC outlet."""

    energy = "ac"


SETTINGS = settings(max_examples=count(60, 2_000), stateful_step_count=40, deadline=None)
Abuse.TestCase.settings = AcAbuse.TestCase.settings = SETTINGS
TestAbuse = Abuse.TestCase
TestAcAbuse = AcAbuse.TestCase
