"""The handshake that comes before every protocol: vehicle and station agree which one they speak.

Messages of `urn:iso:15118:2:2010:AppProtocol`, the same for DIN 70121, ISO 15118-2 and ISO 15118-20.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import Enumeration, Occurs, Text, UnsignedByte, UnsignedInt, Whole

NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"
MOST_PROTOCOLS = 20

ProtocolNamespace = Annotated[str, Text(most=100)]
Priority = Annotated[int, Whole(1, MOST_PROTOCOLS)]


class Handshake(Message, namespace=NAMESPACE):
    """Common ground of the handshake's types: their child elements carry no namespace."""

    qualified_elements: ClassVar[bool] = False


class ResponseCode(Enumeration):
    """Whether a common protocol was found."""

    OK_SuccessfulNegotiation = "OK_SuccessfulNegotiation"
    OK_SuccessfulNegotiationWithMinorDeviation = "OK_SuccessfulNegotiationWithMinorDeviation"
    Failed_NoNegotiation = "Failed_NoNegotiation"


class AppProtocol(Handshake):
    """One protocol the vehicle speaks; Priority 1 is the most wanted, SchemaID is the vehicle's own number for it."""

    ProtocolNamespace: ProtocolNamespace
    VersionNumberMajor: UnsignedInt
    VersionNumberMinor: UnsignedInt
    SchemaID: UnsignedByte
    Priority: Priority


class SupportedAppProtocolRes(Handshake, element="supportedAppProtocolRes"):
    """The station's choice, named by the vehicle's SchemaID; none if nothing matched."""

    ResponseCode: ResponseCode
    SchemaID: UnsignedByte | None = None


class SupportedAppProtocolReq(Handshake, element="supportedAppProtocolReq"):
    """All protocols the vehicle speaks, in any order."""

    Response: ClassVar[type[SupportedAppProtocolRes]] = SupportedAppProtocolRes

    AppProtocol: Annotated[list[AppProtocol], Occurs(1, MOST_PROTOCOLS)]
