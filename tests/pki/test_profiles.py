"""The default tree against a transcription of the profile table of its own, read with nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from pki import profiles
from pki.profiles import PROFILES, Tier, profile
from tests.pki.chains import LETTERS
from v2g.trust import Role


class Row(NamedTuple):
    dc: str
    path_length: int | None
    usage: str
    days: int
    issuer: str


CA = "CL"
TABLE = {
    "ca/v2g/root": Row("V2G", None, CA, 14_610, "ca/v2g/root"),
    "ca/cpo/sub1": Row("V2G", 1, CA, 1460, "ca/v2g/root"),
    "ca/cpo/sub2": Row("V2G", 0, CA, 365, "ca/cpo/sub1"),
    "leaf/secc/evse1": Row("CPO", None, "sa", 60, "ca/cpo/sub2"),
    "ca/oem/root": Row("OEM", None, CA, 3650, "ca/oem/root"),
    "ca/oem/sub1": Row("OEM", 1, CA, 1460, "ca/oem/root"),
    "ca/oem/sub2": Row("OEM", 0, CA, 1460, "ca/oem/sub1"),
    "leaf/oem-provisioning/car1": Row("OEM", None, "sa", 1460, "ca/oem/sub2"),
    "ca/mo/root": Row("MO", None, CA, 3650, "ca/mo/root"),
    "ca/mo/sub1": Row("MO", 1, CA, 1460, "ca/mo/root"),
    "ca/mo/sub2": Row("MO", 0, CA, 1460, "ca/mo/sub1"),
    "leaf/contract/car1": Row("MO", None, "snea", 730, "ca/mo/sub2"),
    "ca/cps/sub1": Row("CPS", 1, CA, 1460, "ca/v2g/root"),
    "ca/cps/sub2": Row("CPS", 0, CA, 730, "ca/cps/sub1"),
    "leaf/cps/cps1": Row("CPS", None, "s", 90, "ca/cps/sub2"),
}


def load(folder: Path, place: str) -> x509.Certificate:
    path = folder / place / "cert.der" if place.startswith("leaf/") else folder / f"{place}.der"
    return x509.load_der_x509_certificate(path.read_bytes())


def test_the_default_tree_is_complete(pristine: Path) -> None:
    authorities = {str(path.relative_to(pristine).with_suffix("")) for path in pristine.glob("ca/*/*.der")}
    leaves = {str(path.relative_to(pristine).parent) for path in pristine.glob("leaf/*/*/cert.der")}
    assert authorities | leaves == set(TABLE)


@pytest.mark.parametrize("place", TABLE)
def test_issued_certificate_fits_the_table(pristine: Path, place: str) -> None:
    certificate, row = load(pristine, place), TABLE[place]
    issuer = load(pristine, row.issuer)
    certificate.verify_directly_issued_by(issuer)
    assert certificate.version is x509.Version.v3
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime.days == row.days
    assert 64 <= certificate.serial_number.bit_length() <= 159
    assert len(certificate.public_bytes(Encoding.DER)) <= 800


@pytest.mark.parametrize("place", TABLE)
def test_issued_extensions_fit_the_table(pristine: Path, place: str) -> None:
    extensions, row = load(pristine, place).extensions, TABLE[place]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=place.startswith("ca/"), path_length=row.path_length)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value == x509.KeyUsage(**{name: letter in row.usage for letter, name in LETTERS.items()})
    identifiers = {ExtensionOID.SUBJECT_KEY_IDENTIFIER}
    if row.issuer != place:
        identifiers.add(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    constant = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}
    assert {extension.oid for extension in extensions} == constant | identifiers


@pytest.mark.parametrize("place", [place for place in TABLE if TABLE[place].issuer != place])
def test_key_identifiers_chain(pristine: Path, place: str) -> None:
    own = load(pristine, place).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    above = load(pristine, TABLE[place].issuer).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own.key_identifier == above.digest


@pytest.mark.parametrize("place", TABLE)
def test_issued_name_fits_the_table(pristine: Path, place: str) -> None:
    subject = load(pristine, place).subject
    names = [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME, NameOID.DOMAIN_COMPONENT]
    assert [part.oid for part in subject] == names
    dc = TABLE[place].dc.encode()
    assert b"\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19\x16" + bytes([len(dc)]) + dc in subject.public_bytes()
    cn = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert isinstance(cn, str)
    assert b"\x06\x03\x55\x04\x03\x0c" + bytes([len(cn)]) + cn.encode() in subject.public_bytes()


def test_every_issuer_of_a_row_exists_and_is_nearer_to_the_root() -> None:
    order = list(Tier)
    for row in PROFILES:
        assert bool(row.issuers) is (row.tier is not Tier.ROOT)
        for role in row.issuers:
            assert order.index(profile(role, row.edition).tier) < order.index(row.tier)


def test_what_is_demanded_of_others_is_what_we_issue() -> None:
    for row in PROFILES:
        assert row.usage_demanded <= row.usage


def test_anchor_kinds() -> None:
    kinds = {role: {root.role for root in profiles.roots(profiles.path(role, 3)[-1])} for role in Role}
    assert kinds == {
        Role.SECC: {"v2g-root"},
        Role.CPS: {"v2g-root"},
        Role.CONTRACT: {"mo-root", "v2g-root"},
        Role.OEM_PROVISIONING: {"oem-root", "v2g-root"},
    }


def test_an_unknown_role_is_named() -> None:
    with pytest.raises(ValueError, match="no certificate role 'cso-sub1' in iso2; known: v2g-root"):
        profile("cso-sub1")
