"""What is signed of a visit holds the visit, and what was treated holds the record, for everybody.

A visit whose log is signed stays done, in its series; a series stays with its patient, but along a
merge. And whether somebody was treated lately is read from the history, which only grows: a visit
that was done and says now that it was not is no way to have a record destroyed.
"""

from django.db import migrations

VISIT = """
CREATE FUNCTION afterglow_visit_of_record_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM appointments_treatmentrecord
              WHERE appointment_id = OLD.id AND signed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'the log of this visit is signed: it stays done, and in its series'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER visit_of_record_stays BEFORE UPDATE OF state, series_id ON appointments_appointment
  FOR EACH ROW
  WHEN (OLD.series_id <> NEW.series_id OR OLD.state = 'done' AND NEW.state <> 'done')
  EXECUTE FUNCTION afterglow_visit_of_record_stays();
"""

SERIES = """
CREATE FUNCTION afterglow_series_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT afterglow_goes_over(OLD.patient_id, NEW.patient_id) THEN
    RAISE EXCEPTION 'a series goes over to another patient along a merge only'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER series_stays BEFORE UPDATE OF patient_id ON appointments_treatmentseries
  FOR EACH ROW WHEN (OLD.patient_id <> NEW.patient_id)
  EXECUTE FUNCTION afterglow_series_stays();
"""

# It is closed with what came of it, and never taken away.
EVENT = "REVOKE DELETE ON appointments_adverseevent FROM afterglow_app"

IS_OVER = """
CREATE OR REPLACE FUNCTION afterglow_time_is_over(whose bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM patients_patient WHERE id = whose AND erased_at IS NOT NULL)
     AND NOT EXISTS (
       SELECT FROM appointments_appointment AS visit
         JOIN appointments_treatmentseries AS series ON series.id = visit.series_id
        WHERE series.patient_id = whose AND visit.starts_at > now() - interval '3 years'
          AND (visit.state = 'done' OR EXISTS (
            SELECT FROM appointments_statuschange AS act
             WHERE act.appointment_id = visit.id AND act.move = 'complete'
               AND NOT EXISTS (SELECT FROM appointments_statuschange AS undoing
                                WHERE undoing.undoes_id = act.id))))
$$;
"""
IS_OVER_BEFORE = """
CREATE OR REPLACE FUNCTION afterglow_time_is_over(whose bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM patients_patient WHERE id = whose AND erased_at IS NOT NULL)
     AND NOT EXISTS (
       SELECT FROM appointments_appointment AS visit
         JOIN appointments_treatmentseries AS series ON series.id = visit.series_id
        WHERE series.patient_id = whose AND visit.state = 'done'
          AND visit.starts_at > now() - interval '3 years')
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0022_what_patients_do_themselves")]

    operations = [
        migrations.RunSQL(VISIT, "DROP FUNCTION afterglow_visit_of_record_stays() CASCADE"),
        migrations.RunSQL(SERIES, "DROP FUNCTION afterglow_series_stays() CASCADE"),
        migrations.RunSQL(EVENT, "GRANT DELETE ON appointments_adverseevent TO afterglow_app"),
        migrations.RunSQL(IS_OVER, IS_OVER_BEFORE),
    ]
