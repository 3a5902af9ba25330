"""What the references leave open about certificates, each question named once, with our answer and where it is from.

The letters are how sure the answer is: (?) nothing free settles it, (IDX) a secondary source alone says so. Everybody
who reads the profile table, issuer, validator and linter, reads it with the same options.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from v2g.record import Record

Identifier = Literal["authority-key", "subject-key", "authority-access", "crl-points"]
"""An extension of -20 that may be critical."""


class Options(Record, forbid_unknown_fields=True):
    """Answers for one tree, or for one relying party."""

    serial_bits: Annotated[int, msgspec.Meta(ge=63, le=159)] = 159
    """Length of a random serial number: 159 is what X.509 allows, 63 what old EXI codecs carry in a list of roots."""

    purposes_iso2: bool = False
    """Issue an extended key usage in -2. No open profile has one, commercial authorities do; both are accepted."""

    purpose_secc: bool = True
    """Issue serverAuth in SECC leaves of -20. (?)"""

    purpose_vehicle: bool = True
    """Issue clientAuth in vehicle leaves: belongs to their profile, recommended. (?)"""

    strict: bool = False
    """Refuse what only a profile forbids: the serverAuth of a contract in -2, names beyond CN and O in one of -20."""

    secc_component: bool = True
    """Demand DC=CPO of SECC leaves in -20, as CharIN's profile has it. (?)"""

    sub_component: bool = True
    """Demand the DC of their branch of Sub-CAs of -20 below a root of another, as in -2: without it whoever runs one
    branch below a V2G root could issue for all of them. (?)"""

    known_extensions: bool = True
    """Refuse extensions that a profile of -20 does not list [V2G20-2686]. (IDX)"""

    critical: tuple[Identifier, ...] = ()
    """Extensions issued as critical in -20. One peer says they may be, and OpenSSL refuses three of them. (IDX)"""

    contract_key_id_bytes: Literal[8, 20] = 8
    """Octets of the subject key identifier of -20 contracts, part of what protects their delivery [V2G20-2492]. (?)"""

    dual_curve: bool = False
    """Put a second key, on X448, into provisioning certificates of -20 with P-521. (?)"""

    alternative_key_oid: str = "2.5.29.72"
    """The extension of that second key: subjectAltPublicKeyInfo of X.509 2019. (?)"""

    private_component: Literal["V2G", ""] = "V2G"
    """The DC of a private operator's root. (?)"""

    private_path_length: Literal[0] | None = 0
    """The path length of a private operator's root, which signs leaves itself [V2G2-868]. (?)"""

    cross_path_length: int | None = None
    """The path length of a cross certificate between V2G roots [V2G20-1003]. (?)"""

    ocsp_days: Annotated[int, msgspec.Meta(ge=1, le=36_525)] = 30
    """How long the signer of OCSP responses is valid. (?)"""

    ocsp_nocheck: bool = True
    """Mark that signer as one whose own revocation nobody asks for (id-pkix-ocsp-nocheck). (?)"""

    leaf_days_iso20: Annotated[int, msgspec.Meta(ge=1, le=36_525)] = 730
    """How long leaves of -20 are valid, but for vehicles. (?)"""

    vehicle_days: Annotated[int, msgspec.Meta(ge=1, le=36_525)] = 1826
    """How long vehicle leaves are valid: five years. (?)"""

    sub_days_iso20: Annotated[int, msgspec.Meta(ge=1, le=36_525)] = 4383
    """How long Sub-CAs of -20 are valid: twelve years. (?)"""


DEFAULT = Options()
