"""Corrects lots through the doses' own service: a number, and two numbers that turn out to be one lot."""

from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.catalogue.models import Product
from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.stock import queries
from inventory.stock.ledger import Place
from inventory.stock.models import Lot
from inventory.stock.services.correcting import Correction
from tests.factories.stock import make_delivery


def make_twins(product: Product, *, place: Place, containers: int = 5, **more: Any) -> tuple[Lot, Lot]:
    """Receive the same lot twice: under a number that was read wrongly, and under the right one."""
    wrong, right = (
        make_delivery(place=place, product_id=product.id, lot_number=number, containers=containers, **more)
        for number in ("TYP0", "TYPO")
    )
    return wrong, right


def correct(actor: Actor, lot_id: UUID, *, at: datetime, **changes: Any) -> UUID:
    """Correct a lot as it stands; the actor approves it too."""
    lot = lot_now(lot_id)
    said = {
        "lot_number": lot.lot_number,
        "expires_on": lot.expires_on,
        "reason": "The pack says so.",
    } | changes
    correction = Correction(lot_id=lot_id, approved_by=actor, **said)
    return correct_lot(actor=actor, at=at, correction=correction).subject_id


def merge(actor: Actor, wrong: Lot, right: Lot, *, at: datetime) -> None:
    """Let `wrong` go over into `right`, which has the same expiry."""
    correct(actor, wrong.id, at=at, lot_number=lot_now(right.id).lot_number, merge_with=right.id)


def lot_now(lot_id: UUID) -> Lot:
    """Return a lot as the database has it now."""
    db.session.rollback()
    return queries.lot_by_id(db.session(), lot_id)
