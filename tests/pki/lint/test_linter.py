"""What is right has nothing to be told about: our own trees, certificates by hand, OpenSSL's."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.certificate import read as read_certificate
from pki.lint.contents import Piece
from pki.lint.finding import Severity
from pki.lint.linter import Demand, lint
from pki.lint.report import Report
from pki.lint.second import disagreements
from pki.lint.source import Source, gather
from pki.options import Options
from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.roles import role_of
from pki.store import Store
from pki.tree import read
from tests.pki.lint import made
from tests.pki.lint.made import (
    CONTRACT_20,
    NOW,
    PROVISIONING,
    ROOT,
    STATION,
    STATION_20,
    SUB1,
    SUB2,
    UTF8,
    Spec,
    address,
    ed,
    extension,
    make,
    oid,
    p521,
    path,
    seq,
)

TREES = ("iso2", "iso20", "iso20-ed448")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lint")
    for name, tree in read().items():
        bring_up_to_date(tree, Store(out / name))
    return out


def judged(*ders: bytes, served: bool = False, **demand: Any) -> Report:
    asked: dict[str, Any] = {"at": NOW, **demand}
    return lint([Source("chain.pem", [Piece(der) for der in ders], chain=served)], Demand(**asked))


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("name", TREES)
def test_our_own_trees_are_clean(trees: Path, name: str) -> None:
    report = lint(gather(trees / name), Demand())
    told = [(one.rule, one.place.tier) for one in report.findings]
    assert told == [("serial-long", "root")], report.findings
    assert report.counts == {Severity.ERROR: 0, Severity.WARNING: 0, Severity.NOTE: 1}
    assert not report.failing(Severity.WARNING)


@pytest.mark.parametrize("name", TREES)
def test_every_certificate_is_taken_for_what_it_is(trees: Path, name: str) -> None:
    from pki.overview import gather as certificates

    found = certificates(trees / name)
    places = {str(Store(trees / name).certificate(place)): role_of(place, one) for place, one in found.items()}
    report = lint(gather(trees / name), Demand())
    taken = {one.name: one.certificates[0] for one in report.examined if one.name in places}
    assert {name: one.role for name, one in taken.items()} == places
    assert {one.edition for one in taken.values()} == {name}


@pytest.mark.parametrize("name", TREES)
def test_a_leaf_alone_is_taken_for_what_it_is(trees: Path, name: str) -> None:
    for folder in sorted((trees / name / "leaf").glob("*/*")):
        role = folder.parent.name
        report = lint(gather(folder / "chain.pem"), Demand())
        if not role.endswith("-ocsp"):  # the signers of one DC look alike without their issuer's role
            assert report.examined[0].certificates[0].role == role
        assert not report.failing(Severity.WARNING), report.findings


def test_chains_hold_against_their_anchors(trees: Path) -> None:
    from pki.credentials import load_anchors

    tree = trees / "iso2"
    for role, id_, trust in (("secc", "evse1", "v2g"), ("contract", "car1", "mo"), ("oem-provisioning", "car1", "oem")):
        anchors = tuple(load_anchors(tree / "trust" / f"{trust}.pem"))
        assert not rules(lint(gather(tree / "leaf" / role / id_ / "chain.pem"), Demand(anchors=anchors)))


GOOD = {
    "contract": path().chain,
    "station": [make(STATION, make(SUB2)).der],
    "provisioning": [make(PROVISIONING, make(SUB2)).der],
    "station of -20": [make(STATION_20, make(Spec(key=p521))).der],
    "contract of -20": [make(CONTRACT_20, make(Spec(key=p521))).der],
    "root": [make(ROOT).der],
}


@pytest.mark.parametrize("ders", GOOD.values(), ids=GOOD)
def test_what_is_made_right_by_hand_is_clean(ders: list[bytes]) -> None:
    assert judged(*ders).findings == ()


def test_a_second_generation_on_p256_is_noticed() -> None:
    """Josev's "-20" is on P-256, which no key delivery of -20 can use."""
    report = judged(make(STATION, make(SUB2)).der, edition=Edition.ISO20)
    assert {"profile-key", "profile-algorithm"} <= rules(report)
    requirements = {one.rule: one.requirements for one in report.findings}
    assert "V2G20-2674" in requirements["profile-key"]
    assert not any(name.startswith("V2G2-") for name in requirements["profile-key"])


def test_certificates_as_josev_makes_them() -> None:
    """Serial 12345, a check character that is wrong, a name for a PCID, an MO Sub2 that signs."""
    serial = {"serial": b"\x02\x02\x30\x39"}
    top = make(Spec(cn="MORootCA", ca=True, usage="CL", days=(-9, 3000), fields=serial))
    first = make(Spec(cn="MOSubCA1", ca=True, usage="CL", path_length=1, days=(-8, 1400), fields=serial), top)
    second = make(Spec(cn="MOSubCA2", ca=True, usage="CLsn", path_length=0, days=(-7, 1300), fields=serial), first)
    contract = make(Spec(cn="UKSWI123456791A", days=(-1, 700), fields=serial), second)
    assert rules(judged(contract.der, second.der, first.der)) == {"serial-short", "emaid-check", "usage-extra"}
    leaf = make(Spec(cn="OEMProvCert", dc="OEM", usage="sa", fields=serial), second)
    assert rules(judged(leaf.der)) == {"serial-short", "pcid"}


CLIENT_AUTH = extension("purposes", seq(oid("1.3.6.1.5.5.7.3.2")))
VEHICLE = Spec(cn="WACME0000000001", dc="", usage="s", key=p521)  # an EVCCID, with the shape of an EMAID


@pytest.mark.parametrize("cn", ["VEHICLE Sub-CA 2", "Sub2"])
@pytest.mark.parametrize("chained", [True, False])
def test_a_vehicle_is_no_contract_whatever_its_name(cn: str, *, chained: bool) -> None:
    top = make(Spec(cn="Top", dc="OEM", ca=True, usage="CL", key=p521, days=(-30, 5000)))
    above = make(Spec(cn=cn, dc="OEM", ca=True, usage="CL", key=p521, path_length=0, days=(-15, 800)), top)
    leaf = make(replace(VEHICLE, extensions={"purposes": CLIENT_AUTH}), above)
    report = judged(leaf.der, *([above.der] if chained else []))
    assert report.examined[0].certificates[0].role == "vehicle", report.examined[0].certificates[0].why


def test_the_issuer_tells_a_vehicle_from_a_contract() -> None:
    top = make(Spec(cn="Top", dc="V2G", ca=True, usage="CL", key=p521, days=(-30, 5000)))
    spec = Spec(cn="Sub2", ca=True, usage="CL", key=p521, path_length=0, days=(-15, 800))
    oem, mo = make(replace(spec, dc="OEM"), top), make(spec, top)
    for above, role in ((oem, "vehicle"), (mo, "contract")):
        report = judged(make(VEHICLE, above).der, above.der)
        assert report.examined[0].certificates[0].role == role, report.examined[0].certificates[0].why
    assert judged(make(VEHICLE, mo).der).examined[0].certificates[0].role == "contract"


def test_a_role_may_be_said() -> None:
    odd = make(Spec(cn="who", dc=""), make(SUB2)).der
    assert judged(odd, role="secc").examined[0].certificates[0].role == "secc"
    assert "profile-component" in rules(judged(odd, role="secc"))
    with pytest.raises(ValueError, match="no certificate role 'mayor'"):
        judged(odd, role="mayor")


def test_a_role_for_leaves_leaves_the_cas_as_they_are() -> None:
    report = judged(*path().chain, role="contract")
    assert [one.role for one in report.examined[0].certificates] == ["contract", "mo-sub2", "mo-sub1"]


def test_the_same_bytes_are_judged_once() -> None:
    der = make(Spec(fields={"serial": b"\x02\x01\x05"}), make(SUB2)).der
    sources = [Source("one.pem", [Piece(der)]), Source("two.pem", [Piece(der)])]
    (finding,) = lint(sources, Demand(at=NOW)).findings
    assert (finding.rule, finding.place.file, finding.place.also) == ("serial-short", "one.pem", ("two.pem#1",))


def test_a_served_leaf_alone_is_no_chain() -> None:
    leaf = path().leaf.der
    assert rules(judged(leaf, served=True)) == {"chain-gap"}
    assert rules(judged(leaf)) == set()


def test_a_private_root_signs_its_station_and_is_sent_along() -> None:
    top = make(Spec(cn="Private PE Root", dc="", ca=True, path_length=0, usage="CL", days=(-20, 900)))
    leaf = make(STATION, top)
    report = judged(leaf.der, top.der, served=True, options=Options(private_component=""))
    assert rules(report) <= {"station-name", "serial-long"}


def test_a_cross_certificate_makes_room_for_a_fourth() -> None:
    v2g = make(Spec(cn="V2G Root", dc="V2G", ca=True, usage="CL", key=p521, days=(-30, 5000)))
    cross_spec = Spec(cn="MO Root", ca=True, usage="CL", key=p521, days=(-25, 1000))
    cross = make(cross_spec, v2g)
    below = cross
    sub1 = make(Spec(cn="MO Sub1", ca=True, usage="CL", key=p521, path_length=1, days=(-20, 900)), below)
    sub2 = make(Spec(cn="MO Sub2", ca=True, usage="CL", key=p521, path_length=0, days=(-15, 800)), sub1)
    report = judged(make(CONTRACT_20, sub2).der, sub2.der, sub1.der, cross.der)
    assert [one.role for one in report.examined[0].certificates] == ["contract", "mo-sub2", "mo-sub1", "mo-cross"]
    assert rules(report) == set()


@pytest.mark.parametrize(("key", "named"), [(made.p256, "V2G2-009"), (p521, "V2G20-1003")])
def test_the_depth_is_that_of_the_edition(key: Callable[[], made.Key], named: str) -> None:
    top = make(Spec(cn="MO Root", ca=True, usage="CL", key=key, days=(-30, 5000)))
    chain = [make(Spec(cn="MO Sub0", ca=True, usage="CL", key=key, path_length=3, days=(-25, 900)), top)]
    for number in (3, 2, 1):
        chain.append(make(Spec(cn=f"MO Sub{number}", ca=True, usage="CL", key=key, days=(-20, 800)), chain[-1]))
    chain.append(make(Spec(key=key), chain[-1]))
    found = judged(*(each.der for each in reversed(chain))).findings
    assert [one.requirements for one in found if one.rule == "chain-depth"] == [(named,)]


def test_ed448_is_an_edition_of_its_own() -> None:
    above = make(Spec(key=ed))
    leaf = make(Spec(key=ed, cn="DEABCS" + "7" * 34, dc="CPO", usage="s"), above)
    (described,) = judged(leaf.der).examined[0].certificates
    assert (described.role, described.edition) == ("secc", "iso20-ed448")


def test_what_hubject_signs_is_clean() -> None:
    assert judged(make(STATION_20, make(Spec(key=p521))).der, hubject=True).findings == ()


def test_what_openssl_makes_is_der(tmp_path: Path) -> None:
    """Of another subject than V2G has, but well written: only profile rules speak."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /C=DE/O=Lab/CN=E1/DC=CPO"
        " -addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:false -keyout /dev/null -out"
    )
    subprocess.run([*command.split(), str(tmp_path / "own.pem")], check=True, capture_output=True)
    report = lint(gather(tmp_path / "own.pem"), Demand())
    assert not {name for name in rules(report) if name.startswith(("der-", "parsers"))}
    assert report.examined[0].certificates[0].role == "secc"


def test_a_thousand_certificates_take_seconds() -> None:
    own = path()
    ders = [make(Spec(cn=f"DE8AA{number:09}"), own.sub2).der for number in range(1000)]
    before = time.process_time()
    report = judged(own.sub2.der, own.sub1.der, own.root.der, *ders)
    assert time.process_time() - before < 5
    assert report.findings == ()


def test_dates_are_judged_at_the_time_asked_for() -> None:
    leaf = path().leaf.der
    assert rules(judged(leaf, at=NOW + timedelta(days=99))) == {"expires-soon"}
    assert rules(judged(leaf, at=datetime(2040, 1, 1, tzinfo=UTC))) == {"expired"}


def test_a_critical_crl_address_is_no_trouble() -> None:
    points = seq(seq(b"\xa0\x0f\xa0\x0d\x86\x0bhttp://a.b/"))
    own = make(Spec(extensions={"points": extension("points", points, critical=True)}), make(SUB2))
    assert rules(judged(own.der)) == set()


def test_several_flaws_of_one_certificate_are_all_told() -> None:
    spec = Spec(
        parts=(("CN", UTF8, "x"), ("DC", UTF8, "MO")),
        usage="s",
        extensions={"access": extension("access", address("ldap://x"), critical=True), "above": b""},
    )
    told = rules(judged(make(spec, make(SUB1)).der, role="contract"))
    assert {
        "profile-common-name",
        "profile-usage",
        "der-string-type",
        "url-form",
        "critical-refused",
        "authority-id-missing",
    } <= told


def test_a_leaf_apart_from_its_chain_is_judged_with_it(trees: Path) -> None:
    from pki.credentials import load_anchors

    anchors = tuple(anchor for file in (trees / "iso20/trust").glob("*.pem") for anchor in load_anchors(file))
    report = lint(gather(trees / "iso20"), Demand(anchors=anchors))
    assert not report.failing(Severity.WARNING), report.findings
    other = tuple(anchor for file in (trees / "iso2/trust").glob("*.pem") for anchor in load_anchors(file))
    assert "chain-trust" in rules(lint(gather(trees / "iso20/leaf/secc"), Demand(anchors=other)))


def test_a_station_of_a_private_operator_needs_its_root_named() -> None:
    top = make(Spec(cn="Private PE Root", dc="V2G", ca=True, path_length=0, usage="CL", days=(-20, 900)))
    leaf = make(STATION, top)
    assert "chain-trust" in rules(judged(leaf.der, served=True, anchors=(top.der,)))
    assert "chain-trust" not in rules(judged(leaf.der, served=True, private=(top.der,)))


def test_a_role_of_cas_is_not_put_on_leaves() -> None:
    report = judged(*path().chain, role="mo-sub2")
    assert [one.role for one in report.examined[0].certificates] == ["contract", "mo-sub2", "mo-sub2"]
    assert rules(report) == {"profile-path-length", "chain-issuer"}


def test_an_issuer_whose_name_cannot_be_read_is_unreadable() -> None:
    """`cryptography` reads names late: nobody who asks afterwards may be surprised."""
    issuer = made.name(("CN", 0x00, b"MO Sub2"))
    report = judged(make(Spec(fields={"issuer": issuer}), make(SUB2)).der)
    assert "unreadable" in rules(report)


def test_the_second_reader_names_every_fact_that_differs() -> None:
    """Shown two certificates as if they were one, it has to notice each difference."""
    pytest.importorskip("pyasn1_modules", reason="pyasn1 is missing: pip install 'plugcharge[lab]'")
    one, other = make(STATION, make(SUB2)).der, make(SUB1, make(ROOT)).der
    told = {remark.field for remark in disagreements(other, read_certificate(one))}
    assert told == {
        *("serialNumber", "signatureValue", "issuer", "subject", "notBefore", "notAfter", "subjectPublicKeyInfo"),
        *("ca", "pathLength", "keyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier"),
    }
    extra = {"purposes": extension("purposes", seq(oid("1.3.6.1.5.5.7.3.1")))}
    more = make(Spec(extensions=extra, key=p521), make(Spec(key=p521))).der
    told = {remark.field for remark in disagreements(more, read_certificate(one))}
    assert {"signatureAlgorithm", "extensions", "extKeyUsage"} <= told
    assert not list(disagreements(one, read_certificate(one)))


def test_odd_certificates_of_the_world_are_read_alike_by_both() -> None:
    """Types of names, sets of several, keys and numbers that V2G does not have: told, but no disagreement."""
    cn, _, country, component = made.named("DE8AA0012345670")
    several = sorted(seq(oid(made.PARTS[kind]), made.tlv(UTF8, b"T")) for kind in ("O", "OU"))
    single = [made.tlv(0x31, seq(oid(made.PARTS[k]), made.tlv(t, v.encode()))) for k, t, v in (cn, component)]
    odd = (
        Spec(parts=(cn, ("O", 0x1C, "Test".encode("utf-32-be")), country, component)),
        Spec(parts=(cn, ("O", made.BMP, "Tést"), country, component)),
        Spec(fields={"subject": seq(*single, made.tlv(0x31, *several))}),
        Spec(fields={"subject": seq()}),
        Spec(fields={"serial": made.tlv(2, b"\x80\x00\x01")}),
        Spec(fields={"extensions": b""}),
        Spec(key=made.rsa2048),
        Spec(key=ed),
        Spec(days=(-1, 13_000)),
    )
    for spec in odd:
        told = rules(judged(make(spec, make(SUB2)).der))
        assert not {"parsers-disagree", "unreadable"} & told, spec
