"""The shelf of a site as a page: lots grouped by formulation, first expiring first, and all lots ever, found by number."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from inventory.catalogue.models import Formulation, Product
from inventory.clinic.models import Location
from inventory.kernel.printed import as_printed
from inventory.stock.models import Lot
from inventory.stock.queries.corrections import formerly
from inventory.stock.queries.on_hand import Drawable, FefoKey, on_hand
from inventory.stock.rules import State, StateCode
from inventory.web.pagination import Page, paginate

_GRAVEST_FIRST = tuple(StateCode)


@dataclass(slots=True)
class ShelfLot:
    """One lot at one site: its sealed containers and its open vials."""

    lot: Lot
    sealed: list[Drawable] = field(default_factory=list)
    vials: list[Drawable] = field(default_factory=list)

    @property
    def parts(self) -> list[Drawable]:
        """Everything of the lot at the site."""
        return [*self.sealed, *self.vials]

    @property
    def state(self) -> State:
        """The gravest state of the sealed containers, or of the open vials where none is sealed."""
        return min((p.state for p in self.sealed or self.vials), key=lambda s: _GRAVEST_FIRST.index(s.code))

    @property
    def containers(self) -> int:
        """Sealed containers."""
        return sum(part.containers for part in self.sealed)

    @property
    def open_ul(self) -> int:
        """Volume in open vials, in microlitres."""
        return sum(part.volume_ul for part in self.vials)

    @property
    def usable_containers(self) -> int:
        """Sealed containers that may be given."""
        return sum(part.containers for part in self.sealed if part.usable)

    @property
    def doses(self) -> int | None:
        """Usable doses of the product's default dose; None where the product has none."""
        found = [part.doses_left() for part in self.parts if part.usable]
        return None if self.lot.product.default_dose_ng is None else sum(doses or 0 for doses in found)

    @property
    def locations(self) -> list[str]:
        """Where it lies."""
        return sorted({part.location.name for part in self.parts})

    @property
    def fefo_key(self) -> FefoKey:
        """The key of what would be used first; where nothing may be used, of what is sealed before what is open.

        A vial past its use-by is waste: it must not put the sealed containers of its lot on top.
        """
        usable = [part for part in self.parts if part.usable]
        return min(part.fefo_key for part in usable or self.sealed or self.vials)


@dataclass(slots=True)
class ShelfGroup:
    """All lots of one formulation."""

    formulation: Formulation
    lots: list[ShelfLot]

    @property
    def usable_containers(self) -> int:
        """Sealed containers that may be given."""
        return sum(lot.usable_containers for lot in self.lots)

    @property
    def unusable_containers(self) -> int:
        """Sealed containers that may not."""
        return sum(lot.containers for lot in self.lots) - self.usable_containers

    @property
    def open_vials(self) -> int:
        """Vials that are open, usable or not."""
        return sum(len(lot.vials) for lot in self.lots)

    @property
    def doses(self) -> int:
        """Usable doses, of those products that have a default dose."""
        return sum(lot.doses or 0 for lot in self.lots)


def shelf(
    session: Session,
    *,
    site_id: UUID,
    on: date,
    near_days: int,
    words: str = "",
    formulation_id: UUID | None = None,
    location_id: UUID | None = None,
) -> list[ShelfGroup]:
    """Return what lies at the site by formulation, then first expiring first. Three statements."""
    where: list[Any] = []
    if formulation_id:
        where.append(Product.formulation_id == formulation_id)
    if location_id:
        where.append(Location.id == location_id)
    if words:
        where.append(named(words))
    found = on_hand(session, site_id=site_id, on=on, near_days=near_days, where=where)
    return _grouped(found)


def lots_page(session: Session, *, words: str = "", cursor: str = "") -> Page[Lot]:
    """Return a page of every lot there ever was, newest first, also those used up."""
    statement = (
        select(Lot)
        .join(Lot.product)
        .join(Product.formulation)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
    )
    if words:
        statement = statement.where(named(words))
    return paginate(session, statement, order=[Lot.id], newest_first=True, cursor=cursor)


def named(words: str) -> Any:
    """Return the condition that a lot's number, now or before, or the name of its product or maker, contains `words`."""
    key = as_printed(words).upper()
    in_name = func.lower(Product.name).contains(words.lower(), autoescape=True)
    in_maker = func.lower(Product.maker).contains(words.lower(), autoescape=True)
    numbered = Lot.lot_number_key.contains(key, autoescape=True)
    return or_(numbered, formerly(words), in_name, in_maker)


def _grouped(found: Sequence[Drawable]) -> list[ShelfGroup]:
    lots: dict[UUID, ShelfLot] = {}
    for one in found:
        lot = lots.setdefault(one.lot.id, ShelfLot(one.lot))
        (lot.vials if one.vial else lot.sealed).append(one)
    groups: defaultdict[UUID, list[ShelfLot]] = defaultdict(list)
    for lot in lots.values():
        groups[lot.lot.product.formulation_id].append(lot)
    made = [
        ShelfGroup(members[0].lot.product.formulation, sorted(members, key=lambda lot: lot.fefo_key))
        for members in groups.values()
    ]
    return sorted(made, key=lambda group: (group.formulation.name, group.formulation.id))
