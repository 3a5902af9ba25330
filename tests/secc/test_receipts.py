"""Meter readings that the vehicle signs: wanted of contracts alone, checked in every respect, and kept."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pki.keys import PrivateKey
from secc import api, receipts
from tests.certificates import Holder, by_hand, car1
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, DC, STATUS, ac_parameters, demand, power, stop, walk, with_contract
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.signature import sign

ROUTES = {"AC": (AC, "ChargingStatus first", STATUS), "DC": (DC, "CurrentDemand first", demand())}


@asynccontextmanager
async def metered(
    certificates: Path, energy: str = "AC", *, folder: Path | None = None, every_s: float | None = 60, **changes: Any
) -> AsyncIterator[tuple[Bench, Car, Holder]]:
    """A station that wants receipts, and a car with a contract in front of its loop."""
    contract = car1(certificates)
    wanted = {"every_s": every_s} | ({"folder": str(folder)} if folder else {})
    async with bench(energy, certificates=certificates, receipts=wanted, **changes) as station:
        route, wait, _ = ROUTES[energy]
        car = await station.car(tls=True)
        await walk(car, station.charger, with_contract(route, contract), wait)
        yield station, car, contract


def receipt(car: Car, reading: Any, **changes: Any) -> iso2.MeteringReceiptReq:
    fields = {"Id": "id7", "SessionID": car.session_id, "SAScheduleTupleID": 1, "MeterInfo": reading} | changes
    return iso2.MeteringReceiptReq(**fields)


def kept_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def confirm(car: Car, request: iso2.MeteringReceiptReq, key: PrivateKey, *, over: Any = None) -> Any:
    """Send a receipt signed with a key, `over` another one perhaps."""
    signed = over or request
    fragment = schema("iso2").encode_fragment(signed)
    return await car.ask(request, signature=sign([(signed.Id or "", fragment)], key, "iso2"))


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_receipt_is_wanted_checked_told_and_kept(certificates: Path, tmp_path: Path, energy: str) -> None:
    async with metered(certificates, energy, folder=tmp_path / "kept") as (station, car, contract):
        loop = ROUTES[energy][2]
        reading = await car.ask(loop)
        assert reading.ReceiptRequired is True
        assert reading.MeterInfo == iso2.MeterInfo(MeterID="M1", MeterReading=1_000)
        request = receipt(car, reading.MeterInfo)
        answer = await confirm(car, request, contract.key)
        assert (type(answer), answer.ResponseCode) == (iso2.MeteringReceiptRes, "OK")
        assert type(answer.EVSEStatus).__name__ == f"{energy}_EVSEStatus"

        [told] = [facts["receipt"] for facts in station.charger.said("receipt")]
        assert (told.accepted, told.meter_id, told.energy_import_wh, told.tuple_id) == (True, "M1", 1_000, 1)
        assert (told.contract, told.reason) == (contract.emaid, None)
        assert told.certificate is not None
        message = schema("iso2").decode(told.exi)
        assert isinstance(message, iso2.V2G_Message)
        assert message.Body.BodyElement == request
        assert message.Header.Signature is not None
        [kept] = kept_in(tmp_path / "kept")
        assert msgspec.json.decode(kept.read_bytes(), type=api.Receipt) == told
        assert kept.name == f"{car.session_id.hex().upper()}-0001.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600

        assert (await car.ask(loop)).ReceiptRequired is False


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_power_may_be_stopped_right_after_a_receipt(certificates: Path, energy: str) -> None:
    async with metered(certificates, energy) as (station, car, contract):
        reading = await car.ask(ROUTES[energy][2])
        await confirm(car, receipt(car, reading.MeterInfo), contract.key)
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        station.charger.change(plug="B")
        assert (await car.ask(stop())).ResponseCode == "OK"


async def test_not_in_every_loop_and_again_after_its_time(certificates: Path) -> None:
    async with metered(certificates, every_s=1, scale=0.2) as (_, car, contract):
        wanted = 0
        for _ in range(200):
            reading = await car.ask(STATUS)
            if reading.ReceiptRequired:
                wanted += 1
                assert (await confirm(car, receipt(car, reading.MeterInfo), contract.key)).ResponseCode == "OK"
            if wanted == 3:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"{wanted} receipts in two seconds, one each 0.2 s was wanted")


async def test_never_without_a_contract(certificates: Path) -> None:
    async with bench("AC", certificates=certificates, receipts={"every_s": 1}) as station:
        car = await station.car_at(AC, "ChargingStatus", tls=True)
        body = await car.ask(STATUS)
        assert body.ReceiptRequired is False
        assert (await car.ask(receipt(car, body.MeterInfo))).ResponseCode == "FAILED_SequenceError"


async def test_never_where_it_is_not_configured(certificates: Path) -> None:
    async with metered(certificates, every_s=None) as (_, car, _contract):
        assert (await car.ask(STATUS)).ReceiptRequired is False


async def test_never_without_a_meter(certificates: Path) -> None:
    async with metered(certificates) as (station, car, _):
        station.charger.meter = None
        body = await car.ask(STATUS)
        assert (body.ReceiptRequired, body.MeterInfo) == (False, None)


@pytest.mark.parametrize("request_", [STATUS, power("Stop"), power("Renegotiate"), ac_parameters()])
async def test_nothing_but_the_receipt_may_follow(certificates: Path, request_: Any) -> None:
    async with metered(certificates) as (_, car, _contract):
        assert (await car.ask(STATUS)).ReceiptRequired
        assert (await car.ask(request_)).ResponseCode == "FAILED_SequenceError"


Change = Callable[[Car, iso2.MeterInfo], dict[str, Any]]
WRONG: dict[str, Change] = {
    "another reading": lambda _, told: {"MeterInfo": msgspec.structs.replace(told, MeterReading=1_001)},
    "another meter": lambda _, told: {"MeterInfo": msgspec.structs.replace(told, MeterID="M2")},
    "more than was told": lambda _, told: {"MeterInfo": msgspec.structs.replace(told, TMeter=1)},
    "less than was told": lambda _, told: {"MeterInfo": msgspec.structs.replace(told, MeterReading=None)},
    "a reading beyond all": lambda _, told: {"MeterInfo": msgspec.structs.replace(told, MeterReading=2**64 - 1)},
    "another session": lambda car, _: {"SessionID": bytes(8)},
    "a shorter id": lambda car, _: {"SessionID": car.session_id[:4]},
    "another schedule": lambda *_: {"SAScheduleTupleID": 2},
}


async def refused(station: Bench, answer: Any) -> api.Receipt:
    assert answer.ResponseCode == "FAILED_MeteringSignatureNotValid"
    [told] = [facts["receipt"] for facts in station.charger.said("receipt")]
    assert isinstance(told, api.Receipt)
    assert not told.accepted
    assert told.reason
    msgspec.json.decode(msgspec.json.encode(told), type=api.Receipt)
    return told


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_receipt_that_says_something_else(certificates: Path, tmp_path: Path, wrong: Change) -> None:
    """Its signature is good, over what the car made up."""
    async with metered(certificates, folder=tmp_path) as (station, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        answer = await confirm(car, receipt(car, reading, **wrong(car, reading)), contract.key)
        await refused(station, answer)
        assert kept_in(tmp_path) == []
        assert await car.gone()


async def test_a_receipt_by_another_key(certificates: Path) -> None:
    other, _ = by_hand()
    async with metered(certificates) as (station, car, _):
        reading = (await car.ask(STATUS)).MeterInfo
        told = await refused(station, await confirm(car, receipt(car, reading), other.key))
        assert told.meter_id == "M1"


async def test_a_receipt_changed_after_it_was_signed(certificates: Path) -> None:
    async with metered(certificates) as (station, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        over = receipt(car, msgspec.structs.replace(reading, MeterReading=1))
        await refused(station, await confirm(car, receipt(car, reading), contract.key, over=over))


@pytest.mark.parametrize("changes", [{}, {"Id": None}])
async def test_a_receipt_without_signature_or_id(certificates: Path, changes: dict[str, Any]) -> None:
    async with metered(certificates) as (station, car, _):
        reading = (await car.ask(STATUS)).MeterInfo
        await refused(station, await car.ask(receipt(car, reading, **changes)))


async def test_a_receipt_of_earlier_is_none(certificates: Path) -> None:
    """The reading rose meanwhile: what was signed before does not count again."""
    async with metered(certificates, every_s=1, scale=0.02) as (station, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        assert (await confirm(car, receipt(car, reading), contract.key)).ResponseCode == "OK"
        station.charger.meter = api.Meter(meter_id="M1", energy_import_wh=2_000)
        async with asyncio.timeout(2):
            while not (await car.ask(STATUS)).ReceiptRequired:
                assert station.charger.meter is not None
        answer = await confirm(car, receipt(car, reading), contract.key)
        assert answer.ResponseCode == "FAILED_MeteringSignatureNotValid"


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        (None, None),
        ("", None),
        ("c2lnbmVk", b"signed"),
        ("no base64!", None),
        (base64.b64encode(bytes(64)).decode(), bytes(64)),
        (base64.b64encode(bytes(65)).decode(), None),
    ],
)
async def test_the_meters_own_signature_is_told_where_it_fits(
    certificates: Path, signed: str | None, told: bytes | None
) -> None:
    async with metered(certificates) as (station, car, contract):
        station.charger.meter = api.Meter(meter_id="M1", energy_import_wh=1_000, signed=signed)
        reading = (await car.ask(STATUS)).MeterInfo
        assert reading.SigMeterReading == told
        assert (await confirm(car, receipt(car, reading), contract.key)).ResponseCode == "OK"


async def test_a_disk_that_hangs_holds_up_no_answer(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: hangs.wait(10))
    monkeypatch.setattr(receipts, "KEEP_S", 0.05)
    async with metered(certificates, folder=tmp_path) as (_, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        began = time.monotonic()
        assert (await confirm(car, receipt(car, reading), contract.key)).ResponseCode == "OK"
        assert time.monotonic() - began < 2
        hangs.set()
        async with asyncio.timeout(5):
            while not any(each.name.endswith("0001.json") for each in kept_in(tmp_path)):
                await asyncio.to_thread(hangs.wait, 0.01)


async def test_the_schedule_may_be_left_out(certificates: Path) -> None:
    async with metered(certificates) as (_, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        answer = await confirm(car, receipt(car, reading, SAScheduleTupleID=None), contract.key)
        assert answer.ResponseCode == "OK"


async def test_a_hashed_contract_stays_hashed(certificates: Path) -> None:
    async with metered(certificates, session={"emaid": "hash"}) as (station, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        await confirm(car, receipt(car, reading), contract.key)
        [told] = [facts["receipt"] for facts in station.charger.said("receipt")]
        assert told.certificate is None
        assert contract.emaid not in str(told)


async def test_a_disk_that_fails_is_told_and_ends_no_charge(
    certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    async with metered(certificates, folder=tmp_path / "file") as (station, car, contract):
        reading = (await car.ask(STATUS)).MeterInfo
        assert (await confirm(car, receipt(car, reading), contract.key)).ResponseCode == "OK"
        [reason] = [each["reason"] for each in station.charger.said("event") if each["kind"] == "receipt_not_kept"]
        assert reason.startswith(str(tmp_path / "file"))
        assert reason.count(str(tmp_path)) == 1
        assert any(reason in each.message for each in caplog.records if each.levelname == "WARNING")
        assert (await car.ask(STATUS)).ResponseCode == "OK"


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    receipts.check_folder(tmp_path / "new" / "kept")
    assert stat.S_IMODE((tmp_path / "new" / "kept").stat().st_mode) == 0o700
    assert kept_in(tmp_path / "new" / "kept") == []


EXAMPLE = api.Receipt(session="S", accepted=True, meter_id="M", namespace="n", exi=b"1")


def test_a_file_never_replaces_another(tmp_path: Path) -> None:
    names = [receipts.file(tmp_path, "S-0001", EXAMPLE).name for _ in range(3)]
    assert names == ["S-0001.json", "S-0001-2.json", "S-0001-3.json"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        receipts.file(tmp_path, "S-0001", EXAMPLE)
    assert list(tmp_path.iterdir()) == []
