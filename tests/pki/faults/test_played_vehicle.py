"""Every vehicle certificate of the catalogue of -20, shown to our station in TLS 1.3: it comes in, or hears why not."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448

pytest.importorskip("tlslite", reason="tlslite-ng, of the extra `lab`, is not installed")

from lab.tls.deviation import Deviation, Outcome, Reaction, Shows, prescribed
from lab.tls.play import play
from lab.tls.vehicle import Material, Shown
from pki.profiles import Edition
from tests.pki.faults.cases import Case, Trees, cases
from tests.secc.bench import Bench, ac_bench
from v2g.tls.suites import Generation
from v2g.trust import Role

ALL = cases(Edition.ISO20, Edition.ISO20_ED448, role=Role.VEHICLE)
PLAIN = Deviation(
    name="none",
    text="deviates in nothing but its certificate",
    generation=Generation.ISO20,
    reaction=Reaction.ACCEPTED,
    offer=prescribed(Generation.ISO20),
)


def signing_key(case: Case) -> ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey:
    """Its key, or another where it is none of -20: the chain is judged first."""
    key = case.key
    if isinstance(key, ed448.Ed448PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP521R1):
        return key
    return ec.generate_private_key(ec.SECP521R1())


@pytest.mark.parametrize("case", ALL, indirect=True)
async def test_the_station_does_as_expected(case: Case, broken: Trees) -> None:
    leaf = broken["iso20"] / "leaf" / "secc" / "evse1"
    sections = {
        "tls": {"identity": [{"chain": str(leaf / "chain.pem"), "key": str(leaf / "key.pem")}]},
        "trust": case.trust | {"vehicle": [str(case.folder / "anchors.pem")]},
    }
    material = Material({Shows.VEHICLE: Shown(tuple(case.chain), signing_key(case))})
    async with ac_bench(tls=sections["tls"] | {"required": False}, trust=sections["trust"]) as bench:
        assert bench.station.tls_port is not None
        outcome = await play(PLAIN, "::1", bench.station.tls_port, material)
        if case.accepted:
            assert outcome.reaction is Reaction.ACCEPTED, outcome
        else:
            await bench.until(lambda: bool(bench.endings))
            assert_refused(case, outcome, bench)


def assert_refused(case: Case, outcome: Outcome, bench: Bench) -> None:
    assert outcome.reaction is Reaction.ALERT, outcome
    assert outcome.alert is not None
    rule, tier = case.reaction["rule"], case.reaction["tier"]
    (ending,) = bench.endings
    if rule == "parse":
        # TLS itself reads certificates before anybody judges them, and has an alert of its own for some.
        assert outcome.alert.label in {case.reaction["tls_alert"], "decode_error"}
    else:
        assert f"vehicle certificate, {rule}: {tier}" in ending["reason"]
        assert outcome.alert.label == case.reaction["tls_alert"]
