"""The encodings in use of one fragment, made one by one as they are asked for.

Whoever checks a signature compares digests: most peers encode as we do, so that the first form is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class Forms(Mapping[bytes, str]):
    """Encodings in the order to try, each with its name; those that came before are left out."""

    def __init__(self, made: Iterable[tuple[bytes, str]], waiting: Iterator[tuple[bytes, str]]) -> None:
        self._made = dict(made)
        self._waiting = waiting

    def __iter__(self) -> Iterator[bytes]:
        """Tell the encodings; what has not been made is made on the way."""
        position = 0
        while position < len(self._made) or self._make():
            yield tuple(self._made)[position]
            position += 1

    def __getitem__(self, data: bytes) -> str:
        """Tell what an encoding is called."""
        while data not in self._made and self._make():
            pass
        return self._made[data]

    def __len__(self) -> int:
        """Tell how many different encodings there are."""
        while self._make():
            pass
        return len(self._made)

    def _make(self) -> bool:
        """Make the next encoding that is a new one; tells whether there was one."""
        for data, name in self._waiting:
            if data not in self._made:
                self._made[data] = name
                return True
        return False
