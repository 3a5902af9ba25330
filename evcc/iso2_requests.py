"""The requests of an ISO 15118-2 vehicle: pure functions of its state."""

from __future__ import annotations

from evcc.config import Plan
from evcc.dc_inlet import PRECHARGE_CURRENT_A, Wish
from evcc.schedule import Schedule
from evcc.vehicle import Vehicle
from v2g import units
from v2g.messages import iso2
from v2g.messages.iso2 import UnitSymbol

AC_MODES = {"ac1": "AC_single_phase_core", "ac3": "AC_three_phase_core"}


def payment_selection(
    option: iso2.PaymentOption, service_id: int, *others: iso2.SelectedService
) -> iso2.PaymentServiceSelectionReq:
    """Choose a payment option and the charge service, by the id the station gave it, and other services."""
    services = [iso2.SelectedService(ServiceID=service_id), *others]
    return iso2.PaymentServiceSelectionReq(
        SelectedPaymentOption=option, SelectedServiceList=iso2.SelectedServiceList(SelectedService=services)
    )


def transfer_mode(plan: Plan) -> iso2.EnergyTransferMode:
    """The mode planned."""
    return iso2.EnergyTransferMode(AC_MODES.get(plan.energy, plan.dc_mode))


def charge_parameters(vehicle: Vehicle) -> iso2.ChargeParameterDiscoveryReq:
    """Tell the mode wanted and the car's limits and needs."""
    plan = vehicle.config.plan
    return iso2.ChargeParameterDiscoveryReq(
        MaxEntriesSAScheduleTuple=plan.max_schedule_entries,
        RequestedEnergyTransferMode=transfer_mode(plan),
        EVChargeParameter=_dc_parameter(vehicle) if plan.energy == "dc" else _ac_parameter(vehicle),
    )


def _ac_parameter(vehicle: Vehicle) -> iso2.AC_EVChargeParameter:
    onboard = vehicle.config.onboard
    return iso2.AC_EVChargeParameter(
        DepartureTime=vehicle.departure_s,
        EAmount=units.nearest(vehicle.needed_wh, UnitSymbol.Wh),
        EVMaxVoltage=units.maximum(onboard.max_voltage_v, UnitSymbol.V),
        EVMaxCurrent=units.maximum(onboard.max_current_a, UnitSymbol.A),
        EVMinCurrent=units.minimum(onboard.min_current_a, UnitSymbol.A),
    )


def _dc_parameter(vehicle: Vehicle) -> iso2.DC_EVChargeParameter:
    battery = vehicle.battery
    return iso2.DC_EVChargeParameter(
        DepartureTime=vehicle.departure_s,
        DC_EVStatus=status(vehicle),
        EVMaximumCurrentLimit=units.maximum(battery.max_current_a, UnitSymbol.A),
        EVMaximumPowerLimit=units.maximum(battery.max_power_w, UnitSymbol.W),
        EVMaximumVoltageLimit=units.maximum(battery.max_voltage_v, UnitSymbol.V),
        EVEnergyCapacity=units.nearest(battery.capacity_wh, UnitSymbol.Wh),
        EVEnergyRequest=units.nearest(vehicle.needed_wh, UnitSymbol.Wh),
        FullSOC=100,
        BulkSOC=80,
    )


def status(vehicle: Vehicle) -> iso2.DC_EVStatus:
    """Ready, without error, at this state of charge."""
    return iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode.NO_ERROR, EVRESSSOC=int(vehicle.soc_percent))


def power_delivery(
    vehicle: Vehicle, progress: iso2.ChargeProgress, schedule: Schedule, max_w: float = 0.0
) -> iso2.PowerDeliveryReq:
    """Switch power; with a start comes the profile: all that the schedule and the car allow, `max_w` at the most."""
    parameter = None
    if vehicle.config.plan.energy == "dc":
        parameter = iso2.DC_EVPowerDeliveryParameter(DC_EVStatus=status(vehicle), ChargingComplete=vehicle.satisfied)
    return iso2.PowerDeliveryReq(
        ChargeProgress=progress,
        SAScheduleTupleID=schedule.tuple_id,
        ChargingProfile=schedule.profile(max_w) if progress is iso2.ChargeProgress.Start else None,
        EVPowerDeliveryParameter=parameter,
    )


def cable_check(vehicle: Vehicle) -> iso2.CableCheckReq:
    """Ask for the isolation test."""
    return iso2.CableCheckReq(DC_EVStatus=status(vehicle))


def precharge(vehicle: Vehicle) -> iso2.PreChargeReq:
    """Ask for the battery's voltage with hardly any current."""
    return iso2.PreChargeReq(
        DC_EVStatus=status(vehicle),
        EVTargetVoltage=units.nearest(vehicle.voltage_v, UnitSymbol.V),
        EVTargetCurrent=units.maximum(PRECHARGE_CURRENT_A, UnitSymbol.A),
    )


def current_demand(vehicle: Vehicle, schedule: Schedule) -> iso2.CurrentDemandReq:
    """Ask for what the battery can take now and the schedule allows."""
    battery, wish = vehicle.battery, Wish.of(vehicle, schedule.pmax_w)
    return iso2.CurrentDemandReq(
        DC_EVStatus=status(vehicle),
        EVTargetCurrent=units.maximum(wish.current_a, UnitSymbol.A),
        EVMaximumVoltageLimit=units.maximum(battery.max_voltage_v, UnitSymbol.V),
        EVMaximumCurrentLimit=units.maximum(battery.max_current_a, UnitSymbol.A),
        EVMaximumPowerLimit=units.maximum(battery.max_power_w, UnitSymbol.W),
        ChargingComplete=vehicle.satisfied,
        RemainingTimeToFullSoC=units.nearest(wish.remaining_s, UnitSymbol.s),
        EVTargetVoltage=units.nearest(wish.voltage_v, UnitSymbol.V),
    )


def welding_detection(vehicle: Vehicle) -> iso2.WeldingDetectionReq:
    """Ask for the output voltage behind the car's open contactors."""
    return iso2.WeldingDetectionReq(DC_EVStatus=status(vehicle))
