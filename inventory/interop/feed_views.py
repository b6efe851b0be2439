"""The page of one's calendar feeds, and the feed itself, which a calendar program reads by its secret address."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic.current import current_site
from inventory.interop.blueprint import bp
from inventory.interop.feeds import feed_text
from inventory.interop.queries import feeds_of
from inventory.interop.services.feeds import make_feed, revoke_feed
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import public, requires
from inventory.web.fields import TickField
from inventory.web.forms import ClinicForm


class FeedForm(ClinicForm):
    """A new feed: of this site, with or without names."""

    names_patients = TickField("With the patients' names")


@bp.route("/calendar", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def feeds() -> ResponseReturnValue:
    """Show one's feeds; make a new one, whose address is shown this once."""
    form, actor, made = FeedForm(), current_actor(), None
    if not actor.can(Permission.PATIENT_READ):
        del form.names_patients
    if form.validate_on_submit():
        try:
            made = _made(form)
        except Refusal as refusal:
            form.apply_refusal(refusal)
    site, rows = current_site(), feeds_of(db.session(), actor.id)
    page = render_template("interop/feeds.html", form=form, address=made, feeds=rows, site=site)
    return page, 422 if form.problems() else 200


def _made(form: FeedForm) -> str:
    """Return the address of the feed that the form asks for; empty where the form was sent before."""
    wants_names = "names_patients" in form and bool(form.names_patients.data)
    made = make_feed(
        actor=current_actor(),
        at=now(),
        site_id=current_site().id,
        names_patients=wants_names,
        request_key=form.act_key,
    )
    return url_for("interop.feed", token=made.token, _external=True) if made.token else ""


@bp.post("/calendar/<uuid:feed_id>/revoke")
@requires(Permission.STOCK_USE)
def end_feed(feed_id: UUID) -> ResponseReturnValue:
    """Revoke one of one's own feeds."""
    revoke_feed(actor=current_actor(), at=now(), feed_id=feed_id)
    flash("That address leads nowhere any more.")
    return redirect(url_for("interop.feeds"))


@bp.get("/calendar/<token>.ics")
@public(
    "a calendar program cannot sign in: the secret in the address stands for its person, and is checked anew each time"
)
def feed(token: str) -> ResponseReturnValue:
    """Send the feed of a secret address."""
    text = feed_text(
        token, at=now(), address=lambda row: url_for("desk.due", on=row.due_on.isoformat(), _external=True)
    )
    response = Response("" if request.method == "HEAD" else text, content_type="text/calendar; charset=utf-8")
    response.headers.set("Content-Disposition", "inline", filename="due.ics")
    return response
