"""What is sent to a waiting peer: every message of every kind, and bytes that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.standard.sequence import CLOSED, StationFollower, name
from tests.certificates import Holder, car1
from tests.provisioning import installation, leaf, renewal
from tests.provisioning import signed as signature
from tests.secc import bench_din, bench_requests
from tests.secc.bench_car import Car, framed, hello
from v2g.dialect import Dialect, Refusing
from v2g.din import DIN
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.iso2 import ISO2
from v2g.messages import din, iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema

IGNORED = "ignored"
"""What happens to a frame that is of no type spoken here, or whose header is wrong: nothing [V2G2-800]."""

DIALECTS: dict[str, Dialect] = {"iso2": ISO2, "din": DIN}
OTHER = {"iso2": "din", "din": "iso2"}
STRANGER = b"\x01" * 8
STRANGE = (bytes(8), b"", b"\0", b"\x01")
"""Other ids that are not the session's."""
REQUESTS: dict[str, tuple[Message, ...]] = {
    "iso2": (
        *bench_requests.EVERY,
        bench_requests.selection("Contract"),
        bench_requests.dc_parameters(),
        bench_requests.power("Stop"),
        bench_requests.power("Renegotiate"),
        bench_requests.stop("Pause"),
    ),
    "din": (
        *bench_din.EVERY,
        bench_din.selection("Contract"),
        bench_din.ac_parameters(),
        bench_din.power("Stop"),
    ),
}


def responses(key: str) -> Iterator[Message]:
    """A positive response to every request of a standard."""
    for request in {type(each): each for each in REQUESTS[key]}.values():
        yield DIALECTS[key].refusal(request, "OK", Refusing())


@dataclass(frozen=True, slots=True)
class Injection:
    """Something to send, by name: a message of the session, or a frame as it is."""

    title: str
    message: Message | None = None
    session_id: bytes | None = None
    raw: bytes = b""
    signed: Callable[[Car], tuple[Message, Signature]] | None = None
    """Makes the message and the signature that it needs."""
    foreign: bool = False
    """Whether it is a message of another standard."""

    def data(self, car: Car) -> bytes:
        """The bytes, for a car in its session."""
        if self.signed is not None:
            message, signature = self.signed(car)
            return car.encode(message, signature=signature)
        return self.raw if self.message is None else car.encode(self.message, session_id=self.session_id)

    def skipped(self, car: Car) -> bool:
        """Whether these bytes are none that a session looks at."""
        sent = self.data(car)
        return sent[2:4] != b"\x80\x01" or len(sent) == len(framed(b""))

    def expected(self, follower: StationFollower, car: Car) -> frozenset[str]:
        """What the table says to it: codes, `CLOSED` or `IGNORED`. Foreign bytes are read as the session would."""
        if self.skipped(car):
            return frozenset({IGNORED})
        read = self.read(car)
        if read is None or not hasattr(read[1], "Response"):
            return frozenset({CLOSED})
        return follower.expected(read[1], ours=read[0].ljust(8, b"\0") == car.session_id)

    def read(self, car: Car) -> tuple[bytes, Any] | None:
        """Session id and body of what these bytes are in the standard agreed on; None where they are no message."""
        try:
            message = schema(car.schema).decode(self.data(car)[8:])
        except Undecodable:
            return None
        if not isinstance(message, iso2.V2G_Message | din.V2G_Message) or message.Body.BodyElement is None:
            return None
        return message.Header.SessionID, message.Body.BodyElement


def injections(key: str, certificates: Path) -> list[Injection]:
    """Everything there is for a session of this standard, where nothing but the time can be wrong with a request."""
    requests = REQUESTS[key]
    signed = _signed(certificates) if key == "iso2" else []
    titles = {each.title for each in signed}
    plain = [Injection(name(each), each) for each in requests if name(each) not in titles]
    return [
        *signed,
        *plain,
        *(Injection(f"{name(each)} of another session", each, STRANGER) for each in requests),
        *(Injection(f"{name(requests[1])} in session {id_.hex()}", requests[1], id_) for id_ in STRANGE),
        *(Injection(f"{name(each)} response", each) for each in responses(key)),
        *_foreign(key),
        *_bytes(),
    ]


def _signed(certificates: Path) -> list[Injection]:
    """The requests that are nothing without certificate and signature."""
    contract, vehicle = car1(certificates), leaf(certificates, "oem-provisioning", "car1")
    install, update = installation(vehicle), renewal(leaf(certificates, "contract", "car1"))
    return [
        Injection("PaymentDetails", bench_requests.details(contract)),
        Injection("Authorization(GenChallenge)", signed=lambda car: proof(car, contract)),
        Injection("MeteringReceipt", signed=lambda car: receipt(car, contract)),
        Injection("CertificateInstallation", signed=lambda _: (install, signature(install, vehicle.key))),
        Injection("CertificateUpdate", signed=lambda _: (update, signature(update, contract.key))),
    ]


def receipt(car: Car, contract: Holder) -> tuple[Message, Signature]:
    """The reading that was told last, signed; any other where none was."""
    reading = getattr(car.answers[-1].body, "MeterInfo", None) if car.answers else None
    request = iso2.MeteringReceiptReq(
        Id="id1",
        SessionID=car.session_id,
        SAScheduleTupleID=1,
        MeterInfo=reading or iso2.MeterInfo(MeterID="M1"),
    )
    return request, signature(request, contract.key)


def proof(car: Car, contract: Holder) -> tuple[Message, Signature]:
    """The challenge of the session, signed."""
    request = iso2.AuthorizationReq(Id="ID1", GenChallenge=car.challenge)
    return request, bench_requests.signed(request, contract)


def _foreign(key: str) -> Iterator[Injection]:
    """Messages of other schema sets: the handshake once more, and each of the other standard."""
    yield Injection("SupportedAppProtocol", raw=framed(schema("sap").encode(hello())))
    other = Car.__new__(Car)
    other.session_id = STRANGER
    for each in (*REQUESTS[OTHER[key]], *responses(OTHER[key])):
        yield Injection(f"{OTHER[key]} {type(each).__name__} {name(each)}", raw=other.encode(each), foreign=True)


def _bytes() -> Iterator[Injection]:
    yield Injection("garbage", raw=framed(b"\xff\x00\x55" * 5))
    yield Injection("an EXI header alone", raw=framed(b"\x80"))
    yield Injection("half a message", raw=framed(b"\x80\x9a\x02\x00\x00\x00"))
    yield Injection("nothing", raw=framed(b""))
    yield Injection("the mainstream of -20", raw=framed(b"\x80\x00", 0x8002))
    yield Injection("an SDP request", raw=framed(b"\x10\x00", 0x9000))
    yield Injection("a maker's own type", raw=framed(b"\x01", 0xA000))
