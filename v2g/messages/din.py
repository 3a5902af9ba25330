"""The messages of DIN SPEC 70121:2014 and all their parts, under their wire names."""

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
FaultMsg = Annotated[str, Text(most=64)]
EVSEID = Annotated[bytes, Octets("hex", most=32)]
EVCCID = Annotated[bytes, Octets("hex", most=8)]
ServiceID = UnsignedShort
ServiceName = Annotated[str, Text(most=32)]
ServiceScope = Annotated[str, Text(most=32)]
UnitMultiplier = Annotated[int, Whole(-3, 3)]
GenChallenge = str
ContractID = Annotated[str, Text(most=24)]
Certificate = Annotated[bytes, Octets("base64", most=1200)]
SAID = Short
PMax = Short
MeterID = Annotated[str, Text(most=32)]
SigMeterReading = Annotated[bytes, Octets("base64", most=32)]
MeterStatus = Short
PrivateKey = Annotated[bytes, Octets("base64", most=128)]
DHParams = Annotated[bytes, Octets("base64", most=256)]
RootCertificateID = Annotated[str, Text(most=40)]
PercentValue = Annotated[int, Whole(0, 100)]
TariffDescription = Annotated[str, Text(most=32)]


class Part(Message, namespace=DATA_TYPES):
    """Common ground of the data types."""


class FaultCode(Enumeration):
    """Fault Code."""

    ParsingError = "ParsingError"
    NoTLSRootCertificatAvailable = "NoTLSRootCertificatAvailable"
    UnknownError = "UnknownError"


class ResponseCode(Enumeration):
    """Response Code."""

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


class PaymentOption(Enumeration):
    """Payment Option."""

    Contract = "Contract"
    ExternalPayment = "ExternalPayment"


class ServiceCategory(Enumeration):
    """Service Category."""

    EVCharging = "EVCharging"
    Internet = "Internet"
    ContractCertificate = "ContractCertificate"
    OtherCustom = "OtherCustom"


class EVSESupportedEnergyTransfer(Enumeration):
    """EVSESupported Energy Transfer."""

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


class Value(Enumeration):
    """Value."""

    bool = "bool"
    byte = "byte"
    short = "short"
    int = "int"
    physicalValue = "physicalValue"
    string = "string"


class UnitSymbol(Enumeration):
    """Unit Symbol."""

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


class EVSEProcessing(Enumeration):
    """EVSEProcessing."""

    Finished = "Finished"
    Ongoing = "Ongoing"


class EVRequestedEnergyTransfer(Enumeration):
    """EVRequested Energy Transfer."""

    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"


class EVSENotification(Enumeration):
    """EVSENotification."""

    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class IsolationLevel(Enumeration):
    """Isolation Level."""

    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"


class DC_EVSEStatusCode(Enumeration):
    """DC EVSEStatus Code."""

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
    """DC EVError Code."""

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


class CostKind(Enumeration):
    """Cost Kind."""

    relativePricePercentage = "relativePricePercentage"
    RenewableGenerationPercentage = "RenewableGenerationPercentage"
    CarbonDioxideEmission = "CarbonDioxideEmission"


class Notification(Part):
    """Notification."""

    FaultCode: FaultCode
    FaultMsg: FaultMsg | None = None


class MessageHeader(Message, namespace=HEADER):
    """Message Header."""

    SessionID: SessionID
    Notification: Notification | None = None
    Signature: Reference[Signature | None] = None


class BodyElement(Message, namespace=DEFINITION, group=True):
    """Body Element."""


class BodyMessage(BodyElement, namespace=BODY, element=False):
    """Common ground of the messages."""


class Body(Message, namespace=DEFINITION):
    """Body."""

    BodyElement: BodyElement | None = None


class V2G_Message(Message, namespace=DEFINITION, element=True):
    """V2 G Message."""

    Header: MessageHeader
    Body: Body


class SessionSetupRes(BodyMessage):
    """Session Setup Res."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    DateTimeNow: Long | None = None


class SessionSetupReq(BodyMessage):
    """Session Setup Req."""

    Response: ClassVar[type[SessionSetupRes]] = SessionSetupRes

    EVCCID: EVCCID


class PaymentOptions(Part):
    """Payment Options."""

    PaymentOption: Annotated[list[PaymentOption], Occurs(1, None)]


class ServiceTag(Part):
    """Service Tag."""

    ServiceID: ServiceID
    ServiceName: ServiceName | None = None
    ServiceCategory: ServiceCategory
    ServiceScope: ServiceScope | None = None


class Service(Part):
    """Service."""

    ServiceTag: ServiceTag
    FreeService: bool


class ServiceCharge(Service, element=True):
    """Service Charge."""

    EnergyTransferType: EVSESupportedEnergyTransfer


class ServiceTagList(Part):
    """Service Tag List."""

    Service: Annotated[list[Service], Occurs(1, None)]


class ServiceDiscoveryRes(BodyMessage):
    """Service Discovery Res."""

    ResponseCode: ResponseCode
    PaymentOptions: PaymentOptions
    ChargeService: ServiceCharge
    ServiceList: ServiceTagList | None = None


class ServiceDiscoveryReq(BodyMessage):
    """Service Discovery Req."""

    Response: ClassVar[type[ServiceDiscoveryRes]] = ServiceDiscoveryRes

    ServiceScope: ServiceScope | None = None
    ServiceCategory: ServiceCategory | None = None


class PhysicalValue(Part):
    """Physical Value."""

    Multiplier: UnitMultiplier
    Unit: UnitSymbol | None = None
    Value: Short


class Parameter(Part):
    """Parameter."""

    Name: Attribute[str]
    ValueType: Attribute[Value]
    boolValue: Alternative[bool] = None
    byteValue: Alternative[Byte] = None
    shortValue: Alternative[Short] = None
    intValue: Alternative[Int] = None
    physicalValue: Alternative[PhysicalValue] = None
    stringValue: Alternative[str] = None


class ParameterSet(Part):
    """Parameter Set."""

    ParameterSetID: Short
    Parameter: Annotated[list[Parameter], Occurs(1, None)]


class ServiceParameterList(Part):
    """Service Parameter List."""

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, None)]


class ServiceDetailRes(BodyMessage):
    """Service Detail Res."""

    ResponseCode: ResponseCode
    ServiceID: ServiceID
    ServiceParameterList: ServiceParameterList | None = None


class ServiceDetailReq(BodyMessage):
    """Service Detail Req."""

    Response: ClassVar[type[ServiceDetailRes]] = ServiceDetailRes

    ServiceID: ServiceID


class ServicePaymentSelectionRes(BodyMessage):
    """Service Payment Selection Res."""

    ResponseCode: ResponseCode


class SelectedService(Part):
    """Selected Service."""

    ServiceID: ServiceID
    ParameterSetID: Short | None = None


class SelectedServiceList(Part):
    """Selected Service List."""

    SelectedService: Annotated[list[SelectedService], Occurs(1, None)]


class ServicePaymentSelectionReq(BodyMessage):
    """Service Payment Selection Req."""

    Response: ClassVar[type[ServicePaymentSelectionRes]] = ServicePaymentSelectionRes

    SelectedPaymentOption: PaymentOption
    SelectedServiceList: SelectedServiceList


class PaymentDetailsRes(BodyMessage):
    """Payment Details Res."""

    ResponseCode: ResponseCode
    GenChallenge: GenChallenge
    DateTimeNow: Long


class SubCertificates(Part):
    """Sub Certificates."""

    Certificate: Annotated[list[Certificate], Occurs(1, None)]


class CertificateChain(Part):
    """Certificate Chain."""

    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class PaymentDetailsReq(BodyMessage):
    """Payment Details Req."""

    Response: ClassVar[type[PaymentDetailsRes]] = PaymentDetailsRes

    ContractID: ContractID
    ContractSignatureCertChain: CertificateChain


class ContractAuthenticationRes(BodyMessage):
    """Contract Authentication Res."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing


class ContractAuthenticationReq(BodyMessage):
    """Contract Authentication Req."""

    Response: ClassVar[type[ContractAuthenticationRes]] = ContractAuthenticationRes

    Id: Attribute[str | None] = None
    GenChallenge: GenChallenge | None = None


class SASchedules(Part, group=True):
    """SASchedules."""


class EVSEChargeParameter(Part, group=True):
    """EVSECharge Parameter."""


class ChargeParameterDiscoveryRes(BodyMessage):
    """Charge Parameter Discovery Res."""

    ResponseCode: ResponseCode
    EVSEProcessing: EVSEProcessing
    SASchedules: SASchedules
    EVSEChargeParameter: EVSEChargeParameter


class EVChargeParameter(Part, group=True):
    """EVCharge Parameter."""


class ChargeParameterDiscoveryReq(BodyMessage):
    """Charge Parameter Discovery Req."""

    Response: ClassVar[type[ChargeParameterDiscoveryRes]] = ChargeParameterDiscoveryRes

    EVRequestedEnergyTransferType: EVRequestedEnergyTransfer
    EVChargeParameter: EVChargeParameter


class EVSEStatus(Part, group=True):
    """EVSEStatus."""


class PowerDeliveryRes(BodyMessage):
    """Power Delivery Res."""

    ResponseCode: ResponseCode
    EVSEStatus: EVSEStatus


class ProfileEntry(Part):
    """Profile Entry."""

    ChargingProfileEntryStart: UnsignedInt
    ChargingProfileEntryMaxPower: PMax


class ChargingProfile(Part):
    """Charging Profile."""

    SAScheduleTupleID: SAID
    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1, None)]


class EVPowerDeliveryParameter(Part, group=True):
    """EVPower Delivery Parameter."""


class PowerDeliveryReq(BodyMessage):
    """Power Delivery Req."""

    Response: ClassVar[type[PowerDeliveryRes]] = PowerDeliveryRes

    ReadyToChargeState: bool
    ChargingProfile: ChargingProfile | None = None
    EVPowerDeliveryParameter: EVPowerDeliveryParameter | None = None


class MeterInfo(Part):
    """Meter Info."""

    MeterID: MeterID
    MeterReading: PhysicalValue | None = None
    SigMeterReading: SigMeterReading | None = None
    MeterStatus: MeterStatus | None = None
    TMeter: Long | None = None


class AC_EVSEStatus(EVSEStatus):
    """AC EVSEStatus."""

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: UnsignedInt
    EVSENotification: EVSENotification


class ChargingStatusRes(BodyMessage):
    """Charging Status Res."""

    ResponseCode: ResponseCode
    EVSEID: EVSEID
    SAScheduleTupleID: SAID
    EVSEMaxCurrent: PhysicalValue | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: AC_EVSEStatus


class ChargingStatusReq(BodyMessage):
    """Charging Status Req."""

    Response: ClassVar[type[ChargingStatusRes]] = ChargingStatusRes


class MeteringReceiptRes(BodyMessage):
    """Metering Receipt Res."""

    ResponseCode: ResponseCode
    AC_EVSEStatus: AC_EVSEStatus


class MeteringReceiptReq(BodyMessage):
    """Metering Receipt Req."""

    Response: ClassVar[type[MeteringReceiptRes]] = MeteringReceiptRes

    Id: Attribute[str | None] = None
    SessionID: SessionID
    SAScheduleTupleID: SAID | None = None
    MeterInfo: MeterInfo


class SessionStopRes(BodyMessage):
    """Session Stop Res."""

    ResponseCode: ResponseCode


class SessionStopReq(BodyMessage):
    """Session Stop Req."""

    Response: ClassVar[type[SessionStopRes]] = SessionStopRes


class CertificateUpdateRes(BodyMessage):
    """Certificate Update Res."""

    Id: Attribute[str]
    ResponseCode: ResponseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: PrivateKey
    DHParams: DHParams
    ContractID: ContractID
    RetryCounter: Short


class ListOfRootCertificateIDs(Part):
    """List Of Root Certificate IDs."""

    RootCertificateID: Annotated[list[RootCertificateID], Occurs(1, None)]


class CertificateUpdateReq(BodyMessage):
    """Certificate Update Req."""

    Response: ClassVar[type[CertificateUpdateRes]] = CertificateUpdateRes

    Id: Attribute[str | None] = None
    ContractSignatureCertChain: CertificateChain
    ContractID: ContractID
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: DHParams


class CertificateInstallationRes(BodyMessage):
    """Certificate Installation Res."""

    Id: Attribute[str]
    ResponseCode: ResponseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: PrivateKey
    DHParams: DHParams
    ContractID: ContractID


class CertificateInstallationReq(BodyMessage):
    """Certificate Installation Req."""

    Response: ClassVar[type[CertificateInstallationRes]] = CertificateInstallationRes

    Id: Attribute[str | None] = None
    OEMProvisioningCert: Certificate
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: DHParams


class DC_EVSEStatus(EVSEStatus):
    """DC EVSEStatus."""

    EVSEIsolationStatus: IsolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode
    NotificationMaxDelay: UnsignedInt
    EVSENotification: EVSENotification


class CableCheckRes(BodyMessage):
    """Cable Check Res."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class EVStatus(Part, group=True):
    """EVStatus."""


class DC_EVStatus(EVStatus):
    """DC EVStatus."""

    EVReady: bool
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: PercentValue


class CableCheckReq(BodyMessage):
    """Cable Check Req."""

    Response: ClassVar[type[CableCheckRes]] = CableCheckRes

    DC_EVStatus: DC_EVStatus


class PreChargeRes(BodyMessage):
    """Pre Charge Res."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class PreChargeReq(BodyMessage):
    """Pre Charge Req."""

    Response: ClassVar[type[PreChargeRes]] = PreChargeRes

    DC_EVStatus: DC_EVStatus
    EVTargetVoltage: PhysicalValue
    EVTargetCurrent: PhysicalValue


class CurrentDemandRes(BodyMessage):
    """Current Demand Res."""

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
    """Current Demand Req."""

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
    """Welding Detection Res."""

    ResponseCode: ResponseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: PhysicalValue


class WeldingDetectionReq(BodyMessage):
    """Welding Detection Req."""

    Response: ClassVar[type[WeldingDetectionRes]] = WeldingDetectionRes

    DC_EVStatus: DC_EVStatus


class TimeInterval(Part, group=True):
    """Time Interval."""


class Entry(Part, group=True):
    """Entry."""

    TimeInterval: TimeInterval


class PMaxScheduleEntry(Entry):
    """PMax Schedule Entry."""

    PMax: PMax


class PMaxSchedule(Part):
    """PMax Schedule."""

    PMaxScheduleID: SAID
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1, None)]


class Cost(Part):
    """Cost."""

    costKind: CostKind
    amount: UnsignedInt
    amountMultiplier: UnitMultiplier | None = None


class ConsumptionCost(Part):
    """Consumption Cost."""

    startValue: UnsignedInt
    Cost: Annotated[list[Cost], Occurs(0, None)] = []


class SalesTariffEntry(Entry):
    """Sales Tariff Entry."""

    EPriceLevel: UnsignedByte
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0, None)] = []


class SalesTariff(Part):
    """Sales Tariff."""

    Id: Attribute[str]
    SalesTariffID: SAID
    SalesTariffDescription: TariffDescription | None = None
    NumEPriceLevels: UnsignedByte
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1, None)]


class SAScheduleTuple(Part):
    """SASchedule Tuple."""

    SAScheduleTupleID: SAID
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SAScheduleList(SASchedules):
    """SASchedule List."""

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1, None)]


class RelativeTimeInterval(TimeInterval):
    """Relative Time Interval."""

    start: UnsignedInt
    duration: UnsignedInt | None = None


class AC_EVChargeParameter(EVChargeParameter):
    """AC EVCharge Parameter."""

    DepartureTime: UnsignedInt
    EAmount: PhysicalValue
    EVMaxVoltage: PhysicalValue
    EVMaxCurrent: PhysicalValue
    EVMinCurrent: PhysicalValue


class DC_EVChargeParameter(EVChargeParameter):
    """DC EVCharge Parameter."""

    DC_EVStatus: DC_EVStatus
    EVMaximumCurrentLimit: PhysicalValue
    EVMaximumPowerLimit: PhysicalValue | None = None
    EVMaximumVoltageLimit: PhysicalValue
    EVEnergyCapacity: PhysicalValue | None = None
    EVEnergyRequest: PhysicalValue | None = None
    FullSOC: PercentValue | None = None
    BulkSOC: PercentValue | None = None


class AC_EVSEChargeParameter(EVSEChargeParameter):
    """AC EVSECharge Parameter."""

    AC_EVSEStatus: AC_EVSEStatus
    EVSEMaxVoltage: PhysicalValue
    EVSEMaxCurrent: PhysicalValue
    EVSEMinCurrent: PhysicalValue


class DC_EVSEChargeParameter(EVSEChargeParameter):
    """DC EVSECharge Parameter."""

    DC_EVSEStatus: DC_EVSEStatus
    EVSEMaximumCurrentLimit: PhysicalValue
    EVSEMaximumPowerLimit: PhysicalValue | None = None
    EVSEMaximumVoltageLimit: PhysicalValue
    EVSEMinimumCurrentLimit: PhysicalValue
    EVSEMinimumVoltageLimit: PhysicalValue
    EVSECurrentRegulationTolerance: PhysicalValue | None = None
    EVSEPeakCurrentRipple: PhysicalValue
    EVSEEnergyToBeDelivered: PhysicalValue | None = None


class DC_EVPowerDeliveryParameter(EVPowerDeliveryParameter):
    """DC EVPower Delivery Parameter."""

    DC_EVStatus: DC_EVStatus
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool
