"""How the clinic has set the gate's rules, as they stand: for the gate in one word of a statement, for the pages row by row."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Label, Table, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.doses.models import GateRule
from inventory.doses.rules.gate import GateSettings, Tier
from inventory.doses.rules.gate.rule import Rule
from inventory.staff.models import User

_RULE = cast(Table, GateRule.__table__)
_OFF = "off"


class RuleState(NamedTuple):
    """A rule with what the clinic asks of it. `version` is 0 while it stands at its default; then nobody changed it."""

    rule: Rule
    tier: Tier
    is_on: bool
    version: int
    changed_at: datetime | None = None
    changed_by: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether it differs from its default."""
        return not self.is_on or self.tier is not self.rule.tier


def _in_words() -> Label[str | None]:
    """Return the column that holds every changed rule as `CODE=tier`, or `CODE=off`, divided by blanks; NULL where none is."""
    newer = _RULE.alias()
    one = _RULE.c.code + "=" + case((_RULE.c.is_on, _RULE.c.tier), else_=_OFF)
    standing = ~exists().where(newer.c.code == _RULE.c.code, newer.c.version > _RULE.c.version)
    every = select(func.aggregate_strings(one, " ")).select_from(_RULE).where(standing)
    return every.scalar_subquery().label("gate_rules")


GATE_RULES = _in_words()
"""The gate's settings as a column of a statement that is sent for every dose anyway."""


def settings_from(words: str | None) -> GateSettings:
    """Return the settings that `GATE_RULES` tells."""
    told = dict(pair.split("=") for pair in (words or "").split())
    off = frozenset(code for code, tier in told.items() if tier == _OFF)
    return GateSettings(off, {code: Tier(tier) for code, tier in told.items() if tier != _OFF})


def rule_states(session: Session, rules: tuple[Rule, ...]) -> dict[str, RuleState]:
    """Return how each of these rules stands, by code, in their order."""
    newer = aliased(GateRule)
    is_last = ~exists().where(newer.code == GateRule.code, newer.version > GateRule.version)
    changed = select(GateRule, User.display_name).join(User, User.id == GateRule.actor_id).where(is_last)
    rows = {row.code: (row, name) for row, name in session.execute(changed)}
    return {rule.code: _state(rule, *rows.get(rule.code, (None, ""))) for rule in rules}


def _state(rule: Rule, row: Any, name: str) -> RuleState:
    if row is None or rule.is_fixed:
        return RuleState(rule, rule.tier, is_on=True, version=0)
    return RuleState(rule, Tier(row.tier), row.is_on, row.version, row.changed_at, name)
