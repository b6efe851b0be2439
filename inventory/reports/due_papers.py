"""Makes the papers about what is due: the list, the downtime sheet, a patient's course card. Nothing is kept of them: the record has it all."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

from inventory.catalogue.models import Route
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings, current_settings
from inventory.courses.queries.courses import CourseView, courses_of, due_of
from inventory.courses.rules.planning import Due
from inventory.courses.rules.terms import CourseState
from inventory.doses.presenters.due import DueLine, due_line
from inventory.doses.queries.due import Wanted, due_list
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.patients.models import Patient
from inventory.patients.queries import get_patient
from inventory.reports.documents.course_card import CardCourse, CardDate, CourseCard, write_course_card
from inventory.reports.documents.due_sheet import DueHeader, write_downtime_sheet, write_due_list
from inventory.stock.queries import Drawable, drawable
from inventory.web.presenting import count, day, mcg, ml

MOST_ON_PAPER = 2_000
"""Doses that a printed list holds at most; it says so where there are more."""
Paper = tuple[list[DueLine], bytes]
"""The lines on a paper, for the log of looks, and the file."""


def due_list_pdf(
    wanted: Wanted, *, site: Site, filters: Sequence[tuple[str, str]], actor: Actor, at: datetime
) -> Paper:
    """Return the due list as PDF, narrowed as `filters` say in words."""
    lines, is_cut = _lines(wanted, site, at)
    if is_cut:
        filters = [*filters, ("Not all", f"The first {count(MOST_ON_PAPER, 'dose')} only; narrow the list.")]
    out = io.BytesIO()
    write_due_list(out, _header(site, filters, actor=actor, at=at, on=local_day(at, site.time_zone)), lines)
    return lines, out.getvalue()


def downtime_pdf(*, site: Site, on: date, actor: Actor, at: datetime) -> Paper:
    """Return the downtime sheet of a day at a site: who is due on it or overdue, and what may be given."""
    lines, _ = _lines(Wanted(site_ids=[site.id], last_on=on), site, at)
    out = io.BytesIO()
    write_downtime_sheet(out, _header(site, [], actor=actor, at=at, on=on), lines, list(_stock(site, on)))
    return lines, out.getvalue()


def course_card_pdf(patient_id: UUID, *, site: Site, at: datetime) -> bytes:
    """Return the course card of a patient. Raises Refusal NOT-FOUND."""
    session = db.session()
    courses = [view for view in courses_of(session, patient_id) if not view.is_over]
    card = _card(get_patient(session, patient_id), courses, site, current_settings(), at)
    out = io.BytesIO()
    write_course_card(out, card)
    return out.getvalue()


def _lines(wanted: Wanted, site: Site, at: datetime) -> tuple[list[DueLine], bool]:
    today = local_day(at, site.time_zone)
    rows = due_list(db.session(), wanted, at=at, most=MOST_ON_PAPER + 1)
    return [due_line(row, today) for row in rows[:MOST_ON_PAPER]], len(rows) > MOST_ON_PAPER


def _header(
    site: Site, filters: Sequence[tuple[str, str]], *, actor: Actor, at: datetime, on: date
) -> DueHeader:
    settings = current_settings()
    return DueHeader(
        clinic_name=settings.clinic_name,
        site=site.name,
        zone=site.time_zone,
        on=on,
        filters=filters,
        printed_by=actor.name,
        printed_at=at,
        is_demo=settings.is_demo,
    )


def _stock(site: Site, on: date) -> Iterator[tuple[str, ...]]:
    """Give what may be given on that day, first expiring first: a lot whose last day comes before it is left out."""
    for one in drawable(db.session(), site_id=site.id, on=on):
        if one.givable and Route.IM in one.product.route_set:
            yield (
                ", ".join(filter(None, (one.product.name, one.product.maker))),
                str(one.lot.strength),
                f"Vial {one.vial.label_number}, lot {one.lot.lot_number}" if one.vial else one.lot.lot_number,
                day(one.last_usable_on),
                one.location.name,
                _how_much(one),
            )


def _how_much(one: Drawable) -> str:
    return ml(one.volume_ul) if one.vial else count(one.containers, one.product.container_kind)


def _card(
    patient: Patient, courses: Sequence[CourseView], site: Site, settings: Settings, at: datetime
) -> CourseCard:
    return CourseCard(
        clinic_name=settings.clinic_name,
        site=site.name,
        address=site.address,
        patient=patient.full_name,
        record_number=patient.record_number,
        born_on=patient.born_on,
        printed_at=at,
        zone=site.time_zone,
        courses=[_course(view) for view in courses],
        is_demo=settings.is_demo,
    )


def _course(view: CourseView) -> CardCourse:
    slot = view.open_slot
    coming = [due_of(slot), *view.ahead()] if slot else []
    return CardCourse(
        what=view.formulation,
        indication=view.course.indication,
        schedule=f"{view.protocol.name}, version {view.version.number}",
        prescriber=view.prescriber,
        review_on=view.review_on,
        dates=[_date(one) for one in coming],
        is_paused=view.state is CourseState.PAUSED,
    )


def _date(one: Due) -> CardDate:
    return CardDate(one.due_on, one.opens_on, one.closes_on, mcg(one.dose_ng))
