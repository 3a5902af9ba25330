"""The dialect of DIN 70121: every request of the schema has a refusal that can be sent and read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.dialect import Dialect, Envelope, Refusing
from v2g.din import DIN, REQUESTS, RESPONSES
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.messages import din, iso2
from v2g.messages.din import ResponseCode
from v2g.protocols import schema

SESSION = bytes.fromhex("0102030405060708")
PARAMETER = din.AC_EVChargeParameter(
    DepartureTime=0,
    EAmount=din.PhysicalValue(Multiplier=0, Value=0),
    EVMaxVoltage=din.PhysicalValue(Multiplier=0, Value=0),
    EVMaxCurrent=din.PhysicalValue(Multiplier=0, Value=0),
    EVMinCurrent=din.PhysicalValue(Multiplier=0, Value=0),
)
STATUS = din.DC_EVStatus(EVReady=True, EVErrorCode=din.DC_EVErrorCode.NO_ERROR, EVRESSSOC=50)
VOLTS = din.PhysicalValue(Multiplier=0, Unit=din.UnitSymbol.V, Value=400)
CHAIN = din.CertificateChain(Certificate=b"\x30\x00")
ROOTS = din.ListOfRootCertificateIDs(RootCertificateID=["CN=V2G"])
EVERY: tuple[din.BodyMessage, ...] = (
    din.SessionSetupReq(EVCCID=bytes(6)),
    din.ServiceDiscoveryReq(),
    din.ServiceDetailReq(ServiceID=7),
    din.ServicePaymentSelectionReq(
        SelectedPaymentOption=din.PaymentOption.ExternalPayment,
        SelectedServiceList=din.SelectedServiceList(SelectedService=[din.SelectedService(ServiceID=1)]),
    ),
    din.PaymentDetailsReq(ContractID="C1", ContractSignatureCertChain=CHAIN),
    din.ContractAuthenticationReq(),
    din.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=din.EVRequestedEnergyTransfer.DC_extended, EVChargeParameter=PARAMETER
    ),
    din.PowerDeliveryReq(ReadyToChargeState=True),
    din.MeteringReceiptReq(SessionID=SESSION, MeterInfo=din.MeterInfo(MeterID="M")),
    din.SessionStopReq(),
    din.CertificateUpdateReq(
        Id="i", ContractSignatureCertChain=CHAIN, ContractID="C1", ListOfRootCertificateIDs=ROOTS, DHParams=b"1"
    ),
    din.CertificateInstallationReq(
        Id="i", OEMProvisioningCert=b"\x30\x00", ListOfRootCertificateIDs=ROOTS, DHParams=b"1"
    ),
    din.ChargingStatusReq(),
    din.CableCheckReq(DC_EVStatus=STATUS),
    din.PreChargeReq(DC_EVStatus=STATUS, EVTargetVoltage=VOLTS, EVTargetCurrent=VOLTS),
    din.CurrentDemandReq(DC_EVStatus=STATUS, EVTargetCurrent=VOLTS, EVTargetVoltage=VOLTS, ChargingComplete=False),
    din.WeldingDetectionReq(DC_EVStatus=STATUS),
)


def test_every_request_of_the_schema_is_here() -> None:
    declared = {each for each in din.BodyMessage.__subclasses__() if hasattr(each, "Response")}
    assert {type(request) for request in EVERY} == declared


@pytest.mark.parametrize("request_", EVERY, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "FAILED_UnknownSession"])
def test_a_refusal_is_the_paired_response_and_can_be_read(request_: din.BodyMessage, code: str) -> None:
    charger = Refusing(evse_id="DE*ABC*E1234", energy="DC", status="EVSE_EmergencyShutdown")
    refusal = DIN.refusal(request_, code, charger)
    assert type(refusal).__name__ == type(request_).__name__.removesuffix("Req") + "Res"
    data = schema("din").encode(DIN.wrap(Envelope(session_id=SESSION, body=refusal)))
    back = DIN.unwrap(schema("din").decode(data))
    assert (back.session_id, back.body) == (SESSION, refusal)
    assert DIN.code(back.body) == code
    status = getattr(back.body, "DC_EVSEStatus", None)
    assert status is None or (status.EVSEStatusCode, status.EVSEIsolationStatus) == ("EVSE_EmergencyShutdown", None)


@pytest.mark.parametrize("code", ["FAILED_ContactorError", "FAILED_NoChargeServiceSelected", "OK?", ""])
def test_a_code_that_din_does_not_know_is_failed(code: str) -> None:
    assert DIN.code(DIN.refusal(din.SessionStopReq(), code, Refusing())) == "FAILED"


def test_a_response_is_not_refused() -> None:
    with pytest.raises(Undecodable):
        DIN.refusal(din.SessionStopRes(ResponseCode=ResponseCode.OK), "FAILED", Refusing())


def test_requests_and_responses_are_told_apart() -> None:
    assert all(DIN.is_request(request) for request in EVERY)
    assert not any(
        DIN.is_request(response) for response in (DIN.stopped(), DIN.refusal(EVERY[0], "FAILED", Refusing()))
    )
    assert {each.Response for each in REQUESTS if hasattr(each, "Response")} == set(RESPONSES)


def test_every_stop_ends_for_good() -> None:
    """DIN knows no pause."""
    assert DIN.terminates(din.SessionStopReq())
    assert not DIN.terminates(din.PowerDeliveryReq(ReadyToChargeState=False))
    assert DIN.stopped() == din.SessionStopRes(ResponseCode=ResponseCode.OK)


@given(st.binary(max_size=8))
def test_session_ids_are_read_at_any_length(session_id: bytes) -> None:
    message = din.V2G_Message(
        Header=din.MessageHeader(SessionID=session_id), Body=din.Body(BodyElement=din.ServiceDiscoveryReq())
    )
    assert DIN.unwrap(schema("din").decode(schema("din").encode(message))).session_id == session_id.ljust(8, b"\0")


def test_a_message_without_body_is_none() -> None:
    empty = din.V2G_Message(Header=din.MessageHeader(SessionID=SESSION), Body=din.Body())
    with pytest.raises(Undecodable, match="DIN 70121"):
        DIN.unwrap(empty)


def test_messages_of_other_standards_are_none_of_ours() -> None:
    other: Message = iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.OK)
    with pytest.raises(TypeError, match="DIN 70121"):
        DIN.wrap(Envelope(session_id=SESSION, body=other))


def test_it_is_a_dialect() -> None:
    dialect: Dialect = DIN
    assert dialect.protocol.namespace == "urn:din:70121:2012:MsgDef"
    assert (dialect.setup, dialect.stop) == (din.SessionSetupReq, din.SessionStopReq)
