"""Is a certificate written as DER demands and its fields as RFC 5280 wants them? Read byte by byte, by no library."""

from __future__ import annotations

from collections.abc import Iterator

from pki.lint import tlv
from pki.lint.finding import Remark
from pki.lint.tlv import Element, Flaw, Walk

_FIELDS = ("serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo")
_NO_PARAMETERS = (bytes.fromhex("2a8648ce3d0403"), bytes.fromhex("2b6571"))  # ECDSA with a hash, Ed448
_EC_KEY = bytes.fromhex("2a8648ce3d0201")
_COMPRESSED = (2, 3)
_BASIC_CONSTRAINTS, _KEY_USAGE = bytes.fromhex("551d13"), bytes.fromhex("551d0f")
_COUNTRY, _COMPONENT = bytes.fromhex("550406"), bytes.fromhex("0992268993f22c640119")
_TYPES = {_COUNTRY: frozenset({tlv.PRINTABLE}), _COMPONENT: frozenset({tlv.IA5})}
_ANY_TEXT = frozenset({tlv.UTF8, tlv.PRINTABLE})
_TYPE_NAMES = {
    tlv.UTF8: "UTF8String",
    tlv.PRINTABLE: "PrintableString",
    tlv.T61: "T61String",
    tlv.IA5: "IA5String",
    tlv.UNIVERSAL_STRING: "UniversalString",
    tlv.BMP: "BMPString",
}


def encoding(der: bytes) -> Iterator[Remark]:
    """Yield what is wrong with the bytes of a certificate, whatever they are."""
    walk = Walk(der)
    root = walk.read()
    fields: list[tuple[str, Element]] = []
    if root is not None:
        reading = _Reading(walk)
        reading.certificate(root)
        fields = reading.fields
    seen: set[tuple[str, str]] = set()
    for flaw in sorted(walk.flaws, key=lambda one: one.offset):
        field = _field(flaw, fields)
        # One encoder makes one mistake everywhere: the first in each field tells it.
        if (flaw.rule, field) not in seen:
            seen.add((flaw.rule, field))
            yield Remark(flaw.rule, f"at byte {flaw.offset}, {flaw.text}", field)


def _field(flaw: Flaw, fields: list[tuple[str, Element]]) -> str:
    """Return the name of the smallest field around a flaw."""
    around = [(one.end - one.offset, name) for name, one in fields if one.offset <= flaw.offset < one.end]
    return min(around)[1] if around else ""


class _Reading:
    """Finds the fields of a certificate among its elements, and looks at those DER alone says too little about."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.fields: list[tuple[str, Element]] = []

    def certificate(self, root: Element) -> None:
        if len(root.children) != 3 or not root.children[0].children:
            return
        tbs, algorithm, signature = root.children
        self.fields += [("signatureAlgorithm", algorithm), ("signatureValue", signature)]
        parts = list(tbs.children)
        self._version(parts.pop(0) if parts[0].context(0) else None)
        named = dict(zip(_FIELDS, parts, strict=False))
        self.fields += named.items()
        if len(named) < len(_FIELDS):
            return
        if self.walk.whole(named["signature"]) != self.walk.whole(algorithm):
            self._flaw("der-algorithm", algorithm, "the algorithm is another than in the signed part")
        self._parameters(algorithm)
        for name in ("issuer", "subject"):
            self._name(name, named[name])
        self._key(named["subjectPublicKeyInfo"])
        for part in parts[len(_FIELDS) :]:
            if part.context(3) and part.children:
                self._extensions(part.children[0])

    def _flaw(self, rule: str, element: Element, text: str) -> None:
        self.walk.flaws.append(Flaw(rule, element.offset, text))

    def _version(self, tagged: Element | None) -> None:
        number = tagged.children[0] if tagged is not None and tagged.children else None
        if number is not None:
            self.fields.append(("version", number))
            if not any(self.walk.content(number)):
                self._flaw("der-default", number, "version 1 is the default and may not be written")

    def _parameters(self, algorithm: Element) -> None:
        oid = self.walk.content(algorithm.children[0]) if algorithm.children else b""
        if oid.startswith(_NO_PARAMETERS) and len(algorithm.children) > 1:
            self._flaw("der-parameters", algorithm, "the signature algorithm has parameters")

    def _name(self, field: str, name: Element) -> None:
        for relative in name.children:
            for part in relative.children:
                if len(part.children) == 2:
                    self._text(field, *part.children)

    def _text(self, field: str, oid: Element, value: Element) -> None:
        kind = self.walk.content(oid)
        if value.kind == 0 and value.tag not in _TYPES.get(kind, _ANY_TEXT) and not kind.endswith(_OTHERS):
            self.fields.append((f"{field}.{_called(kind)}", value))
            self._flaw("der-string-type", value, f"a {_TYPE_NAMES.get(value.tag, f'value of type {value.tag}')}")

    def _key(self, info: Element) -> None:
        if len(info.children) != 2 or not info.children[0].children:
            return
        algorithm, bits = info.children
        point = self.walk.content(bits)
        if self.walk.content(algorithm.children[0]) == _EC_KEY and len(point) > 1 and point[1] in _COMPRESSED:
            self._flaw("key-compressed", bits, "the point of the public key is compressed")

    def _extensions(self, extensions: Element) -> None:
        for extension in extensions.children:
            parts = extension.children
            if len(parts) < 2 or not parts[-1].universal(tlv.OCTETS) or parts[-1].constructed:
                continue
            oid, value = self.walk.content(parts[0]), parts[-1]
            self.fields.append((f"extensions.{_called(oid)}", extension))
            if len(parts) == 3 and self.walk.content(parts[1]) == b"\x00":
                self._flaw("der-default", parts[1], "FALSE is the default and may not be written")
            self._value(oid, value)

    def _value(self, oid: bytes, value: Element) -> None:
        """Look into an extension: its value is DER of its own."""
        inner = self.walk.read(value.start, value.end)
        if inner is None:
            return
        if oid == _BASIC_CONSTRAINTS and inner.children:
            first = inner.children[0]
            if first.universal(tlv.BOOLEAN) and self.walk.content(first) == b"\x00":
                self._flaw("der-default", inner, "CA:FALSE is the default and may not be written")
        if oid == _KEY_USAGE and inner.universal(tlv.BITS):
            self._named_bits(inner)

    def _named_bits(self, bits: Element) -> None:
        """The last bit of a list of named ones is 1 (X.690 11.2.2)."""
        content = self.walk.content(bits)
        if len(content) > 1 and content[0] < 8 and not content[-1] & 1 << content[0]:
            self._flaw("der-unused-bits", bits, "the key usage ends in bits that are 0")


_NAMED = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    _COUNTRY: "C",
    _COMPONENT: "DC",
    _BASIC_CONSTRAINTS: "basicConstraints",
    _KEY_USAGE: "keyUsage",
    bytes.fromhex("551d25"): "extKeyUsage",
    bytes.fromhex("551d0e"): "subjectKeyIdentifier",
    bytes.fromhex("551d23"): "authorityKeyIdentifier",
    bytes.fromhex("551d1f"): "cRLDistributionPoints",
    bytes.fromhex("551d11"): "subjectAltName",
    bytes.fromhex("2b06010505070101"): "authorityInfoAccess",
}
# Parts of names that have types of their own: e-mail addresses and unique identifiers.
_OTHERS = (bytes.fromhex("2a864886f70d010901"), bytes.fromhex("55042d"))


def _called(oid: bytes) -> str:
    return _NAMED.get(oid) or _dotted(oid)


def _dotted(oid: bytes) -> str:
    """Write an object identifier with dots; one that has no end in hex."""
    if not oid or oid[-1] & 0x80:
        return oid.hex()
    arcs = [0]
    for octet in oid:
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:-1])))[:64]
