"""Eight people who draw from one opened vial at once, on PostgreSQL: no lost update, and how fast beside the bare driver.

Measured as `bench.doses` measures a dose. After each round the vial must hold exactly what was not given from it.
"""

from dataclasses import replace

from bench.doses import BUDGETS, HEAD, a_ring, a_round, budgets_of, row_of
from bench.figures import Section
from bench.ground import Ground
from bench.starting import NURSES, VIAL_UL
from tests.support.databases import Database

TITLE = "Eight people drawing from one vial"
EXPLAINED = """
As above, but every dose is drawn from the same opened vial, so that all of them wait for one account. After each round the vial
holds what was not given from it, to the microlitre, and its ledger adds up to the same.
"""
_WHAT_IT_HOLDS = """
SELECT account.balance_ul, (SELECT sum(volume_ul) FROM dose_source), (SELECT sum(CASE WHEN to_id = account.id
  THEN amount_ul ELSE -amount_ul END) FROM movement WHERE account.id IN (from_id, to_id)) FROM account WHERE kind = 'vial'
"""


def measured(ground: Ground) -> Section:
    """Measure on PostgreSQL; SQLite has one writer at a time in any case."""
    section = Section(TITLE, [*EXPLAINED.strip().splitlines(), "", *HEAD])
    count, times = (160, 1) if ground.quick else (400, 3)
    with a_ring(ground.databases, "postgresql", count, of_one_vial=True) as ring:
        watched = replace(ring, afterwards=_refuse_lost_update)
        rounds = [a_round(watched, NURSES) for _ in range(times)]
    section.lines.append(row_of("PostgreSQL", NURSES, rounds))
    section.budgets += budgets_of(
        "One vial, PostgreSQL, eight at once", BUDGETS["postgresql", NURSES], NURSES, rounds
    )
    return section


def _refuse_lost_update(database: Database) -> None:
    """Raise RuntimeError where the vial does not hold what was left in it."""
    connection = database.connect_as_owner()
    [(balance, given, moved)] = connection.execute(_WHAT_IT_HOLDS).fetchall()
    connection.close()
    if not balance == moved == VIAL_UL - given:
        raise RuntimeError(f"{given} of {VIAL_UL} were given, the vial holds {balance}, its ledger {moved}")
