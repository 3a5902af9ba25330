"""Trees of every edition against a transcription of the profile tables of its own, read with nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier, SignatureAlgorithmOID

from pki import profiles, tree
from pki.profiles import Edition, Profile, Tier, profile
from pki.renewal import bring_up_to_date
from pki.store import Store
from tests.pki.chains import LETTERS
from v2g.trust import Role

FULL, SHORT = "CN O C DC", "CN O"
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
OCSP = ExtendedKeyUsageOID.OCSP_SIGNING
FORTY_YEARS, TWELVE_YEARS, FIVE_YEARS, TWO_YEARS = 14_610, 4383, 1826, 730


class Row(NamedTuple):
    issuer: str
    dc: str
    path_length: int | None
    usage: str
    days: int
    purpose: ObjectIdentifier | None = None
    names: str = FULL
    key_id: int = 20


def signers(*authorities: str, dc: Mapping[str, str]) -> dict[str, Row]:
    """The signers of OCSP responses: one for each CA, with its DC, for a short time."""
    return {
        f"leaf/{branch}-ocsp/{name}": Row(f"ca/{branch}/{name}", dc[branch], None, "s", 30, OCSP)
        for branch, name in (place.split("/")[1:] for place in authorities)
    }


CA = "CL"
ROOTS = ("ca/v2g/root", "ca/mo/root", "ca/oem/root")
ISO2 = {
    "ca/v2g/root": Row("ca/v2g/root", "V2G", None, CA, FORTY_YEARS),
    "ca/cpo/sub1": Row("ca/v2g/root", "V2G", 1, CA, 1460),
    "ca/cpo/sub2": Row("ca/cpo/sub1", "V2G", 0, CA, 365),
    "leaf/secc/evse1": Row("ca/cpo/sub2", "CPO", None, "sa", 60),
    "ca/oem/root": Row("ca/oem/root", "OEM", None, CA, 3650),
    "ca/oem/sub1": Row("ca/oem/root", "OEM", 1, CA, 1460),
    "ca/oem/sub2": Row("ca/oem/sub1", "OEM", 0, CA, 1460),
    "leaf/oem-provisioning/car1": Row("ca/oem/sub2", "OEM", None, "sa", 1460),
    "ca/mo/root": Row("ca/mo/root", "MO", None, CA, 3650),
    "ca/mo/sub1": Row("ca/mo/root", "MO", 1, CA, 1460),
    "ca/mo/sub2": Row("ca/mo/sub1", "MO", 0, CA, 1460),
    "leaf/contract/car1": Row("ca/mo/sub2", "MO", None, "snea", 730),
    "ca/cps/sub1": Row("ca/v2g/root", "CPS", 1, CA, 1460),
    "ca/cps/sub2": Row("ca/cps/sub1", "CPS", 0, CA, 730),
    "leaf/cps/cps1": Row("ca/cps/sub2", "CPS", None, "s", 90),
}
DC = {"v2g": "V2G", "cpo": "V2G", "oem": "OEM", "mo": "MO", "cps": "CPS", "vehicle": "OEM"}
ISO20 = {
    **{f"ca/{kind}/root": Row(f"ca/{kind}/root", DC[kind], None, CA, FORTY_YEARS) for kind in ("v2g", "mo", "oem")},
    **{
        f"ca/{branch}/sub1": Row(f"ca/{root}/root", DC[branch], 1, CA, TWELVE_YEARS)
        for branch, root in {"cpo": "v2g", "cps": "v2g", "mo": "mo", "oem": "oem", "vehicle": "oem"}.items()
    },
    **{
        f"ca/{branch}/sub2": Row(f"ca/{branch}/sub1", DC[branch], 0, CA, TWELVE_YEARS)
        for branch in ("cpo", "cps", "mo", "oem", "vehicle")
    },
    "leaf/secc/evse1": Row("ca/cpo/sub2", "CPO", None, "s", TWO_YEARS, SERVER),
    "leaf/vehicle/car1": Row("ca/vehicle/sub2", "", None, "s", FIVE_YEARS, CLIENT, SHORT),
    "leaf/contract/car1": Row("ca/mo/sub2", "", None, "sn", TWO_YEARS, None, SHORT, key_id=8),
    "leaf/oem-provisioning/car1": Row("ca/oem/sub2", "OEM", None, "sa", TWO_YEARS),
    "leaf/cps/cps1": Row("ca/cps/sub2", "CPS", None, "s", TWO_YEARS),
}
# What the trees of the package leave out: private operators, cross certificates, what Josev takes for a vehicle's.
OTHERS = """
[private]
organization = "Test"
country = "DE"
[[private.root]]
kind = "private"
cn = "Private root"
[[private.leaf]]
role = "secc"
id = "garage"
cn = "DE*PCG*E0002"
below = "private"

[cross]
edition = "iso20"
organization = "Test"
country = "DE"
[[cross.root]]
kind = "v2g"
cn = "V2G root"
[[cross.root]]
kind = "v2g"
name = "second"
cn = "Second V2G root"
[[cross.root]]
kind = "mo"
cn = "MO root"
[[cross.cross]]
root = "v2g/second"
by = "v2g/root"
[[cross.cross]]
root = "mo"
by = "v2g/root"

[josev]
edition = "josev"
organization = "Test"
country = "DE"
[[josev.root]]
kind = "oem"
cn = "OEM root"
[[josev.branch]]
name = "oem"
under = "oem"
[[josev.leaf]]
role = "vehicle"
id = "car1"
cn = "OEMProvCert"
"""
TABLES: dict[str, dict[str, Row]] = {
    "iso2": ISO2 | signers(*(place for place in ISO2 if place.startswith("ca/")), dc=DC),
    "iso20": ISO20 | signers(*(place for place in ISO20 if place.startswith("ca/")), dc=DC),
    "iso20-ed448": ISO20 | signers(*(place for place in ISO20 if place.startswith("ca/")), dc=DC),
    "private": {
        "ca/private/root": Row("ca/private/root", "V2G", 0, CA, FORTY_YEARS),
        "leaf/secc/garage": Row("ca/private/root", "CPO", None, "sa", 60),
    },
    "cross": {
        "ca/v2g/root": Row("ca/v2g/root", "V2G", None, CA, FORTY_YEARS),
        "ca/v2g/second": Row("ca/v2g/second", "V2G", None, CA, FORTY_YEARS),
        "ca/mo/root": Row("ca/mo/root", "MO", None, CA, FORTY_YEARS),
        "ca/v2g/second-by-root": Row("ca/v2g/root", "V2G", None, CA, TWELVE_YEARS),
        "ca/mo/root-by-root": Row("ca/v2g/root", "MO", None, CA, TWELVE_YEARS),
    },
    "josev": {place: row for place, row in ISO2.items() if place.startswith("ca/oem/")}
    | {"leaf/vehicle/car1": Row("ca/oem/sub2", "OEM", None, "sa", 1460)},
}
ALL = [(name, place) for name, table in TABLES.items() for place in table]
SECOND = {"iso20", "cross", "iso20-ed448"}
WITH_URLS = {"iso2", "iso20", "iso20-ed448"}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("trees")
    (folder / "others.toml").write_text(OTHERS)
    declared = tree.read() | tree.read(folder / "others.toml")
    for name, each in declared.items():
        bring_up_to_date(each, Store(folder / name))
    return {name: folder / name for name in declared}


def load(folder: Path, place: str) -> x509.Certificate:
    path = folder / place / "cert.der" if place.startswith("leaf/") else folder / f"{place}.der"
    return x509.load_der_x509_certificate(path.read_bytes())


def test_the_trees_are_complete(trees: dict[str, Path]) -> None:
    assert set(trees) == set(TABLES)
    for name, folder in trees.items():
        authorities = {str(path.relative_to(folder).with_suffix("")) for path in folder.glob("ca/*/*.der")}
        leaves = {str(path.relative_to(folder).parent) for path in folder.glob("leaf/*/*/cert.der")}
        assert authorities | leaves == set(TABLES[name])


@pytest.mark.parametrize(("name", "place"), ALL)
def test_issued_certificate_fits_the_table(trees: dict[str, Path], name: str, place: str) -> None:
    certificate, row = load(trees[name], place), TABLES[name][place]
    certificate.verify_directly_issued_by(load(trees[name], row.issuer))
    assert certificate.version is x509.Version.v3
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime.days == row.days
    assert 64 <= certificate.serial_number.bit_length() <= 159
    assert len(certificate.public_bytes(Encoding.DER)) <= (1600 if name in SECOND else 800)


@pytest.mark.parametrize(("name", "place"), ALL)
def test_issued_key_fits_the_edition(trees: dict[str, Path], name: str, place: str) -> None:
    certificate = load(trees[name], place)
    key = certificate.public_key()
    if name == "iso20-ed448":
        assert isinstance(key, ed448.Ed448PublicKey)
        assert certificate.signature_algorithm_oid == SignatureAlgorithmOID.ED448
        return
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP521R1 if name in SECOND else ec.SECP256R1)
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA512 if name in SECOND else hashes.SHA256)


@pytest.mark.parametrize(("name", "place"), ALL)
def test_issued_extensions_fit_the_table(trees: dict[str, Path], name: str, place: str) -> None:
    extensions, row = load(trees[name], place).extensions, TABLES[name][place]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value == x509.BasicConstraints(ca=place.startswith("ca/"), path_length=row.path_length)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.value == x509.KeyUsage(**{name: letter in row.usage for letter, name in LETTERS.items()})
    critical = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}
    assert {extension.oid for extension in extensions if extension.critical} == critical
    assert {extension.oid for extension in extensions if not extension.critical} == others(name, place)
    if row.purpose is not None:
        assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [row.purpose]
    assert len(extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest) == row.key_id


def others(name: str, place: str) -> set[ObjectIdentifier]:
    """The extensions a certificate has that are not critical."""
    row = TABLES[name][place]
    found = {ExtensionOID.SUBJECT_KEY_IDENTIFIER}
    if row.issuer != place:
        found.add(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
        if name in WITH_URLS and row.purpose != OCSP:
            found |= {ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS}
    if row.purpose is not None:
        found.add(ExtensionOID.EXTENDED_KEY_USAGE)
    if row.purpose == OCSP:
        found.add(ExtensionOID.OCSP_NO_CHECK)
    if name == "iso20-ed448" and place.startswith("leaf/oem-provisioning/"):
        found.add(ObjectIdentifier("2.5.29.72"))  # a key that can agree on another
    return found


@pytest.mark.parametrize(("name", "place"), ALL)
def test_key_identifiers_chain(trees: dict[str, Path], name: str, place: str) -> None:
    row = TABLES[name][place]
    if row.issuer == place:
        return
    own = load(trees[name], place).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    above = load(trees[name], row.issuer).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own.key_identifier == above.digest


PARTS = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "C": NameOID.COUNTRY_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
}


@pytest.mark.parametrize(("name", "place"), ALL)
def test_issued_name_fits_the_table(trees: dict[str, Path], name: str, place: str) -> None:
    subject, row = load(trees[name], place).subject, TABLES[name][place]
    assert [part.oid for part in subject] == [PARTS[part] for part in row.names.split()]
    dc = row.dc.encode()
    domain = b"\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19\x16" + bytes([len(dc)]) + dc  # an IA5String
    assert (domain in subject.public_bytes()) is bool(dc)
    cn = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert isinstance(cn, str)
    assert b"\x06\x03\x55\x04\x03\x0c" + bytes([len(cn)]) + cn.encode() in subject.public_bytes()  # a UTF8String


@pytest.mark.parametrize("place", ["v2g/second-by-root", "mo/root-by-root"])
def test_a_cross_certificate_has_name_and_key_of_its_root(trees: dict[str, Path], place: str) -> None:
    twin, root = load(trees["cross"], f"ca/{place}"), load(trees["cross"], f"ca/{place.removesuffix('-by-root')}")
    assert (twin.subject, twin.public_key()) == (root.subject, root.public_key())
    assert twin.serial_number != root.serial_number


def rows() -> list[Profile]:
    return [row for edition in Edition for row in profiles.profiles(edition).values()]


def test_every_issuer_of_a_row_exists_and_is_nearer_to_the_root() -> None:
    order = list(Tier)
    for row in rows():
        assert bool(row.issuers) is (row.tier is not Tier.ROOT)
        for role in row.issuers:
            assert order.index(profile(role, row.edition).tier) < order.index(row.tier)


def test_what_is_demanded_of_others_is_what_we_issue() -> None:
    for row in rows():
        assert row.usage_demanded <= row.usage
        assert not row.usage & row.usage_forbidden
        assert row.names_allowed is None or set(row.names) <= row.names_allowed
        assert row.extensions_allowed is None or row.critical <= row.extensions_allowed


ANCHORS = {
    Role.SECC: {"v2g-root"},
    Role.CPS: {"v2g-root"},
    Role.CONTRACT: {"mo-root", "v2g-root"},  # [V2G20-2329]
    Role.OEM_PROVISIONING: {"oem-root", "v2g-root"},
    Role.VEHICLE: {"oem-root", "v2g-root"},  # [V2G20-2331]
}


@pytest.mark.parametrize("edition", Edition)
def test_anchor_kinds(edition: Edition) -> None:
    found = {
        role: {root.role for path in profiles.paths(role, 3, edition) for root in profiles.roots(path[-1])}
        for role in Role
    }
    wanted = ANCHORS if edition is not Edition.ISO2 else ANCHORS | {Role.VEHICLE: set()}
    assert found == wanted


# Lengths of chains without their root; with a private root one, with a cross certificate one more.
@pytest.mark.parametrize(("edition", "depth"), [("iso2", 3), ("iso20", 4), ("iso20-ed448", 4), ("josev", 3)])
@pytest.mark.parametrize("role", Role)
def test_depths(edition: str, depth: int, role: Role) -> None:
    lengths = {length for length in range(12) if profiles.paths(role, length, Edition(edition))}
    if (edition, role) == ("iso2", Role.VEHICLE):
        assert not lengths
    else:
        assert lengths == set(range(1 if role is Role.SECC else 2, depth + 1))


@pytest.mark.parametrize("role", Role)
def test_a_cross_certificate_stands_on_top_and_once(role: Role) -> None:
    for length in range(6):
        for path in profiles.paths(role, length, Edition.ISO20):
            tiers = [row.tier for row in path]
            assert Tier.CROSS not in tiers[:-1]
            assert tiers.count(Tier.SUB2) == (length > 1)


def test_an_unknown_role_is_named() -> None:
    with pytest.raises(ValueError, match="no certificate role 'cso-sub1' in iso2; known: v2g-root"):
        profile("cso-sub1")
