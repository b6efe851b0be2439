"""Logging a dose over HTTP, alone and with eight people at once, against its own statements replayed by the bare driver.

What is timed is the confirmation of `/give`, as the page's own form sends it, until the answer that it is recorded: session,
form, gate, stock, snapshot, trail and commit. The pages before it are asked for beforehand and are not timed. Each round
takes a floor before and after, on copies of the same database on the same disk; the ratios are the rounds' medians.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.figures import Budget, Section, at_least, at_most, middle, percentile
from bench.ground import ENGINE_NAMES, Ground, running, settle
from bench.people import Person, is_recorded, ready_dose
from bench.recorded import Recorder, Transaction
from bench.replayed import replay, timed
from bench.serving import serving
from bench.starting import NURSES, Start, build_start
from inventory.doses.services import record_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.staff import queries as staff
from tests.factories.staff import session_cookie
from tests.support.databases import Database, Databases

TITLE = "Logging a dose, HTTP in to commit"
BUDGETS = {("sqlite", 1): 0.20, ("sqlite", 8): 0.20, ("postgresql", 1): 0.40, ("postgresql", 8): 0.30}
_WARMING = 5
"""Doses each person logs before the clock runs, so that what is made once is made."""


EXPLAINED = """
Timed is the confirmation of `/give` as the page's own form sends it, until the answer that leads to the recorded dose. The
floor is every statement of that act, its reads too, replayed by the bare driver on an identical copy of the database, on the
same disk, with a commit where there was one. What is read outside the act (session, form, access log) is ours alone.
"""
HEAD = (
    "| Database | People | Floor, doses/s | Ours, doses/s | Ratio | p50 | p95 | longest | slowest to fastest | refused |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
)


@dataclass
class Round:
    """What one round of one kind measured. Times in seconds."""

    floor: float = 0.0
    rate: float = 0.0
    waits: list[float] = field(default_factory=list)
    evenness: float = 1.0
    refused: int = 0
    why: str = ""

    @property
    def ratio(self) -> float:
        """Ours to the floor."""
        return self.rate / self.floor


@dataclass(frozen=True)
class Ring:
    """Where the rounds are run: the starting database, its ids, and the statements of its doses."""

    databases: Databases
    base: Database
    start: Start
    recorded: Sequence[Transaction]
    afterwards: Callable[[Database], None] = lambda _database: None
    """Looks at the database that doses were logged in."""


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    section = Section(TITLE, [*EXPLAINED.strip().splitlines(), "", *HEAD])
    for kind, name in ENGINE_NAMES.items():
        for people, rounds in _rounds(ground, kind).items():
            section.lines.append(row_of(name, people, rounds))
            who = f"Dose, {name}, {'alone' if people == 1 else 'eight at once'}"
            section.budgets += budgets_of(who, BUDGETS[kind, people], people, rounds)
    return section


def _rounds(ground: Ground, kind: str) -> dict[int, list[Round]]:
    count, times = (160, 1) if ground.quick else (400, 3)
    with a_ring(ground.databases, kind, count) as ring:
        return {people: [a_round(ring, people) for _ in range(times)] for people in (1, NURSES)}


@contextmanager
def a_ring(databases: Databases, kind: str, count: int, *, of_one_vial: bool = False) -> Iterator[Ring]:
    """Build the starting clinic, and record the statements of its doses on a copy."""
    with databases.fresh(kind) as base:
        with running(base):
            start = build_start(count + NURSES * _WARMING, of_one_vial=of_one_vial)
        settle(base)
        yield Ring(databases, base, start, _statements(databases, base, start, count))


def _statements(databases: Databases, base: Database, start: Start, count: int) -> list[Transaction]:
    recorder = Recorder()
    with databases.copy_of(base) as copy, running(copy), recorder.listening(db.engine):
        for patient in range(count):
            record_dose(
                actor=start.nurses[0],
                at=clock.now(),
                request=start.request(patient),
                request_key=f"{patient:032x}",
            )
    return recorder.doses


def a_round(ring: Ring, people: int) -> Round:
    """Take a floor, ours, and a floor again."""
    before = _floor(ring, people)
    done = _ours(ring, people)
    done.floor = (before + _floor(ring, people)) / 2
    return done


def _floor(ring: Ring, people: int) -> float:
    with ring.databases.copy_of(ring.base) as copy:
        return replay(copy, ring.recorded, people)


def _ours(ring: Ring, people: int) -> Round:
    """Serve a copy, have the forms ready, and send them all."""
    with ring.databases.copy_of(ring.base) as copy:
        cookies = _cookies(copy, ring.start, people)
        with serving(copy) as served:
            nurses = [Person(served, dict([cookie])) for cookie in cookies]
            count = len(ring.recorded)
            for number in range(count, count + _WARMING * people):
                person = nurses[number % people]
                person.fire(ready_dose(person, ring.start.patients[number]))
            ready = [ready_dose(nurses[n % people], ring.start.patients[n]) for n in range(count)]
            done = _sent(nurses, ready)
            for nurse in nurses:
                nurse.close()
        ring.afterwards(copy)
        return done


def _cookies(database: Database, start: Start, people: int) -> list[tuple[str, str]]:
    with running(database) as app:
        found = [session_cookie(app, staff.person(nurse.id)) for nurse in start.nurses[:people]]
    settle(database)
    return found


def _sent(nurses: Sequence[Person], ready: Sequence[bytes]) -> Round:
    people = len(nurses)
    done = Round()
    ends: list[list[float]] = [[] for _ in nurses]
    barrier = threading.Barrier(people + 1)

    def work(person: int) -> None:
        barrier.wait()
        for number in range(person, len(ready), people):
            began = time.perf_counter()
            answer = nurses[person].fire(ready[number])
            ends[person].append(time.perf_counter())
            done.waits.append(ends[person][-1] - began)
            if not is_recorded(answer):
                done.refused += 1
                done.why = f"{answer.status} {answer.location} {answer.body[:300]}"

    done.rate = len(ready) / timed(work, people, barrier)
    done.evenness = _evenness(ends)
    return done


def _evenness(ends: Sequence[Sequence[float]]) -> float:
    """Return how many doses the slowest had logged when the first had logged all of theirs, as a share of theirs."""
    first = min(own[-1] for own in ends)
    return min(sum(end <= first for end in own) / len(own) for own in ends)


def row_of(name: str, people: int, rounds: Sequence[Round]) -> str:
    """Return the rounds as a row of the table."""
    waits = [wait * 1000 for one in rounds for wait in one.waits]
    return (
        f"| {name} | {people} | {middle([one.floor for one in rounds]):,.0f} | {middle([one.rate for one in rounds]):,.0f} "
        f"| {middle([one.ratio for one in rounds]):.2f} | {percentile(waits, 0.5):.1f} ms | {percentile(waits, 0.95):.1f} ms "
        f"| {max(waits):.1f} ms | {middle([one.evenness for one in rounds]):.2f} | {sum(one.refused for one in rounds)} |"
    )


def budgets_of(who: str, of_the_floor: float, people: int, rounds: Sequence[Round]) -> list[Budget]:
    """Return the budgets that these rounds speak to."""
    medians = [percentile(one.waits, 0.5) for one in rounds]
    found = [
        at_least(f"{who}: of the floor", of_the_floor, middle([one.ratio for one in rounds])),
        at_most(
            f"{who}: p95 to median",
            3,
            middle([percentile(one.waits, 0.95) / m for one, m in zip(rounds, medians, strict=True)]),
        ),
        at_most(
            f"{who}: longest to median",
            10,
            middle([max(one.waits) / m for one, m in zip(rounds, medians, strict=True)]),
        ),
        at_most(f"{who}: refused", 0, sum(one.refused for one in rounds)),
    ]
    if people > 1:
        even = middle([one.evenness for one in rounds])
        found.append(at_least(f"{who}: slowest to fastest person", 0.8, even))
    return found
