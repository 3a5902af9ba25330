"""Every protocol once: its namespace and version, its messages and payload types; and how two sides agree on one.

Schema sets are loaded when first asked for. This module pulls in no cryptography.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from v2g.exi.codec import Schema
from v2g.messages.app_protocol import (
    MOST_PROTOCOLS,
    AppProtocol,
    ResponseCode,
    SupportedAppProtocolReq,
    SupportedAppProtocolRes,
)
from v2g.v2gtp import PayloadType

_MODULES: dict[str, tuple[str, ...]] = {
    "sap": ("app_protocol",),
    "xmldsig": ("xmldsig",),
    "din": ("xmldsig", "din"),
    "iso2": ("xmldsig", "iso2"),
    "iso20.common": ("xmldsig", "iso20.common_types", "iso20.common"),
    "iso20.ac": ("xmldsig", "iso20.common_types", "iso20.ac"),
    "iso20.dc": ("xmldsig", "iso20.common_types", "iso20.dc"),
    "iso20.wpt": ("xmldsig", "iso20.common_types", "iso20.wpt"),
    "iso20.acdp": ("xmldsig", "iso20.common_types", "iso20.acdp"),
    "iso20.ac_der_iec": ("xmldsig", "iso20.common_types", "iso20.ac", "iso20.ac_der_iec"),
    "iso20.ac_der_sae": ("xmldsig", "iso20.common_types", "iso20.ac", "iso20.ac_der_sae"),
}

SCHEMAS = tuple(_MODULES)
"""The names of all schema sets."""


@cache
def schema(name: str) -> Schema:
    """Tell the codec of a schema set, such as `sap` or `iso20.dc`. Raises ValueError for a name it does not know."""
    if name not in _MODULES:
        raise ValueError(f"no schema set is named {name!r}; known are {', '.join(_MODULES)}")
    return Schema(name, tuple(importlib.import_module(f"v2g.messages.{module}") for module in _MODULES[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A protocol as the handshake names it; `payload_types` are the V2GTP types its messages travel in."""

    key: str
    namespace: str
    major: int
    minor: int
    schema: str
    payload_types: frozenset[PayloadType]


ISO2 = Protocol(
    key="iso2",
    namespace="urn:iso:15118:2:2013:MsgDef",
    major=2,
    minor=0,
    schema="iso2",
    payload_types=frozenset({PayloadType.EXI}),
)

PROTOCOLS = (ISO2,)
"""All protocols, the most wanted first."""


def offer(protocols: Sequence[Protocol]) -> SupportedAppProtocolReq:
    """Tell the vehicle's request for these protocols, the most wanted first. Raises ValueError for none or over 20."""
    if not 1 <= len(protocols) <= MOST_PROTOCOLS:
        raise ValueError(f"{len(protocols)} protocols cannot be offered; name 1 to {MOST_PROTOCOLS}")
    return SupportedAppProtocolReq(
        AppProtocol=[
            AppProtocol(
                ProtocolNamespace=protocol.namespace,
                VersionNumberMajor=protocol.major,
                VersionNumberMinor=protocol.minor,
                SchemaID=position,
                Priority=position,
            )
            for position, protocol in enumerate(protocols, start=1)
        ],
    )


def choose(
    request: SupportedAppProtocolReq,
    supported: Iterable[Protocol],
) -> tuple[SupportedAppProtocolRes, Protocol | None]:
    """Tell the station's answer, and the protocol chosen; `supported` is what the station can speak now.

    Of the entries that match by namespace and major version the one with the lowest Priority number wins
    [V2G2-167], the first of equal ones (unverified). A different minor version is no obstacle [V2G2-169].
    """
    known = list(supported)
    matches = [
        (entry, protocol)
        for entry in request.AppProtocol
        for protocol in known
        if (entry.ProtocolNamespace, entry.VersionNumberMajor) == (protocol.namespace, protocol.major)
    ]
    if not matches:
        return SupportedAppProtocolRes(ResponseCode=ResponseCode.Failed_NoNegotiation), None
    entry, protocol = min(matches, key=lambda match: match[0].Priority)
    exact = entry.VersionNumberMinor == protocol.minor
    code = ResponseCode.OK_SuccessfulNegotiation if exact else ResponseCode.OK_SuccessfulNegotiationWithMinorDeviation
    return SupportedAppProtocolRes(ResponseCode=code, SchemaID=entry.SchemaID), protocol
