"""The types that all schemas of ISO 15118-20:2022 share: header, codes, numbers, meter, and the frame of the loops.

Names are the wire names. Each schema set holds these classes and those of one other module; the fields here stay in
this namespace also where a class of another module extends one of these.
"""

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
    Text32,
    UnsignedInt,
    UnsignedLong,
    UnsignedShort,
    Whole,
)
from v2g.messages.xmldsig import Signature, X509IssuerSerial

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonTypes"

# Simple types

SessionID = Annotated[bytes, Octets("hex", 8, 8)]
NumericID = Annotated[int, Whole(1, 2**32 - 1)]
Identifier = Annotated[str, Text(most=255)]
NameText = Annotated[str, Text(most=80)]
Description = Annotated[str, Text(most=160)]
PercentValue = Annotated[int, Whole(0, 100)]
MeterID = Text32
MeterSignature = Annotated[bytes, Octets("base64", most=64)]


class Part(Message, namespace=NAMESPACE):
    """Common ground of the data types."""

    qualified_attributes: ClassVar[bool] = True


# Codes


class ResponseCode(Enumeration):
    """How a request was answered: well, with a warning, or not at all."""

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


class Processing(Enumeration):
    """Whether the answer is final or the vehicle has to ask again."""

    Finished = "Finished"
    Ongoing = "Ongoing"
    Ongoing_WaitingForCustomerInteraction = "Ongoing_WaitingForCustomerInteraction"


class EVSENotification(Enumeration):
    """What the station wishes of the vehicle."""

    Pause = "Pause"
    ExitStandby = "ExitStandby"
    Terminate = "Terminate"
    ScheduleRenegotiation = "ScheduleRenegotiation"
    ServiceRenegotiation = "ServiceRenegotiation"
    MeteringConfirmation = "MeteringConfirmation"


# Numbers


class RationalNumber(Part):
    """A number in the unit its field implies: Value times ten to the power of Exponent."""

    Exponent: Byte
    Value: Short


# The header, and what every message begins with


class MessageHeader(Part):
    """Which session a message belongs to, when it was sent (Unix seconds), and a signature over its parts."""

    SessionID: SessionID
    TimeStamp: UnsignedLong
    Signature: Reference[Signature | None] = None


class V2GMessage(Part):
    """Any message."""

    Header: MessageHeader


class V2GRequest(V2GMessage):
    """Any request of a vehicle."""


class V2GResponse(V2GMessage):
    """Any answer of a station."""

    ResponseCode: ResponseCode


# Status and display


class EVSEStatus(Part):
    """What the station wishes, and within how many seconds."""

    NotificationMaxDelay: UnsignedShort
    EVSENotification: EVSENotification


class DisplayParameters(Part):
    """What a station may show of the vehicle: charge in percent, times in seconds, capacity in Wh."""

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


# Metering and receipts


class MeterInfo(Part):
    """Meter readings in Wh and varh, the meter's signature, and when they were taken (Unix seconds)."""

    MeterID: MeterID
    ChargedEnergyReadingWh: UnsignedLong
    BPT_DischargedEnergyReadingWh: UnsignedLong | None = None
    CapacitiveEnergyReadingVARh: UnsignedLong | None = None
    BPT_InductiveEnergyReadingVARh: UnsignedLong | None = None
    MeterSignature: MeterSignature | None = None
    MeterStatus: Short | None = None
    MeterTimestamp: UnsignedLong | None = None


class DetailedCost(Part):
    """An amount of money, and the price of one unit."""

    Amount: RationalNumber
    CostPerUnit: RationalNumber


class DetailedTax(Part):
    """An amount of tax, by one of the rules of the price schedule."""

    TaxRuleID: NumericID
    Amount: RationalNumber


class Receipt(Part):
    """What the session has cost, as of TimeAnchor (Unix seconds)."""

    TimeAnchor: UnsignedLong
    EnergyCosts: DetailedCost | None = None
    OccupancyCosts: DetailedCost | None = None
    AdditionalServicesCosts: DetailedCost | None = None
    OverstayCosts: DetailedCost | None = None
    TaxCosts: Annotated[list[DetailedTax], Occurs(0, 10)] = []


# Certificates


class ListOfRootCertificateIDs(Part):
    """The roots the vehicle trusts."""

    RootCertificateID: Annotated[list[X509IssuerSerial], Occurs(1, 20)]


# Charge parameter discovery


class ChargeParameterDiscoveryRes(V2GResponse):
    """What the outlet can give; AC and DC add how."""


class ChargeParameterDiscoveryReq(V2GRequest):
    """What the vehicle needs and can take; AC and DC add how."""


# The charge loop


class CLReqControlMode(Part, group=True):
    """How power is controlled, and what the vehicle wants now."""


class Scheduled_CLReqControlMode(CLReqControlMode, element=False):
    """The vehicle keeps to a schedule; the energies in Wh it still wants."""

    EVTargetEnergyRequest: RationalNumber | None = None
    EVMaximumEnergyRequest: RationalNumber | None = None
    EVMinimumEnergyRequest: RationalNumber | None = None


class Dynamic_CLReqControlMode(CLReqControlMode, element=False):
    """The station decides; the energies in Wh the vehicle wants until DepartureTime (seconds)."""

    DepartureTime: UnsignedInt | None = None
    EVTargetEnergyRequest: RationalNumber
    EVMaximumEnergyRequest: RationalNumber
    EVMinimumEnergyRequest: RationalNumber


class CLResControlMode(Part, group=True):
    """How power is controlled, and what the station sets now."""


class Scheduled_CLResControlMode(CLResControlMode, element=False):
    """The vehicle keeps to a schedule."""


class Dynamic_CLResControlMode(CLResControlMode, element=False):
    """The station decides; its view of departure (seconds) and charge (percent)."""

    DepartureTime: UnsignedInt | None = None
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    AckMaxDelay: UnsignedShort | None = None


class ChargeLoopRes(V2GResponse):
    """How energy flows; AC, DC and the others add what is set."""

    EVSEStatus: EVSEStatus | None = None
    MeterInfo: MeterInfo | None = None
    Receipt: Receipt | None = None


class ChargeLoopReq(V2GRequest):
    """What the vehicle wants now; AC, DC and the others add how much."""

    DisplayParameters: DisplayParameters | None = None
    MeterInfoRequested: bool
