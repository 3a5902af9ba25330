"""The journeys of the vehicle: what the station answers so that every request of the code is sent once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from evcc import config, provisioning, wallet
from evcc.provisioning import Provisioning
from evcc.trip import Declined, StationFault
from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from pki.keys import PublicKey
from pki.provisioning import ProvisioningService
from pki.store import Store
from tests.evcc import bench_din
from tests.evcc import bench_station as bench
from tests.evcc.bench_station import OK, ONGOING, Script
from tests.lab.vehicles import Journey
from tests.provisioning import EMAID, message
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


def metered(response: Any, *, receipt: bool = False) -> Any:
    """Tell a reading, and whether a receipt for it is wanted."""
    reading = iso2.MeterInfo(MeterID="M1", MeterReading=1_000)
    return msgspec.structs.replace(response, MeterInfo=reading, ReceiptRequired=receipt)


def patience(energy: Any, *, receipt: bool = False) -> dict[str, Script]:
    """A station that makes the vehicle ask again wherever it may, renegotiates once and then wishes to stop."""
    usual = bench.usual(energy)
    wishes = ("None", "None", "ReNegotiation", "None", "StopCharging")
    status = bench.ac_status() if energy == "AC" else bench.dc_status()
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
            *(
                metered(bench.charging(bench.ac_status(each)), receipt=receipt and turn == 1)
                for turn, each in enumerate(wishes)
            )
        ),
        "MeteringReceipt": by_turn(iso2.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=status)),
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
            *(
                metered(bench.demand(bench.dc_status(notification=each)), receipt=receipt and turn == 1)
                for turn, each in enumerate(wishes)
            )
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


def with_service() -> dict[str, Script]:
    """A station with a service besides charging, and details of it."""
    service = iso2.Service(ServiceID=3, ServiceCategory=iso2.ServiceCategory.Internet, FreeService=True)
    offer = msgspec.structs.replace(
        bench.discovery("Contract", "ExternalPayment"), ServiceList=iso2.ServiceList(Service=[service])
    )
    return {
        "ServiceDiscovery": by_turn(offer),
        "ServiceDetail": by_turn(iso2.ServiceDetailRes(ResponseCode=OK, ServiceID=3)),
    }


def with_operator(certificates: Path, receiver: PublicKey) -> dict[str, Script]:
    """A station that delivers the contract that it is asked for, to the owner of a key."""
    certificate = iso2.Service(ServiceID=2, ServiceCategory=iso2.ServiceCategory.ContractCertificate, FreeService=True)
    offer = msgspec.structs.replace(bench.discovery("Contract"), ServiceList=iso2.ServiceList(Service=[certificate]))
    sets = [
        iso2.ParameterSet(ParameterSetID=number, Parameter=[iso2.Parameter(Name="Service", stringValue=each)])
        for number, each in enumerate(("Installation", "Update"), start=1)
    ]
    detail = iso2.ServiceDetailRes(
        ResponseCode=OK, ServiceID=2, ServiceParameterList=iso2.ServiceParameterList(ParameterSet=sets)
    )
    delivery = ProvisioningService(Store(certificates)).deliver(EMAID, receiver)
    installed, updated = (
        bench.framed(message(each, delivery.signature, bench.SESSION))
        for each in (delivery.installed(), delivery.updated())
    )
    return {
        "ServiceDiscovery": by_turn(offer),
        "ServiceDetail": by_turn(detail),
        "CertificateInstallation": by_turn(installed),
        "CertificateUpdate": by_turn(updated),
    }


def supply(certificates: Path, **more: Any) -> Provisioning:
    """What the maker gave the vehicle."""
    folder = certificates / "leaf" / "oem-provisioning" / "car1"
    kept = certificates.parent / "wallet"
    given = config.Provisioning(chain=str(folder / "chain.pem"), key=str(folder / "key.pem"), wallet=str(kept), **more)
    roots = config.Tls(roots=[str(certificates / "trust" / "v2g.pem")])
    loaded = provisioning.load(config.EvccConfig(provisioning=given, tls=roots))
    assert loaded is not None
    return loaded


def journeys(certificates: Path) -> list[Journey]:
    """All of them; the plainest come first."""
    held = certificates / "leaf" / "contract" / "car1"
    contract = wallet.load(config.Contract(chain=str(held / "chain.pem"), key=str(held / "key.pem")))
    demanding = {**patience("DC", receipt=True), **with_service()}
    wanted = {"services": (config.WantedService(id=3),)}
    offers_contract = {"ServiceDiscovery": by_turn(bench.discovery("Contract"))}
    contract_in_din = {"ServiceDiscovery": by_turn(bench_din.discovery("Contract"))}
    broken_in_din = {"CurrentDemand": by_turn(bench_din.demand(bench_din.dc_status("EVSE_Malfunction")))}
    broken = {"CurrentDemand": by_turn(bench.demand(bench.dc_status("EVSE_Malfunction")))}
    stopping = {"ChargingStatus": by_turn(bench.charging(bench.ac_status("StopCharging")))}
    maker, renewing = supply(certificates), supply(certificates, when="expiring", renew_within_days=100_000)
    installing = {**stopping, **with_operator(certificates, maker.key.public_key())}
    updating = {**stopping, **with_operator(certificates, contract.key.public_key())}
    return [
        Journey("iso2 AC external", ISO2, "AC", patience("AC")),
        Journey("iso2 DC external", ISO2, "DC", patience("DC")),
        Journey("iso2 AC contract, with receipt", ISO2, "AC", patience("AC", receipt=True), contract),
        Journey("iso2 DC contract, with receipt and a service", ISO2, "DC", demanding, contract, plan=wanted),
        Journey("iso2 AC installed contract", ISO2, "AC", installing, provisioning=maker),
        Journey("iso2 AC renewed contract", ISO2, "AC", updating, contract, renewing),
        Journey("iso2 AC paused when the station stops", ISO2, "AC", stopping, plan={"when_stopped": "pause"}),
        Journey("iso2 AC declined", ISO2, "AC", offers_contract, ends=Declined),
        Journey("iso2 DC ended by a fault", ISO2, "DC", broken, ends=StationFault),
        Journey("din DC external", DIN, "DC", patience_din()),
        Journey("din DC ended by a fault", DIN, "DC", broken_in_din, ends=StationFault),
        Journey("din DC declined", DIN, "DC", contract_in_din, ends=Declined),
    ]


JOURNEYS = (
    "iso2 AC external",
    "iso2 DC external",
    "iso2 AC contract, with receipt",
    "iso2 DC contract, with receipt and a service",
    "iso2 AC installed contract",
    "iso2 AC renewed contract",
    "iso2 AC paused when the station stops",
    "iso2 AC declined",
    "iso2 DC ended by a fault",
    "din DC external",
    "din DC ended by a fault",
    "din DC declined",
)
