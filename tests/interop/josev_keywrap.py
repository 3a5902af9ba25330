"""Josev's own code wrapping and unwrapping contract keys; runs in Josev's environment, imports nothing of ours.

Reads one JSON object a line and answers all at the end. With a `certificate` (DER, hex) and a `key` (PEM) it wraps the
key for the certificate's owner; with `encrypted` and `sender` (hex) it unwraps with the `key`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from iso15118.shared.security import decrypt_priv_key, encrypt_priv_key


def answer(task: dict[str, Any]) -> dict[str, str]:
    """Wrap or unwrap."""
    key: Any = load_pem_private_key(task["key"].encode(), None)
    if "certificate" in task:
        sender, encrypted = encrypt_priv_key(bytes.fromhex(task["certificate"]), key)
        return {"sender": sender.hex(), "encrypted": encrypted.hex()}
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(task["sender"]))
    return {"scalar": decrypt_priv_key(bytes.fromhex(task["encrypted"]), key, point).hex()}


if __name__ == "__main__":
    answers = [answer(json.loads(line)) for line in sys.stdin]
    print("ANSWERS", json.dumps(answers))
