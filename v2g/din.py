"""How DIN 70121 packs, pairs and refuses messages."""

from __future__ import annotations

from collections.abc import Callable

from v2g import identifiers
from v2g.dialect import SESSION_ID_SIZE, Envelope, Paired, Refusing
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.messages import din
from v2g.messages.din import PhysicalValue, ResponseCode, UnitSymbol
from v2g.protocols import DIN as PROTOCOL
from v2g.protocols import Protocol

CHARGE_SERVICE = 1

# The schema knows 34 messages; these eleven pairs are those that DIN 70121 uses.
REQUESTS: tuple[type[din.BodyMessage], ...] = (
    din.SessionSetupReq,
    din.ServiceDiscoveryReq,
    din.ServicePaymentSelectionReq,
    din.ContractAuthenticationReq,
    din.ChargeParameterDiscoveryReq,
    din.CableCheckReq,
    din.PreChargeReq,
    din.PowerDeliveryReq,
    din.CurrentDemandReq,
    din.WeldingDetectionReq,
    din.SessionStopReq,
)
RESPONSES: tuple[type[din.BodyMessage], ...] = (
    din.SessionSetupRes,
    din.ServiceDiscoveryRes,
    din.ServicePaymentSelectionRes,
    din.ContractAuthenticationRes,
    din.ChargeParameterDiscoveryRes,
    din.CableCheckRes,
    din.PreChargeRes,
    din.PowerDeliveryRes,
    din.CurrentDemandRes,
    din.WeldingDetectionRes,
    din.SessionStopRes,
)


class Din(Paired):
    """The dialect of DIN 70121; it holds no state."""

    protocol: Protocol = PROTOCOL
    messages: tuple[type[Message], ...] = (*REQUESTS, *RESPONSES)
    setup: type[Message] = din.SessionSetupReq
    stop: type[Message] = din.SessionStopReq

    def wrap(self, envelope: Envelope) -> Message:
        """Pack a body message into a V2G_Message; raises TypeError for a message of another standard."""
        if not isinstance(envelope.body, din.BodyElement):
            raise TypeError(f"{type(envelope.body).__name__} is no body message of DIN 70121")
        header = din.MessageHeader(SessionID=envelope.session_id, Signature=envelope.signature)
        return din.V2G_Message(Header=header, Body=din.Body(BodyElement=envelope.body))

    def unwrap(self, message: Message) -> Envelope:
        """Unpack a V2G_Message; the session id is left-justified to 8 bytes, as vehicles send 0 to 8."""
        if not isinstance(message, din.V2G_Message) or message.Body.BodyElement is None:
            raise Undecodable(f"a {type(message).__name__} without a body is no message of DIN 70121")
        header = message.Header
        return Envelope(
            session_id=header.SessionID.ljust(SESSION_ID_SIZE, b"\0"),
            body=message.Body.BodyElement,
            signature=header.Signature,
        )

    def terminates(self, stop: Message) -> bool:
        """Whether this is a SessionStopReq: DIN knows no pause."""
        return isinstance(stop, din.SessionStopReq)

    def stopped(self) -> Message:
        """The positive answer to SessionStopReq."""
        return din.SessionStopRes(ResponseCode=ResponseCode.OK)

    def refusal(self, request: Message, code: str, charger: Refusing) -> Message:
        """The response that belongs to `request`, with the least content that is valid; an unknown code is FAILED."""
        try:
            failure = ResponseCode(code)
        except ValueError:
            failure = ResponseCode.FAILED
        return _REFUSALS.get(type(request), _bare)(request, failure, charger)


DIN = Din()


def dc_status(code: str) -> din.DC_EVSEStatus:
    """A DC_EVSEStatus that wishes nothing; the isolation status is left out."""
    return din.DC_EVSEStatus(
        EVSEStatusCode=din.DC_EVSEStatusCode(code),
        NotificationMaxDelay=0,
        EVSENotification=din.EVSENotification.None_,
    )


def ac_status() -> din.AC_EVSEStatus:
    """An AC_EVSEStatus, for the messages that exist in the schema only: switched off, and wishing nothing."""
    return din.AC_EVSEStatus(
        PowerSwitchClosed=False, RCD=False, NotificationMaxDelay=0, EVSENotification=din.EVSENotification.None_
    )


def _zero(unit: UnitSymbol) -> PhysicalValue:
    return PhysicalValue(Multiplier=0, Unit=unit, Value=0)


def _setup(_request: Message, code: ResponseCode, charger: Refusing) -> Message:
    return din.SessionSetupRes(ResponseCode=code, EVSEID=identifiers.evse_bytes_din(charger.evse_id))


def _discovery(_request: Message, code: ResponseCode, _charger: Refusing) -> Message:
    return din.ServiceDiscoveryRes(
        ResponseCode=code,
        PaymentOptions=din.PaymentOptions(PaymentOption=[din.PaymentOption.ExternalPayment]),
        ChargeService=din.ServiceCharge(
            ServiceTag=din.ServiceTag(ServiceID=CHARGE_SERVICE, ServiceCategory=din.ServiceCategory.EVCharging),
            FreeService=False,
            EnergyTransferType=din.EVSESupportedEnergyTransfer.DC_extended,
        ),
    )


def _charge_parameters(_request: Message, code: ResponseCode, charger: Refusing) -> Message:
    """No power at no time: the schema wants schedules in a refusal, too."""
    nothing = din.PMaxScheduleEntry(TimeInterval=din.RelativeTimeInterval(start=0, duration=0), PMax=0)
    schedule = din.PMaxSchedule(PMaxScheduleID=1, PMaxScheduleEntry=[nothing])
    return din.ChargeParameterDiscoveryRes(
        ResponseCode=code,
        EVSEProcessing=_FINISHED,
        SASchedules=din.SAScheduleList(
            SAScheduleTuple=[din.SAScheduleTuple(SAScheduleTupleID=1, PMaxSchedule=schedule)]
        ),
        EVSEChargeParameter=din.DC_EVSEChargeParameter(
            DC_EVSEStatus=dc_status(charger.status),
            EVSEMaximumCurrentLimit=_zero(UnitSymbol.A),
            EVSEMaximumPowerLimit=_zero(UnitSymbol.W),
            EVSEMaximumVoltageLimit=_zero(UnitSymbol.V),
            EVSEMinimumCurrentLimit=_zero(UnitSymbol.A),
            EVSEMinimumVoltageLimit=_zero(UnitSymbol.V),
            EVSEPeakCurrentRipple=_zero(UnitSymbol.A),
        ),
    )


def _current_demand(_request: Message, code: ResponseCode, charger: Refusing) -> Message:
    return din.CurrentDemandRes(
        ResponseCode=code,
        DC_EVSEStatus=dc_status(charger.status),
        EVSEPresentVoltage=_zero(UnitSymbol.V),
        EVSEPresentCurrent=_zero(UnitSymbol.A),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
    )


def _charging_status(_request: Message, code: ResponseCode, charger: Refusing) -> Message:
    return din.ChargingStatusRes(
        ResponseCode=code,
        EVSEID=identifiers.evse_bytes_din(charger.evse_id),
        SAScheduleTupleID=1,
        ReceiptRequired=False,
        AC_EVSEStatus=ac_status(),
    )


def _service_detail(request: Message, code: ResponseCode, _charger: Refusing) -> Message:
    """The id asked for comes back, as far as an answer can carry it."""
    asked = request.ServiceID if isinstance(request, din.ServiceDetailReq) else 0
    return din.ServiceDetailRes(ResponseCode=code, ServiceID=asked if 0 <= asked <= 65_535 else 0)


def _installation(_request: Message, code: ResponseCode, _charger: Refusing) -> Message:
    return din.CertificateInstallationRes(
        Id="id1",
        ResponseCode=code,
        ContractSignatureCertChain=din.CertificateChain(Certificate=b""),
        ContractSignatureEncryptedPrivateKey=b"",
        DHParams=b"",
        ContractID="",
    )


def _update(_request: Message, code: ResponseCode, _charger: Refusing) -> Message:
    return din.CertificateUpdateRes(
        Id="id1",
        ResponseCode=code,
        ContractSignatureCertChain=din.CertificateChain(Certificate=b""),
        ContractSignatureEncryptedPrivateKey=b"",
        DHParams=b"",
        ContractID="",
        RetryCounter=0,
    )


def _bare(_request: Message, _code: ResponseCode, _charger: Refusing) -> Message:
    raise Undecodable("only requests are refused")


_Refusal = Callable[[Message, ResponseCode, Refusing], Message]
_FINISHED = din.EVSEProcessing.Finished

_REFUSALS: dict[type[Message], _Refusal] = {
    din.SessionSetupReq: _setup,
    din.ServiceDiscoveryReq: _discovery,
    din.ServicePaymentSelectionReq: lambda _, code, __: din.ServicePaymentSelectionRes(ResponseCode=code),
    din.ContractAuthenticationReq: lambda _, code, __: din.ContractAuthenticationRes(
        ResponseCode=code, EVSEProcessing=_FINISHED
    ),
    din.ChargeParameterDiscoveryReq: _charge_parameters,
    din.CableCheckReq: lambda _, code, charger: din.CableCheckRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEProcessing=_FINISHED
    ),
    din.PreChargeReq: lambda _, code, charger: din.PreChargeRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEPresentVoltage=_zero(UnitSymbol.V)
    ),
    din.PowerDeliveryReq: lambda _, code, charger: din.PowerDeliveryRes(
        ResponseCode=code, EVSEStatus=dc_status(charger.status)
    ),
    din.CurrentDemandReq: _current_demand,
    din.WeldingDetectionReq: lambda _, code, charger: din.WeldingDetectionRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEPresentVoltage=_zero(UnitSymbol.V)
    ),
    din.SessionStopReq: lambda _, code, __: din.SessionStopRes(ResponseCode=code),
    # What only the schema has: never legal, and answered all the same by what belongs to it.
    din.ServiceDetailReq: _service_detail,
    din.PaymentDetailsReq: lambda _, code, __: din.PaymentDetailsRes(ResponseCode=code, GenChallenge="", DateTimeNow=0),
    din.ChargingStatusReq: _charging_status,
    din.MeteringReceiptReq: lambda _, code, __: din.MeteringReceiptRes(ResponseCode=code, AC_EVSEStatus=ac_status()),
    din.CertificateInstallationReq: _installation,
    din.CertificateUpdateReq: _update,
}
