"""Builds the demo clinic, through the services of the rooms only: every law and the whole trail stand behind each row."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from inventory.audit.acts import batch
from inventory.audit.models import AuditEntry
from inventory.catalogue.services import (
    ProductDraft,
    add_formulation,
    add_product,
    add_substance,
    add_supplier,
)
from inventory.clinic.models import LocationKind
from inventory.clinic.services import add_location, add_site, change_settings
from inventory.demo import measured, people
from inventory.demo.alarms import Alarms
from inventory.demo.calendar import Period, instants, period_for
from inventory.demo.care import Team, TreatmentRoom
from inventory.demo.courses import Orders
from inventory.demo.people import DemoPatient
from inventory.demo.products import (
    ARTICLES,
    CABINET,
    FORMULATIONS,
    FRIDGE,
    FRIDGE_2,
    NORTH_CABINET,
    NORTH_FRIDGE,
    SUPPLIERS,
    Article,
)
from inventory.demo.scene import Happening, Scene
from inventory.demo.shelf import FORGOTTEN, IN_USE_DAYS, Shelf, Stock, containers_a_day
from inventory.demo.stockroom import StockRoom
from inventory.doses.models import Incident
from inventory.doses.services import close_incident
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.reorder.services import set_levels
from inventory.reports.models import Report
from inventory.reports.queries.requests import Asked
from inventory.reports.services import issue_administration_report
from inventory.stock.ledger import Place
from inventory.stock.models import HoldKind
from inventory.stock.services import hold_lot

CLINIC = "Willow Street Clinic (demo)"
ZONE, CURRENCY = "Europe/London", "GBP"
DEFAULT_DOSES, MOST_DOSES = 400, 1_000_000
DEFAULT_SEED = 12
_FEWEST_PATIENTS, _DOSES_A_PATIENT = 60, 20
_SLOTS_A_COMMIT = 400
TO_ORDER = ("methycobal", "cyano-1", "vita-b12")
"""Articles of which there is too little in the end."""

Tell = Callable[[int], None]


def is_empty() -> bool:
    """Tell whether nothing was ever done in this database."""
    return db.session.execute(select(AuditEntry.id).limit(1)).first() is None


def refuse_unfinished_clinic() -> None:
    """Raise Refusal DEMO-UNFINISHED where the building of the clinic was interrupted: its last step is a report."""
    if db.session.execute(select(Report.id).limit(1)).first() is None:
        said = (
            "The demo clinic was not finished when it was built. Delete the demo's file "
            "(demo.sqlite3 in the instance folder) and start again."
        )
        raise Refusal("DEMO-UNFINISHED", said)


def refuse_real_clinic() -> None:
    """Raise Refusal DEMO-ONLY where a real clinic is run."""
    if not current_app.config["DEMO"]:
        said = (
            "The demo is built in a database of its own, never in a clinic's: put DEMO=1 before the command."
        )
        raise Refusal("DEMO-ONLY", said)


def refuse_present_clinic() -> None:
    """Raise Refusal DEMO-NOT-EMPTY where there is a clinic already."""
    if not is_empty():
        said = "There is a clinic in this database. Delete the demo's file to begin anew."
        raise Refusal("DEMO-NOT-EMPTY", said)


def build(
    *, at: datetime, doses: int = DEFAULT_DOSES, seed: int = DEFAULT_SEED, tell: Tell = lambda _made: None
) -> None:
    """Build the demo clinic with so many doses up to the instant `at`; the same seed gives the same clinic.

    Raises Refusal DEMO-ONLY, DEMO-NOT-EMPTY.
    """
    refuse_real_clinic()
    refuse_present_clinic()
    rng = random.Random(seed)  # noqa: S311  an invented clinic keeps no secret
    period = period_for(doses, until=at, zone=ZONE)
    with batch():
        clinic = _found(period, doses, rng, random.Random(seed + 1))  # noqa: S311
    with batch():
        clinic.admit(max(_FEWEST_PATIENTS, doses // _DOSES_A_PATIENT))
    for slots in _in_portions(instants(period, doses, rng)):
        with batch():
            clinic.work(slots)
        tell(clinic.room.made)
    with batch():
        clinic.until_now()
    clinic.report_last_month()


def _in_portions(slots: Iterator[datetime]) -> Iterator[list[tuple[int, datetime]]]:
    numbered = enumerate(slots)
    while portion := list(islice(numbered, _SLOTS_A_COMMIT)):
        yield portion


@dataclass(slots=True)
class _Clinic:
    """The demo clinic while it is built: who works there, its stock, its treatment room, and what is to happen when."""

    period: Period
    staff: dict[str, Actor]
    shelf: Shelf
    room: TreatmentRoom
    scene: Scene
    rng: random.Random
    today: date = date.min
    patients: list[DemoPatient] = field(default_factory=list)
    _happenings: list[Happening] = field(default_factory=list)
    _held_lot: UUID | None = None
    _watched: list[people.DemoPatient] = field(default_factory=list)

    def admit(self, patients: int) -> None:
        """Register the patients, the evening before the first day."""
        first = self.period.at(self.period.first_on - timedelta(days=1), 18)
        self.patients = people.register(
            patients, actor=self.staff["nurse"], prescriber=self.staff["prescriber"], at=first, rng=self.rng
        )
        measured.baseline(self.patients, actor=self.staff["nurse"], at=first + timedelta(minutes=10))
        self._watched = [one for one in self.patients if one.is_treated]
        self.room.expect(self.patients, self.period.first_on)
        self._happenings = sorted(self._plan(), key=lambda one: one[0])

    def work(self, slots: list[tuple[int, datetime]]) -> None:
        """Give a dose at each of these instants; where one led to another dose, the next instant is left out."""
        for number, at in slots:
            self._let_happen(at)
            today = at.astimezone(self.period.zone).date()
            if today != self.today:
                self.today = today
                self.shelf.restock(min(self.period.at(today, 8, 15), at - timedelta(minutes=1)))
            if self.room.made <= number:
                self.room.serve(at, today)

    def until_now(self) -> None:
        """Let happen what is left, up to the present."""
        self._let_happen(self.period.until)

    def report_last_month(self) -> None:
        """Issue the report of the month before this one, as an auditor does."""
        last_day = self.period.today.replace(day=1) - timedelta(days=1)
        asked = Asked(first_day=last_day.replace(day=1), last_day=last_day)
        issue_administration_report(asked=asked, actor=self.staff["auditor"], at=self.period.until)

    def _let_happen(self, until: datetime) -> None:
        while self._happenings and self._happenings[0][0] <= until:
            at, happen = self._happenings.pop(0)
            happen(at)

    def _plan(self) -> Iterator[Happening]:
        """Give what makes the shelf worth looking at: each with the instant at which it happens."""
        start = self.period.at(self.period.first_on, 8, 5)
        yield start, self._first_deliveries
        yield self._days_ago(IN_USE_DAYS + 5), self._open_the_forgotten
        yield self._days_ago(20), self._deliver_what_is_held
        yield from ((at, self._follow_up) for at in map(self._days_ago, (40, 26, 12, 5)) if at > start)
        yield self._days_ago(6), self._keep_a_vial
        yield self._days_ago(3), self._hold
        yield self._days_ago(2), self._newcomers
        yield self._days_ago(1), self._close_an_incident
        yield self.period.until - timedelta(minutes=4), self._open_a_vial
        yield self.period.until, self._set_levels
        yield self.period.until, self._order_courses
        yield from StockRoom(self.scene).plan()
        yield from Alarms(self.scene).plan()

    def _days_ago(self, days: int) -> datetime:
        return self.period.at(self.period.today - timedelta(days=days), 8, 10)

    def _first_deliveries(self, at: datetime) -> None:
        """Receive what no dose is drawn from: a lot that expires unseen, the kit, and what the clinic hardly uses."""
        expired_on = self.period.today - timedelta(days=20)
        self.shelf.deliver("vita-b12", 6, at, expires_on=expired_on, usable=False)
        for key, containers in (("kit", 1), ("regent-1", 25), ("methyl-2", 10), ("methyl-30", 1)):
            self.shelf.deliver(key, containers, at, usable=False)

    def _open_the_forgotten(self, at: datetime) -> None:
        self.shelf.deliver(FORGOTTEN, 2, at - timedelta(minutes=1))
        self.shelf.open(FORGOTTEN, at)

    def _deliver_what_is_held(self, at: datetime) -> None:
        self._held_lot = self.shelf.deliver("methycobal", 20, at, usable=False)

    def _follow_up(self, at: datetime) -> None:
        measured.follow_up(self._watched, actor=self.staff["nurse"], at=at)

    def _hold(self, at: datetime) -> None:
        assert self._held_lot is not None  # noqa: S101  it was delivered days before
        reason = "The carton's seal was broken; asked the maker."
        hold_lot(
            actor=self.staff["manager"],
            at=at,
            lot_id=self._held_lot,
            kind=HoldKind.HOLD,
            reason=reason,
        )
        self.room.deviate(self._held_lot, "methycobal", at + timedelta(minutes=5), at.date())

    def _keep_a_vial(self, at: datetime) -> None:
        self.room.keep_a_vial("cyano-10", at, at.date())

    def _newcomers(self, at: datetime) -> None:
        people.newcomers(actor=self.staff["nurse"], at=at, rng=self.rng)

    def _open_a_vial(self, at: datetime) -> None:
        if self.shelf.stocks["cyano-10"].open is None:
            self.shelf.open("cyano-10", at)

    def _close_an_incident(self, at: datetime) -> None:
        oldest = select(Incident.id).where(Incident.closed_at.is_(None)).order_by(Incident.opened_at).limit(1)
        incident_id = db.session.scalar(oldest)
        outcome = "Talked through with everybody concerned; the patient was told and is well."
        if incident_id is not None:
            close_incident(actor=self.staff["prescriber"], at=at, incident_id=incident_id, outcome=outcome)

    def _order_courses(self, at: datetime) -> None:
        orders = Orders(
            prescriber=self.staff["prescriber"],
            nurse=self.staff["nurse"],
            site_id=self.room.site_id,
            formulations=self.room.formulations,
            today=self.period.today,
        )
        orders.write(self.patients, at)

    def _set_levels(self, at: datetime) -> None:
        """Set reorder points: some well below what there is, some above it, and one of a product that only expired stock is of."""
        for stock in self.shelf.stocks.values():
            least = max(2, round(stock.containers_a_day * 7))
            if stock.article.key in TO_ORDER:
                least = max(least, stock.sealed + 2)
            if stock.article.share or stock.article.key in TO_ORDER:
                set_levels(
                    actor=self.staff["manager"],
                    at=at,
                    product_id=stock.product_id,
                    site_id=stock.place.site_id,
                    reorder_point=least,
                    order_up_to=3 * least,
                )


def _found(period: Period, doses: int, rng: random.Random, own: random.Random) -> _Clinic:
    """Found the clinic: its name, sites and cupboards, its people, its catalogue and suppliers."""
    at = period.at(period.first_on - timedelta(days=2), 9)
    values = {"clinic_name": CLINIC, "is_demo": True, "currency": CURRENCY}
    change_settings(actor=SYSTEM_ACTOR, at=at, values=values)
    places = _places(at)
    site_id = places[CABINET].site_id
    staff = people.employ(period, at)
    manager, nurse = staff["manager"], staff["nurse"]
    formulations = {name: _formulation(name, manager, at) for name in FORMULATIONS}
    a_day = doses / period.days
    stocks = {
        article.key: Stock(
            article,
            _product(article, formulations, manager, at),
            places[article.location],
            containers_a_day(article.key, a_day),
        )
        for article in ARTICLES
    }
    suppliers = [add_supplier(actor=manager, at=at, name=name).subject_id for name in SUPPLIERS]
    shelf = Shelf(manager, nurse, suppliers, period, stocks, rng)
    givers = tuple(staff[name] for name in ("nurse", "k.lindqvist", "s.adeyemi", "prescriber"))
    team = Team(givers, (50, 20, 15, 15), staff["prescriber"])
    room = TreatmentRoom(site_id, team, shelf, formulations, rng, doses)
    return _Clinic(period, staff, shelf, room, Scene(period, staff, shelf, places, own), rng)


def _places(at: datetime) -> dict[str, Place]:
    """Add both sites with their cupboards; return those by name."""
    main = _site("MAIN", "Willow Street", "12 Willow Street, Northmoor", at)
    north = _site("NORTH", "Northgate", "3 Northgate Parade, Northmoor", at)
    of_main = {name: _place(main, name, at) for name in (CABINET, FRIDGE, FRIDGE_2)}
    return of_main | {name: _place(north, name, at) for name in (NORTH_CABINET, NORTH_FRIDGE)}


def _site(code: str, name: str, address: str, at: datetime) -> UUID:
    return add_site(
        actor=SYSTEM_ACTOR, at=at, code=code, name=name, time_zone=ZONE, address=address
    ).subject_id


def _place(site_id: UUID, name: str, at: datetime) -> Place:
    kind = LocationKind.CABINET if name in (CABINET, NORTH_CABINET) else LocationKind.FRIDGE
    made = add_location(actor=SYSTEM_ACTOR, at=at, site_id=site_id, name=name, kind=kind)
    return Place(site_id, made.subject_id)


def _formulation(name: str, manager: Actor, at: datetime) -> UUID:
    facts = FORMULATIONS[name]
    substance = add_substance(actor=manager, at=at, name=facts["substance"], is_cobalamin=True)
    return add_formulation(
        actor=manager,
        at=at,
        name=name,
        substance_id=substance.subject_id,
        lebers_caution=facts["lebers_caution"],
    ).subject_id


def _product(article: Article, formulations: dict[str, UUID], manager: Actor, at: datetime) -> UUID:
    draft = ProductDraft(
        formulation_id=formulations[article.formulation],
        name=article.name,
        maker=article.maker,
        container_type=article.container_type,
        strength_ng=article.strength_mcg_per_ml * 1_000,
        strength_ul=1_000,
        container_volume_ul=article.content_ul,
        pack_size=article.pack_size,
        default_dose_ng=article.dose_mcg * 1_000 or None,
        **article.label,
    )
    return add_product(actor=manager, at=at, draft=draft).subject_id
