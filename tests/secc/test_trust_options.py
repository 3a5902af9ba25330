"""What the references leave open about contracts, as a running station was told to take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from secc import config
from tests.certificates import by_hand
from tests.pki.chains import purposes
from tests.secc.bench import bench
from tests.secc.bench_requests import AC, details, with_contract
from v2g.messages import iso2
from v2g.toml import ConfigurationError


@pytest.mark.parametrize(
    ("options", "code"),
    [({}, "OK"), ({"strict": False}, "OK"), ({"strict": True}, "FAILED_CertificateNotAllowedAtThisEVSE")],
    ids=["default", "lenient", "strict"],
)
async def test_a_contract_that_may_serve_in_tls_as_well(certificates: Path, options: dict[str, Any], code: str) -> None:
    """Only its profile forbids the serverAuth of a contract: commercial authorities put it there."""
    contract, path = by_hand(leaf={"extensions": (purposes(ExtendedKeyUsageOID.SERVER_AUTH),)})
    async with bench(certificates=certificates, anchors=path.anchors, trust={"options": options}) as station:
        car = await station.car_at(with_contract(AC, contract), "Contract", tls=True)
        body = await car.ask(details(contract))
        assert isinstance(body, iso2.PaymentDetailsRes)
        assert body.ResponseCode == code
        await car.close()


def test_an_option_that_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "secc.toml"
    text = '[[evse]]\nid = "1"\ninterface = "lo"\n[tls]\nrequired = false\n[trust.options]\n'
    file.write_text(f"{text}strict = true\n")
    assert config.load(file).trust.options.strict
    file.write_text(f"{text}lenient = true\n")
    with pytest.raises(ConfigurationError, match=r"trust\.options.*lenient"):
        config.load(file)
