"""Our vehicle asks for a contract: what it sends, what it takes, what it keeps, and what it says of the rest."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from evcc import client, config, provisioning, wallet
from evcc.result import Result
from pki.contract.iso2 import Delivery
from pki.provisioning import ProvisioningService
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.evcc.bench_station import OK, SESSION, Answer, ScriptedStation, discovery, framed, scripted
from tests.evcc.test_client import by_contract, served
from tests.provisioning import ATTACKS, EMAID, EXI, Stage, leaf, message
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode
from v2g.signature import verify
from v2g.timing import Timing

SETS = {1: "Installation", 2: "Update"}


@pytest.fixture(scope="module")
def stage(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    foreign = Store(tmp_path_factory.mktemp("foreign") / "iso2")
    bring_up_to_date(read()["iso2"], foreign)
    vehicle = leaf(certificates, "oem-provisioning", "car1")
    station = leaf(certificates, "secc", "evse1")
    return Stage(ProvisioningService(Store(certificates)), vehicle, ProvisioningService(foreign), station)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "wallet"


def settings(
    station: ScriptedStation, tree: Path, kept: Path, *, holding: bool = False, plan: Any = (), **how: Any
) -> config.EvccConfig:
    """A car of this maker; `holding` the tree's contract or none."""
    folder = tree / "leaf" / "oem-provisioning" / "car1"
    supply = config.Provisioning(chain=str(folder / "chain.pem"), key=str(folder / "key.pem"), wallet=str(kept), **how)
    base = by_contract(station, tree, **dict(plan))
    return msgspec.structs.replace(base, provisioning=supply, contract=base.contract if holding else None)


def offering(station: ScriptedStation, *names: str) -> None:
    """Let the station offer the certificate service with these parameter sets, under ids of its own."""
    service = iso2.Service(ServiceID=77, ServiceCategory=iso2.ServiceCategory.ContractCertificate, FreeService=True)
    offer = msgspec.structs.replace(discovery("Contract"), ServiceList=iso2.ServiceList(Service=[service]))
    sets = [
        iso2.ParameterSet(ParameterSetID=5 + place, Parameter=[iso2.Parameter(Name="Service", stringValue=name)])
        for place, name in enumerate(names)
    ]
    station.answers["ServiceDiscovery"] = lambda *_: offer
    station.answers["ServiceDetail"] = lambda request, _: iso2.ServiceDetailRes(
        ResponseCode=OK,
        ServiceID=request.ServiceID,
        ServiceParameterList=iso2.ServiceParameterList(ParameterSet=sets) if sets else None,
    )


def answering(station: ScriptedStation, stage: Stage) -> None:
    """Let a provisioning service answer the requests as they come."""

    def answer(request: Any, _before: int) -> Answer:
        return framed(stage.service.answer(message(request, station.headers[-1].Signature, SESSION)))

    offering(station, "Installation", "Update")
    station.answers["CertificateInstallation"] = station.answers["CertificateUpdate"] = answer


def delivering(station: ScriptedStation, make: Callable[[], Delivery], session: bytes = SESSION) -> None:
    """Let the station answer installations with a delivery."""

    def answer(*_: Any) -> Answer:
        delivery = make()
        return framed(message(delivery.installed(), delivery.signature, session))

    offering(station, "Installation")
    station.answers["CertificateInstallation"] = answer


def files(kept: Path) -> dict[str, int]:
    """The files of a wallet, with who may read them."""
    return {file.name: file.stat().st_mode & 0o777 for file in kept.iterdir()} if kept.exists() else {}


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def outcome(result: Result) -> provisioning.Outcome:
    assert result.provisioning is not None
    return result.provisioning


# --- what goes well -------------------------------------------------------------------------------------------------


async def test_a_car_without_contract_gets_one_and_pays_with_it(certificates: Path, stage: Stage, kept: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        result = await client.charge(settings(station, certificates, kept))
        assert result.ok, result.reason
        assert (outcome(result).action, outcome(result).outcome, result.emaid) == ("install", "stored", EMAID)
        assert result.summary.endswith(f"; contract {EMAID} installed")
        assert station.names[:6] == [
            "SessionSetup", "ServiceDiscovery", "ServiceDetail", "PaymentServiceSelection", "CertificateInstallation",
            "PaymentDetails",
        ]  # fmt: skip
    assert files(kept) == {f"{EMAID}.pem": 0o600}
    assert outcome(result).file == str(kept / f"{EMAID}.pem")
    (selection,) = [each for each in station.requests if isinstance(each, iso2.PaymentServiceSelectionReq)]
    services = [(each.ServiceID, each.ParameterSetID) for each in selection.SelectedServiceList.SelectedService]
    assert services == [(1, None), (77, 5)]


async def test_the_request_is_signed_by_the_makers_key_and_names_the_roots(
    certificates: Path, stage: Stage, kept: Path
) -> None:
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        mo = [str(certificates / "trust" / "mo.pem")]
        result = await client.charge(settings(station, certificates, kept, roots=mo))
        assert result.ok, result.reason
    place = next(
        place for place, each in enumerate(station.requests) if isinstance(each, iso2.CertificateInstallationReq)
    )
    request, header = station.requests[place], station.headers[place]
    assert request.OEMProvisioningCert == stage.vehicle.chain[0]
    assert header.Signature is not None
    verify(header.Signature, {request.Id: EXI.fragment_forms(request)}, stage.receiver, "iso2")
    names = [each.X509IssuerName for each in request.ListOfRootCertificateIDs.RootCertificateID]
    assert ["V2G Root CA" in names[0], "MO Root CA" in names[1], len(names)] == [True, True, 2]


async def test_the_next_session_pays_with_what_was_kept(certificates: Path, stage: Stage, kept: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        car = settings(station, certificates, kept)
        assert (await client.charge(car)).ok
        station.requests.clear()
        result = await client.charge(car)
    assert result.ok, result.reason
    assert (result.provisioning, result.emaid) == (None, EMAID)
    assert "CertificateInstallation" not in station.names


async def test_an_update_is_signed_and_opened_with_the_old_contract(
    certificates: Path, stage: Stage, kept: Path
) -> None:
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        car = settings(station, certificates, kept, holding=True, when="expiring", renew_within_days=10_000)
        result = await client.charge(car)
        assert result.ok, result.reason
        assert (outcome(result).action, outcome(result).outcome) == ("update", "stored")
        (details,) = [each for each in station.requests if isinstance(each, iso2.PaymentDetailsReq)]
    renewed = wallet.load(config.Contract(chain=str(outcome(result).file), key=str(outcome(result).file)))
    assert details.ContractSignatureCertChain.Certificate == renewed.chain[0]
    assert renewed.chain[0] != leaf(certificates, "contract", "car1").chain[0]


@pytest.mark.parametrize(
    ("when", "holding", "left_days", "action"),
    [
        ("missing", False, 0, "install"),
        ("missing", True, 1, None),
        ("expiring", False, 0, "install"),
        ("expiring", True, 20, "update"),
        ("expiring", True, 22, None),
        ("always", True, 700, "install"),
        ("never", False, 0, None),
        ("never", True, 1, None),
    ],
)
def test_when_a_car_asks(
    certificates: Path, kept: Path, when: Any, holding: bool, left_days: int, action: str | None
) -> None:
    folder = certificates / "leaf" / "oem-provisioning" / "car1"
    supply = config.Provisioning(
        chain=str(folder / "chain.pem"), key=str(folder / "key.pem"), wallet=str(kept), when=when
    )
    credential = leaf(certificates, "contract", "car1")
    contract = wallet.Contract(emaid=EMAID, chain=credential.chain, key=credential.key)
    loaded = provisioning.load(config.EvccConfig(provisioning=supply))
    assert loaded is not None
    at = contract.expires - timedelta(days=left_days)
    assert loaded.wish(contract if holding else None, at) == action


# --- what does not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_named_and_nothing_is_kept(certificates: Path, stage: Stage, kept: Path, name: str) -> None:
    flaw, make = ATTACKS[name]
    async with scripted("AC", served(certificates)) as station:
        delivering(station, lambda: make(stage))
        mo = [str(certificates / "trust" / "mo.pem")]
        result = await client.charge(settings(station, certificates, kept, roots=mo))
        assert station.names[-2:] == ["CertificateInstallation", "SessionStop"]
    assert (result.ok, outcome(result).outcome) == (False, flaw)
    assert f"; no contract installed, {flaw}: " in result.summary
    assert result.reason.startswith("NotProvisioned: no contract to pay with")
    assert result.emaid is None
    assert files(kept) == {}


async def test_a_refusal_is_told_with_its_code(certificates: Path, kept: Path) -> None:
    refusal = iso2.CertificateInstallationRes(
        ResponseCode=ResponseCode.FAILED_NoCertificateAvailable,
        SAProvisioningCertificateChain=iso2.CertificateChain(Certificate=b""),
        ContractSignatureCertChain=iso2.CertificateChain(Certificate=b""),
        ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(Id="a", value=b""),
        DHpublickey=iso2.DiffieHellmanPublickey(Id="b", value=b""),
        eMAID=iso2.EMAID(Id="c", value=EMAID),
    )
    async with scripted("AC", served(certificates)) as station:
        offering(station, "Installation")
        station.answers["CertificateInstallation"] = lambda *_: refusal
        result = await client.charge(settings(station, certificates, kept))
    assert (result.ok, outcome(result).outcome, result.ended_by) == (False, "refused", "station")
    assert outcome(result).detail.startswith("FAILED_NoCertificateAvailable")
    assert files(kept) == {}


async def test_an_answer_of_another_session_and_a_late_one(certificates: Path, stage: Stage, kept: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        delivering(station, stage.good, bytes(range(8, 16)))
        result = await client.charge(settings(station, certificates, kept))
        assert (outcome(result).outcome, "another session id" in result.reason) == ("failed", True)
        station.answers["CertificateInstallation"] = lambda *_: None
        late = msgspec.structs.replace(
            settings(station, certificates, kept), timeouts={"CertificateInstallationReq": 0.1}
        )
        result = await client.charge(late)
        assert outcome(result).outcome == "failed"
        assert "V2G_EVCC_Msg_Timeout(CertificateInstallationReq)" in result.reason
    assert files(kept) == {}


async def test_an_answer_larger_than_any_message(certificates: Path, kept: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        offering(station, "Installation")
        station.answers["CertificateInstallation"] = lambda *_: framed(bytes(70_000))
        result = await client.charge(settings(station, certificates, kept))
    assert (result.ok, outcome(result).outcome) == (False, "failed")
    assert files(kept) == {}


async def test_no_secret_is_told(
    certificates: Path, stage: Stage, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the log of every message nor in the result."""
    caplog.set_level(logging.DEBUG)
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        result = await client.charge(settings(station, certificates, kept))
    assert result.ok, result.reason
    said = caplog.text + msgspec.json.encode(result).decode()
    assert EMAID in said
    file = str(outcome(result).file)
    keys = [wallet.load(config.Contract(chain=file, key=file)).key, stage.vehicle.key]
    for key in keys:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        scalar = key.private_numbers().private_value
        octets = scalar.to_bytes(32)
        for form in (str(scalar), f"{scalar:x}", repr(octets)[2:-1], base64.b64encode(octets).decode()[:40]):
            assert form not in said


def test_the_timeouts_are_those_of_the_standard() -> None:
    for name in ("CertificateInstallationReq", "CertificateUpdateReq"):
        assert (Timing().message_timeout("iso2", name), Timing().message_performance("iso2", name)) == (5.0, 4.5)


@pytest.mark.parametrize("offer", ["no list", "no sets", "update only"])
async def test_a_station_that_installs_nothing(certificates: Path, kept: Path, offer: str) -> None:
    async with scripted("AC", served(certificates)) as station:
        if offer != "no list":
            offering(station, *(["Update"] if offer == "update only" else []))
        result = await client.charge(settings(station, certificates, kept))
        assert station.names[-1] == "SessionStop"
    assert outcome(result).outcome == "not-offered"
    assert "the car holds no contract" in result.reason


async def test_without_an_update_the_old_contract_pays(certificates: Path, stage: Stage, kept: Path) -> None:
    """Whether none is offered, or what comes cannot be used."""
    soon: Any = {"holding": True, "when": "expiring", "renew_within_days": 10_000}
    async with scripted("AC", served(certificates)) as station:
        result = await client.charge(settings(station, certificates, kept, **soon))
        assert (result.ok, outcome(result).outcome) == (True, "not-offered")
        offering(station, "Update")
        station.answers["CertificateUpdate"] = lambda *_: framed(
            message(stage.good().updated(), stage.good().signature, SESSION)
        )
        result = await client.charge(settings(station, certificates, kept, **soon))
        assert (result.ok, outcome(result).outcome, result.emaid) == (True, "signature", EMAID)
    assert files(kept) == {}


async def test_a_wallet_that_is_no_folder(certificates: Path, stage: Stage, kept: Path) -> None:
    put(kept, "not a folder")
    async with scripted("AC", served(certificates)) as station:
        answering(station, stage)
        result = await client.charge(settings(station, certificates, kept))
        assert station.names[-1] == "SessionStop"
    assert (result.ok, outcome(result).outcome) == (False, "not-stored")
    assert str(kept) in outcome(result).detail


async def test_a_damaged_wallet_is_an_error_at_the_start(certificates: Path, kept: Path) -> None:
    put(kept / f"{EMAID}.pem", "garbage")
    async with scripted("AC", served(certificates)) as station:
        with pytest.raises(ValueError, match=f"{EMAID}.pem"):
            await client.charge(settings(station, certificates, kept))
        assert not station.requests


def test_the_contract_valid_longest_is_taken(certificates: Path, kept: Path) -> None:
    for days in (10, 900):
        service = ProvisioningService(Store(certificates), days=days)
        made = service.new_contract(f"DEPCGC0000{days:04d}X")
        wallet.keep(kept, wallet.Contract(emaid=f"DEPCGC0000{days:04d}X", chain=made.chain, key=made.key))
    supply = config.Provisioning(chain="", key="", wallet=str(kept))
    folder = certificates / "leaf" / "contract" / "car1"
    held = config.Contract(chain=str(folder / "chain.pem"), key=str(folder / "key.pem"))
    best = wallet.best(config.EvccConfig(contract=held, provisioning=supply))
    assert best is not None
    assert best.emaid == "DEPCGC00000900X"
    assert best.expires > datetime.now(UTC) + timedelta(days=800)
    assert wallet.best(config.EvccConfig()) is None


def a_contract(emaid: str, begins: timedelta, ends: timedelta) -> wallet.Contract:
    """One that is valid for a time as seen from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, emaid)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    built = builder.not_valid_before(now + begins).not_valid_after(now + ends).sign(key, hashes.SHA256())
    return wallet.Contract(emaid=emaid, chain=[built.public_bytes(Encoding.DER)], key=key)


def test_a_contract_valid_now_goes_before_one_that_is_not_yet(tmp_path: Path) -> None:
    day = timedelta(days=1)
    now, later = "DEPCGC00000001V", "DEPCGC00000002T"
    kept = tmp_path / "kept"
    kept.mkdir()
    supply = config.Provisioning(chain="", key="", wallet=str(kept))
    wallet.keep(kept, a_contract(later, day, 900 * day))
    assert getattr(wallet.best(config.EvccConfig(provisioning=supply)), "emaid", None) == later
    wallet.keep(kept, a_contract(now, -day, 10 * day))
    assert getattr(wallet.best(config.EvccConfig(provisioning=supply)), "emaid", None) == now
