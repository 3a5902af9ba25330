"""A scripted station: it answers what a table says, in any order and as wrongly as wanted, on real sockets."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from v2g.messages import app_protocol, din, iso2
from v2g.messages.iso2 import EVSENotification, EVSEProcessing, PhysicalValue, ResponseCode, UnitSymbol
from v2g.protocols import schema

SESSION = bytes.fromhex("0102030405060708")
OK = ResponseCode.OK
FINISHED, ONGOING = EVSEProcessing.Finished, EVSEProcessing.Ongoing
Answer = iso2.BodyElement | din.BodyElement | bytes | None
Standard = Literal["iso2", "din"]
Script = Callable[[Any, int], Answer]
"""From a request and how often its type came before: the answer, raw bytes, or None for silence."""


def value(number: float, unit: UnitSymbol) -> PhysicalValue:
    return PhysicalValue(Multiplier=-1, Unit=unit, Value=round(number * 10))


def kilowatts(number: float) -> PhysicalValue:
    return PhysicalValue(Multiplier=2, Unit=UnitSymbol.W, Value=round(number * 10))


V, A = UnitSymbol.V, UnitSymbol.A


def ac_status(notification: str = "None", *, rcd: bool = False) -> iso2.AC_EVSEStatus:
    return iso2.AC_EVSEStatus(NotificationMaxDelay=0, EVSENotification=EVSENotification(notification), RCD=rcd)


def dc_status(code: str = "EVSE_Ready", notification: str = "None", isolation: str = "Valid") -> iso2.DC_EVSEStatus:
    return iso2.DC_EVSEStatus(
        NotificationMaxDelay=0,
        EVSENotification=EVSENotification(notification),
        EVSEIsolationStatus=iso2.IsolationLevel(isolation),
        EVSEStatusCode=iso2.DC_EVSEStatusCode(code),
    )


def schedule(*steps: tuple[int, float]) -> iso2.SAScheduleList:
    """Steps of start in seconds and power in kW, the last of them for a day."""
    entries = [
        iso2.PMaxScheduleEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=start, duration=86_400 if place == len(steps) else None),
            PMax=kilowatts(power),
        )
        for place, (start, power) in enumerate(steps, start=1)
    ]
    return iso2.SAScheduleList(
        SAScheduleTuple=[
            iso2.SAScheduleTuple(SAScheduleTupleID=1, PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=entries))
        ]
    )


def ac_parameter(nominal: float = 230, most: float = 32) -> iso2.AC_EVSEChargeParameter:
    return iso2.AC_EVSEChargeParameter(
        AC_EVSEStatus=ac_status(), EVSENominalVoltage=value(nominal, V), EVSEMaxCurrent=value(most, A)
    )


def dc_parameter() -> iso2.DC_EVSEChargeParameter:
    return iso2.DC_EVSEChargeParameter(
        DC_EVSEStatus=dc_status(),
        EVSEMaximumCurrentLimit=value(200, A),
        EVSEMaximumPowerLimit=kilowatts(60),
        EVSEMaximumVoltageLimit=value(500, V),
        EVSEMinimumCurrentLimit=value(0, A),
        EVSEMinimumVoltageLimit=value(150, V),
        EVSEPeakCurrentRipple=value(1, A),
    )


def parameters(
    parameter: iso2.EVSEChargeParameter,
    schedules: iso2.SASchedules | None,
    processing: EVSEProcessing = FINISHED,
) -> iso2.ChargeParameterDiscoveryRes:
    return iso2.ChargeParameterDiscoveryRes(
        ResponseCode=OK, EVSEProcessing=processing, SASchedules=schedules, EVSEChargeParameter=parameter
    )


def demand(status: iso2.DC_EVSEStatus | None = None, volts: float = 370, amperes: float = 100) -> iso2.CurrentDemandRes:
    return iso2.CurrentDemandRes(
        ResponseCode=OK,
        DC_EVSEStatus=status or dc_status(),
        EVSEPresentVoltage=value(volts, V),
        EVSEPresentCurrent=value(amperes, A),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
        EVSEID="DE*PCG*E0001",
        SAScheduleTupleID=1,
    )


def charging(status: iso2.AC_EVSEStatus | None = None, most: float | None = 32) -> iso2.ChargingStatusRes:
    return iso2.ChargingStatusRes(
        ResponseCode=OK,
        EVSEID="DE*PCG*E0001",
        SAScheduleTupleID=1,
        EVSEMaxCurrent=None if most is None else value(most, A),
        AC_EVSEStatus=status or ac_status(),
    )


def discovery(*options: str) -> iso2.ServiceDiscoveryRes:
    modes = ["AC_single_phase_core", "AC_three_phase_core", "DC_extended"]
    return iso2.ServiceDiscoveryRes(
        ResponseCode=OK,
        PaymentOptionList=iso2.PaymentOptionList(PaymentOption=[iso2.PaymentOption(each) for each in options]),
        ChargeService=iso2.ChargeService(
            ServiceID=1,
            ServiceCategory=iso2.ServiceCategory.EVCharging,
            FreeService=False,
            SupportedEnergyTransferMode=iso2.SupportedEnergyTransferMode(
                EnergyTransferMode=[iso2.EnergyTransferMode(mode) for mode in modes]
            ),
        ),
    )


def usual(energy: Literal["AC", "DC"]) -> dict[str, Script]:
    """What a station without quirks answers."""
    parameter: iso2.EVSEChargeParameter = ac_parameter() if energy == "AC" else dc_parameter()
    status: iso2.EVSEStatus = ac_status() if energy == "AC" else dc_status()
    return {
        "SessionSetup": lambda *_: iso2.SessionSetupRes(
            ResponseCode=ResponseCode.OK_NewSessionEstablished, EVSEID="DE*PCG*E0001"
        ),
        "ServiceDiscovery": lambda *_: discovery("Contract", "ExternalPayment"),
        "PaymentServiceSelection": lambda *_: iso2.PaymentServiceSelectionRes(ResponseCode=OK),
        "PaymentDetails": lambda *_: iso2.PaymentDetailsRes(
            ResponseCode=OK, GenChallenge=bytes(range(16)), EVSETimeStamp=0
        ),
        "Authorization": lambda *_: iso2.AuthorizationRes(ResponseCode=OK, EVSEProcessing=FINISHED),
        "ChargeParameterDiscovery": lambda *_: parameters(parameter, schedule((0, 50))),
        "PowerDelivery": lambda *_: iso2.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=status),
        "ChargingStatus": lambda *_: charging(),
        "CableCheck": lambda *_: iso2.CableCheckRes(
            ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEProcessing=FINISHED
        ),
        "PreCharge": lambda request, _: iso2.PreChargeRes(
            ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEPresentVoltage=request.EVTargetVoltage
        ),
        "CurrentDemand": lambda *_: demand(),
        "WeldingDetection": lambda *_: iso2.WeldingDetectionRes(
            ResponseCode=OK, DC_EVSEStatus=dc_status("EVSE_Shutdown"), EVSEPresentVoltage=value(10, V)
        ),
        "SessionStop": lambda *_: iso2.SessionStopRes(ResponseCode=OK),
    }


def framed(payload: bytes) -> bytes:
    return struct.pack(">BBHI", 0x01, 0xFE, 0x8001, len(payload)) + payload


def packed(body: iso2.BodyElement | din.BodyElement, session_id: bytes = SESSION) -> bytes:
    """The frame of a response, in the envelope of its standard."""
    if isinstance(body, din.BodyElement):
        message = din.V2G_Message(Header=din.MessageHeader(SessionID=session_id), Body=din.Body(BodyElement=body))
        return framed(schema("din").encode(message))
    header = iso2.MessageHeader(SessionID=session_id)
    return framed(schema("iso2").encode(iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=body))))


class ScriptedStation:
    """One listener; `answers` is the script, `requests` what came, `received` every byte that came."""

    def __init__(self, energy: Literal["AC", "DC"], standard: Standard = "iso2") -> None:
        self.energy = energy
        self.answers = usual(energy)
        self.standard = standard
        self.negotiation: Callable[[app_protocol.SupportedAppProtocolReq], bytes | None] = agree
        self.requests: list[Any] = []
        self.headers: list[iso2.MessageHeader | din.MessageHeader] = []
        self.received = b""
        self.port = 0
        self.left = asyncio.Event()

    @property
    def names(self) -> list[str]:
        """The requests that came, without repetitions one after the other."""
        names = [type(request).__name__.removesuffix("Req") for request in self.requests]
        return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = schema("sap").decode(await self._payload(reader))
            assert isinstance(request, app_protocol.SupportedAppProtocolReq)
            if (response := self.negotiation(request)) is not None:
                writer.write(response)
            while True:
                self._answer(await self._payload(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            self.left.set()

    def _answer(self, payload: bytes, writer: asyncio.StreamWriter) -> None:
        message = schema(self.standard).decode(payload)
        assert isinstance(message, iso2.V2G_Message | din.V2G_Message)
        request = message.Body.BodyElement
        name = type(request).__name__.removesuffix("Req")
        before = sum(type(each) is type(request) for each in self.requests)
        self.requests.append(request)
        self.headers.append(message.Header)
        answer = self.answers[name](request, before)
        if answer is not None:
            writer.write(answer if isinstance(answer, bytes) else packed(answer))

    async def _payload(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(8)
        self.received += head
        payload = await reader.readexactly(int.from_bytes(head[4:], "big"))
        self.received += payload
        return payload


def agree(request: app_protocol.SupportedAppProtocolReq) -> bytes:
    """Take the vehicle's first offer."""
    response = app_protocol.SupportedAppProtocolRes(
        ResponseCode=app_protocol.ResponseCode.OK_SuccessfulNegotiation, SchemaID=request.AppProtocol[0].SchemaID
    )
    return framed(schema("sap").encode(response))


@asynccontextmanager
async def scripted(
    energy: Literal["AC", "DC"] = "AC", context: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedStation]:
    """Run a scripted station of ISO 15118-2 on ::1."""
    async with running(ScriptedStation(energy), context) as station:
        yield station


@asynccontextmanager
async def running(station: ScriptedStation, context: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedStation]:
    """Run a station on ::1."""
    server = await asyncio.start_server(station.serve, "::1", 0, ssl=context)
    station.port = server.sockets[0].getsockname()[1]
    try:
        yield station
    finally:
        server.close()
