"""What holds for any bytes given to the parsers beside the codec: the framer, discovery, the ClientHello, the views.

Each check raises AssertionError, or what the parser should never have raised.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from itertools import pairwise
from random import Random

from tests.fuzz import corpus, failures
from tests.fuzz.invariants import Broken
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.protocols import schema
from v2g.sdp import SdpRequest, SdpResponse, Security, Unusable, usable
from v2g.tls.client_hello import ClientHello, Intake
from v2g.v2gtp import Frame, Framer, PayloadType, frame
from v2g.views import json as json_view
from v2g.views import xml as xml_view

VIEWED = "iso2"
"""The schema set whose messages the views are tried with."""
SHOWN = 40
"""So many of its seeds begin the corpus of a view."""


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser's check, and the seeds it begins with."""

    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def pieces(data: bytes) -> list[bytes]:
    """Cut bytes somewhere: anywhere, but for the same bytes always there."""
    random = Random(zlib.crc32(data))
    edges = sorted(random.randint(0, len(data)) for _ in range(random.randint(0, 12)))
    return [data[start:end] for start, end in pairwise([0, *edges, len(data)])]


def check_framer(data: bytes) -> None:
    """However a stream is cut, the framer gives the same frames, skips as many, and ends in the same way."""
    whole, parts = _framed([data]), _framed(pieces(data))
    if whole != parts:
        raise Broken(f"framed as {whole}, in pieces as {parts}")
    if sum(len(each.payload) + 8 for each in whole[0]) > len(data):
        raise Broken("more bytes came out than went in")


def _framed(parts: list[bytes]) -> tuple[list[Frame], str, int]:
    framer, found = Framer({PayloadType.EXI}), list[Frame]()
    try:
        for part in parts:
            framer.feed(part)
            while (each := framer.next()) is not None:
                found.append(each)
    except Undecodable as refusal:
        return found, str(refusal), framer.skipped
    return found, "", framer.skipped


def check_sdp(data: bytes) -> None:
    """A datagram is refused, or is exactly what we would write."""
    for kind in (SdpRequest, SdpResponse):
        with contextlib.suppress(Undecodable):
            parsed = kind.parse(data)
            if parsed.encode() != data:
                raise Broken(f"{parsed} is written as {parsed.encode().hex()}")
            if isinstance(parsed, SdpResponse):
                with contextlib.suppress(Unusable):
                    usable(parsed, Security.TLS, loopback=False)
                    if not parsed.address.is_link_local or not parsed.port or parsed.security is not Security.TLS:
                        raise Broken(f"{parsed} counts as usable")


def check_client_hello(data: bytes) -> None:
    """However a ClientHello is cut, it says the same."""
    whole, parts = _hello([data]), _hello(pieces(data))
    if whole != parts:
        raise Broken(f"says {whole}, in pieces {parts}")


def _hello(parts: list[bytes]) -> ClientHello | str | None:
    intake = Intake()
    try:
        found = (intake.feed(part) for part in parts)
        return next((hello for hello in found if hello is not None), None)
    except Undecodable as refusal:
        return str(refusal)


def check_json(data: bytes) -> None:
    """JSON is refused with ValueError, or is a message that comes back."""
    with contextlib.suppress(ValueError):
        message = json_view.from_json(schema(VIEWED), json_view.parse(data))
        _check_same(message, json_view.from_json(schema(VIEWED), json_view.to_json(message)))


def check_xml(data: bytes) -> None:
    """XML is refused with ValueError, or is a message that comes back."""
    with contextlib.suppress(ValueError):
        message = xml_view.from_xml(schema(VIEWED), data)
        _check_same(message, xml_view.from_xml(schema(VIEWED), xml_view.to_xml(message)))


def _check_same(message: Message, again: Message) -> None:
    if message != again:
        raise Broken(f"{message!r} comes back as {again!r}")


def _framer_seeds() -> list[bytes]:
    good = frame(PayloadType.EXI, b"\x80\x98")
    skipped = frame(0xA000, b"maker's own")
    return [good, good * 3, good + skipped + good, bytes(8), good[:4] + b"\0\0\0\0" + good, b"\x02\xfd" + good[2:]]


def _sdp_seeds() -> list[bytes]:
    requests = [SdpRequest(security=security).encode() for security in Security]
    addresses = [IPv6Address(text) for text in ("fe80::1", "::1", "ff02::1", "2001:db8::1")]
    return requests + [
        SdpResponse(address=address, port=port, security=Security.TLS).encode()
        for address, port in zip(addresses, (0, 1, 15118, 65535), strict=True)
    ]


def _client_hello_seeds() -> list[bytes]:
    """Let the TLS library at hand say hello."""
    found = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = version
        sent = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="station").do_handshake()
        hello = sent.read()
        body = hello[5:]
        found += [hello, b"".join(hello[:3] + len(part).to_bytes(2) + part for part in (body[:40], body[40:]))]
    return found


def _view_seeds(write: Callable[[Message], bytes]) -> list[bytes]:
    found = []
    for data in corpus.seeds(VIEWED):
        with contextlib.suppress(Undecodable):
            found.append(write(schema(VIEWED).decode(data)))
    return sorted(found, key=len)[-SHOWN:]


def _as_json(message: Message) -> bytes:
    return json.dumps(json_view.to_json(message)).encode()


_ALL = (
    Parser(check_framer, _framer_seeds),
    Parser(check_sdp, _sdp_seeds),
    Parser(check_client_hello, _client_hello_seeds),
    Parser(check_json, partial(_view_seeds, _as_json)),
    Parser(check_xml, partial(_view_seeds, xml_view.to_xml)),
)
PARSERS = dict(zip(failures.PARSERS, _ALL, strict=True))
"""The parsers by name."""
