"""The OCSP responses that the station staples to its certificates: judged, and renewed long before they end.

A handshake takes what is at hand and never waits; all bringing happens beside it. A response is asked for anew when
half of its time is over, in -20 counted from a week at most [V2G20-1021], and again and again while none comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from pki import ocsp, store
from pki.cache import Cache
from pki.certificate import Certificate, read
from pki.evidence import ISO2, ISO20, Statement, Status, Terms
from pki.revocation import weigh
from pki.shown import shown
from secc.staple_sources import Source
from v2g.errors import Untrusted, V2GError
from v2g.tls.identity import Identity
from v2g.tls.suites import Generation

LOOK_S = 10.0
"""How often files are looked at, and whether something is due."""
FIRST_RETRY_S = 30.0
LONGEST_RETRY_S = 3_600.0

TERMS: dict[Generation, Terms] = {Generation.ISO2: ISO2, Generation.ISO20: ISO20}
Tell = Callable[[str, str], None]
"""Takes kind and reason of an event."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate of ours that a response is wanted for, its issuer, and how old the response may be."""

    certificate: Certificate
    issuer: Certificate
    terms: Terms

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{shown(self.certificate.common_name)} (serial {self.certificate.serial:x})"

    @property
    def file(self) -> str:
        """The name of the file that its response is kept in."""
        return f"{hashlib.sha256(self.certificate.der).hexdigest()[:32]}.der"


@dataclass(frozen=True, slots=True)
class Staple:
    """A response that may be stapled, and what it says."""

    der: bytes
    said: Statement

    @property
    def renew_at(self) -> datetime:
        """When half of its time is over."""
        return self.said.this_update + (self.said.until - self.said.this_update) / 2


def subjects(identity: Identity) -> list[Subject]:
    """List the certificates of an identity, leaf first, as far as their issuers are known; none of a private one."""
    if identity.private:
        return []
    chain = [read(der) for der in (*identity.chain, *([identity.root] if identity.root else []))]
    return [Subject(certificate, issuer, TERMS[identity.generation]) for certificate, issuer in pairwise(chain)]


def best(responses: Iterable[bytes], subject: Subject, at: datetime) -> tuple[Staple | None, str]:
    """Choose what to staple at a time (aware); None, and the reason, where nothing may be.

    Of several the latest counts, and a revocation before all: a station that knows of one does not hide it.
    """
    usable: list[Staple] = []
    why = "there is no OCSP response about it"
    for der in responses:
        try:
            usable.append(_staple(der, subject, at))
        except Untrusted as error:
            why = str(error)
    standing = weigh(staple.said for staple in usable)
    fitting = [staple for staple in usable if staple.said.standing == standing]
    return max(fitting, key=lambda staple: staple.said.until, default=None), why


def _staple(der: bytes, subject: Subject, at: datetime) -> Staple:
    """Judge a response as a vehicle will, without its forbearance; raises `Untrusted` for one of no use to it."""
    said = ocsp.judge(der, subject.certificate, subject.issuer, at, subject.terms)
    if said.until < at:
        raise Untrusted("ocsp, stale", f"was to be renewed by {said.until:%Y-%m-%d %H:%M} UTC")
    if said.standing.status is Status.UNKNOWN:
        raise Untrusted("ocsp, unknown", "its responder does not know it")
    return Staple(der, said)


@dataclass(slots=True)
class _Kept:
    """One certificate of ours and what is stapled to it."""

    subject: Subject
    staple: Staple | None = None
    why: str = "no OCSP response has been asked for yet"
    failures: int = 0
    again_at: float = 0.0
    asking: bool = False
    told: Status | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def due(self, at: datetime, now: float) -> bool:
        """Whether to ask for a new response; `now` is monotonic."""
        old = self.staple is None or at >= self.staple.renew_at
        return old and not self.asking and now >= self.again_at


@dataclass(slots=True)
class Staples:
    """What is stapled to the station's chains. `sources` are asked in their order; `scale` multiplies all waiting.

    `folder` holds responses as files (.der): whatever lies there is used, and what came is written there, so that a
    restart finds it. `tell` is told of what an operator has to know. Raises ValueError for a folder that is not there.
    """

    sources: Sequence[Source] = ()
    folder: Path | None = None
    whole: bool = False
    """Whether the CAs of a chain get staples as well as its leaf."""
    tell: Tell = lambda _kind, _reason: None
    scale: float = 1.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _files: Cache = field(init=False)
    _kept: dict[bytes, _Kept] = field(default_factory=dict)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._files = Cache([] if self.folder is None else [self.folder])

    # --- in a handshake -------------------------------------------------------------------------------------------

    def __call__(self, identity: Identity) -> Sequence[bytes]:
        """Give the responses for an identity's chain in its order, b"" where there is none. Returns at once."""
        return [self.of(der) for der in identity.chain]

    def of(self, certificate: bytes) -> bytes:
        """Give the response for a certificate (DER); b"" where none may be relied upon now."""
        kept = self._kept.get(certificate)
        staple = None if kept is None else kept.staple
        return b"" if staple is None or self.clock() > staple.said.until else staple.der

    # --- what is to be stapled ------------------------------------------------------------------------------------

    def keep(self, identities: Iterable[Identity]) -> None:
        """Keep responses for these identities from now on, and for no others."""
        wanted = [each for identity in identities for each in subjects(identity)[: None if self.whole else 1]]
        self._kept = {each.certificate.der: self._kept.get(each.certificate.der) or _Kept(each) for each in wanted}
        self._woken.set()

    def look(self) -> None:
        """Choose from the files at once, before anybody is served; it blocks, and is of no use while `run` runs."""
        self._files.refresh()
        for kept in self._kept.values():
            kept.staple, kept.why = self._chosen(kept, [])

    def states(self) -> Iterator[tuple[Subject, Staple | None, str]]:
        """Tell what there is for each certificate, and why nothing."""
        for kept in self._kept.values():
            yield kept.subject, kept.staple, kept.why

    # --- beside the handshakes ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the responses fresh until cancelled; a fault of ours in it is no reason to charge nobody."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                try:
                    await self._go_round(tasks)
                except Exception:
                    log.exception("looking after OCSP responses failed by a fault of ours")
                await self._pause()

    async def _go_round(self, tasks: asyncio.TaskGroup) -> None:
        """Take what changed in the folder, and begin to ask for what is due."""
        await asyncio.to_thread(self._files.refresh)
        for kept in self._kept.values():
            await self._choose(kept)
            if self.sources and kept.due(self.clock(), time.monotonic()):
                kept.asking = True
                tasks.create_task(self._renew(kept))
            self._report(kept)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S * self.scale):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _choose(self, kept: _Kept, *arrived: bytes) -> None:
        """Choose anew, from the files, from what there is and from what arrived; judging takes its time elsewhere."""
        async with kept.lock:
            kept.staple, kept.why = await asyncio.to_thread(self._chosen, kept, arrived)

    def _chosen(self, kept: _Kept, arrived: Sequence[bytes]) -> tuple[Staple | None, str]:
        subject = kept.subject
        had = [] if kept.staple is None else [kept.staple.der]
        found = self._files.responses(subject.certificate, subject.issuer)
        return best(dict.fromkeys([*had, *found, *arrived]), subject, self.clock())

    async def _renew(self, kept: _Kept) -> None:
        """Ask the sources one after the other until one brings a response that may be stapled."""
        try:
            for source in self.sources:
                if await self._brought(kept, source):
                    break
        except Exception:
            log.exception("asking for an OCSP response failed by a fault of ours")
        finally:
            fresh = kept.staple is not None and self.clock() < kept.staple.renew_at
            kept.failures = 0 if fresh else kept.failures + 1
            wait_s = 0.0 if fresh else min(FIRST_RETRY_S * 2 ** min(kept.failures - 1, 10), LONGEST_RETRY_S)
            kept.again_at = time.monotonic() + wait_s * self.scale
            kept.asking = False
            self._report(kept)

    async def _brought(self, kept: _Kept, source: Source) -> bool:
        """Take what a source brings; True if it may be stapled and is better than what there was."""
        subject = kept.subject
        try:
            der = await source(subject.certificate, subject.issuer)
            await asyncio.to_thread(_staple, der, subject, self.clock())
        except V2GError as error:
            log.warning("no OCSP response for %s: %s", subject.name, error)
            return False
        await self._choose(kept, der)
        if kept.staple is None or kept.staple.der != der:
            log.warning("the OCSP response for %s is no better than what there was", subject.name)
            return False
        await asyncio.to_thread(self._save, subject, der)
        return True

    def _save(self, subject: Subject, der: bytes) -> None:
        if self.folder is None:
            return
        try:
            store.write(self.folder / subject.file, der)
        except OSError as error:
            log.warning("%s: an OCSP response cannot be kept there: %s", self.folder, error)

    def _report(self, kept: _Kept) -> None:
        """Say once how a certificate stands, and that nothing can be stapled."""
        status = Status.UNKNOWN if kept.staple is None else kept.staple.said.standing.status
        if status is kept.told or (kept.staple is None and kept.asking):
            return
        kept.told = status
        name = kept.subject.name
        if kept.staple is None:
            log.warning("nothing is stapled to %s: %s", name, kept.why)
            self.tell("staple_missing", f"nothing is stapled to {name}: {kept.why}")
        elif status is Status.REVOKED:
            log.error("%s is revoked; vehicles are told so and stay away", name)
            self.tell("staple_revoked", f"{name} is revoked")
        else:
            log.info("stapled to %s until %s", name, f"{kept.staple.said.until:%Y-%m-%d %H:%M} UTC")
