"""What an ISO 15118-2 vehicle states of itself: checked, put into limits, and answered by the station's offer."""

from __future__ import annotations

from secc import api, vehicle
from secc import iso2_responses as say
from secc.limits import Energy
from secc.visit import Visit
from v2g import units
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import (
    AC_EVChargeParameter,
    ChargeParameterDiscoveryReq,
    DC_EVChargeParameter,
    EnergyTransferMode,
)


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
        vehicle.accept_dc(parameter, visit, parameter.DepartureTime)
        return "DC"
    raise Refused("FAILED_WrongChargeParameter", f"{type(parameter).__name__} does not fit {mode} [V2G2-477]")


def _accept_ac(mode: EnergyTransferMode, parameter: AC_EVChargeParameter, visit: Visit) -> None:
    max_a, min_a = units.number(parameter.EVMaxCurrent), units.number(parameter.EVMinCurrent)
    max_v = units.number(parameter.EVMaxVoltage)
    if max_v < 0 or not 0 <= min_a <= max_a:
        raise Refused("FAILED_WrongChargeParameter", f"EVMaxCurrent {max_a} A, EVMinCurrent {min_a} A, {max_v} V")
    vehicle.maxima_sane("FAILED_WrongChargeParameter", max_a=max_a)
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
            max_voltage_v=vehicle.sayable(max_v, api.Volt),
            energy_request_wh=vehicle.sayable(units.number(parameter.EAmount), api.WattHour),
            departure_s=vehicle.sayable(parameter.DepartureTime, api.Second),
        )
    )


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
