"""What an ISO 15118-2 vehicle states of itself: checked, put into limits, and answered by the station's offer."""

from __future__ import annotations

from dataclasses import dataclass

from secc import api, vehicle
from secc import iso2_responses as say
from secc.charger import Wish
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

NO_ENERGY_DELAY_S = {"before_cable_check": 0, "after_precharge": 300}
"""NotificationMaxDelay tells a vehicle whether it goes through cable check and pre-charge before it stops."""


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


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer to ChargeParameterDiscoveryReq, and whether it asks the vehicle to stop before it begins."""

    response: iso2.ChargeParameterDiscoveryRes
    stops: bool


def offer(visit: Visit, schedules: iso2.SAScheduleList | None) -> Offer:
    """Offer schedules and limits; without schedules the vehicle has to ask again [V2G2-905].

    A vehicle that is to stop anyway, and one for which there is no energy, is asked to stop now (IEC 61851-23:2023
    CC.3.5); it may then pause. A wish to renegotiate means nothing here [V2G2-841].
    """
    bounds, settings, state = visit.limits.station(), visit.config.session, visit.charger.state
    starved = schedules is not None and visit.no_energy
    stops = schedules is not None and (starved or bool(visit.reason_to_stop()))
    wish: Wish = "stop" if stops else "none"
    delay_s = settings.notification_max_delay_s
    if visit.limits.energy == "AC":
        parameter: iso2.EVSEChargeParameter = say.ac_parameter(visit.setup, bounds, say.ac_status(wish, delay_s, state))
    else:
        code: say.Status = "EVSE_IsolationMonitoringActive" if starved else "EVSE_Ready"
        delay_s = NO_ENERGY_DELAY_S[settings.no_energy] if starved else delay_s
        parameter = say.dc_parameter(visit.setup, bounds, say.dc_status(code, wish, delay_s, state))
    return Offer(say.charge_parameters(schedules, parameter), stops)
