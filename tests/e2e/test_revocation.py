"""A contract is revoked while the station runs: the next car of that contract is refused, with no restart."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.bay import ROOT
from tests.e2e.conftest import opened

CAR = "leaf/contract/car1"


def pki(*arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pki", *map(str, arguments)], cwd=ROOT, check=True, capture_output=True, timeout=60
    )


async def test_what_the_operator_revokes_is_refused_from_then_on(tmp_path: Path, certificates: Path) -> None:
    tree, folder = tmp_path / "tree", tmp_path / "bay"
    shutil.copytree(certificates, tree)
    folder.mkdir()
    pki("crl", "--tree", tree)
    async with opened(
        "mosquitto-5", "ac", folder, certificates, f'revocation = "hard"\nevidence = "{tree}/crl"\n'
    ) as bay:
        await bay.plug(charge_s=0.5)
        result = await bay.left()
        assert result["ok"], result["reason"]
        pki("revoke", CAR, "--reason", "keyCompromise", "--tree", tree)
        pki("crl", "--tree", tree)
        await bay.plug(charge_s=0.5)
        result = await bay.left()
        assert not result["ok"]
        assert (result["ended_by"], result["energy_wh"]) == ("station", 0)
        assert "FAILED_CertificateRevoked" in result["reason"]
        assert result["exchanges"][-1]["request"] == "PaymentDetailsReq"
