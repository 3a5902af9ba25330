"""Handshakes of our two sides with each other, and with every kind of peer that should not get through."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from tests.v2g.tls.chains import DAY, NOW, chain
from tests.v2g.tls.wire import Tapped, records, tcp_pair
from v2g.errors import HandshakeFailed, PeerGone, Silence, Undecodable, Untrusted
from v2g.tls import stream
from v2g.tls._openssl import Connection, Context
from v2g.tls.context import ServerContext, client_context, server_context
from v2g.tls.session import Caller
from v2g.tls.stream import TlsStream, accept, connect
from v2g.trust import Role, Rule, Verdict, Verify

TIMEOUT = 10.0
GOOD = chain()
SERVER = server_context(GOOD.identity)
CLIENT = client_context([GOOD.root])
MESSAGE = bytes.fromhex("01fe800100000004") + b"EXI!"


def trusting(chain_der: Sequence[bytes], role: Role) -> Verdict:
    """Accept just the good chain, as leaf, Sub 2, Sub 1."""
    broken = None if tuple(chain_der) == GOOD.der else Rule.ANCHOR
    return Verdict(role=role, broken=broken, detail="another root", subject="DE*ABC*1")


async def handshake(
    vehicle: Tapped,
    station: Tapped,
    *,
    client: Caller = CLIENT,
    server: ServerContext = SERVER,
    verify: Verify = trusting,
) -> tuple[TlsStream | BaseException, TlsStream | BaseException]:
    """Let both sides shake hands; return what became of each."""
    ours, theirs = await asyncio.gather(
        connect(vehicle, client, verify, timeout=TIMEOUT),
        accept(station, server, timeout=TIMEOUT),
        return_exceptions=True,
    )
    return ours, theirs


async def opened(vehicle: Tapped, station: Tapped, server: ServerContext = SERVER) -> tuple[TlsStream, TlsStream]:
    ours, theirs = await handshake(vehicle, station, server=server)
    assert isinstance(ours, TlsStream), ours
    assert isinstance(theirs, TlsStream), theirs
    return ours, theirs


async def test_a_message_each_way_and_an_end() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await opened(vehicle, station)
        await ours.send(MESSAGE)
        assert await theirs.receive() == MESSAGE
        await theirs.send(MESSAGE * 2)
        assert await ours.receive() == MESSAGE * 2
        await ours.close()
        await ours.close()
        assert await theirs.receive() == b""
        assert await theirs.receive() == b""
        with pytest.raises(PeerGone, match=r"127\.0\.0\.1.* is closed"):
            await ours.send(MESSAGE)
        assert await ours.receive() == b""


async def test_the_facts_are_known() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await opened(vehicle, station)
        assert (ours.facts.tls, ours.facts.suite) == ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")
        assert (theirs.facts.tls, theirs.facts.suite) == (ours.facts.tls, ours.facts.suite)
        assert (ours.facts.peer_subject, theirs.facts.peer_subject) == ("DE*ABC*1", "")
        assert ours.facts.peer == vehicle.facts.peer


async def test_one_message_is_one_write_and_one_record() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await opened(vehicle, station)
        vehicle.sent.clear()
        await ours.send(MESSAGE)
        await ours.send(b"")
        await ours.send(bytes(40_000))
        small, large = vehicle.sent
        assert [kind for kind, _ in records(small)] == [23]
        assert [kind for kind, _ in records(large)] == [23, 23, 23]
        assert await theirs.receive() == MESSAGE
        got = b""
        while len(got) < 40_000:
            got += await theirs.receive()
        assert got == bytes(40_000)


async def test_many_messages_in_one_segment_all_arrive() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await opened(vehicle, station)
        for _ in range(50):
            await ours.send(MESSAGE)
        await ours.close()
        got = b""
        while more := await theirs.receive():
            got += more
        assert got == MESSAGE * 50


async def test_byte_by_byte() -> None:
    """TCP may cut anywhere, also inside the ClientHello."""
    async with tcp_pair() as (vehicle, station):

        class Slow(Tapped):
            async def send(self, data: bytes) -> None:
                for byte in data:
                    await super().send(bytes([byte]))

        ours, theirs = await opened(Slow(vehicle), Slow(station))
        await ours.send(MESSAGE)
        assert await theirs.receive() == MESSAGE


async def test_close_notify_is_sent_before_the_end() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, _ = await opened(vehicle, station)
        vehicle.sent.clear()
        await ours.close()
        assert [kind for kind, _ in records(b"".join(vehicle.sent))] == [21]
        assert vehicle.closed


async def test_a_peer_that_does_not_read_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FAREWELL", 0.05)

    class Stuck(Tapped):
        stuck = False

        async def send(self, data: bytes) -> None:
            if self.stuck:
                await asyncio.get_running_loop().create_future()
            await super().send(data)

    async with tcp_pair() as (vehicle, station), asyncio.timeout(TIMEOUT):
        below = Stuck(vehicle)
        ours, _ = await opened(below, station)
        below.stuck = True
        await ours.close()
        assert vehicle.closed


async def test_an_end_without_close_notify_is_an_end() -> None:
    async with tcp_pair() as (vehicle, station):
        _, theirs = await opened(vehicle, station)
        await vehicle.close()
        assert await theirs.receive() == b""


async def test_a_forged_record_ends_the_connection() -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await opened(vehicle, station)
        await vehicle.send(b"\x17\x03\x03\x00\x40" + bytes(64))
        with pytest.raises(PeerGone, match="TLS ended"):
            await theirs.receive()
        with pytest.raises(PeerGone, match="alert"):
            await ours.receive()


async def test_the_chain_is_sent_without_its_root_and_named_by_the_vehicle() -> None:
    seen: list[tuple[bytes, ...]] = []

    def verify(chain_der: Sequence[bytes], role: Role) -> Verdict:
        seen.append(tuple(chain_der))
        return trusting(chain_der, role)

    async with tcp_pair() as (vehicle, station):
        ours, _ = await handshake(vehicle, station, verify=verify)
        assert isinstance(ours, TlsStream)
    assert seen == [GOOD.der]  # asked once, however many faults OpenSSL finds


async def test_a_refused_chain_gets_no_byte_of_ours() -> None:
    foreign = chain("foreign")
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await handshake(vehicle, station, server=server_context(foreign.identity))
        assert isinstance(ours, Untrusted)
        assert str(ours) == "secc certificate, anchor: another root"
        assert isinstance(theirs, HandshakeFailed)
        assert "alert" in theirs.reason
        kinds = [kind for piece in vehicle.sent for kind, _ in records(piece)]
        assert kinds == [22, 21]  # ClientHello, alert: no key exchange, no application data
        assert vehicle.closed
        assert station.closed


def failing(_chain: Sequence[bytes], _role: Role) -> Verdict:
    raise KeyError("a fault of the checker")


def as_contract(_chain: Sequence[bytes], _role: Role) -> Verdict:
    return Verdict(role=Role.CONTRACT)


@pytest.mark.parametrize(
    ("verify", "text"), [(failing, "KeyError: 'a fault of the checker'"), (as_contract, "judged as contract")]
)
async def test_a_check_that_does_not_say_yes_says_no(verify: Verify, text: str) -> None:
    async with tcp_pair() as (vehicle, station):
        ours, theirs = await handshake(vehicle, station, verify=verify)
        assert isinstance(ours, Untrusted)
        assert text in str(ours)
        assert isinstance(theirs, HandshakeFailed)


async def test_the_chain_is_chosen_by_the_roots_the_vehicle_names() -> None:
    other = chain("other root")
    server = server_context(other.identity, GOOD.identity)
    async with tcp_pair() as (vehicle, station):
        ours, _ = await opened(vehicle, station, server)
        await ours.close()


async def test_a_vehicle_that_names_unknown_roots_gets_the_first_chain(caplog: pytest.LogCaptureFixture) -> None:
    server = server_context(GOOD.identity, chain("other root").identity)
    async with tcp_pair() as (vehicle, station):
        ours, _ = await handshake(vehicle, station, server=server, client=client_context([chain("foreign").root]))
        assert isinstance(ours, TlsStream)
    assert caplog.records[-1].levelname == "WARNING"
    assert "none of the 1 roots the vehicle names is known here" in caplog.text


async def test_unknown_roots_are_told_once_where_the_handshake_fails(caplog: pytest.LogCaptureFixture) -> None:
    async with tcp_pair() as (vehicle, station):
        client = client_context([chain("foreign").root])
        _, theirs = await handshake(
            vehicle, station, client=client, verify=lambda *_: Verdict(role=Role.SECC, broken=Rule.ANCHOR)
        )
        assert isinstance(theirs, HandshakeFailed)
    assert caplog.text.count("none of the 1 roots the vehicle names is known here") == 1


async def test_silence_ends_with_the_deadline() -> None:
    async with tcp_pair() as (vehicle, station):
        with pytest.raises(Silence) as caught:
            await accept(station, SERVER, timeout=0.05)
        assert (caught.value.timer, caught.value.seconds) == ("TLS handshake", 0.05)
        assert station.closed
        with pytest.raises((Silence, PeerGone)):
            await connect(vehicle, CLIENT, trusting, timeout=0.05)
        assert vehicle.closed


async def test_a_silent_station_ends_with_the_deadline() -> None:
    async with tcp_pair() as (vehicle, _):
        with pytest.raises(Silence):
            await connect(vehicle, CLIENT, trusting, timeout=0.05)


async def test_v2gtp_in_clear_is_refused_with_a_reason() -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(MESSAGE)
        with pytest.raises(HandshakeFailed, match="V2GTP in clear on the TLS port"):
            await accept(station, SERVER, timeout=TIMEOUT)
        assert station.closed
        assert station.sent == []


async def test_a_station_in_clear_is_refused_by_the_vehicle() -> None:
    async with tcp_pair() as (vehicle, station):
        await station.send(MESSAGE)
        with pytest.raises(HandshakeFailed) as caught:
            await connect(vehicle, CLIENT, trusting, timeout=TIMEOUT)
        assert caught.value.reason == "wrong version number"


async def test_leave_taken_during_the_handshake_is_a_failure() -> None:
    async with tcp_pair() as (vehicle, station):
        await station.send(bytes.fromhex("15 0303 0002 01 00"))  # close_notify
        with pytest.raises(HandshakeFailed, match="sent close_notify"):
            await connect(vehicle, CLIENT, trusting, timeout=TIMEOUT)


async def test_a_library_that_does_not_ask_lets_nobody_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "demand_certificate", lambda *_: None)
    async with tcp_pair() as (vehicle, station):
        ours, _ = await handshake(vehicle, station)
        assert isinstance(ours, Untrusted)
        assert ours.detail == "its chain was never judged"
        assert vehicle.closed


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\xff" * 70_000])
async def test_garbage_is_answered_by_an_alert(data: bytes) -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(data)
        with pytest.raises(Undecodable):
            await accept(station, SERVER, timeout=TIMEOUT)
        assert station.sent == [bytes.fromhex("15030300020232")]
        assert station.closed


async def test_garbage_from_a_station_is_refused() -> None:
    async with tcp_pair() as (vehicle, station):
        await station.send(b"\xff" * 70_000)
        with pytest.raises(HandshakeFailed):
            await connect(vehicle, CLIENT, trusting, timeout=TIMEOUT)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 40, -1])
async def test_a_hello_cut_short(size: int) -> None:
    session = CLIENT.session(lambda *_: None)
    assert not session.handshake()
    hello = session.take()
    async with tcp_pair() as (vehicle, station):
        if hello[:size]:
            await vehicle.send(hello[:size])
        await vehicle.close()
        with pytest.raises(PeerGone, match="before its ClientHello was complete"):
            await accept(station, SERVER, timeout=TIMEOUT)


async def test_a_handshake_cut_short() -> None:
    session = CLIENT.session(lambda *_: None)
    assert not session.handshake()
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(session.take())
        accepting = asyncio.create_task(accept(station, SERVER, timeout=TIMEOUT))
        assert (await vehicle.receive())[0] == 22  # ServerHello came
        await vehicle.close()
        with pytest.raises(PeerGone, match="during the TLS handshake"):
            await accepting


def foreign_client(
    *,
    versions: tuple[int, int] = (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION),
    suite: bytes = b"ECDHE-ECDSA-AES128-SHA256",
    groups: str = "P-256",
    schemes: str = "ecdsa_secp256r1_sha256",
) -> SSL.Connection:
    """Make a client that keeps to another profile."""
    context = Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(versions[0])
    context.set_max_proto_version(versions[1])
    context.set_cipher_list(suite)
    context.set_groups(groups)
    context.set_signature_schemes(schemes)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    return connection


@pytest.mark.parametrize(
    ("client", "lacking"),
    [
        (foreign_client(versions=(SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)), "TLS 1.2, TLS_ECDHE"),
        (foreign_client(suite=b"ECDHE-ECDSA-AES128-GCM-SHA256"), "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
        (foreign_client(groups="P-384"), "secp256r1"),
        (foreign_client(schemes="ecdsa_secp384r1_sha384"), "ecdsa_secp256r1_sha256"),
    ],
)
async def test_a_vehicle_of_another_profile_is_told_apart(client: SSL.Connection, lacking: str) -> None:
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(client.bio_read(65_536))
        with pytest.raises(HandshakeFailed, match=f"the vehicle does not offer {lacking}"):
            await accept(station, SERVER, timeout=TIMEOUT)
        client.bio_write(await vehicle.receive())
        with pytest.raises(SSL.Error, match="alert"):
            client.do_handshake()


@pytest.mark.parametrize(
    ("curve", "groups", "version"),
    [(ec.SECP384R1, "P-256", "1.2"), (ec.SECP256R1, "P-384", "1.2"), (ec.SECP256R1, "P-256", "1.3")],
)
async def test_a_station_of_another_profile_is_refused(
    curve: type[ec.EllipticCurve], groups: str, version: str
) -> None:
    """Leaf on P-384, key exchange on P-384, TLS 1.3 only."""
    foreign = chain(curve.__name__, curve=curve)
    context = Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION if version == "1.3" else SSL.TLS1_2_VERSION)
    context.set_groups(groups)
    context.use_certificate(foreign.certificates[0])
    context.use_privatekey(foreign.key)
    server = SSL.Connection(context, None)
    server.set_accept_state()
    async with tcp_pair() as (vehicle, station):
        connecting = asyncio.create_task(connect(vehicle, CLIENT, lambda *_: Verdict(role=Role.SECC), timeout=TIMEOUT))
        server.bio_write(await station.receive())
        with pytest.raises(SSL.Error):
            server.do_handshake()
        await station.send(server.bio_read(65_536))
        with pytest.raises(HandshakeFailed):
            await connecting


def in_time(chain_der: Sequence[bytes], role: Role) -> Verdict:
    """Check the dates of a chain and nothing else."""
    ends = x509.load_der_x509_certificate(chain_der[0]).not_valid_after_utc
    return Verdict(role=role, broken=Rule.EXPIRED if ends < NOW else None, detail=f"{ends:%Y}")


async def test_a_chain_that_ran_out_while_the_station_ran_is_refused() -> None:
    """OpenSSL, which judges nothing here, must not let the check be skipped, nor hide its reason."""
    old = chain("old", begins=NOW - 2 * DAY, ends=NOW - DAY)
    context = Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(old.certificates[0])
    context.use_privatekey(old.key)
    async with tcp_pair() as (vehicle, station):
        connecting = asyncio.create_task(connect(vehicle, CLIENT, in_time, timeout=TIMEOUT))
        server = SSL.Connection(context, None)
        server.set_accept_state()
        server.bio_write(await station.receive())
        with pytest.raises(SSL.WantReadError):
            server.do_handshake()
        await station.send(server.bio_read(65_536))
        with pytest.raises(Untrusted, match="secc certificate, expired"):
            await connecting


async def test_cancelling_closes_the_connection() -> None:
    waits = asyncio.Event()

    class Waiting(Tapped):
        async def receive(self) -> bytes:
            waits.set()
            return await super().receive()

    async with tcp_pair() as (_, station):
        accepting = asyncio.create_task(accept(Waiting(station), SERVER, timeout=TIMEOUT))
        await waits.wait()
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting
        assert station.closed


async def test_cancelling_before_the_start_leaves_nothing_behind() -> None:
    async with tcp_pair() as (vehicle, station):
        for task in (
            asyncio.create_task(accept(station, SERVER, timeout=TIMEOUT)),
            asyncio.create_task(connect(vehicle, CLIENT, trusting, timeout=TIMEOUT)),
        ):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
