"""The way into a guarded broker: TLS with a certificate per writer, and an access list that parts the branches."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from secc import api
from secc.mqtt import Broker, Bus
from tests.brokers import HOST, MOSQUITTO, PATIENCE_S, eventually, start_mosquitto
from v2g.record import Record

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt-get install mosquitto)")

ACCESS = """\
user secc
topic write plugcharge/v1/bay-1/secc/#
topic read plugcharge/v1/bay-1/charger/#
topic read plugcharge/v1/bay-1/backend/#

user charger
topic write plugcharge/v1/bay-1/charger/#
topic read plugcharge/v1/bay-1/secc/#
"""


class Authority:
    """A small certificate authority whose files lie in one directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._certificate(name, self._key, ca=True))

    def issue(self, name: str) -> tuple[str, str]:
        """Make a certificate and its key; returns their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, secret = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        certificate.write_bytes(self._certificate(name, key, ca=False))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(certificate), str(secret)

    def _certificate(self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        now = datetime.now(UTC)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=ca,
            crl_sign=ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Member:
    """A bus and what it heard."""

    def __init__(self, broker: Broker, writer: str, reads: tuple[api.Topic[Record], ...]) -> None:
        self.heard: list[str] = []
        self.lost: list[str] = []
        status = api.SECC_STATUS if writer == "secc" else api.CHARGER_STATUS
        self.bus = Bus(
            broker,
            "bay-1",
            writer=writer,
            reads=reads,
            will=(status, api.SeccStatus(boot="b", seq=1, time="t", state="offline")),
            handle=lambda topic, *_: self.heard.append(topic.name),
            rejected=lambda *_: None,
            connected=lambda: None,
            disconnected=lambda: None,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Bus]:
        task = asyncio.create_task(self.bus.run())
        yield self.bus
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)
        with contextlib.suppress(asyncio.CancelledError):
            task.result()


@contextlib.asynccontextmanager
async def guarded(directory: Path, authority: Authority) -> AsyncIterator[int]:
    """Run a broker that wants certificates of this authority, and takes the CN for the user's name."""
    certificate, key = authority.issue("broker")
    access = directory / "access"
    access.write_text(ACCESS)
    process, port = await start_mosquitto(
        directory,
        0,
        f"cafile {authority.file}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
        f"acl_file {access}",
        "user root",
    )
    yield port
    process.terminate()
    await process.communicate()


async def test_each_writer_reaches_its_own_branch_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")

    def member(name: str, port: int, *reads: api.Topic[Record]) -> Member:
        certificate, key = authority.issue(name)
        return Member(
            Broker(host=HOST, port=port, ca=str(authority.file), certificate=certificate, key=key), name, reads
        )

    async with guarded(tmp_path, authority) as port:
        secc = member("secc", port, *api.written_by("charger"), *api.written_by("backend"))
        charger = member("charger", port, api.SECC_EVENT)
        async with secc.running() as station, charger.running() as hardware:
            await eventually(lambda: station.up and hardware.up)
            hardware.publish(api.CHARGER_REQUEST, api.ChargerRequest(id="1", do="stop"))
            await eventually(lambda: secc.heard == ["charger/request"])
            station.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="x"))
            await eventually(lambda: charger.heard == ["secc/event"])
        intruder = member("charger", port)
        intruder.bus._writer = "backend"  # what a charger would do that grants itself a contract
        async with secc.running() as station, intruder.running() as hardware:
            await eventually(lambda: station.up and hardware.up)
            hardware.publish(api.BACKEND_AUTHORIZATION, api.BackendAuthorization(id="q", status="accepted"))
            intruder.bus._writer = "charger"
            hardware.publish(api.CHARGER_REQUEST, api.ChargerRequest(id="2", do="stop"))
            await eventually(lambda: len(secc.heard) == 2)
    assert secc.heard == ["charger/request", "charger/request"]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the library's, after a failed handshake
@pytest.mark.parametrize("stranger", ["us", "broker"])
async def test_strangers_do_not_get_together(tmp_path: Path, stranger: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither does the broker take a certificate of another authority, nor do we believe such a broker."""
    authority, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    certificate, key = (other if stranger == "us" else authority).issue("secc")
    ca = (authority if stranger == "us" else other).file
    async with guarded(tmp_path, authority) as port:
        secc = Member(Broker(host=HOST, port=port, ca=str(ca), certificate=certificate, key=key), "secc", ())
        async with secc.running() as station:
            await eventually(lambda: "no broker" in caplog.text)
            assert not station.up
    assert sum("no broker" in record.message for record in caplog.records) == 1
    gc.collect()
