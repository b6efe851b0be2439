"""The checklist before a first dose: answered for a patient, and edited by the clinic."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.patients import checklist_queries, measured_presenters, services
from inventory.patients.blueprint import bp
from inventory.patients.measured_forms import ItemForm, checklist_form
from inventory.patients.pages import act_of, attempt, form_page, opened
from inventory.patients.terms import SOURCE_WORDS
from inventory.web.access import requires

SETTINGS = "patients.checklist_items"


@bp.route("/<uuid:patient_id>/checklist", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def checklist(patient_id: UUID) -> ResponseReturnValue:
    """Answer what must be known before a first dose."""
    opened(patient_id, "checklist")
    form = checklist_form(checklist_queries.checklist_of(db.session(), patient_id))

    def write() -> Outcome:
        return services.answer_checklist(patient_id=patient_id, answers=form.answers, **act_of(form))

    done = attempt(form, write, patient_id, "The checklist is noted.")
    # Read again: a refused act forgot what was read before it.
    checked = [] if done else checklist_queries.checklist_of(db.session(), patient_id)
    shown: dict[str, Any] = {
        "measured": measured_presenters,
        "elsewhere": measured_presenters.ANSWERED_ELSEWHERE,
    }
    return done or form_page("patients/checklist.html", form, patient_id, "Save", checked=checked, **shown)


@bp.get("/checklist-items")
@requires(Permission.SETTINGS_MANAGE)
def checklist_items() -> str:
    """Show the items of the checklist."""
    items = checklist_queries.every_item(db.session())
    return render_template("patients/checklist_items.html", items=items, sources=SOURCE_WORDS)


@bp.route("/checklist-items/new", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def add_checklist_item() -> ResponseReturnValue:
    """Add an item."""
    last = max((item.position for item in checklist_queries.every_item(db.session())), default=0)
    form = ItemForm(data={"source": "answer", "position": last + 10})
    if form.validate_on_submit():
        try:
            services.add_item(item=form.item, **act_of(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return _noted("The item is asked from now on.")
    return _item_page(form, "Add an item")


@bp.route("/checklist-items/<uuid:item_id>", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def edit_checklist_item(item_id: UUID) -> ResponseReturnValue:
    """Change an item, or ask for it no more."""
    item = checklist_queries.get_item(db.session(), item_id)
    shown = {name: getattr(item, name) for name in ("title", "hint", "source", "position", "version")}
    form = ItemForm(data={**shown, "is_retired": item.retired_at is not None})
    if form.validate_on_submit():
        try:
            services.edit_item(item_id=item_id, version=form.seen_version, item=form.item, **act_of(form))
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return _noted("The item is changed. What was answered keeps the words it had.")
    return _item_page(form, "Change an item")


def _noted(words: str) -> ResponseReturnValue:
    flash(words)
    return redirect(url_for(SETTINGS))


def _item_page(form: ItemForm, title: str) -> ResponseReturnValue:
    back = url_for(SETTINGS)
    page = render_template(
        "patients/checklist_item.html", form=form, title=title, submit_text="Save", cancel_to=back
    )
    return page, form.status
