"""What must agree of places: of a vial that was moved, one account at each place where it was; of a closed one, nothing there.

An account that does not agree with its movements is named by itself; here a whole vial is, over all its places.
"""

VIALS: tuple[tuple[str, str], ...] = (
    (
        "Lot {0}: vial {1} took in {2} microlitres and gave out {3}, over all its places, and holds {4}.",
        """
        WITH own AS (
          SELECT id, vial_id, lot_id, balance_ul FROM account WHERE vial_id IN (
            SELECT vial_id FROM account WHERE vial_id IS NOT NULL GROUP BY vial_id HAVING count(*) > 1)
        ), moved AS (
          SELECT own.vial_id, movement.amount_ul AS came, 0 AS went, 0 AS held
            FROM own JOIN movement ON movement.to_id = own.id
          UNION ALL SELECT own.vial_id, 0, movement.amount_ul, 0 FROM own JOIN movement ON movement.from_id = own.id
          UNION ALL SELECT own.vial_id, 0, 0, own.balance_ul FROM own
        ), whole AS (
          SELECT vial_id, CAST(sum(came) AS BIGINT) AS came, CAST(sum(went) AS BIGINT) AS went,
            CAST(sum(held) AS BIGINT) AS held FROM moved GROUP BY vial_id
        )
        SELECT lot.lot_number, vial.label_number, whole.came, whole.went, whole.held
        FROM whole JOIN vial ON vial.id = whole.vial_id JOIN lot ON lot.id = vial.lot_id
        WHERE whole.came <> whole.went + whole.held ORDER BY lot.lot_number, vial.label_number, vial.id
        """,
    ),
    (
        "Lot {0}: {2} microlitres (account {1}) lie at {3}, a location that is closed.",
        """
        SELECT lot.lot_number, account.id, account.balance_ul, location.name FROM location
        JOIN account ON account.location_id = location.id AND account.balance_ul > 0
        JOIN lot ON lot.id = account.lot_id WHERE location.closed_at IS NOT NULL ORDER BY account.id
        """,
    ),
)
