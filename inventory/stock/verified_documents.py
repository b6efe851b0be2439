"""What `flask stock verify` asks of returns, destructions and excursions: does each agree with its movements and its holds?"""

DOCUMENTS: tuple[tuple[str, str], ...] = (
    (
        "Return or destruction {0}, line {1}: it does not match its movement {2}.",
        """
        SELECT disposal.number, line.position, line.movement_id FROM disposal_line line
        JOIN disposal ON disposal.id = line.disposal_id JOIN lot ON lot.id = line.lot_id
        LEFT JOIN movement ON movement.id = line.movement_id AND movement.lot_id = line.lot_id
        AND movement.amount_ul = line.amount_ul AND movement.location_id = line.location_id
        AND movement.reason = line.reason
        AND movement.kind = CASE disposal.kind WHEN 'return' THEN 'return' ELSE 'waste' END
        AND EXISTS (SELECT 1 FROM account WHERE account.id = movement.to_id
          AND account.kind = CASE disposal.kind WHEN 'return' THEN 'returned' ELSE 'waste' END)
        AND EXISTS (SELECT 1 FROM account WHERE account.id = movement.from_id
          AND (account.vial_id = line.vial_id OR (account.vial_id IS NULL AND line.vial_id IS NULL)))
        WHERE movement.id IS NULL
        OR (line.vial_id IS NULL AND line.amount_ul <> line.containers * lot.container_volume_ul)
        ORDER BY disposal.number, line.position
        """,
    ),
    (
        "Return or destruction {0}: it has no line.",
        """
        SELECT disposal.number FROM disposal
        WHERE NOT EXISTS (SELECT 1 FROM disposal_line WHERE disposal_line.disposal_id = disposal.id)
        ORDER BY disposal.number
        """,
    ),
    (
        "Return or destruction {0}: {1} of its {2} lines are reversed, not all or none.",
        """
        SELECT disposal.number, count(undone.id), count(*) FROM disposal
        JOIN disposal_line line ON line.disposal_id = disposal.id
        LEFT JOIN movement undone ON undone.reverses_id = line.movement_id
        GROUP BY disposal.id, disposal.number HAVING count(undone.id) NOT IN (0, count(*)) ORDER BY disposal.number
        """,
    ),
    (
        "Lot {1}: excursion {0} was decided as released, but a hold of it stands.",
        """
        SELECT excursion.number, lot.lot_number FROM temperature_excursion excursion
        JOIN excursion_hold placed ON placed.excursion_id = excursion.id
        JOIN hold ON hold.id = placed.hold_id AND hold.released_at IS NULL JOIN lot ON lot.id = hold.lot_id
        WHERE excursion.decision = 'release' ORDER BY excursion.number, lot.lot_number
        """,
    ),
)
"""Pairs of words and the query whose every row is a finding."""
