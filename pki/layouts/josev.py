"""The folder Josev (iso15118) reads as its PKI_PATH, by the names of its script `create_certs.sh`.

It reads `iso15118_2` whatever the protocol, and checks signatures as SHA-256 alone: what is exported to `iso15118_20`
is for the script's other users. Its keys have to be on elliptic curves.
"""

from __future__ import annotations

from collections.abc import Iterator

from pki.layouts.layout import File, Form, Layout, leaf_place, table
from v2g.trust import Role

_SECC, _OEM, _CONTRACT, _CPS = map(leaf_place, (Role.SECC, Role.OEM_PROVISIONING, Role.CONTRACT, Role.CPS))


def _one(name: str, place: str) -> Iterator[File]:
    yield File(f"certs/{name}Cert.pem", Form.PEM, (place,))
    yield File(f"certs/{name}Cert.der", Form.DER, (place,))
    yield File(f"private_keys/{name}.key", Form.KEY, (place,))


def _password(name: str, place: str) -> File:
    return File(f"private_keys/{name}Password.txt", Form.PASSWORD, (place,))


_FILES = table(
    _one("v2gRootCA", "ca/v2g/root"),
    _one("cpoSubCA1", "ca/cpo/sub1"),
    _one("cpoSubCA2", "ca/cpo/sub2"),
    _one("seccLeaf", _SECC),
    File("certs/cpoCertChain.pem", Form.PEM, (_SECC, "ca/cpo/sub2", "ca/cpo/sub1")),
    _password("seccLeaf", _SECC),
    _one("oemRootCA", "ca/oem/root"),
    _one("oemSubCA1", "ca/oem/sub1"),
    _one("oemSubCA2", "ca/oem/sub2"),
    _one("oemLeaf", _OEM),
    File("certs/oemCertChain.pem", Form.PEM, (_OEM, "ca/oem/sub2", "ca/oem/sub1")),
    _password("oemLeaf", _OEM),
    _one("moRootCA", "ca/mo/root"),
    _one("moSubCA1", "ca/mo/sub1"),
    _one("moSubCA2", "ca/mo/sub2"),
    _one("contractLeaf", _CONTRACT),
    File("certs/intermediateMOCACerts.pem", Form.PEM, ("ca/mo/sub2", "ca/mo/sub1")),
    File("certs/moCertChain.p12", Form.P12, (_CONTRACT, "ca/mo/sub2", "ca/mo/sub1"), "contract_leaf_cert"),
    File("private_keys/moSubCA2.pkcs8.der", Form.PKCS8_DER, ("ca/mo/sub2",)),
    _password("contractLeaf", _CONTRACT),
    _password("moSubCA2Leaf", "ca/mo/sub2"),
    _one("cpsSubCA1", "ca/cps/sub1"),
    _one("cpsSubCA2", "ca/cps/sub2"),
    _one("cpsLeaf", _CPS),
    File("certs/intermediateCPSCACerts.pem", Form.PEM, ("ca/cps/sub2", "ca/cps/sub1")),
    File("certs/cpsCertChain.p12", Form.P12, (_CPS, "ca/cps/sub2", "ca/cps/sub1"), "cps_leaf_cert"),
    _password("cpsLeaf", _CPS),
)

LAYOUT = Layout(
    name="josev",
    files=_FILES,
    password=b"12345",
    demanded=tuple(dict.fromkeys(place for file in _FILES for place in file.places)),
    reason="Josev needs one leaf of each role and two Sub-CAs in each of the branches cpo, mo, oem and cps",
    folders=("iso15118_2", "iso15118_20"),
    suites=("P-256", "P-521"),
)
