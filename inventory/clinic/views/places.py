"""Sites and their storage locations, and the choice of the site at which one works now."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic import queries, services
from inventory.clinic.current import chosen_site, sites_here
from inventory.clinic.forms import LocationForm, SiteChoiceForm, SiteForm
from inventory.clinic.models import LocationKind, Site
from inventory.clinic.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff import services as staff
from inventory.staff.current import current_actor, signed_in
from inventory.web.access import requires, safe_next_path


@bp.route("/settings/sites/new", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def add_site() -> ResponseReturnValue:
    """Add a site."""
    form = SiteForm()
    if form.validate_on_submit():
        try:
            outcome = services.add_site(**_site_values(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"{form.name.data} is added. Say next where its vials are kept.")
            return redirect(url_for("clinic.site", site_id=outcome.subject_id))
    back = url_for("clinic.settings")
    page = render_template(
        "clinic/site_form.html", form=form, heading="Add a site", submit_text="Add the site", cancel_to=back
    )
    return page, form.status


@bp.get("/settings/sites/<uuid:site_id>")
@requires(Permission.SETTINGS_MANAGE)
def site(site_id: UUID) -> str:
    """Show a site and its storage locations."""
    return _site_page(site_id)


def _site_page(site_id: UUID, refusal: Refusal | None = None) -> str:
    locations = queries.locations(site_id, with_closed=True)
    return render_template(
        "clinic/site.html", site=queries.site(site_id), locations=locations, refusal=refusal
    )


@bp.route("/settings/sites/<uuid:site_id>/edit", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def edit_site(site_id: UUID) -> ResponseReturnValue:
    """Change a site's entry."""
    site = queries.site(site_id)
    form = SiteForm(obj=site)
    heading, back = f"Edit {site.name}", url_for("clinic.site", site_id=site_id)
    if form.validate_on_submit():
        try:
            services.edit_site(site_id=site_id, version=form.seen_version, **_site_values(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("The site's entry is changed.")
            return redirect(back)
    page = render_template(
        "clinic/site_form.html", form=form, heading=heading, submit_text="Save", cancel_to=back
    )
    return page, form.status


def _site_values(form: SiteForm) -> dict[str, Any]:
    return {
        "actor": current_actor(),
        "at": now(),
        "code": form.code.data,
        "name": form.name.data,
        "time_zone": form.time_zone.data,
        "address": form.address.data,
        "request_key": form.act_key,
    }


@bp.route("/settings/sites/<uuid:site_id>/locations/new", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def add_location(site_id: UUID) -> ResponseReturnValue:
    """Add a storage location to a site."""
    site = queries.site(site_id)
    form = LocationForm(data={"kind": LocationKind.CABINET})
    lead, back = f"At {site.name}.", url_for("clinic.site", site_id=site_id)
    if form.validate_on_submit():
        try:
            services.add_location(site_id=site_id, **_location_values(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"{form.name.data} is added.")
            return redirect(back)
    return _location_page(form, "Add a storage location", lead, "Add", back)


@bp.route("/settings/locations/<uuid:location_id>/edit", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def edit_location(location_id: UUID) -> ResponseReturnValue:
    """Rename a storage location, or say what it is."""
    location = queries.location(location_id)
    form = LocationForm(obj=location)
    heading, back = f"Edit {location.name}", url_for("clinic.site", site_id=location.site_id)
    if form.validate_on_submit():
        try:
            services.edit_location(location_id=location_id, **_location_values(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("The storage location is changed.")
            return redirect(back)
    return _location_page(form, heading, "Stock stays where it is.", "Save", back)


def _location_values(form: LocationForm) -> dict[str, Any]:
    return {
        "actor": current_actor(),
        "at": now(),
        "name": form.name.data,
        "kind": LocationKind(str(form.kind.data)),
        "request_key": form.act_key,
    }


def _location_page(
    form: LocationForm, heading: str, lead: str, submit_text: str, back: str
) -> ResponseReturnValue:
    page = render_template(
        "clinic/location_form.html",
        form=form,
        heading=heading,
        lead=lead,
        submit_text=submit_text,
        cancel_to=back,
    )
    return page, form.status


@bp.post("/settings/locations/<uuid:location_id>/close")
@requires(Permission.SETTINGS_MANAGE)
def close_location(location_id: UUID) -> ResponseReturnValue:
    """Close an empty storage location."""
    site_id = queries.location(location_id).site_id
    try:
        services.close_location(actor=current_actor(), at=now(), location_id=location_id)
    except Refusal as refusal:
        return _site_page(site_id, refusal), refusal.status
    flash("Closed. Nothing can be put there until it is opened again.")
    return redirect(url_for("clinic.site", site_id=site_id))


@bp.post("/settings/locations/<uuid:location_id>/reopen")
@requires(Permission.SETTINGS_MANAGE)
def reopen_location(location_id: UUID) -> ResponseReturnValue:
    """Use a closed storage location again."""
    site_id = queries.location(location_id).site_id
    try:
        services.reopen_location(actor=current_actor(), at=now(), location_id=location_id)
    except Refusal as refusal:
        return _site_page(site_id, refusal), refusal.status
    flash("Open again.")
    return redirect(url_for("clinic.site", site_id=site_id))


@bp.route("/site", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT)
def choose_site() -> ResponseReturnValue:
    """Choose the site at which one works now; the choice is the session's."""
    present = chosen_site()
    form = SiteChoiceForm(data={"site": str(present.id)} if present else None)
    by_id = {str(one.id): one for one in sites_here()}
    form.site.offer((one_id, f"{one.name} ({one.code})") for one_id, one in by_id.items())
    if form.validate_on_submit():
        _choose(by_id[str(form.site.data)])
        return redirect(safe_next_path(request.args.get("next")))
    page = render_template("clinic/choose_site.html", form=form, submit_text="Work here", cancel_to="/")
    return page, form.status


def _choose(chosen: Site) -> None:
    me, words = signed_in(), f"You now work at {chosen.name}."
    staff.choose_site(actor=me.actor, at=now(), session_id=me.session_id, site_id=chosen.id, code=chosen.code)
    flash(words)
