"""What the clinic may change about the gate, without a database: tiers, rules switched off, once; and what nothing changes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.doses.queries.acknowledged import a_year_before
from inventory.doses.queries.gate_rules import settings_from
from inventory.doses.rules.gate import Finding, GateSettings, LabState, Tier, Weight, asked_once, may_give
from inventory.doses.rules.gate.registry import FIXED, REGISTRY
from inventory.patients.models import AlertKind
from tests.unit.doses.test_gate import CASES, QUESTION, TODAY, alert

BLEEDS = alert(AlertKind.BLEEDING_RISK)
FOLATE = {**alert(AlertKind.FOLATE, is_cobalamin=False), "labs": LabState()}


def found(changes: dict[str, Any], settings: GateSettings, **more: Any) -> dict[str, Weight]:
    answered = may_give(replace(QUESTION, **changes, gate=settings, **more))
    return {finding.code: finding.weight for finding in answered}


@st.composite
def settings(draw: st.DrawFn) -> GateSettings:
    """Whatever anybody may have set, by whatever way: of fixed findings too."""
    codes = st.sampled_from(sorted(REGISTRY))
    off = draw(st.one_of(st.just(frozenset(REGISTRY)), st.frozensets(codes)))
    return GateSettings(off, draw(st.dictionaries(codes, st.sampled_from(Tier))))


@given(case=st.sampled_from(CASES), chosen=settings(), seen=st.frozensets(st.sampled_from(sorted(REGISTRY))))
def test_no_setting_quiets_integrity_or_a_block_without_a_way_round(
    case: tuple[str, Weight, dict[str, Any]], chosen: GateSettings, seen: frozenset[str]
) -> None:
    def fixed(weighed: dict[str, Weight]) -> dict[str, Weight]:
        return {code: weight for code, weight in weighed.items() if code in FIXED}

    expected = fixed(found(case[2], GateSettings()))
    assert fixed(found(case[2], chosen, acknowledged=seen)) == expected


@given(case=st.sampled_from(CASES), chosen=settings())
def test_a_setting_adds_nothing_and_says_the_same(
    case: tuple[str, Weight, dict[str, Any]], chosen: GateSettings
) -> None:
    usual = {f.code: (f.message, f.field) for f in may_give(replace(QUESTION, **case[2]))}
    set_here = {f.code: (f.message, f.field) for f in may_give(replace(QUESTION, **case[2], gate=chosen))}
    assert set_here.items() <= usual.items()
    assert set(usual) - set(set_here) <= chosen.off


@pytest.mark.parametrize(
    "tier, weight",
    [
        (Tier.BLOCK, Weight.BLOCK),
        (Tier.OVERRIDE, Weight.OVERRIDE),
        (Tier.ACKNOWLEDGE, Weight.ACKNOWLEDGE),
        (Tier.ONCE, Weight.ACKNOWLEDGE),
        (Tier.INFORM, Weight.INFORM),
    ],
)
def test_a_finding_weighs_what_the_clinic_says(tier: Tier, weight: Weight) -> None:
    assert found(BLEEDS, GateSettings(tiers={"BLEEDING-RISK": tier})) == {"BLEEDING-RISK": weight}


def test_what_is_off_is_not_found() -> None:
    assert found(BLEEDS, GateSettings(off=frozenset({"BLEEDING-RISK"}))) == {}


def test_once_is_told_only_when_it_was_acknowledged() -> None:
    code = "FOLATE-NO-STATUS"
    assert found(FOLATE, GateSettings()) == {code: Weight.ACKNOWLEDGE}
    assert found(FOLATE, GateSettings(), acknowledged=frozenset({code})) == {code: Weight.INFORM}
    each_time = GateSettings(tiers={code: Tier.ACKNOWLEDGE})
    assert found(FOLATE, each_time, acknowledged=frozenset({code})) == {code: Weight.ACKNOWLEDGE}


def test_only_what_is_asked_once_is_looked_up() -> None:
    def asked(changes: dict[str, Any], **more: Any) -> frozenset[str]:
        question = replace(QUESTION, **changes, **more)
        return asked_once(question, may_give(question))

    assert asked(BLEEDS) == frozenset()
    assert asked(BLEEDS, gate=GateSettings(tiers={"BLEEDING-RISK": Tier.ONCE})) == {"BLEEDING-RISK"}
    assert asked(FOLATE) == {"FOLATE-NO-STATUS"}
    assert asked(FOLATE, acknowledged=frozenset({"FOLATE-NO-STATUS"})) == frozenset()


def test_the_weightiest_is_told_first_whatever_was_set() -> None:
    chosen = GateSettings(tiers={"BIOTIN-BEFORE-LABS": Tier.BLOCK})
    both = alert(AlertKind.BLEEDING_RISK, AlertKind.BIOTIN)
    assert list(found(both, chosen)) == ["BIOTIN-BEFORE-LABS", "BLEEDING-RISK"]
    assert [f.code for f in may_give(replace(QUESTION, **both))] == ["BLEEDING-RISK", "BIOTIN-BEFORE-LABS"]


def test_reads_what_the_statement_tells() -> None:
    assert settings_from(None) == GateSettings()
    told = settings_from("SAME-SITE=off BLEEDING-RISK=once")
    assert told == GateSettings(frozenset({"SAME-SITE"}), {"BLEEDING-RISK": Tier.ONCE})


def test_a_year_before_a_leap_day_is_the_last_of_february() -> None:
    leap = TODAY.replace(year=2028, month=2, day=29)
    assert a_year_before(leap) == leap.replace(year=2027, day=28)
    assert a_year_before(TODAY) == TODAY.replace(year=2025)


def test_a_finding_is_data() -> None:
    assert may_give(replace(QUESTION, **BLEEDS)) == [
        Finding(
            "BLEEDING-RISK", Weight.ACKNOWLEDGE, "Bleeding risk: use 23 G or finer and press for 2 minutes."
        )
    ]
