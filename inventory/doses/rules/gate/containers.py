"""The containers a dose is drawn from: what may be in the syringe, and what stands on a shelf (domain.md sections 2 and 5)."""

from collections.abc import Callable
from functools import partial

from inventory.catalogue.models import ContainerType
from inventory.doses.rules.gate.rule import Ask, Rule, Source, day, rule, said
from inventory.doses.rules.question import Question, SourceState, Tier
from inventory.doses.rules.terms import OverrideReason
from inventory.kernel.quantity import format_ml

_block = partial(rule, tier=Tier.BLOCK, field="source", is_fixed=True)


def _each(words: Callable[[SourceState, Question], str]) -> Ask:
    """Ask about each container; what is said of several alike is said once."""

    def ask(q: Question) -> str:
        found = [message for source in q.sources if (message := words(source, q))]
        return said(found) if found else ""

    return ask


@_block(
    "LOT-EXPIRED",
    words="The lot is past its expiry. The labelled day is the last usable one.",
    source=Source.LABEL,
    todo="Take a lot that is in date, and discard this one under Stock.",
)
@_each
def lot_expired(source: SourceState, q: Question) -> str:
    """A month alone means its last day."""
    late = q.given_on > source.expires_on
    return f"{source.name} expired: {day(source.expires_on)} was its last day." if late else ""


@_block(
    "LOT-RECALLED",
    words="The lot is recalled.",
    source=Source.STANDARD,
    todo="Take another lot. Put this one aside until it is returned.",
)
@_each
def lot_recalled(source: SourceState, _q: Question) -> str:
    """A recall holds every container of the lot."""
    return f"{source.name} is recalled." if source.recalled else ""


@_block(
    "LOT-HELD",
    words="The lot, the vial or the place it lies in is on hold.",
    source=Source.STANDARD,
    todo="Take another lot, or ask the manager whether the hold can be released.",
)
@_each
def lot_held(source: SourceState, _q: Question) -> str:
    """A recall says so itself."""
    return f"{source.name} is on hold." if source.held and not source.recalled else ""


@_block(
    "LOT-UNKNOWN",
    words="The lot was never received.",
    source=Source.ACCOUNTS,
    todo="Take a lot that was received, or ask the manager to receive the delivery first.",
)
@_each
def lot_unknown(source: SourceState, _q: Question) -> str:
    """After the fact it is written down, on hold."""
    words = f"{source.name} was never received; it goes on hold until somebody looks."
    return words if source.lot_unknown else ""


@_block(
    "SINGLE-DOSE-REUSED",
    words="A single-dose container would be used a second time.",
    source=Source.STANDARD,
    todo="Open a new container. What is left of this one is waste.",
)
@_each
def single_dose_reused(source: SourceState, _q: Question) -> str:
    """One patient, one procedure."""
    opened = source.already_open and source.container_type is ContainerType.SINGLE_DOSE
    return f"{source.name} was opened before; it serves one procedure only." if opened else ""


@_block(
    "VIAL-NO-USE-BY",
    words="An opened multi-dose vial has no use-by.",
    source=Source.STANDARD,
    todo="Discard the vial: nobody can say until when it may be used.",
)
@_each
def vial_no_use_by(source: SourceState, _q: Question) -> str:
    """Nobody can say until when it may be used."""
    unsure = _is_open_multi(source) and source.use_by_on is None
    return f"{source.name} is open and has no use-by date." if unsure else ""


@_block(
    "VIAL-PAST-USE-BY",
    words="An opened multi-dose vial is past its use-by. That day is the last usable one.",
    source=Source.STANDARD,
    todo="Discard the vial under Stock and open another.",
)
@_each
def vial_past_use_by(source: SourceState, q: Question) -> str:
    """A lot that has expired as well says that instead."""
    use_by = source.use_by_on
    if not _is_open_multi(source) or use_by is None or not use_by < q.given_on <= source.expires_on:
        return ""
    return f"{source.name} was usable until {day(use_by)}."


@_block(
    "VIAL-DEDICATED",
    words="The vial is kept for another patient.",
    source=Source.STANDARD,
    todo="Choose another vial. This one serves its own patient until it is discarded.",
)
@_each
def vial_dedicated(source: SourceState, _q: Question) -> str:
    """A vial taken to one patient's chair serves that patient only."""
    others = _is_open_multi(source) and source.dedicated_to_another
    return f"{source.name} is kept for another patient only." if others else ""


@_block(
    "VIAL-CLOSED",
    words="The vial was discarded.",
    source=Source.STANDARD,
    todo="This vial was discarded. Choose another.",
)
@_each
def vial_closed(source: SourceState, _q: Question) -> str:
    """As of the time of the dose."""
    return f"{source.name} was discarded." if _is_open_multi(source) and source.closed else ""


@_block(
    "VIAL-NOT-OPEN-THEN",
    words="The vial was opened later than the dose was given.",
    source=Source.ACCOUNTS,
    todo="Check the time, or choose the vial that was open then.",
)
@_each
def vial_not_open_then(source: SourceState, _q: Question) -> str:
    """Nothing is drawn from a vial before it is opened."""
    later = _is_open_multi(source) and source.opened_later
    return f"{source.name} was opened later than that." if later else ""


@_block(
    "REMAINDER-POOLED",
    words="What is left in several multi-dose vials would be combined.",
    source=Source.STANDARD,
    todo="Draw the whole dose from one vial.",
)
def remainder_pooled(q: Question) -> str:
    """Several whole containers for one patient in one procedure are allowed."""
    multi = any(source.container_type is ContainerType.MULTI_DOSE for source in q.sources)
    pooled = "Remainders of multi-dose vials are never combined into one dose."
    return pooled if multi and len(q.sources) > 1 else ""


@_block(
    "VIAL-ON-ITS-WAY",
    words="The vial is on its way to another place.",
    source=Source.ACCOUNTS,
    todo="Choose another vial, or receive this one first.",
)
@_each
def vial_on_its_way(source: SourceState, _q: Question) -> str:
    """What is sent is in nobody's hand until it is received."""
    away = _missing_ul(source) > 0 and source.on_its_way
    return f"{source.name} is {source.on_its_way}." if away else ""


@_block(
    "STOCK-SHORT",
    words="More would be drawn than is left.",
    source=Source.ACCOUNTS,
    todo="Choose another vial or lot. If more is really there, ask the manager to correct the stock.",
)
@_each
def stock_short(source: SourceState, q: Question) -> str:
    """Law 2: no container holds less than nothing."""
    short = _is_short(source) and not _is_overfill(source, q)
    return f"{_holds(source)} more than is left." if short else ""


@rule(
    "OVERFILL",
    Tier.OVERRIDE,
    "More is drawn from an open vial than its label says it holds, within what its maker overfills.",
    source=Source.HOUSE,
    todo="If more was really in the vial, say so.",
    field="volume_ml",
    reasons=(OverrideReason.OVERFILL_FOUND,),
)
@_each
def overfill(source: SourceState, q: Question) -> str:
    """The limit stands on the product; what the vial yielded before counts against it."""
    found = _is_short(source) and _is_overfill(source, q)
    return f"{_holds(source)} more than the label says it should hold." if found else ""


@rule(
    "NOT-FIRST-EXPIRING",
    Tier.INFORM,
    "Other usable stock of the product at the site expires sooner.",
    source=Source.STANDARD,
)
def not_first_expiring(q: Question) -> str:
    """First expiring, first out."""
    return "" if q.first_expiring else "Another lot expires sooner."


@rule(
    "EXPIRES-SOON",
    Tier.INFORM,
    "The lot expires within the days set here.",
    source=Source.HOUSE,
    thresholds=("near_expiry_days",),
)
def expires_soon(q: Question) -> str:
    """It may be used on its last day."""
    near = (s for s in q.sources if 0 <= (s.expires_on - q.given_on).days <= q.limits.near_expiry_days)
    return next((f"{source.name} expires on {day(source.expires_on)}." for source in near), "")


def _is_open_multi(source: SourceState) -> bool:
    return source.already_open and source.container_type is ContainerType.MULTI_DOSE


def _missing_ul(source: SourceState) -> int:
    return source.volume_ul - source.available_ul


def _is_short(source: SourceState) -> bool:
    return _missing_ul(source) > 0 and not source.on_its_way


def _is_overfill(source: SourceState, q: Question) -> bool:
    allowed_ul = q.product.overfill_limit_ul - source.overfill_yielded_ul
    return source.already_open and _missing_ul(source) <= allowed_ul


def _holds(source: SourceState) -> str:
    held = format_ml(max(source.available_ul, 0))
    return f"{source.name} holds {held} mL; {format_ml(source.volume_ul)} mL is"


BLOCKS: tuple[Rule, ...] = (
    lot_expired,
    lot_recalled,
    lot_held,
    lot_unknown,
    single_dose_reused,
    vial_no_use_by,
    vial_past_use_by,
    vial_dedicated,
    vial_closed,
    vial_not_open_then,
    remainder_pooled,
    vial_on_its_way,
    stock_short,
)
RULES = (*BLOCKS, overfill, not_first_expiring, expires_soon)
