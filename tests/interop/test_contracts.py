"""Deliveries of ours before other eyes: Josev's key wrap and signature check, EXIficient, and the schema files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.contract.document import Document, Form
from pki.contract.order import Order
from pki.contract.variants import manner_of
from pki.credentials import Credential, load_credential
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.interop import josev
from tests.interop.exificient import Exificient
from tests.interop.test_views import FOLDER
from v2g.keywrap.iso2 import unwrap, wrap
from v2g.keywrap.wrapped import WrappedKey
from v2g.messages import iso2
from v2g.views.xsd import Schemas

OBSTACLE = josev.obstacle()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)]
HERE = Path(__file__).parent
SECONDS = 60.0
DELIVERIES = {
    "-2 installation": ("iso2", {}),
    "-2 update": ("iso2", {"update": True}),
    "-20 on P-521": ("iso20", {}),
    "-20 on X448, filled up": ("iso20-ed448", {"manner": manner_of(None, None, "short", [], padded=True)}),
}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    for name, tree in read().items():
        bring_up_to_date(tree, Store(folder / name))
    return folder


def ask(script: str, *tasks: dict[str, Any]) -> Any:
    """What a script answers in Josev's environment."""
    done = subprocess.run(
        [str(josev.PYTHON), str(HERE / script)],
        input="".join(json.dumps(task) + "\n" for task in tasks),
        env={**os.environ, "JAVA_TOOL_OPTIONS": josev.JVM, "MESSAGE_LOG_JSON": "False"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    assert said, done.stderr[-2_000:]
    return json.loads(said[0].removeprefix("ANSWERS "))


def leaf(tree: Path, place: str) -> Credential:
    return load_credential(tree / place / "chain.pem", tree / place / "key.pem")


def pem(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


def on_p256(key: object) -> ec.EllipticCurvePrivateKey:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def test_keys_go_both_ways_with_josev(trees: Path) -> None:
    vehicle = leaf(trees / "iso2", "leaf/oem-provisioning/car1")
    contract = on_p256(leaf(trees / "iso2", "leaf/contract/car1").key)
    ours = wrap(contract, on_p256(vehicle.key).public_key())
    theirs, opened = ask(
        "josev_keywrap.py",
        {"certificate": vehicle.chain[0].hex(), "key": pem(contract)},
        {"encrypted": ours.encrypted.hex(), "sender": ours.sender.hex(), "key": pem(vehicle.key)},
    )
    assert int(opened["scalar"], 16) == contract.private_numbers().private_value
    wrapped = WrappedKey(bytes.fromhex(theirs["encrypted"]), bytes.fromhex(theirs["sender"]))
    mine = unwrap(wrapped, on_p256(vehicle.key), contract.public_key())
    assert mine.key.private_numbers() == contract.private_numbers()
    assert mine.derivation == "concat-015556"


def test_josev_takes_the_signature_of_our_provider(trees: Path) -> None:
    """The whole delivery, and the same with one part of another."""
    tree = trees / "iso2"
    one, other = (Order(tree=tree).delivered() for _ in range(2))
    body: Any = other.envelope.body
    mixed = one.envelope.body
    assert isinstance(mixed, iso2.CertificateInstallationRes)
    parts = ("contract_cert_chain", "encrypted_private_key", "dh_public_key", "emaid")
    task = {
        "namespace": "urn:iso:15118:2:2013:MsgDef",
        "paths": [f"body.certificate_installation_res.{part}" for part in parts],
        "leaf": leaf(tree, "leaf/cps/cps1").chain[0].hex(),
    }
    good = one.written(Form.EXI)
    encrypted = mixed.ContractSignatureEncryptedPrivateKey.value
    # The bytes of the encrypted key lie somewhere between bits: exchange them in hex of the bit stream.
    bits, mine, its = (
        f"{int.from_bytes(data):0{8 * len(data)}b}"
        for data in (good, encrypted, body.ContractSignatureEncryptedPrivateKey.value)
    )
    assert bits.count(mine) == 1
    bad = int(bits.replace(mine, its), 2).to_bytes(len(good))
    answers = ask("josev_signatures.py", {**task, "document": good.hex()}, {**task, "document": bad.hex()})
    assert answers == [{"holds": True}, {"holds": False}]


@pytest.fixture(scope="module", params=DELIVERIES)
def delivery(request: pytest.FixtureRequest, trees: Path) -> Document:
    tree, wishes = DELIVERIES[request.param]
    wanted: Any = wishes
    return Order(tree=trees / tree, **wanted).delivered()


def test_exificient_reads_what_we_deliver(delivery: Document, exificient: Exificient) -> None:
    exi, xml = delivery.written(Form.EXI), delivery.written(Form.XML)
    theirs = exificient.decode(delivery.schema, exi)
    assert ET.canonicalize(theirs, rewrite_prefixes=True) == ET.canonicalize(
        xml, rewrite_prefixes=True, strip_text=True
    )
    assert exificient.encode(delivery.schema, theirs) == exi


@pytest.mark.skipif(FOLDER is None, reason="no schema files")
def test_our_xml_passes_the_schema_files(delivery: Document) -> None:
    assert FOLDER is not None
    assert Schemas(FOLDER).faults(delivery.written(Form.XML)) == []
