"""The folder EVerest keeps certificates in, `etc/everest/certs`.

Where its script and its code look in different folders, the file lies in both. Roots of CSMS and manufacturer, and Java
key stores, have no place in a tree: what is there of them is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from pki.layouts.layout import File, Form, Layout, leaf_place, table
from v2g.trust import Role

_SECC, _OEM, _MO, _CPS, _VEHICLE = map(
    leaf_place, (Role.SECC, Role.OEM_PROVISIONING, Role.CONTRACT, Role.CPS, Role.VEHICLE)
)


def _authority(name: str, place: str, folder: str) -> Iterator[File]:
    yield File(f"ca/{folder}/{name}.pem", Form.PEM, (place,))
    yield File(f"ca/{folder}/{name}.der", Form.DER, (place,))
    yield File(f"client/{folder}/{name}.key", Form.KEY, (place,))


def _copies(name: str, place: str) -> Iterator[File]:
    """The Sub-CAs of the CPO as the script has them: beside the root of the CSMS, and with another name as DER."""
    yield File(f"ca/cso/{name}_LEAF.der", Form.DER, (place,))
    yield File(f"ca/csms/{name}_LEAF.der", Form.DER, (place,))
    yield File(f"ca/csms/{name}.pem", Form.PEM, (place,))


def _leaf(name: str, place: str, folder: str) -> Iterator[File]:
    yield File(f"client/{folder}/{name}.pem", Form.PEM, (place,))
    yield File(f"client/{folder}/{name}.der", Form.DER, (place,))
    yield File(f"client/{folder}/{name}.key", Form.KEY, (place,))
    yield File(f"client/{folder}/{name}_PASSWORD.txt", Form.PASSWORD, (place,))


def _staple(name: str, place: str) -> Iterator[File]:
    """The cache of OCSP responses beside the chain of the station."""
    yield File(f"client/cso/ocsp/{name}.der", Form.STAPLE, (place,))
    yield File(f"client/cso/ocsp/{name}.hash", Form.STAPLE_ID, (place,))


def _both(name: str, places: tuple[str, ...], folder: str) -> Iterator[File]:
    """A chain in both places: one program looks among the authorities, another beside the key."""
    yield File(f"client/{folder}/{name}.pem", Form.PEM, places)
    yield File(f"ca/{folder}/{name}.pem", Form.PEM, places)


LAYOUT = Layout(
    name="everest",
    files=table(
        _authority("V2G_ROOT_CA", "ca/v2g/root", "v2g"),
        File("client/v2g/V2G_ROOT_CA_PASSWORD.txt", Form.PASSWORD, ("ca/v2g/root",)),
        _authority("CPO_SUB_CA1", "ca/cpo/sub1", "cso"),
        _copies("CPO_SUB_CA1", "ca/cpo/sub1"),
        _authority("CPO_SUB_CA2", "ca/cpo/sub2", "cso"),
        _copies("CPO_SUB_CA2", "ca/cpo/sub2"),
        _leaf("SECC_LEAF", _SECC, "cso"),
        File("client/cso/CPO_CERT_CHAIN.pem", Form.PEM, (_SECC, "ca/cpo/sub2", "ca/cpo/sub1")),
        _staple("SECC_LEAF", _SECC),
        _staple("CPO_SUB_CA2", "ca/cpo/sub2"),
        _staple("CPO_SUB_CA1", "ca/cpo/sub1"),
        _authority("MO_ROOT_CA", "ca/mo/root", "mo"),
        _authority("MO_SUB_CA1", "ca/mo/sub1", "mo"),
        _authority("MO_SUB_CA2", "ca/mo/sub2", "mo"),
        File("client/mo/MO_SUB_CA2.pkcs8.der", Form.PKCS8_DER, ("ca/mo/sub2",)),
        File("client/mo/MO_SUB_CA2_LEAF_PASSWORD.txt", Form.PASSWORD, ("ca/mo/sub2",)),
        File("ca/mo/INTERMEDIATE_MO_CA_CERTS.pem", Form.PEM, ("ca/mo/sub2", "ca/mo/sub1")),
        _leaf("MO_LEAF", _MO, "mo"),
        File("client/mo/MO_CERT_CHAIN.p12", Form.P12, (_MO, "ca/mo/sub2", "ca/mo/sub1"), "contract_leaf_cert"),
        _authority("CPS_SUB_CA1", "ca/cps/sub1", "cps"),
        _authority("CPS_SUB_CA2", "ca/cps/sub2", "cps"),
        File("ca/cps/INTERMEDIATE_CPS_CA_CERTS.pem", Form.PEM, ("ca/cps/sub2", "ca/cps/sub1")),
        _leaf("CPS_LEAF", _CPS, "cps"),
        File("client/cps/CPS_CERT_CHAIN.p12", Form.P12, (_CPS, "ca/cps/sub2", "ca/cps/sub1"), "cps_leaf_cert"),
        _authority("OEM_ROOT_CA", "ca/oem/root", "oem"),
        _authority("OEM_SUB_CA1", "ca/oem/sub1", "oem"),
        _authority("OEM_SUB_CA2", "ca/oem/sub2", "oem"),
        File("ca/oem/INTERMEDIATE_OEM_CA.pem", Form.PEM, ("ca/oem/sub2", "ca/oem/sub1")),
        _leaf("OEM_LEAF", _OEM, "oem"),
        _both("OEM_CERT_CHAIN", (_OEM, "ca/oem/sub2", "ca/oem/sub1"), "oem"),
        File("client/oem/OEM_CERT_CHAIN.p12", Form.P12, (_OEM, "ca/oem/sub2", "ca/oem/sub1"), "oem_prov_cert"),
        _authority("VEHICLE_SUB_CA1", "ca/vehicle/sub1", "vehicle"),
        _authority("VEHICLE_SUB_CA2", "ca/vehicle/sub2", "vehicle"),
        _leaf("VEHICLE_LEAF", _VEHICLE, "vehicle"),
        _both("VEHICLE_CERT_CHAIN", (_VEHICLE, "ca/vehicle/sub2", "ca/vehicle/sub1"), "vehicle"),
    ),
    password=b"123456",
    demanded=("ca/v2g/root", "ca/cpo/sub2", _SECC),
    reason="EVerest needs a V2G root, a Sub-CA of the CPO and a leaf of a station",
)
