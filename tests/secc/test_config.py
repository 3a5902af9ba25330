"""secc.toml: defaults, and an error with file and key for whatever cannot be meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secc.config import load
from v2g.toml import ConfigurationError

BAY = '[[evse]]\nid = "bay-1"\ninterface = "lo"\n'
PLAIN = "[tls]\nrequired = false\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secc.toml"


def test_defaults(file: Path) -> None:
    file.write_text(BAY + PLAIN, encoding="utf-8")
    settings = load(file)
    [evse] = settings.evse
    assert (evse.id, evse.interface, evse.sdp_port, evse.tcp_port, evse.tls_port) == ("bay-1", "lo", 15118, 0, 0)
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.prefix) == ("127.0.0.1", 1883, "plugcharge/v1")
    assert (settings.authorization.contract, settings.authorization.external) == ("local", "charger")
    assert settings.authorization.external_wait_s == 180
    assert (settings.session.undecodable, settings.session.notification_max_delay_s) == ("close", 10)
    assert (settings.controller.controller_timeout_s, settings.controller.loop_silence_s) == (2.0, 2.0)
    assert settings.trust.contract == []
    assert (settings.trust.revocation, settings.trust.checked, settings.trust.fetch) == ("soft", "chain", [])
    assert (settings.plan.source, settings.receipts.every_s, settings.services.internet) == ("none", None, ())
    assert (settings.session.profile, settings.session.pause, settings.session.direct_restart) == ("strict", True, True)
    assert (settings.provisioning.install, settings.provisioning.update, settings.provisioning.free) == (
        False,
        False,
        True,
    )


def test_tls_is_required_unless_said_otherwise(file: Path) -> None:
    file.write_text(BAY, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"secc\.toml: \[tls\] chain and key are missing.*pki init.*required"):
        load(file)


def test_files_are_relative_to_the_configuration(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        BAY + '[tls]\nchain = "a/chain.pem"\nkey = "/abs/key.pem"\nroot = "v2g.pem"\n[trust]\ncontract = ["mo.pem"]\n'
    )
    text += 'crls = ["mo.crl"]\nevidence = "ocsp"\n[receipts]\nfolder = "kept"\n'
    file.write_text(text + '[mqtt]\nca = "ca.pem"\n', encoding="utf-8")
    monkeypatch.chdir("/")
    settings = load(file)
    folder = file.parent
    assert (settings.tls.chain, settings.tls.key) == (str(folder / "a/chain.pem"), "/abs/key.pem")
    assert settings.tls.root == str(folder / "v2g.pem")
    assert settings.trust.contract == [str(folder / "mo.pem")]
    assert (settings.trust.crls, settings.trust.evidence) == ([str(folder / "mo.crl")], str(folder / "ocsp"))
    assert settings.mqtt.ca == str(folder / "ca.pem")
    assert settings.receipts.folder == str(folder / "kept")


WRONG = {
    "no evse": (PLAIN, "evse"),
    "empty evse": ("evse = []\n" + PLAIN, "evse"),
    "no interface": ('[[evse]]\nid = "a"\n' + PLAIN, "interface"),
    "bad id": ('[[evse]]\nid = "a/b"\ninterface = "lo"\n' + PLAIN, r"evse\[\.\.\.\]\.id|evse\[0\]\.id"),
    "two of one id": (BAY + BAY + PLAIN, r"\[\[evse\]\] id: bay-1, bay-1"),
    "root without chain": (BAY + PLAIN + 'root = "v2g.pem"\n', r"\[tls\] root .*chain and key"),
    "port": (BAY + "tls_port = 70000\n" + PLAIN, "tls_port"),
    "port of text": (BAY + 'sdp_port = "x"\n' + PLAIN, "sdp_port"),
    "half a key": (BAY + PLAIN + 'chain = "c.pem"\n', "chain and key go together"),
    "handshake": (BAY + PLAIN + "handshake_s = 0.0\n", "handshake_s"),
    "handshake not a number": (BAY + PLAIN + "handshake_s = nan\n", "handshake_s"),
    "handshake for ever": (BAY + PLAIN + "handshake_s = inf\n", "handshake_s"),
    "tolerance": (BAY + PLAIN + "[session]\nprofile_tolerance = 1.0\n", "profile_tolerance"),
    "tolerance not a number": (BAY + PLAIN + "[session]\nprofile_tolerance = nan\n", "profile_tolerance"),
    "delay": (BAY + PLAIN + "[session]\nnotification_max_delay_s = -1\n", "notification_max_delay_s"),
    "protocol": (BAY + PLAIN + '[session]\nprotocols = ["iso3"]\n', "protocols"),
    "no protocol": (BAY + PLAIN + "[session]\nprotocols = []\n", "protocols"),
    "a protocol twice": (BAY + PLAIN + '[session]\nprotocols = ["din", "din"]\n', "protocols: each may stand once"),
    "DIN under TLS": (
        BAY + '[tls]\nchain = "c"\nkey = "k"\n[session]\nprotocols = ["din"]\n',
        r"DIN 70121 knows no TLS; add \"iso2\", or set `required = false`",
    ),
    "revocation": (BAY + PLAIN + '[trust]\nrevocation = "maybe"\n', r"trust\.revocation.*hard, off, soft"),
    "lists for nobody": (BAY + PLAIN + '[trust]\nrevocation = "off"\ncrls = ["a.crl"]\n', "trust.*asks for no crls"),
    "whom to ask": (BAY + PLAIN + '[trust]\nfetch = ["http://x/"]\n', r"trust\.fetch"),
    "policy": (BAY + PLAIN + '[session]\nundecodable = "panic"\n', "undecodable"),
    "planner": (BAY + PLAIN + '[plan]\nsource = "moon"\n', "source"),
    "plan beyond what a car waits": (BAY + PLAIN + "[plan]\nwait_s = 56.0\n", "wait_s"),
    "receipts without end": (BAY + PLAIN + "[receipts]\nevery_s = 0.0\n", "every_s"),
    "profile": (BAY + PLAIN + '[session]\nprofile = "lax"\n', "profile"),
    "no energy": (BAY + PLAIN + '[session]\nno_energy = "never"\n', "no_energy"),
    "own charging": (BAY + PLAIN + '[[services.own]]\nid = 1\nname = "x"\n', "id"),
    "wait": (BAY + PLAIN + "[authorization]\nexternal_wait_s = -1.0\n", "external_wait_s"),
    "wait not a number": (BAY + PLAIN + "[authorization]\nexternal_wait_s = nan\n", "external_wait_s"),
    "wait for ever": (BAY + PLAIN + "[authorization]\nexternal_wait_s = inf\n", "external_wait_s"),
    "whose word": (BAY + PLAIN + '[authorization]\ncontract = "me"\n', "contract"),
    "controller": (BAY + PLAIN + "[controller]\ncontroller_timeout_s = nan\n", "controller_timeout_s"),
    "never dead": (BAY + PLAIN + "[controller]\ncontroller_timeout_s = 1e6\n", "controller_timeout_s"),
    "heart too slow": (BAY + PLAIN + "[controller]\nheartbeat_s = 1.1\n", "heartbeat_s"),
    "target too slow": (BAY + PLAIN + "[controller]\ntarget_s = 0.6\n", "target_s"),
    "watch too slow": (BAY + PLAIN + "[controller]\nwatch_s = 0.6\n", "watch_s"),
    "broker port": (BAY + PLAIN + "[mqtt]\nport = 0\n", "port"),
    "prefix": (BAY + PLAIN + '[mqtt]\nprefix = "a/#"\n', "prefix"),
    **{
        f"unknown in {section or 'the file'}": (text, "colour")
        for section, text in {
            "": "colour = 1\n" + BAY + PLAIN,
            "evse": BAY + "colour = 1\n" + PLAIN,
            "tls": BAY + PLAIN + "colour = 1\n",
            **{name: BAY + PLAIN + f"[{name}]\ncolour = 1\n" for name in
               ("mqtt", "controller", "trust", "authorization", "session", "provisioning", "services", "plan",
                "receipts")},
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant(file: Path, case: str) -> None:
    text, key = WRONG[case]
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert str(file) in str(caught.value)
    assert re.search(key, str(caught.value))
    assert "\n" not in str(caught.value)


def test_no_file_and_no_toml(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no such file; docs/secc\.md"):
        load(file)
    file.write_text("[", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not TOML"):
        load(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8; save the file as UTF-8"):
        load(file)


@given(st.text(max_size=80) | st.sampled_from(["[tls]", "[[evse]]", "evse = 1", "tls = [1]"]))
def test_any_text_is_an_error_and_no_crash(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("any") / "secc.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigurationError):
        load(file)
