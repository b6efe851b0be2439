CREATE TRIGGER lab_result_whole BEFORE INSERT ON lab_result BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:lab_result')
    WHERE typeof(NEW.value_millionths) <> 'integer' OR typeof(NEW.value_places) <> 'integer'
      OR typeof(NEW.low_millionths) NOT IN ('integer', 'null') OR typeof(NEW.high_millionths) NOT IN ('integer', 'null');
END
;;
CREATE TRIGGER symptom_score_whole BEFORE INSERT ON symptom_score BEGIN
  SELECT RAISE(ABORT, 'law:whole_amount:symptom_score')
    WHERE typeof(NEW.energy) NOT IN ('integer', 'null') OR typeof(NEW.skin) NOT IN ('integer', 'null')
      OR typeof(NEW.mood) NOT IN ('integer', 'null') OR typeof(NEW.numbness) NOT IN ('integer', 'null');
END
;;
-- What was retracted is not corrected: it is typed anew.
CREATE TRIGGER lab_result_after_retraction BEFORE INSERT ON lab_result BEGIN
  SELECT RAISE(ABORT, 'law:after_retraction:lab_result')
    WHERE EXISTS (SELECT 1 FROM lab_result WHERE id = NEW.corrects_id AND is_retraction);
END
;;
CREATE TRIGGER symptom_score_after_retraction BEFORE INSERT ON symptom_score BEGIN
  SELECT RAISE(ABORT, 'law:after_retraction:symptom_score')
    WHERE EXISTS (SELECT 1 FROM symptom_score WHERE id = NEW.corrects_id AND is_retraction);
END
;;
-- A REPLACE deletes what is in the way of a unique column, and fires no trigger of deletion.
CREATE TRIGGER lab_result_replaces_none BEFORE INSERT ON lab_result BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:lab_result')
    WHERE EXISTS (SELECT 1 FROM lab_result WHERE corrects_id = NEW.corrects_id);
END
;;
CREATE TRIGGER symptom_score_replaces_none BEFORE INSERT ON symptom_score BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:symptom_score')
    WHERE EXISTS (SELECT 1 FROM symptom_score WHERE corrects_id = NEW.corrects_id);
END
