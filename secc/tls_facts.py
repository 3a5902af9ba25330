"""What is told of TLS, in the journal and on MQTT: what was agreed on, and by which alert a handshake failed."""

from __future__ import annotations

from secc import api
from v2g.errors import HandshakeFailed, V2GError
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


def noted(facts: Facts) -> dict[str, str]:
    """Tell the same as facts of a journal's entry, with what is known alone."""
    told = {
        "version": facts.tls or "",
        "suite": facts.suite,
        "group": facts.group,
        "generation": facts.generation or "",
        "chain": facts.chain,
        "chain_by": facts.chain_by,
        "staple": facts.staple,
        "vehicle": facts.peer_subject,
    }
    return {name: str(value) for name, value in told.items() if value}


def alert(error: V2GError) -> str:
    """Name the alert that a failed handshake ended with, and who sent it; empty where it is not known."""
    if not isinstance(error, HandshakeFailed):
        return ""
    if error.received:
        return f"received {error.received}"
    return f"sent {error.sent}" if error.sent else ""
