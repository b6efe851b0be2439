"""The registry of the gate: each finding once, with words and a source; the docs tell the same; each rule speaks its own code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from inventory.clinic.setting_rules import RULES as SETTINGS
from inventory.doses.rules.gate import Limits, Tier, override_reasons, what_to_do
from inventory.doses.rules.gate.registry import FIXED, REGISTRY, RULES
from inventory.doses.rules.gate.rule import CHANGEABLE, Rule
from inventory.doses.rules.terms import OverrideReason
from tests.support.gate_table import section

DOCS = Path(__file__).resolve().parents[3] / "docs"
NO_WAY_ROUND = {
    "LOT-EXPIRED",
    "VIAL-PAST-USE-BY",
    "LOT-RECALLED",
    "LOT-HELD",
    "VIAL-CLOSED",
    "VIAL-NO-USE-BY",
    "SINGLE-DOSE-REUSED",
    "REMAINDER-POOLED",
    "VIAL-DEDICATED",
    "ROUTE-NOT-ON-LABEL",
    "DOSE-VOLUME-DISAGREE",
    "GIVER-NOT-AUTHORISED",
    "TIME-FUTURE",
    "BENZYL-ALCOHOL-NEONATE",
    "CONSENT-REFUSED",
}
"""The blocks before giving from which nothing leads away."""


def test_each_code_is_one_finding() -> None:
    assert len(REGISTRY) == len(RULES)


def test_what_has_no_way_round_cannot_be_set() -> None:
    assert set(FIXED) >= NO_WAY_ROUND
    assert {one.code for one in RULES if one.tier is Tier.INTEGRITY} <= set(FIXED)


def test_what_is_fixed_stops_the_dose() -> None:
    assert {REGISTRY[code].tier for code in FIXED} == {Tier.INTEGRITY, Tier.BLOCK}


@pytest.mark.parametrize("rule", RULES, ids=[one.code for one in RULES])
def test_a_rule_says_in_sentences_what_it_is(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]+(-[A-Z]+)*", rule.code)
    assert rule.words[0].isupper()
    assert rule.words.endswith(".")
    assert rule.todo == "" or rule.todo.endswith(".")
    assert rule.tiers == ((rule.tier,) if rule.is_fixed else CHANGEABLE)


@pytest.mark.parametrize("rule", RULES, ids=[one.code for one in RULES])
def test_a_threshold_is_a_setting_that_the_gate_reads(rule: Rule) -> None:
    read = {field.name for field in fields(Limits)}
    assert set(rule.thresholds) <= set(SETTINGS)
    assert set(rule.thresholds) <= read


def test_every_overridden_finding_has_a_reason_that_fits_and_another() -> None:
    for one in RULES:
        offered = list(override_reasons(one.code))
        assert len(offered) > 1
        assert offered[-1] is OverrideReason.OTHER
    assert list(override_reasons("NO-SUCH")) == [OverrideReason.OTHER]


def test_says_what_to_do_and_nothing_of_what_is_unknown() -> None:
    assert what_to_do("LOT-EXPIRED").startswith("Take a lot")
    assert what_to_do("NO-SUCH") == ""


def test_the_docs_list_every_finding_as_the_registry_has_it() -> None:
    told = "### " + (DOCS / "gate.md").read_text(encoding="utf-8").partition("### ")[2]
    assert told == section(), "python -m tests.support.gate_table"
