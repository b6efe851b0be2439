"""The shelf of 2,000 lots, with few movements behind it and with a hundred times as many: the same pages, asked in turns.

What a page of stock shows is what lies there now. It must cost the same however much was ever moved.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figures import Section, at_most
from bench.ground import ENGINE_NAMES, Ground, running, settle
from bench.long_past import Past, Stocked, live_through, stock
from bench.pages import ask
from bench.people import Person
from bench.serving import serving
from inventory.staff import queries as staff
from tests.factories.staff import session_cookie
from tests.support.databases import Database

TITLE = "Stock pages, by the movements behind them"
PAGES = ("/stock/", "/stock/lots")
FULL, QUICK = Past(2_000, vials=9, doses=10, patients=2_000), Past(200, vials=9, doses=10, patients=200)
EXPLAINED = """
A clinic with {lots:,} lots on its shelf, as they were received, and the same clinic after a year in which {vials} vials of each
were opened and used up: {few:,} movements, and {many:,}. As a manager, over HTTP, in turns; the quickest of each.
"""
_ALLOWED = 1.3


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    past = QUICK if ground.quick else FULL
    few = Past(past.lots)
    told = EXPLAINED.format(lots=past.lots, vials=past.vials, few=few.movements, many=past.movements)
    head = f"| Database | Page | {few.movements:,} movements | {past.movements:,} movements | Ratio |"
    section = Section(TITLE, [*told.strip().splitlines(), "", head, "|---|---|---:|---:|---:|"])
    for kind, name in ENGINE_NAMES.items():
        with _managers(ground, kind, past) as managers:
            for path in PAGES:
                _compare(section, name, path, managers, times=9 if ground.quick else 25)
    return section


@contextmanager
def _managers(ground: Ground, kind: str, past: Past) -> Iterator[list[Person]]:
    """Give somebody signed in at the clinic with few movements, and at the one with many."""
    print(f"Writing {past.movements:,} movements ({ENGINE_NAMES[kind]}) ...", flush=True)
    with ExitStack() as stack:
        few = stack.enter_context(ground.databases.fresh(kind))
        stocked = stock(few, past)
        many = stack.enter_context(ground.databases.copy_of(few))
        live_through(many, past)
        yield [_signed_in(stack, database, stocked) for database in (few, many)]


def _signed_in(stack: ExitStack, database: Database, stocked: Stocked) -> Person:
    with running(database) as app:
        cookie = session_cookie(app, staff.person(stocked.manager_id))
    settle(database)
    person = Person(stack.enter_context(serving(database)), dict([cookie]))
    stack.callback(person.close)
    return person


def _compare(section: Section, name: str, path: str, managers: list[Person], *, times: int) -> None:
    # The first two make what is made once: templates, statements, pages of the file.
    taken = [[ask(manager, path) for manager in managers] for _ in range(times + 2)][2:]
    few, many = (min(seconds) for seconds in zip(*taken, strict=True))
    section.lines.append(
        f"| {name} | `{path}` | {few * 1000:.1f} ms | {many * 1000:.1f} ms | {many / few:.2f} |"
    )
    section.budgets.append(at_most(f"`{path}`, {name}, many movements to few", _ALLOWED, many / few))
