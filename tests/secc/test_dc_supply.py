"""What flows in DC, and what is told of it: the same in DIN 70121 and in ISO 15118-2."""

from __future__ import annotations

from typing import Any

import pytest

from secc import api
from tests.secc.bench import dc_bench
from tests.secc.bench_din import BOTH
from tests.secc.bench_requests import walk

pytestmark = BOTH


async def test_dc_offer(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "CableCheck")
        parameter = car.answers[-1].body.EVSEChargeParameter
        assert parameter.EVSEMaximumCurrentLimit == dc.value(200, "A")
        assert parameter.EVSEMaximumVoltageLimit == dc.value(500, "V")
        assert parameter.EVSEMinimumVoltageLimit == dc.value(150, "V")
        assert parameter.EVSEMaximumPowerLimit.Value * 10**parameter.EVSEMaximumPowerLimit.Multiplier == 60_000
        assert parameter.DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        assert parameter.DC_EVSEStatus.EVSEIsolationStatus == "Invalid"


async def test_cable_check_voltages(dc: Any) -> None:
    async with dc_bench() as station:
        await station.car_at(dc.DC, "PreCharge first")
        [check] = station.charger.said("check_cable")
        assert (check["test_voltage_v"], check["maximum_v"]) == (470, 420)
        assert 0 < check["deadline_s"] <= 38


async def test_dc_statuses_by_phase(dc: Any) -> None:
    async with dc_bench() as station:
        charger = station.charger
        charger.check = "hangs"
        car = await station.car_at(dc.DC, "CableCheck")
        charger.change(plug="C")
        status = (await car.ask(dc.cable_check())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSEIsolationStatus) == ("EVSE_IsolationMonitoringActive", None)
        charger.cable_check, charger._checked = "passed", True
        charger.change(isolation="warning")
        status = (await car.ask(dc.cable_check())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSEIsolationStatus) == ("EVSE_Ready", "Warning")
        body = await car.ask(dc.precharge(380))
        assert (body.DC_EVSEStatus.EVSEStatusCode, body.EVSEPresentVoltage) == ("EVSE_Ready", dc.value(380, "V"))
        assert (await car.ask(dc.power("Start"))).EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        body = await car.ask(dc.demand(385, 100))
        assert body.DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        assert (body.EVSEPresentVoltage, body.EVSEPresentCurrent) == (dc.value(380, "V"), dc.value(0, "A"))


# Target of the car, and what must come of it: volts and amperes ordered, and which limits are reached (I, U, P).
DEMANDS: list[tuple[dict[str, float], tuple[float, float], tuple[bool, bool, bool]]] = [
    ({"volts": 385, "amperes": 100}, (385, 100), (False, False, False)),
    ({"volts": 385, "amperes": 125}, (385, 125), (True, False, False)),
    ({"volts": 385, "amperes": 150}, (385, 125), (True, False, True)),
    ({"volts": 420, "amperes": 10}, (420, 10), (False, True, False)),
    ({"volts": 400, "amperes": 125}, (400, 125), (True, False, True)),
    ({"volts": 410, "amperes": 124}, (410, 50_000 / 410), (False, False, True)),
    ({"volts": 0, "amperes": 10}, (0, 0), (False, False, False)),
    ({"volts": 385, "amperes": 100, "EVMaximumCurrentLimit": 50}, (385, 50), (True, False, False)),
    ({"volts": 385, "amperes": 100, "EVMaximumPowerLimit": 7_700}, (385, 20), (False, False, True)),
    ({"volts": 385, "amperes": 100, "EVMaximumVoltageLimit": 385}, (385, 100), (False, True, False)),
]


def physical(dc: Any, name: str, number: float) -> Any:
    """What a limit of that name is on the wire; targets stay numbers."""
    if "Limit" not in name:
        return number
    return dc.watts(int(number)) if "Power" in name else dc.value(number, "A" if "Current" in name else "V")


@pytest.mark.parametrize(("wanted", "ordered", "reached"), DEMANDS)
async def test_dc_operating_point(
    dc: Any, wanted: dict[str, float], ordered: tuple[float, float], reached: tuple[bool, bool, bool]
) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "CurrentDemand first")
        body = await car.ask(dc.demand(**{name: physical(dc, name, number) for name, number in wanted.items()}))
        last = station.charger.said("target")[-1]
        assert last["phase"] == "charge"
        assert (last["voltage_v"], last["current_a"]) == pytest.approx(ordered)
        assert (
            body.EVSECurrentLimitAchieved,
            body.EVSEVoltageLimitAchieved,
            body.EVSEPowerLimitAchieved,
        ) == reached
        assert body.EVSEMaximumPowerLimit.Value * 10**body.EVSEMaximumPowerLimit.Multiplier == min(
            50_000, 7_700 if "EVMaximumPowerLimit" in wanted else 50_000
        )


async def test_the_voltage_is_clamped_to_what_the_hardware_can_do(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "CurrentDemand first")
        station.charger.hardware_limits = api.ChargerLimits(max_voltage_v=380)
        body = await car.ask(dc.demand(385, 100))
        assert station.charger.said("target")[-1]["voltage_v"] == 380
        assert (body.EVSEVoltageLimitAchieved, body.EVSEMaximumVoltageLimit) == (True, dc.value(380, "V"))


async def test_limits_of_a_car_hold_until_it_tells_others(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "CurrentDemand first")
        await car.ask(dc.demand(385, 100, EVMaximumCurrentLimit=dc.value(50, "A")))
        await car.ask(dc.demand(385, 100))
        assert station.charger.said("target")[-1]["current_a"] == 50
        await car.ask(dc.demand(385, 100, EVMaximumCurrentLimit=dc.value(80, "A")))
        assert station.charger.said("target")[-1]["current_a"] == 80
        assert station.charger.limits_told[-1].max_current_a == 80


async def test_welding_and_precharge_follow_the_order_of_power(dc: Any) -> None:
    async with dc_bench() as station:
        charger = station.charger
        car = await station.car()
        await walk(car, charger, dc.DC, "PreCharge first")
        assert charger.levels["power"] == "off"
        await car.ask(dc.precharge(380))
        assert (charger.levels["contactor"], charger.levels["power"]) == ("closed", "on")
        last = charger.said("target")[-1]
        assert (last["phase"], last["voltage_v"], last["current_a"], last["maximum_v"]) == ("precharge", 380, 2.0, 420)
        assert charger.limits_told[-1].max_current_a == 2.0
        await car.ask(dc.precharge(390))
        assert charger.said("target")[-1]["voltage_v"] == 390
        assert (await car.ask(dc.power("Start"))).ResponseCode == "OK"
        assert charger.limits_told[-1].max_current_a == 125.0
        await car.ask(dc.demand(385, 100))
        body = await car.ask(dc.power("Stop"))
        assert body.EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"
        stopping = charger.index("permit", contactor="open", power="off")
        idle = charger.index("target", phase="idle")
        assert idle < stopping < charger.index("sent")
        charger.change(plug="B")
        assert (await car.ask(dc.welding())).DC_EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"
        assert not any(order.kind == "target" and order.facts["voltage_v"] for order in charger.orders[stopping:])


async def test_the_precharge_is_clamped(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "ChargeParameterDiscovery")
        high = dc.dc_parameters(max_v=900)
        assert (await car.ask(high)).ResponseCode == "OK"
        station.charger.change(plug="C")
        while (await car.ask(dc.cable_check())).EVSEProcessing != "Finished":
            pass
        assert (await car.ask(dc.precharge(800))).ResponseCode == "OK"
        target = station.charger.said("target")[-1]
        assert (target["phase"], target["voltage_v"], target["current_a"]) == ("precharge", 500.0, 2.0)


async def test_a_voltage_limit_of_zero_is_not_absent(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "CurrentDemand")
        station.charger.hardware_limits = api.ChargerLimits(max_voltage_v=0)
        station.charger.report()
        body = await car.ask(dc.demand())
        assert body.EVSEMaximumVoltageLimit.Value == 0
        assert station.charger.said("target")[-1]["voltage_v"] == 0


async def test_exactly_two_amperes_and_the_own_maximum_are_fine(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "PreCharge first")
        assert (await car.ask(dc.precharge(volts=420, amperes=2))).ResponseCode == "OK"
