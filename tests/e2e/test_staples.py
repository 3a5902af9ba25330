"""A station, an operator and cars as processes: who wants proof charges only where the operator gave some."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.brokers import eventually
from tests.e2e.bay import PATIENCE_S, Bay
from tests.e2e.conftest import opened
from tests.e2e.test_revocation import pki

STAPLES = '[staples]\noperator = true\noperator_s = 0.5\nfolder = "ocsp"\n'


async def visit(bay: Bay) -> dict[str, Any]:
    """Let a car come that requires a staple; return what it says."""
    bay.cars += 1
    name = f"car{bay.cars}"
    file = bay.describe(name, "contract", "charge_s = 0.5")
    file.write_text(file.read_text(encoding="utf-8").replace("[tls]\n", '[tls]\nstaple = "require"\n'))
    command = ("evcc", "run", "--config", file.name, "--json", f"{name}.json")
    bay._running["car"] = await bay._launch(name, *command)
    return await bay.left()


async def begin_anew(bay: Bay) -> None:
    """Let the station start without what it was told before, and be answered."""
    await bay.terminate("secc")
    kept = bay.folder / "ocsp"
    for file in kept.iterdir():
        file.unlink()
    await bay.start("secc")
    await eventually(lambda: any(kept.glob("*.der")), "the response is kept", PATIENCE_S)


async def test_the_operator_vouches_for_the_station_until_it_is_revoked(tmp_path: Path, certificates: Path) -> None:
    tree, folder = tmp_path / "tree", tmp_path / "bay"
    shutil.copytree(certificates, tree)
    (folder / "ocsp").mkdir(parents=True)
    async with opened("mosquitto-5", "ac", folder, tree, STAPLES) as bay:
        mark = bay.mark
        await bay.heard(0, "secc/event", kind="staple_missing")
        result = await visit(bay)
        assert (result["ok"], result["reason"].split(":")[0]) == (False, "StapleRefused")
        assert "none came" in result["reason"]
        await bay.heard(mark, "secc/event", kind="handshake")

        await bay.operate()
        await begin_anew(bay)
        result = await visit(bay)
        assert result["ok"], result["reason"]
        assert result["tls_details"]["staple"] == "good"

        pki("revoke", "leaf/secc/evse1", "--reason", "keyCompromise", "--tree", tree)
        mark = bay.mark
        await begin_anew(bay)
        await bay.heard(mark, "secc/event", kind="staple_revoked")
        result = await visit(bay)
        assert not result["ok"]
        assert "OCSP staple, revoked" in result["reason"]
