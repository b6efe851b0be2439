CREATE FUNCTION public.reaction_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM public.dose WHERE id = NEW.dose_id AND site_id = NEW.site_id AND patient_id = NEW.patient_id
    AND given_at <= NEW.onset_at) THEN
    RAISE EXCEPTION 'law:reaction_to_dose:reaction' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.corrects_id IS NOT NULL AND (
    EXISTS (SELECT 1 FROM public.reaction WHERE corrects_id = NEW.corrects_id)
    OR EXISTS (SELECT 1 FROM public.reaction_retraction WHERE case_id = NEW.case_id)
    OR NOT EXISTS (
      SELECT 1 FROM public.reaction
      WHERE id = NEW.corrects_id AND case_id = NEW.case_id AND NEW.said_id IN (NEW.id, said_id))) THEN
    RAISE EXCEPTION 'law:reaction_corrected_once:reaction' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER reaction_check BEFORE INSERT ON public.reaction FOR EACH ROW EXECUTE FUNCTION public.reaction_check()
;;
CREATE FUNCTION public.reaction_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.reaction WHERE id = NEW.case_id AND case_id = id)
    OR EXISTS (SELECT 1 FROM public.reaction_retraction WHERE case_id = NEW.case_id) THEN
    RAISE EXCEPTION 'law:reaction_stands:%', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER reaction_follow_up_check BEFORE INSERT ON public.reaction_follow_up
  FOR EACH ROW EXECUTE FUNCTION public.reaction_stands()
;;
CREATE TRIGGER reaction_retraction_check BEFORE INSERT ON public.reaction_retraction
  FOR EACH ROW EXECUTE FUNCTION public.reaction_stands()
;;
CREATE FUNCTION public.reaction_decision_check() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM public.reaction said WHERE said.id = NEW.said_id AND said.is_grave
    AND NOT EXISTS (SELECT 1 FROM public.reaction_retraction WHERE case_id = said.case_id)
    AND EXISTS (
      SELECT 1 FROM public.reaction newest WHERE newest.case_id = said.case_id AND newest.said_id = said.id
      AND NOT EXISTS (SELECT 1 FROM public.reaction later WHERE later.corrects_id = newest.id))) THEN
    RAISE EXCEPTION 'law:reaction_stands:reaction_decision' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER reaction_decision_check BEFORE INSERT ON public.reaction_decision
  FOR EACH ROW EXECUTE FUNCTION public.reaction_decision_check()
