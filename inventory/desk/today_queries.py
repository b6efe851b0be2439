"""What the first page tells of the day: doses, vials, what runs out, what waits. A part nobody may see is not read (law 11)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from inventory.audit.queries import head
from inventory.catalogue.models import Product
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.models import Dose, DoseVoid
from inventory.doses.presenters.due import DueLine, due_line
from inventory.doses.queries import recalls as received
from inventory.doses.queries.due import Wanted, due_counts, due_list
from inventory.doses.queries.lists import dose_rows, open_incidents
from inventory.doses.rules.due import NEXT_DAYS, Due
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.models import Patient
from inventory.reorder.queries import Level, levels
from inventory.staff.models import User
from inventory.staff.queries import PEOPLE
from inventory.stock.models import Lot
from inventory.stock.presenters import ToDiscard, to_discard
from inventory.stock.queries import Drawable, on_hand, recalls
from inventory.stock.queries.temperatures import excursions_of, fridges_without_reading
from inventory.stock.queries.transfers import Consigned, under_way
from inventory.stock.rules import StateCode

LICENCE_SOON = timedelta(days=60)
LATEST = 8


class ToTell(NamedTuple):
    """An open recall, and how many patients have to be told of it."""

    recall_id: UUID
    label: str
    title: str
    waiting: int


@dataclass(slots=True)
class Today:
    """The parts of the page that this person may see; None where they may not."""

    day: date
    dose_count: int | None = None
    """Doses that stand; the void ones are counted beside them."""
    void_count: int = 0
    doses: Sequence[Any] = ()
    incidents: int | None = None
    stock: list[Drawable] | None = None
    to_order: list[Level] | None = None
    without_levels: Sequence[Level] = ()
    """Stock-outs of which nobody said how many there should be."""
    chain: Any = None
    licences: Sequence[Any] | None = None
    excursions: Sequence[Any] = ()
    """Temperatures outside the limits that wait for a decision, each with the name of its location."""
    coming: Sequence[Consigned] = ()
    """Transfers that wait to be received here."""
    overdue: Sequence[Consigned] = ()
    """Transfers that left for another site more than a week ago, and were not received there."""
    to_tell: Sequence[ToTell] = ()
    """Open recalls whose patients have to be told still."""
    unread_fridges: Sequence[Any] = ()
    """Fridges that have been read before, but not today."""
    due: dict[Due, int] | None = None
    """How many doses of courses are overdue, due today, and due within 14 days."""
    due_lines: Sequence[DueLine] = ()
    """Who is overdue or due today, the longest overdue on top."""
    missing: dict[str, bool] = field(default_factory=dict)

    @property
    def open_vials(self) -> list[Drawable]:
        """Multi-dose vials in use, the first to be discarded on top."""
        return [one for one in self.stock or () if one.vial is not None]

    def to_discard(self, settings: Settings) -> list[ToDiscard]:
        """Open vials that must not be used any more, or not after today."""
        return to_discard(self.open_vials, settings, on=self.day)

    @property
    def near(self) -> list[Drawable]:
        """Sealed stock that expires soon."""
        return [one for one in self.stock or () if one.vial is None and one.state.code is StateCode.NEAR]

    @property
    def barred(self) -> list[Drawable]:
        """Sealed stock that must not be given: expired, on hold, recalled."""
        return [one for one in self.stock or () if one.vial is None and one.state.tone == "stop"]


def today(session: Session, *, actor: Actor, site: Site, day: date, at: datetime, near_days: int) -> Today:
    """Return the day at a site, as far as `actor` may see it."""
    told = Today(day=day, missing=_missing(session))
    if actor.can(Permission.DOSE_READ):
        told.dose_count, told.void_count, told.doses = _doses(session, site, day)
        told.incidents = open_incidents(session, site.id)
    if actor.can(Permission.PATIENT_READ):
        told.due, told.due_lines = _due(session, site, day, at)
    if actor.can(Permission.PATIENT_WRITE):
        told.to_tell = _to_tell(session)
    if actor.can(Permission.STOCK_READ):
        told.stock = on_hand(session, site_id=site.id, on=day, near_days=near_days)
        told.coming, leaving = under_way(session, site.id)
        told.overdue = [one for one in leaving if one.is_overdue(at)]
        told.excursions = excursions_of(session, site_id=site.id, is_open=True)
        told.unread_fridges = fridges_without_reading(session, site_id=site.id, day=day, zone=site.time_zone)
    if actor.can(Permission.REORDER_MANAGE):
        found = levels(session, site_id=site.id, on=day, at=at)
        told.to_order = [one for one in found if one.advice.is_due]
        told.without_levels = [one for one in found if one.advice.is_out and not one.advice.is_due]
    if actor.can(Permission.AUDIT_READ):
        told.chain = head(session)
    if actor.can(Permission.STAFF_MANAGE):
        told.licences = _licences(session, day)
    return told


def _missing(session: Session) -> dict[str, bool]:
    """Tell what an empty clinic lacks before a first dose can be given."""
    models: dict[str, Any] = {"products": Product, "stock": Lot, "patients": Patient}
    row = session.execute(select(*(~exists(select(m.id)).label(name) for name, m in models.items()))).one()
    return dict(zip(models, map(bool, row), strict=True))


def _doses(session: Session, site: Site, day: date) -> tuple[int, int, Sequence[Any]]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(site.time_zone))
    # From midnight on the index of instants; the day itself decides, since a day may begin twice.
    here = (Dose.site_id == site.id, Dose.given_at >= midnight - timedelta(hours=2), Dose.given_on == day)
    counted = select(func.count(Dose.id), func.count(DoseVoid.dose_id))
    count, void = session.execute(counted.outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id).where(*here)).one()
    newest = dose_rows().where(*here).order_by(Dose.given_at.desc(), Dose.id.desc()).limit(LATEST)
    return count - void, void, session.execute(newest).all()


def _due(session: Session, site: Site, day: date, at: datetime) -> tuple[dict[Due, int], list[DueLine]]:
    soon = Wanted(site_ids=[site.id], last_on=day + timedelta(days=NEXT_DAYS))
    rows = due_list(session, Wanted(site_ids=[site.id], last_on=day), at=at, most=LATEST)
    return due_counts(session, soon, today=day), [due_line(row, day) for row in rows]


def _to_tell(session: Session) -> list[ToTell]:
    """Leave drills out: they ask nobody to be told."""
    rows = [one for one in recalls.recalls_under_way(session) if not one.recall.is_drill]
    found = [
        ToTell(one.recall.id, one.label, one.recall.title, received.progress(session, one.recall.id).waiting)
        for one in rows
    ]
    return [one for one in found if one.waiting]


def _licences(session: Session, day: date) -> Sequence[Any]:
    return session.execute(
        select(User.id, User.display_name, User.licence_expires_on, User.licence_renewal_pending)
        .where(PEOPLE, User.deactivated_at.is_(None), User.licence_expires_on <= day + LICENCE_SOON)
        .order_by(User.licence_expires_on, User.id)
        .limit(20)
    ).all()
