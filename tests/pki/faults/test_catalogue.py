"""The catalogue: all that laboratories ask for is in it, and what it expects can be expected."""

from __future__ import annotations

import pytest

from pki.faults.catalogue import find, variants
from pki.faults.folder import expectation
from pki.faults.reaction import expected
from pki.profiles import Edition, Tier
from tests.pki.faults.cases import Case, Trees
from v2g.messages import iso2
from v2g.messages.iso20 import common_types
from v2g.trust import Role

TWO, TWENTY = Edition.ISO2, Edition.ISO20

# Transcribed from the list of what such a catalogue has at least, item by item, with the variant that is meant.
ASKED_FOR = {
    "expired leaf": (TWO, "secc-leaf-expired"),
    "expired Sub2": (TWO, "contract-sub2-expired"),
    "expired Sub1": (TWO, "contract-sub1-expired"),
    "expired root": (TWO, "contract-root-expired"),
    "not-yet-valid leaf": (TWO, "secc-leaf-not-yet-valid"),
    "not-yet-valid Sub2": (TWO, "secc-sub2-not-yet-valid"),
    "not-yet-valid Sub1": (TWO, "secc-sub1-not-yet-valid"),
    "not-yet-valid root": (TWO, "secc-root-not-yet-valid"),
    "revoked": (TWO, "contract-leaf-revoked"),
    "revoked Sub": (TWO, "secc-sub2-revoked"),
    "unknown to OCSP": (TWO, "secc-leaf-ocsp-unknown"),
    "bad signature": (TWO, "contract-sub1-bad-signature"),
    "leaf signed by root": (TWO, "secc-leaf-signed-by-root"),
    "leaf signed by leaf": (TWO, "secc-leaf-signed-by-leaf"),
    "leaf signed by wrong branch": (TWO, "cps-wrong-branch"),
    "wrong DC": (TWO, "secc-leaf-wrong-dc"),
    "missing DC": (TWO, "cps-leaf-missing-dc"),
    "CA:TRUE leaf": (TWO, "contract-leaf-ca-true"),
    "pathLen violated": (TWO, "secc-sub1-path-length-violated"),
    "KU missing": (TWO, "secc-leaf-no-key-usage"),
    "KU not critical": (TWO, "secc-leaf-key-usage-not-critical"),
    "KU wrong": (TWO, "secc-leaf-wrong-key-usage"),
    "EKU wrong": (TWO, "secc-leaf-wrong-purpose"),
    "RSA": (TWO, "contract-leaf-rsa"),
    "P-384": (TWO, "contract-leaf-p384"),
    "Ed448 in 2": (TWO, "contract-ed448-chain"),
    "P-256 in 20": (TWENTY, "secc-p256-chain"),
    "P-521 in 2": (TWO, "contract-p521-chain"),
    "mixed curve": (TWENTY, "secc-sub2-p256"),
    "SHA-1 signature": (TWO, "secc-leaf-sha1"),
    "SHA-384 signature": (TWO, "secc-leaf-sha384"),
    "oversize 801 B": (TWO, "contract-leaf-801-bytes"),
    "oversize 1601 B": (TWENTY, "contract-leaf-1601-bytes"),
    "twin root": (TWO, "contract-twin-root"),
    "SKI/AKI mismatch": (TWO, "contract-leaf-key-id-mismatch"),
    "duplicate serial": (TWO, "contract-leaf-duplicate-serial"),
    "negative serial": (TWO, "contract-leaf-negative-serial"),
    "zero serial": (TWO, "contract-leaf-zero-serial"),
    "21-octet serial": (TWO, "contract-leaf-21-octet-serial"),
    "v1": (TWO, "contract-leaf-v1"),
    "unknown critical extension": (TWO, "contract-leaf-unknown-critical-extension"),
    "name constraints": (TWO, "contract-sub2-name-constraints"),
    "wrong EMAID": (TWO, "contract-leaf-wrong-emaid"),
    "bad check digit": (TWO, "contract-leaf-bad-check-digit"),
    "lower-case EMAID": (TWO, "contract-leaf-lower-case-emaid"),
    "BMPString CN": (TWO, "contract-leaf-bmp-cn"),
    "two CNs": (TWO, "contract-leaf-two-cn"),
    "empty CN": (TWO, "contract-leaf-empty-cn"),
    "missing intermediate": (TWO, "contract-missing-sub2"),
    "wrong order": (TWO, "contract-wrong-order"),
    "4-deep chain": (TWO, "contract-four-deep"),
    "root included": (TWO, "contract-with-root"),
    "contract with serverAuth": (TWENTY, "contract-leaf-server-auth"),
    "SAN in 20": (TWENTY, "secc-leaf-san"),
    "critical AKI": (TWENTY, "contract-leaf-critical-aki"),
    "critical SKI": (TWENTY, "contract-leaf-critical-ski"),
    "critical AIA": (TWENTY, "contract-leaf-critical-aia"),
    "vehicle under MO": (TWENTY, "vehicle-wrong-branch"),
    "OEM provisioning as vehicle": (TWENTY, "vehicle-wrong-role"),
    "inner and outer algorithm": (TWO, "contract-leaf-algorithm-mismatch"),
    "trailing bytes": (TWO, "contract-leaf-trailing-bytes"),
    "expired staple": (TWENTY, "secc-leaf-ocsp-expired"),
    "wrong staple signer": (TWENTY, "secc-leaf-ocsp-wrong-signer"),
}
# Names of ISO 15118-4 that other test systems use.
STANDARD_NAMES = {
    "CRT_V2G_ROOT_VALID": "secc-leaf-valid",
    "CRT_MO_SUB1_VALID": "contract-leaf-valid",
    "CRT_MO_SUB2_VALID": "contract-leaf-valid",
    "CRT_MO_SUB1_EXPIRED": "contract-sub1-expired",
    "CRT_MO_SUB2_EXPIRED": "contract-sub2-expired",
    "CRT_CONTRACT_LEAF_VALID": "contract-leaf-valid",
    "CRT_CONTRACT_LEAF_EXPIRED": "contract-leaf-expired",
    "CRT_CONTRACT_LEAF_EXPIRES": "contract-leaf-expires-soon",
    "CRT_CONTRACT_LEAF_EXPIRED_ISSUER_SUB1": "contract-sub1-expired",
    "CRT_CONTRACT_LEAF_EXPIRED_ISSUER_SUB2": "contract-sub2-expired",
    "CRT_CONTRACT_LEAF_INVALID_CONTENT": "contract-leaf-three-letter-country",
    "CRT_CONTRACT_LEAF_INVALID_EMAID": "contract-leaf-invalid-emaid",
    "CRT_CONTRACT_LEAF_WRONG_EMAID": "contract-leaf-wrong-emaid",
    "CRT_OEM_LEAF_VALID": "oem-provisioning-leaf-valid",
    "CRT_OEM_LEAF_EXPIRED": "oem-provisioning-leaf-expired",
    "CRT_OEM_LEAF_INVALID_CONTENT": "oem-provisioning-leaf-wrong-dc",
}
# What the standards let these messages say; what ISO 15118-4 asks for is among it.
ANSWERS = {
    "contract-leaf-expired": "FAILED_CertificateExpired",
    "contract-leaf-not-yet-valid": "FAILED_CertificateExpired",
    "contract-sub1-expired": "FAILED_NoCertificateAvailable",
    "contract-sub2-expired": "FAILED_NoCertificateAvailable",
    "contract-leaf-revoked": "FAILED_CertificateRevoked",
    "contract-leaf-expires-soon": "OK_CertificateExpiresSoon",
    "contract-wrong-order": "FAILED_CertChainError",
    "contract-foreign-pki": "FAILED_NoCertificateAvailable",
    "contract-leaf-bad-signature": "FAILED_CertChainError",
    "contract-leaf-bad-check-digit": "OK",
    "oem-provisioning-leaf-expired": "FAILED_CertificateExpired",
    "oem-provisioning-leaf-wrong-dc": "FAILED_NoCertificateAvailable",
}
ALERTS = {
    "bad_certificate",
    "certificate_revoked",
    "certificate_expired",
    "certificate_unknown",
    "unknown_ca",
    "bad_certificate_status_response",
}
EDITIONS = (Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448)


@pytest.mark.parametrize("item", ASKED_FOR)
def test_what_is_asked_for_is_there(item: str) -> None:
    edition, name = ASKED_FOR[item]
    assert name in variants(edition)


def test_there_are_more_than_enough() -> None:
    assert len(variants(TWO)) >= 50
    assert len({variant.fault.name for variant in variants(TWO).values()}) >= 80


@pytest.mark.parametrize("alias", STANDARD_NAMES)
def test_names_of_the_standard(alias: str) -> None:
    (found,) = find([alias], TWO)
    assert found.name == STANDARD_NAMES[alias]
    assert alias in expectation(found).alias


def test_a_name_means_one_variant() -> None:
    aliases = [alias for variant in variants(TWO).values() for alias in variant.aliases]
    assert len(aliases) == len(set(aliases)) == len(STANDARD_NAMES)
    assert not set(aliases) & variants(TWO).keys()
    assert [each.name for each in find(["CRT_MO_SUB1_VALID", "contract-leaf-valid"], TWO)] == ["contract-leaf-valid"]


def test_an_unknown_name_is_told_with_those_near() -> None:
    with pytest.raises(ValueError, match=r"contract-leaf-expird.*contract-leaf-expired"):
        find(["contract-leaf-expird"], TWO)
    with pytest.raises(ValueError, match="--list"):
        find(["?"], TWO)
    with pytest.raises(ValueError, match="no variant of iso2"):
        find(["secc-p256-chain"], TWO)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_the_standard(name: str) -> None:
    assert expected(variants(TWO)[name]).code == ANSWERS[name]


@pytest.mark.parametrize("edition", EDITIONS)
def test_whatever_is_expected_can_be_said(edition: Edition) -> None:
    codes = set(common_types.ResponseCode) if edition.second else set(iso2.ResponseCode)
    for variant in variants(edition).values():
        told = expectation(variant)
        reaction = told.expected
        assert told.reason
        assert told.requirement
        assert told.accepted is (not reaction.rule and reaction.code[:2] in ("", "OK"))
        assert reaction.tier in {"", *Tier}
        match variant.role:
            case Role.SECC | Role.VEHICLE:
                assert (reaction.tls_alert in ALERTS) is not told.accepted
                assert not reaction.code
            case Role.CPS:
                assert (reaction.by, reaction.code) == ("evcc", "")
                assert told.accepted or reaction.rule
            case _:
                assert (reaction.by, reaction.tls_alert) == ("secc", "")
                assert reaction.code in codes
                assert told.accepted is reaction.code.startswith("OK")


def test_all_roles_of_the_first_generation_are_played() -> None:
    played = {Role.SECC, Role.CONTRACT, Role.OEM_PROVISIONING, Role.CPS}
    assert {variant.role for variant in variants(TWO).values()} == played
    assert {expectation(variant).played for variant in variants(TWO).values()} == {"now"}
    assert {expectation(variant).played for variant in variants(TWENTY).values()} == {"later"}


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_variant_lies_in_its_folder(broken: Trees, edition: Edition) -> None:
    folder = broken[edition] / "broken"
    assert {each.name for each in folder.iterdir()} == variants(edition).keys()
    for name, variant in variants(edition).items():
        case = Case(folder / name)
        there = {str(each.relative_to(case.folder)): each for each in case.folder.rglob("*") if each.is_file()}
        assert sorted(there) == case.expect["files"]
        assert {"cert.der", "chain.pem", "key.pem", "anchors.pem", "expect.json"} <= there.keys()
        assert (case.evidence is not None) is (variant.fault.evidence is not None and "no-evidence" not in name)
        assert {each.stat().st_mode & 0o777 for path, each in there.items() if path != "key.pem"} == {0o644}
        assert there["key.pem"].stat().st_mode & 0o777 == 0o600
        assert there["cert.der"].read_bytes() == case.chain[0]
        assert (case.expect["variant"], case.expect["edition"]) == (name, edition)
