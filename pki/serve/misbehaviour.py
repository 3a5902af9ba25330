"""What the servers can do wrong on demand: every misbehaviour once, and which of them are switched on for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

from pki.contract.manner import Deviation
from v2g.record import Fact, Record

LONGEST = 128
"""Characters of what names a certificate: a CN has 64, a serial number 49."""


class Service(StrEnum):
    """The services that can misbehave."""

    OCSP = "ocsp"
    CRL = "crl"
    EST = "est"
    CONTRACT = "contract"


class Misbehaviour(Fact, frozen=True):
    """One way to answer wrongly."""

    service: Service
    name: str
    summary: str


_TRANSPORT = (
    ("delay", "the answer comes 5 seconds late"),
    ("truncated", "the second half of the answer is missing"),
    ("http-500", "HTTP status 500"),
)
_OWN = {
    Service.OCSP: (
        ("revoked", "the certificate is revoked (keyCompromise)"),
        ("unknown", "the certificate is unknown"),
        ("try-later", "tryLater, without a status"),
        ("expired", "nextUpdate has passed"),
        ("future", "thisUpdate is still to come"),
        ("wrong-signer", "a signer that another CA of the same name certified"),
        ("signer-without-eku", "a signer without the purpose OCSPSigning"),
        ("wrong-cert-id", "the status of another serial number"),
        ("no-nonce", "the nonce of the request is not repeated"),
        ("wrong-nonce", "another nonce than that of the request"),
        ("bad-signature", "one bit of the signature is turned"),
    ),
    Service.CRL: (
        ("expired", "nextUpdate has passed"),
        ("wrong-issuer", "issued and signed by a CA of another name"),
        ("unsigned", "the signature is all zeros"),
    ),
    Service.EST: (
        ("unauthorized", "HTTP status 401, whatever the secret"),
        ("pending", "HTTP status 202 with Retry-After, and no certificate"),
        ("wrong-key", "the certificate has another key than the request"),
        ("wrong-order", "the whole chain, the leaf last, in BER"),
    ),
    Service.CONTRACT: tuple((deviation.value, deviation.summary) for deviation in Deviation),
}
MISBEHAVIOURS: tuple[Misbehaviour, ...] = tuple(
    Misbehaviour(service, name, summary) for service, own in _OWN.items() for name, summary in (*own, *_TRANSPORT)
)
"""All there are; the last three of each service are faults of the transport."""


class Switch(Record, forbid_unknown_fields=True):
    """A misbehaviour that is on: for every request, or for those about one certificate.

    `certificate` is a serial number, decimal or 0x and hexadecimal, or a CN; for a CRL it is its CA, `cpo-sub2`.
    """

    service: Service
    name: str
    certificate: str = ""

    def concerns(self, about: Collection[str]) -> bool:
        """Tell whether a request about what has these names is meant."""
        return not self.certificate or self.certificate in about


def switch(service: str, name: str, certificate: str = "") -> Switch:
    """Return a switch with its certificate as the services name it; raise ValueError for what there is not."""
    if not any(each.service == service and each.name == name for each in MISBEHAVIOURS):
        known = [each.name for each in MISBEHAVIOURS if each.service == service]
        if not known:
            raise ValueError(f"no service {service!r}; there are {', '.join(Service)}")
        raise ValueError(f"no misbehaviour {name!r} of {service}; there are {', '.join(known)}")
    about = _plain(certificate.strip())
    if len(about) > LONGEST or not about.isprintable():
        raise ValueError(f"certificate: give a serial number or a CN, up to {LONGEST} characters that print")
    return Switch(service=Service(service), name=name, certificate=about)


def parse(text: str) -> Switch:
    """Read SERVICE:NAME or SERVICE:NAME@CERTIFICATE; raise ValueError for another shape."""
    service, colon, rest = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r}: write SERVICE:NAME or SERVICE:NAME@CERTIFICATE, such as ocsp:revoked")
    name, _, certificate = rest.partition("@")
    return switch(service, name, certificate)


def faults(switches: Iterable[Switch], service: Service, about: Collection[str] = ()) -> frozenset[str]:
    """Return the names of what is on for a request of a service."""
    return frozenset(each.name for each in switches if each.service is service and each.concerns(about))


def _plain(certificate: str) -> str:
    """Write a serial number in decimal; leave a name as it is."""
    if not certificate.lower().startswith("0x"):
        return certificate
    try:
        return str(int(certificate.replace(":", ""), 16))
    except ValueError:
        return certificate
