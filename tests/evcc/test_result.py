"""The account of a charge: complete, in order, and fit to be shown to somebody who was not there."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evcc import client, config
from evcc.account import Account, Exchange, Note
from evcc.result import Certificate, Result
from pki.credentials import load_chain
from tests.evcc.bench_station import (
    FINISHED,
    SESSION,
    Script,
    V,
    ac_parameter,
    ac_status,
    charging,
    dc_status,
    demand,
    packed,
    parameters,
    schedule,
    scripted,
    value,
)
from tests.evcc.test_client import by_contract, by_hand, served, settings
from v2g.journal import Journal
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode


async def test_who_when_and_what_was_planned() -> None:
    before = datetime.now(UTC)
    async with scripted("AC") as station:
        planned = settings(station, plan={"charge_s": 0.2})
        result = await client.charge(planned)
    assert before <= result.started <= datetime.now(UTC)
    assert timedelta(seconds=0.2) <= timedelta(seconds=result.duration_s) <= datetime.now(UTC) - before
    assert (result.version, result.evcc_id, result.session_id) == ("0.1.0", "02:00:00:00:00:01", SESSION.hex())
    assert (result.plan, result.emaid, result.station) == (planned.plan, None, None)
    written = msgspec.json.decode(msgspec.json.encode(result))
    assert written["started"].endswith("Z")
    assert datetime.fromisoformat(written["started"]) == result.started
    assert (written["plan"]["charge_s"], written["plan"]["payment"]) == (0.2, "external")


async def test_every_exchange_stands_beside_its_messages() -> None:
    async with scripted("AC") as station:
        result = await client.charge(settings(station))
    assert [each.request for each in result.exchanges] == [
        "SupportedAppProtocolReq",
        *(type(request).__name__ for request in station.requests),
    ]
    assert [each.response for each in result.exchanges] == [
        each.request.replace("Req", "Res") for each in result.exchanges
    ]
    codes = [each.code for each in result.exchanges]
    assert codes[:3] == ["OK_SuccessfulNegotiation", "OK_NewSessionEstablished", "OK"]
    assert [name for name, _ in result.messages[::2]] == [each.request for each in result.exchanges]
    assert [at for _, at in result.messages[::2]] == [each.at_ms for each in result.exchanges]
    assert all(each.took_ms is not None and each.took_ms > 0 for each in result.exchanges)


async def test_a_long_loop_pushes_nothing_out() -> None:
    """The journal keeps the last 2048 entries of a loop; the account keeps all."""
    async with scripted("AC") as station:
        result = await client.charge(settings(station, plan={"charge_s": 5.0, "loop_s": 0.0}))
        assert len(station.requests) > 1_100
        assert len(result.exchanges) == len(station.requests) + 1
        assert len(result.loop_ms) == sum(isinstance(each, iso2.ChargingStatusReq) for each in station.requests)


async def test_a_request_without_an_answer() -> None:
    async with scripted("AC") as station:
        station.answers["ServiceDiscovery"] = lambda *_: None
        result = await client.charge(settings(station, timeouts={"ServiceDiscoveryReq": 0.1}))
    last = result.exchanges[-1]
    assert (last.request, last.response, last.code, last.took_ms) == ("ServiceDiscoveryReq", None, None, None)
    assert result.messages[-1] == ("ServiceDiscoveryReq", last.at_ms)
    assert result.ended_by == "vehicle"


async def test_the_certificate_of_the_station_and_the_contract_shown(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        result = await client.charge(by_contract(station, certificates))
    leaf = x509.load_pem_x509_certificate((certificates / "leaf" / "secc" / "evse1" / "cert.pem").read_bytes())
    assert result.emaid == "DEPCGC00000001V"
    assert result.station is not None
    assert result.station.sha256 == leaf.fingerprint(hashes.SHA256()).hex()
    assert int(result.station.serial, 16) == leaf.serial_number
    assert result.station.subject == leaf.subject.rfc4514_string()
    assert result.station.issuer == leaf.issuer.rfc4514_string()
    assert result.station.valid_until == leaf.not_valid_after_utc


async def test_the_certificate_of_a_station_that_is_not_trusted(certificates: Path, tmp_path: Path) -> None:
    _, root = by_hand(tmp_path)
    async with scripted("AC", served(certificates)) as station:
        result = await client.charge(settings(station, root))
    assert result.reason.startswith("Untrusted")
    assert result.station is not None
    assert "CN=" in result.station.subject


def test_a_broken_certificate_has_at_least_a_fingerprint(certificates: Path) -> None:
    good = load_chain(certificates / "leaf/contract/car1/chain.pem")[0]
    unknown_version = good.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x06", 1)
    assert unknown_version != good
    for der in (b"garbage", unknown_version):
        known = Certificate.of(der)
        assert (known.subject, known.serial, known.valid_until) == ("", "", None)
        assert known.sha256 == hashlib.sha256(der).hexdigest()


async def test_a_contract_that_expires_soon_is_told(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["PaymentDetails"] = lambda *_: iso2.PaymentDetailsRes(
            ResponseCode=ResponseCode.OK_CertificateExpiresSoon, GenChallenge=bytes(16), EVSETimeStamp=0
        )
        result = await client.charge(by_contract(station, certificates))
    assert result.ok
    assert [each.code for each in result.exchanges if each.request == "PaymentDetailsReq"] == [
        "OK_CertificateExpiresSoon"
    ]
    assert result.summary.endswith("; the contract's certificate expires soon, says PaymentDetailsRes")


async def test_unusual_encodings_are_noted() -> None:
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda *_: _with_spare_byte(charging())
        result = await client.charge(settings(station))
    assert result.ok
    (note,) = result.notes
    assert note.request == "ChargingStatusReq"
    assert "spare bytes" in note.note
    assert note.times == len(result.loop_ms)
    assert note.at_ms == pytest.approx(result.exchanges[-note.times - 2].at_ms, abs=1_000)


def _with_spare_byte(body: iso2.BodyElement) -> bytes:
    whole = packed(body)
    return whole[:4] + (len(whole) - 7).to_bytes(4, "big") + whole[8:] + b"\0"


def test_several_notes_of_one_answer_are_counted() -> None:
    journal, account = Journal(clock=lambda: 1.0), Account()
    journal.subscribe(account.see)
    journal.record("request", name="SessionSetupReq")
    for _ in range(2):
        journal.record("note", count=3, first="spare bytes")
    journal.record("response", name="SessionSetupRes", code="OK", took_ms=1.23456)
    assert account.notes == [Note(request="SessionSetupReq", note="spare bytes (and 2 more)", times=2, at_ms=0)]
    assert account.exchanges == [
        Exchange(request="SessionSetupReq", response="SessionSetupRes", code="OK", at_ms=0, took_ms=1.235)
    ]


def failing(code: str) -> Script:
    return lambda *_: iso2.AuthorizationRes(ResponseCode=ResponseCode(code), EVSEProcessing=FINISHED)


def leave(*_: object) -> None:
    raise ConnectionResetError


WHO: dict[str, tuple[str, Script, str]] = {
    "it refuses": ("Authorization", failing("FAILED_CertificateExpired"), "station"),
    "it hangs up": ("CurrentDemand", leave, "station"),
    "it reports a fault": ("CurrentDemand", lambda *_: demand(dc_status("EVSE_Malfunction")), "station"),
    "it says nothing": ("Authorization", lambda *_: None, "vehicle"),
    "it offers nonsense": ("CableCheck", lambda *_: packed(charging()), "vehicle"),
}


@pytest.mark.parametrize("case", WHO)
async def test_who_ended_it(case: str) -> None:
    step, script, ended_by = WHO[case]
    async with scripted("DC") as station:
        station.answers[step] = script
        timeouts: dict[str, Any] = {"AuthorizationReq": 0.1}
        result = await client.charge(settings(station, plan={"energy": "dc", "charge_s": 30}, timeouts=timeouts))
    assert (result.ok, result.ended_by, result.payment) == (False, ended_by, "external")


STOPS: dict[str, tuple[str, str, Script, str]] = {
    "a wish": ("ac3", "ChargingStatus", lambda *_: charging(ac_status("StopCharging")), "StopCharging"),
    "an RCD": ("ac3", "ChargingStatus", lambda *_: charging(ac_status(rcd=True)), "its RCD has tripped"),
    "a shutdown": ("dc", "CurrentDemand", lambda *_: demand(dc_status("EVSE_Shutdown")), "EVSE_Shutdown"),
    "both": ("dc", "CurrentDemand", lambda *_: demand(dc_status("EVSE_Shutdown", "StopCharging")), "EVSE_Shutdown"),
}


@pytest.mark.parametrize("case", STOPS)
async def test_a_charge_that_the_station_ends_early_says_so(case: str) -> None:
    """It is a good one all the same, as energy flowed."""
    energy, step, stop, said = STOPS[case]
    async with scripted("AC" if energy == "ac3" else "DC") as station:
        usual = station.answers[step]
        station.answers[step] = lambda request, turn: (stop if turn == 3 else usual)(request, turn)
        result = await client.charge(settings(station, plan={"energy": energy, "charge_s": 30.0}))
    assert (result.ok, result.ended_by, result.reason) == (True, "station", f"ended by the station: {said}")
    assert result.summary.startswith("charged ")
    assert f" %; ended by the station: {said}" in result.summary


async def test_a_station_that_wants_no_charge_is_the_reason() -> None:
    offer = msgspec.structs.replace(ac_parameter(), AC_EVSEStatus=ac_status("StopCharging"))
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(offer, schedule((0, 50)))
        result = await client.charge(settings(station))
    assert (result.ok, result.energy_wh) == (False, 0)
    assert result.summary == "failed: ended by the station: StopCharging"


async def test_a_stop_of_a_plan_that_is_fulfilled_is_no_news() -> None:
    async with scripted("AC") as station:
        usual = station.answers["ChargingStatus"]
        station.answers["ChargingStatus"] = lambda request, turn: (
            charging(ac_status("StopCharging")) if turn == 1 else usual(request, turn)
        )
        plan = {"charge_s": 30.0, "energy_wh": 0.001, "loop_s": 0.05}
        result = await client.charge(settings(station, plan=plan))
    assert (result.ok, result.ended_by, result.reason) == (True, "station", "")


async def test_another_payment_than_planned_is_said(certificates: Path) -> None:
    async with scripted("AC") as station:
        planned = by_contract(station, certificates, accept_external=True)
        network = config.Network(connect=f"[::1]:{station.port}", security="none")
        result = await client.charge(msgspec.structs.replace(planned, network=network))
    assert "by external instead of contract (ac3, no TLS)" in result.summary


@pytest.mark.parametrize(("volts", "told"), [(300.0, True), (60.0, True), (59.9, False)])
async def test_a_contactor_that_may_be_welded_is_told(volts: float, told: bool) -> None:
    answer = iso2.WeldingDetectionRes(
        ResponseCode=ResponseCode.OK, DC_EVSEStatus=dc_status("EVSE_Shutdown"), EVSEPresentVoltage=value(volts, V)
    )
    async with scripted("DC") as station:
        station.answers["WeldingDetection"] = lambda *_: answer
        result = await client.charge(settings(station, plan={"energy": "dc", "charge_s": 0.05, "poll_s": 0.0}))
    assert (result.ok, result.welding_v) == (True, volts)
    assert (f"; still {volts:g} V behind the open contactors" in result.summary) is told


async def test_nothing_is_said_of_welding_that_was_not_looked_for() -> None:
    async with scripted("DC") as station:
        planned = {"energy": "dc", "charge_s": 0.05, "welding_detection": False}
        result = await client.charge(settings(station, plan=planned))
    assert (result.ok, result.welding_v) == (True, None)
    assert "contactor" not in result.summary


def test_the_page_explains_every_member() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evcc.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## The result")
    members = [name for record in (Result, Certificate, Exchange, Note) for name in record.__struct_fields__]
    assert [name for name in members if f"`{name}`" not in section] == []
