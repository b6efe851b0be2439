"""One dose's record in words: its number, its marks, its containers, what was found and decided."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.catalogue.models import ContainerType
from inventory.doses.models import Dose
from inventory.doses.presenters.words import volume_words
from inventory.doses.queries.story import Story
from inventory.doses.rules.terms import (
    BODY_SITE_WORDS,
    OVERRIDE_REASON_WORDS,
    VOID_KIND_WORDS,
    BodySite,
    Disposition,
    EntryMode,
    IncidentKind,
    OverrideReason,
    VoidKind,
)
from inventory.kernel.clock import local_day
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import format_mcg
from inventory.stock.presenters.corrections import correction_sentence
from inventory.web.presenting import day

DISPOSITION_WORDS = {
    Disposition.DEVIATION: ("Deviation", "block"),
    Disposition.OVERRIDDEN: ("Overridden", "override"),
    Disposition.ACKNOWLEDGED: ("Seen", "acknowledge"),
    Disposition.INFORMED: ("Note", "inform"),
}
"""How each disposition is shown, the gravest first."""
MODE_WORDS = {
    EntryMode.ABOUT_TO_GIVE: "Before it was given",
    EntryMode.ALREADY_GIVEN: "After it was given",
}
INCIDENT_WORDS = {
    IncidentKind.DEVIATION: "Deviation",
    IncidentKind.STOCK_DISCREPANCY: "Stock discrepancy",
}


def age_of_incident(opened_at: datetime, today: date, zone: str) -> str:
    """Return how long an incident has been open, in days of its site."""
    days = (today - local_day(opened_at, zone)).days
    return "today" if days < 1 else f"{days:,} day{'s' if days > 1 else ''}"


def due_words(due_on: date | None, assigned_to: str | None, today: date) -> tuple[str, str]:
    """Return when the next step is due and by whom, and the tone to show it in."""
    if due_on is None:
        return "No next step", "quiet"
    late = due_on < today
    return f"{'Was due' if late else 'Due'} {day(due_on)}, {assigned_to}", "stop" if late else "info"


@dataclass(frozen=True, slots=True)
class Source:
    """A container a dose came from, as it was then. `remaining` says what an open vial holds now; `emptied` names it if nothing.

    `vial` names a labelled one; `is_new` tells whether it was opened for this dose and is in use still, so that it needs a label.
    """

    lot_id: UUID
    vial_id: UUID
    lot_number: str
    vial: str
    words: str
    remaining: str
    emptied: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate found when the dose was recorded, and what was decided about it by whom."""

    code: str
    words: str
    level: str
    message: str
    decided: str


def number_words(number: int) -> str:
    """Return a number as it stands on every page: `000012`."""
    return f"{number:06d}"


def body_site_words(code: str) -> str:
    """Return a body site in words."""
    return BODY_SITE_WORDS[BodySite(code)]


def void_words(kind: str) -> str:
    """Return what really happened to a void dose."""
    return VOID_KIND_WORDS[VoidKind(kind)]


def may_correct(actor: Actor, dose: Dose) -> bool:
    """Tell whether the person may void or amend this dose, as far as a page can know."""
    return actor.can(Permission.DOSE_GIVE) and (
        dose.giver_id == actor.id or actor.can(Permission.DOSE_VOID_ANY)
    )


def given_words(dose: Dose) -> str:
    """Return when a dose was given, by the clock of its own site and day."""
    local = dose.given_at.astimezone(ZoneInfo(dose.given_zone))
    return f"{day(dose.given_on)}, {local:%H:%M} ({dose.given_zone})"


def amount_words(dose: Dose) -> str:
    """Return what was given: `1,000 mcg = 1 mL`."""
    return f"{format_mcg(dose.dose_ng)} mcg = {volume_words(dose.volume_ul)}"


def sources(story: Story) -> list[Source]:
    """Return the containers of a dose."""
    return [_source(row) for row in story.sources]


def _source(row: Any) -> Source:
    from_vial = row.container_type == ContainerType.MULTI_DOSE
    vial = f"Vial {row.label_number}" if row.label_number else ""
    use_by = f", use by {day(row.use_by_on)}" if row.use_by_on else ""
    volume = volume_words(row.volume_ul)
    holds = f"Vial {row.label_number} holds {volume_words(row.balance_ul)}."
    closed = f"Vial {row.label_number} is closed."
    return Source(
        lot_id=row.lot_id,
        vial_id=row.vial_id,
        lot_number=row.lot_number,
        vial=vial,
        words=f"expires {day(row.expires_on)}{use_by}: {volume}",
        remaining=(closed if row.closed_at else holds) if from_vial else "",
        emptied=f"Vial {row.label_number}" if from_vial and not row.closed_at and row.balance_ul <= 0 else "",
        is_new=bool(vial and row.opened_with_it and not row.closed_at and row.balance_ul > 0),
    )


def corrections(story: Story) -> list[tuple[str, datetime]]:
    """Return what was corrected of the dose's lots since: what, from what, to what, why, by whom; and when."""
    return [(correction_sentence(said), said.corrected_at) for said in story.corrections]


def findings(story: Story) -> list[Judged]:
    """Return what was found and decided, the gravest first."""
    order = list(DISPOSITION_WORDS)
    rows = sorted(story.findings, key=lambda row: order.index(Disposition(row.disposition)))
    return [_judged(row) for row in rows]


def is_overridden(story: Story) -> bool:
    """Tell whether a prescriber let the dose pass in spite of a finding."""
    return any(row.disposition == Disposition.OVERRIDDEN for row in story.findings)


def _judged(row: Any) -> Judged:
    words, level = DISPOSITION_WORDS[Disposition(row.disposition)]
    return Judged(row.code, words, level, row.message, _decided(row))


def _decided(row: Any) -> str:
    if row.disposition == Disposition.INFORMED:
        return ""
    said = f"By {row.decided_by}"
    if row.second_person:
        said += f", with {row.second_person}"
    if row.reason:
        said += f": {OVERRIDE_REASON_WORDS[OverrideReason(row.reason)]}"
    return f"{said}. {row.note}" if row.note else f"{said}."
