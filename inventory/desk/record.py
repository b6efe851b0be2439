"""The patient's record: who they are, what must be known first, and everything that was given (law 11: each look is logged)."""

from typing import Any
from uuid import UUID

from flask import render_template

from inventory.audit.limits import keeps_to_days, span_here
from inventory.audit.services import log_access
from inventory.clinic.current import settings_here
from inventory.courses import presenters as of_courses
from inventory.courses.queries.courses import courses_of
from inventory.desk import record_presenters, record_queries
from inventory.desk.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.patients import presenters, queries
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.pagination import cursor_here


@bp.get("/patients/<uuid:patient_id>")
@requires(Permission.PATIENT_READ)
@keeps_to_days
def patient(patient_id: UUID) -> str:
    """Show a patient's record."""
    log_access(current_actor(), patient_id, "record")
    return render_template(
        "desk/record.html",
        present=presenters,
        words=record_presenters,
        **_about(patient_id),
        **_given(patient_id),
    )


def _about(patient_id: UUID) -> dict[str, Any]:
    session = db.session()
    span = span_here()
    alerts = [one for one in queries.alerts_of(session, patient_id) if span.knows(one.noted_at)]
    consents = [one for one in queries.consents_of(session, patient_id) if span.knows(one.decided_at)]
    return {
        "patient": queries.get_patient(session, patient_id),
        "standing": [alert for alert in alerts if alert.resolved_at is None],
        "resolved": [alert for alert in alerts if alert.resolved_at is not None],
        "consents": consents,
        "edits": [record_presenters.edit_of(row) for row in record_queries.edits(session, patient_id)],
        "newest": record_queries.NEWEST,
        "courses": courses_of(session, patient_id) if not span else [],
        "of_courses": of_courses,
    }


def _given(patient_id: UUID) -> dict[str, Any]:
    session = db.session()
    page = record_queries.doses_page(session, patient_id, cursor=cursor_here())
    doses = [row.Dose for row in page.items]
    return {
        "page": page,
        "lots": record_queries.lots_of(session, doses),
        "amended": record_queries.numbers_amended(session, doses),
        "not_given": record_queries.not_given(session, patient_id),
        "uses": record_queries.rotation(session, patient_id, settings_here()),
    }
