from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.commands import pki
from pki.doctor.examination import CHECKS, diagnose, name_of
from pki.doctor.finding import Finding, Severity
from pki.layouts import LayoutName
from pki.layouts.export import export as write_layout
from pki.store import Store
from tests.pki.chains import GOOD, Made, build, make

ERROR, WARNING, NOTE = Severity


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


def told(path: Path, at: datetime | None = None) -> set[tuple[str, str, str]]:
    return {(found.severity, found.check, found.place) for found in diagnose(path, at=at)}


def only(path: Path, at: datetime | None = None) -> Finding:
    found = diagnose(path, at=at)
    assert len(found) == 1, found
    return found[0]


def pem(*made: Made) -> bytes:
    return b"".join(each.certificate.public_bytes(Encoding.PEM) for each in made)


def secret(made: Made, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def reorder(path: Path, *places: int) -> None:
    blocks = [f"-----BEGIN{block}" for block in path.read_text().split("-----BEGIN")[1:]]
    path.write_text("".join(blocks[place] for place in places))


# --- no alarm where nothing is wrong --------------------------------------------------------------


def test_new_trees_are_healthy(trees: Path) -> None:
    assert diagnose(trees) == []
    for folder in trees.iterdir():
        assert diagnose(folder) == []
        for leaf in folder.glob("leaf/*/*"):
            assert diagnose(leaf) == [], leaf


def test_a_single_certificate_is_healthy(pristine: Path) -> None:
    assert diagnose(pristine / "leaf/contract/car1/chain.pem") == []
    assert diagnose(pristine / "ca/mo/sub1.pem") == []


# --- one fault, one finding -----------------------------------------------------------------------


def swap_keys(folder: Path) -> None:
    shutil.copy(folder / "leaf/secc/evse1/key.pem", folder / "leaf/contract/car1/key.pem")


def lose_key(folder: Path) -> None:
    (folder / "leaf/contract/car1/key.pem").unlink()


def lose_root_key(folder: Path) -> None:
    (folder / "ca/v2g/private/root.key").unlink()


def open_key(folder: Path) -> None:
    (folder / "leaf/contract/car1/key.pem").chmod(0o644)


def spoil_key(folder: Path) -> None:
    (folder / "leaf/contract/car1/key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def lock_key(folder: Path) -> None:
    key = folder / "leaf/contract/car1/key.pem"
    loaded = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x")))


def spoil_certificate(folder: Path) -> None:
    (folder / "leaf/contract/car1/cert.pem").write_text("no certificate")


def cut_certificate(folder: Path) -> None:
    der = folder / "leaf/contract/car1/cert.der"
    der.write_bytes(der.read_bytes()[:-9])


def turn_chain(folder: Path) -> None:
    reorder(folder / "leaf/contract/car1/chain.pem", 0, 2, 1)


def turn_chain_over(folder: Path) -> None:
    reorder(folder / "leaf/contract/car1/chain.pem", 2, 1, 0)


def shorten_chain(folder: Path) -> None:
    reorder(folder / "leaf/contract/car1/chain.pem", 0, 1)


def leave_gap(folder: Path) -> None:
    reorder(folder / "leaf/contract/car1/chain.pem", 0, 2)


def repeat_sub(folder: Path) -> None:
    reorder(folder / "leaf/contract/car1/chain.pem", 0, 1, 2, 2)


def add_root(folder: Path) -> None:
    chain = folder / "leaf/contract/car1/chain.pem"
    chain.write_bytes(chain.read_bytes() + (folder / "ca/mo/root.pem").read_bytes())


def anchor_sub(folder: Path) -> None:
    trust = folder / "trust/mo.pem"
    trust.write_bytes(trust.read_bytes() + (folder / "ca/mo/sub1.pem").read_bytes())


def anchor_leaf(folder: Path) -> None:
    trust = folder / "trust/v2g.pem"
    trust.write_bytes(trust.read_bytes() + (folder / "leaf/secc/evse1/cert.pem").read_bytes())


def anchor_other_branch(folder: Path) -> None:
    trust = folder / "trust/v2g.pem"
    trust.write_bytes(trust.read_bytes() + (folder / "trust/mo.pem").read_bytes())


def revoke(folder: Path) -> None:
    assert run("revoke", "leaf/contract/car1", "--tree", folder).exit_code == 0


def spoil_revoked(folder: Path) -> None:
    (folder / "revoked.json").write_text("{")


def spoil_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"certificates": {')


def empty_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("[]")


CAR = "leaf/contract/car1"
FAULTS: dict[str, tuple[Callable[[Path], None], set[tuple[str, str, str]]]] = {
    "key of another": (swap_keys, {(ERROR, "pairs", f"{CAR}/key.pem")}),
    "no key": (lose_key, {(WARNING, "pairs", f"{CAR}/cert.pem")}),
    "no key of a root": (lose_root_key, {(NOTE, "pairs", "ca/v2g/root.pem")}),
    "key for all to read": (open_key, {(WARNING, "permissions", f"{CAR}/key.pem")}),
    "damaged key": (spoil_key, {(ERROR, "readable", f"{CAR}/key.pem")}),
    "encrypted key": (lock_key, {(NOTE, "readable", f"{CAR}/key.pem")}),
    "damaged certificate": (spoil_certificate, {(ERROR, "unreadable", f"{CAR}/cert.pem")}),
    "cut certificate": (cut_certificate, {(ERROR, "unreadable", f"{CAR}/cert.der")}),
    "chain in wrong order": (turn_chain, {(ERROR, "order", f"{CAR}/chain.pem")}),
    "chain upside down": (turn_chain_over, {(ERROR, "order", f"{CAR}/chain.pem")}),
    "chain too short": (shorten_chain, {(ERROR, "complete", f"{CAR}/chain.pem")}),
    "chain with a gap": (
        leave_gap,
        {(ERROR, "order", f"{CAR}/chain.pem"), (ERROR, "complete", f"{CAR}/chain.pem")},
    ),
    "twice in the chain": (repeat_sub, {(ERROR, "surplus", f"{CAR}/chain.pem")}),
    "root in the chain": (
        add_root,
        {(WARNING, "surplus", f"{CAR}/chain.pem"), (ERROR, "refused", f"{CAR}/chain.pem")},
    ),
    "Sub-CA as anchor": (anchor_sub, {(ERROR, "anchors", "trust/mo.pem")}),
    "leaf as anchor": (anchor_leaf, {(ERROR, "anchors", "trust/v2g.pem")}),
    "anchor of another branch": (anchor_other_branch, {(ERROR, "branches", "trust/v2g.pem")}),
    "revoked": (revoke, {(ERROR, "revoked", f"{CAR}/cert.pem")}),
    "damaged manifest": (spoil_manifest, {(ERROR, "manifest", "manifest.json")}),
    "manifest of nothing": (empty_manifest, {(ERROR, "manifest", "manifest.json")}),
    "damaged list of revoked": (spoil_revoked, {(ERROR, "revoked", "revoked.json")}),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_found_and_nothing_else(
    folder: Path, fault: Callable[[Path], None], expected: set[tuple[str, str, str]]
) -> None:
    fault(folder)
    assert told(folder) == expected
    errors = any(severity == ERROR for severity, _, _ in expected)
    assert run("doctor", folder).exit_code == (1 if errors else 0)
    strict = any(severity in (ERROR, WARNING) for severity, _, _ in expected)
    assert run("doctor", "--strict", folder).exit_code == (1 if strict else 0)


def test_the_right_key_is_named(folder: Path) -> None:
    keys = folder / "leaf/contract/car1/key.pem", folder / "leaf/secc/evse1/key.pem"
    first, second = (key.read_bytes() for key in keys)
    keys[0].write_bytes(second)
    keys[1].write_bytes(first)
    found = {finding.place: finding for finding in diagnose(folder)}
    assert "the key of DE*PCG*E0001, not of DEPCGC00000001V" in found["leaf/contract/car1/key.pem"].what
    assert found["leaf/contract/car1/key.pem"].remedy == "the right one is leaf/secc/evse1/key.pem"


def test_the_right_order_is_named(folder: Path) -> None:
    turn_chain_over(folder)
    assert only(folder).remedy.endswith(": DEPCGC00000001V, MO Sub-CA 2, MO Sub-CA 1")


@pytest.mark.parametrize("place", ["leaf/contract/car1", "leaf/contract/car1/chain.pem"])
def test_a_part_of_a_tree_in_wrong_order_has_that_fault_alone(folder: Path, place: str) -> None:
    turn_chain_over(folder)
    assert only(folder / place).check == "order"


def test_the_missing_link_is_named(folder: Path) -> None:
    shorten_chain(folder)
    assert only(folder).remedy == "add MO Sub-CA 1 (ca/mo/sub1.pem) after MO Sub-CA 2"


def test_a_chain_that_hangs_on_no_anchor_is_refused(folder: Path) -> None:
    """Only the check of SECC and EVCC itself sees this one: every file is well formed."""
    (folder / "trust/mo.pem").unlink()
    found = only(folder)
    assert (found.check, found.place) == ("refused", "leaf/contract/car1/chain.pem")
    assert "is refused as contract, anchor: " in found.what


# --- the calendar ---------------------------------------------------------------------------------


def test_time_passes(folder: Path) -> None:
    now = datetime.now(UTC)
    place = "leaf/secc/evse1/cert.pem"
    assert (WARNING, "validity", place) in told(folder, now + timedelta(days=50))
    assert (ERROR, "validity", place) in told(folder, now + timedelta(days=61))
    assert "expired on" in next(found.what for found in diagnose(folder, at=now + timedelta(days=61)))


def test_a_clock_that_is_behind_is_named_first(folder: Path) -> None:
    for at in (datetime(1970, 1, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(days=3)):
        found = diagnose(folder, at=at)
        assert (found[0].check, found[0].severity, found[0].place) == ("clock", ERROR, "system clock")
        assert {each.check for each in found} == {"clock", "validity"}


def test_one_certificate_of_the_future_is_no_fault_of_the_clock(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        path = build(leaf={"days": (-1, 400)}) if name != "c" else build(leaf={"days": (300, 400)})
        (tmp_path / f"{name}.pem").write_bytes(pem(path.leaf))
    assert "clock" not in {check for _, check, _ in told(tmp_path, datetime(2026, 12, 1, tzinfo=UTC))}


def test_revocation_lists_end(folder: Path) -> None:
    assert run("crl", "--tree", folder).exit_code == 0
    assert diagnose(folder) == []
    later = datetime.now(UTC) + timedelta(days=29)
    assert {(severity, check) for severity, check, _ in told(folder, later) if check == "lists"} == {(ERROR, "lists")}


def test_a_list_of_nobody_here_is_told(folder: Path, tmp_path: Path) -> None:
    assert run("crl", "--tree", folder).exit_code == 0
    crl = next(folder.glob("crl/mo-*.crl"))
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(crl, other)
    shutil.copy(folder / "ca/v2g/root.pem", other)
    assert told(other) == {(WARNING, "lists", crl.name)}


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cn", "severity", "words"),
    [
        ("UKSWI123456791A", WARNING, "wrong check character A"),
        ("de8aa0012345670", WARNING, "not in capitals"),
        ("DE-8AA-001234567-0", WARNING, "not in capitals"),
        ("eMaid", ERROR, "its CN is not an EMAID"),
    ],
)
def test_emaids(tmp_path: Path, cn: str, severity: Severity, words: str) -> None:
    (tmp_path / "car.pem").write_bytes(pem(build("contract", leaf={"cn": (cn,)}).leaf))
    found = [each for each in diagnose(tmp_path, at=datetime(2026, 6, 2, tzinfo=UTC)) if each.check != "clock"]
    assert [(each.severity, words in each.what) for each in found] == [(severity, True)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dc": ("MO", "MO")}, "its DC"),
        ({"usage": "C"}, "its key usage"),
        ({"ca": True, "dc": ("CPO",)}, ""),
    ],
)
def test_profiles(tmp_path: Path, change: dict[str, object], words: str) -> None:
    (tmp_path / "station.pem").write_bytes(pem(build("secc", leaf=change).leaf))
    found = [each for each in diagnose(tmp_path, at=datetime(2026, 6, 2, tzinfo=UTC)) if each.check == "profiles"]
    assert bool(found) == bool(words)
    assert all(words in each.what or "profile" in each.check for each in found)


def test_twin_roots_are_noted(folder: Path) -> None:
    twin = make(GOOD["contract"]["root"])
    again = make(GOOD["contract"]["root"])
    foreign = folder.parent / "foreign"
    foreign.mkdir()
    (foreign / "a.pem").write_bytes(pem(twin))
    (foreign / "b.pem").write_bytes(pem(again))
    at = datetime(2026, 6, 2, tzinfo=UTC)
    assert {(found.severity, found.place) for found in diagnose(foreign, at=at) if found.check == "twins"} == {
        (NOTE, "b.pem")
    }


# --- the wrong folder -----------------------------------------------------------------------------


def test_an_empty_folder_points_to_the_trees_nearby(folder: Path) -> None:
    empty = folder.parent.parent / "empty"
    empty.mkdir()
    found = only(empty)
    assert (found.check, found.severity) == ("nothing-here", ERROR)
    assert str(folder) in found.remedy
    missing = only(folder.parent.parent / "certs/out/iso2")
    assert (missing.check, missing.what) == ("nothing-here", "there is no such file or folder")


def test_nothing_anywhere_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pki.doctor.folders._UP", 0)
    result = run("doctor")
    assert result.exit_code == 1
    assert "`plugcharge pki init` makes a tree" in result.output


def test_the_folder_of_josev_is_recognised(folder: Path) -> None:
    josev = folder.parent.parent / "josev"
    write_layout(Store(folder), LayoutName.JOSEV, josev)
    top = [found for found in diagnose(josev) if found.check == "layout"]
    assert [(found.severity, found.what) for found in top] == [(NOTE, "these are the certificates of Josev")]
    inside = [found for found in diagnose(josev / "iso15118_2") if found.check == "layout"]
    assert [found.severity for found in inside] == [WARNING]
    assert f"Josev wants {josev} as PKI_PATH" in inside[0].what
    assert not [found for found in diagnose(josev) if found.severity is ERROR]


@pytest.mark.parametrize(
    ("layout", "key", "other"),
    [
        (LayoutName.JOSEV, "iso15118_2/private_keys/contractLeaf.key", "iso15118_2/private_keys/seccLeaf.key"),
        (LayoutName.EVEREST, "client/cso/CPO_SUB_CA2.key", "client/cso/CPO_SUB_CA1.key"),
        (LayoutName.EVEREST, "client/mo/MO_LEAF.key", "client/mo/MO_SUB_CA2.key"),
    ],
)
def test_encrypted_keys_of_others_are_opened_by_the_password_beside_them(
    folder: Path, layout: LayoutName, key: str, other: str
) -> None:
    theirs = folder.parent.parent / "theirs"
    write_layout(Store(folder), layout, theirs)
    assert [found.check for found in diagnose(theirs)] == ["layout"]
    shutil.copy(theirs / other, theirs / key)
    assert (ERROR, "pairs", key) in told(theirs)
    shutil.copy(theirs / other, theirs / key)
    for file in (theirs / key).parent.glob("*assword.txt"):
        file.write_text("another")
    for file in (theirs / key).parent.glob("*PASSWORD.txt"):
        file.write_text("another")
    assert (ERROR, "readable", key) in told(theirs)


# --- files made by openssl ------------------------------------------------------------------------


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def test_files_of_openssl(tmp_path: Path) -> None:
    """RSA, wrong curve, encrypted PKCS#8 and SEC 1: each told for what it is."""
    for name, algorithm in (("rsa", ["RSA", "rsa_keygen_bits:2048"]), ("p384", ["EC", "ec_paramgen_curve:P-384"])):
        openssl("genpkey", "-algorithm", algorithm[0], "-pkeyopt", algorithm[1], "-out", tmp_path / f"{name}.key")
        (tmp_path / f"{name}.key").chmod(0o600)
        subject = "/CN=DE*ABC*E1/DC=CPO"
        openssl(
            "req",
            "-new",
            "-x509",
            "-key",
            tmp_path / f"{name}.key",
            "-subj",
            subject,
            "-days",
            "30",
            "-out",
            tmp_path / f"{name}.crt",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        )
    openssl("pkey", "-in", tmp_path / "p384.key", "-aes256", "-passout", "pass:x", "-out", tmp_path / "locked.key")
    (tmp_path / "locked.key").chmod(0o600)
    found = {(each.severity, each.check, each.place) for each in diagnose(tmp_path)}
    assert (NOTE, "readable", "locked.key") in found
    assert not [place for severity, check, place in found if check == "pairs"]
    shutil.copy(tmp_path / "rsa.key", tmp_path / "p384.key")
    assert (ERROR, "pairs", "p384.key") in told(tmp_path)


# --- output ---------------------------------------------------------------------------------------


def test_json_has_everything(folder: Path) -> None:
    swap_keys(folder)
    listed = json.loads(run("doctor", "--json", folder).output)
    assert [each["check"] for each in listed] == ["pairs"]
    assert set(listed[0]) == {"severity", "place", "what", "remedy", "check"}


def test_many_alike_are_told_in_short(folder: Path) -> None:
    for number in range(9):
        copy = folder / f"leaf/contract/more{number}"
        shutil.copytree(folder / "leaf/contract/car1", copy)
        (copy / "key.pem").chmod(0o644)
    output = run("doctor", folder).output
    assert "warning: … 4 more of permissions; --json has them all" in output
    assert output.splitlines()[-1] == "9 warnings"


def test_every_check_says_what_it_is_for() -> None:
    assert all(check.__doc__ for check in CHECKS)
    names = [name_of(check) for check in CHECKS]
    assert len(set(names)) == len(names)
    assert [line.split()[0] for line in run("doctor", "--list").output.splitlines()] == names


# --- whatever lies there --------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_is_too_strange(pristine: Path, tmp_path: Path, data: st.DataObject) -> None:
    sources = sorted(path for path in pristine.rglob("*") if path.suffix in {".pem", ".der", ".key"})
    strange = tmp_path / "strange"
    shutil.rmtree(strange, ignore_errors=True)
    strange.mkdir()
    names = data.draw(st.lists(st.sampled_from(["a.pem", "b.der", "c.key", "d.crl", "e.crt", "chain.pem"]), min_size=1))
    for name in names:
        content = bytearray(data.draw(st.sampled_from(sources)).read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        end = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
        (strange / name).write_bytes(bytes(content[:end]))
    for found in diagnose(strange):
        assert found.what.isprintable()
        assert found.place.isprintable()


@given(st.binary(max_size=300), st.sampled_from(["x.pem", "x.der", "x.key", "x.crl", "x.cer"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_is_unreadable(tmp_path: Path, content: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    file.chmod(0o600)
    found = diagnose(file)
    assert {each.severity for each in found} == {ERROR} or content.startswith(b"\x30")
