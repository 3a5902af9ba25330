"""The messages of ISO 15118-20:2022 that every kind of energy transfer uses, and their parts, under their wire names.

Order: the simple types, the codes, the parts by subject, then the messages in the order of a session, each response
before its request.
"""

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

ServiceID = UnsignedShort
ParameterSetID = UnsignedShort
Currency = Annotated[str, Text(most=3)]
Language = Annotated[str, Text(most=3)]
MaximumSupportingPoints = Annotated[int, Whole(12, 1024)]
GenChallenge = Annotated[bytes, Octets("base64", 16, 16)]
Certificate = Annotated[bytes, Octets("base64", most=1600)]
DHPublicKey = Annotated[bytes, Octets("base64", 133, 133)]
SECP521_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 94, 94)]
X448_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 84, 84)]
TPM_EncryptedPrivateKey = Annotated[bytes, Octets("base64", 206, 206)]


# Codes


class Authorization(Enumeration):
    """Who is asked for authorization: somebody outside, or the contract in the vehicle."""

    EIM = "EIM"
    PnC = "PnC"


class ChargeProgress(Enumeration):
    """What the vehicle wants of the power."""

    Start = "Start"
    Stop = "Stop"
    Standby = "Standby"
    ScheduleRenegotiation = "ScheduleRenegotiation"


class ChargingSession(Enumeration):
    """Whether the session pauses, ends for good, or goes back to the choice of service."""

    Pause = "Pause"
    Terminate = "Terminate"
    ServiceRenegotiation = "ServiceRenegotiation"


class ChannelSelection(Enumeration):
    """Which way energy flows, where both ways have their own channel."""

    Charge = "Charge"
    Discharge = "Discharge"


class PowerToleranceAcceptance(Enumeration):
    """Whether the vehicle keeps within the tolerance of the schedule."""

    PowerToleranceNotConfirmed = "PowerToleranceNotConfirmed"
    PowerToleranceConfirmed = "PowerToleranceConfirmed"


class ECDHCurve(Enumeration):
    """The curve on which the key of a contract was agreed."""

    SECP521 = "SECP521"
    X448 = "X448"


class EVCheckInStatus(Enumeration):
    """How far the vehicle has come in parking."""

    CheckIn = "CheckIn"
    Processing = "Processing"
    Completed = "Completed"


class EVCheckOutStatus(Enumeration):
    """How far the vehicle has come in leaving."""

    CheckOut = "CheckOut"
    Processing = "Processing"
    Completed = "Completed"


class EVSECheckOutStatus(Enumeration):
    """How far the station has come in letting the vehicle leave."""

    Scheduled = "Scheduled"
    Completed = "Completed"


class ParkingMethod(Enumeration):
    """Who steers the vehicle into place."""

    AutoParking = "AutoParking"
    MVGuideManual = "MVGuideManual"
    Manual = "Manual"


# Certificates


class SubCertificates(Part, namespace=NAMESPACE):
    """DER certificates between leaf and root, the leaf's issuer first."""

    Certificate: Annotated[list[Certificate], Occurs(1, 3)]


class CertificateChain(Part, namespace=NAMESPACE):
    """A DER leaf certificate with its issuers, without the root."""

    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class SignedCertificateChain(Part, namespace=NAMESPACE):
    """A chain that a signature covers."""

    Id: Attribute[str]
    Certificate: Certificate
    SubCertificates: SubCertificates | None = None


class ContractCertificateChain(Part, namespace=NAMESPACE):
    """The contract's chain; there is always an issuer between it and the root."""

    Certificate: Certificate
    SubCertificates: SubCertificates


class EMAIDList(Part, namespace=NAMESPACE):
    """Contracts by their identifiers, the most wanted first."""

    EMAID: Annotated[list[Identifier], Occurs(1, 8)]


class SignedInstallationData(Part, namespace=NAMESPACE, element=True):
    """A contract and its key, encrypted for one vehicle in one of three ways, signed by its provisioner."""

    Id: Attribute[str]
    ContractCertificateChain: ContractCertificateChain
    ECDHCurve: ECDHCurve
    DHPublicKey: DHPublicKey
    SECP521_EncryptedPrivateKey: Alternative[SECP521_EncryptedPrivateKey] = None
    X448_EncryptedPrivateKey: Alternative[X448_EncryptedPrivateKey] = None
    TPM_EncryptedPrivateKey: Alternative[TPM_EncryptedPrivateKey] = None


# Authorization


class SupportedProvidersList(Part, namespace=NAMESPACE):
    """The providers whose contracts the station takes."""

    ProviderID: Annotated[list[NameText], Occurs(1, 128)]


class EIM_ASResAuthorizationMode(Part, namespace=NAMESPACE):
    """Somebody outside authorises; nothing to tell."""


class PnC_ASResAuthorizationMode(Part, namespace=NAMESPACE):
    """A contract authorises: a challenge for the vehicle to sign."""

    GenChallenge: GenChallenge
    SupportedProviders: SupportedProvidersList | None = None


class EIM_AReqAuthorizationMode(Part, namespace=NAMESPACE):
    """Somebody outside authorises; nothing to tell."""


class PnC_AReqAuthorizationMode(Part, namespace=NAMESPACE):
    """A contract authorises: the challenge comes back with the chain, signed."""

    Id: Attribute[str]
    GenChallenge: GenChallenge
    ContractCertificateChain: ContractCertificateChain


# Services


class Service(Part, namespace=NAMESPACE):
    """A service the station offers."""

    ServiceID: ServiceID
    FreeService: bool


class ServiceList(Part, namespace=NAMESPACE):
    """The services the station offers."""

    Service: Annotated[list[Service], Occurs(1, 8)]


class ServiceIDList(Part, namespace=NAMESPACE):
    """The services the vehicle can use."""

    ServiceID: Annotated[list[ServiceID], Occurs(1, 16)]


class SelectedService(Part, namespace=NAMESPACE):
    """A service the vehicle takes, with the parameter set it wants."""

    ServiceID: ServiceID
    ParameterSetID: ParameterSetID


class SelectedServiceList(Part, namespace=NAMESPACE):
    """The services the vehicle takes besides energy transfer."""

    SelectedService: Annotated[list[SelectedService], Occurs(1, 16)]


class Parameter(Part, namespace=NAMESPACE):
    """One named value of a service; exactly one of the value fields is set."""

    Name: Attribute[NameText]
    boolValue: Alternative[bool] = None
    byteValue: Alternative[Byte] = None
    shortValue: Alternative[Short] = None
    intValue: Alternative[Int] = None
    rationalNumber: Alternative[RationalNumber] = None
    finiteString: Alternative[NameText] = None


class ParameterSet(Part, namespace=NAMESPACE):
    """One way a service can be had."""

    ParameterSetID: ParameterSetID
    Parameter: Annotated[list[Parameter], Occurs(1, 32)]


class ServiceParameterList(Part, namespace=NAMESPACE):
    """All ways a service can be had."""

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, 32)]


# Prices


class TaxRule(Part, namespace=NAMESPACE):
    """A tax, and on which fees it is laid."""

    TaxRuleID: NumericID
    TaxRuleName: NameText | None = None
    TaxRate: RationalNumber
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleList(Part, namespace=NAMESPACE):
    """All taxes."""

    TaxRule: Annotated[list[TaxRule], Occurs(1, 10)]


class PriceRule(Part, namespace=NAMESPACE):
    """The fees that apply above a power."""

    EnergyFee: RationalNumber
    ParkingFee: RationalNumber | None = None
    ParkingFeePeriod: UnsignedInt | None = None
    CarbonDioxideEmission: UnsignedShort | None = None
    RenewableGenerationPercentage: UnsignedByte | None = None
    PowerRangeStart: RationalNumber


class PriceRuleStack(Part, namespace=NAMESPACE):
    """The fees by power, for so many seconds."""

    Duration: UnsignedInt
    PriceRule: Annotated[list[PriceRule], Occurs(1, 8)]


class PriceRuleStackList(Part, namespace=NAMESPACE):
    """The fees over time."""

    PriceRuleStack: Annotated[list[PriceRuleStack], Occurs(1, 1024)]


class OverstayRule(Part, namespace=NAMESPACE):
    """A fee for staying on, from StartTime seconds."""

    OverstayRuleDescription: Description | None = None
    StartTime: UnsignedInt
    OverstayFee: RationalNumber
    OverstayFeePeriod: UnsignedInt


class OverstayRuleList(Part, namespace=NAMESPACE):
    """The fees for staying on, and when staying on begins (seconds, W)."""

    OverstayTimeThreshold: UnsignedInt | None = None
    OverstayPowerThreshold: RationalNumber | None = None
    OverstayRule: Annotated[list[OverstayRule], Occurs(1, 5)]


class AdditionalService(Part, namespace=NAMESPACE):
    """A service besides energy, with its fee."""

    ServiceName: NameText
    ServiceFee: RationalNumber


class AdditionalServiceList(Part, namespace=NAMESPACE):
    """The services besides energy."""

    AdditionalService: Annotated[list[AdditionalService], Occurs(1, 5)]


class PriceSchedule(Part, namespace=NAMESPACE):
    """What all price schedules begin with; TimeAnchor in Unix seconds."""

    TimeAnchor: UnsignedLong
    PriceScheduleID: NumericID
    PriceScheduleDescription: Description | None = None


class AbsolutePriceSchedule(PriceSchedule, namespace=NAMESPACE):
    """Prices in money, signed where Id is set."""

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
    """A price level for so many seconds."""

    Duration: UnsignedInt
    PriceLevel: UnsignedByte


class PriceLevelScheduleEntryList(Part, namespace=NAMESPACE):
    """The price levels over time."""

    PriceLevelScheduleEntry: Annotated[list[PriceLevelScheduleEntry], Occurs(1, 1024)]


class PriceLevelSchedule(PriceSchedule, namespace=NAMESPACE):
    """Prices as levels without money, signed where Id is set."""

    Id: Attribute[str | None] = None
    NumberOfPriceLevels: UnsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryList


# Power schedules


class PowerScheduleEntry(Part, namespace=NAMESPACE):
    """The most power in W, for so many seconds."""

    Duration: UnsignedInt
    Power: RationalNumber
    Power_L2: RationalNumber | None = None
    Power_L3: RationalNumber | None = None


class PowerScheduleEntryList(Part, namespace=NAMESPACE):
    """The most power over time."""

    PowerScheduleEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 1024)]


class PowerSchedule(Part, namespace=NAMESPACE):
    """The most power from TimeAnchor (Unix seconds) on, and how much energy in Wh there is."""

    TimeAnchor: UnsignedLong
    AvailableEnergy: RationalNumber | None = None
    PowerTolerance: RationalNumber | None = None
    PowerScheduleEntries: PowerScheduleEntryList


class ChargingSchedule(Part, namespace=NAMESPACE):
    """The most power over time, with its prices."""

    PowerSchedule: PowerSchedule
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule | None, Choice(1, required=False)] = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule | None, Choice(1, required=False)] = None


# The type under the name of its second field, where the name of the first would hide it.
DischargingSchedule = ChargingSchedule


class ScheduleTuple(Part, namespace=NAMESPACE):
    """One schedule the vehicle may choose."""

    ScheduleTupleID: NumericID
    ChargingSchedule: ChargingSchedule
    DischargingSchedule: DischargingSchedule | None = None


# What the vehicle can feed back


class EVPowerScheduleEntry(Part, namespace=NAMESPACE):
    """The most power in W the vehicle can feed, for so many seconds."""

    Duration: UnsignedInt
    Power: RationalNumber


class EVPowerScheduleEntryList(Part, namespace=NAMESPACE):
    """The most power the vehicle can feed over time."""

    EVPowerScheduleEntry: Annotated[list[EVPowerScheduleEntry], Occurs(1, 1024)]


class EVPowerSchedule(Part, namespace=NAMESPACE):
    """The most power the vehicle can feed from TimeAnchor (Unix seconds) on."""

    TimeAnchor: UnsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryList


class EVPriceRule(Part, namespace=NAMESPACE):
    """What the vehicle asks for energy above a power."""

    EnergyFee: RationalNumber
    PowerRangeStart: RationalNumber


class EVPriceRuleStack(Part, namespace=NAMESPACE):
    """What the vehicle asks by power, for so many seconds."""

    Duration: UnsignedInt
    EVPriceRule: Annotated[list[EVPriceRule], Occurs(1, 8)]


class EVPriceRuleStackList(Part, namespace=NAMESPACE):
    """What the vehicle asks over time."""

    EVPriceRuleStack: Annotated[list[EVPriceRuleStack], Occurs(1, 1024)]


class EVAbsolutePriceSchedule(Part, namespace=NAMESPACE):
    """What the vehicle asks, in money."""

    TimeAnchor: UnsignedLong
    Currency: Currency
    PriceAlgorithm: Identifier
    EVPriceRuleStacks: EVPriceRuleStackList


class EVEnergyOffer(Part, namespace=NAMESPACE):
    """The energy the vehicle offers, and its prices."""

    EVPowerSchedule: EVPowerSchedule
    EVAbsolutePriceSchedule: EVAbsolutePriceSchedule


# Schedule exchange


class Dynamic_SEReqControlMode(Part, namespace=NAMESPACE):
    """The station decides; energies in Wh and charge in percent by DepartureTime (seconds)."""

    DepartureTime: UnsignedInt
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    EVTargetEnergyRequest: RationalNumber
    EVMaximumEnergyRequest: RationalNumber
    EVMinimumEnergyRequest: RationalNumber
    EVMaximumV2XEnergyRequest: RationalNumber | None = None
    EVMinimumV2XEnergyRequest: RationalNumber | None = None


class Scheduled_SEReqControlMode(Part, namespace=NAMESPACE):
    """The vehicle chooses a schedule; energies in Wh by DepartureTime (seconds)."""

    DepartureTime: UnsignedInt | None = None
    EVTargetEnergyRequest: RationalNumber | None = None
    EVMaximumEnergyRequest: RationalNumber | None = None
    EVMinimumEnergyRequest: RationalNumber | None = None
    EVEnergyOffer: EVEnergyOffer | None = None


class Dynamic_SEResControlMode(Part, namespace=NAMESPACE):
    """The station decides; its view of departure (seconds) and charge (percent), and the prices."""

    DepartureTime: UnsignedInt | None = None
    MinimumSOC: PercentValue | None = None
    TargetSOC: PercentValue | None = None
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule | None, Choice(1, required=False)] = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule | None, Choice(1, required=False)] = None


class Scheduled_SEResControlMode(Part, namespace=NAMESPACE):
    """The schedules the vehicle may choose from."""

    ScheduleTuple: Annotated[list[ScheduleTuple], Occurs(1, 3)]


# Power profile


class Dynamic_EVPPTControlMode(Part, namespace=NAMESPACE):
    """The station decides; nothing to tell."""


class Scheduled_EVPPTControlMode(Part, namespace=NAMESPACE):
    """The schedule the vehicle chose."""

    SelectedScheduleTupleID: NumericID
    PowerToleranceAcceptance: PowerToleranceAcceptance | None = None


class EVPowerProfileEntryList(Part, namespace=NAMESPACE):
    """The power the vehicle will draw over time."""

    EVPowerProfileEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 2048)]


class EVPowerProfile(Part, namespace=NAMESPACE):
    """How the vehicle will draw power from TimeAnchor (Unix seconds) on."""

    TimeAnchor: UnsignedLong
    Dynamic_EVPPTControlMode: Alternative[Dynamic_EVPPTControlMode] = None
    Scheduled_EVPPTControlMode: Alternative[Scheduled_EVPPTControlMode] = None
    EVPowerProfileEntries: EVPowerProfileEntryList


# Metering


class Dynamic_SMDTControlMode(Part, namespace=NAMESPACE):
    """The station decided; nothing to tell."""


class Scheduled_SMDTControlMode(Part, namespace=NAMESPACE):
    """The schedule the vehicle kept to."""

    SelectedScheduleTupleID: NumericID


class SignedMeteringData(Part, namespace=NAMESPACE, element=True):
    """A meter reading that a signature covers."""

    Id: Attribute[str]
    SessionID: SessionID
    MeterInfo: MeterInfo
    Receipt: Receipt | None = None
    Dynamic_SMDTControlMode: Alternative[Dynamic_SMDTControlMode] = None
    Scheduled_SMDTControlMode: Alternative[Scheduled_SMDTControlMode] = None


# Parking


class TargetPosition(Part, namespace=NAMESPACE):
    """Where to park; no message holds it."""

    TargetOffsetX: UnsignedShort
    TargetOffsetY: UnsignedShort


# The messages of a session


class SessionSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The session is open; its id stands in the header."""

    EVSEID: Identifier


class SessionSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Open a session, or join the paused one the header names."""

    Response: ClassVar[type[SessionSetupRes]] = SessionSetupRes

    EVCCID: Identifier


class AuthorizationSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The ways to be authorised, and what the one chosen needs."""

    AuthorizationServices: Annotated[list[Authorization], Occurs(1, 2)]
    CertificateInstallationService: bool
    EIM_ASResAuthorizationMode: Alternative[EIM_ASResAuthorizationMode] = None
    PnC_ASResAuthorizationMode: Alternative[PnC_ASResAuthorizationMode] = None


class AuthorizationSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask how to be authorised."""

    Response: ClassVar[type[AuthorizationSetupRes]] = AuthorizationSetupRes


class CertificateInstallationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """One contract for this vehicle, and how many more there are."""

    EVSEProcessing: Processing
    CPSCertificateChain: CertificateChain
    SignedInstallationData: SignedInstallationData
    RemainingContractCertificateChains: UnsignedByte


class CertificateInstallationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask for contracts, on the strength of the certificate the maker installed."""

    Response: ClassVar[type[CertificateInstallationRes]] = CertificateInstallationRes

    OEMProvisioningCertificateChain: SignedCertificateChain
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    MaximumContractCertificateChains: UnsignedByte
    PrioritizedEMAIDs: EMAIDList | None = None


class AuthorizationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether charging is authorised yet."""

    EVSEProcessing: Processing


class AuthorizationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask for authorization, by one of the ways offered."""

    Response: ClassVar[type[AuthorizationRes]] = AuthorizationRes

    SelectedAuthorizationService: Authorization
    EIM_AReqAuthorizationMode: Alternative[EIM_AReqAuthorizationMode] = None
    PnC_AReqAuthorizationMode: Alternative[PnC_AReqAuthorizationMode] = None


class ServiceDiscoveryRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The services offered."""

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: ServiceList
    VASList: ServiceList | None = None


class ServiceDiscoveryReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask for the services, optionally only for some."""

    Response: ClassVar[type[ServiceDiscoveryRes]] = ServiceDiscoveryRes

    SupportedServiceIDs: ServiceIDList | None = None


class ServiceDetailRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The parameter sets of one service."""

    ServiceID: ServiceID
    ServiceParameterList: ServiceParameterList


class ServiceDetailReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask for the parameter sets of one service."""

    Response: ClassVar[type[ServiceDetailRes]] = ServiceDetailRes

    ServiceID: ServiceID


class ServiceSelectionRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether the selection is accepted."""


class ServiceSelectionReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Select the energy transfer, and other services."""

    Response: ClassVar[type[ServiceSelectionRes]] = ServiceSelectionRes

    SelectedEnergyTransferService: SelectedService
    SelectedVASList: SelectedServiceList | None = None


class ScheduleExchangeRes(V2GResponse, namespace=NAMESPACE, element=True):
    """What the station offers over time; GoToPause asks the vehicle to pause."""

    EVSEProcessing: Processing
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Alternative[Dynamic_SEResControlMode] = None
    Scheduled_SEResControlMode: Alternative[Scheduled_SEResControlMode] = None


class ScheduleExchangeReq(V2GRequest, namespace=NAMESPACE, element=True):
    """What the vehicle wants over time, and how many points of a schedule it can hold."""

    Response: ClassVar[type[ScheduleExchangeRes]] = ScheduleExchangeRes

    MaximumSupportingPoints: MaximumSupportingPoints
    Dynamic_SEReqControlMode: Alternative[Dynamic_SEReqControlMode] = None
    Scheduled_SEReqControlMode: Alternative[Scheduled_SEReqControlMode] = None


class PowerDeliveryRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether power is on or off as asked."""

    EVSEStatus: EVSEStatus | None = None


class PowerDeliveryReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Start or stop power, wait in standby, or ask for new schedules."""

    Response: ClassVar[type[PowerDeliveryRes]] = PowerDeliveryRes

    EVProcessing: Processing
    ChargeProgress: ChargeProgress
    EVPowerProfile: EVPowerProfile | None = None
    BPT_ChannelSelection: ChannelSelection | None = None


class MeteringConfirmationRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether the confirmation is accepted."""


class MeteringConfirmationReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Confirm a meter reading, signed."""

    Response: ClassVar[type[MeteringConfirmationRes]] = MeteringConfirmationRes

    SignedMeteringData: SignedMeteringData


class SessionStopRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The session is over, or paused."""


class SessionStopReq(V2GRequest, namespace=NAMESPACE, element=True):
    """End the session, pause it, or go back to the choice of service; optionally why."""

    Response: ClassVar[type[SessionStopRes]] = SessionStopRes

    ChargingSession: ChargingSession
    EVTerminationCode: NameText | None = None
    EVTerminationExplanation: Description | None = None


# Messages around a session: parking


class VehicleCheckInRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Where the vehicle has to go."""

    ParkingSpace: Short | None = None
    DeviceLocation: Short | None = None
    TargetDistance: Short | None = None


class VehicleCheckInReq(V2GRequest, namespace=NAMESPACE, element=True):
    """How the vehicle parks, and where it stands."""

    Response: ClassVar[type[VehicleCheckInRes]] = VehicleCheckInRes

    EVCheckInStatus: EVCheckInStatus
    ParkingMethod: ParkingMethod
    VehicleFrame: Short | None = None
    DeviceOffset: Short | None = None
    VehicleTravel: Short | None = None


class VehicleCheckOutRes(V2GResponse, namespace=NAMESPACE, element=True):
    """Whether the vehicle may leave."""

    EVSECheckOutStatus: EVSECheckOutStatus


class VehicleCheckOutReq(V2GRequest, namespace=NAMESPACE, element=True):
    """Ask to leave, at CheckOutTime (Unix seconds, unverified)."""

    Response: ClassVar[type[VehicleCheckOutRes]] = VehicleCheckOutRes

    EVCheckOutStatus: EVCheckOutStatus
    CheckOutTime: UnsignedLong
