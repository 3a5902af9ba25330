"""The controller against real brokers, with a charger played by a plain MQTT client that writes its own JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from secc import api
from secc.authorization import Grant
from secc.charger import Charger, Presented, Trouble
from secc.controller import Controller
from secc.liveness import ControllerSettings
from secc.pause import Berth, Paused
from tests.brokers import PATIENCE_S, Peer, RunningBroker, background, eventually, peer_of
from v2g.timing import Budget

# Bounds are long where a test is not about them: brokers on a busy machine stall.
PATIENT = ControllerSettings(controller_timeout_s=5, measurement_timeout_s=5, loop_silence_s=5)
HASTY = ControllerSettings(controller_timeout_s=0.5, measurement_timeout_s=0.3, loop_silence_s=0.3)

OPEN = {"contactor": "open", "power": "off"}
NOTHING = {"authorised": False, "max_charge_w": 0, "max_discharge_w": 0, "max_current_a": 0}


class Hardware:
    """A charger controller as its maker might write it: dictionaries, and a heartbeat that can be stopped."""

    def __init__(self, peer: Peer, boot: str = "c1") -> None:
        self.peer = peer
        self.boot = boot
        self.seq = 0
        self.sample = 0
        self.beating = True
        self.measuring = False
        self._counter = 0

    async def level(self, topic: str, **members: object) -> None:
        self.seq += 1
        header = {"boot": self.boot, "seq": self.seq, "time": "2026-01-01T00:00:00Z"}
        await self.peer.say(f"charger/{topic}", header | members, retain=True)

    async def state(self, **members: object) -> None:
        usual: dict[str, object] = {
            "plug": "C",
            "contactor": "open",
            "lock": "locked",
            "isolation": "valid",
            "cable_check": "idle",
            "ready": True,
            "faults": [],
        }
        await self.level("state", **(usual | members))

    async def appear(self) -> None:
        await self.level("status", state="online", name="test")
        await self.level(
            "setup",
            evse_id="DE*ABC*E1",
            energy_modes=["DC"],
            max_current_a=200,
            max_voltage_v=920,
            max_power_w=150_000,
        )
        await self.state()

    async def live(self) -> None:
        """Beat and measure until cancelled."""
        while True:
            if self.beating:
                self._counter += 1
                await self.peer.say("charger/heartbeat", {"boot": self.boot, "counter": self._counter}, qos=0)
            if self.measuring:
                self.sample += 1
                await self.measure()
            await asyncio.sleep(0.05)

    async def measure(self) -> None:
        values = {"boot": self.boot, "sample": self.sample, "voltage_v": 401.5, "current_a": 12.5}
        await self.peer.say("charger/measurement", values, qos=0)


@contextlib.asynccontextmanager
async def station(broker: RunningBroker, settings: ControllerSettings = PATIENT) -> AsyncIterator[Controller]:
    controller = Controller(broker.settings, "bay-1", settings, version="1.2.3", protocols=["iso2"], interface="eth0")
    running = asyncio.create_task(controller.run())
    await asyncio.wait_for(controller.ready(), 10)
    yield controller
    running.cancel()
    await asyncio.wait({running}, timeout=PATIENCE_S)
    with contextlib.suppress(asyncio.CancelledError):
        running.result()


@pytest.fixture
async def hardware(peer: Peer) -> AsyncIterator[Hardware]:
    """A charger next to EVSE `bay-1`, alive."""
    await peer.listen("secc/#")
    charger = Hardware(peer)
    async with background(charger.live()):
        await charger.appear()
        yield charger


async def holds(controller: Controller, condition: object, what: str = "") -> None:
    assert callable(condition)
    assert await controller.until(condition, 10), what


def trouble(controller: Controller) -> str | None:
    """The kind of the trouble there is, with an exclamation mark for an emergency."""
    now = controller.trouble
    return None if now is None else now.kind + "!" * now.emergency


def acked(controller: Controller) -> str | None:
    return None if controller.permit_ack is None else controller.permit_ack.result


def check(controller: Controller) -> str:
    return controller.cable_check


def wish(controller: Controller) -> str:
    return controller.wish


def plug(controller: Controller) -> str | None:
    return None if controller.state is None else controller.state.plug


def limits(**members: Any) -> api.Limits:
    whole: dict[str, Any] = {
        "boot": "",
        "seq": 0,
        "time": "",
        "authorised": True,
        "direction": "charge",
        "max_charge_w": 50_000,
        "max_discharge_w": 0,
        "max_current_a": 125,
        "contract": "DE-ABC-C123456-7",
    }
    return api.Limits(**(whole | members))


def charging(controller: Controller) -> None:
    """Begin a session and order everything on."""
    controller.begin("S1")
    controller.limits(limits())
    controller.permit(lock="locked", contactor="closed", power="on", reason="charge")
    controller.target("charge", 400.0, 100.0, vehicle_max_voltage_v=450.0)


def test_it_is_a_charger() -> None:
    charger: type[Charger] = Controller
    assert charger is Controller


async def test_levels_are_seen_while_the_writer_lives(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        assert controller.setup is not None
        assert controller.setup.evse_id == "DE*ABC*E1"
        assert plug(controller) == "C"
        assert controller.linked
        await hardware.level("link", kind="plc", state="lost")
        await hardware.level("meter", meter_id="M1", energy_import_wh=1234)
        await hardware.level("limits", max_current_a=20)
        await holds(controller, lambda: controller.hardware_limits is not None)
        await holds(controller, lambda: not controller.linked)
        assert controller.meter is not None
        assert controller.meter.energy_import_wh == 1234


async def test_what_was_retained_by_the_dead_does_not_count(broker: RunningBroker, peer: Peer) -> None:
    """Status online, setup, state, all retained, but no heartbeat: the process that said it is gone."""
    dead = Hardware(peer)
    await dead.appear()
    async with station(broker) as controller:
        await peer.listen("secc/event")
        await peer.say("charger/request", {"id": "after", "do": "stop"})
        await peer.hears("secc/event", id="after")  # what was retained has arrived by now
        assert controller.setup is None
        assert controller.state is None
        assert trouble(controller) == "controller_silent!"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"plug": "B"}, "pilot_left"),
        ({"faults": [{"kind": "overcurrent", "severity": "emergency"}]}, "overcurrent"),
        ({"faults": [{"kind": "temperature", "severity": "stop"}]}, None),
    ],
)
async def test_what_passes_in_a_moment_is_no_less_a_danger(
    broker: RunningBroker, hardware: Hardware, said: dict[str, Any], kind: str | None
) -> None:
    """Nobody looks between two reports; the charger opened, and must not find itself ordered closed."""
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        await hardware.state(**said)
        await hardware.state(contactor="closed")
        await holds(controller, lambda: controller.state is not None and controller.state.contactor == "closed")
        assert trouble(controller) == (None if kind is None else f"{kind}!")
        if kind is not None:
            await hardware.peer.hears("secc/permit", contactor="open", power="off")
            controller.permit(contactor="closed", power="on")
            assert controller._orders.permit.contactor == "open"
            controller.begin("S2")
            assert trouble(controller) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"plug": "B"}, "pilot_left"),
        ({"faults": [{"kind": "overcurrent", "severity": "emergency"}]}, "overcurrent"),
        ({}, None),
    ],
)
async def test_what_passes_while_the_cable_is_tested_is_a_danger_too(
    broker: RunningBroker, hardware: Hardware, said: dict[str, Any], kind: str | None
) -> None:
    """The contactor is not ordered closed then; and the state that hides the danger may say that the test passed."""
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        controller.check_cable(test_voltage_v=500, vehicle_max_voltage_v=450, deadline_s=30)
        command = await hardware.peer.hears("secc/command", do="start_cable_check")
        await hardware.peer.say("charger/ack", {"boot": "c1", "result": "accepted", "id": command["id"]})
        await hardware.state(cable_check="running", **said)
        await hardware.state(cable_check="passed", session="S1")
        await holds(controller, lambda: check(controller) != "running")
        assert trouble(controller) == (None if kind is None else f"{kind}!")
        assert check(controller) == ("passed" if kind is None else "failed")


async def test_the_permit_carries_session_and_seq_and_is_acked(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        controller.permit(lock="locked", contactor="closed")
        permit = await hardware.peer.hears("secc/permit", contactor="closed")
        assert (permit["session"], permit["lock"], permit["power"]) == ("S1", "locked", "off")
        assert acked(controller) is None
        await hardware.peer.say("charger/ack", {"boot": "other", "result": "done", "seq": permit["seq"]})
        await hardware.peer.hears("secc/event", kind="rejected", topic="charger/ack", reason="unknown boot")
        await hardware.peer.say("charger/ack", {"boot": "c1", "result": "done", "seq": permit["seq"]})
        await holds(controller, lambda: acked(controller) == "done")
        controller.permit(contactor="closed")
        assert acked(controller) == "done"
        controller.permit(power="on")
        assert acked(controller) is None
        later = await hardware.peer.hears("secc/permit", power="on")
        assert later["seq"] > permit["seq"]


async def test_a_silent_controller_loses_its_session_for_good(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker, HASTY) as controller:
        hardware.measuring = True
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        await hardware.peer.hears("secc/limits", authorised=True, max_current_a=125, session="S1")
        await hardware.peer.hears("secc/permit", contactor="closed", power="on")
        hardware.beating = False
        await holds(controller, lambda: trouble(controller) is not None)
        assert trouble(controller) == "controller_silent!"
        await hardware.peer.hears("secc/permit", **OPEN, lock="locked")
        await hardware.peer.hears("secc/limits", **NOTHING)
        await hardware.peer.hears("secc/target", phase="idle", current_a=0)
        hardware.beating = True
        await holds(controller, lambda: controller.state is not None)
        controller.permit(contactor="closed", power="on")
        controller.limits(limits())
        controller.target("charge", 400.0, 100.0)
        assert trouble(controller) is not None
        await hardware.peer.hears("secc/permit", **OPEN)
        await hardware.peer.hears("secc/limits", **NOTHING)
        await hardware.peer.hears("secc/target", current_a=0)
        controller.begin("S2")
        assert trouble(controller) is None
        controller.permit(contactor="closed")
        await hardware.peer.hears("secc/permit", contactor="closed", session="S2")


async def test_a_status_offline_is_silence_at_once(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        await hardware.peer.say(
            "charger/status", {"boot": "c1", "seq": 0, "time": "t", "state": "offline"}, retain=True
        )
        await holds(controller, lambda: trouble(controller) is not None)
        await hardware.peer.hears("secc/permit", **OPEN)


async def test_a_restarted_controller_does_not_resume(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        await hardware.peer.hears("secc/permit", contactor="closed")
        hardware.boot = "c2"
        await holds(controller, lambda: trouble(controller) is not None)
        assert controller.state is None
        await hardware.appear()
        await holds(controller, lambda: controller.state is not None)
        assert trouble(controller) in {"controller_restarted!", "controller_silent!"}
        await hardware.peer.hears("secc/permit", **OPEN)


async def test_faults_are_trouble_the_gravest_first(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        await hardware.state(
            faults=[{"kind": "temperature", "severity": "stop"}, {"kind": "rcd", "severity": "emergency"}]
        )
        await holds(controller, lambda: trouble(controller) is not None)
        assert controller.trouble == Trouble(kind="rcd", emergency=True, detail="rcd, temperature")
        await hardware.state(faults=[{"kind": "temperature", "severity": "stop"}])
        await holds(controller, lambda: trouble(controller) == "temperature")
        await hardware.state()
        await holds(controller, lambda: trouble(controller) is None)


async def test_a_frozen_sample_counter_is_a_dead_sensor(broker: RunningBroker, hardware: Hardware) -> None:
    settings = ControllerSettings(controller_timeout_s=5, measurement_timeout_s=0.5)
    async with station(broker, settings) as controller:
        hardware.measuring = True
        await holds(controller, lambda: controller.measurement is not None)
        assert controller.measurement is not None
        assert (controller.measurement.voltage_v, controller.measurement.current_a) == (401.5, 12.5)
        charging(controller)
        hardware.measuring = False

        async def freeze() -> None:
            while True:
                await hardware.measure()
                await asyncio.sleep(0.05)

        async with background(freeze()):
            await holds(controller, lambda: controller.measurement is None)
            await holds(controller, lambda: trouble(controller) is not None)
        assert trouble(controller) == "measurement_lost!"
        controller.permit(power="off")
        assert trouble(controller) is None


async def test_the_target_is_repeated_and_falls_when_the_loop_is_silent(
    broker: RunningBroker, hardware: Hardware
) -> None:
    settings = ControllerSettings(controller_timeout_s=5, measurement_timeout_s=5, loop_silence_s=0.4, target_s=0.1)
    async with station(broker, settings) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        hardware.measuring = True
        charging(controller)
        controller.session(api.Session(stage="charging", energy_mode="DC"))
        said = await hardware.peer.hears("secc/target", phase="charge", current_a=100)
        assert (said["voltage_v"], said["vehicle_max_voltage_v"], said["session"]) == (400, 450, "S1")
        fallen = await hardware.peer.hears("secc/target", phase="charge", current_a=0)
        assert fallen["voltage_v"] == 400
        before = [target for target in hardware.peer.on("secc/target") if target["current_a"] == 100]
        assert len(before) >= 2
        await hardware.peer.hears("secc/event", kind="loop_silent")
        controller.target("charge", 400.0, 100.0)
        await hardware.peer.hears("secc/target", current_a=100)
        controller.target("precharge", 400.0, 2.0)
        await hardware.peer.hears("secc/target", phase="precharge", current_a=2)
        fallen = await hardware.peer.hears("secc/target", phase="precharge", current_a=0)
        assert fallen["voltage_v"] == 0


async def test_an_ac_loop_may_be_slow(broker: RunningBroker, hardware: Hardware) -> None:
    settings = ControllerSettings(controller_timeout_s=5, measurement_timeout_s=5, loop_silence_s=0.2, target_s=0.1)
    async with station(broker, settings) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        hardware.measuring = True
        charging(controller)
        controller.session(api.Session(stage="charging", energy_mode="AC3"))
        await hardware.peer.hears("secc/target", phase="charge", current_a=100)
        await asyncio.sleep(0.6)
        assert hardware.peer.last("secc/target")["current_a"] == 100


async def test_a_cable_check_is_ordered_once_and_read_from_the_level(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await hardware.state(cable_check="passed")
        await holds(controller, lambda: controller.state is not None and controller.state.cable_check == "passed")
        controller.begin("S1")
        assert check(controller) == "idle"
        for _ in range(3):
            controller.check_cable(test_voltage_v=500, vehicle_max_voltage_v=450, deadline_s=30)
        assert check(controller) == "running"
        command = await hardware.peer.hears("secc/command", do="start_cable_check")
        assert (command["session"], command["test_voltage_v"], command["deadline_s"]) == ("S1", 500, 30)
        await hardware.state(cable_check="running")
        await hardware.peer.say("charger/ack", {"boot": "c1", "result": "accepted", "id": command["id"]})
        await hardware.state(cable_check="passed", session="S1")
        await holds(controller, lambda: check(controller) == "passed")
        assert len(hardware.peer.on("secc/command")) == 1


async def test_a_refused_cable_check_has_failed(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        controller.check_cable(test_voltage_v=500, vehicle_max_voltage_v=450, deadline_s=30)
        command = await hardware.peer.hears("secc/command")
        await hardware.peer.say("charger/ack", {"boot": "c1", "result": "rejected", "id": "another"})
        await hardware.peer.hears("secc/event", kind="rejected", reason="unknown id")
        assert check(controller) == "running"
        await hardware.peer.say("charger/ack", {"boot": "c1", "result": "rejected", "id": command["id"]})
        await holds(controller, lambda: check(controller) == "failed")


async def test_wishes_are_answered_once_each(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        peer = hardware.peer
        await peer.say("charger/request", {"id": "1", "do": "pause"})
        await peer.hears("secc/event", kind="request_accepted", id="1", session="S1")
        assert wish(controller) == "pause"
        await peer.say("charger/request", {"id": "2", "do": "renegotiate"})
        await peer.hears("secc/event", kind="request_refused", id="2")
        assert wish(controller) == "pause"
        await peer.say("charger/request", {"id": "3", "do": "emergency_stop", "reason": "button"})
        await peer.hears("secc/event", kind="request_accepted", id="3")
        assert controller.trouble == Trouble(kind="emergency_stop", emergency=True, detail="button")
        controller.begin("S2")
        assert wish(controller) == "none"
        assert trouble(controller) is None


async def test_authorization_answers_by_id(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        controller.ask(api.AuthorizationRequest(id="q1", session="S1", kind="external", deadline_s=30))
        peer = hardware.peer
        asked = await peer.hears("secc/authorization/request", id="q1")
        assert asked["deadline_s"] == 30
        await peer.say("charger/authorization", {"id": "q0", "accepted": True})
        await peer.hears("secc/event", kind="rejected", topic="charger/authorization", reason="unknown id")
        await peer.say("backend/authorization/response", {"id": "q1", "status": "pending"})
        await peer.say("charger/authorization", {"id": "q1", "accepted": True})
        await holds(controller, lambda: controller.answered("q1", "charger") is not None)
        assert controller.answered("q1", "backend") is None
        await peer.say("backend/authorization/response", {"id": "q1", "status": "accepted", "max_power_w": 7_000})
        await holds(controller, lambda: controller.answered("q1", "backend") is not None)
        word = controller.answered("q1", "backend")
        assert word is not None
        assert (word.accepted, word.max_power_w) == (True, 7_000)
        await peer.say("backend/authorization/response", {"id": "q1", "status": "rejected"})

        def revoked() -> bool:
            word = controller.answered("q1", "backend")
            return word is not None and not word.accepted

        await holds(controller, revoked)
        await peer.say("charger/authorization", {"id": "advance", "accepted": True, "valid_for_s": 60})
        await peer.say("charger/request", {"id": "after", "do": "stop"})
        await peer.hears("secc/event", id="after")
        controller.end()
        controller.begin("S2")
        assert controller.advance("charger", "q2") is not None
        assert controller.advance("charger", "q2") is None
        await peer.say("charger/authorization", {"id": "q2", "accepted": False})
        await holds(
            controller, lambda: controller.answered("q2", "charger") == Presented(accepted=False, source="charger")
        )


async def test_a_word_may_be_taken_back_during_a_pause(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        peer = hardware.peer

        async def says(accepted: bool) -> None:
            await peer.say("charger/authorization", {"id": "q1", "accepted": accepted})

        def word() -> bool | None:
            said = controller.answered("q1", "charger")
            return None if said is None else said.accepted

        controller.begin("S1")
        controller.ask(api.AuthorizationRequest(id="q1", session="S1", kind="external", deadline_s=30))
        await says(True)
        await holds(controller, lambda: word() is True)
        controller.end(paused=True)
        assert word() is True
        await says(False)
        await holds(controller, lambda: word() is False)
        controller.end()
        assert word() is None
        await says(False)
        await peer.hears("secc/event", kind="rejected", topic="charger/authorization", reason="unknown id")


async def test_plans_by_id_and_source(broker: RunningBroker, hardware: Hardware) -> None:
    """And larger ones than any other payload."""
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        controller.begin("S1")
        asking = api.PlanRequest(
            id="p1", session="S1", deadline_s=20, energy_mode="DC", max_charge_w=150_000, max_entries=1_024
        )
        controller.ask_plan(asking, "backend")
        peer = hardware.peer
        assert (await peer.hears("secc/plan/request", id="p1"))["max_entries"] == 1_024
        steps = [{"start_s": 60 * number, "max_w": 50_000.123_456 - number} for number in range(1_024)]
        plan = {"id": "p1", "schedules": [{"steps": steps}] * 3}
        assert len(json.dumps(plan)) > api.PAYLOAD_LIMIT
        await peer.say("charger/plan", plan)
        await peer.hears("secc/event", kind="rejected", topic="charger/plan", reason="the backend makes the plans here")
        await peer.say("backend/plan/response", plan | {"id": "p0"})
        await peer.hears("secc/event", kind="rejected", topic="backend/plan/response", reason="unknown id")
        await peer.say("backend/plan/response", {"id": "p1", "schedules": [{"steps": [{"start_s": 1, "max_w": 5}]}]})
        await peer.hears("secc/event", kind="rejected", topic="backend/plan/response")
        assert controller.planned("p1") is None
        await peer.say("backend/plan/response", plan)
        await holds(controller, lambda: controller.planned("p1") is not None)
        controller.end()
        assert controller.planned("p1") is None


def recall(controller: Controller) -> str:
    return controller.recall


async def test_a_paused_session_keeps_the_lock_and_can_be_recalled(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        controller.services([api.SelectedService(id=3, name="InternetAccess", parameter_set=4)])
        controller.schedules(api.Schedules(chosen=1))
        peer = hardware.peer
        await peer.hears("secc/service", session="S1")
        controller.permit(contactor="open", power="off")
        controller.session(api.Session(stage="paused", evcc_id="001122334455"))
        controller.end(paused=True)
        await peer.hears("secc/session", stage="paused", evcc_id=None, session=None)
        await peer.hears("secc/permit", **OPEN, lock="locked", session=None)
        await peer.hears("secc/limits", **NOTHING)
        await peer.hears("secc/service", selected=None, session=None)
        await peer.hears("secc/plan", chosen=None, session=None)
        assert recall(controller) == "none"
        await peer.say("charger/request", {"id": "w", "do": "resume"})
        await holds(controller, lambda: recall(controller) == "wake_up")
        controller.wake_up("S1", 10)
        assert recall(controller) == "none"
        woken = await peer.hears("secc/command", do="wake_up", session="S1")
        assert woken["deadline_s"] == 10
        controller.begin("S1", resumed=True)
        await peer.hears("secc/permit", **OPEN, lock="locked", session="S1")
        controller.end(paused=True)
        await peer.say("charger/request", {"id": "r", "do": "stop"})
        await holds(controller, lambda: recall(controller) == "release")
        controller.end()
        await peer.hears("secc/permit", **OPEN, lock="unlocked", session=None)


async def test_the_end_overwrites_what_was_personal(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        controller.session(
            api.Session(
                boot="", seq=0, time="", stage="charging", evcc_id="001122334455", protocol="iso2", reason="stopped"
            )
        )
        controller.vehicle(api.Vehicle(boot="", seq=0, time="", soc_percent=45))
        await hardware.peer.hears("secc/session", evcc_id="001122334455", session="S1")
        await hardware.peer.hears("secc/vehicle", soc_percent=45)
        controller.end()
        await hardware.peer.hears("secc/vehicle", soc_percent=None)
        await hardware.peer.hears("secc/permit", **OPEN, session=None)
        async with peer_of(broker.settings, "bay-1") as later:
            await later.listen("secc/#")
            await later.hears("secc/session", stage="idle", reason="stopped", protocol="iso2")
            await later.hears("secc/limits", **NOTHING)
            kept = json.dumps([payload for _, payload, retained in later.heard if retained])
        for secret in ("001122334455", "DE-ABC-C123456-7", "S1", "45"):
            assert f'"{secret}"' not in kept
        assert "soc_percent" not in kept


async def test_a_bad_payload_is_one_event_and_no_end(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        await hardware.peer.say("charger/state", {"boot": "c1", "seq": 9, "time": "t", "plug": "Z"})
        event = await hardware.peer.hears("secc/event", kind="rejected", topic="charger/state")
        assert "plug" in event["reason"]
        assert plug(controller) == "C"
        await hardware.state(plug="B")
        await holds(controller, lambda: plug(controller) == "B")
        assert len([event for event in hardware.peer.on("secc/event") if event["kind"] == "rejected"]) == 1


async def test_a_setup_with_a_bad_evse_id_changes_nothing(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        ratings = {"energy_modes": ["DC"], "max_current_a": 1, "max_voltage_v": 2, "max_power_w": 3}
        await hardware.level("setup", evse_id="hello world", **ratings)
        event = await hardware.peer.hears("secc/event", kind="rejected", topic="charger/setup")
        assert event["reason"].startswith("EVSEID 'hello world': expected country")
        setup = controller.setup
        assert setup is not None
        assert setup.evse_id == "DE*ABC*E1"


async def test_a_retained_request_is_refused(broker: RunningBroker, hardware: Hardware) -> None:
    await hardware.peer.say("charger/request", {"id": "old", "do": "emergency_stop"}, retain=True)
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        event = await hardware.peer.hears("secc/event", kind="rejected", topic="charger/request")
        assert "retained" in event["reason"]
        assert wish(controller) == "none"


async def test_nothing_resumes_after_a_lost_broker(broker: RunningBroker, hardware: Hardware) -> None:
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        charging(controller)
        await hardware.peer.hears("secc/permit", contactor="closed")
        await broker.stop()
        await holds(controller, lambda: trouble(controller) is not None)
        assert trouble(controller) == "broker_lost!"
        controller.permit(contactor="closed", power="on")
        await broker.start()
        async with peer_of(broker.settings, "bay-1") as peer:
            again = Hardware(peer)
            async with background(again.live()):
                await again.appear()
                await peer.listen("secc/#")
                await holds(controller, lambda: controller.state is not None)
                await peer.hears("secc/permit", **OPEN)
                await peer.hears("secc/limits", **NOTHING)
                assert {permit["contactor"] for permit in peer.on("secc/permit")} == {"open"}
                assert trouble(controller) is not None
                controller.end()
                await holds(controller, lambda: trouble(controller) is None)


async def test_a_pause_does_not_outlive_a_lost_broker(broker: RunningBroker, hardware: Hardware) -> None:
    """The plug is in when the charger is heard again; whether it is the same vehicle nobody knows."""
    async with station(broker) as controller:
        await holds(controller, lambda: trouble(controller) is None)
        assert controller.setup is not None
        berth = Berth(controller)
        controller.begin("S1")
        berth.keep(
            Paused(
                session_id=bytes(range(1, 9)),
                setup=controller.setup,
                payment="external",
                grant=Grant(controller, "q1", "local", Budget(30)),
                given=None,
                energy_left_wh=None,
                schedule=None,
                at=0.0,
            )
        )
        controller.end(paused=True)
        berth.left()
        await broker.stop()
        await holds(controller, lambda: controller.state is None)
        await broker.start()
        async with peer_of(broker.settings, "bay-1") as peer:
            await peer.listen("secc/#")
            again = Hardware(peer)
            async with background(again.live()):
                await again.appear()
                await holds(controller, lambda: controller.state is not None)
                await peer.hears("secc/permit", lock="unlocked")
                await eventually(lambda: "pause_ended" in [each["kind"] for each in peer.on("secc/event")], "the event")
                assert berth.paused is None


async def test_status_tells_online_only_when_told_and_offline_at_the_end(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("secc/#")
    async with station(broker) as controller:
        status = await peer.hears("secc/status", state="offline")
        await peer.hears("secc/permit", **OPEN, lock="unlocked")
        await peer.hears("secc/heartbeat", boot=status["boot"])
        controller.online()
        online = await peer.hears("secc/status", state="online")
        assert (online["version"], online["protocols"], online["interface"]) == ("1.2.3", ["iso2"], "eth0")
        charging(controller)
        await peer.hears("secc/session")
    last = await peer.hears("secc/status", state="offline")
    assert last["seq"] > online["seq"]
    assert peer.last("secc/permit").items() >= OPEN.items()
    assert peer.last("secc/limits").items() >= NOTHING.items()
    assert peer.last("secc/target")["current_a"] == 0


async def test_heartbeats_count_up(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("secc/heartbeat")
    async with station(broker, ControllerSettings(heartbeat_s=0.02)):
        await eventually(lambda: len(peer.on("secc/heartbeat")) >= 5)
    counters = [beat["counter"] for beat in peer.on("secc/heartbeat")]
    assert counters == list(range(counters[0], counters[0] + len(counters)))


async def test_until_gives_up_in_time(broker: RunningBroker) -> None:
    async with station(broker) as controller:
        assert not await controller.until(lambda: False, 0.05)
        assert await controller.until(lambda: True, 0)
