"""What a rule of the gate is: one finding with its code, its default tier, its words, its source, and the function that looks for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import OverrideReason

Ask = Callable[[Question], str]
"""What a rule says to a question: the words for the person, empty where it finds nothing."""


class Source(StrEnum):
    """Where a rule comes from, as a reader of the settings page is told."""

    LABEL = "Product label"
    STANDARD = "Injection safety standard"
    RECORDS = "Rules for medical records"
    PRACTICE = "Common practice"
    HOUSE = "Default, for the clinic to judge"
    ACCOUNTS = "What the stock and the record can hold"


CHANGEABLE = (Tier.BLOCK, Tier.OVERRIDE, Tier.ACKNOWLEDGE, Tier.ONCE, Tier.INFORM)
"""The tiers a clinic chooses from, the weightiest first."""
_USUAL_REASONS = (OverrideReason.BENEFIT_OUTWEIGHS_RISK, OverrideReason.PRESCRIBED_SO)


@dataclass(frozen=True, slots=True)
class Rule:
    """One finding and what looks for it.

    `words` say in a sentence what is found; `todo` what to do, where the finding's own words do not. `field` is the field of
    the page it is about. `thresholds` name the clinic's settings it compares with. `is_fixed`: the clinic can neither switch
    it off nor change its tier; that holds for integrity, and for the blocks with no way round (domain.md section 2).
    """

    code: str
    tier: Tier
    words: str
    source: Source
    ask: Ask
    todo: str = ""
    field: str | None = None
    thresholds: tuple[str, ...] = ()
    reasons: tuple[OverrideReason, ...] = _USUAL_REASONS
    is_fixed: bool = False

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers it may have here."""
        return (self.tier,) if self.is_fixed else CHANGEABLE


def rule(
    code: str,
    tier: Tier,
    words: str,
    *,
    source: Source,
    todo: str = "",
    field: str | None = None,
    thresholds: tuple[str, ...] = (),
    reasons: tuple[OverrideReason, ...] = _USUAL_REASONS,
    is_fixed: bool = False,
) -> Callable[[Ask], Rule]:
    """Make a rule of the function that looks for its finding. Its module lists it in RULES, the registry lists the module."""

    def make(ask: Ask) -> Rule:
        return Rule(code, tier, words, source, ask, todo, field, thresholds, reasons, is_fixed)

    return make


def said(messages: Iterable[str]) -> str:
    """Return what was found in several containers as one message, each sentence once."""
    return " ".join(dict.fromkeys(messages))


def day(value: date) -> str:
    """Return a day as the messages tell it."""
    return f"{value.day} {value:%b %Y}"
