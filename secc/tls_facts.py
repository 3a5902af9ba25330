"""What is told of TLS on MQTT."""

from __future__ import annotations

from secc import api
from v2g.stream import Facts

TEXT_LIMIT = 200
"""Characters of a name in a vehicle's certificate that are told."""


def details(facts: Facts) -> api.TlsDetails | None:
    """Tell what was agreed on; None on plain TCP."""
    if facts.generation is None:
        return None
    return api.TlsDetails(
        suite=facts.suite,
        group=facts.group,
        generation=facts.generation.value,
        chain=facts.chain[:TEXT_LIMIT] or None,
        chain_by=facts.chain_by or None,
        staple=facts.staple or None,
        vehicle=facts.peer_subject[:TEXT_LIMIT] or None,
    )
