CREATE FUNCTION public.patient_merge_heads() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM public.patient WHERE id IN (NEW.kept_id, NEW.merged_id) ORDER BY id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM public.patient WHERE id IN (NEW.kept_id, NEW.merged_id) AND person_id <> id) THEN
    RAISE EXCEPTION 'law:merge_of_heads:patient_merge' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
;;
CREATE TRIGGER patient_merge_heads BEFORE INSERT ON public.patient_merge
  FOR EACH ROW EXECUTE FUNCTION public.patient_merge_heads()
;;
CREATE FUNCTION public.patient_merge_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE public.patient SET person_id = NEW.kept_id
    WHERE id IN (NEW.kept_id, NEW.merged_id) OR person_id = NEW.merged_id;
  RETURN NULL;
END $$
;;
CREATE TRIGGER patient_merge_apply AFTER INSERT ON public.patient_merge
  FOR EACH ROW EXECUTE FUNCTION public.patient_merge_apply()
;;
CREATE FUNCTION public.patient_merge_undo_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE public.patient SET person_id = (
      SELECT chain.id FROM (WITH RECURSIVE up(id) AS (
        SELECT patient.id UNION SELECT m.kept_id FROM public.patient_merge m JOIN up ON up.id = m.merged_id
        WHERE NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id)) SELECT id FROM up) chain
      WHERE NOT EXISTS (SELECT 1 FROM public.patient_merge m WHERE m.merged_id = chain.id
          AND NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id))
        AND EXISTS (SELECT 1 FROM public.patient_merge m WHERE patient.id IN (m.kept_id, m.merged_id)
          AND NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id)))
    WHERE person_id = (
      SELECT p.person_id FROM public.patient_merge m JOIN public.patient p ON p.id = m.merged_id WHERE m.id = NEW.merge_id);
  RETURN NULL;
END $$
;;
CREATE TRIGGER patient_merge_undo_apply AFTER INSERT ON public.patient_merge_undo
  FOR EACH ROW EXECUTE FUNCTION public.patient_merge_undo_apply()
;;
CREATE FUNCTION public.patient_person_by_merge() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.person_id IS NOT DISTINCT FROM (
      SELECT chain.id FROM (WITH RECURSIVE up(id) AS (
        SELECT NEW.id UNION SELECT m.kept_id FROM public.patient_merge m JOIN up ON up.id = m.merged_id
        WHERE NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id)) SELECT id FROM up) chain
      WHERE NOT EXISTS (SELECT 1 FROM public.patient_merge m WHERE m.merged_id = chain.id
          AND NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id))
        AND EXISTS (SELECT 1 FROM public.patient_merge m WHERE NEW.id IN (m.kept_id, m.merged_id)
          AND NOT EXISTS (SELECT 1 FROM public.patient_merge_undo u WHERE u.merge_id = m.id))) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'law:person_by_merge:patient' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER patient_person_by_merge BEFORE UPDATE OF person_id ON public.patient
  FOR EACH ROW WHEN (NEW.person_id IS DISTINCT FROM OLD.person_id) EXECUTE FUNCTION public.patient_person_by_merge()
;;
CREATE TRIGGER patient_born_unmerged BEFORE INSERT ON public.patient
  FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION public.patient_person_by_merge()
;;
CREATE FUNCTION public.gate_rule_may_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'law:gate_may_change:gate_rule' USING ERRCODE = 'integrity_constraint_violation';
END $$
;;
CREATE TRIGGER gate_rule_may_change BEFORE INSERT ON public.gate_rule
  FOR EACH ROW WHEN (NEW.code = 'PATIENT-DECEASED') EXECUTE FUNCTION public.gate_rule_may_change()
