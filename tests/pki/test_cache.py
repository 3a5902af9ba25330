from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pki import cache, crl
from pki.cache import Cache
from pki.evidence import GOOD, UNKNOWN, Flaw, Standing, Status, Unusable
from pki.ocsp import cert_id
from tests.pki.chains import NOW
from tests.pki.signers import delegate
from tests.pki.test_crl import COMPROMISED, LEAF, PATH, SUB2, listed
from tests.pki.test_ocsp import response as about_another

SIGNER = delegate(PATH.sub2)
REVOKED = Standing(status=Status.REVOKED, since=COMPROMISED.at, reason=COMPROMISED.reason)


def said(evidence: Cache) -> list[Standing]:
    return [word.standing for word in evidence.find(LEAF, SUB2, NOW).statements]


def told(standing: Standing, number: int = 0, serial: int = LEAF.serial) -> bytes:
    """A response about a certificate of this CA; each number gives another one."""
    about = cert_id(serial, SUB2.parsed, SHA256())
    return about_another(SIGNER, standing, about=about, nonce=bytes([number]) * 16)


def replace(path: Path, data: bytes) -> None:
    """Exchange a file as a tool does that writes whole files."""
    new = path.with_name("." + path.name)
    new.write_bytes(data)
    new.replace(path)


def test_what_is_added_is_found() -> None:
    evidence = Cache()
    assert said(evidence) == []
    evidence.add(about_another(standing=UNKNOWN))
    evidence.add(listed())
    assert said(evidence) == [GOOD]


def test_what_may_not_be_relied_upon_is_told_and_not_said() -> None:
    evidence = Cache()
    evidence.add(listed(this_update=NOW - timedelta(days=9), next_update=NOW - timedelta(days=8)))
    found = evidence.find(LEAF, SUB2, NOW)
    assert found.statements == []
    assert [error.flaw for error in found.refused] == [Flaw.STALE]


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"nothing of the kind", b"\x30" * (crl.MOST_BYTES + 1)])
def test_what_is_no_evidence_is_not_kept(data: bytes) -> None:
    evidence = Cache()
    with pytest.raises(Unusable):
        evidence.add(data)
    assert said(evidence) == []


def test_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_PIECES", 2)
    evidence = Cache()
    evidence.add(listed(COMPROMISED))
    for number in (1, 2):
        assert said(evidence)[0] == REVOKED
        evidence.add(listed(number=number))
    assert said(evidence) == [GOOD, GOOD]


def test_what_was_asked_again_and_again_does_not_pile_up() -> None:
    """A responder that does not know a certificate is asked every half minute, and every answer is another one."""
    evidence = Cache()
    evidence.add(told(REVOKED, serial=1))
    for number in range(20):
        evidence.add(told(UNKNOWN, number))
        evidence.add(listed(number=100 + number))
    assert said(evidence).count(UNKNOWN) == cache.MOST_OF_ONE
    assert said(evidence).count(GOOD) == cache.MOST_OF_ONE
    other = dataclasses.replace(LEAF, serial=1)
    assert evidence.find(other, SUB2, NOW).statements[0].standing == REVOKED


def test_a_revocation_for_good_does_not_make_room_for_newer_words() -> None:
    evidence = Cache()
    evidence.add(told(REVOKED))
    for number in range(20):
        evidence.add(told(GOOD, number))
    assert said(evidence).count(REVOKED) == 1
    assert said(evidence).count(GOOD) == cache.MOST_OF_ONE


def test_bytes_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    data = listed()
    monkeypatch.setattr(cache, "MOST_BYTES", 2 * len(data))
    evidence = Cache()
    for number in range(10, 20):
        evidence.add(listed(number=number))
    assert 1 <= len(said(evidence)) <= 2


def test_a_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "sub2.crl"
    path.write_bytes(listed())
    evidence = Cache([path])
    assert said(evidence) == [GOOD]
    replace(path, listed(COMPROMISED))
    assert said(evidence) == [GOOD]
    evidence.refresh()
    assert said(evidence) == [REVOKED]


def test_a_folder_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    evidence = Cache([tmp_path])
    (tmp_path / "a.crl").write_bytes(listed())
    pem = x509.load_der_x509_crl(listed(COMPROMISED)).public_bytes(Encoding.PEM)
    (tmp_path / "b.pem").write_bytes(pem)
    (tmp_path / "notes.txt").write_bytes(listed())
    (tmp_path / ".half.crl").write_bytes(listed()[:50])
    (tmp_path / "folder.crl").mkdir()
    with caplog.at_level(logging.WARNING):
        evidence.refresh()
    assert said(evidence) == [GOOD, REVOKED]
    assert [record.message for record in caplog.records if "notes" in record.message or "half" in record.message] == []
    (tmp_path / "b.pem").unlink()
    evidence.refresh()
    assert said(evidence) == [GOOD]


def test_a_file_that_is_damaged_later_leaves_what_it_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "sub2.crl"
    path.write_bytes(listed(COMPROMISED))
    evidence = Cache([path])
    replace(path, b"half a li")
    for _ in range(3):
        evidence.refresh()
    assert said(evidence) == [REVOKED]
    assert len([record for record in caplog.records if "sub2.crl" in record.message]) == 1


@pytest.mark.parametrize("named", ["sub2.crl", "."])
def test_a_source_that_is_gone_leaves_what_it_said(
    tmp_path: Path, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As long as a list is exchanged by hand, nobody who is on it may slip through."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "sub2.crl").write_bytes(listed(COMPROMISED))
    evidence = Cache([folder / named])
    (folder if named == "." else folder / named).rename(tmp_path / "elsewhere")
    for _ in range(3):
        evidence.refresh()
    assert said(evidence) == [REVOKED]
    assert len([record for record in caplog.records if "is gone" in record.message]) == 1
    (tmp_path / "elsewhere").rename(folder if named == "." else folder / named)
    replace(folder / "sub2.crl", listed())
    evidence.refresh()
    assert said(evidence) == [GOOD]


@pytest.mark.parametrize("content", [None, b"", b"no list"])
def test_a_source_that_is_none_is_told_at_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sub2.crl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"sub2\.crl"):
        Cache([path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_source_nobody_may_read(tmp_path: Path) -> None:
    path = tmp_path / "sub2.crl"
    path.write_bytes(listed())
    path.chmod(0)
    with pytest.raises(ValueError, match=r"sub2\.crl"):
        Cache([path])


def test_several_threads_may_use_it() -> None:
    evidence = Cache()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(20):
                evidence.add(listed(number=number))
                evidence.find(LEAF, SUB2, NOW)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)


# --- followed by a thread ---------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LOOK_S", 0.01)


def until(holds: Callable[[], bool]) -> None:
    over = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < over, "waited in vain"
        time.sleep(0.01)


@pytest.mark.usefixtures("hasty")
def test_what_changes_is_read_by_a_thread(tmp_path: Path) -> None:
    path = tmp_path / "sub2.crl"
    path.write_bytes(listed())
    evidence = Cache([path])
    evidence.follow()
    replace(path, listed(COMPROMISED))
    until(lambda: said(evidence) == [REVOKED])


@pytest.mark.usefixtures("hasty")
def test_who_asks_never_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known before counts while a list is being read."""
    path = tmp_path / "sub2.crl"
    path.write_bytes(listed())
    evidence = Cache([path])
    reading, released, load = threading.Event(), threading.Event(), cache._load

    def slow(changed: Path) -> cache.Piece | None:
        reading.set()
        assert released.wait(20)
        return load(changed)

    monkeypatch.setattr(cache, "_load", slow)
    evidence.follow()
    replace(path, listed(COMPROMISED))
    assert reading.wait(20)
    for _ in range(3):
        evidence.update()
        assert said(evidence) == [GOOD]
    evidence.add(told(UNKNOWN))
    assert len(said(evidence)) == 2
    released.set()
    until(lambda: REVOKED in said(evidence))


@pytest.mark.usefixtures("hasty")
def test_the_thread_ends_with_its_cache(tmp_path: Path) -> None:
    evidence = Cache([tmp_path])
    before = set(threading.enumerate())
    evidence.follow()
    evidence.follow()
    (work,) = set(threading.enumerate()) - before
    del evidence
    work.join(20)
    assert not work.is_alive()


def test_without_a_thread_who_asks_reads(tmp_path: Path) -> None:
    evidence = Cache([tmp_path])
    (tmp_path / "sub2.crl").write_bytes(listed())
    evidence.update()
    assert said(evidence) == [GOOD]


def test_without_sources_there_is_no_thread() -> None:
    before = threading.active_count()
    Cache().follow()
    assert threading.active_count() == before


def test_a_folder_nobody_may_look_into_leaves_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub2.crl").write_bytes(listed(COMPROMISED))
    evidence = Cache([tmp_path])
    monkeypatch.setattr(os, "scandir", Mock(side_effect=PermissionError))
    evidence.refresh()
    assert said(evidence) == [REVOKED]
