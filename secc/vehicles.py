"""Which vehicles of ISO 15118-20 a station lets in: by their vehicle certificate, under the roots configured for it."""

from __future__ import annotations

from collections.abc import Sequence

from pki.handshake import Handshake
from pki.relying_party import EDITIONS, RelyingParty
from pki.revocation_settings import RevocationSettings
from v2g.tls.suites import Generation


class Vehicles:
    """Makes one judgement per connection; roots of OEMs or V2G roots anchor it, those of mobility operators never do.

    Raises ValueError naming a source of evidence that cannot be used.
    """

    def __init__(self, anchors: Sequence[bytes], settings: RevocationSettings) -> None:
        self._party = RelyingParty(anchors, settings, editions=EDITIONS[Generation.ISO20])

    def handshake(self) -> Handshake:
        """Begin to judge the vehicle of one connection."""
        return Handshake(self._party)
