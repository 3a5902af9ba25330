"""The messages of DIN SPEC 70121:2014 and all their parts, under their wire names.

The specification uses only DC and external payment. What its schema declares beyond that (AC, contracts, tariffs)
is here too, since every declaration counts for the event codes.

Order: the simple types, the codes, the parts by subject, the header, then the 34 body messages (common, AC, DC),
each response before its request, at last the envelope.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import (
    Alternative,
    Attribute,
    Byte,
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
    UnsignedShort,
    Whole,
)
from v2g.messages.xmldsig import Signature

DEFINITION = "urn:din:70121:2012:MsgDef"
HEADER = "urn:din:70121:2012:MsgHeader"
BODY = "urn:din:70121:2012:MsgBody"
DATA_TYPES = "urn:din:70121:2012:MsgDataTypes"

# Simple types

SessionID = Annotated[bytes, Octets("hex", most=8)]
EVCCID = Annotated[bytes, Octets("hex", most=8)]
EVSEID = Annotated[bytes, Octets("hex", most=32)]
ContractID = Annotated[str, Text(most=24)]
ServiceID = UnsignedShort
ServiceName = Text32
ServiceScope = Text32
FaultMsg = Text64
MeterID = Text32
MeterStatus = Short
TariffDescription = Text32
SAID = Short
PMax = Short
PercentValue = Annotated[int, Whole(0, 100)]
UnitMultiplier = Annotated[int, Whole(-3, 3)]
GenChallenge = str
Certificate = Annotated[bytes, Octets("base64", most=1200)]
RootCertificateID = Annotated[str, Text(most=40)]
DHParams = Annotated[bytes, Octets("base64", most=256)]
PrivateKey = Annotated[bytes, Octets("base64", most=128)]
SigMeterReading = Annotated[bytes, Octets("base64", most=32)]


class Part(Message, namespace=DATA_TYPES):
    """Common ground of the data types."""


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
    FAILED_EVSEPresentVoltageToLow = "FAILED_EVSEPresentVoltageToLow"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_WrongEnergyTransferType = "FAILED_WrongEnergyTransferType"


class FaultCode(Enumeration):
    """Why a peer could make nothing of a message."""

    ParsingError = "ParsingError"
    NoTLSRootCertificatAvailable = "NoTLSRootCertificatAvailable"
    UnknownError = "UnknownError"


class EVSEProcessing(Enumeration):
    """Whether the answer is final or the vehicle has to ask again."""

    Finished = "Finished"
    Ongoing = "Ongoing"


class EVSENotification(Enumeration):
    """What the station wishes of the vehicle."""

    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class ServiceCategory(Enumeration):
    """What kind of service is meant."""

    EVCharging = "EVCharging"
    Internet = "Internet"
    ContractCertificate = "ContractCertificate"
    OtherCustom = "OtherCustom"


class ValueType(Enumeration):
    """Which of the value fields a parameter sets."""

    bool = "bool"
    byte = "byte"
    short = "short"
    int = "int"
    physicalValue = "physicalValue"
    string = "string"


class EVSESupportedEnergyTransfer(Enumeration):
    """What the outlet offers: AC by phases, DC by connector, or both."""

    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_dual = "DC_dual"
    AC_core1p_DC_extended = "AC_core1p_DC_extended"
    AC_single_DC_core = "AC_single_DC_core"
    AC_single_phase_three_phase_core_DC_extended = "AC_single_phase_three_phase_core_DC_extended"
    AC_core3p_DC_extended = "AC_core3p_DC_extended"


class EVRequestedEnergyTransfer(Enumeration):
    """What the vehicle asks for: AC by phases, or DC by connector."""

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
    """Units: hour, minute, second, ampere, ampere-hour, volt, volt-ampere, watt, watt per second, watt-hour."""

    h = "h"
    m = "m"
    s = "s"
    A = "A"
    Ah = "Ah"
    V = "V"
    VA = "VA"
    W = "W"
    W_s = "W/s"
    Wh = "Wh"


class IsolationLevel(Enumeration):
    """What the insulation monitor says."""

    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"


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
    """A number, mostly with its unit: Value times ten to the power of Multiplier."""

    Multiplier: UnitMultiplier
    Unit: UnitSymbol | None = None
    Value: Short


# Services


class PaymentOptions(Part):
    """How the driver may be authorised; external payment only, by the specification."""

    PaymentOption: Annotated[list[PaymentOption], Occurs(1, None)]


class ServiceTag(Part):
    """What a service is called."""

    ServiceID: ServiceID
    ServiceName: ServiceName | None = None
    ServiceCategory: ServiceCategory
    ServiceScope: ServiceScope | None = None


class Service(Part):
    """A service the station offers."""

    ServiceTag: ServiceTag
    FreeService: bool


class ServiceCharge(Service, element=True):
    """Charging, as a service."""

    EnergyTransferType: EVSESupportedEnergyTransfer


class ServiceTagList(Part):
    """The services besides charging."""

    Service: Annotated[list[Service], Occurs(1, None)]


class SelectedService(Part):
    """A service the vehicle takes, with the parameter set it wants."""

    ServiceID: ServiceID
    ParameterSetID: Short | None = None


class SelectedServiceList(Part):
    """All services the vehicle takes, charging included."""

    SelectedService: Annotated[list[SelectedService], Occurs(1, None)]


class Parameter(Part):
    """One named value of a service; the field that ValueType names is set, no other."""

    Name: Attribute[str]
    ValueType: Attribute[ValueType]
    boolValue: Alternative[bool] = None
    byteValue: Alternative[Byte] = None
    shortValue: Alternative[Short] = None
    intValue: Alternative[Int] = None
    physicalValue: Alternative[PhysicalValue] = None
    stringValue: Alternative[str] = None


class ParameterSet(Part):
    """One way a service can be had."""

    ParameterSetID: Short
    Parameter: Annotated[list[Parameter], Occurs(1, None)]


class ServiceParameterList(Part):
    """All ways a service can be had."""

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, None)]


# Certificates


class SubCertificates(Part):
    """DER certificates between leaf and root."""

    Certificate: Annotated[list[Certificate], Occurs(1, None)]


class CertificateChain(Part):
    """A DER leaf certificate with its issuers, without the root."""

    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class ListOfRootCertificateIDs(Part):
    """The roots the vehicle trusts."""

    RootCertificateID: Annotated[list[RootCertificateID], Occurs(1, None)]


# Metering


class MeterInfo(Part):
    """A meter reading, its signature, and when it was taken (TMeter, Unix seconds)."""

    MeterID: MeterID
    MeterReading: PhysicalValue | None = None
    SigMeterReading: SigMeterReading | None = None
    MeterStatus: MeterStatus | None = None
    TMeter: Long | None = None


# Schedules and tariffs


class TimeInterval(Part, group=True):
    """A stretch of time."""


class RelativeTimeInterval(TimeInterval):
    """Seconds from now (`start`) and, for the last entry, how long."""

    start: UnsignedInt
    duration: UnsignedInt | None = None


class Entry(Part, group=True):
    """What holds during a stretch of time."""

    TimeInterval: TimeInterval


class PMaxScheduleEntry(Entry):
    """The most power in W from here on."""

    PMax: PMax


class PMaxSchedule(Part):
    """The most power over time."""

    PMaxScheduleID: SAID
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1, None)]


class Cost(Part):
    """An amount of a kind, scaled by ten to the power of amountMultiplier."""

    costKind: CostKind
    amount: UnsignedInt
    amountMultiplier: UnitMultiplier | None = None


class ConsumptionCost(Part):
    """The costs that apply above a power."""

    startValue: UnsignedInt
    Cost: Annotated[list[Cost], Occurs(0, None)] = []


class SalesTariffEntry(Entry):
    """The price level, and optionally costs, from here on."""

    EPriceLevel: UnsignedByte
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0, None)] = []


class SalesTariff(Part):
    """A tariff over time."""

    Id: Attribute[str]
    SalesTariffID: SAID
    SalesTariffDescription: TariffDescription | None = None
    NumEPriceLevels: UnsignedByte
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1, None)]


class SAScheduleTuple(Part):
    """One schedule the vehicle may choose, with its tariff."""

    SAScheduleTupleID: SAID
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SASchedules(Part, group=True):
    """What the station offers over time."""


class SAScheduleList(SASchedules):
    """The schedules the vehicle may choose from."""

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1, None)]


class ProfileEntry(Part):
    """The most power in W the vehicle will draw from here on."""

    ChargingProfileEntryStart: UnsignedInt
    ChargingProfileEntryMaxPower: PMax


class ChargingProfile(Part):
    """How the vehicle will draw power over time, by which of the schedules."""

    SAScheduleTupleID: SAID
    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1, None)]


# Status and charge parameters


class EVSEStatus(Part, group=True):
    """State of an outlet."""


class AC_EVSEStatus(EVSEStatus):
    """State of an AC outlet; RCD tells whether the residual current device has tripped."""

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: UnsignedInt
    EVSENotification: EVSENotification


class DC_EVSEStatus(EVSEStatus):
    """State of a DC outlet, what the station wishes, and within how many seconds."""

    EVSEIsolationStatus: IsolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode
    NotificationMaxDelay: UnsignedInt
    EVSENotification: EVSENotification


class EVStatus(Part, group=True):
    """State of the vehicle."""


class DC_EVStatus(EVStatus):
    """State of the vehicle at a DC outlet; EVRESSSOC is the battery's charge in percent."""

    EVReady: bool
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: PercentValue


class EVChargeParameter(Part, group=True):
    """What the vehicle needs and can take."""


class AC_EVChargeParameter(EVChargeParameter):
    """What the vehicle needs of an AC outlet; DepartureTime in seconds from now."""

    DepartureTime: UnsignedInt
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
    EVSEMaxVoltage: PhysicalValue
    EVSEMaxCurrent: PhysicalValue
    EVSEMinCurrent: PhysicalValue


class DC_EVSEChargeParameter(EVSEChargeParameter):
    """What a DC outlet can give."""

    DC_EVSEStatus: DC_EVSEStatus
    EVSEMaximumCurrentLimit: PhysicalValue
    EVSEMaximumPowerLimit: PhysicalValue | None = None
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
    """Which session a message belongs to; a signature has no use here."""

    SessionID: SessionID
    Notification: Notification | None = None
    Signature: Reference[Signature | None] = None


# The body: messages common to AC and DC


class BodyElement(Message, namespace=DEFINITION, group=True):
    """Any of the 34 messages; declared in another namespace than they are."""


class BodyMessage(BodyElement, namespace=BODY, element=False):
    """Common ground of the 34 messages."""


class SessionSetupRes(BodyMessage):
    """The session is open; its id stands in the header."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    DateTimeNow: Long | None = None


class SessionSetupReq(BodyMessage):
    """Open a session, or join the one the header names."""

    Response: ClassVar[type[SessionSetupRes]] = SessionSetupRes

    EVCCID: EVCCID


class ServiceDiscoveryRes(BodyMessage):
    """What the station offers, and how to be authorised for it."""

    ResponseCode: ResponseCode
    PaymentOptions: PaymentOptions
    ChargeService: ServiceCharge
    ServiceList: ServiceTagList | None = None


class ServiceDiscoveryReq(BodyMessage):
    """Ask for the services, optionally of one scope or category."""

    Response: ClassVar[type[ServiceDiscoveryRes]] = ServiceDiscoveryRes

    ServiceScope: ServiceScope | None = None
    ServiceCategory: ServiceCategory | None = None


class ServiceDetailRes(BodyMessage):
    """The parameter sets of one service."""

    ResponseCode: ResponseCode
    ServiceID: ServiceID
    ServiceParameterList: ServiceParameterList | None = None


class ServiceDetailReq(BodyMessage):
    """Ask for the parameter sets of one service."""

    Response: ClassVar[type[ServiceDetailRes]] = ServiceDetailRes

    ServiceID: ServiceID


class ServicePaymentSelectionRes(BodyMessage):
    """Whether the selection is accepted."""

    ResponseCode: ResponseCode


class ServicePaymentSelectionReq(BodyMessage):
    """Select services and the way of payment."""

    Response: ClassVar[type[ServicePaymentSelectionRes]] = ServicePaymentSelectionRes

    SelectedPaymentOption: PaymentOption
    SelectedServiceList: SelectedServiceList


class PaymentDetailsRes(BodyMessage):
    """A challenge for the vehicle to sign, and the station's time in Unix seconds."""

    ResponseCode: ResponseCode
    GenChallenge: GenChallenge
    DateTimeNow: Long


class PaymentDetailsReq(BodyMessage):
    """Present the contract."""

    Response: ClassVar[type[PaymentDetailsRes]] = PaymentDetailsRes

    ContractID: ContractID
    ContractSignatureCertChain: CertificateChain


class ContractAuthenticationRes(BodyMessage):
    """Whether charging is authorised yet."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing


class ContractAuthenticationReq(BodyMessage):
    """Ask for authorization, whoever gives it."""

    Response: ClassVar[type[ContractAuthenticationRes]] = ContractAuthenticationRes

    Id: Attribute[str | None] = None
    GenChallenge: GenChallenge | None = None


class ChargeParameterDiscoveryRes(BodyMessage):
    """What the outlet can give, at once and over time."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing
    SASchedules: SASchedules
    EVSEChargeParameter: EVSEChargeParameter


class ChargeParameterDiscoveryReq(BodyMessage):
    """What the vehicle needs and can take."""

    Response: ClassVar[type[ChargeParameterDiscoveryRes]] = ChargeParameterDiscoveryRes

    EVRequestedEnergyTransferType: EVRequestedEnergyTransfer
    EVChargeParameter: EVChargeParameter


class PowerDeliveryRes(BodyMessage):
    """Whether power is on or off as asked."""

    ResponseCode: ResponseCode
    EVSEStatus: EVSEStatus


class PowerDeliveryReq(BodyMessage):
    """Start or stop power, with the profile planned."""

    Response: ClassVar[type[PowerDeliveryRes]] = PowerDeliveryRes

    ReadyToChargeState: bool
    ChargingProfile: ChargingProfile | None = None
    EVPowerDeliveryParameter: EVPowerDeliveryParameter | None = None


class MeteringReceiptRes(BodyMessage):
    """Whether the receipt is accepted."""

    ResponseCode: ResponseCode
    AC_EVSEStatus: AC_EVSEStatus


class MeteringReceiptReq(BodyMessage):
    """Confirm a meter reading."""

    Response: ClassVar[type[MeteringReceiptRes]] = MeteringReceiptRes

    Id: Attribute[str | None] = None
    SessionID: SessionID
    SAScheduleTupleID: SAID | None = None
    MeterInfo: MeterInfo


class SessionStopRes(BodyMessage):
    """The session is over."""

    ResponseCode: ResponseCode


class SessionStopReq(BodyMessage):
    """End the session."""

    Response: ClassVar[type[SessionStopRes]] = SessionStopRes


class CertificateUpdateRes(BodyMessage):
    """A renewed contract, or when to try again (RetryCounter)."""

    Id: Attribute[str]
    ResponseCode: ResponseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: PrivateKey
    DHParams: DHParams
    ContractID: ContractID
    RetryCounter: Short


class CertificateUpdateReq(BodyMessage):
    """Ask to renew a contract."""

    Response: ClassVar[type[CertificateUpdateRes]] = CertificateUpdateRes

    Id: Attribute[str | None] = None
    ContractSignatureCertChain: CertificateChain
    ContractID: ContractID
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: DHParams


class CertificateInstallationRes(BodyMessage):
    """A contract certificate, with its key encrypted for this vehicle."""

    Id: Attribute[str]
    ResponseCode: ResponseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: PrivateKey
    DHParams: DHParams
    ContractID: ContractID


class CertificateInstallationReq(BodyMessage):
    """Ask for a contract certificate, on the strength of the one the maker installed."""

    Response: ClassVar[type[CertificateInstallationRes]] = CertificateInstallationRes

    Id: Attribute[str | None] = None
    OEMProvisioningCert: Certificate
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: DHParams


# The body: AC


class ChargingStatusRes(BodyMessage):
    """State of the AC outlet, its current limit and meter."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    SAScheduleTupleID: SAID
    EVSEMaxCurrent: PhysicalValue | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: AC_EVSEStatus


class ChargingStatusReq(BodyMessage):
    """Ask how AC charging goes."""

    Response: ClassVar[type[ChargingStatusRes]] = ChargingStatusRes


# The body: DC


class CableCheckRes(BodyMessage):
    """Whether the cable's insulation holds."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class CableCheckReq(BodyMessage):
    """Ask to check the cable's insulation."""

    Response: ClassVar[type[CableCheckRes]] = CableCheckRes

    DC_EVStatus: DC_EVStatus


class PreChargeRes(BodyMessage):
    """The voltage at the outlet."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class PreChargeReq(BodyMessage):
    """Ask to bring the outlet to the battery's voltage."""

    Response: ClassVar[type[PreChargeRes]] = PreChargeRes

    DC_EVStatus: DC_EVStatus
    EVTargetVoltage: PhysicalValue
    EVTargetCurrent: PhysicalValue


class CurrentDemandRes(BodyMessage):
    """What flows, and which limits are reached."""

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


class CurrentDemandReq(BodyMessage):
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


class WeldingDetectionRes(BodyMessage):
    """The voltage at the outlet."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class WeldingDetectionReq(BodyMessage):
    """Ask for the voltage while the vehicle tests its contactors."""

    Response: ClassVar[type[WeldingDetectionRes]] = WeldingDetectionRes

    DC_EVStatus: DC_EVStatus


# The envelope


class Body(Message, namespace=DEFINITION):
    """The place for one message; empty only where a fault is told in the header."""

    BodyElement: BodyElement | None = None


class V2G_Message(Message, namespace=DEFINITION, element=True):
    """The envelope every message travels in."""

    Header: MessageHeader
    Body: Body
