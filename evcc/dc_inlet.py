"""The vehicle's DC inlet: what it wishes of the station and what it makes of the answers, as all standards have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evcc.choice import Need
from evcc.trip import Declined, Trip
from evcc.vehicle import Vehicle
from v2g import units
from v2g.messages import din, iso2

PRECHARGE_CURRENT_A = 1.0
HEADROOM_V = 5.0
REACHED_V = 20.0
SAFE_V = 60.0
LONGEST_S = 1e6
WELDING_TRIES = 20
OVERVOLTAGE_FACTOR = 1.05
BROKEN = ("Invalid", "Fault")
TESTED = ("EVSE_Ready", "EVSE_IsolationMonitoringActive")

Status = iso2.DC_EVSEStatus | din.DC_EVSEStatus
Parameter = iso2.DC_EVSEChargeParameter | din.DC_EVSEChargeParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the battery can take now, and how long it will do so until the plan is fulfilled."""

    voltage_v: float
    current_a: float
    remaining_s: float

    @classmethod
    def of(cls, vehicle: Vehicle, most_w: float = math.inf) -> Wish:
        """Wish for all the battery can take, `most_w` at the most, at a voltage a little above its own."""
        battery, voltage_v = vehicle.battery, vehicle.voltage_v
        current_a = min(battery.max_current_a, battery.max_power_w / voltage_v, most_w / voltage_v)
        return cls(
            voltage_v=min(voltage_v + HEADROOM_V, battery.max_voltage_v),
            current_a=current_a,
            remaining_s=min(LONGEST_S, 3600 * vehicle.needed_wh / max(current_a * voltage_v, 1.0)),
        )


def need(trip: Trip) -> Need:
    """What the vehicle wants of a schedule."""
    vehicle = trip.vehicle
    return Need(energy_wh=vehicle.needed_wh, most_w=vehicle.battery.max_power_w, within_s=vehicle.departure_s)


def require_range(trip: Trip, offer: Parameter) -> None:
    """Go on only where the output can have the battery's voltage; raises `Declined`.

    Limits that leave no range are not meant: stations fill them with a figure to have one. No current is no obstacle.
    """
    lowest, highest = units.number(offer.EVSEMinimumVoltageLimit), units.number(offer.EVSEMaximumVoltageLimit)
    battery_v = trip.vehicle.voltage_v
    if lowest < highest and not lowest <= battery_v <= highest:
        raise Declined(f"the station offers {lowest:g} to {highest:g} V, the battery has {battery_v:g} V")


def require_no_stop(trip: Trip, when: str) -> None:
    """Leave a station that wants the end now, where there is no power yet that could be stopped; raises `Declined`."""
    if trip.notice.due:
        trip.ended_by = "station"
        raise Declined(f"the station stopped the charge {when}")


def require_insulation(trip: Trip, status: Status) -> None:
    """Go on only where the isolation test was passed and the station is ready; raises `StationFault`."""
    if status.EVSEIsolationStatus in BROKEN or status.EVSEStatusCode not in TESTED:
        isolation, code = status.EVSEIsolationStatus, status.EVSEStatusCode
        raise trip.fault(code, f"after the cable check the isolation is {isolation}, the station {code}")


def precharged(trip: Trip, present: units.PhysicalValue) -> bool:
    """Whether the output is near enough to the battery to close the contactors between them."""
    return abs(units.number(present) - trip.vehicle.voltage_v) < REACHED_V


def receive(trip: Trip, voltage: units.PhysicalValue, current: units.PhysicalValue) -> None:
    """Take the energy that flows, as the station measures it; raises `StationFault` for more than the battery bears.

    The station's meter may be a little off.
    """
    voltage_v, current_a = units.number(voltage), max(0.0, units.number(current))
    if voltage_v > OVERVOLTAGE_FACTOR * trip.vehicle.battery.max_voltage_v:
        most = f"the battery bears {trip.vehicle.battery.max_voltage_v:g} V"
        raise trip.fault("overvoltage", f"the station tells {voltage_v:g} V, {most}")
    trip.vehicle.settle(voltage_v * current_a)
    trip.cable.draw(current_a)
    trip.cable.battery(trip.vehicle.voltage_v)


def require_isolation(trip: Trip, status: Status) -> None:
    """Take energy no longer once the station's monitor has found a fault; raises `StationFault`."""
    if status.EVSEIsolationStatus == "Fault":
        raise trip.fault(status.EVSEStatusCode, "the isolation is Fault while energy flows")


def welding_tries(trip: Trip) -> int:
    """How often the vehicle asks for the voltage behind its contactors at the most."""
    return WELDING_TRIES if trip.plan.welding_detection else 0


def discharged(trip: Trip, present: units.PhysicalValue) -> bool:
    """Note the voltage behind the open contactors, and tell whether it can be touched."""
    trip.welding_v = units.number(present)
    return trip.welding_v < SAFE_V
