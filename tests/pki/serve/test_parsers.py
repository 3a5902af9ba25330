"""What reads texts of others: a value or ValueError, for any text."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.ocsp import OCSPResponseStatus, load_der_ocsp_response
from hypothesis import given
from hypothesis import strategies as st

from pki.serve import clock, login, misbehaviour, wire
from pki.serve.listener import check_host
from pki.serve.misbehaviour import MISBEHAVIOURS
from tests.pki.chains import build
from tests.pki.serve.certificates import request, signing_request
from tests.pki.serve.serving import LOGIN, Served

STEPS = [timedelta(seconds=step) for step in (-1, 0, 1, 3_600)]
TEXT = st.text(max_size=60)


@given(TEXT | st.datetimes(timezones=st.timezones() | st.none()).map(lambda at: at.isoformat()))
def test_times(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert clock.told(text).tzinfo is UTC


@given(st.integers(0, 250_000_000_000))
def test_times_come_back(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert clock.told(at.isoformat()) == at


@pytest.mark.parametrize("tree", ["iso2", "iso20-ed448"])
def test_every_service_lives_at_any_time(served: Served, tree: str) -> None:
    """The first and the last there are, and the ends of certificates, with misbehaviours that move times further."""
    ca = served.certificate("ca/cpo/sub2", tree)
    moments = [datetime(1970, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)]
    moments += [at + step for at in (ca.not_valid_before_utc, ca.not_valid_after_utc) for step in STEPS]
    _, csr = signing_request("DE*PCG*E0001", {"iso2": "P-256"}.get(tree, "Ed448"))
    for switch in ("expired", "future"):
        served.switch(f"ocsp:{switch}", "crl:expired")
        for at in moments:
            told = {clock.HEADER: at.isoformat(), "Content-Type": "application/pkcs10"}
            asked = served.client.post(f"/{tree}/ocsp", content=request(served, tree=tree), headers=told)
            assert load_der_ocsp_response(asked.content).response_status is OCSPResponseStatus.SUCCESSFUL
            assert served.client.get(f"/{tree}/crl/cpo-sub2.crl", headers=told).status_code == 200
            path = f"/.well-known/est/{tree}/simpleenroll"
            enrolled = served.client.post(path, content=csr, headers=told, auth=LOGIN)
            assert enrolled.status_code in (200, 503)


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
