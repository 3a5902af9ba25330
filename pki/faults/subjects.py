"""Names that are wrong, unusual, or somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from cryptography.x509.oid import NameOID

from pki.faults import der
from pki.faults.draft import Draft, Part
from pki.faults.fault import FIRST, LEAF, SECOND, Fault
from pki.faults.making import Making
from pki.faults.path import Lacking
from pki.profiles import Tier
from v2g import identifiers
from v2g.trust import Role, Rule

_CN, _DC = NameOID.COMMON_NAME, NameOID.DOMAIN_COMPONENT
_MO, _OEM = Role.CONTRACT, Role.OEM_PROVISIONING
_BRANCH = ("V2G2-925",)
_OTHER_DC: Mapping[Role, str] = MappingProxyType(
    {Role.SECC: "CPS", Role.CONTRACT: "OEM", Role.OEM_PROVISIONING: "MO", Role.CPS: "CPO", Role.VEHICLE: "OEM"}
)
_SUB_DC: Mapping[Role, str] = MappingProxyType(dict.fromkeys(Role, "MO") | {Role.CONTRACT: "OEM"})
_EMAIDS = ("V2G2-108",)
Change = Callable[[Draft, Making], Draft]


def _text(draft: Draft) -> str:
    """The CN, which is an EMAID of 14 or 15 characters or another text."""
    return next((each.content.decode() for each in draft.subject if each.oid == _CN), "")


def _called(name: Callable[[str], str]) -> Change:
    return lambda draft, _: draft.named(_CN, name(_text(draft)))


def _wrong_dc(draft: Draft, making: Making) -> Draft:
    wrong = (_OTHER_DC if making.tier is Tier.LEAF else _SUB_DC)[making.role]
    return draft.named(_DC, wrong)


def _two_dc(draft: Draft, making: Making) -> Draft:
    return draft.named(_DC, making.row.dc or "OEM", _OTHER_DC[making.role])


def _no_dc(draft: Draft, making: Making) -> Draft:
    """Leave out what a V2G root would ask for."""
    if making.path.certificate(Tier.ROOT).subject.get_attributes_for_oid(_DC)[0].value == "V2G":
        raise Lacking(f"{making.path.place(Tier.LEAF)} hangs under a V2G root, below which there has to be a DC")
    return draft.named(_DC)


def _bmp(draft: Draft, _making: Making) -> Draft:
    return draft.with_parts(_CN, [Part(_CN, der.BMP, _text(draft).encode("utf-16-be"))])


def _two_cn(draft: Draft, _making: Making) -> Draft:
    return draft.named(_CN, _text(draft), "somebody else")


def _other_account(text: str) -> str:
    """Another EMAID of the same provider, its check character right."""
    instance = "C99999999" if text[5:14] != "C99999999" else "C99999998"
    return (short := text[:5] + instance) + identifiers.check_character(short)


def _bad_check(text: str) -> str:
    right = identifiers.check_character(text[:14])
    return text[:14] + ("0" if right != "0" else "1")


def _other_issuer(draft: Draft, making: Making) -> Draft:
    return replace(draft, issuer=Draft.of(making.path.certificate(Tier.SUB2)).named(_CN, "Another CA").name)


FAULTS = (
    Fault(
        name="wrong-dc",
        reason="its DC is that of another branch",
        requirement=_BRANCH,
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF, Tier.SUB2),
        aliases={(_OEM, Tier.LEAF): ("CRT_OEM_LEAF_INVALID_CONTENT",)},
        draft=_wrong_dc,
    ),
    Fault(
        name="missing-dc",
        reason="it has no DC",
        requirement=_BRANCH,
        rule=Rule.PROFILE,
        tiers=LEAF,
        roles=(Role.SECC, Role.CPS),
        draft=lambda draft, _: draft.named(_DC),
    ),
    Fault(
        name="missing-dc",
        reason="it has no DC, which its own root does not ask for",
        requirement=_BRANCH,
        rule=None,
        tiers=LEAF,
        roles=(_MO, _OEM),
        editions=FIRST,
        draft=_no_dc,
    ),
    Fault(
        name="two-dc",
        reason="it claims two branches",
        requirement=_BRANCH,
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=_two_dc,
    ),
    Fault(
        name="lower-case-dc",
        reason="its DC is in lower case",
        requirement=_BRANCH,
        rule=Rule.PROFILE,
        tiers=LEAF,
        roles=(Role.SECC, Role.CPS),
        draft=lambda draft, making: draft.named(_DC, making.row.dc.lower()),
    ),
    Fault(
        name="no-cn",
        reason="it has no CN",
        requirement=("V2G2-884", *_EMAIDS),
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=lambda draft, _: draft.named(_CN),
    ),
    Fault(
        name="empty-cn",
        reason="its CN is empty",
        requirement=("V2G2-884", *_EMAIDS),
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=lambda draft, _: draft.named(_CN, ""),
    ),
    Fault(
        name="two-cn",
        reason="it has two CN",
        requirement=("V2G2-884", *_EMAIDS),
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=_two_cn,
    ),
    Fault(
        name="bmp-cn",
        reason="its CN is a BMPString, an old type that nobody issues and everybody has to read",
        requirement=("RFC 5280 4.1.2.4",),
        rule=None,
        tiers=LEAF,
        draft=_bmp,
    ),
    Fault(
        name="three-letter-country",
        reason="its C has three letters",
        requirement=("RFC 5280 A.1",),
        rule=Rule.PROFILE,
        tiers=LEAF,
        editions=FIRST,
        aliases={(_MO, Tier.LEAF): ("CRT_CONTRACT_LEAF_INVALID_CONTENT",)},
        draft=lambda draft, _: draft.named(NameOID.COUNTRY_NAME, "DEU"),
    ),
    Fault(
        name="country",
        reason="its name has a C beside CN and O",
        requirement=("V2G20-2598",),
        rule=Rule.PROFILE,
        tiers=LEAF,
        roles=(Role.VEHICLE,),
        editions=SECOND,
        draft=lambda draft, _: draft.named(NameOID.COUNTRY_NAME, "DE"),
    ),
    Fault(
        name="no-o",
        reason="its name has no O",
        requirement=("V2G20-2589", "V2G20-2598"),
        rule=Rule.PROFILE,
        tiers=LEAF,
        roles=(_MO, Role.VEHICLE),
        editions=SECOND,
        draft=lambda draft, _: draft.named(NameOID.ORGANIZATION_NAME),
    ),
    Fault(
        name="other-issuer-name",
        reason="it names another issuer than the one that signed it",
        requirement=("RFC 5280 6.1.3",),
        rule=Rule.ORDER,
        tiers=LEAF,
        draft=_other_issuer,
    ),
    Fault(
        name="wrong-emaid",
        reason="its EMAID is another than the one in the request",
        requirement=_EMAIDS,
        rule=None,
        tiers=LEAF,
        roles=(_MO,),
        editions=FIRST,
        aliases={(_MO, Tier.LEAF): ("CRT_CONTRACT_LEAF_WRONG_EMAID",)},
        codes={_MO: "FAILED_CertChainError"},
        other_name=True,
        draft=_called(_other_account),
    ),
    Fault(
        name="invalid-emaid",
        reason="its CN is no EMAID",
        requirement=_EMAIDS,
        rule=Rule.PROFILE,
        tiers=LEAF,
        roles=(_MO,),
        aliases={(_MO, Tier.LEAF): ("CRT_CONTRACT_LEAF_INVALID_EMAID",)},
        draft=_called(lambda text: f"{text[:5]}!{text[6:]}"),
    ),
    Fault(
        name="bad-check-digit",
        reason="the check character of its EMAID is wrong: so it is in half of the field, and nobody may refuse it",
        requirement=_EMAIDS,
        rule=None,
        tiers=LEAF,
        roles=(_MO,),
        draft=_called(_bad_check),
    ),
    Fault(
        name="lower-case-emaid",
        reason="its EMAID is in lower case, which is the same one",
        requirement=_EMAIDS,
        rule=None,
        tiers=LEAF,
        roles=(_MO,),
        draft=_called(str.lower),
    ),
    Fault(
        name="separated-emaid",
        reason="its EMAID has separators, which do not count",
        requirement=_EMAIDS,
        rule=None,
        tiers=LEAF,
        roles=(_MO,),
        draft=_called(lambda text: f"{text[:2]}-{text[2:5]}-{text[5:14]}-{text[14:]}".rstrip("-")),
    ),
    *(
        Fault(
            name="unknown-pcid",
            reason="its PCID belongs to no account",
            requirement=("V2G2-933",),
            rule=None,
            tiers=LEAF,
            roles=(_OEM,),
            editions=editions,
            codes={_OEM: code},
            draft=_called(lambda text: "XXX" + text[3:]),
        )
        for editions, code in (
            (FIRST, "FAILED_NoCertificateAvailable"),
            (SECOND, "WARNING_NoContractMatchingPCIDFound"),
        )
    ),
)
