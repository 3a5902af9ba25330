"""The messages of ISO 15118-20 for wireless power transfer, and their parts."""

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

WPT_DataContainer = Annotated[bytes, Octets("base64", most=256)]
BSSID = Annotated[str, Text(most=12)]
IPAddress = Annotated[str, Text(most=39)]


class WPT_FinePositioningMethod(Enumeration):
    """WPT Fine Positioning Method."""

    Manual = "Manual"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_PairingMethod(Enumeration):
    """WPT Pairing Method."""

    External_confirmation = "External confirmation"
    LPE = "LPE"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    Optical = "Optical"
    Proprietary = "Proprietary"


class WPT_AlignmentCheckMethod(Enumeration):
    """WPT Alignment Check Method."""

    PowerCheck = "PowerCheck"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_EVResult(Enumeration):
    """WPT EVResult."""

    EVResultUnknown = "EVResultUnknown"
    EVResultSuccess = "EVResultSuccess"
    EVResultFailed = "EVResultFailed"


class WPT_PowerClass(Enumeration):
    """WPT Power Class."""

    MF_WPT1 = "MF-WPT1"
    MF_WPT2 = "MF-WPT2"
    MF_WPT3 = "MF-WPT3"
    MF_WPT4 = "MF-WPT4"


class WPT_SPCChargeDiagnostics(Enumeration):
    """WPT SPCCharge Diagnostics."""

    SPCNoIssue = "SPCNoIssue"
    SPCFODDetected = "SPCFODDetected"
    SPCLOPDetected = "SPCLOPDetected"
    SPCTempOverheatDetected = "SPCTempOverheatDetected"
    SPCPowerTransferAnomalyDetected = "SPCPowerTransferAnomalyDetected"
    SPCAnomalyDetected = "SPCAnomalyDetected"


class WPT_EVPCChargeDiagnostics(Enumeration):
    """WPT EVPCCharge Diagnostics."""

    EVPCNoIssue = "EVPCNoIssue"
    EVPCTempOverheatDetected = "EVPCTempOverheatDetected"
    EVPCPowerTransferAnomalyDetected = "EVPCPowerTransferAnomalyDetected"
    EVPCAnomalyDetected = "EVPCAnomalyDetected"


class WPT_FinePositioningMethodList(Part, namespace=NAMESPACE):
    """WPT Fine Positioning Method List."""

    WPT_FinePositioningMethod: Annotated[list[WPT_FinePositioningMethod], Occurs(1, 8)]


class WPT_PairingMethodList(Part, namespace=NAMESPACE):
    """WPT Pairing Method List."""

    WPT_PairingMethod: Annotated[list[WPT_PairingMethod], Occurs(1, 8)]


class WPT_AlignmentCheckMethodList(Part, namespace=NAMESPACE):
    """WPT Alignment Check Method List."""

    WPT_AlignmentCheckMethod: Annotated[list[WPT_AlignmentCheckMethod], Occurs(1, 8)]


class WPT_CoordinateXYZ(Part, namespace=NAMESPACE):
    """WPT Coordinate XYZ."""

    Coord_X: Short
    Coord_Y: Short
    Coord_Z: Short


class WPT_TxRxSpecData(Part, namespace=NAMESPACE):
    """WPT Tx Rx Spec Data."""

    TxRxIdentifier: NumericID
    TxRxPosition: WPT_CoordinateXYZ
    TxRxOrientation: WPT_CoordinateXYZ


class WPT_TxRxPulseOrder(Part, namespace=NAMESPACE):
    """WPT Tx Rx Pulse Order."""

    IndexNumber: UnsignedShort
    TxRxIdentifier: NumericID


class WPT_TxRxPackageSpecData(Part, namespace=NAMESPACE):
    """WPT Tx Rx Package Spec Data."""

    PulseSequenceOrder: Annotated[list[WPT_TxRxPulseOrder], Occurs(2, 255)]
    PulseSeparationTime: UnsignedShort
    PulseDuration: UnsignedShort
    PackageSeparationTime: UnsignedShort


class WPT_LF_TransmitterData(Part, namespace=NAMESPACE):
    """WPT LF Transmitter Data."""

    NumberOfTransmitters: UnsignedByte
    SignalFrequency: RationalNumber
    TxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecData | None = None


class WPT_LF_ReceiverData(Part, namespace=NAMESPACE):
    """WPT LF Receiver Data."""

    NumberOfReceivers: UnsignedByte
    RxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]


class WPT_LF_SystemSetupData(Part, namespace=NAMESPACE):
    """WPT LF System Setup Data."""

    LF_TransmitterSetupData: Alternative[WPT_LF_TransmitterData] = None
    LF_ReceiverSetupData: Alternative[WPT_LF_ReceiverData] = None


class WPT_FinePositioningSetupRes(V2GResponse, namespace=NAMESPACE, element=True):
    """WPT Fine Positioning Setup Res."""

    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    PrimaryDevicePairingMethodList: WPT_PairingMethodList
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: UnsignedShort
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_FinePositioningSetupReq(V2GRequest, namespace=NAMESPACE, element=True):
    """WPT Fine Positioning Setup Req."""

    Response: ClassVar[type[WPT_FinePositioningSetupRes]] = WPT_FinePositioningSetupRes

    EVProcessing: Processing
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    EVDevicePairingMethodList: WPT_PairingMethodList
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: UnsignedShort
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_LF_TxData(Part, namespace=NAMESPACE):
    """WPT LF Tx Data."""

    TxIdentifier: NumericID
    EIRP: RationalNumber


class WPT_LF_TxDataList(Part, namespace=NAMESPACE):
    """WPT LF Tx Data List."""

    WPT_LF_TxDataList: WPT_LF_TxData


class WPT_LF_RxRSSI(Part, namespace=NAMESPACE):
    """WPT LF Rx RSSI."""

    TxIdentifier: NumericID
    RSSI: RationalNumber


class WPT_LF_RxRSSIList(Part, namespace=NAMESPACE):
    """WPT LF Rx RSSIList."""

    RSSIDataList: WPT_LF_RxRSSI


class WPT_LF_RxData(Part, namespace=NAMESPACE):
    """WPT LF Rx Data."""

    RxIdentifier: NumericID
    RSSIData: WPT_LF_RxRSSIList


class WPT_LF_RxDataList(Part, namespace=NAMESPACE):
    """WPT LF Rx Data List."""

    WPT_LF_RxDataList: WPT_LF_RxData


class WPT_LF_DataPackage(Part, namespace=NAMESPACE):
    """WPT LF Data Package."""

    PackageIndex: UnsignedByte
    LF_TxData: Alternative[WPT_LF_TxDataList] = None
    LF_RxData: Alternative[WPT_LF_RxDataList] = None


class WPT_LF_DataPackageList(Part, namespace=NAMESPACE):
    """WPT LF Data Package List."""

    NumPackages: UnsignedByte
    WPT_LF_DataPackage: WPT_LF_DataPackage


class WPT_FinePositioningRes(V2GResponse, namespace=NAMESPACE, element=True):
    """WPT Fine Positioning Res."""

    EVSEProcessing: Processing
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class WPT_FinePositioningReq(V2GRequest, namespace=NAMESPACE, element=True):
    """WPT Fine Positioning Req."""

    Response: ClassVar[type[WPT_FinePositioningRes]] = WPT_FinePositioningRes

    EVProcessing: Processing
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class AlternativeSECC(Part, namespace=NAMESPACE):
    """Alternative SECC."""

    SSID: Identifier | None = None
    BSSID: BSSID | None = None
    IPAddress: IPAddress | None = None
    Port: UnsignedShort | None = None


class AlternativeSECCList(Part, namespace=NAMESPACE):
    """Alternative SECCList."""

    AlternativeSECC: Annotated[list[AlternativeSECC], Occurs(1, 8)]


class WPT_PairingRes(V2GResponse, namespace=NAMESPACE, element=True):
    """WPT Pairing Res."""

    EVSEProcessing: Processing
    ObservedIDCode: NumericID | None = None
    AlternativeSECCList: AlternativeSECCList | None = None
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_PairingReq(V2GRequest, namespace=NAMESPACE, element=True):
    """WPT Pairing Req."""

    Response: ClassVar[type[WPT_PairingRes]] = WPT_PairingRes

    EVProcessing: Processing
    ObservedIDCode: NumericID | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes, namespace=NAMESPACE, element=True):
    """WPT Charge Parameter Discovery Res."""

    PDInputPowerClass: WPT_PowerClass
    SDMinOutputPower: RationalNumber
    SDMaxOutputPower: RationalNumber
    SDMaxGroundClearanceSupport: UnsignedShort
    SDMinGroundClearanceSupport: UnsignedShort
    PDMinCoilCurrent: RationalNumber
    PDMaxCoilCurrent: RationalNumber
    SDManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq, namespace=NAMESPACE, element=True):
    """WPT Charge Parameter Discovery Req."""

    Response: ClassVar[type[WPT_ChargeParameterDiscoveryRes]] = WPT_ChargeParameterDiscoveryRes

    EVPCMaxReceivablePower: RationalNumber
    SDMaxGroundClearence: UnsignedShort
    SDMinGroundClearence: UnsignedShort
    EVPCNaturalFrequency: RationalNumber
    EVPCDeviceLocalControl: bool
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_AlignmentCheckRes(V2GResponse, namespace=NAMESPACE, element=True):
    """WPT Alignment Check Res."""

    EVSEProcessing: Processing
    PowerTransmitted: RationalNumber | None = None
    SupplyDeviceCurrent: RationalNumber | None = None
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_AlignmentCheckReq(V2GRequest, namespace=NAMESPACE, element=True):
    """WPT Alignment Check Req."""

    Response: ClassVar[type[WPT_AlignmentCheckRes]] = WPT_AlignmentCheckRes

    EVProcessing: Processing
    TargetCoilCurrent: RationalNumber | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_SPCPowerControlParameter(Part, namespace=NAMESPACE):
    """WPT SPCPower Control Parameter."""

    SPCPrimaryDeviceCoilCurrentInformation: RationalNumber


class WPT_ChargeLoopRes(ChargeLoopRes, namespace=NAMESPACE, element=True):
    """WPT Charge Loop Res."""

    EVPCPowerRequest: RationalNumber
    SDPowerInput: RationalNumber | None = None
    SPCMaxOutputPowerLimit: RationalNumber
    SPCMinOutputPowerLimit: RationalNumber
    SPCChargeDiagnostics: WPT_SPCChargeDiagnostics
    SPCOperatingFrequency: RationalNumber | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []


class WPT_EVPCPowerControlParameter(Part, namespace=NAMESPACE):
    """WPT EVPCPower Control Parameter."""

    EVPCCoilCurrentRequest: RationalNumber
    EVPCCoilCurrentInformation: RationalNumber
    EVPCCurrentOutputInformation: RationalNumber
    EVPCVoltageOutputInformation: RationalNumber


class WPT_ChargeLoopReq(ChargeLoopReq, namespace=NAMESPACE, element=True):
    """WPT Charge Loop Req."""

    Response: ClassVar[type[WPT_ChargeLoopRes]] = WPT_ChargeLoopRes

    EVPCPowerRequest: RationalNumber
    EVPCPowerOutput: RationalNumber
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnostics
    EVPCOperatingFrequency: RationalNumber | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainer], Occurs(0, 16)] = []
