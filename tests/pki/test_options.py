"""Every option does what it says, to what is issued and to what is accepted of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID, ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU

from pki.issue import Issued, issue
from pki.options import Options
from pki.profiles import Edition, profile
from pki.tree import Entry, Urls
from pki.validate import Policy, validate
from tests.pki.chains import AIA, EDITIONS, NOW, Path, build, cross, make, purposes
from v2g.trust import Role, Rule, Verdict

SAN = (x509.SubjectAlternativeName([x509.DNSName("secc.test")]), False)
ACCESS = (AIA, False)
NAMES = {Role.CONTRACT: "DE8AA0012345670", Role.OEM_PROVISIONING: "WMI12345678901234"}
URLS = Urls(ocsp="http://o.test/", crl="http://o.test/{ca}.crl")


def certificate(role: str, edition: Edition, options: Options, issuer: Issued | None = None) -> Issued:
    """Issue a certificate of a role under these options."""
    above = None if issuer is None else entry("v2g-root", edition, options)
    return issue(replace(entry(role, edition, options), issuer=above), issuer, NOW)


def entry(role: str, edition: Edition, options: Options) -> Entry:
    row = profile(role, edition, options)
    name = {str(each): text for each, text in NAMES.items()}.get(role, role)
    return Entry(profile=row, name="x", common_name=name, organization="Test", country="DE", days=row.days, urls=URLS)


def issued(role: str, edition: Edition = Edition.ISO20, **options: Any) -> x509.Certificate:
    """Issue a leaf, or a root, under these options."""
    chosen = Options(**options)
    root = certificate("v2g-root", edition, chosen)
    return certificate(role, edition, chosen, None if role.endswith("root") else root).certificate


def accepts(path: Path, role: Role, edition: Edition = Edition.ISO20, **options: Any) -> bool:
    """Tell whether a hand-made chain is trusted under these options; if not, for its profile."""
    policy = Policy(editions=(edition,), options=Options(**options))
    return _held(validate(path.chain, role, path.anchors, NOW, policy))


def _held(verdict: Verdict) -> bool:
    assert verdict.broken in (None, Rule.PROFILE, Rule.ANCHOR), verdict
    return bool(verdict)


def extension(found: x509.Certificate, oid: ObjectIdentifier) -> x509.Extension[Any] | None:
    return next((each for each in found.extensions if each.oid == oid), None)


def purpose(found: x509.Certificate) -> list[ObjectIdentifier]:
    listed = extension(found, ExtensionOID.EXTENDED_KEY_USAGE)
    return [] if listed is None else list(listed.value)


def days(found: x509.Certificate) -> int:
    return (found.not_valid_after_utc - found.not_valid_before_utc).days


def serial_bits() -> None:
    for bits in (63, 159):
        assert {issued("v2g-root", serial_bits=bits).serial_number.bit_length() for _ in range(20)} == {bits}
        assert accepts(build("secc", "iso20"), Role.SECC, serial_bits=bits)


def purposes_iso2() -> None:
    assert purpose(issued("secc", Edition.ISO2)) == purpose(issued("contract", Edition.ISO2)) == []
    assert purpose(issued("secc", Edition.ISO2, purposes_iso2=True)) == [EKU.SERVER_AUTH]
    assert purpose(issued("contract", Edition.ISO2, purposes_iso2=True)) == [EKU.CLIENT_AUTH]
    assert purpose(issued("cps", Edition.ISO2, purposes_iso2=True)) == []
    for option in (True, False):
        assert accepts(
            build(leaf={"extensions": (purposes(EKU.SERVER_AUTH),)}), Role.SECC, Edition.ISO2, purposes_iso2=option
        )
        assert accepts(build(), Role.SECC, Edition.ISO2, purposes_iso2=option)


def purpose_secc() -> None:
    assert purpose(issued("secc")) == [EKU.SERVER_AUTH]
    assert purpose(issued("secc", purpose_secc=False)) == []
    for option in (True, False):
        assert accepts(build("secc", "iso20"), Role.SECC, purpose_secc=option)
        assert accepts(build("secc", "iso20", leaf={"extensions": ()}), Role.SECC, purpose_secc=option)


def purpose_vehicle() -> None:
    assert purpose(issued("vehicle")) == [EKU.CLIENT_AUTH]
    assert purpose(issued("vehicle", purpose_vehicle=False)) == []
    for option in (True, False):
        assert accepts(build("vehicle", "iso20"), Role.VEHICLE, purpose_vehicle=option)
        assert accepts(build("vehicle", "iso20", leaf={"extensions": ()}), Role.VEHICLE, purpose_vehicle=option)


def strict() -> None:
    server = build("contract", leaf={"extensions": (purposes(EKU.SERVER_AUTH),)})
    client = build("contract", leaf={"extensions": (purposes(EKU.CLIENT_AUTH),)})
    wide = build("contract", "iso20", leaf={"country": "DE", "dc": ("MO",)})
    for chosen in (False, True):
        assert accepts(server, Role.CONTRACT, Edition.ISO2, strict=chosen) is not chosen
        assert accepts(client, Role.CONTRACT, Edition.ISO2, strict=chosen)
        assert accepts(wide, Role.CONTRACT, strict=chosen) is not chosen
        assert accepts(build("contract", "iso20"), Role.CONTRACT, strict=chosen)
    found = issued("contract", Edition.ISO2, strict=True, purposes_iso2=True)
    assert purpose(found) == [EKU.CLIENT_AUTH]
    assert [part.oid for part in issued("contract", strict=True).subject] == [
        NameOID.COMMON_NAME,
        NameOID.ORGANIZATION_NAME,
    ]


def secc_component() -> None:
    silent = build("secc", "iso20", leaf={"dc": ()})
    for chosen in (True, False):
        assert issued("secc", secc_component=chosen).subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)
        assert accepts(silent, Role.SECC, secc_component=chosen) is not chosen
        assert not accepts(build("secc", "iso20", leaf={"dc": ("CPS",)}), Role.SECC, secc_component=chosen)


def sub_component() -> None:
    """Whoever has a silent Sub-CA below a V2G root issues for stations, and for nobody else."""
    assert issued("mo-sub2").subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)
    silent: dict[str, Any] = {"root": {"dc": ("V2G",)}, "sub1": {"dc": ()}, "sub2": {"dc": ()}}
    for chosen in (False, True):
        for role in (Role.CONTRACT, Role.VEHICLE, Role.OEM_PROVISIONING, Role.CPS):
            assert accepts(build(role, "iso20", **silent), role, sub_component=chosen) is not chosen
        assert accepts(build("secc", "iso20", **silent), Role.SECC, sub_component=chosen)
        own = {"sub1": {"dc": ()}, "sub2": {"dc": ()}}
        assert accepts(build("contract", "iso20", **own), Role.CONTRACT, sub_component=chosen)


def known_extensions() -> None:
    for tier in ("leaf", "sub2", "sub1"):
        named = build(
            "contract", "iso20", **{"leaf": {"extensions": (ACCESS,)}} | {tier: {"extensions": (ACCESS, SAN)}}
        )
        for chosen in (True, False):
            assert accepts(named, Role.CONTRACT, known_extensions=chosen) is not chosen


def critical() -> None:
    oids = {
        "authority-key": ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        "subject-key": ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        "authority-access": ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        "crl-points": ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
    for name, oid in oids.items():
        found = issued("contract", critical=(name,))
        assert {each.oid for each in found.extensions if each.critical} == {
            ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, oid}  # fmt: skip
        again = build("contract", "iso20", leaf={"extensions": tuple(
            (each.value, True) for each in found.extensions if each.oid in oids.values()
            and each.oid != ExtensionOID.AUTHORITY_KEY_IDENTIFIER)})  # fmt: skip
        assert accepts(again, Role.CONTRACT, critical=(name,))
        assert accepts(again, Role.CONTRACT)
    about = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://o.test")
    )
    subject_access = (x509.SubjectInformationAccess([about]), True)
    assert accepts(build("contract", "iso20", leaf={"extensions": (ACCESS, subject_access)}), Role.CONTRACT)


def contract_key_id_bytes() -> None:
    for octets in (8, 20):
        found = extension(issued("contract", contract_key_id_bytes=octets), ExtensionOID.SUBJECT_KEY_IDENTIFIER)
        assert found is not None
        assert len(found.value.digest) == octets
        other = extension(issued("secc", contract_key_id_bytes=octets), ExtensionOID.SUBJECT_KEY_IDENTIFIER)
        assert other is not None
        assert len(other.value.digest) == 20
        for key_id in (8, 20):
            path = build(
                "contract", "iso20", leaf={"extensions": (ACCESS, (x509.SubjectKeyIdentifier(bytes(key_id)), False))}
            )
            assert accepts(path, Role.CONTRACT, contract_key_id_bytes=octets)


def dual_curve() -> None:
    oid = ObjectIdentifier("2.5.29.72")
    assert extension(issued("oem-provisioning"), oid) is None
    assert extension(issued("oem-provisioning", dual_curve=True), oid) is not None
    assert extension(issued("contract", dual_curve=True), oid) is None
    assert extension(issued("oem-provisioning", Edition.ISO20_ED448), oid) is not None
    second_key = (x509.UnrecognizedExtension(oid, b"\x05\x00"), False)
    for chosen in (True, False):
        for extensions in ((), (second_key,)):
            path = build("oem-provisioning", "iso20", leaf={"extensions": extensions})
            assert accepts(path, Role.OEM_PROVISIONING, dual_curve=chosen)
        assert not accepts(build("secc", "iso20", leaf={"extensions": (second_key,)}), Role.SECC, dual_curve=chosen)


def alternative_key_oid() -> None:
    usual, other = "2.5.29.72", "1.3.6.1.4.1.99999.7"
    found = issued("oem-provisioning", dual_curve=True, alternative_key_oid=other)
    assert extension(found, ObjectIdentifier(other)) is not None
    assert extension(found, ObjectIdentifier(usual)) is None
    for oid in (usual, other):
        key = (x509.UnrecognizedExtension(ObjectIdentifier(oid), b"\x05\x00"), False)
        path = build("oem-provisioning", "iso20", leaf={"extensions": (key,)})
        for chosen in (usual, other):
            assert accepts(path, Role.OEM_PROVISIONING, alternative_key_oid=chosen) is (chosen == oid)


def private(options: dict[str, Any], **changes: Any) -> bool:
    """Tell whether the SECC leaf of a private operator is trusted, whose root was changed."""
    specs = EDITIONS["iso20"]["secc"]
    root = make(replace(specs["root"], **{"path_length": 0} | changes))
    policy = Policy(editions=(Edition.ISO20,), options=Options(**options), private=(root.der,))
    return _held(validate([make(specs["leaf"], root).der], Role.SECC, [], NOW, policy))


def private_component() -> None:
    for edition in (Edition.ISO2, Edition.ISO20):
        for component in ("V2G", ""):
            found = issued("private-root", edition, private_component=component)
            assert bool(found.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)) is bool(component)
    for component in ("V2G", ""):
        assert private({"private_component": component}, dc=())
        assert private({"private_component": component}, dc=("V2G",)) is bool(component)
        assert not private({"private_component": component}, dc=("MO",))


def private_path_length() -> None:
    for length in (0, None):
        found = extension(issued("private-root", private_path_length=length), ExtensionOID.BASIC_CONSTRAINTS)
        assert found is not None
        assert found.value.path_length == length
        for foreign in (0, 1, None):
            assert private({"private_path_length": length}, path_length=foreign)


def cross_path_length() -> None:
    path = build("contract", "iso20", root={"cn": ("MO root",)})
    above = make(EDITIONS["iso20"]["secc"]["root"])
    for option in (None, 2):
        found = extension(issued("mo-cross", cross_path_length=option), ExtensionOID.BASIC_CONSTRAINTS)
        assert found is not None
        assert found.value.path_length == option
        for foreign in (None, 0, 1, 2, 3):
            twin = cross(path.root, above, path_length=foreign)
            policy = Policy(editions=(Edition.ISO20,), options=Options(cross_path_length=option))
            verdict = validate([*path.chain, twin.der], Role.CONTRACT, [above.der], NOW, policy)
            assert _held(verdict) is (foreign is None or foreign >= 2)


def ocsp_days() -> None:
    assert days(issued("v2g-ocsp")) == 30
    assert days(issued("v2g-ocsp", ocsp_days=7)) == days(issued("v2g-ocsp", Edition.ISO2, ocsp_days=7)) == 7


def ocsp_nocheck() -> None:
    for chosen in (True, False):
        found = extension(issued("v2g-ocsp", ocsp_nocheck=chosen), ExtensionOID.OCSP_NO_CHECK)
        assert (found is not None) is chosen


def leaf_days_iso20() -> None:
    for role in ("secc", "contract", "oem-provisioning", "cps"):
        assert days(issued(role)) == 730
        assert days(issued(role, leaf_days_iso20=90)) == 90
    assert days(issued("vehicle", leaf_days_iso20=90)) == 1826
    assert days(issued("secc", Edition.ISO2, leaf_days_iso20=90)) == 60


def vehicle_days() -> None:
    assert days(issued("vehicle", vehicle_days=100)) == 100
    assert days(issued("secc", vehicle_days=100)) == 730


def sub_days_iso20() -> None:
    for role in ("cpo-sub1", "vehicle-sub2", "mo-cross"):
        assert days(issued(role)) == 4383
        assert days(issued(role, sub_days_iso20=100)) == 100
    assert days(issued("cpo-sub1", Edition.ISO2, sub_days_iso20=100)) == 1460


TESTS: dict[str, Callable[[], None]] = {
    test.__name__: test
    for test in (
        *(
            serial_bits,
            purposes_iso2,
            purpose_secc,
            purpose_vehicle,
            strict,
            secc_component,
            sub_component,
            known_extensions,
            critical,
        ),
        *(contract_key_id_bytes, dual_curve, alternative_key_oid, private_component, private_path_length),
        *(cross_path_length, ocsp_days, ocsp_nocheck, leaf_days_iso20, vehicle_days, sub_days_iso20),
    )
}


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Options)])
def test_option(name: str) -> None:
    TESTS[name]()


# What follows from time alone may differ between issuer and relying party; so may what only one of them reads.
@pytest.mark.parametrize("edition", Edition)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(strict=True, purposes_iso2=True, purpose_secc=False, purpose_vehicle=False, serial_bits=63),
        Options(critical=("authority-key", "subject-key", "authority-access", "crl-points"), dual_curve=True),
        Options(contract_key_id_bytes=20, alternative_key_oid="1.3.6.1.4.1.99999.7", private_component=""),
    ],
    ids=["defaults", "plain and strict", "critical", "others"],
)
def test_what_is_issued_is_accepted(edition: Edition, role: Role, options: Options) -> None:
    if (edition, role) == (Edition.ISO2, Role.VEHICLE):
        with pytest.raises(ValueError, match="no certificate role 'vehicle'"):
            profile(role, edition, options)
        return
    branch = profile(role, edition, options).branch
    root = certificate(f"{branch}-root" if branch in ("mo", "oem") else "v2g-root", edition, options)
    sub1 = certificate(f"{branch}-sub1", edition, options, root)
    sub2 = certificate(f"{branch}-sub2", edition, options, sub1)
    leaf = certificate(role, edition, options, sub2)
    policy = Policy(editions=(edition,), options=options)
    verdict = validate([leaf.der, sub2.der, sub1.der], role, [root.der], NOW, policy)
    assert verdict, verdict.detail
