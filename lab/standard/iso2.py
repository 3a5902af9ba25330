"""The sequence tables of ISO 15118-2:2014, both sides, and which response may carry which code."""

from __future__ import annotations

from lab.standard.sequence import ANYWHERE, END, PAUSED, Asked, Served, Standard

AC = "EVChargeParameter=AC_EVChargeParameter"
DC = "EVChargeParameter=DC_EVChargeParameter"
AT_AC, AT_DC = f"{AC} offers=AC", f"{DC} offers=DC"
"""What the vehicle asks for, and what the station has for it; the latter is known from the start."""
CONTRACT = "SelectedPaymentOption=Contract"
EXTERNAL = "SelectedPaymentOption=ExternalPayment"
CERTIFICATE_SERVICE = "ServiceID=2"
ONGOING, FINISHED = "EVSEProcessing=Ongoing", "EVSEProcessing=Finished"
WAITING = "EVSEProcessing=Ongoing_WaitingForCustomerInteraction"
RECEIPT = "ReceiptRequired=True"
STOP, ANEW = "EVSENotification=StopCharging", "EVSENotification=ReNegotiation"
TERMINATE, PAUSE = "SessionStop(Terminate)", "SessionStop(Pause)"
START_POWER, STOP_POWER = "PowerDelivery(Start)", "PowerDelivery(Stop)"
RENEGOTIATE = "PowerDelivery(Renegotiate)"
AGAIN = "renegotiated: "
PROOF = "Authorization(GenChallenge)"
WRONG_ENERGY = "FAILED_WrongEnergyTransferMode FAILED_WrongChargeParameter"
EARLY_STOP = "3.2, 8: asked for by the user group, accepted by E2 and H, not by J; 9.1 decides"
NO_SERVICE = "a station whose certificate service was not selected"
NO_CERTIFICATE = "FAILED FAILED_SequenceError FAILED_NoCertificateAvailable FAILED_CertificateExpired"
NOTHING_STARTED = "3.2 [V2G2-812] T AC_014, DC_013"


def _parameters(state: str, path: str, source: str, *, contested: str = "") -> tuple[Served, ...]:
    """Parameters asked for in a state; Ongoing and Finished lead to the states of a path."""
    request = "ChargeParameterDiscovery"
    stay, ac, dc = f"{path}{request}", f"{path}PowerDeliveryStart", f"{path}CableCheck"
    return (
        *(Served(state, request, stay, source, at, ONGOING, contested=contested) for at in (AT_AC, AT_DC)),
        Served(state, request, ac, source, AT_AC, FINISHED, contested=contested),
        Served(state, request, dc, source, AT_DC, FINISHED, contested=contested),
        Served(state, request, END, "3.2 [V2G2-476] [V2G2-477]", refused=WRONG_ENERGY, contested=contested),
    )


STATION = (
    # Identification
    Served("SessionSetup", "SessionSetup", "ServiceDiscovery", "3.2 [V2G2-463] [V2G2-756]"),
    Served("ServiceDiscovery", "ServiceDiscovery", "ServiceOrPayment", "3.2 [V2G2-543]"),
    Served("ServiceOrPayment", "ServiceDetail", "ServiceOrPayment", "3.2 [V2G2-545]; id 1 as E2"),
    Served("ServiceOrPayment", "PaymentServiceSelection(ExternalPayment)", "Authorization", "3.2 [V2G2-545]"),
    Served("ServiceOrPayment", "PaymentServiceSelection(Contract)", "Contract", "3.2 [V2G2-545]", given="TLS"),
    Served(
        "ServiceOrPayment",
        "PaymentServiceSelection(Contract)",
        "Contract",
        "3.2 [V2G2-465], 9.3 [V2G2-634]",
        given="plain",
        refused="FAILED_PaymentSelectionInvalid",
    ),
    Served("Contract", "PaymentDetails", "Authorization first", "3.2 [V2G2-551]"),
    Served("Contract", "CertificateInstallation", "PaymentDetailsOnly", "3.2 [V2G2-551]", CERTIFICATE_SERVICE),
    Served(
        "Contract",
        "CertificateInstallation",
        "PaymentDetailsOnly",
        "3.2 [V2G2-551]",
        contested=NO_SERVICE,
        instead=NO_CERTIFICATE,
    ),
    Served("Contract", "CertificateUpdate", "PaymentDetailsOnly", "3.2 [V2G2-551]", CERTIFICATE_SERVICE),
    Served(
        "Contract",
        "CertificateUpdate",
        "PaymentDetailsOnly",
        "3.2 [V2G2-551]",
        contested=NO_SERVICE,
        instead=NO_CERTIFICATE,
    ),
    Served("PaymentDetailsOnly", "PaymentDetails", "Authorization first", "3.2 [V2G2-554] [V2G2-557] [V2G2-558]"),
    Served("Authorization first", PROOF, "Authorization", "3.5 [V2G2-475]", answered=ONGOING),
    Served("Authorization first", PROOF, "ChargeParameterDiscovery", "3.5 [V2G2-475]", answered=FINISHED),
    Served("Authorization first", "Authorization", END, "3.5 [V2G2-475]", refused="FAILED_ChallengeInvalid"),
    Served("Authorization", "Authorization", "Authorization", "3.2, 4.3", answered=ONGOING),
    Served("Authorization", "Authorization", "Authorization", "3.2, 4.3 [V2G2-845]", answered=WAITING),
    Served("Authorization", "Authorization", "ChargeParameterDiscovery", "3.2", answered=FINISHED),
    Served("Authorization", PROOF, "Authorization", "3.5: not checked again", CONTRACT, ONGOING),
    Served("Authorization", PROOF, "ChargeParameterDiscovery", "3.5: not checked again", CONTRACT, FINISHED),
    Served(
        "Authorization",
        PROOF,
        "Authorization",
        "3.3: not for EIM",
        answered=ONGOING,
        contested="nothing says that it is refused",
        instead="FAILED FAILED_ChallengeInvalid FAILED_SignatureError",
    ),
    Served(
        "Authorization",
        PROOF,
        "ChargeParameterDiscovery",
        "3.3: not for EIM",
        answered=FINISHED,
        contested="nothing says that it is refused",
        instead="FAILED FAILED_ChallengeInvalid FAILED_SignatureError",
    ),
    # Parameters
    *_parameters("ChargeParameterDiscovery", "", "3.2 [V2G2-688] [V2G2-582]"),
    # AC
    Served("PowerDeliveryStart", START_POWER, "ChargingStatus first", "3.2"),
    Served("PowerDeliveryStart", STOP_POWER, "SessionStop", "3.2"),
    Served("PowerDeliveryStart", RENEGOTIATE, END, NOTHING_STARTED, refused="FAILED"),
    Served("ChargingStatus first", "ChargingStatus", "MeteringReceipt", "3.2 [V2G2-577]", answered=RECEIPT),
    Served("ChargingStatus first", "ChargingStatus", "ChargingStatus", "3.2 [V2G2-576] [V2G2-575]"),
    Served("ChargingStatus", "ChargingStatus", "MeteringReceipt", "3.2 [V2G2-577]", answered=RECEIPT),
    Served("ChargingStatus", "ChargingStatus", "ChargingStatus", "3.2 [V2G2-575]"),
    Served("ChargingStatus", STOP_POWER, "SessionStop", "3.2 [V2G2-568]"),
    Served("ChargingStatus", RENEGOTIATE, f"{AGAIN}ChargeParameterDiscovery", "3.2 [V2G2-813]"),
    Served("ChargingStatus", START_POWER, END, "3.2, a second Start (E2)", refused="FAILED"),
    Served("MeteringReceipt", "MeteringReceipt", "ChargingStatus", "3.2 [V2G2-580] [V2G2-797]", AC),
    Served("MeteringReceipt", "MeteringReceipt", "CurrentDemand after receipt", "3.2 [V2G2-797]", DC),
    # Renegotiation
    *_parameters(f"{AGAIN}ChargeParameterDiscovery", AGAIN, "3.2 [V2G2-813] [V2G2-565] [V2G2-582]"),
    Served(f"{AGAIN}PowerDeliveryStart", START_POWER, "ChargingStatus first", "3.2 [V2G2-842]"),
    Served(
        f"{AGAIN}PowerDeliveryStart",
        STOP_POWER,
        "SessionStop",
        "3.3: a car asked to stop instead",
        contested="[V2G2-842]: the next PowerDelivery must be Start",
        instead="FAILED FAILED_SequenceError",
    ),
    Served(f"{AGAIN}PowerDeliveryStart", RENEGOTIATE, END, "3.2 [V2G2-842]", refused="FAILED"),
    Served(f"{AGAIN}CableCheck", "CableCheck", "CableCheck", "3.2 [V2G2-621]", answered=ONGOING),
    Served(f"{AGAIN}CableCheck", "CableCheck", "PreCharge first", "3.2 [V2G2-584]", answered=FINISHED),
    Served(
        f"{AGAIN}CableCheck",
        START_POWER,
        "CurrentDemand first",
        "9.2: a switch, where the output stayed closed, supervised and at its voltage",
        contested="[V2G2-565] [V2G2-582]; the switch is off, or something it demands is missing",
    ),
    Served(f"{AGAIN}CableCheck", STOP_POWER, "WeldingOrStop", "9.2, as the line above", contested="[V2G2-582]"),
    Served(f"{AGAIN}CableCheck", RENEGOTIATE, END, "[V2G2-842]", refused="FAILED FAILED_SequenceError"),
    # DC
    Served("CableCheck", "CableCheck", "CableCheck", "3.2 [V2G2-621]", answered=ONGOING),
    Served("CableCheck", "CableCheck", "PreCharge first", "3.2 [V2G2-584]", answered=FINISHED),
    Served(
        "CableCheck",
        STOP_POWER,
        "WeldingOrStop",
        "3.6: the station has no energy, delay 0 (E2, U)",
        given=STOP,
        contested="the figures of the standard know no PowerDelivery here",
    ),
    Served("PreCharge first", "PreCharge", "PreCharge", "3.2 [V2G2-587]"),
    Served("PreCharge", "PreCharge", "PreCharge", "3.2 [V2G2-587]"),
    Served("PreCharge", START_POWER, "CurrentDemand first", "3.2 [V2G2-590]"),
    Served("PreCharge", STOP_POWER, "WeldingOrStop", "3.2"),
    Served("PreCharge", RENEGOTIATE, END, NOTHING_STARTED, refused="FAILED"),
    Served("CurrentDemand first", "CurrentDemand", "MeteringReceipt", "3.2 [V2G2-795]", answered=RECEIPT),
    Served("CurrentDemand first", "CurrentDemand", "CurrentDemand", "3.2"),
    Served("CurrentDemand", "CurrentDemand", "MeteringReceipt", "3.2 [V2G2-795]", answered=RECEIPT),
    Served("CurrentDemand", "CurrentDemand", "CurrentDemand", "3.2"),
    Served("CurrentDemand", STOP_POWER, "WeldingOrStop", "3.2 [V2G2-601]"),
    Served("CurrentDemand", RENEGOTIATE, f"{AGAIN}ChargeParameterDiscovery", "3.2 [V2G2-813]"),
    Served("CurrentDemand", START_POWER, END, "3.2, a second Start (E2)", refused="FAILED"),
    Served("CurrentDemand after receipt", "CurrentDemand", "MeteringReceipt", "3.2 [V2G2-797]", answered=RECEIPT),
    Served("CurrentDemand after receipt", "CurrentDemand", "CurrentDemand", "3.2 [V2G2-797]"),
    Served("CurrentDemand after receipt", STOP_POWER, "WeldingOrStop", "3.2 [V2G2-797]"),
    Served("CurrentDemand after receipt", RENEGOTIATE, f"{AGAIN}ChargeParameterDiscovery", "3.2 [V2G2-797]"),
    Served("CurrentDemand after receipt", START_POWER, END, "3.2, a second Start (E2)", refused="FAILED"),
    *_parameters("CurrentDemand after receipt", AGAIN, "3.2 [V2G2-797]", contested="H alone reads it so"),
    Served("WeldingOrStop", "WeldingDetection", "WeldingOrStop", "3.2 [V2G2-597]"),
    *_parameters("WeldingOrStop", "", "3.2 [V2G2-601], 9.2: contactors are open", contested="H alone reads it so"),
    # The end
    Served("SessionStop", TERMINATE, END, "3.2 [V2G2-571]"),
    Served("SessionStop", PAUSE, PAUSED, "3.6 [V2G2-739]", contested="a station that does not pause", instead="FAILED"),
    Served(
        "WeldingOrStop", PAUSE, PAUSED, "3.6 [V2G2-739]", contested="a station that does not pause", instead="FAILED"
    ),
    Served(ANYWHERE, TERMINATE, END, EARLY_STOP),
    Served(ANYWHERE, PAUSE, END, "3.6, 9.1: never while the cable is live or before it was", refused="FAILED"),
)

LOOP_AC, LOOP_DC = "ChargingStatus PowerDelivery(Stop)", "CurrentDemand PowerDelivery(Stop)"
BROKEN = ("EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent")
UNREADY = ("EVSE_NotReady", "EVSE_Shutdown", "Reserved_8", "Reserved_9", "Reserved_A", "Reserved_B", "Reserved_C")
LEAVE = f"{END} {TERMINATE}"
LATE_SAFE = f"{STOP_POWER} {LEAVE}"
NOBODY = "4.3: there is nobody to wait for but in Authorization; repeated, as Ongoing is"
NO_READING = "[V2G2-902]: a receipt over a reading that was not told"
OWN_WISH = f"{RENEGOTIATE} {TERMINATE}"


def _faults(request: str, codes: tuple[str, ...], next_: str, source: str, contested: str) -> tuple[Asked, ...]:
    return tuple(
        Asked(request, next_, source, answered=f"EVSEStatusCode={code}", contested=contested) for code in codes
    )


def _loop(request: str, again: str, energy: str) -> tuple[Asked, ...]:
    """What follows a response of the charge loop, and a receipt; wishes rank before what the vehicle wants itself."""
    return (
        Asked(request, STOP_POWER, "3.3, 3.7", energy, STOP),
        Asked(request, RENEGOTIATE, "3.3, 3.7; it may decline [V2G2-680]", energy, ANEW, f"{again} {STOP_POWER}"),
        Asked(request, f"{again} {STOP_POWER}", "3.3", energy, contested=OWN_WISH),
    )


VEHICLE = (
    Asked("SessionSetup", "ServiceDiscovery", "3.3"),
    Asked(
        "ServiceDiscovery",
        "ServiceDetail PaymentServiceSelection(Contract)",
        "3.3 [V2G2-422] [V2G2-635]; only Contract is offered",
        "TLS",
        "PaymentOption=Contract",
        f"PaymentServiceSelection(ExternalPayment) {LEAVE}",
    ),
    Asked(
        "ServiceDiscovery",
        "ServiceDetail PaymentServiceSelection(ExternalPayment)",
        "3.3 [V2G2-422]",
        answered="PaymentOption=ExternalPayment",
        contested=LEAVE,
    ),
    Asked("ServiceDiscovery", LEAVE, "[V2G2-635]: Contract alone without TLS"),
    Asked(
        "ServiceDetail",
        "ServiceDetail PaymentServiceSelection(Contract) PaymentServiceSelection(ExternalPayment)",
        "3.3; it may have come for this service alone",
        "TLS",
        contested=LEAVE,
    ),
    Asked("ServiceDetail", "ServiceDetail PaymentServiceSelection(ExternalPayment)", "3.3 [V2G2-635]"),
    Asked(
        "PaymentServiceSelection(Contract)",
        "PaymentDetails CertificateInstallation CertificateUpdate",
        "3.3 [V2G2-551]",
    ),
    Asked("PaymentServiceSelection(ExternalPayment)", "Authorization", "3.3"),
    Asked(
        "CertificateInstallation",
        "PaymentDetails",
        "3.2 [V2G2-557]; what does not verify is not used [V2G2-823]",
        contested=LEAVE,
    ),
    Asked("CertificateUpdate", "PaymentDetails", "3.2 [V2G2-558]; unless it does not verify", contested=LEAVE),
    Asked("PaymentDetails", "Authorization(GenChallenge)", "3.3 [V2G2-475]"),
    *(
        Asked(request, next_, source, answered=answered)
        for request in ("Authorization", "Authorization(GenChallenge)")
        for answered, next_, source in (
            (ONGOING, "Authorization", "3.3 [V2G2-684]"),
            (WAITING, "Authorization", "3.3 [V2G2-684] [V2G2-845]"),
            (FINISHED, "ChargeParameterDiscovery", "3.3"),
        )
    ),
    Asked("ChargeParameterDiscovery", "ChargeParameterDiscovery", "3.3", answered=ONGOING, contested=LEAVE),
    Asked("ChargeParameterDiscovery", "ChargeParameterDiscovery", NOBODY, answered=WAITING, contested=LEAVE),
    Asked(
        "ChargeParameterDiscovery", LEAVE, "3.2: AC offered for DC", DC, "EVSEChargeParameter=AC_EVSEChargeParameter"
    ),
    Asked(
        "ChargeParameterDiscovery", LEAVE, "3.2: DC offered for AC", AC, "EVSEChargeParameter=DC_EVSEChargeParameter"
    ),
    Asked("ChargeParameterDiscovery", LEAVE, "[V2G2-905]", answered="SASchedules=None"),
    Asked("ChargeParameterDiscovery", STOP_POWER, "3.3, 3.6 (R)", answered=STOP, contested=f"CableCheck {LEAVE}"),
    Asked("ChargeParameterDiscovery", f"{STOP_POWER} {LEAVE}", "a fault current (ours)", AC, "RCD=True", START_POWER),
    Asked("ChargeParameterDiscovery", START_POWER, "3.3 [V2G2-680] [V2G2-841]", AC),
    *_faults("ChargeParameterDiscovery", BROKEN, LEAVE, "7, P", f"CableCheck {STOP_POWER}"),
    *_faults("ChargeParameterDiscovery", UNREADY, "CableCheck", "3.3: nothing said", LATE_SAFE),
    Asked("ChargeParameterDiscovery", "CableCheck", "3.3 [V2G2-582]", DC),
    # AC
    Asked(START_POWER, "ChargingStatus", "3.2 [V2G2-576]", AC),
    Asked("ChargingStatus", LATE_SAFE, NO_READING, answered=f"{RECEIPT} MeterInfo=None", contested=LOOP_AC),
    Asked("ChargingStatus", "MeteringReceipt", "3.3 [V2G2-577]", CONTRACT, RECEIPT),
    Asked("ChargingStatus", f"{LOOP_AC} {LEAVE}", "[V2G2-691] [V2G2-903]: no receipt without contract", AC, RECEIPT),
    Asked("ChargingStatus", STOP_POWER, "3.7: a fault current", AC, "RCD=True", f"ChargingStatus {LEAVE}"),
    *_loop("ChargingStatus", "ChargingStatus", AC),
    *_loop("MeteringReceipt", "ChargingStatus", AC),
    Asked(STOP_POWER, "SessionStop(Terminate) SessionStop(Pause)", "3.3 [V2G2-568]", AC),
    # DC
    *_faults("CableCheck", BROKEN, LEAVE, "3.3, P", "CableCheck"),
    Asked("CableCheck", "CableCheck", "3.3 [V2G2-621]", answered=ONGOING, contested=LEAVE),
    Asked("CableCheck", "CableCheck", NOBODY, answered=WAITING, contested=LEAVE),
    Asked("CableCheck", LEAVE, "3.3 (P, K)", answered="EVSEIsolationStatus=Invalid", contested="PreCharge"),
    Asked("CableCheck", LEAVE, "3.3 (P, K)", answered="EVSEIsolationStatus=Fault"),
    *_faults("CableCheck", UNREADY, LEAVE, "3.3 (P, K)", "PreCharge"),
    Asked("CableCheck", "PreCharge", "3.3 [V2G2-584]", contested=LEAVE),
    *_faults("PreCharge", BROKEN, LATE_SAFE, "3.3, P", "PreCharge"),
    *_faults("PreCharge", UNREADY, f"PreCharge {START_POWER}", "3.3: nothing said", LATE_SAFE),
    Asked("PreCharge", f"PreCharge {START_POWER}", "3.7: may also stop", answered=STOP, contested=LATE_SAFE),
    Asked("PreCharge", f"PreCharge {START_POWER}", "3.3 [V2G2-587] [V2G2-590]"),
    *_faults(START_POWER, BROKEN, LATE_SAFE, "3.3, P", "CurrentDemand"),
    *_faults(START_POWER, UNREADY, "CurrentDemand", "3.3: nothing said", LATE_SAFE),
    Asked(START_POWER, "CurrentDemand", "3.2, figure: nothing else may come first", DC),
    *_faults("CurrentDemand", BROKEN, STOP_POWER, "3.3", LEAVE),
    Asked("CurrentDemand", LATE_SAFE, NO_READING, answered=f"{RECEIPT} MeterInfo=None", contested=LOOP_DC),
    Asked("CurrentDemand", "MeteringReceipt", "3.3 [V2G2-795]", CONTRACT, RECEIPT),
    Asked("CurrentDemand", f"{LOOP_DC} {LEAVE}", "[V2G2-691] [V2G2-903]: no receipt without contract", DC, RECEIPT),
    *_faults("CurrentDemand", ("EVSE_Shutdown",), STOP_POWER, "3.3", LEAVE),
    *_loop("CurrentDemand", "CurrentDemand", DC),
    *_faults("MeteringReceipt", BROKEN, LATE_SAFE, "3.3", "CurrentDemand"),
    *_loop("MeteringReceipt", "CurrentDemand", DC),
    Asked(STOP_POWER, "WeldingDetection SessionStop(Terminate) SessionStop(Pause)", "3.3 [V2G2-597] [V2G2-601]", DC),
    Asked("WeldingDetection", "WeldingDetection SessionStop(Terminate) SessionStop(Pause)", "3.3 [V2G2-597]"),
    # Renegotiation and the end
    Asked(RENEGOTIATE, "ChargeParameterDiscovery", "3.3 [V2G2-813]", contested=LEAVE),
    Asked(TERMINATE, END, "3.3 [V2G2-571]"),
    Asked(PAUSE, END, "3.3 [V2G2-739]"),
)

DELIVERED = "FAILED_SignatureError FAILED_CertificateExpired FAILED_CertificateRevoked FAILED_NoCertificateAvailable"
CODES = {
    "SessionSetup": "OK_NewSessionEstablished OK_OldSessionJoined",
    "ServiceDetail": "FAILED_ServiceIDInvalid",
    "PaymentServiceSelection": (
        "FAILED_PaymentSelectionInvalid FAILED_ServiceSelectionInvalid FAILED_NoChargeServiceSelected"
    ),
    "CertificateInstallation": f"{DELIVERED} FAILED_CertChainError",
    "CertificateUpdate": f"{DELIVERED} FAILED_CertChainError FAILED_ContractCanceled",
    "PaymentDetails": (
        f"OK_CertificateExpiresSoon {DELIVERED} FAILED_CertChainError FAILED_ContractCanceled"
        " FAILED_CertificateNotAllowedAtThisEVSE"
    ),
    "Authorization": "FAILED_ChallengeInvalid FAILED_SignatureError FAILED_CertificateRevoked",
    "ChargeParameterDiscovery": "FAILED_WrongEnergyTransferMode FAILED_WrongChargeParameter",
    "PowerDelivery": (
        "FAILED_ChargingProfileInvalid FAILED_TariffSelectionInvalid FAILED_PowerDeliveryNotApplied"
        " FAILED_ContactorError"
    ),
    "MeteringReceipt": "FAILED_MeteringSignatureNotValid",
}
"""Section 3.11, which quotes Table 112 of ISO 15118-2 in parts; the rest of it is (unverified)."""

ISO2 = Standard(key="iso2", station=STATION, vehicle=VEHICLE, codes=CODES)
