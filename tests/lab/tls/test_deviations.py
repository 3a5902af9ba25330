"""Every deviation, played to a station of ours that runs: it does what the table says, and serves the next car."""

from __future__ import annotations

import pytest

pytest.importorskip("tlslite", reason="tlslite-ng, of the extra `lab`, is not installed")

from lab.tls.deviation import Reaction
from lab.tls.play import deviate
from lab.tls.table import DEVIATIONS
from tests.lab.tls.material import Trees
from tests.secc.bench import ac_bench

HANDSHAKE_S = 1.5


@pytest.mark.parametrize("name", DEVIATIONS)
async def test_the_station_does_as_expected(name: str, trees: Trees) -> None:
    deviation = DEVIATIONS[name]
    changes = trees.station
    hurried = deviation.reaction is Reaction.CLOSED  # what never ends is to end soon
    changes["tls"]["handshake_s"] = HANDSHAKE_S if hurried else 10.0
    async with ac_bench(certificates=trees.first, tls=changes["tls"], trust=changes["trust"]) as bench:
        assert bench.station.tls_port is not None
        outcome = await deviate(name, "::1", bench.station.tls_port, trees.material())
        assert deviation.expects(outcome), outcome
        if deviation.reaction is not Reaction.ACCEPTED:
            await bench.until(lambda: bool(bench.endings))
        await bench.serves_next()
