"""Every timeout and performance time of SupportedAppProtocol, DIN 70121 and ISO 15118-2, once, with its source.

`Timing(scale)` gives them in seconds times `scale`: a station under test lives through its 60 seconds in
milliseconds. Performance times of single messages are promises, nobody enforces them; late answers are told. A source
of `ours` is a decision of this project. What is `kept` by somebody else stands here to be complete.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, overload

Clock = Callable[[], float]


class MessageTime(NamedTuple):
    """Seconds the vehicle waits for a response, and seconds within which the station promises it."""

    timeout: float
    performance: float


ORDINARY = MessageTime(2.0, 1.5)
PATIENT = MessageTime(5.0, 4.5)
LOOP = MessageTime(0.25, 0.025)

# Table 109 of -2 [V2G2-436]; the names are those of the messages without Req and Res.
MESSAGES: dict[str, dict[str, MessageTime]] = {
    "sap": {"SupportedAppProtocol": ORDINARY},
    # Table 75 of DIN 70121; of its performance times only that of CurrentDemand is sure, the others are (unverified).
    "din": {
        "SessionSetup": ORDINARY,
        "ServiceDiscovery": ORDINARY,
        "ServicePaymentSelection": ORDINARY,
        "ContractAuthentication": ORDINARY,
        "ChargeParameterDiscovery": ORDINARY,
        "CableCheck": ORDINARY,
        "PreCharge": ORDINARY,
        "PowerDelivery": ORDINARY,
        "CurrentDemand": LOOP,
        "WeldingDetection": ORDINARY,
        "SessionStop": ORDINARY,
    },
    "iso2": {
        "SessionSetup": ORDINARY,
        "ServiceDiscovery": ORDINARY,
        "ServiceDetail": PATIENT,
        "PaymentServiceSelection": ORDINARY,
        "CertificateInstallation": PATIENT,
        "CertificateUpdate": PATIENT,
        "PaymentDetails": PATIENT,
        "Authorization": ORDINARY,
        "ChargeParameterDiscovery": ORDINARY,
        "CableCheck": ORDINARY,
        "PreCharge": ORDINARY,
        "PowerDelivery": PATIENT,
        "ChargingStatus": ORDINARY,
        "CurrentDemand": LOOP,
        "MeteringReceipt": ORDINARY,
        "WeldingDetection": ORDINARY,
        "SessionStop": ORDINARY,
    },
}
REQUESTS = tuple(dict.fromkeys(f"{name}Req" for table in MESSAGES.values() for name in table))


class Timer:
    """One timer: as an attribute of a `Timing` its scaled seconds, as an attribute of the class this row."""

    def __init__(self, seconds: float, name: str, source: str, *, kept: str = "") -> None:
        self.seconds = seconds
        self.name = name
        self.source = source
        self.kept = kept

    @overload
    def __get__(self, timing: None, owner: type[Timing]) -> Timer: ...
    @overload
    def __get__(self, timing: Timing, owner: type[Timing]) -> float: ...
    def __get__(self, timing: Timing | None, owner: type[Timing]) -> Timer | float:
        return self if timing is None else timing.lasts(self)


@dataclass(frozen=True, slots=True)
class Timing:
    """All times in seconds, multiplied by `scale`.

    `timeouts` replaces message timeouts by request name, such as `CurrentDemandReq`, for peers slower than allowed.
    Raises ValueError for a scale or timeout that is not a positive number, or a request that does not exist.
    """

    scale: float = 1.0
    timeouts: Mapping[str, float] = field(default_factory=dict)

    sequence = Timer(60.0, "V2G_SECC_Sequence_Timeout", "[V2G2-443] [V2G-DC-432]")
    sequence_performance = Timer(40.0, "V2G_EVCC_Sequence_Performance_Time", "[V2G2-485]")
    setup_evcc = Timer(20.0, "V2G_EVCC_CommunicationSetup_Timeout", "[V2G2-446] [V2G2-448] [V2G2-605]")
    setup_secc = Timer(18.0, "V2G_SECC_CommunicationSetup_Performance_Time", "[V2G2-716] [V2G2-605]")
    ongoing_evcc = Timer(60.0, "V2G_EVCC_Ongoing_Timeout", "[V2G2-710] [V2G2-711]")
    ongoing_secc = Timer(55.0, "V2G_SECC_Ongoing_Performance_Time", "[V2G2-712] [V2G2-713]")
    eim_waiting = Timer(180.0, "waiting for the customer's identification", "ours; drivers need over 140 s [V2G2-845]")
    cable_check_evcc = Timer(40.0, "V2G_EVCC_CableCheck_Timeout", "[V2G2-700] to [V2G2-703] [V2G-DC-380]")
    cable_check_secc = Timer(38.0, "V2G_SECC_CableCheck_Performance_Time", "[V2G2-700] to [V2G2-703]")
    precharge_evcc = Timer(7.0, "V2G_EVCC_PreCharge_Timeout", "[V2G2-704] to [V2G2-707]")
    precharge_secc = Timer(5.0, "V2G_SECC_PreCharge_Performance_Time", "[V2G2-704] to [V2G2-707]")
    ready_evcc = Timer(150.0, "V2G_EVCC_ReadyToCharge_Timeout", "(unverified) Table 77 of DIN 70121, where it begins")
    ready_secc = Timer(148.0, "V2G_SECC_ReadyToCharge_Performance_Time", "(unverified) DIN 70121, from SessionSetupRes")
    loop_silence = Timer(2.0, "charge loop silence until the target falls to 0 A", "ours")
    pilot_change = Timer(0.25, "control pilot change", "[V2G2-847] [V2G2-848]", kept="the vehicle's hardware")
    pilot_detect = Timer(0.25, "control pilot state detected", "conformance cases", kept="the charger controller")
    pilot_decide = Timer(1.5, "control pilot state missing is an error", "conformance cases [V2G-DC-547]")
    pilot_retain = Timer(1.5, "oscillator on after the end", "(unverified)", kept="the charger controller")
    contactor_close = Timer(3.0, "contactor closed after the pilot's C or D", "[V2G2-860] [V2G2-862] [V2G2-865]")
    ramp_down = Timer(2.0, "current below 1 A after a stop", "ours; with the next within PowerDelivery's 4.5 s")
    contactor_open = Timer(1.0, "contactor opened after a stop", "ours")
    ramp_down_din = Timer(
        0.9, "current below 1 A after a stop in DIN", "ours; with the next within PowerDelivery's 1.5 s"
    )
    contactor_open_din = Timer(0.5, "contactor opened after a stop in DIN", "ours")
    follow = Timer(5.0, "current above a lowered limit until the vehicle is stopped", "ours")
    last_request = Timer(1.0, "one more request is awaited, to be answered by FAILED", "ours; within `close`")
    after_failed = Timer(0.5, "a SessionStopReq is still answered after FAILED", "ours; well within `close`")
    close = Timer(5.0, "connection closed after the last response or an error", "conformance cases")
    sdp_wait = Timer(0.25, "wait for an SDP response before asking again", "[V2G2-159]")
    sdp_linger = Timer(0.1, "wait for a second SDP response that contradicts the first", "ours")

    def __post_init__(self) -> None:
        if not (self.scale > 0 and math.isfinite(self.scale)):
            raise ValueError(f"time scale {self.scale}: must be a positive number; 1 is real time")
        for name, seconds in self.timeouts.items():
            if name not in REQUESTS:
                raise ValueError(f"timeout of {name}: no such request; there are {', '.join(REQUESTS)}")
            if not (seconds > 0 and math.isfinite(seconds)):
                raise ValueError(f"timeout of {name}, {seconds}: must be a positive number of seconds")

    def lasts(self, timer: Timer) -> float:
        """Return how long a timer runs, in seconds."""
        return timer.seconds * self.scale

    def message_timeout(self, protocol_key: str, request_name: str) -> float:
        """Return V2G_EVCC_Msg_Timeout of a request such as `CurrentDemandReq`, in seconds."""
        usual = _message_time(protocol_key, request_name).timeout
        return self.timeouts.get(request_name, usual) * self.scale

    def message_performance(self, protocol_key: str, request_name: str) -> float:
        """Return V2G_SECC_Msg_Performance_Time of a request such as `CurrentDemandReq`, in seconds."""
        return _message_time(protocol_key, request_name).performance * self.scale


def _message_time(protocol_key: str, request_name: str) -> MessageTime:
    row = MESSAGES.get(protocol_key, {}).get(request_name.removesuffix("Req"))
    if row is None:
        raise ValueError(f"no message time for {request_name} of {protocol_key}: add it to v2g.timing.MESSAGES")
    return row


class Budget:
    """A deadline that repeats do not extend: armed when made, on the monotonic clock."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._until = clock() + seconds

    def left(self) -> float:
        """Return the seconds left, 0 when it is over."""
        return max(0.0, self._until - self._clock())

    @property
    def over(self) -> bool:
        """Whether the time has run out."""
        return self._clock() >= self._until
