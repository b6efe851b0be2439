"""What somebody asks a reconciliation for, made definite: sites they may see, days that are in order, lots that exist."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation
from inventory.clinic.models import Site
from inventory.kernel.clock import local_day
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


def worded_scope(
    session: Session, wanted: Wanted, *, at: datetime, visible: Collection[UUID] | None = None
) -> Worded:
    """Return the scope that is asked for at the instant `at`, among the `visible` sites (None is every site).

    Raises Refusals with REPORT-PERIOD, REPORT-SITE, REPORT-LOT, CHOICE-INVALID.
    """
    sites = _sites(session, wanted.site_code, visible)
    wrong = wrong_period(wanted.first_day, wanted.last_day, zones=[site.time_zone for site in sites], at=at)
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


def wrong_period(first_day: date, last_day: date, *, zones: Iterable[str], at: datetime) -> list[Refusal]:
    """Return what is wrong with the days of a report at the instant `at`: of days to come, nothing can be signed yet.

    `zones` are the IANA zones of its sites: a day is to come that has begun at none of them.
    """
    for name, day in (("first_day", first_day), ("last_day", last_day)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            said = f"The years of a report are {FIRST_YEAR} to {LAST_YEAR}."
            return [Refusal("REPORT-PERIOD", said, name)]
    if last_day < first_day:
        return [Refusal("REPORT-PERIOD", "The last day is before the first.", "last_day")]
    todays = [local_day(at, zone) for zone in zones]
    if todays and last_day > max(todays):
        return [Refusal("REPORT-PERIOD", "The period ends after today. Choose an earlier day.", "last_day")]
    return []


def _sites(session: Session, code: str, visible: Collection[UUID] | None) -> list[ScopeSite]:
    # The oldest first: a report of all sites bears its number.
    every = select(Site.id, Site.code, Site.name, Site.time_zone).order_by(Site.created_at, Site.id)
    rows = session.execute(every)
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
