from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import evcc.config
import secc.config
from pki.commands import pki
from pki.doctor.examination import diagnose
from pki.doctor.finding import Finding
from pki.doctor.settings import SETTINGS, Kind, read
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read as read_trees

SECC = """
[[evse]]
id = "1"
interface = "eth1"

[tls]
chain = "{0}/leaf/secc/evse1/chain.pem"
key = "{0}/leaf/secc/evse1/key.pem"
root = "{0}/trust/v2g.pem"

[trust]
contract = ["{0}/trust/mo.pem"]
"""
EVCC = """
[tls]
roots = ["{0}/trust/v2g.pem"]

[contract]
chain = "{0}/leaf/contract/car1/chain.pem"
key = "{0}/leaf/contract/car1/key.pem"

[provisioning]
chain = "{0}/leaf/oem-provisioning/car1/chain.pem"
key = "{0}/leaf/oem-provisioning/car1/key.pem"
wallet = "wallet"
roots = ["{0}/trust/mo.pem"]
"""


@pytest.fixture
def station(folder: Path) -> Path:
    file = folder.parent / "secc.toml"
    file.write_text(SECC.format("iso2"))
    return file


@pytest.fixture
def car(folder: Path) -> Path:
    file = folder.parent / "evcc.toml"
    file.write_text(EVCC.format("iso2"))
    return file


def only(*settings: Path, path: Path | None = None) -> Finding:
    found = diagnose(path, settings)
    assert len(found) == 1, found
    return found[0]


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_good_configurations_are_healthy(station: Path, car: Path, folder: Path) -> None:
    """Both of them load in their programs, too: what is tested here is what they read."""
    secc.config.load(station)
    evcc.config.load(car)
    assert diagnose(None, [station, car]) == []
    assert diagnose(folder, [station, car]) == []
    result = CliRunner().invoke(pki, ["doctor", "--config", str(station)])
    assert (result.exit_code, result.output) == (0, "nothing wrong\n")


def test_every_setting_is_one_that_secc_or_evcc_know(station: Path, car: Path) -> None:
    """Here alone the two tables of names meet: pki may import neither program."""
    known = {
        (table, field)
        for config in (secc.config.SeccConfig, evcc.config.EvccConfig)
        for table in config.__struct_fields__
        for field in _fields(config, table)
    }
    assert {(setting.table, setting.key) for setting in SETTINGS} <= known
    named = {(each.setting.table, each.setting.key) for file in (station, car) for each in read(file).references}
    assert named == {(setting.table, setting.key) for setting in SETTINGS}


def _fields(config: type, table: str) -> tuple[str, ...]:
    kind = next(field.type for field in msgspec.structs.fields(config) if field.name == table)
    structs = [each for each in (kind, *getattr(kind, "__args__", ())) if hasattr(each, "__struct_fields__")]
    return structs[0].__struct_fields__ if structs else ()


def test_a_file_that_is_not_there(station: Path) -> None:
    replace(station, "leaf/secc/evse1/key.pem", "leaf/secc/evse7/key.pem")
    found = only(station)
    assert (found.check, found.place) == ("present", str(station))
    assert "[tls] key" in found.what
    assert found.what.endswith("no such file")


def test_the_wrong_folder(station: Path, folder: Path) -> None:
    """The commonest of all: the certificates were made somewhere else than the configuration looks."""
    station.write_text(SECC.format("certs/out/iso2"))
    found = diagnose(folder, [station])
    assert {each.check for each in found} == {"present"}
    assert f"there is {folder / 'leaf/secc/evse1/chain.pem'}" in {each.remedy for each in found}


def test_the_key_of_another_certificate(car: Path, folder: Path) -> None:
    replace(car, "leaf/contract/car1/key.pem", "leaf/oem-provisioning/car1/key.pem")
    found = only(car)
    assert found.check == "together"
    assert "the key of PCGPLUGCHARGE0001, not of DEPCGC00000001V" in found.what


def test_a_certificate_for_a_key(station: Path) -> None:
    replace(station, "leaf/secc/evse1/key.pem", "leaf/secc/evse1/cert.pem")
    assert only(station).what.endswith("holds no private key")


def test_an_encrypted_key_needs_its_password(station: Path, folder: Path) -> None:
    key = folder / "leaf/secc/evse1/key.pem"
    loaded = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    found = {each.check: each for each in diagnose(None, [station])}
    assert "its password is not there" in found["together"].what
    replace(station, "[trust]", 'password = "wrong"\n\n[trust]')
    found = {each.check: each for each in diagnose(None, [station])}
    assert "its password is wrong" in found["together"].what
    assert all("secret" not in each.what and 'wrong"' not in each.what for each in found.values())
    replace(station, '"wrong"', '"secret"')
    assert diagnose(None, [station]) == []


def test_the_chain_of_another_role(station: Path) -> None:
    text = station.read_text()
    station.write_text(text.replace("leaf/secc/evse1", "leaf/contract/car1"))
    found = {each.check: each for each in diagnose(None, [station])}
    assert found["suited"].what.endswith("is a contract certificate, not a secc one")


def test_a_root_the_chain_does_not_hang_on(station: Path) -> None:
    replace(station, "trust/v2g.pem", "trust/oem.pem")
    found = only(station)
    assert found.check == "anchored"
    assert "DE*PCG*E0001 does not hang on OEM Root CA" in found.what


def test_anchors_that_are_none(car: Path) -> None:
    replace(car, 'roots = ["iso2/trust/v2g.pem"]', 'roots = ["iso2/ca/cpo/sub1.pem"]')
    found = diagnose(None, [car])
    assert [(each.check, "Sub-CA" in each.what) for each in found] == [("anchors", True)]


def test_a_copy_that_was_renewed_since(station: Path, folder: Path) -> None:
    """The tree was renewed, the station still has the certificates of last month."""
    copy = folder.parent / "copied"
    shutil.copytree(folder, copy)
    station.write_text(SECC.format("copied"))
    old = folder / "leaf/secc/evse1"
    for file in old.iterdir():
        file.unlink()
    bring_up_to_date(read_trees()["iso2"], Store(folder))
    assert diagnose(None, [station]) == []
    found = [each for each in diagnose(folder, [station]) if each.check == "outdated"]
    later = [each for each in found if "DE*PCG*E0001" in each.what]
    assert bool(later) == (_start(folder) > _start(copy))
    assert all(each.remedy == "use leaf/secc/evse1/cert.pem" for each in later)


def _start(folder: Path) -> datetime:
    return Store(folder).load_certificate("leaf/secc/evse1").not_valid_before_utc


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tls\n", "not TOML"),
        ("", "names no certificates"),
        ("tls = 3\n[trust]\ncontract = 7", "names no certificates"),
        ("[tls]\nchain = [1, {}]\nkey = ''", "names no certificates"),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "secc.toml"
    file.write_text(text)
    found = only(file)
    assert found.check == "configurations"
    assert words in found.what


def test_no_configuration_at_all(tmp_path: Path) -> None:
    found = only(tmp_path / "none.toml")
    assert "no such file" in found.what


def test_a_folder_for_a_file(station: Path) -> None:
    replace(station, '"iso2/trust/mo.pem"', '"iso2/trust"')
    assert only(station).what.endswith("is a folder, not a file")


def test_kinds_are_read_from_the_table() -> None:
    assert {setting.kind for setting in SETTINGS} == set(Kind)
