"""What can be given to a patient at a site: the containers first expiring first, the body sites, what was given last.

The page shows it early; nothing here decides. A container is named by a key, so that a choice made on a page that has
grown old still says which container was meant, and the gate can say what became of it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Product, Route
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.queries.assessment import limits_of
from inventory.doses.queries.dedicated import owners_of
from inventory.doses.queries.due import next_due
from inventory.doses.queries.lists import last_uses, recent_doses
from inventory.doses.rules.rotation import allowed_sites, next_site
from inventory.doses.rules.sourcing import Draw, Supply, plan_draws
from inventory.doses.rules.terms import BodySite
from inventory.kernel.clock import local_day
from inventory.kernel.errors import not_found
from inventory.kernel.quantity import Strength
from inventory.patients.models import Alert
from inventory.patients.queries import PatientFacts, active_at, namesakes_of, patient_facts
from inventory.stock.queries import Drawable, drawable, lot_by_id, vial_by_id

OTHER_LOT = "other"
_KEY = re.compile(r"(lot|vial)-([0-9a-f]{32})-([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The container a person chose: where it comes from, and what a volume of it holds."""

    supply: Supply
    product_id: UUID
    strength: Strength
    default_dose_ng: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """All that the page of a dose shows before anything is typed. `drawables` are labelled for the muscle, usable or not.

    With `looks_back` nothing is suggested: what was given, from where and into which site, is the person's to tell.
    """

    patient: PatientFacts
    alerts: Sequence[Any]
    site_id: UUID
    today: date
    drawables: tuple[Drawable, ...]
    body_sites: tuple[BodySite, ...]
    next_site: BodySite
    last_uses: dict[BodySite, date]
    recent: Sequence[Any]
    looks_back: bool = False
    owners: Mapping[UUID, UUID] = field(default_factory=dict)
    """By vial, the patient for whom alone it is kept."""
    planned: Any = None
    """The dose of the patient's course that is due next; None where they have no course."""

    @property
    def suggested_site(self) -> BodySite | None:
        """The site whose last use lies furthest back."""
        return None if self.looks_back else self.next_site

    @property
    def suggested_dose_ng(self) -> int | None:
        """The dose that is due; else the one the patient had last, whatever the container; else the usual one of what is suggested."""
        if self.looks_back:
            return None
        if self.planned:
            return int(self.planned.dose_ng)
        if self.recent:
            return int(self.recent[0].dose_ng)
        return self.suggested.product.default_dose_ng if self.suggested else None

    @property
    def givable(self) -> list[Drawable]:
        """What may be given today: what is kept for this patient, then first expiring first."""
        return sorted(
            (one for one in self.drawables if self.may_give(one)), key=lambda one: not self.is_own(one)
        )

    def may_give(self, one: Drawable) -> bool:
        """Whether it may be given to this patient today."""
        return one.givable and (self.owner(one) is None or self.is_own(one))

    def is_own(self, one: Drawable) -> bool:
        """Whether it is a vial that is kept for this patient."""
        return self.owner(one) in self.patient.records

    def owner(self, one: Drawable) -> UUID | None:
        """For whom alone it is kept; None where it is for everybody."""
        return self.owners.get(one.vial.id) if one.vial else None

    @property
    def has_multi_dose(self) -> bool:
        """Whether anything here comes from multi-dose vials."""
        return any(one.container_type == ContainerType.MULTI_DOSE for one in self.drawables)

    @property
    def suggested(self) -> Drawable | None:
        """The first to expire of the product the patient had last, else of its formulation in the same strength.

        Where a dose of a course is due, of the formulation that was ordered.

        None where the patient had neither, unless all that may be given is alike: which medicine it is, is the person's to
        choose; which vial of it, the shelf's.
        """
        if self.looks_back:
            return None
        if self.planned:
            return self._of_order(self.planned.formulation_id)
        if self.recent:
            last = self.recent[0]
            same = [one for one in self.givable if one.product.id == last.product_id]
            kind = (last.formulation_id, last.strength_ng * 1_000 // last.strength_ul)
            alike = [one for one in self.givable if _kind(one) == kind]
            return next(iter(same or alike), None)
        kinds = {_kind(one) for one in self.givable}
        return self.givable[0] if len(kinds) == 1 else None

    def _of_order(self, formulation_id: UUID) -> Drawable | None:
        """The first to expire of what was ordered, of the product the patient had last where that is there."""
        last = self.recent[0].product_id if self.recent else None
        ordered = [one for one in self.givable if one.product.formulation_id == formulation_id]
        return next((one for one in ordered if one.product.id == last), next(iter(ordered), None))


def _kind(one: Drawable) -> tuple[UUID, int]:
    """Return the formulation and its strength, in nanograms per millilitre."""
    return one.product.formulation_id, one.lot.strength_ng * 1_000 // one.lot.strength_ul


def offer(
    session: Session,
    patient_id: UUID,
    *,
    site: Site,
    settings: Settings,
    at: datetime,
    looks_back: bool = False,
    slot_id: UUID | None = None,
) -> Offer:
    """Return what can be given to the patient at `site`; `slot_id` names the dose of a course that is meant, where there are several.

    Raises Refusal NOT-FOUND for an unknown patient.
    """
    facts = patient_facts(session, patient_id, at=at)
    if facts.namesakes:
        facts = replace(facts, alike=namesakes_of(session, patient_id))
    today = local_day(at, site.time_zone)
    found = drawable(session, site_id=site.id, on=today, near_days=settings.near_expiry_days)
    allowed, uses = allowed_sites(limits_of(settings)), last_uses(session, patient_id)
    return Offer(
        patient=facts,
        alerts=_alerts(session, facts.records, at),
        site_id=site.id,
        today=today,
        drawables=tuple(one for one in found if Route.IM in one.product.route_set),
        body_sites=tuple(allowed),
        next_site=next_site(uses, allowed),
        last_uses=uses,
        recent=recent_doses(session, patient_id),
        looks_back=looks_back,
        owners=owners_of(session, (one.vial.id for one in found if one.vial)),
        planned=next_due(session, patient_id, slot_id),
    )


def key_of(one: Drawable) -> str:
    """Return the key of a container: an open vial, or the sealed containers of a lot at a location."""
    if one.vial:
        return f"vial-{one.vial.id.hex}-{one.location.id.hex}"
    return f"lot-{one.lot.id.hex}-{one.location.id.hex}"


def is_key(text: str) -> bool:
    """Tell whether `text` is written as a container's key, or asks for another lot."""
    return text == OTHER_LOT or bool(_KEY.fullmatch(text))


def chosen_by(session: Session, offered: Offer, key: str) -> Chosen:
    """Return the container of `key`, even when nothing of it is left. Raises Refusal NOT-FOUND."""
    return chosen_among(session, offered.drawables, key)


def chosen_among(session: Session, drawables: Iterable[Drawable], key: str) -> Chosen:
    """Return the container of `key`, of these or of what was here once. Raises Refusal NOT-FOUND."""
    here = next((one for one in drawables if key_of(one) == key), None)
    if here is not None:
        return _chosen(here.lot, here.location.id, here.vial, here.containers)
    found = _KEY.fullmatch(key)
    kind, own, location = found.groups() if found else ("lot", UUID(int=0).hex, UUID(int=0).hex)
    if kind == "vial":
        vial = vial_by_id(session, UUID(own))
        return _chosen(vial.lot, vial.location_id, vial, 0)
    return _chosen(lot_by_id(session, UUID(own)), UUID(location), None, 0)


def chosen_product(session: Session, product_id: UUID, location_id: UUID) -> Chosen:
    """Return a container of the product that was never received, as though it had been. Raises Refusal NOT-FOUND."""
    product = session.get(Product, product_id)
    if product is None:
        raise not_found("product")
    supply = Supply(
        lot_id=product.id,
        location_id=location_id,
        vial_id=None,
        container_type=ContainerType(product.container_type),
        content_ul=product.container_volume_ul,
        containers=0,
    )
    return Chosen(supply, product.id, product.strength, product.default_dose_ng)


def plan(offered: Offer, chosen: Chosen, volume_ul: int, *, may_spill: bool) -> tuple[Draw, ...]:
    """Return where a volume comes from: what was chosen and, where it `may_spill`, the next of the product to expire.

    A dose that was given came from the lot that is named, whatever the ledger holds of it. Nor does another lot take the
    place of one of which nothing is left: what it is short of is for the gate to say.
    """
    if not may_spill or not chosen.supply.containers:
        return tuple(plan_draws(volume_ul, [chosen.supply]))
    more = [
        _supply(one.lot, one.location.id, None, one.containers)
        for one in offered.givable
        if one.product.id == chosen.product_id
        and one.vial is None
        and one.container_type == ContainerType.SINGLE_DOSE
        and (one.lot.id, one.location.id) != (chosen.supply.lot_id, chosen.supply.location_id)
    ]
    return tuple(plan_draws(volume_ul, [chosen.supply, *more]))


def _chosen(lot: Any, location_id: UUID, vial: Any, containers: int) -> Chosen:
    supply = _supply(lot, location_id, vial, containers)
    return Chosen(supply, lot.product_id, lot.strength, lot.product.default_dose_ng)


def _supply(lot: Any, location_id: UUID, vial: Any, containers: int) -> Supply:
    return Supply(
        lot_id=lot.id,
        location_id=location_id,
        vial_id=vial.id if vial else None,
        container_type=ContainerType(lot.container_type),
        content_ul=lot.container_volume_ul,
        containers=containers,
    )


def _alerts(session: Session, records: Sequence[UUID], at: datetime) -> Sequence[Any]:
    return session.execute(
        select(Alert.kind, Alert.note)
        .where(Alert.patient_id.in_(records), active_at(at))
        .order_by(Alert.noted_at, Alert.id)
    ).all()
