"""Mobility operator and provisioning service (CPS) of one tree: who has which contract, who issues and who signs.

The tree says who is known: a provisioning certificate `leaf/oem-provisioning/<id>` has the account of
`leaf/contract/<id>`. Each contract is a new key and a new certificate, signed by the MO's Sub2; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pki import credentials
from pki.contract.chain import common_name
from pki.credentials import Credential
from pki.issue import Issued, issue
from pki.keys import ED448, suite_of
from pki.options import DEFAULT, Options
from pki.profiles import Edition, Tier, profile
from pki.store import Store
from pki.tree import Entry, Urls
from pki.validate import Policy, Revocation, validate
from v2g import identifiers
from v2g.keywrap import ed448_secret
from v2g.trust import Role, Verdict

ISSUER = "ca/mo/sub2"


class Operator:
    """What a tree holds for contracts. It has the keys of MO and CPS, so it is for laboratories."""

    def __init__(
        self,
        tree: Store,
        *,
        days: int | None = None,
        options: Options = DEFAULT,
        revocation: Revocation | None = None,
    ) -> None:
        """Read what is needed of the tree; raises ValueError naming what is missing.

        `days` is how long the contracts it makes are valid; None is what their profile has. `revocation` knows which
        vehicles and contracts get nothing.
        """
        self.options = options
        self._revocation = revocation
        self._issuer = _issuer(tree)
        self.edition = edition_of(self._issuer.key)
        self._subs = {branch: _subs(tree, branch) for branch in ("mo", "oem")}
        self.anchors = [
            der for file in sorted(tree.folder.glob("trust/*.pem")) for der in credentials.load_anchors(file)
        ]
        self._days = profile(Role.CONTRACT, self.edition, options).days if days is None else days
        self._accounts = _accounts(tree)
        self._urls = _urls(tree)
        self.provider = _provider(tree)

    def account(self, pcid: str) -> str | None:
        """Tell the EMAID of the vehicle that a PCID names; None where it has none."""
        return self._accounts.get(pcid.upper())

    def knows(self, emaid: str) -> bool:
        """Tell whether there is such a contract."""
        return any(identifiers.same_emaid(emaid, known) for known in self._accounts.values())

    def completed(self, leaf: bytes) -> list[bytes]:
        """Return a provisioning certificate with the Sub-CAs of its branch."""
        return [leaf, *self._subs["oem"]]

    def judge(self, chain: Sequence[bytes], role: Role, at: datetime | None = None) -> Verdict:
        """Judge a chain by the anchors of the tree."""
        policy = Policy(editions=(self.edition,), options=self.options, revocation=self._revocation)
        return validate(chain, role, self.anchors, at, policy)

    def new_contract(self, emaid: str, at: datetime | None = None) -> Credential:
        """Make a certificate with a new key for an account; raises ValueError for what is no EMAID."""
        above = _entry(self._issuer.certificate, f"mo-{Tier.SUB2}", self.edition, self.options)
        account = identifiers.emaid(emaid)
        entry = Entry(
            profile=profile(Role.CONTRACT, self.edition, self.options),
            name=account,
            common_name=account,
            organization=above.organization,
            country=above.country,
            days=self._days,
            issuer=above,
            urls=self._urls,
        )
        key = ed448_secret.generate() if entry.profile.suite is ED448 else None
        issued = issue(entry, self._issuer, at or datetime.now(UTC), key=key)
        return Credential([issued.der, *self._subs["mo"]], issued.key)


def edition_of(key: object) -> Edition:
    """Tell the edition whose certificates have keys of this kind."""
    kinds = {"P-256": Edition.ISO2, "P-521": Edition.ISO20, ED448.name: Edition.ISO20_ED448}
    return kinds[suite_of(key).name]


def _entry(certificate: x509.Certificate, role: str, edition: Edition, options: Options) -> Entry:
    """What a CA would be declared as."""
    names = {part.oid: str(part.value) for part in certificate.subject}
    row = profile(role, edition, options)
    return Entry(
        profile=row,
        name=Tier.SUB2,
        common_name=names.get(NameOID.COMMON_NAME, ""),
        organization=names.get(NameOID.ORGANIZATION_NAME, "test"),
        country=names.get(NameOID.COUNTRY_NAME, "DE"),
        days=row.days,
    )


def _issuer(tree: Store) -> Issued:
    """The MO's Sub2 with its key."""
    if ISSUER not in tree.places():
        raise ValueError(f"{tree.folder}: has no {ISSUER}; `plugcharge pki init` makes a tree that has one")
    return tree.load(ISSUER)


def _subs(tree: Store, branch: str) -> list[bytes]:
    """The Sub-CAs of a branch, Sub2 first."""
    places = [f"ca/{branch}/{Tier.SUB2}", f"ca/{branch}/{Tier.SUB1}"]
    there = [tree.load_certificate(place) for place in places if tree.certificate(place).exists()]
    return [certificate.public_bytes(Encoding.DER) for certificate in there]


def _leaves(tree: Store, role: Role) -> dict[str, str]:
    """The places of the leaves of a role, by id."""
    places = [place for place in tree.places() if place.startswith(f"leaf/{role}/")]
    return {place.rpartition("/")[2]: place for place in places}


def _accounts(tree: Store) -> dict[str, str]:
    """The EMAID of each PCID: of the leaves that share an id."""

    def named(place: str) -> str:
        return common_name(tree.load_certificate(place).public_bytes(Encoding.DER))

    vehicles, contracts = _leaves(tree, Role.OEM_PROVISIONING), _leaves(tree, Role.CONTRACT)
    return {
        named(vehicles[name]).upper(): identifiers.emaid(named(contracts[name]))
        for name in vehicles
        if name in contracts
    }


def _urls(tree: Store) -> Urls:
    """Where the contracts of the tree say their status is told."""
    for place in _leaves(tree, Role.CONTRACT).values():
        return _urls_of(tree.load_certificate(place).extensions)
    return Urls()


def _urls_of(extensions: x509.Extensions) -> Urls:
    found = {"ocsp": "", "crl": ""}
    for extension in extensions:
        match extension.value:
            case x509.AuthorityInformationAccess() as access:
                told = (each for each in access if each.access_method == AuthorityInformationAccessOID.OCSP)
                found["ocsp"] = next((str(each.access_location.value) for each in told), "")
            case x509.CRLDistributionPoints() as points:
                names = (name for point in points for name in point.full_name or ())
                found["crl"] = next((str(name.value) for name in names), "")
    return Urls(**found)


def _provider(tree: Store) -> Credential:
    """Chain and key of the CPS, the first one of the tree."""
    places = list(_leaves(tree, Role.CPS).values())
    if not places:
        raise ValueError(
            f"{tree.folder}: has no {Role.CPS} leaf; declare one in pki.toml and run `plugcharge pki init`"
        )
    return credentials.load_credential(tree.chain(places[0]), tree.key(places[0]))
