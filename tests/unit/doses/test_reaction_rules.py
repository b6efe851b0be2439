"""What a reaction calls for, and what stands out among many: severity and seriousness apart, small numbers told as such."""

import pytest

from inventory.doses.rules.reaction_terms import (
    ATTENTION_AT_ONCE,
    EMERGENCIES,
    MILD,
    Criterion,
    DecisionKind,
    ReactionOutcome,
    Severity,
    Symptom,
)
from inventory.doses.rules.reactions import ReactionState, asks_potassium, is_grave, read, written
from inventory.doses.rules.signals import Compared, Counted, Standing, Tally, signals


def test_every_symptom_is_of_one_list() -> None:
    assert sorted([*EMERGENCIES, *ATTENTION_AT_ONCE, *MILD]) == sorted(Symptom)


@pytest.mark.parametrize("symptom", Symptom)
def test_a_symptom_of_the_graver_lists_is_grave_however_it_was_judged(symptom: Symptom) -> None:
    assert is_grave(Severity.MILD, (), (symptom,)) == (symptom not in MILD)
    assert asks_potassium((symptom,)) == (symptom in ATTENTION_AT_ONCE)


@pytest.mark.parametrize("criterion", Criterion)
def test_seriousness_is_grave_at_any_severity(criterion: Criterion) -> None:
    assert is_grave(Severity.MILD, (criterion,), MILD)


def test_severity_alone_is_grave_and_so_is_a_death() -> None:
    assert is_grave(Severity.SEVERE, (), MILD)
    assert not is_grave(Severity.MODERATE, (), MILD)
    assert is_grave(Severity.MILD, (), MILD, ReactionOutcome.DIED)


@pytest.mark.parametrize(
    "decision, same, other",
    [
        (None, True, True),
        (DecisionKind.STOP, True, True),
        (DecisionKind.OTHER_FORMULATION, True, False),
        (DecisionKind.MAY_CONTINUE, False, False),
    ],
)
def test_what_stands_against_a_dose(decision: DecisionKind | None, same: bool, other: bool) -> None:
    grave = ReactionState("dose 1", True, "cyanocobalamin", ReactionOutcome.RECOVERED, decision)
    assert grave.stands_against("cyanocobalamin") is same
    assert grave.stands_against("hydroxocobalamin") is other
    mild = ReactionState("dose 1", False, "cyanocobalamin", ReactionOutcome.ONGOING)
    assert not mild.stands_against("cyanocobalamin")


def test_a_choice_of_words_is_read_as_it_was_written() -> None:
    assert read(Symptom, written(Symptom)) == tuple(Symptom)
    assert written([Symptom.HIVES, Symptom.HIVES]) == "hives"
    assert read(Symptom, "") == ()


def row(lot: str, doses: int, reacted: int, *, formulation: str = "c", first: bool = True) -> Counted:
    tally = Tally(doses, reacted)
    return Counted(lot, formulation, "LD", tally, tally if first else Tally())


def test_a_bad_lot_stands_first_and_the_rest_is_all_other_doses() -> None:
    found = signals([row("good", 900, 1), row("bad", 50, 6), row("small", 2, 0)])
    assert [one.key for one in found.lots] == ["bad", "good", "small"]
    assert (found.lots[0].group, found.lots[0].rest) == (Tally(50, 6), Tally(902, 1))
    assert found.total == Tally(952, 7)
    assert found.lots[0].standing(found.comparisons) is Standing.LOOK
    assert found.lots[1].standing(found.comparisons) is Standing.NOTHING


def test_a_lot_with_fewer_reactions_is_no_signal() -> None:
    found = signals([row("usual", 100, 50), row("better", 100, 5)])
    better = next(one for one in found.lots if one.key == "better")
    assert better.p is not None
    assert better.p < 0.001
    assert better.standing(found.comparisons) is Standing.NOTHING


def test_many_comparisons_ask_for_more() -> None:
    [one, _] = signals([row("one", 20, 4), row("rest", 200, 8)]).lots
    assert one.p is not None
    assert 0.005 < one.p < 0.05
    assert one.standing(1) is Standing.LOOK
    assert one.standing(30) is Standing.MAYBE


def test_what_is_alone_is_held_against_nothing() -> None:
    found = signals([row("only", 20, 4)])
    assert [one.p for one in (*found.lots, *found.formulations, *found.body_sites)] == [None, None, None]
    assert found.comparisons == 0
    assert found.lots[0].standing(0) is Standing.NOTHING


def test_a_dose_of_two_lots_is_one_dose_in_all() -> None:
    found = signals([row("a", 10, 1), row("b", 10, 1, first=False)])
    assert found.total == Tally(10, 1)
    assert [one.group for one in found.lots] == [Tally(10, 1), Tally(10, 1)]


def test_nothing_is_compared_where_nothing_was_given() -> None:
    found = signals([])
    assert found.total.per_thousand is None
    assert list[Compared](found.lots) == []
