"""Which classes a message of these classes is made of: what there is code for to write before the first one comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from v2g.exi.grammar import Grammar
from v2g.exi.layout import is_fixed, layout_of
from v2g.exi.message import Message

Class = type[Message]


def parts_of(grammar: Grammar, wanted: Iterable[Class]) -> set[Class]:
    """Tell these classes, the envelopes they travel in, and all their parts.

    Of a group of elements only those named are taken, or all if none is: an envelope alone stands for everything.
    """
    named = set(wanted)
    found = set[Class]()
    waiting = [*named, *_envelopes(grammar, named)]
    while waiting:
        cls = waiting.pop()
        if cls in found or cls.abstract:
            continue
        found.add(cls)
        for members in _children(grammar, cls):
            waiting += named & members or members
    return found


def _children(grammar: Grammar, cls: Class) -> Iterator[set[Class]]:
    """Tell the classes that each place in a class may hold and that are not written out in place."""
    for step in layout_of(grammar, cls).steps:
        kinds = {alternative.type for alternative in step.alternatives}
        if len(kinds) > 1 or not all(is_fixed(grammar, kind) for kind in kinds):
            yield {kind for kind in kinds if isinstance(kind, type)}


def _envelopes(grammar: Grammar, named: set[Class]) -> Iterator[Class]:
    """Tell the root elements that hold one of a group in a part of theirs, where one of these is named."""
    for cls in grammar.document.classes.values():
        for parts in _children(grammar, cls):
            if any(named & members for part in parts for members in _children(grammar, part) if len(members) > 1):
                yield cls
