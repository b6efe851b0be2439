"""The chart of a patient: results and scores over time with the doses marked, and the same as a table (law 11: each look is logged)."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template

from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access
from inventory.desk import chart_queries
from inventory.desk.blueprint import bp
from inventory.desk.chart_drawing import Point, Series, days_of, panel_of
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.patients import measured_presenters, measured_queries, queries
from inventory.patients.laboratory import ANALYTES, MILLION, Analyte, Comparator, convert, is_convertible
from inventory.patients.models import SYMPTOMS, LabResult, SymptomScore
from inventory.patients.pages import trail_of
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import site_zone


@bp.get("/patients/<uuid:patient_id>/chart")
@requires(Permission.PATIENT_READ)
@keeps_to_days
def chart(patient_id: UUID) -> str:
    """Show what was measured and said, over time, with the doses."""
    log_access(current_actor(), patient_id, "chart")
    session = db.session()
    patient = queries.get_patient(session, patient_id)
    labs = measured_queries.standing_labs(session, patient_id)
    scores = measured_queries.standing_scores(session, patient_id)
    doses = chart_queries.doses_charted(session, patient_id)
    dosed_on = [dose.given_on for dose in doses]
    measured, felt = lab_series(labs, site_zone()), score_series(scores, site_zone())
    # One span for all, so that what stands above each other was at one time.
    span = days_of([*measured, *felt], dosed_on)
    return render_template(
        "desk/chart.html",
        patient=patient,
        lab_panels=[panel_of(one, dosed_on, *span) for one in measured] if span else [],
        score_panels=[panel_of(one, dosed_on, *span) for one in felt] if span else [],
        rows=_rows(labs, scores, doses),
        most=measured_queries.MOST_CHARTED,
        measured=measured_presenters,
        trail=trail_of(patient),
    )


def lab_series(labs: Iterable[LabResult], zone: ZoneInfo) -> list[Series]:
    """Return a series for each analyte, in the unit of its newest result; what cannot be converted is a series of its own."""
    found: list[Series] = []
    rows = list(labs)
    for analyte in Analyte:
        left = [row for row in rows if row.analyte == analyte]
        while left:
            newest = left[-1]
            mine = [row for row in left if is_convertible(analyte, row.unit, newest.unit)]
            left = [row for row in left if row not in mine]
            found.append(_lab_series(analyte, mine, newest, zone))
    return found


def _lab_series(analyte: Analyte, rows: Sequence[LabResult], newest: LabResult, zone: ZoneInfo) -> Series:
    points = [
        Point(
            row.taken_at.astimezone(zone).date(),
            Fraction(
                convert(row.value_millionths, analyte=analyte, from_unit=row.unit, to_unit=newest.unit),
                MILLION,
            ),
            measured_presenters.value_words(row),
            row.comparator != Comparator.EXACT,
        )
        for row in rows
    ]
    low, high = (
        None if bound is None else Fraction(bound, MILLION)
        for bound in (newest.low_millionths, newest.high_millionths)
    )
    return Series(ANALYTES[analyte].name, measured_presenters.unit_words(newest), points, low, high)


def score_series(scores: Iterable[SymptomScore], zone: ZoneInfo) -> list[Series]:
    """Return a series for each symptom that was ever scored, on an axis from 0 to 10."""
    rows = list(scores)
    found = []
    for name in SYMPTOMS:
        points = [
            Point(row.noted_at.astimezone(zone).date(), Fraction(value), str(value))
            for row in rows
            if (value := getattr(row, name)) is not None
        ]
        if points:
            found.append(Series(measured_presenters.score_words(name), "0 to 10", points, most=Fraction(10)))
    return found


def _rows(
    labs: Iterable[LabResult], scores: Iterable[SymptomScore], doses: Iterable[Any]
) -> list[tuple[Any, str, Any]]:
    """Return everything of the pictures in one order, the newest first: when, of which kind, and the row."""
    rows: list[tuple[Any, str, Any]] = [(row.taken_at, "lab", row) for row in labs]
    rows += [(row.noted_at, "score", row) for row in scores]
    rows += [(dose.given_at, "dose", dose) for dose in doses]
    return sorted(rows, key=lambda row: (row[0], row[1]), reverse=True)
