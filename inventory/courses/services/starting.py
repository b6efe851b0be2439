"""A prescriber orders a course: a version of a protocol for one patient, with its first slot, in one act."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.queries import formulation_by_id
from inventory.courses.models import Course
from inventory.courses.queries.courses import runs_already
from inventory.courses.queries.protocols import Published, labelled_routes, published
from inventory.courses.rules.ordering import Order, fits
from inventory.courses.rules.planning import Plan, first
from inventory.courses.services.changing import refuse_no_prescriber
from inventory.courses.services.slots import plan
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.patients.models import Patient
from inventory.patients.services.record import locked


def start_course(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    site_id: UUID,
    version_id: UUID,
    formulation_id: UUID,
    order: Order,
    request_key: str | None = None,
) -> Outcome:
    """Order a course; `actor` is the prescriber. Outcome: the course.

    Raises Refusals COURSE-INDICATION, COURSE-A-DAY, DOSE-RANGE, COURSE-DOSE-OUTSIDE, COURSE-BEFORE-BIRTH, COURSE-REVIEW,
    COURSE-STOP, FORMULATION-REFUSED, COURSE-IV-ONLY, COURSE-ROUTE, PROTOCOL-WITHDRAWN, PROTOCOL-SUBSTANCE, COURSE-DECEASED, COURSE-RUNS;
    Refusal COURSE-PRESCRIBER, NOT-FOUND.
    """
    refuse_no_prescriber(actor)

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        chosen = published(act.session, version_id)
        formulation = formulation_by_id(act.session, formulation_id)
        wrong = _refusals(act, chosen, formulation, patient, order)
        if wrong:
            raise Refusals(wrong)
        course_id = uuid7()
        row = {
            "id": course_id,
            "site_id": site_id,
            "patient_id": patient_id,
            "protocol_version_id": version_id,
            "formulation_id": formulation_id,
            **asdict(order),
            "indication": order.indication.strip(),
            "ordered_by_id": actor.id,
            "recorded_at": act.recorded_at,
        }
        act.insert(Course, row)
        coming = first(Plan(chosen.steps, stops_on=order.stops_on), order.starts_on)
        plan(act, act.session.get_one(Course, course_id), coming)
        return act.record(
            "courses.start",
            "course",
            course_id,
            site_id=site_id,
            patient_id=patient_id,
            facts=_facts(chosen, formulation.name, order),
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refusals(act: Act, chosen: Published, formulation: Any, patient: Patient, order: Order) -> list[Refusal]:
    found = order.refusals(
        draft=chosen.draft,
        born_on=patient.born_on,
        labelled=labelled_routes(act.session, formulation.id),
        is_refused=formulation.refused,
        formulation=formulation.name,
    )
    if chosen.protocol.withdrawn_at is not None:
        found.append(Refusal("PROTOCOL-WITHDRAWN", "This protocol is withdrawn. Choose another.", "protocol"))
    if not fits(chosen.version.for_substance, formulation.substance.name):
        said = f"This protocol is for {chosen.version.for_substance}. Choose another protocol or formulation."
        found.append(Refusal("PROTOCOL-SUBSTANCE", said, "protocol"))
    if patient.died_on is not None:
        found.append(Refusal("COURSE-DECEASED", "The record says that the patient died."))
    if runs_already(act.session, patient.id, formulation.substance_id):
        said = f"A course of {formulation.substance.name} runs already. Adjust it, or end it first."
        found.append(Refusal("COURSE-RUNS", said, "formulation"))
    return found


def _facts(chosen: Published, formulation: str, order: Order) -> dict[str, Any]:
    told = {name: value for name, value in asdict(order).items() if value is not None}
    protocol = f"{chosen.protocol.name}, version {chosen.version.number}"
    return {"protocol": protocol, "formulation": formulation, **told}
