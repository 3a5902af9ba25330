from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pki import crl, ocsp, revoked
from pki.certificate import read
from pki.commands import pki
from pki.evidence import GOOD, Standing, Status
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read as read_trees

NOW = datetime.now(UTC).replace(microsecond=0)
CAR = "leaf/contract/car1"
HOLD, STOLEN = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.key_compromise


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(pki, [str(each) for each in arguments])
    return result.exit_code, result.output


def serial(folder: Path, place: str = CAR) -> int:
    return Store(folder).load_certificate(place).serial_number


def listed_serials(folder: Path, name: str) -> set[int]:
    """What the file of a CA lists, read without our code."""
    found = x509.load_der_x509_crl((folder / "crl" / name).read_bytes())
    return {entry.serial_number for entry in found}


def test_a_revoked_certificate_is_on_the_list_of_its_ca_alone(folder: Path) -> None:
    code, told = run("revoke", CAR, "--tree", folder, "--reason", "keyCompromise", "--at", "2026-01-02")
    assert (code, "keyCompromise" in told) == (0, True)
    assert run("crl", "--tree", folder)[0] == 0
    names = {path.name for path in (folder / "crl").iterdir()}
    assert names == {f"{path.parent.name}-{path.stem}.crl" for path in folder.glob("ca/*/*.pem")}
    full = {name for name in names if listed_serials(folder, name)}
    assert full == {"mo-sub2.crl"}
    [entry] = x509.load_der_x509_crl((folder / "crl/mo-sub2.crl").read_bytes())
    assert (entry.serial_number, entry.revocation_date_utc) == (serial(folder), datetime(2026, 1, 2, tzinfo=UTC))
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is STOLEN


def test_nothing_is_revoked_in_the_future(folder: Path) -> None:
    code, told = run("revoke", CAR, "--tree", folder, "--at", "2090-01-01")
    assert (code, "--at 2090-01-01 00:00 is still to come" in told) == (1, True)
    assert not (folder / revoked.NAME).exists()


def test_a_list_of_before_a_revocation_is_without_it(folder: Path) -> None:
    """OCSP tells the same of that time."""
    assert run("revoke", CAR, "--tree", folder, "--at", "2026-01-02")[0] == 0
    for at, serials in (("2026-01-01", set()), ("2026-01-02", {serial(folder)})):
        code, told = run("crl", "ca/mo/sub2", "--tree", folder, "--at", at)
        assert (code, f"{len(serials)} revoked" in told) == (0, True)
        assert listed_serials(folder, "mo-sub2.crl") == serials


def test_every_list_judges_as_it_should(folder: Path) -> None:
    tree = Store(folder)
    revoked.revoke(tree, "ca/mo/sub2", NOW, STOLEN)
    revoked.write_crls(tree, revoked.authorities(tree), NOW, timedelta(days=1))
    authorities = revoked.authorities(tree)
    read_list = crl.read(revoked.crl_path(folder / "crl", "ca/mo/sub1").read_bytes())
    assert read_list.judge(authorities["ca/mo/sub2"], authorities["ca/mo/sub1"], NOW).standing.reason is STOLEN
    leaf = read(x509.load_pem_x509_certificates(tree.chain(CAR).read_bytes())[0].public_bytes(Encoding.DER))
    read_list = crl.read(revoked.crl_path(folder / "crl", "ca/mo/sub2").read_bytes())
    assert read_list.judge(leaf, authorities["ca/mo/sub2"], NOW).standing == GOOD


def test_the_number_rises_and_the_end_is_as_chosen(folder: Path) -> None:
    numbers = []
    for hour in (0, 1):
        assert run("crl", "ca/mo/sub2", "--tree", folder, "--days", "2", "--at", f"2026-06-01T0{hour}:00:00")[0] == 0
        found = crl.read((folder / "crl/mo-sub2.crl").read_bytes())
        assert found.next_update == datetime(2026, 6, 3, hour, tzinfo=UTC)
        numbers.append(found.number or 0)
    assert numbers[0] < numbers[1]


def test_a_hold_is_lifted_and_nothing_else(folder: Path) -> None:
    tree = Store(folder)
    assert run("revoke", CAR, "--tree", folder, "--reason", "certificateHold")[0] == 0
    assert revoked.load(folder).standing("ca/mo/sub2", serial(folder)).held
    assert run("revoke", CAR, "--tree", folder, "--undo")[0] == 0
    assert revoked.load(folder).revoked == ()
    revoked.revoke(tree, CAR, NOW, HOLD)
    revoked.revoke(tree, CAR, NOW, STOLEN)
    assert [entry.reason for entry in revoked.load(folder).revoked] == [STOLEN]
    for command in (["--undo"], ["--reason", "certificateHold"]):
        code, told = run("revoke", CAR, "--tree", folder, *command)
        assert (code, "keyCompromise" in told) == (1, True)
    assert run("revoke", "leaf/secc/evse1", "--tree", folder, "--undo") == (
        1,
        f"Error: certificate {serial(folder, 'leaf/secc/evse1')} of ca/cpo/sub2 is not revoked\n",
    )


def test_a_serial_number_is_revoked_where_no_certificate_lies_any_more(folder: Path) -> None:
    assert run("revoke", "ca/mo/sub2", "--serial", "4711", "--tree", folder)[0] == 0
    assert revoked.load(folder).standing("ca/mo/sub2", 4711).since is not None
    assert revoked.load(folder).standing("ca/mo/sub1", 4711) == GOOD
    code, told = run("revoke", CAR, "--serial", "4711", "--tree", folder)
    assert (code, "the CA that issued it" in told) == (1, True)


def test_a_renewal_leaves_the_list_alone(folder: Path) -> None:
    before = serial(folder)
    revoked.revoke(Store(folder), CAR, NOW, STOLEN)
    Store(folder).certificate(CAR).unlink()
    bring_up_to_date(read_trees()["iso2"], Store(folder))
    assert serial(folder) != before
    assert revoked.load(folder).standing("ca/mo/sub2", before).reason is STOLEN
    assert revoked.load(folder).standing("ca/mo/sub2", serial(folder)) == GOOD


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("ca/mo/root", "no list can revoke it"),
        ("leaf/contract/nobody", "no certificate lies there"),
        ("ca/mo/sub9", "no certificate lies there"),
    ],
)
def test_what_cannot_be_revoked(folder: Path, place: str, told: str) -> None:
    code, output = run("revoke", place, "--tree", folder)
    assert (code, told in output) == (1, True)
    assert not (folder / "revoked.json").exists()


def test_an_issuer_that_is_not_there(folder: Path) -> None:
    (folder / "ca/mo/sub2.pem").unlink()
    code, output = run("revoke", CAR, "--tree", folder)
    assert (code, "its issuer is not in" in output) == (1, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"revoked": [{}]}',
        '{"revoked": [{"issuer": "ca/mo/sub2", "serial": "x", "at": "2026-01-01T00:00:00Z"}]}',
        '{"revoked": [{"issuer": "ca/mo/sub2", "serial": "1", "at": "2026-01-01T00:00:00"}]}',
        '{"revoked": [{"issuer": "ca/mo/sub2", "serial": "1", "at": "2026-01-01T00:00:00Z", "reason": "boredom"}]}',
        '{"revoked": [], "more": 1}',
    ],
)
def test_a_damaged_list_is_no_empty_one(folder: Path, text: str) -> None:
    (folder / "revoked.json").write_text(text)
    for command in ("crl",), ("revoke", CAR):
        code, output = run(*command, "--tree", folder)
        assert (code, "revoked.json" in output) == (1, True)
    assert not (folder / "crl").exists()


def test_the_list_is_json_for_others(folder: Path) -> None:
    revoked.revoke(Store(folder), CAR, NOW, STOLEN)
    [entry] = json.loads((folder / "revoked.json").read_text())["revoked"]
    assert entry["issuer"] == "ca/mo/sub2"
    assert (int(entry["serial"]), entry["reason"], entry["place"]) == (serial(folder), "keyCompromise", CAR)
    assert datetime.fromisoformat(entry["at"]) == NOW


def test_a_list_needs_the_key_of_its_ca(folder: Path) -> None:
    (folder / "ca/mo/private/sub2.key").unlink()
    code, output = run("crl", "--tree", folder)
    assert (code, "needed to sign" in output) == (1, True)
    assert not (folder / "crl").exists()
    assert run("crl", "ca/mo/sub1", "--tree", folder)[0] == 0


def test_lists_may_go_elsewhere(folder: Path, tmp_path: Path) -> None:
    assert run("crl", "ca/mo/sub2", "--tree", folder, "--out", tmp_path / "station" / "evidence")[0] == 0
    assert [path.name for path in (tmp_path / "station" / "evidence").iterdir()] == ["mo-sub2.crl"]
    assert not (folder / "crl").exists()


@given(st.binary(max_size=60) | st.text('{}[]":,revokd0123', max_size=60).map(str.encode))
def test_any_bytes_are_an_error_or_a_list(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("tree")
    (folder / "revoked.json").write_bytes(data)
    with contextlib.suppress(ValueError):
        assert revoked.load(folder).revoked == ()


def test_a_folder_that_is_no_tree(tmp_path: Path) -> None:
    code, output = run("crl", "--tree", tmp_path / "nothing")
    assert (code, "holds no CA" in output) == (1, True)


def test_the_command_knows_every_reason() -> None:
    from pki.cli.revoke import REASONS

    assert set(REASONS) == set(revoked.REASONS)


# --- what `pki verify` makes of it ------------------------------------------------------------------------------------


def verify(folder: Path, *arguments: str | Path) -> tuple[int, str]:
    return run("verify", folder / CAR, *arguments)


def test_verify_looks_at_lists(folder: Path) -> None:
    assert run("crl", "--tree", folder)[0] == 0
    assert verify(folder, "--crl", folder / "crl")[0] == 0
    assert run("revoke", CAR, "--tree", folder, "--reason", "superseded")[0] == 0
    assert verify(folder, "--crl", folder / "crl")[0] == 0, "the lists are still the old ones"
    code, told = verify(folder)
    assert (code, "revoked since" in told, "pki renew` makes another" in told) == (1, True, True)
    assert verify(folder, "--revocation", "off")[0] == 0
    assert verify(folder, "--at", "2026-11-01")[0] == 1, "not yet valid"
    assert run("crl", "--tree", folder)[0] == 0
    code, told = verify(folder, "--crl", folder / "crl/mo-sub2.crl", "--revocation", "soft")
    assert (code, "revoked: leaf: it is revoked since" in told, "(superseded)" in told) == (1, True, True)
    assert verify(folder, "--crl", folder / "crl", "--revocation", "off")[0] == 0


def test_verify_says_what_is_not_known(folder: Path) -> None:
    code, told = verify(folder, "--revocation", "hard")
    assert (code, "revocation: leaf: there is neither an OCSP response" in told) == (1, True)
    assert verify(folder, "--revocation", "soft")[0] == 0
    assert run("crl", "--tree", folder, "--days", "1")[0] == 0
    later = f"{NOW + timedelta(days=2):%Y-%m-%d}"
    code, told = verify(folder, "--crl", folder / "crl", "--at", later)
    assert (code, "crl, stale: was to be renewed by" in told) == (1, True)


def test_verify_looks_at_responses(folder: Path, tmp_path: Path) -> None:
    tree = Store(folder)
    authority = tree.load("ca/mo/sub2")
    about = ocsp.cert_id(serial(folder), authority.certificate, hashes.SHA256())
    stands = Standing(status=Status.REVOKED, since=NOW, reason=STOLEN)
    for standing, code in ((GOOD, 0), (stands, 1)):
        response = ocsp.respond(about, standing, authority, this_update=NOW, next_update=NOW + timedelta(days=1))
        (tmp_path / "car1.ocsp").write_bytes(response)
        assert verify(folder, "--ocsp", tmp_path / "car1.ocsp", "--revocation", "soft")[0] == code


def test_verify_names_evidence_that_is_none(folder: Path) -> None:
    for file in ("nothing.crl", "trust/mo.pem"):
        code, told = verify(folder, "--crl", folder / file)
        assert (code, file in told) == (1, True)
