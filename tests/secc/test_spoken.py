"""Which protocol a car gets: by its own priorities, of those that can be spoken on its transport at this outlet."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from secc import spoken
from tests.secc.bench import ac_bench, dc_bench, settings
from tests.secc.bench_car import Car, framed
from tests.secc.bench_charger import DC_SETUP
from v2g.messages import app_protocol, din, iso2
from v2g.messages.app_protocol import SupportedAppProtocolReq
from v2g.protocols import DIN, ISO2, schema

TESLA = "urn:tesla:din:2018:MsgDef"
DRAFT = "urn:iso:15118:2:2010:MsgDef"
SETUPS = {"din": din.SessionSetupReq(EVCCID=bytes(6)), "iso2": iso2.SessionSetupReq(EVCCID=bytes(6))}
Offer = list[tuple[str, int, int, int, int]]
"""Namespace, major, minor, schema id, priority."""

# What real cars offer; the choice of a station for both, and of one without DIN.
REAL: dict[str, tuple[Offer, int | None, int | None]] = {
    "VW, Audi, Porsche, EQE": ([(DIN.namespace, 2, 0, 1, 2), (ISO2.namespace, 2, 0, 0, 1)], 0, 0),
    "BMW, Citroen, Polestar": ([(DIN.namespace, 2, 0, 1, 1), (ISO2.namespace, 2, 0, 0, 2)], 1, 0),
    "BYD, XPENG": ([(DIN.namespace, 2, 0, 1, 1), (ISO2.namespace, 2, 0, 3, 5)], 1, 3),
    "Renault Zoe": ([(DIN.namespace, 2, 0, 0, 1), (ISO2.namespace, 2, 0, 1, 2)], 0, 1),
    "MG4": ([(DIN.namespace, 2, 0, 2, 1), (ISO2.namespace, 2, 0, 10, 2)], 2, 10),
    "Ioniq5, EV6": ([(DIN.namespace, 2, 0, 1, 1), (ISO2.namespace, 2, 0, 2, 2)], 1, 2),
    "Seres": ([(DIN.namespace, 2, 0, 10, 1), (ISO2.namespace, 2, 0, 20, 2)], 10, 20),
    "Tesla": ([(TESLA, 0, 7, 2, 1), (DIN.namespace, 2, 0, 1, 2)], 1, None),
    "Tesla Model X": ([(TESLA, 0, 7, 2, 3), (DIN.namespace, 2, 0, 1, 2)], 1, None),
    "dSPACE": ([(ISO2.namespace, 2, 0, 111, 1), (DIN.namespace, 2, 0, 222, 2)], 111, 111),
    "Kona, EQC, Ampera-E": ([(DIN.namespace, 2, 0, 1, 1)], 1, None),
    "the draft first": ([(DRAFT, 1, 0, 7, 1), (DIN.namespace, 2, 0, 8, 4)], 8, None),
    "a minor version": ([(DIN.namespace, 2, 1, 5, 1)], 5, None),
    "another major version": ([(DIN.namespace, 1, 0, 5, 1)], None, None),
}


def asked(offer: Offer) -> SupportedAppProtocolReq:
    return SupportedAppProtocolReq(
        AppProtocol=[
            app_protocol.AppProtocol(
                ProtocolNamespace=namespace,
                VersionNumberMajor=major,
                VersionNumberMinor=minor,
                SchemaID=schema_id,
                Priority=priority,
            )
            for namespace, major, minor, schema_id, priority in offer
        ]
    )


async def chosen(car: Car, offer: Offer) -> int | None:
    """The schema id of the answer, None for none; what was chosen is then spoken."""
    car.send(framed(schema("sap").encode(asked(offer))))
    response = schema("sap").decode(await car.read_payload())
    assert isinstance(response, app_protocol.SupportedAppProtocolRes)
    if response.SchemaID is None:
        assert response.ResponseCode == "Failed_NoNegotiation"
        assert await car.gone(1.0)
        return None
    namespace = next(each[0] for each in offer if each[3] == response.SchemaID)
    car.schema = {DIN.namespace: "din", ISO2.namespace: "iso2"}[namespace]
    request = SETUPS[car.schema]
    assert (await car.ask(request)).ResponseCode == "OK_NewSessionEstablished"
    return int(response.SchemaID)


@pytest.mark.parametrize("name", REAL)
async def test_offers_of_real_cars(name: str) -> None:
    offer, both, iso2_alone = REAL[name]
    async with dc_bench() as station:
        assert await chosen(await station.car(), offer) == both
    async with dc_bench(session={"protocols": ["iso2"]}) as station:
        assert await chosen(await station.car(), offer) == iso2_alone


async def test_an_ac_outlet_speaks_no_din() -> None:
    """The car gets its next choice."""
    offer, _, iso2_alone = REAL["BMW, Citroen, Polestar"]
    async with ac_bench() as station:
        assert await chosen(await station.car(), offer) == iso2_alone
    async with ac_bench() as station:
        assert await chosen(await station.car(), REAL["Kona, EQC, Ampera-E"][0]) is None
        event = await station.ended("refused")
        assert event["response_code"] == "Failed_NoNegotiation"


async def test_an_outlet_for_contracts_alone_speaks_no_din() -> None:
    offer, _, iso2_alone = REAL["BMW, Citroen, Polestar"]
    async with dc_bench() as station:
        station.charger.setup = msgspec.structs.replace(DC_SETUP, authorization=("contract",))
        assert await chosen(await station.car(), offer) == iso2_alone


async def test_din_is_not_spoken_over_tls(certificates: Path) -> None:
    offer, both, iso2_alone = REAL["BMW, Citroen, Polestar"]
    async with dc_bench(certificates=certificates) as station:
        assert await chosen(await station.car(tls=True), offer) == iso2_alone
    async with dc_bench(certificates=certificates) as station:
        assert await chosen(await station.car(), offer) == both
    async with dc_bench(certificates=certificates) as station:
        assert await chosen(await station.car(tls=True), REAL["Kona, EQC, Ampera-E"][0]) is None


async def test_a_station_may_speak_din_alone() -> None:
    offer, _, _ = REAL["VW, Audi, Porsche, EQE"]
    async with dc_bench(session={"protocols": ["din"]}) as station:
        assert await chosen(await station.car(), offer) == 1


@pytest.mark.parametrize(
    ("required", "chain", "protocols", "possible"),
    [
        (False, None, ["iso2", "din"], ["iso2", "din"]),
        (False, None, ["din", "iso2"], ["din", "iso2"]),
        (True, "chain.pem", ["iso2", "din"], ["iso2"]),
        (False, "chain.pem", ["iso2", "din"], ["iso2", "din"]),
        (True, "chain.pem", ["din"], []),
    ],
)
def test_what_is_possible(required: bool, chain: str | None, protocols: list[str], possible: list[str]) -> None:
    """As `secc/status` tells it: DIN only where plain TCP is open."""
    config = settings(None, tls={"required": required, "chain": chain}, session={"protocols": protocols})
    assert list(spoken.possible(config)) == possible


def test_both_are_spoken_unless_said_otherwise() -> None:
    assert settings(None).session.protocols == ("iso2", "din")
