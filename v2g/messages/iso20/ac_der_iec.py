"""The messages of ISO 15118-20 Amendment 1 for AC with grid support by European rules (IEC), and their parts.

The messages themselves are those of AC; here are the six modes that a vehicle and a station of this service put into
them. Names, order and limits are those of libcbv2g's codec (unverified: no schema was at hand). That codec declares
the types of AC again in this namespace; here they are AC's own (unverified), which changes no bit of a message, only
namespaces in XML and the codes of fragments.

Signs, and what `_L2` and `_L3` say, are as in AC.
"""

from __future__ import annotations

from typing import Annotated

from v2g.exi.types import Alternative, Enumeration, Occurs, UnsignedByte, UnsignedInt, UnsignedShort
from v2g.messages.iso20.ac import (
    AC_CPDReqEnergyTransferMode,
    AC_CPDResEnergyTransferMode,
    Dynamic_AC_CLReqControlMode,
    Dynamic_AC_CLResControlMode,
    Scheduled_AC_CLReqControlMode,
    Scheduled_AC_CLResControlMode,
)
from v2g.messages.iso20.common_types import Part, Processing, RationalNumber

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-IEC"

# Simple types

GridEventCondition = UnsignedByte
"""What the vehicle notices on the grid, by the numbers of IEC 61851-1 (unverified); 0 is nothing."""


class DERPart(Part, namespace=NAMESPACE):
    """Common ground of the data types."""


# Codes


class PowerFactorExcitation(Enumeration):
    """Which way reactive power flows at a power factor."""

    OverExcited = "OverExcited"
    UnderExcited = "UnderExcited"


class CurveDataPointsUnit(Enumeration):
    """What the numbers on an axis of a curve count."""

    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"


class LockValueUnit(Enumeration):
    """What the values that switch a curve on and off count."""

    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"


class PowerReference(Enumeration):
    """The power that percentages refer to."""

    MaximumDischargePower = "MaximumDischargePower"
    MomentaryPower = "MomentaryPower"


class EVOperatingMode(Enumeration):
    """Whether the vehicle follows the grid or makes one."""

    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


class GridConnectionMode(Enumeration):
    """Whether the station hangs on the public grid."""

    GridConnected = "GridConnected"
    GridIslanded = "GridIslanded"


# Curves


class SetpointExcitation(DERPart):
    """A value of a curve; where it is a power factor, with its direction."""

    SetpointValue: RationalNumber
    Excitation: PowerFactorExcitation | None = None


class DataTuple(DERPart):
    """A point of a curve."""

    xValue: RationalNumber
    yValue: SetpointExcitation


class CurveDataPointsList(DERPart):
    """The points of a curve, in the order of their x values (unverified)."""

    CurveDataPoint: Annotated[list[DataTuple], Occurs(2, 10)]


class DERCurve(DERPart):
    """Reactive power as a function of voltage or active power, and how fast to follow it."""

    xUnit: CurveDataPointsUnit
    yUnit: CurveDataPointsUnit
    CurveDataPoints: CurveDataPointsList
    MinCosPhi: RationalNumber | None = None
    LockValueUnit: LockValueUnit | None = None
    LockInValue: RationalNumber | None = None
    LockOutValue: RationalNumber | None = None
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: RationalNumber
    IntentionalDelay: RationalNumber | None = None


# What the grid asks for


class FrequencyWatt(DERPart):
    """How active power answers a frequency too low or too high."""

    Fstart: RationalNumber
    Fstop: RationalNumber
    IntentionalDelayFstop: UnsignedShort | None = None
    Slope: RationalNumber
    DeactivationTime: UnsignedShort | None = None
    IntentionalDelayPowerControl: UnsignedShort | None = None
    PowerReference: PowerReference
    HysteresisControl: bool
    PowerUpRamp: UnsignedShort | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: RationalNumber


class VoltWatt(DERPart):
    """How active power falls as the voltage rises from UStart to UStop."""

    PowerReference: PowerReference
    UStart: RationalNumber
    UStop: RationalNumber
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: RationalNumber
    IntentionalDelayPowerControl: UnsignedInt | None = None


class FaultRideThrough(DERPart):
    """How to stay connected through a dip or a swell of the voltage."""

    VoltageLimitStartFRT: RationalNumber
    VoltageLimitStopFRT: RationalNumber | None = None
    VoltageRecoveryLimit: RationalNumber | None = None
    VoltageRideThroughPositiveCurveKFactor: RationalNumber | None = None
    VoltageRideThroughNegativeCurveKFactor: RationalNumber | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: RationalNumber
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: RationalNumber


class ZeroCurrent(DERPart):
    """Between which voltages current flows; outside it is brought to zero."""

    OverVoltageLimit: RationalNumber | None = None
    UnderVoltageLimit: RationalNumber | None = None
    OverVoltageRecoveryLimit: RationalNumber | None = None
    UnderVoltageRecoveryLimit: RationalNumber | None = None
    PT1ResponseActivePower: bool
    StepResponseTimeConstantActivePower: RationalNumber
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: RationalNumber


class ReactivePowerSupport(DERPart):
    """Reactive power by voltage or by active power, or a power factor by active power: exactly one curve is set."""

    VoltVar: Alternative[DERCurve] = None
    WattVar: Alternative[DERCurve] = None
    WattCosPhi: Alternative[DERCurve] = None


class ActivePowerSupport(DERPart):
    """Active power by frequency and by voltage."""

    UnderFrequencyWatt: FrequencyWatt | None = None
    OverFrequencyWatt: FrequencyWatt | None = None
    VoltWatt: VoltWatt | None = None


class DERControl(DERPart):
    """Everything the grid operator asks of the vehicle."""

    OvervoltageFaultRideThrough: FaultRideThrough | None = None
    UndervoltageFaultRideThrough: FaultRideThrough | None = None
    ZeroCurrent: ZeroCurrent | None = None
    ReactivePowerSupport: ReactivePowerSupport | None = None
    ActivePowerSupport: ActivePowerSupport | None = None
    MaximumLevelDCInjection: RationalNumber | None = None


class DSOQSetpoint(DERPart):
    """Reactive power the grid operator wants now."""

    DSOQSetpointValue: RationalNumber
    DSOQSetpointValue_L2: RationalNumber | None = None
    DSOQSetpointValue_L3: RationalNumber | None = None
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: RationalNumber


class DSOCosPhiSetpoint(DERPart):
    """The power factor the grid operator wants now."""

    DSOCosPhiSetpointValue: RationalNumber
    DSOCosPhiSetpointValue_L2: RationalNumber | None = None
    DSOCosPhiSetpointValue_L3: RationalNumber | None = None
    Excitation: PowerFactorExcitation
    PT1ResponseReactivePower: bool
    StepResponseTimeConstantReactivePower: RationalNumber


# Charge parameter discovery


class EVReactivePowerLimits(DERPart):
    """What reactive power the vehicle can do while it charges and discharges."""

    EVMaximumChargeReactivePower: RationalNumber
    EVMaximumChargeReactivePower_L2: RationalNumber | None = None
    EVMaximumChargeReactivePower_L3: RationalNumber | None = None
    EVMinimumChargeReactivePower: RationalNumber | None = None
    EVMinimumChargeReactivePower_L2: RationalNumber | None = None
    EVMinimumChargeReactivePower_L3: RationalNumber | None = None
    EVMaximumDischargeReactivePower: RationalNumber
    EVMaximumDischargeReactivePower_L2: RationalNumber | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumber | None = None
    EVMinimumDischargeReactivePower: RationalNumber | None = None
    EVMinimumDischargeReactivePower_L2: RationalNumber | None = None
    EVMinimumDischargeReactivePower_L3: RationalNumber | None = None


class DER_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """What the vehicle can do, and whether it has taken up the control functions."""

    EVProcessing: Processing
    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumber | None = None
    EVReactivePowerLimits: EVReactivePowerLimits | None = None


class DER_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """What the station can do, and the control functions the vehicle must follow."""

    EVSENominalChargePower: RationalNumber
    EVSENominalChargePower_L2: RationalNumber | None = None
    EVSENominalChargePower_L3: RationalNumber | None = None
    EVSENominalDischargePower: RationalNumber
    EVSENominalDischargePower_L2: RationalNumber | None = None
    EVSENominalDischargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    EVOperatingMode: EVOperatingMode
    GridConnectionMode: GridConnectionMode
    DERControl: DERControl


# Charge loop


class DER_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode, namespace=NAMESPACE):
    """The vehicle keeps a schedule: its limits, and the event on the grid it sees."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVMaximumChargeReactivePower: RationalNumber | None = None
    EVMaximumChargeReactivePower_L2: RationalNumber | None = None
    EVMaximumChargeReactivePower_L3: RationalNumber | None = None
    EVMaximumDischargeReactivePower: RationalNumber | None = None
    EVMaximumDischargeReactivePower_L2: RationalNumber | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumber | None = None
    GridEventCondition: GridEventCondition


class DER_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode, namespace=NAMESPACE):
    """The vehicle keeps a schedule: limits of the station and of the grid operator."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMaximumChargePower_L2: RationalNumber | None = None
    EVSEMaximumChargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    DSOMaximumDischargePower: RationalNumber | None = None
    DSOMaximumDischargePower_L2: RationalNumber | None = None
    DSOMaximumDischargePower_L3: RationalNumber | None = None
    DSOQSetpoint: DSOQSetpoint | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpoint | None = None


class DER_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode, namespace=NAMESPACE):
    """The station steers: the limits of the vehicle, and the event on the grid it sees."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVMaximumChargeReactivePower: RationalNumber | None = None
    EVMaximumChargeReactivePower_L2: RationalNumber | None = None
    EVMaximumChargeReactivePower_L3: RationalNumber | None = None
    EVMaximumDischargeReactivePower: RationalNumber | None = None
    EVMaximumDischargeReactivePower_L2: RationalNumber | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumber | None = None
    GridEventCondition: GridEventCondition
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumber | None = None


class DER_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode, namespace=NAMESPACE):
    """The station steers: its setpoints, its limits and those of the grid operator."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMaximumChargePower_L2: RationalNumber | None = None
    EVSEMaximumChargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    DSOMaximumDischargePower: RationalNumber | None = None
    DSOMaximumDischargePower_L2: RationalNumber | None = None
    DSOMaximumDischargePower_L3: RationalNumber | None = None
    DSOQSetpoint: DSOQSetpoint | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpoint | None = None
