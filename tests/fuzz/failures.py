"""Inputs that failed: where they are kept, and the command that checks one again."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("out") / "fuzz"
LONGEST_TOLD = 4_000
"""Bytes of the longest input that is told as hex digits; longer ones are in the file alone."""
PARSERS = ("framer", "sdp", "client_hello", "json", "xml")
"""The targets that are no schema sets."""


def command_of(target: str) -> str:
    """Tell the command that fuzzes a target."""
    if target in PARSERS:
        return f"python -m tests.fuzz.parsers --parser {target}"
    return f"python -m tests.fuzz.codec --schema {target}"


def again(target: str, data: bytes, folder: Path = FOLDER) -> str:
    """Keep an input that failed; tells, for people, the command that checks it again and the input as hex digits."""
    path = folder / target / "failed"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    shown = f"\n{data.hex()}" if len(data) <= LONGEST_TOLD else ""
    return f"{target} fails, try again: {command_of(target)} --input {path}{shown}"
