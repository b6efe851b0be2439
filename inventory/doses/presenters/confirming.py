"""The page on which a dose is confirmed: everything at a glance, then what the gate found, grouped by what it asks."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from inventory.catalogue.models import ContainerType
from inventory.doses.presenters.words import containers_words, volume_words
from inventory.doses.queries.assessment import Assessment
from inventory.doses.queries.containers import Container
from inventory.doses.rules.gate import Finding, Weight, what_to_do
from inventory.doses.rules.sourcing import dead_space
from inventory.doses.rules.terms import BODY_SITE_WORDS, EntryMode
from inventory.kernel.quantity import Strength, format_mcg
from inventory.web.presenting import day


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding on the page. `level` is how it is shown; `deviates` says that it is written down as a deviation.

    `is_new` says that the page before did not show it.
    """

    code: str
    level: str
    message: str
    todo: str
    deviates: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """A dose at a glance, each fact in words: what is checked against the vial in the hand."""

    product: str
    amount: str
    strength: str
    sources: list[str]
    further: str
    containers: str
    wasted: str
    body_site: str
    route: str
    when: str
    indication: str
    consent: str
    more: list[tuple[str, str]]


def shown(
    findings: tuple[Finding, ...], mode: EntryMode, before: frozenset[str] | None = None
) -> list[Shown]:
    """Return the findings in the order of their weight, as this mode takes them; `before` are those shown already."""
    return [_shown(finding, mode, before) for finding in findings]


def _shown(finding: Finding, mode: EntryMode, before: frozenset[str] | None) -> Shown:
    after = mode is EntryMode.ALREADY_GIVEN
    deviates = after and finding.weight in {Weight.BLOCK, Weight.OVERRIDE}
    level = {Weight.INTEGRITY: "block"}.get(finding.weight, finding.weight.value)
    if after and finding.weight is Weight.BLOCK:
        level = "override"
    if after and finding.weight is Weight.ACKNOWLEDGE:
        level = "inform"
    is_new = before is not None and finding.weight is not Weight.INFORM and finding.code not in before
    return Shown(
        finding.code, level, finding.message, "" if after else what_to_do(finding.code), deviates, is_new
    )


def glance(assessment: Assessment, *, takes_over: bool = False) -> Glance:
    """Return the dose that was asked for, in words. An amendment that `takes_over` the containers moves no stock."""
    wanted, product = assessment.request, assessment.product
    strength = Strength(product.strength_ng, product.strength_ul)
    maker = f", {product.maker}" if product.maker else ""
    return Glance(
        product=f"{product.product_name}{maker}",
        amount=f"{format_mcg(wanted.dose_ng)} mcg = {volume_words(wanted.volume_ul)}",
        strength=str(strength),
        sources=_sources(assessment),
        further=_further(assessment.containers, product.container_kind),
        containers="As recorded: no stock moves" if takes_over else _containers(assessment),
        wasted="As recorded" if takes_over else _wasted(assessment.containers),
        body_site=BODY_SITE_WORDS[wanted.body_site],
        route="Intramuscular (IM)",
        when=_when(assessment),
        indication=wanted.indication,
        consent="Seen" if wanted.consent_seen else "Not seen",
        more=_more(assessment),
    )


def _more(assessment: Assessment) -> list[tuple[str, str]]:
    wanted = assessment.request
    facts = [
        ("Information sheet", wanted.information_sheet),
        ("Needle", wanted.needle),
        ("Note", wanted.note),
        ("The vial", "Kept for this patient only from now on" if wanted.dedicate else None),
    ]
    return [(term, value) for term, value in facts if value]


def _sources(assessment: Assessment) -> list[str]:
    unknown = assessment.request.unknown_lot
    if unknown is not None:
        return [f"Lot {unknown.lot_number}, expires {day(unknown.expires_on)} (never received)"]
    counted = Counter(_source(container) for container in assessment.containers)
    return [f"{words}: {count} containers" if count > 1 else words for words, count in counted.items()]


def _further(containers: tuple[Container, ...], kind: str) -> str:
    """Return what must be taken besides what was chosen, in words; empty where that holds enough."""
    counted = Counter((one.draw.lot_id, one.draw.location_id) for one in containers)
    if len(counted) < 2:
        return ""
    numbers = {one.draw.lot_id: one.lot.lot_number for one in containers}
    (first, _), *others = counted
    named = [
        f"lot {numbers[lot]}{' kept elsewhere' if lot == first else ''} ({containers_words(counted[lot, at], kind)})"
        for lot, at in others
    ]
    return f"Lot {numbers[first]} does not hold enough. The rest comes from {' and '.join(named)}."


def _source(container: Container) -> str:
    state = container.state
    use_by = f", use by {day(state.use_by_on)}" if state.use_by_on else ""
    opens = ", opened now" if container.vial is None and _is_multi(container) else ""
    return f"{state.name}, expires {day(state.expires_on)}{use_by}{opens}"


def _is_multi(container: Container) -> bool:
    return bool(container.lot.container_type == ContainerType.MULTI_DOSE)


def _containers(assessment: Assessment) -> str:
    kind, count = assessment.product.container_kind, len(assessment.containers)
    if not count:
        return "Not in stock"
    if any(_is_multi(container) for container in assessment.containers):
        left = min(_left(container) for container in assessment.containers)
        return f"Drawn from one multi-dose {kind}; {volume_words(max(left, 0))} left in it afterwards"
    return f"{containers_words(count, kind)} opened, and used up"


def _left(container: Container) -> int:
    return _content(container) - container.draw.volume_ul - _lost(container)


def _content(container: Container) -> int:
    """What it holds before the dose; a sealed container holds what its label says, whether or not it was on the shelf."""
    return int(container.available_ul if container.vial else container.lot.container_volume_ul)


def _lost(container: Container) -> int:
    """What stays in the syringe of a multi-dose vial."""
    return dead_space(container.lot.dead_space_ul, _content(container) - container.draw.volume_ul)


def _wasted(containers: tuple[Container, ...]) -> str:
    lost = sum(_lost(container) for container in containers if _is_multi(container))
    if lost:
        return f"{volume_words(lost)} dead space of the syringe, wasted in the same act"
    rest = sum(
        max(0, _content(container) - container.draw.volume_ul)
        for container in containers
        if not _is_multi(container)
    )
    return f"{volume_words(rest)} remainder, wasted in the same act" if rest else "Nothing"


def _when(assessment: Assessment) -> str:
    if assessment.request.mode is EntryMode.ABOUT_TO_GIVE:
        return "Now, when it is recorded"
    local = assessment.given_at.astimezone(ZoneInfo(assessment.zone))
    late = assessment.question.recorded_at - assessment.given_at > timedelta(
        minutes=assessment.settings.late_after_minutes
    )
    return f"{day(local.date())}, {local:%H:%M}{' (late entry)' if late else ''}"
