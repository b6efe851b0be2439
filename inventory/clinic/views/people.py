"""At which sites a person works, until when, and which days they see, for the administrators. Law kept here: least sight; it counts from the person's next click."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic import queries
from inventory.clinic.forms import PersonAccessForm, PersonSitesForm
from inventory.clinic.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff import queries as people
from inventory.staff.current import current_actor
from inventory.staff.services import Bounds, set_access, set_sites
from inventory.web.access import requires


@bp.route("/staff/<uuid:user_id>/sites", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE)
def person_sites(user_id: UUID) -> ResponseReturnValue:
    """Choose the sites at which a person works."""
    user = people.person(user_id)
    form = PersonSitesForm(data={"sites": [str(one) for one in people.sites_of(user) or ()]})
    form.sites.offer((str(one.id), f"{one.name} ({one.code})") for one in queries.sites())
    back, name = url_for("staff.person", user_id=user_id), user.display_name
    if form.validate_on_submit():
        try:
            _set_sites(form, user_id)
        except Refusal as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"The sites of {name} are set.")
            return redirect(back)
    page = render_template(
        "clinic/person_sites.html", form=form, name=name, submit_text="Save", cancel_to=back
    )
    return page, form.status


def _set_sites(form: PersonSitesForm, user_id: UUID) -> None:
    chosen = [UUID(one) for one in form.sites.data or []]
    set_sites(actor=current_actor(), at=now(), user_id=user_id, site_ids=chosen, request_key=form.act_key)


@bp.route("/staff/<uuid:user_id>/access", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE)
def person_access(user_id: UUID) -> ResponseReturnValue:
    """Say from when until when a person signs in, and which days an auditor sees."""
    user = people.person(user_id)
    shown = {name: getattr(user, name) for name in Bounds().facts()}
    form = PersonAccessForm(data={**shown, "version": user.version})
    back, name = url_for("staff.person", user_id=user_id), user.display_name
    if form.validate_on_submit():
        try:
            _set_access(form, user_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"The access of {name} is set.")
            return redirect(back)
    page = render_template(
        "clinic/person_access.html", form=form, name=name, submit_text="Save", cancel_to=back
    )
    return page, form.status


def _set_access(form: PersonAccessForm, user_id: UUID) -> None:
    set_access(
        actor=current_actor(),
        at=now(),
        user_id=user_id,
        version=form.seen_version,
        bounds=form.bounds,
        request_key=form.act_key,
    )
