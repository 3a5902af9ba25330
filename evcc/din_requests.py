"""The requests of a DIN 70121 vehicle: pure functions of its state.

EVReady is true only between the offer and the end of delivery, as cars on the road say it.
"""

from __future__ import annotations

from evcc.dc_inlet import PRECHARGE_CURRENT_A, Wish
from evcc.vehicle import Vehicle
from v2g import units
from v2g.messages import din
from v2g.messages.din import UnitSymbol


def service_payment_selection(service_id: int) -> din.ServicePaymentSelectionReq:
    """Choose external payment and the charge service, by the id the station gave it."""
    service = din.SelectedService(ServiceID=service_id)
    return din.ServicePaymentSelectionReq(
        SelectedPaymentOption=din.PaymentOption.ExternalPayment,
        SelectedServiceList=din.SelectedServiceList(SelectedService=[service]),
    )


def charge_parameters(vehicle: Vehicle) -> din.ChargeParameterDiscoveryReq:
    """Tell the mode wanted and the battery's limits and needs."""
    battery = vehicle.battery
    return din.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=din.EVRequestedEnergyTransfer(vehicle.config.plan.dc_mode),
        EVChargeParameter=din.DC_EVChargeParameter(
            DC_EVStatus=status(vehicle, ready=False),
            EVMaximumCurrentLimit=units.maximum(battery.max_current_a, UnitSymbol.A),
            EVMaximumPowerLimit=units.maximum(battery.max_power_w, UnitSymbol.W),
            EVMaximumVoltageLimit=units.maximum(battery.max_voltage_v, UnitSymbol.V),
            EVEnergyCapacity=units.nearest(battery.capacity_wh, UnitSymbol.Wh),
            EVEnergyRequest=units.nearest(vehicle.needed_wh, UnitSymbol.Wh),
            FullSOC=100,
            BulkSOC=80,
        ),
    )


def status(vehicle: Vehicle, *, ready: bool) -> din.DC_EVStatus:
    """Without error, at this state of charge."""
    return din.DC_EVStatus(EVReady=ready, EVErrorCode=din.DC_EVErrorCode.NO_ERROR, EVRESSSOC=int(vehicle.soc_percent))


def power_delivery(vehicle: Vehicle, *, ready: bool) -> din.PowerDeliveryReq:
    """Switch power on or off; without a ChargingProfile, which cars on the road do not send either."""
    return din.PowerDeliveryReq(
        ReadyToChargeState=ready,
        EVPowerDeliveryParameter=din.DC_EVPowerDeliveryParameter(
            DC_EVStatus=status(vehicle, ready=True), ChargingComplete=not ready and vehicle.satisfied
        ),
    )


def cable_check(vehicle: Vehicle) -> din.CableCheckReq:
    """Ask for the isolation test."""
    return din.CableCheckReq(DC_EVStatus=status(vehicle, ready=True))


def precharge(vehicle: Vehicle) -> din.PreChargeReq:
    """Ask for the battery's voltage with hardly any current."""
    return din.PreChargeReq(
        DC_EVStatus=status(vehicle, ready=True),
        EVTargetVoltage=units.nearest(vehicle.voltage_v, UnitSymbol.V),
        EVTargetCurrent=units.maximum(PRECHARGE_CURRENT_A, UnitSymbol.A),
    )


def current_demand(vehicle: Vehicle) -> din.CurrentDemandReq:
    """Ask for what the battery can take now."""
    battery, wish = vehicle.battery, Wish.of(vehicle)
    return din.CurrentDemandReq(
        DC_EVStatus=status(vehicle, ready=True),
        EVTargetCurrent=units.maximum(wish.current_a, UnitSymbol.A),
        EVMaximumVoltageLimit=units.maximum(battery.max_voltage_v, UnitSymbol.V),
        EVMaximumCurrentLimit=units.maximum(battery.max_current_a, UnitSymbol.A),
        EVMaximumPowerLimit=units.maximum(battery.max_power_w, UnitSymbol.W),
        ChargingComplete=vehicle.satisfied,
        RemainingTimeToFullSoC=units.nearest(wish.remaining_s, UnitSymbol.s),
        EVTargetVoltage=units.nearest(wish.voltage_v, UnitSymbol.V),
    )


def welding_detection(vehicle: Vehicle) -> din.WeldingDetectionReq:
    """Ask for the output voltage behind the car's open contactors."""
    return din.WeldingDetectionReq(DC_EVStatus=status(vehicle, ready=False))
