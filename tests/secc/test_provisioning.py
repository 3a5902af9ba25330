"""Contract certificates at the station: what is offered, what is handed on, and what is refused with which code."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pki.contract.iso2 import receive
from pki.credentials import Credential, load_anchors
from pki.keys import PrivateKey
from pki.provisioning import ProvisioningService
from pki.store import Store
from pki.validate import validate
from secc import api
from secc.answers import CertificateAnswers
from secc.mqtt import parse
from secc.provisioning import read
from tests.certificates import TODAY, Holder, by_hand
from tests.provisioning import EMAID, SESSION, changes, installation, leaf, message, opened, renewal, signed
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import SETUP, details, prove, selection
from v2g.errors import Undecodable
from v2g.iso2 import ISO2
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode

BOTH = {"install": True, "update": True}
Backend = Callable[[api.CertificateRequest], api.BackendCertificate | None]


@pytest.fixture(scope="module")
def service(certificates: Path) -> ProvisioningService:
    return ProvisioningService(Store(certificates))


@pytest.fixture(scope="module")
def vehicle(certificates: Path) -> Credential:
    return leaf(certificates, "oem-provisioning", "car1")


@pytest.fixture(scope="module")
def old(certificates: Path) -> Credential:
    return leaf(certificates, "contract", "car1")


def serving(service: ProvisioningService) -> Backend:
    return lambda request: said(request, service.answer(request.exi))


def said(request: api.CertificateRequest, exi: bytes) -> api.BackendCertificate:
    return api.BackendCertificate(id=request.id, status="accepted", exi=exi)


async def select(station: Bench, *services: int, tls: bool = True) -> Car:
    """A car that selected a contract and services."""
    car = await station.car(tls=tls)
    await car.negotiate()
    for request in (SETUP, iso2.ServiceDiscoveryReq()):
        await car.ask(request)
    selected = await car.ask(selection("Contract", 1, *services))
    assert selected.ResponseCode == "OK"
    return car


async def request(car: Car, body: Any, key: PrivateKey | None) -> bytes:
    """The payload of the answer to a request, signed with a key or not at all."""
    car.send(car.encode(body, signature=None if key is None else signed(body, key)))
    return await car.read_payload()


def code(payload: bytes) -> str:
    body = opened(payload).Body.BodyElement
    assert isinstance(body, iso2.CertificateInstallationRes | iso2.CertificateUpdateRes)
    return str(body.ResponseCode)


def told(station: Bench, kind: str) -> list[str]:
    return [facts["reason"] for facts in station.charger.said("event") if facts["kind"] == kind]


# --- the offer ------------------------------------------------------------------------------------------------------


async def discover(car: Car) -> Any:
    await car.negotiate()
    await car.ask(SETUP)
    return await car.ask(iso2.ServiceDiscoveryReq())


@pytest.mark.parametrize(
    ("settings", "sets"),
    [
        (BOTH, {1: "Installation", 2: "Update"}),
        ({"install": True}, {1: "Installation"}),
        ({"update": True}, {2: "Update"}),
    ],
)
async def test_what_is_configured_is_offered(certificates: Path, settings: Any, sets: dict[int, str]) -> None:
    async with bench(certificates=certificates, provisioning=settings) as station:
        car = await station.car(tls=True)
        (service,) = (await discover(car)).ServiceList.Service
        assert (service.ServiceID, service.ServiceCategory, service.FreeService) == (2, "ContractCertificate", True)
        detail = await car.ask(iso2.ServiceDetailReq(ServiceID=2))
        found = {each.ParameterSetID: each.Parameter for each in detail.ServiceParameterList.ParameterSet}
        assert {number: values[0].stringValue for number, values in found.items()} == sets
        assert {each.Name for values in found.values() for each in values} == {"Service"}
        charge = await car.ask(iso2.ServiceDetailReq(ServiceID=1))
        assert (charge.ResponseCode, charge.ServiceParameterList) == ("OK", None)


@pytest.mark.parametrize(("tls", "settings"), [(False, BOTH), (True, {})])
async def test_not_without_tls_nor_by_default(certificates: Path, tls: bool, settings: Any) -> None:
    async with bench(certificates=certificates, provisioning=settings) as station:
        car = await station.car(tls=tls)
        assert (await discover(car)).ServiceList is None
        assert (await car.ask(iso2.ServiceDetailReq(ServiceID=2))).ResponseCode == "FAILED_ServiceIDInvalid"


async def test_a_parameter_set_that_is_not_offered(certificates: Path) -> None:
    async with bench(certificates=certificates, provisioning={"install": True}) as station:
        for chosen, expected in ((1, "OK"), (None, "OK"), (2, "FAILED_ServiceSelectionInvalid")):
            car = await station.car(tls=True)
            await discover(car)
            services = [
                iso2.SelectedService(ServiceID=1),
                iso2.SelectedService(ServiceID=2, ParameterSetID=chosen),
            ]
            answer = await car.ask(
                iso2.PaymentServiceSelectionReq(
                    SelectedPaymentOption=iso2.PaymentOption.Contract,
                    SelectedServiceList=iso2.SelectedServiceList(SelectedService=services),
                )
            )
            assert answer.ResponseCode == expected
            await car.close()
            await station.until(lambda: not station.station.used)


# --- handed on ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["install", "update"])
async def test_a_certificate_goes_through_unchanged_and_pays_at_once(
    certificates: Path, service: ProvisioningService, vehicle: Credential, old: Credential, action: str
) -> None:
    answers: list[bytes] = []

    def backend(asked: api.CertificateRequest) -> api.BackendCertificate:
        answers.append(service.answer(asked.exi))
        return said(asked, answers[-1])

    body = installation(vehicle) if action == "install" else renewal(old)
    key = vehicle.key if action == "install" else old.key
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        station.charger.backend = backend
        car = await select(station, 2)
        payload = await request(car, body, key)
        (asked,) = station.charger.certificates
        assert payload == answers[0]
        assert (asked.action, asked.session) == (action, car.session_id.hex().upper())
        assert asked.exi == message(body, signed_of(asked.exi), car.session_id)
        assert 0 < asked.deadline_s <= 4.5
        anchors = load_anchors(certificates / "trust" / "v2g.pem")
        response = opened(payload).Body.BodyElement
        assert isinstance(response, iso2.CertificateInstallationRes | iso2.CertificateUpdateRes)
        received = receive(
            response, opened(payload).Header.Signature, key, lambda chain, role: validate(chain, role, anchors)
        )
        contract = Holder(received.emaid, received.chain, received.key)
        assert (await car.ask(details(contract))).ResponseCode == "OK"
        assert (await prove(car, contract)).EVSEProcessing == "Finished"
        assert told(station, "certificate_delivered") == [action]


def signed_of(exi: bytes) -> Any:
    return opened(exi).Header.Signature


async def test_the_operators_refusal_goes_through_unchanged(certificates: Path, old: Credential) -> None:
    """With its RetryCounter, of which we know nothing."""
    refusal = iso2.CertificateUpdateRes(
        ResponseCode=ResponseCode.FAILED_ContractCanceled,
        SAProvisioningCertificateChain=iso2.CertificateChain(Certificate=b""),
        ContractSignatureCertChain=iso2.CertificateChain(Certificate=b""),
        ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(Id="a", value=b""),
        DHpublickey=iso2.DiffieHellmanPublickey(Id="b", value=b""),
        eMAID=iso2.EMAID(Id="c", value=EMAID),
        RetryCounter=7,
    )
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        car = await select(station, 2)
        exi = message(refusal, None, car.session_id)
        station.charger.backend = lambda asked: said(asked, exi)
        assert await request(car, renewal(old), old.key) == exi
        assert (await car.ask(iso2.SessionStopReq(ChargingSession=iso2.ChargingSession.Terminate))).ResponseCode == "OK"
        assert await car.gone()
        assert (await station.ended("refused"))["response_code"] == "FAILED_ContractCanceled"


async def test_only_payment_details_may_follow(
    certificates: Path, service: ProvisioningService, vehicle: Credential
) -> None:
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        station.charger.backend = serving(service)
        car = await select(station, 2)
        assert code(await request(car, installation(vehicle), vehicle.key)) == "OK"
        assert code(await request(car, installation(vehicle), vehicle.key)) == "FAILED_SequenceError"
        assert len(station.charger.certificates) == 1
        await station.ended("refused")


# --- answers that are none ------------------------------------------------------------------------------------------


def _other_session(service: ProvisioningService, exi: bytes) -> bytes:
    return message(opened(service.answer(exi)).Body.BodyElement, signed_of(service.answer(exi)), bytes(range(1, 9)))


def _other_type(_service: ProvisioningService, exi: bytes) -> bytes:
    return message(iso2.AuthorizationReq(), None, opened(exi).Header.SessionID)


BAD: dict[str, Callable[[ProvisioningService, bytes], bytes]] = {
    "another session": _other_session,
    "another message": _other_type,
    "the request itself": lambda _, exi: exi,
    "garbage": lambda *_: bytes(range(64)),
    "half of it": lambda service, exi: service.answer(exi)[:1_000],
}


@pytest.mark.parametrize("name", BAD)
async def test_an_answer_that_is_none(
    certificates: Path, service: ProvisioningService, vehicle: Credential, name: str
) -> None:
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        station.charger.backend = lambda asked: said(asked, BAD[name](service, asked.exi))
        car = await select(station, 2)
        assert code(await request(car, installation(vehicle), vehicle.key)) == "FAILED"
        assert await car.gone(6)
        assert len(told(station, "certificate_refused")) == 1
        await station.ended("refused")


@pytest.mark.parametrize("answer", ["silence", "failed", "nothing"])
async def test_no_answer(certificates: Path, vehicle: Credential, answer: str) -> None:
    """A silent operator is waited for as long as the vehicle waits less half a second, and no longer."""
    async with bench(certificates=certificates, provisioning=BOTH, scale=0.1) as station:
        if answer != "silence":
            status: Any = "failed" if answer == "failed" else "accepted"
            station.charger.backend = lambda asked: api.BackendCertificate(id=asked.id, status=status)
        car = await select(station, 2)
        assert code(await request(car, installation(vehicle), vehicle.key)) == "FAILED"
        (asked,) = station.charger.certificates
        assert asked.deadline_s <= 0.45
        assert await car.gone()
        assert len(told(station, "certificate_refused")) == 1
        await station.ended("refused")


async def test_an_emergency_is_not_kept_waiting(certificates: Path, vehicle: Credential) -> None:
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        car = await select(station, 2)
        body = installation(vehicle)
        car.send(car.encode(body, signature=signed(body, vehicle.key)))
        await station.until(lambda: bool(station.charger.certificates))
        station.charger.fail("emergency", "emergency")
        assert code(await car.read_payload(1.0)) == "FAILED"
        await station.ended("refused")


@pytest.fixture(scope="module")
def good(service: ProvisioningService, vehicle: Credential) -> bytes:
    body = installation(vehicle)
    return service.answer(message(body, signed(body, vehicle.key), SESSION))


@given(data=st.data())
def test_whatever_the_operator_says_is_a_response_or_undecodable(
    good: bytes, vehicle: Credential, data: st.DataObject
) -> None:
    body, said = installation(vehicle), data.draw(st.binary(max_size=200) | changes(good))
    with contextlib.suppress(Undecodable):
        assert read(said, body, ISO2, SESSION).ResponseCode in list(ResponseCode)


# --- what the request proves itself ---------------------------------------------------------------------------------


async def refused(certificates: Path, body: Any, key: PrivateKey | None) -> str:
    """The code of a request that nobody asks the operator about."""
    async with bench(certificates=certificates, provisioning=BOTH) as station:
        station.charger.backend = lambda asked: pytest.fail(f"the operator was asked: {asked.action}")
        car = await select(station, 2)
        answer = code(await request(car, body, key))
        assert await car.gone(6)
        await station.ended("refused")
    return answer


async def test_signatures(certificates: Path, vehicle: Credential, old: Credential) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    for body in (installation(vehicle), renewal(old)):
        for key in (None, stranger):
            assert await refused(certificates, body, key) == "FAILED_SignatureError"


async def test_provisioning_certificates(certificates: Path, vehicle: Credential) -> None:
    unknown_version = vehicle.chain[0].replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x06", 1)
    for der in (b"\x30\x00", unknown_version):
        body = installation(Credential([der], vehicle.key))
        assert await refused(certificates, body, vehicle.key) == "FAILED_NoCertificateAvailable"
    for days in ((-900, -800), (800, 900)):
        other, _ = by_hand(leaf={"days": days})
        body = installation(Credential(list(other.chain), other.key))
        assert await refused(certificates, body, other.key) == "FAILED_CertificateExpired", "not valid today [V2G2-824]"


async def test_contracts_to_renew(certificates: Path, old: Credential) -> None:
    assert await refused(certificates, renewal(old, "DEPCGC00000002X"), old.key) == "FAILED_NoCertificateAvailable"
    top, sub2, sub1 = old.chain
    assert await refused(certificates, renewal(Credential([top, sub1, sub2], old.key)), old.key) == (
        "FAILED_CertChainError"
    )
    foreign, _ = by_hand()
    body = renewal(Credential(list(foreign.chain), foreign.key), foreign.emaid)
    assert await refused(certificates, body, foreign.key) == "FAILED_CertChainError"


async def test_an_expired_contract_is_not_renewed(certificates: Path) -> None:
    holder, path = by_hand(leaf={"days": (TODAY - 100, TODAY - 10)})
    async with bench(certificates=certificates, anchors=[path.root.der], provisioning=BOTH) as station:
        car = await select(station, 2)
        body = renewal(Credential(list(holder.chain), holder.key), holder.emaid)
        assert code(await request(car, body, holder.key)) == "FAILED_CertificateExpired"
        await station.ended("refused")


async def test_nothing_is_handed_on_that_is_not_configured(certificates: Path, vehicle: Credential) -> None:
    async with bench(certificates=certificates, provisioning={"update": True}) as station:
        car = await select(station, 2)
        assert code(await request(car, installation(vehicle), vehicle.key)) == "FAILED"
        assert not station.charger.certificates
        await station.ended("refused")


@pytest.mark.parametrize(("size", "taken"), [(api.EXI_LIMIT, True), (api.EXI_LIMIT + 1, False), (0, False)])
def test_an_answer_is_bounded_before_anybody_reads_it(size: int, taken: bool) -> None:
    data = msgspec.json.encode({"id": "1", "status": "accepted", "exi": base64.b64encode(bytes(size)).decode()})
    if taken:
        assert parse(api.BACKEND_CERTIFICATE, data)
        return
    with pytest.raises(Undecodable):
        parse(api.BACKEND_CERTIFICATE, data)


def test_only_the_first_answer_in_time_counts() -> None:
    answers = CertificateAnswers()
    asked = api.CertificateRequest(id="1", session="S", action="install", deadline_s=4.5, namespace="n", exi=b"x")
    answer = api.BackendCertificate(id="1", status="failed")
    answers.ask(asked, 100.0)
    assert answers.take(api.BackendCertificate(id="2", status="failed"), 100.0) == "unknown id"
    assert answers.take(answer, 104.6) == "past its deadline"
    assert answers.answered("1") is None
    assert answers.take(answer, 104.4) == ""
    assert answers.answered("1") is answer
    assert answers.take(answer, 104.4) == "answered before"
    answers.forget()
    assert answers.answered("1") is None
    assert answers.take(answer, 104.4) == "unknown id"
