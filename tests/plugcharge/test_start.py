"""What cannot be used at start-up: one line on stderr with place and remedy, a status that is not 0, no traceback."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read

Ended = subprocess.CompletedProcess[str]

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0

BAY = '[[evse]]\nid = "1"\ninterface = "lo"\nsdp_port = 0\n'
PLAIN = "[tls]\nrequired = false\n"
TLS = '[tls]\nchain = "leaf/secc/evse1/chain.pem"\nkey = "leaf/secc/evse1/key.pem"\n'
CARD = '[plan]\npayment = "external"\n'
NETWORK = '[network]\ninterface = "lo"\n'
NO_TLS = '[network]\ninterface = "lo"\nsecurity = "none"\n'


def tls(chain: str, key: str = "leaf/secc/evse1/key.pem", more: str = "") -> str:
    return f'{BAY}[tls]\nchain = "{chain}"\nkey = "{key}"\n{more}'


# The text of the configuration, and what the one line has to name: file, place, remedy.
SECC = {
    "no TOML": ("[[evse]", ["secc.toml", "not TOML", "line 1"]),
    "unknown table": ("x = 1\n", ["secc.toml", "`x`"]),
    "no EVSE": (PLAIN, ["secc.toml", "`evse`"]),
    "missing key": ('[[evse]]\nid = "1"\n', ["secc.toml", "`interface`", "evse[0]"]),
    "bad name": (BAY.replace('"1"', '"a/b"') + PLAIN, ["secc.toml", "evse[0].id"]),
    "the same name twice": (BAY + BAY + PLAIN, ["secc.toml", "[[evse]] id", "once"]),
    "wrong type": (BAY + PLAIN + '[mqtt]\nport = "x"\n', ["secc.toml", "mqtt.port", "int"]),
    "port out of range": (BAY.replace("sdp_port = 0", "tls_port = 70000") + PLAIN, ["secc.toml", "evse[0].tls_port"]),
    "unknown key in [controller]": (
        BAY + PLAIN + "[controller]\nbeat_s = 1\n",
        ["secc.toml", "`beat_s`", "controller"],
    ),
    "unknown key in [mqtt]": (BAY + PLAIN + "[mqtt]\nhots = 'x'\n", ["secc.toml", "`hots`", "mqtt"]),
    "a heart that never rests": (
        BAY + PLAIN + "[controller]\nheartbeat_s = 0\n",
        ["secc.toml", "controller.heartbeat_s"],
    ),
    "negative wait": (BAY + PLAIN + "[authorization]\nexternal_wait_s = -5\n", ["secc.toml", "external_wait_s"]),
    "no certificate": (BAY, ["secc.toml", "[tls] chain and key", "pki init", "required = false"]),
    "half a certificate": (BAY + '[tls]\nrequired = false\nchain = "c"\n', ["secc.toml", "[tls]", "together"]),
    "missing certificate": (tls("none.pem"), ["secc.toml: [tls]", "none.pem", "no such", "pki init"]),
    "garbage for a certificate": (tls("garbage.pem"), ["secc.toml: [tls]", "garbage.pem", "pki init"]),
    "missing key file": (tls("leaf/secc/evse1/chain.pem", "none.pem"), ["secc.toml: [tls]", "none.pem", "no such"]),
    "key of another": (
        tls("leaf/secc/evse1/chain.pem", "leaf/contract/car1/key.pem"),
        ["secc.toml: [tls]", "car1/key.pem", "not the key of", "evse1/chain.pem"],
    ),
    "no password": (tls("leaf/secc/evse1/chain.pem", "encrypted.pem"), ["[tls]", "encrypted.pem", "give its password"]),
    "wrong password": (
        tls("leaf/secc/evse1/chain.pem", "encrypted.pem", 'password = "wrong"\n'),
        ["[tls]", "encrypted.pem", "wrong password"],
    ),
    "expired": (tls("expired.pem", "expired.key"), ["[tls]", "expired.pem", "expired 2020-01-31", "issue a new one"]),
    "no contract roots": (BAY + PLAIN + '[trust]\ncontract = ["none.pem"]\n', ["[trust] contract", "none.pem"]),
    "a leaf as root": (
        BAY + PLAIN + '[trust]\ncontract = ["leaf/contract/car1/chain.pem"]\n',
        ["[trust] contract", "chain.pem", "no CA"],
    ),
    "no broker certificate": (
        BAY + PLAIN + '[mqtt]\nca = "none.pem"\n',
        ["secc.toml", "broker", "none.pem", "check ca"],
    ),
    "no interface": (BAY.replace('"lo"', '"nope"') + PLAIN, ["secc.toml: [[evse]] 1", "'nope'", "use one of", "lo"]),
}
EVCC = {
    "no TOML": ("[", ["evcc.toml", "not TOML"]),
    "unknown key": ("[plan]\nspeed = 1\n", ["evcc.toml", "`speed`", "plan"]),
    "bad value": ('[plan]\nenergy = "steam"\n', ["evcc.toml", "'steam'", "plan.energy", "'ac1', 'ac3', 'dc'"]),
    "no roots": (NETWORK + CARD, ["evcc.toml", "[tls] roots", 'security = "none"']),
    "missing roots": (NETWORK + CARD + '[tls]\nroots = ["none.pem"]\n', ["evcc.toml", "none.pem", "pki init"]),
    "no contract": (
        NETWORK + '[tls]\nroots = ["trust/v2g.pem"]\n',
        ["evcc.toml", "[contract]", 'payment = "external"'],
    ),
    "a contract without TLS": (
        NO_TLS + '[contract]\nchain = "c"\nkey = "k"\n',
        ["evcc.toml", "contract needs TLS", "[network]", "[plan]"],
    ),
    "key of another": (
        NETWORK
        + '[tls]\nroots = ["trust/v2g.pem"]\n'
        + '[contract]\nchain = "leaf/contract/car1/chain.pem"\nkey = "leaf/secc/evse1/key.pem"\n',
        ["evcc.toml", "evse1/key.pem", "not the key of"],
    ),
    "no interface": (NO_TLS.replace('"lo"', '"nope"') + CARD, ["evcc.toml", "[network] interface", "'nope'", "lo"]),
    "bad address": (NO_TLS + 'connect = "somewhere"\n' + CARD, ["evcc.toml", "connect = 'somewhere'", "[::1]:15119"]),
    "no such port": (NO_TLS + 'connect = "[::1]:99999"\n' + CARD, ["evcc.toml", "connect = '[::1]:99999'"]),
    "bad EVCCID": ('evcc_id = "zz"\n' + NO_TLS + CARD, ["evcc.toml", "evcc_id", "'zz'", "MAC"]),
    "bad cable": (NO_TLS + CARD + '[cable]\nevse = "a/#"\n', ["evcc.toml", "cable.evse"]),
    "unknown message": (
        NO_TLS + CARD + "[timeouts]\nHelloReq = 1.0\n",
        ["evcc.toml", "[timeouts] HelloReq", "SessionSetupReq"],
    ),
}
SIMULATOR = {
    "unknown key": ("color = 1\n", ["simulator.toml", "`color`", "--help"]),
    "bad value": ('energy = "steam"\n', ["simulator.toml", "'steam'", "energy"]),
    "unknown key in [broker]": ("[broker]\nhots = 'x'\n", ["simulator.toml", "`hots`", "broker"]),
    "no record": ('record = "none/record"\n', ["none/record", "name another file"]),
}  # fmt: skip
LINES = {
    "secc run without configuration": (["secc", "run"], ["secc.toml", "no such file", "docs/secc.md"]),
    "evcc run without configuration": (["evcc", "run"], ["evcc.toml", "no such file", "docs/evcc.md"]),
    "a folder as configuration": (["secc", "run", "--config", "trust"], ["trust", "cannot be read"]),
    "secc simulate without its file": (["secc", "simulate", "--config", "no.toml"], ["no.toml", "no such file"]),
    "a broker without port": (["secc", "simulate", "--broker", "here"], ["--broker 'here'", "HOST:PORT"]),
    "an unknown fault": (["secc", "simulate", "--fault", "fire@1"], ["'fire'", "rcd"]),
    "a console without input": (["secc", "simulate", "--console"], ["console", "neither a terminal nor a pipe"]),
    "a result nowhere": (["evcc", "run", "--json", "none/x.json"], ["--json none/x.json", "no folder none"]),
    "a result in place of a folder": (["evcc", "run", "--json", "trust"], ["--json trust", "a folder", "name a file"]),
    "a result among messages": (["evcc", "run", "--json", "-", "--ladder"], ["--json -", "--ladder", "name a file"]),
    "an address without port": (["evcc", "run", "--connect", "::1"], ["--connect '::1'", "[HOST]:PORT", "[::1]:15119"]),
    "a report nowhere": (["demo", "--json", "none/x.json"], ["--json none/x.json", "no folder none"]),
    "a bad pki.toml": (["pki", "init", "--config", "garbage.pem"], ["garbage.pem"]),
    "an export of nothing": (["pki", "export", "--layout", "josev", "--from", "trust", "out"], ["trust", "pki init"]),
    "no chain": (["pki", "verify", "garbage.pem", "--role", "secc", "--trust", "trust/v2g.pem"], ["garbage.pem"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates of all conditions."""
    folder = tmp_path_factory.mktemp("start")
    bring_up_to_date(read()["iso2"], Store(folder))
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "encrypted.pem", key, b"secret")
    _write_key(folder / "expired.key", key, b"")
    (folder / "expired.pem").write_bytes(_expired(key))
    (folder / "garbage.pem").write_text("no certificate\n", encoding="utf-8")
    return folder


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey, password: bytes) -> None:
    secret = BestAvailableEncryption(password) if password else NoEncryption()
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    file.chmod(0o600)


def _expired(key: ec.EllipticCurvePrivateKey) -> bytes:
    name, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("late", "Sub2"))
    began = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), 1, began, began + dt.timedelta(days=30))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "start")


def run(folder: Path, *command: str) -> Ended:
    return subprocess.run(
        [sys.executable, "-m", "plugcharge", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def complains(ended: Ended, named: list[str]) -> None:
    lines = ended.stderr.splitlines()
    assert ended.returncode != 0
    assert len(lines) == 1, ended.stderr
    assert [word for word in named if word not in lines[0]] == [], lines[0]
    assert ended.stdout == ""


CONFIGURED = {
    "secc.toml": (SECC, ["secc", "run"]),
    "evcc.toml": (EVCC, ["evcc", "run"]),
    "simulator.toml": (SIMULATOR, ["secc", "simulate", "--config", "simulator.toml"]),
}
CASES = {
    f"{file}: {case}": (file, text, command, named)
    for file, (cases, command) in CONFIGURED.items()
    for case, (text, named) in cases.items()
} | {f"line: {case}": ("", "", command, named) for case, (command, named) in LINES.items()}


@pytest.fixture(scope="module")
def outcomes(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Ended]]:
    """All cases, each in a folder and a process of its own, as many at once as there are processors."""

    def start(case: str) -> Ended:
        file, text, command, _ = CASES[case]
        folder = shutil.copytree(pristine, tmp_path_factory.mktemp("case") / "start")
        if file:
            (folder / file).write_text(text, encoding="utf-8")
        return run(folder, *command)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {case: pool.submit(start, case) for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_it_complains_in_one_line(case: str, outcomes: dict[str, Future[Ended]]) -> None:
    complains(outcomes[case].result(), CASES[case][-1])


@pytest.fixture
def taken() -> Iterator[dict[str, int]]:
    """Ports of `::1` that somebody else has: one UDP, one TCP."""
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp,
    ):
        udp.bind(("::1", 0))
        tcp.bind(("::1", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        yield {"sdp_port": udp.getsockname()[1], "tls_port": port, "tcp_port": port}


@pytest.mark.parametrize("key", ["sdp_port", "tls_port", "tcp_port"])
def test_a_port_in_use(key: str, taken: dict[str, int], folder: Path) -> None:
    bay = BAY.replace("sdp_port = 0", f"{key} = {taken[key]}") + ("" if key == "sdp_port" else "sdp_port = 0\n")
    text = bay + (TLS if key == "tls_port" else PLAIN)
    (folder / "secc.toml").write_text(text, encoding="utf-8")
    complains(run(folder, "secc", "run"), ["secc.toml: [[evse]] 1", str(taken[key]), "in use", "another port"])


def test_a_cable_without_broker(taken: dict[str, int], folder: Path) -> None:
    (folder / "evcc.toml").write_text(NO_TLS + CARD + "[cable]\nport = 1\n", encoding="utf-8")
    complains(run(folder, "evcc", "run"), ["evcc.toml", "[cable]", "127.0.0.1:1", "refused", "leave [cable] out"])


def test_a_secc_without_broker_says_so_and_keeps_trying(folder: Path) -> None:
    (folder / "secc.toml").write_text(BAY + PLAIN + "[mqtt]\nport = 1\n", encoding="utf-8")
    command = [sys.executable, "-m", "plugcharge", "secc", "run"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as secc:
        try:
            assert secc.stderr is not None
            said = next(line for line in secc.stderr if "no broker" in line)
            assert "no broker at 127.0.0.1:1" in said
            assert "trying again" in said
            assert secc.poll() is None
            secc.terminate()
            assert secc.wait(PATIENCE_S) == 0
            assert "Traceback" not in secc.stderr.read()
        finally:
            secc.kill()
