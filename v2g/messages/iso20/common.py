"""The messages of ISO 15118-20 that every kind of energy transfer uses, and their parts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.types import (
    Alternative,
    Attribute,
    Byte,
    Choice,
    Enumeration,
    Int,
    Occurs,
    Octets,
    Short,
    Text,
    UnsignedByte,
    UnsignedInt,
    UnsignedLong,
    UnsignedShort,
    Whole,
)
from v2g.messages.iso20.common_types import (
    Description,
    EVSEStatus,
    Identifier,
    ListOfRootCertificateIDs,
    MeterInfo,
    NameText,
    NumericID,
    Part,
    PercentValue,
    Processing,
    RationalNumber,
    Receipt,
    SessionID,
    V2GRequest,
    V2GResponse,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"

# Simple types

GenChallenge = Annotated[bytes, Octets("base64", 16, 16)]
Certificate = Annotated[bytes, Octets("base64", most=1600)]
ServiceID = UnsignedShort
ParameterSetID = UnsignedShort
Currency = Annotated[str, Text(most=3)]
Language = Annotated[str, Text(most=3)]
MaxSupportingPointsScheduleTuple = Annotated[int, Whole(12, 1024)]
DHPublicKey = Annotated[bytes, Octets("base64", 133, 133)]
SECP521_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 94, 94)]
X448_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 84, 84)]
TPM_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 206, 206)]


class Authorization(Enumeration):
    """Authorization."""

    EIM = "EIM"
    PnC = "PnC"


class ChargeProgress(Enumeration):
    """Charge Progress."""

    Start = "Start"
    Stop = "Stop"
    Standby = "Standby"
    ScheduleRenegotiation = "ScheduleRenegotiation"


class PowerToleranceAcceptance(Enumeration):
    """Power Tolerance Acceptance."""

    PowerToleranceNotConfirmed = "PowerToleranceNotConfirmed"
    PowerToleranceConfirmed = "PowerToleranceConfirmed"


class ChannelSelection(Enumeration):
    """Channel Selection."""

    Charge = "Charge"
    Discharge = "Discharge"


class ChargingSession(Enumeration):
    """Charging Session."""

    Pause = "Pause"
    Terminate = "Terminate"
    ServiceRenegotiation = "ServiceRenegotiation"


class ECDHCurve(Enumeration):
    """ECDHCurve."""

    SECP521 = "SECP521"
    X448 = "X448"


class EVCheckInStatus(Enumeration):
    """EVCheck In Status."""

    CheckIn = "CheckIn"
    Processing = "Processing"
    Completed = "Completed"


class ParkingMethod(Enumeration):
    """Parking Method."""

    AutoParking = "AutoParking"
    MVGuideManual = "MVGuideManual"
    Manual = "Manual"


class EVSECheckOutStatus(Enumeration):
    """EVSECheck Out Status."""

    Scheduled = "Scheduled"
    Completed = "Completed"


class EVCheckOutStatus(Enumeration):
    """EVCheck Out Status."""

    CheckOut = "CheckOut"
    Processing = "Processing"
    Completed = "Completed"


class SessionSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Session Setup Res."""

    EVSEID: Identifier


class SessionSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Session Setup Req."""

    Response: ClassVar[type[SessionSetupRes]] = SessionSetupRes

    EVCCID: Identifier


class EIM_ASResAuthorizationMode(Part, namespace=NAMESPACE):
    """EIM ASRes Authorization Mode."""


class SupportedProvidersList(Part, namespace=NAMESPACE):
    """Supported Providers List."""

    ProviderID: Annotated[list[NameText], Occurs(1, 128)]


class PnC_ASResAuthorizationMode(Part, namespace=NAMESPACE):
    """Pn C ASRes Authorization Mode."""

    GenChallenge: GenChallenge
    SupportedProviders: SupportedProvidersList | None = None


class AuthorizationSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Authorization Setup Res."""

    AuthorizationServices: Annotated[list[Authorization], Occurs(1, 2)]
    CertificateInstallationService: bool
    EIM_ASResAuthorizationMode: Alternative[EIM_ASResAuthorizationMode] = None
    PnC_ASResAuthorizationMode: Alternative[PnC_ASResAuthorizationMode] = None


class AuthorizationSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Authorization Setup Req."""

    Response: ClassVar[type[AuthorizationSetupRes]] = AuthorizationSetupRes


class AuthorizationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Authorization Res."""

    EVSEProcessing: Processing


class EIM_AReqAuthorizationMode(Part, namespace=NAMESPACE):
    """EIM AReq Authorization Mode."""


class SubCertificates(Part, namespace=NAMESPACE):
    """Sub Certificates."""

    Certificate: Annotated[list[Certificate], Occurs(1, 3)]


class ContractCertificateChain(Part, namespace=NAMESPACE):
    """Contract Certificate Chain."""

    Certificate: Certificate
    SubCertificates: SubCertificates


class PnC_AReqAuthorizationMode(Part, namespace=NAMESPACE):
    """Pn C AReq Authorization Mode."""

    Id: Attribute[str]
    GenChallenge: GenChallenge
    ContractCertificateChain: ContractCertificateChain


class AuthorizationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Authorization Req."""

    Response: ClassVar[type[AuthorizationRes]] = AuthorizationRes

    SelectedAuthorizationService: Authorization
    EIM_AReqAuthorizationMode: Alternative[EIM_AReqAuthorizationMode] = None
    PnC_AReqAuthorizationMode: Alternative[PnC_AReqAuthorizationMode] = None


class Service(Part, namespace=NAMESPACE):
    """Service."""

    ServiceID: ServiceID
    FreeService: bool


class ServiceList(Part, namespace=NAMESPACE):
    """Service List."""

    Service: Annotated[list[Service], Occurs(1, 8)]


class ServiceDiscoveryRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Service Discovery Res."""

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: ServiceList
    VASList: ServiceList | None = None


class ServiceIDList(Part, namespace=NAMESPACE):
    """Service IDList."""

    ServiceID: Annotated[list[ServiceID], Occurs(1, 16)]


class ServiceDiscoveryReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Service Discovery Req."""

    Response: ClassVar[type[ServiceDiscoveryRes]] = ServiceDiscoveryRes

    SupportedServiceIDs: ServiceIDList | None = None


class Parameter(Part, namespace=NAMESPACE):
    """Parameter."""

    Name: Attribute[NameText]
    boolValue: Alternative[bool] = None
    byteValue: Alternative[Byte] = None
    shortValue: Alternative[Short] = None
    intValue: Alternative[Int] = None
    rationalNumber: Alternative[RationalNumber] = None
    finiteString: Alternative[NameText] = None


class ParameterSet(Part, namespace=NAMESPACE):
    """Parameter Set."""

    ParameterSetID: ParameterSetID
    Parameter: Annotated[list[Parameter], Occurs(1, 32)]


class ServiceParameterList(Part, namespace=NAMESPACE):
    """Service Parameter List."""

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, 32)]


class ServiceDetailRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Service Detail Res."""

    ServiceID: ServiceID
    ServiceParameterList: ServiceParameterList


class ServiceDetailReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Service Detail Req."""

    Response: ClassVar[type[ServiceDetailRes]] = ServiceDetailRes

    ServiceID: ServiceID


class ServiceSelectionRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Service Selection Res."""


class SelectedService(Part, namespace=NAMESPACE):
    """Selected Service."""

    ServiceID: ServiceID
    ParameterSetID: ParameterSetID


class SelectedServiceList(Part, namespace=NAMESPACE):
    """Selected Service List."""

    SelectedService: Annotated[list[SelectedService], Occurs(1, 16)]


class ServiceSelectionReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Service Selection Req."""

    Response: ClassVar[type[ServiceSelectionRes]] = ServiceSelectionRes

    SelectedEnergyTransferService: SelectedService
    SelectedVASList: SelectedServiceList | None = None


class PriceSchedule(Part, namespace=NAMESPACE):
    """Price Schedule."""

    TimeAnchor: UnsignedLong
    PriceScheduleID: NumericID
    PriceScheduleDescription: Description | None = None


class TaxRule(Part, namespace=NAMESPACE):
    """Tax Rule."""

    TaxRuleID: NumericID
    TaxRuleName: NameText | None = None
    TaxRate: RationalNumber
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleList(Part, namespace=NAMESPACE):
    """Tax Rule List."""

    TaxRule: Annotated[list[TaxRule], Occurs(1, 10)]


class PriceRule(Part, namespace=NAMESPACE):
    """Price Rule."""

    EnergyFee: RationalNumber
    ParkingFee: RationalNumber | None = None
    ParkingFeePeriod: UnsignedInt | None = None
    CarbonDioxideEmission: UnsignedShort | None = None
    RenewableGenerationPercentage: UnsignedByte | None = None
    PowerRangeStart: RationalNumber


class PriceRuleStack(Part, namespace=NAMESPACE):
    """Price Rule Stack."""

    Duration: UnsignedInt
    PriceRule: Annotated[list[PriceRule], Occurs(1, 8)]


class PriceRuleStackList(Part, namespace=NAMESPACE):
    """Price Rule Stack List."""

    PriceRuleStack: Annotated[list[PriceRuleStack], Occurs(1, 1024)]


class OverstayRule(Part, namespace=NAMESPACE):
    """Overstay Rule."""

    OverstayRuleDescription: Description | None = None
    StartTime: UnsignedInt
    OverstayFee: RationalNumber
    OverstayFeePeriod: UnsignedInt


class OverstayRuleList(Part, namespace=NAMESPACE):
    """Overstay Rule List."""

    OverstayTimeThreshold: UnsignedInt | None = None
    OverstayPowerThreshold: RationalNumber | None = None
    OverstayRule: Annotated[list[OverstayRule], Occurs(1, 5)]


class AdditionalService(Part, namespace=NAMESPACE):
    """Additional Service."""

    ServiceName: NameText
    ServiceFee: RationalNumber


class AdditionalServiceList(Part, namespace=NAMESPACE):
    """Additional Service List."""

    AdditionalService: Annotated[list[AdditionalService], Occurs(1, 5)]


class AbsolutePriceSchedule(PriceSchedule, namespace=NAMESPACE):
    """Absolute Price Schedule."""

    Id: Attribute[str | None] = None
    Currency: Currency
    Language: Language
    PriceAlgorithm: Identifier
    MinimumCost: RationalNumber | None = None
    MaximumCost: RationalNumber | None = None
    TaxRules: TaxRuleList | None = None
    PriceRuleStacks: PriceRuleStackList
    OverstayRules: OverstayRuleList | None = None
    AdditionalSelectedServices: AdditionalServiceList | None = None


class PriceLevelScheduleEntry(Part, namespace=NAMESPACE):
    """Price Level Schedule Entry."""

    Duration: UnsignedInt
    PriceLevel: UnsignedByte


class PriceLevelScheduleEntryList(Part, namespace=NAMESPACE):
    """Price Level Schedule Entry List."""

    PriceLevelScheduleEntry: Annotated[list[PriceLevelScheduleEntry], Occurs(1, 1024)]


class PriceLevelSchedule(PriceSchedule, namespace=NAMESPACE):
    """Price Level Schedule."""

    Id: Attribute[str | None] = None
    NumberOfPriceLevels: UnsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryList


class Dynamic_SEResControlMode(Part, namespace=NAMESPACE):
    """Dynamic SERes Control Mode."""

    DepartureTime: UnsignedInt | None = None
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule | None, Choice(1, required=False)] = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule | None, Choice(1, required=False)] = None


class PowerScheduleEntry(Part, namespace=NAMESPACE):
    """Power Schedule Entry."""

    Duration: UnsignedInt
    Power: RationalNumber
    Power_L2: RationalNumber | None = None
    Power_L3: RationalNumber | None = None


class PowerScheduleEntryList(Part, namespace=NAMESPACE):
    """Power Schedule Entry List."""

    PowerScheduleEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 1024)]


class PowerSchedule(Part, namespace=NAMESPACE):
    """Power Schedule."""

    TimeAnchor: UnsignedLong
    AvailableEnergy: RationalNumber | None = None
    PowerTolerance: RationalNumber | None = None
    PowerScheduleEntries: PowerScheduleEntryList


class ChargingSchedule(Part, namespace=NAMESPACE):
    """Charging Schedule."""

    PowerSchedule: PowerSchedule
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule | None, Choice(1, required=False)] = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule | None, Choice(1, required=False)] = None


DischargingSchedule = ChargingSchedule


class ScheduleTuple(Part, namespace=NAMESPACE):
    """Schedule Tuple."""

    ScheduleTupleID: NumericID
    ChargingSchedule: ChargingSchedule
    DischargingSchedule: DischargingSchedule | None = None


class Scheduled_SEResControlMode(Part, namespace=NAMESPACE):
    """Scheduled SERes Control Mode."""

    ScheduleTuple: Annotated[list[ScheduleTuple], Occurs(1, 3)]


class ScheduleExchangeRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Schedule Exchange Res."""

    EVSEProcessing: Processing
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Alternative[Dynamic_SEResControlMode] = None
    Scheduled_SEResControlMode: Alternative[Scheduled_SEResControlMode] = None


class Dynamic_SEReqControlMode(Part, namespace=NAMESPACE):
    """Dynamic SEReq Control Mode."""

    DepartureTime: UnsignedInt
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    EVTargetEnergyRequest: RationalNumber
    EVMaximumEnergyRequest: RationalNumber
    EVMinimumEnergyRequest: RationalNumber
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class EVPowerScheduleEntry(Part, namespace=NAMESPACE):
    """EVPower Schedule Entry."""

    Duration: UnsignedInt
    Power: RationalNumber


class EVPowerScheduleEntryList(Part, namespace=NAMESPACE):
    """EVPower Schedule Entry List."""

    EVPowerScheduleEntry: Annotated[list[EVPowerScheduleEntry], Occurs(1, 1024)]


class EVPowerSchedule(Part, namespace=NAMESPACE):
    """EVPower Schedule."""

    TimeAnchor: UnsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryList


class EVPriceRule(Part, namespace=NAMESPACE):
    """EVPrice Rule."""

    EnergyFee: RationalNumber
    PowerRangeStart: RationalNumber


class EVPriceRuleStack(Part, namespace=NAMESPACE):
    """EVPrice Rule Stack."""

    Duration: UnsignedInt
    EVPriceRule: Annotated[list[EVPriceRule], Occurs(1, 8)]


class EVPriceRuleStackList(Part, namespace=NAMESPACE):
    """EVPrice Rule Stack List."""

    EVPriceRuleStack: Annotated[list[EVPriceRuleStack], Occurs(1, 1024)]


class EVAbsolutePriceSchedule(Part, namespace=NAMESPACE):
    """EVAbsolute Price Schedule."""

    TimeAnchor: UnsignedLong
    Currency: Currency
    PriceAlgorithm: Identifier
    EVPriceRuleStacks: EVPriceRuleStackList


class EVEnergyOffer(Part, namespace=NAMESPACE):
    """EVEnergy Offer."""

    EVPowerSchedule: EVPowerSchedule
    EVAbsolutePriceSchedule: EVAbsolutePriceSchedule


class Scheduled_SEReqControlMode(Part, namespace=NAMESPACE):
    """Scheduled SEReq Control Mode."""

    DepartureTime: UnsignedInt | None = None
    EVTargetEnergyRequest: RationalNumber | None = None
    EVMaximumEnergyRequest: RationalNumber | None = None
    EVMinimumEnergyRequest: RationalNumber | None = None
    EVEnergyOffer: EVEnergyOffer | None = None


class ScheduleExchangeReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Schedule Exchange Req."""

    Response: ClassVar[type[ScheduleExchangeRes]] = ScheduleExchangeRes

    MaximumSupportingPoints: MaxSupportingPointsScheduleTuple
    Dynamic_SEReqControlMode: Alternative[Dynamic_SEReqControlMode] = None
    Scheduled_SEReqControlMode: Alternative[Scheduled_SEReqControlMode] = None


class PowerDeliveryRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Power Delivery Res."""

    EVSEStatus: EVSEStatus | None = None


class Dynamic_EVPPTControlMode(Part, namespace=NAMESPACE):
    """Dynamic EVPPTControl Mode."""


class Scheduled_EVPPTControlMode(Part, namespace=NAMESPACE):
    """Scheduled EVPPTControl Mode."""

    SelectedScheduleTupleID: NumericID
    PowerToleranceAcceptance: PowerToleranceAcceptance | None = None


class EVPowerProfileEntryList(Part, namespace=NAMESPACE):
    """EVPower Profile Entry List."""

    EVPowerProfileEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 2048)]


class EVPowerProfile(Part, namespace=NAMESPACE):
    """EVPower Profile."""

    TimeAnchor: UnsignedLong
    Dynamic_EVPPTControlMode: Alternative[Dynamic_EVPPTControlMode] = None
    Scheduled_EVPPTControlMode: Alternative[Scheduled_EVPPTControlMode] = None
    EVPowerProfileEntries: EVPowerProfileEntryList


class PowerDeliveryReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Power Delivery Req."""

    Response: ClassVar[type[PowerDeliveryRes]] = PowerDeliveryRes

    EVProcessing: Processing
    ChargeProgress: ChargeProgress
    EVPowerProfile: EVPowerProfile | None = None
    BPT_ChannelSelection: ChannelSelection | None = None


class MeteringConfirmationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Metering Confirmation Res."""


class Dynamic_SMDTControlMode(Part, namespace=NAMESPACE):
    """Dynamic SMDTControl Mode."""


class Scheduled_SMDTControlMode(Part, namespace=NAMESPACE):
    """Scheduled SMDTControl Mode."""

    SelectedScheduleTupleID: NumericID


class SignedMeteringData(Part, namespace=NAMESPACE, element=True):
    """Signed Metering Data."""

    Id: Attribute[str]
    SessionID: SessionID
    MeterInfo: MeterInfo
    Receipt: Receipt | None = None
    Dynamic_SMDTControlMode: Alternative[Dynamic_SMDTControlMode] = None
    Scheduled_SMDTControlMode: Alternative[Scheduled_SMDTControlMode] = None


class MeteringConfirmationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Metering Confirmation Req."""

    Response: ClassVar[type[MeteringConfirmationRes]] = MeteringConfirmationRes

    SignedMeteringData: SignedMeteringData


class SessionStopRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Session Stop Res."""


class SessionStopReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Session Stop Req."""

    Response: ClassVar[type[SessionStopRes]] = SessionStopRes

    ChargingSession: ChargingSession
    EVTerminationCode: NameText | None = None
    EVTerminationExplanation: Description | None = None


class CertificateChain(Part, namespace=NAMESPACE):
    """Certificate Chain."""

    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class SignedInstallationData(Part, namespace=NAMESPACE, element=True):
    """Signed Installation Data."""

    Id: Attribute[str]
    ContractCertificateChain: ContractCertificateChain
    ECDHCurve: ECDHCurve
    DHPublicKey: DHPublicKey
    SECP521_EncryptedPrivateKey: Alternative[SECP521_EncryptedPrivateKey] = None
    X448_EncryptedPrivateKey: Alternative[X448_EncryptedPrivateKey] = None
    TPM_EncryptedPrivateKey: Alternative[TPM_EncryptedPrivateKey] = None


class CertificateInstallationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Certificate Installation Res."""

    EVSEProcessing: Processing
    CPSCertificateChain: CertificateChain
    SignedInstallationData: SignedInstallationData
    RemainingContractCertificateChains: UnsignedByte


class SignedCertificateChain(Part, namespace=NAMESPACE):
    """Signed Certificate Chain."""

    Id: Attribute[str]
    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class EMAIDList(Part, namespace=NAMESPACE):
    """EMAIDList."""

    EMAID: Annotated[list[Identifier], Occurs(1, 8)]


class CertificateInstallationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Certificate Installation Req."""

    Response: ClassVar[type[CertificateInstallationRes]] = CertificateInstallationRes

    OEMProvisioningCertificateChain: SignedCertificateChain
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    MaximumContractCertificateChains: UnsignedByte
    PrioritizedEMAIDs: EMAIDList | None = None


class VehicleCheckInRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Vehicle Check In Res."""

    ParkingSpace: Short | None = None
    DeviceLocation: Short | None = None
    TargetDistance: Short | None = None


class VehicleCheckInReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Vehicle Check In Req."""

    Response: ClassVar[type[VehicleCheckInRes]] = VehicleCheckInRes

    EVCheckInStatus: EVCheckInStatus
    ParkingMethod: ParkingMethod
    VehicleFrame: Short | None = None
    DeviceOffset: Short | None = None
    VehicleTravel: Short | None = None


class VehicleCheckOutRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Vehicle Check Out Res."""

    EVSECheckOutStatus: EVSECheckOutStatus


class VehicleCheckOutReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Vehicle Check Out Req."""

    Response: ClassVar[type[VehicleCheckOutRes]] = VehicleCheckOutRes

    EVCheckOutStatus: EVCheckOutStatus
    CheckOutTime: UnsignedLong


class TargetPosition(Part, namespace=NAMESPACE):
    """Target Position."""

    TargetOffsetX: UnsignedShort
    TargetOffsetY: UnsignedShort
