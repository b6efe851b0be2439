"""Makes a catalogue through the room's own services: cyanocobalamin 1,000 mcg/mL in 1 mL single-dose vials unless told otherwise."""

from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.catalogue import services
from inventory.catalogue.models import ContainerType, Formulation, Product, Substance
from inventory.catalogue.services import ProductDraft
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor

_numbers = count(1)


def make_formulation(
    *,
    name: str = "Cyanocobalamin",
    substance: str = "",
    lebers_caution: bool = False,
    refused: bool = False,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
) -> UUID:
    """Return the formulation of this name, added with its substance where there is none."""
    found = db.session.scalar(select(Formulation.id).where(Formulation.name == name))
    if found is not None:
        return found
    instant = at or clock.now()
    substance_name = (substance or name).lower()
    substance_id = db.session.scalar(select(Substance.id).where(Substance.name == substance_name))
    if substance_id is None:
        substance_id = services.add_substance(
            actor=actor, at=instant, name=substance_name, is_cobalamin="cobalamin" in substance_name
        ).subject_id
    return services.add_formulation(
        actor=actor,
        at=instant,
        name=name,
        substance_id=substance_id,
        lebers_caution=lebers_caution,
        refused=refused,
    ).subject_id


def draft_of(formulation_id: UUID, **changes: Any) -> ProductDraft:
    """Return the draft of a 1 mL single-dose vial, with `changes`."""
    usual = {
        "name": f"Invented B12 {next(_numbers)}",
        "maker": "Invented Makers",
        "container_type": ContainerType.SINGLE_DOSE,
        "strength_ng": 1_000_000,
        "strength_ul": 1_000,
        "container_volume_ul": 1_000,
        "pack_size": 25,
        "default_dose_ng": 1_000_000,
    }
    return ProductDraft(formulation_id=formulation_id, **{**usual, **changes})


def make_product(
    *,
    formulation_id: UUID | None = None,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
    **changes: Any,
) -> Product:
    """Add a product; any field of ProductDraft may be given."""
    instant = at or clock.now()
    draft = draft_of(formulation_id or make_formulation(actor=actor, at=instant), **changes)
    made = services.add_product(actor=actor, at=instant, draft=draft).subject_id
    return db.session.execute(select(Product).where(Product.id == made)).scalar_one()


def make_multi_dose_product(**changes: Any) -> Product:
    """Add a product in 10 mL multi-dose vials, usable for 28 days once opened."""
    usual = {
        "container_type": ContainerType.MULTI_DOSE,
        "container_volume_ul": 10_000,
        "pack_size": 10,
        "has_benzyl_alcohol": True,
        "preservative": "benzyl alcohol 1.5%",
    }
    return make_product(**{**usual, **changes})


def make_supplier(name: str = "Invented Wholesale", *, at: datetime | None = None) -> UUID:
    """Add a supplier and return the id."""
    return services.add_supplier(actor=SYSTEM_ACTOR, at=at or clock.now(), name=name).subject_id
