"""What is typed about protocols, courses and authorities."""

from typing import Any

from inventory.catalogue.models import Route
from inventory.courses.queries.protocols import Published
from inventory.courses.rules.calendar import Interval, after
from inventory.courses.rules.ordering import AuthorityDraft, Order, ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import AuthorityKind, SlotState, Unit
from inventory.courses.words import AUTHORITY_WORDS, UNIT_WORDS
from inventory.web.fields import (
    ChoiceField,
    CountField,
    DateField,
    DoseField,
    LongTextField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm

STEPS = tuple(range(1, 7))
"""How many steps the page has room for."""
_UNITS = [(unit.value, words) for unit, words in UNIT_WORDS.items()]
_ROUTES = [(Route.IM.value, "Into a muscle (IM)"), (Route.SC.value, "Under the skin (SC)")]


class VersionForm(ClinicForm):
    """What a protocol says. The fields of its steps are made below: step1_dose, step1_count, and so on."""

    source = LongTextField("Source", [Required("Say where this schedule comes from.")], limit=2000)
    for_substance = TextField("Only for the substance", limit=120)
    review_months = CountField("A prescriber reviews the course after, in months")

    def draft(self) -> ProtocolDraft:
        """What was typed. Steps without a dose are none; those after them move up."""
        typed = [n for n in STEPS if self[f"step{n}_dose"].data]
        return ProtocolDraft(
            source=str(self.source.data),
            steps=tuple(self._step(n, position) for position, n in enumerate(typed, start=1)),
            for_substance=str(self.for_substance.data or ""),
            review_months=self.review_months.data,
        )

    def _step(self, n: int, position: int) -> Step:
        def typed(part: str) -> Any:
            return self[f"step{n}_{part}"].data

        unit = Unit(typed("unit") or Unit.WEEK)
        count = 1 if unit is Unit.THRICE else typed("count")
        return Step(
            position=position,
            dose_ng=typed("dose"),
            interval=Interval(0 if count is None else count, unit),
            doses=typed("doses"),
            until_text=str(typed("until") or ""),
            early_days=typed("early") or 0,
            late_days=typed("late") or 0,
        )


_PARTS: dict[str, Any] = {
    "dose": lambda: DoseField("Dose"),
    "count": lambda: CountField("Every"),
    "unit": lambda: ChoiceField("Days, weeks or months", choices=_UNITS),
    "doses": lambda: CountField("How many doses"),
    "until": lambda: TextField("Or until", limit=200),
    "early": lambda: CountField("Days early"),
    "late": lambda: CountField("Days late"),
}
for _n in STEPS:
    for _part, _make in _PARTS.items():
        setattr(VersionForm, f"step{_n}_{_part}", _make())


class ProtocolForm(VersionForm):
    """A new protocol, with its name."""

    name = TextField("Name", [Required("Type a name for the protocol.")], limit=120)


def typed_of(published: Published) -> dict[str, Any]:
    """Return a version as its form would hold it."""
    draft = published.draft
    own: dict[str, Any] = {
        "source": draft.source,
        "for_substance": draft.for_substance,
        "review_months": draft.review_months,
    }
    for step in draft.steps[: len(STEPS)]:
        own |= {
            f"step{step.position}_{part}": value
            for part, value in {
                "dose": step.dose_ng,
                "count": step.interval.count,
                "unit": step.interval.unit.value,
                "doses": step.doses,
                "until": step.until_text,
                "early": step.early_days,
                "late": step.late_days,
            }.items()
        }
    return own


class ReasonForm(ClinicForm):
    """Why."""

    reason = LongTextField("Why", [Required("Say why.")], limit=1000)


class StartForm(ClinicForm):
    """A prescriber's order. What is left empty is as the protocol says."""

    protocol = ChoiceField("Protocol", [Required("Choose a protocol.")], blank="Choose a protocol")
    formulation = ChoiceField(
        "Formulation", [Required("Choose a formulation.")], blank="Choose a formulation"
    )
    route = RadioChoiceField("Route", [Required("Choose a route.")], choices=_ROUTES)
    indication = TextField("What for", [Required("Say what the course is for.")], limit=300)
    starts_on = DateField("First dose due", [Required("Say when the first dose is due.")])
    least_dose = DoseField("Least dose")
    most_dose = DoseField("Most dose")
    doses_a_day = CountField("Doses on one day")
    review_on = DateField("Review by")
    stops_on = DateField("Last day of the order")

    def order(self, draft: ProtocolDraft) -> Order:
        """What was typed; a dose that was not is that of the protocol's steps, and the review counts from its months."""
        doses = [step.dose_ng for step in draft.steps]
        least, most = self.least_dose.data, self.most_dose.data
        review_on = self.review_on.data
        if review_on is None and draft.review_months:
            review_on = after(self.starts_on.data, Interval(draft.review_months, Unit.MONTH))
        return Order(
            route=Route(self.route.data),
            least_dose_ng=min(doses) if least is None else least,
            most_dose_ng=max(doses) if most is None else most,
            starts_on=self.starts_on.data,
            indication=str(self.indication.data),
            review_on=review_on,
            stops_on=self.stops_on.data,
            doses_a_day=1 if self.doses_a_day.data is None else self.doses_a_day.data,
        )


class AdjustForm(ReasonForm):
    """What changes, from the next dose on. What is left empty stays."""

    dose = DoseField("Dose")
    interval_count = CountField("Every")
    interval_unit = ChoiceField("Days, weeks or months", choices=_UNITS, blank="As it is")
    next_due_on = DateField("Next dose due")
    least_dose = DoseField("Least dose the order allows")
    most_dose = DoseField("Most dose the order allows")
    for_later_steps = TickField("Also in the later steps of the protocol")

    def changes(self, dose_range: tuple[int, int]) -> dict[str, Any]:
        """What was typed, for the service; an end of the range that was not typed stays as it is."""
        least, most = self.least_dose.data, self.most_dose.data
        ends = (dose_range[0] if least is None else least, dose_range[1] if most is None else most)
        return {
            "dose_ng": self.dose.data,
            "interval": self._interval(),
            "next_due_on": self.next_due_on.data,
            "dose_range": None if least is None and most is None else ends,
            "for_later_steps": bool(self.for_later_steps.data),
        }

    def _interval(self) -> Interval | None:
        unit, count = self.interval_unit.data, self.interval_count.data
        if unit is None and count is None:
            return None
        unit = Unit(unit or Unit.WEEK)
        return Interval(1 if unit is Unit.THRICE else (count or 0), unit)


class NextForm(ReasonForm):
    """When the next dose is due, and why."""

    next_due_on = DateField("Next dose due", [Required("Say when the next dose is due.")])


class ReviewForm(ReasonForm):
    """What a review found, and when the next one is."""

    review_on = DateField("Next review by", [Required("Say when it is reviewed again.")])


class DecideForm(ReasonForm):
    """What became of a dose that was due and was not given."""

    state = RadioChoiceField(
        "What became of it",
        [Required("Say whether the dose was missed or skipped.")],
        choices=[
            (SlotState.MISSED.value, "Missed: it is due again"),
            (SlotState.SKIPPED.value, "Skipped on purpose: the course goes on without it"),
        ],
    )
    next_due_on = DateField("Next dose due")


class AuthorityForm(ClinicForm):
    """A standing order or a group direction."""

    kind = RadioChoiceField(
        "What it is",
        [Required("Choose what it is.")],
        choices=[(kind.value, words) for kind, words in AUTHORITY_WORDS.items()],
    )
    document = TextField("Name of the document", [Required("Type the name of the document.")], limit=200)
    document_version = TextField("Its version", [Required("Type the version of the document.")], limit=40)
    formulation = ChoiceField(
        "Formulation", [Required("Choose a formulation.")], blank="Choose a formulation"
    )
    route = RadioChoiceField("Route", [Required("Choose a route.")], choices=_ROUTES)
    least_dose = DoseField("Least dose", [Required("Type the least dose.")])
    most_dose = DoseField("Most dose", [Required("Type the most dose.")])
    valid_from = DateField("Valid from", [Required("Say from when it is valid.")])
    expires_on = DateField("Expires on", [Required("Say when it expires.")])

    def draft(self) -> AuthorityDraft:
        """What was typed, for the service."""
        return AuthorityDraft(
            kind=AuthorityKind(self.kind.data),
            document=str(self.document.data).strip(),
            document_version=str(self.document_version.data).strip(),
            route=Route(self.route.data),
            least_dose_ng=self.least_dose.data,
            most_dose_ng=self.most_dose.data,
            valid_from=self.valid_from.data,
            expires_on=self.expires_on.data,
        )
