"""What the services answer from: the state of the servers as it stands in memory, all of it read from the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pki.evidence import GOOD, UNKNOWN, Standing
from pki.serve.misbehaviour import Switch

Key = tuple[str, int]
"""A certificate: the id of its authority, and its serial number."""


@dataclass(slots=True)
class Ledger:
    """Known certificates with their CN, revocations, switches and the clock's offset.

    `revision` and `last` (number of a certificate) tell how much of the database has been read. `listed` are the
    revocations that stand in the folders of the trees; they count beside those of the database. `changes` counts how
    often anything of it was read anew.
    """

    revision: int = -1
    last: int = 0
    changes: int = 0
    offset_s: float = 0.0
    names: dict[Key, str] = field(default_factory=dict)
    revoked: Mapping[Key, Standing] = field(default_factory=dict)
    listed: Mapping[Key, Standing] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()

    def revocation(self, key: Key, at: float) -> Standing | None:
        """Return how a certificate was revoked by a time (POSIX seconds), or None."""
        for source in (self.revoked, self.listed):
            standing = source.get(key)
            if standing is not None and standing.since is not None and standing.since.timestamp() <= at:
                return standing
        return None

    def standing(self, key: Key, at: float) -> Standing:
        """Return how a certificate stands at a time (POSIX seconds)."""
        return self.revocation(key, at) or (GOOD if key in self.names else UNKNOWN)

    def revocations(self, issuer: str, at: float) -> Iterable[tuple[int, Standing]]:
        """Yield what an authority had revoked by a time, by serial number."""
        serials = {serial for source in (self.revoked, self.listed) for of, serial in source if of == issuer}
        for serial in sorted(serials):
            standing = self.revocation((issuer, serial), at)
            if standing is not None:
                yield serial, standing
