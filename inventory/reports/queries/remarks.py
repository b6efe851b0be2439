"""What is marked on a row and said beneath it: voids, amendments, deviations, late entries, overrides, details."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from inventory.doses.rules.terms import (
    OVERRIDE_REASON_WORDS,
    VOID_KIND_WORDS,
    Disposition,
    OverrideReason,
    VoidKind,
)
from inventory.kernel.numbering import written_number
from inventory.reports.documents.administration_row import Remark, Standing, moment
from inventory.reports.queries.selection import VoidFacts
from inventory.stock.presenters.corrections import correction_sentence
from inventory.stock.queries.corrections import Corrected

AnyRow = Row[*tuple[Any, ...]]


class Finding(NamedTuple):
    """What the gate found when the dose was recorded, and what was decided, by whom."""

    code: str
    disposition: str
    message: str
    reason: str | None
    note: str | None
    decided_by: str
    second_person: str | None


class Facts(NamedTuple):
    """A dose, what was found then, and what was said of it since."""

    dose: AnyRow
    findings: Sequence[Finding]
    void: VoidFacts | None
    amended_by: int | None
    corrections: Sequence[Corrected] = ()
    """What was corrected of its lots since it was recorded."""
    site_code: str = ""
    amends: int | None = None
    """The number of the dose that it amends."""
    recorded_by: str = ""
    """Who recorded it, where that is not the giver."""


_DECIDED = {
    Disposition.OVERRIDDEN: "OVERRIDE",
    Disposition.ACKNOWLEDGED: "SEEN",
    Disposition.DEVIATION: "DEVIATION",
}


def marked(facts: Facts, zone: ZoneInfo) -> tuple[Standing, tuple[str, ...], tuple[Remark, ...]]:
    """How the entry stands, its marks in words, and its remarks with instants in `zone`."""
    if _is_plain(facts):
        return Standing.GIVEN, (), ()
    remarks = (*_since(facts, zone), *_then(facts), *_details(facts))
    marks = dict.fromkeys(remark.label for remark in remarks if remark.label not in {"SEEN", "DETAILS"})
    return _standing(facts), tuple(marks), remarks


def _is_plain(facts: Facts) -> bool:
    dose = facts.dose
    return not (
        facts.findings
        or facts.void
        or facts.amended_by
        or facts.corrections
        or dose.is_late
        or dose.is_deviation
        or dose.blocked_before
        or facts.amends
        or dose.needle
        or dose.information_sheet
        or dose.note
        or facts.recorded_by
    )


def _standing(facts: Facts) -> Standing:
    if facts.void and facts.void.kind != VoidKind.AMENDED:
        return Standing.VOID
    return Standing.AMENDED if facts.void or facts.amended_by else Standing.GIVEN


def _since(facts: Facts, zone: ZoneInfo) -> Iterator[Remark]:
    void, replaced_by = facts.void, facts.amended_by or (facts.void and facts.void.replaced_by)
    amended_by = written_number(facts.site_code, replaced_by) if replaced_by else ""
    if void:
        is_amended = void.kind == VoidKind.AMENDED
        what = f"by {amended_by}" if is_amended and amended_by else VOID_KIND_WORDS[VoidKind(void.kind)]
        replaced = f" Recorded again as {amended_by}." if amended_by and not is_amended else ""
        when = moment(void.voided_at.astimezone(zone))
        said = f"{_sentence(what)} Reason: {_sentence(void.reason)}{replaced} {void.actor_name}, {when}."
        yield Remark("AMENDED" if is_amended else "VOID", said)
    elif amended_by:
        yield Remark("AMENDED", f"by {amended_by}.")
    if facts.amends:
        amends = written_number(facts.site_code, facts.amends)
        yield Remark("AMENDS", f"{amends}, which this entry corrects.")
    for correction in facts.corrections:
        when = moment(correction.corrected_at.astimezone(zone))
        yield Remark("LOT CORRECTED", f"{correction_sentence(correction)}, {when}.")


def _then(facts: Facts) -> Iterator[Remark]:
    dose = facts.dose
    if dose.is_late:
        yield Remark("LATE", f"Recorded {_elapsed(dose.given_at, dose.recorded_at)} after it was given.")
    deviations = [finding for finding in facts.findings if finding.disposition == Disposition.DEVIATION]
    if dose.is_deviation and not deviations:
        yield Remark("DEVIATION", "Given otherwise than the rules allow.")
    if dose.blocked_before:
        yield Remark("BLOCKED", f"Before it was recorded as given, it was blocked: {dose.blocked_before}.")
    for finding in facts.findings:
        label = _DECIDED.get(Disposition(finding.disposition))
        if label:
            yield Remark(label, _said(finding))


def _said(finding: Finding) -> str:
    words = [f"{finding.code}: {_sentence(finding.message)}"]
    if finding.reason:
        words.append(f"Reason: {_sentence(_reason(finding.reason))}")
    if finding.note:
        words.append(_sentence(finding.note))
    people = [finding.decided_by, *([finding.second_person] if finding.second_person else [])]
    words.append(f"{' and '.join(people)}.")
    return " ".join(words)


def _reason(code: str) -> str:
    return OVERRIDE_REASON_WORDS[OverrideReason(code)] if code in set(OverrideReason) else code


def _details(facts: Facts) -> Iterator[Remark]:
    dose = facts.dose
    details = [
        f"Needle {dose.needle}." if dose.needle else "",
        f"Information sheet {dose.information_sheet}." if dose.information_sheet else "",
        f"Recorded by {facts.recorded_by}." if facts.recorded_by else "",
        dose.note or "",
    ]
    if any(details):
        yield Remark("DETAILS", " ".join(filter(None, details)))


def _elapsed(since: datetime, until: datetime) -> str:
    minutes = int((until - since).total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join(filter(None, parts)) or "less than a minute"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
