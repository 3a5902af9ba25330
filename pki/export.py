"""Writes a tree the way other stacks want to find it; so far the folder Josev (iso15118) reads as its PKI_PATH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    pkcs12,
)

from pki import store
from pki.issue import Issued
from pki.store import Store
from v2g.trust import Role

PASSWORD = b"12345"  # the one Josev's own script uses, and its fallback where no password file is named

_AUTHORITIES = {
    "ca/v2g/root": "v2gRootCA",
    "ca/cpo/sub1": "cpoSubCA1",
    "ca/cpo/sub2": "cpoSubCA2",
    "ca/mo/root": "moRootCA",
    "ca/mo/sub1": "moSubCA1",
    "ca/mo/sub2": "moSubCA2",
    "ca/oem/root": "oemRootCA",
    "ca/oem/sub1": "oemSubCA1",
    "ca/oem/sub2": "oemSubCA2",
    "ca/cps/sub1": "cpsSubCA1",
    "ca/cps/sub2": "cpsSubCA2",
}
_LEAVES = {
    Role.SECC: "seccLeaf",
    Role.OEM_PROVISIONING: "oemLeaf",
    Role.CONTRACT: "contractLeaf",
    Role.CPS: "cpsLeaf",
}
_CHAINS = {
    "cpoCertChain": ("seccLeaf", "cpoSubCA2", "cpoSubCA1"),
    "oemCertChain": ("oemLeaf", "oemSubCA2", "oemSubCA1"),
    "intermediateMOCACerts": ("moSubCA2", "moSubCA1"),
    "intermediateCPSCACerts": ("cpsSubCA2", "cpsSubCA1"),
}
_BUNDLES = {
    "moCertChain": ("contract_leaf_cert", "contractLeaf", "moSubCA2", "moSubCA1"),
    "cpsCertChain": ("cps_leaf_cert", "cpsLeaf", "cpsSubCA2", "cpsSubCA1"),
}
_PASSWORD_FILES = ("seccLeaf", "oemLeaf", "contractLeaf", "cpsLeaf", "moSubCA2Leaf")


def export_josev(source: Path, destination: Path, leaves: Mapping[Role, str] | None = None) -> None:
    """Write `iso15118_2/certs` and `iso15118_2/private_keys` into `destination`, keys encrypted.

    `leaves` picks an id where the tree has several leaves of a role. Raise ValueError naming what is missing.
    """
    tree = Store(source)
    places = tree.places()
    if not places:
        raise ValueError(f"{source}: holds no tree; `plugcharge pki init` makes one")
    names = dict(_AUTHORITIES)
    for role, name in _LEAVES.items():
        names[_leaf_place(places, source, role, (leaves or {}).get(role))] = name
    missing = sorted(set(names) - set(places))
    if missing:
        raise ValueError(
            f"{source}: {', '.join(missing)} missing; Josev needs two Sub-CAs in each of the branches cpo, mo, oem and "
            "cps; declare them in pki.toml and run `plugcharge pki init` again"
        )
    issued = {name: _load(tree, place) for place, name in names.items()}
    _write_certificates(destination / "iso15118_2" / "certs", issued)
    _write_keys(destination / "iso15118_2" / "private_keys", issued)


def _leaf_place(places: list[str], source: Path, role: Role, wanted: str | None) -> str:
    found = [place for place in places if place.startswith(f"leaf/{role}/")]
    if wanted is not None:
        found = [place for place in found if place == f"leaf/{role}/{wanted}"]
    if not found:
        raise ValueError(
            f"{source}: has no {role} certificate{f' {wanted}' if wanted else ''}; "
            "declare it as a leaf in pki.toml and run `plugcharge pki init` again"
        )
    if len(found) > 1:
        ids = ", ".join(place.rpartition("/")[2] for place in found)
        raise ValueError(f"{source}: has several {role} certificates ({ids}); choose one with --leaf {role}=ID")
    return found[0]


def _load(tree: Store, place: str) -> Issued:
    try:
        return tree.load(place)
    except ValueError as error:
        raise ValueError(f"{tree.certificate(place)}: {error}; `plugcharge pki init` repairs it") from error


def _write_certificates(folder: Path, issued: Mapping[str, Issued]) -> None:
    for name, one in issued.items():
        store.write(folder / f"{name}Cert.pem", one.pem)
        store.write(folder / f"{name}Cert.der", one.der)
    for chain, names in _CHAINS.items():
        store.write(folder / f"{chain}.pem", b"".join(issued[name].pem for name in names))
    for bundle, (label, leaf, *subs) in _BUNDLES.items():
        own, above = issued[leaf], [issued[name].certificate for name in subs]
        data = pkcs12.serialize_key_and_certificates(
            label.encode(), own.key, own.certificate, above, BestAvailableEncryption(PASSWORD)
        )
        store.write(folder / f"{bundle}.p12", data, store.PRIVATE)


def _write_keys(folder: Path, issued: Mapping[str, Issued]) -> None:
    encryption = BestAvailableEncryption(PASSWORD)
    for name, one in issued.items():
        data = one.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption)
        store.write(folder / f"{name}.key", data, store.PRIVATE)
    data = issued["moSubCA2"].key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)
    store.write(folder / "moSubCA2.pkcs8.der", data, store.PRIVATE)
    for name in _PASSWORD_FILES:
        store.write(folder / f"{name}Password.txt", PASSWORD + b"\n", store.PRIVATE)
