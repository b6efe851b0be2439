"""Forms about reactions: what was told, news, a decision, a retraction, and the filters of the list."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import HiddenField

from inventory.doses.models import Dose
from inventory.doses.reaction_models import Reaction
from inventory.doses.rules import reaction_terms as terms
from inventory.doses.rules.reactions import read
from inventory.doses.services import Told
from inventory.web.fields import (
    Between,
    ChoiceField,
    CountField,
    DateField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    TextField,
)
from inventory.web.forms import ClinicForm, FilterForm

MOST_MINUTES = 60 * 24 * 365
_NOTHING = UUID(int=0)
STATES = (("open", "Open"), ("undecided", "Waiting for a prescriber"), ("all", "All"))


def _symptoms(label: str, listed: tuple[terms.Symptom, ...]) -> ManyChoiceField:
    return ManyChoiceField(label, choices=[(one.value, terms.SYMPTOM_WORDS[one]) for one in listed])


class ReactionForm(ClinicForm):
    """A reaction as it is told. What is an emergency stands first."""

    emergencies = _symptoms("Severe: an emergency", terms.EMERGENCIES)
    attention = _symptoms("Serious: medical attention at once", terms.ATTENTION_AT_ONCE)
    mild = _symptoms("Mild: refer if it persists", terms.MILD)
    other_symptom = TextField("Anything else that was seen or felt")
    severity = RadioChoiceField(
        "How strong was it?",
        [Required("Say how strong it was.")],
        choices=[(one.value, words) for one, words in terms.SEVERITY_WORDS.items()],
    )
    onset_minutes = CountField("It began after the dose by", [Between(0, MOST_MINUTES)])
    onset_at = LocalTimeField("Or it began at")
    outcome = RadioChoiceField(
        "How is it now?",
        [Required("Say how it is now.")],
        choices=[(one.value, words) for one, words in terms.OUTCOME_WORDS.items()],
        default=terms.ReactionOutcome.ONGOING.value,
    )
    actions = ManyChoiceField(
        "What was done?", choices=[(one.value, words) for one, words in terms.ACTION_WORDS.items()]
    )
    criteria = ManyChoiceField(
        "Is it serious to a regulator?",
        choices=[(one.value, words) for one, words in terms.CRITERION_WORDS.items()],
    )
    reporter = ChoiceField(
        "Who told of it?",
        [Required("Say who told of it.")],
        choices=[(one.value, words) for one, words in terms.REPORTER_WORDS.items()],
        default=terms.Reporter.PATIENT.value,
    )
    note = LongTextField("Note")

    def told(self) -> Told:
        """Return what the valid form says."""
        lists = (self.emergencies, self.attention, self.mild)
        ticked = {value for listed in lists for value in listed.data or []}
        return Told(
            severity=terms.Severity(str(self.severity.data)),
            outcome=terms.ReactionOutcome(str(self.outcome.data)),
            reporter=terms.Reporter(str(self.reporter.data)),
            symptoms=tuple(one for one in terms.Symptom if one.value in ticked),
            other_symptom=str(self.other_symptom.data),
            criteria=tuple(map(terms.Criterion, self.criteria.data or [])),
            onset_minutes=self.onset_minutes.data,
            onset_at=self.onset_at.data,
            actions=tuple(map(terms.Action, self.actions.data or [])),
            note=str(self.note.data),
        )


class CorrectionForm(ReactionForm):
    """A reaction as it really was. `seen` is the row that the page showed."""

    seen = HiddenField()
    reason = LongTextField("Why is it corrected?", [Required("Say why it is corrected.")])


class FollowUpForm(ClinicForm):
    """News of a reaction."""

    outcome = RadioChoiceField(
        "How is it?",
        [Required("Say how it is.")],
        choices=[(one.value, words) for one, words in terms.OUTCOME_WORDS.items()],
    )
    happened_at = LocalTimeField("When")
    note = LongTextField("Note")


class DecisionForm(ClinicForm):
    """What a prescriber decides about further doses. `seen` is the row that the page showed."""

    seen = HiddenField()
    kind = RadioChoiceField(
        "What about further doses?",
        [Required("Say what you decide.")],
        choices=[(one.value, words) for one, words in terms.DECISION_WORDS.items()],
    )
    reason = LongTextField("Why?", [Required("Say why you decide so.")])


class RetractForm(ClinicForm):
    """Why a reaction was never one."""

    reason = LongTextField("Why was it recorded by mistake?", [Required("Say why.")])


class ReactionsFilter(FilterForm):
    """Finds reactions."""

    state = ChoiceField("State", choices=STATES, default="open")
    severity = ChoiceField(
        "Severity",
        choices=[(one.value, words) for one, words in terms.SEVERITY_WORDS.items()],
        blank="Every severity",
    )
    site = ChoiceField("Site", blank="Every site")
    from_on = DateField("Dose given from")
    to_on = DateField("To")

    @property
    def site_id(self) -> UUID | None:
        """The chosen site, None for every one; asked once the form is valid."""
        return UUID(str(self.site.data)) if self.site.data else None


class SignalsFilter(FilterForm):
    """For which doses, and which reactions to them, the signals are counted."""

    from_on = DateField("Doses given from")
    to_on = DateField("To")
    which = ChoiceField(
        "Reactions", choices=(("all", "All"), ("grave", "Severe or serious only")), default="all"
    )

    def days(self, today: date, usual: date) -> tuple[date, date]:
        """Return the first and the last day; where none was typed, from the `usual` first one to today."""
        return self.from_on.data or usual, self.to_on.data or today


def reaction_form(dose: Dose) -> ReactionForm:
    """Return the form that reads the clock of the site where the dose was given."""
    form: ReactionForm = _by_the_clock_of(ReactionForm, dose)()
    return form


def correction_form(reaction: Reaction, dose: Dose) -> CorrectionForm:
    """Return the form filled with what is said now; what was typed takes its place."""
    ticked = read(terms.Symptom, reaction.symptoms)
    filled: dict[str, Any] = {
        "emergencies": [one for one in ticked if one in terms.EMERGENCIES],
        "attention": [one for one in ticked if one in terms.ATTENTION_AT_ONCE],
        "mild": [one for one in ticked if one in terms.MILD],
        "criteria": list(read(terms.Criterion, reaction.criteria)),
        "actions": list(read(terms.Action, reaction.actions)),
        **{name: getattr(reaction, name) for name in ("severity", "outcome", "reporter", "onset_at")},
        "other_symptom": reaction.other_symptom or "",
        "note": reaction.note or "",
        "seen": str(reaction.id),
    }
    form: CorrectionForm = _by_the_clock_of(CorrectionForm, dose)(data=filled)
    return form


def _by_the_clock_of(form: Any, dose: Dose) -> Any:
    zone = ZoneInfo(dose.given_zone)
    onset_at = LocalTimeField(form.onset_at.args[0], zone=lambda: zone)
    return type(form.__name__, (form,), {"onset_at": onset_at})


def seen_id(form: CorrectionForm | DecisionForm) -> UUID:
    """Return the row that the page showed; one that never was where it is damaged."""
    try:
        return UUID(str(form.seen.data))
    except ValueError:
        return _NOTHING
