"""`pki serve` as a process of its own: how it starts, refuses to, and ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from pki.cli.serve import serve
from pki.commands import pki
from pki.serve import listener
from pki.serve.misbehaviour import MISBEHAVIOURS
from tests.pki.serve.certificates import signing_request

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def process(out: Path, database: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Run the command until the end of the block; yield it, its URL, and what it said before."""
    command = [sys.executable, "-m", "pki", "serve", "--out", str(out), "--port", "0", *more]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PLUGCHARGE_PKI_DATABASE": database}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=pipe, stderr=pipe) as running:
        assert running.stdout is not None
        said: list[str] = []
        try:
            for line in running.stdout:
                said.append(line.rstrip())
                found = re.search(r": (http://\S+)/$", line)
                if found:
                    break
            assert found, said
            yield running, found[1], said
        finally:
            running.terminate()
            running.wait(20)


def test_it_serves_and_ends(grove: Path, database: str) -> None:
    with process(grove, database) as (running, url, said):
        assert httpx.get(f"{url}/health", trust_env=False).json()["status"] == "ok"
        assert said[-1].startswith("iso2, iso20, iso20-ed448: http://127.0.0.1:")
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) in (0, -signal.SIGTERM)


def test_the_first_secret_is_told_once(grove: Path, database: str) -> None:
    headers, (_, body) = {"Content-Type": "application/pkcs10"}, signing_request("DE*PCG*E0950")
    for start in range(2):
        with process(grove, database) as (_, url, said):
            told = [line for line in said if line.startswith("EST: user est, password ")]
            assert len(told) == (1 if start == 0 else 0)
            if told:
                secret = told[0].split()[4]
            answer = httpx.post(
                f"{url}/.well-known/est/iso2/simpleenroll",
                content=body,
                headers=headers,
                auth=("est", secret),
                trust_env=False,
            )
            assert answer.status_code == 200


def test_a_killed_server_has_lost_nothing(grove: Path, database: str) -> None:
    """What was answered is there after SIGKILL, and the state is whole."""
    with process(grove, database) as (running, url, _):
        with httpx.Client(base_url=url, trust_env=False) as client:
            secret = client.put("/admin/secrets/csms", json={}).json()["bearer"]
            headers = {"Content-Type": "application/pkcs10", "Authorization": f"Bearer {secret}"}
            _, body = signing_request("DE*PCG*E0951")
            for _ in range(5):
                answer = client.post("/.well-known/est/iso2/simpleenroll", content=body, headers=headers)
                assert answer.status_code == 200
        count = certificates(url)
        running.kill()
        running.wait(20)
    with process(grove, database) as (_, url, _):
        assert certificates(url) == count


def certificates(url: str) -> int:
    found = re.search(
        "^plugcharge_pki_state_certificates ([0-9]+)$", httpx.get(f"{url}/metrics", trust_env=False).text, re.MULTILINE
    )
    assert found
    return int(found[1])


def test_misbehaviours_from_the_start(grove: Path, tmp_path: Path) -> None:
    switches = ("--misbehave", "crl:expired@cpo-sub2", "--misbehave", "ocsp:delay", "--delay", "0.1")
    with process(grove, f"sqlite:///{tmp_path / 'state'}", *switches) as (_, url, said):
        assert "misbehaves: crl:expired cpo-sub2" in said
        on = httpx.get(f"{url}/admin/misbehaviour", trust_env=False).json()["on"]
        assert [each["name"] for each in on] == ["expired", "delay"]


def test_all_misbehaviours_are_printed() -> None:
    done = CliRunner().invoke(pki, ["serve", "--misbehaviours"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines()] == [f"{m.service}:{m.name}" for m in MISBEHAVIOURS]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "add --expose if they shall"),
        (["--host", "localhost"], "write an address, such as 127.0.0.1"),
        (["--misbehave", "ocsp:nice"], "there are revoked, unknown"),
        (["--misbehave", "ocsp"], "such as ocsp:revoked"),
        (["--database", "mysql://x"], "no kind of database we know"),
        (["--database", "sqlite:////proc/none/state"], "name sqlite:///FILE"),
        (["--config", "none.toml"], "none.toml: no such file"),
        (["--host", "192.0.2.1", "--expose"], "choose another with --port"),
    ],
)
def test_what_it_does_not_start_with(grove: Path, arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(serve, ["--out", str(grove), "--port", "0", *arguments])
    assert done.exit_code == 1
    assert told in done.output
    assert not (grove / "serve.sqlite3").exists()


def test_no_tree(tmp_path: Path) -> None:
    done = CliRunner().invoke(serve, ["--out", str(tmp_path), "--port", "0"])
    assert done.exit_code == 1
    assert "holds none of the trees iso2, iso20, iso20-ed448; `plugcharge pki init` makes them" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(grove: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(serve, ["--out", str(grove), "--port", port])
    assert done.exit_code == 1
    assert f"127.0.0.1 port {port}: Address already in use; choose another with --port" in done.output


def test_which_addresses_others_reach() -> None:
    assert listener.check_host("192.0.2.1", expose=True)
    assert not listener.check_host("127.0.0.2", expose=False)
    assert not listener.check_host("::1", expose=False)


def test_an_exposed_server_says_so(grove: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'state'}"
    with process(grove, database, "--host", "0.0.0.0", "--expose") as (running, url, _):
        port = url.rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200
        running.terminate()
        assert running.stderr is not None
        assert "*** These servers answer at 0.0.0.0" in running.stderr.read()
