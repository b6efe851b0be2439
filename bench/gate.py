"""What the gate asks about a patient of many doses and about one of few: the question itself, and the page on which it is asked.

Every dose of a patient's past could count. The gate must cost the same however many there were.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bench.figures import Section, at_most
from bench.ground import ENGINE_NAMES, Ground, running, settle
from bench.pages import ask
from bench.people import Person
from bench.serving import serving
from inventory.audit.acts import batch
from inventory.doses.queries.assessment import assess
from inventory.doses.rules.terms import BodySite
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.staff import queries as staff
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import session_cookie
from tests.factories.stock import make_delivery
from tests.support.databases import Database

TITLE = "The gate, by the doses of the patient"
FEW, MANY, QUICK = 5, 500, 100
EXPLAINED = """
One patient with {few} doses, one with {many}, a day apart each, at the same clinic. The gate is asked whether another dose may be given to the one and to
the other, in turns; the quickest of each. Then the page on which the dose is typed, as a nurse over HTTP.
"""
_ALLOWED = 1.5
_A_COMMIT = 100


@dataclass(frozen=True)
class Ward:
    """A clinic with a patient of few doses and one of many."""

    bench: Bench
    few_id: UUID
    many_id: UUID


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    many = QUICK if ground.quick else MANY
    section = Section(TITLE, EXPLAINED.format(few=FEW, many=many).strip().splitlines())
    section.lines += [
        "",
        f"| Database | What | {FEW} doses | {many} doses | Ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for kind, name in ENGINE_NAMES.items():
        with ground.databases.fresh(kind) as database:
            ward = _given(database, many)
            settle(database)
            _measure(section, database, name, ward, times=15 if ground.quick else 60)
    return section


def _given(database: Database, many: int) -> Ward:
    """Give the doses by the service, each on a day of its own, the last of them yesterday."""
    began = datetime.now(UTC) - timedelta(days=many + 1)
    with running(database):
        with clock.frozen(began):
            bench, few_id = Bench(), make_patient(family_name="Of few doses")
            bench.lot = make_delivery(place=bench.place, containers=many + FEW + 10)
        for first in range(0, many, _A_COMMIT):
            with batch():
                for day in range(first, min(first + _A_COMMIT, many)):
                    _give(bench, bench.patient_id, began, day)
        with batch():
            for day in range(many - FEW, many):
                _give(bench, few_id, began, day)
        db.session.rollback()
        return Ward(bench, few_id, bench.patient_id)


def _give(bench: Bench, patient_id: UUID, began: datetime, day: int) -> None:
    sites = (BodySite.LEFT_DELTOID, BodySite.RIGHT_DELTOID)
    with clock.frozen(began + timedelta(days=day, hours=1)):
        bench.give(bench.request(patient_id=patient_id, body_site=sites[day % 2]))


def _measure(section: Section, database: Database, name: str, ward: Ward, *, times: int) -> None:
    patients = (ward.few_id, ward.many_id)
    with running(database) as app, ExitStack() as stack:
        asked = [[_asked(ward, one) for one in patients] for _ in range(times + 2)][2:]
        cookie = session_cookie(app, staff.person(ward.bench.nurse.id))
        nurse = Person(stack.enter_context(serving(database)), dict([cookie]))
        stack.callback(nurse.close)
        paths = [f"/give/{one}?mode=about" for one in patients]
        pages = [[ask(nurse, path) for path in paths] for _ in range(times + 2)][2:]
    for what, taken in (("gate", asked), ("page", pages)):
        few, many = (min(seconds) for seconds in zip(*taken, strict=True))
        section.lines.append(
            f"| {name} | {what} | {few * 1000:.2f} ms | {many * 1000:.2f} ms | {many / few:.2f} |"
        )
        section.budgets.append(
            at_most(f"The {what} of a dose, {name}, patient of many doses to few", _ALLOWED, many / few)
        )


def _asked(ward: Ward, patient_id: UUID) -> float:
    """Ask the gate about a dose to the patient and return the seconds it took."""
    request = ward.bench.request(patient_id=patient_id)
    began = time.perf_counter()
    assess(db.session(), request, giver=ward.bench.nurse, recorded_at=clock.now())
    taken = time.perf_counter() - began
    db.session.rollback()
    return taken
