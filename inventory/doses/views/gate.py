"""The gate's pages: what the clinic asks of each finding, and how often each was found and what became of it."""

from dataclasses import asdict

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic.current import settings_here, sites_here
from inventory.doses.forms.gate import FoundFilter, GateRuleForm, gate_rule_form
from inventory.doses.presenters.found import found_lines, never_found
from inventory.doses.presenters.gate import shown_rules, shown_state
from inventory.doses.queries.found import tally
from inventory.doses.queries.gate_rules import RuleState, rule_states
from inventory.doses.rules.gate.registry import REGISTRY, RULES
from inventory.doses.services import change_gate_rule
from inventory.doses.services.gate_rules import seen_version
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires


@bp.get("/settings/gate")
@requires(Permission.SETTINGS_MANAGE)
def gate_rules() -> str:
    """Show every finding of the gate, what is asked of it, and from where on."""
    subjects = shown_rules(rule_states(db.session(), RULES), asdict(settings_here()))
    return render_template("doses/gate_rules.html", subjects=subjects)


@bp.route("/settings/gate/<finding_code>", methods=["GET", "POST"])
@requires(Permission.SETTINGS_MANAGE)
def gate_rule(finding_code: str) -> ResponseReturnValue:
    """Change what is asked of one finding."""
    state = _state_of(finding_code)
    form = gate_rule_form(state.rule, _standing(state))
    if form.validate_on_submit():
        try:
            _change(form, state)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"{finding_code} is set.")
            return redirect(url_for("doses.gate_rules"))
    return render_template(
        "doses/gate_rule.html", form=form, rule=state.rule, state=shown_state(state)
    ), form.status


@bp.get("/gate/findings")
@requires(Permission.INCIDENT_CLOSE)
def gate_findings() -> ResponseReturnValue:
    """Show how often each finding came up in a period, and what became of it. No patient is named."""
    filters = FoundFilter()
    filters.site.offer((site.id, site.name) for site in sites_here())
    lines = None
    if filters.validate():
        lines = found_lines(tally(db.session(), filters.periods(sites_here(), now())))
    page = render_template(
        "doses/gate_findings.html", filters=filters, lines=lines, never=never_found(lines or [])
    )
    return page, 422 if lines is None else 200


def _state_of(code: str) -> RuleState:
    rule = REGISTRY.get(code)
    if rule is None:
        raise not_found("finding")
    return rule_states(db.session(), (rule,))[code]


def _standing(state: RuleState) -> dict[str, object]:
    settings = settings_here()
    limits = {name: getattr(settings, name) for name in state.rule.thresholds}
    return {"is_on": state.is_on, "tier": state.tier, "seen": seen_version(state, settings), **limits}


def _change(form: GateRuleForm, state: RuleState) -> None:
    change_gate_rule(
        actor=current_actor(),
        at=now(),
        code=state.rule.code,
        tier=form.chosen,
        is_on=bool(form.is_on.data),
        thresholds=form.thresholds(state.rule),
        seen=form.seen.data or "",
        request_key=form.act_key,
    )
