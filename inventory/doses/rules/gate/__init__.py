"""The one gate (law 7): what speaks against a dose, as data. Page, command and import ask the same `may_give`.

Every rule is domain.md section 2, one finding each, small and pure, in the module of its subject; `registry` lists them. The
state is as of `given_at`, so that a dose recorded late is judged by what was true when it was given. What a finding weighs is
decided here, from the clinic's own settings; integrity, and the blocks with no way round, weigh what they weigh.
"""

from collections.abc import Iterable

from inventory.doses.rules.gate.integrity import CLOCK_TOLERANCE
from inventory.doses.rules.gate.registry import REGISTRY, RULES
from inventory.doses.rules.gate.rule import Rule
from inventory.doses.rules.question import (
    Finding,
    GateSettings,
    GiverState,
    History,
    Limits,
    PatientState,
    ProductState,
    Question,
    SourceState,
    Tier,
    Weight,
)
from inventory.doses.rules.terms import OVERRIDE_REASON_WORDS, OverrideReason

__all__ = [
    "CLOCK_TOLERANCE",
    "Finding",
    "GateSettings",
    "GiverState",
    "History",
    "Limits",
    "PatientState",
    "ProductState",
    "Question",
    "SourceState",
    "Tier",
    "Weight",
    "asked_once",
    "may_give",
    "override_reasons",
    "what_to_do",
]

_ORDER = {weight: position for position, weight in enumerate(Weight)}


def may_give(question: Question) -> list[Finding]:
    """Return everything that speaks against this dose, weightiest first, each code once; nothing found lets it pass."""
    found = [
        Finding(rule.code, _weight(rule, question), message, rule.field)
        for rule in RULES
        if (rule.is_fixed or rule.code not in question.gate.off) and (message := rule.ask(question))
    ]
    return sorted(found, key=lambda finding: _ORDER[finding.weight])


def asked_once(question: Question, findings: Iterable[Finding]) -> frozenset[str]:
    """Return which findings must be acknowledged now and never again in this course (or year): ask whether they were."""
    weighed = (finding.code for finding in findings if finding.weight is Weight.ACKNOWLEDGE)
    return frozenset(code for code in weighed if _tier(REGISTRY[code], question) is Tier.ONCE)


def override_reasons(code: str) -> dict[OverrideReason, str]:
    """Return the reasons that fit a finding, with their words: a licence is not tolerated, nor an allergy split in two."""
    rule = REGISTRY.get(code)
    fitting = rule.reasons if rule else ()
    return {reason: OVERRIDE_REASON_WORDS[reason] for reason in (*fitting, OverrideReason.OTHER)}


def what_to_do(code: str) -> str:
    """Return what to do about a finding, where its own words do not say so."""
    rule = REGISTRY.get(code)
    return rule.todo if rule else ""


def _tier(rule: Rule, question: Question) -> Tier:
    return rule.tier if rule.is_fixed else question.gate.tier_of(rule.code, rule.tier)


def _weight(rule: Rule, question: Question) -> Weight:
    tier = _tier(rule, question)
    if tier is Tier.ONCE:
        return Weight.INFORM if rule.code in question.acknowledged else Weight.ACKNOWLEDGE
    return Weight(tier)
