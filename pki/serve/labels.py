"""What an EST path names: a tree, one of its roles, or a CA and a version of the standard as OPCP writes them."""

from __future__ import annotations

import re

from pki.profiles import Edition
from pki.serve.est import Enrolment
from pki.serve.server import ENROLLED, Server
from v2g.trust import Role

_ROLES = {"cpo": Role.SECC, "mo": Role.CONTRACT, "oem": Role.OEM_PROVISIONING, "vehicle": Role.VEHICLE}
_VERSIONS = {"151182": (Edition.ISO2,), "1511820": (Edition.ISO20, Edition.ISO20_ED448)}
_ED448 = "ed448"


def enrolment(server: Server, label: str = "", version: str = "", algorithm: str = "") -> Enrolment:
    """Return who enrols for a path.

    Without a version (RFC 7030 3.2.2) `label` is "<tree>" or "<tree>-<role>", or nothing where the first tree is meant.
    With one (OPCP) it may also be a branch, such as "cpo", of the first tree of this version. Raises ValueError.
    """
    known = dict(server.labels())
    if label in known:
        return known[label]
    if not label:
        return _of(server, next(iter(server.trees)), ENROLLED[0])
    if not version:
        raise ValueError(f"no EST label {label[:64]!a}; there are {', '.join(known)}")
    return _of(server, _tree(server, version, algorithm), _role(label))


def _role(label: str) -> Role:
    name = label.lower()
    if name in _ROLES:
        return _ROLES[name]
    try:
        return Role(name)
    except ValueError:
        raise ValueError(f"no CA {label[:64]!a}; there are {', '.join(_ROLES)}") from None


def _tree(server: Server, version: str, algorithm: str) -> str:
    """Return the first tree of a version such as "ISO15118-20", with Ed448 if the algorithm says so."""
    digits = re.sub(r"\D", "", version.lower().removeprefix("iso"))
    editions = _VERSIONS.get(digits, ())
    if algorithm:
        editions = tuple(each for each in editions if (_ED448 in algorithm.lower()) == (_ED448 in each))
    for edition in editions:
        for name, services in server.trees.items():
            if services.realm.tree.edition is edition:
                return name
    raise ValueError(f"no tree is of version {version[:64]!a}; write ISO15118-2 or ISO15118-20")


def _of(server: Server, tree: str, role: Role) -> Enrolment:
    enrolments = server.trees[tree].enrolments
    if role not in enrolments:
        raise ValueError(f"the tree {tree} enrols no {role}; it enrols {', '.join(enrolments)}")
    return enrolments[role]
