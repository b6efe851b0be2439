"""The people of the clinic, for its administrators: added, edited, deactivated, let in by a link; never deleted."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff import presenters, queries, services
from inventory.staff.current import current_actor
from inventory.staff.forms import NewPersonForm, PeopleFilter, PersonForm
from inventory.staff.models import User
from inventory.staff.services.people import Entry
from inventory.staff.views.blueprint import bp
from inventory.web.access import requires
from inventory.web.pagination import cursor_here

REPEATED = "This was recorded already; nothing was written twice."


@bp.get("/staff")
@requires(Permission.STAFF_MANAGE)
def index() -> ResponseReturnValue:
    """List the people."""
    filters = PeopleFilter()
    valid = filters.validate()
    page = queries.people_page(
        words=filters.q.data or "" if valid else "",
        state=(filters.state.data if valid else None) or "active",
        cursor=cursor_here(),
    )
    return render_template(
        "staff/index.html",
        filters=filters,
        page=page,
        present=presenters,
        ending=queries.ending_access(by=now() + presenters.ENDS_SOON, at=now()),
    ), 200 if valid else 422


@bp.route("/staff/new", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE)
def add() -> ResponseReturnValue:
    """Add a person and show the link by which they set their password."""
    form = NewPersonForm()
    if form.validate_on_submit():
        try:
            return _added(form)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
    cancel_to = url_for("staff.index")
    page = render_template("staff/new.html", form=form, submit_text="Add the person", cancel_to=cancel_to)
    return page, form.status


def _added(form: NewPersonForm) -> ResponseReturnValue:
    entry = _entry(form)
    outcome = services.add_person(
        actor=current_actor(),
        at=now(),
        username=str(form.username.data),
        request_key=form.act_key,
        **{name: getattr(entry, name) for name in entry.facts()},
    )
    if outcome.repeated:
        flash(REPEATED, "info")
        return redirect(url_for("staff.person", user_id=outcome.subject_id))
    return _show_new_link(outcome.subject_id)


def _entry(form: PersonForm) -> Entry:
    return Entry(
        display_name=str(form.display_name.data),
        roles=form.chosen_roles,
        email=str(form.email.data),
        credential_title=str(form.credential_title.data),
        licence_number=str(form.licence_number.data),
        licence_expires_on=form.licence_expires_on.data,
        licence_renewal_pending=bool(form.licence_renewal_pending.data),
    )


@bp.get("/staff/<uuid:user_id>")
@requires(Permission.STAFF_MANAGE)
def person(user_id: UUID) -> str:
    """Show a person's entry and where they are signed in."""
    return _page(user_id)


@bp.route("/staff/<uuid:user_id>/edit", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE)
def edit(user_id: UUID) -> ResponseReturnValue:
    """Change what is written about a person, and their roles."""
    user = queries.person(user_id)
    form = PersonForm(data=_typed(user))
    back = url_for("staff.person", user_id=user_id)
    name = user.display_name
    if form.validate_on_submit():
        try:
            _edit(form, user_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"The entry of {form.display_name.data} is changed.")
            return redirect(back)
    page = render_template("staff/edit.html", form=form, name=name, submit_text="Save", cancel_to=back)
    return page, form.status


def _edit(form: PersonForm, user_id: UUID) -> None:
    services.edit_person(
        actor=current_actor(),
        at=now(),
        user_id=user_id,
        version=form.seen_version,
        entry=_entry(form),
        request_key=form.act_key,
    )


def _typed(user: User) -> dict[str, object]:
    entry = {name: getattr(user, name) for name in Entry("", frozenset()).facts() if name != "roles"}
    return {**entry, "roles": sorted(queries.roles_of(user)), "version": user.version}


@bp.post("/staff/<uuid:user_id>/link")
@requires(Permission.STAFF_MANAGE)
def make_link(user_id: UUID) -> ResponseReturnValue:
    """Make the link by which a person sets a new password, and show it this once."""
    return _show_new_link(user_id)


def _show_new_link(user_id: UUID) -> ResponseReturnValue:
    try:
        issued = services.issue_link(actor=current_actor(), at=now(), user_id=user_id)
    except Refusal as refusal:
        return _refused(user_id, refusal)
    address = url_for("staff.link", token=issued.token, _external=True)
    return render_template("staff/link_shown.html", user=queries.person(user_id), address=address)


@bp.post("/staff/<uuid:user_id>/deactivate")
@requires(Permission.STAFF_MANAGE)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    """Shut a person out from their next request on."""
    try:
        services.deactivate_person(actor=current_actor(), at=now(), user_id=user_id)
    except Refusal as refusal:
        return _refused(user_id, refusal)
    flash("Deactivated, and signed out everywhere.")
    return redirect(url_for("staff.person", user_id=user_id))


@bp.post("/staff/<uuid:user_id>/reactivate")
@requires(Permission.STAFF_MANAGE)
def reactivate(user_id: UUID) -> ResponseReturnValue:
    """Let a person in again."""
    try:
        services.reactivate_person(actor=current_actor(), at=now(), user_id=user_id)
    except Refusal as refusal:
        return _refused(user_id, refusal)
    flash("Reactivated. The password is the one they had.")
    return redirect(url_for("staff.person", user_id=user_id))


def _refused(user_id: UUID, refusal: Refusal) -> ResponseReturnValue:
    """Show the person's page again with the refusal on it."""
    if refusal.status == 404:
        raise refusal
    return _page(user_id, refusal), refusal.status


def _page(user_id: UUID, refusal: Refusal | None = None) -> str:
    user = queries.person(user_id)
    sessions = presenters.session_lines(queries.live_sessions(user_id, at=now()), None)
    return render_template(
        "staff/person.html",
        user=user,
        sessions=sessions,
        session_end=lambda one: url_for("staff.end_session", user_id=user_id, session_id=one),
        present=presenters,
        refusal=refusal,
    )


@bp.post("/staff/<uuid:user_id>/sessions/<uuid:session_id>/end")
@requires(Permission.STAFF_MANAGE)
def end_session(user_id: UUID, session_id: UUID) -> ResponseReturnValue:
    """Sign a person out in one browser."""
    services.end_session(actor=current_actor(), at=now(), user_id=user_id, session_id=session_id)
    flash("That session is ended.")
    return redirect(url_for("staff.person", user_id=user_id))


@bp.post("/staff/<uuid:user_id>/sessions/end")
@requires(Permission.STAFF_MANAGE)
def end_sessions(user_id: UUID) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    queries.person(user_id)
    services.end_sessions_of(actor=current_actor(), at=now(), user_id=user_id)
    flash("Signed out everywhere.")
    return redirect(url_for("staff.person", user_id=user_id))
