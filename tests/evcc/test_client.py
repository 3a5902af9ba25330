"""A whole charge by the vehicle: whom it trusts, what it tells in the end, and that it always comes back."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evcc import client, config
from evcc.result import Result
from tests.certificates import TODAY, VALID
from tests.evcc.bench_station import ScriptedStation, charging, discovery, scripted
from tests.pki.chains import Made
from tests.pki.chains import build as build_chain
from v2g.journal import Entry
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.signature import verify
from v2g.timing import Timing

SUITE = "ECDHE-ECDSA-AES128-SHA256"


def server(chain: Path, key: Path) -> ssl.SSLContext:
    """A TLS 1.2 server by the library that we do not use ourselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITE)
    context.set_ecdh_curve("prime256v1")
    context.load_cert_chain(chain, key)
    return context


def served(certificates: Path) -> ssl.SSLContext:
    leaf = certificates / "leaf" / "secc" / "evse1"
    return server(leaf / "chain.pem", leaf / "key.pem")


def by_hand(folder: Path, **changes: dict[str, Any]) -> tuple[ssl.SSLContext, Path]:
    """A server with a chain made by hand, and the file of its root."""
    tiers = {tier: {"days": VALID} | changes.get(tier, {}) for tier in ("root", "sub1", "sub2", "leaf")}
    path = build_chain("secc", **tiers)
    (folder / "chain.pem").write_bytes(b"".join(_pem(each) for each in (path.leaf, path.sub2, path.sub1)))
    (folder / "root.pem").write_bytes(_pem(path.root))
    key = path.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)
    return server(folder / "chain.pem", folder / "key.pem"), folder / "root.pem"


def _pem(made: Made) -> bytes:
    return made.certificate.public_bytes(Encoding.PEM)


def settings(station: ScriptedStation, roots: Path | None = None, **sections: Any) -> config.EvccConfig:
    plan: dict[str, Any] = {"charge_s": 0.05, "loop_s": 0.001, "poll_s": 0.001, "payment": "external"}
    return config.EvccConfig(
        network=config.Network(connect=f"[::1]:{station.port}", security="none" if roots is None else "tls"),
        tls=config.Tls(roots=[] if roots is None else [str(roots)]),
        plan=config.Plan(**(plan | sections.pop("plan", {}))),
        timeouts={"CurrentDemandReq": 2.0} | sections.pop("timeouts", {}),
        **sections,
    )


async def test_result_of_a_good_charge() -> None:
    async with scripted("AC") as station:
        result = await client.charge(settings(station))
    assert (result.ok, result.reason, result.protocol, result.energy) == (True, "", "iso2", "ac3")
    assert (result.payment, result.evse_id, result.tls, result.ended_by) == ("external", "DE*PCG*E0001", "", "vehicle")
    assert result.energy_wh > 0
    names = [name for name, _ in result.messages]
    assert names[:4] == ["SupportedAppProtocolReq", "SupportedAppProtocolRes", "SessionSetupReq", "SessionSetupRes"]
    assert names[-2:] == ["SessionStopReq", "SessionStopRes"]
    times = [at for _, at in result.messages]
    assert times == sorted(times)
    assert len(result.loop_ms) == names.count("ChargingStatusRes")


async def test_a_charge_by_contract_over_tls(certificates: Path) -> None:
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem"))
    async with scripted("DC", served(certificates)) as station:
        plan = {"energy": "dc", "payment": "contract"}
        roots = certificates / "trust" / "v2g.pem"
        result = await client.charge(settings(station, roots, contract=contract, plan=plan))
        assert (result.ok, result.payment) == (True, "contract"), result.reason
        assert result.tls.startswith("TLSv1.2")
        assert result.tls_details["group"] == "secp256r1"
        assert result.tls == f"{result.tls_details['version']} {result.tls_details['suite']}"
        place = station.names.index("PaymentDetails")
        assert station.names[place - 1 : place + 2] == ["PaymentServiceSelection", "PaymentDetails", "Authorization"]
        request = next(each for each in station.requests if isinstance(each, iso2.AuthorizationReq))
        signature = station.headers[station.requests.index(request)].Signature
        assert signature is not None
        key = x509.load_pem_x509_certificate((leaf / "cert.pem").read_bytes()).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert request.Id is not None
        verify(signature, {request.Id: schema("iso2").fragment_forms(request)}, key, "iso2")
        assert request.GenChallenge == bytes(range(16))


def by_contract(station: ScriptedStation, certificates: Path, **plan: Any) -> config.EvccConfig:
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem"))
    roots = certificates / "trust" / "v2g.pem"
    return settings(station, roots, contract=contract, plan={"payment": "contract"} | plan)


async def test_a_station_without_contracts_is_left_politely(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("ExternalPayment")
        result = await client.charge(by_contract(station, certificates))
        assert (result.ok, result.payment, result.energy_wh) == (False, None, 0)
        assert result.reason.startswith("Declined: the station offers no contract, only ExternalPayment; with")
        assert "`accept_external = true` in [plan]" in result.reason
        assert station.names == ["SessionSetup", "ServiceDiscovery", "SessionStop"]


async def test_a_station_without_contracts_is_paid_otherwise_if_the_plan_admits_it(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("ExternalPayment")
        result = await client.charge(by_contract(station, certificates, accept_external=True))
        assert (result.ok, result.payment) == (True, "external"), result.reason


@pytest.mark.parametrize("accepted", [False, True])
async def test_no_contract_over_plain_tcp(certificates: Path, accepted: bool) -> None:
    """As after `accept_plain`: the station has no TLS, and so no contract may be used."""
    async with scripted("AC") as station:
        planned = by_contract(station, certificates, accept_external=accepted)
        network = config.Network(connect=f"[::1]:{station.port}", security="none")
        result = await client.charge(msgspec.structs.replace(planned, network=network))
        assert (result.ok, result.payment) == (accepted, "external" if accepted else None)
        assert ("there is no TLS" in result.reason) is not accepted
        assert "PaymentDetails" not in station.names
        assert station.names[-1] == "SessionStop"


# --- whom it trusts -------------------------------------------------------------------------------------------------


async def refused(station: ScriptedStation, roots: Path) -> Result:
    result = await client.charge(settings(station, roots))
    assert not result.ok
    assert result.reason.startswith("Untrusted")
    assert station.received == b"", "the vehicle spoke to a station it does not trust"
    assert result.messages == []
    return result


async def test_a_chain_made_by_hand_is_trusted(tmp_path: Path) -> None:
    """So that each of the next ones fails for its one fault."""
    context, root = by_hand(tmp_path)
    async with scripted("AC", context) as station:
        assert (await client.charge(settings(station, root))).ok


UNTRUSTED: dict[str, dict[str, dict[str, Any]]] = {
    "expired": {"leaf": {"days": (TODAY - 10, TODAY - 1)}},
    "not yet valid": {"leaf": {"days": (TODAY + 2, TODAY + 10)}},
    "expired sub 1": {"sub1": {"days": (TODAY - 10, TODAY - 1)}},
    "expired sub 2": {"sub2": {"days": (TODAY - 10, TODAY - 1)}},
    "not CPO": {"leaf": {"dc": ("CPS",)}},
    "no domain component": {"leaf": {"dc": ()}},
}


@pytest.mark.parametrize("fault", UNTRUSTED)
async def test_not_a_byte_for_a_station_without_trust(tmp_path: Path, fault: str) -> None:
    context, root = by_hand(tmp_path, **UNTRUSTED[fault])
    async with scripted("AC", context) as station:
        await refused(station, root)


async def test_not_a_byte_for_a_station_under_a_foreign_root(certificates: Path, tmp_path: Path) -> None:
    _, root = by_hand(tmp_path)
    async with scripted("AC", served(certificates)) as station:
        await refused(station, root)


@pytest.mark.parametrize("leaf", ["contract/car1", "cps/cps1"])
async def test_not_a_byte_for_a_certificate_of_another_role(certificates: Path, leaf: str) -> None:
    place = certificates / "leaf" / leaf
    roots = certificates / "trust" / ("mo.pem" if leaf.startswith("contract") else "v2g.pem")
    async with scripted("AC", server(place / "chain.pem", place / "key.pem")) as station:
        await refused(station, roots)


async def test_a_station_without_tls_where_tls_was_agreed(certificates: Path) -> None:
    async with scripted("AC") as station:
        station.negotiation = lambda _: b"\x01\xfe\x80\x01\0\0\0\4\x80\x40\0\x40"
        roots = certificates / "trust" / "v2g.pem"
        settled = settings(station, roots)
        patience = config.Tls(roots=[str(roots)], handshake_s=0.3)
        result = await client.charge(config.EvccConfig(network=settled.network, tls=patience, plan=settled.plan))
        assert not result.ok
        assert result.messages == []


# --- what goes wrong is told ----------------------------------------------------------------------------------------


async def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        station = ScriptedStation("AC")
        station.port = taken.getsockname()[1]
        result = await client.charge(settings(station))
    assert not result.ok
    assert result.reason.startswith(f"PeerGone: no connection to [::1]:{station.port}")


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_failure_is_a_result(energy: Any) -> None:
    async with scripted(energy) as station:
        station.answers["PaymentServiceSelection"] = lambda *_: iso2.PaymentServiceSelectionRes(
            ResponseCode=iso2.ResponseCode.FAILED_NoChargeServiceSelected
        )
        result = await client.charge(settings(station, plan={"energy": "dc" if energy == "DC" else "ac1"}))
        assert (result.ok, result.energy_wh) == (False, 0)
        assert result.reason.startswith("Refused: FAILED_NoChargeServiceSelected")
        assert result.messages[-1][0] == "PaymentServiceSelectionRes"


async def test_a_station_that_says_nothing() -> None:
    async with scripted("AC") as station:
        station.negotiation = lambda _: None
        result = await client.charge(settings(station, timeouts={"SupportedAppProtocolReq": 0.1}))
        assert result.reason == "Silence: V2G_EVCC_Msg_Timeout(SupportedAppProtocolReq) (0.1 s) ran out"


async def test_a_charge_without_energy_is_none() -> None:
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = _no_current
        result = await client.charge(settings(station))
        assert (result.ok, result.reason, result.energy_wh) == (False, "", 0)


def _no_current(*_: object) -> iso2.BodyElement:
    return charging(most=0)


async def _listen_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_setting_up_takes_no_longer_than_it_may(certificates: Path) -> None:
    """A station that accepts and then says nothing, under TLS: V2G_EVCC_CommunicationSetup_Timeout."""
    silent = await asyncio.start_server(_listen_only, "::1", 0)
    station = ScriptedStation("AC")
    station.port = silent.sockets[0].getsockname()[1]
    try:
        roots = certificates / "trust" / "v2g.pem"
        result = await client.charge(settings(station, roots), timing=Timing(0.01))
        assert result.reason == "Silence: V2G_EVCC_CommunicationSetup_Timeout (0.2 s) ran out"
    finally:
        silent.close()


async def test_every_entry_is_seen_as_it_happens() -> None:
    seen: list[Entry] = []
    async with scripted("AC") as station:
        result = await client.charge(settings(station), see=seen.append)
    requests = [entry.facts["name"] for entry in seen if entry.kind == "request"]
    assert requests == [name for name, _ in result.messages if name.endswith("Req")]


@pytest.mark.parametrize(
    ("plan", "ended"),
    [({"charge_s": 30, "energy_wh": 0.01}, "energy"), ({"charge_s": 30, "target_soc_percent": 40.00001}, "soc")],
)
async def test_what_else_ends_a_charge(plan: dict[str, Any], ended: str) -> None:
    async with scripted("AC") as station:
        result = await client.charge(settings(station, plan=plan))
        assert result.ok
        assert result.energy_wh > 0
        if ended == "energy":
            assert result.energy_wh >= 0.01
        else:
            assert result.soc_percent == pytest.approx(40, abs=0.01)


async def test_a_full_car_needs_nothing() -> None:
    async with scripted("AC") as station:
        result = await client.charge(settings(station, plan={"target_soc_percent": 40.0}))
        assert not result.ok
        assert station.names[-1] == "SessionStop"
