"""Orders by themselves: what a silent vehicle leaves standing, and how much is said on a stranger's account."""

from __future__ import annotations

import pytest

from secc import api
from secc.orders import Orders, Phase
from v2g.record import Record


class Published:
    """What was published, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Record]] = []

    def __call__(self, topic: api.Topic[Record], payload: Record) -> None:
        self.said.append((topic.name, payload))

    def targets(self) -> list[tuple[str, float, float]]:
        return [(each.phase, each.voltage_v, each.current_a) for _, each in self.said if isinstance(each, api.Target)]

    def events(self) -> list[api.Event]:
        return [each for _, each in self.said if isinstance(each, api.Event)]


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def orders(published: Published) -> Orders:
    """Orders in a DC session."""
    orders = Orders(published, version="1", protocols=["iso2"], interface="lo")
    orders.begin("S1")
    orders.stage(api.Session(stage="preparing", energy_mode="DC"))
    return orders


@pytest.mark.parametrize(("phase", "left_v"), [("precharge", 0.0), ("charge", 400.0)])
def test_a_silent_vehicle_is_given_no_current_and_no_precharge(
    orders: Orders, published: Published, phase: Phase, left_v: float
) -> None:
    orders.target(phase, 400.0, 2.0, 450.0)
    assert not orders.quieten(60.0)
    assert orders.quieten(-1.0)
    assert not orders.quieten(-1.0)
    orders.repeat_target()
    assert published.targets()[-1] == (phase, left_v, 0.0)
    orders.target("precharge", 400.0, 2.0, 450.0)
    assert published.targets()[-1] == ("precharge", 400.0, 2.0)


@pytest.mark.parametrize("phase", ["idle", "welding"])
def test_where_nothing_is_driven_nothing_is_taken_back(orders: Orders, phase: Phase) -> None:
    orders.target(phase, 0.0, 0.0, None)
    assert not orders.quieten(-1.0)


def test_an_event_names_its_session_until_that_is_over(orders: Orders, published: Published) -> None:
    orders.event("session_ended")
    orders.clear()
    orders.event("rejected")
    assert [(each.kind, each.session) for each in published.events()] == [("session_ended", "S1"), ("rejected", None)]


def test_strangers_make_us_say_little_and_silence_nobody(orders: Orders, published: Published) -> None:
    said = [orders.event(kind) for _ in range(2_500) for kind in ("rejected", "connection_refused")]
    assert 10 <= sum(said) <= 12
    assert sum(said) == len(published.events())
    for kind in ("session_ended", "refused", "controller_silent", "request_accepted"):
        assert orders.event(kind)
        assert published.events()[-1].kind == kind
