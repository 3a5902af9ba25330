"""The messages of ISO 15118-20 Amendment 1 for AC with grid support by North American rules (SAE), and their parts.

The messages themselves are those of AC; here are the six modes that a vehicle and a station of this service put into
them. Names, order and limits are those of libcbv2g's codec (unverified: no schema was at hand). That codec declares
the types of AC again in this namespace; here they are AC's own (unverified), which changes no bit of a message, only
namespaces in XML and the codes of fragments.

The vehicle is an inverter by IEEE 1547 and SAE J3072: it tells its ratings, the station enables and tunes functions.
Signs, and what `_L2` and `_L3` say, are as in AC.
"""

from __future__ import annotations

from typing import Annotated

from v2g.exi.types import Enumeration, Occurs, Text32, UnsignedInt, UnsignedLong, UnsignedShort
from v2g.messages.iso20.ac import (
    AC_CPDReqEnergyTransferMode,
    AC_CPDResEnergyTransferMode,
    Dynamic_AC_CLReqControlMode,
    Dynamic_AC_CLResControlMode,
    Scheduled_AC_CLReqControlMode,
    Scheduled_AC_CLResControlMode,
)
from v2g.messages.iso20.common_types import EVSEStatus, Part, Processing, RationalNumber

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-SAE"


class DERPart(Part, namespace=NAMESPACE):
    """Common ground of the data types."""


# Codes


class PowerReference(Enumeration):
    """The power that a droop refers to."""

    MaximumActivePower = "MaximumActivePower"
    MomentaryPower = "MomentaryPower"


class DERUnit(Enumeration):
    """Units, and the ratings of the vehicle that percentages refer to."""

    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"
    PercentageEVMaximumConfiguredActivePower = "PercentageEVMaximumConfiguredActivePower"
    PercentageEVMaximumConfiguredReactivePower = "PercentageEVMaximumConfiguredReactivePower"
    PercentageEVMaximumConfiguredApparentPower = "PercentageEVMaximumConfiguredApparentPower"
    PercentageEVMaximumAvailableActivePower = "PercentageEVMaximumAvailableActivePower"
    PercentageEVMaximumAvailableReactivePower = "PercentageEVMaximumAvailableReactivePower"
    PercentageV = "PercentageV"


class PowerFactorExcitation(Enumeration):
    """Which way reactive power flows at a power factor."""

    OverExcited = "OverExcited"
    UnderExcited = "UnderExcited"


class IEEE1547NormalCategory(Enumeration):
    """How well the vehicle supports voltage in normal operation."""

    CategoryA = "CategoryA"
    CategoryB = "CategoryB"


class IEEE1547AbnormalCategory(Enumeration):
    """Through how bad a disturbance the vehicle stays connected."""

    CategoryI = "CategoryI"
    CategoryII = "CategoryII"
    CategoryIII = "CategoryIII"


class DEROperationalState(Enumeration):
    """Whether the inverter works."""

    On = "On"
    Off = "Off"


class DERConnectionStatus(Enumeration):
    """Whether the inverter is connected to the grid."""

    Disconnected = "Disconnected"
    Connected = "Connected"


class RequiredDEROperatingMode(Enumeration):
    """Whether the vehicle has to follow the grid or to make one."""

    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


class GridConnectionMode(Enumeration):
    """Whether the station hangs on the public grid."""

    GridConnected = "GridConnected"
    GridIslanded = "GridIslanded"


# In a class that has a field of the same name, the plain name means that field.
PowerReferenceOfPhase = PowerReference
ExcitationOfPhase = PowerFactorExcitation


# Curves


class DataTuple(DERPart):
    """A point of a curve."""

    xValue: RationalNumber
    yValue: RationalNumber


class CurveDataPointsList(DERPart):
    """The points of a curve, in the order of their x values (unverified)."""

    CurveDataPoint: Annotated[list[DataTuple], Occurs(2, 10)]


class DERCurve(DERPart):
    """A curve of voltage or frequency over time that a trip function keeps to."""

    Enable: bool
    Priority: UnsignedShort | None = None
    xUnit: DERUnit
    yUnit: DERUnit
    CurveDataPoints: CurveDataPointsList
    CurveDataPoints_L2: CurveDataPointsList | None = None
    CurveDataPoints_L3: CurveDataPointsList | None = None


# Reactive power


class ConstantPowerFactor(DERPart):
    """A fixed power factor."""

    Enable: bool
    Priority: UnsignedShort | None = None
    PowerFactorValue: RationalNumber
    PowerFactorValue_L2: RationalNumber | None = None
    PowerFactorValue_L3: RationalNumber | None = None
    PowerFactorExcitation: PowerFactorExcitation
    PowerFactorExcitation_L2: ExcitationOfPhase | None = None
    PowerFactorExcitation_L3: ExcitationOfPhase | None = None


class VoltVar(DERPart):
    """Reactive power as a function of voltage, around a reference that may adjust itself."""

    Enable: bool
    Priority: UnsignedShort | None = None
    xUnit: DERUnit
    yUnit: DERUnit
    CurveDataPoints: CurveDataPointsList
    CurveDataPoints_L2: CurveDataPointsList | None = None
    CurveDataPoints_L3: CurveDataPointsList | None = None
    OpenLoopResponseTime: RationalNumber
    TimeConstantPT1: UnsignedInt | None = None
    ReferenceVoltage: RationalNumber
    AutonomousReferenceVoltageAdjustmentEnable: bool
    ReferenceVoltageAdjustmentTimeConstant: UnsignedInt


class WattVar(DERPart):
    """Reactive power as a function of active power."""

    Enable: bool
    Priority: UnsignedShort | None = None
    xUnit: DERUnit
    yUnit: DERUnit
    CurveDataPoints: CurveDataPointsList
    CurveDataPoints_L2: CurveDataPointsList | None = None
    CurveDataPoints_L3: CurveDataPointsList | None = None
    OpenLoopResponseTime: RationalNumber | None = None
    TimeConstantPT1: UnsignedInt | None = None


class ConstantVar(DERPart):
    """A fixed reactive power."""

    Enable: bool
    Priority: UnsignedShort | None = None
    VarSetpoint: RationalNumber
    VarSetpoint_L2: RationalNumber | None = None
    VarSetpoint_L3: RationalNumber | None = None
    Unit: DERUnit


class ReactivePowerSupportCPDRes(DERPart):
    """All reactive power functions, as first set."""

    ConstantPowerFactor: ConstantPowerFactor
    VoltVar: VoltVar
    WattVar: WattVar
    ConstantVar: ConstantVar


class ReactivePowerSupportCLRes(DERPart):
    """The reactive power functions that change."""

    ConstantPowerFactor: ConstantPowerFactor | None = None
    VoltVar: VoltVar | None = None
    WattVar: WattVar | None = None
    ConstantVar: ConstantVar | None = None


# Active power


class FrequencyDroopSettings(DERPart):
    """How steeply active power answers frequency outside the deadband `db`."""

    db: RationalNumber
    DroopFactor: RationalNumber
    DroopFactor_L2: RationalNumber | None = None
    DroopFactor_L3: RationalNumber | None = None
    PowerReference: PowerReference
    PowerReference_L2: PowerReferenceOfPhase | None = None
    PowerReference_L3: PowerReferenceOfPhase | None = None
    OpenLoopResponseTime: RationalNumber


class FrequencyDroop(DERPart, element=True):
    """How active power answers a frequency too high or too low."""

    Enable: bool
    Priority: UnsignedShort | None = None
    OverFrequencyDroop: FrequencyDroopSettings | None = None
    UnderFrequencyDroop: FrequencyDroopSettings | None = None


class VoltWatt(DERPart):
    """Active power as a function of voltage."""

    Enable: bool
    Priority: UnsignedShort | None = None
    xUnit: DERUnit
    yUnit: DERUnit
    CurveDataPoints: CurveDataPointsList
    CurveDataPoints_L2: CurveDataPointsList | None = None
    CurveDataPoints_L3: CurveDataPointsList | None = None
    OpenLoopResponseTime: RationalNumber
    TimeConstantPT1: UnsignedInt | None = None


class ConstantWatt(DERPart):
    """A fixed active power."""

    Enable: bool
    Priority: UnsignedShort | None = None
    WattSetpoint: RationalNumber
    WattSetpoint_L2: RationalNumber | None = None
    WattSetpoint_L3: RationalNumber | None = None
    Unit: DERUnit


class LimitMaxDischargePower(DERPart):
    """How much of its discharge power the vehicle may use."""

    Enable: bool
    Priority: UnsignedShort | None = None
    PercentageValue: UnsignedShort
    PercentageValue_L2: UnsignedShort | None = None
    PercentageValue_L3: UnsignedShort | None = None
    OpenLoopResponseTime: RationalNumber | None = None


class ActivePowerSupportCPDRes(DERPart):
    """All active power functions, as first set."""

    FrequencyDroop: FrequencyDroop
    VoltWatt: VoltWatt
    ConstantWatt: ConstantWatt
    LimitMaxDischargePower: LimitMaxDischargePower


class ActivePowerSupportCLRes(DERPart):
    """The active power functions that change."""

    FrequencyDroop: FrequencyDroop | None = None
    VoltWatt: VoltWatt | None = None
    ConstantWatt: ConstantWatt | None = None
    LimitMaxDischargePower: LimitMaxDischargePower | None = None


# Trip, return to service, and all functions together


class VoltageTrip(DERPart):
    """When the vehicle must, may, or pauses to, disconnect by voltage."""

    OverVoltageMustTripCurve: DERCurve
    UnderVoltageMustTripCurve: DERCurve
    OverVoltageMomentaryCessationTripCurve: DERCurve | None = None
    UnderVoltageMomentaryCessationTripCurve: DERCurve | None = None
    OverVoltageMayTripCurve: DERCurve | None = None
    UnderVoltageMayTripCurve: DERCurve | None = None


class FrequencyTrip(DERPart):
    """When the vehicle must or may disconnect by frequency."""

    OverFrequencyMustTripCurve: DERCurve
    UnderFrequencyMustTripCurve: DERCurve
    OverFrequencyMayTripCurve: DERCurve | None = None
    UnderFrequencyMayTripCurve: DERCurve | None = None


class EnterServiceCPDRes(DERPart):
    """Whether and when the vehicle may feed the grid, as first set."""

    PermitService: bool
    EnterServiceVoltageHigh: RationalNumber
    EnterServiceVoltageLow: RationalNumber
    EnterServiceFrequencyHigh: RationalNumber
    EnterServiceFrequencyLow: RationalNumber
    EnterServiceDelay: RationalNumber | None = None
    EnterServiceRandomizedDelay: RationalNumber | None = None
    EnterServiceRampTime: RationalNumber | None = None


class EnterServiceCLRes(DERPart):
    """Whether and when the vehicle may feed the grid, as it changes."""

    PermitService: bool
    EnterServiceVoltageHigh: RationalNumber | None = None
    EnterServiceVoltageLow: RationalNumber | None = None
    EnterServiceFrequencyHigh: RationalNumber | None = None
    EnterServiceFrequencyLow: RationalNumber | None = None
    EnterServiceDelay: RationalNumber | None = None
    EnterServiceRandomizedDelay: RationalNumber | None = None
    EnterServiceRampTime: RationalNumber | None = None


class DERControlCPDRes(DERPart):
    """Every function, as first set."""

    VoltageTrip: VoltageTrip
    FrequencyTrip: FrequencyTrip
    EnterServiceCPDRes: EnterServiceCPDRes
    ReactivePowerSupportCPDRes: ReactivePowerSupportCPDRes
    ActivePowerSupportCPDRes: ActivePowerSupportCPDRes


class DERControlCLRes(DERPart):
    """Every function that changes, and whether feeding the grid is still allowed."""

    VoltageTrip: VoltageTrip | None = None
    FrequencyTrip: FrequencyTrip | None = None
    EnterServiceCLRes: EnterServiceCLRes
    ReactivePowerSupportCLRes: ReactivePowerSupportCLRes | None = None
    ActivePowerSupportCLRes: ActivePowerSupportCLRes | None = None


# Ratings and limits


class EVApparentPowerLimits(DERPart):
    """Apparent power the vehicle is rated for, by direction of active and reactive power."""

    EVMaximumApparentPowerDuringChargingAndVarAbsorption: RationalNumber
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: RationalNumber
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: RationalNumber
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: RationalNumber
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: RationalNumber | None = None


class EVReactivePowerLimits(DERPart):
    """Reactive power the vehicle is rated for, by direction, and its susceptance at rest."""

    EVMaximumVarAbsorptionDuringCharging: RationalNumber
    EVMaximumVarAbsorptionDuringCharging_L2: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: RationalNumber | None = None
    EVMaximumVarInjectionDuringCharging: RationalNumber
    EVMaximumVarInjectionDuringCharging_L2: RationalNumber | None = None
    EVMaximumVarInjectionDuringCharging_L3: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging_L2: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging_L3: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringDischarging: RationalNumber
    EVMaximumVarAbsorptionDuringDischarging_L2: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: RationalNumber | None = None
    EVMaximumVarInjectionDuringDischarging: RationalNumber
    EVMaximumVarInjectionDuringDischarging_L2: RationalNumber | None = None
    EVMaximumVarInjectionDuringDischarging_L3: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging_L2: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging_L3: RationalNumber | None = None
    EVReactiveSusceptance: RationalNumber
    EVReactiveSusceptance_L2: RationalNumber | None = None
    EVReactiveSusceptance_L3: RationalNumber | None = None


class EVExcitationLimits(DERPart):
    """Power factors the vehicle is rated for, with the discharge power at each."""

    EVSpecifiedOverExcitedPowerFactor: RationalNumber
    EVSpecifiedOverExcitedPowerFactor_L2: RationalNumber | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: RationalNumber | None = None
    EVSpecifiedOverExcitedDischargePower: RationalNumber
    EVSpecifiedOverExcitedDischargePower_L2: RationalNumber | None = None
    EVSpecifiedOverExcitedDischargePower_L3: RationalNumber | None = None
    EVSpecifiedUnderExcitedPowerFactor: RationalNumber
    EVSpecifiedUnderExcitedPowerFactor_L2: RationalNumber | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: RationalNumber | None = None
    EVSpecifiedUnderExcitedDischargePower: RationalNumber
    EVSpecifiedUnderExcitedDischargePower_L2: RationalNumber | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: RationalNumber | None = None


class EVInverterDetails(DERPart):
    """Who made the inverter, and its versions."""

    EVInverterSwVersion: Text32
    EVInverterHwVersion: Text32 | None = None
    EVInverterManufacturer: Text32
    EVInverterModel: Text32
    EVInverterSerialNumber: Text32


class EVSEReactivePowerLimits(DERPart):
    """Reactive power the station allows, by direction."""

    EVSEMaximumVarAbsorptionDuringCharging: RationalNumber
    EVSEMaximumVarAbsorptionDuringCharging_L2: RationalNumber | None = None
    EVSEMaximumVarAbsorptionDuringCharging_L3: RationalNumber | None = None
    EVSEMaximumVarInjectionDuringCharging: RationalNumber
    EVSEMaximumVarInjectionDuringCharging_L2: RationalNumber | None = None
    EVSEMaximumVarInjectionDuringCharging_L3: RationalNumber | None = None
    EVSEMaximumVarAbsorptionDuringDischarging: RationalNumber
    EVSEMaximumVarAbsorptionDuringDischarging_L2: RationalNumber | None = None
    EVSEMaximumVarAbsorptionDuringDischarging_L3: RationalNumber | None = None
    EVSEMaximumVarInjectionDuringDischarging: RationalNumber
    EVSEMaximumVarInjectionDuringDischarging_L2: RationalNumber | None = None
    EVSEMaximumVarInjectionDuringDischarging_L3: RationalNumber | None = None


class GridLimits(DERPart):
    """What voltage and frequency the grid has, and between which bounds."""

    GridNominalFrequency: RationalNumber
    GridNominalVoltage: RationalNumber
    GridNominalVoltageOffset: RationalNumber
    GridMinFrequency: RationalNumber | None = None
    GridMaxFrequency: RationalNumber | None = None
    GridMaximumVoltage: RationalNumber
    GridMinimumVoltage: RationalNumber


class EVApparentPower(DERPart):
    """Apparent power the vehicle can do now."""

    EVMaximumApparentPowerDuringChargingAndVarAbsorption: RationalNumber
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: RationalNumber
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: RationalNumber
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: RationalNumber
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: RationalNumber | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: RationalNumber | None = None


class EVReactivePower(DERPart):
    """Reactive power the vehicle can do now."""

    EVMaximumVarAbsorptionDuringCharging: RationalNumber
    EVMaximumVarAbsorptionDuringCharging_L2: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: RationalNumber | None = None
    EVMaximumVarInjectionDuringCharging: RationalNumber
    EVMaximumVarInjectionDuringCharging_L2: RationalNumber | None = None
    EVMaximumVarInjectionDuringCharging_L3: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging_L2: RationalNumber | None = None
    EVMinimumVarInjectionDuringCharging_L3: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringDischarging: RationalNumber
    EVMaximumVarAbsorptionDuringDischarging_L2: RationalNumber | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: RationalNumber | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: RationalNumber | None = None
    EVMaximumVarInjectionDuringDischarging: RationalNumber
    EVMaximumVarInjectionDuringDischarging_L2: RationalNumber | None = None
    EVMaximumVarInjectionDuringDischarging_L3: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging_L2: RationalNumber | None = None
    EVMinimumVarInjectionDuringDischarging_L3: RationalNumber | None = None


class EVExcitation(DERPart):
    """Power factors the vehicle can do now."""

    EVSpecifiedOverExcitedPowerFactor: RationalNumber | None = None
    EVSpecifiedOverExcitedPowerFactor_L2: RationalNumber | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: RationalNumber | None = None
    EVSpecifiedOverExcitedDischargePower: RationalNumber
    EVSpecifiedOverExcitedDischargePower_L2: RationalNumber | None = None
    EVSpecifiedOverExcitedDischargePower_L3: RationalNumber | None = None
    EVSpecifiedUnderExcitedPowerFactor: RationalNumber | None = None
    EVSpecifiedUnderExcitedPowerFactor_L2: RationalNumber | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: RationalNumber | None = None
    EVSpecifiedUnderExcitedDischargePower: RationalNumber
    EVSpecifiedUnderExcitedDischargePower_L2: RationalNumber | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: RationalNumber | None = None


# Charge parameter discovery


class DER_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """The ratings of the vehicle, its certification, and the functions it has."""

    EVProcessing: Processing
    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumber | None = None
    EVApparentPowerLimits: EVApparentPowerLimits
    EVReactivePowerLimits: EVReactivePowerLimits
    EVExcitationLimits: EVExcitationLimits
    EVInverterDetails: EVInverterDetails
    IEEE1547NormalCategory: IEEE1547NormalCategory
    IEEE1547AbnormalCategory: IEEE1547AbnormalCategory
    EVNominalVoltage: RationalNumber
    EVMaximumVoltage: RationalNumber
    EVMinimumVoltage: RationalNumber
    EVNominalVoltageOffset: RationalNumber
    J3072Certified: bool
    J3072CertificationDate: UnsignedLong
    EVUseableWattHours: UnsignedInt
    EVUpdateTime: UnsignedLong
    SupportedModes: UnsignedInt
    EnabledModes: UnsignedInt


class DER_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """What the station and the grid can do, and the functions the vehicle must follow."""

    EVSEProcessing: Processing
    EVSEStatus: EVSEStatus | None = None
    DERControlCPDRes: DERControlCPDRes
    EVSENominalChargePower: RationalNumber | None = None
    EVSENominalChargePower_L2: RationalNumber | None = None
    EVSENominalChargePower_L3: RationalNumber | None = None
    EVSENominalDischargePower: RationalNumber | None = None
    EVSENominalDischargePower_L2: RationalNumber | None = None
    EVSENominalDischargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    EVSEReactivePowerLimits: EVSEReactivePowerLimits
    GridLimits: GridLimits
    RequiredDEROperatingMode: RequiredDEROperatingMode
    GridConnectionMode: GridConnectionMode
    EVSEUpdateTime: UnsignedLong


# Charge loop


class DER_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode, namespace=NAMESPACE):
    """The vehicle keeps a schedule: its state, limits and alarms."""

    EVPresentVoltage: RationalNumber
    EVPresentFrequency: RationalNumber
    EVMaximumDischargePower: RationalNumber | None = None
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    DEROperationalState: DEROperationalState
    DERConnectionStatus: DERConnectionStatus
    EVApparentPower: EVApparentPower | None = None
    EVReactivePower: EVReactivePower | None = None
    EVExcitation: EVExcitation | None = None
    EVUpdateTime: UnsignedLong
    EVMinimumChargingDuration: UnsignedInt | None = None
    EVDurationMaximumChargeRate: UnsignedInt | None = None
    EVDurationMaximumDischargeRate: UnsignedInt | None = None
    DERAlarmStatus: UnsignedInt
    EnabledModes: UnsignedInt


class DER_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode, namespace=NAMESPACE):
    """The vehicle keeps a schedule: limits, and functions that change."""

    DERControlCLRes: DERControlCLRes
    EVSEMaximumChargePower: RationalNumber | None = None
    EVSEMaximumChargePower_L2: RationalNumber | None = None
    EVSEMaximumChargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber | None = None
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    RequiredDEROperatingMode: RequiredDEROperatingMode | None = None
    GridConnectionMode: GridConnectionMode | None = None


class DER_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode, namespace=NAMESPACE):
    """The station steers: state, limits and alarms of the vehicle."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVPresentVoltage: RationalNumber
    EVPresentFrequency: RationalNumber
    EVSessionTotalDischargeEnergyAvailable: RationalNumber | None = None
    EVApparentPower: EVApparentPower | None = None
    EVReactivePower: EVReactivePower | None = None
    EVExcitation: EVExcitation | None = None
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None
    DEROperationalState: DEROperationalState
    DERConnectionStatus: DERConnectionStatus
    EVUpdateTime: UnsignedLong
    EVMinimumChargingDuration: UnsignedInt
    EVDurationMaximumChargeRate: UnsignedInt
    EVDurationMaximumDischargeRate: UnsignedInt
    DERAlarmStatus: UnsignedInt
    EnabledModes: UnsignedInt


class DER_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode, namespace=NAMESPACE):
    """The station steers: its setpoints and limits, and functions that change."""

    DERControlCLRes: DERControlCLRes
    EVSEMaximumChargePower: RationalNumber | None = None
    EVSEMaximumChargePower_L2: RationalNumber | None = None
    EVSEMaximumChargePower_L3: RationalNumber | None = None
    EVSEMaximumDischargePower: RationalNumber | None = None
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    RequiredDEROperatingMode: RequiredDEROperatingMode | None = None
    GridConnectionMode: GridConnectionMode | None = None
