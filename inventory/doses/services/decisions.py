"""What people decided about the gate's findings, checked: who may override, with which reason, and who must stand beside.

Before giving, a block stops the dose. After the fact, a dose that was truly given is always written down: what would
have stopped it becomes a deviation (domain.md section 2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inventory.doses.rules.gate import Finding, Weight, override_reasons
from inventory.doses.rules.terms import Disposition, EntryMode, OverrideReason
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission


@dataclass(frozen=True, slots=True)
class Override:
    """A prescriber's decision to let a dose pass in spite of one finding. `second_person` only where the clinic asks."""

    reason: OverrideReason
    decided_by: Actor
    note: str = ""
    second_person: Actor | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided on the page about the findings, by their codes.

    `shown` are the codes the person saw before deciding; None where nobody is shown anything (commands, the demo).
    """

    acknowledged: frozenset[str] = frozenset()
    overrides: Mapping[str, Override] = field(default_factory=dict)
    shown: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding that did not stop the dose, and why."""

    finding: Finding
    disposition: Disposition
    decided_by: Actor
    override: Override | None = None


def decide(
    findings: Iterable[Finding],
    decisions: Decisions,
    *,
    mode: EntryMode,
    actor: Actor,
    needs_second_person: bool,
) -> list[Decided]:
    """Return what became of each finding. Raises Refusals with everything that still stands against the dose."""
    decided: list[Decided] = []
    refused: list[Refusal] = []
    for finding in findings:
        try:
            decided.append(_decide(finding, decisions, mode, actor, needs_second_person=needs_second_person))
        except Refusal as refusal:
            refused.append(refusal)
    if refused:
        raise Refusals(refused)
    return decided


def stops(finding: Finding, mode: EntryMode) -> bool:
    """Tell whether nothing a person decides lets this finding pass in this mode."""
    return finding.weight is Weight.INTEGRITY or (
        finding.weight is Weight.BLOCK and mode is EntryMode.ABOUT_TO_GIVE
    )


def _decide(
    finding: Finding, decisions: Decisions, mode: EntryMode, actor: Actor, *, needs_second_person: bool
) -> Decided:
    if stops(finding, mode):
        raise Refusal(finding.code, finding.message, finding.field)
    if (
        decisions.shown is not None
        and finding.weight is not Weight.INFORM
        and finding.code not in decisions.shown
    ):
        raise Refusal("FINDING-NEW", f"New since this page was shown: {finding.message}", finding.field)
    override = decisions.overrides.get(finding.code)
    if finding.weight is Weight.OVERRIDE and override is not None:
        _check(finding, override, needs_second_person=needs_second_person)
        return Decided(finding, Disposition.OVERRIDDEN, override.decided_by, override)
    if mode is EntryMode.ALREADY_GIVEN and finding.weight in {Weight.BLOCK, Weight.OVERRIDE}:
        return Decided(finding, Disposition.DEVIATION, actor)
    if finding.weight is Weight.OVERRIDE:
        raise Refusal(
            finding.code, f"{finding.message} A prescriber must decide.", f"override-{finding.code}"
        )
    if finding.weight is Weight.ACKNOWLEDGE and finding.code in decisions.acknowledged:
        return Decided(finding, Disposition.ACKNOWLEDGED, actor)
    if finding.weight is Weight.ACKNOWLEDGE and mode is EntryMode.ABOUT_TO_GIVE:
        raise Refusal(
            finding.code, f"{finding.message} Tick that you have seen this.", f"acknowledge-{finding.code}"
        )
    return Decided(finding, Disposition.INFORMED, actor)


def _check(finding: Finding, override: Override, *, needs_second_person: bool) -> None:
    field_name = f"override-{finding.code}"
    if not override.decided_by.can(Permission.DOSE_OVERRIDE):
        raise Refusal("OVERRIDE-PRESCRIBER", "Only a prescriber overrides this.", field_name)
    if override.reason not in override_reasons(finding.code):
        raise Refusal(
            "OVERRIDE-REASON", "This reason does not fit what was found. Choose another.", field_name
        )
    if override.reason is OverrideReason.OTHER and not override.note.strip():
        raise Refusal("OVERRIDE-NOTE", "Say which other reason.", field_name)
    second = override.second_person
    if needs_second_person and (second is None or not second.can(Permission.DOSE_GIVE)):
        raise Refusal(
            "OVERRIDE-SECOND-PERSON",
            "This clinic asks a second person who gives doses to confirm.",
            field_name,
        )
    if second is not None and second.id == override.decided_by.id:
        raise Refusal("OVERRIDE-SECOND-SAME", "The second person must be somebody else.", field_name)
