"""List pages at few doses and at many: the same pages, two clinics served side by side, asked in turns.

A page that shows the newest of a list must not grow slower with the length of the list.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from bench.figures import Section, at_most, middle
from bench.ground import Ground, running, settle
from bench.people import Person
from bench.serving import Served, serving
from inventory.doses.models import Dose
from inventory.kernel.db import db
from inventory.staff import queries as staff
from tests.factories.staff import session_cookie
from tests.support.databases import Database

TITLE = "List pages, and the server itself"
SUMS = "/stock/reconciliation"
"""The page that adds up what moved this month, of which the larger clinic has more a day: shown, without a budget."""
PAGES = (
    ("/", "nurse"),
    ("/", "manager"),
    ("/stock/", "manager"),
    ("/stock/lots", "manager"),
    ("/patients", "nurse"),
    ("/patients/{patient}", "nurse"),
    ("/doses", "nurse"),
    ("/incidents", "nurse"),
    ("/audit", "auditor"),
    ("/audit/access", "auditor"),
    ("/reports/", "auditor"),
    ("/reorder/", "manager"),
    (SUMS, "manager"),
)
PEOPLE = ("nurse", "manager", "auditor")
STARTS = 3


@dataclass(frozen=True)
class Clinic:
    """A served clinic, who is signed in there, and the patient who is looked at."""

    served: Served
    people: dict[str, Person]
    patient_id: UUID

    def ask(self, path: str, who: str) -> float:
        """Ask for a page and return the seconds it took."""
        return ask(self.people[who], path.format(patient=self.patient_id))


def ask(person: Person, address: str) -> float:
    """Ask for a page and return the seconds it took. Raises RuntimeError for anything but the page."""
    began = time.perf_counter()
    answer = person.get(address)
    seconds = time.perf_counter() - began
    if answer.status != 200:
        raise RuntimeError(f"{address} answered {answer.status} {answer.location}")
    return seconds


def measured(ground: Ground) -> Section:
    """Measure the pages of a small and a large clinic, a cold start, and the server's memory."""
    few, many = (2_000, 10_000) if ground.quick else (10_000, 100_000)
    section = Section(
        TITLE, [f"| Page | As | {few:,} doses | {many:,} doses | Ratio |", "|---|---|---:|---:|---:|"]
    )
    with ExitStack() as stack:
        small, large = (_opened(stack, ground.clinic(doses)) for doses in (few, many))
        for path, who in PAGES:
            _compare(section, small, large, path, who, times=9 if ground.quick else 25)
        memory = large.served.resident_megabytes()
    cold = _cold_start(ground.clinic(few))
    section.lines += [
        "",
        f"First page after a cold start: {cold:.2f} s. The server's memory after all of these: {memory:.0f} MB.",
    ]
    section.budgets += [
        at_most("First page after start", 2, cold, " s"),
        at_most("Memory of the server", 150, memory, " MB"),
    ]
    return section


def _compare(section: Section, small: Clinic, large: Clinic, path: str, who: str, *, times: int) -> None:
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(times + 2):
        for clinic, seconds in zip((small, large), taken, strict=True):
            one = clinic.ask(path, who)
            # The first two make what is made once: templates, statements, pages of the file.
            if turn >= 2:
                seconds.append(one)
    few, many = (middle(seconds) for seconds in taken)
    name = path.replace("{patient}", "...")
    section.lines.append(
        f"| `{name}` | {who} | {few * 1000:.1f} ms | {many * 1000:.1f} ms | {many / few:.2f} |"
    )
    if path != SUMS:
        section.budgets.append(at_most(f"Page `{name}` as {who}, many doses to few", 1.3, many / few))


def _opened(stack: ExitStack, database: Database) -> Clinic:
    with running(database, DEMO=True) as app:
        found = {name: session_cookie(app, staff.person_named(name)) for name in PEOPLE}
        patient_id = _usual_patient()
    settle(database)
    served = stack.enter_context(serving(database, demo=True))
    people = {name: Person(served, dict([cookie])) for name, cookie in found.items()}
    for person in people.values():
        stack.callback(person.close)
    return Clinic(served, people, patient_id)


def _usual_patient() -> UUID:
    """Return a patient with the usual number of doses, so that both clinics show a record of one length."""
    count = func.count(Dose.id)
    counted = select(Dose.patient_id).group_by(Dose.patient_id)
    return db.session.execute(counted.order_by(func.abs(count - 20), Dose.patient_id).limit(1)).scalar_one()


def _cold_start(database: Database) -> float:
    seconds = []
    for _ in range(STARTS):
        with serving(database, demo=True) as served:
            seconds.append(served.first_page_seconds)
    return middle(seconds)
