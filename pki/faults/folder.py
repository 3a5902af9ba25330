"""The files of a variant in `broken/<variant>/`, and expect.json beside them, which says what has to follow."""

from __future__ import annotations

import base64
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki import store
from pki.faults.catalogue import Variant, find, variants
from pki.faults.making import Made, Making
from pki.faults.path import Keyless, Lacking, edition_of
from pki.faults.path import Path as TreePath
from pki.faults.reaction import Expected, expected
from pki.profiles import Edition
from pki.store import Store
from v2g.record import Record
from v2g.trust import Role

FOLDER = "broken"
_KEEPS = timedelta(days=3)
EXPECT = "expect.json"
KEY = "key.pem"
EVIDENCE = "evidence"
Progress = Callable[[Sequence[Variant]], Iterable[Variant]]


class Expectation(Record):
    """What expect.json says. `played` is whether our own SECC or EVCC is played against it already.

    `emaid` is what the request says beside a contract's chain; `revocation` what whoever trusts asks about it: "hard"
    means that of the leaf it has to be known, from the evidence in the folder. `made` is when, `above` the SHA-256 of
    the tree's CAs above the leaf.
    """

    variant: str
    alias: tuple[str, ...]
    role: Role
    edition: Edition
    tier: str
    fault: str
    reason: str
    requirement: tuple[str, ...]
    accepted: bool
    expected: Expected
    revocation: Literal["off", "soft", "hard"] = "off"
    emaid: str = ""
    files: tuple[str, ...] = ()
    made: datetime | None = None
    above: str = ""
    played: Literal["now", "later"] = "now"


def expectation(
    variant: Variant, emaid: str = "", files: Iterable[str] = (), made: datetime | None = None, above: str = ""
) -> Expectation:
    """Return what is expected of a variant, whether it was made or not."""
    fault, reaction = variant.fault, expected(variant)
    return Expectation(
        variant=variant.name,
        alias=variant.aliases,
        role=variant.role,
        edition=variant.edition,
        tier=variant.tier.value if variant.tier else "",
        fault=fault.name,
        reason=_sentence(variant),
        requirement=_own(fault.requirement, variant.edition),
        accepted=not reaction.rule and not reaction.code.startswith(("FAILED", "WARNING")),
        expected=reaction,
        revocation=fault.revocation,
        emaid=emaid,
        files=tuple(sorted(files)),
        made=made,
        above=above,
        played="later" if variant.edition.second else "now",
    )


def _own(requirements: tuple[str, ...], edition: Edition) -> tuple[str, ...]:
    """Leave out what only the other generation demands; where this one repeats nothing of it, that is what is cited."""
    own = tuple(each for each in requirements if each.startswith("V2G20-") is edition.second)
    return own or requirements


def _sentence(variant: Variant) -> str:
    return f"{variant.tier}: {variant.fault.reason}" if variant.tier else variant.fault.reason


class Source:
    """A tree at a time, as what variants are made from."""

    def __init__(self, tree: Store, at: datetime) -> None:
        self.tree = tree
        self.at = at
        self._paths: dict[Role, TreePath] = {}

    def path(self, variant: Variant) -> TreePath:
        """Return the good path that a variant is made from; raises as `TreePath`."""
        if variant.role not in self._paths:
            self._paths[variant.role] = TreePath(self.tree, variant.role, self.at)
        return self._paths[variant.role]

    def make(self, variant: Variant) -> Made:
        """Make a variant; raises `Lacking` where the tree has nothing of the kind, ValueError for what is not right."""
        return Making(self.path(variant), variant.edition, variant.fault, variant.tier, self.at).make()

    def kept(self, variant: Variant, folder: Path) -> bool:
        """Tell whether a variant of this very tree lies in a folder already, and will be what it is for a while."""
        try:
            told = msgspec.json.decode((folder / variant.name / EXPECT).read_bytes(), type=Expectation)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return False
        if told.made is None or not timedelta() <= self.at - told.made < _KEEPS:
            return False
        whole = all((folder / variant.name / name).is_file() for name in told.files)
        now = expectation(variant, told.emaid, told.files, told.made, self.path(variant).fingerprint)
        return whole and told == now


def write(
    tree: Store,
    names: Iterable[str],
    edition: Edition | None = None,
    at: datetime | None = None,
    *,
    out: Path | None = None,
    renew: bool = True,
) -> list[Expectation]:
    """Make variants, by name or alias, into broken/<variant> of a tree or into `out`; tell what is expected of them.

    What lies there is replaced; unless `renew`, the variants of this tree that are a few days old at most stay as they
    are, and are not told of. Raises OSError, or ValueError for unknown names, naming those near, and for what the tree
    lacks.
    """
    chosen, source = find(names, edition or edition_of(tree)), Source(tree, at or datetime.now(UTC))
    folder = out or tree.folder / FOLDER
    # Nothing is written before everything could be made.
    made = [(each, source.make(each)) for each in chosen if renew or not source.kept(each, folder)]
    return _keep(source, made, folder)


def write_all(
    tree: Store,
    edition: Edition | None = None,
    at: datetime | None = None,
    *,
    out: Path | None = None,
    progress: Progress = iter,
    skipped: Callable[[Variant, Keyless], None] = lambda _variant, _error: None,
) -> list[Expectation]:
    """Make every variant that the tree has the certificates for, as `write` does.

    Those that only a key could sign that is kept elsewhere are left out, and told to `skipped`.
    """
    source, made = Source(tree, at or datetime.now(UTC)), []
    for variant in progress(list(variants(edition or edition_of(tree)).values())):
        try:
            made.append((variant, source.make(variant)))
        except Keyless as error:
            skipped(variant, error)
        except Lacking:
            continue
    return _keep(source, made, out or tree.folder / FOLDER)


def _keep(source: Source, made: Iterable[tuple[Variant, Made]], folder: Path) -> list[Expectation]:
    told = []
    with source.tree.alone():
        for variant, what in made:
            files = _files(what)
            above = source.path(variant).fingerprint
            expect = expectation(variant, what.name, [*files, EXPECT], source.at, above)
            text = msgspec.json.format(msgspec.json.encode(expect)) + b"\n"
            _replace(folder / variant.name, {**files, EXPECT: text})
            told.append(expect)
    return told


def _files(made: Made) -> dict[str, bytes]:
    """The files of a variant: what is sent, its key, what is trusted, what is told of revocation."""
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "cert.der": made.chain[0],
        "chain.pem": b"".join(map(_pem, made.chain)),
        KEY: key,
        "anchors.pem": b"".join(map(_pem, made.anchors)),
        **{f"{EVIDENCE}/{name}": data for name, data in made.evidence.items()},
    }


def _pem(der: bytes) -> bytes:
    """Armour any bytes: no library would do so with what is no certificate."""
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")).encode()


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder of files in place of what lies there: whoever reads it never finds some of both."""
    store.make_folder(folder.parent)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, data in files.items():
            store.write(new / name, data, store.PRIVATE if name == KEY else store.PUBLIC, durable=False)
        new.chmod(0o755)
        if folder.exists():
            old = new.with_suffix(".old")
            folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old)
        else:
            new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
