"""What never changes otherwise may go over to the other record of a merge, and only that."""

from django.db import migrations

GOES_OVER = """
CREATE FUNCTION afterglow_goes_over(former bigint, later bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM patients_recordmerge
                  WHERE undone_at IS NULL
                    AND (former, later) IN ((gone_id, kept_id), (kept_id, gone_id)))
$$;
"""

# The audit trail says what happened to the record that there was: it stays with it.
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION afterglow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME <> 'clinic_auditentry' THEN
    IF to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
       AND afterglow_goes_over((to_jsonb(OLD) ->> 'patient_id')::bigint,
                               (to_jsonb(NEW) ->> 'patient_id')::bigint)
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""
APPEND_ONLY_BEFORE = """
CREATE OR REPLACE FUNCTION afterglow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""

CONSENT = """
CREATE OR REPLACE FUNCTION afterglow_consent_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
     AND afterglow_goes_over(OLD.patient_id, NEW.patient_id)
  THEN
    RETURN NEW;
  END IF;
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
"""

SIGNED_FORM = """
CREATE OR REPLACE FUNCTION afterglow_signed_form_withdrawn_once() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  of_withdrawal text[] :=
    '{withdrawn_at,withdrawn_by_id,withdrawn_source,withdrawn_reason}';
BEGIN
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
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
     AND afterglow_goes_over(OLD.patient_id, NEW.patient_id)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'screening answers and decisions are added and never changed'
    USING ERRCODE = 'restrict_violation';
END $$;
"""

# With the owner's rights, because the role that runs may not touch some of these tables at all; so
# it looks itself whether there is such a merge, and at columns that name a patient only.
TAKE_OVER = """
CREATE FUNCTION afterglow_take_over(
  source text, named text, ids bigint[], former bigint, later bigint
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE moved bigint;
BEGIN
  IF NOT afterglow_goes_over(former, later) THEN
    RAISE EXCEPTION 'no merge joins the records % and %', former, later
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT EXISTS (
       SELECT FROM pg_constraint AS reference
         JOIN pg_attribute AS part
           ON part.attrelid = reference.conrelid AND part.attnum = reference.conkey[1]
        WHERE reference.contype = 'f' AND reference.conrelid = to_regclass(quote_ident(source))
          AND reference.confrelid = 'patients_patient'::regclass AND part.attname = named)
     OR source IN ('patients_patient', 'patients_recordmerge')
  THEN
    RAISE EXCEPTION '%.% names no patient', source, named USING ERRCODE = 'restrict_violation';
  END IF;
  EXECUTE format('UPDATE %I SET %I = $1 WHERE %I = $2 AND id = ANY ($3)', source, named, named)
    USING later, former, ids;
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_patient_life"), ("clinic", "0002_guards")]

    operations = [
        migrations.RunSQL(GOES_OVER, "DROP FUNCTION afterglow_goes_over"),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_BEFORE),
        migrations.RunSQL(CONSENT, migrations.RunSQL.noop),
        migrations.RunSQL(SIGNED_FORM, migrations.RunSQL.noop),
        migrations.RunSQL(SCREENING, migrations.RunSQL.noop),
        migrations.RunSQL(TAKE_OVER, "DROP FUNCTION afterglow_take_over"),
    ]
