"""The whole examination: reads what the sources hold, takes each certificate for what it is, asks every rule."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from pki.ancestry import issuers
from pki.certificate import Certificate, read
from pki.lint import second, single
from pki.lint.der import encoding
from pki.lint.finding import Finding, Place, Remark, Severity
from pki.lint.guess import Taken, answers, edition_of, likely, taken_for
from pki.lint.hubject import hubject
from pki.lint.links import Known, Register, link
from pki.lint.report import Described, Examined, Report
from pki.lint.rules import rule
from pki.lint.sequence import completed, sequence, trust, twins
from pki.lint.source import Source
from pki.options import DEFAULT, Options
from pki.overview import uncollected
from pki.profiles import Edition, Profile, profile, profiles
from pki.shown import printable, shown
from pki.validate import Policy

Progress = Callable[[Sequence[int]], Iterable[int]]
"""Passes on numbers of certificates, and tells how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked of the certificates; what is None is guessed from each.

    `anchors` and `private` (roots of private operators) are DER: with one of them chains are judged as peers would.
    """

    edition: Edition | None = None
    role: str | None = None
    options: Options = DEFAULT
    hubject: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    anchors: tuple[bytes, ...] = ()
    private: tuple[bytes, ...] = ()
    second: bool = True


@dataclass(slots=True, eq=False)
class _Seen:
    """The bytes of one certificate, wherever they lie."""

    der: bytes
    places: list[Place]
    certificate: Certificate | None
    failure: str
    taken: Taken | None = None
    known: Known | None = None


def lint(sources: Iterable[Source], demand: Demand, progress: Progress = iter) -> Report:
    """Judge the certificates of some sources; nothing is raised for what they hold, whatever it is.

    `progress` passes on the certificates while they are judged one by one, which takes longest. Raise ValueError for a
    role that the edition asked for does not have.
    """
    if demand.role is not None and not any(demand.role in profiles(edition) for edition in _editions(demand)):
        profile(demand.role, _editions(demand)[0])
    with uncollected():
        return _Examination(list(sources), demand).report(progress)


def _editions(demand: Demand) -> list[Edition]:
    return list(Edition) if demand.edition is None else [demand.edition]


class _Examination:
    """One run: what was seen, each once, and what was found."""

    def __init__(self, sources: Sequence[Source], demand: Demand) -> None:
        self.sources = sources
        self.demand = demand
        self.seen: dict[bytes, _Seen] = {}
        self.findings: list[Finding] = []
        self._likely: dict[bytes, frozenset[str]] = {}

    def report(self, progress: Progress) -> Report:
        for source in self.sources:
            self._look(source)
        self._relate()
        self._recognise()
        if not (self.demand.second and second.available()) and self.seen:
            place = Place(file=self.sources[0].name)
            self._tell(place, Remark("second-reader", "pyasn1 is not asked: one reader alone is believed"))
        every = list(self.seen.values())
        for number in progress(range(len(every))):
            self._one(every[number])
        known = [one.known for one in self.seen.values() if one.known is not None]
        self._links(known)
        for source in self.sources:
            self._source(source)
        return Report(examined=tuple(map(self._examined, self.sources)), findings=tuple(self._sorted()))

    def _look(self, source: Source) -> None:
        for number, piece in enumerate(source.pieces, start=1):
            place = Place(file=source.name, certificate=number, line=piece.line)
            if piece.der in self.seen:
                self.seen[piece.der].places.append(place)
                continue
            try:
                certificate, failure = read(piece.der), ""
            except ValueError as error:
                certificate, failure = None, str(error)
            self.seen[piece.der] = _Seen(piece.der, [place], certificate, failure)

    def _relate(self) -> None:
        """Find the issuer of each among the others."""
        readable = {one.der: one.certificate for one in self.seen.values() if one.certificate is not None}
        for der, certificate in readable.items():
            self.seen[der].known = Known(certificate, _label(certificate, self.seen[der].places[0]))
        for der, above in issuers(readable).items():
            known = self.seen[der].known
            if known is not None and above is not None:
                known.issuer = self.seen[above].known

    def _recognise(self) -> None:
        """Take each for a role, those first that issued nothing: what they are tells what their issuer is.

        A leaf is taken by what its issuer looks like, too: the shape of a CN is that of several identifiers.
        """
        every = [one for one in self.seen.values() if one.known is not None]
        signers = [one for one in every if one.certificate is not None and answers(one.certificate)]
        others = [one for one in every if one.certificate is not None and not answers(one.certificate)]
        issued: dict[bytes, set[str]] = defaultdict(set)
        waiting = Counter(_issuer(one) for one in others)
        ready = [one for one in others if not waiting[one.der]]
        while ready:
            one = ready.pop()
            role = self._take(one, issued[one.der])
            above = _issuer(one)
            issued[above].add(role)
            waiting[above] -= 1
            if above and not waiting[above]:
                ready.append(self.seen[above])
        for one in signers:
            self._take(one, ())

    def _take(self, one: _Seen, issued: Collection[str]) -> str:
        """Take a certificate for what it is; return its role."""
        if one.known is None:
            return ""
        one.taken = self._taken(one.known.certificate, issued, self._above(one.known.issuer))
        one.known.row = one.taken.row
        return one.taken.row.role if one.taken.row is not None else ""

    def _above(self, issuer: Known | None) -> Collection[str]:
        """Return the roles an issuer may have; that it was taken for, if it was."""
        if issuer is None:
            return ()
        if issuer.row is not None:
            return (issuer.row.role,)
        der = issuer.certificate.der
        if der not in self._likely:
            self._likely[der] = likely(issuer.certificate, self._edition(issuer.certificate), self.demand.options)
        return self._likely[der]

    def _edition(self, certificate: Certificate) -> Edition:
        return self.demand.edition or edition_of(certificate) or Edition.ISO2

    def _taken(self, certificate: Certificate, issued: Collection[str], issuer: Collection[str]) -> Taken:
        edition = self._edition(certificate)
        said = profiles(edition, self.demand.options).get(self.demand.role or "")
        if said is not None and (len(self.seen) == 1 or bool(certificate.ca) is said.ca):
            return Taken(said, "its role was named")
        return taken_for(certificate, edition, self.demand.options, issued=issued, issuer=issuer)

    def _one(self, one: _Seen) -> None:
        """Ask every rule for a single certificate."""
        remarks = list(encoding(one.der))
        if one.certificate is None:
            remarks.insert(0, Remark("unreadable", shown(one.failure, 300)))
        else:
            remarks += self._content(one.certificate, one.known.row if one.known else None)
        if self.demand.second and second.available():
            remarks += second.disagreements(one.der, one.certificate)
        for remark in remarks:
            self._tell(_joined(one), remark, one)

    def _content(self, certificate: Certificate, row: Profile | None) -> Iterator[Remark]:
        yield from single.dates(certificate, self.demand.at)
        yield from single.names(certificate)
        yield from single.key_identifiers(certificate, row)
        yield from single.serial(certificate, row)
        yield from single.extensions(certificate)
        if row is None:
            yield Remark("role-unknown", "it is not clear what it is for: its profile was not asked")
            return
        yield from single.profile(certificate, row)
        yield from single.lifetime(certificate, row)
        yield from single.size(certificate, row)
        yield from single.identifier(certificate, row)
        yield from single.usage(certificate, row)
        if self.demand.hubject:
            yield from hubject(certificate, row)

    def _links(self, known: list[Known]) -> None:
        register = Register(known)
        for one in known:
            for remark in link(one, register):
                self._tell_of(one, remark)
        for one, remark in twins(known):
            self._tell_of(one, remark)

    def _source(self, source: Source) -> None:
        for remark in source.remarks:
            self._tell(Place(file=source.name), remark)
        places, members = [], []
        for number, piece in enumerate(source.pieces, start=1):
            known = self.seen[piece.der].known
            if known is not None:
                places.append(Place(file=source.name, certificate=number, line=piece.line))
                members.append(known)
        remarks = list(sequence(members, served=source.chain))
        if self.demand.anchors or self.demand.private:
            policy = Policy(options=self.demand.options, private=self.demand.private)
            chain = members if source.chain or len(members) > 1 else completed(members)
            remarks += trust(chain, self.demand.anchors, self.demand.at, policy)
        for position, remark in remarks:
            if position < 0:
                self._tell(Place(file=source.name), remark, edition=members[0].row.edition if members[0].row else None)
            else:
                self._tell(places[position], remark, self.seen[members[position].certificate.der])

    def _tell_of(self, known: Known, remark: Remark) -> None:
        one = self.seen[known.certificate.der]
        self._tell(_joined(one), remark, one)

    def _tell(self, place: Place, remark: Remark, one: _Seen | None = None, edition: Edition | None = None) -> None:
        declared = rule(remark.rule)
        row = one.known.row if one is not None and one.known is not None else None
        judged = row.edition if row is not None else edition or self.demand.edition or Edition.ISO2
        self.findings.append(
            Finding(
                rule=declared.id,
                severity=declared.severity,
                place=replace(place, tier=row.tier if row is not None else "", field=remark.field),
                requirements=declared.cited(remark.text, second=judged.second),
                text=printable(remark.text),
                remedy=declared.remedy,
                sha256=hashlib.sha256(one.der).hexdigest() if one is not None else "",
            )
        )

    def _sorted(self) -> list[Finding]:
        """By file as given, then by certificate; in each the worst first."""
        order = {source.name: number for number, source in enumerate(self.sources)}
        severities = list(Severity)
        unique = dict.fromkeys(self.findings)
        return sorted(
            unique,
            key=lambda one: (order[one.place.file], one.place.certificate, severities.index(one.severity)),
        )

    def _examined(self, source: Source) -> Examined:
        described = [self._described(number, piece.der) for number, piece in enumerate(source.pieces, start=1)]
        return Examined(name=source.name, certificates=tuple(described))

    def _described(self, number: int, der: bytes) -> Described:
        one = self.seen[der]
        row = one.taken.row if one.taken is not None else None
        return Described(
            number=number,
            subject=_subject(one.certificate) if one.certificate is not None else "",
            role=row.role if row is not None else "",
            edition=row.edition if row is not None else "",
            why=one.taken.why if one.taken is not None else "",
            size=len(der),
            sha256=hashlib.sha256(der).hexdigest(),
            not_after=one.certificate.not_after if one.certificate is not None else None,
        )


def _issuer(one: _Seen) -> bytes:
    """Return the DER of a certificate's issuer, b"" if it is not here."""
    return one.known.issuer.certificate.der if one.known is not None and one.known.issuer is not None else b""


def _joined(one: _Seen) -> Place:
    first, *others = one.places
    also = tuple(str(place) for place in others)
    return Place(file=first.file, certificate=first.certificate, line=first.line, also=also)


def _label(certificate: Certificate, place: Place) -> str:
    return f"{shown(certificate.common_name) or 'no CN'} ({place})"


def _subject(certificate: Certificate) -> str:
    return shown(certificate.parsed.subject.rfc4514_string())
