"""Every station of the catalogue of -20, met by our vehicle in TLS 1.3: it goes on, or says by an alert why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448

pytest.importorskip("tlslite", reason="tlslite-ng, of the extra `lab`, is not installed")

from evcc import config
from evcc.connection import Connection
from lab.tls.vehicle import Shown
from pki.faults.catalogue import variants
from pki.faults.reaction import expected
from pki.profiles import Edition
from tests.interop.tls.tlslite_station import station
from tests.pki.faults.cases import Case, Trees, cases
from v2g.errors import HandshakeFailed, Untrusted
from v2g.journal import Journal
from v2g.stream import Stream, TcpStream
from v2g.timing import Budget, Timing
from v2g.tls.context import Identity, server_context
from v2g.tls.staple import StapleRefused
from v2g.tls.stream import accept
from v2g.trust import Role, Verdict

ALL = cases(Edition.ISO20, Edition.ISO20_ED448, role=Role.SECC)
STAPLED = "bad_certificate_status_response"
WORD = b"\x01\xfe"


def signing_key(case: Case) -> ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey:
    """Its key, or another where it is none of -20: the chain is judged first."""
    key = case.key
    if isinstance(key, ed448.Ed448PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP521R1):
        return key
    return ec.generate_private_key(ec.SECP521R1())


@asynccontextmanager
async def reached(port: int, case: Case, trees: Trees, staple: str = "off") -> AsyncIterator[Stream]:
    """A car that trusts the anchors of a variant, connected; with evidence of its own where it asks for no staple."""
    car = trees["iso20"] / "leaf" / "vehicle" / "car1"
    sections: dict[str, Any] = {
        "network": {"connect": f"127.0.0.1:{port}", "security": "tls"},
        "tls": {"roots": [str(case.folder / "anchors.pem")], "generations": ["iso20"], "staple": staple},
        "vehicle": {"chain": str(car / "chain.pem"), "key": str(car / "key.pem")},
        "trust": case.trust if staple == "off" else {},
    }
    connection = Connection(msgspec.convert(sections, config.EvccConfig), Journal(), Timing())
    try:
        stream = await connection.reach(Budget(10))
        try:
            yield stream
        finally:
            await stream.close()
    finally:
        connection.close()


@pytest.mark.parametrize("case", ALL, indirect=True)
async def test_the_vehicle_does_as_expected(case: Case, broken: Trees) -> None:
    refusal: Exception | None = None
    async with station(Shown(tuple(case.chain), signing_key(case))) as heard:
        try:
            async with reached(heard.port, case, broken) as stream:
                await stream.send(WORD)
                assert await stream.receive() == WORD
        except (Untrusted, HandshakeFailed) as error:
            refusal = error
    if case.accepted:
        assert refusal is None
        assert heard.said == WORD
        return
    assert heard.said == b""
    rule, tier = case.reaction["rule"], case.reaction["tier"]
    if rule == "parse":
        # TLS itself reads certificates before anybody judges them, and has an alert of its own for some.
        assert heard.alert in {case.reaction["tls_alert"], "decode_error"}
        return
    assert isinstance(refusal, Untrusted)
    assert f"secc certificate, {rule}: {tier}" in str(refusal)
    # Evidence that was not stapled is no bad staple.
    alert = "certificate_unknown" if case.reaction["tls_alert"] == STAPLED else case.reaction["tls_alert"]
    assert heard.alert == alert


# OpenSSL, which staples here, does not hand out a response about another certificate.
UNSENT = "secc-leaf-ocsp-other-certificate"
STAPLES = [
    f"{edition}:{name}"
    for edition in (Edition.ISO20, Edition.ISO20_ED448)
    for name, variant in variants(edition).items()
    if variant.role is Role.SECC and "-ocsp-" in name and name != UNSENT and expected(variant).tls_alert == STAPLED
]


@pytest.mark.parametrize("case", STAPLES, indirect=True)
async def test_what_a_station_staples_is_refused(case: Case, broken: Trees) -> None:
    assert case.evidence is not None
    (staple,) = case.evidence.iterdir()
    context = server_context(Identity.of(case.chain, signing_key(case)), staple=lambda _: [staple.read_bytes()])
    alerts: asyncio.Queue[str] = asyncio.Queue()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with pytest.raises(HandshakeFailed) as caught:
            await accept(TcpStream(reader, writer), context, lambda *_: Verdict(role=Role.VEHICLE), timeout=10)
        alerts.put_nowait(caught.value.received)

    listener = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        with pytest.raises(StapleRefused):
            async with reached(listener.sockets[0].getsockname()[1], case, broken, "if-present"):
                pass
        async with asyncio.timeout(10):
            assert await alerts.get() == STAPLED
    finally:
        listener.close()
