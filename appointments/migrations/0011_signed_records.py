"""A signed record never changes, and what corrects it neither: for everybody."""

from django.db import migrations

# The digest is looked at as the row is signed, so that none can be stored that is not its own.
SIGNED = """
CREATE FUNCTION afterglow_record_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.signed_at IS NOT NULL THEN
    RAISE EXCEPTION 'a signed record never changes; write an addendum'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF NEW.signed_at IS NOT NULL
     AND NEW.digest IS DISTINCT FROM encode(sha256(convert_to(NEW.statement, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'the digest of a signed record is not that of its statement'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER record_signed BEFORE INSERT OR UPDATE OR DELETE ON appointments_treatmentrecord
  FOR EACH ROW EXECUTE FUNCTION afterglow_record_signed();
REVOKE DELETE ON appointments_treatmentrecord FROM afterglow_app;
"""

ADDENDUM = """
CREATE FUNCTION afterglow_addendum_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM appointments_treatmentrecord
                  WHERE id = NEW.record_id AND signed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'an addendum stands upon a signed record only'
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.digest IS DISTINCT FROM encode(sha256(convert_to(NEW.statement, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'the digest of an addendum is not that of its statement'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER addendum_stands BEFORE INSERT ON appointments_addendum
  FOR EACH ROW EXECUTE FUNCTION afterglow_addendum_stands();
CREATE TRIGGER addendum_append_only BEFORE UPDATE OR DELETE ON appointments_addendum
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON appointments_addendum FROM afterglow_app;
"""

CREDIT = """
CREATE TRIGGER credit_append_only BEFORE UPDATE OR DELETE ON appointments_sessioncredit
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON appointments_sessioncredit FROM afterglow_app;
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0010_treatment_records"), ("clinic", "0002_guards")]

    operations = [
        migrations.RunSQL(SIGNED, "DROP FUNCTION afterglow_record_signed() CASCADE"),
        migrations.RunSQL(ADDENDUM, "DROP FUNCTION afterglow_addendum_stands() CASCADE"),
        migrations.RunSQL(CREDIT, "DROP TRIGGER credit_append_only ON appointments_sessioncredit"),
    ]
