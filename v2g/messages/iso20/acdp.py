"""The messages of ISO 15118-20 for automated connection devices (pantographs), and their parts."""

from __future__ import annotations

from typing import ClassVar

from v2g.exi.types import Enumeration, Short
from v2g.messages.iso20.common_types import Part, PercentValue, Processing, RationalNumber, V2GRequest, V2GResponse

NAMESPACE = "urn:iso:std:iso:15118:-20:ACDP"


class ElectricalChargingDeviceStatus(Enumeration):
    """Electrical Charging Device Status."""

    State_A = "State_A"
    State_B = "State_B"
    State_C = "State_C"
    State_D = "State_D"


class MechanicalChargingDeviceStatus(Enumeration):
    """Mechanical Charging Device Status."""

    Home = "Home"
    Moving = "Moving"
    EndPosition = "EndPosition"


class IsolationStatus(Enumeration):
    """Isolation Status."""

    Invalid = "Invalid"
    Safe = "Safe"
    Warning = "Warning"
    Fault = "Fault"


class CpStatus(Enumeration):
    """Cp Status."""

    StateA = "StateA"
    StateB = "StateB"
    StateC = "StateC"
    StateD = "StateD"
    StateE = "StateE"


class ErrorCode(Enumeration):
    """Error Code."""

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


class ACDP_VehiclePositioningRes(V2GResponse, namespace=NAMESPACE, element=True):
    """ACDP Vehicle Positioning Res."""

    EVSEProcessing: Processing
    EVSEPositioningSupport: bool
    EVRelativeXDeviation: Short
    EVRelativeYDeviation: Short
    ContactWindowXc: Short
    ContactWindowYc: Short
    EVInChargePosition: bool


class ACDP_VehiclePositioningReq(V2GRequest, namespace=NAMESPACE, element=True):
    """ACDP Vehicle Positioning Req."""

    Response: ClassVar[type[ACDP_VehiclePositioningRes]] = ACDP_VehiclePositioningRes

    EVMobilityStatus: bool
    EVPositioningSupport: bool


class ChargingDeviceRes(V2GResponse, namespace=NAMESPACE):
    """Charging Device Res."""

    EVSEProcessing: Processing
    EVSEElectricalChargingDeviceStatus: ElectricalChargingDeviceStatus
    EVSEMechanicalChargingDeviceStatus: MechanicalChargingDeviceStatus


class ACDP_ConnectRes(ChargingDeviceRes, namespace=NAMESPACE, element=True):
    """ACDP Connect Res."""


class ACDP_DisconnectRes(ChargingDeviceRes, namespace=NAMESPACE, element=True):
    """ACDP Disconnect Res."""


class ChargingDeviceReq(V2GRequest, namespace=NAMESPACE):
    """Charging Device Req."""

    EVElectricalChargingDeviceStatus: ElectricalChargingDeviceStatus


class ACDP_ConnectReq(ChargingDeviceReq, namespace=NAMESPACE, element=True):
    """ACDP Connect Req."""

    Response: ClassVar[type[ACDP_ConnectRes]] = ACDP_ConnectRes


class ACDP_DisconnectReq(ChargingDeviceReq, namespace=NAMESPACE, element=True):
    """ACDP Disconnect Req."""

    Response: ClassVar[type[ACDP_DisconnectRes]] = ACDP_DisconnectRes


class ACDP_SystemStatusRes(V2GResponse, namespace=NAMESPACE, element=True):
    """ACDP System Status Res."""

    EVSEMechanicalChargingDeviceStatus: MechanicalChargingDeviceStatus
    EVSEReadyToCharge: bool
    EVSEIsolationStatus: IsolationStatus
    EVSEDisabled: bool
    EVSEUtilityInterruptEvent: bool
    EVSEEmergencyShutdown: bool
    EVSEMalfunction: bool
    EVInChargePosition: bool
    EVAssociationStatus: bool


class EVTechnicalStatus(Part, namespace=NAMESPACE):
    """EVTechnical Status."""

    EVReadyToCharge: bool
    EVImmobilizationRequest: bool
    EVImmobilized: bool | None = None
    EVWLANStrength: RationalNumber | None = None
    EVCPStatus: CpStatus | None = None
    EVSOC: PercentValue | None = None
    EVErrorCode: ErrorCode | None = None
    EVTimeout: bool | None = None


class ACDP_SystemStatusReq(V2GRequest, namespace=NAMESPACE, element=True):
    """ACDP System Status Req."""

    Response: ClassVar[type[ACDP_SystemStatusRes]] = ACDP_SystemStatusRes

    EVTechnicalStatus: EVTechnicalStatus
