-- What a slot asks for is fixed when it is planned. It is decided once; a dose that is void gives it back, and one that is amended
-- may turn out to be of another day.
CREATE TRIGGER course_slot_decided BEFORE UPDATE ON course_slot BEGIN
  SELECT RAISE(ABORT, 'law:slot_decided:course_slot') WHERE
    NEW.id IS NOT OLD.id OR NEW.course_id IS NOT OLD.course_id OR NEW.site_id IS NOT OLD.site_id
    OR NEW.number IS NOT OLD.number OR NEW.step_position IS NOT OLD.step_position
    OR NEW.dose_in_step IS NOT OLD.dose_in_step OR NEW.due_on IS NOT OLD.due_on OR NEW.opens_on IS NOT OLD.opens_on
    OR NEW.closes_on IS NOT OLD.closes_on OR NEW.anchor_on IS NOT OLD.anchor_on OR NEW.dose_ng IS NOT OLD.dose_ng
    OR NEW.planned_at IS NOT OLD.planned_at
    OR NOT (OLD.state = 'open' AND NEW.state <> 'open'
      OR OLD.state = 'given' AND NEW.state IN ('open', 'given', 'missed', 'withdrawn'));
END
;;
-- A slot is fulfilled by one valid dose at most, and only while it stands as given.
CREATE TRIGGER dose_slot_once BEFORE INSERT ON dose_slot BEGIN
  SELECT RAISE(ABORT, 'law:slot_fulfilled_once:dose_slot') WHERE
    NOT EXISTS (SELECT 1 FROM course_slot WHERE id = NEW.slot_id AND state = 'given')
    OR EXISTS (
      SELECT 1 FROM dose_slot AS other WHERE other.slot_id = NEW.slot_id
        AND NOT EXISTS (SELECT 1 FROM dose_void WHERE dose_void.dose_id = other.dose_id));
END
