-- The laws of the stock room, held by SQLite. Statements are parted by a line of two semicolons.

CREATE TRIGGER lot_by_correction BEFORE UPDATE ON lot BEGIN
  SELECT RAISE(ABORT, 'law:lot_by_correction:lot')
    WHERE NEW.id IS NOT OLD.id OR NEW.product_id IS NOT OLD.product_id OR NEW.raw_scan IS NOT OLD.raw_scan
      OR NEW.container_type IS NOT OLD.container_type OR NEW.strength_ng IS NOT OLD.strength_ng
      OR NEW.strength_ul IS NOT OLD.strength_ul OR NEW.container_volume_ul IS NOT OLD.container_volume_ul
      OR NEW.in_use_days IS NOT OLD.in_use_days OR NEW.created_at IS NOT OLD.created_at
      OR NEW.created_by_id IS NOT OLD.created_by_id
      OR NOT EXISTS (
        SELECT 1 FROM lot_correction AS said WHERE said.lot_id = OLD.id AND said.merged_into_id IS NULL
          AND said.position = (SELECT max(position) FROM lot_correction WHERE lot_id = OLD.id)
          AND said.lot_number_before = OLD.lot_number AND said.expires_on_before = OLD.expires_on
          AND said.expires_month_only_before = OLD.expires_month_only
          AND said.lot_number = NEW.lot_number AND said.lot_number_key = NEW.lot_number_key
          AND said.expires_on = NEW.expires_on AND said.expires_month_only = NEW.expires_month_only);
END
;;
CREATE TRIGGER lot_correction_check BEFORE INSERT ON lot_correction BEGIN
  SELECT RAISE(ABORT, 'law:lot_by_correction:lot_correction')
    WHERE NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM lot_correction WHERE lot_id = NEW.lot_id)
      OR NOT EXISTS (
        SELECT 1 FROM lot WHERE lot.id = NEW.lot_id AND lot.lot_number = NEW.lot_number_before
          AND lot.expires_on = NEW.expires_on_before AND lot.expires_month_only = NEW.expires_month_only_before);
END
;;
CREATE TRIGGER vial_moves_whole BEFORE UPDATE ON vial WHEN NEW.location_id IS NOT OLD.location_id BEGIN
  SELECT RAISE(ABORT, 'law:vial_moves_whole:vial')
    WHERE NEW.closed_at IS NOT NULL
      OR NOT EXISTS (SELECT 1 FROM account WHERE vial_id = NEW.id AND location_id = NEW.location_id AND balance_ul > 0)
      OR EXISTS (SELECT 1 FROM account WHERE vial_id = NEW.id AND location_id <> NEW.location_id AND balance_ul <> 0);
END
;;
CREATE TRIGGER vial_not_on_its_way_when_closed BEFORE UPDATE ON vial WHEN NEW.closed_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'law:vial_on_its_way:vial') WHERE EXISTS (
    SELECT 1 FROM transfer_line AS line LEFT JOIN transfer_receipt AS arrived ON arrived.transfer_id = line.transfer_id
      WHERE line.vial_id = NEW.id AND arrived.transfer_id IS NULL);
END
;;
CREATE TRIGGER transfer_line_check BEFORE INSERT ON transfer_line BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:transfer_line')
    WHERE typeof(NEW.amount_ul) <> 'integer' OR typeof(NEW.containers) <> 'integer';
  SELECT RAISE(ABORT, 'law:transfer_is_moved:transfer_line')
    WHERE EXISTS (SELECT 1 FROM transfer_receipt WHERE transfer_id = NEW.transfer_id) OR NOT EXISTS (
      SELECT 1 FROM movement
        JOIN account AS source ON source.id = movement.from_id
        JOIN account AS target ON target.id = movement.to_id
        JOIN transfer ON transfer.id = NEW.transfer_id
        JOIN lot ON lot.id = NEW.lot_id
        WHERE movement.id = NEW.movement_id AND movement.kind = 'transfer' AND movement.lot_id = NEW.lot_id
          AND movement.amount_ul = NEW.amount_ul AND target.kind = 'transit'
          AND source.location_id = transfer.from_location_id AND source.vial_id IS NEW.vial_id
          AND source.kind = CASE WHEN NEW.vial_id IS NULL THEN 'shelf' ELSE 'vial' END
          -- An opened vial travels whole: nothing of it stays behind.
          AND (NEW.vial_id IS NULL OR source.balance_ul = 0)
          AND (NEW.vial_id IS NOT NULL OR NEW.amount_ul = NEW.containers * lot.container_volume_ul));
END
;;
CREATE TRIGGER transfer_receipt_line_check BEFORE INSERT ON transfer_receipt_line BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:transfer_receipt_line')
    WHERE typeof(NEW.amount_ul) <> 'integer' OR typeof(NEW.containers) <> 'integer';
  SELECT RAISE(ABORT, 'law:transfer_within_sent:transfer_receipt_line') WHERE NOT EXISTS (
    SELECT 1 FROM transfer_line AS sent JOIN lot ON lot.id = sent.lot_id
      WHERE sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        AND NEW.amount_ul <= sent.amount_ul AND (NEW.amount_ul < sent.amount_ul) = (NEW.difference IS NOT NULL)
        AND CASE WHEN sent.vial_id IS NULL THEN NEW.amount_ul = NEW.containers * lot.container_volume_ul
          ELSE NEW.containers = 0 AND NEW.amount_ul IN (0, sent.amount_ul) END);
  SELECT RAISE(ABORT, 'law:transfer_is_moved:transfer_receipt_line')
    WHERE (NEW.movement_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM movement
        JOIN account AS source ON source.id = movement.from_id
        JOIN account AS target ON target.id = movement.to_id
        JOIN transfer ON transfer.id = NEW.transfer_id
        JOIN transfer_line AS sent ON sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        WHERE movement.id = NEW.movement_id AND movement.kind = 'transfer' AND movement.lot_id = sent.lot_id
          AND movement.amount_ul = NEW.amount_ul AND source.kind = 'transit'
          AND target.location_id = transfer.to_location_id AND target.vial_id IS sent.vial_id))
    OR (NEW.difference_movement_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM movement
        JOIN account AS source ON source.id = movement.from_id
        JOIN account AS target ON target.id = movement.to_id
        JOIN transfer ON transfer.id = NEW.transfer_id
        JOIN transfer_line AS sent ON sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        WHERE movement.id = NEW.difference_movement_id AND movement.lot_id = sent.lot_id
          AND movement.amount_ul = sent.amount_ul - NEW.amount_ul AND source.kind = 'transit'
          AND CASE NEW.difference WHEN 'not_sent' THEN movement.kind = 'transfer'
              AND target.location_id IS transfer.from_location_id AND target.vial_id IS sent.vial_id
            ELSE movement.kind = 'waste' AND target.kind = 'waste' END));
END
;;
CREATE TRIGGER disposal_line_check BEFORE INSERT ON disposal_line BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:disposal_line')
    WHERE typeof(NEW.amount_ul) <> 'integer' OR typeof(NEW.containers) <> 'integer';
  SELECT RAISE(ABORT, 'law:disposal_is_moved:disposal_line') WHERE NOT EXISTS (
    SELECT 1 FROM movement
      JOIN account AS source ON source.id = movement.from_id
      JOIN account AS target ON target.id = movement.to_id
      JOIN disposal ON disposal.id = NEW.disposal_id
      JOIN lot ON lot.id = NEW.lot_id
      WHERE movement.id = NEW.movement_id AND movement.lot_id = NEW.lot_id AND movement.amount_ul = NEW.amount_ul
        AND source.location_id = NEW.location_id AND source.vial_id IS NEW.vial_id
        AND movement.kind = CASE disposal.kind WHEN 'return' THEN 'return' ELSE 'waste' END
        AND target.kind = CASE disposal.kind WHEN 'return' THEN 'returned' ELSE 'waste' END
        AND (NEW.vial_id IS NOT NULL OR NEW.amount_ul = NEW.containers * lot.container_volume_ul));
END
;;
CREATE TRIGGER stock_count_line_check BEFORE INSERT ON stock_count_line BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:stock_count_line')
    WHERE typeof(NEW.counted_ul) <> 'integer' OR typeof(NEW.expected_ul) <> 'integer';
END
;;
CREATE TRIGGER stock_count_variance_check BEFORE INSERT ON stock_count_variance BEGIN
  SELECT RAISE(ABORT, 'law:variance_is_adjusted:stock_count_variance') WHERE NOT EXISTS (
    SELECT 1 FROM stock_count_line AS line
      JOIN stock_count ON stock_count.id = line.count_id
      JOIN movement ON movement.id = NEW.movement_id
      JOIN account AS source ON source.id = movement.from_id
      JOIN account AS target ON target.id = movement.to_id
      WHERE line.count_id = NEW.count_id AND line.position = NEW.position AND movement.kind = 'adjust'
        AND movement.lot_id = line.lot_id AND movement.amount_ul = abs(line.counted_ul - line.expected_ul)
        AND CASE WHEN line.counted_ul > line.expected_ul THEN source.kind ELSE target.kind END = 'adjustment'
        AND CASE WHEN line.counted_ul > line.expected_ul THEN target.location_id ELSE source.location_id END
          = stock_count.location_id
        AND CASE WHEN line.counted_ul > line.expected_ul THEN target.vial_id ELSE source.vial_id END IS line.vial_id);
END
