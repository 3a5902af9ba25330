"""The vehicle's AC inlet: the onboard charger, which draws what station and schedule allow."""

from __future__ import annotations

from evcc.choice import Need
from evcc.trip import Trip
from evcc.vehicle import Vehicle
from v2g import units
from v2g.errors import Refused
from v2g.messages.iso2 import AC_EVSEChargeParameter


def phases(vehicle: Vehicle) -> int:
    """Phases in use."""
    return 3 if vehicle.config.plan.energy == "ac3" else 1


def need(trip: Trip) -> Need:
    """What the vehicle wants of a schedule."""
    onboard, vehicle = trip.vehicle.config.onboard, trip.vehicle
    per_ampere = trip.nominal_v * phases(vehicle)
    return Need(
        energy_wh=vehicle.needed_wh,
        most_w=onboard.max_current_a * per_ampere,
        least_w=onboard.min_current_a * per_ampere,
        within_s=vehicle.departure_s,
    )


def connect(trip: Trip, offer: AC_EVSEChargeParameter) -> None:
    """Take voltage and current offered; raises `Refused` for a voltage nobody can charge with."""
    trip.nominal_v = units.number(offer.EVSENominalVoltage)
    if trip.nominal_v <= 0:
        raise Refused("FAILED_WrongChargeParameter", f"the station's nominal voltage is {trip.nominal_v} V")
    trip.max_current_a = units.number(offer.EVSEMaxCurrent)


def draw(trip: Trip) -> None:
    """Draw what onboard charger, station and schedule allow; nothing below the charger's minimum or without voltage."""
    onboard = trip.vehicle.config.onboard
    scheduled = trip.schedule.pmax_w / (trip.nominal_v * phases(trip.vehicle))
    allowed = min(onboard.max_current_a, trip.max_current_a, scheduled)
    trip.drawn_a = allowed if allowed >= onboard.min_current_a and not trip.cable.dead else 0.0
    trip.cable.draw(trip.drawn_a)


def power_w(trip: Trip) -> float:
    """Power drawn now, all phases together; none once the voltage is gone."""
    return 0.0 if trip.cable.dead else trip.drawn_a * trip.nominal_v * phases(trip.vehicle)
