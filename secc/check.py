"""What the TLS of a secc.toml can do: which vehicles each certificate serves, what is stapled, what remains impossible.

Reads what a start would read, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from OpenSSL import SSL

from pki.certificate import read
from pki.keys import suite_of
from pki.relying_party import EDITIONS, RelyingParty
from pki.shown import shown
from secc import config, keyring, spoken
from secc.staples import Staples
from v2g.record import Record
from v2g.tls.context import Generation, Identity
from v2g.tls.identity import TokenUri
from v2g.tls.limits import Backend, limits
from v2g.tls.suites import PRESCRIBED
from v2g.toml import place
from v2g.trust import Role

STANDARDS = {Generation.ISO2: "ISO 15118-2", Generation.ISO20: "ISO 15118-20"}
SOON_DAYS = 30


class Shown(Record):
    """One certificate and whom it serves; `problems` keep vehicles away, `remarks` may, `limits` are the library's."""

    place: str
    generation: str
    key: str
    in_secure_element: bool
    subject: str
    root: str
    valid_until: str
    days_left: int
    serves: str
    staple: str
    staple_sources: list[str]
    limits: dict[str, str]
    remarks: list[str]
    problems: list[str]


class Report(Record):
    """The whole; `ok` where no certificate has a problem."""

    config: str
    library: str
    plain: bool
    """Whether plain TCP is served, too."""
    certificates: list[Shown]
    remarks: list[str]
    ok: bool


def check(path: Path, at: datetime | None = None) -> Report:
    """Read secc.toml and tell what its TLS can do, at a time (aware; now if None).

    Raises `ConfigurationError`, with file, key and remedy, for what would keep the station from starting.
    """
    now = at or datetime.now(UTC)
    settings = config.load(path)
    with place(path, "[staples]"):
        staples = Staples(folder=None if settings.staples.folder is None else Path(settings.staples.folder))
    keys = keyring.load(path, settings)
    staples.keep(keys.identities)
    staples.look()
    certificates = [_shown(settings, keys.identities, number, staples, now) for number in range(len(keys.identities))]
    return Report(
        config=str(path),
        library=_library(settings.tls.backend),
        plain=not settings.tls.required,
        certificates=certificates,
        remarks=list(_remarks(settings, keys.identities)),
        ok=not any(each.problems for each in certificates),
    )


def _shown(
    settings: config.SeccConfig, identities: Sequence[Identity], number: int, staples: Staples, now: datetime
) -> Shown:
    identity = identities[number]
    leaf = read(identity.chain[0])
    first = [each.generation for each in identities].index(identity.generation) == number
    backend = settings.tls.backend if identity.generation is Generation.ISO20 else Backend.OPENSSL
    found = limits(backend, identity.generation, station=True)
    return Shown(
        place=_place(settings, number),
        generation=STANDARDS[identity.generation],
        key=suite_of(leaf.key).name,
        in_secure_element=isinstance(identity.key, Path | TokenUri),
        subject=shown(leaf.common_name),
        root="" if identity.root is None else shown(read(identity.root).common_name),
        valid_until=f"{leaf.not_after:%Y-%m-%d %H:%M} UTC",
        days_left=(leaf.not_after - now).days,
        serves=_serves(identity, first=first),
        staple=_staple(staples, identity, settings.staples),
        staple_sources=list(_sources(settings.staples)),
        limits={each.key: " ".join([each.text, *(f"[{name}]" for name in each.requirements)]) for each in found},
        remarks=list(_doubts(settings, identity, now)),
        problems=list(_problems(identity)),
    )


def _library(backend: Backend) -> str:
    """Name what does TLS, with versions."""
    names = SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()
    if backend is Backend.OPENSSL:
        return names
    from v2g.tls._gnutls import version  # loads the library, which only who configured it needs

    return f"{names}, ISO 15118-20 by {version()}"


def _place(settings: config.SeccConfig, number: int) -> str:
    """Say where in secc.toml an identity stands."""
    listed = number - (len(settings.tls.identities) - len(settings.tls.identity))
    return "[tls]" if listed < 0 else f"[[tls.identity]] {listed + 1}"


def _serves(identity: Identity, *, first: bool) -> str:
    prescribed = PRESCRIBED[identity.generation]
    named = "trusted_ca_keys" if identity.generation is Generation.ISO2 else "certificate_authorities"
    whom = f"vehicles of {prescribed.version_name} that name its root ({named})"
    if identity.root is None:
        whom = f"vehicles of {prescribed.version_name} that name one of its CAs, or its root by name ({named})"
    if first:
        whom += ", and all that name none that is known here"
    return f"{whom}; they show a certificate of their own" if prescribed.mutual else whom


def _sources(settings: config.StapleSettings) -> Iterator[str]:
    if settings.folder is not None:
        yield f"the folder {settings.folder}"
    if settings.operator:
        yield "the operator, over MQTT"
    if settings.fetch:
        yield f"the responder the certificate names, if it is {' or '.join(settings.fetch)}"


def _staple(staples: Staples, identity: Identity, settings: config.StapleSettings) -> str:
    """Say what is stapled to the leaf now."""
    if identity.private:
        return "none: its root is a private operator's, who has no responder [V2G2-872]"
    if settings == config.StapleSettings():
        return "none: [staples] names no source"
    for subject, staple, why in staples.states():
        if subject.certificate.der != identity.chain[0]:
            continue
        if staple is not None:
            return f"{staple.said.standing.status}, until {staple.said.until:%Y-%m-%d %H:%M} UTC"
        return f"none yet: {why}"
    return "none: the issuer of the certificate is not known; add the Sub-CAs to the chain, or name its root"


def _doubts(settings: config.SeccConfig, identity: Identity, now: datetime) -> Iterator[str]:
    leaf = read(identity.chain[0])
    if (leaf.not_after - now).days < SOON_DAYS:
        yield f"it ends in {(leaf.not_after - now).days} days: renew it"
    if identity.root is None:
        yield "its root is not named: vehicles that name it by a hash are not recognised, and the chain is not judged"
    if identity.private:
        yield "its root signed it: vehicles trust it only if they were told of this root as a private operator's"
    elif settings.staples == config.StapleSettings():
        yield "nothing is stapled to it: vehicles that require a proof that it is not revoked leave"
    if identity.generation is Generation.ISO20 and not _speaks_second(settings):
        yield "no session of ISO 15118-20 is spoken here yet: such a vehicle is told so once TLS is up"


def _speaks_second(settings: config.SeccConfig) -> bool:
    return any("tls13" in each.transports for each in spoken.possible(settings).values())


def _problems(identity: Identity) -> Iterator[str]:
    """Judge the chain as a vehicle would that trusts its root, and nothing else."""
    if identity.root is None:
        return
    private = [identity.root] if identity.private else []
    party = RelyingParty([identity.root], editions=EDITIONS[identity.generation], private=private)
    verdict = party.verify(identity.chain, Role.SECC)
    if verdict.broken is not None:
        yield f"vehicles refuse it: {verdict.broken}: {verdict.detail}"


def _remarks(settings: config.SeccConfig, identities: Sequence[Identity]) -> Iterator[str]:
    served = {identity.generation for identity in identities}
    for generation, standard in STANDARDS.items():
        if generation not in served:
            yield f"vehicles of {standard} find no TLS here: there is no certificate of that edition"
    if not settings.tls.required:
        yield "plain TCP is served as well: sessions on it have no contract, and anybody may listen"
