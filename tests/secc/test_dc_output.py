"""The numbers of the DC output that need no session."""

from __future__ import annotations

import msgspec
import pytest

from secc.dc_output import isolation_test_voltage
from tests.secc.bench_charger import DC_SETUP


@pytest.mark.parametrize(
    ("vehicle_v", "station_v", "test_v"),
    [(420, 1_000, 470), (450, 1_000, 500), (470, 1_000, 500), (500, 1_000, 500), (800, 1_000, 880),
     (950, 1_000, 1_000), (420, 450, 450), (None, 500, 500)],
)  # fmt: skip
def test_test_voltage(vehicle_v: float | None, station_v: float, test_v: float) -> None:
    """IEC 61851-23:2023, as the reference transcribes it."""
    setup = msgspec.structs.replace(DC_SETUP, max_voltage_v=station_v)
    assert isolation_test_voltage(vehicle_v, setup) == pytest.approx(test_v)
