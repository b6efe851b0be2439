-- Whose record it is follows from the merges that stand, and from nothing else.
CREATE TRIGGER patient_merge_heads BEFORE INSERT ON patient_merge BEGIN
  SELECT RAISE(ABORT, 'law:merge_of_heads:patient_merge')
    WHERE EXISTS (SELECT 1 FROM patient WHERE id IN (NEW.kept_id, NEW.merged_id) AND person_id <> id);
END
;;
CREATE TRIGGER patient_merge_apply AFTER INSERT ON patient_merge BEGIN
  UPDATE patient SET person_id = NEW.kept_id WHERE id IN (NEW.kept_id, NEW.merged_id) OR person_id = NEW.merged_id;
END
;;
CREATE TRIGGER patient_merge_undo_apply AFTER INSERT ON patient_merge_undo BEGIN
  UPDATE patient SET person_id = (
      SELECT chain.id FROM (WITH RECURSIVE up(id) AS (
        SELECT patient.id UNION SELECT m.kept_id FROM patient_merge m JOIN up ON up.id = m.merged_id
        WHERE NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id)) SELECT id FROM up) chain
      WHERE NOT EXISTS (SELECT 1 FROM patient_merge m WHERE m.merged_id = chain.id
          AND NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id))
        AND EXISTS (SELECT 1 FROM patient_merge m WHERE patient.id IN (m.kept_id, m.merged_id)
          AND NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id)))
    WHERE person_id = (SELECT p.person_id FROM patient_merge m JOIN patient p ON p.id = m.merged_id WHERE m.id = NEW.merge_id);
END
;;
CREATE TRIGGER patient_person_by_merge BEFORE UPDATE OF person_id ON patient WHEN NEW.person_id IS NOT OLD.person_id BEGIN
  SELECT RAISE(ABORT, 'law:person_by_merge:patient') WHERE NEW.person_id IS NOT (
      SELECT chain.id FROM (WITH RECURSIVE up(id) AS (
        SELECT NEW.id UNION SELECT m.kept_id FROM patient_merge m JOIN up ON up.id = m.merged_id
        WHERE NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id)) SELECT id FROM up) chain
      WHERE NOT EXISTS (SELECT 1 FROM patient_merge m WHERE m.merged_id = chain.id
          AND NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id))
        AND EXISTS (SELECT 1 FROM patient_merge m WHERE NEW.id IN (m.kept_id, m.merged_id)
          AND NOT EXISTS (SELECT 1 FROM patient_merge_undo u WHERE u.merge_id = m.id)));
END
;;
CREATE TRIGGER patient_born_unmerged BEFORE INSERT ON patient WHEN NEW.person_id IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'law:person_by_merge:patient');
END
;;
-- A gate that lets a dose pass to somebody who died is none.
CREATE TRIGGER gate_rule_may_change BEFORE INSERT ON gate_rule WHEN NEW.code = 'PATIENT-DECEASED' BEGIN
  SELECT RAISE(ABORT, 'law:gate_may_change:gate_rule');
END
