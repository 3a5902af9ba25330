from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.cli.place import located, together

HERE = Path("certs/out/iso2")
NAMED = {
    "leaf/contract/car1": (HERE, "leaf/contract/car1"),
    "leaf/contract/car1/cert.pem": (HERE, "leaf/contract/car1"),
    "ca/mo/sub2": (HERE, "ca/mo/sub2"),
    "ca/mo/sub2.pem": (HERE, "ca/mo/sub2"),
    "x/ca/mo/sub2.der": (Path("x"), "ca/mo/sub2"),
    "/a/b/ca/v2g/private/root.key": (Path("/a/b"), "ca/v2g/root"),
    "certs/out/x/leaf/secc/evse1": (Path("certs/out/x"), "leaf/secc/evse1"),
    "certs/out/x/leaf/secc/evse1/": (Path("certs/out/x"), "leaf/secc/evse1"),
    "leaf/ca/leaf/secc/evse1/chain.pem": (Path("leaf/ca"), "leaf/secc/evse1"),
    "x/leaf/secc": (HERE, "x/leaf/secc"),
    "evse1": (HERE, "evse1"),
}


@pytest.mark.parametrize(("text", "found"), NAMED.items())
def test_a_place_is_named_by_itself_or_by_a_path(text: str, found: tuple[Path, str]) -> None:
    assert located(text, None, HERE) == found


def test_a_path_and_a_tree_agree_or_are_refused(tmp_path: Path) -> None:
    text = str(tmp_path / "one/ca/mo/sub2")
    assert located(text, tmp_path / "other/../one", HERE) == (tmp_path / "one", "ca/mo/sub2")
    with pytest.raises(ValueError, match=r"does not lie in .*other; leave --tree out"):
        located(text, tmp_path / "other", HERE)


def test_several_are_of_one_tree() -> None:
    assert together((), None, HERE) == (HERE, ())
    assert together(("ca/mo/sub1", "ca/mo/sub2.pem"), None, HERE) == (HERE, ("ca/mo/sub1", "ca/mo/sub2"))
    with pytest.raises(ValueError, match="a and b: are two trees"):
        together(("a/ca/mo/sub1", "b/ca/mo/sub1"), None, HERE)


@given(st.lists(st.sampled_from(["ca", "leaf", "private", "mo", "..", "", "x.pem", ".pem"]), max_size=8).map("/".join))
def test_any_text_names_something(text: str) -> None:
    folder, place = located(text, None, HERE)
    assert folder == HERE or place.split("/")[0] in ("ca", "leaf")
