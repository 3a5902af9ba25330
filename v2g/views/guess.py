"""Which schema set bytes or names belong to, where nobody tells: all sets in question are tried.

Bytes seldom decode by a foreign set, but they do: best is what leaves no spare bytes, begins with an element that
travels alone, and takes the fewest notes. Whatever else fits is told too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.fields import fields
from v2g.exi.frame import COOKIE, HEADER, Root
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk, spare_bytes
from v2g.protocols import schema
from v2g.views.values import quoted

T = TypeVar("T")

MOST_REASONS = 3
_TAIL = (Quirk.SPARE, Quirk.PADDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A schema set that reads the bytes, the root element it finds, and what it reads."""

    schema: str
    root: Root
    decoded: Decoded

    @property
    def exact(self) -> bool:
        """Whether no bytes and no bits are left over."""
        return not any(note.quirk in _TAIL for note in self.decoded.notes)

    @property
    def clean(self) -> bool:
        """Whether nothing is unusual."""
        return not self.decoded.notes

    @property
    def spare(self) -> int:
        """Bytes left over behind the message."""
        return spare_bytes(self.decoded.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """The sets that read the bytes, best first, and why the others do not, by how far they came.

    Failures below a root element that never travels alone come last.
    """

    fits: tuple[Fit, ...]
    failures: tuple[tuple[str, Undecodable], ...]

    @property
    def clean(self) -> bool:
        """Whether a set reads the bytes and finds nothing unusual."""
        return bool(self.fits) and self.fits[0].clean

    @property
    def reasons(self) -> list[str]:
        """Why the sets do not fit, the most telling ones; one alone where all say the same."""
        if len({str(error) for _, error in self.failures}) == 1:
            return [str(self.failures[0][1])]
        told = [f"{name}: {error}" for name, error in self.failures[:MOST_REASONS]]
        rest = [name for name, _ in self.failures[MOST_REASONS:]]
        return told + ([f"and not {', '.join(rest)}: --schema tells why"] if rest else [])

    @property
    def also(self) -> tuple[str, ...]:
        """The sets that fit besides the best; not those with spare bytes where the best has none."""
        return tuple(fit.schema for fit in self.fits[1:] if fit.exact or not self.fits[0].exact)


def guess(data: bytes, names: Iterable[str], *, fragment: bool = False) -> Guess:
    """Try to read a document or fragment by each of these schema sets."""
    fits, failures = [], []
    for name in names:
        codec = schema(name)
        try:
            decoded = codec.read_fragment(data) if fragment else codec.read(data)
        except Undecodable as error:
            failures.append((name, error))
        else:
            fits.append(Fit(schema=name, root=root_of(codec.grammar, data, fragment=fragment), decoded=decoded))
    fits.sort(key=lambda fit: (not fit.exact, not (fragment or travels(fit.schema, fit.root)), len(fit.decoded.notes)))
    failures.sort(key=lambda failure: (not (fragment or _likely(*failure)), -(failure[1].bit or 0)))
    return Guess(fits=tuple(fits), failures=tuple(failures))


def root_of(grammar: Grammar, data: bytes, *, fragment: bool) -> Root:
    """Tell the root element of a stream that was read."""
    frame = grammar.fragment if fragment else grammar.document
    data = data.removeprefix(COOKIE)
    beginning = int.from_bytes(data[:4].ljust(4, b"\0"), "big") - (HEADER << 24)
    return frame.roots[beginning >> 24 - frame.bits]


def sets_with(names: Iterable[str], root: str, namespace: str | None = None, *, fragment: bool) -> list[str]:
    """Tell which of the sets have this element at the root. Raises ValueError if none has."""
    found, namespaces, spellings = [], set(), set()
    for name in names:
        grammar = schema(name).grammar
        known = grammar.fragments if fragment else grammar.documents
        if any(each.name == root and namespace in (None, each.namespace) for each in known):
            found.append(name)
        namespaces |= {each.namespace for each in known if each.name == root}
        spellings |= {each.name for each in known}
    if found:
        return found
    where = "" if namespace is None else f" in {namespace or 'no namespace'}"
    close = get_close_matches(root, sorted(spellings), n=1)
    if namespaces:
        remedy = f"it is one in {', '.join(sorted(namespaces))}"
    elif close:
        remedy = f"did you mean {close[0]}?"
    else:
        remedy = "check its spelling" if fragment else "if it is signed alone, say --fragment"
    raise ValueError(f"{quoted(root)}{where} is a root element of no schema set; {remedy}")


def choose(
    names: Iterable[str], make: Callable[[Schema], Message], write: Callable[[Schema, Message], object] | None = None
) -> tuple[str, Message]:
    """Tell the one schema set in which `make` makes a message, and the message.

    Of two sets of which one holds all classes of the other, the smaller wins; of several others those that can also
    `write` it. Raises ValueError with the reasons where no set does, and naming those that do where there are several.
    """
    made, reasons = _try_each(names, make)
    smallest = [name for name in made if not any(_holds(name, other) for other in made)]
    if len(smallest) > 1 and write is not None:
        written, reasons = _try_each(smallest, lambda codec: write(codec, made[codec.name]))
        smallest = list(written)
    if len(smallest) == 1:
        return smallest[0], made[smallest[0]]
    if smallest:
        raise ValueError(f"this fits {' and '.join(smallest)}; name one with --schema")
    raise ValueError("\n".join(f"{reason} ({', '.join(sets)})" for reason, sets in reasons.items()))


def _try_each(names: Iterable[str], work: Callable[[Schema], T]) -> tuple[dict[str, T], dict[str, list[str]]]:
    """Tell what comes of each schema set, and by reason those of which nothing comes."""
    done: dict[str, T] = {}
    reasons: dict[str, list[str]] = {}
    for name in names:
        try:
            done[name] = work(schema(name))
        except ValueError as error:
            reasons.setdefault(str(error), []).append(name)
    return done, reasons


def _holds(name: str, other: str) -> bool:
    """Tell whether a set holds all classes of another, and more."""
    return set(schema(name).grammar.classes) > set(schema(other).grammar.classes)


def travels(name: str, root: Root) -> bool:
    """Tell whether an element is no part of others in its schema set."""
    kinds = {field.type for other in schema(name).grammar.classes for field in fields(other)}
    return not any(base in kinds for kind in root.types if isinstance(kind, type) for base in kind.__mro__)


def _likely(name: str, error: Undecodable) -> bool:
    """Tell whether bytes fail below a root element that travels."""
    top = error.path.partition("/")[0]
    return any(travels(name, root) for root in schema(name).grammar.documents if root.name == top)
