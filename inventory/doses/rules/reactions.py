"""What a reaction calls for: a prescriber's decision, a check of potassium, news. Pure; severity and seriousness stay apart."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from inventory.doses.rules.reaction_terms import (
    ATTENTION_AT_ONCE,
    EMERGENCIES,
    OVER,
    Criterion,
    DecisionKind,
    ReactionOutcome,
    Severity,
    Symptom,
)

Word = TypeVar("Word", bound=StrEnum)
_GRAVE = frozenset({*EMERGENCIES, *ATTENTION_AT_ONCE})


@dataclass(frozen=True, slots=True)
class ReactionState:
    """An earlier reaction as the gate sees it. `decision` is the one that holds, None where nobody decided."""

    told: str
    is_grave: bool
    formulation: str
    outcome: ReactionOutcome
    decision: DecisionKind | None = None

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for news of it any more."""
        return self.outcome in OVER

    def stands_against(self, formulation: str) -> bool:
        """Tell whether it blocks a dose of that formulation: undecided, stopped, or decided for another one."""
        if not self.is_grave or self.decision is DecisionKind.MAY_CONTINUE:
            return False
        return self.decision is not DecisionKind.OTHER_FORMULATION or self.formulation == formulation


def is_grave(
    severity: Severity,
    criteria: Collection[Criterion],
    symptoms: Collection[Symptom],
    outcome: ReactionOutcome = ReactionOutcome.UNKNOWN,
) -> bool:
    """Tell whether a reaction is severe or serious, by what was judged or by a symptom of those lists (domain.md section 1).

    A symptom of the severe list that was judged mild is written down as told, and a prescriber looks at it all the same.
    """
    judged = severity is Severity.SEVERE or bool(criteria) or outcome is ReactionOutcome.DIED
    return judged or bool(_GRAVE & set(symptoms))


def asks_potassium(symptoms: Collection[Symptom]) -> bool:
    """Tell whether a symptom of the serious list calls for a check of potassium (domain.md section 1)."""
    return bool(set(ATTENTION_AT_ONCE) & set(symptoms))


def written(words: Iterable[StrEnum]) -> str:
    """Return a choice of words as its column holds it: in their own order, each once."""
    return ",".join(sorted(dict.fromkeys(word.value for word in words)))


def read(kind: type[Word], text: str) -> tuple[Word, ...]:
    """Return what `written` wrote, in the order of the closed set."""
    held = set(text.split(",")) if text else set()
    return tuple(word for word in kind if word.value in held)
