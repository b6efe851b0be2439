"""The due list of 20,000 active courses: what the application makes of it, against its own statement sent by the bare driver.

And the page over HTTP, at many courses and at few: it shows fifty, whoever else is due.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event, insert, select

from bench.figures import Section, at_most
from bench.ground import ENGINE_NAMES, Ground, running, settle
from bench.long_past import Past, live_through, stock
from bench.pages import ask
from bench.people import Person
from bench.serving import serving
from inventory.clinic.models import Site
from inventory.courses.models import Course, CourseSlot
from inventory.doses.presenters.due import due_line
from inventory.doses.queries.due import Wanted, due_list
from inventory.doses.rules.due import NEXT_DAYS
from inventory.kernel import clock
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Role
from inventory.patients.models import Patient
from inventory.staff import queries as staff
from tests.factories.due import make_due
from tests.factories.patients import make_patient
from tests.factories.staff import make_user, session_cookie
from tests.support.databases import Database

TITLE = "The due list, by active courses"
PAGES = ("/due", "/due?when=today", "/due/calendar")
FULL, QUICK, FEW = 20_000, 2_000, 200
EXPLAINED = """
A clinic in which every patient had a dose and has a course, so many of them active: overdue by up to three days, or due within a month. The
whole list, overdue and up to 14 days ahead, read by the application against the very statement it sends, sent by the bare driver; the
quickest of each. A page puts fifty rows in words; what that takes for all of them stands beside it. Then the pages as a nurse over HTTP, at
many courses and at few, in turns, without a budget: their head counts everybody who is due.
"""
_ALLOWED = 3.0
_SIDE = 8
"""The lots of a long past are a multiple of this; each gives a hundred doses here, so that there is one for every patient."""
_BEFORE, _SPREAD = 3, 31
"""By how many days the longest overdue dose is late, and over how many days the doses are spread."""


@dataclass(frozen=True)
class Ordered:
    """A clinic with courses: its site, and a nurse."""

    site_id: UUID
    nurse_id: UUID


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    many = QUICK if ground.quick else FULL
    section = Section(TITLE, EXPLAINED.strip().splitlines())
    section.lines += [
        "",
        "| Database | Courses | Rows | Bare driver | Application | Ratio | In words |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    pages = [
        "",
        f"| Database | Page | {FEW:,} courses | {many:,} courses | Ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for kind, name in ENGINE_NAMES.items():
        with ExitStack() as stack:
            few, many_courses = (_clinic(ground, stack, kind, count) for count in (FEW, many))
            _list(section, name, many, *many_courses)
            nurses = [_signed_in(stack, *one) for one in (few, many_courses)]
            times = 9 if ground.quick else 25
            pages += [_compare(name, path, nurses, times=times) for path in PAGES]
    section.lines += pages
    return section


def _clinic(ground: Ground, stack: ExitStack, kind: str, courses: int) -> tuple[Database, Ordered]:
    """Give a clinic with so many active courses, each of a patient who had a dose."""
    print(f"Ordering {courses:,} courses ({ENGINE_NAMES[kind]}) ...", flush=True)
    database = stack.enter_context(ground.databases.fresh(kind))
    past = Past(_SIDE * -(-courses // (_SIDE * 100)), vials=10, doses=10, patients=courses)
    stock(database, past)
    live_through(database, past)
    with running(database):
        ordered = order(courses)
    settle(database)
    return database, ordered


def order(courses: int) -> Ordered:
    """Order one course by the service, and so many more like it for the patients there are."""
    site_id = db.session.scalars(select(Site.id)).one()
    slot_id = make_due(make_patient(), site_id=site_id, due_on=_today())
    slot = db.session.get_one(CourseSlot, slot_id)
    course = db.session.get_one(Course, slot.course_id)
    patterns = [{c.name: getattr(one, c.name) for c in one.__table__.columns} for one in (course, slot)]
    taken = course.patient_id
    patients = select(Patient.id).where(Patient.id != taken).order_by(Patient.id).limit(courses - 1)
    ids = list(db.session.scalars(patients))
    with unit_of_work() as session:
        rows = [_more(*patterns, number, patient_id) for number, patient_id in enumerate(ids)]
        session.execute(insert(Course.__table__), [row[0] for row in rows])  # type: ignore[arg-type]
        session.execute(insert(CourseSlot.__table__), [row[1] for row in rows])  # type: ignore[arg-type]
    return Ordered(site_id, make_user(roles=Role.PRACTITIONER).id)


def _more(
    course: dict[str, Any], slot: dict[str, Any], number: int, patient_id: UUID
) -> tuple[dict[str, Any], dict[str, Any]]:
    due_on = _today() + timedelta(days=number % _SPREAD - _BEFORE)
    window = {"opens_on": due_on - timedelta(days=2), "closes_on": due_on + timedelta(days=2)}
    course_id = uuid7()
    return (
        {**course, "id": course_id, "patient_id": patient_id},
        {**slot, "id": uuid7(), "course_id": course_id, "due_on": due_on, "anchor_on": due_on, **window},
    )


def _today() -> date:
    return clock.local_day(clock.now(), "Europe/London")


def _list(section: Section, name: str, courses: int, database: Database, ordered: Ordered) -> None:
    """Read the whole list by the application and by the bare driver, in turns."""
    with running(database):
        at, today = datetime.now(UTC), _today()
        wanted = Wanted(site_ids=[ordered.site_id], last_on=today + timedelta(days=NEXT_DAYS))

        def read() -> int:
            return len(due_list(db.session(), wanted, at=at))

        sent = _statement_of(read)
        bare = database.connect_as_owner()
        taken = [(_seconds(lambda: _fetched(bare, sent)), _seconds(read)) for _ in range(7)][1:]
        bare.close()
        read_rows = due_list(db.session(), wanted, at=at)
        words = _seconds(lambda: len([due_line(row, today) for row in read_rows]))
    floor, ours = (min(seconds) for seconds in zip(*taken, strict=True))
    ratio = ours / floor
    section.lines.append(
        f"| {name} | {courses:,} | {len(read_rows):,} | {floor * 1000:.0f} ms | {ours * 1000:.0f} ms | {ratio:.2f} | {words * 1000:.0f} ms |"
    )
    section.budgets.append(
        at_most(f"Due list of {courses:,} courses, {name}, to the bare SQL", _ALLOWED, ratio)
    )


def _statement_of(read: Callable[[], int]) -> tuple[str, Any]:
    """Return the one statement that the list sends, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
        # The driver is also told how to begin; all that is read is one statement.
        if text.startswith("SELECT"):
            sent.append((text, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    read()
    event.remove(db.engine, "before_cursor_execute", note)
    [statement] = sent
    return statement


def _fetched(bare: Any, sent: tuple[str, Any]) -> int:
    text, parameters = sent
    return len(bare.execute(text, parameters).fetchall())


def _seconds(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _signed_in(stack: ExitStack, database: Database, ordered: Ordered) -> Person:
    with running(database) as app:
        cookie = session_cookie(app, staff.person(ordered.nurse_id))
    person = Person(stack.enter_context(serving(database)), dict([cookie]))
    stack.callback(person.close)
    return person


def _compare(name: str, path: str, nurses: list[Person], *, times: int) -> str:
    # The first two make what is made once; the looks at those who are shown are logged then, too.
    taken = [[ask(nurse, path) for nurse in nurses] for _ in range(times + 2)][2:]
    few, many = (min(seconds) for seconds in zip(*taken, strict=True))
    return f"| {name} | `{path}` | {few * 1000:.1f} ms | {many * 1000:.1f} ms | {many / few:.2f} |"
