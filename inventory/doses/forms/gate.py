"""The forms about the gate: what the clinic asks of one finding, and the period of which findings are counted."""

from typing import Any

from wtforms import HiddenField

from inventory.clinic.forms import field_of
from inventory.clinic.setting_rules import RULES as SETTINGS
from inventory.doses.presenters.gate import TIER_WORDS
from inventory.doses.rules.gate import Tier
from inventory.doses.rules.gate.rule import Rule
from inventory.web.fields import RadioChoiceField, Required, TickField
from inventory.web.forms import ClinicForm


class GateRuleForm(ClinicForm):
    """What is asked of one finding; the fields of its thresholds are added by `gate_rule_form`."""

    is_on = TickField("The gate looks for this")
    tier = RadioChoiceField("What it asks", [Required("Choose what it asks.")])
    seen = HiddenField()

    @property
    def chosen(self) -> Tier:
        """The tier that is chosen."""
        return Tier(self.tier.data)

    def thresholds(self, rule: Rule) -> dict[str, Any]:
        """Return the typed thresholds by the names of their settings."""
        return {name: self[name].data for name in rule.thresholds}


def gate_rule_form(rule: Rule, data: dict[str, Any]) -> GateRuleForm:
    """Return the form for one rule, with a field for each of its thresholds."""
    fields = {name: field_of(SETTINGS[name]) for name in rule.thresholds}
    form: GateRuleForm = type("GateRuleForm", (GateRuleForm,), fields)(data=data)
    form.tier.offer((tier, TIER_WORDS[tier]) for tier in rule.tiers)
    return form
