"""Consents are closed, never edited: the database refuses anything else."""

from django.db import migrations

CONSENT = """
CREATE FUNCTION afterglow_consent_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
     OR (NEW.patient_id, NEW.purpose, NEW.channel, NEW.wording, NEW.opened_at,
         NEW.opened_by_id, NEW.opened_source)
        IS DISTINCT FROM
        (OLD.patient_id, OLD.purpose, OLD.channel, OLD.wording, OLD.opened_at,
         OLD.opened_by_id, OLD.opened_source)
  THEN
    RAISE EXCEPTION 'a consent is closed once and otherwise never changed'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER consent_closes_once BEFORE UPDATE OR DELETE ON patients_contactconsent
  FOR EACH ROW EXECUTE FUNCTION afterglow_consent_closes_once();
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial"), ("clinic", "0002_guards")]

    operations = [
        migrations.RunSQL(CONSENT, "DROP FUNCTION afterglow_consent_closes_once() CASCADE"),
    ]
