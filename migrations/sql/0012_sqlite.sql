CREATE TRIGGER reaction_check BEFORE INSERT ON reaction BEGIN
  SELECT RAISE(ABORT, 'law:reaction_to_dose:reaction') WHERE NOT EXISTS (
    SELECT 1 FROM dose WHERE id = NEW.dose_id AND site_id = NEW.site_id AND patient_id = NEW.patient_id
    AND given_at <= NEW.onset_at);
  SELECT RAISE(ABORT, 'law:reaction_corrected_once:reaction') WHERE NEW.corrects_id IS NOT NULL AND (
    EXISTS (SELECT 1 FROM reaction WHERE corrects_id = NEW.corrects_id)
    OR EXISTS (SELECT 1 FROM reaction_retraction WHERE case_id = NEW.case_id)
    OR NOT EXISTS (
      SELECT 1 FROM reaction WHERE id = NEW.corrects_id AND case_id = NEW.case_id AND NEW.said_id IN (NEW.id, said_id)));
END
;;
CREATE TRIGGER reaction_follow_up_check BEFORE INSERT ON reaction_follow_up BEGIN
  SELECT RAISE(ABORT, 'law:reaction_stands:reaction_follow_up') WHERE
    EXISTS (SELECT 1 FROM reaction_retraction WHERE case_id = NEW.case_id)
    OR NOT EXISTS (SELECT 1 FROM reaction WHERE id = NEW.case_id AND case_id = id);
END
;;
CREATE TRIGGER reaction_decision_check BEFORE INSERT ON reaction_decision BEGIN
  SELECT RAISE(ABORT, 'law:reaction_stands:reaction_decision') WHERE NOT EXISTS (
    SELECT 1 FROM reaction said WHERE said.id = NEW.said_id AND said.is_grave
    AND NOT EXISTS (SELECT 1 FROM reaction_retraction WHERE case_id = said.case_id)
    AND EXISTS (
      SELECT 1 FROM reaction newest WHERE newest.case_id = said.case_id AND newest.said_id = said.id
      AND NOT EXISTS (SELECT 1 FROM reaction later WHERE later.corrects_id = newest.id)));
END
;;
CREATE TRIGGER reaction_retraction_check BEFORE INSERT ON reaction_retraction BEGIN
  SELECT RAISE(ABORT, 'law:reaction_stands:reaction_retraction')
    WHERE NOT EXISTS (SELECT 1 FROM reaction WHERE id = NEW.case_id AND case_id = id);
END
