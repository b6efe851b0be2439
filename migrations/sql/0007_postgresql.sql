-- Whether an erasure names this row: it may then be blanked, and nothing else (law 10).
CREATE FUNCTION public.is_erased(its_table text, its_key uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM public.erasure_row
    WHERE table_name = its_table AND owner_key = replace(its_key::text, '-', '') AND is_blanked)
$$
;;
-- Arguments: the column that names the row, then each column that is blanked and what it becomes; what is empty stays so.
CREATE FUNCTION public.blank_only() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  wanted jsonb := to_jsonb(OLD);
BEGIN
  FOR place IN 1 .. TG_NARGS - 1 BY 2 LOOP
    IF wanted -> TG_ARGV[place] <> 'null'::jsonb THEN
      wanted := jsonb_set(wanted, ARRAY[TG_ARGV[place]], to_jsonb(TG_ARGV[place + 1]));
    END IF;
  END LOOP;
  IF to_jsonb(NEW) IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'law:blanked_only:%', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
