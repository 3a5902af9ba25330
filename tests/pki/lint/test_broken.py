"""The catalogue of `pki break` against the linter: every variant that is refused for itself is told, no good one is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pki.commands import pki
from pki.credentials import load_anchors
from pki.lint.finding import Severity
from pki.lint.linter import Demand, lint
from pki.lint.source import gather
from pki.profiles import Edition

# Nothing in these is wrong by itself: what was revoked, or belongs to another account than the one asked about.
ELSEWHERE = {"revoked", "revocation", ""}


@pytest.fixture(scope="module")
def variants(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    out = tmp_path_factory.mktemp("broken")
    result = CliRunner().invoke(pki, ["break", "--tree", str(pristine), "--out", str(out), "--all"])
    assert result.exit_code == 0, result.output
    return {file.parent.name: (file.parent, json.loads(file.read_text())) for file in sorted(out.glob("*/expect.json"))}


def test_the_linter_agrees_with_the_catalogue(variants: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    assert len(variants) > 300
    unseen, noisy = [], []
    for name, (folder, expected) in variants.items():
        anchors = tuple(load_anchors(folder / "anchors.pem")) if (folder / "anchors.pem").exists() else ()
        private = anchors if "private" in name else ()
        role = expected["role"] if name.endswith("wrong-role") else None
        demand = Demand(edition=Edition.ISO2, role=role, anchors=anchors, private=private)
        bad = {
            one.rule for one in lint(gather(folder / "chain.pem"), demand).findings if one.severity is Severity.ERROR
        }
        if expected["accepted"] and bad:
            noisy.append((name, bad))
        if not expected["accepted"] and not bad and expected["expected"]["rule"] not in ELSEWHERE:
            unseen.append(name)
    assert (unseen, noisy) == ([], [])
