"""What is told of a charge when it is over: `--json` writes it, docs/evcc.md explains it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from evcc.account import Exchange, Note
from evcc.choice import OfferedSchedule
from evcc.config import Plan
from evcc.dc_inlet import SAFE_V
from evcc.provisioning import Outcome
from evcc.receipts import Receipt
from evcc.services import Offered
from pki.certificate import read, unwarned
from v2g.record import Record

LOOPS = frozenset({"CurrentDemandReq", "ChargingStatusReq"})
EXPIRES_SOON = "OK_CertificateExpiresSoon"


class Certificate(Record):
    """The leaf a station showed in TLS, trusted or not; names as in RFC 4514, empty where they cannot be read."""

    subject: str
    issuer: str
    serial: str
    valid_until: datetime | None
    sha256: str

    @classmethod
    def of(cls, der: bytes) -> Certificate:
        """Read a certificate; of one that is broken only the fingerprint is known."""
        fingerprint = hashlib.sha256(der).hexdigest()
        try:
            leaf = read(der)
            with unwarned():
                return cls(
                    subject=leaf.parsed.subject.rfc4514_string(),
                    issuer=leaf.parsed.issuer.rfc4514_string(),
                    serial=f"{leaf.serial:x}",
                    valid_until=leaf.not_after,
                    sha256=fingerprint,
                )
        except ValueError:
            return cls(subject="", issuer="", serial="", valid_until=None, sha256=fingerprint)


class Session(Record):
    """One session of a charge: whether it was a paused one that was joined, how it ended, and its energy in Wh."""

    session_id: str | None
    joined: bool
    ended: Literal["stopped", "paused", "failed"]
    energy_wh: float


class Result(Record):
    """What came of a charge.

    `started` is UTC, `messages` are [name, ms since the start], `loop_ms` the answer times of the charge loop.
    None stands for what the session did not come to.
    """

    ok: bool
    reason: str
    version: str
    started: datetime
    duration_s: float
    protocol: str
    energy: str
    payment: Literal["contract", "external"] | None
    plan: Plan
    evcc_id: str
    emaid: str | None
    provisioning: Outcome | None
    evse_id: str
    session_id: str | None
    sessions: list[Session]
    free: bool | None
    services: list[Offered]
    schedules: list[OfferedSchedule]
    receipts: list[Receipt]
    station: Certificate | None
    tls: str
    tls_details: dict[str, str]
    ended_by: Literal["vehicle", "station"]
    welding_v: float | None
    energy_wh: float
    soc_percent: float
    messages: list[tuple[str, float]]
    loop_ms: list[float]
    exchanges: list[Exchange]
    notes: list[Note]

    @property
    def summary(self) -> str:
        """One line for people."""
        soon = [each.response for each in self.exchanges if each.code == EXPIRES_SOON]
        warning = f"; the contract's certificate expires soon, says {soon[0]}" if soon else ""
        warning += f"; {self.provisioning}" if self.provisioning is not None else ""
        if self.welding_v is not None and self.welding_v >= SAFE_V:
            warning += f"; still {self.welding_v:g} V behind the open contactors: is one welded?"
        if not self.ok:
            return f"failed: {self.reason or 'no energy flowed'}{warning}"
        paused = ", paused" if self.sessions and self.sessions[-1].ended == "paused" else ""
        early = f"; {self.reason}" if self.reason else ""
        planned = "" if self.payment == self.plan.payment else f" instead of {self.plan.payment}"
        return (
            f"charged {self.energy_wh:.1f} Wh at {self.evse_id} by {self.payment}{planned} ({self.energy}, "
            f"{self.tls or 'no TLS'}), now at {self.soc_percent:.2f} %{paused}{early}{warning}"
        )


def loop_times(exchanges: list[Exchange]) -> list[float]:
    """Return how long the station took for each answer in the charge loop, milliseconds."""
    return [each.took_ms for each in exchanges if each.request in LOOPS and each.took_ms is not None]
