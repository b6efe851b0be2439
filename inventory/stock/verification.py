"""Re-adds the whole ledger from its movements, and names whatever does not agree. Laws 1 to 4 as a question, not as a trigger.

All sums are the database's own, a slice of accounts at a time, so that memory stays bounded however long the history.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory.kernel.quantity import format_ml
from inventory.stock.verified_documents import DOCUMENTS
from inventory.stock.verified_recalls import RECALLS
from inventory.stock.verified_transfers import TRANSFERS
from inventory.stock.verified_vials import VIALS

SLICE = 50_000
"""Accounts re-added at once."""

Check = Callable[[Session], Iterator[str]]
CHECKS: list[Check] = []
"""Further checks of rooms above, which know what else must agree with the movements."""

_READD = text("""
WITH change AS (
  SELECT to_id AS account_id, occurred_at, amount_ul AS change FROM movement WHERE to_id BETWEEN :first AND :last
  UNION ALL
  SELECT from_id, occurred_at, -amount_ul FROM movement WHERE from_id BETWEEN :first AND :last
), instant AS (
  SELECT account_id, occurred_at, sum(change) AS change FROM change GROUP BY account_id, occurred_at
), walked AS (
  SELECT account_id, change, sum(change) OVER (PARTITION BY account_id ORDER BY occurred_at) AS running FROM instant
), total AS (
  SELECT account_id, sum(change) AS moved, min(running) AS lowest FROM walked GROUP BY account_id
)
SELECT account.id, account.kind, account.balance_ul, lot.lot_number,
  CAST(coalesce(total.moved, 0) AS BIGINT) AS moved, CAST(coalesce(total.lowest, 0) AS BIGINT) AS lowest
FROM account JOIN lot ON lot.id = account.lot_id LEFT JOIN total ON total.account_id = account.id
WHERE account.id BETWEEN :first AND :last AND (
  account.balance_ul <> coalesce(total.moved, 0)
  OR (account.kind IN ('shelf', 'vial', 'transit') AND coalesce(total.lowest, 0) < 0))
ORDER BY account.id
""")

_SIMPLE: tuple[tuple[str, str], ...] = (
    (
        "Lot {0}: its accounts together hold {1} microlitres instead of nothing.",
        """
        SELECT lot.lot_number, CAST(sum(account.balance_ul) AS BIGINT) FROM account JOIN lot ON lot.id = account.lot_id
        GROUP BY lot.id, lot.lot_number HAVING sum(account.balance_ul) <> 0 ORDER BY lot.lot_number
        """,
    ),
    (
        "Lot {0}: the shelf (account {1}) holds {2} microlitres, which is no whole number of containers.",
        """
        SELECT lot.lot_number, account.id, account.balance_ul FROM account JOIN lot ON lot.id = account.lot_id
        WHERE account.kind = 'shelf' AND account.balance_ul % lot.container_volume_ul <> 0 ORDER BY account.id
        """,
    ),
    (
        "Lot {0}: a closed vial (account {1}) still holds {2} microlitres.",
        """
        SELECT lot.lot_number, account.id, account.balance_ul FROM account JOIN vial ON vial.id = account.vial_id
        JOIN lot ON lot.id = account.lot_id WHERE vial.closed_at IS NOT NULL AND account.balance_ul <> 0
        ORDER BY account.id
        """,
    ),
    (
        "Lot {0}: it does not stand as its newest correction says (lot {1}, expiry {2}).",
        """
        SELECT lot.lot_number, said.lot_number, said.expires_on FROM lot_correction said JOIN lot ON lot.id = said.lot_id
        WHERE said.merged_into_id IS NULL AND said.position = (
          SELECT max(newest.position) FROM lot_correction newest
          WHERE newest.lot_id = said.lot_id AND newest.merged_into_id IS NULL)
        AND (lot.lot_number <> said.lot_number OR lot.lot_number_key <> said.lot_number_key
          OR lot.expires_on <> said.expires_on OR lot.expires_month_only <> said.expires_month_only)
        ORDER BY lot.lot_number, lot.id
        """,
    ),
    (
        "Lot {0}: it was merged into another lot, but account {1} ({2}) still holds {3} microlitres.",
        """
        SELECT lot.lot_number, account.id, account.kind, account.balance_ul FROM account
        JOIN lot ON lot.id = account.lot_id
        JOIN lot_correction merge ON merge.lot_id = lot.id AND merge.merged_into_id IS NOT NULL
        AND merge.position = (SELECT max(newest.position) FROM lot_correction newest WHERE newest.lot_id = lot.id)
        WHERE account.kind IN ('shelf', 'vial', 'transit') AND account.balance_ul <> 0 ORDER BY account.id
        """,
    ),
    (
        "Movement {0}: it is not between two accounts of its lot, or moves no positive amount.",
        """
        SELECT movement.id FROM movement
        LEFT JOIN account source ON source.id = movement.from_id AND source.lot_id = movement.lot_id
        LEFT JOIN account target ON target.id = movement.to_id AND target.lot_id = movement.lot_id
        WHERE source.id IS NULL OR target.id IS NULL OR movement.amount_ul <= 0 OR movement.from_id = movement.to_id
        OR movement.occurred_at > movement.recorded_at ORDER BY movement.id
        """,
    ),
    (
        "Movement {0}: it does not exactly reverse movement {1}.",
        """
        SELECT movement.id, movement.reverses_id FROM movement
        LEFT JOIN movement undone ON undone.id = movement.reverses_id AND undone.kind <> 'reverse'
        AND undone.from_id = movement.to_id AND undone.to_id = movement.from_id
        AND undone.amount_ul = movement.amount_ul
        WHERE movement.reverses_id IS NOT NULL AND undone.id IS NULL ORDER BY movement.id
        """,
    ),
    (
        "Movement {0}: it is reversed {1} times.",
        """
        SELECT reverses_id, count(*) FROM movement WHERE reverses_id IS NOT NULL
        GROUP BY reverses_id HAVING count(*) > 1 ORDER BY reverses_id
        """,
    ),
    (
        "Lot {0}: a receipt of {1} containers does not match movement {2}.",
        """
        SELECT lot.lot_number, receipt.containers, receipt.movement_id FROM receipt
        JOIN lot ON lot.id = receipt.lot_id LEFT JOIN movement ON movement.id = receipt.movement_id
        AND movement.kind = 'receive' AND movement.lot_id = receipt.lot_id
        AND movement.amount_ul = receipt.containers * lot.container_volume_ul
        WHERE movement.id IS NULL ORDER BY receipt.movement_id
        """,
    ),
    (
        "Count {0}, line {1}: its adjustment (movement {2}) is not what was counted beside what the ledger held.",
        """
        SELECT stock_count.number, variance.position, variance.movement_id FROM stock_count_variance variance
        JOIN stock_count ON stock_count.id = variance.count_id
        LEFT JOIN stock_count_line line ON line.count_id = variance.count_id AND line.position = variance.position
        LEFT JOIN movement ON movement.id = variance.movement_id AND movement.kind = 'adjust'
        AND movement.lot_id = line.lot_id AND movement.location_id = stock_count.location_id
        AND movement.reason = variance.reason AND movement.amount_ul = abs(line.counted_ul - line.expected_ul)
        AND EXISTS (SELECT 1 FROM account WHERE account.kind = 'adjustment' AND account.id =
          CASE WHEN line.counted_ul > line.expected_ul THEN movement.from_id ELSE movement.to_id END)
        WHERE movement.id IS NULL OR stock_count.outcome IS NULL OR stock_count.outcome <> 'posted'
        ORDER BY variance.movement_id
        """,
    ),
    (
        "Count {0}, line {1}: it differs and was posted, but nothing was adjusted.",
        """
        SELECT stock_count.number, line.position FROM stock_count_line line
        JOIN stock_count ON stock_count.id = line.count_id AND stock_count.outcome = 'posted'
        LEFT JOIN stock_count_variance variance ON variance.count_id = line.count_id AND variance.position = line.position
        WHERE line.counted_ul <> line.expected_ul AND variance.count_id IS NULL
        ORDER BY stock_count.started_at, stock_count.id, line.position
        """,
    ),
    (
        "Count {0}: it was posted, but what was counted was never handed in.",
        """
        SELECT stock_count.number FROM stock_count LEFT JOIN stock_count_result result ON result.count_id = stock_count.id
        WHERE stock_count.outcome = 'posted' AND result.count_id IS NULL ORDER BY stock_count.started_at, stock_count.id
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How much was re-added."""

    movements: int
    accounts: int
    lots: int


def counted(session: Session) -> Counted:
    """Return how many movements, accounts and lots there are."""
    tables = ("movement", "account", "lot")
    return Counted(*(int(session.scalar(text(f"SELECT count(*) FROM {t}")) or 0) for t in tables))  # noqa: S608  our own names


def findings(session: Session) -> Iterator[str]:
    """Yield a line for each thing in the ledger that does not agree with its movements; none when all is well."""
    yield from _readded(session)
    for words, query in (*_SIMPLE, *TRANSFERS, *DOCUMENTS, *RECALLS, *VIALS):
        for row in session.execute(text(query)):
            yield words.format(*row)
    for check in CHECKS:
        yield from check(session)


def _readded(session: Session) -> Iterator[str]:
    last = int(session.scalar(text("SELECT max(id) FROM account")) or 0)
    for first in range(1, last + 1, SLICE):
        for row in session.execute(_READD, {"first": first, "last": first + SLICE - 1}):
            where = f"Lot {row.lot_number}: account {row.id} ({row.kind})"
            if row.balance_ul != row.moved:
                said = f"holds {format_ml(row.balance_ul)} mL, its movements make {format_ml(row.moved)} mL."
                yield f"{where} {said}"
            if row.lowest < 0 and row.kind in {"shelf", "vial", "transit"}:
                yield f"{where} was once at {format_ml(row.lowest)} mL."
