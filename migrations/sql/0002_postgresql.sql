-- The laws of the stock room, held by PostgreSQL. Statements are parted by a line of two semicolons.
-- Every function names its schema: a temporary table must never stand before ours.

CREATE FUNCTION public.lot_by_correction() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.product_id IS DISTINCT FROM OLD.product_id OR NEW.raw_scan IS DISTINCT FROM OLD.raw_scan
      OR NEW.container_type IS DISTINCT FROM OLD.container_type OR NEW.strength_ng IS DISTINCT FROM OLD.strength_ng
      OR NEW.strength_ul IS DISTINCT FROM OLD.strength_ul OR NEW.container_volume_ul IS DISTINCT FROM OLD.container_volume_ul
      OR NEW.in_use_days IS DISTINCT FROM OLD.in_use_days OR NEW.created_at IS DISTINCT FROM OLD.created_at
      OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id
      OR NOT EXISTS (
        SELECT 1 FROM public.lot_correction AS said WHERE said.lot_id = OLD.id AND said.merged_into_id IS NULL
          AND said.position = (SELECT max(position) FROM public.lot_correction WHERE lot_id = OLD.id)
          AND said.lot_number_before = OLD.lot_number AND said.expires_on_before = OLD.expires_on
          AND said.expires_month_only_before = OLD.expires_month_only
          AND said.lot_number = NEW.lot_number AND said.lot_number_key = NEW.lot_number_key
          AND said.expires_on = NEW.expires_on AND said.expires_month_only = NEW.expires_month_only) THEN
    RAISE EXCEPTION 'law:lot_by_correction:lot' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER lot_by_correction BEFORE UPDATE ON public.lot
  FOR EACH ROW EXECUTE FUNCTION public.lot_by_correction()
;;
CREATE FUNCTION public.lot_correction_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.position IS DISTINCT FROM (SELECT coalesce(max(position), 0) + 1 FROM public.lot_correction WHERE lot_id = NEW.lot_id)
      OR NOT EXISTS (
        SELECT 1 FROM public.lot WHERE lot.id = NEW.lot_id AND lot.lot_number = NEW.lot_number_before
          AND lot.expires_on = NEW.expires_on_before AND lot.expires_month_only = NEW.expires_month_only_before) THEN
    RAISE EXCEPTION 'law:lot_by_correction:lot_correction' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER lot_correction_check BEFORE INSERT ON public.lot_correction
  FOR EACH ROW EXECUTE FUNCTION public.lot_correction_check()
;;
CREATE FUNCTION public.vial_moves_whole() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.location_id IS DISTINCT FROM OLD.location_id) AND (NEW.closed_at IS NOT NULL
      OR NOT EXISTS (SELECT 1 FROM public.account WHERE vial_id = NEW.id AND location_id = NEW.location_id AND balance_ul > 0)
      OR EXISTS (SELECT 1 FROM public.account WHERE vial_id = NEW.id AND location_id <> NEW.location_id AND balance_ul <> 0)) THEN
    RAISE EXCEPTION 'law:vial_moves_whole:vial' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER vial_moves_whole BEFORE UPDATE ON public.vial
  FOR EACH ROW EXECUTE FUNCTION public.vial_moves_whole()
;;
CREATE FUNCTION public.vial_not_on_its_way_when_closed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.closed_at IS NOT NULL) AND (EXISTS (
    SELECT 1 FROM public.transfer_line AS line LEFT JOIN public.transfer_receipt AS arrived ON arrived.transfer_id = line.transfer_id
      WHERE line.vial_id = NEW.id AND arrived.transfer_id IS NULL)) THEN
    RAISE EXCEPTION 'law:vial_on_its_way:vial' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER vial_not_on_its_way_when_closed BEFORE UPDATE ON public.vial
  FOR EACH ROW EXECUTE FUNCTION public.vial_not_on_its_way_when_closed()
;;
CREATE FUNCTION public.transfer_line_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.transfer_receipt WHERE transfer_id = NEW.transfer_id) OR NOT EXISTS (
      SELECT 1 FROM public.movement
        JOIN public.account AS source ON source.id = movement.from_id
        JOIN public.account AS target ON target.id = movement.to_id
        JOIN public.transfer ON transfer.id = NEW.transfer_id
        JOIN public.lot ON lot.id = NEW.lot_id
        WHERE movement.id = NEW.movement_id AND movement.kind = 'transfer' AND movement.lot_id = NEW.lot_id
          AND movement.amount_ul = NEW.amount_ul AND target.kind = 'transit'
          AND source.location_id = transfer.from_location_id AND source.vial_id IS NOT DISTINCT FROM NEW.vial_id
          AND source.kind = CASE WHEN NEW.vial_id IS NULL THEN 'shelf' ELSE 'vial' END
          -- An opened vial travels whole: nothing of it stays behind.
          AND (NEW.vial_id IS NULL OR source.balance_ul = 0)
          AND (NEW.vial_id IS NOT NULL OR NEW.amount_ul = NEW.containers * lot.container_volume_ul)) THEN
    RAISE EXCEPTION 'law:transfer_is_moved:transfer_line' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER transfer_line_check BEFORE INSERT ON public.transfer_line
  FOR EACH ROW EXECUTE FUNCTION public.transfer_line_check()
;;
CREATE FUNCTION public.transfer_receipt_line_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM public.transfer_line AS sent JOIN public.lot ON lot.id = sent.lot_id
      WHERE sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        AND NEW.amount_ul <= sent.amount_ul AND (NEW.amount_ul < sent.amount_ul) = (NEW.difference IS NOT NULL)
        AND CASE WHEN sent.vial_id IS NULL THEN NEW.amount_ul = NEW.containers * lot.container_volume_ul
          ELSE NEW.containers = 0 AND NEW.amount_ul IN (0, sent.amount_ul) END) THEN
    RAISE EXCEPTION 'law:transfer_within_sent:transfer_receipt_line' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.movement_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM public.movement
        JOIN public.account AS source ON source.id = movement.from_id
        JOIN public.account AS target ON target.id = movement.to_id
        JOIN public.transfer ON transfer.id = NEW.transfer_id
        JOIN public.transfer_line AS sent ON sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        WHERE movement.id = NEW.movement_id AND movement.kind = 'transfer' AND movement.lot_id = sent.lot_id
          AND movement.amount_ul = NEW.amount_ul AND source.kind = 'transit'
          AND target.location_id = transfer.to_location_id AND target.vial_id IS NOT DISTINCT FROM sent.vial_id))
    OR (NEW.difference_movement_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM public.movement
        JOIN public.account AS source ON source.id = movement.from_id
        JOIN public.account AS target ON target.id = movement.to_id
        JOIN public.transfer ON transfer.id = NEW.transfer_id
        JOIN public.transfer_line AS sent ON sent.transfer_id = NEW.transfer_id AND sent.position = NEW.position
        WHERE movement.id = NEW.difference_movement_id AND movement.lot_id = sent.lot_id
          AND movement.amount_ul = sent.amount_ul - NEW.amount_ul AND source.kind = 'transit'
          AND CASE NEW.difference WHEN 'not_sent' THEN movement.kind = 'transfer'
              AND target.location_id IS NOT DISTINCT FROM transfer.from_location_id
              AND target.vial_id IS NOT DISTINCT FROM sent.vial_id
            ELSE movement.kind = 'waste' AND target.kind = 'waste' END)) THEN
    RAISE EXCEPTION 'law:transfer_is_moved:transfer_receipt_line' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER transfer_receipt_line_check BEFORE INSERT ON public.transfer_receipt_line
  FOR EACH ROW EXECUTE FUNCTION public.transfer_receipt_line_check()
;;
CREATE FUNCTION public.disposal_line_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM public.movement
      JOIN public.account AS source ON source.id = movement.from_id
      JOIN public.account AS target ON target.id = movement.to_id
      JOIN public.disposal ON disposal.id = NEW.disposal_id
      JOIN public.lot ON lot.id = NEW.lot_id
      WHERE movement.id = NEW.movement_id AND movement.lot_id = NEW.lot_id AND movement.amount_ul = NEW.amount_ul
        AND source.location_id = NEW.location_id AND source.vial_id IS NOT DISTINCT FROM NEW.vial_id
        AND movement.kind = CASE disposal.kind WHEN 'return' THEN 'return' ELSE 'waste' END
        AND target.kind = CASE disposal.kind WHEN 'return' THEN 'returned' ELSE 'waste' END
        AND (NEW.vial_id IS NOT NULL OR NEW.amount_ul = NEW.containers * lot.container_volume_ul)) THEN
    RAISE EXCEPTION 'law:disposal_is_moved:disposal_line' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER disposal_line_check BEFORE INSERT ON public.disposal_line
  FOR EACH ROW EXECUTE FUNCTION public.disposal_line_check()
;;
CREATE FUNCTION public.stock_count_variance_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM public.stock_count_line AS line
      JOIN public.stock_count ON stock_count.id = line.count_id
      JOIN public.movement ON movement.id = NEW.movement_id
      JOIN public.account AS source ON source.id = movement.from_id
      JOIN public.account AS target ON target.id = movement.to_id
      WHERE line.count_id = NEW.count_id AND line.position = NEW.position AND movement.kind = 'adjust'
        AND movement.lot_id = line.lot_id AND movement.amount_ul = abs(line.counted_ul - line.expected_ul)
        AND CASE WHEN line.counted_ul > line.expected_ul THEN source.kind ELSE target.kind END = 'adjustment'
        AND CASE WHEN line.counted_ul > line.expected_ul THEN target.location_id ELSE source.location_id END
          = stock_count.location_id
        AND CASE WHEN line.counted_ul > line.expected_ul THEN target.vial_id ELSE source.vial_id END IS NOT DISTINCT FROM line.vial_id) THEN
    RAISE EXCEPTION 'law:variance_is_adjusted:stock_count_variance' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER stock_count_variance_check BEFORE INSERT ON public.stock_count_variance
  FOR EACH ROW EXECUTE FUNCTION public.stock_count_variance_check()
