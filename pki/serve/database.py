"""Which databases can hold the state, how each is opened, and how its errors are told."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, exc, make_url

PATIENCE_S = 5.0
"""How long a change waits for that of another process."""
_POSTGRES = "postgresql+pg8000"
_REMEDY = "name sqlite:///FILE or postgresql://USER@HOST/NAME"


def engine(text: str) -> Engine:
    """Open the database at a URL; raise ValueError for a URL of another kind, or a driver that is not installed."""
    url = _url(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return create_engine(url, pool_pre_ping=True, pool_timeout=PATIENCE_S, connect_args={"timeout": PATIENCE_S})
    except ModuleNotFoundError as error:
        raise ValueError(f"{error}: pip install 'plugcharge[postgres]'") from error


def reason(error: exc.SQLAlchemyError | OSError) -> str:
    """Say what went wrong, and what to do where that is known."""
    if isinstance(error, exc.TimeoutError):
        return "all connections are taken; try again"
    if not isinstance(error, exc.DBAPIError):
        return str(error)
    text = " ".join(str(error.orig).split())
    remedies = {
        "locked": "another process writes to it; try again",
        "full": "make room on the disk",
        "readonly": "make the file writable",
        "unable to open": "make its folder, or name a file that can be written",
        "not a database": "name another file",
    }
    remedy = next((what for sign, what in remedies.items() if sign in text), "")
    return f"{text}; {remedy}" if remedy else text


def _url(text: str) -> URL:
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise ValueError(f"no URL of a database; {_REMEDY}") from error
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername=_POSTGRES)
    if url.drivername not in ("sqlite", _POSTGRES):
        raise ValueError(f"{url.drivername} is no kind of database we know; {_REMEDY}")
    return url


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError(f"the state needs a file; {_REMEDY}")
    _make_private(Path(url.database))
    made = create_engine(url, connect_args={"timeout": PATIENCE_S})
    event.listen(made, "connect", _set_up)
    event.listen(made, "begin", _take_turn)
    return made


def _make_private(path: Path) -> None:
    """Make the file, for its owner alone: it holds what guards the enrolment."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}; {_REMEDY}") from error


def _set_up(connection: Any, record: object) -> None:
    """Let readers read while one writes, and write nothing half: SQLite's log ahead, synced with every change."""
    del record
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")


def _take_turn(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
