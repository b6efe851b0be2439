-- The laws of the first house, held by SQLite. Statements are parted by a line of two semicolons.
-- Each refusal is worded law:<name>:<table>; the application knows these words.

CREATE TRIGGER movement_check BEFORE INSERT ON movement BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:movement') WHERE typeof(NEW.amount_ul) <> 'integer';
  SELECT RAISE(ABORT, 'law:exact_reversal:movement') WHERE NEW.reverses_id IS NOT NULL AND (
    NEW.occurred_at <> NEW.recorded_at OR NOT EXISTS (
      SELECT 1 FROM movement AS undone WHERE undone.id = NEW.reverses_id AND undone.kind <> 'reverse'
        AND undone.from_id = NEW.to_id AND undone.to_id = NEW.from_id AND undone.amount_ul = NEW.amount_ul));
  -- Only when the instant is earlier than the newest: walk back from the present balance, instant by instant.
  SELECT RAISE(ABORT, 'law:never_negative_past:movement') WHERE EXISTS (
    SELECT 1 FROM account WHERE account.id = NEW.from_id AND account.kind IN ('shelf', 'vial', 'transit')
      AND account.last_occurred_at > NEW.occurred_at
      AND NEW.amount_ul > (
        SELECT min(account.balance_ul - walked.later) FROM (
          SELECT sum(instant.change) OVER (ORDER BY instant.occurred_at DESC ROWS UNBOUNDED PRECEDING) AS later FROM (
            SELECT moved.occurred_at, sum(moved.change) AS change FROM (
              SELECT occurred_at, amount_ul AS change FROM movement
                WHERE to_id = NEW.from_id AND occurred_at > NEW.occurred_at
              UNION ALL
              SELECT occurred_at, -amount_ul FROM movement
                WHERE from_id = NEW.from_id AND occurred_at > NEW.occurred_at
            ) AS moved GROUP BY moved.occurred_at
          ) AS instant
        ) AS walked));
END
;;
CREATE TRIGGER movement_apply AFTER INSERT ON movement BEGIN
  UPDATE account SET
    balance_ul = balance_ul + CASE WHEN id = NEW.to_id THEN NEW.amount_ul ELSE -NEW.amount_ul END,
    last_movement_id = NEW.id,
    last_occurred_at = max(coalesce(last_occurred_at, NEW.occurred_at), NEW.occurred_at)
    WHERE id IN (NEW.from_id, NEW.to_id);
  SELECT RAISE(ABORT, 'law:balance_is_ledger:movement')
    WHERE (SELECT count(*) FROM account WHERE id IN (NEW.from_id, NEW.to_id) AND last_movement_id = NEW.id) <> 2;
END
;;
CREATE TRIGGER account_birth BEFORE INSERT ON account BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:account') WHERE EXISTS (SELECT 1 FROM account WHERE id = NEW.id);
  SELECT RAISE(ABORT, 'law:balance_is_ledger:account')
    WHERE NEW.balance_ul IS NOT 0 OR NEW.last_movement_id IS NOT 0 OR NEW.last_occurred_at IS NOT NULL;
END
;;
CREATE TRIGGER account_guard BEFORE UPDATE ON account BEGIN
  SELECT RAISE(ABORT, 'law:balance_is_ledger:account')
    WHERE NEW.id IS NOT OLD.id OR NEW.lot_id IS NOT OLD.lot_id OR NEW.kind IS NOT OLD.kind
      OR NEW.location_id IS NOT OLD.location_id OR NEW.vial_id IS NOT OLD.vial_id
      OR NEW.last_movement_id <= OLD.last_movement_id
      OR NOT EXISTS (
        SELECT 1 FROM movement WHERE movement.id = NEW.last_movement_id
          AND NEW.last_occurred_at = max(coalesce(OLD.last_occurred_at, movement.occurred_at), movement.occurred_at)
          AND NEW.balance_ul - OLD.balance_ul = CASE NEW.id
            WHEN movement.to_id THEN movement.amount_ul WHEN movement.from_id THEN -movement.amount_ul END);
END
;;
CREATE TRIGGER dose_source_check BEFORE INSERT ON dose_source BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:dose_source') WHERE EXISTS (SELECT 1 FROM dose WHERE id = NEW.dose_id)
    OR EXISTS (SELECT 1 FROM dose_source WHERE dose_id = NEW.dose_id AND position = NEW.position);
  SELECT RAISE(ABORT, 'law:dose_is_drawn:dose_source') WHERE NOT EXISTS (
    SELECT 1 FROM movement JOIN account ON account.id = movement.from_id
      WHERE movement.id = NEW.movement_id AND movement.kind = 'give' AND movement.amount_ul = NEW.volume_ul
        AND movement.lot_id = NEW.lot_id AND account.vial_id = NEW.vial_id);
  SELECT RAISE(ABORT, 'law:given_once:dose_source') WHERE EXISTS (
    SELECT 1 FROM dose_source AS other WHERE other.movement_id = NEW.movement_id
      AND NOT EXISTS (SELECT 1 FROM dose_void WHERE dose_void.dose_id = other.dose_id));
END
;;
CREATE TRIGGER dose_check BEFORE INSERT ON dose BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:dose')
    WHERE typeof(NEW.volume_ul) <> 'integer' OR typeof(NEW.dose_ng) <> 'integer';
  SELECT RAISE(ABORT, 'law:dose_is_drawn:dose')
    WHERE NEW.volume_ul IS NOT (SELECT sum(volume_ul) FROM dose_source WHERE dose_id = NEW.id);
END
;;
CREATE TRIGGER counter_birth BEFORE INSERT ON counter BEGIN
  SELECT RAISE(ABORT, 'law:gapless:counter') WHERE NEW.value IS NOT 0
    OR EXISTS (SELECT 1 FROM counter WHERE site_id = NEW.site_id AND kind = NEW.kind);
END
;;
CREATE TRIGGER counter_guard BEFORE UPDATE ON counter BEGIN
  SELECT RAISE(ABORT, 'law:gapless:counter')
    WHERE NEW.value IS NOT OLD.value + 1 OR NEW.site_id IS NOT OLD.site_id OR NEW.kind IS NOT OLD.kind;
END
;;
CREATE TRIGGER audit_link_follows AFTER INSERT ON audit_link BEGIN
  UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE seq = NEW.seq - 1 AND hash = NEW.previous_hash;
  SELECT RAISE(ABORT, 'law:chained:audit_link')
    WHERE NOT EXISTS (SELECT 1 FROM audit_head WHERE seq = NEW.seq AND hash = NEW.hash);
END
;;
CREATE TRIGGER audit_head_guard BEFORE UPDATE ON audit_head BEGIN
  SELECT RAISE(ABORT, 'law:chained:audit_head') WHERE NEW.id IS NOT OLD.id OR NEW.seq IS NOT OLD.seq + 1
    OR NOT EXISTS (SELECT 1 FROM audit_link WHERE seq = NEW.seq AND hash = NEW.hash AND previous_hash = OLD.hash);
END
;;
CREATE TRIGGER product_frozen BEFORE UPDATE ON product
WHEN NEW.formulation_id IS NOT OLD.formulation_id OR NEW.container_type IS NOT OLD.container_type
  OR NEW.strength_ng IS NOT OLD.strength_ng OR NEW.strength_ul IS NOT OLD.strength_ul
  OR NEW.container_volume_ul IS NOT OLD.container_volume_ul OR NEW.id IS NOT OLD.id
BEGIN
  SELECT RAISE(ABORT, 'law:product_frozen:product') WHERE EXISTS (SELECT 1 FROM lot WHERE product_id = OLD.id);
END
;;
CREATE TRIGGER vial_empty_when_closed BEFORE UPDATE ON vial WHEN NEW.closed_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'law:closed_vial_is_empty:vial')
    WHERE EXISTS (SELECT 1 FROM account WHERE vial_id = NEW.id AND balance_ul <> 0);
END
