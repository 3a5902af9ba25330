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


_PAYLOADS: dict[int, tuple[str, ...]] = {
    PayloadType.EXI: ("sap", "iso2", "din"),
    PayloadType.MAINSTREAM: ("iso20.common",),
    PayloadType.AC: ("iso20.ac",),
    PayloadType.DC: ("iso20.dc",),
    PayloadType.ACDP: ("iso20.acdp",),
    PayloadType.WPT: ("iso20.wpt",),
    PayloadType.AC_DER_IEC: ("iso20.ac_der_iec",),
    PayloadType.AC_DER_SAE: ("iso20.ac_der_sae",),
    PayloadType.SCHEDULE_RENEGOTIATION: ("iso20.common",),
    PayloadType.METERING_CONFIRMATION: ("iso20.common",),
    PayloadType.ACDP_SYSTEM_STATUS: ("iso20.acdp",),
    PayloadType.PARKING_STATUS: ("iso20.common",),
}


def schema_names(payload_type: int | None = None) -> tuple[str, ...]:
    """Tell which schema sets a message in this V2GTP type can be of; without a type all that have messages.

    A type that carries no messages has none. What the side streams of -20 carry is (unverified).
    """
    if payload_type is not None:
        return _PAYLOADS.get(payload_type, ())
    return tuple(dict.fromkeys(name for names in _PAYLOADS.values() for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A protocol as the handshake names it; `key` is the standard's name in tables and topics.

    `payload_types` are the V2GTP types its messages travel in, `schema` is the set of those that only it has.
    """

    key: str
    namespace: str
    major: int
    minor: int
    schema: str
    payload_types: frozenset[PayloadType]

    def schema_of(self, payload_type: int) -> str:
        """Tell the schema set of what travels in this type. Raises ValueError for a type the protocol does not use."""
        names = schema_names(payload_type)
        if payload_type not in self.payload_types:
            raise ValueError(f"payload type {payload_type:#06x} has no place in {self.namespace}")
        return self.schema if self.schema in names else names[0]


DIN = Protocol(
    key="din",
    namespace="urn:din:70121:2012:MsgDef",
    major=2,
    minor=0,
    schema="din",
    payload_types=frozenset({PayloadType.EXI}),
)
ISO2 = Protocol(
    key="iso2",
    namespace="urn:iso:15118:2:2013:MsgDef",
    major=2,
    minor=0,
    schema="iso2",
    payload_types=frozenset({PayloadType.EXI}),
)


def _iso20(name: str, schema: str, payload_type: PayloadType) -> Protocol:
    """Make one protocol of ISO 15118-20: each kind of energy transfer has its own."""
    return Protocol(
        key="iso20",
        namespace=f"urn:iso:std:iso:15118:-20:{name}",
        major=1,
        minor=0,
        schema=schema,
        payload_types=frozenset({PayloadType.MAINSTREAM, payload_type}),
    )


ISO20_AC = _iso20("AC", "iso20.ac", PayloadType.AC)
ISO20_DC = _iso20("DC", "iso20.dc", PayloadType.DC)
ISO20_WPT = _iso20("WPT", "iso20.wpt", PayloadType.WPT)
ISO20_ACDP = _iso20("ACDP", "iso20.acdp", PayloadType.ACDP)
# Namespaces and version of Amendment 1 are from public implementations (unverified).
ISO20_AC_DER_IEC = _iso20("AC-DER-IEC", "iso20.ac_der_iec", PayloadType.AC_DER_IEC)
ISO20_AC_DER_SAE = _iso20("AC-DER-SAE", "iso20.ac_der_sae", PayloadType.AC_DER_SAE)

PROTOCOLS = (
    ISO20_DC,
    ISO20_AC,
    ISO20_AC_DER_IEC,
    ISO20_AC_DER_SAE,
    ISO20_ACDP,
    ISO20_WPT,
    ISO2,
    DIN,
)
"""All protocols that can be coded, the most wanted first; a station or vehicle offers those it has sessions for."""


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
