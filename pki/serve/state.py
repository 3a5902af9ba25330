"""The state that outlives a server: certificates, revocations, enrolment secrets, switches; in SQLite or PostgreSQL.

Every call blocks and is one transaction: the services make them in threads. Each raises `Unavailable` where the
database cannot be used, and then nothing of it was written.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pki.evidence import Standing, Status
from pki.serve import database
from pki.serve.ledger import Key, Ledger
from pki.serve.misbehaviour import Service, Switch
from pki.serve.schema import CERTIFICATES, METADATA, MISBEHAVIOURS, REVOCATIONS, SECRETS, STATE, VERSION
from v2g.record import Record

_BATCH = 500


class Unavailable(OSError):
    """The database does not answer, or does not take what it is given."""


class Held(Record):
    """A certificate the servers know; times are POSIX seconds."""

    tree: str
    issuer: str
    serial: int
    role: str
    common_name: str
    subject: bytes
    not_before: float
    not_after: float
    der: bytes


class Secret(Record):
    """What is kept of an enrolment secret."""

    name: str
    salt: bytes
    digest: bytes


class State:
    """The database at a URL, with its tables."""

    def __init__(self, url: str) -> None:
        """Open it and make what is missing; raises `Unavailable`, or ValueError for another version or a bad URL."""
        self.engine: Engine = database.engine(url)
        self._refreshing = threading.Lock()
        self.shown = self.engine.url.render_as_string(hide_password=True)
        try:
            with self._told():
                METADATA.create_all(self.engine)
                self._begin_version()
        except (OSError, ValueError):
            self.close()
            raise

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()

    # --- read ---------------------------------------------------------------------------------------------------------

    def refresh(self, ledger: Ledger) -> bool:
        """Bring a ledger up to date; tell whether anything had changed."""
        with self._refreshing, self._reading() as connection:
            row = connection.execute(select(STATE.c.revision, STATE.c.clock_offset_s)).one()
            if row.revision == ledger.revision:
                return False
            names, last = _new_names(connection, ledger.last)
            revoked = dict(_standings(connection))
            switches = tuple(_switches(connection))
            ledger.names.update(names)
            ledger.last, ledger.revoked, ledger.switches = last, revoked, switches
            ledger.changes += 1
            ledger.offset_s, ledger.revision = row.clock_offset_s, row.revision
        return True

    def certificates(self, tree: str, role: str, common_name: str) -> list[Held]:
        """Return the certificates of a role with a CN, newest first."""
        table = CERTIFICATES.c
        which = select(CERTIFICATES).where(table.tree == tree, table.role == role, table.common_name == common_name)
        return self._held(which.order_by(table.id.desc()))

    def by_serial(self, tree: str, serial: int) -> list[Held]:
        """Return the certificates of a tree with a serial number: several where authorities chose the same."""
        table = CERTIFICATES.c
        return self._held(select(CERTIFICATES).where(table.tree == tree, table.serial == str(serial)))

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self._reading() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (CERTIFICATES, REVOCATIONS, SECRETS, MISBEHAVIOURS)
            }

    def secret(self, name: str) -> Secret | None:
        """Return what is kept of a secret."""
        with self._reading() as connection:
            row = connection.execute(select(SECRETS).where(SECRETS.c.name == name)).one_or_none()
        return None if row is None else Secret(**row._asdict())

    # --- changed ------------------------------------------------------------------------------------------------------

    def record(self, certificates: Sequence[Held]) -> int:
        """Keep certificates that are new; return how many were."""
        with self._changing() as connection:
            new = _unknown(connection, certificates)
            for start in range(0, len(new), _BATCH):
                connection.execute(insert(CERTIFICATES), [_row(each) for each in new[start : start + _BATCH]])
        return len(new)

    def revoke(self, key: Key, at: datetime, reason: x509.ReasonFlags) -> None:
        """Revoke a certificate as of a time; one that is revoked gets the new time and reason."""
        with self._changing() as connection:
            connection.execute(_revocation(key))
            values = {"issuer": key[0], "serial": str(key[1]), "at": at.timestamp(), "reason": reason.value}
            connection.execute(insert(REVOCATIONS).values(**values))

    def reinstate(self, key: Key) -> bool:
        """Take a revocation back; tell whether there was one."""
        with self._changing() as connection:
            return bool(connection.execute(_revocation(key)).rowcount)

    def switch(self, switches: Iterable[Switch]) -> None:
        """Have these misbehaviours on and no others."""
        rows = [json.loads(text) for text in {json.dumps(_switch_row(each)) for each in switches}]
        with self._changing() as connection:
            connection.execute(delete(MISBEHAVIOURS))
            if rows:
                connection.execute(insert(MISBEHAVIOURS), rows)

    def switch_on(self, switches: Iterable[Switch]) -> None:
        """Have these misbehaviours on beside those that are."""
        with self._changing() as connection:
            for each in switches:
                connection.execute(_misbehaviour(each))
                connection.execute(insert(MISBEHAVIOURS).values(**_switch_row(each)))

    def switch_off(self, switch: Switch) -> None:
        """Have this misbehaviour off, if it was on."""
        with self._changing() as connection:
            connection.execute(_misbehaviour(switch))

    def set_offset(self, seconds: float) -> None:
        """Move the clock."""
        with self._changing() as connection:
            connection.execute(update(STATE).values(clock_offset_s=seconds))

    def keep_secret(self, secret: Secret) -> None:
        """Keep a secret, in place of one of the same name."""
        with self._changing() as connection:
            connection.execute(delete(SECRETS).where(SECRETS.c.name == secret.name))
            values = {"name": secret.name, "salt": secret.salt, "digest": secret.digest}
            connection.execute(insert(SECRETS).values(**values))

    def drop_secret(self, name: str) -> bool:
        """Forget a secret; tell whether there was one."""
        with self._changing() as connection:
            return bool(connection.execute(delete(SECRETS).where(SECRETS.c.name == name)).rowcount)

    # --- within -------------------------------------------------------------------------------------------------------

    def _begin_version(self) -> None:
        with self.engine.begin() as connection:
            found = connection.execute(select(STATE.c.version)).scalar_one_or_none()
        if found is None:
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert(STATE).values(id=1, version=VERSION, revision=0, clock_offset_s=0.0))
            except IntegrityError:
                return  # another server that starts at the same time was quicker
        elif found != VERSION:
            raise ValueError(f"{self.shown}: has tables of version {found}, this server {VERSION}; name another one")

    def _held(self, which: Select[Any]) -> list[Held]:
        with self._reading() as connection:
            rows = connection.execute(which).all()
        return [_from_row(row._asdict()) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        """A transaction that counts the revision up first, and so has its turn among all others."""
        with self._told(), self.engine.begin() as connection:
            connection.execute(update(STATE).values(revision=STATE.c.revision + 1))
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(f"{self.shown}: {database.reason(error)}") from error


def _new_names(connection: Connection, last: int) -> tuple[dict[Key, str], int]:
    table = CERTIFICATES.c
    which = select(table.id, table.issuer, table.serial, table.common_name).where(table.id > last)
    names = {}
    for number, issuer, serial, common_name in connection.execute(which.order_by(table.id)):
        names[issuer, int(serial)] = common_name
        last = number
    return names, last


def _standings(connection: Connection) -> Iterator[tuple[Key, Standing]]:
    for issuer, serial, at, reason in connection.execute(select(REVOCATIONS)):
        since = datetime.fromtimestamp(at, UTC)
        yield (issuer, int(serial)), Standing(status=Status.REVOKED, since=since, reason=x509.ReasonFlags(reason))


def _switches(connection: Connection) -> Iterator[Switch]:
    order = (MISBEHAVIOURS.c.service, MISBEHAVIOURS.c.name, MISBEHAVIOURS.c.certificate)
    for service, name, certificate in connection.execute(select(MISBEHAVIOURS).order_by(*order)):
        yield Switch(service=Service(service), name=name, certificate=certificate)


def _switch_row(switch: Switch) -> dict[str, str]:
    return {"service": switch.service.value, "name": switch.name, "certificate": switch.certificate}


def _unknown(connection: Connection, certificates: Sequence[Held]) -> list[Held]:
    """Return those of the certificates that are not kept yet, each once."""
    wanted = {(each.issuer, str(each.serial)): each for each in certificates}
    table = CERTIFICATES.c
    for issuer in {each.issuer for each in certificates}:
        serials = [serial for of, serial in wanted if of == issuer]
        for start in range(0, len(serials), _BATCH):
            some = serials[start : start + _BATCH]
            which = select(table.serial).where(table.issuer == issuer, table.serial.in_(some))
            for (serial,) in connection.execute(which):
                del wanted[issuer, serial]
    return list(wanted.values())


def _row(held: Held) -> dict[str, Any]:
    values = {name: getattr(held, name) for name in held.__struct_fields__}
    return values | {"serial": str(held.serial)}


def _from_row(row: dict[str, Any]) -> Held:
    values = {name: row[name] for name in Held.__struct_fields__}
    return Held(**values | {"serial": int(row["serial"])})


def _revocation(key: Key) -> Any:
    issuer, serial = key
    return delete(REVOCATIONS).where(REVOCATIONS.c.issuer == issuer, REVOCATIONS.c.serial == str(serial))


def _misbehaviour(switch: Switch) -> Any:
    table = MISBEHAVIOURS.c
    return delete(MISBEHAVIOURS).where(*(table[name] == value for name, value in _switch_row(switch).items()))
