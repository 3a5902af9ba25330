"""A relying party of ours asks the addresses that certificates name, and trusts or not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest

from pki.cache import Cache
from pki.certificate import read as certificate_of
from pki.credentials import load_anchors, load_chain
from pki.evidence import Unusable
from pki.fetch import FetchFailed, Reach, inquire
from pki.renewal import bring_up_to_date
from pki.revocation import Mode, Question, Revocation
from pki.serve import listener
from pki.store import Store
from pki.tree import Urls, read
from pki.validate import Policy, validate
from tests.pki.serve.certificates import EVSE
from tests.pki.serve.serving import Served, serving
from v2g.trust import Role, Rule, Verdict

LOCAL = Reach(hosts=frozenset({"127.0.0.1"}))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a tree whose certificates name it."""
    folder = tmp_path_factory.mktemp("relying")
    bound = listener.listen("127.0.0.1", 0)
    base = f"{listener.url(bound)}/iso2"
    tree = msgspec.structs.replace(read()["iso2"], urls=Urls(ocsp=f"{base}/ocsp", crl=f"{base}/crl/{{ca}}.crl"))
    bring_up_to_date(tree, Store(folder / "iso2"))
    with serving(folder, f"sqlite:///{folder / 'state'}", folder, {"iso2": tree}, bound) as served:
        yield served


def judged(served: Served, mode: Mode = Mode.HARD) -> tuple[Verdict, list[Exception]]:
    """What a car says of the station's chain after it asked for each certificate; what it could not get."""
    leaf = served.out / "iso2" / EVSE / "chain.pem"
    ders, anchors = load_chain(leaf), load_anchors(served.out / "iso2" / "trust" / "v2g.pem")
    cache = Cache()
    failed: list[Exception] = []
    for place, (below, above) in enumerate(pairwise([*map(certificate_of, [*ders, *anchors])])):
        try:
            inquire(Question(place, below, above), cache, LOCAL)
        except (FetchFailed, Unusable) as error:
            failed.append(error)
    policy = Policy(revocation=Revocation(mode, cache))
    return validate(ders, Role.SECC, anchors, None, policy), failed


def test_the_chain_holds(served: Served) -> None:
    verdict, failed = judged(served)
    assert verdict, verdict.detail
    assert failed == []


@pytest.mark.parametrize("place", [EVSE, "ca/cpo/sub2", "ca/cpo/sub1"])
def test_who_is_revoked_is_not_trusted(served: Served, place: str) -> None:
    path = f"/admin/revocations/iso2/{served.certificate(place).serial_number}"
    assert served.client.put(path, json={"reason": "keyCompromise"}).status_code == 200
    verdict, _ = judged(served)
    assert verdict.broken is Rule.REVOKED
    assert served.client.delete(path).status_code == 200
    assert judged(served)[0]


@pytest.mark.parametrize("name", ["try-later", "wrong-signer", "no-nonce", "truncated", "http-500"])
def test_without_a_response_the_list_is_taken(served: Served, name: str) -> None:
    served.switch(f"ocsp:{name}")
    verdict, _ = judged(served)
    assert verdict, verdict.detail
    served.switch(f"ocsp:{name}", "crl:expired")
    verdict, failed = judged(served)
    assert verdict.broken is Rule.REVOCATION
    assert len(failed) == 3
    assert judged(served, Mode.SOFT)[0]
