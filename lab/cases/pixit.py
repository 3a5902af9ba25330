"""What is declared of a system under test before a case runs, and the times of the standard that cases hold it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lab.cases.certificates import Certificates
from lab.cases.verdict import Unclear

Energy = Literal["AC", "DC"]
Payment = Literal["EIM", "PnC"]

SECONDS = {
    "sequence": 60.0,  # V2G_SECC_Sequence_Timeout [V2G2-443]
    "setup_secc": 18.0,  # V2G_SECC_CommunicationSetup_Performance_Time [V2G2-716]
    "setup_evcc": 20.0,  # V2G_EVCC_CommunicationSetup_Timeout [V2G2-446]
    "ongoing_secc": 55.0,  # V2G_SECC_Ongoing_Performance_Time [V2G2-712]
    "ongoing_evcc": 60.0,  # V2G_EVCC_Ongoing_Timeout [V2G2-710]
    "cable_check_evcc": 40.0,  # V2G_EVCC_CableCheck_Timeout [V2G2-700]
    "precharge_evcc": 7.0,  # V2G_EVCC_PreCharge_Timeout [V2G2-704]
    "sdp_wait": 0.25,  # [V2G2-159]
    "pilot_decide": 1.5,  # conformance cases
    "close": 5.0,  # conformance cases: TCP after a failure
}
"""From the standard, not from the code under test."""
PATIENT = ("ServiceDetail", "CertificateInstallation", "CertificateUpdate", "PaymentDetails", "PowerDelivery")
MESSAGE_S, PATIENT_S, LOOP_S = 2.0, 5.0, 0.25


def message_timeout(name: str) -> float:
    """V2G_EVCC_Msg_Timeout of a message, in seconds (table 109 of -2)."""
    return LOOP_S if name == "CurrentDemand" else PATIENT_S if name in PATIENT else MESSAGE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixit:
    """One run: what is charged and how it is paid, what else the system has, and how much faster its timers run.

    `certificates` are what a tester may present, for PnC. `hurry` gives, by timer, the factor by which the system was
    told to multiply it; timers that are not named run as they are.
    """

    energy: Energy
    payment: Payment
    features: frozenset[str] = frozenset()
    certificates: Certificates | None = None
    hurry: Mapping[str, float] = field(default_factory=dict)

    def seconds(self, timer: str) -> float:
        """How long a timer of the standard lasts in this run."""
        return SECONDS[timer] * self.hurry.get(timer, 1.0)

    @property
    def tls(self) -> bool:
        """Whether the run is one inside TLS; contracts always are."""
        return self.payment == "PnC" or "tls" in self.features

    @property
    def held(self) -> Certificates:
        """The tester's certificates; raises `Unclear` without any."""
        if self.certificates is None:
            raise Unclear("the PIXIT holds no certificates")
        return self.certificates

    def waits(self, message: str) -> float:
        """How long a vehicle waits for the answer to a message in this run."""
        return message_timeout(message) * self.hurry.get("message", 1.0)
