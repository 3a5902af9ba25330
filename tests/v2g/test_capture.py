"""Captures of real connections, read by tshark; and what must not happen to a session for them."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.capture_reader import PACKET, SECRETS, blocks, needs_tshark, plaintext, tshark
from tests.v2g.tls.chains import ED448, Chain, chain, second
from v2g import capture
from v2g.capture import Capture, CaptureSettings, Recorder, anchored
from v2g.errors import HandshakeFailed
from v2g.packets import Conversation, End, Side
from v2g.stream import Stream, TcpStream
from v2g.tls.context import client_context, server_context
from v2g.tls.stream import accept, connect
from v2g.trust import Role, Verdict

MESSAGE = bytes.fromhex("01fe800100000004") + b"EXI!"
ANSWER = bytes.fromhex("01fe800100000005") + b"answr"
GOOD = chain()


@asynccontextmanager
async def tcp_pair() -> AsyncIterator[tuple[TcpStream, TcpStream]]:
    """Two plain streams over ::1: the vehicle's end and the station's."""
    accepted: asyncio.Queue[TcpStream] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: accepted.put_nowait(TcpStream(*ends)), "::1", 0)
    vehicle = TcpStream(*await asyncio.open_connection("::1", server.sockets[0].getsockname()[1]))
    station = await accepted.get()
    server.close()
    try:
        yield vehicle, station
    finally:
        await vehicle.close()
        await station.close()


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def port(stream: TcpStream) -> int:
    assert stream.ends is not None
    return stream.ends[0][1]


async def shake_hands(
    vehicle: Stream, station: Stream, recorder: Recorder, *, by: Side, make: Callable[[], Chain] = chain
) -> tuple[Stream, Stream]:
    """TLS between two streams, one of which tells its secrets; the chains tell its generation."""
    shown = make()
    server = server_context(shown.identity, keylog=recorder.keylog if by is Side.STATION else None)
    client = client_context(
        [shown.root],
        identity=shown.identity,
        generations=[shown.identity.generation],
        keylog=recorder.keylog if by is Side.VEHICLE else None,
    )
    return await asyncio.gather(
        connect(vehicle, client, trusting, timeout=10), accept(station, server, trusting, timeout=10)
    )


def trusting(_: Sequence[bytes], role: Role) -> Verdict:
    return Verdict(role=role)


async def talk(vehicle: Stream, station: Stream) -> None:
    await vehicle.send(MESSAGE)
    assert await station.receive() == MESSAGE
    await station.send(ANSWER)
    assert await vehicle.receive() == ANSWER


async def captured(folder: Path, by: Side, make: Callable[[], Chain] = chain) -> tuple[Path, int]:
    """Capture a short conversation over TLS; return file and port of the station."""
    recorder = Recorder(CaptureSettings(folder=str(folder)))
    async with tcp_pair() as (vehicle, station):
        number = port(station)
        tapped = station if by is Side.STATION else vehicle
        async with recorder.tapped(tapped, by, "bay-1") as below:
            ends: tuple[Stream, Stream] = (vehicle, below) if by is Side.STATION else (below, station)
            ours, theirs = await shake_hands(*ends, recorder, by=by, make=make)
        await talk(ours, theirs)
        await ours.close()
        await theirs.close()
    recorder.close()
    (file,) = files(folder)
    return file, number


@needs_tshark
@pytest.mark.parametrize("make", [chain, second, partial(second, "Ed448", ED448)], ids=["iso2", "iso20", "ed448"])
@pytest.mark.parametrize("by", Side, ids=str)
async def test_tshark_decrypts_both_directions(tmp_path: Path, by: Side, make: Callable[[], Chain]) -> None:
    file, number = await captured(tmp_path / "captures", by, make)
    assert plaintext(file, number) == (MESSAGE, ANSWER)
    fields = ("-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport", "-e", "data.data")
    shown = [line.split("\t") for line in tshark(file, "-d", f"tcp.port=={number},tls", "-Y", "data", *fields)]
    (car, to, said), (back, home, answered) = shown
    assert (to, back, home) == (str(number), str(number), car)
    assert (said, answered) == (MESSAGE.hex(), ANSWER.hex())
    certificates = tshark(file, "-d", f"tcp.port=={number},tls", "-Y", "tls.handshake.type == 11", *fields[:4])
    assert certificates == ([str(number)] if make is chain else [str(number), car])
    assert tshark(file, "-Y", "_ws.malformed || tcp.analysis.flags") == []


@needs_tshark
async def test_without_the_secrets_nothing_is_decrypted(tmp_path: Path) -> None:
    """That it reads the messages is due to the block of secrets."""
    file, number = await captured(tmp_path / "captures", Side.STATION)
    data = file.read_bytes()
    for block in blocks(data):
        if block.kind == SECRETS:
            whole = len(block.body) + 12
            at = data.index(block.body) - 8
            data = data[:at] + data[at + whole :]
    file.write_bytes(data)
    assert plaintext(file, number) == (b"", b"")


async def test_secrets_stand_before_packets_and_times_do_not_fall(tmp_path: Path) -> None:
    file, _ = await captured(tmp_path / "captures", Side.STATION)
    kinds = [each.kind for each in blocks(file.read_bytes())]
    assert kinds.index(PACKET) > max(at for at, kind in enumerate(kinds) if kind == SECRETS)
    times = [each.at_ns for each in blocks(file.read_bytes()) if each.kind == PACKET]
    assert times == sorted(times)


async def test_only_the_owner_may_read(tmp_path: Path) -> None:
    file, _ = await captured(tmp_path / "captures", Side.STATION)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_each_capture_has_its_own_secrets(tmp_path: Path) -> None:
    """Two cars share one context; who is given one file reads one session."""
    recorder = Recorder(CaptureSettings(folder=str(tmp_path)))
    server = server_context(GOOD.identity, keylog=recorder.keylog)
    client = client_context([GOOD.root])
    verdict = Verdict(role=Role.SECC)
    async with tcp_pair() as first, tcp_pair() as second:

        async def shake(vehicle: TcpStream, station: TcpStream) -> None:
            async with recorder.tapped(station, Side.STATION, str(port(station))) as below:
                await asyncio.gather(
                    connect(vehicle, client, lambda *_: verdict, timeout=10), accept(below, server, timeout=10)
                )

        await asyncio.gather(shake(*first), shake(*second))
        recorder.close()
    kept = [[each.body[8:] for each in blocks(file.read_bytes()) if each.kind == SECRETS] for file in files(tmp_path)]
    assert [len(each) for each in kept] == [1, 1]
    assert kept[0] != kept[1]


async def test_a_handshake_that_fails_is_kept(tmp_path: Path) -> None:
    recorder = Recorder(CaptureSettings(folder=str(tmp_path)))
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(MESSAGE)
        with pytest.raises(HandshakeFailed):
            async with recorder.tapped(station, Side.STATION, "bay-1") as below:
                await accept(below, server_context(GOOD.identity, keylog=recorder.keylog), timeout=10)
    (file,) = files(tmp_path)
    packets = [each.packet for each in blocks(file.read_bytes()) if each.kind == PACKET]
    assert [packet[60:] for packet in packets if len(packet) > 60] == [MESSAGE]
    assert any(packet[53] & 1 for packet in packets)
    assert not recorder._captures


@needs_tshark
async def test_discovery_stands_before_the_connection_it_led_to(tmp_path: Path) -> None:
    recorder = Recorder(CaptureSettings(folder=str(tmp_path)))
    async with tcp_pair() as (vehicle, station):
        car, secc = ("::1", 50_000), ("::1", 15_118)
        recorder.discovered(car, secc, b"request")
        recorder.discovered(secc, car, b"response")
        async with recorder.tapped(station, Side.STATION, "bay-1") as below:
            pass
        await talk(vehicle, below)
        await below.close()
    (file,) = files(tmp_path)
    shown = tshark(file, "-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "tcp.flags")
    assert [line.split("\t") for line in shown[:3]] == [
        ["50000", "15118", ""],
        ["15118", "50000", ""],
        ["", "", "0x0002"],
    ]


async def test_without_a_configuration_nothing_is_kept() -> None:
    recorder = Recorder()
    assert recorder.keylog is None
    async with tcp_pair() as (_, station), recorder.tapped(station, Side.STATION, "bay-1") as below:
        assert below is station


async def test_the_key_log_alone(tmp_path: Path) -> None:
    """Lines as tools read them, appended to what was there; and 0600, whatever it was before."""
    file = tmp_path / "keys.log"
    file.write_bytes(b"# before\n")
    file.chmod(0o644)
    recorder = Recorder(CaptureSettings(keylog=str(file)))
    async with tcp_pair() as (vehicle, station), recorder.tapped(station, Side.STATION, "bay-1") as below:
        assert below is station
        await shake_hands(vehicle, below, recorder, by=Side.STATION)
    before, line = file.read_bytes().splitlines()
    assert before == b"# before"
    label, random, secret = line.split(b" ")
    assert (label, len(random), len(secret)) == (b"CLIENT_RANDOM", 64, 96)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_disk_that_is_full_costs_the_capture_and_not_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_file: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    keys = tmp_path / "keys.log"
    recorder = Recorder(CaptureSettings(folder=str(tmp_path / "captures"), keylog=str(keys)))
    async with tcp_pair() as (vehicle, station):
        async with recorder.tapped(station, Side.STATION, "bay-1") as below:
            monkeypatch.setattr(os, "write", full)
            ours, theirs = await shake_hands(vehicle, below, recorder, by=Side.STATION)
        await talk(ours, theirs)
        await theirs.close()
    assert [record.getMessage() for record in caplog.records] == [
        "a capture ends early, it cannot be written: No space left on device",
        "the key log ends early, it cannot be written: No space left on device",
    ]


async def test_a_folder_that_went_away_costs_the_capture_and_not_the_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(CaptureSettings(folder=str(tmp_path / "captures")))
    (tmp_path / "captures").rmdir()
    async with tcp_pair() as (_, station), recorder.tapped(station, Side.STATION, "bay-1") as below:
        assert below is station
    assert "no capture of this connection" in caplog.text


async def test_packets_are_not_held_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_HELD", 10_000)
    recorder = Recorder(CaptureSettings(folder=str(tmp_path)))
    async with tcp_pair() as (vehicle, station), recorder.tapped(station, Side.STATION, "bay-1") as below:
        (file,) = files(tmp_path)
        before = file.stat().st_size
        await below.send(bytes(9_000))
        assert file.stat().st_size == before
        await below.send(bytes(9_000))
        assert file.stat().st_size > 18_000
        await vehicle.close()
    recorder.close()


async def test_secrets_do_not_reach_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    keys = tmp_path / "keys.log"
    recorder = Recorder(CaptureSettings(folder=str(tmp_path / "captures"), keylog=str(keys)))
    async with tcp_pair() as (vehicle, station), recorder.tapped(station, Side.STATION, "bay-1") as below:
        await shake_hands(vehicle, below, recorder, by=Side.STATION)
    secret = keys.read_text().split()[-1]
    assert secret not in caplog.text
    recorder.close()


PIECES = st.lists(st.tuples(st.sampled_from(Side), st.binary(min_size=1, max_size=60)))


@given(PIECES, PIECES)
def test_whatever_passes_is_kept_in_its_order(
    before: list[tuple[Side, bytes]], after: list[tuple[Side, bytes]]
) -> None:
    """Also what looks like a ClientHello and is none; before the handshake has ended, and after."""
    read, write = os.pipe()
    kept = Capture(write, Conversation(End.named(("::1", 1)), End.named(("::1", 2))))
    kept.begin()
    for side, data in before:
        kept.sent(side, data)
    kept.secret(b"CLIENT_RANDOM 00 00")
    kept.settle()
    for side, data in after:
        kept.sent(side, data)
    kept.close()
    kept.close()
    with os.fdopen(read, "rb") as pipe:
        found = blocks(pipe.read())
    packets = [each.packet for each in found if each.kind == PACKET][3:]
    assert [(Side(packet[41] - 1), packet[60:]) for packet in packets] == before + after
    assert SECRETS not in [each.kind for each in found]


@pytest.mark.parametrize("key", ["folder", "keylog"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match=r"nowhere/it.*No such file"):
        Recorder(CaptureSettings(**{key: str(tmp_path / "nowhere" / "it")}))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write to the folder could have the keys put elsewhere."""
    (tmp_path / "keys.log").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match=r"keys\.log"):
        Recorder(CaptureSettings(keylog=str(tmp_path / "keys.log")))
    assert not (tmp_path / "other").exists()


def test_names_are_relative_to_the_folder_of_the_configuration(tmp_path: Path) -> None:
    assert anchored(CaptureSettings(folder="x"), tmp_path) == CaptureSettings(folder=os.fspath(tmp_path / "x"))
    assert not anchored(CaptureSettings(), tmp_path)
