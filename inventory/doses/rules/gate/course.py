"""What the order says, or the lack of one (domain.md sections 1 and 2). Silent where the clinic has neither courses nor authorities."""

from functools import partial

from inventory.courses.rules.terms import CourseState
from inventory.doses.rules.gate.rule import Source, day, rule
from inventory.doses.rules.question import CourseOrder, Question, Tier
from inventory.kernel.quantity import format_mcg

_override = partial(rule, tier=Tier.OVERRIDE)


def _standing(q: Question) -> CourseOrder | None:
    """Return the order that stands on the day; an authority that covers the dose needs none."""
    return q.order if q.order is not None and q.order.stands_on(q.given_on) else None


@_override(
    "NO-AUTHORITY",
    words="Neither an order of the patient, nor a standing order or group direction, covers the dose. Silent until the clinic has one.",
    source=Source.STANDARD,
    todo="A prescriber starts a course for the patient, or enters a standing order.",
)
def no_authority(q: Question) -> str:
    """A dose needs somebody who ordered it: document, version and expiry, or the patient's own order."""
    if not q.asks_authority or q.order is not None or q.authority is not None:
        return ""
    return (
        f"Nobody has ordered {q.product.substance} for this patient, and no standing order covers this dose."
    )


@_override(
    "COURSE-ENDED",
    words="The patient's course has ended, or is past the last day of its order.",
    source=Source.STANDARD,
    todo="A prescriber starts a new course.",
)
def course_ended(q: Question) -> str:
    """What a prescriber ended is ordered no more."""
    order = q.order
    if order is None or order.state is CourseState.PAUSED or order.stands_on(q.given_on) or q.authority:
        return ""
    if order.stops_on is not None and q.given_on > order.stops_on:
        return f"The order stopped on {day(order.stops_on)}."
    return "The course is completed." if order.state is CourseState.COMPLETED else "The course was ended."


@_override(
    "COURSE-PAUSED",
    words="A prescriber has paused the patient's course.",
    source=Source.STANDARD,
    todo="Ask the prescriber to resume it.",
)
def course_paused(q: Question) -> str:
    """A pause is a decision not to give; no standing order goes round it."""
    return "The course is paused." if q.order is not None and q.order.state is CourseState.PAUSED else ""


@_override(
    "DOSE-ABOVE-ORDER",
    words="The dose is more than the patient's order allows.",
    source=Source.STANDARD,
    field="dose_mcg",
)
def dose_above_order(q: Question) -> str:
    """The order has a range."""
    order = _standing(q)
    if order is None or q.dose_ng <= order.most_dose_ng:
        return ""
    return f"The order allows {format_mcg(order.most_dose_ng)} mcg at most."


@rule(
    "DOSE-BELOW-ORDER",
    Tier.ACKNOWLEDGE,
    "The dose is less than the patient's order asks for.",
    source=Source.HOUSE,
    field="dose_mcg",
)
def dose_below_order(q: Question) -> str:
    """Too little is no danger, and no treatment either."""
    order = _standing(q)
    if order is None or q.dose_ng >= order.least_dose_ng:
        return ""
    return f"The order asks for {format_mcg(order.least_dose_ng)} mcg at least."


@_override(
    "FORMULATION-NOT-ORDERED",
    words="The patient's order names another formulation of the substance.",
    source=Source.STANDARD,
    todo="Choose a product of the formulation that was ordered.",
    field="source",
)
def formulation_not_ordered(q: Question) -> str:
    """Schedules and cautions differ by formulation."""
    order = _standing(q)
    other = order is not None and order.formulation != q.product.formulation
    return f"The order is for {order.formulation}." if order is not None and other else ""


@_override(
    "ROUTE-NOT-ORDERED",
    words="The patient's order names another route.",
    source=Source.STANDARD,
)
def route_not_ordered(q: Question) -> str:
    """The right route is one of the rights of administration."""
    order = _standing(q)
    return f"The order says {order.route}." if order is not None and order.route != q.route else ""


@rule(
    "COURSE-REVIEW-OVERDUE",
    Tier.ACKNOWLEDGE,
    "The day on which a prescriber was to review the patient's course is past.",
    source=Source.PRACTICE,
    todo="Ask the prescriber for the review.",
)
def review_overdue(q: Question) -> str:
    """A course without an end goes on only as long as somebody looks at it."""
    order = _standing(q)
    if order is None or order.review_on is None or q.given_on <= order.review_on:
        return ""
    return f"The course was to be reviewed by {day(order.review_on)}."


@rule(
    "COURSE-EARLY",
    Tier.ACKNOWLEDGE,
    "The dose is earlier than the patient's course says, beyond the days around it.",
    source=Source.PRACTICE,
    field="given_at",
)
def course_early(q: Question) -> str:
    """The days around a dose are the protocol's. A further dose of the same day is another finding."""
    order = _standing(q)
    if order is None or order.opens_on is None or order.due_on is None or q.history.same_substance_today:
        return ""
    is_next = order.last_given_on is None or q.given_on > order.last_given_on
    if not is_next or q.given_on >= order.opens_on:
        return ""
    return f"This dose is due on {day(order.due_on)}, and not before {day(order.opens_on)}."


@rule(
    "COURSE-LATE",
    Tier.INFORM,
    "The dose is later than the patient's course says, beyond the days around it.",
    source=Source.PRACTICE,
)
def course_late(q: Question) -> str:
    """The next one is counted from the day this one is given."""
    order = _standing(q)
    if order is None or order.closes_on is None or order.due_on is None or q.given_on <= order.closes_on:
        return ""
    return f"This dose was due on {day(order.due_on)}."


@rule(
    "DOSE-NOT-AS-DUE",
    Tier.INFORM,
    "The dose is within the order, and another than this step of the protocol says.",
    source=Source.HOUSE,
    field="dose_mcg",
)
def dose_not_as_due(q: Question) -> str:
    """Steps of one protocol may differ in their dose."""
    order = _standing(q)
    if order is None or order.due_dose_ng in {None, q.dose_ng}:
        return ""
    within = order.least_dose_ng <= q.dose_ng <= order.most_dose_ng
    return f"This step asks for {format_mcg(order.due_dose_ng or 0)} mcg." if within else ""


RULES = (
    no_authority,
    course_ended,
    course_paused,
    dose_above_order,
    dose_below_order,
    formulation_not_ordered,
    route_not_ordered,
    review_overdue,
    course_early,
    course_late,
    dose_not_as_due,
)
