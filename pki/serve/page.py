"""The index page: which trees are served, where, at what time, and what misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from pki.serve import clock
from pki.serve.misbehaviour import MISBEHAVIOURS
from pki.serve.server import Server, Services

_STYLE = "body{font:16px/1.5 sans-serif;margin:2em;max-width:60em}code{background:#eee}td{padding-right:1em}"


def index(server: Server) -> str:
    """Return the page as HTML."""
    head = f"<meta charset=utf-8><title>Plugcharge test PKI</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}" + "\n".join([*_top(server), *_trees(server), *_faults(server), ""])


def _top(server: Server) -> Iterator[str]:
    yield "<h1>Plugcharge test PKI</h1><p>For laboratories: trust none of it elsewhere.</p>"
    moved = f", moved by {server.ledger.offset_s:g} seconds" if server.ledger.offset_s else ""
    yield f"<p>Its clock: {clock.now(server.ledger.offset_s):%Y-%m-%d %H:%M:%S} UTC{moved}.</p>"
    if server.trouble:
        yield f"<p><strong>Trouble: {escape(server.trouble)}</strong></p>"
    yield "<p><a href=/health>health</a> <a href=/metrics>metrics</a></p>"


def _trees(server: Server) -> Iterator[str]:
    for name, services in server.trees.items():
        yield f"<h2>{escape(name)}</h2><p>OCSP: POST or GET <code>/{escape(name)}/ocsp</code></p>"
        yield "<table>" + "".join(_authorities(name, services)) + "</table>"
        if services.contracts is not None:
            yield f"<p>Contracts: POST <code>/{escape(name)}/contract</code></p>"
    yield "<h2>EST</h2><ul>"
    for label, _ in server.labels():
        yield f"<li><code>/.well-known/est/{escape(label)}/</code>"
    yield "</ul>"


def _authorities(name: str, services: Services) -> Iterator[str]:
    for authority in services.realm.authorities.values():
        label, subject = escape(authority.label), escape(authority.certificate.common_name)
        yield f"<tr><td>{subject}<td><a href=/{escape(name)}/crl/{label}.crl>{label}.crl</a></tr>"


def _faults(server: Server) -> Iterator[str]:
    yield "<h2>Misbehaviours</h2><table>"
    on = server.ledger.switches
    for each in MISBEHAVIOURS:
        whom = [
            switch.certificate or "all" for switch in on if (switch.service, switch.name) == (each.service, each.name)
        ]
        state = f"<strong>on: {escape(', '.join(whom))}</strong>" if whom else "off"
        yield f"<tr><td><code>{each.service}:{each.name}</code><td>{escape(each.summary)}<td>{state}</tr>"
    yield "</table>"
