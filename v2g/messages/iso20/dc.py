"""The messages of ISO 15118-20:2022 for DC and megawatt charging, and their parts, under their wire names.

Order: the charge parameters, the control modes of the charge loop, then the messages in the order of a session, each
response before its request.

Powers are in W, currents in A, voltages in V. What flows into the vehicle is positive, what flows out of it negative;
limits of discharge are given as positive numbers (unverified).

Scheduled and Dynamic tell who decides. Scheduled: the vehicle sets current and voltage within a schedule that both
agreed on, and the station's limits are optional news. Dynamic: the vehicle gives its limits and the energy it needs,
and the station sets the current within the limits of both, so all of them are told at every turn of the loop. BPT
(bidirectional power transfer) is either of them with a way back, so these classes add limits for discharge; they are
used if and only if a BPT service was selected.
"""

from __future__ import annotations

from typing import ClassVar

from v2g.messages.iso20.common_types import (
    ChargeLoopReq,
    ChargeLoopRes,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    CLReqControlMode,
    CLResControlMode,
    Dynamic_CLReqControlMode,
    Dynamic_CLResControlMode,
    Part,
    PercentValue,
    Processing,
    RationalNumber,
    Scheduled_CLReqControlMode,
    Scheduled_CLResControlMode,
    V2GRequest,
    V2GResponse,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:DC"

# Charge parameters


class DC_CPDReqEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """What the vehicle can charge with, and up to which charge of its battery it wants to."""

    EVMaximumChargePower: RationalNumber
    EVMinimumChargePower: RationalNumber
    EVMaximumChargeCurrent: RationalNumber
    EVMinimumChargeCurrent: RationalNumber
    EVMaximumVoltage: RationalNumber
    EVMinimumVoltage: RationalNumber
    TargetSOC: PercentValue | None = None


class BPT_DC_CPDReqEnergyTransferMode(DC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """What the vehicle can charge with, and what it can feed back."""

    EVMaximumDischargePower: RationalNumber
    EVMinimumDischargePower: RationalNumber
    EVMaximumDischargeCurrent: RationalNumber
    EVMinimumDischargeCurrent: RationalNumber


class DC_CPDResEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """What the outlet can give, and how fast its power may change."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMinimumChargePower: RationalNumber
    EVSEMaximumChargeCurrent: RationalNumber
    EVSEMinimumChargeCurrent: RationalNumber
    EVSEMaximumVoltage: RationalNumber
    EVSEMinimumVoltage: RationalNumber
    EVSEPowerRampLimitation: RationalNumber | None = None


class BPT_DC_CPDResEnergyTransferMode(DC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """What the outlet can give, and what it can take back."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMinimumDischargePower: RationalNumber
    EVSEMaximumDischargeCurrent: RationalNumber
    EVSEMinimumDischargeCurrent: RationalNumber


# The charge loop, where the vehicle keeps to a schedule


class Scheduled_DC_CLReqControlMode(Scheduled_CLReqControlMode, namespace=NAMESPACE):
    """The current and voltage the vehicle wants now, and its limits where they changed."""

    EVTargetCurrent: RationalNumber
    EVTargetVoltage: RationalNumber
    EVMaximumChargePower: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber | None = None
    EVMaximumChargeCurrent: RationalNumber | None = None
    EVMaximumVoltage: RationalNumber | None = None
    EVMinimumVoltage: RationalNumber | None = None


class BPT_Scheduled_DC_CLReqControlMode(Scheduled_DC_CLReqControlMode, namespace=NAMESPACE):
    """The current (negative to feed back) and voltage the vehicle wants, and its limits both ways."""

    EVMaximumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMaximumDischargeCurrent: RationalNumber | None = None


class Scheduled_DC_CLResControlMode(Scheduled_CLResControlMode, namespace=NAMESPACE):
    """The limits of the outlet where they changed."""

    EVSEMaximumChargePower: RationalNumber | None = None
    EVSEMinimumChargePower: RationalNumber | None = None
    EVSEMaximumChargeCurrent: RationalNumber | None = None
    EVSEMaximumVoltage: RationalNumber | None = None


class BPT_Scheduled_DC_CLResControlMode(Scheduled_DC_CLResControlMode, namespace=NAMESPACE):
    """The limits of the outlet both ways, where they changed."""

    EVSEMaximumDischargePower: RationalNumber | None = None
    EVSEMinimumDischargePower: RationalNumber | None = None
    EVSEMaximumDischargeCurrent: RationalNumber | None = None
    EVSEMinimumVoltage: RationalNumber | None = None


# The charge loop, where the station decides


class Dynamic_DC_CLReqControlMode(Dynamic_CLReqControlMode, namespace=NAMESPACE):
    """The limits within which the station may set the current."""

    EVMaximumChargePower: RationalNumber
    EVMinimumChargePower: RationalNumber
    EVMaximumChargeCurrent: RationalNumber
    EVMaximumVoltage: RationalNumber
    EVMinimumVoltage: RationalNumber


class BPT_Dynamic_DC_CLReqControlMode(Dynamic_DC_CLReqControlMode, namespace=NAMESPACE):
    """The limits both ways, and the energies in Wh between which to cycle the battery, both or none [V2G20-2681]."""

    EVMaximumDischargePower: RationalNumber
    EVMinimumDischargePower: RationalNumber
    EVMaximumDischargeCurrent: RationalNumber
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class Dynamic_DC_CLResControlMode(Dynamic_CLResControlMode, namespace=NAMESPACE):
    """The limits of the outlet as they are now."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMinimumChargePower: RationalNumber
    EVSEMaximumChargeCurrent: RationalNumber
    EVSEMaximumVoltage: RationalNumber


class BPT_Dynamic_DC_CLResControlMode(Dynamic_DC_CLResControlMode, namespace=NAMESPACE):
    """The limits of the outlet both ways, as they are now."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMinimumDischargePower: RationalNumber
    EVSEMaximumDischargeCurrent: RationalNumber
    EVSEMinimumVoltage: RationalNumber


# The messages of a session


class DC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """What the DC outlet can give."""

    DC_CPDResEnergyTransferMode: DC_CPDResEnergyTransferMode


class DC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """What the vehicle can take of a DC outlet."""

    Response: ClassVar[type[DC_ChargeParameterDiscoveryRes]] = DC_ChargeParameterDiscoveryRes

    DC_CPDReqEnergyTransferMode: DC_CPDReqEnergyTransferMode


class DC_CableCheckRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether the check of the cable's insulation is over; a fault is told by the response code."""

    EVSEProcessing: Processing


class DC_CableCheckReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask to check the cable's insulation."""

    Response: ClassVar[type[DC_CableCheckRes]] = DC_CableCheckRes


class DC_PreChargeRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The voltage at the outlet."""

    EVSEPresentVoltage: RationalNumber


class DC_PreChargeReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask to bring the outlet to the battery's voltage; Finished tells that it is near enough [V2G20-2006]."""

    Response: ClassVar[type[DC_PreChargeRes]] = DC_PreChargeRes

    EVProcessing: Processing
    EVPresentVoltage: RationalNumber
    EVTargetVoltage: RationalNumber


class DC_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """What flows, which limits are reached, and the limits of the outlet."""

    EVSEPresentCurrent: RationalNumber
    EVSEPresentVoltage: RationalNumber
    EVSEPowerLimitAchieved: bool
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    CLResControlMode: CLResControlMode


class DC_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """The voltage at the vehicle, and what it wants now."""

    Response: ClassVar[type[DC_ChargeLoopRes]] = DC_ChargeLoopRes

    EVPresentVoltage: RationalNumber
    CLReqControlMode: CLReqControlMode


class DC_WeldingDetectionRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The voltage at the outlet."""

    EVSEPresentVoltage: RationalNumber


class DC_WeldingDetectionReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask for the voltage while the vehicle tests its contactors; Finished ends the test."""

    Response: ClassVar[type[DC_WeldingDetectionRes]] = DC_WeldingDetectionRes

    EVProcessing: Processing
