"""One patient: every dose of a period, what was not given, what was looked into, what they decided, and what must be known of them."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import select

from inventory.doses.models import Dose, Incident, NotGiven
from inventory.doses.rules.terms import NOT_GIVEN_WORDS, IncidentKind, NotGivenReason
from inventory.patients.models import Alert, Consent
from inventory.patients.terms import ALERT_WORDS, CONSENT_WORDS
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.doses import COLUMNS as DOSE_COLUMNS
from inventory.reports.queries.listings.doses import in_period, told_doses
from inventory.reports.queries.listings.incidents import KIND_WORDS, closed_later, opened, stood
from inventory.reports.queries.listings.reader import Cells, Reader, clock, filled, things, when

FORMAT = "patient/1"
COLUMNS = ("row", "about", "on", "at", "at_utc", "site", *DOSE_COLUMNS, "what", "by", "until", "outcome")
DOSES = Section(
    "dose",
    "Doses",
    (
        Shown("Dose", 12, "{dose}\n{standing}", is_bold=True),
        Shown("Given at", 12, "{at:when}"),
        Shown("Product", 24, "{product}\nlot {lots}"),
        Shown("mcg", 7, "{dose_mcg}", is_number=True),
        Shown("mL", 6, "{volume_ml}", is_number=True),
        Shown("Injection site", 16, "{injection_site}"),
        Shown("Given by", 20, "{giver}\n{giver_credential}"),
        Shown("Note", 24, "{said}"),
    ),
    "No dose was given in this period.",
)
_THING = (
    Shown("When", 14, "{at:when}", is_bold=True),
    Shown("What", 30, "{what}"),
    Shown("What was said", 40, "{said}\n{outcome}"),
    Shown("Until", 14, "{until:when}"),
    Shown("By", 22, "{by}"),
)
LAYOUT = Layout(
    COLUMNS,
    (
        DOSES,
        Section("not given", "Not given", _THING, "Nothing is recorded as not given in this period."),
        Section("incident", "Incidents", _THING, "No incident was opened in this period."),
        Section("consent", "Consents", _THING, "No decision is recorded."),
        Section("alert", "Alerts and allergies", _THING, "No alert is recorded."),
    ),
    "Doses recorded",
    (Grouping("Doses by product", "product", frozenset({"dose"})),),
    frozenset({"dose"}),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """What is recorded of the patient: doses and what goes with them of the period, consents and alerts of all time."""
    conditions = (*in_period(reader), Dose.patient_id.in_(reader.selection.records or ()))
    for _, told in told_doses(reader, *conditions):
        yield filled(COLUMNS, {"row": f"dose {told['dose']}", "about": "dose", **told})
    yield from not_given(reader, COLUMNS, NotGiven.patient_id.in_(reader.selection.records or ()))
    yield from _incidents(reader)
    yield from _consents(reader)
    yield from _alerts(reader)


def not_given(reader: Reader, columns: tuple[str, ...], whose: object) -> Iterator[Cells]:
    """What was not given on the days of the period, of whom the condition says."""
    statement = (
        select(NotGiven.__table__)
        .where(
            NotGiven.site_id.in_(reader.site_ids),
            NotGiven.decided_on >= reader.selection.first_day,
            NotGiven.decided_on <= reader.selection.last_day,
            reader.as_of.known(NotGiven.id, "doses.not-given"),
            whose,  # type: ignore[arg-type]
        )
        .order_by(NotGiven.decided_at, NotGiven.id)
    )
    names = things(reader)
    for row in reader.connection.execute(statement):
        number = f"{reader.code(row.site_id)}-{row.number}"
        reason = NOT_GIVEN_WORDS[NotGivenReason(row.reason)].removesuffix(" (say which)")
        yield filled(
            columns,
            {
                "row": f"not given {number}",
                "about": "not given",
                **when(row.decided_at, ZoneInfo(row.decided_zone)),
                "site": reader.code(row.site_id),
                "patient_name": row.patient_name,
                "patient_record": row.patient_record_number,
                "what": f"{names.formulations[row.formulation_id]}: {reason}",
                "said": row.note or "",
                "by": row.actor_name,
            },
        )


def _incidents(reader: Reader) -> Iterator[Cells]:
    statement = (
        select(Incident.__table__)
        .join(Dose, Dose.id == Incident.dose_id)
        .where(
            Dose.patient_id.in_(reader.selection.records or ()),
            Incident.site_id.in_(reader.site_ids),
            *opened(reader),
        )
        .order_by(Incident.opened_at, Incident.id)
    )
    later = closed_later(reader)
    for row in stood(reader, reader.connection.execute(statement)):
        zone = reader.zone(row.site_id)
        is_closed = row.closed_at is not None and row.id not in later
        number = f"{reader.code(row.site_id)}-{row.number}"
        yield filled(
            COLUMNS,
            {
                "row": f"incident {number}",
                "about": "incident",
                **when(row.opened_at, zone),
                "site": reader.code(row.site_id),
                "what": f"{KIND_WORDS[IncidentKind(row.kind)]} {number}",
                "said": row.what,
                "by": reader.person(row.opened_by_id),
                "until": clock(row.closed_at, zone) if is_closed else "",
                "outcome": (row.outcome or "") if is_closed else "Still open.",
            },
        )


def _consents(reader: Reader) -> Iterator[Cells]:
    statement = (
        select(Consent.__table__)
        .where(
            Consent.patient_id.in_(reader.selection.records or ()),
            reader.as_of.known(Consent.id, "patients.record-consent"),
        )
        .order_by(Consent.decided_at, Consent.id)
    )
    for row in reader.connection.execute(statement):
        sheet = f"Information sheet {row.information_sheet}." if row.information_sheet else ""
        yield filled(
            COLUMNS,
            {
                "row": f"consent {row.id.hex}",
                "about": "consent",
                **when(row.decided_at, reader.first_zone()),
                "what": f"Consent {CONSENT_WORDS[row.status].lower()}",
                "said": " ".join(filter(None, (sheet, row.note))),
                "by": reader.person(row.actor_id),
            },
        )


def _alerts(reader: Reader) -> Iterator[Cells]:
    resolved_later, zone = _later(reader, "patients.resolve-alert"), reader.first_zone()
    statement = (
        select(Alert.__table__)
        .where(
            Alert.patient_id.in_(reader.selection.records or ()),
            reader.as_of.known(Alert.id, "patients.add-alert"),
        )
        .order_by(Alert.noted_at, Alert.id)
    )
    for row in reader.connection.execute(statement):
        is_resolved = row.resolved_at is not None and row.id not in resolved_later
        yield filled(
            COLUMNS,
            {
                "row": f"alert {row.id.hex}",
                "about": "alert",
                **when(row.noted_at, zone),
                "what": ALERT_WORDS[row.kind],
                "said": row.note,
                "by": reader.person(row.noted_by_id),
                "until": clock(row.resolved_at, zone) if is_resolved else "",
                "outcome": (row.resolved_reason or "") if is_resolved else "",
            },
        )


def _later(reader: Reader, action: str) -> set[object]:
    if reader.as_of.seq is None:
        return set()
    return set(reader.connection.execute(reader.as_of.later(action)).scalars())
