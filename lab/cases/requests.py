"""One right request of every type, as a vehicle of the tester's would send it."""

from __future__ import annotations

from collections.abc import Sequence

from pki.contract.iso2 import chain_message
from pki.credentials import Credential
from v2g.messages import iso2
from v2g.messages.iso2 import PhysicalValue, UnitSymbol
from v2g.messages.xmldsig import X509IssuerSerial

EVCC_ID = bytes.fromhex("02000000C0DE")
MODES = {"AC": "AC_three_phase_core", "DC": "DC_extended"}
PRECHARGE_V = 380
ROOTS = iso2.ListOfRootCertificateIDs(
    RootCertificateID=[X509IssuerSerial(X509IssuerName="CN=V2G Root CA", X509SerialNumber=1)]
)


def quantity(number: float, unit: UnitSymbol) -> PhysicalValue:
    """A value with one decimal; kilowatts in steps of 10 W."""
    if unit is UnitSymbol.W:
        return PhysicalValue(Multiplier=1, Unit=unit, Value=round(number / 10))
    return PhysicalValue(Multiplier=-1, Unit=unit, Value=round(number * 10))


def volts(number: float) -> PhysicalValue:
    """A voltage."""
    return quantity(number, UnitSymbol.V)


def amperes(number: float) -> PhysicalValue:
    """A current."""
    return quantity(number, UnitSymbol.A)


def watts(number: float) -> PhysicalValue:
    """A power."""
    return quantity(number, UnitSymbol.W)


def session_setup() -> iso2.SessionSetupReq:
    """Open a session."""
    return iso2.SessionSetupReq(EVCCID=EVCC_ID)


def selection(payment: str, *services: int) -> iso2.PaymentServiceSelectionReq:
    """Choose a payment option and services; without any, charging alone."""
    chosen = [iso2.SelectedService(ServiceID=each) for each in services or (1,)]
    return iso2.PaymentServiceSelectionReq(
        SelectedPaymentOption=iso2.PaymentOption(payment),
        SelectedServiceList=iso2.SelectedServiceList(SelectedService=chosen),
    )


def installation(vehicle: Credential) -> iso2.CertificateInstallationReq:
    """Ask for a contract."""
    return iso2.CertificateInstallationReq(
        Id="id1", OEMProvisioningCert=vehicle.chain[0], ListOfRootCertificateIDs=ROOTS
    )


def update(chain: Sequence[bytes], emaid: str) -> iso2.CertificateUpdateReq:
    """Ask for a newer contract."""
    return iso2.CertificateUpdateReq(
        Id="id1", ContractSignatureCertChain=chain_message(list(chain)), eMAID=emaid, ListOfRootCertificateIDs=ROOTS
    )


def payment_details(chain: Sequence[bytes], emaid: str) -> iso2.PaymentDetailsReq:
    """Present a contract."""
    return iso2.PaymentDetailsReq(eMAID=emaid, ContractSignatureCertChain=chain_message(list(chain)))


def charge_parameters(
    energy: str,
    *,
    mode: str | None = None,
    max_a: float = 16,
    departure_s: int | None = None,
    entries: int | None = None,
) -> iso2.ChargeParameterDiscoveryReq:
    """Tell needs and limits; `mode` and `max_a` may be wrong."""
    parameter: iso2.EVChargeParameter
    if energy == "AC":
        parameter = iso2.AC_EVChargeParameter(
            DepartureTime=departure_s,
            EAmount=watts(10_000),  # a wrong unit that cars send and that must be put up with
            EVMaxVoltage=volts(400),
            EVMaxCurrent=amperes(max_a),
            EVMinCurrent=amperes(min(6, max_a)),
        )
    else:
        parameter = iso2.DC_EVChargeParameter(
            DepartureTime=departure_s,
            DC_EVStatus=status(),
            EVMaximumCurrentLimit=amperes(max_a),
            EVMaximumVoltageLimit=volts(420),
        )
    return iso2.ChargeParameterDiscoveryReq(
        MaxEntriesSAScheduleTuple=entries,
        RequestedEnergyTransferMode=iso2.EnergyTransferMode(mode or MODES[energy]),
        EVChargeParameter=parameter,
    )


def status(error: str = "NO_ERROR") -> iso2.DC_EVStatus:
    """The state of a DC vehicle."""
    return iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode(error), EVRESSSOC=40)


def power_delivery(
    energy: str, progress: str, schedule: int, *, profile_w: float | None = None, error: str = "NO_ERROR"
) -> iso2.PowerDeliveryReq:
    """Start, stop or renegotiate; `profile_w` is the power wanted from now on."""
    profile = parameter = None
    if profile_w is not None:
        entry = iso2.ProfileEntry(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=watts(profile_w))
        profile = iso2.ChargingProfile(ProfileEntry=[entry])
    if energy == "DC":
        parameter = iso2.DC_EVPowerDeliveryParameter(DC_EVStatus=status(error), ChargingComplete=progress == "Stop")
    return iso2.PowerDeliveryReq(
        ChargeProgress=iso2.ChargeProgress(progress),
        SAScheduleTupleID=schedule,
        ChargingProfile=profile,
        EVPowerDeliveryParameter=parameter,
    )


def cable_check() -> iso2.CableCheckReq:
    """Ask for the isolation test."""
    return iso2.CableCheckReq(DC_EVStatus=status())


def precharge() -> iso2.PreChargeReq:
    """Ask for the battery's voltage."""
    return iso2.PreChargeReq(DC_EVStatus=status(), EVTargetVoltage=volts(PRECHARGE_V), EVTargetCurrent=amperes(1))


def current_demand() -> iso2.CurrentDemandReq:
    """Ask for current."""
    return iso2.CurrentDemandReq(
        DC_EVStatus=status(),
        EVTargetVoltage=volts(PRECHARGE_V + 5),
        EVTargetCurrent=amperes(16),
        ChargingComplete=False,
    )


def welding_detection() -> iso2.WeldingDetectionReq:
    """Ask for the voltage behind the open contactors."""
    return iso2.WeldingDetectionReq(DC_EVStatus=status())


def session_stop(kind: str = "Terminate") -> iso2.SessionStopReq:
    """Leave, or pause."""
    return iso2.SessionStopReq(ChargingSession=iso2.ChargingSession(kind))
