"""The gate's rules in words: what each asks, where it comes from, what is compared, and whether it is quieter than by default."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from inventory.clinic.setting_rules import RULES as SETTINGS
from inventory.clinic.setting_rules import Kind, SettingRule
from inventory.doses.queries.gate_rules import RuleState
from inventory.doses.rules.gate import Tier
from inventory.doses.rules.gate.registry import SUBJECTS
from inventory.kernel.quantity import format_ml
from inventory.web.presenting import local_time

TIER_WORDS: dict[Tier, str] = {
    Tier.INTEGRITY: "Is refused, before giving and after",
    Tier.BLOCK: "Stops the dose",
    Tier.OVERRIDE: "A prescriber decides, with a reason",
    Tier.ACKNOWLEDGE: "Acknowledged each time",
    Tier.ONCE: "Acknowledged once a course, or once a year without one",
    Tier.INFORM: "Is told, nothing to click",
}
_LOUDNESS = tuple(Tier)


class ShownRule(NamedTuple):
    """A rule as a line of the settings page. `mark` and its `tone` say how it differs from its default; empty where it does not."""

    code: str
    words: str
    asks: str
    source: str
    limits: list[str]
    is_fixed: bool
    mark: str
    tone: str


class ShownState(NamedTuple):
    """How one rule stands, for the page on which it is changed."""

    default: str
    limits: list[SettingRule]
    changed: str
    is_fixed: bool


def shown_rules(states: Mapping[str, RuleState], values: Mapping[str, Any]) -> dict[str, list[ShownRule]]:
    """Return every rule under its subject; `values` are the clinic's settings by name."""
    return {
        subject: [_shown(states[rule.code], values) for rule in rules] for subject, rules in SUBJECTS.items()
    }


def shown_state(state: RuleState) -> ShownState:
    """Return how a rule stands beside its default."""
    changed = f"{state.changed_by}, {local_time(state.changed_at)}" if state.version else ""
    limits = [SETTINGS[name] for name in state.rule.thresholds]
    return ShownState(TIER_WORDS[state.rule.tier], limits, changed, state.rule.is_fixed)


def _shown(state: RuleState, values: Mapping[str, Any]) -> ShownRule:
    rule = state.rule
    limits = [_threshold(name, values[name]) for name in rule.thresholds]
    mark, tone = _mark(state)
    return ShownRule(
        rule.code, rule.words, TIER_WORDS[state.tier], rule.source, limits, rule.is_fixed, mark, tone
    )


def _mark(state: RuleState) -> tuple[str, str]:
    if not state.is_on:
        return "Off", "attention"
    if not state.is_changed:
        return "", ""
    quieter = _LOUDNESS.index(state.tier) > _LOUDNESS.index(state.rule.tier)
    return ("Quieter than the default", "attention") if quieter else ("Stricter than the default", "info")


def _threshold(name: str, value: Any) -> str:
    rule = SETTINGS[name]
    said = format_ml(value) if rule.kind is Kind.VOLUME else f"{value:,}"
    return f"{rule.label} {said} {rule.unit}".strip()
