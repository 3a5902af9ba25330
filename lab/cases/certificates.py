"""The certificates that testers need: right ones of a tree of `pki init`, and ones that are wrong in one point."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import credentials
from pki.credentials import Credential
from pki.issue import Issued, issue
from pki.keys import PrivateKey
from pki.profiles import Profile, Tier, profile
from pki.provisioning import ProvisioningService
from pki.store import Store
from pki.tree import Entry
from pki.validate import validate
from v2g.trust import Role, Verdict

DAYS = 30
NAMES = {Role.CONTRACT: "DEPCGC00000001V", Role.OEM_PROVISIONING: "PCGPLUGCHARGE0001"}
STRANGE_NAME = "DEXXXC99999999X"


class Certificates:
    """What a tester holds; `tree` is one that the system under test trusts, keys included."""

    def __init__(self, tree: Store) -> None:
        self._tree = tree

    def contract(self) -> Credential:
        """The contract of the tree."""
        return self._leaf(Role.CONTRACT)

    def vehicle(self) -> Credential:
        """What the vehicle's maker gave it."""
        return self._leaf(Role.OEM_PROVISIONING)

    def foreign(self) -> Credential:
        """A contract under a root that nobody knows."""
        return self.made(Role.CONTRACT, root=self._root(Role.CONTRACT))

    def made(
        self,
        role: Role,
        *,
        name: str | None = None,
        expired: Tier | None = None,
        root: Issued | None = None,
        country: str = "DE",
        domain: Profile | None = None,
    ) -> Credential:
        """A chain of its own below the tree's root, or another, with one thing wrong with it.

        `expired` is the tier that is over, `domain` the profile that the leaf really has.
        """
        row, branch = domain or profile(role), profile(role).branch
        above = root or self._tree.load(f"ca/{branch}/root")
        chain: list[bytes] = []
        for tier in (Tier.SUB1, Tier.SUB2):
            issuer, above = above, _issued(profile(f"{branch}-{tier}"), f"Tester {tier}", above)
            chain.insert(0, _outdated(above, issuer) if expired is tier else above.der)
        leaf = _issued(row, name or NAMES[role], above, country=country)
        return Credential([_outdated(leaf, above) if expired is Tier.LEAF else leaf.der, *chain], leaf.key)

    def operator(self) -> PrivateKey:
        """The key by which the mobility operator of the tree signs tariffs."""
        return self._tree.load("ca/mo/sub2").key

    def service(self) -> ProvisioningService:
        """The provisioning service of the tree."""
        return ProvisioningService(self._tree)

    def judge(self, chain: Sequence[bytes], role: Role) -> Verdict:
        """Judge a chain by all roots of the tree."""
        roots = sorted(self._tree.folder.glob("trust/*.pem"))
        return validate(chain, role, [anchor for file in roots for anchor in credentials.load_anchors(file)])

    def _leaf(self, role: Role) -> Credential:
        place = self._tree.folder / "leaf" / role / "car1"
        return credentials.load_credential(place / "chain.pem", place / "key.pem")

    def _root(self, role: Role) -> Issued:
        """A root of the same look as the tree's, with another key."""
        own = self._tree.load_certificate(f"ca/{profile(role).branch}/root")
        name = str(own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        return _issued(profile(f"{profile(role).branch}-root"), name, None)


def mixed(right: Credential, wrong: Credential, *places: int) -> list[bytes]:
    """A chain with the certificates at some places, the leaf's is 0, taken from another one."""
    return [wrong.chain[place] if place in places else der for place, der in enumerate(right.chain)]


def _issued(row: Profile, name: str, issuer: Issued | None, *, country: str = "DE") -> Issued:
    entry = Entry(profile=row, name=name, common_name=name, organization="Tester", country=country, days=row.days)
    return issue(entry, issuer, datetime.now(UTC))


def _outdated(right: Issued, issuer: Issued) -> bytes:
    """The same certificate, over since yesterday; the key is the same, so what it signed stays signed."""
    own, yesterday = right.certificate, datetime.now(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .serial_number(own.serial_number)
        .subject_name(own.subject)
        .issuer_name(own.issuer)
        .public_key(right.key.public_key())
        .not_valid_before(yesterday - timedelta(days=DAYS))
        .not_valid_after(yesterday)
    )
    for each in own.extensions:
        builder = builder.add_extension(each.value, critical=each.critical)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
