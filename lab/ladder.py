"""A session as a sequence diagram, in Mermaid: who asks what, who answers, and which code is waiting meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.standard.sequence import DECIDES, words
from v2g.exi.message import Message

TELLING = ("ResponseCode=", "EVSEProcessing=", "EVSENotification=", "ReceiptRequired=True")
"""What of a response decides how a session goes on."""
USUAL = {"ResponseCode=OK", "EVSENotification=None"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response; `function` waits for it, and might have had one of `others` instead."""

    function: str
    request: Message
    response: Message
    others: tuple[str, ...] = ()


def diagram(exchanges: Iterable[Exchange], watched: str) -> str:
    """Draw a session as Mermaid text; the functions are those of the side that is `watched`, by its participant."""
    lines = ["sequenceDiagram", "    participant vehicle", "    participant station"]
    function = ""
    for each in exchanges:
        if each.function != function:
            function = each.function
            lines.append(f"    Note over {watched}: {function}")
        lines.append(f"    vehicle->>station: {' '.join(_request(each.request))}")
        if each.others:
            lines.append(f"    Note over {watched}: or {', '.join(each.others)}")
        lines.append(f"    station-->>vehicle: {' '.join(_response(each.response))}")
    return "\n".join(lines)


def _request(request: Message) -> Iterator[str]:
    kind = type(request).__name__
    yield kind
    fields = DECIDES.get(kind, ())
    for each in (fields,) if isinstance(fields, str) else fields:
        if (decision := getattr(request, each, None)) is not None:
            yield str(decision)


def _response(response: Message) -> Iterator[str]:
    yield type(response).__name__
    telling = {word for word in words(response) if word.startswith(TELLING)} - USUAL
    yield from sorted(word.partition("=")[0 if word == "ReceiptRequired=True" else 2] for word in telling)
