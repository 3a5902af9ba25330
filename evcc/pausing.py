"""A paused session: what the vehicle must know to join it again, in this process or in a later one.

It comes back with the same choices [V2G2-740], with what is left of the time [V2G2-742] and of the energy [V2G2-743].
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from evcc.config import EvccConfig, Plan
from evcc.wallet import Contract
from pki import store
from v2g.record import Record

KEPT = (
    "protocols", "energy", "dc_mode", "payment", "accept_external", "services", "service_category", "service_scope",
    "schedule", "max_schedule_entries",
)  # fmt: skip
"""What of a plan must not change before the session is joined."""


Moment = Annotated[float, Meta(ge=0, le=2**32 - 1)]
"""Unix time; what lies ahead of it fits a DepartureTime."""


class Paused(Record, forbid_unknown_fields=True):
    """A session that may be joined; `paused_at` and `departs_at` are Unix time, `flowed_s` counts since its start."""

    session_id: Annotated[str, Meta(pattern="^[0-9A-F]{16}$")]
    evcc_id: str
    plan: Plan
    payment: Literal["contract", "external"] | None
    emaid: str | None
    schedule_id: Annotated[int, Meta(ge=0, le=255)]
    energy_wh: Annotated[float, Meta(ge=0, le=1e9)]
    flowed_s: Annotated[float, Meta(ge=0, le=1e9)]
    departs_at: Moment | None
    paused_at: Moment

    @property
    def identifier(self) -> bytes:
        """The session id as the header carries it."""
        return bytes.fromhex(self.session_id)

    def departure_s(self) -> int | None:
        """Seconds until departure."""
        return None if self.departs_at is None else max(0, round(self.departs_at - time.time()))


def require_place(file: Path) -> None:
    """Find out before the charge whether a session can be kept in a file; raises ValueError with the remedy."""
    try:
        store.make_folder(file.parent, private=True)
    except OSError as error:
        raise ValueError(f"[plan] pause_file, {file}: {error.strerror}; name another file") from error
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise ValueError(f"[plan] pause_file, {file}: it cannot be written; name another file")


def save(file: Path, paused: Paused) -> None:
    """Keep a session for a later process; only its owner may read the file. Raises OSError."""
    store.write(file, msgspec.json.format(msgspec.json.encode(paused), indent=2) + b"\n", store.PRIVATE)


def load(file: Path) -> Paused | None:
    """Read the session kept in a file, None where there is none; raises ValueError naming file and remedy."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Paused)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise ValueError(f"{file}: no paused session can be read from it: {error}; remove it to start anew") from error


def forget(file: Path) -> None:
    """Remove the file: its session was joined, or is gone. Raises OSError."""
    file.unlink(missing_ok=True)


def resumed(settings: EvccConfig, paused: Paused) -> EvccConfig:
    """Return settings for joining a session: its choices, its departure; raises ValueError for another car's."""
    if settings.evcc_id != paused.evcc_id:
        raise ValueError(f"the paused session is one of {paused.evcc_id}, not of {settings.evcc_id}")
    kept = {name: getattr(paused.plan, name) for name in KEPT}
    plan = msgspec.structs.replace(settings.plan, **kept, departure_s=paused.departure_s())
    return msgspec.structs.replace(settings, plan=plan)


def require_contract(paused: Paused, contract: Contract | None) -> None:
    """Raise ValueError unless the car still holds the contract that paid before the pause."""
    if paused.emaid is not None and (contract is None or contract.emaid != paused.emaid):
        raise ValueError(f"the paused session is paid by {paused.emaid}, a contract that the car does not hold now")
