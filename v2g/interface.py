"""A network interface of this host: its link-local address, its scope id, and sockets that stay on it.

On `lo`, where Linux routes no multicast, `::1` stands in for the link-local address. Linux only.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

from v2g.sdp import GROUP, LOOPBACK

DYNAMIC_PORTS = range(49_152, 65_536)
ADDRESS_WAIT = 2.0  # seconds; duplicate address detection takes one to two
ADDRESS_STEP = 0.05
BIND_TRIES = 32
BACKLOG = 4

_ADDRESSES = Path("/proc/net/if_inet6")
_LINK_SCOPE = 0x20
_DUPLICATE = 0x08
_TENTATIVE = 0x40


class InterfaceError(OSError):
    """An interface, address or port that cannot be used; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface that exists; `index` is the scope id of link-local addresses on it."""

    name: str
    index: int

    @classmethod
    def named(cls, name: str) -> Interface:
        """Find an interface; raises `InterfaceError`, naming those there are."""
        try:
            return cls(name, socket.if_nametoindex(name))
        except (OSError, ValueError, UnicodeError):
            there = ", ".join(sorted(each for _, each in socket.if_nameindex()))
            raise InterfaceError(f"there is no network interface {name!r}; use one of: {there}") from None

    @property
    def loopback(self) -> bool:
        """Whether this is `lo`."""
        return self.name == "lo"

    async def address(self, within: float = ADDRESS_WAIT) -> IPv6Address:
        """Return the address by which a peer on this link reaches us.

        Waits up to `within` seconds for a tentative address to settle; raises `InterfaceError` if there is none.
        """
        if self.loopback:
            return LOOPBACK
        clock = asyncio.get_running_loop().time
        until = clock() + within
        while (found := self._link_local()) is None:
            if clock() >= until:
                raise InterfaceError(
                    f"{self.name} has no usable IPv6 link-local address: bring it up with IPv6 enabled "
                    f"(ip link set {self.name} up; sysctl net.ipv6.conf.{self.name}.disable_ipv6=0)"
                )
            await asyncio.sleep(ADDRESS_STEP)
        return found

    def _link_local(self) -> IPv6Address | None:
        try:
            table = _ADDRESSES.read_text(encoding="ascii")
        except OSError:
            return None
        return link_local(table, self.index)

    def on_link(self, sender: tuple[str, int, int, int]) -> bool:
        """Whether a datagram's sender is a neighbour on this interface (on `lo`: this host)."""
        host, _, _, scope = sender
        address = IPv6Address(host.partition("%")[0])
        return address == LOOPBACK if self.loopback else address.is_link_local and scope == self.index

    def sockaddr(self, address: IPv6Address, port: int) -> tuple[str, int, int, int]:
        """Return the socket address of `address` on this link; only link-local ones carry the scope id."""
        local = address.is_link_local or (address.is_multicast and not self.loopback)
        return str(address), port, 0, self.index if local else 0

    def listen(self, port: int) -> socket.socket:
        """Open the UDP socket that hears `port` and the all-nodes group on this interface alone; 0 = any free port.

        Raises `InterfaceError` when the port is in use. No port is shared (SO_REUSEPORT): a second station on the
        same interface must fail at its start. Stations on different interfaces do not collide.
        """
        opened = self._socket(socket.SOCK_DGRAM)
        try:
            if not self.loopback:
                group = struct.pack("@16sI", GROUP.packed, self.index)
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            opened.bind((str(LOOPBACK) if self.loopback else "::", port))
        except OSError as error:
            opened.close()
            raise InterfaceError(_remedy(error, f"UDP port {port or '(any)'} on {self.name}")) from error
        return opened

    def serve(self, address: IPv6Address, port: int) -> socket.socket:
        """Open a TCP socket that listens on our own address; 0 = a free port from 49152 up.

        Raises `InterfaceError` when the port is in use.
        """
        opened = self._socket(socket.SOCK_STREAM)
        host, _, _, scope = self.sockaddr(address, port)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port:
                opened.bind((host, port, 0, scope))
            else:
                _bind_dynamic(opened, host, scope)
            opened.listen(BACKLOG)
        except OSError as error:
            opened.close()
            raise InterfaceError(_remedy(error, f"TCP port {port or '(any)'} on {self.name}")) from error
        return opened

    def speak(self) -> socket.socket:
        """Open a UDP socket on a free port from 49152 up, whose multicast leaves by this interface."""
        opened = self._socket(socket.SOCK_DGRAM)
        try:
            if not self.loopback:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
            _bind_dynamic(opened, str(LOOPBACK) if self.loopback else "::")
        except OSError as error:
            opened.close()
            raise InterfaceError(_remedy(error, f"a socket on {self.name}")) from error
        return opened

    def _socket(self, kind: socket.SocketKind) -> socket.socket:
        try:
            opened = socket.socket(socket.AF_INET6, kind)
        except OSError as error:
            raise InterfaceError(f"this host has no IPv6 ({error.strerror}); enable it in the kernel") from error
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.name.encode() + b"\0")
        except PermissionError:
            pass  # kernels before 5.7 want CAP_NET_RAW; `on_link` then keeps other interfaces out
        except OSError as error:
            opened.close()
            raise InterfaceError(_remedy(error, f"a socket on {self.name}")) from error
        return opened


def link_local(table: str, index: int) -> IPv6Address | None:
    """Find the first settled link-local address of an interface in the text of /proc/net/if_inet6."""
    for line in table.splitlines():
        address, number, _, scope, flags, _ = line.split(maxsplit=5)
        usable = not int(flags, 16) & (_TENTATIVE | _DUPLICATE)
        if int(number, 16) == index and int(scope, 16) == _LINK_SCOPE and usable:
            return IPv6Address(bytes.fromhex(address))
    return None


def _bind_dynamic(opened: socket.socket, host: str, scope: int = 0) -> None:
    """Bind to a free port of the dynamic range, from which vehicles ask; raises OSError when none was found."""
    ports = random.sample(DYNAMIC_PORTS, BIND_TRIES)
    for number, port in enumerate(ports, start=1):
        try:
            return opened.bind((host, port, 0, scope))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or number == len(ports):
                raise
    return None


def _remedy(error: OSError, where: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: stop the other station on this interface, or set another port"
    if error.errno == errno.EACCES:
        return f"{where} may not be opened: set a port above 1023"
    if error.errno in {errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENETDOWN}:
        return f"{where}: {error.strerror}; bring the interface up with IPv6 enabled"
    return f"{where} cannot be opened: {error.strerror}"
