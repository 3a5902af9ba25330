"""A charger controller for AC, as small as a correct one can be: MQTT, JSON and a clock, nothing of this project.

`Outlet` stands where your hardware does: on a bench the emulated car tells over `cable/vehicle` what the plug would.
The rules are explained in docs/controller-interface.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import secrets
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

BEAT_S = 0.5
MEASURE_S = 0.1
SILENCE_S = 1.5  # three heartbeats of the SECC
VOLTS = 230.0
RATING = {"energy_modes": ["AC1", "AC3"], "max_current_a": 32, "max_voltage_v": VOLTS, "max_power_w": 22_080}
NUMBER = (int, float)
READS: dict[str, dict[str, type | tuple[type, ...]]] = {  # and what has to be in each
    "secc/status": {"boot": str, "state": str},
    "secc/heartbeat": {"boot": str, "counter": int},
    "secc/limits": {"boot": str, "authorised": bool, "max_current_a": NUMBER},
    "secc/permit": {"boot": str, "seq": int, "contactor": str},
    "secc/command": {"id": str},
    "secc/authorization/request": {"id": str, "kind": str},
    "cable/vehicle": {"plugged": bool},
}
OPTIONAL: dict[str, type | tuple[type, ...]] = {"valid_for_s": NUMBER, "pilot": str, "current_a": NUMBER}

Said = dict[str, Any]


def understood(name: str, data: bytes | bytearray) -> Said:
    """Read a payload; raises ValueError or RecursionError unless it is JSON with all that is needed of it."""
    if name not in READS:  # a broker may keep to what an earlier client of this id subscribed to
        raise ValueError("not asked for")
    said = json.loads(data)
    payload = said if isinstance(said, dict) else {}
    kinds = READS[name] | {each: kind for each, kind in OPTIONAL.items() if each in payload}
    wrong = [each for each, kind in kinds.items() if not isinstance(payload.get(each), kind)]
    if wrong:
        raise ValueError(f"missing or of another type: {', '.join(wrong)}")
    return payload


class Outlet:
    """A fixed cable with pilot and contactor."""

    def __init__(self) -> None:
        self.car: Said = {}
        self.closed = False

    @property
    def pilot(self) -> str:
        """The control pilot's state."""
        return str(self.car.get("pilot", "A")) if self.car.get("plugged") else "A"

    @property
    def current_a(self) -> float:
        """Amperes of the phase that carries most."""
        return float(self.car.get("current_a", 0.0)) if self.closed else 0.0


class Secc:
    """What the SECC said, and how much of it counts now."""

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}
        self._limited_at = self._beat_at = -math.inf
        self._beat: Said = {}
        self._spent: str | None = None

    def hear(self, name: str, payload: Said, now: float, *, retained: bool) -> None:
        """Note what was said; a permit from before our time is never taken up."""
        if name == "secc/heartbeat":
            if payload["boot"] != self._beat.get("boot") or payload["counter"] > self._beat["counter"]:
                self._beat, self._beat_at = payload, now
            return
        self._said[name] = payload
        if name == "secc/limits":
            self._limited_at = now
        if name == "secc/permit" and retained:
            self.spend()

    def alive(self, now: float) -> bool:
        """Whether the process that is online is the one whose heart beats."""
        status = self._said.get("secc/status", {})
        beats = status.get("boot") == self._beat.get("boot") and now - self._beat_at <= SILENCE_S
        return status.get("state") == "online" and beats

    def spend(self) -> None:
        """Permit nothing more in the session at hand."""
        self._spent = self._said.get("secc/permit", {}).get("session")

    def allowed_a(self, now: float) -> float:
        """Amperes per phase that may flow; zero unless permit and limits stand, from one living SECC and session."""
        permit, limits = self._level("secc/permit"), self._level("secc/limits")
        session = permit.get("session")
        stands = session not in (None, self._spent) and session == limits.get("session") and self.alive(now)
        expired = now - self._limited_at > limits.get("valid_for_s", math.inf)
        if not stands or expired or permit["contactor"] == "open" or not limits["authorised"]:
            return 0.0
        return float(limits["max_current_a"])

    def _level(self, name: str) -> Said:
        """A level, unless another process said it than the one whose heart beats."""
        level = self._said.get(name, {})
        return level if level.get("boot") == self._beat.get("boot") else {}


class Controller:
    """Obeys the SECC as far as the outlet allows, and reports."""

    def __init__(self, root: str, evse_id: str) -> None:
        self._root = root
        self._setup = {"evse_id": evse_id, "locks": False, **RATING}
        self._outlet, self._secc = Outlet(), Secc()
        self._boot = secrets.token_hex(8)
        self._told: dict[str, Said] = {}
        self._seq = self._beats = self._samples = 0
        self._beat_due = self._measure_due = 0.0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{root}charger")
        self._client.on_connect = self._greet
        self._client.on_message = self._hear
        will = self._header() | {"state": "offline"}
        self._client.will_set(f"{root}charger/status", json.dumps(will), qos=1, retain=True)

    def run(self, host: str, port: int) -> None:
        """Serve until the process is ended; leave everything open. Raises OSError if there is no broker at first."""
        self._client.connect(host, port, keepalive=5)
        try:
            while True:
                if self._client.loop(timeout=0.02) == mqtt.MQTT_ERR_SUCCESS:
                    if self._client.is_connected():
                        self._step(time.monotonic())
                else:
                    self._return_to_broker()
        finally:
            self._outlet.closed = False
            self._report()
            self._level("charger/status", state="offline")
            self._client.disconnect()

    def _return_to_broker(self) -> None:
        """Without a broker nothing is permitted: open, forget what was told, and try once a second."""
        self._outlet.closed = False
        self._secc.spend()
        self._told.clear()
        time.sleep(1)
        with contextlib.suppress(OSError):
            self._client.reconnect()

    def _greet(self, *_: object) -> None:
        """Say who and how we are, with a heartbeat, so that it counts at once; then listen."""
        self._level("charger/status", state="online", name="example")
        self._beat()
        self._level("charger/setup", **self._setup)
        self._report()
        self._client.subscribe([(self._root + name, 1) for name in READS])

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        """Take one message, and act on it before the next; one that cannot be read changes nothing."""
        now, name = time.monotonic(), message.topic.removeprefix(self._root)
        try:
            payload = understood(name, message.payload)
        except (ValueError, RecursionError) as error:
            sys.stderr.write(f"ignored a message on {name}: {error}\n")
        else:
            self._take(name, payload, now, retained=message.retain)
        self._step(now)

    def _take(self, name: str, payload: Said, now: float, *, retained: bool) -> None:
        if name == "cable/vehicle":
            self._outlet.car = payload
        elif name == "secc/authorization/request":
            if payload["kind"] == "external":  # every card is welcome here, and there is always one
                self._say("charger/authorization", id=payload["id"], accepted=True)
        elif name == "secc/command":
            self._say("charger/ack", boot=self._boot, id=payload["id"], result="rejected", reason="this is AC")
        else:
            self._secc.hear(name, payload, now, retained=retained)
            if name == "secc/permit":
                obeyed = payload["contactor"] == "open" or self._secc.allowed_a(now) > 0
                self._say("charger/ack", boot=self._boot, seq=payload["seq"], result="done" if obeyed else "rejected")

    def _step(self, now: float) -> None:
        """Switch the contactor as it has to be now, and say what is new or due."""
        wanted, safe = self._secc.allowed_a(now) > 0, self._outlet.pilot in "CD"
        if not self._secc.alive(now) or (self._outlet.closed and not safe):
            self._secc.spend()  # whatever opens by itself stays open until another session
        self._outlet.closed = wanted and safe
        self._report()
        if now >= self._beat_due:
            self._beat_due = now + BEAT_S
            self._beat()
        if now >= self._measure_due:
            self._measure_due = now + MEASURE_S
            self._samples += 1
            measured = {"voltage_v": VOLTS * self._outlet.closed, "current_a": self._outlet.current_a}
            self._say("charger/measurement", 0, boot=self._boot, sample=self._samples, **measured)

    def _beat(self) -> None:
        self._beats += 1
        self._say("charger/heartbeat", 0, boot=self._boot, counter=self._beats)

    def _report(self) -> None:
        plug, contactor = self._outlet.pilot, "closed" if self._outlet.closed else "open"
        unused = {"lock": "unlocked", "isolation": "invalid", "cable_check": "idle"}
        self._level("charger/state", plug=plug, contactor=contactor, ready=True, faults=[], **unused)
        self._level("cable/charger", pwm=plug != "A", duty_percent=5)

    def _level(self, topic: str, /, **members: object) -> None:
        """Publish a level, retained, if it is not what was told last."""
        if self._told.get(topic) != members:
            self._told[topic] = members
            self._client.publish(self._root + topic, json.dumps(self._header() | members), qos=1, retain=True)

    def _header(self) -> Said:
        self._seq += 1
        return {"boot": self._boot, "seq": self._seq, "time": datetime.now(UTC).isoformat()}

    def _say(self, topic: str, qos: int = 1, **members: object) -> None:
        self._client.publish(self._root + topic, json.dumps(members), qos=qos)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A minimal charger controller for AC.")
    parser.add_argument("--evse", default="1", help="its name in secc.toml")
    parser.add_argument("--evse-id", default="DE*ABC*E0001", help="what the car is told")
    parser.add_argument("--host", default="127.0.0.1", help="of the broker")
    parser.add_argument("--port", type=int, default=1883, help="of the broker")
    parser.add_argument("--prefix", default="plugcharge/v1", help="of all topics")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Controller(f"{given.prefix}/{given.evse}/", given.evse_id).run(given.host, given.port)


if __name__ == "__main__":
    main()
