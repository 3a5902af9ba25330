"""Certificates are renewed, and broken, while the station runs: no session notices, the next car does."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from cryptography import x509

from tests.e2e.bay import ROOT, Bay
from tests.e2e.conftest import opened

LEAF = "leaf/secc/evse1"


def renew(tree: Path) -> None:
    """Make leaves that end within 70 days anew, that of the station among them."""
    where = ("--out", str(tree.parent), "--tree", tree.name)
    subprocess.run(
        [sys.executable, "-m", "pki", "renew", *where, "--within", "70d"],
        cwd=ROOT, check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def serial(tree: Path) -> str:
    return f"{x509.load_pem_x509_certificate((tree / LEAF / 'cert.pem').read_bytes()).serial_number:x}"


async def shown(bay: Bay) -> str:
    """The serial number of the leaf that the next car is shown; it charges, too."""
    await bay.plug(charge_s=0.5)
    result = await bay.left()
    assert result["ok"], result["reason"]
    told: str = result["station"]["serial"]
    return told


async def test_certificates_change_under_a_running_session(tmp_path: Path, certificates: Path) -> None:
    tree, folder = tmp_path / "iso2", tmp_path / "bay"
    shutil.copytree(certificates, tree)
    folder.mkdir()
    async with opened("mosquitto-5", "dc", folder, tree) as bay:
        before = serial(tree)
        await bay.plug_and_charge(charge_s=600.0)
        mark = bay.mark
        await asyncio.to_thread(renew, tree)
        assert serial(tree) != before
        await bay.heard(mark, "secc/event", kind="certificates_renewed")
        await bay.charging()
        await bay.console("request stop")
        result = await bay.left()
        assert result["ok"], result["reason"]
        assert (result["station"]["serial"], result["sessions"][0]["ended"]) == (before, "stopped")
        details = next(each["tls_details"] for each in bay.peer.since(0, "secc/session") if "tls_details" in each)
        assert (details["generation"], details["group"], "vehicle" in details) == ("iso2", "secp256r1", False)
        assert details["suite"] == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
        await bay.safe()
        assert await shown(bay) == serial(tree)

        await a_broken_key_is_not_taken(bay, tree)


async def a_broken_key_is_not_taken(bay: Bay, tree: Path) -> None:
    """It is told when the file changes, and again when somebody asks; what was in force stays there."""
    whole, key = serial(tree), tree / LEAF / "key.pem"
    sound, mark = key.read_bytes(), bay.mark
    key.write_bytes(b"no key")
    await bay.heard(mark, "secc/event", kind="certificates_refused")
    (refused,) = bay.peer.events(mark, "certificates_refused")
    assert str(key) in refused["reason"]
    await bay.process("secc").says("the old certificates stay in force", 5.0)
    mark = bay.mark
    bay.process("secc").signal(signal.SIGHUP)
    await bay.heard(mark, "secc/event", kind="certificates_refused")
    assert await shown(bay) == whole
    mark = bay.mark
    key.write_bytes(sound)
    bay.process("secc").signal(signal.SIGHUP)
    await bay.heard(mark, "secc/event", kind="certificates_renewed")
