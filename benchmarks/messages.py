"""The messages that codecs are compared by, made of our own classes with the contents of an ordinary session.

They are what a station reads and writes most often (the loops), at the greatest length (certificates), and with the
longest lists (schedules). Lists stay below their maxima: there codecs differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from v2g.exi.message import Message
from v2g.messages import app_protocol as sap
from v2g.messages import din, iso2, xmldsig
from v2g.messages.iso20 import common, common_types, dc

SESSION = bytes.fromhex("8ee7fb4349536377")
ENTRIES = 12
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
EXI = "http://www.w3.org/TR/canonical-exi/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message: its schema set and namespace, how it is made, and whether it belongs to a loop or is mostly lists."""

    schema: str
    namespace: str
    make: Callable[[], Message]
    loop: bool = False
    lists: bool = False


def sap_request() -> Message:
    """Offer DIN 70121 and ISO 15118-2."""
    offers = ((din.DEFINITION, 2), (iso2.DEFINITION, 2))
    return sap.SupportedAppProtocolReq(
        AppProtocol=[
            sap.AppProtocol(
                ProtocolNamespace=namespace,
                VersionNumberMajor=major,
                VersionNumberMinor=0,
                SchemaID=number,
                Priority=number,
            )
            for number, (namespace, major) in enumerate(offers, start=1)
        ],
    )


def sap_response() -> Message:
    """Take the first offer."""
    return sap.SupportedAppProtocolRes(ResponseCode=sap.ResponseCode.OK_SuccessfulNegotiation, SchemaID=1)


def _iso2(body: iso2.BodyElement, signature: xmldsig.Signature | None = None) -> Message:
    return iso2.V2G_Message(
        Header=iso2.MessageHeader(SessionID=SESSION, Signature=signature), Body=iso2.Body(BodyElement=body)
    )


def _physical(value: int, unit: str, multiplier: int = 0) -> iso2.PhysicalValue:
    return iso2.PhysicalValue(Multiplier=multiplier, Unit=iso2.UnitSymbol(unit), Value=value)


def _signature(*uris: str) -> xmldsig.Signature:
    references = [
        xmldsig.Reference(
            URI=uri,
            Transforms=xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=EXI)]),
            DigestMethod=xmldsig.DigestMethod(Algorithm=SHA256),
            DigestValue=bytes(range(32)),
        )
        for uri in uris
    ]
    return xmldsig.Signature(
        SignedInfo=xmldsig.SignedInfo(
            CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm=EXI),
            SignatureMethod=xmldsig.SignatureMethod(Algorithm=ECDSA_SHA256),
            Reference=references,
        ),
        SignatureValue=xmldsig.SignatureValue(value=bytes(range(64))),
    )


def current_demand_request() -> Message:
    """Ask for 50 A, with all limits and remaining times."""
    return _iso2(
        iso2.CurrentDemandReq(
            DC_EVStatus=iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode.NO_ERROR, EVRESSSOC=60),
            EVTargetCurrent=_physical(50, "A"),
            EVMaximumVoltageLimit=_physical(400, "V"),
            EVMaximumCurrentLimit=_physical(125, "A"),
            EVMaximumPowerLimit=_physical(5000, "W", 1),
            BulkChargingComplete=False,
            ChargingComplete=False,
            RemainingTimeToFullSoC=_physical(1200, "s"),
            RemainingTimeToBulkSoC=_physical(600, "s"),
            EVTargetVoltage=_physical(380, "V"),
        ),
    )


def current_demand_response() -> Message:
    """Tell what flows, all limits, and the meter."""
    return _iso2(
        iso2.CurrentDemandRes(
            ResponseCode=iso2.ResponseCode.OK,
            DC_EVSEStatus=iso2.DC_EVSEStatus(
                NotificationMaxDelay=0,
                EVSENotification=iso2.EVSENotification.None_,
                EVSEIsolationStatus=iso2.IsolationLevel.Valid,
                EVSEStatusCode=iso2.DC_EVSEStatusCode.EVSE_Ready,
            ),
            EVSEPresentVoltage=_physical(380, "V"),
            EVSEPresentCurrent=_physical(50, "A"),
            EVSECurrentLimitAchieved=False,
            EVSEVoltageLimitAchieved=False,
            EVSEPowerLimitAchieved=False,
            EVSEMaximumVoltageLimit=_physical(500, "V"),
            EVSEMaximumCurrentLimit=_physical(125, "A"),
            EVSEMaximumPowerLimit=_physical(5000, "W", 1),
            EVSEID="DE*ABC*E1234*1",
            SAScheduleTupleID=1,
            MeterInfo=iso2.MeterInfo(MeterID="ABC-4711", MeterReading=123456, TMeter=1_700_000_000),
            ReceiptRequired=False,
        ),
    )


def charge_parameter_discovery() -> Message:
    """Offer three schedules with twelve powers and twelve prices each, signed."""

    def during(number: int) -> iso2.RelativeTimeInterval:
        return iso2.RelativeTimeInterval(start=900 * number)

    def schedule(number: int) -> iso2.SAScheduleTuple:
        powers = [
            iso2.PMaxScheduleEntry(TimeInterval=during(entry), PMax=_physical(11_000 + entry, "W"))
            for entry in range(ENTRIES)
        ]
        prices = [
            iso2.SalesTariffEntry(
                TimeInterval=during(entry),
                EPriceLevel=1 + entry % 3,
                ConsumptionCost=[
                    iso2.ConsumptionCost(
                        startValue=_physical(0, "W"),
                        Cost=[iso2.Cost(costKind=iso2.CostKind.relativePricePercentage, amount=100 - entry)],
                    )
                ],
            )
            for entry in range(ENTRIES)
        ]
        return iso2.SAScheduleTuple(
            SAScheduleTupleID=number,
            PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=powers),
            SalesTariff=iso2.SalesTariff(
                Id=f"tariff{number}", SalesTariffID=number, NumEPriceLevels=3, SalesTariffEntry=prices
            ),
        )

    return _iso2(
        iso2.ChargeParameterDiscoveryRes(
            ResponseCode=iso2.ResponseCode.OK,
            EVSEProcessing=iso2.EVSEProcessing.Finished,
            SASchedules=iso2.SAScheduleList(SAScheduleTuple=[schedule(number) for number in (1, 2, 3)]),
            EVSEChargeParameter=iso2.AC_EVSEChargeParameter(
                AC_EVSEStatus=iso2.AC_EVSEStatus(
                    NotificationMaxDelay=0, EVSENotification=iso2.EVSENotification.None_, RCD=False
                ),
                EVSENominalVoltage=_physical(230, "V"),
                EVSEMaxCurrent=_physical(32, "A"),
            ),
        ),
        _signature("#tariff1", "#tariff2", "#tariff3"),
    )


def certificate_installation() -> Message:
    """Deliver a contract: two chains of three certificates, an encrypted key, signed."""

    def chain(name: str) -> iso2.CertificateChain:
        return iso2.CertificateChain(
            Id=name,
            Certificate=bytes(range(200)) * 3,
            SubCertificates=iso2.SubCertificates(Certificate=[bytes(range(200)) * 3] * 2),
        )

    names = ("id1", "id2", "id3", "id4")
    return _iso2(
        iso2.CertificateInstallationRes(
            ResponseCode=iso2.ResponseCode.OK,
            SAProvisioningCertificateChain=chain("id0"),
            ContractSignatureCertChain=chain(names[0]),
            ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(
                Id=names[1], value=bytes(range(48))
            ),
            DHpublickey=iso2.DiffieHellmanPublickey(Id=names[2], value=bytes(range(65))),
            eMAID=iso2.EMAID(Id=names[3], value="DEABC123456789"),
        ),
        _signature(*(f"#{name}" for name in names)),
    )


def din_current_demand_request() -> Message:
    """Ask for 50 A in the words of DIN 70121."""

    def physical(value: int, unit: str) -> din.PhysicalValue:
        return din.PhysicalValue(Multiplier=0, Unit=din.UnitSymbol(unit), Value=value)

    request = din.CurrentDemandReq(
        DC_EVStatus=din.DC_EVStatus(EVReady=True, EVErrorCode=din.DC_EVErrorCode.NO_ERROR, EVRESSSOC=60),
        EVTargetCurrent=physical(50, "A"),
        EVMaximumVoltageLimit=physical(400, "V"),
        EVMaximumCurrentLimit=physical(125, "A"),
        BulkChargingComplete=False,
        ChargingComplete=False,
        RemainingTimeToFullSoC=physical(1200, "s"),
        RemainingTimeToBulkSoC=physical(600, "s"),
        EVTargetVoltage=physical(380, "V"),
    )
    return din.V2G_Message(Header=din.MessageHeader(SessionID=SESSION), Body=din.Body(BodyElement=request))


def _header() -> common_types.MessageHeader:
    return common_types.MessageHeader(SessionID=SESSION, TimeStamp=1_700_000_000)


def _rational(value: int, exponent: int = 0) -> common_types.RationalNumber:
    return common_types.RationalNumber(Exponent=exponent, Value=value)


def dc_charge_loop_request() -> Message:
    """Ask for 50 A in scheduled mode, as Josev's vehicle does."""
    return dc.DC_ChargeLoopReq(
        Header=_header(),
        MeterInfoRequested=False,
        EVPresentVoltage=_rational(3795, -1),
        CLReqControlMode=dc.Scheduled_DC_CLReqControlMode(
            EVTargetCurrent=_rational(50), EVTargetVoltage=_rational(380)
        ),
    )


def dc_charge_loop_response() -> Message:
    """Tell what flows, and the limits of scheduled mode, as Josev's station does."""
    return dc.DC_ChargeLoopRes(
        Header=_header(),
        ResponseCode=common_types.ResponseCode.OK,
        EVSEPresentCurrent=_rational(50),
        EVSEPresentVoltage=_rational(3795, -1),
        EVSEPowerLimitAchieved=False,
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        CLResControlMode=dc.Scheduled_DC_CLResControlMode(
            EVSEMaximumChargePower=_rational(50, 3),
            EVSEMinimumChargePower=_rational(0),
            EVSEMaximumChargeCurrent=_rational(125),
            EVSEMaximumVoltage=_rational(500),
        ),
    )


def schedule_exchange() -> Message:
    """Offer two schedules with twelve powers and twelve price levels each."""

    def schedule(number: int) -> common.ScheduleTuple:
        powers = [common.PowerScheduleEntry(Duration=900, Power=_rational(11_000 + entry)) for entry in range(ENTRIES)]
        prices = [common.PriceLevelScheduleEntry(Duration=900, PriceLevel=1 + entry % 3) for entry in range(ENTRIES)]
        return common.ScheduleTuple(
            ScheduleTupleID=number,
            ChargingSchedule=common.ChargingSchedule(
                PowerSchedule=common.PowerSchedule(
                    TimeAnchor=1_700_000_000,
                    PowerScheduleEntries=common.PowerScheduleEntryList(PowerScheduleEntry=powers),
                ),
                PriceLevelSchedule=common.PriceLevelSchedule(
                    Id=f"price{number}",
                    TimeAnchor=1_700_000_000,
                    PriceScheduleID=number,
                    NumberOfPriceLevels=3,
                    PriceLevelScheduleEntries=common.PriceLevelScheduleEntryList(PriceLevelScheduleEntry=prices),
                ),
            ),
        )

    return common.ScheduleExchangeRes(
        Header=_header(),
        ResponseCode=common_types.ResponseCode.OK,
        EVSEProcessing=common_types.Processing.Finished,
        Scheduled_SEResControlMode=common.Scheduled_SEResControlMode(ScheduleTuple=[schedule(1), schedule(2)]),
    )


_SAP = ("sap", "urn:iso:15118:2:2010:AppProtocol")
_ISO2 = ("iso2", iso2.DEFINITION)
_DC = ("iso20.dc", dc.NAMESPACE)


def _sample(place: tuple[str, str], make: Callable[[], Message], *, loop: bool = False, lists: bool = False) -> Sample:
    return Sample(schema=place[0], namespace=place[1], make=make, loop=loop, lists=lists)


SAMPLES = {
    "SupportedAppProtocolReq": _sample(_SAP, sap_request),
    "SupportedAppProtocolRes": _sample(_SAP, sap_response),
    "CurrentDemandReq": _sample(_ISO2, current_demand_request, loop=True),
    "CurrentDemandRes": _sample(_ISO2, current_demand_response, loop=True),
    "ChargeParameterDiscoveryRes": _sample(_ISO2, charge_parameter_discovery, lists=True),
    "CertificateInstallationRes": _sample(_ISO2, certificate_installation),
    "DIN CurrentDemandReq": _sample(("din", din.DEFINITION), din_current_demand_request, loop=True),
    "-20 DC_ChargeLoopReq": _sample(_DC, dc_charge_loop_request, loop=True),
    "-20 DC_ChargeLoopRes": _sample(_DC, dc_charge_loop_response, loop=True),
    "-20 ScheduleExchangeRes": _sample(("iso20.common", common.NAMESPACE), schedule_exchange, lists=True),
}
"""By the name they are shown under; the first two and those without a prefix are ISO 15118-2's."""
