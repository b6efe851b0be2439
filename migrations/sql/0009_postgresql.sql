-- What a slot asks for is fixed when it is planned. It is decided once; a dose that is void gives it back, and one that is amended
-- may turn out to be of another day.
CREATE FUNCTION public.course_slot_decided() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.course_id, NEW.site_id, NEW.number, NEW.step_position, NEW.dose_in_step, NEW.due_on, NEW.opens_on,
      NEW.closes_on, NEW.anchor_on, NEW.dose_ng, NEW.planned_at)
    IS DISTINCT FROM
     (OLD.id, OLD.course_id, OLD.site_id, OLD.number, OLD.step_position, OLD.dose_in_step, OLD.due_on, OLD.opens_on,
      OLD.closes_on, OLD.anchor_on, OLD.dose_ng, OLD.planned_at)
    OR NOT (OLD.state = 'open' AND NEW.state <> 'open'
      OR OLD.state = 'given' AND NEW.state IN ('open', 'given', 'missed', 'withdrawn')) THEN
    RAISE EXCEPTION 'law:slot_decided:course_slot' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER course_slot_decided BEFORE UPDATE ON public.course_slot
  FOR EACH ROW EXECUTE FUNCTION public.course_slot_decided()
;;
-- A slot is fulfilled by one valid dose at most, and only while it stands as given.
CREATE FUNCTION public.dose_slot_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.course_slot WHERE id = NEW.slot_id AND state = 'given')
    OR EXISTS (
      SELECT 1 FROM public.dose_slot AS other WHERE other.slot_id = NEW.slot_id
        AND NOT EXISTS (SELECT 1 FROM public.dose_void WHERE dose_void.dose_id = other.dose_id)) THEN
    RAISE EXCEPTION 'law:slot_fulfilled_once:dose_slot' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER dose_slot_once BEFORE INSERT ON public.dose_slot
  FOR EACH ROW EXECUTE FUNCTION public.dose_slot_once()
