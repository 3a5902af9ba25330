"""What each pair of stacks can do, cell by cell, and the test that shows it; a GnuTLS backend of ours is to come."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
HERE, UNIT = "interop/tls", "v2g/tls"

# Row: {peer and its role: test}. We are the other side, by pyOpenSSL.
CELLS: dict[str, dict[str, str]] = {
    "suite 0xC023": {
        "openssl vehicle": f"{UNIT}/test_peers.py::test_openssl_as_vehicle_sees_the_prescribed_station",
        "openssl station": f"{UNIT}/test_peers.py::test_openssl_as_station_sees_the_prescribed_hello",
        "gnutls vehicle": f"{HERE}/test_gnutls.py::test_gnutls_as_a_vehicle_of_the_first_generation",
        "gnutls station": f"{HERE}/test_gnutls.py::test_gnutls_as_a_station",
        "tlslite vehicle": f"{HERE}/test_tlslite.py::test_tlslite_as_a_vehicle_of_the_first_generation",
        "tlslite station": f"{HERE}/test_tlslite.py::test_tlslite_as_a_station",
    },
    "TLS 1.3 mutual, P-521 and Ed448": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_openssl_as_a_vehicle",
        "openssl station": f"{UNIT}/test_peers_second.py::test_openssl_as_a_station",
        "gnutls vehicle": f"{HERE}/test_gnutls.py::test_gnutls_as_a_vehicle_of_the_second_generation",
        "gnutls station": f"{HERE}/test_gnutls.py::test_gnutls_as_a_station",
        "tlslite vehicle": f"{HERE}/test_tlslite.py::test_tlslite_as_a_vehicle_of_the_second_generation",
        "tlslite station": f"{HERE}/test_tlslite.py::test_tlslite_as_a_station",
        "ours, both": f"{UNIT}/test_generations.py::test_mutual_tls_1_3",
    },
    "groups, signatures and suites restricted": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_what_openssl_may_not_choose",
        "gnutls vehicle": f"{HERE}/test_gnutls.py::test_gnutls_offers_the_wrong_lists",
        "tlslite vehicle": "lab/tls/test_deviations.py::test_the_station_does_as_expected",
        "ours, both": f"{UNIT}/test_generations.py::test_a_hello_offers_what_is_prescribed_and_no_more",
    },
    "X448, and a second hello": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_what_openssl_may_choose",
        "tlslite vehicle": "lab/tls/test_deviations.py::test_the_station_does_as_expected",
    },
    "trusted_ca_keys sent, and obeyed": {
        "openssl station": f"{UNIT}/test_peers.py::test_openssl_as_station_sees_the_prescribed_hello",
        "tlslite vehicle": f"{HERE}/test_tlslite.py::test_tlslite_names_roots_of_the_first_generation",
    },
    "certificate_authorities obeyed": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_openssl_names_a_root_of_the_second_generation",
        "tlslite vehicle": f"{HERE}/test_tlslite.py::test_tlslite_names_roots_of_the_second_generation",
    },
    "roots of vehicles named": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_openssl_as_a_vehicle",
        "ours, both": f"{UNIT}/test_generations.py::test_the_roots_of_cars_are_named_in_the_request",
    },
    "staple of the leaf, TLS 1.2 and 1.3": {
        "openssl vehicle": f"{UNIT}/test_staple_peers.py::test_openssl_reads_what_is_stapled",
        "openssl station": f"{UNIT}/test_staple_peers.py::test_a_good_staple_of_openssl",
    },
    "no certificate of the vehicle": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_openssl_without_a_certificate",
        "gnutls vehicle": f"{HERE}/test_gnutls.py::test_gnutls_shows_no_certificate",
        "tlslite vehicle": "lab/tls/test_deviations.py::test_the_station_does_as_expected",
    },
    "a foreign certificate of the vehicle": {
        "openssl vehicle": f"{UNIT}/test_peers_second.py::test_openssl_with_a_foreign_certificate",
        "gnutls vehicle": f"{HERE}/test_gnutls.py::test_gnutls_shows_a_foreign_certificate",
        "tlslite vehicle": f"{HERE}/test_tlslite.py::test_tlslite_shows_a_foreign_certificate",
    },
    "a foreign certificate of the station": {
        "openssl station": f"{UNIT}/test_peers.py::test_openssl_with_a_foreign_root_is_refused",
        "gnutls station": f"{HERE}/test_gnutls.py::test_gnutls_is_a_foreign_station",
        "tlslite station": f"{HERE}/test_tlslite.py::test_tlslite_is_a_foreign_station",
    },
}
FLAT = [(row, peer, test) for row, cells in CELLS.items() for peer, test in cells.items()]


@pytest.mark.parametrize(("row", "peer", "test"), FLAT, ids=[f"{row}: {peer}" for row, peer, _ in FLAT])
def test_a_cell_has_its_test(row: str, peer: str, test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
