"""How the clinic sets the gate: which findings count, how much is asked of them, and from where on (law 7).

Integrity and the blocks with no way round are refused here, in the database, and once more by the gate itself, which reads
no setting of them.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.services import set_settings
from inventory.clinic.settings import Settings, current_settings
from inventory.doses.models import GateRule
from inventory.doses.queries.gate_rules import RuleState, rule_states
from inventory.doses.rules.gate import Tier
from inventory.doses.rules.gate.registry import REGISTRY
from inventory.doses.rules.gate.rule import Rule
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_USER_ID, Actor
from inventory.staff.queries import take_staff_turn
from inventory.staff.services.people import changes, edited_meanwhile

NO_THRESHOLDS: Mapping[str, Any] = {}


def seen_version(state: RuleState, settings: Settings) -> str:
    """Return how a rule stands, thresholds too, in a word that a form carries, to notice a change meanwhile."""
    return " ".join(map(str, (state.version, *(getattr(settings, name) for name in state.rule.thresholds))))


def change_gate_rule(
    *,
    actor: Actor,
    at: datetime,
    code: str,
    tier: Tier,
    is_on: bool,
    thresholds: Mapping[str, Any] = NO_THRESHOLDS,
    seen: str | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Set what the gate asks of a finding, and its thresholds (names of settings). Doses recorded already stay as they are.

    `seen` is `seen_version` as the person saw it. Raises Refusal NOT-FOUND, GATE-RULE-FIXED, EDITED-MEANWHILE, CHOICE-INVALID;
    Refusals VALUE-RANGE, LIMITS-ORDER. Where nothing differs, nothing is written.
    """
    rule = _changeable(code)
    if tier not in rule.tiers or not set(thresholds) <= set(rule.thresholds):
        raise Refusal("CHOICE-INVALID", "Choose from the answers offered here.", "tier")

    def write(act: Act) -> Outcome:
        take_staff_turn(act.session)
        state = rule_states(act.session, (rule,))[code]
        if seen is not None and seen != seen_version(state, current_settings()):
            raise edited_meanwhile()
        facts = _set(act, state, tier, is_on=is_on)
        limits = set_settings(act, thresholds) if _differs(thresholds) else {"before": {}, "after": {}}
        told = {when: {**facts[when], **limits[when]} for when in ("before", "after")}
        if not told["after"]:
            return Outcome("clinic", SYSTEM_USER_ID)
        told_all = {"finding": code, **told}
        return act.record("doses.change-gate-rule", "clinic", SYSTEM_USER_ID, facts=told_all)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _changeable(code: str) -> Rule:
    rule = REGISTRY.get(code)
    if rule is None:
        raise not_found("finding")
    if rule.is_fixed:
        raise Refusal("GATE-RULE-FIXED", "This finding cannot be quieted: it stops the dose in every clinic.")
    return rule


def _set(act: Act, state: RuleState, tier: Tier, *, is_on: bool) -> dict[str, dict[str, Any]]:
    before = {"asks": state.tier, "is_on": state.is_on}
    facts = changes(before, {"asks": tier, "is_on": is_on})
    if facts["after"]:
        row = {"code": state.rule.code, "version": state.version + 1, "tier": tier, "is_on": is_on}
        by = {"changed_at": act.recorded_at, "actor_id": act.actor.id}
        act.insert(GateRule, {"id": uuid7(), **row, **by})
    return facts


def _differs(thresholds: Mapping[str, Any]) -> bool:
    now = asdict(current_settings())
    return any(now[name] != value for name, value in thresholds.items())
