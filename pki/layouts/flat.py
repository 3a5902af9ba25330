"""All files in one folder, or found in any below it, by the names laboratories use: PKI-Ext_CRT_<ROLE>_<STATE>.

They are those of ISO 15118-4, and no nicer ones, as there are test systems that read them. STATE is VALID: other states
are variants of certificates made to be refused. Keys are PKCS#8, and open unless a password is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from pki.layouts.layout import File, Form, Layout, leaf_place, table
from v2g.trust import Role

_PREFIX = "PKI-Ext_CRT_"
_PLACES = {
    "V2G_ROOT": "ca/v2g/root",
    "CPO_SUB1": "ca/cpo/sub1",
    "CPO_SUB2": "ca/cpo/sub2",
    "EVSE_LEAF": leaf_place(Role.SECC),
    "MO_ROOT": "ca/mo/root",
    "MO_SUB1": "ca/mo/sub1",
    "MO_SUB2": "ca/mo/sub2",
    "CONTRACT_LEAF": leaf_place(Role.CONTRACT),
    "OEM_ROOT": "ca/oem/root",
    "OEM_SUB1": "ca/oem/sub1",
    "OEM_SUB2": "ca/oem/sub2",
    "OEM_LEAF": leaf_place(Role.OEM_PROVISIONING),
    "CPS_SUB1": "ca/cps/sub1",
    "CPS_SUB2": "ca/cps/sub2",
    "CPS_LEAF": leaf_place(Role.CPS),
    # No name for these is known: formed like the others.
    "VEHICLE_SUB1": "ca/vehicle/sub1",
    "VEHICLE_SUB2": "ca/vehicle/sub2",
    "VEHICLE_LEAF": leaf_place(Role.VEHICLE),
    "PE_ROOT": "ca/private/root",
}


def _one(role: str, place: str) -> Iterator[File]:
    name = f"{_PREFIX}{role}_VALID"
    yield File(f"{name}.pem", Form.PEM, (place,))
    yield File(f"{name}.der", Form.DER, (place,))
    yield File(f"{name}_pkcs8.key", Form.PKCS8, (place,))


LAYOUT = Layout(
    name="flat",
    files=table(*(_one(role, place) for role, place in _PLACES.items())),
    password=b"",
    demanded=(),
    reason="",
    kin=f"{_PREFIX}*",
)
