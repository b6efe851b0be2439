"""Reactions to earlier doses (domain.md sections 1 and 2): what a prescriber has yet to decide, and what is not over."""

from inventory.doses.rules.gate.rule import Source, rule, said
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.reaction_terms import DecisionKind
from inventory.doses.rules.reactions import ReactionState
from inventory.doses.rules.terms import OverrideReason
from inventory.patients.models import AlertKind

_ALERT = "A serious or severe reaction to an earlier dose is not resolved."
_HOW_DECIDED = {
    None: "no prescriber has decided yet.",
    DecisionKind.STOP: "a prescriber decided that no further dose is given.",
    DecisionKind.OTHER_FORMULATION: "a prescriber decided for another formulation only.",
}


@rule(
    "REACTION-UNRESOLVED",
    Tier.OVERRIDE,
    "A serious or severe reaction to an earlier dose is not resolved, or a prescriber decided against this formulation.",
    source=Source.LABEL,
    todo="A prescriber looks at the earlier reaction first, and decides on its page.",
    reasons=(OverrideReason.BENEFIT_OUTWEIGHS_RISK, OverrideReason.TOLERATED_BEFORE),
)
def reaction_unresolved(q: Question) -> str:
    """A recorded reaction stands until a prescriber decides; an alert until somebody resolves it."""
    found = [_ALERT] if q.has(AlertKind.SERIOUS_REACTION) else []
    found += [_undecided(one) for one in q.reactions if one.stands_against(q.product.formulation)]
    return said(found)


@rule(
    "REACTION-NOT-OVER",
    Tier.INFORM,
    "A reaction to an earlier dose, which needs no decision or has one, is not over.",
    source=Source.HOUSE,
)
def reaction_not_over(q: Question) -> str:
    """Ask how it is, and write down what is told."""
    lasting = [
        one for one in q.reactions if not one.is_over and not one.stands_against(q.product.formulation)
    ]
    return said(f"Not over as far as we know: {one.told}." for one in lasting)


def _undecided(one: ReactionState) -> str:
    return f"Reaction to {one.told}: {_HOW_DECIDED[one.decision]}"


RULES = (reaction_unresolved, reaction_not_over)
