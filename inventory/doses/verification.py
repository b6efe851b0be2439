"""What `flask stock verify` asks of the record: every valid dose is drawn from the ledger exactly, once (laws 1 and 5)."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

_CHECKS = (
    (
        "Dose {0}-{1:06d}: it says {2} microlitres, its containers gave {3}.",
        """
        SELECT site.code, dose.number, dose.volume_ul, coalesce(sum(dose_source.volume_ul), 0) AS drawn FROM dose
        JOIN site ON site.id = dose.site_id
        LEFT JOIN dose_source ON dose_source.dose_id = dose.id
        GROUP BY dose.id, site.code, dose.number, dose.volume_ul
        HAVING dose.volume_ul <> coalesce(sum(dose_source.volume_ul), 0) ORDER BY site.code, dose.number
        """,
    ),
    (
        "Dose {0}-{1:06d}: movement {2} does not say what the dose says.",
        """
        SELECT site.code, dose.number, dose_source.movement_id FROM dose_source JOIN dose ON dose.id = dose_source.dose_id
        JOIN site ON site.id = dose.site_id
        LEFT JOIN movement ON movement.id = dose_source.movement_id AND movement.kind = 'give'
        AND movement.amount_ul = dose_source.volume_ul AND movement.lot_id = dose_source.lot_id
        WHERE movement.id IS NULL ORDER BY site.code, dose.number
        """,
    ),
    (
        "Dose {0}-{1:06d}: it is valid, but movement {2} was reversed.",
        """
        SELECT site.code, dose.number, dose_source.movement_id FROM dose_source JOIN dose ON dose.id = dose_source.dose_id
        JOIN site ON site.id = dose.site_id
        JOIN movement undo ON undo.reverses_id = dose_source.movement_id
        LEFT JOIN dose_void ON dose_void.dose_id = dose.id
        WHERE dose_void.dose_id IS NULL ORDER BY site.code, dose.number
        """,
    ),
    (
        "Movement {0}: it was given, but {1} valid doses say so.",
        """
        SELECT movement.id, count(dose_source.dose_id) - count(dose_void.dose_id) AS valid FROM movement
        LEFT JOIN dose_source ON dose_source.movement_id = movement.id
        LEFT JOIN dose_void ON dose_void.dose_id = dose_source.dose_id
        LEFT JOIN movement undo ON undo.reverses_id = movement.id
        WHERE movement.kind = 'give' AND undo.id IS NULL
        GROUP BY movement.id HAVING count(dose_source.dose_id) - count(dose_void.dose_id) <> 1 ORDER BY movement.id
        """,
    ),
    (
        "Site {0}: its doses are numbered to {1}, but there are {2}.",
        """
        SELECT site.code, counter.value, count(dose.id) FROM counter JOIN site ON site.id = counter.site_id
        LEFT JOIN dose ON dose.site_id = site.id
        WHERE counter.kind = 'dose' GROUP BY site.code, counter.value HAVING counter.value <> count(dose.id)
        ORDER BY site.code
        """,
    ),
)


def disagreements(session: Session) -> Iterator[str]:
    """Yield a line for each dose that the ledger does not bear out; none when all is well."""
    for words, query in _CHECKS:
        for row in session.execute(text(query)):
            yield words.format(*row)
