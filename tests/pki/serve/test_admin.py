from __future__ import annotations

import asyncio
import json
import socket
import threading
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pki import revoked
from pki.renewal import bring_up_to_date
from pki.serve import intake
from pki.serve.app import application
from pki.serve.misbehaviour import MISBEHAVIOURS
from pki.store import Store
from pki.tree import read
from tests.pki.serve.certificates import EVSE, request, signing_request
from tests.pki.serve.serving import LOGIN, Served, serving


def status(served: Served) -> OCSPCertStatus:
    answer = served.client.post("/iso2/ocsp", content=request(served))
    return load_der_ocsp_response(answer.content).certificate_status


def until(served: Served, wanted: OCSPCertStatus) -> None:
    """Wait until a status is told: a server looks for foreign changes once a second."""
    for _ in range(400):
        if status(served) is wanted:
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"never {wanted}")


def test_the_table_is_told(served: Served) -> None:
    told = served.client.get("/admin/misbehaviour").json()
    assert told["on"] == []
    assert [(each["service"], each["name"]) for each in told["known"]] == [(m.service, m.name) for m in MISBEHAVIOURS]
    assert all(each["summary"] for each in told["known"])


def test_switches_one_by_one(served: Served) -> None:
    serial = served.certificate(EVSE).serial_number
    path = "/admin/misbehaviour/ocsp/revoked"
    on = served.client.put(path, params={"certificate": hex(serial)}).json()["on"]
    assert on == [{"service": "ocsp", "name": "revoked", "certificate": str(serial)}]
    assert status(served) is OCSPCertStatus.REVOKED
    assert len(served.client.put("/admin/misbehaviour/crl/expired").json()["on"]) == 2
    assert len(served.client.put("/admin/misbehaviour/crl/expired").json()["on"]) == 2
    assert len(served.client.delete(path).json()["on"]) == 2, "another switch than the one for a certificate"
    assert len(served.client.delete(path, params={"certificate": hex(serial)}).json()["on"]) == 1
    assert status(served) is OCSPCertStatus.GOOD


async def test_switches_put_at_the_same_time_are_all_on(served: Served) -> None:
    own = [each for each in MISBEHAVIOURS if each.service == "ocsp"]
    async with httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=20) as many:
        puts = (many.put(f"/admin/misbehaviour/ocsp/{each.name}") for each in own)
        assert {answer.status_code for answer in await asyncio.gather(*puts)} == {200}
    on = served.client.get("/admin/misbehaviour").json()["on"]
    assert {each["name"] for each in on} == {each.name for each in own}


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("misbehaviour", [{"service": "ocsp", "name": "nice"}], "there are revoked, unknown"),
        ("misbehaviour", [{"service": "ftp", "name": "revoked"}], "service"),
        ("misbehaviour", {"ocsp": "revoked"}, "array"),
        ("misbehaviour", [{"service": "ocsp", "name": "revoked", "serial": 1}], "serial"),
        ("clock", {}, "either offset_s or time"),
        ("clock", {"offset_s": 1, "time": "2030-01-01T00:00:00Z"}, "either offset_s or time"),
        ("clock", {"time": "tomorrow"}, "no time"),
        ("clock", {"offset_s": 1e300}, "calendar"),
        ("clock", {"offset_s": -1e10}, "a clock shows"),
        ("revocations/iso2/1", {}, "0 certificates of the tree"),
        ("revocations/iso2/x", {}, "in decimal"),
        ("revocations/iso9/1", {}, "no tree 'iso9'; there are iso2, iso20"),
        (f"revocations/iso2/0x{'f' * 4000}", {}, "in decimal"),
        ("misbehaviour", [{"service": "ocsp", "name": "revoked", "certificate": "x" * 129}], "128 characters"),
        ("misbehaviour", [{"service": "ocsp", "name": "revoked", "certificate": "0x" + "f" * 4000}], "128 characters"),
        ("misbehaviour", [{"service": "ocsp", "name": "revoked", "certificate": "\0"}], "that print"),
        ("secrets/csms", {"secret": "short"}, "choose 12"),
        ("secrets/c.s", {}, "letters, digits"),
    ],
)
def test_what_is_refused(served: Served, path: str, body: object, told: str) -> None:
    before = served.client.get("/admin/misbehaviour").json()["on"]
    answer = served.client.put(f"/admin/{path}", json=body)
    assert answer.status_code in (400, 404)
    assert told in answer.text
    assert served.client.get("/admin/misbehaviour").json()["on"] == before


def test_a_reason_that_is_none(served: Served) -> None:
    path = f"/admin/revocations/iso2/{served.certificate(EVSE).serial_number}"
    for body, told in (({"reason": "bored"}, "there are unspecified"), ({"at": "x"}, "at: ")):
        answer = served.client.put(path, json=body)
        assert answer.status_code == 400
        assert told in answer.text
    assert served.client.delete(path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "10.1.2.3", "127.0.0.1.evil.example:80", "[", "[::1", "", "@"])
def test_a_page_in_the_browser_administrates_nothing(served: Served, host: str) -> None:
    """A name that leads here is not enough: it has to be the machine's own."""
    answer = served.client.put("/admin/clock", json={"offset_s": 9}, headers={"Host": host})
    assert answer.status_code == 403
    assert served.client.get("/admin/clock").json()["offset_s"] == 0


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_hands_on_administrates_nothing(served: Served, name: str) -> None:
    """Whoever stands behind it is not seen, and may say that he is this machine."""
    answer = served.client.put("/admin/clock", json={"offset_s": 9}, headers={name: "127.0.0.1"})
    assert answer.status_code == 403
    assert served.client.get("/admin/clock").json()["offset_s"] == 0


async def test_another_machine_administrates_nothing(served: Served) -> None:
    transport = httpx.ASGITransport(application(served.server), client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as foreign:
        for method, path in (
            ("GET", "misbehaviour"),
            ("PUT", "clock"),
            ("PUT", "secrets/x"),
            ("DELETE", "secrets/csms"),
        ):
            answer = await foreign.request(method, f"/admin/{path}", json={})
            assert answer.status_code == 403
        assert (await foreign.get("/iso2/crl/cpo-sub2.crl")).status_code == 200


def test_secrets(served: Served) -> None:
    made = served.client.put("/admin/secrets/other", json={}).json()
    _, body = signing_request("DE*PCG*E0900")
    headers = {"Content-Type": "application/pkcs10"}
    path = "/.well-known/est/iso2/simpleenroll"
    for more in ({"Authorization": f"Bearer {made['bearer']}"}, {}):
        auth = httpx.USE_CLIENT_DEFAULT if more else httpx.BasicAuth("other", made["secret"])
        assert served.client.post(path, content=body, headers=headers | more, auth=auth).status_code == 200
    assert served.client.delete("/admin/secrets/other").status_code == 200
    assert served.client.delete("/admin/secrets/other").status_code == 404
    refused = served.client.post(path, content=body, headers=headers, auth=httpx.BasicAuth("other", made["secret"]))
    assert refused.status_code == 401
    assert served.client.post(path, content=body, headers=headers, auth=httpx.BasicAuth(*LOGIN)).status_code == 200


def test_pages_for_people_and_machines(served: Served) -> None:
    served.switch("ocsp:revoked", certificate="<script>")
    page = served.client.get("/")
    assert page.status_code == 200
    assert "DE*PCG" not in page.text
    assert "/iso20/ocsp" in page.text
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert served.client.get("/health").json() == {"status": "ok", "trees": ["iso2", "iso20", "iso20-ed448"]}
    served.switch()
    before, _ = counted(served), status(served)
    assert counted(served) == before + 1


def counted(served: Served) -> int:
    name = 'plugcharge_pki_requests_total{service="ocsp",outcome="good"} '
    lines = served.client.get("/metrics").text.splitlines()
    assert all(line.startswith(("#", "plugcharge_pki_")) for line in lines)
    return next((int(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)


def test_every_family_of_metrics_says_what_it_is(served: Served) -> None:
    lines = served.client.get("/metrics").text.splitlines()
    kinds = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert [line.split()[2] for line in lines if line.startswith("# HELP") and len(line.split()) > 5] == kinds
    assert len(kinds) > 8


def gauge(served: Served, name: str) -> int:
    name = f"plugcharge_pki_{name} "
    (found,) = (line for line in served.client.get("/metrics").text.splitlines() if line.startswith(name))
    return int(found.removeprefix(name))


SERIALS = st.text(max_size=80) | st.builds(
    "{}{}".format, st.sampled_from(["", "0x", "-", "0x-"]), st.integers(0, 2**260).map(str)
)
KEYS = st.text(max_size=9) | st.sampled_from(
    ["service", "name", "certificate", "offset_s", "time", "reason", "at", "secret"]
)
STEPS = st.text(min_size=1, max_size=40) | st.sampled_from(["iso2", "ocsp", "revoked", "revocations", "secrets"])


@given(
    method=st.sampled_from(["GET", "PUT", "DELETE"]),
    kind=st.sampled_from(["revocations", "misbehaviour", "secrets", "clock"]),
    steps=st.lists(STEPS | SERIALS, max_size=3),
)
@example("PUT", "revocations", ["iso2", "0x" + "f" * 4000])
@example("PUT", "revocations", ["iso2", "9" * 5000])
@example("PUT", "revocations", ["\0", "1"])
@example("DELETE", "secrets", ["\0"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_path_is_answered(served: Served, method: str, kind: str, steps: list[str]) -> None:
    path = "/".join(["/admin", kind, *(quote(step.encode("utf-8", "replace"), safe="") for step in steps)])
    answer = served.client.request(method, path, json={})
    assert answer.status_code in (200, 307, 400, 404, 405), answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@given(
    path=st.sampled_from(["misbehaviour", "clock", "revocations/iso2/1", "revocations/iso2/{}", "secrets/body"]),
    body=st.dictionaries(KEYS, JSON, max_size=3) | st.lists(st.dictionaries(KEYS, JSON, max_size=3), max_size=3),
)
@example("clock", {"time": "9999-12-31T23:59:59-23:00"})
@example("clock", {"offset_s": 253_000_000_000})
@example("revocations/iso2/{}", {"at": "0001-01-01T00:00:00+23:59"})
@example("misbehaviour", [{"service": "est", "name": "pending", "certificate": "\0"}])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_body_is_answered(served: Served, path: str, body: object) -> None:
    serial = served.certificate("leaf/oem-provisioning/car1").serial_number
    answer = served.client.put(f"/admin/{path.format(serial)}", content=json.dumps(body))
    assert answer.status_code in (200, 400, 404), answer.text
    assert served.client.delete(f"/admin/revocations/iso2/{serial}").status_code in (200, 404)


def test_unknown_paths_and_methods(served: Served) -> None:
    for path in ("/admin", "/admin/", "/iso2", "/iso2/ocsp/../../etc/passwd", "/x" * 1000):
        assert served.client.get(path).status_code in (400, 404, 405)
    assert served.client.put("/iso2/ocsp").status_code == 405


# --- over time --------------------------------------------------------------------------------------------------------


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A tree of -2 that may be changed."""
    bring_up_to_date(read()["iso2"], Store(tmp_path / "out" / "iso2"))
    return tmp_path / "out"


def test_a_restart_keeps_the_state(out: Path, database: str, tmp_path: Path) -> None:
    _, body = signing_request("DE*PCG*E0901")
    headers = {"Content-Type": "application/pkcs10"}
    with serving(out, database, tmp_path) as served:
        enrol = served.client.post("/.well-known/est/simpleenroll", content=body, headers=headers, auth=LOGIN)
        assert enrol.status_code == 200
        path = f"/admin/revocations/iso2/{served.certificate(EVSE).serial_number}"
        assert served.client.put(path, json={"reason": "keyCompromise"}).status_code == 200
        assert served.client.put("/admin/secrets/kept", json={"secret": "correct horse"}).status_code == 200
        assert served.client.put("/admin/clock", json={"offset_s": 3600}).status_code == 200
        served.switch("crl:expired", certificate="mo-sub2")
        counts = served.server.state.counts()
    with serving(out, database, tmp_path) as served:
        assert served.server.state.counts() == counts
        assert status(served) is OCSPCertStatus.REVOKED
        assert served.client.get("/admin/clock").json()["offset_s"] == 3600
        (on,) = served.client.get("/admin/misbehaviour").json()["on"]
        assert on == {"service": "crl", "name": "expired", "certificate": "mo-sub2"}
        again = served.client.post(
            "/.well-known/est/simpleenroll", content=body, headers=headers, auth=("kept", "correct horse")
        )
        assert again.status_code == 200


def test_two_servers_on_one_state(out: Path, database: str, tmp_path: Path) -> None:
    with serving(out, database, tmp_path) as one, serving(out, database, tmp_path) as other:
        path = f"/admin/revocations/iso2/{one.certificate(EVSE).serial_number}"
        assert one.client.put(path, json={}).status_code == 200
        assert status(one) is OCSPCertStatus.REVOKED
        until(other, OCSPCertStatus.REVOKED)


def test_what_pki_revoke_lists_is_revoked(out: Path, database: str, tmp_path: Path) -> None:
    tree, at = Store(out / "iso2"), read()["iso2"]
    with serving(out, database, tmp_path, {"iso2": at}) as served:
        now = served.server.now(None)
        assert status(served) is OCSPCertStatus.GOOD
        revoked.revoke(tree, EVSE, now, x509.ReasonFlags.certificate_hold)
        until(served, OCSPCertStatus.REVOKED)
        assert (gauge(served, "listed_revocations"), gauge(served, "state_revocations")) == (1, 0)
        refused = served.client.delete(f"/admin/revocations/iso2/{served.certificate(EVSE).serial_number}")
        assert (refused.status_code, "--undo lifts holds" in refused.text) == (404, True)
        revoked.release(tree, EVSE)
        until(served, OCSPCertStatus.GOOD)


def test_what_pki_init_makes_is_served(out: Path, database: str, tmp_path: Path) -> None:
    """The old certificate stays known; of a damaged list is told, and what was read before served on."""
    tree = Store(out / "iso2")
    with serving(out, database, tmp_path, {"iso2": read()["iso2"]}) as served:
        old = request(served)
        (tree.folder / EVSE / "key.pem").unlink()
        bring_up_to_date(read()["iso2"], tree)
        assert request(served) != old
        until(served, OCSPCertStatus.GOOD)
        found = load_der_ocsp_response(served.client.post("/iso2/ocsp", content=old).content)
        assert found.certificate_status is OCSPCertStatus.GOOD
        (tree.folder / revoked.NAME).write_text("{")
        for _ in range(400):
            if served.client.get("/health").status_code == 503:
                break
            threading.Event().wait(0.02)
        assert "revoked.json" in served.client.get("/health").json()["trouble"]
        assert status(served) is OCSPCertStatus.GOOD


def test_a_database_that_goes_away(out: Path, tmp_path: Path) -> None:
    """A change gets 503 and the reason; statuses are told on."""
    with serving(out, f"sqlite:///{tmp_path / 'state.sqlite3'}", tmp_path) as served:
        with served.server.state.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE certificates RENAME TO gone")
        _, body = signing_request("DE*PCG*E0902")
        headers = {"Content-Type": "application/pkcs10"}
        answer = served.client.post("/.well-known/est/iso2/simpleenroll", content=body, headers=headers, auth=LOGIN)
        assert answer.status_code == 503
        assert "no such table" in answer.text
        assert answer.headers["Retry-After"] == "1"
        assert status(served) is OCSPCertStatus.GOOD
        assert "plugcharge_pki_uptime_seconds" in served.client.get("/metrics").text


def test_slow_clients_block_nobody(served: Served) -> None:
    """Fifty that send half a request and wait."""
    address = (served.client.base_url.host, served.client.base_url.port or 80)
    waiting = [socket.create_connection(address) for _ in range(50)]
    try:
        for each in waiting:
            each.sendall(b"POST /iso2/ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0")
        assert status(served) is OCSPCertStatus.GOOD
    finally:
        for each in waiting:
            each.close()


def test_a_body_that_does_not_come(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_S", 0.2)
    with socket.create_connection((served.client.base_url.host, served.client.base_url.port or 80), 20) as client:
        client.sendall(b"POST /iso2/ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0")
        assert client.recv(4_096).startswith(b"HTTP/1.1 408 ")


def test_many_ask_at_once(served: Served) -> None:
    found: list[OCSPCertStatus] = []

    def ask() -> None:
        with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client:
            for _ in range(20):
                answer = client.post("/iso2/ocsp", content=request(served))
                found.append(load_der_ocsp_response(answer.content).certificate_status)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [OCSPCertStatus.GOOD] * 320
