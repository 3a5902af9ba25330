"""Interfaces: the kernel's address table, sockets on the loopback interface, and errors that say what to do."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address

import pytest

from v2g.interface import DYNAMIC_PORTS, Interface, InterfaceError, link_local

LO = Interface.named("lo")
ETH = Interface("eth7", 7)
TABLE = """\
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 07 40 00 82     eth7
fe80000000000000000000000000dad0 07 40 20 c0     eth7
fe80000000000000000000000000dad1 07 40 20 88     eth7
fe800000000000000000000000000007 07 40 20 80     eth7
fe800000000000000000000000000012 12 40 20 80    eth18
"""


def test_the_link_local_address_is_the_settled_one_of_the_interface() -> None:
    assert link_local(TABLE, 7) == IPv6Address("fe80::7")
    assert link_local(TABLE, 18) == IPv6Address("fe80::12")


def test_tentative_duplicate_and_wider_addresses_do_not_count() -> None:
    assert link_local("".join(TABLE.splitlines(keepends=True)[:4]), 7) is None
    assert link_local(TABLE, 12) is None
    assert link_local("", 7) is None


@pytest.mark.parametrize("name", ["no-such-if0", "", "x" * 400, "a\0b", "\udcff"])
def test_a_missing_interface_is_an_error_that_names_those_there_are(name: str) -> None:
    with pytest.raises(InterfaceError, match=r"there is no network interface .* lo"):
        Interface.named(name)


async def test_on_loopback_its_own_address_stands_in() -> None:
    assert await LO.address() == IPv6Address("::1")
    assert LO.sockaddr(IPv6Address("::1"), 9) == ("::1", 9, 0, 0)


async def test_an_interface_without_address_is_given_up_after_a_bound() -> None:
    gone = Interface("eth7", 2**31 - 1)
    with pytest.raises(InterfaceError, match="eth7 has no usable IPv6 link-local address"):
        await gone.address(within=0.06)


def test_only_link_local_addresses_carry_a_scope_id() -> None:
    assert ETH.sockaddr(IPv6Address("fe80::1"), 9) == ("fe80::1", 9, 0, 7)
    assert ETH.sockaddr(IPv6Address("ff02::1"), 9) == ("ff02::1", 9, 0, 7)
    assert ETH.sockaddr(IPv6Address("fd00::1"), 9) == ("fd00::1", 9, 0, 0)


@pytest.mark.parametrize(
    ("interface", "sender", "near"),
    [
        (ETH, ("fe80::1", 9, 0, 7), True),
        (ETH, ("fe80::1%eth7", 9, 0, 7), True),
        (ETH, ("fe80::1", 9, 0, 8), False),
        (ETH, ("fd00::1", 9, 0, 0), False),
        (ETH, ("::1", 9, 0, 0), False),
        (LO, ("::1", 9, 0, 0), True),
        (LO, ("fe80::1", 9, 0, 1), False),
    ],
)
def test_neighbours_are_told_from_strangers(
    interface: Interface, sender: tuple[str, int, int, int], near: bool
) -> None:
    assert interface.on_link(sender) is near


def test_a_port_in_use_is_an_error_with_a_remedy() -> None:
    with LO.listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InterfaceError, match=rf"UDP port {port} on lo is in use: .*set another port"):
            LO.listen(port)
    LO.listen(port).close()


def test_vehicles_ask_from_a_port_of_the_dynamic_range() -> None:
    with LO.speak() as first, LO.speak() as second:
        ports = {first.getsockname()[1], second.getsockname()[1]}
        assert len(ports) == 2
        assert all(port in DYNAMIC_PORTS for port in ports)


def test_a_full_range_of_ports_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with LO.speak() as taken:
        only = taken.getsockname()[1]
        monkeypatch.setattr("v2g.interface.random.sample", lambda _range, count: [only] * count)
        with pytest.raises(InterfaceError, match="in use"):
            LO.speak()


def test_a_host_without_ipv6_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr("v2g.interface.socket.socket", refuse)
    with pytest.raises(InterfaceError, match="no IPv6"):
        LO.listen(0)
