"""Both sides capture a real charge in their laboratories, and tshark reads it; outside of one they refuse to."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.bay import Bay
from tests.e2e.conftest import opened
from tests.v2g.capture_reader import needs_tshark, plaintext, tshark

CAPTURE = '[capture]\nfolder = "captures"\nkeylog = "keys.log"\n'


async def with_a_capture(bay: Bay) -> None:
    """Let the station begin anew, with a capture."""
    await bay.terminate("secc")
    file = bay.folder / "secc.toml"
    file.write_text(file.read_text(encoding="utf-8") + CAPTURE, encoding="utf-8")
    mark = bay.mark
    await bay._launch("secc", "secc", "run", "--config", "secc.toml", "--lab")
    await bay.heard(mark, "secc/status", state="online")


def captures(folder: Path) -> list[Path]:
    return sorted((folder / "captures").iterdir())


@needs_tshark
async def test_a_charge_can_be_read_from_either_side(tmp_path: Path, certificates: Path) -> None:
    async with opened("amqtt", "ac", tmp_path, certificates) as bay:
        await with_a_capture(bay)
        bay.describe("car1", "contract", "charge_s = 0.5", more=CAPTURE.replace('"captures"', '"car"'))
        car = await bay._launch("car1", "evcc", "run", "--config", "car1.toml", "--json", "car1.json", "--lab")
        assert await car.ended(30.0) == 0, car.lines
        await bay.peer.hears("secc/session", stage="idle")
    (station,), (vehicle,) = captures(tmp_path), list((tmp_path / "car").iterdir())
    assert station.name.endswith("Z-bay.pcapng")
    assert vehicle.name.endswith("Z-evcc.pcapng")
    ports = []
    for file in (station, vehicle):
        requested, answered, *_ = tshark(
            file, "-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "udp.payload"
        )
        assert requested.split("\t")[1:] == [str(bay.sdp_port), "01fe9000000000020000"]
        assert answered.split("\t")[0] == str(bay.sdp_port)
        announced = bytes.fromhex(answered.split("\t")[2])
        ports.append(int.from_bytes(announced[24:26]))
        assert tshark(file, "-Y", "_ws.malformed || tcp.analysis.flags") == []
    assert ports[0] == ports[1]
    said, answers = plaintext(station, ports[0])
    assert (said, answers) == plaintext(vehicle, ports[0])
    assert 10 < len(frames(said)) == len(frames(answers))
    both = (tmp_path / "keys.log").read_text(encoding="utf-8").splitlines()
    assert len(both) == 2
    assert both[0] == both[1]


def frames(data: bytes) -> list[bytes]:
    """The payloads of a stream of V2GTP, all of them EXI."""
    found = []
    while data:
        assert data[:4] == bytes.fromhex("01fe8001")
        end = 8 + int.from_bytes(data[4:8])
        found.append(data[8:end])
        data = data[end:]
    return found
