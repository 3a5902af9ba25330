"""The messages of ISO 15118-20 for DC, and their parts."""

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


class DC_CPDResEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """DC CPDRes Energy Transfer Mode."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMinimumChargePower: RationalNumber
    EVSEMaximumChargeCurrent: RationalNumber
    EVSEMinimumChargeCurrent: RationalNumber
    EVSEMaximumVoltage: RationalNumber
    EVSEMinimumVoltage: RationalNumber
    EVSEPowerRampLimitation: RationalNumber | None = None


class DC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """DC Charge Parameter Discovery Res."""

    DC_CPDResEnergyTransferMode: DC_CPDResEnergyTransferMode


class DC_CPDReqEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """DC CPDReq Energy Transfer Mode."""

    EVMaximumChargePower: RationalNumber
    EVMinimumChargePower: RationalNumber
    EVMaximumChargeCurrent: RationalNumber
    EVMinimumChargeCurrent: RationalNumber
    EVMaximumVoltage: RationalNumber
    EVMinimumVoltage: RationalNumber
    TargetSOC: PercentValue | None = None


class DC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """DC Charge Parameter Discovery Req."""

    Response: ClassVar[type[DC_ChargeParameterDiscoveryRes]] = DC_ChargeParameterDiscoveryRes

    DC_CPDReqEnergyTransferMode: DC_CPDReqEnergyTransferMode


class DC_CableCheckRes(V2GResponse, namespace=NAMESPACE, element=True):
    """DC Cable Check Res."""

    EVSEProcessing: Processing


class DC_CableCheckReq(V2GRequest, namespace=NAMESPACE, element=True):
    """DC Cable Check Req."""

    Response: ClassVar[type[DC_CableCheckRes]] = DC_CableCheckRes


class DC_PreChargeRes(V2GResponse, namespace=NAMESPACE, element=True):
    """DC Pre Charge Res."""

    EVSEPresentVoltage: RationalNumber


class DC_PreChargeReq(V2GRequest, namespace=NAMESPACE, element=True):
    """DC Pre Charge Req."""

    Response: ClassVar[type[DC_PreChargeRes]] = DC_PreChargeRes

    EVProcessing: Processing
    EVPresentVoltage: RationalNumber
    EVTargetVoltage: RationalNumber


class DC_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """DC Charge Loop Res."""

    EVSEPresentCurrent: RationalNumber
    EVSEPresentVoltage: RationalNumber
    EVSEPowerLimitAchieved: bool
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    CLResControlMode: CLResControlMode


class DC_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """DC Charge Loop Req."""

    Response: ClassVar[type[DC_ChargeLoopRes]] = DC_ChargeLoopRes

    EVPresentVoltage: RationalNumber
    CLReqControlMode: CLReqControlMode


class DC_WeldingDetectionRes(V2GResponse, namespace=NAMESPACE, element=True):
    """DC Welding Detection Res."""

    EVSEPresentVoltage: RationalNumber


class DC_WeldingDetectionReq(V2GRequest, namespace=NAMESPACE, element=True):
    """DC Welding Detection Req."""

    Response: ClassVar[type[DC_WeldingDetectionRes]] = DC_WeldingDetectionRes

    EVProcessing: Processing


class BPT_DC_CPDReqEnergyTransferMode(DC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """BPT DC CPDReq Energy Transfer Mode."""

    EVMaximumDischargePower: RationalNumber
    EVMinimumDischargePower: RationalNumber
    EVMaximumDischargeCurrent: RationalNumber
    EVMinimumDischargeCurrent: RationalNumber


class BPT_DC_CPDResEnergyTransferMode(DC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """BPT DC CPDRes Energy Transfer Mode."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMinimumDischargePower: RationalNumber
    EVSEMaximumDischargeCurrent: RationalNumber
    EVSEMinimumDischargeCurrent: RationalNumber


class Scheduled_DC_CLReqControlMode(Scheduled_CLReqControlMode, namespace=NAMESPACE):
    """Scheduled DC CLReq Control Mode."""

    EVTargetCurrent: RationalNumber
    EVTargetVoltage: RationalNumber
    EVMaximumChargePower: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber | None = None
    EVMaximumChargeCurrent: RationalNumber | None = None
    EVMaximumVoltage: RationalNumber | None = None
    EVMinimumVoltage: RationalNumber | None = None


class Scheduled_DC_CLResControlMode(Scheduled_CLResControlMode, namespace=NAMESPACE):
    """Scheduled DC CLRes Control Mode."""

    EVSEMaximumChargePower: RationalNumber | None = None
    EVSEMinimumChargePower: RationalNumber | None = None
    EVSEMaximumChargeCurrent: RationalNumber | None = None
    EVSEMaximumVoltage: RationalNumber | None = None


class BPT_Scheduled_DC_CLReqControlMode(Scheduled_DC_CLReqControlMode, namespace=NAMESPACE):
    """BPT Scheduled DC CLReq Control Mode."""

    EVMaximumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMaximumDischargeCurrent: RationalNumber | None = None


class BPT_Scheduled_DC_CLResControlMode(Scheduled_DC_CLResControlMode, namespace=NAMESPACE):
    """BPT Scheduled DC CLRes Control Mode."""

    EVSEMaximumDischargePower: RationalNumber | None = None
    EVSEMinimumDischargePower: RationalNumber | None = None
    EVSEMaximumDischargeCurrent: RationalNumber | None = None
    EVSEMinimumVoltage: RationalNumber | None = None


class Dynamic_DC_CLReqControlMode(Dynamic_CLReqControlMode, namespace=NAMESPACE):
    """Dynamic DC CLReq Control Mode."""

    EVMaximumChargePower: RationalNumber
    EVMinimumChargePower: RationalNumber
    EVMaximumChargeCurrent: RationalNumber
    EVMaximumVoltage: RationalNumber
    EVMinimumVoltage: RationalNumber


class Dynamic_DC_CLResControlMode(Dynamic_CLResControlMode, namespace=NAMESPACE):
    """Dynamic DC CLRes Control Mode."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMinimumChargePower: RationalNumber
    EVSEMaximumChargeCurrent: RationalNumber
    EVSEMaximumVoltage: RationalNumber


class BPT_Dynamic_DC_CLReqControlMode(Dynamic_DC_CLReqControlMode, namespace=NAMESPACE):
    """BPT Dynamic DC CLReq Control Mode."""

    EVMaximumDischargePower: RationalNumber
    EVMinimumDischargePower: RationalNumber
    EVMaximumDischargeCurrent: RationalNumber
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class BPT_Dynamic_DC_CLResControlMode(Dynamic_DC_CLResControlMode, namespace=NAMESPACE):
    """BPT Dynamic DC CLRes Control Mode."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMinimumDischargePower: RationalNumber
    EVSEMaximumDischargeCurrent: RationalNumber
    EVSEMinimumVoltage: RationalNumber
