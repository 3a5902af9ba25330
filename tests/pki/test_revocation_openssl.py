"""Our responses and lists as the openssl and GnuTLS commands see them, and those of openssl as we see them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki import crl, ocsp
from pki.evidence import GOOD, UNKNOWN, Flaw, Standing, Status, Unusable
from tests.pki.chains import Made
from tests.pki.chains import Path as Chain
from tests.pki.signers import KINDS, LONG, delegate, facts, path_of, signs

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
gnutls = pytest.mark.skipif(
    not (shutil.which("certtool") and shutil.which("ocsptool")), reason="needs certtool and ocsptool (gnutls-bin)"
)
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
REVOKED = Standing(status=Status.REVOKED, since=NOW - DAY, reason=x509.ReasonFlags.key_compromise)
TOLD = {Status.GOOD: "good", Status.REVOKED: "revoked", Status.UNKNOWN: "unknown"}


class Bench:
    """A path of one kind of key in files, and the commands that look at them."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.digest = "sha512" if kind == "P-521" else "default"
        self.path: Chain = path_of(kind, days=LONG, extensions=())
        self.signer = delegate(self.path.sub2, **KINDS[kind], days=LONG)
        for name in ("root", "sub1", "sub2", "leaf"):
            self.write(name, getattr(self.path, name))
        self.write("signer", self.signer)
        pems = [made.certificate.public_bytes(Encoding.PEM) for made in (self.path.sub2, self.path.sub1)]
        (folder / "subs.pem").write_bytes(b"".join(pems))
        roots = [*pems, self.path.root.certificate.public_bytes(Encoding.PEM)]
        (folder / "all.pem").write_bytes(b"".join(roots))

    def write(self, name: str, made: Made) -> None:
        (self.folder / f"{name}.pem").write_bytes(made.certificate.public_bytes(Encoding.PEM))
        key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / f"{name}.key").write_bytes(key)

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command in the folder; return its status and what it said."""
        found = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        return found.returncode, found.stdout + found.stderr

    def list_of(self, issuer: Made, *revoked: int, at: datetime = NOW) -> bytes:
        entries = [crl.Listed(serial=serial, at=at, reason=x509.ReasonFlags.superseded) for serial in revoked]
        return crl.build(signs(issuer), entries, number=1, this_update=at, next_update=at + DAY)

    def write_lists(self, *revoked: int, at: datetime = NOW) -> None:
        """Write the lists of all CAs in one file, those of the last one with what is revoked."""
        path = self.path
        found = [
            self.list_of(path.root, at=at),
            self.list_of(path.sub1, at=at),
            self.list_of(path.sub2, *revoked, at=at),
        ]
        pems = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in found]
        (self.folder / "lists.pem").write_bytes(b"".join(pems))
        (self.folder / "sub2.crl").write_bytes(found[2])
        (self.folder / "sub2.crl.pem").write_bytes(pems[2])

    def response(self, standing: Standing, *, delegated: bool = True, at: datetime = NOW) -> None:
        by = self.signer if delegated else self.path.sub2
        about = ocsp.cert_id(self.path.leaf.certificate.serial_number, self.path.sub2.certificate, hashes.SHA1())
        data = ocsp.respond(
            about,
            standing,
            signs(by),
            this_update=at,
            next_update=at + DAY,
            enclosed=[by.certificate] if delegated else [],
        )
        (self.folder / "response.der").write_bytes(data)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(tmp_path, request.param)


def verify(bench: Bench) -> tuple[int, str]:
    command = "openssl verify -crl_check_all -CAfile root.pem -untrusted subs.pem -CRLfile lists.pem leaf.pem"
    return bench.run(*command.split())


def test_openssl_verify_agrees_on_lists(bench: Bench) -> None:
    serial = bench.path.leaf.certificate.serial_number
    bench.write_lists()
    assert verify(bench)[0] == 0
    bench.write_lists(serial + 1)
    assert verify(bench)[0] == 0
    bench.write_lists(serial)
    status, told = verify(bench)
    assert (status, "error 23 at 0 depth lookup: certificate revoked" in told) == (2, True), told
    bench.write_lists(at=NOW - 3 * DAY)
    status, told = verify(bench)
    assert (status, "error 12 at 0 depth lookup: CRL has expired" in told) == (2, True), told


def test_openssl_crl_reads_and_verifies_ours(bench: Bench) -> None:
    serial = bench.path.leaf.certificate.serial_number
    bench.write_lists(serial)
    command = "openssl crl -inform DER -in sub2.crl -noout"
    status, told = bench.run(*f"{command} -text -CAfile sub2.pem".split())
    assert (status, "verify OK" in told) == (0, True), told
    assert f"{serial:X}" in told
    assert "Superseded" in told
    _, told = bench.run(*f"{command} -CAfile sub1.pem".split())
    assert "verify OK" not in told


@pytest.mark.parametrize("standing", [GOOD, REVOKED, UNKNOWN])
@pytest.mark.parametrize("delegated", [True, False])
def test_openssl_ocsp_agrees_on_responses(bench: Bench, standing: Standing, delegated: bool) -> None:
    bench.response(standing, delegated=delegated)
    command = "openssl ocsp -respin response.der -issuer sub2.pem -cert leaf.pem -CAfile all.pem -no_nonce"
    status, told = bench.run(*command.split())
    assert status == 0, told
    assert "Response verify OK" in told
    assert f"leaf.pem: {TOLD[standing.status]}" in told


def test_openssl_ocsp_refuses_what_we_refuse(bench: Bench) -> None:
    bench.signer = delegate(bench.path.sub1, days=LONG)
    bench.response(GOOD)
    command = "openssl ocsp -respin response.der -issuer sub2.pem -cert leaf.pem -CAfile root.pem -no_nonce"
    _, told = bench.run(*command.split())
    assert "Response Verify Failure" in told
    with pytest.raises(Unusable) as caught:
        judged(bench, (bench.folder / "response.der").read_bytes())
    assert caught.value.flaw is Flaw.SIGNER


def judged(bench: Bench, data: bytes, nonce: bytes | None = None) -> Standing:
    return ocsp.judge(data, facts(bench.path.leaf), facts(bench.path.sub2), NOW + DAY / 100, nonce=nonce).standing


def digits(certificate: x509.Certificate) -> str:
    """A serial number as an index of openssl has it: whole octets."""
    number = certificate.serial_number
    return number.to_bytes(number.bit_length() // 8 + 1).hex().upper().removeprefix("00")


@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
def test_we_agree_with_the_responder_of_openssl(bench: Bench, status: str) -> None:
    """It reads our request and answers it from its own index of certificates."""
    leaf = bench.path.leaf.certificate
    subject = leaf.subject.rfc4514_string()
    ends = f"{leaf.not_valid_after_utc:%Y%m%d%H%M%SZ}"
    lines = {
        "good": f"V\t{ends}\t\t{digits(leaf)}\tunknown\t/{subject}\n",
        "revoked": f"R\t{ends}\t{NOW - DAY:%y%m%d%H%M%SZ},keyCompromise\t{digits(leaf)}\tunknown\t/{subject}\n",
        "unknown": "",
    }
    (bench.folder / "index.txt").write_text(lines[status])
    request = ocsp.ask(leaf, bench.path.sub2.certificate, nonce=b"sixteen bytes...", algorithm=hashes.SHA1())
    (bench.folder / "request.der").write_bytes(request)
    command = "openssl ocsp -index index.txt -CA sub2.pem -rsigner signer.pem -rkey signer.key -ndays 1"
    digest = ["-rmd", bench.digest] if bench.digest != "default" else []
    code, told = bench.run(*command.split(), *digest, *["-reqin", "request.der", "-respout", "response.der"])
    assert code == 0, told
    found = judged(bench, (bench.folder / "response.der").read_bytes(), b"sixteen bytes...")
    assert found == {"good": GOOD, "revoked": REVOKED, "unknown": UNKNOWN}[status]


CA_CONFIG = """
[ca]
default_ca = own
[own]
database = index.txt
crlnumber = number
default_md = default
default_crl_days = 1
"""


def test_we_agree_with_a_list_of_openssl(bench: Bench) -> None:
    leaf = bench.path.leaf.certificate
    line = f"R\t{leaf.not_valid_after_utc:%Y%m%d%H%M%SZ}\t{NOW - DAY:%y%m%d%H%M%SZ},keyCompromise\t"
    (bench.folder / "index.txt").write_text(f"{line}{digits(leaf)}\tunknown\t/CN=x\n")
    (bench.folder / "number").write_text("10\n")
    (bench.folder / "ca.cnf").write_text(CA_CONFIG.replace("= default\n", f"= {bench.digest}\n"))
    command = "openssl ca -gencrl -config ca.cnf -cert sub2.pem -keyfile sub2.key -out theirs.pem"
    code, told = bench.run(*command.split())
    assert code == 0, told
    found = crl.read((bench.folder / "theirs.pem").read_bytes())
    word = found.judge(facts(bench.path.leaf), facts(bench.path.sub2), NOW + DAY / 100)
    assert word.standing == REVOKED
    assert found.number == 16


@gnutls
def test_certtool_verifies_our_lists(bench: Bench) -> None:
    bench.write_lists(bench.path.leaf.certificate.serial_number)
    command = "certtool --verify-crl --load-ca-certificate {}.pem --infile sub2.crl.pem"
    status, told = bench.run(*command.format("sub2").split())
    assert (status, "Verification output: Verified" in told) == (0, True), told
    _, told = bench.run(*command.format("sub1").split())
    assert "Verification output: Verified" not in told


@gnutls
def test_certtool_refuses_whom_our_lists_name(bench: Bench) -> None:
    serial = bench.path.leaf.certificate.serial_number
    command = "certtool --verify --load-ca-certificate all.pem --load-crl lists.pem --infile leaf.pem"
    bench.write_lists(serial + 1)
    assert bench.run(*command.split())[0] == 0
    bench.write_lists(serial)
    status, told = bench.run(*command.split())
    assert (status, "The certificate chain is revoked" in told) == (1, True), told


@gnutls
@pytest.mark.parametrize("standing", [GOOD, REVOKED])
def test_ocsptool_verifies_our_responses(bench: Bench, standing: Standing) -> None:
    bench.response(standing)
    command = "ocsptool --verify-response --load-response response.der --load-trust sub2.pem"
    status, told = bench.run(*command.split())
    assert (status, "Success" in told) == (0, True), told
    _, told = bench.run(*["ocsptool", "--response-info", "--load-response", "response.der", "--inder"])
    assert f"Certificate Status: {TOLD[standing.status]}" in told
