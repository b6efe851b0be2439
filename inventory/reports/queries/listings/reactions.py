"""Reactions to the doses of a period: what was told, corrected and retracted, news, and what prescribers decided.

Each row stands by itself and is never changed, so it is read again exactly; an entry of the trail names the reaction and the
instant, and what was recorded after the report is left out by these.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from inventory.doses.models import Dose
from inventory.doses.presenters import reactions as words
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp, ReactionRetraction
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.doses import in_period, lots_of
from inventory.reports.queries.listings.reader import Cells, Reader, filled, when

FORMAT = "reactions/1"
COLUMNS = (
    "row", "about", "on", "at", "at_utc", "site", "reaction", "dose", "patient_record", "product", "lots", "what", "severity",
    "seriousness", "began", "done", "outcome", "said", "by",
)  # fmt: skip
_NEWS = (
    Shown("Dose", 12, "{dose}", is_bold=True),
    Shown("When", 12, "{at:when}"),
    Shown("Patient", 12, "{patient_record}"),
    Shown("What", 32, "{what}"),
    Shown("What was said", 40, "{said}"),
    Shown("By", 22, "{by}"),
)
LAYOUT = Layout(
    COLUMNS,
    (
        Section(
            "reaction",
            "Reactions, as they were told",
            (
                Shown("Dose, patient", 14, "{dose}\n{patient_record}", is_bold=True),
                Shown("Product", 22, "{product}\nlot {lots}"),
                Shown("Reaction", 34, "{what}\n{said}"),
                Shown("Severity", 14, "{severity}\n{seriousness}"),
                Shown("Began", 16, "{began}"),
                Shown("Done, outcome", 22, "{done}\n{outcome}"),
                Shown("Recorded", 18, "{at:when}\n{by}"),
            ),
            "No reaction to a dose of this period is recorded.",
        ),
        Section("news", "News", _NEWS, "No news of these reactions is recorded."),
        Section("decision", "Decisions about further doses", _NEWS, "No decision is recorded."),
        Section("retraction", "Retractions", _NEWS, "No reaction was retracted."),
    ),
    "Reactions recorded",
    (
        Grouping("Reactions by severity", "severity", frozenset({"reaction"})),
        Grouping("Decisions", "what", frozenset({"decision"})),
    ),
    frozenset({"reaction"}),
)
_DOSE = (
    Dose.number,
    Dose.site_id,
    Dose.patient_record_number,
    Dose.product_name,
    Dose.given_at,
    Dose.given_zone,
)


def rows(reader: Reader) -> Iterator[Cells]:
    """Every row about the reactions to the doses of the period, by what it is, in the order of recording."""
    conditions = in_period(reader)
    lots = lots_of(reader, *conditions)
    later = reader.as_of.moments(reader.connection, "reaction")

    def known(row: Any, at: datetime) -> bool:
        return (row.case_id, at) not in later

    for row in _read(
        reader, select(Reaction.__table__, *_DOSE), conditions, Reaction.recorded_at, Reaction.id
    ):
        if known(row, row.recorded_at):
            yield filled(COLUMNS, _told(reader, row) | {"lots": lots.get(row.dose_id, "")})
    for statement, order, cells in (
        (_news_rows(), (ReactionFollowUp.recorded_at, ReactionFollowUp.id), _news),
        (_decision_rows(), (ReactionDecision.decided_at, ReactionDecision.id), _decided),
        (_retraction_rows(), (ReactionRetraction.retracted_at, ReactionRetraction.case_id), _retracted),
    ):
        for row in _read(reader, statement, conditions, *order):
            if known(row, row.written_at):
                yield filled(COLUMNS, cells(reader, row))


def _read(reader: Reader, statement: Any, conditions: list[ColumnElement[bool]], *order: Any) -> Any:
    joined = statement.join(Dose, Dose.id == Reaction.dose_id)
    return reader.connection.execute(joined.where(*conditions).order_by(*order))


def _news_rows() -> Any:
    table = ReactionFollowUp
    columns = (table.id, table.case_id, table.outcome, table.note, table.happened_at, table.actor_id)
    written = table.recorded_at.label("written_at")
    return select(*columns, written, *_DOSE).join(Reaction, Reaction.id == table.case_id)


def _decision_rows() -> Any:
    table = ReactionDecision
    columns = (table.id, table.kind, table.reason, table.actor_id, Reaction.case_id)
    written = table.decided_at.label("written_at")
    return select(*columns, written, *_DOSE).join(Reaction, Reaction.id == table.said_id)


def _retraction_rows() -> Any:
    table = ReactionRetraction
    written = table.retracted_at.label("written_at")
    columns = (table.case_id, table.reason, table.actor_id)
    return select(*columns, written, *_DOSE).join(Reaction, Reaction.id == table.case_id)


def _told(reader: Reader, row: Any) -> dict[str, str]:
    corrected = f"Correction: {row.correction_reason}." if row.corrects_id else ""
    told_by = f"Told by: {words.reporter_words(row.reporter).lower()}."
    return {
        **_about(reader, row, "reaction", row.id.hex, row.recorded_at),
        "what": words.symptom_words(row),
        "severity": words.severity_words(row.severity),
        "seriousness": words.seriousness_words(row.criteria),
        "began": words.onset_words(row.onset_at, row.given_at),
        "done": words.action_words(row.actions),
        "outcome": words.outcome_words(row.outcome),
        "said": " ".join(filter(None, (row.note, told_by, corrected))),
    }


def _news(reader: Reader, row: Any) -> dict[str, str]:
    outcome = words.outcome_words(row.outcome)
    about = _about(reader, row, "news", row.id.hex, row.happened_at)
    return {**about, "what": outcome, "outcome": outcome, "said": row.note or ""}


def _decided(reader: Reader, row: Any) -> dict[str, str]:
    about = _about(reader, row, "decision", row.id.hex, row.written_at)
    return {**about, "what": words.decision_words(row.kind), "said": row.reason}


def _retracted(reader: Reader, row: Any) -> dict[str, str]:
    about = _about(reader, row, "retraction", row.case_id.hex, row.written_at)
    return {**about, "what": "Recorded by mistake", "said": row.reason}


def _about(reader: Reader, row: Any, about: str, name: str, at: datetime) -> dict[str, str]:
    return {
        "row": f"{about} {name}",
        "about": about,
        **when(at, ZoneInfo(row.given_zone)),
        "site": reader.code(row.site_id),
        "reaction": row.case_id.hex,
        "dose": reader.numbered(row.site_id, row.number),
        "patient_record": row.patient_record_number,
        "product": row.product_name,
        "by": reader.person(row.actor_id),
    }
