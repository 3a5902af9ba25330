"""The simulated card reader: the charger's own word for external identification (EIM)."""

from __future__ import annotations

from typing import Literal

from secc import api

CARD = "rfid"
ADVANCE = "advance"
ADVANCE_VALID_S = 60.0


class CardReader:
    """Somebody shows a card `delay_s` after being asked to; with `none` nobody ever does."""

    def __init__(self, word: Literal["accept", "reject", "none"], delay_s: float) -> None:
        self._word = word
        self._delay_s = delay_s
        self._shown: list[tuple[float, api.ChargerAuthorization]] = []
        self._asked: str | None = None

    def ask(self, request: api.AuthorizationRequest, now: float) -> None:
        """Wait for a card on this request; contracts are not the reader's business."""
        if request.kind != "external":
            return
        self._asked = request.id
        if self._word != "none":
            answer = api.ChargerAuthorization(id=request.id, accepted=self._word == "accept", token=CARD)
            self._shown.append((now + self._delay_s, answer))

    def show(self, *, accepted: bool) -> api.ChargerAuthorization:
        """Read a card now: it answers the request that waits, until one is accepted; else it counts in advance."""
        asked, self._asked = self._asked, None if accepted else self._asked
        if asked is not None:
            return api.ChargerAuthorization(id=asked, accepted=accepted, token=CARD)
        return api.ChargerAuthorization(id=ADVANCE, accepted=accepted, token=CARD, valid_for_s=ADVANCE_VALID_S)

    def due(self, now: float) -> list[api.ChargerAuthorization]:
        """Take the words spoken by now."""
        due = [answer for at, answer in self._shown if at <= now]
        self._shown = [waiting for waiting in self._shown if waiting[0] > now]
        if any(answer.accepted and answer.id == self._asked for answer in due):
            self._asked = None
        return due
