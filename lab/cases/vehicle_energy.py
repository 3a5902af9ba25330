"""Which case of a vehicle in AC and DC is which pattern, with its parameters: from the parameters to the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from lab.cases import responses as say
from lab.cases import vehicle_checks as check
from lab.cases.host import Host
from lab.cases.pixit import Energy
from lab.cases.requests import volts
from lab.cases.responses import POWER_W, Schedule
from lab.cases.vehicle_patterns import (
    ALWAYS,
    LOOP,
    Check,
    Preparation,
    Vehicle,
    asks,
    endless,
    failures,
    follows,
    lasting,
    leaves,
    meter,
    nothing,
    of_itself,
    pilot_error,
    refused,
    unanswered,
    wrong_response,
)
from lab.cases.vehicle_pause import (
    SECURITIES,
    WAKINGS,
    Waking,
    discovers,
    features,
    goes_on,
    now,
    put_to_sleep,
    same_choice,
    same_mode,
    same_session,
    sooner,
)
from v2g.messages import iso2

STOP, RENEGOTIATE = "StopCharging", "ReNegotiation"
POWER = (
    *ALWAYS, "FAILED_ChargingProfileInvalid", "FAILED_TariffSelectionInvalid", "FAILED_PowerDeliveryNotApplied",
    "FAILED_ContactorError",
)  # fmt: skip
STEPS = ((0, POWER_W), (900, POWER_W / 2), (1_800, POWER_W))
THREE = tuple(Schedule(id=number, steps=((0, POWER_W), (900, POWER_W / number))) for number in (1, 2, 3))
PRICED = tuple(
    Schedule(id=number, steps=((0, POWER_W), (900, POWER_W)), prices=(4 - number, 4 - number)) for number in (1, 2, 3)
)
CONTRACTS = ((), ("provisioning", "updates"), ("provisioning", "installs"))
"""A contract as it is, renewed, installed."""
SLEEPING: tuple[Waking, ...] = ("toggled", "idle first", "idle later")


def cases(energy: Energy) -> Iterator[tuple[str, Vehicle]]:
    """All of one kind of energy."""
    yield from _parameters(energy)
    yield from _loop(energy)
    yield from _receipts()
    yield from _pauses(energy)
    yield from _ac() if energy == "AC" else _dc()
    for number in (1, 2, 3, 5, 6, 7):
        yield f"Reliability_{number:03}", lasting(2 + number)


def _parameters(energy: Energy) -> Iterator[tuple[str, Vehicle]]:
    stage = "ChargeParameterDiscovery"
    following = ("PowerDelivery",) if energy == "AC" else ("CableCheck",)
    yield f"{stage}_001", asks(stage, check.wants_energy, check.departs, features=("departs",), then=following)
    codes = (*ALWAYS, "FAILED_WrongEnergyTransferMode", "FAILED_WrongChargeParameter")
    for number, code in enumerate(codes, 2):
        yield f"{stage}_{number:03}", refused(stage, code)
    yield f"{stage}_007", endless(stage, "ongoing_evcc", lambda _: say.charge_parameters(energy, ()), 1 / 200)
    yield f"{stage}_008", again(following, check.wants_energy, asked=True)
    yield f"{stage}_009", pilot_error(stage, "E")
    yield f"{stage}_010", pilot_error(stage, "F")
    yield f"{stage}_011", again(following, check.wants_energy)
    yield f"{stage}_012", asks(stage, check.wants_energy, check.departs_never, then=following)
    yield f"{stage}_013", again(following, check.wants_energy, check.departs, departs=True, asked=True)
    yield f"{stage}_014", again(following, check.wants_energy, check.departs, departs=True)


def again(then: tuple[str, ...], *checks: Check, asked: bool = False, departs: bool = False) -> Vehicle:
    """The parameters after a renegotiation, which the station asked for or the vehicle wanted."""
    more = ("departs",) if departs else ()
    if asked:
        return asks(
            "ChargeParameterDiscovery", *checks, features=more, before=wishing(RENEGOTIATE), then=then, occurrence=2
        )
    return asks("ChargeParameterDiscovery", *checks, features=("renegotiates", *more), then=then, occurrence=2)


def wishing(notification: str, prepare: Preparation = nothing) -> Preparation:
    """Let the charge loop ask for something."""

    def before(host: Host) -> None:
        host.notification = notification
        prepare(host)

    return before


def offering(*schedules: Schedule, prepare: Preparation = nothing) -> Preparation:
    """Offer these schedules."""

    def before(host: Host) -> None:
        host.schedules = schedules
        prepare(host)

    return before


def _loop(energy: Energy) -> Iterator[tuple[str, Vehicle]]:
    loop = LOOP[energy]
    family = f"ChargingLoop{energy.capitalize()}OrPowerDelivery"
    yield f"{loop}_001", asks(loop, check.in_session, check.connected, then=(loop,))
    yield from failures(loop, 2, *ALWAYS, order="MEFW")
    ends = "SessionStop" if energy == "AC" else "WeldingDetection"
    yield f"{family}_001", follows(STOP, "Stop", then=ends)
    yield f"{family}_002", follows(STOP, "Stop", then=ends, metered=True)
    for number, code in enumerate((*ALWAYS, "FAILED_ContactorError"), 3):
        yield f"{family}_{number:03}", refused("Stop", code)
    yield f"{family}_007", unanswered("Stop")
    anew = "ChargeParameterDiscovery"
    yield f"{family}_008", follows(RENEGOTIATE, "Renegotiate", then=anew)
    yield f"{family}_009", follows(RENEGOTIATE, "Renegotiate", then=anew, metered=True)
    yield f"{family}_010", wrong_response("Stop")
    yield f"{family}_011", pilot_error("Stop", "E")
    yield f"{family}_012", pilot_error("Stop", "F")
    yield f"{family}_013", of_itself("Renegotiate", "renegotiates", then=anew)
    yield f"{family}_014", of_itself("Renegotiate", "renegotiates", then=anew, metered=True)


def _receipts() -> Iterator[tuple[str, Vehicle]]:
    stage = "MeteringReceipt"
    codes = (*ALWAYS, "FAILED_MeteringSignatureNotValid", "FAILED_SignatureError")
    for number, code in enumerate(codes, 2):
        yield f"{stage}_{number:03}", refused(stage, code)
    yield f"{stage}_007", unanswered(stage)
    yield f"{stage}_010", wrong_response(stage)
    yield f"{stage}_011", pilot_error(stage, "E")
    yield f"{stage}_012", pilot_error(stage, "F")
    numbers = (1, 8, 9, *range(13, 22))
    for number, (told, contract) in zip(numbers, product(READINGS, CONTRACTS), strict=True):
        yield f"{stage}_{number:03}", asks(stage, check.confirms, features=contract, before=told)


def _bare(host: Host) -> None:
    meter(host, reading=None)


def _read(host: Host) -> None:
    meter(host)


def _signed(host: Host) -> None:
    meter(host, reading=None, SigMeterReading=bytes(range(64)), MeterStatus=1)


def _all(host: Host) -> None:
    meter(host, SigMeterReading=bytes(range(64)), MeterStatus=1, TMeter=1_700_000_000)


READINGS = (_bare, _read, _signed, _all)
"""The meter alone, with its reading [V2G2-831], with its own signature [V2G2-776], with all of it."""


def _schedules(
    stage: str, *rows: tuple[tuple[int, ...], Preparation, tuple[str, ...]]
) -> Iterator[tuple[str, Vehicle]]:
    """A start under some schedules: at once, or for two numbers after each kind of renegotiation."""
    for numbers, prepare, more in rows:
        checks = (check.starts, check.cheapest) if "cheapest" in more else (check.starts,)
        if len(numbers) == 1:
            yield f"{stage}_{numbers[0]:03}", asks("PowerDelivery", *checks, features=more, before=prepare)
            continue
        asked, own = numbers
        told = wishing(RENEGOTIATE, prepare)
        yield f"{stage}_{asked:03}", asks("PowerDelivery", *checks, features=more, before=told, occurrence=2)
        wants = ("renegotiates", *more)
        yield f"{stage}_{own:03}", asks("PowerDelivery", *checks, features=wants, before=prepare, occurrence=2)


ONE, SEVERAL = offering(Schedule()), offering(Schedule(steps=STEPS))
ANY, CHEAP, CHEAP_ONE = offering(*THREE), offering(*PRICED), offering(PRICED[0])
DEAR_FIRST = ("cheapest", "departs")


def _ac() -> Iterator[tuple[str, Vehicle]]:
    stage = "PowerDelivery"
    yield from failures(stage, 2, *POWER, order="MWEF")
    yield from _schedules(
        stage,
        ((1,), ONE, ()), ((13, 14), ONE, ()), ((15,), SEVERAL, ()), ((16, 17), SEVERAL, ()),
        ((18,), ANY, ()), ((19,), ANY, ("departs",)), ((20,), CHEAP, DEAR_FIRST), ((21,), CHEAP, ("cheapest",)),
        ((22, 23), ANY, ()), ((24, 25), ANY, ("departs",)), ((26, 27), CHEAP, DEAR_FIRST),
        ((28, 29), CHEAP, ("cheapest",)), ((30, 31), CHEAP_ONE, ()), ((32, 33), CHEAP_ONE, ("departs",)),
    )  # fmt: skip
    stage = "SessionStop"
    yield from failures(stage, 2, *ALWAYS, order="MW")
    yield from _ends(stage, (1, 7, 8))
    yield from _ends(stage, (9, 10, 11), "dismissed")
    for place, waking in enumerate(SLEEPING):
        first = 12 + 3 * place
        yield from _sleeps(stage, (first, first + 1, first + 2), waking)


def _ends(
    stage: str, numbers: tuple[int, ...], *how: str, welding: bool | None = None
) -> Iterator[tuple[str, Vehicle]]:
    """An end of a charge by the vehicle, or one that the station wants: with a contract or not, inside TLS or not."""
    before = wishing(STOP) if "dismissed" in how else nothing
    measures = ("no welding",) if welding is False else ()
    for number, more in zip(numbers, ((), (), ("tls",)), strict=True):
        case = leaves("Terminate", *how, *measures, *more, before=before, welding=welding)
        yield f"{stage}_{number:03}", case


def _sleeps(
    stage: str, numbers: tuple[int, ...], waking: Waking, *, welding: bool | None = None
) -> Iterator[tuple[str, Vehicle]]:
    """A pause, for whatever reason: as above."""

    def before(host: Host) -> None:
        put_to_sleep(host, waking)

    measures = ("no welding",) if welding is False else ()
    for number, more in zip(numbers, ((), (), ("tls",)), strict=True):
        case = leaves("Pause", *features(waking, *measures, *more), before=before, welding=welding)
        yield f"{stage}_{number:03}", case


def _dc() -> Iterator[tuple[str, Vehicle]]:
    stage = "CableCheck"
    yield f"{stage}_001", asks(stage, check.in_session, check.connected, then=("PreCharge",))
    for number, code in enumerate(ALWAYS, 2):
        yield f"{stage}_{number:03}", refused(stage, code)
    yield f"{stage}_005", unanswered(stage)
    yield f"{stage}_006", endless(stage, "cable_check_evcc", lambda _: say.cable_check("Ongoing"), 1 / 100)
    yield f"{stage}_007", wrong_response(stage)
    yield f"{stage}_008", pilot_error(stage, "E")
    yield f"{stage}_009", pilot_error(stage, "F")
    stage = "PreCharge"
    yield f"{stage}_001", asks(stage, check.in_session, check.precharges, then=("PreCharge", "PowerDelivery"))
    for number, code in enumerate(ALWAYS, 2):
        yield f"{stage}_{number:03}", refused(stage, code)
    yield f"{stage}_005", unanswered(stage)
    yield f"{stage}_006", endless(stage, "precharge_evcc", _never_there, 1 / 20)
    yield f"{stage}_007", wrong_response(stage)
    yield f"{stage}_008", pilot_error(stage, "E")
    yield f"{stage}_009", pilot_error(stage, "F")
    stage = "PreChargeOrPowerDelivery"
    yield from failures("PowerDelivery", 2, *POWER, order="MWEF", family=stage)
    yield from _schedules(
        stage,
        ((1,), ONE, ()), ((13, 14), ONE, ()), ((15,), ANY, ()), ((16,), CHEAP, DEAR_FIRST), ((17, 18), ANY, ()),
        ((19, 20), CHEAP, DEAR_FIRST), ((21, 22), CHEAP_ONE, ()),
    )  # fmt: skip
    yield from _welding()


def _never_there(_: object) -> iso2.PreChargeRes:
    return say.precharge(volts(say.FLAT_V))


def _welding() -> Iterator[tuple[str, Vehicle]]:
    stage, following = "WeldingDetection", ("WeldingDetection", "SessionStop")
    yield f"{stage}_001", asks(stage, check.in_session, check.disconnected, then=following)
    yield from failures(stage, 2, *ALWAYS, order="MWEF")
    yield (
        f"{stage}_009",
        asks(stage, check.in_session, check.disconnected, then=following, before=_slowly, occurrence=2),
    )
    stage = "WeldingDetectionOrSessionStop"
    yield from failures("SessionStop", 2, *ALWAYS, order="MW", family=stage)
    yield from _ends(stage, (1, 7, 8))
    yield from _ends(stage, (9, 10, 11), "dismissed")
    for place, waking in enumerate(SLEEPING):
        first = 12 + 3 * place
        yield from _sleeps(stage, (first, first + 1, first + 2), waking)
    for welding, odd in ((False, 1), (True, 2)):
        stage = "SessionStop"
        yield from _ends(stage, (odd, odd + 2, odd + 4), welding=welding)
        yield from _ends(stage, (odd + 6, odd + 8, odd + 10), "dismissed", welding=welding)
        for place, waking in enumerate(SLEEPING):
            first = odd + 12 + 6 * place
            yield from _sleeps(stage, (first, first + 2, first + 4), waking, welding=welding)


def _slowly(host: Host) -> None:
    """Let the output take a while to discharge."""
    host.discharges = 1


def _pauses(energy: Energy) -> Iterator[tuple[str, Vehicle]]:
    for place, waking in enumerate(WAKINGS):
        for number, (asked, told, more) in enumerate(SECURITIES, 1 + 4 * place):
            yield f"SDP_{number:03}", discovers(waking, asked, told, *more)
        yield f"SessionSetup_{1 + place:03}", goes_on("SessionSetup", waking, same_session)
        yield from _choices(energy, place, waking)
        number = 15 + 3 * place
        stage = "ChargeParameterDiscovery"
        mode = (now(check.wants_energy), same_mode)
        yield f"{stage}_{number:03}", goes_on(stage, waking, *mode, now(check.departs_never))
        yield f"{stage}_{number + 1:03}", goes_on(stage, waking, *mode, now(check.departs), more=("departs",))
        yield f"{stage}_{number + 2:03}", goes_on(stage, waking, *mode, sooner, more=("departs",))


def _choices(energy: Energy, place: int, waking: Waking) -> Iterator[tuple[str, Vehicle]]:
    """The choice after a pause, with the details of a service before it and without."""
    stage, wide = "PaymentServiceSelection", ("tls", "internet")
    detailed, plain = goes_on(stage, waking, same_choice, more=wide), goes_on(stage, waking, same_choice)
    first = 4 * place + (2 if energy == "AC" else 1)
    if energy == "AC" and place == 0:
        yield f"{stage}_001", asks(stage, check.selects, then=("Authorization",))
    for number, case in enumerate((detailed, detailed, plain, plain), first):
        yield f"{stage}_{number:03}", case
    for number in (1, 2):
        yield f"ServiceDetailAndPaymentSelection_{2 * place + number:03}", detailed
