from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki.ancestry import TRIED, descent, issuer_among, issuers
from pki.certificate import Certificate, read, signed_by
from tests.pki.chains import GOOD, Key, Made, Spec, build, make, p256


def found(**made: Made) -> dict[str, Certificate]:
    return {name: read(each.der) for name, each in made.items()}


def crossed(subject: Made, issuer: Made) -> Made:
    """Certify name and key of a root once more, by another root."""
    spec = replace(GOOD["secc"]["root"], cn=names(subject), key=lambda: subject.key)
    return make(spec, issuer)


def names(made: Made) -> tuple[str, ...]:
    return tuple(str(each.value) for each in made.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME))


def root(cn: str, key: Key | None = None) -> Made:
    return make(replace(GOOD["secc"]["root"], cn=(cn,), key=(lambda: key) if key else p256))


@pytest.mark.parametrize("order", list(permutations(["root", "sub1", "sub2", "leaf"])))
def test_a_path_is_found_in_any_order(order: tuple[str, ...]) -> None:
    path = build()
    above = issuers(found(**{tier: getattr(path, tier) for tier in order}))
    assert above == {"root": None, "sub1": "root", "sub2": "sub1", "leaf": "sub2"}
    assert dict(descent(above)) == {"root": 0, "sub1": 1, "sub2": 2, "leaf": 3}


def test_a_twin_root_is_told_by_its_signature() -> None:
    one, other = root("Root"), root("Root")
    sub = make(GOOD["secc"]["sub1"], other)
    assert issuers(found(one=one, other=other, sub=sub))["sub"] == "other"


def test_a_root_goes_before_the_cross_certificate_of_its_key() -> None:
    old, new = root("Old"), root("New")
    cross = crossed(new, old)
    sub = make(GOOD["secc"]["sub1"], new)
    assert issuers(found(cross=cross, sub=sub, new=new, old=old)) == {
        "cross": "old",
        "sub": "new",
        "new": None,
        "old": None,
    }
    assert issuers(found(cross=cross, sub=sub, old=old))["sub"] == "cross"


def test_roots_that_cross_certify_each_other_are_no_loop() -> None:
    old, new = root("Old"), root("New")
    there, back = crossed(new, old), crossed(old, new)
    sub = make(GOOD["secc"]["sub1"], new)
    above = issuers(found(there=there, back=back, sub=sub))
    assert above == {"there": None, "back": "there", "sub": "there"}
    assert sorted(name for name, _ in descent(above)) == ["back", "sub", "there"]
    whole = issuers(found(there=there, back=back, old=old, new=new))
    assert whole == {"there": "old", "back": "new", "old": None, "new": None}


def test_a_path_of_two_thousand_is_no_stack_overflow() -> None:
    above: dict[int, int | None] = {number: number - 1 if number else None for number in range(2000)}
    assert list(descent(above)) == [(number, number) for number in range(2000)]


def test_only_candidates_are_put_to_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise ten thousand leaves take a hundred million signature checks."""
    path = build()
    leaves = {f"leaf{number}": make(GOOD["secc"]["leaf"], path.sub2) for number in range(50)}
    checks = 0

    def counted(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        nonlocal checks
        checks += 1
        return signed_by(certificate, issuer)

    monkeypatch.setattr("pki.ancestry.signed_by", counted)
    above = issuers(found(root=path.root, sub1=path.sub1, sub2=path.sub2, **leaves))
    assert {above[name] for name in leaves} == {"sub2"}
    assert checks == len(above)


def test_a_forged_issuer_is_none() -> None:
    path = build()
    liar = make(replace(GOOD["secc"]["sub2"], digest=hashes.SHA256()))
    assert issuers(found(liar=liar, leaf=path.leaf))["leaf"] is None


def test_a_leaf_that_signed_is_shown_as_the_issuer_it_is() -> None:
    path = build()
    wrong = make(Spec(cn=("X",), dc=("CPO",), usage="s", ca=False), path.leaf)
    assert issuers(found(leaf=path.leaf, wrong=wrong))["wrong"] == "leaf"


def test_a_crowd_of_one_name_is_not_tried_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with each would take hours for the thousands that fit into one file."""
    spec, key = replace(GOOD["secc"]["root"], cn=("Crowd",)), p256()
    crowd = [make(replace(spec, key=lambda: key), make(spec)) for _ in range(60)]
    checks = 0

    def counted(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        nonlocal checks
        checks += 1
        return signed_by(certificate, issuer)

    monkeypatch.setattr("pki.ancestry.signed_by", counted)
    above = issuers(found(**{f"one{number}": each for number, each in enumerate(crowd)}))
    assert set(above.values()) == {None}
    assert checks <= 60 * (TRIED + 1) < 60 * 59


def test_one_certificates_issuer_is_the_root_and_not_its_cross_certificate() -> None:
    old, new = root("Old"), root("New")
    cross = crossed(new, old)
    sub = read(make(GOOD["secc"]["sub1"], new).der)
    assert issuer_among(sub, found(cross=cross, new=new, old=old)) == "new"
    assert issuer_among(sub, found(cross=cross, old=old)) == "cross"
    assert issuer_among(sub, found(old=old)) is None
