"""The page `docs/pki-break.md`, written from the catalogue: `python -m tests.pki.faults.page > docs/pki-break.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pki.faults import encodings, evidence, extensions, keys, paths, subjects, times
from pki.faults.catalogue import Variant, variants
from pki.faults.fault import EDITIONS, FIRST, ROLES, SECOND, Fault
from pki.faults.reaction import expected
from pki.profiles import Edition
from v2g.trust import Role

HEAD = """# Certificates that are wrong on purpose

`plugcharge pki break VARIANT...` makes chains that are as a tree issues them but for one fault, and says what whoever
trusts has to do about each. They are signed with the keys of the tree, so its anchors fit.

```sh
plugcharge pki break --list                                  # every variant, one per line; --json says what to expect
plugcharge pki break contract-leaf-expired secc-twin-root    # into certs/out/iso2/broken/<variant>/
plugcharge pki break CRT_CONTRACT_LEAF_EXPIRED               # by the name that ISO 15118-4 has for it
plugcharge pki break --all --tree certs/out/iso20 --out lab
```

What is there already is made anew. `variants = ["contract-leaf-expired"]` in a tree of pki.toml has `pki init` make
them; those of the last three days stay, if no CA above them was renewed.

## What lies in a folder

| File          | What it is                                                                              |
|---------------|-----------------------------------------------------------------------------------------|
| `chain.pem`   | what is sent, the leaf first; a block may hold what is no certificate                   |
| `cert.der`    | the first of it                                                                         |
| `key.pem`     | the key of the leaf, readable by its owner alone                                        |
| `anchors.pem` | what whoever trusts has to trust: the root of the tree, unless the root is the fault    |
| `evidence/`   | a revocation list, an OCSP response; for `[trust] evidence` of secc.toml and evcc.toml  |
| `expect.json` | what it is, why, the requirement, and the reaction that has to follow                   |

In expect.json, `variant` is the name, and `role`, `edition`, `tier` and `fault` are its parts; `reason` says what is
wrong and `requirement` what forbids it. `expected` says who reacts (`by`), in which `message`, with which response
`code` or `tls_alert`, and which `rule` at which `tier` is broken. `accepted` is true where nothing may be held against
it. `emaid` is what a PaymentDetailsReq says beside the chain. `revocation` is what whoever trusts asks: `soft`, or
`hard`: that of the leaf it has to be known. `made` is when it was made: some are what they are for a few days only.
`alias` are the names that ISO 15118-4 has for it, `files` what lies in the folder, by which a test system may tell
that it is complete. `above` is the SHA-256 of the CAs above the leaf: with another one, the tree was made anew since.
`played` is `now` where the tests play it against our own SECC, EVCC or provisioning service over real connections,
`later` where they only judge it.

Variants are called `<role>-<tier>-<fault>`, or `<role>-<fault>` for those of a chain as a whole. Every one of ISO
15118-2 is played against our own SECC, EVCC and provisioning service over real connections by the tests; those of ISO
15118-20 are judged by `pki.validate` so far. Alerts are those of RFC 8446; a TLS library that cannot read a certificate
may say decode_error of it instead. Codes of ISO 15118-20 rest on one source (unverified).

In ISO 15118-2 a vehicle sends its provisioning certificate alone. What is wrong above it the provisioning service has
to know, and chains that are sent wrongly are none of its variants.
"""
THEMES = {
    "Times and signatures": times.FAULTS,
    "Keys": keys.FAULTS,
    "Names": subjects.FAULTS,
    "Extensions": extensions.FAULTS,
    "Encodings": encodings.FAULTS,
    "Chains": paths.FAULTS,
    "Revocation": evidence.FAULTS,
}
ROW = "| {} | {} | {} | {} | {} | {} |"


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield HEAD
    numbers = ", ".join(f"{len(variants(edition))} of {edition}" for edition in (Edition.ISO2, *SECOND))
    yield f"## The catalogue\n\nThere are {numbers}. Answers are to a contract, alerts to a station or vehicle.\n"
    for theme, faults in THEMES.items():
        yield f"### {theme}\n"
        yield ROW.format("Fault", "What is wrong", "At", "Of", "Rule", "Answer in -2, or -20; alert")
        yield ROW.format(*["---"] * 6)
        for fault in faults:
            yield ROW.format(
                f"`{fault.name}`", fault.reason, _tiers(fault), _of(fault), fault.rule or "none", _answer(fault)
            )
        yield ""
    yield "### Names of ISO 15118-4\n"
    yield "| Name | Variant |\n| --- | --- |"
    for variant in variants(Edition.ISO2).values():
        for alias in variant.aliases:
            yield f"| {alias} | `{variant.name}` |"


def _tiers(fault: Fault) -> str:
    return ", ".join(fault.tiers) or "chain"


def _of(fault: Fault) -> str:
    roles = "" if fault.roles == ROLES else ", ".join(fault.roles)
    generations = [name for name, editions in (("-2", FIRST), ("-20", SECOND)) if set(editions) & set(fault.editions)]
    whole = set(fault.editions) == set(EDITIONS)
    return ", ".join(filter(None, [roles or "all", "" if whole else " and ".join(generations)]))


def _answer(fault: Fault) -> str:
    """What has to follow at the first tier: codes where a contract is wrong, else those of provisioning, and alerts."""
    told: dict[tuple[Role, Edition], str] = {}
    for role in (Role.CONTRACT, Role.OEM_PROVISIONING, Role.SECC, Role.VEHICLE):
        for edition in (Edition.ISO2, Edition.ISO20):
            if role in fault.roles and edition in fault.editions and not (role is Role.VEHICLE and edition in FIRST):
                tier = fault.tiers[0] if fault.tiers else None
                reaction = expected(Variant("", role, edition, tier, fault))
                told[role, edition] = reaction.code or reaction.tls_alert
    coded = Role.CONTRACT if Role.CONTRACT in fault.roles else Role.OEM_PROVISIONING
    codes = [told.get((coded, edition), "") for edition in (Edition.ISO2, Edition.ISO20)]
    alerts = [told.get((role, Edition.ISO20)) or told.get((role, Edition.ISO2)) for role in (Role.SECC, Role.VEHICLE)]
    words = [*dict.fromkeys(filter(None, codes)), *dict.fromkeys(filter(None, alerts))]
    return ", ".join(words) or "accepted"


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
