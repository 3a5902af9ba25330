"""What an ISO 15118-2 vehicle states of itself: checked, put into limits, and answered by the station's offer."""

from __future__ import annotations

from typing import Any

import msgspec

from secc import api
from secc import iso2_responses as say
from secc.limits import TEST_CURRENT_A, Energy
from secc.visit import Visit
from v2g import units
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import (
    AC_EVChargeParameter,
    ChargeParameterDiscoveryReq,
    CurrentDemandReq,
    DC_EVChargeParameter,
    DC_EVErrorCode,
    DC_EVStatus,
    EnergyTransferMode,
    PreChargeReq,
)

OVERVOLTAGE_V = 20.0
SAFE_TEST_V = 500.0


def accept(request: ChargeParameterDiscoveryReq, visit: Visit) -> Energy:
    """Check mode and parameters, state them as the vehicle's claim on the limits, and tell AC from DC."""
    mode, parameter = request.RequestedEnergyTransferMode, request.EVChargeParameter
    if mode not in say.transfer_modes(visit.setup):
        raise Refused("FAILED_WrongEnergyTransferMode", f"{mode} is not offered [V2G2-476]")
    if visit.live and not mode.startswith(visit.limits.energy):
        raise Refused("FAILED_WrongEnergyTransferMode", f"{mode} cannot be taken up under voltage")
    if isinstance(parameter, AC_EVChargeParameter) and mode.startswith("AC"):
        _accept_ac(mode, parameter, visit)
        return "AC"
    if isinstance(parameter, DC_EVChargeParameter) and mode.startswith("DC"):
        _accept_dc(parameter, visit)
        return "DC"
    raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} does not fit {mode} [V2G2-477]")


def _accept_ac(mode: EnergyTransferMode, parameter: AC_EVChargeParameter, visit: Visit) -> None:
    max_a, min_a = units.number(parameter.EVMaxCurrent), units.number(parameter.EVMinCurrent)
    max_v = units.number(parameter.EVMaxVoltage)
    if max_v < 0 or not 0 <= min_a <= max_a:
        raise Refused("FAILED_WrongChargeParameter", f"EVMaxCurrent {max_a} A, EVMinCurrent {min_a} A, {max_v} V")
    _maxima_sane("FAILED_WrongChargeParameter", max_a=max_a)
    if max_a < visit.setup.min_current_a:
        raise Refused("FAILED_WrongChargeParameter", f"EVMaxCurrent {max_a} A is below the station's minimum")
    three = mode is EnergyTransferMode.AC_three_phase_core
    visit.limits.energy, visit.limits.phases = "AC", visit.setup.phases if three else 1
    visit.limits.allow("ev", max_a=max_a, min_a=min_a)
    visit.stage("negotiating", energy_mode="AC3" if three else "AC1")
    visit.told(
        api.Vehicle(
            max_current_a=max_a,
            min_current_a=min_a,
            max_voltage_v=_sayable(max_v, api.Volt),
            energy_request_wh=_sayable(units.number(parameter.EAmount), api.WattHour),
            departure_s=_sayable(parameter.DepartureTime, api.Second),
        )
    )


def _accept_dc(parameter: DC_EVChargeParameter, visit: Visit) -> None:
    max_a, max_v = units.number(parameter.EVMaximumCurrentLimit), units.number(parameter.EVMaximumVoltageLimit)
    max_w = _optional(parameter.EVMaximumPowerLimit)
    _maxima_sane("FAILED_WrongChargeParameter", max_v=max_v, max_a=max_a, max_w=max_w)
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
            energy_capacity_wh=_sayable(_optional(parameter.EVEnergyCapacity), api.WattHour),
            energy_request_wh=_sayable(_optional(parameter.EVEnergyRequest), api.WattHour),
            full_soc_percent=_sayable(parameter.FullSOC, api.Percent),
            bulk_soc_percent=_sayable(parameter.BulkSOC, api.Percent),
            departure_s=_sayable(parameter.DepartureTime, api.Second),
        )
    )


def follow_vehicle(request: CurrentDemandReq, visit: Visit) -> None:
    """Take over limits and state of charge that the vehicle tells in the loop."""
    before = visit.limits.claims["ev"]
    max_w, max_a = _optional(request.EVMaximumPowerLimit), _optional(request.EVMaximumCurrentLimit)
    max_v = _optional(request.EVMaximumVoltageLimit)
    _maxima_sane("FAILED", max_v=max_v, max_a=max_a, max_w=max_w)
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
            remaining_to_full_s=_sayable(_optional(request.RemainingTimeToFullSoC), api.Second),
            remaining_to_bulk_s=_sayable(_optional(request.RemainingTimeToBulkSoC), api.Second),
        )
    )


def _maxima_sane(
    code: str, *, max_v: float | None = None, max_a: float | None = None, max_w: float | None = None
) -> None:
    """Refuse maxima below zero or beyond what `secc.api` can say of any vehicle; raises `Refused`."""
    for value, kind in ((max_v, api.Volt), (max_a, api.Ampere), (max_w, api.Watt)):
        if value is not None and (value < 0 or _sayable(value, kind) is None):
            raise Refused(code, f"no vehicle has these maxima: {max_a} A, {max_v} V, {max_w} W")


def demand_sane(volts: float, amperes: float, present_v: float, vehicle_max_v: float | None) -> None:
    """Refuse a wish that cannot be meant; raises `Refused`.

    A target above the vehicle's own maximum, or an output above it, is an emergency and nothing to clamp silently
    (IEC 61851-23 CC.6.2).
    """
    if volts < 0 or amperes < 0:
        raise Refused("FAILED", f"a target below zero: {volts} V, {amperes} A")
    if vehicle_max_v is not None and max(volts, present_v - OVERVOLTAGE_V) > vehicle_max_v:
        raise Refused(
            "FAILED", f"target {volts} V or output {present_v} V above the vehicle's maximum {vehicle_max_v} V"
        )


def precharge_sane(request: PreChargeReq, vehicle_max_v: float | None) -> None:
    """Refuse a pre-charge with an error, with more than 2 A, or above the vehicle's own maximum voltage."""
    if request.DC_EVStatus.EVErrorCode is not DC_EVErrorCode.NO_ERROR:
        raise Refused("FAILED", f"the vehicle reports {request.DC_EVStatus.EVErrorCode}")
    amperes = units.number(request.EVTargetCurrent)
    if amperes > TEST_CURRENT_A:
        raise Refused("FAILED", f"a pre-charge with {amperes} A")
    demand_sane(units.number(request.EVTargetVoltage), amperes, 0.0, vehicle_max_v)


def test_voltage(vehicle_max_v: float | None, setup: api.Setup) -> float:
    """Voltage of the isolation test by IEC 61851-23: 50 V above the vehicle's maximum, at most 500 V, or 10 % above."""
    vehicle_v = vehicle_max_v or setup.max_voltage_v
    if vehicle_v <= SAFE_TEST_V:
        return min(vehicle_v + 50, SAFE_TEST_V, setup.max_voltage_v)
    return min(1.1 * vehicle_v, setup.max_voltage_v)


def ac_offer(visit: Visit, schedules: iso2.SAScheduleList) -> iso2.ChargeParameterDiscoveryRes:
    """Offer schedules and AC limits. A wish to renegotiate means nothing here [V2G2-841]."""
    bounds = visit.limits.station()
    status = say.ac_status("none", 0, visit.charger.state)
    return say.charge_parameters(schedules, say.ac_parameter(visit.setup, bounds, status))


def dc_offer(visit: Visit, schedules: iso2.SAScheduleList) -> iso2.ChargeParameterDiscoveryRes:
    """Offer schedules and DC limits; the isolation is not tested yet."""
    bounds = visit.limits.station()
    status = say.dc_status("EVSE_Ready", state=visit.charger.state)
    return say.charge_parameters(schedules, say.dc_parameter(visit.setup, bounds, status))


def error(status: DC_EVStatus) -> str | None:
    """Name the vehicle's error, None when it reports none."""
    return None if status.EVErrorCode is DC_EVErrorCode.NO_ERROR else str(status.EVErrorCode)


def soc(status: DC_EVStatus) -> int | None:
    """Tell the state of charge in percent; None where the vehicle sends one beyond 100."""
    return status.EVRESSSOC if status.EVRESSSOC <= 100 else None


def _optional(value: iso2.PhysicalValue | None) -> float | None:
    return None if value is None else units.number(value)


def _sayable(value: float | None, kind: Any) -> float | None:
    """Keep a value within the bounds of a type of `secc.api`; what is beyond them is as good as unknown."""
    if value is None:
        return None
    try:
        kept: float = msgspec.convert(float(value), kind)
    except msgspec.ValidationError:
        return None
    return kept
