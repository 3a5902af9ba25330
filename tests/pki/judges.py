"""What others say of a chain: OpenSSL (library and command), `cryptography`, and pyhanko-certvalidator.

None of them knows the profiles of V2G; all of them know RFC 5280.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from OpenSSL import crypto
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError


@dataclass(frozen=True)
class Question:
    """A chain, leaf first and without the root, trust anchors and a time."""

    chain: Sequence[bytes]
    anchors: Sequence[bytes]
    at: datetime


Judge = Callable[[Question], str | None]
"""Says why a chain is refused, "" if it is not, None if it cannot judge such keys."""


def openssl(question: Question) -> str | None:
    """What the library says, in this process: the number of its error, and its words."""
    load = crypto.load_certificate
    store = crypto.X509Store()
    try:
        leaf, *others = (load(crypto.FILETYPE_ASN1, der) for der in question.chain)
        for anchor in question.anchors:
            store.add_cert(load(crypto.FILETYPE_ASN1, anchor))
    except crypto.Error as error:
        return f"unreadable: {error}"
    store.set_time(question.at)
    try:
        crypto.X509StoreContext(store, leaf, others).verify_certificate()
    except crypto.X509StoreContextError as error:
        return f"{error.errors[0]}: {error.errors[2]}"
    return ""


def cryptography(question: Question) -> str | None:
    """What `cryptography` says with a policy of extensions that leaves out what is for the web alone."""
    try:
        leaf, *others = map(x509.load_der_x509_certificate, question.chain)
        anchors = list(map(x509.load_der_x509_certificate, question.anchors))
        if any(isinstance(each.public_key(), ed448.Ed448PublicKey) for each in (leaf, *others, *anchors)):
            return None
        store = verification.Store(anchors)
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        return f"unreadable: {error}"
    every = verification.ExtensionPolicy.permit_all()
    issuing = every.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    policy = verification.PolicyBuilder().store(store).time(question.at.replace(tzinfo=None))
    policy = policy.extension_policies(ca_policy=issuing, ee_policy=every)
    try:
        policy.build_client_verifier().verify(leaf, others)
    except verification.VerificationError as error:
        return str(error)
    return ""


def certvalidator(question: Question) -> str | None:
    """What pyhanko-certvalidator says without asking anybody for revocation."""
    try:
        leaf, *others = map(asn1_x509.Certificate.load, question.chain)
        anchors = list(map(asn1_x509.Certificate.load, question.anchors))
        context = ValidationContext(trust_roots=anchors, moment=question.at, allow_fetching=False, other_certs=[])
        validator = CertificateValidator(leaf, others, validation_context=context)
        asyncio.run(validator.async_validate_path())
    except (PathError, ValidationError) as error:
        return str(error) or type(error).__name__
    except ValueError as error:
        return f"unreadable: {error}"
    except AssertionError:
        return "a key of another kind than its signature"
    return ""


JUDGES: dict[str, Judge] = {"openssl": openssl, "cryptography": cryptography, "certvalidator": certvalidator}


def refusals(question: Question) -> set[str]:
    """Return who refuses a chain."""
    return {name for name, judge in JUDGES.items() if judge(question)}


def openssl_command(folder: Path, questions: Sequence[Question]) -> list[bool]:
    """Ask `openssl verify` about many chains of one time at once; their roots need different names."""
    for name, ders in {
        "roots": [der for question in questions for der in question.anchors],
        "subs": [der for question in questions for der in question.chain[1:]],
    }.items():
        (folder / f"{name}.pem").write_bytes(b"".join(map(pem, ders)))
    leaves = [folder / f"{number}.pem" for number in range(len(questions))]
    for path, question in zip(leaves, questions, strict=True):
        path.write_bytes(pem(question.chain[0]))
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", str(folder / "roots.pem")]
    command += ["-untrusted", str(folder / "subs.pem"), "-attime", str(int(questions[0].at.timestamp()))]
    done = subprocess.run([*command, *map(str, leaves)], capture_output=True, check=False, text=True)
    good = {line.removesuffix(": OK") for line in done.stdout.splitlines() if line.endswith(": OK")}
    return [str(path) in good for path in leaves]


def pem(der: bytes) -> bytes:
    """Write DER as PEM, whatever it is."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
