"""Meter readings that the vehicle signs: when one is asked for, whether it holds, and where it is kept.

A receipt proves nothing unless it is of this session, repeats the reading that we told last, and bears the signature
of the contract of this session [V2G2-902] to [V2G2-904]: `accept` checks all of it, and nothing else does. Asked for
are contracts alone, other vehicles have no key to sign with [V2G2-691].
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from secc import api
from secc.visit import Visit
from v2g import protocols, signature
from v2g.errors import Refused, Untrusted
from v2g.link import SeccLink
from v2g.messages import iso2
from v2g.timing import Budget

log = logging.getLogger(__name__)

INVALID = "FAILED_MeteringSignatureNotValid"
NAMES = ".json"
KEEP_S = 1.0  # of the 1.5 s for an answer; a slow disk goes on by itself


@dataclass(slots=True, kw_only=True)
class Receipts:
    """The receipts of one session."""

    visit: Visit
    issued: iso2.MeterInfo | None = None
    """The reading that a receipt is wanted for; None while none is."""
    _next: Budget = field(default_factory=lambda: Budget(0.0))
    _count: int = 0

    def due(self, reading: iso2.MeterInfo | None) -> bool:
        """Tell whether the vehicle has to sign this reading, and expect it to: seldom, and never without a contract."""
        every_s = self.visit.config.receipts.every_s
        if every_s is None or self.visit.contract is None or reading is None or not self._next.over:
            return False
        self._next = Budget(every_s * self.visit.timing.scale)
        self.issued = reading
        return True

    async def accept(self, ev: SeccLink, request: iso2.MeteringReceiptReq, tuple_id: int) -> None:
        """Check a receipt in every respect and keep it; raises `Refused`."""
        issued, self.issued = self.issued, None
        try:
            self._check(ev, request, issued, tuple_id)
        except (Refused, Untrusted) as error:
            self.visit.charger.receipt(self._receipt(ev.received, request, reason=str(error)))
            raise Refused(INVALID, str(error)) from error
        receipt = self._receipt(ev.received, request)
        self.visit.charger.receipt(receipt)
        await self._keep(receipt)

    def _check(
        self, ev: SeccLink, request: iso2.MeteringReceiptReq, issued: iso2.MeterInfo | None, tuple_id: int
    ) -> None:
        contract = self.visit.contract
        if contract is None or issued is None:
            raise Refused(INVALID, "no receipt was asked for [V2G2-691]")
        if request.SessionID.ljust(len(ev.session_id), b"\0") != ev.session_id:
            raise Refused(INVALID, "it is of another session")
        if request.MeterInfo != issued:
            raise Refused(INVALID, "its reading is not the one that was told [V2G2-902]")
        if request.SAScheduleTupleID not in (None, tuple_id):
            raise Refused(INVALID, f"schedule {request.SAScheduleTupleID} is not in force")
        if ev.signature is None or not request.Id:
            raise Refused(INVALID, "it is not signed")
        forms = {request.Id: protocols.schema("iso2").fragment_forms(request)}
        proof = signature.verify(ev.signature, forms, contract.public_key, "iso2")
        self.visit.journal.record("signature", verified=str(proof))

    def _receipt(self, exi: bytes, request: iso2.MeteringReceiptReq, reason: str = "") -> api.Receipt:
        visit, contract = self.visit, self.visit.contract
        plain = contract is not None and visit.config.session.emaid == "plain"
        return api.Receipt(
            session=visit.session,
            accepted=not reason,
            meter_id=request.MeterInfo.MeterID,
            energy_import_wh=_sayable(request.MeterInfo.MeterReading),
            tuple_id=request.SAScheduleTupleID,
            namespace=protocols.ISO2.namespace,
            exi=exi[: api.EXI_LIMIT],
            contract=visit.limits.contract,
            certificate=_pem(contract.chain[0]) if contract is not None and plain else None,
            reason=reason[:512] or None,
        )

    async def _keep(self, receipt: api.Receipt) -> None:
        """File a receipt, where there is a folder; a disk that fails or hangs is told of and ends no charge."""
        folder = self.visit.config.receipts.folder
        if folder is None:
            return
        self._count += 1
        name = f"{receipt.session}-{self._count:04}"
        writing = asyncio.get_running_loop().run_in_executor(None, file, Path(folder), name, receipt)
        writing.add_done_callback(self._written)
        await asyncio.wait({writing}, timeout=KEEP_S)

    def _written(self, writing: asyncio.Future[Path]) -> None:
        error = None if writing.cancelled() else writing.exception()
        if error is not None:
            reason = f"{self.visit.config.receipts.folder}: {_why(error)}"
            log.warning("session %s: a receipt was not kept: %s", self.visit.session, reason)
            self.visit.charger.event("receipt_not_kept", reason)


def check_folder(folder: Path) -> None:
    """Make the folder where it is not there, and write into it; raises ValueError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(
            f"{folder}: {_why(error)}; name a folder that the station may write to, or leave the key out"
        ) from error


def file(folder: Path, name: str, receipt: api.Receipt) -> Path:
    """Write a receipt so that it is there whole or not at all, for our own eyes only, over none that is there.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=NAMES)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(receipt))
            out.flush()
            os.fsync(out.fileno())
        place = _free(folder, name)
        Path(temporary).replace(place)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return place


def _why(error: BaseException) -> str:
    """What went wrong, without the file, which the operating system repeats."""
    if isinstance(error, FileExistsError):
        return "a file, no folder"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _free(folder: Path, name: str) -> Path:
    """A place where nothing stands yet: a session that goes on after a pause counts from one again."""
    place, more = folder / f"{name}{NAMES}", 1
    while place.exists():
        more += 1
        place = folder / f"{name}-{more}{NAMES}"
    return place


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode("ascii")


def _sayable(reading: int | None) -> int | None:
    """Keep a reading within what `secc.api` can say; only one that is refused may be beyond it."""
    return reading if reading is None or reading < 2**63 else None
