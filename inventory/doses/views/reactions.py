"""The pages of a reaction: record it at its dose, correct it, follow it up, decide, and the list of those that are open."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access, log_list
from inventory.catalogue.act_forms import act_page
from inventory.clinic.current import settings_here, sites_here
from inventory.doses import services
from inventory.doses.forms import reactions as forms
from inventory.doses.presenters import dose as dose_words
from inventory.doses.presenters import reactions as words
from inventory.doses.queries import reactions as queries
from inventory.doses.queries.story import get_dose, void_of
from inventory.doses.rules.reaction_terms import DecisionKind, ReactionOutcome
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.pagination import cursor_here


@bp.get("/reactions")
@requires(Permission.DOSE_READ)
@keeps_to_days
def reactions() -> ResponseReturnValue:
    """List the reactions that the reader may see, the last to begin first."""
    filters = forms.ReactionsFilter()
    filters.site.offer((site.id, site.name) for site in sites_here())
    page = None
    if filters.validate():
        page = queries.reactions_page(
            db.session(),
            state=filters.state.data or "open",
            severity=filters.severity.data or "",
            site_id=filters.site_id,
            from_on=filters.from_on.data,
            to_on=filters.to_on.data,
            cursor=cursor_here(),
        )
    shown = render_template("doses/reactions.html", filters=filters, page=page, words=words)
    seen = [row.Reaction.patient_id for row in page.items] if page else []
    log_list(current_actor(), seen, "list of reactions")
    return shown, 422 if page is None else 200


@bp.get("/reactions/<uuid:reaction_id>")
@requires(Permission.DOSE_READ)
@keeps_to_days
def reaction(reaction_id: UUID) -> str:
    """Show a reaction; one that waits for a prescriber opens with the clinic's emergency note."""
    return render_template("doses/reaction.html", **_looked_at(reaction_id))


@bp.route("/doses/<uuid:dose_id>/reaction", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def record_reaction(dose_id: UUID) -> ResponseReturnValue:
    """Record a reaction to a dose; at one that was amended, go on to the entry that stands."""
    dose = get_dose(db.session(), dose_id)
    log_access(current_actor(), dose.patient_id, "reaction")
    void = void_of(db.session(), dose_id)
    if void and void.id:
        return redirect(url_for("doses.record_reaction", dose_id=void.id))
    form = forms.reaction_form(dose)
    return act_page(
        form,
        lambda: services.record_reaction(
            actor=current_actor(), at=now(), request_key=form.act_key, dose_id=dose_id, told=form.told()
        ),
        template="doses/record_reaction.html",
        to=_page,
        done="The reaction is recorded.",
        shown=lambda: {"dose": get_dose(db.session(), dose_id), **_shared()},
    )


@bp.route("/reactions/<uuid:reaction_id>/correct", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def correct_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """Say anew what a reaction was; what stood there stays readable."""
    case = _looked_at(reaction_id)["case"]
    form = forms.correction_form(case.newest, case.dose)
    return act_page(
        form,
        lambda: services.correct_reaction(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            case_id=reaction_id,
            seen_id=forms.seen_id(form),
            told=form.told(),
            reason=str(form.reason.data),
        ),
        template="doses/correct_reaction.html",
        to=_page,
        done="The correction is recorded.",
        shown=lambda: _about(reaction_id),
    )


@bp.route("/reactions/<uuid:reaction_id>/follow-up", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def follow_up_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """Write down how a reaction stands."""
    _looked_at(reaction_id)
    form = forms.FollowUpForm()
    return act_page(
        form,
        lambda: services.follow_up_reaction(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            case_id=reaction_id,
            outcome=ReactionOutcome(str(form.outcome.data)),
            note=str(form.note.data),
            happened_at=form.happened_at.data,
        ),
        template="doses/follow_up_reaction.html",
        to=_page,
        done="The news is recorded.",
        shown=lambda: _about(reaction_id),
    )


@bp.route("/reactions/<uuid:reaction_id>/decide", methods=["GET", "POST"])
@requires(Permission.DOSE_OVERRIDE)
def decide_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """Decide, as a prescriber, about further doses."""
    case = _looked_at(reaction_id)["case"]
    form = forms.DecisionForm(data={"seen": str(case.newest.id)})
    return act_page(
        form,
        lambda: services.decide_reaction(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            case_id=reaction_id,
            seen_id=forms.seen_id(form),
            kind=DecisionKind(str(form.kind.data)),
            reason=str(form.reason.data),
        ),
        template="doses/decide_reaction.html",
        to=_page,
        done="The decision is recorded.",
        shown=lambda: _about(reaction_id),
    )


@bp.route("/reactions/<uuid:reaction_id>/retract", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def retract_reaction(reaction_id: UUID) -> ResponseReturnValue:
    """Say that a reaction was recorded by mistake."""
    _looked_at(reaction_id)
    form = forms.RetractForm()
    return act_page(
        form,
        lambda: services.retract_reaction(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            case_id=reaction_id,
            reason=str(form.reason.data),
        ),
        template="doses/retract_reaction.html",
        to=_page,
        done="The reaction is retracted.",
        shown=lambda: _about(reaction_id),
    )


def _looked_at(reaction_id: UUID) -> dict[str, Any]:
    """Log the look at the patient, and return what the page of the reaction shows."""
    found = _about(reaction_id)
    log_access(current_actor(), found["case"].newest.patient_id, "reaction")
    return found


def _about(reaction_id: UUID) -> dict[str, Any]:
    case = queries.case_of(db.session(), reaction_id)
    return {"case": case, "dose": case.dose, **_shared()}


def _shared() -> dict[str, Any]:
    note = words.lines(settings_here().emergency_note)
    return {"words": words, "dose_words": dose_words, "emergency_note": note}


def _page(outcome: Outcome) -> str:
    return url_for("doses.reaction", reaction_id=outcome.subject_id)
