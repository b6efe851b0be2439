"""One form, one act: the page that shows the form, sends it once, and keeps what was typed when it is refused."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.kernel.errors import Refusal, Refusals
from inventory.web.forms import ClinicForm

REPEATED = "This was recorded already; nothing was written twice."


def act_page(
    form: ClinicForm,
    act: Callable[[], Outcome],
    *,
    template: str,
    to: Callable[[Outcome], str],
    done: str,
    shown: Callable[[], dict[str, Any]],
) -> ResponseReturnValue:
    """Carry out `act` if the form was sent well, say `done` and go `to` where its outcome is seen; else show the form.

    `shown` gives the template its values; it is asked after the act, since a refused act forgets what was read before.
    """
    if form.validate_on_submit():
        try:
            outcome = act()
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(REPEATED if outcome.repeated else done, "info" if outcome.repeated else "message")
            return redirect(to(outcome))
    return render_template(template, form=form, **shown()), form.status


def already_over(said: str, *, to: str) -> ResponseReturnValue:
    """Say why a form would lead to nothing and go `to` where it is seen. A form that was sent is answered by its act."""
    flash(said, "info")
    return redirect(to)
