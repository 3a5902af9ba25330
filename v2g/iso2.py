"""How ISO 15118-2 packs, pairs and refuses messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from v2g.dialect import SESSION_ID_SIZE, Envelope, Paired, Refusing
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.messages import iso2
from v2g.messages.iso2 import PhysicalValue, ResponseCode, UnitSymbol
from v2g.protocols import ISO2 as PROTOCOL
from v2g.protocols import Protocol

NO_CHALLENGE = bytes(16)
NO_CERTIFICATES = iso2.CertificateChain(Certificate=b"")


class Iso2(Paired):
    """The dialect of ISO 15118-2; it holds no state."""

    protocol: Protocol = PROTOCOL
    messages: tuple[type[Message], ...] = tuple(iso2.BodyElement.__subclasses__())
    setup: type[Message] = iso2.SessionSetupReq
    stop: type[Message] = iso2.SessionStopReq

    def wrap(self, envelope: Envelope) -> Message:
        """Pack a body message into a V2G_Message; raises TypeError for a message of another standard."""
        if not isinstance(envelope.body, iso2.BodyElement):
            raise TypeError(f"{type(envelope.body).__name__} is no body message of ISO 15118-2")
        header = iso2.MessageHeader(SessionID=envelope.session_id, Signature=envelope.signature)
        return iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=envelope.body))

    def unwrap(self, message: Message) -> Envelope:
        """Unpack a V2G_Message; the session id is left-justified to 8 bytes, as vehicles send 0 to 8."""
        if not isinstance(message, iso2.V2G_Message) or message.Body.BodyElement is None:
            raise Undecodable(f"a {type(message).__name__} without a body is no message of ISO 15118-2")
        header = message.Header
        return Envelope(
            session_id=header.SessionID.ljust(SESSION_ID_SIZE, b"\0"),
            body=message.Body.BodyElement,
            signature=header.Signature,
        )

    def terminates(self, stop: Message) -> bool:
        """Whether this SessionStopReq ends the session for good."""
        return isinstance(stop, iso2.SessionStopReq) and stop.ChargingSession is iso2.ChargingSession.Terminate

    def stopped(self) -> Message:
        """The positive answer to SessionStopReq."""
        return iso2.SessionStopRes(ResponseCode=ResponseCode.OK)

    def refusal(self, request: Message, code: str, charger: Refusing) -> Message:
        """The response that belongs to `request`, with the least content that is valid [V2G2-736]."""
        try:
            failure = ResponseCode(code)
        except ValueError:
            failure = ResponseCode.FAILED
        return _REFUSALS.get(type(request), _bare)(request, failure, charger)


ISO2 = Iso2()


def _zero(unit: UnitSymbol) -> PhysicalValue:
    return PhysicalValue(Multiplier=0, Unit=unit, Value=0)


def ac_status(*, rcd: bool = False) -> iso2.AC_EVSEStatus:
    """An AC_EVSEStatus that wishes nothing."""
    return iso2.AC_EVSEStatus(NotificationMaxDelay=0, EVSENotification=iso2.EVSENotification.None_, RCD=rcd)


def dc_status(code: str) -> iso2.DC_EVSEStatus:
    """A DC_EVSEStatus that wishes nothing; the isolation status is left out."""
    return iso2.DC_EVSEStatus(
        NotificationMaxDelay=0,
        EVSENotification=iso2.EVSENotification.None_,
        EVSEStatusCode=iso2.DC_EVSEStatusCode(code),
    )


def _energy_status(charger: Refusing) -> iso2.EVSEStatus:
    return ac_status() if charger.energy == "AC" else dc_status(charger.status)


def _charge_parameter(charger: Refusing) -> iso2.EVSEChargeParameter:
    if charger.energy == "AC":
        return iso2.AC_EVSEChargeParameter(
            AC_EVSEStatus=ac_status(),
            EVSENominalVoltage=_zero(UnitSymbol.V),
            EVSEMaxCurrent=_zero(UnitSymbol.A),
        )
    return iso2.DC_EVSEChargeParameter(
        DC_EVSEStatus=dc_status(charger.status),
        EVSEMaximumCurrentLimit=_zero(UnitSymbol.A),
        EVSEMaximumPowerLimit=_zero(UnitSymbol.W),
        EVSEMaximumVoltageLimit=_zero(UnitSymbol.V),
        EVSEMinimumCurrentLimit=_zero(UnitSymbol.A),
        EVSEMinimumVoltageLimit=_zero(UnitSymbol.V),
        EVSEPeakCurrentRipple=_zero(UnitSymbol.A),
    )


def _discovery(code: ResponseCode, charger: Refusing) -> Message:
    mode = "AC_single_phase_core" if charger.energy == "AC" else "DC_extended"
    return iso2.ServiceDiscoveryRes(
        ResponseCode=code,
        PaymentOptionList=iso2.PaymentOptionList(PaymentOption=[iso2.PaymentOption.ExternalPayment]),
        ChargeService=iso2.ChargeService(
            ServiceID=1,
            ServiceCategory=iso2.ServiceCategory.EVCharging,
            FreeService=False,
            SupportedEnergyTransferMode=iso2.SupportedEnergyTransferMode(
                EnergyTransferMode=[iso2.EnergyTransferMode(mode)]
            ),
        ),
    )


def _current_demand(code: ResponseCode, charger: Refusing) -> Message:
    return iso2.CurrentDemandRes(
        ResponseCode=code,
        DC_EVSEStatus=dc_status(charger.status),
        EVSEPresentVoltage=_zero(UnitSymbol.V),
        EVSEPresentCurrent=_zero(UnitSymbol.A),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
        EVSEID=charger.evse_id,
        SAScheduleTupleID=1,
    )


def _service_id(request: Message) -> int:
    """The id asked for, as far as an answer can carry it."""
    asked = request.ServiceID if isinstance(request, iso2.ServiceDetailReq) else 0
    return asked if 0 <= asked <= 65_535 else 0


def _no_contract() -> dict[str, Any]:
    """The mandatory parts of a failed installation or update, all empty."""
    return {
        "SAProvisioningCertificateChain": NO_CERTIFICATES,
        "ContractSignatureCertChain": NO_CERTIFICATES,
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKey(Id="id1", value=bytes(48)),
        "DHpublickey": iso2.DiffieHellmanPublickey(Id="id2", value=bytes(65)),
        "eMAID": iso2.EMAID(Id="id3", value="ZZ000000000000"),
    }


def _bare(_request: Message, _code: ResponseCode, _charger: Refusing) -> Message:
    raise Undecodable("only requests are refused")


_Refusal = Callable[[Message, ResponseCode, Refusing], Message]
_FINISHED = iso2.EVSEProcessing.Finished

_REFUSALS: dict[type[Message], _Refusal] = {
    iso2.SessionSetupReq: lambda _, code, charger: iso2.SessionSetupRes(ResponseCode=code, EVSEID=charger.evse_id),
    iso2.ServiceDiscoveryReq: lambda _, code, charger: _discovery(code, charger),
    iso2.ServiceDetailReq: lambda request, code, _: iso2.ServiceDetailRes(
        ResponseCode=code, ServiceID=_service_id(request)
    ),
    iso2.PaymentServiceSelectionReq: lambda _, code, __: iso2.PaymentServiceSelectionRes(ResponseCode=code),
    iso2.PaymentDetailsReq: lambda _, code, __: iso2.PaymentDetailsRes(
        ResponseCode=code, GenChallenge=NO_CHALLENGE, EVSETimeStamp=0
    ),
    iso2.AuthorizationReq: lambda _, code, __: iso2.AuthorizationRes(ResponseCode=code, EVSEProcessing=_FINISHED),
    iso2.ChargeParameterDiscoveryReq: lambda _, code, charger: iso2.ChargeParameterDiscoveryRes(
        ResponseCode=code, EVSEProcessing=_FINISHED, EVSEChargeParameter=_charge_parameter(charger)
    ),
    iso2.PowerDeliveryReq: lambda _, code, charger: iso2.PowerDeliveryRes(
        ResponseCode=code, EVSEStatus=_energy_status(charger)
    ),
    iso2.ChargingStatusReq: lambda _, code, charger: iso2.ChargingStatusRes(
        ResponseCode=code, EVSEID=charger.evse_id, SAScheduleTupleID=1, AC_EVSEStatus=ac_status()
    ),
    iso2.MeteringReceiptReq: lambda _, code, charger: iso2.MeteringReceiptRes(
        ResponseCode=code, EVSEStatus=_energy_status(charger)
    ),
    iso2.CableCheckReq: lambda _, code, charger: iso2.CableCheckRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEProcessing=_FINISHED
    ),
    iso2.PreChargeReq: lambda _, code, charger: iso2.PreChargeRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEPresentVoltage=_zero(UnitSymbol.V)
    ),
    iso2.CurrentDemandReq: lambda _, code, charger: _current_demand(code, charger),
    iso2.WeldingDetectionReq: lambda _, code, charger: iso2.WeldingDetectionRes(
        ResponseCode=code, DC_EVSEStatus=dc_status(charger.status), EVSEPresentVoltage=_zero(UnitSymbol.V)
    ),
    iso2.SessionStopReq: lambda _, code, __: iso2.SessionStopRes(ResponseCode=code),
    iso2.CertificateInstallationReq: lambda _, code, __: iso2.CertificateInstallationRes(
        ResponseCode=code, **_no_contract()
    ),
    iso2.CertificateUpdateReq: lambda _, code, __: iso2.CertificateUpdateRes(ResponseCode=code, **_no_contract()),
}
