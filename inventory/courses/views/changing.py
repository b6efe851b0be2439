"""What a prescriber decides about a course, and what became of a dose that was not given: one form each, with its reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access
from inventory.catalogue.act_forms import act_page
from inventory.courses import services
from inventory.courses.forms import AdjustForm, DecideForm, NextForm, ReasonForm, ReviewForm
from inventory.courses.queries import courses as queries
from inventory.courses.rules.terms import SlotState
from inventory.courses.views.blueprint import bp
from inventory.courses.views.courses import about, page_of
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import site_today


@bp.route("/courses/<uuid:course_id>/adjust", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def adjust(course_id: UUID) -> ResponseReturnValue:
    """Change the dose, how often, or the day of the next dose."""
    view, form = queries.course_view(db.session(), course_id), AdjustForm()
    return _page(
        view.course.patient_id,
        course_id,
        form,
        lambda: services.adjust_course(
            course_id=course_id, reason=str(form.reason.data), **form.changes(view.dose_range), **_act(form)
        ),
        template="courses/adjust.html",
        done="The course is adjusted.",
        heading="Adjust the course",
        submit_text="Adjust",
    )


@bp.route("/courses/<uuid:course_id>/move-on", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def move_on(course_id: UUID) -> ResponseReturnValue:
    """Go on with the next step."""
    form = NextForm(data={"next_due_on": site_today()})
    return _of_course(
        course_id,
        form,
        lambda **said: services.move_on(next_due_on=form.next_due_on.data, **said),
        done="The course goes on with its next step.",
        heading="Move on to the next step",
        submit_text="Move on",
        words="The rest of the present step is left out.",
    )


@bp.route("/courses/<uuid:course_id>/review", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def review(course_id: UUID) -> ResponseReturnValue:
    """Say what a review found."""
    form = ReviewForm()
    return _of_course(
        course_id,
        form,
        lambda **said: services.review_course(today=site_today(), review_on=form.review_on.data, **said),
        done="The review is recorded.",
        heading="Review the course",
        submit_text="Record the review",
        words="Say what the review found; the course goes on as it is.",
    )


@bp.route("/courses/<uuid:course_id>/pause", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def pause(course_id: UUID) -> ResponseReturnValue:
    """Let nothing be due for now."""
    return _of_course(
        course_id,
        ReasonForm(),
        services.pause_course,
        done="The course is paused.",
        heading="Pause the course",
        submit_text="Pause",
        words="Nothing is due until it is resumed.",
    )


@bp.route("/courses/<uuid:course_id>/resume", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def resume(course_id: UUID) -> ResponseReturnValue:
    """Go on where the course was paused."""
    form = NextForm(data={"next_due_on": site_today()})
    return _of_course(
        course_id,
        form,
        lambda **said: services.resume_course(next_due_on=form.next_due_on.data, **said),
        done="The course goes on.",
        heading="Resume the course",
        submit_text="Resume",
        words="It goes on with the dose at which it was paused.",
    )


@bp.route("/courses/<uuid:course_id>/end", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def end(course_id: UUID) -> ResponseReturnValue:
    """End a course for good."""
    return _of_course(
        course_id,
        ReasonForm(),
        services.end_course,
        done="The course is ended.",
        heading="End the course",
        submit_text="End the course",
        words="This cannot be undone. To go on later, pause it instead.",
    )


@bp.route("/courses/slots/<uuid:slot_id>/decide", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def decide(slot_id: UUID) -> ResponseReturnValue:
    """Say what became of a dose that was due and was not given."""
    slot, form = queries.slot_by_id(db.session(), slot_id), DecideForm()
    due_on, course_id = slot.due_on, slot.course_id
    return _page(
        queries.course_view(db.session(), course_id).course.patient_id,
        course_id,
        form,
        lambda: services.decide_slot(
            slot_id=slot_id,
            state=SlotState(str(form.state.data)),
            reason=str(form.reason.data),
            today=site_today(),
            next_due_on=form.next_due_on.data,
            **_act(form),
        ),
        template="courses/decide.html",
        done="It is decided.",
        heading="A dose that was not given",
        submit_text="Decide",
        due_on=due_on,
    )


def _of_course(
    course_id: UUID, form: ReasonForm, act: Callable[..., Outcome], **more: Any
) -> ResponseReturnValue:
    """Show or carry out one decision about a course that asks for little more than a reason."""
    patient_id = queries.course_view(db.session(), course_id).course.patient_id
    return _page(
        patient_id,
        course_id,
        form,
        lambda: act(course_id=course_id, reason=str(form.reason.data), **_act(form)),
        template="courses/change.html",
        **more,
    )


def _page(
    patient_id: UUID,
    course_id: UUID,
    form: ReasonForm,
    act: Callable[[], Outcome],
    *,
    template: str,
    done: str,
    heading: str,
    **more: Any,
) -> ResponseReturnValue:
    log_access(current_actor(), patient_id, heading.lower())
    return act_page(
        form,
        act,
        template=template,
        to=page_of,
        done=done,
        shown=lambda: {
            "heading": heading,
            "view": queries.course_view(db.session(), course_id),
            "cancel_to": url_for("courses.course", course_id=course_id),
            **about(patient_id),
            **more,
        },
    )


def _act(form: ReasonForm) -> dict[str, Any]:
    return {"actor": current_actor(), "at": now(), "request_key": form.act_key}
