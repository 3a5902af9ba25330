"""The messages of ISO 15118-20 for AC, and their parts."""

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
    RationalNumber,
    Scheduled_CLReqControlMode,
    Scheduled_CLResControlMode,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:AC"


class AC_CPDResEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """AC CPDRes Energy Transfer Mode."""

    EVSEMaximumChargePower: RationalNumber
    EVSEMaximumChargePower_L2: RationalNumber | None = None
    EVSEMaximumChargePower_L3: RationalNumber | None = None
    EVSEMinimumChargePower: RationalNumber
    EVSEMinimumChargePower_L2: RationalNumber | None = None
    EVSEMinimumChargePower_L3: RationalNumber | None = None
    EVSENominalFrequency: RationalNumber
    MaximumPowerAsymmetry: RationalNumber | None = None
    EVSEPowerRampLimitation: RationalNumber | None = None
    EVSEPresentActivePower: RationalNumber | None = None
    EVSEPresentActivePower_L2: RationalNumber | None = None
    EVSEPresentActivePower_L3: RationalNumber | None = None


class AC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """AC Charge Parameter Discovery Res."""

    AC_CPDResEnergyTransferMode: AC_CPDResEnergyTransferMode


class AC_CPDReqEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """AC CPDReq Energy Transfer Mode."""

    EVMaximumChargePower: RationalNumber
    EVMaximumChargePower_L2: RationalNumber | None = None
    EVMaximumChargePower_L3: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber
    EVMinimumChargePower_L2: RationalNumber | None = None
    EVMinimumChargePower_L3: RationalNumber | None = None


class AC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """AC Charge Parameter Discovery Req."""

    Response: ClassVar[type[AC_ChargeParameterDiscoveryRes]] = AC_ChargeParameterDiscoveryRes

    AC_CPDReqEnergyTransferMode: AC_CPDReqEnergyTransferMode


class AC_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """AC Charge Loop Res."""

    EVSETargetFrequency: RationalNumber | None = None
    CLResControlMode: CLResControlMode


class AC_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """AC Charge Loop Req."""

    Response: ClassVar[type[AC_ChargeLoopRes]] = AC_ChargeLoopRes

    CLReqControlMode: CLReqControlMode


class BPT_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """BPT AC CPDReq Energy Transfer Mode."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None


class BPT_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """BPT AC CPDRes Energy Transfer Mode."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    EVSEMinimumDischargePower: RationalNumber
    EVSEMinimumDischargePower_L2: RationalNumber | None = None
    EVSEMinimumDischargePower_L3: RationalNumber | None = None


class Scheduled_AC_CLReqControlMode(Scheduled_CLReqControlMode, namespace=NAMESPACE):
    """Scheduled AC CLReq Control Mode."""

    EVMaximumChargePower: RationalNumber | None = None
    EVMaximumChargePower_L2: RationalNumber | None = None
    EVMaximumChargePower_L3: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber | None = None
    EVMinimumChargePower_L2: RationalNumber | None = None
    EVMinimumChargePower_L3: RationalNumber | None = None
    EVPresentActivePower: RationalNumber
    EVPresentActivePower_L2: RationalNumber | None = None
    EVPresentActivePower_L3: RationalNumber | None = None
    EVPresentReactivePower: RationalNumber | None = None
    EVPresentReactivePower_L2: RationalNumber | None = None
    EVPresentReactivePower_L3: RationalNumber | None = None


class Scheduled_AC_CLResControlMode(Scheduled_CLResControlMode, namespace=NAMESPACE):
    """Scheduled AC CLRes Control Mode."""

    EVSETargetActivePower: RationalNumber | None = None
    EVSETargetActivePower_L2: RationalNumber | None = None
    EVSETargetActivePower_L3: RationalNumber | None = None
    EVSETargetReactivePower: RationalNumber | None = None
    EVSETargetReactivePower_L2: RationalNumber | None = None
    EVSETargetReactivePower_L3: RationalNumber | None = None
    EVSEPresentActivePower: RationalNumber | None = None
    EVSEPresentActivePower_L2: RationalNumber | None = None
    EVSEPresentActivePower_L3: RationalNumber | None = None


class BPT_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode, namespace=NAMESPACE):
    """BPT Scheduled AC CLReq Control Mode."""

    EVMaximumDischargePower: RationalNumber | None = None
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None


class BPT_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode, namespace=NAMESPACE):
    """BPT Scheduled AC CLRes Control Mode."""


class Dynamic_AC_CLReqControlMode(Dynamic_CLReqControlMode, namespace=NAMESPACE):
    """Dynamic AC CLReq Control Mode."""

    EVMaximumChargePower: RationalNumber
    EVMaximumChargePower_L2: RationalNumber | None = None
    EVMaximumChargePower_L3: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber
    EVMinimumChargePower_L2: RationalNumber | None = None
    EVMinimumChargePower_L3: RationalNumber | None = None
    EVPresentActivePower: RationalNumber
    EVPresentActivePower_L2: RationalNumber | None = None
    EVPresentActivePower_L3: RationalNumber | None = None
    EVPresentReactivePower: RationalNumber
    EVPresentReactivePower_L2: RationalNumber | None = None
    EVPresentReactivePower_L3: RationalNumber | None = None


class Dynamic_AC_CLResControlMode(Dynamic_CLResControlMode, namespace=NAMESPACE):
    """Dynamic AC CLRes Control Mode."""

    EVSETargetActivePower: RationalNumber
    EVSETargetActivePower_L2: RationalNumber | None = None
    EVSETargetActivePower_L3: RationalNumber | None = None
    EVSETargetReactivePower: RationalNumber | None = None
    EVSETargetReactivePower_L2: RationalNumber | None = None
    EVSETargetReactivePower_L3: RationalNumber | None = None
    EVSEPresentActivePower: RationalNumber | None = None
    EVSEPresentActivePower_L2: RationalNumber | None = None
    EVSEPresentActivePower_L3: RationalNumber | None = None


class BPT_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode, namespace=NAMESPACE):
    """BPT Dynamic AC CLReq Control Mode."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class BPT_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode, namespace=NAMESPACE):
    """BPT Dynamic AC CLRes Control Mode."""
