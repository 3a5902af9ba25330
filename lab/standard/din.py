"""The sequence tables of DIN SPEC 70121, both sides, and which response may carry which code.

DIN knows no contract, no pause, no renegotiation and no service but charging: messages that its schema has for them
are out of sequence wherever they come.
"""

from __future__ import annotations

from lab.standard.sequence import ANYWHERE, END, Asked, Served, Standard

ONGOING, FINISHED = "EVSEProcessing=Ongoing", "EVSEProcessing=Finished"
STOP = "EVSENotification=StopCharging"
DC = "EVChargeParameter=DC_EVChargeParameter"
SELECTION = "ServicePaymentSelection(ExternalPayment)"
START_POWER, STOP_POWER = "PowerDelivery(True)", "PowerDelivery(False)"
EXTERNAL_ONLY = "3.1 [V2G-DC-395]"
PARAMETERS = "ChargeParameterDiscovery"
WRONG_ENERGY = "FAILED_WrongEnergyTransferType FAILED_WrongChargeParameter"
SECOND_START = "3.1: true after CurrentDemand (E2)"

STATION = (
    Served("SessionSetup", "SessionSetup", "ServiceDiscovery", "3.1"),
    Served("ServiceDiscovery", "ServiceDiscovery", "PaymentSelection", "3.1 [V2G-DC-252]"),
    Served("PaymentSelection", SELECTION, "ContractAuthentication", "3.1 [V2G-DC-396] [V2G-DC-635]"),
    Served(
        "PaymentSelection",
        "ServicePaymentSelection(Contract)",
        END,
        EXTERNAL_ONLY,
        refused="FAILED_PaymentSelectionInvalid",
    ),
    Served("ContractAuthentication", "ContractAuthentication", "ContractAuthentication", "3.1", answered=ONGOING),
    Served(
        "ContractAuthentication",
        "ContractAuthentication",
        "ChargeParameterDiscovery",
        "3.1 [V2G-DC-497]",
        answered=FINISHED,
    ),
    Served(PARAMETERS, PARAMETERS, PARAMETERS, "3.1 [V2G-DC-498]", DC, ONGOING),
    Served(PARAMETERS, PARAMETERS, "CableCheck", "3.1 [V2G-DC-453]", DC, FINISHED),
    Served(PARAMETERS, PARAMETERS, END, "3.1 [V2G-DC-397] [V2G-DC-398]", refused=WRONG_ENERGY),
    Served("CableCheck", "CableCheck", "CableCheck", "3.1 [V2G-DC-418] [V2G-DC-455]", answered=ONGOING),
    Served("CableCheck", "CableCheck", "PreCharge first", "3.1 [V2G-DC-499]", answered=FINISHED),
    Served("PreCharge first", "PreCharge", "PreCharge", "3.1 [V2G-DC-458]"),
    Served("PreCharge", "PreCharge", "PreCharge", "3.1 [V2G-DC-458]"),
    Served("PreCharge", START_POWER, "CurrentDemand first", "3.1 [V2G-DC-462]"),
    Served("PreCharge", STOP_POWER, "WeldingDetection", "3.1 [V2G-DC-459]"),
    Served("CurrentDemand first", "CurrentDemand", "CurrentDemand", "3.1 [V2G-DC-465]"),
    Served("CurrentDemand", "CurrentDemand", "CurrentDemand", "3.1 [V2G-DC-465]"),
    Served("CurrentDemand", STOP_POWER, "WeldingDetection", "3.1 [V2G-DC-459]"),
    Served("CurrentDemand", START_POWER, END, SECOND_START, refused="FAILED"),
    Served("WeldingDetection", "WeldingDetection", "WeldingDetection", "3.1 [V2G-DC-469]"),
    Served("WeldingDetection", "SessionStop", END, "3.1 [V2G-DC-451]"),
    Served(ANYWHERE, "SessionStop", END, "3.1: in the table for every state but those of the loop; 9.1 decides"),
)

LEAVE = f"{END} SessionStop"
LATE_SAFE = f"{STOP_POWER} {LEAVE}"
BROKEN = ("EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent")
UNREADY = ("EVSE_NotReady", "EVSE_Shutdown", "Reserved_8", "Reserved_9", "Reserved_A", "Reserved_B", "Reserved_C")


def _faults(request: str, codes: tuple[str, ...], next_: str, source: str, contested: str) -> tuple[Asked, ...]:
    return tuple(
        Asked(request, next_, source, answered=f"EVSEStatusCode={code}", contested=contested) for code in codes
    )


VEHICLE = (
    Asked("SessionSetup", "ServiceDiscovery", "3.1"),
    Asked("ServiceDiscovery", SELECTION, "3.1 [V2G-DC-252]", answered="PaymentOption=ExternalPayment", contested=LEAVE),
    Asked("ServiceDiscovery", LEAVE, EXTERNAL_ONLY, contested=SELECTION),
    Asked(SELECTION, "ContractAuthentication", "3.1"),
    Asked("ContractAuthentication", "ContractAuthentication", "3.1", answered=ONGOING),
    Asked("ContractAuthentication", "ChargeParameterDiscovery", "3.1", answered=FINISHED),
    Asked(PARAMETERS, PARAMETERS, "3.1", answered=ONGOING, contested=LEAVE),
    Asked(PARAMETERS, LEAVE, "DC only", answered="EVSEChargeParameter=AC_EVSEChargeParameter"),
    Asked(
        "ChargeParameterDiscovery", LEAVE, "3.7: it has no energy", answered=STOP, contested=f"CableCheck {STOP_POWER}"
    ),
    *_faults(PARAMETERS, BROKEN, LEAVE, "7, P", "CableCheck"),
    *_faults(PARAMETERS, UNREADY, "CableCheck", "3.1 [V2G-DC-453]: Ready is told, not asked", LEAVE),
    Asked(PARAMETERS, "CableCheck", "3.1 [V2G-DC-453]"),
    *_faults("CableCheck", BROKEN, LEAVE, "P", "CableCheck"),
    Asked("CableCheck", "CableCheck", "3.1", answered=ONGOING, contested=LEAVE),
    Asked("CableCheck", LEAVE, "3.1 [V2G-DC-499]", answered="EVSEIsolationStatus=Invalid", contested="PreCharge"),
    Asked("CableCheck", LEAVE, "3.1 [V2G-DC-499]", answered="EVSEIsolationStatus=Fault"),
    *_faults("CableCheck", UNREADY, LEAVE, "3.1 [V2G-DC-499]", "PreCharge"),
    Asked("CableCheck", "PreCharge", "3.1 [V2G-DC-499]", contested=LEAVE),
    *_faults("PreCharge", BROKEN, LATE_SAFE, "P", "PreCharge"),
    *_faults("PreCharge", UNREADY, f"PreCharge {START_POWER}", "3.1: nothing said", LATE_SAFE),
    Asked("PreCharge", f"PreCharge {START_POWER}", "3.7: may also stop", answered=STOP, contested=LATE_SAFE),
    Asked("PreCharge", f"PreCharge {START_POWER}", "3.1"),
    *_faults(START_POWER, BROKEN, LATE_SAFE, "P", "CurrentDemand"),
    *_faults(START_POWER, UNREADY, "CurrentDemand", "3.1: nothing said", LATE_SAFE),
    Asked(START_POWER, "CurrentDemand", "3.1: nothing else may come first"),
    *_faults("CurrentDemand", BROKEN, STOP_POWER, "3.3, as in -2", LEAVE),
    *_faults("CurrentDemand", ("EVSE_Shutdown",), STOP_POWER, "3.3, as in -2", LEAVE),
    Asked("CurrentDemand", STOP_POWER, "3.7", answered=STOP),
    Asked("CurrentDemand", f"CurrentDemand {STOP_POWER}", "3.1; ReNegotiation is not used in DIN (unverified)"),
    Asked(STOP_POWER, "WeldingDetection SessionStop", "3.1 [V2G-DC-459]"),
    Asked("WeldingDetection", "WeldingDetection SessionStop", "3.1 [V2G-DC-469]"),
    Asked("SessionStop", END, "3.1 [V2G-DC-451]"),
)

CODES = {
    "SessionSetup": "OK_NewSessionEstablished OK_OldSessionJoined",
    "ServiceDetail": "FAILED_ServiceIDInvalid",
    "ServicePaymentSelection": "FAILED_PaymentSelectionInvalid FAILED_ServiceSelectionInvalid",
    "ChargeParameterDiscovery": "FAILED_WrongEnergyTransferType FAILED_WrongChargeParameter",
    "PowerDelivery": ("FAILED_TariffSelectionInvalid FAILED_ChargingProfileInvalid FAILED_PowerDeliveryNotApplied"),
}
"""Section 3.1; of the messages without a place in a session only the common codes."""

DIN = Standard(key="din", station=STATION, vehicle=VEHICLE, codes=CODES)
