"""What has to follow a variant: which message with which code, which TLS alert, or which rule a vehicle must name.

Transcribed from the standards as free sources tell them, and not from what our own SECC and EVCC do: those are played
against it. Codes of -20 rest on one source (unverified).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pki.faults.catalogue import Variant
from pki.profiles import Tier
from v2g.record import Record
from v2g.trust import Role, Rule


class Expected(Record):
    """The reaction: who shows it and how. `code` is a response code of `message`, `tls_alert` a name of RFC 8446.

    `rule` and `tier` are what `pki.validate` says; both are empty where the chain holds.
    """

    by: Literal["secc", "evcc"]
    message: str
    code: str = ""
    tls_alert: str = ""
    rule: str = ""
    tier: str = ""


_TIMES = (Rule.EXPIRED, Rule.NOT_YET_VALID)
_ALERTS: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.EXPIRED: "certificate_expired",
        Rule.NOT_YET_VALID: "certificate_expired",
        Rule.REVOKED: "certificate_revoked",
        Rule.REVOCATION: "certificate_unknown",
        Rule.ANCHOR: "unknown_ca",
        Rule.DEPTH: "unknown_ca",
        Rule.ORDER: "unknown_ca",
    }
)
_PAYMENT_ISO2: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.EXPIRED: "FAILED_CertificateExpired",
        Rule.NOT_YET_VALID: "FAILED_CertificateExpired",  # reported the same way [V2G2-824]
        Rule.REVOKED: "FAILED_CertificateRevoked",
        Rule.PROFILE: "FAILED_CertificateNotAllowedAtThisEVSE",
        Rule.ANCHOR: "FAILED_NoCertificateAvailable",
        # Nothing is wrong with it: a vehicle that hears otherwise would drop it.
        Rule.REVOCATION: "FAILED_CertificateNotAllowedAtThisEVSE",
    }
)
_INSTALLATION_ISO2: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.EXPIRED: "FAILED_CertificateExpired",  # [V2G2-468]
        Rule.NOT_YET_VALID: "FAILED_CertificateExpired",
        Rule.REVOKED: "FAILED_CertificateRevoked",
    }
)
_WARNINGS_ISO20: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.EXPIRED: "WARNING_CertificateExpired",
        Rule.NOT_YET_VALID: "WARNING_CertificateNotYetValid",
        Rule.REVOKED: "WARNING_CertificateRevoked",
        Rule.ANCHOR: "WARNING_eMSPUnknown",
    }
)


def expected(variant: Variant) -> Expected:
    """Return the reaction to a variant."""
    rule, tier = variant.fault.rule, variant.told
    said: dict[str, str] = {} if rule is None else {"rule": rule.value, "tier": str(tier)}
    match variant.role:
        case Role.SECC:
            alert = _stapled(variant) or _alert(rule)
            return Expected(by="evcc", message="TLS handshake", tls_alert=alert, **said)
        case Role.VEHICLE:
            return Expected(by="secc", message="TLS handshake", tls_alert=_alert(rule), **said)
        case Role.CONTRACT:
            message = "AuthorizationRes" if variant.edition.second else "PaymentDetailsRes"
            return Expected(by="secc", message=message, code=_code(variant), **said)
        case Role.OEM_PROVISIONING:
            return Expected(by="secc", message="CertificateInstallationRes", code=_code(variant), **said)
        case Role.CPS:
            return Expected(by="evcc", message="CertificateInstallationRes", **said)


def _alert(rule: Rule | None) -> str:
    """The alert that names a rule, as RFC 5246 and RFC 8446 have it."""
    return "" if rule is None else _ALERTS.get(rule, "bad_certificate")


def _stapled(variant: Variant) -> str:
    """The alert for what a station of -20 staples; in -2 the vehicle has its evidence from elsewhere."""
    return "bad_certificate_status_response" if variant.edition.second and variant.fault.rule is Rule.REVOCATION else ""


def _code(variant: Variant) -> str:
    fault = variant.fault
    if fault.codes and variant.role in fault.codes:
        return fault.codes[variant.role]
    if fault.rule is None:
        return "OK"
    if variant.edition.second:
        return _WARNINGS_ISO20.get(fault.rule, "WARNING_CertificateValidationError")
    if fault.rule in _TIMES and variant.told != Tier.LEAF:
        # An expired issuer makes none available: only the leaf is the vehicle's to renew.
        return "FAILED_NoCertificateAvailable"
    if variant.role is Role.OEM_PROVISIONING:
        # Of what stands above its own certificate a vehicle hears nothing, having none of it.
        codes = _INSTALLATION_ISO2 if variant.told == Tier.LEAF else {}
        return codes.get(fault.rule, "FAILED_NoCertificateAvailable")
    return _PAYMENT_ISO2.get(fault.rule, "FAILED_CertChainError")
