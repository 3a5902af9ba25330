"""The responses of an ISO 15118-2 station: pure functions of the session's facts and the charger's snapshot."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import Literal

from secc import api
from secc.charger import Wish
from secc.dc_output import Flow
from secc.limits import Bounds
from v2g import units
from v2g.messages import iso2
from v2g.messages.iso2 import EVSENotification, ResponseCode, UnitSymbol

OK = ResponseCode.OK
CHARGE_SERVICE = 1
REGULATION_TOLERANCE_A = 2.0
SIGNATURE_BYTES = 64

MODES = {"AC1": "AC_single_phase_core", "AC3": "AC_three_phase_core"}
DC_MODES = {"cCombo1": "DC_combo_core", "cCombo2": "DC_extended"}
NOTIFICATIONS: dict[Wish, EVSENotification] = {
    "none": EVSENotification.None_,
    "stop": EVSENotification.StopCharging,
    "pause": EVSENotification.StopCharging,  # -2 knows no other way to ask for it
    "renegotiate": EVSENotification.ReNegotiation,
}
ISOLATION = {
    "invalid": iso2.IsolationLevel.Invalid,
    "valid": iso2.IsolationLevel.Valid,
    "warning": iso2.IsolationLevel.Warning,
    "fault": iso2.IsolationLevel.Fault,
    "no_imd": iso2.IsolationLevel.No_IMD,
}
Processing = Literal["Finished", "Ongoing", "Ongoing_WaitingForCustomerInteraction"]
Status = Literal[
    "EVSE_NotReady", "EVSE_Ready", "EVSE_Shutdown", "EVSE_IsolationMonitoringActive", "EVSE_Malfunction"
]  # fmt: skip


def transfer_modes(setup: api.Setup) -> list[iso2.EnergyTransferMode]:
    """Name the energy transfer modes this EVSE serves."""
    dc = DC_MODES.get(setup.connector or "", "DC_extended")
    return [iso2.EnergyTransferMode(MODES.get(mode, dc)) for mode in setup.energy_modes]


def session_setup(setup: api.Setup, *, joined: bool = False) -> iso2.SessionSetupRes:
    """Open a session, or say that a paused one goes on."""
    code = ResponseCode.OK_OldSessionJoined if joined else ResponseCode.OK_NewSessionEstablished
    return iso2.SessionSetupRes(ResponseCode=code, EVSEID=setup.evse_id, EVSETimeStamp=int(time.time()))


def charge_service(setup: api.Setup) -> iso2.ChargeService:
    """The charge service of this EVSE."""
    return iso2.ChargeService(
        ServiceID=CHARGE_SERVICE,
        ServiceCategory=iso2.ServiceCategory.EVCharging,
        FreeService=setup.free,
        SupportedEnergyTransferMode=iso2.SupportedEnergyTransferMode(EnergyTransferMode=transfer_modes(setup)),
    )


def service_discovery(
    setup: api.Setup, payments: Sequence[str], services: Sequence[iso2.Service] = ()
) -> iso2.ServiceDiscoveryRes:
    """Offer the ways to pay, the charge service, and what else there is; without other services there is no list."""
    options = {"contract": iso2.PaymentOption.Contract, "external": iso2.PaymentOption.ExternalPayment}
    return iso2.ServiceDiscoveryRes(
        ResponseCode=OK,
        PaymentOptionList=iso2.PaymentOptionList(PaymentOption=[options[each] for each in payments]),
        ChargeService=charge_service(setup),
        ServiceList=iso2.ServiceList(Service=list(services)) if services else None,
    )


def service_detail(request: iso2.ServiceDetailReq, sets: Sequence[iso2.ParameterSet]) -> iso2.ServiceDetailRes:
    """Tell the parameter sets of a service; the charge service has none."""
    parameters = iso2.ServiceParameterList(ParameterSet=list(sets)) if sets else None
    return iso2.ServiceDetailRes(ResponseCode=OK, ServiceID=request.ServiceID, ServiceParameterList=parameters)


def payment_service_selection() -> iso2.PaymentServiceSelectionRes:
    """Accept the selection."""
    return iso2.PaymentServiceSelectionRes(ResponseCode=OK)


def payment_details(challenge: bytes, *, expires_soon: bool) -> iso2.PaymentDetailsRes:
    """Accept the contract and challenge its owner."""
    code = ResponseCode.OK_CertificateExpiresSoon if expires_soon else OK
    return iso2.PaymentDetailsRes(ResponseCode=code, GenChallenge=challenge, EVSETimeStamp=int(time.time()))


def authorization(
    processing: Processing,
) -> iso2.AuthorizationRes:
    """Tell whether the authorization is decided."""
    return iso2.AuthorizationRes(ResponseCode=OK, EVSEProcessing=iso2.EVSEProcessing(processing))


def ac_status(wish: Wish, delay_s: int, state: api.ChargerState | None) -> iso2.AC_EVSEStatus:
    """Tell the station's wish and whether its RCD has tripped."""
    rcd = state is not None and any(fault.kind == "rcd" for fault in state.faults)
    return iso2.AC_EVSEStatus(
        NotificationMaxDelay=delay_s if wish != "none" else 0, EVSENotification=NOTIFICATIONS[wish], RCD=rcd
    )


def dc_status(
    status: Status, wish: Wish = "none", delay_s: int = 0, state: api.ChargerState | None = None
) -> iso2.DC_EVSEStatus:
    """Tell the station's wish, its status code and what is known of the isolation."""
    return iso2.DC_EVSEStatus(
        NotificationMaxDelay=delay_s if wish != "none" else 0,
        EVSENotification=NOTIFICATIONS[wish],
        EVSEIsolationStatus=ISOLATION[state.isolation] if state is not None else None,
        EVSEStatusCode=iso2.DC_EVSEStatusCode(status),
    )


def charge_parameters(
    schedules: iso2.SAScheduleList | None, parameter: iso2.EVSEChargeParameter
) -> iso2.ChargeParameterDiscoveryRes:
    """Offer schedules and the station's limits; without schedules the vehicle has to ask again [V2G2-905]."""
    processing = iso2.EVSEProcessing.Ongoing if schedules is None else iso2.EVSEProcessing.Finished
    return iso2.ChargeParameterDiscoveryRes(
        ResponseCode=OK, EVSEProcessing=processing, SASchedules=schedules, EVSEChargeParameter=parameter
    )


def ac_parameter(setup: api.Setup, bounds: Bounds, status: iso2.AC_EVSEStatus) -> iso2.AC_EVSEChargeParameter:
    """Tell voltage and the largest current per phase."""
    return iso2.AC_EVSEChargeParameter(
        AC_EVSEStatus=status,
        EVSENominalVoltage=units.nearest(setup.nominal_voltage_v, UnitSymbol.V),
        EVSEMaxCurrent=units.maximum(bounds.max_a, UnitSymbol.A),
    )


def dc_parameter(setup: api.Setup, bounds: Bounds, status: iso2.DC_EVSEStatus) -> iso2.DC_EVSEChargeParameter:
    """Tell the station's limits of current, power and voltage."""
    return iso2.DC_EVSEChargeParameter(
        DC_EVSEStatus=status,
        EVSEMaximumCurrentLimit=units.maximum(bounds.max_a, UnitSymbol.A),
        EVSEMaximumPowerLimit=units.maximum(bounds.max_w, UnitSymbol.W),
        EVSEMaximumVoltageLimit=units.maximum(_max_v(setup, bounds), UnitSymbol.V),
        EVSEMinimumCurrentLimit=units.minimum(setup.min_current_a, UnitSymbol.A),
        EVSEMinimumVoltageLimit=units.minimum(setup.min_voltage_v, UnitSymbol.V),
        EVSECurrentRegulationTolerance=units.maximum(REGULATION_TOLERANCE_A, UnitSymbol.A),
        EVSEPeakCurrentRipple=units.minimum(setup.current_ripple_a, UnitSymbol.A),
    )


def _max_v(setup: api.Setup, bounds: Bounds) -> float:
    return setup.max_voltage_v if bounds.max_v is None else bounds.max_v


def power_delivery(status: iso2.EVSEStatus) -> iso2.PowerDeliveryRes:
    """Confirm that power was switched as asked."""
    return iso2.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=status)


def meter_info(meter: api.Meter | None) -> iso2.MeterInfo | None:
    """The meter's own reading, None for an EVSE without meter."""
    if meter is None:
        return None
    return iso2.MeterInfo(
        MeterID=meter.meter_id, MeterReading=meter.energy_import_wh, SigMeterReading=_signature(meter.signed)
    )


def _signature(signed: str | None) -> bytes | None:
    """The meter's signature, where it is one and short enough for a vehicle."""
    try:
        data = base64.b64decode(signed or "", validate=True)
    except ValueError:
        return None
    return data if 0 < len(data) <= SIGNATURE_BYTES else None


def metering_receipt(status: iso2.EVSEStatus) -> iso2.MeteringReceiptRes:
    """Accept a receipt."""
    return iso2.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=status)


def charging_status(
    setup: api.Setup,
    tuple_id: int,
    max_a: float | None,
    reading: iso2.MeterInfo | None,
    status: iso2.AC_EVSEStatus,
    *,
    receipt: bool = False,
) -> iso2.ChargingStatusRes:
    """Tell the state of AC charging; EVSEMaxCurrent only where a limit binds without a contract."""
    return iso2.ChargingStatusRes(
        ResponseCode=OK,
        EVSEID=setup.evse_id,
        SAScheduleTupleID=tuple_id,
        EVSEMaxCurrent=None if max_a is None else units.maximum(max_a, UnitSymbol.A),
        MeterInfo=reading,
        ReceiptRequired=receipt,
        AC_EVSEStatus=status,
    )


def cable_check(processing: Processing, status: iso2.DC_EVSEStatus) -> iso2.CableCheckRes:
    """Tell whether the isolation test is over."""
    return iso2.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=status, EVSEProcessing=iso2.EVSEProcessing(processing))


def precharge(voltage_v: float, status: iso2.DC_EVSEStatus) -> iso2.PreChargeRes:
    """Tell the present output voltage."""
    return iso2.PreChargeRes(
        ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=units.nearest(voltage_v, UnitSymbol.V)
    )


def current_demand(
    setup: api.Setup,
    tuple_id: int,
    flow: Flow,
    reading: iso2.MeterInfo | None,
    status: iso2.DC_EVSEStatus,
    *,
    receipt: bool = False,
) -> iso2.CurrentDemandRes:
    """Tell present values, limits and which of them the vehicle's wish reaches."""
    return iso2.CurrentDemandRes(
        ResponseCode=OK,
        DC_EVSEStatus=status,
        EVSEPresentVoltage=units.nearest(flow.voltage_v, UnitSymbol.V),
        EVSEPresentCurrent=units.nearest(flow.current_a, UnitSymbol.A),
        EVSECurrentLimitAchieved=flow.current_limited,
        EVSEVoltageLimitAchieved=flow.voltage_limited,
        EVSEPowerLimitAchieved=flow.power_limited,
        EVSEMaximumVoltageLimit=units.maximum(flow.max_voltage_v, UnitSymbol.V),
        EVSEMaximumCurrentLimit=units.maximum(flow.bounds.max_a, UnitSymbol.A),
        EVSEMaximumPowerLimit=units.maximum(flow.bounds.max_w, UnitSymbol.W),
        EVSEID=setup.evse_id,
        SAScheduleTupleID=tuple_id,
        MeterInfo=reading,
        ReceiptRequired=receipt,
    )


def welding_detection(voltage_v: float, status: iso2.DC_EVSEStatus) -> iso2.WeldingDetectionRes:
    """Tell the voltage left at the output."""
    return iso2.WeldingDetectionRes(
        ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=units.nearest(voltage_v, UnitSymbol.V)
    )


def session_stop() -> iso2.SessionStopRes:
    """Say goodbye."""
    return iso2.SessionStopRes(ResponseCode=OK)
