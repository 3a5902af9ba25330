"""What has to stand in a station's answers when all is well."""

from __future__ import annotations

import re
from typing import Any

from lab.cases.station import notification
from lab.cases.verdict import demand
from lab.cases.visitor import Visitor
from pki.contract.chain import common_name
from v2g import units
from v2g.messages import iso2

EVSE_ID = re.compile(r"[A-Z]{2}\*[0-9A-Z]{3}\*E[0-9A-Z*]{1,30}")
CHALLENGE_BYTES = 16
INTERNET = 3
READY = "EVSE_Ready"


def opens(visitor: Visitor, answer: iso2.SessionSetupRes) -> None:
    """A new session with an id of its own, at an EVSE with a name."""
    demand(str(answer.ResponseCode) == "OK_NewSessionEstablished", f"it says {answer.ResponseCode}")
    demand(len(visitor.session_id) == 8 and any(visitor.session_id), "the session id is none [V2G2-750]")
    demand(EVSE_ID.fullmatch(answer.EVSEID) is not None, f"EVSEID {answer.EVSEID} is not of the form CC*OOO*E...")


def offers(visitor: Visitor, answer: iso2.ServiceDiscoveryRes) -> None:
    """The payment that the run needs, and charging with the run's kind of energy."""
    wanted = "Contract" if visitor.pixit.payment == "PnC" else "ExternalPayment"
    demand(wanted in answer.PaymentOptionList.PaymentOption, f"{wanted} is not offered")
    demand(answer.ChargeService.ServiceID == 1, f"the charge service has id {answer.ChargeService.ServiceID}")
    modes = answer.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode
    demand(all(each.startswith(visitor.pixit.energy) for each in modes), f"the modes are {', '.join(modes)}")


def describes(visitor: Visitor, answer: iso2.ServiceDetailRes) -> None:
    """The service that was asked for, with parameters."""
    demand(answer.ServiceID == visitor.service, f"it tells of service {answer.ServiceID}")
    demand(answer.ServiceParameterList is not None, "it tells no parameters")


def challenges(visitor: Visitor, answer: iso2.PaymentDetailsRes) -> None:
    """A challenge that nobody can guess."""
    demand(len(answer.GenChallenge) == CHALLENGE_BYTES and any(answer.GenChallenge), "the challenge is none")
    before = [each.body.GenChallenge for each in visitor.said[:-1] if isinstance(each.body, iso2.PaymentDetailsRes)]
    demand(answer.GenChallenge not in before, "the challenge was used before")


def finished(_: Visitor, answer: Any) -> None:
    """Nothing more has to be waited for."""
    demand(answer.EVSEProcessing is iso2.EVSEProcessing.Finished, f"it is {answer.EVSEProcessing}")


def waited(visitor: Visitor, _: Any) -> None:
    """It was Ongoing at least once before it finished."""
    kinds = [each.body for each in visitor.said if isinstance(each.body, iso2.CableCheckRes)]
    demand(kinds[0].EVSEProcessing is iso2.EVSEProcessing.Ongoing, "it was never Ongoing")


def insulated(_: Visitor, answer: iso2.CableCheckRes) -> None:
    """The isolation is good and the station ready."""
    status = answer.DC_EVSEStatus
    demand(str(status.EVSEIsolationStatus) in ("Valid", "Warning"), f"the isolation is {status.EVSEIsolationStatus}")
    demand(str(status.EVSEStatusCode) == READY, f"the station is {status.EVSEStatusCode}")


def ready(_: Visitor, answer: iso2.PreChargeRes) -> None:
    """The station is ready while it pre-charges."""
    demand(str(answer.DC_EVSEStatus.EVSEStatusCode) == READY, f"the station is {answer.DC_EVSEStatus.EVSEStatusCode}")


def undisturbed(_: Visitor, answer: Any) -> None:
    """The station asks for nothing."""
    demand(notification(answer) == "None", f"it asks for {notification(answer)}")


def loops(visitor: Visitor, answer: Any) -> None:
    """A turn of the charge loop at this EVSE, under the schedule that was chosen."""
    demand(EVSE_ID.fullmatch(answer.EVSEID) is not None, f"EVSEID {answer.EVSEID}")
    demand(answer.SAScheduleTupleID == visitor.schedule, f"schedule {answer.SAScheduleTupleID} is not the chosen one")


def wants_no_receipt(_: Visitor, answer: Any) -> None:
    """No receipt is asked for [V2G2-691]."""
    demand(not answer.ReceiptRequired, "a receipt is asked for")


def wants_receipt(_: Visitor, answer: Any) -> None:
    """A receipt is asked for, of a reading."""
    demand(bool(answer.ReceiptRequired), "no receipt is asked for")
    demand(answer.MeterInfo is not None, "a receipt is asked for, but no reading told")


def tells_meter(_: Visitor, answer: Any) -> None:
    """The meter is named."""
    demand(answer.MeterInfo is not None and bool(answer.MeterInfo.MeterID), "no meter is named")


def tells_reading(_: Visitor, answer: Any) -> None:
    """The meter's reading is told [V2G2-831]."""
    demand(answer.MeterInfo is not None and answer.MeterInfo.MeterReading is not None, "no reading is told")


def limits_by_contract(_: Visitor, answer: Any) -> None:
    """In AC the limit is told by the schedule where a contract pays, not by EVSEMaxCurrent."""
    demand(getattr(answer, "EVSEMaxCurrent", None) is None, "EVSEMaxCurrent stands there in spite of a contract")


def dead(_: Visitor, answer: iso2.WeldingDetectionRes) -> None:
    """The voltage behind the open contactors is told, and can be touched."""
    demand(units.number(answer.EVSEPresentVoltage) < 60, "the output is not below 60 V")


def delivers(visitor: Visitor, _: Any) -> None:
    """A contract came that opens with the vehicle's key and holds in every respect: the visitor holds it now."""
    demand(visitor.own is not None and visitor.own.chain != visitor.pixit.held.contract().chain, "no contract came")


def same_account(visitor: Visitor, _: Any) -> None:
    """The contract that came is one for the account that was known before."""
    demand(visitor.emaid == common_name(visitor.pixit.held.contract().chain[0]), f"it is for {visitor.emaid}")
