"""What docs/pki-serve.md has people type does what it says, against a server on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.pki.serve.serving import LOGIN, Served

ROOT = Path(__file__).parents[3]
_, _PART = (ROOT / "docs" / "pki-serve.md").read_text(encoding="utf-8").split("## Asking it\n")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", _PART.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
STATUS, LIST, ENROL, CONTRACT = BLOCKS


@pytest.fixture(scope="module")
def kind() -> str:
    """What is asked over HTTP is the same with any database."""
    return "sqlite"


@pytest.fixture
def place(served: Served, tmp_path: Path) -> Path:
    """A folder where `pki init` was run."""
    missing = [tool for tool in ("curl", "openssl") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed (apt-get install {' '.join(missing)})")
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/out").symlink_to(served.out)
    return tmp_path


def typed(served: Served, place: Path, text: str) -> str:
    """Run a block as a shell does, our own command from the source; return what it printed."""
    user, secret = LOGIN
    text = text.replace("http://127.0.0.1:8317", served.url).replace('"est:', f'"{user}:')
    text = text.replace("plugcharge ", '"$PYTHON" -m plugcharge ')
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "SECRET": secret}
    command = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_status_of_a_station(served: Served, place: Path) -> None:
    said = typed(served, place, STATUS)
    assert "Response verify OK" in said
    assert "cert.pem: good" in said


def test_a_revocation_list(served: Served, place: Path) -> None:
    said = typed(served, place, LIST)
    assert "Certificate Revocation List (CRL)" in said
    assert "CPO Sub-CA 2" in said


def test_an_enrolment(served: Served, place: Path) -> None:
    typed(served, place, ENROL)
    (leaf,) = x509.load_pem_x509_certificates((place / "evse9.pem").read_bytes())
    leaf.verify_directly_issued_by(served.certificate("ca/cpo/sub2"))
    assert "CN=DE*PCG*E0009" in leaf.subject.rfc4514_string()


def test_a_contract(served: Served, place: Path) -> None:
    assert "accepted: a vehicle may take it" in typed(served, place, CONTRACT)
