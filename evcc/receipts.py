"""Receipts: the vehicle confirms with its contract's key what the station's meter shows."""

from __future__ import annotations

from typing import Self

from evcc.wallet import SIGNED_ID, Contract
from v2g import protocols, signature
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.record import Record


class Receipt(Record):
    """A reading that the vehicle signed and the station accepted; energy in Wh."""

    meter_id: str
    reading_wh: int | None
    schedule_id: int | None

    @classmethod
    def of(cls, request: iso2.MeteringReceiptReq) -> Self:
        """Tell what was signed."""
        info = request.MeterInfo
        return cls(meter_id=info.MeterID, reading_wh=info.MeterReading, schedule_id=request.SAScheduleTupleID)


def sign(
    contract: Contract, session_id: bytes, reading: iso2.MeterInfo, schedule_id: int
) -> tuple[iso2.MeteringReceiptReq, Signature]:
    """Confirm a reading just as it was told, with the key of the contract that pays [V2G2-903]."""
    request = iso2.MeteringReceiptReq(
        Id=SIGNED_ID, SessionID=session_id, SAScheduleTupleID=schedule_id, MeterInfo=reading
    )
    fragment = protocols.schema("iso2").encode_fragment(request)
    return request, signature.sign([(SIGNED_ID, fragment)], contract.key, "iso2")
