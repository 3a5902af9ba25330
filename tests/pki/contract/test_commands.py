"""`pki contract issue` and `pki contract open`, as people and programs run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pki.certificate import read as read_certificate
from pki.commands import pki
from pki.contract.document import read
from pki.credentials import load_chain
from pki.store import Store
from pki.tree import built_in
from tests import provisioning, provisioning_iso20
from v2g.messages import iso2
from v2g.messages.iso20 import common
from v2g.protocols import schema

PLACE = Path("leaf/oem-provisioning/car1")


def run(*arguments: str | Path, given: bytes | None = None) -> Result:
    return CliRunner().invoke(pki, ["contract", *map(str, arguments)], input=given)


def made(folder: Path, tree: Path, *arguments: str | Path) -> Path:
    """A delivery in a file."""
    file = folder / "delivery"
    result = run("issue", "--tree", tree, "-o", file, *arguments)
    assert result.exit_code == 0, result.output
    return file


KEYS = {"iso2": "key.pem", "iso20": "key.pem", "iso20-ed448": "key-x448.pem"}


@pytest.mark.parametrize("edition", KEYS)
@pytest.mark.parametrize("form", ["exi", "hex", "base64", "xml", "json"])
def test_what_is_issued_opens(trees: Path, tmp_path: Path, edition: str, form: str) -> None:
    tree = trees / edition
    file = made(tmp_path, tree, "--format", form, "--experimental", "short")
    result = run("open", file, "--key", tree / PLACE / KEYS[edition], "--rooted")
    assert result.exit_code == 0, result.output
    assert "accepted: a vehicle may take it" in result.output
    assert "key derivation concat-015556" in result.output
    assert "SignedInfo xmldsig" in result.output
    assert ("its last octet, which is 0: an experiment" in result.output) == (edition == "iso20-ed448")


def test_an_update_opens_with_the_old_contract(pristine: Path, tmp_path: Path) -> None:
    file = made(tmp_path, pristine, "--update", "--emaid", "DE-PCG-C00000001-V")
    result = run("open", file, "--key", pristine / "leaf/contract/car1/key.pem")
    assert (result.exit_code, "CertificateUpdateRes of iso2" in result.output) == (0, True), result.output
    assert run("open", file, "--key", pristine / PLACE / "key.pem").exit_code == 1


def test_for_machines(pristine: Path, tmp_path: Path) -> None:
    file = made(tmp_path, pristine, "--kdf", "x963-empty", "--deviate", "unsigned")
    result = run("open", file, "--key", pristine / PLACE / "key.pem", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["accepted"], told["derivation"], told["code"]) == (False, "x963-empty", "OK")
    assert [(each["check"], each["holds"]) for each in told["checks"]] == [
        ("provider", True),
        ("signature", False),
        ("contract-chain", True),
        ("emaid", True),
        ("key", True),
    ]


def test_every_failed_check_is_told_and_the_first_counts(pristine: Path, tmp_path: Path) -> None:
    file = made(tmp_path, pristine, "--deviate", "other-emaid", "--deviate", "wrong-recipient", "--deviate", "unsigned")
    result = run("open", file, "--key", pristine / PLACE / "key.pem")
    assert result.exit_code == 1
    assert result.output.count("FAILED") == 3
    assert "a vehicle stops at signature" in result.output


def test_without_anchors_the_key_opens_all_the_same(pristine: Path, tmp_path: Path) -> None:
    file = made(tmp_path, pristine)
    key = tmp_path / "key.pem"
    key.write_bytes((pristine / PLACE / "key.pem").read_bytes())
    result = run("open", file, "--key", key)
    assert result.exit_code == 1
    assert "FAILED  provider" in result.output
    assert "ok      key" in result.output
    named = run("open", file, "--key", key, "--trust", pristine / "trust/v2g.pem")
    assert (named.exit_code, "its root is unknown here" in named.output) == (0, True)


def test_the_key_is_written_only_when_asked_for_and_proved(pristine: Path, tmp_path: Path) -> None:
    file, out = made(tmp_path, pristine), tmp_path / "contract.key"
    key = pristine / PLACE / "key.pem"
    told = run("open", file, "--key", key)
    assert "PRIVATE" not in told.output
    result = run("open", file, "--key", key, "--key-out", out)
    assert result.exit_code == 0, result.output
    assert out.stat().st_mode & 0o777 == 0o600
    body = read(file.read_bytes()).envelope.body
    assert isinstance(body, iso2.CertificateInstallationRes)
    leaf = read_certificate(body.ContractSignatureCertChain.Certificate)
    assert load_pem_private_key(out.read_bytes(), None).public_key() == leaf.key
    again = run("open", file, "--key", key, "--key-out", out)
    assert (again.exit_code, "exists; name another file" in again.output) == (1, True)
    for deviation in ("wrong-key", "wrong-recipient", "changed"):
        wrong = made(tmp_path, pristine, "--deviate", deviation)
        assert run("open", wrong, "--key", key, "--key-out", tmp_path / deviation).exit_code == 1
        assert not (tmp_path / deviation).exists()


def test_the_pcid_is_needed_in_the_second_generation(trees: Path, tmp_path: Path) -> None:
    tree = trees / "iso20"
    file = made(tmp_path, tree, "--pcid", "PCGPLUGCHARGE0001")
    key = tmp_path / "key.pem"
    key.write_bytes((tree / PLACE / "key.pem").read_bytes())
    trust = ("--trust", tree / "trust/v2g.pem", "--trust", tree / "trust/mo.pem")
    assert run("open", file, "--key", key, *trust).exit_code == 1
    assert run("open", file, "--key", key, *trust, "--pcid", "PCG-PLUGCHARGE0001").exit_code == 0
    assert run("open", file, "--key", key, *trust, "--certificate", tree / PLACE / "cert.pem").exit_code == 0


def test_additional_data_are_told(trees: Path, tmp_path: Path) -> None:
    file = made(tmp_path, trees / "iso20", "--aad", "raw16", "--kdf", "concat-empty")
    result = run("open", file, "--key", trees / "iso20" / PLACE / "key.pem", "--tolerant")
    assert result.exit_code == 0
    assert "key derivation concat-empty, additional data raw16" in result.output


@pytest.mark.parametrize(
    ("edition", "words", "other"),
    [
        ("iso2", ("--deviate", "wrong-kdf"), "key derivation x963-empty instead of concat-015556"),
        ("iso2", ("--kdf", "concat-empty"), "key derivation concat-empty instead of concat-015556"),
        ("iso20", ("--kdf", "concat-015556-sha256"), "key derivation concat-015556-sha256 instead of concat-015556"),
        ("iso20", ("--aad", "none"), "additional data none instead of ski"),
    ],
)
def test_a_variant_is_no_standard_delivery(
    trees: Path, tmp_path: Path, edition: str, words: tuple[str, ...], other: str
) -> None:
    key = trees / edition / PLACE / "key.pem"
    file = made(tmp_path, trees / edition, *words)
    strict, tolerant = run("open", file, "--key", key), run("open", file, "--key", key, "--tolerant")
    assert (strict.exit_code, tolerant.exit_code) == (1, 0)
    assert f"not accepted, unless with --tolerant: it has {other}" in strict.output
    assert f"\naccepted, as --tolerant says: it has {other}" in tolerant.output
    told = json.loads(run("open", file, "--key", key, "--json").stdout)
    assert (told["accepted"], told["deviations"]) == (False, [other])
    assert all(check["holds"] for check in told["checks"])


@pytest.mark.parametrize("edition", KEYS)
def test_a_request_is_granted(trees: Path, tmp_path: Path, edition: str) -> None:
    tree, asked = trees / edition, tmp_path / "request"
    assert run("request", "--tree", tree, "-o", asked).exit_code == 0
    answer = made(tmp_path, tree, "--request", asked, "--experimental", "short")
    result = run("open", answer, "--key", tree / PLACE / KEYS[edition])
    assert result.exit_code == 0, result.output
    files = ("--vehicle", tree / PLACE / "chain.pem", tree / PLACE / "key.pem")
    refused = run("request", "--tree", tmp_path, *files, "--format", "json")
    assert (refused.exit_code, "give one with --trust" in refused.output) == (1, True)
    told = run("request", "--tree", tmp_path, *files, "--format", "json", "--trust", tree / "trust/v2g.pem")
    assert (told.exit_code, "CertificateInstallationReq" in told.output) == (0, True)


def test_a_request_names_the_roots_of_the_vehicle(pristine: Path) -> None:
    result = run("request", "--tree", pristine, "--format", "exi")
    body = read(result.stdout_bytes).envelope.body
    assert isinstance(body, iso2.CertificateInstallationReq)
    (root,) = body.ListOfRootCertificateIDs.RootCertificateID
    known = read_certificate(load_chain(pristine / "trust/v2g.pem")[0])
    assert root.X509SerialNumber == known.serial
    assert "CN=V2G Root CA" in root.X509IssuerName


def test_a_request_of_nobody(pristine: Path) -> None:
    result = run("request", "--tree", pristine, "--leaf", "car9", "--format", "hex")
    assert (result.exit_code, "car9" in result.output) == (1, True)


def test_from_standard_input(pristine: Path, tmp_path: Path) -> None:
    vehicle, key = provisioning.leaf(pristine, "oem-provisioning", "car1"), pristine / PLACE / "key.pem"
    asked = provisioning.installation(vehicle)
    exi = provisioning.message(asked, provisioning.signed(asked, vehicle.key))
    issued = run("issue", "--tree", pristine, "--request", "-", "--format", "exi", given=exi)
    assert issued.exit_code == 0, issued.output
    opened = run("open", "-", "--key", key, given=issued.stdout_bytes)
    assert opened.exit_code == 0, opened.output
    empty = run("open", "-", "--key", key, given=b"")
    assert (empty.exit_code, "-: " in empty.output) == (1, True)


def test_the_options_of_the_tree(trees: Path, tmp_path: Path) -> None:
    """An extension that the issuer puts there only by an option tells whether it was heard."""
    config = tmp_path / "pki.toml"
    text = built_in().read_text(encoding="utf-8")
    config.write_text(text.replace("# [iso2.options]", "[iso20.options]\ncontract_key_id_bytes = 20\n#", 1))
    tree = trees / "iso20"
    for words, size in (((), 8), (("--config", config), 20)):
        body = read(made(tmp_path, tree, *words).read_bytes()).envelope.body
        assert isinstance(body, common.CertificateInstallationRes)
        leaf = read_certificate(body.SignedInstallationData.ContractCertificateChain.Certificate)
        assert len(leaf.key_id or b"") == size
    result = run("issue", "--tree", tmp_path, "--config", config, "-o", tmp_path / "out")
    assert (result.exit_code, f"declares no tree '{tmp_path.name}'" in result.output) == (1, True)


def test_a_pcid_beside_the_leaf_is_what_is_protected(trees: Path, tmp_path: Path) -> None:
    tree = trees / "iso20"
    file = made(tmp_path, tree, "--edition", "iso20", "--leaf", "car1", "--pcid", "PCGPLUGCHARGE0009")
    assert run("open", file, "--key", tree / PLACE / "key.pem").exit_code == 1
    assert run("open", file, "--key", tree / PLACE / "key.pem", "--pcid", "PCGPLUGCHARGE0009").exit_code == 0


def test_the_default_tree_is_that_of_the_edition(trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/out").symlink_to(trees)
    monkeypatch.chdir(tmp_path)
    for words, name in (((), b"iso2"), (("--edition", "iso20"), b"iso20.common")):
        result = run("issue", "--format", "json", *words)
        assert (result.exit_code, json.loads(result.stdout)["schema"].encode()) == (0, name)


def test_requests_are_answered(pristine: Path, trees: Path, tmp_path: Path) -> None:
    vehicle = provisioning.leaf(pristine, "oem-provisioning", "car1")
    asked = provisioning.installation(vehicle)
    file = tmp_path / "request"
    file.write_bytes(provisioning.message(asked, provisioning.signed(asked, vehicle.key)))
    answer = made(tmp_path, pristine, "--request", file)
    assert read(answer.read_bytes()).envelope.session_id == provisioning.SESSION
    assert run("open", answer, "--key", pristine / PLACE / "key.pem").exit_code == 0
    tree = trees / "iso20"
    exi = schema("iso20.common").encode(provisioning_iso20.request(provisioning_iso20.stage(tree).vehicle))
    file.write_text(exi.hex())
    answer = made(tmp_path, tree, "--request", file, "--format", "json")
    assert run("open", answer, "--key", tree / PLACE / "key.pem").exit_code == 0


def test_a_refused_request_is_answered_so(pristine: Path, trees: Path, tmp_path: Path) -> None:
    vehicle = provisioning.leaf(pristine, "oem-provisioning", "car1")
    file, out = tmp_path / "request", tmp_path / "answer"
    file.write_bytes(provisioning.message(provisioning.installation(vehicle)))
    result = run("issue", "--tree", pristine, "--request", file, "-o", out)
    assert result.exit_code == 1
    assert "the request is refused: FAILED_SignatureError: the request is not signed" in result.output
    body = read(out.read_bytes()).envelope.body
    assert isinstance(body, iso2.CertificateInstallationRes)
    assert body.ResponseCode == "FAILED_SignatureError"
    assert run("open", out, "--key", pristine / PLACE / "key.pem").exit_code == 1
    stranger = provisioning_iso20.stage(trees / "iso20-ed448").vehicle
    file.write_bytes(schema("iso20.common").encode(provisioning_iso20.request(stranger)))
    result = run("issue", "--tree", trees / "iso20", "--request", file, "-o", out)
    assert (result.exit_code, "WARNING_CertificateValidationError" in result.output) == (1, True)
    assert isinstance(read(out.read_bytes()).message, common.CertificateInstallationRes)


def test_files_in_place_of_a_tree(pristine: Path, trees: Path, tmp_path: Path) -> None:
    contract, provider = pristine / "leaf/contract/car1", pristine / "leaf/cps/cps1"
    words: list[str | Path] = [
        *("--contract", contract / "chain.pem", contract / "key.pem"),
        *("--provider", provider / "chain.pem", provider / "key.pem"),
        *("--receiver", pristine / PLACE / "cert.pem"),
    ]
    file = made(tmp_path, tmp_path / "nowhere", *words)
    out = tmp_path / "contract.key"
    assert run("open", file, "--key", pristine / PLACE / "key.pem", "--key-out", out).exit_code == 0
    body = read(file.read_bytes()).envelope.body
    assert isinstance(body, iso2.CertificateInstallationRes)
    assert body.ContractSignatureCertChain.Certificate == load_chain(contract / "chain.pem")[0]
    assert out.read_bytes() == (contract / "key.pem").read_bytes()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--leaf", "car9"), "no such oem-provisioning leaf; or give the certificate"),
        (("--pcid", "PCGPLUGCHARGE0009"), "no such oem-provisioning leaf"),
        (("--pcid", "short"), "PCID 'short': expected 17 or 18"),
        (("--emaid", "nonsense"), "EMAID 'nonsense'"),
        (("--kdf", "md5"), "known are concat-015556"),
        (("--aad", "md5"), "known are ski"),
        (("--deviate", "md5"), "there are wrong-kdf"),
        (("--session", "xyz"), "up to 16 hexadecimal digits"),
        (("--request", "/nowhere"), "no such file; name one that holds the message, or - for stdin"),
        (("--aad", "none"), "-2 protects none"),
        (("--padded",), "-2 has no X448 keys"),
        (("--kdf", "concat-015556-sha256"), "-2 has this hash anyway"),
        (("--receiver", "/nowhere"), "no such certificate chain"),
    ],
)
def test_what_cannot_be_issued(pristine: Path, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    result = run("issue", "--tree", pristine, "-o", tmp_path / "out", *words)
    assert result.exit_code != 0
    assert why in result.output
    assert not (tmp_path / "out").exists()


def test_what_the_second_generation_has_not(trees: Path, tmp_path: Path) -> None:
    for words, why in (
        (["--update"], "-20 knows no update"),
        (["--deviate", "other-emaid"], "no eMAID; leave it out"),
        (["--edition", "iso2"], "the contract's key is of iso20, not of iso2"),
    ):
        result = run("issue", "--tree", trees / "iso20", "-o", tmp_path / "out", *words)
        assert (result.exit_code, why in result.output) == (1, True), result.output
    result = run("issue", "--tree", trees / "iso20-ed448", "-o", tmp_path / "out")
    assert (result.exit_code, "`--experimental short`" in result.output) == (1, True)


def test_what_cannot_be_opened(pristine: Path, trees: Path, tmp_path: Path) -> None:
    file, key = made(tmp_path, pristine), pristine / PLACE / "key.pem"
    for words, why in (
        ((tmp_path / "nowhere", "--key", key), "no such file; name one that holds the message, or - for stdin"),
        ((file, "--key", tmp_path / "nowhere"), "no such file; name the receiver's private key"),
        ((file, "--key", file), "no readable private key"),
        ((file, "--key", trees / "iso20-ed448" / PLACE / "key.pem"), "key-x448.pem is one"),
        ((key, "--key", key), "key.pem: 'G' is no hexadecimal digit"),
        ((file, "--key", key, "--trust", pristine / PLACE / "cert.pem"), "is no CA"),
    ):
        result = run("open", *words)
        assert (result.exit_code, why in result.output) == (1, True), result.output
    request = tmp_path / "request"
    request.write_bytes(provisioning.message(iso2.AuthorizationReq()))
    result = run("open", request, "--key", key)
    assert (result.exit_code, "AuthorizationReq delivers no contract" in result.output) == (1, True)
    result = run("issue", "--tree", pristine, "--request", request)
    assert (result.exit_code, "AuthorizationReq is no certificate request" in result.output) == (1, True)


def test_all_names_are_listed() -> None:
    for option in ("--kdf", "--aad", "--deviate"):
        result = run("issue", option, "list")
        assert result.exit_code == 0
        assert "--deviate wrong-recipient: the contract's key is encrypted for another vehicle" in result.output


def test_help_tells_both() -> None:
    result = run("--help")
    assert (result.exit_code, "issue" in result.output, "open" in result.output) == (0, True, True)
    assert Store(Path()).folder == Path()


def test_at_another_time(pristine: Path, tmp_path: Path) -> None:
    file, key = made(tmp_path, pristine), pristine / PLACE / "key.pem"
    result = run("open", file, "--key", key, "--at", "2090-01-01", "--json")
    checks = {each["check"]: each for each in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    assert "expired" in checks["provider"]["detail"]
    assert "expired" in checks["contract-chain"]["detail"]
    assert checks["key"]["holds"]


def test_an_encrypted_key(pristine: Path, tmp_path: Path) -> None:
    file, key = made(tmp_path, pristine), tmp_path / "key.pem"
    plain = load_pem_private_key((pristine / PLACE / "key.pem").read_bytes(), None)
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"12345")))
    trust = ("--trust", pristine / "trust/v2g.pem")
    assert run("open", file, "--key", key, "--password", "12345", *trust).exit_code == 0
    result = run("open", file, "--key", key, *trust)
    assert (result.exit_code, "the key is encrypted; give its password" in result.output) == (1, True)
