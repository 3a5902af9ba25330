"""The findings about what Josev's own script makes, which are known (it is P-256 in both of its versions)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from pki.lint.finding import Severity
from pki.lint.linter import Demand, lint
from pki.lint.source import gather
from pki.profiles import Edition

PYTHON = Path(os.environ.get("PLUGCHARGE_PEER") or Path(__file__).parents[3] / ".peer") / "bin" / "python"
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not PYTHON.exists(), reason="no Josev: run `make provision`, or set PLUGCHARGE_PEER"),
]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    command = [str(PYTHON), "-c", "import iso15118; print(iso15118.__path__[0])"]
    home = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path_factory.mktemp("script") / "pki"
    shutil.copytree(Path(home) / "shared" / "pki", folder)
    for version in ("iso-2", "iso-20"):
        subprocess.run(["bash", "create_certs.sh", "-v", version], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("folder", ["iso15118_2", "iso15118_20"])
@pytest.mark.parametrize("edition", [None, Edition.JOSEV])
def test_josevs_own_certificates_hold_but_for_what_is_known(script: Path, folder: str, edition: Edition | None) -> None:
    report = lint(gather(script / folder, b"12345"), Demand(edition=edition))
    assert report.counts[Severity.ERROR] == 0
    told = Counter(finding.rule for finding in report.findings)
    assert told["serial-short"] == 15
    assert (told["emaid-check"], told["pcid"]) == (1, 1)
    assert set(told) <= {
        *("serial-short", "emaid-check", "pcid", "usage-extra", "url-form", "private-key", "chain-nesting")
    }
    roles = {one.role for examined in report.examined for one in examined.certificates}
    assert {"secc", "contract", "oem-provisioning", "cps", "v2g-root", "mo-root", "oem-root", "mo-sub2"} <= roles


def test_josevs_second_generation_is_none(script: Path) -> None:
    report = lint(gather(script / "iso15118_20" / "certs" / "cpoCertChain.pem"), Demand(edition=Edition.ISO20))
    told = Counter(finding.rule for finding in report.findings)
    assert (told["profile-key"], told["profile-algorithm"]) == (3, 3)


def test_two_of_its_trees_share_issuers_and_serial_numbers(script: Path) -> None:
    report = lint([*gather(script / "iso15118_2", b"12345"), *gather(script / "iso15118_20", b"12345")], Demand())
    told = Counter(finding.rule for finding in report.findings)
    assert told["serial-twice"] == 15
    assert told["twin-roots"] == 3
