"""The clinic's settings: an overview of what there is, and the form of its rules."""

from dataclasses import asdict

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic import queries, services, setting_rules
from inventory.clinic.current import settings_here
from inventory.clinic.forms import RulesForm
from inventory.clinic.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires


@bp.get("/settings")
@requires(Permission.SETTINGS_MANAGE)
def settings() -> str:
    """Show the sites and the rules as they stand."""
    return render_template(
        "clinic/settings.html",
        sites=queries.sites(),
        groups=setting_rules.GROUPS,
        values=asdict(settings_here()),
        reasons=setting_rules.WITNESS_REASONS,
    )


@bp.route("/settings/rules", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def rules() -> ResponseReturnValue:
    """Change the rules."""
    here = settings_here()
    form = RulesForm(data={**asdict(here), "version": setting_rules.version_of(here)})
    back = url_for("clinic.settings")
    if form.validate_on_submit():
        try:
            _change(form)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("The settings are changed.")
            return redirect(back)
    groups = setting_rules.GROUPS
    page = render_template("clinic/rules.html", form=form, groups=groups, submit_text="Save", cancel_to=back)
    return page, form.status


def _change(form: RulesForm) -> None:
    services.change_settings(
        actor=current_actor(),
        at=now(),
        values=form.values(),
        seen_version=form.version.data or "",
        request_key=form.act_key,
    )
