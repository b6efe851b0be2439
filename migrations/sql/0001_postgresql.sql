-- The laws of the first house, held by PostgreSQL. Statements are parted by a line of two semicolons.
-- Every function names its schema: a temporary table must never stand before ours.

CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'law:%:%', TG_ARGV[0], TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE FUNCTION public.movement_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  source public.account;
  lowest bigint;
BEGIN
  -- Locked in the order of their ids, then numbered: a later movement of an account always has the higher id.
  PERFORM 1 FROM public.account WHERE id IN (NEW.from_id, NEW.to_id) ORDER BY id FOR NO KEY UPDATE;
  NEW.id := nextval('public.movement_id_seq');
  IF NEW.reverses_id IS NOT NULL AND (NEW.occurred_at <> NEW.recorded_at OR NOT EXISTS (
      SELECT 1 FROM public.movement AS undone WHERE undone.id = NEW.reverses_id AND undone.kind <> 'reverse'
        AND undone.from_id = NEW.to_id AND undone.to_id = NEW.from_id AND undone.amount_ul = NEW.amount_ul)) THEN
    RAISE EXCEPTION 'law:exact_reversal:movement' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  SELECT * INTO source FROM public.account WHERE id = NEW.from_id;
  IF source.kind IN ('shelf', 'vial', 'transit') AND source.last_occurred_at > NEW.occurred_at THEN
    SELECT min(source.balance_ul - walked.later) INTO lowest FROM (
      SELECT sum(instant.change) OVER (ORDER BY instant.occurred_at DESC ROWS UNBOUNDED PRECEDING) AS later FROM (
        SELECT moved.occurred_at, sum(moved.change) AS change FROM (
          SELECT occurred_at, amount_ul AS change FROM public.movement
            WHERE to_id = NEW.from_id AND occurred_at > NEW.occurred_at
          UNION ALL
          SELECT occurred_at, -amount_ul FROM public.movement
            WHERE from_id = NEW.from_id AND occurred_at > NEW.occurred_at
        ) AS moved GROUP BY moved.occurred_at
      ) AS instant
    ) AS walked;
    IF NEW.amount_ul > lowest THEN
      RAISE EXCEPTION 'law:never_negative_past:movement' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER movement_check BEFORE INSERT ON public.movement
  FOR EACH ROW EXECUTE FUNCTION public.movement_check()
;;
ALTER TABLE public.movement ALTER COLUMN id DROP DEFAULT
;;
CREATE FUNCTION public.movement_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE public.account SET
    balance_ul = balance_ul + CASE WHEN id = NEW.to_id THEN NEW.amount_ul ELSE -NEW.amount_ul END,
    last_movement_id = NEW.id,
    last_occurred_at = greatest(last_occurred_at, NEW.occurred_at)
    WHERE id IN (NEW.from_id, NEW.to_id);
  IF (SELECT count(*) FROM public.account WHERE id IN (NEW.from_id, NEW.to_id) AND last_movement_id = NEW.id) <> 2 THEN
    RAISE EXCEPTION 'law:balance_is_ledger:movement' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$
;;
CREATE TRIGGER movement_apply AFTER INSERT ON public.movement
  FOR EACH ROW EXECUTE FUNCTION public.movement_apply()
;;
CREATE FUNCTION public.account_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.balance_ul = 0 AND NEW.last_movement_id = 0 AND NEW.last_occurred_at IS NULL THEN
      RETURN NEW;
    END IF;
  ELSIF (NEW.id, NEW.lot_id, NEW.kind) = (OLD.id, OLD.lot_id, OLD.kind)
      AND NEW.location_id IS NOT DISTINCT FROM OLD.location_id AND NEW.vial_id IS NOT DISTINCT FROM OLD.vial_id
      AND NEW.last_movement_id > OLD.last_movement_id
      AND EXISTS (
        SELECT 1 FROM public.movement WHERE movement.id = NEW.last_movement_id
          AND NEW.last_occurred_at = greatest(OLD.last_occurred_at, movement.occurred_at)
          AND NEW.balance_ul - OLD.balance_ul = CASE NEW.id
            WHEN movement.to_id THEN movement.amount_ul WHEN movement.from_id THEN -movement.amount_ul END) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'law:balance_is_ledger:account' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER account_guard BEFORE INSERT OR UPDATE ON public.account
  FOR EACH ROW EXECUTE FUNCTION public.account_guard()
;;
CREATE FUNCTION public.dose_source_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.dose WHERE id = NEW.dose_id) THEN
    RAISE EXCEPTION 'law:insert_only:dose_source' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT EXISTS (
      SELECT 1 FROM public.movement JOIN public.account ON account.id = movement.from_id
        WHERE movement.id = NEW.movement_id AND movement.kind = 'give' AND movement.amount_ul = NEW.volume_ul
          AND movement.lot_id = NEW.lot_id AND account.vial_id = NEW.vial_id) THEN
    RAISE EXCEPTION 'law:dose_is_drawn:dose_source' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF EXISTS (
      SELECT 1 FROM public.dose_source AS other WHERE other.movement_id = NEW.movement_id
        AND NOT EXISTS (SELECT 1 FROM public.dose_void WHERE dose_void.dose_id = other.dose_id)) THEN
    RAISE EXCEPTION 'law:given_once:dose_source' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER dose_source_check BEFORE INSERT ON public.dose_source
  FOR EACH ROW EXECUTE FUNCTION public.dose_source_check()
;;
CREATE FUNCTION public.dose_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.volume_ul IS DISTINCT FROM
      (SELECT sum(volume_ul)::bigint FROM public.dose_source WHERE dose_id = NEW.id) THEN
    RAISE EXCEPTION 'law:dose_is_drawn:dose' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER dose_check BEFORE INSERT ON public.dose FOR EACH ROW EXECUTE FUNCTION public.dose_check()
;;
CREATE FUNCTION public.counter_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.value = 0 THEN
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' AND NEW.value = OLD.value + 1 AND (NEW.site_id, NEW.kind) = (OLD.site_id, OLD.kind) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'law:gapless:counter' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER counter_guard BEFORE INSERT OR UPDATE ON public.counter
  FOR EACH ROW EXECUTE FUNCTION public.counter_guard()
;;
CREATE FUNCTION public.audit_link_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE public.audit_head SET seq = NEW.seq, hash = NEW.hash WHERE seq = NEW.seq - 1 AND hash = NEW.previous_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'law:chained:audit_link' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$
;;
CREATE TRIGGER audit_link_follows AFTER INSERT ON public.audit_link
  FOR EACH ROW EXECUTE FUNCTION public.audit_link_follows()
;;
CREATE FUNCTION public.audit_head_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.id = OLD.id AND NEW.seq = OLD.seq + 1 AND EXISTS (
      SELECT 1 FROM public.audit_link WHERE seq = NEW.seq AND hash = NEW.hash AND previous_hash = OLD.hash) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'law:chained:audit_head' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER audit_head_guard BEFORE UPDATE ON public.audit_head
  FOR EACH ROW EXECUTE FUNCTION public.audit_head_guard()
;;
-- Linked at COMMIT, so that the head is locked for an instant only, whoever writes beside.
CREATE FUNCTION public.audit_entry_link() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  head public.audit_head;
BEGIN
  SELECT * INTO head FROM public.audit_head WHERE id = 1 FOR UPDATE;
  INSERT INTO public.audit_link (seq, entry_id, previous_hash, hash) VALUES (
    head.seq + 1, NEW.id, head.hash,
    encode(sha256(decode(head.hash, 'hex') || int8send(head.seq + 1) || decode(NEW.digest, 'hex')), 'hex'));
  RETURN NULL;
END $$
;;
CREATE CONSTRAINT TRIGGER audit_entry_link AFTER INSERT ON public.audit_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.audit_entry_link()
;;
CREATE FUNCTION public.product_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.formulation_id, NEW.container_type, NEW.strength_ng, NEW.strength_ul, NEW.container_volume_ul)
      IS DISTINCT FROM
      (OLD.id, OLD.formulation_id, OLD.container_type, OLD.strength_ng, OLD.strength_ul, OLD.container_volume_ul)
      AND EXISTS (SELECT 1 FROM public.lot WHERE product_id = OLD.id) THEN
    RAISE EXCEPTION 'law:product_frozen:product' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER product_frozen BEFORE UPDATE ON public.product
  FOR EACH ROW EXECUTE FUNCTION public.product_frozen()
;;
CREATE FUNCTION public.vial_empty_when_closed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.closed_at IS NOT NULL AND EXISTS (
      SELECT 1 FROM public.account WHERE vial_id = NEW.id AND balance_ul <> 0) THEN
    RAISE EXCEPTION 'law:closed_vial_is_empty:vial' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER vial_empty_when_closed BEFORE UPDATE ON public.vial
  FOR EACH ROW EXECUTE FUNCTION public.vial_empty_when_closed()
;;
-- A row that is finished once: only the named columns may change, and only from nothing to something.
CREATE FUNCTION public.finish_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  before jsonb := to_jsonb(OLD) - TG_ARGV;
  after jsonb := to_jsonb(NEW) - TG_ARGV;
BEGIN
  IF before IS DISTINCT FROM after OR to_jsonb(OLD) ->> TG_ARGV[0] IS NOT NULL THEN
    RAISE EXCEPTION 'law:finished_once:%', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
