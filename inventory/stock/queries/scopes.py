"""What somebody asks a reconciliation for, made definite: sites they may see, days that are in order, lots that exist."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation
from inventory.clinic.models import Site
from inventory.kernel.errors import Refusal, Refusals
from inventory.stock.queries.corrections import lots_numbered, with_merged
from inventory.stock.queries.reconciliation import Scope, ScopeSite
from inventory.stock.rules import lot_number_key
from inventory.web.typed_text import FIRST_YEAR, LAST_YEAR

ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The days (both included) and filters as they were asked for; what is None or empty lets everything through."""

    first_day: date
    last_day: date
    site_code: str = ""
    formulation_id: UUID | None = None
    lot_number: str = ""


class Worded(NamedTuple):
    """A scope, and each filter in words."""

    scope: Scope
    filters: tuple[tuple[str, str], ...]


def worded_scope(session: Session, wanted: Wanted, *, visible: Collection[UUID] | None = None) -> Worded:
    """Return the scope that is asked for, among the `visible` sites (None is every site).

    Raises Refusals with REPORT-PERIOD, REPORT-SITE, REPORT-LOT, CHOICE-INVALID.
    """
    wrong = _wrong_period(wanted)
    sites = _sites(session, wanted.site_code, visible)
    if not sites:
        wrong.append(Refusal("REPORT-SITE", "There is no site with this code.", "site_code"))
    formulation = _formulation(session, wanted.formulation_id)
    if formulation is None:
        wrong.append(Refusal("CHOICE-INVALID", "This formulation is not known.", "formulation_id"))
    lots = lots_named(session, wanted.lot_number) if wanted.lot_number else None
    if lots == ():
        wrong.append(Refusal("REPORT-LOT", "No lot has this number.", "lot_number"))
    if wrong:
        raise Refusals(wrong)
    scope = Scope(tuple(sites), wanted.first_day, wanted.last_day, wanted.formulation_id, lots)
    return Worded(scope, (("Formulation", formulation or ALL), ("Lot", wanted.lot_number or ALL)))


def lots_named(session: Session, number: str) -> tuple[UUID, ...]:
    """Return the lots that have this number, or had it before it was corrected, with those merged into them."""
    try:
        lots = lots_numbered(session, lot_number_key(number))
    except Refusal:
        return ()
    return tuple(dict.fromkeys(one for lot in lots for one in with_merged(session, lot.id)))


def _wrong_period(wanted: Wanted) -> list[Refusal]:
    for name, day in (("first_day", wanted.first_day), ("last_day", wanted.last_day)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            said = f"The years of a report are {FIRST_YEAR} to {LAST_YEAR}."
            return [Refusal("REPORT-PERIOD", said, name)]
    if wanted.last_day < wanted.first_day:
        return [Refusal("REPORT-PERIOD", "The last day is before the first.", "last_day")]
    return []


def _sites(session: Session, code: str, visible: Collection[UUID] | None) -> list[ScopeSite]:
    rows = session.execute(select(Site.id, Site.code, Site.name, Site.time_zone).order_by(Site.code))
    sites = [ScopeSite(*row) for row in rows]
    return [
        site
        for site in sites
        if (visible is None or site.id in visible) and site.code == (code.strip().upper() or site.code)
    ]


def _formulation(session: Session, formulation_id: UUID | None) -> str | None:
    if formulation_id is None:
        return ALL
    return session.scalar(select(Formulation.name).where(Formulation.id == formulation_id))
