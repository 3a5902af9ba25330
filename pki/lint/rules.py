"""The rules of the linter, each declared once: its name, how bad it is to break it, what it means, what to do.

What a profile demands is decided by `pki.fit` and the table of `pki.profiles`: the rules "profile-..." only give it a
severity, the requirements and a remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pki.fit import Check
from pki.lint.finding import Severity

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE
_ID = re.compile(r"V2G(?:2|20)-\d+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `requirements` are those of both generations that it stands for."""

    id: str
    severity: Severity
    meaning: str
    remedy: str
    requirements: tuple[str, ...] = ()

    def cited(self, text: str, *, second: bool) -> tuple[str, ...]:
        """Return the requirements of one generation, and those a text names."""
        prefix = "V2G20-" if second else "V2G2-"
        own = (each for each in self.requirements if each.startswith(prefix))
        return tuple(dict.fromkeys((*own, *_ID.findall(text))))


# fmt: off
_PROFILE = (
    (Check.VERSION, "it is of version 3 of X.509", "issue it as X.509 v3: older ones have no extensions", "V2G2-884"),
    (Check.KEY, "the key is of the kind its edition has, P-256 in -2, P-521 or Ed448 in -20, and plainly written",
     "issue it anew for a key of that kind, or give --edition if it belongs to another",
     "V2G2-006 V2G20-2674 V2G20-2319"),
    (Check.ALGORITHM, "it is signed with the algorithm of its edition",
     "have its issuer sign with that algorithm", "V2G2-007 V2G20-2675"),
    (Check.COMMON_NAME, "the subject has one CN, which is the identifier its role has",
     "put that identifier into the CN, and only one CN", "V2G2-108 V2G2-933 V2G20-2589 V2G20-2598"),
    (Check.COUNTRY, "C is a country code of two letters", "write the code of ISO 3166-1, two letters", ""),
    (Check.COMPONENT, "the DC of the subject names the branch: V2G, CPO, MO, OEM or CPS",
     "put the DC of its role into the subject", "V2G2-925"),
    (Check.NAMES, "the subject has the parts its profile lists", "leave other parts out and put in what is missing",
     "V2G20-2589 V2G20-2598"),
    (Check.CONSTRAINTS, "basic constraints say whether it is a CA", "issue it with the basic constraints of its role",
     "V2G2-884"),
    (Check.PATH_LENGTH, "the path length is 1 in a Sub1 and 0 in a Sub2",
     "issue the CA with the path length of its tier",
     "V2G2-884 V2G20-911"),
    (Check.CONSTRAINTS_CRITICAL, "basic constraints are critical", "mark them critical", "V2G2-884"),
    (Check.USAGE, "the key usage has the bits its role needs, and none it must not have",
     "issue it with the key usage of its role", "V2G2-822 V2G20-822 V2G20-2590"),
    (Check.USAGE_CRITICAL, "key usage is critical", "mark it critical", "V2G2-884"),
    (Check.PURPOSE, "an extended key usage, where there is one, is that of the role",
     "leave the extended key usage out, or list the purpose of its role", "V2G20-2590"),
    (Check.EXTENSIONS, "it has no extension that its profile does not list",
     "leave the extension out: who follows the profile refuses it", "V2G20-2686"),
    (Check.ACCESS, "a contract of -20 says where its status is told",
     "add AIA with an OCSP responder, or a CRL address",
     "V2G20-2590"),
    (Check.SERIAL, "the serial number is positive and has at most 20 octets",
     "draw a random one of 63 to 159 bits", ""),
    (Check.SELF_SIGNED, "a root is signed with its own key", "sign it anew with its own key", ""),
    (Check.SIZE, "its DER has at most 800 bytes in -2 and 1,600 in -20",
     "shorten names and URLs, and leave out extensions its profile does not need", "V2G2-010"),
)

_CONTENT = (
    ("unreadable", _E, "the certificate can be read", "issue or export it anew; it is damaged or no certificate", ""),
    ("locked", _W, "a PKCS#12 file opens", "give its password with --password; or it is damaged", ""),
    ("role-unknown", _W, "its content tells what it is for", "name its role with --role", ""),
    ("private-key", _N, "the file holds certificates only",
     "keep private keys in files of their own; nothing was read of this one", ""),
    ("expired", _E, "it is still valid", "renew it, or set the clock with --at", "V2G2-910"),
    ("not-yet-valid", _E, "it is already valid", "wait, or check the clock of its issuer", "V2G2-910"),
    ("expires-soon", _W, "it is valid for 14 more days", "renew it now", ""),
    ("validity-order", _E, "its validity begins before it ends", "issue it with its dates in order", ""),
    ("lifetime", _N, "it is valid no longer than its row of the profile table says",
     "nothing, if its authority allows that; else issue it for a shorter time", "V2G2-011"),
    ("size-near", _N, "there is room left below the largest size",
     "keep names and URLs short: a longer one will not fit", "V2G2-010"),
    ("emaid-check", _W, "the check character of an EMAID is right",
     "`plugcharge pki id EMAID` computes it; most who read an EMAID ignore it", ""),
    ("emaid-form", _N, "an EMAID is written as on the wire: capitals, no separators",
     "write it in capitals without separators; who compares literally will not find it", "V2G2-108"),
    ("pcid", _W, "the CN of a provisioning certificate is a PCID", "put the PCID of the car into the CN", "V2G2-933"),
    ("station-name", _N, "the CN of a station is an EVSEID or a SECCID",
     "put the EVSEID (-2) or SECCID (-20) there", ""),
    ("name-hidden", _W, "names hold no characters that cannot be seen, nor blanks at an end",
     "write the name without them: it is compared byte by byte", ""),
    ("key-id-missing", _W, "it has a subject key identifier", "add one, the SHA-1 of the key bits", ""),
    ("authority-id-missing", _W, "it says which key of its issuer signed it",
     "add an authority key identifier: several roots may share a name", "V2G2-878"),
    ("key-id-method", _N, "the key identifier follows from the key by a method of RFC 5280",
     "nothing, if its issuer made it so on purpose", ""),
    ("key-id-delivery", _N, "the key identifier of a contract of -20 has 8 octets",
     "issue it with an 8-octet identifier: it enters what protects the delivery", "V2G20-2492"),
    ("serial-short", _W, "the serial number is random",
     "draw at least 63 random bits: constants meet those of others", ""),
    ("serial-long", _N, "the serial number of a root fits old EXI codecs, which carry 63 bits",
     "nothing, unless old peers list roots; else serial_bits = 63", ""),
    ("usage-extra", _N, "the key usage has only the bits of its row", "leave the others out", ""),
    ("purpose-iso2", _N, "profiles of -2 have no extended key usage", "nothing, or leave it out: it is accepted", ""),
    ("alternative-name", _W, "identifiers stand in the CN", "leave the subject alternative name out", ""),
    ("critical-refused", _W, "no extension is critical that OpenSSL refuses",
     "leave AKI, SKI and AIA not critical, as RFC 5280 has them", ""),
    ("url-form", _W, "addresses of OCSP responders and CRLs begin with http://",
     "write an http:// address: https needs what it is to prove", ""),
    ("key-compressed", _W, "the public key is an uncompressed point", "issue it for the key in its long form",
     "V2G2-819"),
)

_HUBJECT = (
    ("hubject-component", _E, "a SECC leaf has DC=CPO", "ask for it with DC=CPO in the CSR", ""),
    ("hubject-organization", _E, "a SECC leaf names its operator in O",
     "put the operator's name into O of the CSR", ""),
    ("hubject-country", _E, "a SECC leaf names the country in C", "put the operator's country into C of the CSR", ""),
    ("hubject-seccid", _E, "the CN of a SECC leaf of -20 is a SECCID of 39 to 64 characters",
     "put the SECCID into the CN of the CSR", ""),
    ("hubject-emaid", _W, "the CN of a contract is the EMAID of 14 characters",
     "leave check character and separators out", ""),
    ("hubject-pcid", _W, "the CN of a provisioning certificate has 17 or 18 letters and digits",
     "put the PCID into the CN, without separators", ""),
)

_CHAIN = (
    ("chain-order", _E, "a chain is the leaf, then each issuer in turn",
     "write leaf, Sub2, Sub1, without the root", ""),
    ("chain-gap", _E, "each certificate of a chain issued the one before, up to the one a root issued",
     "add what is missing, and take out what does not belong there", ""),
    ("chain-root", _W, "a chain is sent without its root", "take it out: the other side trusts its own copy or none",
     "V2G2-009"),
    ("chain-twice", _E, "no certificate stands in a file twice", "take one out", ""),
    ("chain-depth", _E, "at most three certificates hang below the root, four with a cross certificate",
     "leave a tier out", "V2G2-009 V2G20-1003"),
    ("chain-signature", _E, "the issuer signed it", "take the issuer that signed it, or issue it anew", "V2G2-885"),
    ("chain-name", _E, "the issuer's name is written byte for byte as in the issuer's certificate",
     "issue it with the subject of its issuer as it is, string types included", "V2G2-885"),
    ("chain-key-id", _E, "the authority key identifier is the subject key identifier of the issuer",
     "issue it with the key identifier of its issuer", ""),
    ("chain-path-length", _E, "no more CAs follow than the path length allows",
     "issue the CA with a larger path length",
     "V2G2-885"),
    ("chain-issuer", _E, "the issuer is one that may issue this role", "have it issued by the Sub2 of its branch",
     "V2G2-925 V2G2-867 V2G2-868 V2G20-2329 V2G20-2331"),
    ("chain-curves", _E, "all keys of a chain are of one kind", "issue the chain in one edition",
     "V2G2-006 V2G20-2674"),
    ("chain-nesting", _W, "nothing is valid longer than its issuer",
     "issue it for a shorter time, or renew its issuer", ""),
    ("chain-trust", _E, "the chain holds against the trust anchors given", "see what the text names",
     "V2G2-885 V2G2-925"),
    ("serial-twice", _E, "no issuer uses a serial number twice", "draw serial numbers at random", ""),
    ("twin-roots", _N, "roots of one name are told apart by their keys",
     "nothing, if both are meant: try every root, not the first of the name", "V2G2-878"),
)

_DER = (
    ("der-truncated", _E, "every length ends within what holds it", "export it anew: bytes are missing"),
    ("der-trailing", _E, "nothing follows the certificate", "cut off what follows"),
    ("der-nesting", _E, "nothing is nested deeper than certificates need", "refuse it: it is made to harm readers"),
    ("der-indefinite", _E, "lengths are definite", "encode it as DER"),
    ("der-length", _E, "lengths are as short as they can be", "encode it as DER"),
    ("der-tag", _E, "tags have the short form", "encode it as DER"),
    ("der-constructed", _E, "strings are of one piece", "encode it as DER"),
    ("der-integer", _E, "integers have no superfluous octets", "encode it as DER"),
    ("der-boolean", _E, "TRUE is FF", "encode it as DER"),
    ("der-oid", _E, "object identifiers are as short as they can be", "encode it as DER"),
    ("der-unused-bits", _E, "bit strings end where their last bit does, unused bits are 0", "encode it as DER"),
    ("der-default", _E, "values that are the default are left out", "encode it as DER"),
    ("der-set-order", _E, "sets are sorted", "encode it as DER"),
    ("der-time", _E, "times are UTCTime before 2050, GeneralizedTime after, with seconds and Z", "write them so"),
    ("der-string-content", _E, "strings hold what their type allows", "use UTF8String"),
    ("der-string-type", _W, "names are UTF8String or PrintableString, DC is IA5String, C PrintableString",
     "issue it with those types: others are compared and shown differently"),
    ("der-algorithm", _E, "the algorithm is the same inside and outside what is signed", "sign it anew"),
    ("der-parameters", _E, "ECDSA and Ed448 have no parameters", "leave the NULL out"),
    ("second-reader", _N, "a second reader looks at the same bytes", "pip install 'plugcharge[lab]'"),
    ("parsers-disagree", _E, "two readers that share no code see the same",
     "do not use it: one of those who read it will be deceived"),
)
# fmt: on


def _declared() -> Iterator[Rule]:
    for check, meaning, remedy, ids in _PROFILE:
        yield Rule(f"profile-{check}", Severity.ERROR, meaning, remedy, tuple(ids.split()))
    for name, severity, meaning, remedy, ids in (*_CONTENT, *_HUBJECT, *_CHAIN):
        yield Rule(name, severity, meaning, remedy, tuple(ids.split()))
    for name, severity, meaning, remedy in _DER:
        yield Rule(name, severity, meaning, remedy)


RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _declared()})
"""Every rule by its name, in the order they are told."""


def rule(name: str) -> Rule:
    """Return a rule by its name; raise ValueError for one that does not exist."""
    if name not in RULES:
        raise ValueError(f"there is no rule {name!r}; `plugcharge pki lint --list` names them")
    return RULES[name]
