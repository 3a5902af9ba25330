"""What a station refuses for its content: the paired response, the right code, and everything open before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from secc import api
from tests.secc.bench import Bench, ac_bench, bench, dc_bench
from tests.secc.bench_charger import AC_SETUP
from tests.secc.bench_requests import (
    AC,
    DC,
    Step,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    ev_status,
    power,
    precharge,
    selection,
    value,
    walk,
    watts,
)
from v2g.messages import iso2
from v2g.messages.iso2 import BodyElement, PhysicalValue, UnitSymbol

ROUTES = {"AC": AC, "DC": DC}


async def refused(station: Bench, route: Sequence[Step], wait: str, request: BodyElement, code: str) -> Any:
    """Send a request at a wait and check everything that a refusal must be; return the answer."""
    car = await station.car_at(route, wait)
    body = await car.ask(request)
    assert type(body).__name__ == type(request).__name__.replace("Req", "Res")
    assert body.ResponseCode == code
    assert car.answers[-1].session_id == car.session_id
    station.assert_open_before_answer()
    await car.close()
    event = await station.ended("refused")
    assert event["response_code"] == code
    assert event["reason"]
    await station.serves_next()
    return body


REFUSALS = [
    pytest.param("AC", "ServiceOrPayment", iso2.ServiceDetailReq(ServiceID=2), "FAILED_ServiceIDInvalid", id="detail"),
    pytest.param("AC", "ServiceOrPayment", iso2.ServiceDetailReq(ServiceID=0), "FAILED_ServiceIDInvalid", id="zero"),
    pytest.param("AC", "ServiceOrPayment", selection("Contract"), "FAILED_PaymentSelectionInvalid", id="no-tls"),
    pytest.param(
        "AC", "ServiceOrPayment", selection("ExternalPayment", 2), "FAILED_NoChargeServiceSelected", id="no-charging"
    ),
    pytest.param(
        "AC", "ServiceOrPayment", selection("ExternalPayment", 1, 3), "FAILED_ServiceSelectionInvalid", id="service"
    ),
    pytest.param(
        "AC", "ChargeParameterDiscovery", dc_parameters(), "FAILED_WrongEnergyTransferMode", id="dc-at-ac"
    ),
    pytest.param(
        "DC", "ChargeParameterDiscovery", ac_parameters(), "FAILED_WrongEnergyTransferMode", id="ac-at-dc"
    ),
    pytest.param(
        "DC", "ChargeParameterDiscovery", dc_parameters(mode="DC_core"), "FAILED_WrongEnergyTransferMode", id="core"
    ),
    pytest.param(
        "AC", "ChargeParameterDiscovery", dc_parameters(mode="AC_three_phase_core"), "FAILED_WrongChargeParameter",
        id="dc-parameter-in-ac-mode",
    ),
    pytest.param(
        "DC", "ChargeParameterDiscovery", ac_parameters(mode="DC_extended"), "FAILED_WrongChargeParameter",
        id="ac-parameter-in-dc-mode",
    ),
    *(
        pytest.param("AC", "ChargeParameterDiscovery", wrong, "FAILED_WrongChargeParameter", id=f"ac-{number}")
        for number, wrong in enumerate((
            ac_parameters(max_a=-1), ac_parameters(max_v=-1), ac_parameters(min_a=-1), ac_parameters(min_a=20),
            ac_parameters(max_a=5.9, min_a=1), ac_parameters(max_a=0, min_a=0),
        ))
    ),
    *(
        pytest.param("DC", "ChargeParameterDiscovery", wrong, "FAILED_WrongChargeParameter", id=f"dc-{number}")
        for number, wrong in enumerate((
            dc_parameters(max_a=-1), dc_parameters(max_v=-1), dc_parameters(max_w=-10), dc_parameters(max_v=149),
            dc_parameters(max_a=0.9), dc_parameters(max_a=0),
        ))
    ),
    *(
        pytest.param("AC", wait, power("Start", tuple_id), "FAILED_TariffSelectionInvalid", id=f"{wait}-{tuple_id}")
        for wait in ("PowerDeliveryStart", "PowerDeliveryStart again")
        for tuple_id in (2, 255)
    ),
    pytest.param("DC", "PreCharge", power("Start", 2), "FAILED_TariffSelectionInvalid", id="dc-tuple"),
    pytest.param("AC", "PowerDeliveryStart", power("Renegotiate"), "FAILED", id="renegotiate-first"),
    pytest.param("DC", "PreCharge", power("Renegotiate"), "FAILED", id="renegotiate-first-dc"),
    pytest.param("AC", "ChargingStatus", power("Start"), "FAILED", id="second-start"),
    pytest.param("DC", "CurrentDemand", power("Start"), "FAILED", id="second-start-dc"),
    pytest.param("DC", "CableCheck", cable_check("FAILED_RESSTemperatureInhibit"), "FAILED", id="error-in-cable-check"),
    pytest.param("DC", "PreCharge first", precharge(error="FAILED_EVShiftPosition"), "FAILED", id="error-in-precharge"),
    pytest.param("DC", "PreCharge first", precharge(amperes=2.1), "FAILED", id="2.1-A"),
    pytest.param("DC", "PreCharge", precharge(amperes=100), "FAILED", id="100-A-later"),
    pytest.param("DC", "PreCharge first", precharge(volts=420.1), "FAILED", id="precharge-above-own-maximum"),
    pytest.param("DC", "PreCharge first", precharge(volts=-1), "FAILED", id="precharge-below-zero"),
    pytest.param("DC", "PreCharge first", precharge(amperes=-1), "FAILED", id="precharge-drawing"),
    pytest.param("DC", "CurrentDemand", demand(volts=420.1), "FAILED", id="target-above-own-maximum"),
    pytest.param("DC", "CurrentDemand", demand(amperes=-1), "FAILED", id="current-below-zero"),
    pytest.param("DC", "CurrentDemand", demand(volts=-1), "FAILED", id="voltage-below-zero"),
    pytest.param(
        "DC", "CurrentDemand", demand(EVMaximumVoltageLimit=value(380, "V")), "FAILED", id="maximum-below-target"
    ),
    pytest.param(
        "DC", "CurrentDemand", demand(volts=300, EVMaximumVoltageLimit=value(350, "V")), "FAILED",
        id="maximum-below-output",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("energy", "wait", "request_", "code"), REFUSALS)
async def test_refused(energy: str, wait: str, request_: BodyElement, code: str) -> None:
    async with bench(energy) as station:
        await refused(station, ROUTES[energy], wait, request_, code)


async def test_a_refused_request_shows_the_energy_of_the_station() -> None:
    async with dc_bench() as station:
        body = await refused(station, DC, "ChargeParameterDiscovery", ac_parameters(), "FAILED_WrongEnergyTransferMode")
        assert isinstance(body.EVSEChargeParameter, iso2.DC_EVSEChargeParameter)


# --- the profile ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "fits"),
    [  # the station's schedule is one step of its own 22 080 W
        (None, True),
        ([(0, watts(22_080))], True),
        ([(0, PhysicalValue(Multiplier=3, Unit=UnitSymbol.W, Value=22))], True),
        ([(0, watts(22_190))], True),  # half a percent of rounding
        ([(0, watts(22_200))], False),
        ([(0, watts(10_000)), (3_600, watts(30_000))], False),
        ([(0, watts(10_000)), (3_600, watts(0))], True),
        ([(0, watts(10_000)), (86_400, watts(40_000))], True),  # beyond the schedule nothing is limited by it
        ([(0, watts(-10))], False),
        ([(0, value(32, "A"))], False),
        ([(0, PhysicalValue(Multiplier=0, Unit=UnitSymbol.Wh, Value=100))], False),
        ([(0, watts(100)), (0, watts(100))], False),
        ([(10, watts(100)), (5, watts(100))], False),
    ],
)
async def test_profile(profile: list[tuple[int, PhysicalValue]] | None, fits: bool) -> None:
    async with ac_bench() as station:
        if not fits:
            await refused(
                station, AC, "PowerDeliveryStart", power("Start", profile=profile), "FAILED_ChargingProfileInvalid"
            )
            return
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.change(plug="C")
        assert (await car.ask(power("Start", profile=profile))).ResponseCode == "OK"


# --- the charger does not play along --------------------------------------------------------------------------------


async def test_contactor_does_not_close() -> None:
    async with ac_bench(scale=0.05) as station:
        station.charger.closes = False
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_ContactorError"
        station.assert_open_before_answer()
        await car.close()
        await station.ended("refused")


async def test_contactor_closes_late_but_in_time() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.closes = False
        station.charger.change(plug="C")
        car.send(car.encode(power("Start")))
        await station.until(lambda: station.charger.levels["contactor"] == "closed")
        assert car.answers[-1].name == "ChargeParameterDiscoveryRes"
        station.charger.change(contactor="closed")
        assert (await car.receive()).code == "OK"


@pytest.mark.parametrize("plug", ["B", "A", "E"])
async def test_nothing_is_closed_before_the_pilot_says_so(plug: str) -> None:
    async with ac_bench(scale=0.05) as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        if plug != "B":
            station.charger.change(plug=plug)
            assert await car.gone()
            await station.ended("gone")
            return
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_ContactorError"
        assert not any(facts["contactor"] == "closed" for facts in station.charger.said("permit"))


async def test_the_pilot_may_come_after_the_request() -> None:
    """[V2G2-847] leaves the vehicle 250 ms."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        car.send(car.encode(power("Start")))
        with pytest.raises(TimeoutError):
            await car.receive(within=0.1)
        station.charger.change(plug="C")
        assert (await car.receive()).code == "OK"


async def test_contactor_does_not_open() -> None:
    async with ac_bench(scale=0.05) as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.opens = False
        assert (await car.ask(power("Stop"))).ResponseCode == "FAILED_ContactorError"
        assert charger.levels == {"lock": "locked", "contactor": "open", "power": "off"}
        await car.close()
        await station.ended("refused")


async def test_not_locked_not_energised() -> None:
    for energy, wait, request, code in (
        ("AC", "PowerDeliveryStart", power("Start"), "FAILED_ContactorError"),
        ("DC", "CableCheck", cable_check(), "FAILED"),
    ):
        async with bench(energy, scale=0.02) as station:
            station.charger.locks = False
            car = await station.car_at(ROUTES[energy], wait)
            station.charger.change(plug="C")
            body = await car.ask(request)
            while getattr(body, "EVSEProcessing", "Finished") == "Ongoing":
                body = await car.ask(request)
            assert body.ResponseCode == code
            assert not station.charger.said("check_cable")
            await car.close()
            await station.ended("refused")


async def test_an_outlet_without_lock_needs_none() -> None:
    async with ac_bench() as station:
        station.charger.setup = msgspec.structs.replace(AC_SETUP, locks=False)
        station.charger.locks = False
        await walk(await station.car(), station.charger, AC)
        assert all(facts["lock"] is None for facts in station.charger.said("permit"))


async def test_an_error_of_the_car_does_not_disturb_the_stop() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        parameter = iso2.DC_EVPowerDeliveryParameter(
            DC_EVStatus=ev_status("FAILED_EVRESSMalfunction"), ChargingComplete=True
        )
        request = iso2.PowerDeliveryReq(
            ChargeProgress=iso2.ChargeProgress.Stop, SAScheduleTupleID=1, EVPowerDeliveryParameter=parameter
        )
        assert (await car.ask(request)).ResponseCode == "OK"


async def test_charger_in_trouble_delivers_no_power() -> None:
    async with ac_bench() as station:
        station.charger.change(plug="C")
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.fail("temperature", "stop")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_PowerDeliveryNotApplied"
        assert not any(facts["contactor"] == "closed" for facts in station.charger.said("permit"))


async def test_external_identification_nobody_offers() -> None:
    """Contracts alone are accepted, but there is no TLS: nothing is left to offer, which is said and no crash."""
    async with ac_bench() as station:
        station.charger.setup = msgspec.structs.replace(AC_SETUP, authorization=("contract",))
        body = await refused(station, AC, "ServiceDiscovery", iso2.ServiceDiscoveryReq(), "FAILED")
        assert body.ChargeService.ServiceID == 1


# --- the faults of ours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("energy", "wait", "action"),
    [
        ("AC", "ChargeParameterDiscovery", "vehicle"),
        ("AC", "PowerDeliveryStart", "permit"),
        ("AC", "ChargingStatus", "target"),
        ("DC", "CableCheck", "check_cable"),
        ("DC", "PreCharge", "target"),
        ("DC", "CurrentDemand", "target"),
    ],
)
async def test_a_fault_of_ours_opens_and_fails(
    energy: str, wait: str, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(energy) as station:
        route = ROUTES[energy]
        car = await station.car_at(route, wait)
        station.charger.breaks_at = action
        step = dict(route)[wait]
        if wait in ("ChargingStatus", "PreCharge", "CurrentDemand"):
            step = dict(route)[f"{wait} first"]
        body = await step(car, station.charger)
        assert body.ResponseCode == "FAILED"
        station.assert_open_before_answer()
        await car.close()
        event = await station.ended("internal")
        assert "RuntimeError" in event["reason"]
        assert "made on purpose" not in event["reason"]
        await station.serves_next()
        assert "fault of ours" in caplog.text


async def test_a_fault_of_ours_in_the_watch_ends_the_session(caplog: pytest.LogCaptureFixture) -> None:
    """A session that nobody watches over does not go on."""
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.breaks_at = "limits"
        charger.hardware_limits = api.ChargerLimits(max_current_a=10)
        charger.report()
        await station.until(lambda: charger.levels["contactor"] == "open", 1.0)
        assert (await car.ask(iso2.ChargingStatusReq())).ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")
        await station.serves_next()
        assert "fault of ours" in caplog.text
