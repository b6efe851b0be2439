-- What is closed is closed: a follow-up is entered before.
CREATE TRIGGER incident_note_while_open BEFORE INSERT ON incident_note BEGIN
  SELECT RAISE(ABORT, 'law:incident_open:incident_note')
    WHERE EXISTS (SELECT 1 FROM incident WHERE id = NEW.incident_id AND closed_at IS NOT NULL);
END
;;
CREATE TRIGGER incident_note_replaces_none BEFORE INSERT ON incident_note BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:incident_note')
    WHERE EXISTS (SELECT 1 FROM incident_note WHERE incident_id = NEW.incident_id AND number = NEW.number);
END
;;
CREATE TRIGGER gate_rule_replaces_none BEFORE INSERT ON gate_rule BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:gate_rule')
    WHERE EXISTS (SELECT 1 FROM gate_rule WHERE code = NEW.code AND version = NEW.version);
END
