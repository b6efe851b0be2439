"""One's own account: who the clinic says one is, one's password, and where one is signed in."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff import presenters, queries, services
from inventory.staff.current import address, current_actor, signed_in
from inventory.staff.forms import ChangePasswordForm
from inventory.staff.policy import current_policy
from inventory.staff.views.blueprint import bp
from inventory.web.access import requires


@bp.get("/account")
@requires(Permission.OWN_ACCOUNT)
def account() -> str:
    """Show one's own entry and sessions."""
    me = signed_in()
    sessions = presenters.session_lines(queries.live_sessions(me.id, at=now()), me.session_id)
    user = queries.person(me.id)
    return render_template(
        "staff/account.html",
        user=user,
        roles=presenters.role_words(user),
        licence=presenters.licence_state(user),
        sessions=sessions,
        own_session_end=lambda one: url_for("staff.end_own_session", session_id=one),
    )


@bp.route("/account/password", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT)
def change_password() -> ResponseReturnValue:
    """Change one's own password; all other sessions end."""
    form = ChangePasswordForm()
    status = form.status
    if form.validate_on_submit():
        try:
            _change(form)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
            status = getattr(refusal, "status", status)
        else:
            flash("Your password is changed. Everywhere else you are signed out.")
            return redirect(url_for("staff.account"))
    least = current_policy().min_password_length
    back = url_for("staff.account")
    page = render_template(
        "staff/change_password.html",
        form=form,
        least=least,
        submit_text="Change the password",
        cancel_to=back,
    )
    return page, status


def _change(form: ChangePasswordForm) -> None:
    services.change_password(
        actor=current_actor(),
        at=now(),
        current=str(form.current.data),
        password=str(form.password.data),
        address=address(),
        keep=signed_in().session_id,
        request_key=form.act_key,
    )


@bp.post("/account/sessions/<uuid:session_id>/end")
@requires(Permission.OWN_ACCOUNT)
def end_own_session(session_id: UUID) -> ResponseReturnValue:
    """Sign out one's browser somewhere else."""
    actor = current_actor()
    services.end_session(actor=actor, at=now(), user_id=actor.id, session_id=session_id)
    flash("That session is ended.")
    return redirect(url_for("staff.account"))


@bp.post("/account/sessions/end-others")
@requires(Permission.OWN_ACCOUNT)
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    me = signed_in()
    services.end_sessions_of(actor=me.actor, at=now(), user_id=me.id, keep=me.session_id)
    flash("Everywhere else you are signed out.")
    return redirect(url_for("staff.account"))
