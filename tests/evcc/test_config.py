"""evcc.toml: defaults, and an error with file and key for whatever cannot be meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcc import config
from evcc.config import ConfigurationError, address, load

PLAIN = '[network]\nsecurity = "none"\n'
CONTRACT = '[tls]\nroots = ["r"]\n[contract]\nchain = "c"\nkey = "k"\n'
VEHICLE = '[vehicle]\nchain = "v.pem"\nkey = "k.pem"\n'
CARD = '[plan]\npayment = "external"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "evcc.toml"


def test_defaults(file: Path) -> None:
    text = '[tls]\nroots = ["v2g.pem"]\n[contract]\nchain = "c.pem"\nkey = "k.pem"\n[trust]\ncrls = ["v2g.crl"]\n'
    file.write_text(text, encoding="utf-8")
    settings = load(file)
    assert (settings.network.security, settings.network.sdp_port, settings.network.accept_plain) == (
        "tls",
        15118,
        False,
    )
    assert (settings.plan.energy, settings.plan.payment, settings.plan.target_soc_percent) == ("ac3", "contract", 80)
    assert settings.tls.roots == [str(file.parent / "v2g.pem")]
    assert (settings.trust.revocation, settings.trust.crls) == ("soft", [str(file.parent / "v2g.crl")])
    assert settings.contract is not None
    assert settings.contract.key == str(file.parent / "k.pem")
    assert settings.timeouts == {}
    assert settings.plan.protocols == ("iso2",)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + CARD + 'energy = "dc"\nprotocols = ["din"]\n',
        '[network]\naccept_plain = true\n[tls]\nroots = ["r"]\n' + CARD + 'energy = "dc"\nprotocols = ["din"]\n',
        '[tls]\nroots = ["r"]\n' + CARD + 'energy = "dc"\nprotocols = ["din", "iso2"]\n',
    ],
)
def test_plans_with_din(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    assert "din" in load(file).plan.protocols


def test_both_generations(file: Path) -> None:
    file.write_text('[tls]\nroots = ["r"]\ngenerations = ["iso2", "iso20"]\n' + VEHICLE + CARD, encoding="utf-8")
    settings = load(file)
    assert settings.tls.generations == ("iso2", "iso20")
    assert settings.vehicle is not None
    assert (settings.vehicle.chain, settings.vehicle.key) == (str(file.parent / "v.pem"), str(file.parent / "k.pem"))


WRONG = {
    "no roots": (CARD, r"\[tls\] roots is missing.*security = \"none\""),
    "no contract": ('[tls]\nroots = ["r"]\n', r"\[contract\] is missing.*payment = \"external\""),
    "contract without TLS": (PLAIN + '[contract]\nchain = "c"\nkey = "k"\n', "a contract needs TLS"),
    "revocation": (PLAIN + CARD + '[trust]\nrevocation = "x"\n', r"trust\.revocation.*'hard', 'off', 'soft'$"),
    "half a contract": ('[tls]\nroots = ["r"]\n[contract]\nchain = "c"\n', "key"),
    "energy": (PLAIN + CARD + 'energy = "hot"\n', r"plan\.energy.*one of 'ac1', 'ac3', 'dc'$"),
    "payment": (PLAIN + '[plan]\npayment = "cash"\n', r"plan\.payment.*one of 'contract', 'external'$"),
    "security": ('[network]\nsecurity = "yes"\n' + CARD, r"network\.security.*one of 'none', 'tls'$"),
    "dc_mode": (PLAIN + CARD + 'dc_mode = "DC"\n', r"plan\.dc_mode.*'DC_core', 'DC_extended', 'DC_unique'$"),
    "protocol": (PLAIN + CARD + 'protocols = ["iso3"]\n', r"plan\.protocols"),
    "no protocol": (PLAIN + CARD + "protocols = []\n", r"plan\.protocols"),
    "a protocol twice": (PLAIN + CARD + 'protocols = ["iso2", "iso2"]\n', r"\[plan\] protocols: each may stand once"),
    "DIN in AC": (PLAIN + CARD + 'protocols = ["iso2", "din"]\n', r"protocols: DIN 70121 is for DC alone"),
    "DIN by contract": (
        f'{CONTRACT}[plan]\nenergy = "dc"\nprotocols = ["iso2", "din"]\n',
        r"protocols: DIN 70121 knows no contract: set `payment = \"external\"`",
    ),
    "DIN over TLS": (
        '[tls]\nroots = ["r"]\n' + CARD + 'energy = "dc"\nprotocols = ["din"]\n',
        r"protocols: DIN 70121 knows no TLS: set `security = \"none\"`",
    ),
    "-20 without a vehicle certificate": (
        '[tls]\nroots = ["r"]\ngenerations = ["iso20"]\n' + CARD,
        r"\[vehicle\] is missing.*`generations = \[\"iso2\"\]` in \[tls\]",
    ),
    "-20 alone and plain TCP": (
        '[network]\naccept_plain = true\n[tls]\nroots = ["r"]\ngenerations = ["iso20"]\n' + VEHICLE + CARD,
        r"\[network\] accept_plain: ISO 15118-20 is spoken in TLS 1\.3 alone",
    ),
    "-20 alone without TLS": (
        '[network]\nsecurity = "none"\n[tls]\ngenerations = ["iso20"]\n' + CARD,
        r"\[network\] security: ISO 15118-20 is spoken in TLS 1\.3 alone",
    ),
    "a generation twice": (
        '[tls]\nroots = ["r"]\ngenerations = ["iso2", "iso2"]\n' + CARD,
        r"\[tls\] generations: each may stand once",
    ),
    "no generation": ('[tls]\nroots = ["r"]\ngenerations = []\n' + CARD, r"tls\.generations"),
    "another generation": ('[tls]\nroots = ["r"]\ngenerations = ["din"]\n' + CARD, r"tls\.generations"),
    "half a vehicle": (CARD + '[vehicle]\nchain = "c"\n', r"key.*vehicle"),
    "DIN with a pause": (
        PLAIN + CARD + 'energy = "dc"\nprotocols = ["din"]\npause_after_s = 1.0\n',
        r"protocols: DIN 70121 knows neither pause nor renegotiation",
    ),
    "a pause without end": (PLAIN + CARD + "pause_after_s = 1.0\n", r"\[plan\] a pause has no end: say how long"),
    "a stop without way back": (PLAIN + CARD + 'when_stopped = "pause"\n', r"\[plan\] a pause has no end"),
    "nothing to resume": (PLAIN + CARD + "resume = true\n", r"\[plan\] resume: name the `pause_file`"),
    "no service": (PLAIN + CARD + "[[plan.services]]\nparameter_set = 1\n", r"\[\[plan\.services\]\] names no service"),
    "service 1": (PLAIN + CARD + "[[plan.services]]\nid = 1\n", r"plan\.services\[.*\]\.id"),
    "schedule": (PLAIN + CARD + 'schedule = "best"\n', r"plan\.schedule"),
    "schedule 0": (PLAIN + CARD + "schedule = 0\n", r"plan\.schedule"),
    "connect": ('[network]\nsecurity = "none"\nconnect = "::1"\n' + CARD, r"\[network\] connect = '::1': write \[HOST"),
    "charge_s": (PLAIN + CARD + "charge_s = -1.0\n", "charge_s"),
    "soc": (PLAIN + CARD + "[battery]\nsoc_percent = 101.0\n", "soc_percent"),
    "soc not a number": (PLAIN + CARD + "[battery]\nsoc_percent = nan\n", "soc_percent"),
    "capacity": (PLAIN + CARD + "[battery]\ncapacity_wh = 0.0\n", "capacity_wh"),
    "voltage": (PLAIN + CARD + "[battery]\nempty_v = nan\n", "empty_v"),
    "loop": (PLAIN + CARD + "loop_s = nan\n", "loop_s"),
    "departure": (PLAIN + CARD + "departure_s = -5\n", "departure_s"),
    "timeout": (PLAIN + CARD + "[timeouts]\nCurrentDemandReq = 0.0\n", "timeouts"),
    "evcc id": ('evcc_id = "nobody"\n' + PLAIN + CARD, "evcc_id"),
    **{
        f"unknown in {section or 'the file'}": (text, "colour")
        for section, text in {
            "": "colour = 1\n" + PLAIN + CARD,
            "network": PLAIN + "colour = 1\n" + CARD,
            "plan": PLAIN + CARD + "colour = 1\n",
            **{name: PLAIN + CARD + f"[{name}]\ncolour = 1\n" for name in ("tls", "battery", "onboard", "cable")},
        }.items()
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant(file: Path, case: str) -> None:
    text, key = WRONG[case]
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert str(file) in str(caught.value)
    assert re.search(key, str(caught.value))
    assert "\n" not in str(caught.value)


@given(st.text(max_size=80) | st.sampled_from(["[tls]", "network = 1", "plan = []", "timeouts = 1"]))
def test_any_text_is_an_error_and_no_crash(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("any") / "evcc.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigurationError):
        load(file)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[::1]:15119", ("::1", 15_119)),
        ("[fe80::1%eth1]:1", ("fe80::1%eth1", 1)),
        ("localhost:65535", ("localhost", 65_535)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
    ],
)
def test_an_address(text: str, meant: tuple[str, int]) -> None:
    assert address(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "::1", "::1:15119", "fe80::1:61341", "[::1]", "[::1]:", "[::1]:0", "[::1]:65536", ":80", "[]:80", "a:b"],
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"write \[HOST\]:PORT .* for instance \[::1\]:15119"):
        address(text)


@given(st.text(max_size=30) | st.from_regex(r"\[?[0-9a-z:.%]{0,12}\]?:[0-9]{0,6}", fullmatch=True))
def test_any_address_is_one_or_an_error(text: str) -> None:
    try:
        host, port = address(text)
    except ValueError:
        return
    assert text in (f"[{host}]:{text.rpartition(':')[2]}", f"{host}:{text.rpartition(':')[2]}")
    assert 0 < port <= 65_535
    assert ":" not in host or text.startswith("[")


def test_pauses_and_services(file: Path) -> None:
    more = """\
pause_after_s = 10.0
pause_file = "paused.json"
resume = true
schedule = 3
[[plan.services]]
category = "Internet"
parameters = { Protocol = "https", Port = 443 }
"""
    file.write_text(PLAIN + CARD + more, encoding="utf-8")
    plan = load(file).plan
    assert plan.pause_file == str(file.parent / "paused.json")
    assert (plan.schedule, plan.resume) == (3, True)
    assert [(each.category, each.parameters) for each in plan.services] == [
        ("Internet", {"Protocol": "https", "Port": 443})
    ]


def test_no_password_is_shown() -> None:
    contract = config.Contract(chain="c.pem", key="k.pem", password="hidden word")
    supply = config.Provisioning(chain="c.pem", key="k.pem", password="hidden word", wallet="w")
    shown = repr(config.EvccConfig(contract=contract, provisioning=supply))
    assert "hidden word" not in shown
    assert shown.count("password='***'") == 2
    assert "wallet='w'" in shown
    assert "password=None" in repr(config.Contract(chain="c.pem", key="k.pem"))
