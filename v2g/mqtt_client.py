"""The MQTT library's connection, mended: one that comes to nothing leaves no socket, no future and no complaint.

Nothing of the standards: it is here because the station and the vehicle's cable both speak MQTT.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

import aiomqtt


class Client(aiomqtt.Client):
    """A connection that may be given up before it stands, and lost when nobody asks why."""

    async def __aenter__(self) -> Self:
        """Connect; raises `aiomqtt.MqttError`, the socket closed."""
        for outcome in (self._connected, self._disconnected):
            outcome.add_done_callback(_taken_note_of)
        try:
            return await super().__aenter__()
        except (aiomqtt.MqttError, asyncio.CancelledError):
            self._connected = asyncio.Future()  # one that was cancelled breaks the library's own way to the end
            self._client.disconnect()  # it leaves the socket open when nobody answers
            raise


def _taken_note_of(outcome: asyncio.Future[Any]) -> None:
    """Look at a failure, so that it is not reported as overlooked."""
    if not outcome.cancelled():
        outcome.exception()
