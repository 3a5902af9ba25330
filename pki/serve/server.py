"""All that one process serves: its trees with their services, the state, the clock, and what is wrong at the moment."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pki import revoked
from pki.evidence import Standing
from pki.serve import clock
from pki.serve.contracts import Contracts
from pki.serve.crl import Lists
from pki.serve.est import Enrolment
from pki.serve.ledger import Key, Ledger
from pki.serve.login import Door
from pki.serve.metrics import Metrics
from pki.serve.ocsp import Responder
from pki.serve.realm import Realm
from pki.serve.state import State
from pki.store import Store
from pki.tree import Tree
from v2g.trust import Role

log = logging.getLogger(__name__)
ENROLLED = (Role.SECC, Role.CONTRACT, Role.OEM_PROVISIONING, Role.VEHICLE)
"""The roles of leaves that EST enrols, the first by the bare name of the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of one tree; None or missing where its folder lacks what they need."""

    realm: Realm
    responder: Responder
    lists: Lists
    enrolments: Mapping[Role, Enrolment]
    contracts: Contracts | None


class Server:
    """The trees below a folder that are declared and made, with their state.

    `delay_s` is how late a delayed answer comes. `trouble` says why the state or the folders cannot be read at the
    moment; what was read before is served on.
    """

    def __init__(self, trees: Mapping[str, Tree], out: Path, state: State, *, delay_s: float = 5.0) -> None:
        """Read everything; raises ValueError or OSError naming what cannot be used."""
        self._declared = dict(trees)
        self._out = out
        self.state = state
        self.delay_s = delay_s
        self.ledger = Ledger()
        self.door = Door(state)
        self.metrics = Metrics()
        self.trouble = ""
        self.trees: Mapping[str, Services] = {}
        self._seen: dict[Path, int] = {}
        self.load()

    def load(self) -> None:
        """Read all folders, keep in the state what is new there; raises ValueError or OSError."""
        seen = self._stamps()
        found = made(self._declared, self._out)
        realms = {name: Realm(name, tree, Store(self._out / name)) for name, tree in found.items()}
        listed = {key: standing for realm in realms.values() for key, standing in _listed(realm)}
        for realm in realms.values():
            new = self.state.record(list(realm.held()))
            log.info("%s: %d certificates new to the state", realm.name, new)
        self.state.refresh(self.ledger)
        self.trees = {name: self._services(realm) for name, realm in realms.items()}
        self.ledger.listed = listed
        self.ledger.changes += 1
        self._seen = seen

    def watch(self) -> None:
        """Take in what others changed: another server in the database, `pki init` and `pki revoke` in the folders."""
        try:
            self.state.refresh(self.ledger)
            if self._stamps() != self._seen:
                self.load()
        except (ValueError, OSError) as error:
            if str(error) != self.trouble:
                log.warning("%s", error)
            self.trouble = str(error)
        else:
            self.trouble = ""

    def now(self, told: str | None) -> datetime:
        """Return the time of a request, with the one it tells, if any; raises ValueError for a bad one."""
        return clock.told(told) if told is not None else clock.now(self.ledger.offset_s)

    def labels(self) -> Iterator[tuple[str, Enrolment]]:
        """Yield the EST labels there are; the name of a tree wins over one with a role."""
        for name, services in self.trees.items():
            yield from ((f"{name}-{role}", enrolment) for role, enrolment in services.enrolments.items())
        for name, services in self.trees.items():
            yield from ((name, services.enrolments[role]) for role in ENROLLED[:1] if role in services.enrolments)

    def _services(self, realm: Realm) -> Services:
        enrolments = {}
        for role in ENROLLED:
            try:
                enrolments[role] = Enrolment(realm, role, self.state, self.ledger, self.door)
            except ValueError as error:
                log.info("%s", error)
        return Services(
            realm=realm,
            responder=Responder(realm, self.ledger),
            lists=Lists(realm, self.ledger),
            enrolments=enrolments,
            contracts=_contracts(realm, self.state, self.ledger),
        )

    def _stamps(self) -> dict[Path, int]:
        """Return when the files that tell of changes were last written."""
        paths = (self._out / name / file for name in self._declared for file in (revoked.NAME, "manifest.json"))
        return {path: stamp for path in paths if (stamp := _written(path)) is not None}


def made(trees: Mapping[str, Tree], out: Path) -> dict[str, Tree]:
    """Return those of the declared trees that lie below a folder; raise ValueError where none does."""
    found = {name: tree for name, tree in trees.items() if (out / name / "ca").is_dir()}
    if not found:
        raise ValueError(f"{out}: holds none of the trees {', '.join(trees)}; `plugcharge pki init` makes them")
    return found


def _contracts(realm: Realm, state: State, ledger: Ledger) -> Contracts | None:
    try:
        return Contracts(realm, state, ledger)
    except ValueError as error:
        log.info("%s: no contracts are provided: %s", realm.name, error)
        return None


def _listed(realm: Realm) -> Iterator[tuple[Key, Standing]]:
    for entry in revoked.load(realm.store.folder).revoked:
        authority = realm.authorities.get(entry.issuer)
        if authority is not None:
            yield (authority.id, int(entry.serial)), entry.standing


def _written(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
