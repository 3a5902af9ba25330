"""The responses of a DIN 70121 station: pure functions of the session's facts and the charger's snapshot."""

from __future__ import annotations

import time
from collections.abc import Sequence

from secc import api
from secc.charger import Wish
from secc.dc_output import Flow
from secc.limits import Bounds, Step
from secc.schedules import DAY_S, Schedule, fewer
from v2g import identifiers, units
from v2g.din import CHARGE_SERVICE
from v2g.messages import din
from v2g.messages.din import DC_EVSEStatusCode, EVSENotification, EVSEProcessing, ResponseCode, UnitSymbol

OK = ResponseCode.OK
MOST_ENTRIES = 12  # of a PMaxSchedule [V2G-DC-329]
LARGEST_PMAX = 32_767  # W; PMax has 16 bits
REGULATION_TOLERANCE_A = 2.0
ISOLATION = {
    "invalid": din.IsolationLevel.Invalid,
    "valid": din.IsolationLevel.Valid,
    "warning": din.IsolationLevel.Warning,
    "fault": din.IsolationLevel.Fault,
    "no_imd": din.IsolationLevel.Warning,  # DIN has no word for it, and nobody vouches for Valid
}


def evse_id(setup: api.Setup) -> str:
    """The id of this outlet, in the form of DIN where the charger has told one."""
    return setup.evse_id_din or setup.evse_id


def session_setup(setup: api.Setup) -> din.SessionSetupRes:
    """Open a new session; without a pause there is no old one to join."""
    return din.SessionSetupRes(
        ResponseCode=ResponseCode.OK_NewSessionEstablished,
        EVSEID=identifiers.evse_bytes_din(evse_id(setup)),
        DateTimeNow=int(time.time()),
    )


def service_discovery(setup: api.Setup) -> din.ServiceDiscoveryRes:
    """Offer one way to pay and one service, both without a name [V2G-DC-252] [V2G-DC-628] [V2G-DC-629]."""
    return din.ServiceDiscoveryRes(
        ResponseCode=OK,
        PaymentOptions=din.PaymentOptions(PaymentOption=[din.PaymentOption.ExternalPayment]),
        ChargeService=din.ServiceCharge(
            ServiceTag=din.ServiceTag(ServiceID=CHARGE_SERVICE, ServiceCategory=din.ServiceCategory.EVCharging),
            FreeService=setup.free,
            EnergyTransferType=din.EVSESupportedEnergyTransfer.DC_extended,
        ),
    )


def service_payment_selection() -> din.ServicePaymentSelectionRes:
    """Accept the selection."""
    return din.ServicePaymentSelectionRes(ResponseCode=OK)


def contract_authentication(processing: EVSEProcessing) -> din.ContractAuthenticationRes:
    """Tell whether the authorization is decided."""
    return din.ContractAuthenticationRes(ResponseCode=OK, EVSEProcessing=processing)


def status(
    code: DC_EVSEStatusCode, wish: Wish = "none", delay_s: int = 0, state: api.ChargerState | None = None
) -> din.DC_EVSEStatus:
    """Tell the status code, what is known of the isolation, and a wish.

    A wish to stop goes by the code as well: cars look at one or the other. DIN cannot wish for anything else.
    """
    stops = wish in ("stop", "pause")
    return din.DC_EVSEStatus(
        EVSEIsolationStatus=ISOLATION[state.isolation] if state is not None else None,
        EVSEStatusCode=DC_EVSEStatusCode.EVSE_Shutdown if stops else code,
        NotificationMaxDelay=delay_s if stops else 0,
        EVSENotification=EVSENotification.StopCharging if stops else EVSENotification.None_,
    )


def charge_parameters(
    setup: api.Setup, bounds: Bounds, offered: Sequence[Schedule], status: din.DC_EVSEStatus
) -> din.ChargeParameterDiscoveryRes:
    """Offer schedules and the station's limits; without schedules the vehicle has to ask again [V2G-DC-498].

    The schema wants schedules also then: they show what the station can do.
    """
    able = Schedule(steps=[Step(0, bounds.max_w)], uncapped=[], duration_s=DAY_S)
    max_v = setup.max_voltage_v if bounds.max_v is None else bounds.max_v
    return din.ChargeParameterDiscoveryRes(
        ResponseCode=OK,
        EVSEProcessing=EVSEProcessing.Finished if offered else EVSEProcessing.Ongoing,
        SASchedules=din.SAScheduleList(SAScheduleTuple=[_tuple(each) for each in offered or [able]]),
        EVSEChargeParameter=din.DC_EVSEChargeParameter(
            DC_EVSEStatus=status,
            EVSEMaximumCurrentLimit=units.maximum(bounds.max_a, UnitSymbol.A),
            EVSEMaximumPowerLimit=units.maximum(bounds.max_w, UnitSymbol.W),
            EVSEMaximumVoltageLimit=units.maximum(max_v, UnitSymbol.V),
            EVSEMinimumCurrentLimit=units.minimum(setup.min_current_a, UnitSymbol.A),
            EVSEMinimumVoltageLimit=units.minimum(setup.min_voltage_v, UnitSymbol.V),
            EVSECurrentRegulationTolerance=units.maximum(REGULATION_TOLERANCE_A, UnitSymbol.A),
            EVSEPeakCurrentRipple=units.minimum(setup.current_ripple_a, UnitSymbol.A),
        ),
    )


def _tuple(schedule: Schedule) -> din.SAScheduleTuple:
    """At most 12 entries without a tariff [V2G-DC-554], the last of them with its duration, PMax in 16 bits of watts.

    PMax therefore tells no power above 32 kW: EVSEMaximumPowerLimit does.
    """
    steps = fewer(schedule.steps, MOST_ENTRIES)
    last_s = round(max(0.0, min(DAY_S, schedule.duration_s - steps[-1].start_s)))
    entries = [
        din.PMaxScheduleEntry(
            TimeInterval=din.RelativeTimeInterval(
                start=round(step.start_s), duration=last_s if step is steps[-1] else None
            ),
            PMax=min(int(step.max_w), LARGEST_PMAX),
        )
        for step in steps
    ]
    return din.SAScheduleTuple(
        SAScheduleTupleID=schedule.id,
        PMaxSchedule=din.PMaxSchedule(PMaxScheduleID=schedule.id, PMaxScheduleEntry=entries),
    )


def cable_check(processing: EVSEProcessing, status: din.DC_EVSEStatus) -> din.CableCheckRes:
    """Tell whether the isolation test is over."""
    return din.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=status, EVSEProcessing=processing)


def precharge(voltage_v: float, status: din.DC_EVSEStatus) -> din.PreChargeRes:
    """Tell the present output voltage."""
    return din.PreChargeRes(
        ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=units.nearest(voltage_v, UnitSymbol.V)
    )


def power_delivery(status: din.DC_EVSEStatus) -> din.PowerDeliveryRes:
    """Confirm that power was switched as asked."""
    return din.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=status)


def current_demand(flow: Flow, status: din.DC_EVSEStatus) -> din.CurrentDemandRes:
    """Tell present values, limits and which of them the vehicle's wish reaches."""
    return din.CurrentDemandRes(
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
    )


def welding_detection(voltage_v: float, status: din.DC_EVSEStatus) -> din.WeldingDetectionRes:
    """Tell the voltage left at the output."""
    return din.WeldingDetectionRes(
        ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=units.nearest(voltage_v, UnitSymbol.V)
    )


def session_stop() -> din.SessionStopRes:
    """Say goodbye."""
    return din.SessionStopRes(ResponseCode=OK)
