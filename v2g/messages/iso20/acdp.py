"""The messages of ISO 15118-20:2022 for automated connection devices such as pantographs, under their wire names.

A connection device sits on the station or on the vehicle and brings the contacts together without a hand. These
messages move it; between Connect and Disconnect energy flows by the messages for DC. Order: the codes, the parts,
then the messages in the order of a session, each response before its request, at last the status that is exchanged
beside all of them.

No public stack runs these messages: what a field means is read off its name (unverified), and so are the units of
the positions, which are not known.
"""

from __future__ import annotations

from typing import ClassVar

from v2g.exi.types import Enumeration, Short
from v2g.messages.iso20.common_types import Part, PercentValue, Processing, RationalNumber, V2GRequest, V2GResponse

NAMESPACE = "urn:iso:std:iso:15118:-20:ACDP"

# Codes


class ElectricalChargingDeviceStatus(Enumeration):
    """State of the electrical connection, by the letters of a control pilot."""

    State_A = "State_A"
    State_B = "State_B"
    State_C = "State_C"
    State_D = "State_D"


class MechanicalChargingDeviceStatus(Enumeration):
    """Where the connection device is: folded away, on its way, or in contact."""

    Home = "Home"
    Moving = "Moving"
    EndPosition = "EndPosition"


class IsolationStatus(Enumeration):
    """What the insulation monitor says."""

    Invalid = "Invalid"
    Safe = "Safe"
    Warning = "Warning"
    Fault = "Fault"


class CpStatus(Enumeration):
    """State of the control pilot as the vehicle sees it."""

    StateA = "StateA"
    StateB = "StateB"
    StateC = "StateC"
    StateD = "StateD"
    StateE = "StateE"


class ErrorCode(Enumeration):
    """What is wrong on the vehicle's side."""

    OK_NoEVError = "OK_NoEVError"
    FAILED = "FAILED"
    FAILED_EmergencyEvent = "FAILED_EmergencyEvent"
    FAILED_Breaker = "FAILED_Breaker"
    FAILED_RESSTemperatureInhibit = "FAILED_RESSTemperatureInhibit"
    FAILED_RESS = "FAILED_RESS"
    FAILED_ChargingCurrentDifferential = "FAILED_ChargingCurrentDifferential"
    FAILED_ChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange"
    FAILED_Reserved1 = "FAILED_Reserved1"
    FAILED_Reserved2 = "FAILED_Reserved2"


# What messages have in common


class EVTechnicalStatus(Part, namespace=NAMESPACE):
    """State of the vehicle: its contacts, its brakes, its radio, its battery (percent), and its faults."""

    EVReadyToCharge: bool
    EVImmobilizationRequest: bool
    EVImmobilized: bool | None = None
    EVWLANStrength: RationalNumber | None = None
    EVCPStatus: CpStatus | None = None
    EVSOC: PercentValue | None = None
    EVErrorCode: ErrorCode | None = None
    EVTimeout: bool | None = None


class ChargingDeviceRes(V2GResponse, namespace=NAMESPACE):
    """Where the station's side of the connection stands, and whether it is there yet."""

    EVSEProcessing: Processing
    EVSEElectricalChargingDeviceStatus: ElectricalChargingDeviceStatus
    EVSEMechanicalChargingDeviceStatus: MechanicalChargingDeviceStatus


class ChargingDeviceReq(V2GRequest, namespace=NAMESPACE):
    """Where the vehicle's side of the connection stands."""

    EVElectricalChargingDeviceStatus: ElectricalChargingDeviceStatus


# The messages of a session


class ACDP_VehiclePositioningRes(V2GResponse, namespace=NAMESPACE, element=True):
    """How far the vehicle stands from where it should, the window that is good enough, and whether it is in it."""

    EVSEProcessing: Processing
    EVSEPositioningSupport: bool
    EVRelativeXDeviation: Short
    EVRelativeYDeviation: Short
    ContactWindowXc: Short
    ContactWindowYc: Short
    EVInChargePosition: bool


class ACDP_VehiclePositioningReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask where the vehicle stands; it tells whether it moves and whether it can be guided."""

    Response: ClassVar[type[ACDP_VehiclePositioningRes]] = ACDP_VehiclePositioningRes

    EVMobilityStatus: bool
    EVPositioningSupport: bool


class ACDP_ConnectRes(ChargingDeviceRes, namespace=NAMESPACE, element=True):
    """How far the device has come on its way to the contacts."""


class ACDP_ConnectReq(ChargingDeviceReq, namespace=NAMESPACE, element=True):
    """Ask to bring the contacts together; repeated until they are."""

    Response: ClassVar[type[ACDP_ConnectRes]] = ACDP_ConnectRes


class ACDP_DisconnectRes(ChargingDeviceRes, namespace=NAMESPACE, element=True):
    """How far the device has come on its way home."""


class ACDP_DisconnectReq(ChargingDeviceReq, namespace=NAMESPACE, element=True):
    """Ask to take the contacts apart; repeated until the device is home."""

    Response: ClassVar[type[ACDP_DisconnectRes]] = ACDP_DisconnectRes


# Beside the session


class ACDP_SystemStatusRes(V2GResponse, namespace=NAMESPACE, element=True):
    """State of the station: its device, its insulation, its faults, and whether it knows this vehicle to be its own."""

    EVSEMechanicalChargingDeviceStatus: MechanicalChargingDeviceStatus
    EVSEReadyToCharge: bool
    EVSEIsolationStatus: IsolationStatus
    EVSEDisabled: bool
    EVSEUtilityInterruptEvent: bool
    EVSEEmergencyShutdown: bool
    EVSEMalfunction: bool
    EVInChargePosition: bool
    EVAssociationStatus: bool


class ACDP_SystemStatusReq(V2GRequest, namespace=NAMESPACE, element=True):
    """State of the vehicle, told over and over while the session lasts."""

    Response: ClassVar[type[ACDP_SystemStatusRes]] = ACDP_SystemStatusRes

    EVTechnicalStatus: EVTechnicalStatus
