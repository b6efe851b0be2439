"""Counts doses and reactions by lot, formulation and body site, in one grouped statement over a period."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import span_here
from inventory.catalogue.models import Formulation, Product
from inventory.clinic.current import visible_sites
from inventory.doses.models import Dose, DoseSource, DoseVoid
from inventory.doses.queries.reaction_states import is_standing
from inventory.doses.reaction_models import Reaction
from inventory.doses.rules.signals import Counted, Signals, Tally, signals
from inventory.doses.rules.terms import BODY_SITE_WORDS
from inventory.stock.models import Lot

_UTC = ZoneInfo("UTC")
_ANY_ZONE = timedelta(days=1)
"""How far a local day may be from the same day in UTC, at most, on either side."""


@dataclass(frozen=True, slots=True)
class Named:
    """Signals with the words for what was compared, by its key."""

    signals: Signals
    words: dict[Any, str]


def signals_between(session: Session, from_on: date, to_on: date, *, grave_only: bool = False) -> Named:
    """Return the signals among the doses of these days that the reader may see; void doses do not count."""
    rows = session.execute(_counted(from_on, to_on, grave_only=grave_only)).all()
    found = signals(
        Counted(row.lot_id, row.formulation_id, row.body_site, Tally(row.doses, row.reacted), Tally(row.first, row.first_reacted))
        for row in rows
    )  # fmt: skip
    return Named(found, _words(session, found))


def _counted(from_on: date, to_on: date, *, grave_only: bool) -> Any:
    told = select(Reaction.dose_id).where(is_standing())
    reacted = (told.where(Reaction.is_grave) if grave_only else told).distinct().subquery()
    earlier = aliased(DoseSource)
    of_same_lot = exists().where(
        earlier.dose_id == DoseSource.dose_id,
        earlier.lot_id == DoseSource.lot_id,
        earlier.position < DoseSource.position,
    )
    is_reacted = case((reacted.c.dose_id.is_not(None), 1), else_=0)
    is_first = case((DoseSource.position == 1, 1), else_=0)
    return (
        select(
            DoseSource.lot_id,
            Dose.formulation_id,
            Dose.body_site,
            func.count().label("doses"),
            func.sum(is_reacted).label("reacted"),
            func.sum(is_first).label("first"),
            func.sum(is_first * is_reacted).label("first_reacted"),
        )
        .join(Dose, Dose.id == DoseSource.dose_id)
        .outerjoin(reacted, reacted.c.dose_id == Dose.id)
        .where(
            _of_days(from_on, to_on),
            ~exists().where(DoseVoid.dose_id == Dose.id),
            # Two ampoules of one lot are one dose of that lot.
            or_(DoseSource.position == 1, ~of_same_lot),
        )
        .group_by(DoseSource.lot_id, Dose.formulation_id, Dose.body_site)
    )


def _of_days(from_on: date, to_on: date) -> Any:
    """Return the condition on the days; the instants around them are there for the index."""
    begins = datetime.combine(from_on, time(), tzinfo=_UTC) - _ANY_ZONE
    ends = datetime.combine(to_on, time(), tzinfo=_UTC) + 2 * _ANY_ZONE
    sites = visible_sites()
    return and_(
        Dose.given_at >= begins,
        Dose.given_at < ends,
        Dose.given_on >= from_on,
        Dose.given_on <= to_on,
        span_here().holds(Dose.given_on),
        *([] if sites is None else [Dose.site_id.in_(sites)]),
    )


def _words(session: Session, found: Signals) -> dict[Any, str]:
    lots = select(Lot.id, Lot.lot_number, Product.name).join(Product, Product.id == Lot.product_id)
    named = {
        row.id: f"{row.lot_number}, {row.name}"
        for row in session.execute(lots.where(Lot.id.in_(_keys(found.lots))))
    }
    formulations = select(Formulation.id, Formulation.name)
    named |= {row.id: row.name for row in session.execute(formulations)}
    return {**named, **BODY_SITE_WORDS}


def _keys(compared: Any) -> list[UUID]:
    return [one.key for one in compared]
