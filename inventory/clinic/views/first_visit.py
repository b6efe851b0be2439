"""The first visit to an empty clinic, opened by the code that the server printed. There is no default account."""

from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic.first_visit import FirstVisit, set_up
from inventory.clinic.forms import FirstVisitForm
from inventory.clinic.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.staff import queries as staff_queries
from inventory.staff import services as staff
from inventory.staff.current import address, enter, user_agent
from inventory.staff.links import outside_address
from inventory.staff.policy import current_policy
from inventory.web.access import public

_IS_SET_UP = "clinic.is_set_up"
_OPEN_WHILE_EMPTY = {"static", "clinic.first_visit"}


@bp.route("/setup", methods=["GET", "POST"])
@public("nobody can be signed in yet; the printed code is the proof, and it works once")
def first_visit() -> ResponseReturnValue:
    """Ask for the clinic, its site and its administrator, who is signed in when all is well."""
    if not staff_queries.nobody_yet():
        return redirect(url_for("staff.sign_in"))
    form = FirstVisitForm(data={"setup_code": request.args.get("code", "")})
    if form.validate_on_submit():
        try:
            return _set_up(form)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
    least = current_policy().min_password_length
    return render_template("clinic/first_visit.html", form=form, least=least), form.status


def _set_up(form: FirstVisitForm) -> ResponseReturnValue:
    at = now()
    key = form.act_key
    outcome = set_up(at=at, setup_code=str(form.setup_code.data), visit=_visit(form), request_key=key)
    if outcome.repeated:
        return redirect(url_for("staff.sign_in"))
    actor = staff_queries.actor_of(staff_queries.person(outcome.subject_id))
    enter(staff.start_session(actor=actor, at=at, address=address(), user_agent=user_agent()))
    flash("The clinic is set up, and you are signed in as its administrator.")
    return redirect("/")


def _visit(form: FirstVisitForm) -> FirstVisit:
    return FirstVisit(
        clinic_name=str(form.clinic_name.data),
        name=str(form.name.data),
        code=str(form.code.data),
        time_zone=str(form.time_zone.data),
        location=str(form.location.data),
        username=str(form.username.data),
        display_name=str(form.display_name.data),
        roles=form.roles,
        password=str(form.password.data),
        credential_title=str(form.credential_title.data),
        licence_number=str(form.licence_number.data),
        licence_expires_on=form.licence_expires_on.data,
    )


def lead_to_first_visit() -> ResponseReturnValue | None:
    """Send every request to the first visit while the clinic has no people; once it has, this is not asked again."""
    if current_app.extensions.get(_IS_SET_UP) or request.endpoint in _OPEN_WHILE_EMPTY:
        return None
    if staff_queries.nobody_yet():
        return redirect(url_for("clinic.first_visit"), code=303)
    current_app.extensions[_IS_SET_UP] = True
    return None


def banner() -> list[str]:
    """Return what `flask serve` prints while nobody is there: where to begin, with a new code."""
    if not staff_queries.nobody_yet():
        return []
    code = staff.issue_setup_code(at=now())
    return [
        "Nobody is here yet. Set the clinic up at this address; its code works once, within 24 hours:",
        f"  {outside_address('clinic.first_visit', code=code)}",
    ]


def init_app(app: Flask) -> None:
    """Stand before every other check, since none of them can succeed while the clinic is empty."""
    app.before_request_funcs.setdefault(None, []).insert(0, lead_to_first_visit)
    app.extensions.setdefault("serve_banner", []).append(banner)
