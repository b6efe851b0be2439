"""What `flask stock verify` asks of transfers: what is on its way is what was sent and not received, each line as it was moved."""

TRANSFERS: tuple[tuple[str, str], ...] = (
    (
        "Lot {0}: {1} microlitres are on their way, but transfers that were not received say {2}.",
        """
        SELECT lot.lot_number, held.amount, coalesce(sent.amount, 0) FROM lot JOIN (
          SELECT lot_id, CAST(sum(balance_ul) AS BIGINT) AS amount FROM account WHERE kind = 'transit' GROUP BY lot_id
        ) held ON held.lot_id = lot.id LEFT JOIN (
          SELECT line.lot_id, CAST(sum(line.amount_ul) AS BIGINT) AS amount FROM transfer_line line
          WHERE line.transfer_id NOT IN (SELECT transfer_id FROM transfer_receipt) GROUP BY line.lot_id
        ) sent ON sent.lot_id = lot.id WHERE held.amount <> coalesce(sent.amount, 0) ORDER BY lot.lot_number
        """,
    ),
    (
        "Transfer {0}-{1:06d}: line {2} is not what movement {3} moved.",
        """
        SELECT site.code, transfer.number, line.position, line.movement_id FROM transfer_line line
        JOIN transfer ON transfer.id = line.transfer_id JOIN site ON site.id = transfer.from_site_id
        LEFT JOIN movement ON movement.id = line.movement_id AND movement.kind = 'transfer'
        AND movement.lot_id = line.lot_id AND movement.amount_ul = line.amount_ul AND movement.occurred_at = transfer.sent_at
        LEFT JOIN account source ON source.id = movement.from_id AND source.location_id = transfer.from_location_id
        LEFT JOIN account target ON target.id = movement.to_id AND target.kind = 'transit'
        WHERE source.id IS NULL OR target.id IS NULL OR coalesce(source.vial_id = line.vial_id, line.vial_id IS NULL) = FALSE
        ORDER BY site.code, transfer.number, line.position
        """,
    ),
    (
        "Transfer {0}-{1:06d}: it was received, but line {2} does not say what came of it.",
        """
        SELECT site.code, transfer.number, line.position FROM transfer_line line
        JOIN transfer ON transfer.id = line.transfer_id JOIN site ON site.id = transfer.from_site_id
        JOIN transfer_receipt arrived ON arrived.transfer_id = transfer.id
        LEFT JOIN transfer_receipt_line came ON came.transfer_id = line.transfer_id AND came.position = line.position
        WHERE came.transfer_id IS NULL ORDER BY site.code, transfer.number, line.position
        """,
    ),
    (
        "Transfer {0}-{1:06d}: what came of line {2} is not what was moved.",
        """
        SELECT site.code, transfer.number, line.position FROM transfer_receipt_line came
        JOIN transfer_receipt arrived ON arrived.transfer_id = came.transfer_id
        JOIN transfer_line line ON line.transfer_id = came.transfer_id AND line.position = came.position
        JOIN transfer ON transfer.id = line.transfer_id JOIN site ON site.id = transfer.from_site_id
        LEFT JOIN movement moved ON moved.id = came.movement_id AND moved.lot_id = line.lot_id
        AND moved.occurred_at = arrived.received_at
        LEFT JOIN movement missing ON missing.id = came.difference_movement_id AND missing.lot_id = line.lot_id
        AND missing.occurred_at = arrived.received_at
        LEFT JOIN account went ON went.id = missing.to_id
        WHERE (came.difference = 'not_sent' AND (went.location_id = transfer.from_location_id
          AND coalesce(went.vial_id = line.vial_id, went.vial_id IS NULL AND line.vial_id IS NULL)) IS NOT TRUE)
        OR (came.difference <> 'not_sent' AND (went.kind = 'waste') IS NOT TRUE)
        OR coalesce(moved.amount_ul, 0) <> came.amount_ul
        OR coalesce(missing.amount_ul, 0) <> line.amount_ul - came.amount_ul
        ORDER BY site.code, transfer.number, line.position
        """,
    ),
    (
        "Movement {0}: it is of no transfer.",
        # What a void brought back where the vial was before goes on to the vial by two movements of the same act.
        """
        SELECT movement.id FROM movement
        JOIN account source ON source.id = movement.from_id JOIN account target ON target.id = movement.to_id
        LEFT JOIN transfer_line line ON line.movement_id = movement.id
        LEFT JOIN transfer_receipt_line came ON came.movement_id = movement.id
        LEFT JOIN transfer_receipt_line missing ON missing.difference_movement_id = movement.id
        WHERE movement.kind = 'transfer' AND line.transfer_id IS NULL AND came.transfer_id IS NULL
        AND missing.transfer_id IS NULL AND NOT EXISTS (
          SELECT 1 FROM movement other
          JOIN account first ON first.id = other.from_id JOIN account last ON last.id = other.to_id
          WHERE other.act_id = movement.act_id AND other.kind = 'transfer' AND other.id <> movement.id
          AND other.amount_ul = movement.amount_ul AND (
            (other.from_id = movement.to_id AND last.vial_id = source.vial_id)
            OR (other.to_id = movement.from_id AND first.vial_id = target.vial_id)))
        ORDER BY movement.id
        """,
    ),
    (
        "Lot {0}: account {1} holds {2} microlitres of a vial that is elsewhere.",
        """
        SELECT lot.lot_number, account.id, account.balance_ul FROM account JOIN vial ON vial.id = account.vial_id
        JOIN lot ON lot.id = account.lot_id WHERE account.location_id <> vial.location_id AND account.balance_ul <> 0
        ORDER BY account.id
        """,
    ),
)
"""Words, and the statement that finds what they say of."""
