"""The messages of ISO 15118-2:2014 and all their parts, under their wire names.

Order: the simple types, the codes, the parts by subject, the header, then the 34 body messages as the standard
groups them (common, AC, DC), each response before its request, at last the envelope.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import (
    Alternative,
    Attribute,
    Byte,
    Content,
    Enumeration,
    Int,
    Long,
    Occurs,
    Octets,
    Reference,
    Short,
    Text,
    Text32,
    Text64,
    UnsignedByte,
    UnsignedInt,
    UnsignedLong,
    UnsignedShort,
    Whole,
)
from v2g.messages.xmldsig import Signature, X509IssuerSerial

DEFINITION = "urn:iso:15118:2:2013:MsgDef"
HEADER = "urn:iso:15118:2:2013:MsgHeader"
BODY = "urn:iso:15118:2:2013:MsgBody"
DATA_TYPES = "urn:iso:15118:2:2013:MsgDataTypes"

# Simple types

SessionID = Annotated[bytes, Octets("hex", most=8)]
EVCCID = Annotated[bytes, Octets("hex", most=6)]
EVSEID = Annotated[str, Text(7, 37)]
EMAIDText = Annotated[str, Text(14, 15)]
ServiceID = UnsignedShort
ServiceName = Text32
ServiceScope = Text64
FaultMsg = Text64
MeterID = Text32
MeterStatus = Short
TariffDescription = Text32
SAID = Annotated[int, Whole(1, 255)]
PercentValue = Annotated[int, Whole(0, 100)]
UnitMultiplier = Annotated[int, Whole(-3, 3)]
MaxNumPhases = Annotated[int, Whole(1, 3)]
IntervalStart = Annotated[int, Whole(0, 16_777_214)]
IntervalDuration = Annotated[int, Whole(0, 86_400)]
GenChallenge = Annotated[bytes, Octets("base64", 16, 16)]
Certificate = Annotated[bytes, Octets("base64", most=800)]
DHpublickey = Annotated[bytes, Octets("base64", most=65)]
PrivateKey = Annotated[bytes, Octets("base64", most=48)]
SigMeterReading = Annotated[bytes, Octets("base64", most=64)]


class Part(Message, namespace=DATA_TYPES):
    """Common ground of the data types."""

    qualified_attributes: ClassVar[bool] = True


# Codes


class ResponseCode(Enumeration):
    """How a request was answered."""

    OK = "OK"
    OK_NewSessionEstablished = "OK_NewSessionEstablished"
    OK_OldSessionJoined = "OK_OldSessionJoined"
    OK_CertificateExpiresSoon = "OK_CertificateExpiresSoon"
    FAILED = "FAILED"
    FAILED_SequenceError = "FAILED_SequenceError"
    FAILED_ServiceIDInvalid = "FAILED_ServiceIDInvalid"
    FAILED_UnknownSession = "FAILED_UnknownSession"
    FAILED_ServiceSelectionInvalid = "FAILED_ServiceSelectionInvalid"
    FAILED_PaymentSelectionInvalid = "FAILED_PaymentSelectionInvalid"
    FAILED_CertificateExpired = "FAILED_CertificateExpired"
    FAILED_SignatureError = "FAILED_SignatureError"
    FAILED_NoCertificateAvailable = "FAILED_NoCertificateAvailable"
    FAILED_CertChainError = "FAILED_CertChainError"
    FAILED_ChallengeInvalid = "FAILED_ChallengeInvalid"
    FAILED_ContractCanceled = "FAILED_ContractCanceled"
    FAILED_WrongChargeParameter = "FAILED_WrongChargeParameter"
    FAILED_PowerDeliveryNotApplied = "FAILED_PowerDeliveryNotApplied"
    FAILED_TariffSelectionInvalid = "FAILED_TariffSelectionInvalid"
    FAILED_ChargingProfileInvalid = "FAILED_ChargingProfileInvalid"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_NoChargeServiceSelected = "FAILED_NoChargeServiceSelected"
    FAILED_WrongEnergyTransferMode = "FAILED_WrongEnergyTransferMode"
    FAILED_ContactorError = "FAILED_ContactorError"
    FAILED_CertificateNotAllowedAtThisEVSE = "FAILED_CertificateNotAllowedAtThisEVSE"
    FAILED_CertificateRevoked = "FAILED_CertificateRevoked"


class FaultCode(Enumeration):
    """Why a peer could make nothing of a message."""

    ParsingError = "ParsingError"
    NoTLSRootCertificatAvailable = "NoTLSRootCertificatAvailable"
    UnknownError = "UnknownError"


class EVSEProcessing(Enumeration):
    """Whether the answer is final or the vehicle has to ask again."""

    Finished = "Finished"
    Ongoing = "Ongoing"
    Ongoing_WaitingForCustomerInteraction = "Ongoing_WaitingForCustomerInteraction"


class EVSENotification(Enumeration):
    """What the station wishes of the vehicle."""

    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class ChargeProgress(Enumeration):
    """What the vehicle wants of the power."""

    Start = "Start"
    Stop = "Stop"
    Renegotiate = "Renegotiate"


class ChargingSession(Enumeration):
    """Whether the session ends for good or may be joined again."""

    Terminate = "Terminate"
    Pause = "Pause"


class ServiceCategory(Enumeration):
    """What kind of service is meant."""

    EVCharging = "EVCharging"
    Internet = "Internet"
    ContractCertificate = "ContractCertificate"
    OtherCustom = "OtherCustom"


class EnergyTransferMode(Enumeration):
    """AC by phases, or DC by connector."""

    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"


class PaymentOption(Enumeration):
    """Who is asked for authorization: the contract in the vehicle, or somebody outside."""

    Contract = "Contract"
    ExternalPayment = "ExternalPayment"


class CostKind(Enumeration):
    """What an amount in a tariff counts."""

    relativePricePercentage = "relativePricePercentage"
    RenewableGenerationPercentage = "RenewableGenerationPercentage"
    CarbonDioxideEmission = "CarbonDioxideEmission"


class UnitSymbol(Enumeration):
    """Units: hour, minute, second, ampere, volt, watt, watt-hour."""

    h = "h"
    m = "m"
    s = "s"
    A = "A"
    V = "V"
    W = "W"
    Wh = "Wh"


class IsolationLevel(Enumeration):
    """What the insulation monitor says."""

    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"
    No_IMD = "No_IMD"


class DC_EVSEStatusCode(Enumeration):
    """State of the DC supply."""

    EVSE_NotReady = "EVSE_NotReady"
    EVSE_Ready = "EVSE_Ready"
    EVSE_Shutdown = "EVSE_Shutdown"
    EVSE_UtilityInterruptEvent = "EVSE_UtilityInterruptEvent"
    EVSE_IsolationMonitoringActive = "EVSE_IsolationMonitoringActive"
    EVSE_EmergencyShutdown = "EVSE_EmergencyShutdown"
    EVSE_Malfunction = "EVSE_Malfunction"
    Reserved_8 = "Reserved_8"
    Reserved_9 = "Reserved_9"
    Reserved_A = "Reserved_A"
    Reserved_B = "Reserved_B"
    Reserved_C = "Reserved_C"


class DC_EVErrorCode(Enumeration):
    """What is wrong on the vehicle's side."""

    NO_ERROR = "NO_ERROR"
    FAILED_RESSTemperatureInhibit = "FAILED_RESSTemperatureInhibit"
    FAILED_EVShiftPosition = "FAILED_EVShiftPosition"
    FAILED_ChargerConnectorLockFault = "FAILED_ChargerConnectorLockFault"
    FAILED_EVRESSMalfunction = "FAILED_EVRESSMalfunction"
    FAILED_ChargingCurrentdifferential = "FAILED_ChargingCurrentdifferential"
    FAILED_ChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange"
    Reserved_A = "Reserved_A"
    Reserved_B = "Reserved_B"
    Reserved_C = "Reserved_C"
    FAILED_ChargingSystemIncompatibility = "FAILED_ChargingSystemIncompatibility"
    NoData = "NoData"


# Numbers with a unit


class PhysicalValue(Part):
    """A number with its unit: Value times ten to the power of Multiplier."""

    Multiplier: UnitMultiplier
    Unit: UnitSymbol
    Value: Short


# Services


class Service(Part):
    """A service the station offers."""

    ServiceID: ServiceID
    ServiceName: ServiceName | None = None
    ServiceCategory: ServiceCategory
    ServiceScope: ServiceScope | None = None
    FreeService: bool


class SupportedEnergyTransferMode(Part):
    """The ways to transfer energy at this outlet."""

    EnergyTransferMode: Annotated[list[EnergyTransferMode], Occurs(1, 6)]


class ChargeService(Service):
    """Charging, as a service."""

    SupportedEnergyTransferMode: SupportedEnergyTransferMode


class ServiceList(Part):
    """The services besides charging."""

    Service: Annotated[list[Service], Occurs(1, 8)]


class SelectedService(Part):
    """A service the vehicle takes, with the parameter set it wants."""

    ServiceID: ServiceID
    ParameterSetID: Short | None = None


class SelectedServiceList(Part):
    """All services the vehicle takes, charging included."""

    SelectedService: Annotated[list[SelectedService], Occurs(1, 16)]


class Parameter(Part):
    """One named value of a service; exactly one of the value fields is set."""

    Name: Attribute[str]
    boolValue: Alternative[bool] = None
    byteValue: Alternative[Byte] = None
    shortValue: Alternative[Short] = None
    intValue: Alternative[Int] = None
    physicalValue: Alternative[PhysicalValue] = None
    stringValue: Alternative[str] = None


class ParameterSet(Part):
    """One way a service can be had."""

    ParameterSetID: Short
    Parameter: Annotated[list[Parameter], Occurs(1, 16)]


class ServiceParameterList(Part):
    """All ways a service can be had."""

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, 255)]


class PaymentOptionList(Part):
    """How the driver may be authorised."""

    PaymentOption: Annotated[list[PaymentOption], Occurs(1, 2)]


# Certificates and keys


class ContractSignatureEncryptedPrivateKey(Part):
    """The contract's private key, encrypted for one vehicle: 16 bytes of initialisation vector, 32 of key."""

    Id: Attribute[str]
    value: Content[PrivateKey]


class DiffieHellmanPublickey(Part):
    """The sender's ephemeral public key, an uncompressed P-256 point."""

    Id: Attribute[str]
    value: Content[DHpublickey]


class EMAID(Part):
    """The contract's identifier, as a part that can be signed."""

    Id: Attribute[str]
    value: Content[EMAIDText]


class SubCertificates(Part):
    """DER certificates between leaf and root, the leaf's issuer first."""

    Certificate: Annotated[list[Certificate], Occurs(1, 4)]


class CertificateChain(Part):
    """A DER leaf certificate with its issuers, without the root."""

    Id: Attribute[str | None] = None
    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class ListOfRootCertificateIDs(Part):
    """The roots the vehicle trusts."""

    RootCertificateID: Annotated[list[X509IssuerSerial], Occurs(1, 20)]


# Metering


class MeterInfo(Part):
    """A meter reading in Wh, its signature, and when it was taken (TMeter, Unix seconds)."""

    MeterID: MeterID
    MeterReading: UnsignedLong | None = None
    SigMeterReading: SigMeterReading | None = None
    MeterStatus: MeterStatus | None = None
    TMeter: Long | None = None


# Schedules and tariffs


class TimeInterval(Part, group=True):
    """A stretch of time."""


class RelativeTimeInterval(TimeInterval):
    """Seconds from now (`start`) and, for the last entry, how long."""

    start: IntervalStart
    duration: IntervalDuration | None = None


class Entry(Part, group=True):
    """What holds during a stretch of time."""

    TimeInterval: TimeInterval


class PMaxScheduleEntry(Entry):
    """The most power from here on."""

    PMax: PhysicalValue


class PMaxSchedule(Part):
    """The most power over time."""

    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1, 1024)]


class Cost(Part):
    """An amount of a kind, scaled by ten to the power of amountMultiplier."""

    costKind: CostKind
    amount: UnsignedInt
    amountMultiplier: UnitMultiplier | None = None


class ConsumptionCost(Part):
    """The costs that apply above a power."""

    startValue: PhysicalValue
    Cost: Annotated[list[Cost], Occurs(1, 3)]


class SalesTariffEntry(Entry):
    """The price level, and optionally costs, from here on."""

    EPriceLevel: UnsignedByte | None = None
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0, 3)] = []


class SalesTariff(Part):
    """A tariff over time, signed by the mobility operator where Id is set."""

    Id: Attribute[str | None] = None
    SalesTariffID: SAID
    SalesTariffDescription: TariffDescription | None = None
    NumEPriceLevels: UnsignedByte | None = None
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1, 1024)]


class SAScheduleTuple(Part):
    """One schedule the vehicle may choose, with its tariff."""

    SAScheduleTupleID: SAID
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SASchedules(Part, group=True):
    """What the station offers over time."""


class SAScheduleList(SASchedules):
    """The schedules the vehicle may choose from."""

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1, 3)]


class ProfileEntry(Part):
    """The most power the vehicle will draw from here on."""

    ChargingProfileEntryStart: UnsignedInt
    ChargingProfileEntryMaxPower: PhysicalValue
    ChargingProfileEntryMaxNumberOfPhasesInUse: MaxNumPhases | None = None


class ChargingProfile(Part):
    """How the vehicle will draw power over time."""

    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1, 24)]


# Status and charge parameters


class EVSEStatus(Part, group=True):
    """What the station wishes, and within how many seconds."""

    NotificationMaxDelay: UnsignedShort
    EVSENotification: EVSENotification


class AC_EVSEStatus(EVSEStatus):
    """State of an AC outlet; RCD tells whether the residual current device has tripped."""

    RCD: bool


class DC_EVSEStatus(EVSEStatus):
    """State of a DC outlet."""

    EVSEIsolationStatus: IsolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode


class EVStatus(Part, group=True):
    """State of the vehicle."""


class DC_EVStatus(EVStatus):
    """State of the vehicle at a DC outlet; EVRESSSOC is the battery's charge in percent."""

    EVReady: bool
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: PercentValue


class EVChargeParameter(Part, group=True):
    """What the vehicle needs and can take; DepartureTime in seconds from now."""

    DepartureTime: UnsignedInt | None = None


class AC_EVChargeParameter(EVChargeParameter):
    """What the vehicle needs of an AC outlet."""

    EAmount: PhysicalValue
    EVMaxVoltage: PhysicalValue
    EVMaxCurrent: PhysicalValue
    EVMinCurrent: PhysicalValue


class DC_EVChargeParameter(EVChargeParameter):
    """What the vehicle needs of a DC outlet."""

    DC_EVStatus: DC_EVStatus
    EVMaximumCurrentLimit: PhysicalValue
    EVMaximumPowerLimit: PhysicalValue | None = None
    EVMaximumVoltageLimit: PhysicalValue
    EVEnergyCapacity: PhysicalValue | None = None
    EVEnergyRequest: PhysicalValue | None = None
    FullSOC: PercentValue | None = None
    BulkSOC: PercentValue | None = None


class EVSEChargeParameter(Part, group=True):
    """What the outlet can give."""


class AC_EVSEChargeParameter(EVSEChargeParameter):
    """What an AC outlet can give."""

    AC_EVSEStatus: AC_EVSEStatus
    EVSENominalVoltage: PhysicalValue
    EVSEMaxCurrent: PhysicalValue


class DC_EVSEChargeParameter(EVSEChargeParameter):
    """What a DC outlet can give."""

    DC_EVSEStatus: DC_EVSEStatus
    EVSEMaximumCurrentLimit: PhysicalValue
    EVSEMaximumPowerLimit: PhysicalValue
    EVSEMaximumVoltageLimit: PhysicalValue
    EVSEMinimumCurrentLimit: PhysicalValue
    EVSEMinimumVoltageLimit: PhysicalValue
    EVSECurrentRegulationTolerance: PhysicalValue | None = None
    EVSEPeakCurrentRipple: PhysicalValue
    EVSEEnergyToBeDelivered: PhysicalValue | None = None


class EVPowerDeliveryParameter(Part, group=True):
    """What the vehicle says when power starts or stops."""


class DC_EVPowerDeliveryParameter(EVPowerDeliveryParameter):
    """What the vehicle says when DC power starts or stops."""

    DC_EVStatus: DC_EVStatus
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool


# The header


class Notification(Part):
    """A fault, told beside the message."""

    FaultCode: FaultCode
    FaultMsg: FaultMsg | None = None


class MessageHeader(Message, namespace=HEADER):
    """Which session a message belongs to, and the signature over its signed parts."""

    SessionID: SessionID
    Notification: Notification | None = None
    Signature: Reference[Signature | None] = None


# The body: messages common to AC and DC


class BodyElement(Message, namespace=BODY, group=True):
    """Any of the 34 messages."""

    qualified_attributes: ClassVar[bool] = True


class SessionSetupRes(BodyElement):
    """The session is open; its id stands in the header."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    EVSETimeStamp: Long | None = None


class SessionSetupReq(BodyElement):
    """Open a session, or join the paused one the header names."""

    Response: ClassVar[type[SessionSetupRes]] = SessionSetupRes

    EVCCID: EVCCID


class ServiceDiscoveryRes(BodyElement):
    """What the station offers, and how to be authorised for it."""

    ResponseCode: ResponseCode
    PaymentOptionList: PaymentOptionList
    ChargeService: ChargeService
    ServiceList: ServiceList | None = None


class ServiceDiscoveryReq(BodyElement):
    """Ask for the services, optionally of one scope or category."""

    Response: ClassVar[type[ServiceDiscoveryRes]] = ServiceDiscoveryRes

    ServiceScope: ServiceScope | None = None
    ServiceCategory: ServiceCategory | None = None


class ServiceDetailRes(BodyElement):
    """The parameter sets of one service."""

    ResponseCode: ResponseCode
    ServiceID: ServiceID
    ServiceParameterList: ServiceParameterList | None = None


class ServiceDetailReq(BodyElement):
    """Ask for the parameter sets of one service."""

    Response: ClassVar[type[ServiceDetailRes]] = ServiceDetailRes

    ServiceID: ServiceID


class PaymentServiceSelectionRes(BodyElement):
    """Whether the selection is accepted."""

    ResponseCode: ResponseCode


class PaymentServiceSelectionReq(BodyElement):
    """Select services and the way of payment."""

    Response: ClassVar[type[PaymentServiceSelectionRes]] = PaymentServiceSelectionRes

    SelectedPaymentOption: PaymentOption
    SelectedServiceList: SelectedServiceList


class PaymentDetailsRes(BodyElement):
    """A challenge for the vehicle to sign, and the station's time in Unix seconds."""

    ResponseCode: ResponseCode
    GenChallenge: GenChallenge
    EVSETimeStamp: Long


class PaymentDetailsReq(BodyElement):
    """Present the contract."""

    Response: ClassVar[type[PaymentDetailsRes]] = PaymentDetailsRes

    eMAID: EMAIDText
    ContractSignatureCertChain: CertificateChain


class AuthorizationRes(BodyElement):
    """Whether charging is authorised yet."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing


class AuthorizationReq(BodyElement):
    """Ask for authorization; with a contract the challenge comes back signed."""

    Response: ClassVar[type[AuthorizationRes]] = AuthorizationRes

    Id: Attribute[str | None] = None
    GenChallenge: GenChallenge | None = None


class ChargeParameterDiscoveryRes(BodyElement):
    """What the outlet can give, at once and over time."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing
    SASchedules: SASchedules | None = None
    EVSEChargeParameter: EVSEChargeParameter


class ChargeParameterDiscoveryReq(BodyElement):
    """What the vehicle needs and can take."""

    Response: ClassVar[type[ChargeParameterDiscoveryRes]] = ChargeParameterDiscoveryRes

    MaxEntriesSAScheduleTuple: UnsignedShort | None = None
    RequestedEnergyTransferMode: EnergyTransferMode
    EVChargeParameter: EVChargeParameter


class PowerDeliveryRes(BodyElement):
    """Whether power is on or off as asked."""

    ResponseCode: ResponseCode
    EVSEStatus: EVSEStatus


class PowerDeliveryReq(BodyElement):
    """Start, stop or renegotiate power, with the schedule chosen and the profile planned."""

    Response: ClassVar[type[PowerDeliveryRes]] = PowerDeliveryRes

    ChargeProgress: ChargeProgress
    SAScheduleTupleID: SAID
    ChargingProfile: ChargingProfile | None = None
    EVPowerDeliveryParameter: EVPowerDeliveryParameter | None = None


class MeteringReceiptRes(BodyElement):
    """Whether the receipt is accepted."""

    ResponseCode: ResponseCode
    EVSEStatus: EVSEStatus


class MeteringReceiptReq(BodyElement):
    """Confirm a meter reading, signed."""

    Response: ClassVar[type[MeteringReceiptRes]] = MeteringReceiptRes

    Id: Attribute[str | None] = None
    SessionID: SessionID
    SAScheduleTupleID: SAID | None = None
    MeterInfo: MeterInfo


class SessionStopRes(BodyElement):
    """The session is over, or paused."""

    ResponseCode: ResponseCode


class SessionStopReq(BodyElement):
    """End the session, or pause it."""

    Response: ClassVar[type[SessionStopRes]] = SessionStopRes

    ChargingSession: ChargingSession


class CertificateUpdateRes(BodyElement):
    """A renewed contract, or when to try again (RetryCounter, days)."""

    ResponseCode: ResponseCode
    SAProvisioningCertificateChain: CertificateChain
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKey
    DHpublickey: DiffieHellmanPublickey
    eMAID: EMAID
    RetryCounter: Short | None = None


class CertificateUpdateReq(BodyElement):
    """Ask to renew a contract."""

    Response: ClassVar[type[CertificateUpdateRes]] = CertificateUpdateRes

    Id: Attribute[str]
    ContractSignatureCertChain: CertificateChain
    eMAID: EMAIDText
    ListOfRootCertificateIDs: ListOfRootCertificateIDs


class CertificateInstallationRes(BodyElement):
    """A contract certificate, with its key encrypted for this vehicle."""

    ResponseCode: ResponseCode
    SAProvisioningCertificateChain: CertificateChain
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKey
    DHpublickey: DiffieHellmanPublickey
    eMAID: EMAID


class CertificateInstallationReq(BodyElement):
    """Ask for a contract certificate, on the strength of the one the maker installed."""

    Response: ClassVar[type[CertificateInstallationRes]] = CertificateInstallationRes

    Id: Attribute[str]
    OEMProvisioningCert: Certificate
    ListOfRootCertificateIDs: ListOfRootCertificateIDs


# The body: AC


class ChargingStatusRes(BodyElement):
    """State of the AC outlet, its current limit and meter."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    SAScheduleTupleID: SAID
    EVSEMaxCurrent: PhysicalValue | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool | None = None
    AC_EVSEStatus: AC_EVSEStatus


class ChargingStatusReq(BodyElement):
    """Ask how AC charging goes."""

    Response: ClassVar[type[ChargingStatusRes]] = ChargingStatusRes


# The body: DC


class CableCheckRes(BodyElement):
    """Whether the cable's insulation holds."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class CableCheckReq(BodyElement):
    """Ask to check the cable's insulation."""

    Response: ClassVar[type[CableCheckRes]] = CableCheckRes

    DC_EVStatus: DC_EVStatus


class PreChargeRes(BodyElement):
    """The voltage at the outlet."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class PreChargeReq(BodyElement):
    """Ask to bring the outlet to the battery's voltage."""

    Response: ClassVar[type[PreChargeRes]] = PreChargeRes

    DC_EVStatus: DC_EVStatus
    EVTargetVoltage: PhysicalValue
    EVTargetCurrent: PhysicalValue


class CurrentDemandRes(BodyElement):
    """What flows, which limits are reached, and the meter."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue
    EVSEPresentCurrent: PhysicalValue
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    EVSEPowerLimitAchieved: bool
    EVSEMaximumVoltageLimit: PhysicalValue | None = None
    EVSEMaximumCurrentLimit: PhysicalValue | None = None
    EVSEMaximumPowerLimit: PhysicalValue | None = None
    EVSEID: EVSEID
    SAScheduleTupleID: SAID
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool | None = None


class CurrentDemandReq(BodyElement):
    """The current and voltage the vehicle wants now."""

    Response: ClassVar[type[CurrentDemandRes]] = CurrentDemandRes

    DC_EVStatus: DC_EVStatus
    EVTargetCurrent: PhysicalValue
    EVMaximumVoltageLimit: PhysicalValue | None = None
    EVMaximumCurrentLimit: PhysicalValue | None = None
    EVMaximumPowerLimit: PhysicalValue | None = None
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool
    RemainingTimeToFullSoC: PhysicalValue | None = None
    RemainingTimeToBulkSoC: PhysicalValue | None = None
    EVTargetVoltage: PhysicalValue


class WeldingDetectionRes(BodyElement):
    """The voltage at the outlet."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class WeldingDetectionReq(BodyElement):
    """Ask for the voltage while the vehicle tests its contactors."""

    Response: ClassVar[type[WeldingDetectionRes]] = WeldingDetectionRes

    DC_EVStatus: DC_EVStatus


# The envelope


class Body(Message, namespace=BODY):
    """The place for one message; empty only where a fault is told in the header."""

    BodyElement: BodyElement | None = None


class V2G_Message(Message, namespace=DEFINITION, element=True):
    """The envelope every message travels in."""

    Header: MessageHeader
    Body: Body
