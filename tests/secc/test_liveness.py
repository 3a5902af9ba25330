"""What still counts of what the controller said; time is given, nothing waits."""

from __future__ import annotations

from typing import Literal

import pytest

from secc import api
from secc.liveness import BOOTS_REMEMBERED, Gauge, Liveness

TIMEOUT = 2.0


def status(boot: str, state: Literal["online", "offline"] = "online", seq: int = 1) -> api.ChargerStatus:
    return api.ChargerStatus(boot=boot, seq=seq, time="t", state=state)


def meter(boot: str, seq: int, energy: int) -> api.Meter:
    return api.Meter(boot=boot, seq=seq, time="t", meter_id="m", energy_import_wh=energy)


def living(boot: str = "a", now: float = 0.0) -> Liveness:
    liveness = Liveness(TIMEOUT)
    liveness.status(status(boot))
    liveness.beat(api.Beat(boot=boot, counter=1), now)
    return liveness


def energy(liveness: Liveness, now: float = 0.0) -> int | None:
    level = liveness.level(api.CHARGER_METER, now)
    return None if level is None else level.energy_import_wh


def test_alive_takes_status_and_heartbeat_of_one_boot() -> None:
    liveness = Liveness(TIMEOUT)
    assert not liveness.alive(0)
    liveness.status(status("a"))
    assert not liveness.alive(0)
    liveness.beat(api.Beat(boot="b", counter=1), 0)
    assert not liveness.alive(0)
    liveness.beat(api.Beat(boot="a", counter=1), 0)
    assert liveness.alive(0)


def test_silence_ends_life_and_levels() -> None:
    liveness = living()
    liveness.take("charger/meter", meter("a", 1, 10))
    assert energy(liveness, TIMEOUT) == 10
    assert energy(liveness, TIMEOUT + 0.001) is None
    liveness.beat(api.Beat(boot="a", counter=2), 5)
    assert energy(liveness, 5) == 10


def test_a_heartbeat_that_repeats_itself_is_none() -> None:
    liveness = living()
    liveness.beat(api.Beat(boot="a", counter=1), 2)
    assert not liveness.alive(3)


def test_the_will_counts_whatever_its_seq() -> None:
    liveness = living()
    liveness.status(status("a", "offline", seq=0))
    assert not liveness.alive(0)


def test_the_will_of_another_boot_ends_nothing() -> None:
    liveness = living("b")
    liveness.status(status("a", "offline"))
    assert liveness.alive(0)


def test_a_level_of_a_dead_boot_never_counts() -> None:
    """What a broker kept of a process that is gone, while a new one is alive."""
    liveness = living("new")
    liveness.take("charger/meter", meter("old", 99, 10))
    assert energy(liveness) is None


def test_a_new_boot_voids_the_old_levels() -> None:
    liveness = living("a")
    liveness.take("charger/meter", meter("a", 7, 10))
    liveness.status(status("b"))
    liveness.beat(api.Beat(boot="b", counter=1), 1)
    assert energy(liveness, 1) is None
    liveness.take("charger/meter", meter("b", 1, 20))
    assert energy(liveness, 1) == 20


def test_the_old_boot_cannot_come_back() -> None:
    liveness = living("a")
    liveness.status(status("b"))
    liveness.beat(api.Beat(boot="b", counter=1), 1)
    liveness.take("charger/meter", meter("b", 1, 20))
    liveness.beat(api.Beat(boot="a", counter=99), 1)
    liveness.status(status("a"))
    liveness.take("charger/meter", meter("a", 99, 10))
    assert liveness.boot == "b"
    assert energy(liveness, 1) == 20


def test_seq_never_goes_backwards() -> None:
    liveness = living()
    for seq, reading in ((5, 50), (4, 40), (5, 51)):
        liveness.take("charger/meter", meter("a", seq, reading))
    assert energy(liveness) == 51


def test_nothing_is_believed_after_forgetting_until_it_is_said_anew() -> None:
    liveness = living()
    liveness.take("charger/meter", meter("a", 5, 50))
    liveness.forget()
    assert not liveness.alive(0)
    liveness.status(status("a"))
    liveness.beat(api.Beat(boot="a", counter=2), 0)
    assert liveness.alive(0)
    assert energy(liveness) is None
    liveness.take("charger/meter", meter("a", 5, 50))
    assert energy(liveness) == 50


def test_memory_of_boots_is_bounded() -> None:
    liveness = Liveness(TIMEOUT)
    for number in range(100):
        liveness.beat(api.Beat(boot=str(number), counter=1), number)
    assert len(liveness._past) == BOOTS_REMEMBERED


def sample(number: int, boot: str = "a") -> api.Measurement:
    return api.Measurement(boot=boot, sample=number, voltage_v=400.0, current_a=1.0)


@pytest.mark.parametrize(
    ("said", "at", "seen"),
    [
        ([], 0.0, None),
        ([(1, 0.0)], 1.0, 1),
        ([(1, 0.0)], 1.1, None),
        ([(1, 0.0), (2, 0.9)], 1.9, 2),
        ([(7, 0.0), (7, 0.5), (7, 1.0)], 1.1, None),
        ([(7, 0.0), (6, 0.9)], 1.0, 7),
        ([(7, 0.0), (6, 0.9)], 1.1, None),
    ],
)
def test_a_measurement_is_as_old_as_its_last_new_sample(
    said: list[tuple[int, float]], at: float, seen: int | None
) -> None:
    gauge = Gauge(1.0)
    for number, when in said:
        gauge.take(sample(number), when)
    measurement = gauge.read("a", at)
    assert (None if measurement is None else measurement.sample) == seen


def test_a_measurement_of_another_boot_is_none() -> None:
    gauge = Gauge(1.0)
    gauge.take(sample(9), 0.0)
    assert gauge.read("b", 0.0) is None
    gauge.take(sample(1, "b"), 0.1)
    assert gauge.read("b", 0.1) == sample(1, "b")
