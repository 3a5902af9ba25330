"""What the vehicle offers, in which order, and that it speaks what the station takes of it."""

from __future__ import annotations

from pathlib import Path

from evcc import client, config
from tests.evcc.bench_din import scripted as scripted_din
from tests.evcc.bench_station import ScriptedStation, framed, scripted
from tests.evcc.test_client import served
from tests.evcc.test_client import settings as of_client
from v2g.messages import app_protocol
from v2g.protocols import DIN, ISO2, schema


def settings(station: ScriptedStation, *protocols: str, roots: Path | None = None) -> config.EvccConfig:
    return of_client(station, roots, plan={"energy": "dc", "protocols": protocols})


class Taking:
    """Negotiates: notes the offers and takes the entry with one namespace."""

    def __init__(self, namespace: str) -> None:
        self.offers: list[tuple[str, int, int]] = []
        self._namespace = namespace

    def __call__(self, request: app_protocol.SupportedAppProtocolReq) -> bytes:
        self.offers = [(each.ProtocolNamespace, each.VersionNumberMajor, each.Priority) for each in request.AppProtocol]
        taken = next(each for each in request.AppProtocol if each.ProtocolNamespace == self._namespace)
        response = app_protocol.SupportedAppProtocolRes(
            ResponseCode=app_protocol.ResponseCode.OK_SuccessfulNegotiation, SchemaID=taken.SchemaID
        )
        return framed(schema("sap").encode(response))


async def test_din_alone() -> None:
    async with scripted_din() as station:
        taking = station.negotiation = Taking(DIN.namespace)
        result = await client.charge(settings(station, "din"))
        assert taking.offers == [(DIN.namespace, 2, 1)]
    assert (result.ok, result.reason, result.protocol, result.energy) == (True, "", "din", "dc")
    assert (result.payment, result.evse_id, result.tls) == ("external", "49*89*6360", "")
    assert result.energy_wh > 0
    assert result.loop_ms


async def test_the_order_of_the_plan_is_the_priority() -> None:
    async with scripted_din() as station:
        taking = station.negotiation = Taking(DIN.namespace)
        result = await client.charge(settings(station, "iso2", "din"))
        assert taking.offers == [(ISO2.namespace, 2, 1), (DIN.namespace, 2, 2)]
        assert (result.ok, result.protocol) == (True, "din")
    async with scripted("DC") as station:
        taking = station.negotiation = Taking(ISO2.namespace)
        result = await client.charge(settings(station, "din", "iso2"))
        assert taking.offers == [(DIN.namespace, 2, 1), (ISO2.namespace, 2, 2)]
        assert (result.ok, result.protocol) == (True, "iso2")


async def test_din_is_not_offered_over_tls(certificates: Path) -> None:
    roots = certificates / "trust" / "v2g.pem"
    async with scripted("DC", served(certificates)) as station:
        taking = station.negotiation = Taking(ISO2.namespace)
        result = await client.charge(settings(station, "din", "iso2", roots=roots))
        assert taking.offers == [(ISO2.namespace, 2, 1)]
        assert (result.ok, result.protocol) == (True, "iso2")


async def test_din_alone_leaves_a_connection_with_tls(certificates: Path) -> None:
    roots = certificates / "trust" / "v2g.pem"
    async with scripted("DC", served(certificates)) as station:
        result = await client.charge(settings(station, "din", roots=roots))
    assert (result.ok, result.protocol, result.messages) == (False, "", [])
    assert "DIN 70121 alone, which has none" in result.reason


async def test_a_station_that_knows_nothing_of_it() -> None:
    refusal = app_protocol.SupportedAppProtocolRes(ResponseCode=app_protocol.ResponseCode.Failed_NoNegotiation)
    async with scripted_din() as station:
        station.negotiation = lambda _: framed(schema("sap").encode(refusal))
        result = await client.charge(settings(station, "din"))
    assert (result.ok, result.protocol) == (False, "")
    assert "Failed_NoNegotiation" in result.reason
