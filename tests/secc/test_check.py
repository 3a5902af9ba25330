"""What `secc check` says of configurations that are right, wrong, and limited by the library below."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pki import ocsp
from pki.certificate import read as read_certificate
from pki.credentials import load_chain
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from secc import check
from secc.commands import secc
from secc.simulated.responder import TreeResponder
from v2g.tls.limits import LIMITS, Backend, limits
from v2g.tls.suites import Generation

NOW = datetime.now(UTC)
TREES = {"iso2": "ISO 15118-2", "iso20": "ISO 15118-20", "iso20-ed448": "ISO 15118-20"}


@pytest.fixture(scope="session")
def grove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all default trees; not to be changed."""
    out = tmp_path_factory.mktemp("grove")
    for name, tree in read().items():
        bring_up_to_date(tree, Store(out / name))
    return out


def configured(folder: Path, grove: Path, *trees: str, more: str = "", root: bool = True) -> Path:
    """Write a secc.toml with the certificates of these trees."""
    text = '[[evse]]\nid = "1"\ninterface = "lo"\n'
    for tree in trees:
        text += "[tls]\n" if tree == trees[0] else "[[tls.identity]]\n"
        leaf = grove / tree / "leaf" / "secc" / "evse1"
        text += f'chain = "{leaf}/chain.pem"\nkey = "{leaf}/key.pem"\n'
        text += f'root = "{grove / tree}/trust/v2g.pem"\n' if root else ""
    text += f'[trust]\nvehicle = ["{grove / "iso20" / "trust" / "oem.pem"}"]\n'
    path = folder / "secc.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def run(path: Path, *more: str) -> Result:
    return CliRunner().invoke(secc, ["check", "--config", str(path), *more])


def told(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(path, "--json").stdout)
    return found


def test_whom_each_certificate_serves(tmp_path: Path, grove: Path) -> None:
    found = told(configured(tmp_path, grove, *TREES))
    assert found["ok"]
    assert [each["generation"] for each in found["certificates"]] == list(TREES.values())
    assert [each["key"] for each in found["certificates"]] == ["P-256", "P-521", "Ed448"]
    assert [each["place"] for each in found["certificates"]] == ["[tls]", "[[tls.identity]] 1", "[[tls.identity]] 2"]
    first, second, third = (each["serves"] for each in found["certificates"])
    assert first.startswith("vehicles of TLS 1.2 that name its root (trusted_ca_keys), and all that name none")
    assert second.startswith("vehicles of TLS 1.3 that name its root (certificate_authorities), and all")
    assert "and all" not in third, "of each generation the first is shown to who names no root"
    assert all("a certificate of their own" in each for each in (second, third))
    assert found["library"].startswith("OpenSSL ")


def test_what_is_impossible_is_told_where_it_applies(tmp_path: Path, grove: Path) -> None:
    first, second = told(configured(tmp_path, grove, "iso2", "iso20"))["certificates"]
    assert set(first["limits"]) == {"static-ecdh", "status_request_v2"}
    assert {"staple-per-certificate"} <= set(second["limits"])
    assert "certificate_authorities" not in second["limits"], "that one is the vehicle's"
    assert "[V2G2-871]" in first["limits"]["status_request_v2"]


def test_gnutls_lifts_what_it_can() -> None:
    second = {each.key for each in limits(Backend.OPENSSL, Generation.ISO20, station=True)}
    assert "staple-per-certificate" in second
    assert "staple-per-certificate" not in {each.key for each in limits(Backend.GNUTLS, Generation.ISO20, station=True)}
    assert {each.key for each in limits(Backend.GNUTLS, Generation.ISO2, station=True)} == {
        "static-ecdh",
        "status_request_v2",
    }
    assert len({each.key for each in LIMITS}) == len(LIMITS)


def test_what_is_stapled(tmp_path: Path, grove: Path) -> None:
    folder = tmp_path / "ocsp"
    folder.mkdir()
    path = configured(tmp_path, grove, "iso2", more='[staples]\nfolder = "ocsp"\noperator = true\nfetch = ["*"]\n')
    (first,) = told(path)["certificates"]
    assert first["staple"] == "none yet: there is no OCSP response about it"
    assert len(first["staple_sources"]) == 3
    leaf, issuer, *_ = map(read_certificate, load_chain(grove / "iso2" / "leaf" / "secc" / "evse1" / "chain.pem"))
    about = ocsp.read_request(ocsp.ask(leaf.parsed, issuer.parsed)).about
    (folder / "a.der").write_bytes(TreeResponder(grove / "iso2")(about, NOW))
    (first,) = told(path)["certificates"]
    assert first["staple"].startswith(f"good, until {NOW + timedelta(days=1):%Y-%m-%d}")
    assert "nothing is stapled" not in " ".join(first["remarks"])


def test_without_a_source_for_staples_that_is_said(tmp_path: Path, grove: Path) -> None:
    (first,) = told(configured(tmp_path, grove, "iso2"))["certificates"]
    assert first["staple"] == "none: [staples] names no source"
    assert any("nothing is stapled" in remark for remark in first["remarks"])


def test_what_is_doubtful(tmp_path: Path, grove: Path) -> None:
    found = told(configured(tmp_path, grove, "iso2", root=False))
    (first,) = found["certificates"]
    assert any("its root is not named" in remark for remark in first["remarks"])
    assert any("ISO 15118-20 find no TLS" in remark for remark in found["remarks"])
    (second,) = told(configured(tmp_path, grove, "iso20"))["certificates"]
    assert any("no session of ISO 15118-20" in remark for remark in second["remarks"])
    plain = configured(tmp_path, grove, "iso2")
    plain.write_text(plain.read_text().replace("[tls]", "[tls]\nrequired = false"))
    assert any("plain TCP" in remark for remark in told(plain)["remarks"])


def test_a_certificate_that_ends_soon(tmp_path: Path, grove: Path) -> None:
    path = configured(tmp_path, grove, "iso2")
    (first,) = check.check(path).certificates
    later = NOW + timedelta(days=first.days_left - 3)
    (first,) = check.check(path, later).certificates
    assert any("it ends in 3 days" in remark or "it ends in 2 days" in remark for remark in first.remarks)


def test_what_vehicles_would_refuse_ends_with_one(tmp_path: Path, grove: Path) -> None:
    """A contract is no SECC certificate, whatever else is right about it."""
    path = configured(tmp_path, grove, "iso2")
    text = path.read_text().replace("leaf/secc/evse1", "leaf/contract/car1").replace("trust/v2g.pem", "trust/mo.pem")
    path.write_text(text)
    ended = run(path)
    assert ended.exit_code == 1
    assert "PROBLEM" in ended.output
    assert "vehicles refuse it: profile" in ended.output


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("evse1/chain.pem", "evse9/chain.pem"), "no such certificate chain"),
        (("[trust]", '[staples]\nfolder = "nowhere"\n[trust]'), r"\[staples\]: .*no such file or folder"),
        (("[trust]", "[staples]\nfetch = [1]\n[trust]"), "fetch"),
        (("[tls]", "[tls]\ncolour = 1"), "colour"),
    ],
)
def test_what_would_not_start_ends_with_one_line(
    tmp_path: Path, grove: Path, change: tuple[str, str], why: str
) -> None:
    path = configured(tmp_path, grove, "iso2")
    path.write_text(path.read_text().replace(*change))
    ended = run(path)
    assert ended.exit_code == 1
    assert len(ended.output.splitlines()) == 1
    with pytest.raises(ValueError, match=why):
        check.check(path)


def test_people_read_it_on_one_screen_width(tmp_path: Path, grove: Path) -> None:
    ended = run(configured(tmp_path, grove, *TREES))
    assert ended.exit_code == 0
    lines = ended.output.splitlines()
    assert max(map(len, lines)) <= max(100, len(lines[0]))
    assert "[tls] DE*PCG*E0001: ISO 15118-2, P-256" in lines
    assert any(line.startswith("  impossible status_request_v2: ") for line in lines)


def test_a_private_operators_station(tmp_path: Path) -> None:
    """Its root is no V2G root, and nothing is to be stapled to its leaf [V2G2-872]."""
    file = tmp_path / "pki.toml"
    file.write_text(
        '[home]\nedition = "iso2"\norganization = "Garage"\ncountry = "DE"\n'
        '[[home.root]]\nkind = "private"\ncn = "Garage Root"\n'
        '[[home.leaf]]\nrole = "secc"\nid = "evse1"\ncn = "DE*PCG*E0001"\nbelow = "private"\n'
    )
    bring_up_to_date(read(file)["home"], Store(tmp_path / "home"))
    path = configured(tmp_path, tmp_path, "home")
    path.write_text(path.read_text().replace("trust/v2g.pem", "trust/private.pem").partition("[trust]")[0])
    found = told(path)
    (first,) = found["certificates"]
    assert (found["ok"], first["problems"]) == (True, [])
    assert first["staple"] == "none: its root is a private operator's, who has no responder [V2G2-872]"
    assert any("told of this root as a private operator's" in remark for remark in first["remarks"])
    assert not any("nothing is stapled" in remark for remark in first["remarks"])
