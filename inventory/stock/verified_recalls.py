"""What `flask stock verify` asks of recalls: each line's hold is that very lot's, merged lots are named whole, no number is missing."""

RECALLS: tuple[tuple[str, str], ...] = (
    (
        "Recall {0}-R{1:03d}: line {2}, lot number {3}, has the hold of another lot, or one that is no recall's.",
        """
        SELECT site.code, recall.number, recall_line.position, recall_line.lot_number FROM recall_line
        JOIN recall ON recall.id = recall_line.recall_id JOIN site ON site.id = recall.site_id
        LEFT JOIN hold ON hold.id = recall_line.hold_id AND hold.lot_id = recall_line.lot_id AND hold.kind = 'recall'
        AND hold.location_id IS NULL AND hold.vial_id IS NULL
        WHERE recall_line.lot_id IS NOT NULL AND hold.id IS NULL
        ORDER BY site.code, recall.number, recall_line.position
        """,
    ),
    (
        "Recall {0}-R{1:03d} names only one of the lots {2} and {3}, which were merged.",
        """
        SELECT site.code, recall.number, lot.lot_number, other.lot_number FROM recall
        JOIN site ON site.id = recall.site_id
        JOIN lot_correction AS merge ON merge.merged_into_id IS NOT NULL
        JOIN lot ON lot.id = merge.lot_id JOIN lot AS other ON other.id = merge.merged_into_id
        WHERE recall.closed_at IS NULL AND
          EXISTS (SELECT 1 FROM recall_line WHERE recall_id = recall.id AND lot_id = merge.lot_id) <>
          EXISTS (SELECT 1 FROM recall_line WHERE recall_id = recall.id AND lot_id = merge.merged_into_id)
        ORDER BY site.code, recall.number, lot.lot_number
        """,
    ),
    (
        "Site {0}: its recalls are numbered to {1}, but there are {2}.",
        """
        SELECT site.code, counter.value, count(recall.id) FROM counter JOIN site ON site.id = counter.site_id
        LEFT JOIN recall ON recall.site_id = site.id
        WHERE counter.kind = 'recall' GROUP BY site.code, counter.value HAVING counter.value <> count(recall.id)
        ORDER BY site.code
        """,
    ),
)
