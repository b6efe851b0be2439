-- What is closed is closed: a follow-up is entered before. The incident's row is locked, so that nobody closes it meanwhile.
CREATE FUNCTION public.incident_note_while_open() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  closed timestamptz;
BEGIN
  SELECT closed_at INTO closed FROM public.incident WHERE id = NEW.incident_id FOR SHARE;
  IF closed IS NOT NULL THEN
    RAISE EXCEPTION 'law:incident_open:incident_note' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER incident_note_while_open BEFORE INSERT ON public.incident_note
  FOR EACH ROW EXECUTE FUNCTION public.incident_note_while_open()
