"""What is sent to a waiting peer: every message of every kind, and bytes that are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.standard.sequence import CLOSED, StationFollower, name
from tests.certificates import Holder
from tests.secc import bench_din, bench_requests
from tests.secc.bench_car import Car, framed, hello
from v2g.dialect import Dialect, Refusing
from v2g.din import DIN
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.iso2 import ISO2
from v2g.messages import din, iso2
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
    prover: Holder | None = None
    """Whose key signs the challenge of the session, where that is what is sent."""

    def data(self, car: Car) -> bytes:
        """The bytes, for a car in its session."""
        if self.prover is not None:
            proof = iso2.AuthorizationReq(Id="ID1", GenChallenge=car.challenge)
            return car.encode(proof, signature=bench_requests.signed(proof, self.prover))
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


def injections(key: str, contract: Holder) -> list[Injection]:
    """Everything there is for a session of this standard, where nothing but the time can be wrong with a request."""
    requests = [each for each in REQUESTS[key] if not isinstance(each, iso2.PaymentDetailsReq)]
    proper = [Injection(name(each), each) for each in requests]
    if key == "iso2":
        proper.append(Injection("PaymentDetails", bench_requests.details(contract)))
        proper.append(Injection("Authorization(GenChallenge)", prover=contract))
    return [
        *proper,
        *(Injection(f"{each.title} of another session", each.message, STRANGER) for each in proper if each.message),
        *(Injection(f"{name(requests[1])} in session {id_.hex()}", requests[1], id_) for id_ in STRANGE),
        *(Injection(f"{name(each)} response", each) for each in responses(key)),
        *_foreign(key),
        *_bytes(),
    ]


def _foreign(key: str) -> Iterator[Injection]:
    """Messages of other schema sets: the handshake once more, and each of the other standard."""
    yield Injection("SupportedAppProtocol", raw=framed(schema("sap").encode(hello())))
    other = Car.__new__(Car)
    other.session_id = STRANGER
    for each in (*REQUESTS[OTHER[key]], *responses(OTHER[key])):
        yield Injection(f"{OTHER[key]} {type(each).__name__} {name(each)}", raw=other.encode(each))


def _bytes() -> Iterator[Injection]:
    yield Injection("garbage", raw=framed(b"\xff\x00\x55" * 5))
    yield Injection("an EXI header alone", raw=framed(b"\x80"))
    yield Injection("half a message", raw=framed(b"\x80\x9a\x02\x00\x00\x00"))
    yield Injection("nothing", raw=framed(b""))
    yield Injection("the mainstream of -20", raw=framed(b"\x80\x00", 0x8002))
    yield Injection("an SDP request", raw=framed(b"\x10\x00", 0x9000))
    yield Injection("a maker's own type", raw=framed(b"\x01", 0xA000))
