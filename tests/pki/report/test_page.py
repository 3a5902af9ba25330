from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pki.commands import pki
from pki.overview import gather, survey
from pki.profiles import Branch, Edition, Tier, profiles
from pki.report.checkers import checkers, part
from pki.report.markup import element, joined
from pki.shown import shown
from tests.pki.chains import Spec, build, make

VOID = {"meta", "rect", "path", "br", "hr", "circle", "col"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "article", "figure"),
    *("figcaption", "h1", "h2", "h3", "h4", "p", "div", "span", "b", "i", "a", "ul", "li", "dl", "dt", "dd", "code"),
    *("details", "summary", "table", "thead", "tbody", "tr", "th", "td", "time", "svg", "rect", "path", "text"),
}


class Reader(HTMLParser):
    """Reads a page as a browser would: elements, attributes, words, and whether all that was opened was closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert (reader.open, reader.wrong) == ([], [])
    return reader


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


def made(source: Path, out: Path, *more: str | Path) -> str:
    result = run("report", source, "--out", out / "page.html", "--svg", out / "tree.svg", *more)
    assert result.exit_code == 0, result.output
    return (out / "page.html").read_text(encoding="utf-8")


def guarded(page: str) -> Reader:
    """Read a page and demand of it what every page has to be: static, whole, from nowhere else."""
    reader = read(page)
    assert {tag for tag, _ in reader.elements} <= ALLOWED
    for _, attributes in reader.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        if "style" in attributes:
            assert set(attributes["style"] or "") <= set("width:0123456789.%;margn-left:auto")
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = {(attributes["href"] or "")[1:] for _, attributes in reader.elements if "href" in attributes}
    assert links <= set(ids)
    assert "@import" not in page
    assert "url(" not in page
    assert "'unsafe-inline'" in page.replace("&#x27;", "'")
    return reader


def test_everything_is_on_the_page(trees: Path, tmp_path: Path) -> None:
    reader = guarded(made(trees, tmp_path))
    words = " ".join(reader.words)
    bare = words.replace(" ", "")
    for folder in trees.iterdir():
        for place, certificate in gather(folder).items():
            assert place in words
            assert sha256(certificate.der).hexdigest().upper() in bare
            assert f"{certificate.serial:X}" in words
            assert f"{certificate.not_after:%Y-%m-%d %H:%M:%S} UTC" in words
            assert f"{len(certificate.der):,} bytes" in words
    assert "of 800 bytes" in words
    assert "of 1,600 bytes" in words
    assert "digitalSignature, keyAgreement" in words
    assert words.count("Nothing wrong was found.") == 3
    labels = [
        attributes["aria-label"]
        for _, attributes in reader.elements
        if attributes.get("role") == "img" and "aria-label" in attributes
    ]
    assert len(labels) == 2 * sum(len(survey(folder)) for folder in trees.iterdir())


def test_findings_stand_at_their_certificate(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "leaf/secc/evse1/key.pem", folder / "leaf/contract/car1/key.pem")
    later = f"{datetime.now(UTC) + timedelta(days=61):%Y-%m-%d}"
    page = made(folder, tmp_path, "--at", later, "--title", "Report for <the customer>")
    reader = guarded(page)
    words = " ".join(reader.words)
    assert "Report for <the customer>" in words
    assert words.count("the key of DE*PCG*E0001, not of DEPCGC00000001V") == 2  # in the table and on the card
    assert "EXPIRED" in words
    classes = [attributes["class"] for tag, attributes in reader.elements if tag == "article"]
    assert any("bad" in (each or "") for each in classes)
    assert any("with-error" in (each or "") for each in classes)


def test_the_picture_is_a_file_of_its_own(folder: Path, tmp_path: Path) -> None:
    made(folder, tmp_path)
    root = ET.parse(tmp_path / "tree.svg").getroot()
    names = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"V2G Root CA", "DEPCGC00000001V", "contract"} <= names
    assert not list(root.iter("{http://www.w3.org/2000/svg}a"))
    boxes = [each for each in root.iter("{http://www.w3.org/2000/svg}svg") if "x" in each.attrib]
    spots = {(each.attrib["x"], each.attrib["y"]) for each in boxes}
    assert len(spots) == len(boxes) == len(survey(folder))


def test_a_thousand_leaves_do_not_fill_the_page(folder: Path, tmp_path: Path) -> None:
    small = len(made(folder, tmp_path))
    for number in range(1000):
        copy = folder / f"leaf/contract/many{number:03}"
        copy.mkdir()
        for name in ("cert.pem", "key.pem", "chain.pem"):
            shutil.copy(folder / "leaf/contract/car1" / name, copy)
    page = made(folder, tmp_path)
    assert len(page) < 2 * small
    words = " ".join(guarded(page).words)
    assert "991 more contract leaves; --all shows them" in words
    every = made(folder, tmp_path, "--all")
    assert "many999" in every


HOSTILE = [
    "</title></style></svg><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;script&gt;&#60;b>",
    "]]><!-- -->",
    "a\x00b\x0b\x1b[2J",
    "abc\u202egnp.exe\u2066",
    "`plugcharge` `x",
    " ",
    "{{7*7}}${x}%s",
    "漢字" * 10,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_others_stay_words(folder: Path, tmp_path: Path, name: str) -> None:
    root = make(Spec(cn=(name,), dc=("V2G",), usage="CL", ca=True, organization=name))
    (folder / "ca/v2g/evil.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    leaf = make(Spec(cn=(name[:64],), dc=("CPO",), usage="s", ca=False), root)
    (folder / "leaf/secc/evil").mkdir()
    (folder / "leaf/secc/evil/cert.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    variant = folder / "broken" / "evil"
    variant.mkdir(parents=True)
    (variant / "expect.json").write_text(json.dumps({"variant": name, "reason": {name: [name]}, "expected": name}))
    page = made(folder, tmp_path)
    guarded(page)
    assert not [letter for letter in page if not letter.isprintable() and letter != "\n"]
    ET.parse(tmp_path / "tree.svg")


def test_names_of_trees_stay_words(folder: Path, tmp_path: Path) -> None:
    evil = folder.rename(folder.parent / '<b onclick="x">')
    guarded(made(evil, tmp_path))
    ET.parse(tmp_path / "tree.svg")


def test_what_was_made_wrong_is_listed(folder: Path, tmp_path: Path) -> None:
    told = {
        "variant": "CRT_CONTRACT_LEAF_EXPIRED",
        "role": "contract",
        "reason": "The leaf was valid until yesterday",
        "requirement": ["V2G2-824"],
        "expected": {"by": "secc", "message": "PaymentDetailsRes", "code": "FAILED_CertificateExpired", "rule": ""},
    }
    for name, content in (("a", json.dumps(told)), ("b", "{"), ("c", "[1]"), ("d", "{}")):
        (folder / "broken" / name).mkdir(parents=True)
        (folder / "broken" / name / "expect.json").write_text(content)
    words = guarded(made(folder, tmp_path)).words
    assert {"CRT_CONTRACT_LEAF_EXPIRED", "V2G2-824", "SECC: FAILED_CertificateExpired, PaymentDetailsRes", "d"} <= set(
        words
    )
    assert sum("expect.json" in word for word in words) == 2


def test_the_catalogue_is_listed_as_it_is_made(folder: Path, tmp_path: Path) -> None:
    names = ("secc-leaf-expired", "secc-leaf-valid", "cps-leaf-wrong-dc")
    assert run("break", *names, "--tree", folder).exit_code == 0
    words = guarded(made(folder, tmp_path)).words
    assert "EVCC: certificate_expired, TLS handshake" in words
    assert "EVCC: refused, profile, CertificateInstallationRes" in words
    assert sum(word.startswith("EVCC: accepted") for word in words) == 1


def test_the_catalogue_is_closed_so_that_it_fills_no_printed_pages(folder: Path, tmp_path: Path) -> None:
    assert run("break", "secc-leaf-expired", "secc-leaf-valid", "cps-leaf-wrong-dc", "--tree", folder).exit_code == 0
    reader = guarded(made(folder, tmp_path))
    assert [attributes for tag, attributes in reader.elements if tag == "details"] == [{}]
    assert "3 chains: 1 cps, 2 secc" in reader.words
    names = [tag for tag, _ in reader.elements]
    assert names.index("details") < names.index("summary") < len(names) - names[::-1].index("table")


def test_unusual_extensions_are_told(folder: Path, tmp_path: Path) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("evse.example"), x509.DirectoryName(x509.Name([]))])
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    leaf = build(leaf={"extensions": ((names, False), (odd, True))}).leaf
    (folder / "leaf/secc/evse1/cert.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    words = " ".join(guarded(made(folder, tmp_path)).words)
    assert "evse.example" in words
    assert "Extension 1.2.3.4" in words


def test_there_has_to_be_a_tree(tmp_path: Path) -> None:
    result = run("report", tmp_path, "--out", tmp_path / "page.html")
    assert result.exit_code == 1
    assert "holds no tree" in result.output
    assert not (tmp_path / "page.html").exists()


def test_every_profile_has_somebody_who_checks_it() -> None:
    rows = [row for edition in Edition for row in profiles(edition).values()]
    assert {row.branch for row in rows} == set(Branch)
    for row in rows:
        assert part(row.tier)
        assert list(checkers(row.branch, row.tier))
    assert {tier for tier in Tier if part(tier)} == set(Tier)
    assert [each.who for each in checkers(Branch.CPO, Tier.LEAF)] == ["EVCC"]
    assert [each.who for each in checkers(Branch.VEHICLE, Tier.LEAF)] == ["SECC"]


@given(st.text(), st.text())
def test_text_is_always_escaped(value: str, attribute: str) -> None:
    reader = read(element("p", {"class": attribute}, "x", value))
    assert [tag for tag, _ in reader.elements] == ["p"]
    assert "".join(reader.words) == "x" + shown(value, 400)
    assert reader.elements[0][1]["class"] == shown(attribute, 400)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_joined_markup_is_not_escaped_twice(values: list[str]) -> None:
    parts = [element("i", None, value) for value in values]
    assert element("p", None, joined(*parts)) == f"<p>{chr(10).join(parts)}</p>"
