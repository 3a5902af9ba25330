"""The certificates all end-to-end tests share, and bays to charge at: of one test, or of all tests in a file."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.brokers import MOSQUITTO, RunningBroker
from tests.e2e.bay import Bay, Energy


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the default -2 tree; not to be changed."""
    folder = tmp_path_factory.mktemp("certs") / "iso2"
    bring_up_to_date(read()["iso2"], Store(folder))
    return folder


@contextlib.asynccontextmanager
async def opened(
    kind: str, energy: Energy, folder: Path, certificates: Path, secc: str = "", *, tls_required: bool = True
) -> AsyncIterator[Bay]:
    """A bay on a broker of its own; `secc` is appended to secc.toml."""
    if kind != "amqtt" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    broker = RunningBroker(kind, folder)
    await broker.start()
    try:
        async with Bay(folder, broker, certificates, energy, secc, tls_required=tls_required) as bay:
            yield bay
    finally:
        await broker.stop()


# Each broker once: AC and DC differ in who holds the contactor, and the losses in what the broker has to tell.
@pytest.fixture(params=[("amqtt", "dc"), ("mosquitto-3.1.1", "ac"), ("mosquitto-5", "dc")], ids="-".join)
async def bay(request: pytest.FixtureRequest, tmp_path: Path, certificates: Path) -> AsyncIterator[Bay]:
    kind, energy = request.param
    async with opened(kind, energy, tmp_path, certificates) as bay:
        yield bay


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ac", "dc"])
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> AsyncIterator[Bay]:
    """One bay for all tests of a file; a card has to be shown at its console."""
    kind = {"ac": "amqtt", "dc": "mosquitto-5"}[request.param]
    async with opened(kind, request.param, tmp_path_factory.mktemp("bay"), certificates) as bay:
        yield bay


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ac(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    """One AC bay for all tests of a file that need it."""
    async with opened("amqtt", "ac", tmp_path_factory.mktemp("bay"), certificates) as bay:
        yield bay
