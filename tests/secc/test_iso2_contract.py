"""Plug & Charge: who may charge by contract, and every reason why not. All of it over TLS."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from secc import authorization
from secc.visit import Visit
from tests.certificates import TODAY, Holder, by_hand, car1
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import (
    AC,
    DC,
    EVERY,
    STATUS,
    details,
    prove,
    selection,
    signed,
    stem,
    stop,
    walk,
    with_contract,
)
from v2g.errors import Refused
from v2g.messages import iso2, xmldsig
from v2g.messages.iso2 import AuthorizationReq
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.signature import verify
from v2g.trust import Role, Verdict

ROUTES = {"AC": AC, "DC": DC}


@pytest.fixture
def contract(certificates: Path) -> Holder:
    return car1(certificates)


@pytest.fixture
def running(certificates: Path) -> Callable[..., AbstractAsyncContextManager[Bench]]:
    return partial(bench, certificates=certificates)


Running = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_whole_session_by_contract(running: Running, contract: Holder, energy: str) -> None:
    async with running(energy) as station:
        car = await station.car(tls=True)
        await walk(car, station.charger, with_contract(ROUTES[energy], contract))
        assert await car.gone()
        await station.ended("session_ended")
        told = station.charger.limits_told
        assert any(limits.contract == "DEPCGC00000001V" for limits in told)
        assert [each["reason"] for each in station.charger.said("event") if each["kind"] == "authorised"] == [
            "by local"
        ]
        assert station.charger.said("ask") == []
        assert any(facts["session"].tls == "TLSv1.2" for facts in station.charger.said("session"))


async def test_the_journal_tells_in_which_encodings_the_signature_held(
    running: Running, contract: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running("AC") as station:
        car = await station.car(tls=True)
        await walk(car, station.charger, with_contract(AC, contract), "ChargeParameterDiscovery")
    assert "signature verified='SignedInfo xmldsig, #ID1 ours'" in caplog.text


async def test_hashed_contract_in_limits(running: Running, contract: Holder) -> None:
    async with running("AC", session={"emaid": "hash"}) as station:
        car = await station.car(tls=True)
        await walk(car, station.charger, with_contract(AC, contract), "ChargingStatus")
        named = {limits.contract for limits in station.charger.limits_told if limits.contract}
        # printf DEPCGC00000001V | sha256sum
        assert named == {"9cd27be634153013cb3f6b828a1eb21515aeded047b380e2890c4d27d149019f"}


async def test_external_identification_over_tls(running: Running) -> None:
    async with running("AC") as station:
        await walk(await station.car(tls=True), station.charger, AC)
        await station.ended("session_ended")


async def test_contract_is_offered_inside_tls_only(running: Running) -> None:
    for tls, offered in ((True, ["Contract", "ExternalPayment"]), (False, ["ExternalPayment"])):
        async with running("AC") as station:
            car = await station.car_at(AC, "ServiceDiscovery", tls=tls)
            body = await car.ask(iso2.ServiceDiscoveryReq())
            assert body.PaymentOptionList.PaymentOption == offered


async def test_contract_is_not_offered_without_roots(certificates: Path) -> None:
    async with bench("AC", certificates=certificates, trust={"contract": []}) as station:
        car = await station.car_at(AC, "ServiceOrPayment", tls=True)
        assert car.answers[-1].body.PaymentOptionList.PaymentOption == ["ExternalPayment"]
        assert (await car.ask(selection("Contract"))).ResponseCode == "FAILED_PaymentSelectionInvalid"


async def test_what_the_charger_does_not_want_is_not_offered(running: Running) -> None:
    async with running("AC") as station:
        assert station.charger.setup is not None
        station.charger.setup = msgspec.structs.replace(station.charger.setup, authorization=("external",))
        car = await station.car_at(AC, "ServiceOrPayment", tls=True)
        assert (await car.ask(selection("Contract"))).ResponseCode == "FAILED_PaymentSelectionInvalid"


# --- PaymentDetails -------------------------------------------------------------------------------------------------


async def present(station: Bench, contract: Holder, emaid: str | None = None) -> iso2.PaymentDetailsRes:
    car = await station.car_at(with_contract(AC, contract), "Contract", tls=True)
    body = await car.ask(details(contract, emaid))
    assert isinstance(body, iso2.PaymentDetailsRes)
    if str(body.ResponseCode).startswith("FAILED"):
        assert body.GenChallenge == bytes(16)
        station.assert_open_before_answer()
        await car.close()
        event = await station.ended("refused")
        assert event["response_code"] == body.ResponseCode
        assert contract.emaid not in str(event)
        await station.serves_next()
    return body


@pytest.mark.parametrize("emaid", ["DEPCGC00000001V", "depcgc00000001v", "DePcGc00000001", "DEPCGC00000001"])
async def test_emaid_in_other_clothes(running: Running, contract: Holder, emaid: str) -> None:
    async with running("AC") as station:
        assert (await present(station, contract, emaid)).ResponseCode == "OK"


async def test_a_contract_of_another_shape_is_named_nowhere(
    certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = "DE8AAC123456789012"
    holder, path = by_hand(leaf={"cn": (name,)})
    async with bench("AC", certificates=certificates, anchors=path.anchors) as station:
        assert (await present(station, holder)).ResponseCode == "FAILED_CertificateNotAllowedAtThisEVSE"
        assert name not in caplog.text
        assert name not in str(station.charger.orders)


@pytest.mark.parametrize("emaid", ["DEPCGC00000002V", "DEPCGC000000010", "XXXXXXXXXXXXXX", "DE-PCG-C000000"])
async def test_another_emaid(running: Running, contract: Holder, emaid: str) -> None:
    async with running("AC") as station:
        assert (await present(station, contract, emaid)).ResponseCode == "FAILED_CertChainError"


async def test_separators_and_case_do_not_matter(certificates: Path) -> None:
    """The certificate says it with separators, the car without; its field has room for no separators."""
    holder, path = by_hand(leaf={"cn": ("de-8aa-001234567-0",)})
    async with bench("AC", certificates=certificates, anchors=path.anchors) as station:
        assert (await present(station, holder, "DE8AA0012345670")).ResponseCode == "OK"


CHAINS: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "good": ({}, "OK"),
    "expires soon": ({"leaf": {"days": (TODAY - 10, TODAY + 20)}}, "OK_CertificateExpiresSoon"),
    "expires in 23 days": ({"leaf": {"days": (TODAY - 10, TODAY + 23)}}, "OK"),
    "expired": ({"leaf": {"days": (TODAY - 10, TODAY - 1)}}, "FAILED_CertificateExpired"),
    "not yet valid": ({"leaf": {"days": (TODAY + 2, TODAY + 10)}}, "FAILED_CertificateExpired"),
    "a CA as leaf": ({"leaf": {"ca": True, "usage": "CL"}}, "FAILED_CertificateNotAllowedAtThisEVSE"),
    "a leaf that may not sign": ({"leaf": {"usage": "e"}}, "FAILED_CertificateNotAllowedAtThisEVSE"),
}


@pytest.mark.parametrize("case", CHAINS)
async def test_chain(certificates: Path, case: str) -> None:
    changes, code = CHAINS[case]
    holder, path = by_hand(**changes)
    async with bench("AC", certificates=certificates, anchors=path.anchors) as station:
        body = await present(station, holder)
        assert body.ResponseCode == code
        if code.startswith("OK"):
            assert len(body.GenChallenge) == 16
            assert len(set(body.GenChallenge)) > 4


@pytest.mark.parametrize("tier", ["sub1", "sub2"])
async def test_an_expired_sub_ca_is_not_the_contracts_fault(certificates: Path, tier: str) -> None:
    """Conformance cases 009 and 010 accept these codes and not FAILED_CertificateExpired."""
    holder, path = by_hand(**{tier: {"days": (TODAY - 10, TODAY - 1)}})
    async with bench("AC", certificates=certificates, anchors=path.anchors) as station:
        body = await present(station, holder)
        assert body.ResponseCode in {
            "FAILED", "FAILED_NoCertificateAvailable", "FAILED_CertificateNotAllowedAtThisEVSE"
        }  # fmt: skip


async def test_a_foreign_contract(running: Running) -> None:
    holder, _ = by_hand()
    async with running("AC") as station:
        assert (await present(station, holder)).ResponseCode == "FAILED_NoCertificateAvailable"


BREAKAGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "leaf alone": lambda chain: chain[:1],
    "without sub 1": lambda chain: chain[:2],
    "without sub 2": lambda chain: [chain[0], chain[2]],
    "subs swapped": lambda chain: [chain[0], chain[2], chain[1]],
    "leaf doubled": lambda chain: [chain[0], *chain],
    "garbage leaf": lambda chain: [b"\x30\x03\x02\x01\x00", *chain[1:]],
    "no leaf": lambda chain: [b"", *chain[1:]],
    "garbage sub": lambda chain: [chain[0], b"\xff" * 700, chain[2]],
    "one bit of the leaf's signature": lambda chain: [chain[0][:-1] + bytes([chain[0][-1] ^ 1]), *chain[1:]],
    "four subs": lambda chain: [*chain, chain[1], chain[2]],
}


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_broken_chain(running: Running, contract: Holder, breakage: str) -> None:
    broken = replace(contract, chain=BREAKAGES[breakage](list(contract.chain)))
    async with running("AC") as station:
        body = await present(station, broken)
        assert body.ResponseCode in {"FAILED_CertChainError", "FAILED_NoCertificateAvailable"}


@pytest.mark.parametrize("leaf", ["secc/evse1", "oem-provisioning/car1", "cps/cps1"])
async def test_a_certificate_that_is_no_contract(running: Running, certificates: Path, leaf: str) -> None:
    pem = (certificates / "leaf" / leaf / "chain.pem").read_bytes()
    chain = [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem)]
    key = ec.generate_private_key(ec.SECP256R1())
    async with running("AC") as station:
        body = await present(station, Holder("DEPCGC00000001V", chain, key))
        assert str(body.ResponseCode).startswith("FAILED_")


@pytest.mark.parametrize("wait", ["Contract", "Authorization"])
async def test_every_request_at_the_waits_of_a_contract(running: Running, contract: Holder, wait: str) -> None:
    legal = {"Contract": "PaymentDetails", "Authorization": "Authorization"}[wait]
    async with running("AC") as station:
        for request in EVERY:
            if stem(request) == legal:
                continue
            station.charger.orders.clear()
            car = await station.car_at(with_contract(AC, contract), wait, tls=True)
            body = await car.ask(request)
            assert stem(body) == stem(request)
            stops = stem(request) == "SessionStop"
            unprovided = wait == "Contract" and stem(request).startswith("Certificate")  # in order, but not served here
            refusal = "FAILED" if unprovided else "FAILED_SequenceError"
            assert body.ResponseCode == ("OK" if stops else refusal)
            await car.close()
            await station.ended("session_ended" if stops else "refused")


# --- Authorization --------------------------------------------------------------------------------------------------


async def at_authorization(station: Bench, contract: Holder) -> Car:
    return await station.car_at(with_contract(AC, contract), "Authorization", tls=True)


async def failed(station: Bench, car: Car, code: str) -> None:
    answer = car.answers[-1]
    assert (answer.name, answer.code) == ("AuthorizationRes", code)
    station.assert_open_before_answer()
    assert not any(limits.authorised for limits in station.charger.limits_told)
    await car.close()
    event = await station.ended("refused")
    assert car.challenge.hex() not in str(event)
    await station.serves_next()


@pytest.mark.parametrize("challenge", ["other", "zero", "none", "last bit"])
async def test_wrong_challenge(running: Running, contract: Holder, challenge: str) -> None:
    """Signed as it should be, but not the challenge of this session."""
    async with running("AC") as station:
        car = await at_authorization(station, contract)
        flipped = car.challenge[:-1] + bytes([car.challenge[-1] ^ 1])
        sent = {"other": b"\x01" * 16, "zero": bytes(16), "none": None, "last bit": flipped}[challenge]
        request = AuthorizationReq(Id="ID1", GenChallenge=sent)
        await car.ask(request, signature=signed(request, contract))
        await failed(station, car, "FAILED_ChallengeInvalid")


async def test_the_challenge_of_another_session(running: Running, contract: Holder) -> None:
    """A signature that was good once is good for nothing in the next session."""
    async with running("AC") as station:
        first = await at_authorization(station, contract)
        request = AuthorizationReq(Id="ID1", GenChallenge=first.challenge)
        old = signed(request, contract)
        assert (await first.ask(request, signature=old)).ResponseCode == "OK"
        await first.ask(stop())
        await first.gone()
        station.charger.orders.clear()
        second = await at_authorization(station, contract)
        assert second.challenge != first.challenge
        await second.ask(request, signature=old)
        await failed(station, second, "FAILED_ChallengeInvalid")


def changed(signature: Signature, **what: object) -> Signature:
    return msgspec.structs.replace(signature, **what)


def in_signed_info(signature: Signature, contract: Holder, **what: object) -> Signature:
    """Change SignedInfo and sign the result anew with the contract's key, so that only the change is wrong."""
    info = msgspec.structs.replace(signature.SignedInfo, **what)
    r, s = decode_dss_signature(contract.key.sign(schema("xmldsig").encode_fragment(info), ec.ECDSA(hashes.SHA256())))
    value = xmldsig.SignatureValue(value=r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return msgspec.structs.replace(signature, SignedInfo=info, SignatureValue=value)


def _one_more(signature: Signature) -> list[xmldsig.Reference]:
    reference = signature.SignedInfo.Reference[0]
    return [reference, msgspec.structs.replace(reference, URI="#ID2")]


TAMPERED: dict[str, Callable[[Signature, Holder], Signature | None]] = {
    "missing": lambda _, __: None,
    "one bit of the value": lambda signature, _: changed(
        signature,
        SignatureValue=xmldsig.SignatureValue(
            value=signature.SignatureValue.value[:-1] + bytes([signature.SignatureValue.value[-1] ^ 1])
        ),
    ),
    "DER instead of raw": lambda signature, _: changed(
        signature, SignatureValue=xmldsig.SignatureValue(value=b"\x30\x44" + signature.SignatureValue.value)
    ),
    "empty value": lambda signature, _: changed(signature, SignatureValue=xmldsig.SignatureValue(value=b"")),
    "zeros": lambda signature, _: changed(signature, SignatureValue=xmldsig.SignatureValue(value=bytes(64))),
    "another algorithm": lambda signature, contract: in_signed_info(
        signature,
        contract,
        SignatureMethod=xmldsig.SignatureMethod(Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
    ),
    "another canonicalization": lambda signature, contract: in_signed_info(
        signature,
        contract,
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"),
    ),
    "another digest": lambda signature, contract: in_signed_info(
        signature,
        contract,
        Reference=[msgspec.structs.replace(signature.SignedInfo.Reference[0], DigestValue=bytes(32))],
    ),
    "another element": lambda signature, contract: in_signed_info(
        signature, contract, Reference=[msgspec.structs.replace(signature.SignedInfo.Reference[0], URI="#ID2")]
    ),
    "one reference more": lambda signature, contract: in_signed_info(
        signature, contract, Reference=_one_more(signature)
    ),
    "the whole document": lambda signature, contract: in_signed_info(
        signature, contract, Reference=[msgspec.structs.replace(signature.SignedInfo.Reference[0], URI="")]
    ),
}


def test_signing_anew_is_right_but_for_the_change(contract: Holder) -> None:
    """Without a change the helper makes a signature that holds, so the cases below fail for their change alone."""
    request = AuthorizationReq(Id="ID1", GenChallenge=bytes(16))
    anew = in_signed_info(signed(request, contract), contract)
    verify(anew, {"ID1": schema("iso2").fragment_forms(request)}, contract.key.public_key(), "iso2")


@pytest.mark.parametrize("case", TAMPERED)
async def test_tampered_signature(running: Running, contract: Holder, case: str) -> None:
    async with running("AC") as station:
        car = await at_authorization(station, contract)
        request = AuthorizationReq(Id="ID1", GenChallenge=car.challenge)
        await car.ask(request, signature=TAMPERED[case](signed(request, contract), contract))
        await failed(station, car, "FAILED_SignatureError")


def test_a_key_inside_the_signature_is_refused_though_the_signature_holds(contract: Holder) -> None:
    """Our own encoder writes no KeyInfo, so the check is asked directly [V2G2-771]."""
    request = AuthorizationReq(Id="ID1", GenChallenge=b"\x07" * 16)
    known = authorization.Contract(
        emaid=contract.emaid,
        chain=contract.chain,
        verdict=Verdict(role=Role.CONTRACT),
        challenge=b"\x07" * 16,
        public_key=contract.key.public_key(),
    )
    good = signed(request, contract)
    authorization.prove_contract(request, good, known)
    with pytest.raises(Refused, match=r"FAILED_SignatureError.*KeyInfo"):
        authorization.prove_contract(request, changed(good, KeyInfo=xmldsig.KeyInfo()), known)


async def test_a_signature_by_another_key(running: Running, contract: Holder) -> None:
    async with running("AC") as station:
        car = await at_authorization(station, contract)
        await prove(car, replace(contract, key=ec.generate_private_key(ec.SECP256R1())))
        await failed(station, car, "FAILED_SignatureError")


async def test_a_signed_request_without_id(running: Running, contract: Holder) -> None:
    async with running("AC") as station:
        car = await at_authorization(station, contract)
        named = AuthorizationReq(Id="ID1", GenChallenge=car.challenge)
        await car.ask(AuthorizationReq(GenChallenge=car.challenge), signature=signed(named, contract))
        await failed(station, car, "FAILED_SignatureError")


async def test_what_follows_the_first_request_is_unsigned(running: Running, contract: Holder) -> None:
    """[V2G2-684]: while the operator is asked the vehicle asks again, empty."""
    async with running("AC", authorization={"contract": "backend"}) as station:
        station.charger.card = "none"
        car = await at_authorization(station, contract)
        body = await prove(car, contract)
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing")
        body = await car.ask(AuthorizationReq())
        assert body.EVSEProcessing == "Ongoing"
        asked = station.charger.asked[-1]
        assert (asked.kind, asked.emaid, asked.local_check) == ("contract", "DEPCGC00000001V", "passed")
        assert len(asked.ocsp) == 2
        pem = asked.chain or ""
        assert pem.count("BEGIN CERTIFICATE") == 3
        assert base64.b64decode("".join(pem.splitlines()[1:]).split("-----END")[0]) == contract.chain[0]
        station.charger.card = "accepted"
        assert (await car.ask(AuthorizationReq())).EVSEProcessing == "Finished"


async def test_the_operator_refuses_a_contract(running: Running, contract: Holder) -> None:
    async with running("AC", authorization={"contract": "backend"}) as station:
        station.charger.card = "rejected"
        car = await at_authorization(station, contract)
        await prove(car, contract)
        await failed(station, car, "FAILED")


async def test_nobody_decides_about_a_contract(running: Running, contract: Holder) -> None:
    """After 55 s the next request is answered with a plain FAILED [V2G2-713]."""
    async with running("AC", scale=0.005, authorization={"contract": "backend"}) as station:
        station.charger.card = "none"
        car = await at_authorization(station, contract)
        body = await prove(car, contract)
        while body.ResponseCode == "OK":
            assert body.EVSEProcessing == "Ongoing"
            body = await car.ask(AuthorizationReq())
        await failed(station, car, "FAILED")


async def test_what_comes_with_the_contract_limits(running: Running, contract: Holder) -> None:
    async with running("AC", authorization={"contract": "backend"}) as station:
        station.charger.granted = {"max_power_w": 6_900.0}
        car = await station.car_at(with_contract(AC, contract), "ChargingStatus first", tls=True)
        limits = station.charger.limits_told[-1]
        assert (limits.max_charge_w, limits.max_current_a) == (6_900.0, 10.0)
        assert limits.limited_by["max_w"] == "contract"
        await car.close()


def allows(station: Bench, watts: float) -> bool:
    return station.charger.limits_told[-1].max_charge_w == watts


async def test_a_later_word_on_the_contract_limits_at_once(
    running: Running, contract: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an acceptance again, with less power, or with more; a revocation does not lift the limit."""
    looks: list[Visit] = []

    def looking(visit: Visit) -> None:
        observe(visit)
        looks.append(visit)

    observe = Visit.observe
    monkeypatch.setattr(Visit, "observe", looking)
    async with running("AC", authorization={"contract": "backend"}) as station:
        charger = station.charger
        car = await station.car_at(with_contract(AC, contract), "ChargingStatus first", tls=True)
        assert charger.limits_told[-1].max_charge_w == 11_040.0
        for granted, told in (({"max_power_w": 6_900.0}, 6_900), ({"max_power_w": 4_600.0}, 4_600), ({}, 11_040)):
            charger.granted = granted
            charger.report()
            await station.until(partial(allows, station, told))
        charger.granted = {"max_power_w": 4_600.0}
        await station.until(partial(allows, station, 4_600))
        charger.granted, charger.card = {}, "rejected"
        looks.clear()
        await station.until(lambda: len(looks) == 2)
        assert (await car.ask(STATUS)).AC_EVSEStatus.EVSENotification == "StopCharging"
        assert charger.limits_told[-1].max_charge_w == 4_600.0
        await car.close()
