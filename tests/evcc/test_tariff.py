"""Whose tariffs the vehicle believes, and what it reads in them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from evcc import wallet
from evcc.tariff import Tariff, common_measure, judge
from pki.store import Store
from tests.certificates import VALID, by_hand, car1
from tests.evcc.tariffs import band, costs, levels, offered, pmax, signed
from v2g.messages import iso2
from v2g.messages.iso2 import CostKind

PRICE, GREEN, CARBON = (
    CostKind.relativePricePercentage,
    CostKind.RenewableGenerationPercentage,
    CostKind.CarbonDioxideEmission,
)


@pytest.fixture(scope="module")
def contract(certificates: Path) -> wallet.Contract:
    return holding(certificates)


def holding(certificates: Path) -> wallet.Contract:
    held = car1(certificates)
    return wallet.Contract(emaid=held.emaid, chain=held.chain, key=held.key)


def key(certificates: Path, place: str) -> ec.EllipticCurvePrivateKey:
    found = Store(certificates).load(place).key
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def two() -> list[iso2.SAScheduleTuple]:
    return [
        offered(1, pmax((0, 11_000)), levels((0, 1), number=1, name="t1")),
        offered(2, pmax((0, 11_000)), levels((0, 3), number=2, name="t2")),
    ]


def tariffs(tuples: list[iso2.SAScheduleTuple]) -> list[iso2.SalesTariff]:
    return [each.SalesTariff for each in tuples if each.SalesTariff is not None]


# --- trust ----------------------------------------------------------------------------------------------------------


def test_the_issuer_of_the_contract_is_believed(certificates: Path, contract: wallet.Contract) -> None:
    tuples = two()
    header = signed(key(certificates, "ca/mo/sub2"), *tariffs(tuples))
    assert judge(tuples, header, contract) == {1: "", 2: ""}


@pytest.mark.parametrize("place", ["ca/mo/sub1", "ca/cpo/sub2", "leaf/contract/car1", "leaf/secc/evse1"])
def test_nobody_else_is(certificates: Path, contract: wallet.Contract, place: str) -> None:
    tuples = two()
    flaws = judge(tuples, signed(key(certificates, place), *tariffs(tuples)), contract)
    assert all("not made with the certificate's key" in flaw for flaw in flaws.values())
    assert flaws.keys() == {1, 2}


def test_a_tariff_without_id_is_not_signed(certificates: Path, contract: wallet.Contract) -> None:
    first = two()[0]
    bare = offered(2, pmax((0, 1_000)), levels((0, 1)))
    header = signed(key(certificates, "ca/mo/sub2"), *tariffs([first]))
    assert judge([first, bare], header, contract) == {1: "", 2: "it is not signed"}
    assert judge([bare], None, contract) == {2: "it is not signed"}


def test_a_header_without_signature(contract: wallet.Contract) -> None:
    assert set(judge(two(), None, contract).values()) == {"signature: there is none"}


def test_a_changed_tariff(certificates: Path, contract: wallet.Contract) -> None:
    tuples = two()
    header = signed(key(certificates, "ca/mo/sub2"), *tariffs(tuples))
    tuples[1] = offered(2, pmax((0, 11_000)), levels((0, 0), number=2, name="t2"))
    assert all(judge(tuples, header, contract).values())


def test_a_signature_over_one_of_two(certificates: Path, contract: wallet.Contract) -> None:
    tuples = two()
    header = signed(key(certificates, "ca/mo/sub2"), tariffs(tuples)[0])
    assert all(judge(tuples, header, contract).values())


def test_two_tariffs_of_one_id(certificates: Path, contract: wallet.Contract) -> None:
    same = levels((0, 1), name="t1")
    tuples = [offered(1, pmax((0, 10)), same), offered(2, pmax((0, 10)), levels((0, 2), name="t1"))]
    flaws = judge(tuples, signed(key(certificates, "ca/mo/sub2"), same), contract)
    assert set(flaws.values()) == {"signature: two tariffs share an Id"}


def test_without_a_contract_the_stations_word_counts() -> None:
    assert judge([*two(), offered(3, pmax((0, 10)))], None, None) == {1: "", 2: ""}


def test_an_issuer_out_of_time_is_not_believed() -> None:
    held, path = by_hand(sub2={"days": (VALID[0] - 100, VALID[0])})
    tuples, issuer = two(), path.sub2.key
    assert isinstance(issuer, ec.EllipticCurvePrivateKey)
    contract = wallet.Contract(emaid=held.emaid, chain=held.chain, key=held.key)
    flaws = judge(tuples, signed(issuer, *tariffs(tuples)), contract)
    assert all("not valid now" in flaw for flaw in flaws.values())


def test_a_contract_without_its_issuer(certificates: Path, contract: wallet.Contract) -> None:
    tuples = two()
    header = signed(key(certificates, "ca/mo/sub2"), *tariffs(tuples))
    for chain in (contract.chain[:1], [contract.chain[0], *contract.chain[2:]]):
        alone = wallet.Contract(emaid=contract.emaid, chain=chain, key=contract.key)
        assert all("does not hold" in flaw for flaw in judge(tuples, header, alone).values())


# --- prices ---------------------------------------------------------------------------------------------------------


def test_levels_over_time() -> None:
    tariff = Tariff.of(levels((0, 2), (60, 1), (120, 5)))
    assert [tariff.price(at, 0, "level") for at in (0, 59, 60, 119.9, 120, 1e6)] == [2, 2, 1, 1, 5, 5]
    assert tariff.starts == [0, 60, 120]


def test_the_band_that_the_power_reaches() -> None:
    tariff = Tariff.of(costs((0, [band(7_000, PRICE, 90), band(0, PRICE, 50), band(11_000, PRICE, 2, 2)])))
    assert [tariff.price(0, power, PRICE) for power in (0, 6_999, 7_000, 10_999, 11_000)] == [50, 50, 90, 90, 200]


def test_a_power_below_all_bands_costs_what_the_lowest_does() -> None:
    assert Tariff.of(costs((0, [band(2_000, PRICE, 50)]))).price(0, 10, PRICE) == 50


def test_more_renewable_is_better() -> None:
    tariff = Tariff.of(costs((0, [band(0, GREEN, 30)]), (60, [band(0, GREEN, 80)])))
    before, after = tariff.price(0, 0, GREEN), tariff.price(60, 0, GREEN)
    assert before is not None
    assert after is not None
    assert after < before


def test_tariffs_are_compared_by_what_all_of_them_tell() -> None:
    priced = Tariff.of(costs((0, [band(0, PRICE, 5)]), level=1))
    levelled, green = Tariff.of(levels((0, 1))), Tariff.of(costs((0, [band(0, GREEN, 30)])))
    assert common_measure([priced]) == PRICE
    assert common_measure([priced, levelled]) == "level"
    assert common_measure([levelled, green]) is None
    assert common_measure([]) is None


def test_one_entry_that_tells_nothing_spoils_it() -> None:
    bare = iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=60))
    told = levels((0, 1))
    spoiled = msgspec.structs.replace(told, SalesTariffEntry=[*told.SalesTariffEntry, bare])
    assert common_measure([Tariff.of(spoiled)]) is None
