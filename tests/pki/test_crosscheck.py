"""Our verdicts against OpenSSL's, `cryptography`'s and pyhanko-certvalidator's, on chains of every edition.

What we accept they accept, so that whatever they refuse we refuse: but for what is listed here, each with its test.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.endurance import count
from tests.pki.chains import EDITIONS, NOW
from tests.pki.judges import JUDGES, openssl_command
from tests.pki.random_chains import POINTS, Case, Kind, case, random_case
from v2g.trust import Role, Verdict

SEED = 15118
BATCH = 100
BY_NAME = {point.name: point for point in POINTS}

# What V2G allows and one of the judges does not, by the words it refuses with.
EXCEPTIONS = {
    "openssl": {
        **{f"{tier} with a critical {what}": "34: unhandled critical extension"
           for tier in ("leaf", "sub2", "sub1", "root") for what in ("AKI", "SKI", "AIA", "SIA")},
        # [V2G2-878]: it takes the first of that name, where no key identifier tells them apart.
        "an anchor of the same name more": "7: certificate signature failure",
    },
    "cryptography": {
        f"{tier} with a critical {what}": "unaccounted-for critical extensions"
        for tier in ("leaf", "sub2", "sub1", "root") for what in ("CRL", "SIA")
    },
    "certvalidator": {
        **{f"{tier} with a critical SIA": "unsupported critical extension" for tier in ("leaf", "sub2", "sub1")},
    },
}  # fmt: skip
EXCEPTIONS = {
    judge: {name: why for name, why in found.items() if name in BY_NAME} for judge, found in EXCEPTIONS.items()
}
# What breaks a path, and one of the judges does not mind.
LAX = {
    "openssl": {"root without basic constraints"},
    # It looks at no key usage with a policy of one's own.
    "cryptography": {f"{tier} may not issue" for tier in ("sub2", "sub1", "root")},
    # An anchor is a name and a key to it, whatever else its certificate says.
    "certvalidator": {
        name for name in BY_NAME
        if name.startswith(("root", "path length of root")) and BY_NAME[name].kind is Kind.PATH
    },
}  # fmt: skip
# A CPO's Sub1 without a path length is what a cross certificate of a V2G root looks like.
LIKE_A_CROSS = {("iso20", "secc", "sub1 without path length"), ("iso20-ed448", "secc", "sub1 without path length")}


def ours(found: Case) -> Verdict:
    question, policy = found.question, Policy(editions=(Edition(found.edition),))
    return validate(question.chain, Role(found.role), question.anchors, question.at, policy)


def excepted(judge: str, found: Case) -> bool:
    return any(point.name in EXCEPTIONS[judge] for point in found.points)


def check(found: Case) -> int:
    """Compare our verdict with what is known of the case and with all judges; return how many of them agreed."""
    verdict = ours(found)
    kinds = {point.kind for point in found.points}
    like_a_cross = any((found.edition, found.role, point.name) in LIKE_A_CROSS for point in found.points)
    if not like_a_cross:
        assert bool(verdict) is (kinds <= {Kind.HARMLESS}), (found.names, verdict)
    agreed = 0
    for name, judge in JUDGES.items():
        refused = judge(found.question)
        if refused is None:
            assert found.edition == "iso20-ed448"
            continue
        if verdict and not excepted(name, found):
            assert not refused, (found.names, name, refused)
        if kinds == {Kind.PATH} and not any(point.name in LAX[name] for point in found.points):
            assert refused, (found.names, name)
        agreed += bool(verdict) is (refused == "")
    return agreed


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_point_alone(edition: str) -> None:
    """Each in one role, another one each time; in all of them for the large count."""
    roles = list(EDITIONS[edition])
    for number, point in enumerate(POINTS):
        if edition in point.editions:
            some = [role for role in roles if role in point.roles]
            for role in some[number % len(some) :][: count(1, len(some))]:
                check(case(role, edition, (point,)))


def test_random_chains() -> None:
    source = random.Random(SEED)
    cases = [random_case(source, number) for number in range(count(300, 10_000))]
    agreed = sum(check(found) for found in cases)
    good = sum(bool(ours(found)) for found in cases)
    assert len(cases) / 5 < good < len(cases) / 2
    assert agreed > 1.8 * len(cases)  # of three judges, one of whom knows no Ed448


def test_the_openssl_command(tmp_path: Path) -> None:
    """The command, of another version than the library."""
    source = random.Random(SEED + 1)
    for _ in range(count(2, 50)):
        cases = [random_case(source, number) for number in range(BATCH)]
        cases = [found for found in cases if found.question.at == NOW and _apart(found)]
        said = openssl_command(tmp_path, [found.question for found in cases])
        for found, accepted in zip(cases, said, strict=True):
            if ours(found) and not excepted("openssl", found):
                assert accepted, found.names
            kinds = {point.kind for point in found.points}
            if kinds == {Kind.PATH} and not any(point.name in LAX["openssl"] for point in found.points):
                assert not accepted, found.names


def _apart(found: Case) -> bool:
    """Tell whether a chain shares no certificate with others: all are thrown together."""
    return not any("foreign" in point.name or "no anchor" in point.name for point in found.points)


@pytest.mark.parametrize(("judge", "name"), [(judge, name) for judge, found in EXCEPTIONS.items() for name in found])
@pytest.mark.parametrize("edition", ["iso2", "iso20"])
def test_what_v2g_allows_and_others_do_not(judge: str, name: str, edition: str) -> None:
    found = case("secc", edition, (BY_NAME[name],))
    refused = JUDGES[judge](found.question)
    assert refused is not None
    assert EXCEPTIONS[judge][name] in refused
    assert ours(found)


@pytest.mark.parametrize(("judge", "name"), [(judge, name) for judge, found in LAX.items() for name in sorted(found)])
def test_what_others_allow_and_v2g_does_not(judge: str, name: str) -> None:
    found = case("secc", "iso2", (BY_NAME[name],))
    assert JUDGES[judge](found.question) == ""
    assert not ours(found)


@pytest.mark.parametrize(("edition", "role", "name"), sorted(LIKE_A_CROSS))
def test_what_looks_like_a_cross_certificate(edition: str, role: str, name: str) -> None:
    assert ours(case(role, edition, (BY_NAME[name],)))
