"""One payload per topic as it stands in the AsyncAPI document: a DC session with Plug & Charge, while it charges."""

from __future__ import annotations

from secc import api
from v2g.cable import CableCharger, CableVehicle
from v2g.record import Record

SECC = "5b0c9f1e77a2d340"
CHARGER = "a91d00c4"
SESSION = "3A1F0B5C77D20E44"
TIME = "2026-03-14T15:09:26.535Z"

EXAMPLES: dict[str, Record] = {
    api.SECC_STATUS.name: api.SeccStatus(
        boot=SECC,
        seq=1,
        time=TIME,
        state="online",
        version="0.1.0",
        protocols=["iso2"],
        since=TIME,
        interface="eth1",
    ),
    api.SECC_HEARTBEAT.name: api.Beat(boot=SECC, counter=4711, uptime_s=2355.5),
    api.SECC_SESSION.name: api.Session(
        boot=SECC,
        seq=38,
        time=TIME,
        session=SESSION,
        stage="charging",
        protocol="iso2",
        evcc_id="02:42:AC:11:00:02",
        payment="contract",
        energy_mode="DC",
        tls="TLSv1.2",
        started=TIME,
    ),
    api.SECC_AUTHORIZATION.name: api.AuthorizationRequest(
        id="7f3e5a10",
        session=SESSION,
        kind="contract",
        deadline_s=55.0,
        emaid="DEABCC123456785",
        local_check="passed",
    ),
    api.SECC_CERTIFICATE.name: api.CertificateRequest(
        id="41c07be2",
        session=SESSION,
        action="install",
        deadline_s=4.5,
        namespace="urn:iso:15118:2:2013:MsgDef",
        exi=bytes.fromhex("8098020000000000000000"),
    ),
    api.SECC_OCSP.name: api.OcspRequest(
        id="b81e2f90",
        deadline_s=30,
        certificate=api.OcspRequestData(
            hash_algorithm="SHA256",
            issuer_name_hash="5f0e2b6c84a7d93c1f4b7780c2a9d6e35b18f7a0c4d2e96a8b3f5c7d10e42986",
            issuer_key_hash="c3b9a85d7e60f1428d94a2b7e15f38c6097ad4e2b8f3165c9e70d1a4b2f8c653",
            serial_number="1d4f7a92c03be586",
            responder_url="http://ocsp.example.com/",
        ),
    ),
    api.SECC_LIMITS.name: api.Limits(
        boot=SECC,
        seq=41,
        time=TIME,
        session=SESSION,
        authorised=True,
        direction="charge",
        max_charge_w=60_000,
        max_discharge_w=0,
        max_current_a=150,
        max_voltage_v=450,
        min_voltage_v=150,
        contract="DEABCC123456785",
        valid_for_s=3_600,
        limited_by={"max_w": "schedule", "max_a": "ev", "max_v": "ev", "min_v": "evse"},
        schedule=[api.ScheduleEntry(start_s=0, max_w=60_000), api.ScheduleEntry(start_s=3_600, max_w=30_000)],
    ),
    api.SECC_PERMIT.name: api.Permit(
        boot=SECC, seq=42, time=TIME, session=SESSION, lock="locked", contactor="closed", power="on", reason="charge"
    ),
    api.SECC_TARGET.name: api.Target(
        boot=SECC, session=SESSION, phase="charge", voltage_v=402.5, current_a=120, vehicle_max_voltage_v=450
    ),
    api.SECC_COMMAND.name: api.Command(
        id="c0ffee01",
        boot=SECC,
        session=SESSION,
        do="start_cable_check",
        deadline_s=38,
        test_voltage_v=450,
        vehicle_max_voltage_v=450,
    ),
    api.SECC_VEHICLE.name: api.Vehicle(
        boot=SECC,
        seq=40,
        time=TIME,
        session=SESSION,
        ready=True,
        soc_percent=34,
        max_voltage_v=450,
        max_current_a=150,
        energy_capacity_wh=77_000,
        remaining_to_full_s=2_700,
    ),
    api.SECC_SERVICE.name: api.Services(
        boot=SECC,
        seq=37,
        time=TIME,
        session=SESSION,
        selected=[api.SelectedService(id=3, name="InternetAccess", parameter_set=4)],
    ),
    api.SECC_PLAN.name: api.Schedules(
        boot=SECC,
        seq=39,
        time=TIME,
        session=SESSION,
        source="backend",
        offered=[
            api.OfferedSchedule(
                id=1,
                entries=[api.ScheduleEntry(start_s=0, max_w=60_000), api.ScheduleEntry(start_s=3_600, max_w=30_000)],
                duration_s=7_200,
            )
        ],
        chosen=1,
        profile=[api.ProfileStep(start_s=0, max_w=50_000)],
    ),
    api.SECC_PLAN_REQUEST.name: api.PlanRequest(
        id="5e0d77a1",
        session=SESSION,
        deadline_s=20.0,
        energy_mode="DC",
        max_charge_w=100_000,
        max_entries=1_024,
        departure_s=7_200,
        energy_request_wh=42_000,
    ),
    api.SECC_RECEIPT.name: api.Receipt(
        session=SESSION,
        accepted=True,
        meter_id="M-0004",
        energy_import_wh=1_204_377,
        tuple_id=1,
        namespace="urn:iso:15118:2:2013:MsgDef",
        exi=bytes.fromhex("8098020000000000000000"),
        contract="DEABCC123456785",
    ),
    api.SECC_EVENT.name: api.Event(
        boot=SECC,
        time=TIME,
        kind="rejected",
        session=SESSION,
        topic="charger/state",
        reason="Invalid enum value 'Z' - at `$.plug`",
    ),
    api.CHARGER_STATUS.name: api.ChargerStatus(
        boot=CHARGER, seq=1, time=TIME, state="online", name="Bay 4", firmware="3.2.1"
    ),
    api.CHARGER_HEARTBEAT.name: api.Beat(boot=CHARGER, counter=815),
    api.CHARGER_SETUP.name: api.Setup(
        boot=CHARGER,
        seq=2,
        time=TIME,
        evse_id="DE*ABC*E0004",
        energy_modes=["DC"],
        max_current_a=200,
        max_voltage_v=920,
        max_power_w=150_000,
        min_voltage_v=150,
        connector="cCombo2",
    ),
    api.CHARGER_STATE.name: api.ChargerState(
        boot=CHARGER,
        seq=19,
        time=TIME,
        session=SESSION,
        plug="C",
        contactor="closed",
        lock="locked",
        isolation="valid",
        cable_check="passed",
        ready=True,
        faults=[],
        pwm=True,
        duty_percent=5,
        since_ms=8_200,
    ),
    api.CHARGER_LINK.name: api.ChargerLink(
        boot=CHARGER,
        seq=9,
        time=TIME,
        kind="plc",
        state="matched",
        vehicle_mac="02:42:ac:11:00:02",
        attenuation_db=11.5,
    ),
    api.CHARGER_MEASUREMENT.name: api.Measurement(
        boot=CHARGER, sample=9_003, voltage_v=401.8, current_a=119.6, power_w=48_055
    ),
    api.CHARGER_LIMITS.name: api.ChargerLimits(
        boot=CHARGER, seq=12, time=TIME, max_charge_w=100_000, max_current_a=180
    ),
    api.CHARGER_METER.name: api.Meter(
        boot=CHARGER, seq=18, time=TIME, meter_id="M-0004", energy_import_wh=1_204_377, read_at=TIME
    ),
    api.CHARGER_AUTHORIZATION.name: api.ChargerAuthorization(id="advance", accepted=True, valid_for_s=120),
    api.CHARGER_ACK.name: api.Ack(boot=CHARGER, result="done", seq=42),
    api.CHARGER_REQUEST.name: api.ChargerRequest(id="9d2b", do="stop", reason="stop button"),
    api.CHARGER_PLAN.name: api.Plan(
        id="5e0d77a1", schedules=[api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=11_040)])]
    ),
    api.BACKEND_AUTHORIZATION.name: api.BackendAuthorization(
        id="7f3e5a10", status="accepted", contract_status="Accepted", max_power_w=60_000
    ),
    api.BACKEND_CERTIFICATE.name: api.BackendCertificate(
        id="41c07be2", status="failed", reason="no contract for this vehicle"
    ),
    api.BACKEND_OCSP.name: api.BackendOcsp(id="b81e2f90", status="failed", reason="the responder does not answer"),
    api.BACKEND_PLAN.name: api.Plan(
        id="5e0d77a1",
        schedules=[
            api.PlannedSchedule(
                steps=[api.PlanStep(start_s=0, max_w=60_000), api.PlanStep(start_s=3_600, max_w=30_000)]
            )
        ],
        duration_s=7_200,
    ),
    api.CABLE_VEHICLE.name: CableVehicle(plugged=True, pilot="C", contactor="closed", current_a=119.6, battery_v=401.0),
    api.CABLE_CHARGER.name: CableCharger(pwm=True, duty_percent=5, voltage_v=401.8),
}
