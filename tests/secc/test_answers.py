"""Authorization answers: ids, deadlines, revocations, and cards shown in advance."""

from __future__ import annotations

from typing import Literal

import pytest

from secc import api
from secc.answers import Answers, OcspAnswers, PlanAnswers
from secc.charger import Presented


def asking(deadline_s: float = 10.0) -> Answers:
    answers = Answers()
    answers.ask(api.AuthorizationRequest(id="r", session="s", kind="external", deadline_s=deadline_s), 0.0)
    return answers


def backend(status: api.Answer, request: str = "r", valid_for_s: float | None = None) -> api.BackendAuthorization:
    return api.BackendAuthorization(
        id=request, status=status, valid_for_s=valid_for_s, max_power_w=3_700.0, max_energy_wh=5_000.0
    )


def card(accepted: bool, request: str = "r", valid_for_s: float | None = None) -> api.ChargerAuthorization:
    return api.ChargerAuthorization(id=request, accepted=accepted, valid_for_s=valid_for_s)


def test_each_source_has_its_own_word() -> None:
    answers = asking()
    assert answers.charger(card(True), 1) == ""
    assert answers.backend(backend("rejected"), 1) == ""
    words = [answers.answered("r", "charger"), answers.answered("r", "backend")]
    assert [word and (word.accepted, word.source) for word in words] == [(True, "charger"), (False, "backend")]


def test_an_id_that_nobody_asked_is_refused() -> None:
    answers = asking()
    assert answers.charger(card(True, "x"), 1) == "unknown id"
    assert answers.backend(backend("accepted", "x"), 1) == "unknown id"
    assert answers.backend(backend("pending", "x"), 1) == "unknown id"
    answers.forget()
    assert answers.charger(card(True), 1) == "unknown id"
    assert answers.answered("r", "charger") is None


def test_pending_is_no_word() -> None:
    answers = asking()
    assert answers.backend(backend("pending"), 1) == ""
    assert answers.answered("r", "backend") is None


def test_the_limits_of_a_contract_come_along() -> None:
    answers = asking()
    answers.backend(backend("accepted"), 1)
    word = answers.answered("r", "backend")
    assert word is not None
    assert (word.max_power_w, word.max_energy_wh) == (3_700.0, 5_000.0)


def test_a_late_refusal_revokes_and_stands() -> None:
    answers = asking()
    answers.backend(backend("accepted"), 1)
    assert answers.backend(backend("rejected"), 500) == ""
    assert answers.backend(backend("accepted"), 501) == "refused before"
    word = answers.answered("r", "backend")
    assert word is not None
    assert not word.accepted


def test_a_late_acceptance_does_not_count() -> None:
    answers = asking(deadline_s=10)
    assert answers.charger(card(True), 10.1) == "past its deadline"
    assert answers.answered("r", "charger") is None
    assert answers.charger(card(False), 10.2) == ""


def test_a_card_in_advance_is_good_once_and_for_its_time() -> None:
    answers = Answers()
    assert answers.advance("charger", "r", 0) is None
    assert answers.charger(card(True, "advance", 60), 0) == ""
    assert answers.advance("backend", "r", 1) is None
    answers.forget()
    word = answers.advance("charger", "r", 59)
    assert word is not None
    assert word.accepted
    assert answers.advance("charger", "r", 59) is None
    answers.charger(card(True, "advance", 60), 100)
    assert answers.advance("charger", "r", 160) is None


def test_a_card_in_advance_that_crossed_the_request_answers_it() -> None:
    """Shown before the reader heard of the request: it must neither be lost nor count again."""
    answers = asking()
    assert answers.charger(card(True, "advance", 60), 1) == ""
    word = answers.answered("r", "charger")
    assert word is not None
    assert word.accepted
    assert answers.advance("charger", "next", 2) is None


def test_a_card_in_advance_opens_no_request_that_is_decided_or_over() -> None:
    revoked = asking()
    revoked.charger(card(True), 1)
    revoked.charger(card(False), 2)
    revoked.charger(card(True, "advance", 60), 3)
    word = revoked.answered("r", "charger")
    assert word is not None
    assert not word.accepted
    late = asking(deadline_s=10)
    late.charger(card(True, "advance", 60), 11)
    assert late.answered("r", "charger") is None
    contract = Answers()
    contract.ask(api.AuthorizationRequest(id="r", session="s", kind="contract", deadline_s=10), 0)
    contract.charger(card(True, "advance", 60), 1)
    assert contract.answered("r", "charger") is None
    for answers in (revoked, late, contract):
        assert answers.advance("charger", "next", 12) is not None


def test_a_card_in_advance_can_be_taken_back() -> None:
    answers = Answers()
    answers.backend(backend("accepted", "advance", valid_for_s=60), 0)
    answers.backend(backend("rejected", "advance"), 1)
    assert answers.advance("backend", "r", 2) is None


@pytest.mark.parametrize("source", ["charger", "backend"])
def test_a_card_in_advance_is_revoked_by_the_id_of_the_request_it_answered(
    source: Literal["charger", "backend"],
) -> None:
    answers = Answers()
    answers.charger(card(True, "advance", 60), 0)
    answers.backend(backend("accepted", "advance", valid_for_s=60), 0)
    word = answers.advance(source, "r", 1)
    assert answers.answered("r", source) == word is not None
    if source == "charger":
        assert answers.charger(card(False), 100) == ""
        assert answers.charger(card(True), 101) == "refused before"
    else:
        assert answers.backend(backend("rejected"), 100) == ""
        assert answers.backend(backend("accepted"), 101) == "refused before"
    word = answers.answered("r", source)
    assert word is not None
    assert not word.accepted


def test_the_id_of_an_advance_admits_nobody_else() -> None:
    """A card that was never shown, or shown too long ago, opens no request."""
    answers = Answers()
    assert answers.advance("charger", "r", 0) is None
    assert answers.charger(card(True), 0) == "unknown id"
    answers.charger(card(True, "advance", 1), 0)
    assert answers.advance("charger", "r", 2) is None
    assert answers.charger(card(True), 2) == "unknown id"


def test_a_card_in_advance_needs_its_time() -> None:
    answers = Answers()
    assert "valid_for_s" in answers.charger(card(True, "advance"), 0)
    assert answers.advance("charger", "r", 0) is None


def test_a_refused_card_leaves_the_request_to_the_next_card() -> None:
    answers = asking(deadline_s=10.0)
    assert answers.charger(card(False), 1) == ""
    assert answers.charger(card(True), 5) == ""
    word = answers.answered("r", "charger")
    assert word is not None
    assert word.accepted


def test_the_next_card_may_not_come_late_either() -> None:
    answers = asking(deadline_s=10.0)
    answers.charger(card(False), 1)
    assert answers.charger(card(True), 11) == "past its deadline"
    word = answers.answered("r", "charger")
    assert word is not None
    assert not word.accepted


def test_a_refused_contract_stays_refused() -> None:
    answers = Answers()
    answers.ask(api.AuthorizationRequest(id="r", session="s", kind="contract", deadline_s=10.0), 0.0)
    assert answers.backend(backend("rejected"), 1) == ""
    assert answers.backend(backend("accepted"), 2) == "refused before"
    word = answers.answered("r", "backend")
    assert word is not None
    assert not word.accepted


# --- plans ----------------------------------------------------------------------------------------------------------


def planned(request: str = "r", watts: float = 11_040) -> api.Plan:
    return api.Plan(id=request, schedules=[api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=watts)])])


def test_the_newest_plan_counts_however_late() -> None:
    plans = PlanAnswers()
    plans.ask("r", "backend")
    assert plans.answered("r") is None
    assert plans.take("backend", planned(), 1.0) == ""
    assert plans.take("backend", planned(watts=6_900), 900.0) == ""
    newest = plans.answered("r")
    assert newest is not None
    assert (newest.plan, newest.at) == (planned(watts=6_900), 900.0)


def test_a_plan_counts_for_the_last_request_and_from_the_one_asked() -> None:
    plans = PlanAnswers()
    assert plans.take("backend", planned(), 1.0) == "unknown id"
    plans.ask("r", "backend")
    assert plans.take("charger", planned(), 1.0) == "the backend makes the plans here"
    assert plans.take("backend", planned("q"), 1.0) == "unknown id"
    plans.take("backend", planned(), 1.0)
    plans.ask("s", "backend")
    assert plans.answered("r") is None
    assert plans.answered("s") is None
    assert plans.take("backend", planned(), 2.0) == "unknown id"
    plans.forget()
    assert plans.take("backend", planned("s"), 3.0) == "unknown id"


def test_a_word_of_before_a_pause_can_be_revoked_by_the_new_id() -> None:
    answers = Answers()
    answers.readmit("charger", "new", Presented(accepted=True, source="charger"), 0.0)
    word = answers.answered("new", "charger")
    assert word is not None
    assert word.accepted
    assert answers.charger(card(False, "new"), 500.0) == ""
    word = answers.answered("new", "charger")
    assert word is not None
    assert not word.accepted


# --- OCSP -------------------------------------------------------------------------------------------------------------

ABOUT = api.OcspRequestData(hash_algorithm="SHA256", issuer_name_hash="00", issuer_key_hash="00", serial_number="1")


def test_an_ocsp_answer_counts_once_and_in_time() -> None:
    answers = OcspAnswers()
    answers.ask(api.OcspRequest(id="o", deadline_s=10, certificate=ABOUT), 0.0)
    first = api.BackendOcsp(id="o", status="accepted", response=b"one")
    assert answers.take(api.BackendOcsp(id="x", status="accepted", response=b"one"), 1) == "unknown id"
    assert answers.answered("o") is None
    assert answers.take(first, 10) == ""
    assert answers.take(api.BackendOcsp(id="o", status="accepted", response=b"two"), 10) == "answered before"
    assert answers.answered("o") == first


def test_ocsp_answers_are_not_kept_for_ever() -> None:
    answers = OcspAnswers()
    for second in range(100):
        answers.ask(api.OcspRequest(id=str(second), deadline_s=2, certificate=ABOUT), float(second))
        assert answers.take(api.BackendOcsp(id=str(second), status="failed"), float(second)) == ""
    assert answers.take(api.BackendOcsp(id="3", status="failed"), 100.0) == "unknown id"
    assert [answers.answered(str(second)) is not None for second in (3, 97, 98, 99)] == [False, False, True, True]


def test_an_ocsp_answer_past_its_deadline() -> None:
    answers = OcspAnswers()
    answers.ask(api.OcspRequest(id="o", deadline_s=10, certificate=ABOUT), 0.0)
    assert answers.take(api.BackendOcsp(id="o", status="failed"), 10.1) == "past its deadline"
