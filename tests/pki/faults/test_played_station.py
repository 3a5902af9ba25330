"""Every station of the catalogue of -2, met by our vehicle over TLS: it charges, or says no word to it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from evcc import client, config
from tests.evcc.bench_station import scripted
from tests.evcc.test_client import server
from tests.pki.faults.bare_tls import bare
from tests.pki.faults.cases import PLAYED, Case, cases
from v2g.trust import Role, Rule


def vehicle(port: int, case: Case) -> config.EvccConfig:
    """A car that trusts the anchors of a variant."""
    sections: dict[str, Any] = {
        "network": {"connect": f"[::1]:{port}", "security": "tls"},
        "tls": {"roots": [str(case.folder / "anchors.pem")]},
        "trust": case.trust,
        "plan": {"charge_s": 0.05, "loop_s": 0.001, "poll_s": 0.001, "payment": "external"},
        "timeouts": {"CurrentDemandReq": 2.0},
    }
    return msgspec.convert(sections, config.EvccConfig)


ALL = cases(PLAYED, role=Role.SECC)


@pytest.mark.parametrize("case", ALL, indirect=True)
async def test_the_vehicle_does_as_expected(case: Case) -> None:
    if case.accepted:
        await charges(case)
    elif case.reaction["rule"] == Rule.REVOCATION:
        await leaves(case)
    else:
        await refuses(case)


async def charges(case: Case) -> None:
    async with scripted("AC", server(case.folder / "chain.pem", case.folder / "key.pem")) as station:
        result = await client.charge(vehicle(station.port, case))
    assert result.ok, result.reason


async def leaves(case: Case) -> None:
    """Whom nobody vouches for is known once the handshake is through and has brought no staple."""
    async with scripted("AC", server(case.folder / "chain.pem", case.folder / "key.pem")) as station:
        result = await client.charge(vehicle(station.port, case))
    assert (result.ok, result.messages) == (False, [])
    assert result.reason.startswith("Untrusted"), result.reason
    assert f"secc certificate, {Rule.REVOCATION}: {case.reaction['tier']}" in result.reason


async def refuses(case: Case) -> None:
    async with bare(case.chain) as station:
        result = await client.charge(vehicle(station.port, case))
        await asyncio.wait_for(station.left.wait(), 5)
    assert (result.ok, result.messages) == (False, [])
    rule, tier = case.reaction["rule"], case.reaction["tier"]
    if rule == "parse":
        # TLS itself reads certificates before anybody judges them, and has an alert of its own for some.
        assert set(station.alerts) <= {case.reaction["tls_alert"], "decode_error"}
        assert result.reason.startswith(("HandshakeFailed", "Untrusted")), result.reason
    else:
        assert result.reason.startswith("Untrusted"), result.reason
        assert f"secc certificate, {rule}: {tier}" in result.reason
        assert station.alerts == [case.reaction["tls_alert"]]
    assert station.beyond == [], "the vehicle went on with the handshake"
    assert len(station.alerts) == 1, "one fatal alert tells the station why"
