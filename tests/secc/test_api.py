"""What payloads refuse beyond the types and bounds that their schemas state."""

from __future__ import annotations

import json

import msgspec
import pytest

from secc import api
from secc.examples import EXAMPLES
from secc.mqtt import parse
from v2g.errors import Undecodable

SETUP = msgspec.to_builtins(EXAMPLES[api.CHARGER_SETUP.name])


@pytest.mark.parametrize("name", ["hello world", "", "DE*ABC", "DE*ABC*0001", "DE*ABC*E" + 30 * "1", "D3*ABC*E0001"])
def test_what_is_no_evse_id_is_refused(name: str) -> None:
    with pytest.raises(Undecodable, match=r"EVSEID .*expected country"):
        parse(api.CHARGER_SETUP, json.dumps(SETUP | {"evse_id": name}).encode())


@pytest.mark.parametrize("name", ["DE*ABC*E0001", "DEABCE0", "de*abc*e1*2*3", "DE*ABC*E" + 29 * "1"])
def test_an_evse_id_is_kept_as_it_is(name: str) -> None:
    setup = parse(api.CHARGER_SETUP, json.dumps(SETUP | {"evse_id": name}).encode())
    assert isinstance(setup, api.Setup)
    assert setup.evse_id == name


IMPOSSIBLE = {
    "AC1 again and again": ({"energy_modes": ["AC1"] * 8}, "energy_modes"),
    "AC3 twice": ({"energy_modes": ["AC3", "AC3"], "phases": 3}, "energy_modes names one twice"),
    "DC twice of three": ({"energy_modes": ["DC", "AC1", "DC"]}, "energy_modes names one twice"),
    "no mode": ({"energy_modes": []}, "energy_modes"),
    "cards twice": ({"authorization": ["external", "external"]}, "authorization names one twice"),
    "three ways": ({"authorization": ["external", "contract", "external"]}, "authorization"),
    "no way in": ({"authorization": []}, "authorization"),
    "AC3 on one phase": ({"energy_modes": ["AC1", "AC3"], "phases": 1}, "AC3, but phases is 1"),
    "AC3 on two phases": ({"energy_modes": ["AC3"], "phases": 2}, "AC3, but phases is 2"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_no_car_can_be_offered_is_refused(case: str) -> None:
    changes, why = IMPOSSIBLE[case]
    with pytest.raises(Undecodable, match=why):
        parse(api.CHARGER_SETUP, json.dumps(SETUP | changes).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"energy_modes": ["AC1", "AC3", "DC"], "phases": 3, "authorization": ["external", "contract"]},
        {"energy_modes": ["AC1"], "phases": 1, "authorization": ["external"]},
        {"energy_modes": ["DC"], "phases": 1},
    ],
)
def test_what_can_be_offered_is_taken(changes: dict[str, object]) -> None:
    parse(api.CHARGER_SETUP, json.dumps(SETUP | changes).encode())
