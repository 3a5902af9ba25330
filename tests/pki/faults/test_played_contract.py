"""Every contract of the catalogue of -2, presented to our station over TLS: it answers what is expected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.certificates import Holder
from tests.pki.faults.cases import PLAYED, Case, Trees, cases
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_requests import IDENTIFY, details, prove, selection, walk
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.trust import Role


async def arrive(station: Bench) -> Car:
    """A car that chose to pay by contract."""
    car = await station.car(tls=True)
    await walk(car, station.charger, IDENTIFY[:4])
    assert (await car.ask(selection("Contract"))).ResponseCode == "OK"
    return car


async def ask_anyhow(car: Car, request: Any) -> Any:
    """Ask with what the schema does not allow, too."""
    header = iso2.MessageHeader(SessionID=car.session_id)
    message = iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=request))
    car.send(framed(schema("iso2").encode(message, strict=False)))
    return (await car.receive()).body


@pytest.mark.parametrize("case", cases(PLAYED, role=Role.CONTRACT), indirect=True)
async def test_the_station_answers_as_expected(case: Case, broken: Trees) -> None:
    contract = Holder(case.expect["emaid"], case.chain, case.signing_key)
    async with bench(certificates=broken["iso2"], anchors=case.anchors, trust=case.trust) as station:
        car = await arrive(station)
        body = await ask_anyhow(car, details(contract))
        assert (type(body).__name__, body.ResponseCode) == (case.reaction["message"], case.reaction["code"])
        if case.accepted:
            proved = await prove(car, contract)
            assert (proved.ResponseCode, proved.EVSEProcessing) == ("OK", "Finished")
            return
        station.assert_open_before_answer()
        await car.close()
        event = await station.ended("refused")
        assert event["response_code"] == case.reaction["code"]
        if case.reaction["rule"]:
            assert f"{case.reaction['rule']}: {case.reaction['tier']}" in event["reason"]
