"""Deviations and incidents: what was given otherwise than the rules allow or in spite of a finding, and what came of it."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from inventory.doses.models import Dose, DoseFinding, Incident
from inventory.doses.rules.terms import OVERRIDE_REASON_WORDS, Disposition, IncidentKind, OverrideReason
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.as_of import RECORDED
from inventory.reports.queries.listings.doses import in_period, standings
from inventory.reports.queries.listings.reader import Cells, Reader, clock, filled, when

FORMAT = "incidents/1"
COLUMNS = (
    "row", "about", "on", "at", "at_utc", "site", "number", "kind", "dose", "patient_record", "standing", "code", "what",
    "decision", "reason", "by", "second_person", "state", "closed_at", "closed_at_utc", "closed_by", "outcome",
)  # fmt: skip
KIND_WORDS = {
    IncidentKind.DEVIATION: "Deviation",
    IncidentKind.STOCK_DISCREPANCY: "Stock discrepancy",
    IncidentKind.REACTION: "Reaction",
}
_DECISIONS = {
    Disposition.DEVIATION: "recorded as a deviation",
    Disposition.OVERRIDDEN: "overridden",
}
LAYOUT = Layout(
    COLUMNS,
    (
        Section(
            "incident",
            "Incidents and their follow-up",
            (
                Shown("No.", 8, "{number}", is_bold=True),
                Shown("Opened", 9, "{at:when}"),
                Shown("Kind, dose, patient", 16, "{kind}\n{dose}\n{patient_record}"),
                Shown("What", 34, "{what}\n{by}"),
                Shown("State", 8, "{state}", is_bold=True),
                Shown("Closed", 12, "{closed_at:when}\n{closed_by}"),
                Shown("Outcome", 28, "{outcome}"),
            ),
            "No incident was opened in this period.",
        ),
        Section(
            "deviation",
            "Deviations and overrides",
            (
                Shown("Dose", 10, "{dose}\n{standing}", is_bold=True),
                Shown("Given at", 9, "{at:when}"),
                Shown("Patient", 10, "{patient_record}"),
                Shown("Finding", 40, "{code}\n{what}"),
                Shown("Decision", 14, "{decision}"),
                Shown("Reason", 24, "{reason}"),
                Shown("By", 16, "{by}\n{second_person}"),
            ),
            "No dose of this period was given otherwise than the rules allow, or in spite of a finding.",
        ),
    ),
    "Deviations, overrides and incidents",
    (
        Grouping("Incidents by state", "state", frozenset({"incident"})),
        Grouping("Deviations and overrides by finding", "code", frozenset({"deviation"})),
    ),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """The incidents that were opened, and the doses that were given, in the period."""
    yield from _incidents(reader)
    yield from _deviations(reader)


def _incidents(reader: Reader) -> Iterator[Cells]:
    statement = (
        select(
            Incident.__table__,
            Dose.number.label("dose_number"),
            Dose.patient_record_number,
            Dose.site_id.label("dose_site_id"),
        )
        .join(Dose, Dose.id == Incident.dose_id)
        .where(Incident.site_id.in_(reader.site_ids), *opened(reader))
        .order_by(Incident.opened_at, Incident.site_id, Incident.number)
    )
    later = closed_later(reader)
    for row in stood(reader, reader.connection.execute(statement)):
        zone = reader.zone(row.site_id)
        number = f"{reader.code(row.site_id)}-{row.number}"
        told = {
            "row": f"incident {number}",
            "about": "incident",
            **when(row.opened_at, zone),
            "site": reader.code(row.site_id),
            "number": number,
            "kind": KIND_WORDS[IncidentKind(row.kind)],
            "dose": reader.numbered(row.dose_site_id, row.dose_number),
            "patient_record": row.patient_record_number,
            "what": row.what,
            "by": reader.person(row.opened_by_id),
        }
        yield filled(COLUMNS, told | _closure(reader, row, later))


def opened(reader: Reader) -> list[ColumnElement[bool]]:
    """The conditions of an incident that was opened in the period and recorded by then, by the entry of its dose."""
    return [reader.about_then(Incident.opened_at), reader.as_of.known(Incident.dose_id, *RECORDED)]


def stood(reader: Reader, rows: Iterable[Any]) -> Iterator[Any]:
    """Those of the incidents that were opened on a day of the period and by then.

    An expiry that was corrected opens incidents of doses that stood long before: they are as old as the correction.
    """
    corrected_later = {at for _, at in reader.as_of.moments(reader.connection, "lot")}
    for row in rows:
        if reader.is_within(row.opened_at, reader.zone(row.site_id)) and row.opened_at not in corrected_later:
            yield row


def closed_later(reader: Reader) -> set[Any]:
    """The incidents that were closed since."""
    if reader.as_of.seq is None:
        return set()
    return set(reader.connection.execute(reader.as_of.later("doses.close-incident")).scalars())


def _closure(reader: Reader, row: Any, later: set[Any]) -> dict[str, str]:
    if row.closed_at is None or row.id in later:
        return {"state": "open"}
    return {
        "state": "closed",
        "closed_at": clock(row.closed_at, reader.zone(row.site_id)),
        "closed_at_utc": clock(row.closed_at, UTC),
        "closed_by": reader.person(row.closed_by_id),
        "outcome": row.outcome or "",
    }


def _deviations(reader: Reader) -> Iterator[Cells]:
    conditions = in_period(reader)
    standing = standings(reader, *conditions)
    statement = (
        select(
            DoseFinding.__table__,
            Dose.number,
            Dose.site_id,
            Dose.patient_record_number,
            Dose.given_at,
            Dose.given_zone,
        )
        .join(Dose, Dose.id == DoseFinding.dose_id)
        .where(
            DoseFinding.disposition.in_(list(_DECISIONS)),
            reader.as_of.known(Dose.id, *RECORDED),
            *conditions,
        )
        .order_by(Dose.given_at, Dose.id, DoseFinding.code)
    )
    for row in reader.connection.execute(statement):
        number = reader.numbered(row.site_id, row.number)
        yield filled(
            COLUMNS,
            {
                "row": f"finding {number} {row.code}",
                "about": "deviation",
                **when(row.given_at, ZoneInfo(row.given_zone)),
                "site": reader.code(row.site_id),
                "dose": number,
                "patient_record": row.patient_record_number,
                "standing": standing.get(row.dose_id, "given"),
                "code": row.code,
                "what": row.message,
                "decision": _DECISIONS[Disposition(row.disposition)],
                "reason": ". ".join(filter(None, (_reason(row.reason), row.note))),
                "by": reader.person(row.decided_by_id),
                "second_person": reader.person(row.second_person_id),
            },
        )


def _reason(code: str | None) -> str:
    if code in set(OverrideReason):
        return OVERRIDE_REASON_WORDS[OverrideReason(code)]
    return code or ""
