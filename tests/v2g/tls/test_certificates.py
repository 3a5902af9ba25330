"""The Certificate message, by layouts written out by hand, and damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.tls.certificates import Entry, entries


def sized(size: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return len(body).to_bytes(size) + body


def message(body: bytes) -> bytes:
    return b"\x0b" + sized(3, body)


def test_tls_1_2() -> None:
    found = entries(message(sized(3, sized(3, b"leaf"), sized(3, b"sub"))), second=False)
    assert found == (Entry(b"leaf"), Entry(b"sub"))


def test_tls_1_3_with_a_staple_for_each() -> None:
    """RFC 8446 section 4.4.2.1: status_request in an entry is a CertificateStatus, type 1, three bytes of length."""
    status = sized(2, b"\x00\x05", sized(2, b"\x01", sized(3, b"good")))
    other = sized(2, b"\x00\x12", sized(2, b"SCT"))
    body = sized(1) + sized(3, sized(3, b"leaf"), status, sized(3, b"sub2"), sized(2), sized(3, b"sub1"), other)
    assert entries(message(body), second=True) == (Entry(b"leaf", b"good"), Entry(b"sub2"), Entry(b"sub1"))


def test_none_is_shown() -> None:
    assert entries(message(sized(1) + sized(3)), second=True) == ()


@pytest.mark.parametrize("cut", range(1, 20))
def test_cut_short(cut: int) -> None:
    whole = message(sized(1) + sized(3, sized(3, b"leaf"), sized(2, b"\x00\x05", sized(2, b"\x01", sized(3, b"r")))))
    with pytest.raises(Undecodable, match=r"Certificate"):
        entries(whole[:-cut], second=True)


@given(st.binary(max_size=200), st.booleans())
def test_anything_is_read_or_refused(data: bytes, second: bool) -> None:
    try:
        found = entries(data, second=second)
    except Undecodable:
        return
    assert sum(len(each.der) for each in found) <= len(data)
