CREATE FUNCTION public.access_digest_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.number = 1 AND NEW.from_id = 1 AND NEW.previous_digest = repeat('0', 64) OR EXISTS (
      SELECT 1 FROM public.access_digest
      WHERE number = NEW.number - 1 AND to_id = NEW.from_id - 1 AND digest = NEW.previous_digest) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'law:sealed:access_digest' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER access_digest_follows BEFORE INSERT ON public.access_digest
  FOR EACH ROW EXECUTE FUNCTION public.access_digest_follows()
;;
CREATE FUNCTION public.access_entry_after_the_seal() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.id < 1 OR NEW.id <= (SELECT max(to_id) FROM public.access_digest) THEN
    RAISE EXCEPTION 'law:sealed:access_entry' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER access_entry_after_the_seal BEFORE INSERT ON public.access_entry
  FOR EACH ROW EXECUTE FUNCTION public.access_entry_after_the_seal()
