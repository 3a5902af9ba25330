from __future__ import annotations

import os
import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from sqlalchemy import event, text

from pki.evidence import Status
from pki.serve import database as databases
from pki.serve import login
from pki.serve.ledger import Ledger
from pki.serve.misbehaviour import MISBEHAVIOURS, Switch
from pki.serve.state import Held, State, Unavailable
from tests.pki.serve.postgres import Cluster

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOLD = x509.ReasonFlags.certificate_hold


def held(serial: int, **changes: object) -> Held:
    fields: dict[str, object] = {
        "tree": "iso2",
        "issuer": "a" * 64,
        "serial": serial,
        "role": "secc",
        "common_name": f"DE*PCG*E{serial}",
        "subject": b"\x30\x00",
        "not_before": NOW.timestamp(),
        "not_after": NOW.timestamp() + 1,
        "der": b"\x30\x00",
    }
    return msgspec.convert(fields | changes, Held)


def ledger_of(url: str) -> Ledger:
    """What another server reads of a database."""
    state, ledger = State(url), Ledger()
    state.refresh(ledger)
    state.close()
    return ledger


def test_what_is_kept_is_read_by_another_server(database: str) -> None:
    state = State(database)
    big = (1 << 159) - 1
    assert state.record([held(1), held(big)]) == 2
    state.revoke(("a" * 64, big), NOW, HOLD)
    switches = tuple(Switch(service=each.service, name=each.name, certificate="x") for each in MISBEHAVIOURS)
    state.switch([*switches, *switches])
    state.set_offset(-1.5)
    state.close()
    found = ledger_of(database)
    assert found.names == {("a" * 64, 1): "DE*PCG*E1", ("a" * 64, big): f"DE*PCG*E{big}"}
    standing = found.standing(("a" * 64, big), NOW.timestamp())
    assert (standing.status, standing.since, standing.reason) == (Status.REVOKED, NOW, HOLD)
    assert found.standing(("a" * 64, big), NOW.timestamp() - 1).status is Status.GOOD
    assert found.standing(("a" * 64, 2), NOW.timestamp()).status is Status.UNKNOWN
    assert set(found.switches) == set(switches)
    assert len(found.switches) == len(switches)
    assert found.offset_s == -1.5


def test_a_certificate_is_kept_once(database: str) -> None:
    state = State(database)
    assert state.record([held(1), held(1), held(2)]) == 2
    assert state.record([held(2), held(3), held(1, issuer="b" * 64)]) == 2
    assert state.record([]) == 0
    assert state.counts()["certificates"] == 4
    assert [each.serial for each in state.certificates("iso2", "secc", "DE*PCG*E3")] == [3]
    assert {each.issuer for each in state.by_serial("iso2", 1)} == {"a" * 64, "b" * 64}
    assert state.by_serial("iso20", 1) == []
    (kept,) = state.by_serial("iso2", 2)
    assert kept == held(2)
    state.close()


def test_many_certificates(database: str) -> None:
    state = State(database)
    assert state.record([held(number) for number in range(1, 2_001)]) == 2_000
    assert state.record([held(number) for number in range(1_000, 2_002)]) == 1
    ledger = Ledger()
    assert state.refresh(ledger)
    assert len(ledger.names) == 2_001
    state.close()


def test_a_ledger_is_read_anew_only_after_a_change(database: str) -> None:
    state, ledger = State(database), Ledger()
    assert state.refresh(ledger)
    assert not state.refresh(ledger)
    other = State(database)
    other.record([held(7)])
    assert state.refresh(ledger)
    assert ("a" * 64, 7) in ledger.names
    other.revoke(("a" * 64, 7), NOW, HOLD)
    assert state.refresh(ledger)
    assert other.reinstate(("a" * 64, 7))
    assert not other.reinstate(("a" * 64, 7))
    assert state.refresh(ledger)
    assert ledger.revoked == {}
    assert not state.refresh(ledger)
    other.close()
    state.close()


def test_writers_at_once_lose_nothing(database: str) -> None:
    """Each reader sees all numbers, none is passed over: changes come one after another."""
    states = [State(database) for _ in range(4)]
    ledger, reader, done = Ledger(), State(database), threading.Event()

    def write(place: int) -> None:
        for number in range(25):
            states[place].record([held(place * 1_000 + number)])

    def read() -> None:
        while not done.is_set():
            reader.refresh(ledger)

    threads = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    watching = threading.Thread(target=read)
    for thread in (watching, *threads):
        thread.start()
    for thread in threads:
        thread.join(60)
    done.set()
    watching.join(60)
    reader.refresh(ledger)
    assert len(ledger.names) == 100
    for state in (*states, reader):
        state.close()


def test_nothing_is_half_written(database: str) -> None:
    """What fails in the middle leaves no trace, and the next change works."""
    state = State(database)
    state.record([held(1)])
    broken = msgspec.structs.replace(held(2), role=None)
    with pytest.raises(Unavailable):
        state.record([held(3), broken])
    assert state.counts()["certificates"] == 1
    assert state.record([held(3)]) == 1
    state.close()


def test_secrets_are_hashes(database: str) -> None:
    state = State(database)
    kept, plain = login.make("csms")
    state.keep_secret(kept)
    door = login.Door(state)
    assert len(plain) >= 32
    assert plain.encode() not in kept.digest + kept.salt
    assert door.opens(f"Bearer csms.{plain}") == "csms"
    assert door.opens(f"Bearer csms.{plain}") == "csms"
    assert door.opens(f"Bearer csms.{plain}x") is None
    other, new = login.make("csms", "another secret")
    state.keep_secret(other)
    assert door.opens(f"Bearer csms.{plain}") is None, "a remembered login ends with its secret"
    assert door.opens(f"Bearer csms.{new}") == "csms"
    assert state.drop_secret("csms")
    assert not state.drop_secret("csms")
    assert door.opens(f"Bearer csms.{new}") is None
    state.close()


@pytest.mark.parametrize(("name", "secret"), [("a b", None), ("", None), ("x" * 65, None), ("a", "short"), ("a", "")])
def test_secrets_that_are_none(name: str, secret: str | None) -> None:
    with pytest.raises(ValueError, match=r"letters, digits|characters; choose 12"):
        login.make(name, secret)


def test_another_version_is_refused(database: str) -> None:
    state = State(database)
    with state.engine.begin() as connection:
        connection.execute(text("UPDATE state SET version = 99"))
    state.close()
    with pytest.raises(ValueError, match="tables of version 99, this server 1"):
        State(database)


# --- sqlite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


def test_the_file_is_its_owners(file: Path) -> None:
    State(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_locked_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE_S", 0.05)
    state = State(f"sqlite:///{file}")
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="database is locked; another process writes to it; try again"):
            state.record([held(1)])
        assert not state.refresh(Ledger(revision=0)), "who reads does not wait for who writes"
        other.execute("ROLLBACK")
    other.close()
    assert state.record([held(1)]) == 1
    state.close()


def test_a_full_disk(file: Path) -> None:
    """SQLite is told that it has no page left, and says what it says on a full disk."""
    state = State(f"sqlite:///{file}")

    def fill(connection: sqlite3.Connection, record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    state.close()
    event.listen(state.engine, "connect", fill)
    with pytest.raises(Unavailable, match="database or disk is full; make room on the disk"):
        state.record([held(number, der=bytes(4_000)) for number in range(100)])
    event.remove(state.engine, "connect", fill)
    state.close()
    assert state.counts()["certificates"] == 0
    assert state.record([held(1)]) == 1
    state.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://h/d", "mysql is no kind of database we know"),
        ("postgresql+psycopg2://h/d", "is no kind of database we know"),
        ("nonsense", "no URL of a database"),
        ("", "no URL of a database"),
    ],
)
def test_urls_that_are_none(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        State(url)


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(OSError, match="not a database; name another file"):
        State(f"sqlite:///{tmp_path / 'text'}")
    with pytest.raises(OSError, match="text"):
        State(f"sqlite:///{tmp_path / 'text' / 'state'}")


def test_a_postgresql_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        State(f"postgresql://me:swordfish@/pki?unix_sock={tmp_path}/none")
    assert "swordfish" not in str(caught.value)
    assert os.fspath(tmp_path) in str(caught.value) or "none" in str(caught.value)


def test_a_postgresql_that_is_restarted(postgres: Cluster) -> None:
    """Its absence is told, and nothing has to be done after its return."""
    state, ledger = State(postgres.new()), Ledger()
    state.record([held(1)])
    postgres.stop()
    try:
        for call in (lambda: state.record([held(2)]), lambda: state.refresh(ledger), state.counts):
            with pytest.raises(Unavailable):
                call()
    finally:
        postgres.start()
    assert state.record([held(2)]) == 1
    assert state.refresh(ledger)
    assert len(ledger.names) == 2
    state.close()


def test_times_are_told_to_the_microsecond(database: str) -> None:
    state, at = State(database), NOW + timedelta(microseconds=123_456)
    state.record([held(1)])
    state.revoke(("a" * 64, 1), at, HOLD)
    assert ledger_of(database).revoked["a" * 64, 1].since == at
    state.close()
