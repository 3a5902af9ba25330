"""The socket that the servers listen at: of this machine alone, unless others shall reach it."""

from __future__ import annotations

import ipaddress
import socket

_WAITING = 128


def check_host(host: str, *, expose: bool) -> bool:
    """Tell whether an address is reached by other machines; raise ValueError for no address, or one not allowed."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"--host {host}: write an address, such as 127.0.0.1") from None
    if address.is_loopback:
        return False
    if not expose:
        raise ValueError(f"--host {host}: others could reach these test servers there; add --expose if they shall")
    return True


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address, at any free port for 0; raise OSError saying what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: asyncio turns Nagle's delay of 40 ms off for no other kind.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_WAITING)
    except OSError as error:
        listener.close()
        raise OSError(f"{host} port {port}: {error.strerror}; choose another with --port") from error
    return listener


def url(listener: socket.socket) -> str:
    """Return the URL that a listener is reached by."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
