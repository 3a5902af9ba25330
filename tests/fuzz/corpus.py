"""The seed corpus: small messages of our own making, in which every class of a schema set comes at least once.

`python -m tests.fuzz.corpus [SET...]` writes `corpus/<set>.hex`, one stream a line; nothing in it was captured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.random_messages import Messages, understood
from v2g.exi.compose import Writing
from v2g.exi.fields import fields
from v2g.exi.frame import Frame
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.protocols import SCHEMAS, schema

FOLDER = Path(__file__).parent / "corpus"
TRIES = 4
"""So many messages are made of each root for each class in it; those that show most for their size are taken."""
ROUNDS = 3
"""So many times every class comes, if the candidates allow."""
OVERHEAD = 200
"""Bytes that a seed counts for besides its own: a few rich seeds are better than many poor ones."""
LONGEST = 1_200
"""Bytes of the longest seed: what is long, the mutations make."""


def seeds(name: str) -> list[bytes]:
    """Read the seeds of a schema set; raises ValueError if there are none."""
    path = FOLDER / f"{name}.hex"
    if not path.is_file():
        raise ValueError(f"{path} is missing: run python -m tests.fuzz.corpus {name}")
    return [bytes.fromhex(line) for line in path.read_text(encoding="ascii").splitlines()]


def shown(message: object) -> set[type[Message]]:
    """Tell the classes that come in a message."""
    if isinstance(message, list):
        return set().union(*map(shown, message))
    if not isinstance(message, Message):
        return set()
    parts = (getattr(message, name) for name in message.__struct_fields__)
    return {type(message)}.union(*map(shown, parts))


def showable(grammar: Grammar, frame: Frame) -> set[type[Message]]:
    """Tell the classes that can come in a document, or in a fragment."""
    return set().union(*(_within(grammar, kind) for kind in frame.classes.values()))


def _within(grammar: Grammar, kind: type[Message]) -> set[type[Message]]:
    """Tell the classes that can come in a message of this class."""
    found: set[type[Message]] = set()
    waiting = [kind]
    while waiting:
        cls = waiting.pop()
        if cls in found or not understood(cls):
            continue
        found.add(cls)
        parts = [field.type for field in fields(cls) if isinstance(field.type, type)]
        waiting += [start.type for part in parts for start in grammar.members(part) if isinstance(start.type, type)]
        waiting += parts
    return {cls for cls in found if not cls.group}


def generate(name: str) -> list[bytes]:
    """Make the seeds of a schema set: the same every time for the same declarations."""
    grammar = schema(name).grammar
    random = Random(name)
    chosen = [data for frame in (grammar.document, grammar.fragment) for data in _cover(grammar, frame, random)]
    return sorted(chosen, key=lambda data: (len(data), data))


def _cover(grammar: Grammar, frame: Frame, random: Random) -> list[bytes]:
    """Tell the streams of one kind that show every class several times with few bytes."""
    candidates = {data: shown(message) for message, data in _candidates(grammar, frame, random)}
    chosen: list[bytes] = []
    for _ in range(ROUNDS):
        missing = showable(grammar, frame)
        while missing:
            data = max(candidates, key=lambda data: (len(candidates[data] & missing) / (OVERHEAD + len(data)), data))
            if not candidates[data] & missing:
                break
            missing -= candidates.pop(data)
            chosen.append(data)
    return chosen


def _candidates(grammar: Grammar, frame: Frame, random: Random) -> Iterator[tuple[Message, bytes]]:
    messages = Messages(grammar, random)
    for code, cls in frame.classes.items():
        for _ in range(TRIES * len(_within(grammar, cls))):
            message = messages.message(cls)
            writing = Writing(grammar)
            data = (writing.document if frame is grammar.document else writing.fragment)(code, message)
            if len(data) <= LONGEST:
                yield message, data


def main(names: list[str]) -> None:
    """Write the corpus of the sets named, or of all."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or SCHEMAS:
        lines = [data.hex() + "\n" for data in generate(name)]
        (FOLDER / f"{name}.hex").write_text("".join(lines), encoding="ascii")
        print(f"{name}: {len(lines)} seeds, {sum(map(len, lines))} characters")


if __name__ == "__main__":
    main(sys.argv[1:])
