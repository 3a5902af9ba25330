"""What the process makes of its configuration before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest
from OpenSSL import SSL

from pki import credentials
from secc.config import TlsSettings
from secc.process import run, server_tls
from tests.certificates import make_tree
from v2g.tls.client_hello import ClientHello, parse
from v2g.tls.context import Fault, ServerContext, client_context
from v2g.toml import ConfigurationError


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("process"))


def station(tree: Path, root: Path | None) -> ServerContext:
    """The TLS of a station with the leaf of the tree."""
    leaf = tree / "leaf/secc/evse1"
    server = server_tls(
        TlsSettings(
            chain=str(leaf / "chain.pem"),
            key=str(leaf / "key.pem"),
            root=None if root is None else str(root),
        )
    )
    assert server is not None
    return server


def naming(anchors: Path) -> ClientHello:
    """The ClientHello of a vehicle that names these roots by their hashes."""
    connection = client_context(credentials.load_anchors(anchors)).connection(lambda _: Fault.UNKNOWN_CA)
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    hello = parse(connection.bio_read(65_536))
    assert hello is not None
    return hello


def test_the_configured_root_is_known_when_a_vehicle_names_it(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    server = station(tree, tree / "trust/v2g.pem")
    assert server.choose(naming(tree / "trust/v2g.pem")) == 0
    assert caplog.records == []
    assert server.choose(naming(tree / "trust/mo.pem")) == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_without_its_root_a_station_cannot_know_the_hash(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    station(tree, None).choose(naming(tree / "trust/v2g.pem"))
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_of_several_roots_the_one_of_the_chain_is_taken(
    tree: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """[V2G2-878]"""
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join((tree / f"trust/{kind}.pem").read_bytes() for kind in ("mo", "v2g")))
    caplog.set_level("INFO")
    station(tree, both).choose(naming(tree / "trust/v2g.pem"))
    assert caplog.records == []


def test_a_root_of_another_chain_is_refused(tree: Path) -> None:
    with pytest.raises(ValueError, match=r"mo\.pem: the chain hangs on none of its roots; .*V2G Root CA"):
        station(tree, tree / "trust/mo.pem")


async def test_a_folder_for_receipts_that_cannot_be_written_is_refused_at_start(tmp_path: Path) -> None:
    """In one line: file, key, place, and what to do about it."""
    (tmp_path / "taken").write_text("no folder")
    settings = tmp_path / "secc.toml"
    settings.write_text(
        '[[evse]]\nid = "bay-1"\ninterface = "lo"\n[tls]\nrequired = false\n[receipts]\nfolder = "taken"\n'
    )
    with pytest.raises(ConfigurationError) as refused:
        await run(settings)
    assert str(refused.value) == (
        f"{settings}: [receipts] folder: {tmp_path / 'taken'}: a file, no folder; "
        "name a folder that the station may write to, or leave the key out"
    )


@pytest.mark.parametrize("named", ['crls = ["nothing.crl"]', 'evidence = "nothing.crl"', 'crls = ["damaged.crl"]'])
async def test_a_revocation_list_that_cannot_be_read_is_refused_at_start(tmp_path: Path, named: str) -> None:
    (tmp_path / "damaged.crl").write_bytes(b"no list")
    settings = tmp_path / "secc.toml"
    settings.write_text(f'[[evse]]\nid = "bay-1"\ninterface = "lo"\n[tls]\nrequired = false\n[trust]\n{named}\n')
    with pytest.raises(ConfigurationError) as refused:
        await run(settings)
    assert str(refused.value).startswith(f"{settings}: [trust]: {tmp_path}/")
    assert ".crl" in str(refused.value)
