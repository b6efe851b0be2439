CREATE TRIGGER access_digest_follows BEFORE INSERT ON access_digest BEGIN
  SELECT RAISE(ABORT, 'law:sealed:access_digest') WHERE NOT (
    NEW.number = 1 AND NEW.from_id = 1 AND NEW.previous_digest = printf('%064d', 0) OR EXISTS (
      SELECT 1 FROM access_digest WHERE number = NEW.number - 1 AND to_id = NEW.from_id - 1 AND digest = NEW.previous_digest));
END
;;
CREATE TRIGGER access_digest_replaces_none BEFORE INSERT ON access_digest BEGIN
  SELECT RAISE(ABORT, 'law:insert_only:access_digest')
    WHERE EXISTS (SELECT 1 FROM access_digest WHERE number = NEW.number OR to_id = NEW.to_id);
END
;;
-- The id of a look is made by the row itself, so it is known afterwards only.
CREATE TRIGGER access_entry_after_the_seal AFTER INSERT ON access_entry
WHEN NEW.id <= (SELECT max(to_id) FROM access_digest) OR NEW.id < 1 BEGIN
  SELECT RAISE(ABORT, 'law:sealed:access_entry');
END
