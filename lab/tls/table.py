"""The deviations of vehicles, each with what RFC 8446, RFC 5246 and the standards have a station do about it.

Requirements are from public extracts (unverified). A station that holds certificates of both generations is meant;
what it may choose to do is not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lab.tls.deviation import Deviation, Offer, Reaction, Sending, Shows, prescribed
from v2g.tls.alerts import Alert
from v2g.tls.client_hello import Extension
from v2g.tls.suites import ECDHE_CBC, ECDSA_P256, P256, P521, X448, Generation

STATIC_ECDH = 0xC025
"""TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256, the other suite of ISO 15118-2."""
AES_128_GCM = 0x1301
_ECDHE_GCM = 0xC02B
_X25519, _P384 = 29, 24
_ECDSA_P384 = 0x0503
_TLS_1_1, _TLS_1_2, _TLS_1_3 = 0x0302, 0x0303, 0x0304
_KEY_SHARE, _STATUS_REQUEST_V2, _UNKNOWN = 51, 17, 0xFACE
_ISO2, _ISO20 = Generation.ISO2, Generation.ISO20
_FIRST, _SECOND = prescribed(_ISO2), prescribed(_ISO20)
_NO_RECORD = bytes.fromhex("ff 0303 0010") + bytes(16)

_NOT_TRUSTED = (
    Alert.BAD_CERTIFICATE,
    Alert.UNSUPPORTED_CERTIFICATE,
    Alert.UNKNOWN_CA,
    Alert.CERTIFICATE_UNKNOWN,
)


def _goes(name: str, text: str, generation: Generation, offer: Offer, *ids: str, **more: Any) -> Deviation:
    """A deviation that a station has to bear."""
    return Deviation(
        name=name, text=text, generation=generation, reaction=Reaction.ACCEPTED, offer=offer, requirements=ids, **more
    )


def _ends(
    name: str, text: str, generation: Generation, offer: Offer, alerts: tuple[Alert, ...], *ids: str, **more: Any
) -> Deviation:
    """A deviation that a station has to refuse."""
    return Deviation(
        name=name,
        text=text,
        generation=generation,
        reaction=Reaction.ALERT,
        alerts=alerts,
        offer=offer,
        requirements=ids,
        **more,
    )


def _with(offer: Offer, number: int, body: bytes) -> Offer:
    return replace(offer, added=(*offer.added, (number, body)))


def _less(offer: Offer, *numbers: int) -> Offer:
    kept = tuple(each for each in offer.added if each[0] not in numbers)
    return replace(offer, without=offer.without | set(numbers), added=kept)


def _extensions() -> Iterator[Deviation]:
    """Extensions that are missing, unknown or broken."""
    no_groups, no_schemes = Extension.SUPPORTED_GROUPS, Extension.SIGNATURE_ALGORITHMS
    missing, handshake = (Alert.MISSING_EXTENSION,), (Alert.HANDSHAKE_FAILURE,)
    broken = (Alert.DECODE_ERROR, Alert.ILLEGAL_PARAMETER)
    v2 = bytes.fromhex("0007 02 0004 0000 0000")
    roots = Extension.TRUSTED_CA_KEYS
    yield _goes("no-trusted-ca-keys", "names no root", _ISO2, _less(_FIRST, roots), "V2G2-651")
    yield _goes("trusted-ca-keys-in-20", "names roots as -2 does", _ISO20, _with(_SECOND, roots, bytes(2)))
    foreign = _with(_less(_FIRST, roots), roots, b"\x00\x15\x03" + bytes(20))
    yield _goes("foreign-trusted-ca-keys", "names a root that no station knows", _ISO2, foreign, "V2G2-651")
    odd = _with(_less(_FIRST, roots), roots, b"\x00\x03\x09ab")
    yield _goes("unknown-trusted-authority", "names a root in a way that nobody knows", _ISO2, odd)
    short = _with(_less(_FIRST, roots), roots, b"\x00\xff\x03")
    yield _ends("broken-trusted-ca-keys", "a list of roots that ends early", _ISO2, short, broken)
    for generation, offer in ((_ISO2, _FIRST), (_ISO20, _SECOND)):
        unknown = _with(offer, _UNKNOWN, bytes(range(32)))
        yield _goes(f"unknown-extension-{generation}", "an extension nobody knows", generation, unknown)
        twice = _with(_with(offer, _UNKNOWN, b""), _UNKNOWN, b"")
        yield _ends(f"extension-twice-{generation}", "the same extension twice", generation, twice, broken)
        tail = replace(offer, tail=b"\x00")
        yield _ends(f"tail-{generation}", "a byte after the end of the hello", generation, tail, broken)
    yield _goes("status-request-v2", "asks for staples by RFC 6961", _ISO2, _with(_FIRST, _STATUS_REQUEST_V2, v2))
    no_status = _less(_SECOND, Extension.STATUS_REQUEST)
    yield _goes("no-status-request", "asks for no staple in -20", _ISO20, no_status, "V2G20-2372")
    no_cas = _less(_SECOND, Extension.CERTIFICATE_AUTHORITIES)
    yield _goes("no-certificate-authorities", "names no root in -20", _ISO20, no_cas, "V2G20-1006", "V2G20-2378")
    # RFC 8422 lets a station choose one for it, or refuse.
    yield _ends("no-groups-iso2", "names no group", _ISO2, _less(_FIRST, no_groups), handshake)
    yield _ends("no-groups-iso20", "names no group", _ISO20, _less(_SECOND, no_groups), missing)
    # SHA-1 is what that means in TLS 1.2, and no station of -2 signs with it.
    yield _ends("no-schemes-iso2", "names no signature scheme", _ISO2, _less(_FIRST, no_schemes), handshake)
    yield _ends("no-schemes-iso20", "names no signature scheme", _ISO20, _less(_SECOND, no_schemes), missing)
    yield _ends("no-key-share", "sends no key shares", _ISO20, _less(_SECOND, _KEY_SHARE), missing)


def _lists() -> Iterator[Deviation]:
    """Versions, suites, groups and schemes."""
    none_shared = (Alert.HANDSHAKE_FAILURE, Alert.INSUFFICIENT_SECURITY)
    version = (Alert.PROTOCOL_VERSION,)
    suites_first, suites_second = (STATIC_ECDH, ECDHE_CBC.number), (AES_128_GCM, *_SECOND.suites)
    static = replace(_FIRST, suites=(STATIC_ECDH,))
    yield _ends("static-ecdh-alone", "offers the static ECDH suite alone", _ISO2, static, none_shared)
    yield _goes("static-ecdh-first", "prefers the static ECDH suite", _ISO2, replace(_FIRST, suites=suites_first))
    gcm = replace(_FIRST, suites=(_ECDHE_GCM,))
    yield _ends("gcm-alone", "offers a suite that -2 does not have", _ISO2, gcm, none_shared)
    yield _goes("gcm-first", "prefers such a suite", _ISO2, replace(_FIRST, suites=(_ECDHE_GCM, ECDHE_CBC.number)))
    aes_128 = replace(_SECOND, suites=(AES_128_GCM,))
    yield _ends("aes-128-gcm-alone", "offers AES-128 alone in -20", _ISO20, aes_128, none_shared, "V2G20-2458")
    yield _goes("aes-128-gcm-first", "prefers AES-128", _ISO20, replace(_SECOND, suites=suites_second), "V2G20-2458")
    wrong = replace(_FIRST, groups=(P521.number,))
    yield _ends("p521-alone-iso2", "offers the group of -20 alone", _ISO2, wrong, none_shared)
    p256 = replace(_SECOND, groups=(P256.number,), shares=(P256.number,))
    yield _ends("no-p521", "offers the group of -2 alone", _ISO20, p256, none_shared, "V2G20-1634")
    x448 = replace(_SECOND, groups=(X448.number,), shares=(X448.number,))
    yield _goes("x448-alone", "offers X448 without P-521", _ISO20, x448, "V2G20-1634")
    retry = replace(_SECOND, groups=(_X25519, P521.number), shares=(_X25519,))
    yield _goes("share-of-another-group", "has to say hello a second time", _ISO20, retry)
    p384 = replace(_FIRST, schemes=(_ECDSA_P384,))
    yield _ends("p384-schemes-iso2", "takes no signature by P-256", _ISO2, p384, none_shared)
    p256_schemes = replace(_SECOND, schemes=(ECDSA_P256.number,))
    yield _ends("p256-schemes-iso20", "takes no signature of -20", _ISO20, p256_schemes, none_shared, "V2G20-1667")
    old = replace(_FIRST, versions=(_TLS_1_1,))
    yield _ends("tls-1.1", "speaks TLS 1.1 at most", _ISO2, old, version)
    second_in_1_2 = replace(_SECOND, versions=(_TLS_1_2,), suites=(_ECDHE_GCM,), shares=(), added=())
    yield _ends(
        "tls-1.2-for-20", "wants -20 with TLS 1.2", _ISO20, second_in_1_2, none_shared, "V2G20-2356", "V2G20-1237"
    )
    both = replace(
        _FIRST,
        versions=(_TLS_1_3, _TLS_1_2),
        suites=(*suites_second, *_FIRST.suites),
        groups=(_X25519, P256.number, _P384),
        shares=(_X25519,),
        schemes=(ECDSA_P256.number, _ECDSA_P384),
    )
    yield _goes("library-of-1.3-for-2", "a vehicle of -2 whose library offers TLS 1.3", _ISO2, both)


def _certificates() -> Iterator[Deviation]:
    """What a vehicle of -20 shows."""
    nothing = Shows.NOTHING
    yield _ends(
        "no-client-certificate",
        "shows no certificate",
        _ISO20,
        _SECOND,
        (Alert.CERTIFICATE_REQUIRED,),
        "V2G20-1264",
        "V2G20-2400",
        shows=nothing,
    )
    yield _ends(
        "contract-certificate",
        "shows its contract certificate",
        _ISO20,
        _SECOND,
        _NOT_TRUSTED,
        "V2G20-2339",
        shows=Shows.CONTRACT,
    )
    yield _ends(
        "mo-vehicle",
        "shows a vehicle certificate under the root of a mobility operator",
        _ISO20,
        _SECOND,
        (Alert.UNKNOWN_CA, Alert.BAD_CERTIFICATE),
        "V2G20-2339",
        shows=Shows.MO_VEHICLE,
    )
    too_long = (Alert.UNKNOWN_CA, Alert.BAD_CERTIFICATE)
    yield _ends("long-chain", "shows its issuers many times", _ISO20, _SECOND, too_long, chain_times=6)
    # OpenSSL reads 100 KiB of certificates at most.
    too_large = (Alert.ILLEGAL_PARAMETER, Alert.DECODE_ERROR, *too_long)
    yield _ends("huge-chain", "shows more than 100 KiB", _ISO20, _SECOND, too_large, chain_times=80)


def _wire() -> Iterator[Deviation]:
    """How it is sent."""
    for generation, offer in ((_ISO2, _FIRST), (_ISO20, _SECOND)):
        pieces, bytewise = Sending(record=40), Sending(segment=1)
        yield _goes(f"records-of-40-{generation}", "a hello in small records", generation, offer, sending=pieces)
        yield _goes(f"segments-of-1-{generation}", "a hello byte by byte", generation, offer, sending=bytewise)
        slow = Sending(segment=40, pause_s=0.05)
        yield _goes(f"slow-{generation}", "a hello that takes its time", generation, offer, sending=slow)
        junk = Sending(after=_NO_RECORD)
        yield _ends(
            f"junk-{generation}",
            "a record of no kind after the hello",
            generation,
            offer,
            (Alert.UNEXPECTED_MESSAGE, Alert.PROTOCOL_VERSION, Alert.BAD_RECORD_MAC),
            sending=junk,
        )
        yield Deviation(
            name=f"trickle-{generation}",
            text="a hello that never ends",
            generation=generation,
            reaction=Reaction.CLOSED,
            offer=offer,
            sending=Sending(segment=1, pause_s=1.0),
        )
    yield _ends("renegotiation", "a second handshake", _ISO2, _FIRST, (Alert.NO_RENEGOTIATION,), again=True)
    yield _ends("second-hello", "a second hello in TLS 1.3", _ISO20, _SECOND, (Alert.UNEXPECTED_MESSAGE,), again=True)


DEVIATIONS = {each.name: each for part in (_extensions, _lists, _certificates, _wire) for each in part()}
"""By name; names are fixed, as reports tell them."""
