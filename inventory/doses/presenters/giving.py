"""The page on which a dose is entered: the patient at a glance, the vials to choose from, the sites with their last use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from inventory.doses.presenters.words import (
    alert_mark,
    allergy_words,
    consent_words,
    containers_words,
    volume_words,
)
from inventory.doses.queries.offer import Offer, key_of
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.kernel.quantity import format_mcg
from inventory.patients.presenters import age_words
from inventory.patients.queries import Namesake, PatientFacts
from inventory.stock.queries import Drawable
from inventory.stock.rules import StateCode
from inventory.web.presenting import day, local_day, relative_days

_CODES = {
    StateCode.RECALLED: "LOT-RECALLED",
    StateCode.HELD: "LOT-HELD",
    StateCode.DRILL: "LOT-RECALLED",
    StateCode.EXPIRED: "LOT-EXPIRED",
    StateCode.PAST_USE_BY: "VIAL-PAST-USE-BY",
}
SHOWN_AT_ONCE = 3
"""Containers of one product that are shown before the rest is folded away."""


@dataclass(frozen=True, slots=True)
class Vial:
    """A container to choose, in words. `code` says why it must not be given; `default_mcg` is ungrouped, to be typed."""

    key: str
    name: str
    left: str
    expiry: str
    location: str
    state: str
    tone: str
    code: str
    strength_ng: int
    strength_ul: int
    default_mcg: str
    is_suggested: bool
    is_usable: bool
    formulation_id: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The containers of one product, first to expire on top; what is folded away stands in `more`."""

    product: str
    strength: str
    vials: list[Vial]
    more: list[Vial]


@dataclass(frozen=True, slots=True)
class Spot:
    """A body site to choose, with its last use in words."""

    value: str
    words: str
    last_use: str
    is_suggested: bool


@dataclass(frozen=True, slots=True)
class Banner:
    """Who the patient is and what must be known of them, in words with their tone."""

    id: str
    name: str
    record_number: str
    born_on: date
    age: str
    marks: list[tuple[str, str]]
    alike: list[str]


def banner(patient: PatientFacts, alerts: Iterable[Any], today: date) -> Banner:
    """Return the patient at a glance: two identifiers, allergies, alerts, consent, and whoever is easily taken for them."""
    marks = [allergy_words(patient), *map(alert_mark, alerts)]
    marks.append(consent_words(patient))
    if patient.namesakes:
        marks.append(("Another patient has this name or birth date", "attention"))
    return Banner(
        id=str(patient.id),
        name=patient.name,
        record_number=patient.record_number,
        born_on=patient.born_on,
        age=age_words(patient.born_on, today),
        marks=marks,
        alike=[_alike(one) for one in patient.alike],
    )


def _alike(one: Namesake) -> str:
    same = [words for words, holds in (("name", one.same_name), ("birth date", one.same_birth_date)) if holds]
    family = "" if one.same_name else "family name and "
    return (
        f"{one.name}, record {one.record_number}, born {day(one.born_on)}: same {family}{' and '.join(same)}"
    )


def shelves(offered: Offer, chosen: str, *, about: bool) -> list[Shelf]:
    """Return what can be chosen, by product, the suggested one on top: before giving only what may be given, after the fact everything."""
    ones = offered.givable if about else offered.drawables
    grouped: dict[str, list[Drawable]] = {}
    for one in ones:
        grouped.setdefault(_product(one), []).append(one)
    suggested_first = sorted(grouped.items(), key=lambda named: offered.suggested not in named[1])
    return [_shelf(product, group, offered, chosen) for product, group in suggested_first]


def used_up(vials: Iterable[Any]) -> list[Vial]:
    """Return vials that hold nothing any more, with their product, for a dose that was forgotten."""
    return [_used_up(one) for one in vials]


def _used_up(one: Any) -> Vial:
    maker = f", {one.maker}" if one.maker else ""
    return Vial(
        key=f"vial-{one.id.hex}-{one.location_id.hex}",
        name=f"Vial {one.label_number}, lot {one.lot_number}",
        left=f"{one.product}{maker}",
        expiry=f"opened {local_day(one.opened_at)}",
        location=one.location,
        state=_why_not_here(one),
        tone="quiet",
        code="",
        strength_ng=one.strength_ng,
        strength_ul=one.strength_ul,
        default_mcg=_typed_mcg(one.default_dose_ng),
        is_suggested=False,
        is_usable=False,
        formulation_id=str(one.formulation_id),
    )


def _why_not_here(one: Any) -> str:
    if one.closed_at:
        return f"Discarded {local_day(one.closed_at)}"
    return "Taken elsewhere" if one.is_elsewhere else "Empty"


def _typed_mcg(dose_ng: int | None) -> str:
    return format_mcg(dose_ng).replace(",", "") if dose_ng else ""


def unusable(offered: Offer) -> list[tuple[str, Vial]]:
    """Return what lies here and must not be given, with its product and the reason in words."""
    return [(_product(one), _vial(one, offered)) for one in offered.drawables if not offered.may_give(one)]


def spots(offered: Offer) -> list[Spot]:
    """Return the body sites of this clinic with their last use for this patient."""
    last = next(iter(offered.last_uses), None)
    return [_spot(site, offered, is_last=site is last) for site in offered.body_sites]


def _spot(site: BodySite, offered: Offer, *, is_last: bool) -> Spot:
    used_on = offered.last_uses.get(site)
    words = f"{'Last dose' if is_last else 'Used'} {day(used_on)}" if used_on else "Not used yet"
    return Spot(site.value, BODY_SITE_WORDS[site], words, site is offered.suggested_site)


def _shelf(product: str, group: list[Drawable], offered: Offer, chosen: str) -> Shelf:
    vials = [_vial(one, offered) for one in group]
    first = vials[:SHOWN_AT_ONCE] + [vial for vial in vials[SHOWN_AT_ONCE:] if vial.key == chosen]
    more = [vial for vial in vials if vial not in first]
    return Shelf(product, str(group[0].lot.strength), first, more)


def _product(one: Drawable) -> str:
    maker = f", {one.product.maker}" if one.product.maker else ""
    return f"{one.product.name}{maker}"


def _vial(one: Drawable, offered: Offer) -> Vial:
    state, tone, code = _standing(one, offered)
    return Vial(
        key=key_of(one),
        name=_name(one),
        left=_left(one),
        expiry=_expiry(one, offered.today),
        location=one.location.name,
        state=state,
        tone=tone,
        code=code,
        strength_ng=one.lot.strength_ng,
        strength_ul=one.lot.strength_ul,
        default_mcg=_typed_mcg(one.product.default_dose_ng),
        is_suggested=one is offered.suggested,
        is_usable=offered.may_give(one),
        formulation_id=str(one.product.formulation_id),
    )


def _standing(one: Drawable, offered: Offer) -> tuple[str, str, str]:
    """Return what a container is in, for this patient: words, tone, and the code of what speaks against it."""
    if one.product.formulation.refused:
        return f"This clinic does not use {one.product.formulation.name}", "stop", "FORMULATION-REFUSED"
    if one.usable and not offered.may_give(one):
        return "For another patient only", "stop", "VIAL-DEDICATED"
    own = "For this patient only. " if offered.is_own(one) else ""
    return own + one.state.words, one.state.tone, _CODES.get(one.state.code, "")


def _name(one: Drawable) -> str:
    if one.vial and one.vial.label_number:
        return f"Open vial {one.vial.label_number}, lot {one.lot.lot_number}"
    return f"Lot {one.lot.lot_number}"


def _left(one: Drawable) -> str:
    if one.vial:
        return f"holds {volume_words(one.volume_ul)}"
    return containers_words(one.containers, one.product.container_kind)


def _expiry(one: Drawable, today: date) -> str:
    if one.use_by_on:
        return f"use by {day(one.use_by_on)} ({relative_days(one.use_by_on, today)})"
    return f"expires {day(one.lot.expires_on)} ({relative_days(one.lot.expires_on, today)})"
