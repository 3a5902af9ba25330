"""Stations of private operators, whose roots sign them directly: the tree is declared, both sides are ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evcc import config
from evcc.connection import Connection
from pki import credentials, crl
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from secc import identities
from secc.config import TlsIdentity, TlsSettings
from secc.staples import subjects
from tests.evcc.test_staples import Station, reaches, refuses, station
from tests.pki.chains import Made
from tests.pki.signers import signs
from tests.pki.site import Site, serving
from v2g.journal import Journal
from v2g.timing import Timing
from v2g.tls.context import Identity

TREE = """
[home]
edition = "iso2"
organization = "Garage"
country = "DE"
urls = { ocsp = "http://127.0.0.1:1/ocsp" }
[[home.root]]
kind = "private"
cn = "Garage Root"
[[home.root]]
kind = "v2g"
cn = "V2G Root CA"
[[home.leaf]]
role = "secc"
id = "evse1"
cn = "DE*PCG*E0001"
below = "private"
"""
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A private operator's tree, and a V2G root beside it that has nothing to do with it; not to be changed."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "pki.toml").write_text(TREE, encoding="utf-8")
    store = Store(folder / "home")
    bring_up_to_date(read(folder / "pki.toml")["home"], store)
    return store


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def shown(home: Store, *, root: bool = True) -> Identity:
    """The station's identity as its configuration names it; with its root it is a chain of two."""
    leaf = home.folder / "leaf" / "secc" / "evse1"
    settings = TlsIdentity(
        chain=str(leaf / "chain.pem"),
        key=str(leaf / "key.pem"),
        root=str(home.folder / "trust" / "private.pem") if root else None,
    )
    (identity,) = identities.load(TlsSettings(identity=[settings]))
    return identity


def car(home: Store, met: Station, *kinds: str, trust: dict[str, Any] | None = None, **tls: Any) -> Connection:
    """A vehicle with anchors of the kinds `roots` and `private`."""
    files = {"roots": str(home.folder / "trust" / "v2g.pem"), "private": str(home.folder / "trust" / "private.pem")}
    said = {
        "network": {"connect": f"[::1]:{met.port}"},
        "tls": {kind: [files[kind]] for kind in kinds} | tls,
        "trust": trust or {},
    }
    return Connection(msgspec.convert(said, config.EvccConfig), Journal("car"), Timing())


@pytest.mark.parametrize("root", [True, False])
async def test_who_was_told_of_the_private_root_trusts_its_station(home: Store, *, root: bool) -> None:
    """[V2G2-868] [V2G2-872] [V2G2-927]; the root goes with the leaf where the station knows it."""
    identity = shown(home, root=root)
    (anchor,) = credentials.load_anchors(home.folder / "trust" / "private.pem")
    assert (identity.private, identity.chain[1:]) == ((True, (anchor,)) if root else (False, ()))
    async with station(identity) as met:
        for kinds in (["private"], ["roots", "private"]):
            connection = car(home, met, *kinds)
            met.heard.clear()
            assert await reaches(connection, met) == "none"
            assert len(connection.station) == 1 + root


@pytest.mark.parametrize("root", [True, False])
async def test_who_was_not_told_refuses_it(home: Store, *, root: bool) -> None:
    async with station(shown(home, root=root)) as met:
        error = await refuses(car(home, met, "roots"), met, sent=1 + root)
        assert error.rule == ("secc certificate, anchor" if root else "secc certificate, depth")


async def test_a_private_root_among_v2g_roots_signs_no_station(home: Store) -> None:
    """[V2G2-867]"""
    async with station(shown(home)) as met:
        connection = car(home, met, roots=[str(home.folder / "trust" / "private.pem")])
        assert (await refuses(connection, met, sent=2)).rule == "secc certificate, anchor"


async def test_the_station_is_told_of_private_roots_like_of_others(
    home: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """By its hash in trusted_ca_keys [V2G2-651]: the station says in its log when it knows none of those named."""
    caplog.set_level(logging.INFO, "v2g.tls.server")
    async with station(shown(home)) as met:
        await reaches(car(home, met, "private"), met)
        assert not [record for record in caplog.records if record.name == "v2g.tls.server"]
        met.heard.clear()
        met.ended.clear()
        await refuses(car(home, met, "roots"), met, sent=2)
        assert [record for record in caplog.records if "none of the 1 roots" in record.message]


@pytest.mark.parametrize("checked", ["leaf", "chain"])
@pytest.mark.parametrize("policy", ["require", "if-present", "fetch", "off"])
async def test_nobody_is_asked_how_it_stands(home: Store, site: Site, policy: str, checked: str) -> None:
    """There is no responder in a private environment [V2G2-872], whatever else the vehicle demands."""
    trust = {"revocation": "hard", "checked": checked, "fetch": ["*"]}
    async with station(shown(home)) as met:
        assert await reaches(car(home, met, "private", trust=trust, staple=policy), met) == (
            "" if policy == "off" else "none"
        )
    assert site.asked == []


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_a_revocation_that_is_known_counts_all_the_same(home: Store, tmp_path: Path, mode: str) -> None:
    root, leaf = (home.load(place) for place in ("ca/private/root", "leaf/secc/evse1"))
    now = datetime.now(UTC)
    said = [crl.Listed(serial=leaf.certificate.serial_number, at=now - DAY)]
    signer = signs(Made(root.certificate, root.key))
    file = tmp_path / "home.crl"
    file.write_bytes(crl.build(signer, said, number=1, this_update=now - DAY, next_update=now + DAY))
    async with station(shown(home)) as met:
        connection = car(home, met, "private", trust={"revocation": mode, "crls": [str(file)]})
        assert (await refuses(connection, met, sent=2)).rule == "secc certificate, revoked"


async def test_public_stations_are_excused_from_nothing(home: Store, tmp_path: Path, certificates: Path) -> None:
    """With a private root at hand, a station below a V2G root still needs what the policy demands."""
    leaf, trust = certificates / "leaf" / "secc" / "evse1", str(certificates / "trust" / "v2g.pem")
    credential = credentials.load_credential(leaf / "chain.pem", leaf / "key.pem")
    async with station(Identity.of(credential.chain, credential.key)) as met:
        error = await refuses(car(home, met, "private", roots=[trust], staple="require"), met)
        assert error.rule == "OCSP staple, none"
    async with station(Identity.of(credential.chain, credential.key)) as met:
        error = await refuses(car(home, met, "private", roots=[trust], trust={"revocation": "hard"}), met)
        assert error.rule == "secc certificate, revocation"


async def test_what_the_references_leave_open_is_the_operators_to_say(home: Store) -> None:
    """[trust.options] reaches the judge: whose private roots have no DC takes none that has one."""
    async with station(shown(home)) as met:
        connection = car(home, met, "private", trust={"options": {"private_component": ""}})
        assert (await refuses(connection, met, sent=2)).rule == "secc certificate, anchor"


def test_a_station_of_a_private_operator_gets_no_staples(home: Store) -> None:
    assert subjects(shown(home)) == []


def test_a_private_root_is_enough_of_an_anchor(tmp_path: Path) -> None:
    file = tmp_path / "evcc.toml"
    file.write_text('[tls]\nprivate = ["home.pem"]\n[plan]\npayment = "external"\n')
    assert config.load(file).tls.private == [str(tmp_path / "home.pem")]
    file.write_text('[plan]\npayment = "external"\n')
    with pytest.raises(config.ConfigurationError, match=r"or of a private operator's root by `private`"):
        config.load(file)
