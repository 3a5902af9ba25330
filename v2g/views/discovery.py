"""The datagrams of SDP, which are no EXI, as they stand between frames."""

from __future__ import annotations

from v2g.sdp import SdpRequest, SdpResponse
from v2g.v2gtp import PayloadType, frame


def to_plain(payload_type: int, payload: bytes) -> dict[str, str | int]:
    """Tell the fields of a request or response. Raises `Undecodable` for what is none."""
    datagram = frame(payload_type, payload)
    if payload_type == PayloadType.SDP_REQUEST:
        request = SdpRequest.parse(datagram)
        return {"security": request.security.name, "transport": request.transport.name}
    response = SdpResponse.parse(datagram)
    return {
        "address": str(response.address),
        "port": response.port,
        "security": response.security.name,
        "transport": response.transport.name,
    }
