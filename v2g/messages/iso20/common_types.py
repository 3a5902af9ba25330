"""The types that all messages of ISO 15118-20 share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import (
    Byte,
    Enumeration,
    Occurs,
    Octets,
    Reference,
    Short,
    Text,
    UnsignedInt,
    UnsignedLong,
    UnsignedShort,
    Whole,
)
from v2g.messages.xmldsig import Signature, X509IssuerSerial

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonTypes"

# Simple types

SessionID = Annotated[bytes, Octets("hex", 8, 8)]
MeterID = Annotated[str, Text(most=32)]
MeterSignature = Annotated[bytes, Octets("base64", most=64)]
NumericID = Annotated[int, Whole(1, 2**32 - 1)]
PercentValue = Annotated[int, Whole(0, 100)]
Identifier = Annotated[str, Text(most=255)]
NameText = Annotated[str, Text(most=80)]
Description = Annotated[str, Text(most=160)]


class Part(Message, namespace=NAMESPACE):
    """Common ground of the data types."""

    qualified_attributes: ClassVar[bool] = True


class ResponseCode(Enumeration):
    """Response Code."""

    OK = "OK"
    OK_CertificateExpiresSoon = "OK_CertificateExpiresSoon"
    OK_NewSessionEstablished = "OK_NewSessionEstablished"
    OK_OldSessionJoined = "OK_OldSessionJoined"
    OK_PowerToleranceConfirmed = "OK_PowerToleranceConfirmed"
    WARNING_AuthorizationSelectionInvalid = "WARNING_AuthorizationSelectionInvalid"
    WARNING_CertificateExpired = "WARNING_CertificateExpired"
    WARNING_CertificateNotYetValid = "WARNING_CertificateNotYetValid"
    WARNING_CertificateRevoked = "WARNING_CertificateRevoked"
    WARNING_CertificateValidationError = "WARNING_CertificateValidationError"
    WARNING_ChallengeInvalid = "WARNING_ChallengeInvalid"
    WARNING_EIMAuthorizationFailure = "WARNING_EIMAuthorizationFailure"
    WARNING_eMSPUnknown = "WARNING_eMSPUnknown"
    WARNING_EVPowerProfileViolation = "WARNING_EVPowerProfileViolation"
    WARNING_GeneralPnCAuthorizationError = "WARNING_GeneralPnCAuthorizationError"
    WARNING_NoCertificateAvailable = "WARNING_NoCertificateAvailable"
    WARNING_NoContractMatchingPCIDFound = "WARNING_NoContractMatchingPCIDFound"
    WARNING_PowerToleranceNotConfirmed = "WARNING_PowerToleranceNotConfirmed"
    WARNING_ScheduleRenegotiationFailed = "WARNING_ScheduleRenegotiationFailed"
    WARNING_StandbyNotAllowed = "WARNING_StandbyNotAllowed"
    WARNING_WPT = "WARNING_WPT"
    FAILED = "FAILED"
    FAILED_AssociationError = "FAILED_AssociationError"
    FAILED_ContactorError = "FAILED_ContactorError"
    FAILED_EVPowerProfileInvalid = "FAILED_EVPowerProfileInvalid"
    FAILED_EVPowerProfileViolation = "FAILED_EVPowerProfileViolation"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_NoEnergyTransferServiceSelected = "FAILED_NoEnergyTransferServiceSelected"
    FAILED_NoServiceRenegotiationSupported = "FAILED_NoServiceRenegotiationSupported"
    FAILED_PauseNotAllowed = "FAILED_PauseNotAllowed"
    FAILED_PowerDeliveryNotApplied = "FAILED_PowerDeliveryNotApplied"
    FAILED_PowerToleranceNotConfirmed = "FAILED_PowerToleranceNotConfirmed"
    FAILED_ScheduleRenegotiation = "FAILED_ScheduleRenegotiation"
    FAILED_ScheduleSelectionInvalid = "FAILED_ScheduleSelectionInvalid"
    FAILED_SequenceError = "FAILED_SequenceError"
    FAILED_ServiceIDInvalid = "FAILED_ServiceIDInvalid"
    FAILED_ServiceSelectionInvalid = "FAILED_ServiceSelectionInvalid"
    FAILED_SignatureError = "FAILED_SignatureError"
    FAILED_UnknownSession = "FAILED_UnknownSession"
    FAILED_WrongChargeParameter = "FAILED_WrongChargeParameter"


class EVSENotification(Enumeration):
    """EVSENotification."""

    Pause = "Pause"
    ExitStandby = "ExitStandby"
    Terminate = "Terminate"
    ScheduleRenegotiation = "ScheduleRenegotiation"
    ServiceRenegotiation = "ServiceRenegotiation"
    MeteringConfirmation = "MeteringConfirmation"


class Processing(Enumeration):
    """Processing."""

    Finished = "Finished"
    Ongoing = "Ongoing"
    Ongoing_WaitingForCustomerInteraction = "Ongoing_WaitingForCustomerInteraction"


class CLReqControlMode(Part, group=True):
    """CLReq Control Mode."""


class CLResControlMode(Part, group=True):
    """CLRes Control Mode."""


class MessageHeader(Part):
    """Message Header."""

    SessionID: SessionID
    TimeStamp: UnsignedLong
    Signature: Reference[Signature | None] = None


class V2GMessage(Part):
    """V2 GMessage."""

    Header: MessageHeader


class V2GRequest(V2GMessage):
    """V2 GRequest."""


class V2GResponse(V2GMessage):
    """V2 GResponse."""

    ResponseCode: ResponseCode


class ChargeParameterDiscoveryRes(V2GResponse):
    """Charge Parameter Discovery Res."""


class ChargeParameterDiscoveryReq(V2GRequest):
    """Charge Parameter Discovery Req."""


class EVSEStatus(Part):
    """EVSEStatus."""

    NotificationMaxDelay: UnsignedShort
    EVSENotification: EVSENotification


class MeterInfo(Part):
    """Meter Info."""

    MeterID: MeterID
    ChargedEnergyReadingWh: UnsignedLong
    BPT_DischargedEnergyReadingWh: UnsignedLong | None = None
    CapacitiveEnergyReadingVARh: UnsignedLong | None = None
    BPT_InductiveEnergyReadingVARh: UnsignedLong | None = None
    MeterSignature: MeterSignature | None = None
    MeterStatus: Short | None = None
    MeterTimestamp: UnsignedLong | None = None


class RationalNumber(Part):
    """Rational Number."""

    Exponent: Byte
    Value: Short


class DetailedCost(Part):
    """Detailed Cost."""

    Amount: RationalNumber
    CostPerUnit: RationalNumber


class DetailedTax(Part):
    """Detailed Tax."""

    TaxRuleID: NumericID
    Amount: RationalNumber


class Receipt(Part):
    """Receipt."""

    TimeAnchor: UnsignedLong
    EnergyCosts: DetailedCost | None = None
    OccupancyCosts: DetailedCost | None = None
    AdditionalServicesCosts: DetailedCost | None = None
    OverstayCosts: DetailedCost | None = None
    TaxCosts: Annotated[list[DetailedTax], Occurs(0, 10)] = []


class ChargeLoopRes(V2GResponse):
    """Charge Loop Res."""

    EVSEStatus: EVSEStatus | None = None
    MeterInfo: MeterInfo | None = None
    Receipt: Receipt | None = None


class DisplayParameters(Part):
    """Display Parameters."""

    PresentSOC: PercentValue | None = None
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    MaximumSOC: PercentValue | None = None
    RemainingTimeToMinimumSOC: UnsignedInt | None = None
    RemainingTimeToTargetSOC: UnsignedInt | None = None
    RemainingTimeToMaximumSOC: UnsignedInt | None = None
    ChargingComplete: bool | None = None
    BatteryEnergyCapacity: RationalNumber | None = None
    InletHot: bool | None = None


class ChargeLoopReq(V2GRequest):
    """Charge Loop Req."""

    DisplayParameters: DisplayParameters | None = None
    MeterInfoRequested: bool


class Scheduled_CLReqControlMode(CLReqControlMode, element=False):
    """Scheduled CLReq Control Mode."""

    EVTargetEnergyRequest: RationalNumber | None = None
    EVMaximumEnergyRequest: RationalNumber | None = None
    EVMinimumEnergyRequest: RationalNumber | None = None


class Scheduled_CLResControlMode(CLResControlMode, element=False):
    """Scheduled CLRes Control Mode."""


class Dynamic_CLReqControlMode(CLReqControlMode, element=False):
    """Dynamic CLReq Control Mode."""

    DepartureTime: UnsignedInt | None = None
    EVTargetEnergyRequest: RationalNumber
    EVMaximumEnergyRequest: RationalNumber
    EVMinimumEnergyRequest: RationalNumber


class Dynamic_CLResControlMode(CLResControlMode, element=False):
    """Dynamic CLRes Control Mode."""

    DepartureTime: UnsignedInt | None = None
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    AckMaxDelay: UnsignedShort | None = None


class ListOfRootCertificateIDs(Part):
    """List Of Root Certificate IDs."""

    RootCertificateID: Annotated[list[X509IssuerSerial], Occurs(1, 20)]
