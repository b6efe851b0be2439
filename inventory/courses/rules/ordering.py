"""What a protocol, an order and an authority must be before they are written: plain questions, each answered by refusals."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from inventory.catalogue.models import Route
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import AuthorityKind
from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import format_mcg

MOST_STEPS = 12
_SAME_SUBSTANCE = {"methylcobalamin": "mecobalamin", "hydroxycobalamin": "hydroxocobalamin"}
"""Other names in use, and the international nonproprietary name they stand for."""


@dataclass(frozen=True, slots=True)
class ProtocolDraft:
    """A protocol as somebody wrote it, before it is published."""

    source: str
    steps: tuple[Step, ...]
    for_substance: str = ""
    review_months: int | None = None

    @property
    def is_endless(self) -> bool:
        """Whether its last step goes on without an end."""
        return bool(self.steps) and self.steps[-1].doses is None

    def refusals(self) -> list[Refusal]:
        """Return everything wrong with it, each beside its field."""
        return [*self._whole(), *(found for step in self.steps for found in self._of_step(step))]

    def _whole(self) -> Iterator[Refusal]:
        if not self.source.strip():
            yield Refusal(
                "PROTOCOL-SOURCE",
                "Say where this schedule comes from: a label, a guideline, the clinic.",
                "source",
            )
        if not self.steps:
            yield Refusal(
                "PROTOCOL-STEPS", "A protocol has one step at least: a dose and how often.", "step1_dose"
            )
        if len(self.steps) > MOST_STEPS:
            yield Refusal("PROTOCOL-STEPS", f"A protocol has {MOST_STEPS} steps at most.", "step1_dose")
        if self.review_months is not None and not 0 < self.review_months <= 60:
            yield Refusal("PROTOCOL-REVIEW", "Type 1 to 60 months.", "review_months")
        if self.is_endless and self.review_months is None:
            said = "The last step goes on without an end. Say how many doses it has, or after how many months a prescriber reviews it."
            yield Refusal("PROTOCOL-NO-END", said, "review_months")

    def _of_step(self, step: Step) -> Iterator[Refusal]:
        def wrong(code: str, words: str, part: str) -> Refusal:
            return Refusal(code, f"Step {step.position}: {words}", f"step{step.position}_{part}")

        if step.dose_ng <= 0:
            yield wrong("PROTOCOL-DOSE", "a dose is more than nothing.", "dose")
        yield from interval_refusals(step.interval, f"step{step.position}_count")
        if step.doses is not None and step.doses <= 0:
            yield wrong("PROTOCOL-DOSES", "a step has one dose at least.", "doses")
        if step.doses is None and not step.until_text.strip() and step.position < len(self.steps):
            yield wrong("PROTOCOL-UNTIL", "say how many doses, or until what it goes on.", "doses")
        if not 0 <= max(step.early_days, step.late_days) < max(step.interval.least_days, 1):
            yield wrong(
                "PROTOCOL-TOLERANCE", "the days around a dose must be fewer than the interval.", "early"
            )


@dataclass(frozen=True, slots=True)
class Order:
    """A prescriber's order as it was written: what, how much at least and at most, how, from when and until when."""

    route: Route
    least_dose_ng: int
    most_dose_ng: int
    starts_on: date
    indication: str
    review_on: date | None = None
    stops_on: date | None = None
    doses_a_day: int = 1

    def refusals(
        self,
        *,
        draft: ProtocolDraft,
        born_on: date,
        labelled: Collection[Route],
        is_refused: bool,
        formulation: str,
    ) -> list[Refusal]:
        """Return everything that speaks against it. `labelled` are the routes on the labels of the formulation's products."""
        return [
            *self._doses(draft),
            *self._days(draft, born_on),
            *self._formulation(labelled, formulation, is_refused=is_refused),
        ]

    def _doses(self, draft: ProtocolDraft) -> Iterator[Refusal]:
        if not self.indication.strip():
            yield Refusal("COURSE-INDICATION", "Say what the course is for.", "indication")
        if self.doses_a_day < 1 or self.doses_a_day > 4:
            yield Refusal("COURSE-A-DAY", "An order allows 1 to 4 doses a day.", "doses_a_day")
        yield from range_refusals(self.least_dose_ng, self.most_dose_ng)
        outside = [
            step for step in draft.steps if not self.least_dose_ng <= step.dose_ng <= self.most_dose_ng
        ]
        if outside and self.least_dose_ng <= self.most_dose_ng:
            asked = ", ".join(dict.fromkeys(f"{format_mcg(step.dose_ng)} mcg" for step in outside))
            said = f"The protocol asks for {asked}, outside this range. Widen the range, or choose another protocol."
            yield Refusal("COURSE-DOSE-OUTSIDE", said, "least_dose")

    def _days(self, draft: ProtocolDraft, born_on: date) -> Iterator[Refusal]:
        if self.starts_on < born_on:
            yield Refusal("COURSE-BEFORE-BIRTH", "The patient was not born on that day.", "starts_on")
        if self.review_on is None and draft.is_endless and self.stops_on is None:
            said = "This protocol goes on without an end. Say on which day a prescriber reviews the course."
            yield Refusal("COURSE-REVIEW", said, "review_on")
        if self.review_on is not None and self.review_on <= self.starts_on:
            yield Refusal("COURSE-REVIEW", "The review is after the first dose.", "review_on")
        if self.stops_on is not None and self.stops_on < self.starts_on:
            yield Refusal("COURSE-STOP", "The last day of the order is not before its first.", "stops_on")

    def _formulation(
        self, labelled: Collection[Route], formulation: str, *, is_refused: bool
    ) -> Iterator[Refusal]:
        if is_refused:
            yield Refusal("FORMULATION-REFUSED", f"This clinic does not use {formulation}.", "formulation")
        if self.route is Route.IV or set(labelled) == {Route.IV}:
            said = f"{formulation} here is for infusion only. A course is for injections into a muscle or under the skin."
            yield Refusal("COURSE-IV-ONLY", said, "formulation")
        elif labelled and self.route not in labelled:
            yield Refusal(
                "COURSE-ROUTE", f"No product of {formulation} lists the route {self.route}.", "route"
            )


def range_refusals(least_ng: int, most_ng: int) -> Iterator[Refusal]:
    """Yield what is wrong with a range of doses."""
    if least_ng <= 0 or most_ng <= 0:
        yield Refusal("DOSE-RANGE", "A dose is more than nothing.", "least_dose")
    elif least_ng > most_ng:
        yield Refusal("DOSE-RANGE", "The least dose is larger than the most. Turn them around.", "least_dose")


def interval_refusals(interval: Interval | None, field: str) -> Iterator[Refusal]:
    """Yield what is wrong with an interval; none is nothing wrong."""
    if interval is not None and interval.count <= 0:
        yield Refusal("PROTOCOL-INTERVAL", "An interval is at least 1.", field)
    elif interval is not None and interval.count > interval.longest:
        yield Refusal("PROTOCOL-INTERVAL", f"An interval is at most {interval.longest} of these.", field)


def fits(for_substance: str | None, substance: str) -> bool:
    """Tell whether a protocol for a substance is for this one, under whichever name; one for none is for any."""
    return not for_substance or _known(for_substance) == _known(substance)


def _known(name: str) -> str:
    plain = name.strip().lower()
    return _SAME_SUBSTANCE.get(plain, plain)


@dataclass(frozen=True, slots=True)
class AuthorityDraft:
    """A standing order or a group direction as it was entered."""

    kind: AuthorityKind
    document: str
    document_version: str
    route: Route
    least_dose_ng: int
    most_dose_ng: int
    valid_from: date
    expires_on: date

    def refusals(self) -> Sequence[Refusal]:
        """Return everything wrong with it."""
        found = list(range_refusals(self.least_dose_ng, self.most_dose_ng))
        if not self.document.strip():
            found.append(Refusal("AUTHORITY-DOCUMENT", "Type the name of the document.", "document"))
        if not self.document_version.strip():
            found.append(
                Refusal("AUTHORITY-VERSION", "Type the version of the document.", "document_version")
            )
        if self.route is Route.IV:
            found.append(
                Refusal(
                    "COURSE-IV-ONLY",
                    "An authority is for injections into a muscle or under the skin.",
                    "route",
                )
            )
        if self.expires_on < self.valid_from:
            found.append(Refusal("AUTHORITY-EXPIRY", "It cannot expire before it begins.", "expires_on"))
        return found
