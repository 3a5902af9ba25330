"""What a vehicle says of itself: kept within sense, stated as its claim on the limits, and told on over MQTT.

DC vehicles say the same in DIN 70121 and in ISO 15118-2, under the same names.
"""

from __future__ import annotations

from typing import Any

import msgspec

from secc import api
from secc.visit import Visit
from v2g import units
from v2g.errors import Refused
from v2g.messages import din, iso2

NO_ERROR = "NO_ERROR"

DcParameter = iso2.DC_EVChargeParameter | din.DC_EVChargeParameter
DcStatus = iso2.DC_EVStatus | din.DC_EVStatus
DcDemand = iso2.CurrentDemandReq | din.CurrentDemandReq


def accept_dc(parameter: DcParameter, visit: Visit, departure_s: int | None = None) -> None:
    """Take over what a DC vehicle states before it charges; raises `Refused` where this station cannot serve that."""
    max_a, max_v = units.number(parameter.EVMaximumCurrentLimit), units.number(parameter.EVMaximumVoltageLimit)
    max_w = optional(parameter.EVMaximumPowerLimit)
    maxima_sane("FAILED_WrongChargeParameter", max_v=max_v, max_a=max_a, max_w=max_w)
    if max_v <= visit.setup.min_voltage_v or max_a < visit.setup.min_current_a:
        raise Refused("FAILED_WrongChargeParameter", f"{max_v} V or {max_a} A is below the station's minimum")
    visit.limits.energy, visit.limits.phases = "DC", 1
    visit.limits.allow("ev", max_w=max_w, max_a=max_a, max_v=max_v)
    visit.stage("negotiating", energy_mode="DC")
    visit.told(
        api.Vehicle(
            ready=parameter.DC_EVStatus.EVReady,
            error=error(parameter.DC_EVStatus),
            soc_percent=soc(parameter.DC_EVStatus),
            max_current_a=max_a,
            max_voltage_v=max_v,
            max_power_w=max_w,
            energy_capacity_wh=sayable(optional(parameter.EVEnergyCapacity), api.WattHour),
            energy_request_wh=sayable(optional(parameter.EVEnergyRequest), api.WattHour),
            full_soc_percent=sayable(parameter.FullSOC, api.Percent),
            bulk_soc_percent=sayable(parameter.BulkSOC, api.Percent),
            departure_s=sayable(departure_s, api.Second),
        )
    )


def follow_dc(request: DcDemand, visit: Visit) -> None:
    """Take over limits and state of charge that a DC vehicle tells in the loop; raises `Refused`."""
    before = visit.limits.claims["ev"]
    max_w, max_a = optional(request.EVMaximumPowerLimit), optional(request.EVMaximumCurrentLimit)
    max_v = optional(request.EVMaximumVoltageLimit)
    maxima_sane("FAILED", max_v=max_v, max_a=max_a, max_w=max_w)
    visit.limits.allow(
        "ev",
        max_w=before.max_w if max_w is None else max_w,
        max_a=before.max_a if max_a is None else max_a,
        max_v=before.max_v if max_v is None else max_v,
    )
    claim = visit.limits.claims["ev"]
    visit.told(
        msgspec.structs.replace(
            visit.vehicle,
            ready=request.DC_EVStatus.EVReady,
            error=error(request.DC_EVStatus),
            soc_percent=soc(request.DC_EVStatus),
            max_voltage_v=claim.max_v,
            max_current_a=claim.max_a,
            max_power_w=claim.max_w,
            remaining_to_full_s=sayable(optional(request.RemainingTimeToFullSoC), api.Second),
            remaining_to_bulk_s=sayable(optional(request.RemainingTimeToBulkSoC), api.Second),
        )
    )


def maxima_sane(
    code: str, *, max_v: float | None = None, max_a: float | None = None, max_w: float | None = None
) -> None:
    """Refuse maxima below zero or beyond what `secc.api` can say of any vehicle; raises `Refused`."""
    for value, kind in ((max_v, api.Volt), (max_a, api.Ampere), (max_w, api.Watt)):
        if value is not None and (value < 0 or sayable(value, kind) is None):
            raise Refused(code, f"no vehicle has these maxima: {max_a} A, {max_v} V, {max_w} W")


def error(status: DcStatus) -> str | None:
    """Name the vehicle's error, None when it reports none."""
    return None if status.EVErrorCode == NO_ERROR else str(status.EVErrorCode)


def soc(status: DcStatus) -> int | None:
    """Tell the state of charge in percent; None where the vehicle sends one beyond 100."""
    return status.EVRESSSOC if status.EVRESSSOC <= 100 else None


def optional(value: units.PhysicalValue | None) -> float | None:
    """Tell the number of a value that may be left out."""
    return None if value is None else units.number(value)


def sayable(value: float | None, kind: Any) -> float | None:
    """Keep a value within the bounds of a type of `secc.api`; what is beyond them is as good as unknown."""
    if value is None:
        return None
    try:
        kept: float = msgspec.convert(float(value), kind)
    except msgspec.ValidationError:
        return None
    return kept
