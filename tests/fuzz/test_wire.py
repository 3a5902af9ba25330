"""Hostile bytes for the framer, discovery, the ClientHello and the views, and defects planted to be found."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.endurance import count
from tests.fuzz import wire
from tests.fuzz.failures import again
from tests.fuzz.invariants import Broken
from tests.fuzz.mutations import BENDINGS
from tests.fuzz.targets import check, seeds
from v2g.protocols import schema
from v2g.sdp import SdpRequest, SdpResponse, Security
from v2g.v2gtp import Framer
from v2g.views import json as json_view
from v2g.views import xml as xml_view

INPUTS = count(500, 50_000)


@pytest.mark.parametrize("parser", wire.PARSERS)
def test_no_input_breaks_what_must_hold(parser: str) -> None:
    random = Random(parser)
    holds, pool = check(parser), seeds(parser)
    for data in pool:
        holds(data)
    for _ in range(INPUTS):
        data = random.choice(pool)
        for _ in range(random.choice((1, 1, 2, 4))):
            data = random.choice(BENDINGS)(random, data, pool)
        try:
            holds(data)
        except BaseException as error:
            error.add_note(again(parser, data))
            raise


@pytest.mark.parametrize("parser", wire.PARSERS)
def test_the_seeds_are_understood(parser: str) -> None:
    """Nothing is learnt from seeds that are all refused at once."""
    parse: Any = {
        "framer": lambda data: wire._framed([data])[0],
        "sdp": lambda data: SdpRequest.parse(data) if len(data) == 10 else SdpResponse.parse(data),
        "client_hello": lambda data: not isinstance(wire._hello([data]), str),
        "json": lambda data: json_view.from_json(schema(wire.VIEWED), json_view.parse(data)),
        "xml": lambda data: xml_view.from_xml(schema(wire.VIEWED), data),
    }[parser]
    understood = [bool(parse(data)) for data in seeds(parser) if data != bytes(8)]
    assert sum(understood) > len(understood) / 2


def _index_error(_framer: Framer, _data: bytes) -> None:
    raise IndexError


def _forgetful(framer: Framer, data: bytes) -> None:
    framer._buffer[:] = data


@pytest.mark.parametrize(("feed", "error"), [(_index_error, IndexError), (_forgetful, Broken)])
def test_a_defect_of_the_framer_is_found(feed: Any, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Framer, "feed", feed)
    with pytest.raises(error):
        wire.check_framer(seeds("framer")[1])


def test_a_defect_of_discovery_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SdpRequest, "parse", lambda data: SdpRequest(security=Security.NONE))
    with pytest.raises(Broken, match="is written as"):
        wire.check_sdp(SdpRequest(security=Security.TLS).encode())
