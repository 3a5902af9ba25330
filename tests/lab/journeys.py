"""The journeys of the vehicle: what the station answers so that every request of the code is sent once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from evcc import config, wallet
from evcc.trip import Declined
from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from tests.evcc import bench_din
from tests.evcc import bench_station as bench
from tests.evcc.bench_station import OK, ONGOING, Script
from tests.lab.vehicles import Journey
from v2g.messages import din, iso2
from v2g.messages.iso2 import EVSEProcessing

WAITING = EVSEProcessing.Ongoing_WaitingForCustomerInteraction
FLAT = 300.0
"""A voltage that no battery here is near."""


def by_turn(*answers: Any) -> Script:
    """One answer after the other, the last of them for ever."""
    return lambda _, turn: answers[min(turn, len(answers) - 1)]


def first(answer: Callable[[Any], Any], then: Script) -> Script:
    """Another answer to the first of these requests."""
    return lambda request, turn: answer(request) if turn == 0 else then(request, turn)


def without_receipt(response: Any) -> Any:
    """Say so, instead of nothing."""
    return msgspec.structs.replace(response, ReceiptRequired=False)


def patience(energy: Any) -> dict[str, Script]:
    """A station that makes the vehicle ask again wherever it may, renegotiates once and then wishes to stop."""
    usual = bench.usual(energy)
    none, anew, stop = "None", "ReNegotiation", "StopCharging"
    authorization = [
        iso2.AuthorizationRes(ResponseCode=OK, EVSEProcessing=each)
        for each in (ONGOING, WAITING, EVSEProcessing.Finished)
    ]
    parameter = bench.ac_parameter() if energy == "AC" else bench.dc_parameter()
    return {
        "Authorization": by_turn(*authorization),
        "ChargeParameterDiscovery": first(
            lambda _: bench.parameters(parameter, None, ONGOING), usual["ChargeParameterDiscovery"]
        ),
        "ChargingStatus": by_turn(
            *(without_receipt(bench.charging(bench.ac_status(each))) for each in (none, anew, none, stop))
        ),
        "CableCheck": first(
            lambda _: iso2.CableCheckRes(
                ResponseCode=OK,
                DC_EVSEStatus=bench.dc_status("EVSE_IsolationMonitoringActive", isolation="Invalid"),
                EVSEProcessing=ONGOING,
            ),
            usual["CableCheck"],
        ),
        "PreCharge": first(
            lambda _: iso2.PreChargeRes(
                ResponseCode=OK,
                DC_EVSEStatus=bench.dc_status(),
                EVSEPresentVoltage=bench.value(FLAT, bench.V),
            ),
            usual["PreCharge"],
        ),
        "CurrentDemand": by_turn(
            *(without_receipt(bench.demand(bench.dc_status(notification=each))) for each in (none, anew, none, stop))
        ),
        "WeldingDetection": first(
            lambda _: iso2.WeldingDetectionRes(
                ResponseCode=OK,
                DC_EVSEStatus=bench.dc_status("EVSE_Shutdown"),
                EVSEPresentVoltage=bench.value(FLAT, bench.V),
            ),
            usual["WeldingDetection"],
        ),
    }


def patience_din() -> dict[str, Script]:
    """The same in DIN, which knows no renegotiation."""
    usual = bench_din.usual()
    status = bench_din.dc_status
    ongoing, finished = din.EVSEProcessing.Ongoing, din.EVSEProcessing.Finished
    return {
        "ContractAuthentication": by_turn(
            *(
                din.ContractAuthenticationRes(ResponseCode=bench_din.OK, EVSEProcessing=each)
                for each in (ongoing, finished)
            )
        ),
        "ChargeParameterDiscovery": by_turn(bench_din.parameters(ongoing), bench_din.parameters()),
        "CableCheck": by_turn(
            bench_din.cable_check(status("EVSE_IsolationMonitoringActive", isolation="Invalid"), ongoing),
            bench_din.cable_check(),
        ),
        "PreCharge": first(lambda _: bench_din.precharge(bench_din.value(FLAT, bench_din.V)), usual["PreCharge"]),
        "CurrentDemand": by_turn(
            bench_din.demand(), bench_din.demand(), bench_din.demand(status(notification="StopCharging"))
        ),
        "WeldingDetection": by_turn(bench_din.welding(FLAT), bench_din.welding()),
    }


def journeys(certificates: Path) -> list[Journey]:
    """All of them; the plainest come first."""
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = wallet.load(config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem")))
    return [
        Journey("iso2 AC external", ISO2, "AC", patience("AC")),
        Journey("iso2 DC external", ISO2, "DC", patience("DC")),
        Journey("iso2 AC contract", ISO2, "AC", patience("AC"), contract),
        Journey("iso2 DC contract", ISO2, "DC", patience("DC"), contract),
        Journey("iso2 declined", ISO2, "AC", {"ServiceDiscovery": by_turn(bench.discovery("Contract"))}, ends=Declined),
        Journey("din DC external", DIN, "DC", patience_din()),
        Journey(
            "din declined", DIN, "DC", {"ServiceDiscovery": by_turn(bench_din.discovery("Contract"))}, ends=Declined
        ),
    ]


JOURNEYS = (
    "iso2 AC external",
    "iso2 DC external",
    "iso2 AC contract",
    "iso2 DC contract",
    "iso2 declined",
    "din DC external",
    "din declined",
)
