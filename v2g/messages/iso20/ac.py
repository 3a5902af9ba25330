"""The messages of ISO 15118-20:2022 for AC, and their parts, under their wire names.

Order: the charge parameters, the control modes of the charge loop, then the messages in the order of a session, each
response before its request.

Powers are in W, reactive ones in var. Power into the vehicle is positive, power out of it negative; limits of discharge
are given as positive numbers (unverified). A field with `_L2` and `_L3` beside it is that of line 1 when they are set,
else the sum of all lines.

Scheduled and Dynamic tell who decides. Scheduled: both agreed on power over time beforehand, and the vehicle draws as
it planned; what the station sets is optional. Dynamic: the vehicle gives its limits and the energy it needs, and the
station sets the power at every turn of the loop. BPT (bidirectional power transfer) is either of them with a way back,
so these classes add limits for discharge; they are used if and only if a BPT service was selected.
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
    RationalNumber,
    Scheduled_CLReqControlMode,
    Scheduled_CLResControlMode,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:AC"

# Charge parameters


class AC_CPDReqEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """The most and the least power the vehicle can charge with."""

    EVMaximumChargePower: RationalNumber
    EVMaximumChargePower_L2: RationalNumber | None = None
    EVMaximumChargePower_L3: RationalNumber | None = None
    EVMinimumChargePower: RationalNumber
    EVMinimumChargePower_L2: RationalNumber | None = None
    EVMinimumChargePower_L3: RationalNumber | None = None


class BPT_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferMode, namespace=NAMESPACE):
    """The powers the vehicle can charge with, and those it can feed back."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None


class AC_CPDResEnergyTransferMode(Part, namespace=NAMESPACE, group=True, abstract=False):
    """What the outlet can give: powers, frequency in Hz, how far lines may differ and how fast power may change."""

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


class BPT_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferMode, namespace=NAMESPACE):
    """What the outlet can give, and what it can take back."""

    EVSEMaximumDischargePower: RationalNumber
    EVSEMaximumDischargePower_L2: RationalNumber | None = None
    EVSEMaximumDischargePower_L3: RationalNumber | None = None
    EVSEMinimumDischargePower: RationalNumber
    EVSEMinimumDischargePower_L2: RationalNumber | None = None
    EVSEMinimumDischargePower_L3: RationalNumber | None = None


# The charge loop, where the vehicle keeps to a schedule


class Scheduled_AC_CLReqControlMode(Scheduled_CLReqControlMode, namespace=NAMESPACE):
    """The power the vehicle draws by its plan, and its limits where they changed."""

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


class BPT_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode, namespace=NAMESPACE):
    """The power the vehicle draws or feeds by its plan, and its limits both ways where they changed."""

    EVMaximumDischargePower: RationalNumber | None = None
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber | None = None
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None


class Scheduled_AC_CLResControlMode(Scheduled_CLResControlMode, namespace=NAMESPACE):
    """The power the station asks for and measures; the vehicle's plan holds where nothing is asked."""

    EVSETargetActivePower: RationalNumber | None = None
    EVSETargetActivePower_L2: RationalNumber | None = None
    EVSETargetActivePower_L3: RationalNumber | None = None
    EVSETargetReactivePower: RationalNumber | None = None
    EVSETargetReactivePower_L2: RationalNumber | None = None
    EVSETargetReactivePower_L3: RationalNumber | None = None
    EVSEPresentActivePower: RationalNumber | None = None
    EVSEPresentActivePower_L2: RationalNumber | None = None
    EVSEPresentActivePower_L3: RationalNumber | None = None


class BPT_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode, namespace=NAMESPACE):
    """The same powers, which may be negative here."""


# The charge loop, where the station decides


class Dynamic_AC_CLReqControlMode(Dynamic_CLReqControlMode, namespace=NAMESPACE):
    """The limits within which the station may set the power, and the power that flows."""

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


class BPT_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode, namespace=NAMESPACE):
    """The limits both ways, and the energies in Wh between which to cycle the battery, both or none [V2G20-2681]."""

    EVMaximumDischargePower: RationalNumber
    EVMaximumDischargePower_L2: RationalNumber | None = None
    EVMaximumDischargePower_L3: RationalNumber | None = None
    EVMinimumDischargePower: RationalNumber
    EVMinimumDischargePower_L2: RationalNumber | None = None
    EVMinimumDischargePower_L3: RationalNumber | None = None
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class Dynamic_AC_CLResControlMode(Dynamic_CLResControlMode, namespace=NAMESPACE):
    """The power the vehicle has to draw now, and the power measured."""

    EVSETargetActivePower: RationalNumber
    EVSETargetActivePower_L2: RationalNumber | None = None
    EVSETargetActivePower_L3: RationalNumber | None = None
    EVSETargetReactivePower: RationalNumber | None = None
    EVSETargetReactivePower_L2: RationalNumber | None = None
    EVSETargetReactivePower_L3: RationalNumber | None = None
    EVSEPresentActivePower: RationalNumber | None = None
    EVSEPresentActivePower_L2: RationalNumber | None = None
    EVSEPresentActivePower_L3: RationalNumber | None = None


class BPT_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode, namespace=NAMESPACE):
    """The power the vehicle has to draw or, where it is negative, to feed back."""


# The messages of a session


class AC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """What the AC outlet can give."""

    AC_CPDResEnergyTransferMode: AC_CPDResEnergyTransferMode


class AC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """What the vehicle can take of an AC outlet."""

    Response: ClassVar[type[AC_ChargeParameterDiscoveryRes]] = AC_ChargeParameterDiscoveryRes

    AC_CPDReqEnergyTransferMode: AC_CPDReqEnergyTransferMode


class AC_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """What the station sets and measures, and the frequency in Hz it aims at."""

    EVSETargetFrequency: RationalNumber | None = None
    CLResControlMode: CLResControlMode


class AC_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """What the vehicle draws and wants now."""

    Response: ClassVar[type[AC_ChargeLoopRes]] = AC_ChargeLoopRes

    CLReqControlMode: CLReqControlMode
