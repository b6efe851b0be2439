-- What was retracted is not corrected: it is typed anew.
CREATE FUNCTION public.lab_result_after_retraction() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.lab_result WHERE id = NEW.corrects_id AND is_retraction) THEN
    RAISE EXCEPTION 'law:after_retraction:lab_result' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER lab_result_after_retraction BEFORE INSERT ON public.lab_result
  FOR EACH ROW EXECUTE FUNCTION public.lab_result_after_retraction()
;;
CREATE FUNCTION public.symptom_score_after_retraction() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.symptom_score WHERE id = NEW.corrects_id AND is_retraction) THEN
    RAISE EXCEPTION 'law:after_retraction:symptom_score' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER symptom_score_after_retraction BEFORE INSERT ON public.symptom_score
  FOR EACH ROW EXECUTE FUNCTION public.symptom_score_after_retraction()
