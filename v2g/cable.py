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
    """Whether the plug is in the socket."""
    pilot: Literal["A", "B", "C", "D", "E", "F"] = "A"
    """The control pilot state the car makes with its resistor; A when absent."""
    contactor: Literal["open", "closed"] = "open"
    """The car's own contactors; open when absent."""
    current_a: float = 0.0
    """The current the car draws, per phase in AC; none when absent."""
    battery_v: float | None = None
    """The voltage behind the car's contactors, in DC."""


class CableCharger(Record, omit_defaults=True):
    """The charger's end of the cable: pilot duty cycle and the voltage on its side of the car's contactor."""

    pwm: bool
    """Whether the charger's oscillator is on."""
    duty_percent: float = 5.0
    """Duty cycle of the oscillator; 5 % when absent, which asks for a digital session."""
    voltage_v: float | None = None
    """Voltage at the plug; not known when absent."""
    fault: Literal["E", "F"] | None = None
    """The pilot state by which the charger signals that nothing can be charged now; none when absent."""
