"""What the plug itself would tell, over MQTT: for demo and tests only, the SECC never reads it.

On a bench there is no control pilot, no contactor and no copper between the emulated car and the simulated charger.
These two payloads stand in for them: `cable/vehicle` is written by the emulator, `cable/charger` by the simulator.
"""

from __future__ import annotations

from typing import Literal

from v2g.record import Record

VEHICLE_TOPIC = "cable/vehicle"
CHARGER_TOPIC = "cable/charger"


class CableVehicle(Record, omit_defaults=True):
    """The car's end of the cable: plug, pilot resistor, contactors, and what it draws."""

    plugged: bool
    pilot: Literal["A", "B", "C", "D", "E", "F"] = "A"
    contactor: Literal["open", "closed"] = "open"
    current_a: float = 0.0
    battery_v: float | None = None


class CableCharger(Record, omit_defaults=True):
    """The charger's end of the cable: pilot duty cycle and the voltage on its side of the car's contactor."""

    pwm: bool
    duty_percent: float = 5.0
    voltage_v: float = 0.0
