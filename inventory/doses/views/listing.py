"""Lists of the doses room: the doses of a site, and the incidents that somebody has to look into."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access, log_list
from inventory.clinic.current import current_site
from inventory.doses.forms.correcting import CloseForm, FollowUpForm
from inventory.doses.forms.listing import DosesFilter, IncidentsFilter
from inventory.doses.presenters import dose as words
from inventory.doses.queries.lists import doses_page, incidents_page, notes_of
from inventory.doses.queries.story import get_dose, get_incident, person_named_by, void_of
from inventory.doses.services import close_incident, note_incident
from inventory.doses.services.incidents import may_look_into
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import local_day, now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.pagination import cursor_here


@bp.get("/doses")
@requires(Permission.DOSE_READ)
@keeps_to_days
def index() -> ResponseReturnValue:
    """List the doses of this site, the last given first."""
    filters = DosesFilter()
    page = None
    if filters.validate():
        page = doses_page(
            db.session(),
            site_id=current_site().id,
            from_on=filters.from_on.data,
            to_on=filters.to_on.data,
            record_number=str(filters.record_number.data),
            lot_number=str(filters.lot_number.data),
            marked=filters.marked.data or "",
            cursor=cursor_here(),
        )
    shown = render_template("doses/index.html", filters=filters, page=page)
    log_list(current_actor(), [row.patient_id for row in page.items] if page else [], "list of doses")
    return shown, 422 if page is None else 200


@bp.get("/incidents")
@requires(Permission.DOSE_READ)
@keeps_to_days
def incidents() -> ResponseReturnValue:
    """List the incidents of this site, the last opened first."""
    filters = IncidentsFilter()
    state = (filters.state.data or "open") if filters.validate() else "open"
    site = current_site()
    today = local_day(now(), site.time_zone)
    page = incidents_page(db.session(), site_id=site.id, today=today, state=state, cursor=cursor_here())
    shown = render_template(
        "doses/incidents.html",
        filters=filters,
        page=page,
        state=state,
        words=words,
        today=today,
        zone=site.time_zone,
    )
    log_list(current_actor(), [row.patient_id for row in page.items], "list of incidents")
    return shown


@bp.route("/incidents/<uuid:incident_id>", methods=["GET", "POST"])
@requires(Permission.DOSE_READ)
@keeps_to_days
def incident(incident_id: UUID) -> ResponseReturnValue:
    """Show an incident; who may, closes it with what was found."""
    _looked(incident_id)
    form = CloseForm()
    if form.is_submitted():
        closed = _closed(form, incident_id)
        if closed is not None:
            return closed
    session = db.session()
    found = get_incident(session, incident_id)
    return render_template(
        "doses/incident.html",
        form=form,
        incident=found,
        dose=get_dose(session, found.dose_id),
        void=void_of(session, found.dose_id),
        opened_by=person_named_by(session, found.opened_by_id),
        closed_by=person_named_by(session, found.closed_by_id),
        notes=notes_of(session, incident_id),
        words=words,
    ), form.status


@bp.route("/incidents/<uuid:incident_id>/follow-up", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def follow_up(incident_id: UUID) -> ResponseReturnValue:
    """Write down what was found about an incident, and what is to be done next."""
    _looked(incident_id)
    found = get_incident(db.session(), incident_id)
    form = FollowUpForm()
    form.assigned_to.offer(may_look_into(found.site_id))
    back = url_for("doses.incident", incident_id=incident_id)
    if form.validate_on_submit():
        try:
            _follow(form, incident_id)
        except (Refusal, Refusals) as refused:
            form.apply_refusal(refused)
        else:
            flash("The follow-up is written down.")
            return redirect(back)
    page = render_template(
        "doses/follow_up.html", form=form, incident=found, submit_text="Write it down", cancel_to=back
    )
    return page, form.status


def _follow(form: FollowUpForm, incident_id: UUID) -> None:
    note_incident(
        actor=current_actor(),
        at=now(),
        incident_id=incident_id,
        found=str(form.found.data),
        next_step=form.next_step,
        request_key=form.act_key,
    )


def _looked(incident_id: UUID) -> None:
    session = db.session()
    dose = get_dose(session, get_incident(session, incident_id).dose_id)
    log_access(current_actor(), dose.patient_id, "incident")


def _closed(form: CloseForm, incident_id: UUID) -> ResponseReturnValue | None:
    """Close the incident and show it; None where the form is to be shown, with what is wrong."""
    actor = current_actor()
    if not actor.can(Permission.INCIDENT_CLOSE):
        raise Refusal("INCIDENT-NOT-YOURS", "A prescriber closes incidents.", status=403)
    if not form.validate_on_submit():
        return None
    try:
        close_incident(
            actor=actor,
            at=now(),
            incident_id=incident_id,
            outcome=str(form.outcome.data),
            request_key=form.act_key,
        )
    except (Refusal, Refusals) as refused:
        form.apply_refusal(refused)
        return None
    flash("The incident is closed.")
    return redirect(url_for("doses.incident", incident_id=incident_id))
