"""Reads captures for tests: pcapng by hand, and what tshark makes of a file."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

TSHARK = shutil.which("tshark", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (apt-get install tshark)")
SECRETS, PACKET = 0x0A, 0x06


@dataclass(frozen=True)
class Block:
    kind: int
    body: bytes

    @property
    def packet(self) -> bytes:
        """The IP packet of an enhanced packet block."""
        (size,) = struct.unpack_from("<I", self.body, 12)
        return self.body[20 : 20 + size]

    @property
    def at_ns(self) -> int:
        high, low = struct.unpack_from("<II", self.body, 4)
        return int(high << 32 | low)


def blocks(data: bytes) -> list[Block]:
    """Split a little-endian file; both lengths of a block have to agree."""
    found = []
    while data:
        kind, size = struct.unpack_from("<II", data)
        assert size % 4 == 0
        assert struct.unpack_from("<I", data, size - 4) == (size,)
        found.append(Block(kind, data[8 : size - 4]))
        data = data[size:]
    return found


def tshark(file: Path, *options: str) -> list[str]:
    """What tshark prints of a file, by lines; it has to take the whole file."""
    assert TSHARK is not None
    done = subprocess.run(
        [TSHARK, "-n", "-r", str(file), *options], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def plaintext(file: Path, port: int) -> tuple[bytes, bytes]:
    """What tshark decrypts: all the vehicle said, and all the station at `port` said."""
    lines = tshark(file, "-d", f"tcp.port=={port},tls", "-q", "-z", "follow,tls,raw,0")
    first = next(line for line in lines if line.startswith("Node 0:"))
    body = [line for line in lines[6:] if line and not line.startswith("=")]
    said = b"".join(bytes.fromhex(line) for line in body if not line.startswith("\t"))
    answered = b"".join(bytes.fromhex(line) for line in body if line.startswith("\t"))
    # The first node is the one whose data came first, which in TLS 1.3 may be the station's.
    return (answered, said) if first.endswith(f":{port}") else (said, answered)
