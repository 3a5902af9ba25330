from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from secc.commands import secc
from secc.simulated.config import PlannedFault, SimulatorConfig, read
from secc.simulated.faults import KINDS


@pytest.mark.parametrize(
    ("energy", "modes", "rated"),
    [
        ("ac", ["AC1", "AC3"], (32.0, 230.0, 22_080.0)),
        ("dc", ["DC"], (200.0, 920.0, 150_000.0)),
        ("both", ["AC1", "AC3", "DC"], (32.0, 920.0, 22_080.0)),
    ],
)
def test_setup_is_that_of_the_energy_offered(energy: Any, modes: list[str], rated: tuple[float, ...]) -> None:
    setup = SimulatorConfig(energy=energy).setup()
    assert setup.evse_id == "DE*PCG*E0001"
    assert setup.energy_modes == modes
    assert (setup.max_current_a, setup.max_voltage_v, setup.max_power_w) == rated


def test_options_win_over_the_file_key_by_key(tmp_path: Path) -> None:
    file = tmp_path / "simulator.toml"
    file.write_text('energy = "ac"\nspeed = 2.0\n[broker]\nport = 1234\nversion = "5"\n', encoding="utf-8")
    config = read(file, {"energy": "dc", "broker": {"port": 4321}})
    assert (config.energy, config.speed) == ("dc", 2.0)
    assert (config.broker.port, config.broker.version) == (4321, "5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("energy = 'steam'", r"energy: .*steam.*not one of ac, both, dc"),
        ("evse = 'a/b'", r"evse"),
        ("speed = 0", r"speed"),
        ("sped = 1", "sped"),
        ("[broker]\nport = 'x'", r"broker\.port"),
        ("[ac]\nphases = 4", r"ac\.phases"),
        ("broker = 7", r"broker"),
        ("[[faults]]\nkind = 'gremlin'", r"faults\[0\].kind: .*gremlin.*not one of.*rcd"),
        ("energy", "not TOML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "simulator.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read(file, {})
    assert str(caught.value).startswith(str(file))


def test_a_missing_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.toml: no such file; leave --config out"):
        read(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rcd@2", PlannedFault(kind="rcd", after_s=2.0)),
        ("welded@charge+0.5", PlannedFault(kind="welded", after_s=0.5, since="charge")),
    ],
)
def test_a_planned_fault_is_read(text: str, fault: PlannedFault) -> None:
    assert PlannedFault.parse(text) == fault


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[a-z_]{1,12}@(charge\+)?[0-9.]{1,5}", fullmatch=True)))
@example("rcd@" + "9" * 400)
@example("rcd@\u0661")
def test_a_planned_fault_is_read_or_refused_with_a_reason(text: str) -> None:
    fault = parsed(text)
    if isinstance(fault, str):
        assert fault.startswith("fault ")
    else:
        assert fault.kind in KINDS
        assert 0 <= fault.after_s <= 1e6


def parsed(text: str) -> PlannedFault | str:
    """The fault, or why it cannot be read."""
    try:
        return PlannedFault.parse(text)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--broker", "nowhere"], "--broker 'nowhere': write HOST:PORT"),
        (["--broker", "here:0"], "broker.port"),
        (["--fault", "gremlin@1"], "no kind 'gremlin'"),
        (["--evse", "a/b"], "evse"),
        (["--evse-id", "X"], "EVSEID 'X': expected country"),
        (["--record", "/nowhere/record", "--fault", "rcd@1"], "record: cannot write /nowhere/record"),
    ],
)
def test_wrong_options_end_in_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(secc, ["simulate", *arguments])
    assert result.exit_code == 1
    assert message in result.output
    assert len(result.output.splitlines()) == 1
