"""A PostgreSQL of its own for the tests: made, started on a socket in a temporary folder, and taken away again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pg8000 import native

USER = "plugcharge"
_PORT = 5432  # names the socket alone: nothing listens on a port
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_numbers = count(1)


def programs() -> Path | None:
    """Where initdb and pg_ctl lie, or None."""
    on_path = shutil.which("initdb")
    places = [*_DEBIAN, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


class Cluster:
    """A running PostgreSQL that makes databases."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.data = folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run a program; root hands over to the user `postgres`, as which alone it starts."""
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=self._folder)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def start(self) -> None:
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off"
        log = str(self._folder / "log")
        self.run("pg_ctl", "-D", str(self.data), "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def new(self) -> str:
        """Make an empty database; return its URL."""
        name, at = f"pki{next(_numbers)}", f"{self._folder}/.s.PGSQL.{_PORT}"
        connection = native.Connection(USER, database="postgres", unix_sock=at)
        connection.run(f"CREATE DATABASE {name}")
        connection.close()
        return f"postgresql://{USER}@/{name}?unix_sock={at}"


@contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the name of a socket has 107 characters at most
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        made = Cluster(programs, folder)
        made.run("initdb", "-D", str(made.data), "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8")
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)
