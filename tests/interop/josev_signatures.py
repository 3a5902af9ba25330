"""Josev's own code signing and verifying messages; runs in Josev's environment, imports nothing of ours.

Reads one JSON object a line and answers each with one, after all logging. `document` is EXI in hex, `paths` lead to
the signed elements. With a `key` (PEM) it answers the signed document, with a `leaf` (DER, hex) whether the signature
in the document holds.
"""

from __future__ import annotations

import json
import sys
from functools import reduce
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from iso15118.shared.exi_codec import EXI
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.security import create_signature, verify_signature
from iso15118.shared.settings import load_shared_settings


def elements(message: Any, namespace: str, paths: list[str]) -> list[tuple[str, bytes]]:
    """Encode the signed elements as Josev's sessions do before they sign or verify."""
    found = [reduce(getattr, path.split("."), message) for path in paths]
    return [(element.id, EXI().to_exi(element, namespace)) for element in found]


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Sign or verify."""
    namespace = task["namespace"]
    message = EXI().from_exi(bytes.fromhex(task["document"]), namespace)
    signed = elements(message, namespace, task["paths"])
    if "key" in task:
        message.header.signature = create_signature(signed, load_pem_private_key(task["key"].encode(), None))
        return {"document": bytes(EXI().to_exi(message, namespace)).hex()}
    return {"holds": verify_signature(message.header.signature, signed, bytes.fromhex(task["leaf"]))}


if __name__ == "__main__":
    load_shared_settings()
    EXI().set_exi_codec(ExificientEXICodec())
    answers = [answer(json.loads(line)) for line in sys.stdin]
    print("ANSWERS", json.dumps(answers))
