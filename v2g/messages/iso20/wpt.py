"""The messages of ISO 15118-20:2022 for wireless power transfer, and their parts, under their wire names.

A coil in the ground, the primary device, feeds a coil in the vehicle, the EV device. Before power flows, the vehicle
is steered over the coil (fine positioning), station and vehicle make sure that they talk to the one they stand on
(pairing), and a little power is tried (alignment check). Positions may be found by low-frequency radio (LF) between
antennas of both sides, which is what most of the parts are for.

Names on the wire: SD supply device and PD primary device, the station's electronics and its coil; EVPC the vehicle's
power circuit and SPC the station's; LPE low-power excitation; FOD, LOP an object and a living being in the gap.

Order: the simple types, the codes, the parts by subject, then the messages in the order of a session, each response
before its request. Powers are in W, currents in A, voltages in V, frequencies in Hz. No public stack runs these
messages: what a field means is read off its name (unverified), and the units of lengths, times and signal strengths
are not known.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.types import Alternative, Enumeration, Occurs, Octets, Short, Text, UnsignedByte, UnsignedShort
from v2g.messages.iso20.common_types import (
    ChargeLoopReq,
    ChargeLoopRes,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    Identifier,
    NumericID,
    Part,
    Processing,
    RationalNumber,
    V2GRequest,
    V2GResponse,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:WPT"

# Simple types

BSSID = Annotated[str, Text(most=12)]
IPAddress = Annotated[str, Text(most=39)]
WPT_DataContainer = Annotated[bytes, Octets("base64", most=256)]
DataContainers = Annotated[list[WPT_DataContainer], Occurs(0, 16)]


# Codes


class WPT_FinePositioningMethod(Enumeration):
    """How the vehicle finds its place over the coil."""

    Manual = "Manual"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_PairingMethod(Enumeration):
    """How both sides make sure that the vehicle stands on the coil of this very station."""

    External_confirmation = "External confirmation"
    LPE = "LPE"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    Optical = "Optical"
    Proprietary = "Proprietary"


class WPT_AlignmentCheckMethod(Enumeration):
    """How both sides make sure that the coils face each other."""

    PowerCheck = "PowerCheck"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_EVResult(Enumeration):
    """What the vehicle makes of a step that is over, or not yet."""

    EVResultUnknown = "EVResultUnknown"
    EVResultSuccess = "EVResultSuccess"
    EVResultFailed = "EVResultFailed"


class WPT_PowerClass(Enumeration):
    """How much power a primary device is made for; the classes of IEC 61980."""

    MF_WPT1 = "MF-WPT1"
    MF_WPT2 = "MF-WPT2"
    MF_WPT3 = "MF-WPT3"
    MF_WPT4 = "MF-WPT4"


class WPT_SPCChargeDiagnostics(Enumeration):
    """What is wrong on the station's side."""

    SPCNoIssue = "SPCNoIssue"
    SPCFODDetected = "SPCFODDetected"
    SPCLOPDetected = "SPCLOPDetected"
    SPCTempOverheatDetected = "SPCTempOverheatDetected"
    SPCPowerTransferAnomalyDetected = "SPCPowerTransferAnomalyDetected"
    SPCAnomalyDetected = "SPCAnomalyDetected"


class WPT_EVPCChargeDiagnostics(Enumeration):
    """What is wrong on the vehicle's side."""

    EVPCNoIssue = "EVPCNoIssue"
    EVPCTempOverheatDetected = "EVPCTempOverheatDetected"
    EVPCPowerTransferAnomalyDetected = "EVPCPowerTransferAnomalyDetected"
    EVPCAnomalyDetected = "EVPCAnomalyDetected"


# The methods a side can use


class WPT_FinePositioningMethodList(Part, namespace=NAMESPACE):
    """The ways to find the place that one side knows."""

    WPT_FinePositioningMethod: Annotated[list[WPT_FinePositioningMethod], Occurs(1, 8)]


class WPT_PairingMethodList(Part, namespace=NAMESPACE):
    """The ways to pair that one side knows."""

    WPT_PairingMethod: Annotated[list[WPT_PairingMethod], Occurs(1, 8)]


class WPT_AlignmentCheckMethodList(Part, namespace=NAMESPACE):
    """The ways to check alignment that one side knows."""

    WPT_AlignmentCheckMethod: Annotated[list[WPT_AlignmentCheckMethod], Occurs(1, 8)]


# Low-frequency radio: where the antennas are and what they send


class WPT_CoordinateXYZ(Part, namespace=NAMESPACE):
    """A place or a direction in space."""

    Coord_X: Short
    Coord_Y: Short
    Coord_Z: Short


class WPT_TxRxSpecData(Part, namespace=NAMESPACE):
    """One antenna: where it is and where it points."""

    TxRxIdentifier: NumericID
    TxRxPosition: WPT_CoordinateXYZ
    TxRxOrientation: WPT_CoordinateXYZ


class WPT_TxRxPulseOrder(Part, namespace=NAMESPACE):
    """When in a package an antenna has its turn."""

    IndexNumber: UnsignedShort
    TxRxIdentifier: NumericID


class WPT_TxRxPackageSpecData(Part, namespace=NAMESPACE):
    """A package of pulses: in which order antennas send, for how long, and how long they pause."""

    PulseSequenceOrder: Annotated[list[WPT_TxRxPulseOrder], Occurs(2, 255)]
    PulseSeparationTime: UnsignedShort
    PulseDuration: UnsignedShort
    PackageSeparationTime: UnsignedShort


class WPT_LF_TransmitterData(Part, namespace=NAMESPACE):
    """The antennas of the side that sends."""

    NumberOfTransmitters: UnsignedByte
    SignalFrequency: RationalNumber
    TxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecData | None = None


class WPT_LF_ReceiverData(Part, namespace=NAMESPACE):
    """The antennas of the side that listens."""

    NumberOfReceivers: UnsignedByte
    RxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]


class WPT_LF_SystemSetupData(Part, namespace=NAMESPACE):
    """The antennas of one side, which either sends or listens."""

    LF_TransmitterSetupData: Alternative[WPT_LF_TransmitterData] = None
    LF_ReceiverSetupData: Alternative[WPT_LF_ReceiverData] = None


# Low-frequency radio: what was sent and heard


class WPT_LF_TxData(Part, namespace=NAMESPACE):
    """How strongly an antenna sent (EIRP, radiated power)."""

    TxIdentifier: NumericID
    EIRP: RationalNumber


class WPT_LF_TxDataList(Part, namespace=NAMESPACE):
    """What was sent; room for one antenna only."""

    WPT_LF_TxDataList: WPT_LF_TxData


class WPT_LF_RxRSSI(Part, namespace=NAMESPACE):
    """How strongly a sending antenna was heard (RSSI, received signal strength)."""

    TxIdentifier: NumericID
    RSSI: RationalNumber


class WPT_LF_RxRSSIList(Part, namespace=NAMESPACE):
    """What one antenna heard; room for one sender only."""

    RSSIDataList: WPT_LF_RxRSSI


class WPT_LF_RxData(Part, namespace=NAMESPACE):
    """An antenna that listened, and what it heard."""

    RxIdentifier: NumericID
    RSSIData: WPT_LF_RxRSSIList


class WPT_LF_RxDataList(Part, namespace=NAMESPACE):
    """What was heard; room for one antenna only."""

    WPT_LF_RxDataList: WPT_LF_RxData


class WPT_LF_DataPackage(Part, namespace=NAMESPACE):
    """One package, as it was sent or as it was heard."""

    PackageIndex: UnsignedByte
    LF_TxData: Alternative[WPT_LF_TxDataList] = None
    LF_RxData: Alternative[WPT_LF_RxDataList] = None


class WPT_LF_DataPackageList(Part, namespace=NAMESPACE):
    """The packages since the last message; room for one only."""

    NumPackages: UnsignedByte
    WPT_LF_DataPackage: WPT_LF_DataPackage


# Pairing


class AlternativeSECC(Part, namespace=NAMESPACE):
    """Another station to turn to: its wireless network, its address and port."""

    SSID: Identifier | None = None
    BSSID: BSSID | None = None
    IPAddress: IPAddress | None = None
    Port: UnsignedShort | None = None


class AlternativeSECCList(Part, namespace=NAMESPACE):
    """The stations the vehicle may be standing on instead."""

    AlternativeSECC: Annotated[list[AlternativeSECC], Occurs(1, 8)]


# Control of power


class WPT_EVPCPowerControlParameter(Part, namespace=NAMESPACE):
    """The coil current the vehicle asks for, and the currents and voltage it measures."""

    EVPCCoilCurrentRequest: RationalNumber
    EVPCCoilCurrentInformation: RationalNumber
    EVPCCurrentOutputInformation: RationalNumber
    EVPCVoltageOutputInformation: RationalNumber


class WPT_SPCPowerControlParameter(Part, namespace=NAMESPACE):
    """The current in the station's coil."""

    SPCPrimaryDeviceCoilCurrentInformation: RationalNumber


# The messages of a session


class WPT_FinePositioningSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The methods the station knows, where its coil's best place is, and its antennas."""

    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    PrimaryDevicePairingMethodList: WPT_PairingMethodList
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: UnsignedShort
    VendorSpecificDataContainer: DataContainers = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_FinePositioningSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """The methods the vehicle knows, where its coil's best place is, and its antennas."""

    Response: ClassVar[type[WPT_FinePositioningSetupRes]] = WPT_FinePositioningSetupRes

    EVProcessing: Processing
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    EVDevicePairingMethodList: WPT_PairingMethodList
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: UnsignedShort
    VendorSpecificDataContainer: DataContainers = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_FinePositioningRes(V2GResponse, namespace=NAMESPACE, element=True):
    """What the station sent or heard while the vehicle moved."""

    EVSEProcessing: Processing
    VendorSpecificDataContainer: DataContainers = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class WPT_FinePositioningReq(V2GRequest, namespace=NAMESPACE, element=True):
    """What the vehicle sent or heard while it moved; repeated until it is in place."""

    Response: ClassVar[type[WPT_FinePositioningRes]] = WPT_FinePositioningRes

    EVProcessing: Processing
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: DataContainers = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class WPT_PairingRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The code the station observed, or which other stations the vehicle should try."""

    EVSEProcessing: Processing
    ObservedIDCode: NumericID | None = None
    AlternativeSECCList: AlternativeSECCList | None = None
    VendorSpecificDataContainer: DataContainers = []


class WPT_PairingReq(V2GRequest, namespace=NAMESPACE, element=True):
    """The code the vehicle observed; repeated until both are sure of each other."""

    Response: ClassVar[type[WPT_PairingRes]] = WPT_PairingRes

    EVProcessing: Processing
    ObservedIDCode: NumericID | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: DataContainers = []


class WPT_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """What the station can give: power, coil current, and over which ground clearance."""

    PDInputPowerClass: WPT_PowerClass
    SDMinOutputPower: RationalNumber
    SDMaxOutputPower: RationalNumber
    SDMaxGroundClearanceSupport: UnsignedShort
    SDMinGroundClearanceSupport: UnsignedShort
    PDMinCoilCurrent: RationalNumber
    PDMaxCoilCurrent: RationalNumber
    SDManufacturerSpecificDataContainer: DataContainers = []


class WPT_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """What the vehicle can take: power, ground clearance, and the frequency its circuit resonates at."""

    Response: ClassVar[type[WPT_ChargeParameterDiscoveryRes]] = WPT_ChargeParameterDiscoveryRes

    EVPCMaxReceivablePower: RationalNumber
    SDMaxGroundClearence: UnsignedShort
    SDMinGroundClearence: UnsignedShort
    EVPCNaturalFrequency: RationalNumber
    EVPCDeviceLocalControl: bool
    VendorSpecificDataContainer: DataContainers = []


class WPT_AlignmentCheckRes(V2GResponse, namespace=NAMESPACE, element=True):
    """The power the station sends to try, and its coil's current."""

    EVSEProcessing: Processing
    PowerTransmitted: RationalNumber | None = None
    SupplyDeviceCurrent: RationalNumber | None = None
    VendorSpecificDataContainer: DataContainers = []


class WPT_AlignmentCheckReq(V2GRequest, namespace=NAMESPACE, element=True):
    """The coil current to try; repeated until the vehicle has judged what arrives."""

    Response: ClassVar[type[WPT_AlignmentCheckRes]] = WPT_AlignmentCheckRes

    EVProcessing: Processing
    TargetCoilCurrent: RationalNumber | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: DataContainers = []


class WPT_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """The power asked for as the station understood it, its limits, and its state."""

    EVPCPowerRequest: RationalNumber
    SDPowerInput: RationalNumber | None = None
    SPCMaxOutputPowerLimit: RationalNumber
    SPCMinOutputPowerLimit: RationalNumber
    SPCChargeDiagnostics: WPT_SPCChargeDiagnostics
    SPCOperatingFrequency: RationalNumber | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: DataContainers = []


class WPT_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """The power the vehicle wants, the power that arrives, and its state."""

    Response: ClassVar[type[WPT_ChargeLoopRes]] = WPT_ChargeLoopRes

    EVPCPowerRequest: RationalNumber
    EVPCPowerOutput: RationalNumber
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnostics
    EVPCOperatingFrequency: RationalNumber | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: DataContainers = []
