"""What reads texts of others: a value or ValueError, for any text."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from pki.serve import clock, login, misbehaviour, wire
from pki.serve.listener import check_host
from pki.serve.misbehaviour import MISBEHAVIOURS
from tests.pki.chains import build

TEXT = st.text(max_size=60)


@given(TEXT | st.datetimes(timezones=st.timezones() | st.none()).map(lambda at: at.isoformat()))
def test_times(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert clock.told(text).tzinfo is UTC


@given(st.integers(0, 250_000_000_000))
def test_times_come_back(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert clock.told(at.isoformat()) == at


@given(st.floats(allow_nan=False))
def test_offsets(seconds: float) -> None:
    with contextlib.suppress(ValueError):
        assert 1970 <= clock.now(seconds).year < 9990


@given(TEXT | st.builds("{} {}".format, st.sampled_from(["Basic", "Bearer", "basic"]), TEXT))
def test_logins(header: str) -> None:
    claim = login.claimed(header)
    assert claim is None or (re.fullmatch("[A-Za-z0-9_-]{1,64}", claim[0]) and claim[1])


@given(TEXT | st.builds("{}:{}@{}".format, TEXT, TEXT, TEXT))
def test_switches(text: str) -> None:
    with contextlib.suppress(ValueError):
        switch = misbehaviour.parse(text)
        assert (switch.service, switch.name) in {(each.service, each.name) for each in MISBEHAVIOURS}


@given(TEXT)
def test_hosts(text: str) -> None:
    with contextlib.suppress(ValueError):
        check_host(text, expose=False)


@given(st.binary(max_size=300))
def test_base64(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        wire.plain(body)
    assert wire.plain(wire.armored(body)) == body


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_certificates_alone(count: int) -> None:
    """Byte for byte what `cryptography` makes of them, lengths of one to three bytes included."""
    path = build("secc")
    chain = [path.leaf, path.sub2, path.sub1, path.root, *(build("secc").leaf for _ in range(36))][:count]
    made = wire.certs_only([each.der for each in chain])
    if count:
        assert made == pkcs7.serialize_certificates([each.certificate for each in chain], Encoding.DER)
    else:
        assert len(made) < 64
