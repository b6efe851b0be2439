"""The forms about the gate: what the clinic asks of one finding, and the period of which findings are counted."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import HiddenField

from inventory.clinic.forms import field_of
from inventory.clinic.models import Site
from inventory.clinic.setting_rules import RULES as SETTINGS
from inventory.doses.presenters.gate import TIER_WORDS
from inventory.doses.queries.found import Period
from inventory.doses.rules.gate import Tier
from inventory.doses.rules.gate.rule import Rule
from inventory.kernel.clock import local_day
from inventory.web.fields import ChoiceField, DateField, RadioChoiceField, Required, TickField
from inventory.web.forms import ClinicForm, FilterForm

_USUAL_DAYS = 30


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


class FoundFilter(FilterForm):
    """The period and site of which findings are counted."""

    from_on = DateField("From")
    to_on = DateField("To")
    site = ChoiceField("Site", blank="All your sites")

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Also refuse days in the wrong order: DAYS-ORDER."""
        well = super().validate(extra_validators)
        if well and self.from_on.data and self.to_on.data and self.from_on.data > self.to_on.data:
            self.add_error("to_on", "DAYS-ORDER", "The last day is before the first.")
            return False
        return bool(well)

    def periods(self, sites: Sequence[Site], at: datetime) -> dict[UUID, Period]:
        """Return for each chosen site its period on its own clock; of what is not typed, the last thirty days."""
        chosen = [site for site in sites if self.site.data in {None, str(site.id)}]
        return {site.id: _period(self.from_on.data, self.to_on.data, site.time_zone, at) for site in chosen}


def _period(first: date | None, last: date | None, zone: str, at: datetime) -> Period:
    end = last or max(local_day(at, zone), first or date.min)
    begin = first or end - timedelta(days=_USUAL_DAYS - 1)
    clock = ZoneInfo(zone)
    after = datetime.combine(end + timedelta(days=1), time(), tzinfo=clock)
    return datetime.combine(begin, time(), tzinfo=clock), after


def gate_rule_form(rule: Rule, data: dict[str, Any]) -> GateRuleForm:
    """Return the form for one rule, with a field for each of its thresholds."""
    fields = {name: field_of(SETTINGS[name]) for name in rule.thresholds}
    form: GateRuleForm = type("GateRuleForm", (GateRuleForm,), fields)(data=data)
    form.tier.offer((tier, TIER_WORDS[tier]) for tier in rule.tiers)
    return form
