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
