"""The way in and out: sign-in, sign-out, and the one-time link by which a person sets a password."""

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.staff import queries, services
from inventory.staff.current import address, current_actor, enter, had_session, leave, signed_in, user_agent
from inventory.staff.forms import NewPasswordForm, SignInForm
from inventory.staff.policy import current_policy
from inventory.staff.services.links import link_spent
from inventory.staff.views.blueprint import bp
from inventory.web.access import public, safe_next_path


@bp.route("/sign-in", methods=["GET", "POST"])
@public("the way in")
def sign_in() -> ResponseReturnValue:
    """Ask for name and password, and go on to where the person wanted to be."""
    if current_user.is_authenticated and request.method == "GET":
        return redirect(_wanted())
    form = SignInForm()
    headers: dict[str, str] = {}
    status = form.status
    if form.validate_on_submit():
        try:
            return _entered(form)
        except Refusal as refusal:
            form.apply_refusal(refusal)
            status, headers = _status_of(refusal)
    ended = had_session() and request.method == "GET"
    page = render_template("staff/sign_in.html", form=form, ended=ended, idle=current_policy().idle)
    return page, status, headers


def _entered(form: SignInForm) -> ResponseReturnValue:
    entrance = services.sign_in(
        username=str(form.username.data),
        password=str(form.password.data),
        at=now(),
        address=address(),
        user_agent=user_agent(),
    )
    enter(entrance.token)
    return redirect(_wanted())


def _status_of(refusal: Refusal) -> tuple[int, dict[str, str]]:
    if isinstance(refusal, services.TooManyTries):
        return refusal.status, {"Retry-After": str(-(-refusal.wait // timedelta(seconds=1)))}
    return refusal.status, {}


def _wanted() -> str:
    return safe_next_path(request.args.get("next"))


@bp.post("/sign-out")
@public("ending nothing harms nobody")
def sign_out() -> ResponseReturnValue:
    """End the session, wherever its cookie may have been copied to."""
    if current_user.is_authenticated:
        services.sign_out(actor=current_actor(), at=now(), session_id=signed_in().session_id)
    leave()
    flash("You are signed out.")
    return redirect(url_for("staff.sign_in"))


@bp.route("/link/<token>", methods=["GET", "POST"])
@public("the link is the proof, for somebody who has no password yet")
def link(token: str) -> ResponseReturnValue:
    """Let the holder of a one-time link set a password. Opening the page does not use it up."""
    person = queries.person_of_link(token, at=now())
    if person is None:
        raise link_spent()
    form = NewPasswordForm()
    values = {"username": person.username, "display_name": person.display_name}
    if form.validate_on_submit():
        try:
            services.spend_link(
                token=token, password=str(form.password.data), at=now(), request_key=form.act_key
            )
        except Refusals as refusals:
            form.apply_refusal(refusals)
        else:
            leave()
            flash("Your password is set. Sign in with it.")
            return redirect(url_for("staff.sign_in"))
    least = current_policy().min_password_length
    return render_template("staff/link.html", form=form, least=least, **values), form.status
