from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.profiles import Edition, Tier
from pki.tree import read
from v2g.identifiers import check_character, pcid
from v2g.trust import Role

HEAD = 'organization = "O"\ncountry = "DE"\n'
ROOT = '[[t.root]]\nkind = "v2g"\ncn = "Root"\n'
BRANCH = '[[t.branch]]\nname = "cpo"\nunder = "v2g"\n'
LEAF = '[[t.leaf]]\nrole = "secc"\nid = "a"\ncn = "DE*ABC*E1"\n'
GOOD = f"[t]\n{HEAD}{ROOT}{BRANCH}{LEAF}"
MO = '[[t.root]]\nkind = "mo"\ncn = "MO"\n[[t.branch]]\nname = "mo"\nunder = "mo"\n'
SECOND = '[[t.root]]\nkind = "v2g"\nname = "second"\ncn = "Root"\n'
MANY = '[[t.leaf]]\nrole = "contract"\nid = "c{n:03}"\nemaid = "DEPCGC{n:08}{check}"\ncount = 12\n'
TREES = ("iso2", "iso20", "iso20-ed448")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pki.toml"


def test_the_default_declaration_is_part_of_the_package() -> None:
    source = resources.files("pki") / "default.toml"
    assert source.is_file()
    assert {name: tree.edition for name, tree in read().items()} == {
        "iso2": Edition.ISO2,
        "iso20": Edition.ISO20,
        "iso20-ed448": Edition.ISO20_ED448,
    }


@pytest.mark.parametrize("name", TREES)
def test_the_default_identifiers_are_right(name: str) -> None:
    names = {entry.profile.role: entry.common_name for entry in read()[name].entries()}
    contract = names[Role.CONTRACT]
    assert len(contract) == 15
    assert contract[14] == check_character(contract[:14])
    assert pcid(names[Role.OEM_PROVISIONING]) == names[Role.OEM_PROVISIONING]
    if name != "iso2":
        assert 39 <= len(names[Role.SECC]) <= 64


@pytest.mark.parametrize("name", TREES)
def test_issuers_come_before_what_they_issue(name: str) -> None:
    seen: set[str] = set()
    for entry in read()[name].entries():
        assert entry.issuer is None or entry.issuer.place in seen
        seen.add(entry.place)


@pytest.mark.parametrize("name", TREES)
def test_each_ca_has_its_ocsp_signer(name: str) -> None:
    entries = read()[name].entries()
    signers = [entry for entry in entries if entry.profile.tier is Tier.OCSP]
    assert {entry.issuer for entry in signers} == {entry for entry in entries if entry.profile.ca}
    assert len(signers) == len({entry.place for entry in signers})


def test_one_sub_ca_is_a_sub2(file: Path) -> None:
    file.write_text(GOOD.replace('under = "v2g"', 'under = "v2g"\nsubs = 1'))
    places = [entry.place for entry in read(file)["t"].entries()]
    assert places == ["ca/v2g/root", "ca/cpo/sub2", "leaf/secc/a"]


def test_declared_days_replace_those_of_the_profile(file: Path) -> None:
    text = GOOD.replace('under = "v2g"', 'under = "v2g"\nsub2_days = 7').replace(
        'kind = "v2g"', 'kind = "v2g"\ndays = 9'
    )
    file.write_text(text)
    days = {entry.place: entry.days for entry in read(file)["t"].entries()}
    assert days == {"ca/v2g/root": 9, "ca/cpo/sub1": 1460, "ca/cpo/sub2": 7, "leaf/secc/a": 60}


def test_many_leaves_are_numbered_and_checked(file: Path) -> None:
    file.write_text(GOOD + MO + MANY)
    many = [entry for entry in read(file)["t"].entries() if entry.many]
    assert [entry.place for entry in many[::11]] == ["leaf/contract/c001", "leaf/contract/c012"]
    assert all(entry.common_name[14] == check_character(entry.common_name[:14]) for entry in many)
    assert len({entry.common_name for entry in many}) == 12


def test_leaves_choose_their_branch_by_label(file: Path) -> None:
    north = BRANCH.replace('under = "v2g"', 'under = "v2g/second"\nlabel = "north"')
    file.write_text(f'{GOOD}below = "north"\n{SECOND}{north}')
    leaf = next(entry for entry in read(file)["t"].entries() if not entry.profile.ca)
    assert leaf.issuer is not None
    assert (leaf.issuer.place, leaf.issuer.issuer and leaf.issuer.issuer.place) == (
        "ca/cpo/north-sub2",
        "ca/cpo/north-sub1",
    )


def test_a_private_root_signs_the_leaf_itself(file: Path) -> None:
    private = '[[t.root]]\nkind = "private"\ncn = "Yard"\n'
    file.write_text(f'{GOOD}below = "private"\n{private}')
    leaf = next(entry for entry in read(file)["t"].entries() if not entry.profile.ca)
    assert leaf.issuer is not None
    assert leaf.issuer.place == "ca/private/root"


def test_a_cross_certificate_is_for_another_roots_name(file: Path) -> None:
    cross = '[[t.cross]]\nroot = "v2g"\nby = "v2g/second"\n'
    text = GOOD.replace(HEAD, f'edition = "iso20"\n{HEAD}').replace("DE*ABC*E1", "S" * 40)
    file.write_text(text + SECOND.replace('"Root"', '"Other"') + cross)
    found = next(entry for entry in read(file)["t"].entries() if entry.profile.tier is Tier.CROSS)
    assert (found.place, found.common_name) == ("ca/v2g/root-by-second", "Root")
    assert found.issuer is not None
    assert found.issuer.common_name == "Other"


WRONG = {
    "no TOML": ("[t]\n= 1", r"pki\.toml: not TOML: .*line 2"),
    "not UTF-8": ("[t]\n# \udcff", r"pki\.toml: byte 6 is not UTF-8; save"),
    "empty": ("", r"pki\.toml: declares no tree; `plugcharge pki init --print-config` shows every key"),
    "no table": ("t = 1", r"pki\.toml: t: Expected `object`, got `int`"),
    "no root": (f"[t]\n{HEAD}", r"pki\.toml: t: .*missing required field `root`"),
    "no country": ('[t]\norganization = "O"\n' + ROOT, r"pki\.toml: t: .*`country`"),
    "country in words": (GOOD.replace('"DE"', '"Germany"'), r"\.toml: t\.country: 'Germany' is no .* two capital"),
    "country in small letters": (GOOD.replace('"DE"', '"de"'), r"t\.country: 'de' is no country code"),
    "unknown key": (GOOD.replace('cn = "Root"', 'cn = "Root"\ncolour = "red"'), r"t\.root\[0\]: .*`colour`"),
    "unknown role": (GOOD.replace('"secc"', '"mayor"'), r"\[0\]\.role: .* 'mayor', not one of secc, .*cps"),
    "unknown edition": (GOOD.replace(HEAD, f'edition = "iso99"\n{HEAD}'), r"t\.edition: .*, not one of iso2, iso20, "),
    "no days": (GOOD.replace('kind = "v2g"', 'kind = "v2g"\ndays = 0'), r"t\.root\[0\]\.days: "),
    "too many days": (GOOD.replace('kind = "v2g"', 'kind = "v2g"\ndays = 99999999'), r"t\.root\[0\]\.days: "),
    "three subs": (GOOD.replace('under = "v2g"', 'under = "v2g"\nsubs = 3'), r"\[0\]\.subs: .*, not one of 1, 2; "),
    "unknown root": (GOOD.replace('kind = "v2g"', 'kind = "eu"'), r"root\[0\]\.kind: .*, not one of .*v2g"),
    "unknown branch": (GOOD.replace('name = "cpo"', 'name = "x"'), r"branch\[0\]\.name: .*, not one of .*cpo"),
    "root missing": (GOOD.replace('under = "v2g"', 'under = "mo"'), r"t\.branch\[0\]\.under: no root of kind 'mo'"),
    "wrong root": (
        GOOD.replace('under = "v2g"', 'under = "mo"').replace('kind = "v2g"', 'kind = "mo"'),
        r"t\.branch\[0\]\.under: a cpo branch hangs under v2g-root",
    ),
    "branch missing": (GOOD.replace(BRANCH, ""), r"t\.leaf\[0\]\.role: a secc needs a branch 'cpo'"),
    "no EMAID": (GOOD.replace('"secc"', '"contract"') + MO, r"t\.leaf\[0\]\.cn: 'DE\*ABC\*E1' is not an EMAID"),
    "CN too long": (GOOD.replace('"Root"', f'"{"R" * 65}"'), r"t\.root\[0\]\.cn: "),
    "CN of too many bytes": (GOOD.replace('"Root"', f'"{"Ü" * 33}"'), r"t\.root\[0\]\.cn: .* 1 to 64 bytes"),
    "CN with a line break": (GOOD.replace('"Root"', '"a\\nb"'), r"t\.root\[0\]\.cn: "),
    "id leaves the folder": (GOOD.replace('id = "a"', 'id = "../a"'), r"t\.name or id '\.\./a': use letters"),
    "hidden id": (GOOD.replace('id = "a"', 'id = ".a"'), r"'\.a': use letters"),
    "tree leaves the folder": (GOOD.replace("[t", '["../t"', 1).replace("[[t.", '[["../t".'), r"tree name '\.\./t'"),
    "vehicle in -2": (GOOD.replace('"secc"', '"vehicle"'), r"leaf\[0\]\.role: there is no .*'vehicle' in iso2; known"),
    "two names": (GOOD.replace('cn = "DE', 'seccid = "x"\ncn = "DE'), r"leaf\[0\]: give one of cn, seccid"),
    "no name": (GOOD.replace('cn = "DE*ABC*E1"\n', ""), r"leaf\[0\]: give one of cn, seccid"),
    "another one's name": (GOOD.replace('cn = "DE', 'emaid = "DE'), r"leaf\[0\]\.emaid: a secc has none; use cn or"),
    "count without number": (f"{GOOD}count = 2\n", r"leaf\[0\]\.id: 'a' would be the same for all; write \{n\}"),
    "no check character": (
        GOOD + MO + MANY.replace("{n:08}", "{n:03}"),
        r"leaf\[1\]\.emaid: \{check\} follows the 14 characters of an EMAID",
    ),
    "cross by itself": (f'{GOOD}[[t.cross]]\nroot = "v2g"\nby = "v2g"\n', r"cross\[0\]\.root: .*'v2g-cross' in iso2"),
    "cross by an MO": (
        GOOD.replace(HEAD, f'edition = "iso20"\n{HEAD}') + MO + '[[t.cross]]\nroot = "v2g"\nby = "mo"\n',
        r"cross\[0\]\.by: another V2G root certifies a root",
    ),
    "no such label": (f'{GOOD}below = "north"\n', r"leaf\[0\]\.below: no branch 'cpo' with the label 'north'"),
    "no private root": (f'{GOOD}below = "private"\n', r"leaf\[0\]\.below: a private operator's root signs SECC"),
    "names too long": (
        GOOD.replace(HEAD, f'{HEAD}organization = "{"O" * 60}"\n'.replace('organization = "O"\n', "")).replace(
            '"DE*ABC*E1"', f'"{"C" * 64}"'
        ),
        r"leaf\[0\]\.cn: CN and O of subject and issuer have 196 bytes, more than 190; shorten the CN, 'CCCC",
    ),
    "https": (GOOD.replace(HEAD, f'{HEAD}urls.ocsp = "https://x/"\n'), r"t\.urls\.ocsp: 'https://x/' is no .* http://"),
    "a URL too long": (GOOD.replace(HEAD, f'{HEAD}urls.crl = "http://{"x" * 249}"\n'), r"t\.urls\.crl: .* 255 bytes"),
    "unknown placeholder": (GOOD.replace(HEAD, f'{HEAD}urls.crl = "http://x/{{caa}}"\n'), r"t\.urls\.crl: '{caa}' "),
    "half a placeholder": (GOOD.replace(HEAD, f'{HEAD}urls.crl = "http://x/{{ca"\n'), r"t\.urls\.crl: '{' stands"),
    "unknown variant": (
        GOOD.replace(HEAD, f'{HEAD}variants = ["secc-leaf-expired", "secc-leaf-expire"]\n'),
        r"t\.variants\[1\]: no variant of iso2 is named 'secc-leaf-expire'; near: secc-leaf-expired",
    ),
    "no EVCCID": (
        f'[t]\nedition = "iso20"\n{HEAD}{ROOT}{BRANCH.replace("cpo", "vehicle")}{LEAF}'.replace('"secc"', '"vehicle"')
        .replace('cn = "DE*ABC*E1"', 'evccid = "x"'),
        r"t\.leaf\[0\]\.evccid: 'x' is not an EVCCID of 17 to 64 letters and digits",
    ),
    "unknown option": (GOOD.replace(HEAD, f"{HEAD}options.colour = 1\n"), r"t\.options: .*`colour`"),
    "unknown layout": (GOOD.replace(HEAD, f'{HEAD}export = ["x"]\n'), r"t\.export\[0\]: .*, not one of everest"),
    "twice": (GOOD + LEAF, r"t\.leaf/secc/a is declared 2 times"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_declaration_is_named(file: Path, text: str, message: str) -> None:
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=message) as caught:
        read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(ValueError, match="no such file; leave --config out"):
        read(file)


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.sampled_from(list(' \n"[]=.{}#0az-'))), max_size=4))
def test_a_garbled_declaration_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, str]]
) -> None:
    text = GOOD
    for place, letter in edits:
        text = text[:place] + letter + text[place + 1 :]
    file = tmp_path_factory.getbasetemp() / "garbled.toml"
    file.write_text(text)
    try:
        read(file)
    except ValueError as error:
        named = str(error)
        assert str(file) in named
