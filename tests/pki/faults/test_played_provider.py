"""Every provisioning service of the catalogue of -2 delivers a contract: our vehicle takes it, or names why not.

The station in between is good, and hangs on a root of its own: those of the variant are for the provider alone.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evcc import client, config
from pki import crl
from pki.contract import iso2 as contract
from pki.credentials import Credential
from pki.evidence import Signer
from pki.operator import Operator
from pki.store import Store
from tests.certificates import VALID
from tests.evcc.bench_station import SESSION, framed, scripted
from tests.evcc.test_client import server
from tests.evcc.test_provisioning import files, offering, outcome
from tests.pki.chains import Made, build
from tests.pki.faults.cases import PLAYED, Case, Trees, cases
from tests.pki.signers import signs
from tests.provisioning import EMAID, leaf
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.trust import Role


def station_by_hand(folder: Path) -> Made:
    """A good station that has nothing to do with the tree: its files, and the CA that issued it."""
    path = build("secc", **{tier: {"days": VALID} for tier in ("root", "sub1", "sub2", "leaf")})
    chain = b"".join(made.certificate.public_bytes(Encoding.PEM) for made in (path.leaf, path.sub2, path.sub1))
    (folder / "chain.pem").write_bytes(chain)
    (folder / "root.pem").write_bytes(path.root.certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(path.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path.sub2


def evidence(folder: Path, case: Case, *others: Signer) -> dict[str, Any]:
    """The settings of a vehicle that asks about revocation: of all but the provider it knows that they are good."""
    if not case.trust:
        return {}
    kept = folder / "evidence"
    if case.evidence is None:
        kept.mkdir()
    else:
        shutil.copytree(case.evidence, kept)
    now = datetime.now(UTC).replace(microsecond=0)
    for place, issuer in enumerate(others):
        data = crl.build(issuer, [], number=1, this_update=now, next_update=now + timedelta(days=1))
        (kept / f"other-{place}.crl").write_bytes(data)
    return case.trust | {"evidence": str(kept)}


def vehicle(port: int, tree: Path, case: Case, folder: Path, trust: dict[str, Any]) -> config.EvccConfig:
    own = tree / "leaf" / "oem-provisioning" / "car1"
    sections: dict[str, Any] = {
        "network": {"connect": f"[::1]:{port}", "security": "tls"},
        "tls": {"roots": [str(folder / "root.pem")]},
        "trust": trust,
        "plan": {"charge_s": 0.05, "loop_s": 0.001, "poll_s": 0.001, "payment": "contract"},
        "provisioning": {
            "chain": str(own / "chain.pem"),
            "key": str(own / "key.pem"),
            "wallet": str(folder / "wallet"),
            "roots": [str(case.folder / "anchors.pem"), str(tree / "trust" / "mo.pem")],
        },
    }
    return msgspec.convert(sections, config.EvccConfig)


def encoded(delivery: contract.Delivery) -> bytes:
    """The message with a delivery, of sizes that the schema does not allow, too."""
    header = iso2.MessageHeader(SessionID=SESSION, Signature=delivery.signature)
    message = iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=delivery.installed()))
    return schema("iso2").encode(message, strict=False)


@pytest.mark.parametrize("case", cases(PLAYED, role=Role.CPS), indirect=True)
async def test_the_vehicle_does_as_expected(case: Case, broken: Trees, tmp_path: Path) -> None:
    tree = broken["iso2"]
    issuer, store = station_by_hand(tmp_path), Store(tree)
    receiver = leaf(tree, "oem-provisioning", "car1").key.public_key()
    provider = Credential(case.chain, case.signing_key)
    trust = evidence(tmp_path, case, signs(issuer), store.load("ca/mo/sub2"))
    async with scripted("AC", server(tmp_path / "chain.pem", tmp_path / "key.pem")) as station:
        delivery = contract.deliver(Operator(store).new_contract(EMAID), receiver, provider)
        offering(station, "Installation")
        station.answers["CertificateInstallation"] = lambda *_: framed(encoded(delivery))
        result = await client.charge(vehicle(station.port, tree, case, tmp_path, trust))
    kept = files(tmp_path / "wallet")
    if case.accepted:
        assert result.ok, result.reason
        assert kept == {f"{EMAID}.pem": 0o600}
        return
    assert (result.ok, outcome(result).outcome) == (False, "provider"), result.reason
    assert f"{case.reaction['rule']}: {case.reaction['tier']}" in outcome(result).detail
    assert kept == {}
