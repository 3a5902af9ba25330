"""One case per rule: certificates that are wrong in the one point the rule is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.lint.contents import Piece
from pki.lint.finding import Remark
from pki.lint.linter import Demand
from pki.lint.source import Source
from pki.options import Options
from pki.profiles import Edition
from tests.pki.lint import made
from tests.pki.lint.made import (
    BMP,
    CONTRACT_20,
    IA5,
    LEAF,
    NOW,
    PRINTABLE,
    PROVISIONING,
    ROOT,
    STATION,
    STATION_20,
    SUB1,
    SUB2,
    UTF8,
    Made,
    Spec,
    bits,
    extension,
    integer,
    make,
    named,
    oid,
    path,
    seq,
    tlv,
    usage_bits,
)


@dataclass(frozen=True)
class Case:
    """What is linted; `also` are the rules that cannot but be broken with the one in question."""

    certificates: list[bytes]
    also: frozenset[str] = frozenset()
    demand: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    served: bool = False

    def source(self) -> Source:
        return Source("case.pem", [Piece(der) for der in self.certificates], list(self.remarks), self.served)

    def asked(self) -> Demand:
        return Demand(**{"at": NOW, **self.demand})


def one(spec: Spec, *also: str, issuer: Made | None = None, **demand: Any) -> Case:
    """A certificate by itself; its issuer is somewhere else."""
    above = issuer or make(replace(SUB2, key=spec.key) if spec.key is not made.rsa2048 else SUB2)
    return Case([make(spec, above).der], frozenset(also), demand)


def root(spec: Spec, *also: str, **demand: Any) -> Case:
    return Case([make(spec).der], frozenset(also), demand)


def leaf(*also: str, **changes: Any) -> Case:
    return one(replace(LEAF, **changes), *also)


def sub2(*also: str, **changes: Any) -> Case:
    return one(replace(SUB2, **changes), *also, issuer=make(SUB1))


def with_extensions(*also: str, **extensions: bytes) -> Case:
    return leaf(*also, extensions=extensions)


def with_fields(*also: str, **fields: bytes) -> Case:
    return leaf(*also, fields=fields)


def chain(made_path: made.Path, order: str, *also: str, **demand: Any) -> Case:
    """The certificates of a path in an order: r, 1, 2 and l for root, Sub1, Sub2 and leaf."""
    letters = {"r": made_path.root, "1": made_path.sub1, "2": made_path.sub2, "l": made_path.leaf}
    return Case([letters[letter].der for letter in order], frozenset(also), demand)


def outside(change: Callable[[bytes], bytes], *also: str) -> Case:
    """A leaf whose bytes are changed after signing."""
    return Case([change(make(LEAF, make(SUB2)).der)], frozenset(also))


UNREADABLE = ("unreadable", "parsers-disagree")
CONSTRAINTS = extension("constraints", seq(), critical=True)


def oversize() -> Case:
    """801 bytes, by a URL of the length that takes."""

    def sized(length: int) -> Spec:
        return replace(LEAF, extensions={"access": extension("access", made.address(f"http://{'a' * length}/"))})

    return one(sized(520))


def near() -> Case:
    return one(replace(LEAF, extensions={"access": extension("access", made.address(f"http://{'a' * 250}/"))}))


def twin() -> Case:
    return Case([make(ROOT).der, make(ROOT).der])


def same_serial() -> Case:
    above = make(SUB2)
    spec = replace(LEAF, fields={"serial": integer(0x5000_0000_0000_0001)})
    return Case(
        [make(spec, above).der, make(replace(spec, cn="DE8AA0012345671"), above).der], frozenset({"emaid-check"})
    )


def other_signer() -> Case:
    """The Sub2 in the file has name and key identifier of the issuer, but another key."""
    right = path()
    forged = make(replace(SUB2, extensions={"own": extension("own", tlv(4, right.sub2.key_id))}), right.sub1)
    return Case([right.leaf.der, forged.der, right.sub1.der], frozenset({"key-id-method"}))


def other_name_bytes() -> Case:
    above = make(SUB2, make(SUB1))
    written = made.name(("CN", PRINTABLE, "MO Sub2"), *named("", "MO")[1:])
    return Case([make(replace(LEAF, fields={"issuer": written}), above).der, above.der])


def other_key_id() -> Case:
    above = make(SUB2, make(SUB1))
    wrong = {"above": extension("above", seq(tlv(0x80, bytes(20))))}
    return Case([make(replace(LEAF, extensions=wrong), above).der, above.der])


def four_deep() -> Case:
    top = make(replace(ROOT, path_length=None))
    first = make(replace(SUB1, cn="MO Sub0"), top)
    second = make(SUB1, first)
    third = make(SUB2, second)
    deep = [make(LEAF, third).der, third.der, second.der, first.der]
    return Case(deep, frozenset({"chain-path-length", "chain-issuer"}))


def too_long_path() -> Case:
    first = make(replace(SUB2, cn="MO Sub3"), make(SUB1))
    return Case([make(replace(SUB2), first).der, first.der], frozenset({"profile-path-length"}))


def wrong_branch() -> Case:
    above = make(replace(SUB2, dc="OEM", cn="OEM Sub2"), make(SUB1))
    return Case([make(LEAF, above).der, above.der])


def mixed() -> Case:
    above = make(replace(SUB2, key=made.p521), make(replace(SUB1, key=made.p521)))
    return Case([make(LEAF, above).der, above.der], frozenset({"profile-algorithm"}))


def compressed() -> bytes:
    key = made.p256().public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(point))


def nested(depth: int) -> bytes:
    data = seq()
    for _ in range(depth):
        data = seq(data)
    return data


def long_form(der: bytes) -> bytes:
    """The outer length in one octet more than it needs."""
    return b"\x30\x83\x00" + der[2:]


def indefinite(der: bytes) -> bytes:
    return b"\x30\x80" + der[4:] + b"\x00\x00"


CASES: dict[str, Callable[[], Case]] = {
    "profile-version": lambda: with_fields(version=b""),
    "profile-key": lambda: leaf("profile-algorithm", key=made.p384),
    "profile-algorithm": lambda: one(LEAF, issuer=make(replace(SUB2, key=made.p384))),
    "profile-common-name": lambda: leaf(cn="nobody"),
    "profile-country": lambda: leaf(parts=(*named("DE8AA0012345670")[:2], ("C", PRINTABLE, "DEU"), ("DC", IA5, "MO"))),
    "profile-component": lambda: one(replace(STATION, dc="")),
    "profile-names": lambda: one(replace(CONTRACT_20, parts=(("CN", UTF8, "DE8AA0012345670"),))),
    "profile-constraints": lambda: with_extensions(constraints=b""),
    "profile-path-length": lambda: sub2(path_length=3),
    "profile-constraints-critical": lambda: with_extensions(constraints=extension("constraints", seq())),
    "profile-usage": lambda: leaf(usage="s"),
    "profile-usage-critical": lambda: with_extensions(usage=extension("usage", usage_bits("sn"))),
    "profile-purpose": lambda: with_extensions(
        "purpose-iso2", purposes=extension("purposes", seq(oid("1.3.6.1.5.5.7.3.4")))
    ),
    "profile-extensions": lambda: with_extensions(own_extension=extension("1.2.3.4", seq(), critical=True)),
    "profile-access": lambda: one(replace(CONTRACT_20, extensions={})),
    "profile-serial": lambda: with_fields(serial=tlv(2, b"\x7f" * 21)),
    "profile-self-signed": lambda: root(replace(ROOT, fields={"signature": bits(make(ROOT).der[-70:])})),
    "profile-size": oversize,
    "unreadable": lambda: Case([seq(seq(integer(1)), seq(), bits(b"x"))]),
    "role-unknown": lambda: one(replace(LEAF, cn="x", dc="NONE", usage="C")),
    "locked": lambda: replace(leaf(), remarks=(Remark("locked", "it does not open"),)),
    "private-key": lambda: replace(leaf(), remarks=(Remark("private-key", "there is one"),)),
    "expired": lambda: leaf(days=(-100, -1)),
    "not-yet-valid": lambda: leaf(days=(1, 100)),
    "expires-soon": lambda: leaf(days=(-100, 3)),
    "validity-order": lambda: leaf(days=(10, -10)),
    "lifetime": lambda: one(replace(STATION, days=(-10, 400))),
    "size-near": near,
    "emaid-check": lambda: leaf(cn="DE8AA0012345671"),
    "emaid-form": lambda: leaf(cn="de8aa0012345670"),
    "pcid": lambda: one(replace(PROVISIONING, cn="OEMProvCert")),
    "station-name": lambda: one(replace(STATION, cn="station in the yard")),
    "name-hidden": lambda: one(replace(STATION, cn="DE*ABC*E1 "), "station-name"),
    "key-id-missing": lambda: with_extensions(own=b""),
    "authority-id-missing": lambda: with_extensions(above=b""),
    "key-id-method": lambda: with_extensions(own=extension("own", tlv(4, b"12345678901234567890"))),
    "key-id-delivery": lambda: one(replace(CONTRACT_20, short_key_id=False)),
    "serial-short": lambda: with_fields(serial=integer(12345)),
    "serial-long": lambda: root(replace(ROOT, dc="V2G", cn="V2G Root", fields={"serial": integer(1 << 158)})),
    "usage-extra": lambda: one(replace(STATION, usage="sne")),
    "purpose-iso2": lambda: one(
        replace(STATION, extensions={"purposes": extension("purposes", seq(oid("1.3.6.1.5.5.7.3.1")))})
    ),
    "alternative-name": lambda: with_extensions(alternative=extension("alternative", seq(tlv(0x82, b"station.test")))),
    "critical-refused": lambda: with_extensions(
        access=extension("access", made.address("http://ocsp.test/"), critical=True)
    ),
    "url-form": lambda: with_extensions(access=extension("access", made.address("ldap://ocsp.test/"))),
    "key-compressed": lambda: with_fields("profile-key", "key-id-method", spki=compressed()),
    "hubject-component": lambda: one(
        replace(STATION_20, dc=""),
        edition=Edition.ISO20,
        options=Options(secc_component=False),
        hubject=True,
        role="secc",
    ),
    "hubject-organization": lambda: one(
        replace(STATION_20, parts=(named(STATION_20.cn, "CPO")[0], *named("", "CPO")[2:])), hubject=True
    ),
    "hubject-country": lambda: one(
        replace(STATION_20, parts=(*named(STATION_20.cn, "CPO")[:2], ("DC", IA5, "CPO"))), hubject=True
    ),
    "hubject-seccid": lambda: one(replace(STATION_20, cn="DE*ABC*E1"), hubject=True),
    "hubject-emaid": lambda: one(LEAF, hubject=True),
    "hubject-pcid": lambda: one(replace(PROVISIONING, cn="WMI-12345678901234"), hubject=True),
    "chain-order": lambda: chain(path(), "l12"),
    "chain-gap": lambda: chain(path(), "l1"),
    "chain-root": lambda: chain(path(), "l21r"),
    "chain-twice": lambda: chain(path(), "l221"),
    "chain-depth": four_deep,
    "chain-signature": other_signer,
    "chain-name": other_name_bytes,
    "chain-key-id": other_key_id,
    "chain-path-length": too_long_path,
    "chain-issuer": wrong_branch,
    "chain-curves": mixed,
    "chain-nesting": lambda: chain(path(leaf={"days": (-10, 705)}, sub2={"days": (-12, 700)}), "l21"),
    "chain-trust": lambda: chain(path(), "l21", anchors=(make(ROOT).der,)),
    "serial-twice": same_serial,
    "twin-roots": twin,
    "der-truncated": lambda: outside(lambda der: der[:-3], "unreadable"),
    "der-trailing": lambda: outside(lambda der: der + b"\x00", *UNREADABLE),
    "der-nesting": lambda: Case([nested(40)], frozenset({"unreadable"})),
    "der-indefinite": lambda: outside(indefinite, "unreadable"),
    "der-length": lambda: outside(long_form, *UNREADABLE),
    "der-tag": lambda: with_extensions(*UNREADABLE, own=seq(b"\x1f\x06\x03\x55\x1d\x0e", tlv(4, tlv(4, b"12345678")))),
    "der-constructed": lambda: with_extensions(
        *UNREADABLE, own=seq(oid("2.5.29.14"), tlv(0x24, tlv(4, tlv(4, b"1" * 20))))
    ),
    "der-integer": lambda: with_fields(*UNREADABLE, serial=tlv(2, b"\x00\x00\x40\x00\x00\x00\x00\x00\x01")),
    "der-boolean": lambda: with_extensions(
        *UNREADABLE, constraints=seq(oid("2.5.29.19"), tlv(1, b"\x01"), tlv(4, seq()))
    ),
    "der-oid": lambda: with_extensions("unreadable", own_extension=seq(tlv(6, b"\x2a\x80\x03"), tlv(4, seq()))),
    "der-unused-bits": lambda: with_extensions(usage=extension("usage", tlv(3, b"\x00\xe8"), critical=True)),
    "der-default": lambda: with_extensions(
        *UNREADABLE, access=extension("access", made.address("http://ocsp.test/"), critical=False)
    ),
    "der-set-order": lambda: leaf(
        *UNREADABLE, fields={"subject": seq(tlv(0x31, *sorted(_pairs(), reverse=True)), *_others())}
    ),
    "der-time": lambda: with_fields(validity=seq(tlv(0x18, b"20260522000000Z"), tlv(0x18, b"20260901000000Z"))),
    "der-string-content": lambda: leaf(
        *UNREADABLE, parts=(*named("DE8AA0012345670")[:1], ("O", PRINTABLE, "Te@st"), *named("", "MO")[2:])
    ),
    "der-string-type": lambda: leaf(parts=(("CN", BMP, "DE8AA0012345670"), *named("", "MO")[1:])),
    "der-algorithm": lambda: with_fields("profile-algorithm", outer=seq(oid("1.2.840.10045.4.3.4"))),
    "der-parameters": lambda: with_fields(
        *UNREADABLE, outer=seq(oid("1.2.840.10045.4.3.2"), tlv(5)), algorithm=seq(oid("1.2.840.10045.4.3.2"), tlv(5))
    ),
    "second-reader": lambda: replace(leaf(), demand={"second": False}),
    "parsers-disagree": lambda: outside(long_form, "unreadable", "der-length"),
}


def _pairs() -> list[bytes]:
    return [seq(oid(made.PARTS["CN"]), tlv(UTF8, b"DE8AA0012345670")), seq(oid(made.PARTS["O"]), tlv(UTF8, b"Test"))]


def _others() -> list[bytes]:
    return [tlv(0x31, seq(oid(made.PARTS["DC"]), tlv(IA5, b"MO")))]
