"""What never changes is destroyed once the time of an erased record is over, and not before.

The functions look for themselves whether it is over, so that nobody destroys a record of the last
three years, whatever they claim: the record must be erased, and its last treatment older.
"""

from django.db import migrations

IS_OVER = """
CREATE FUNCTION afterglow_time_is_over(whose bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM patients_patient WHERE id = whose AND erased_at IS NOT NULL)
     AND NOT EXISTS (
       SELECT FROM appointments_appointment AS visit
         JOIN appointments_treatmentseries AS series ON series.id = visit.series_id
        WHERE series.patient_id = whose AND visit.state = 'done'
          AND visit.starts_at > now() - interval '3 years')
$$;
"""

WHOSE = """
CREATE FUNCTION afterglow_patient_of(part jsonb) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (part ->> 'patient_id')::bigint,
    (SELECT patient_id FROM appointments_treatmentseries
      WHERE id = (part ->> 'series_id')::bigint),
    (SELECT series.patient_id FROM appointments_appointment AS visit
       JOIN appointments_treatmentseries AS series ON series.id = visit.series_id
      WHERE visit.id = (part ->> 'appointment_id')::bigint),
    (SELECT series.patient_id FROM appointments_treatmentrecord AS record
       JOIN appointments_appointment AS visit ON visit.id = record.appointment_id
       JOIN appointments_treatmentseries AS series ON series.id = visit.series_id
      WHERE record.id = (part ->> 'record_id')::bigint))
$$;
"""

# As they were, but for the rows of a record whose time is over. The audit trail stays always.
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION afterglow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME <> 'clinic_auditentry' THEN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
       AND afterglow_goes_over((to_jsonb(OLD) ->> 'patient_id')::bigint,
                               (to_jsonb(NEW) ->> 'patient_id')::bigint)
    THEN
      RETURN NEW;
    END IF;
    IF afterglow_time_is_over(afterglow_patient_of(to_jsonb(OLD))) THEN
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
  END IF;
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""

RECORD = """
CREATE OR REPLACE FUNCTION afterglow_record_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.signed_at IS NOT NULL
     AND NOT (TG_OP = 'DELETE'
              AND afterglow_time_is_over(afterglow_patient_of(to_jsonb(OLD)))) THEN
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
"""

SIGNED_FORM = """
CREATE OR REPLACE FUNCTION afterglow_signed_form_withdrawn_once() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  of_withdrawal text[] :=
    '{withdrawn_at,withdrawn_by_id,withdrawn_source,withdrawn_reason}';
BEGIN
  IF TG_OP = 'DELETE' AND afterglow_time_is_over(OLD.patient_id) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
     AND afterglow_goes_over(OLD.patient_id, NEW.patient_id)
  THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL
     OR to_jsonb(NEW) - of_withdrawal IS DISTINCT FROM to_jsonb(OLD) - of_withdrawal
  THEN
    RAISE EXCEPTION 'a signed form is withdrawn once and otherwise never changed'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""

SCREENING = """
CREATE OR REPLACE FUNCTION afterglow_screening_is_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND afterglow_time_is_over(OLD.patient_id) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
     AND afterglow_goes_over(OLD.patient_id, NEW.patient_id)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'screening answers and decisions are added and never changed'
    USING ERRCODE = 'restrict_violation';
END $$;
"""

# With the owner's rights, because the role that runs may not delete from some of these tables.
DESTROY = """
CREATE FUNCTION afterglow_destroy(whose bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  visits bigint[];
  courses bigint[];
  part bigint;
  gone bigint := 0;
BEGIN
  IF NOT afterglow_time_is_over(whose) THEN
    RAISE EXCEPTION 'the time of the record % is not over', whose
      USING ERRCODE = 'restrict_violation';
  END IF;
  courses := ARRAY(SELECT id FROM appointments_treatmentseries WHERE patient_id = whose);
  visits := ARRAY(SELECT id FROM appointments_appointment WHERE series_id = ANY (courses));
  DELETE FROM appointments_addendum WHERE record_id IN (
    SELECT id FROM appointments_treatmentrecord WHERE appointment_id = ANY (visits));
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM appointments_treatmentrecord WHERE appointment_id = ANY (visits);
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM appointments_sessioncredit WHERE appointment_id = ANY (visits);
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM appointments_outcomescore WHERE series_id = ANY (courses);
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM appointments_adverseevent WHERE patient_id = whose;
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM appointments_photo WHERE patient_id = whose;
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM patients_signedform WHERE patient_id = whose;
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM patients_screeninganswer WHERE patient_id = whose;
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  DELETE FROM patients_screeningdecision WHERE patient_id = whose;
  GET DIAGNOSTICS part = ROW_COUNT; gone := gone + part;
  UPDATE appointments_statuschange SET reason = '' WHERE appointment_id = ANY (visits)
     AND reason <> '';
  UPDATE appointments_statuschange SET override_reason = 'Erased'
   WHERE appointment_id = ANY (visits) AND override_reason <> '';
  UPDATE appointments_appointment SET override_reason = 'Erased'
   WHERE id = ANY (visits) AND override_reason <> '';
  UPDATE appointments_treatmentseries SET closed_reason = 'Erased'
   WHERE id = ANY (courses) AND closed_reason <> '';
  RETURN gone;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0017_rows_of_patients"), ("patients", "0007_going_over")]

    operations = [
        migrations.RunSQL(IS_OVER, "DROP FUNCTION afterglow_time_is_over"),
        migrations.RunSQL(WHOSE, "DROP FUNCTION afterglow_patient_of"),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
        migrations.RunSQL(RECORD, migrations.RunSQL.noop),
        migrations.RunSQL(SIGNED_FORM, migrations.RunSQL.noop),
        migrations.RunSQL(SCREENING, migrations.RunSQL.noop),
        migrations.RunSQL(DESTROY, "DROP FUNCTION afterglow_destroy"),
    ]
