"""The scheduler's and the record's tables, and what the database refuses to change in them.

What never changes is destroyed once the time of an erased record is over, and not before. The
functions look for themselves whether it is over, so that nobody destroys a record of the last three
years, whatever they claim: the record must be erased, and its last treatment older.
"""

import datetime
import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import appointments.lifecycle

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

HISTORY = """
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE ON appointments_statuschange
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON appointments_statuschange FROM afterglow_app;
"""

# A visit that is done, or locked, keeps its time: for every writer.
VISIT = """
CREATE FUNCTION afterglow_appointment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a visit that is done or locked is never moved'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER appointment_stays BEFORE UPDATE ON appointments_appointment
  FOR EACH ROW
  WHEN ((OLD.state = 'done' OR OLD.is_locked AND NEW.is_locked AND NEW.state <> 'cancelled')
        AND (NEW.starts_at, NEW.ends_at, NEW.site_id) IS DISTINCT FROM
            (OLD.starts_at, OLD.ends_at, OLD.site_id))
  EXECUTE FUNCTION afterglow_appointment_stays();
"""

# The exclusion constraint does not see deliberate rows; this keeps all others off their time.
BESIDE = """
CREATE FUNCTION afterglow_allocation_beside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM appointments_allocation taken
              WHERE taken.active AND taken.is_deliberate AND taken.resource_id = NEW.resource_id
                AND taken.id <> NEW.id
                AND taken.starts_at < NEW.ends_at AND taken.ends_at > NEW.starts_at) THEN
    RAISE EXCEPTION 'the time lies over a visit that was put there on purpose'
      USING ERRCODE = 'exclusion_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER allocation_beside BEFORE INSERT OR UPDATE OF active, starts_at, ends_at, resource_id
  ON appointments_allocation
  FOR EACH ROW WHEN (NEW.active AND NOT NEW.is_deliberate)
  EXECUTE FUNCTION afterglow_allocation_beside();
"""

# The digest is looked at as the row is signed, so that none can be stored that is not its own.
RECORD = """
CREATE FUNCTION afterglow_record_signed() RETURNS trigger LANGUAGE plpgsql AS $$
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

SCORES = """
CREATE TRIGGER score_append_only BEFORE UPDATE OR DELETE ON appointments_outcomescore
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON appointments_outcomescore FROM afterglow_app;
"""

PHOTO = """
CREATE FUNCTION afterglow_photo_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  may_change text[] := '{area,view,appointment_id,event_id,reviewed_at,reviewed_by_id,
                         removed_at,removed_by_id,removed_reason}';
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF afterglow_time_is_over(OLD.patient_id) THEN
      RETURN OLD;
    END IF;
  ELSIF to_jsonb(NEW) - 'patient_id' = to_jsonb(OLD) - 'patient_id'
        AND afterglow_goes_over(OLD.patient_id, NEW.patient_id)
     OR OLD.removed_at IS NULL
        AND to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a photo is described and taken out, and otherwise never changed'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER photo_stays BEFORE UPDATE OR DELETE ON appointments_photo
  FOR EACH ROW EXECUTE FUNCTION afterglow_photo_stays();
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
    replaces = [
        ("appointments", "0001_initial"),
        ("appointments", "0002_initial"),
        ("appointments", "0003_guards"),
        ("appointments", "0004_scheduler"),
        ("appointments", "0005_earlier_than_a_start"),
        ("appointments", "0006_feed_content"),
        ("appointments", "0007_true_times_and_overrides"),
        ("appointments", "0008_tasks_of_a_site"),
        ("appointments", "0009_waitlist_rank"),
        ("appointments", "0010_treatment_records"),
        ("appointments", "0011_signed_records"),
        ("appointments", "0012_imports"),
        ("appointments", "0013_recall_attempts"),
        ("appointments", "0014_adverse_events"),
        ("appointments", "0015_photos"),
        ("appointments", "0016_outcome_scores"),
        ("appointments", "0017_rows_of_patients"),
        ("appointments", "0018_destroying"),
        ("appointments", "0019_photos_stay"),
        ("appointments", "0020_visit_lengths"),
        ("appointments", "0021_asking_in_writing"),
        ("appointments", "0022_what_patients_do_themselves"),
    ]

    initial = True

    dependencies = [
        ("patients", "0001_tables_and_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="TreatmentSeries",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="series",
                        to="patients.patient",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="series",
                        to="clinic.site",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="series",
                        to="clinic.protocolversion",
                    ),
                ),
                (
                    "areas",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(),
                        help_text="Area ids of the protocol.",
                        size=None,
                    ),
                ),
                (
                    "sessions",
                    models.PositiveSmallIntegerField(help_text="Sessions agreed, booked or not."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("completed", "Completed"),
                            ("ended", "Ended early"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("booked_at", models.DateTimeField()),
                (
                    "booked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name_plural": "treatment series",
                "ordering": ("-booked_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sessions__gte", 1), ("sessions__lte", 12)),
                        name="series_sessions",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("state", "open")),
                            models.Q(
                                ("closed_at__gte", models.F("booked_at")),
                                ("closed_at__isnull", False),
                                ("state__in", ("completed", "ended")),
                            ),
                            _connector="OR",
                        ),
                        name="series_closed_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Appointment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="appointments.treatmentseries",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="clinic.site",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="clinic.protocolversion",
                    ),
                ),
                (
                    "session",
                    models.PositiveSmallIntegerField(help_text="Number within the series, from 1."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("booked", "Booked"),
                            ("confirmed", "Confirmed"),
                            ("arrived", "Arrived"),
                            ("in_treatment", "In treatment"),
                            ("done", "Done"),
                            ("no_show", "No show"),
                            ("cancelled", "Cancelled"),
                        ],
                        default=appointments.lifecycle.State["BOOKED"],
                        max_length=12,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("schedule_version", models.PositiveIntegerField(default=1)),
                ("version", models.PositiveIntegerField(default=1)),
                ("booked_at", models.DateTimeField()),
                (
                    "scheduled_at",
                    models.DateTimeField(
                        help_text="When the visit was given its present time: booked, moved or restored."
                    ),
                ),
                (
                    "done_at",
                    models.DateTimeField(blank=True, help_text="When treatment ended.", null=True),
                ),
                (
                    "closed_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it was cancelled or marked as no-show.",
                        null=True,
                    ),
                ),
                ("cancelled_by_patient", models.BooleanField(default=False)),
                (
                    "is_locked",
                    models.BooleanField(default=False, help_text="Keeps its time; never moved."),
                ),
                (
                    "imported_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it was brought over from a former system.",
                        null=True,
                    ),
                ),
                (
                    "imported_start",
                    models.DateTimeField(
                        blank=True,
                        help_text="The start it had there, of which the patient was told.",
                        null=True,
                    ),
                ),
                (
                    "override_reason",
                    models.CharField(
                        blank=True, help_text="Why a rule was breached.", max_length=200
                    ),
                ),
                (
                    "overrides",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30),
                        blank=True,
                        default=list,
                        help_text="Codes of the refusals that the reason let pass.",
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ("starts_at", "id"),
                "indexes": [
                    models.Index(fields=["site", "starts_at"], name="appointment_day"),
                    models.Index(fields=["series", "starts_at"], name="appointment_series"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "cancelled"), _negated=True),
                        fields=("series", "session"),
                        name="appointment_session_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="appointment_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("override_reason", ""), ("overrides__len", 0)),
                            models.Q(
                                ("overrides__len__gt", 0),
                                models.Q(("override_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="appointment_overrides_have_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("imported_at", None), ("imported_start", None)),
                            models.Q(
                                ("imported_at__isnull", False), ("imported_start__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="appointment_import_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "booked",
                                    "confirmed",
                                    "arrived",
                                    "in_treatment",
                                    "done",
                                    "no_show",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="appointment_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", False), ("state", "done")),
                            models.Q(models.Q(("state", "done"), _negated=True), ("done_at", None)),
                            _connector="OR",
                        ),
                        name="appointment_done_when_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at__isnull", False),
                                ("state__in", ("cancelled", "no_show")),
                            ),
                            models.Q(
                                models.Q(("state__in", ("cancelled", "no_show")), _negated=True),
                                ("closed_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="appointment_closed_when_closed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatusChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="history",
                        to="appointments.appointment",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "move",
                    models.CharField(
                        choices=[
                            ("book", "Book"),
                            ("move", "Move"),
                            ("resize", "Resize"),
                            ("confirm", "Confirm"),
                            ("check_in", "Check in"),
                            ("start", "Start"),
                            ("complete", "Complete"),
                            ("no_show", "No show"),
                            ("cancel", "Cancel"),
                            ("lock", "Lock"),
                            ("unlock", "Unlock"),
                            ("migrate", "Migrate"),
                            ("undo", "Undo"),
                            ("import", "Import"),
                        ],
                        max_length=10,
                    ),
                ),
                ("state_before", models.CharField(blank=True, max_length=12)),
                ("state_after", models.CharField(max_length=12)),
                ("starts_before", models.DateTimeField(null=True)),
                ("ends_before", models.DateTimeField(null=True)),
                ("starts_after", models.DateTimeField()),
                (
                    "resources_before",
                    models.JSONField(default=list, help_text="Resource ids held before."),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "override_reason",
                    models.CharField(
                        blank=True, help_text="Why this act breached a rule.", max_length=200
                    ),
                ),
                (
                    "overrides",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30),
                        blank=True,
                        default=list,
                        help_text="Codes of the refusals that this act let pass.",
                        size=None,
                    ),
                ),
                (
                    "undoes",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="appointments.statuschange",
                    ),
                ),
            ],
            options={
                "ordering": ("appointment", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("move", "undo"), ("undoes__isnull", False)),
                            models.Q(models.Q(("move", "undo"), _negated=True), ("undoes", None)),
                            _connector="OR",
                        ),
                        name="status_change_undo_names_its_act",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ends_before", None), ("starts_before", None)),
                            models.Q(
                                ("ends_before__gt", models.F("starts_before")),
                                ("ends_before__isnull", False),
                                ("starts_before__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="status_change_knows_the_whole_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("override_reason", ""), ("overrides__len", 0)),
                            models.Q(
                                ("overrides__len__gt", 0),
                                models.Q(("override_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="status_change_overrides_have_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AdverseEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adverse_events",
                        to="patients.patient",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adverse_events",
                        to="clinic.site",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adverse_events",
                        to="appointments.appointment",
                    ),
                ),
                ("what", models.CharField(max_length=200)),
                (
                    "severity",
                    models.CharField(
                        choices=[("mild", "Mild"), ("moderate", "Moderate"), ("severe", "Severe")],
                        max_length=8,
                    ),
                ),
                ("noticed_at", models.DateTimeField()),
                (
                    "areas",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(), blank=True, default=list, size=None
                    ),
                ),
                ("reported_at", models.DateTimeField()),
                (
                    "reported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("course", models.TextField(blank=True, help_text="How it went on.")),
                ("measures", models.TextField(blank=True, help_text="What was done about it.")),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "taken_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("pages", models.PositiveSmallIntegerField(default=0)),
                ("page_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("resolved", "Healed without a trace"),
                            ("with_traces", "Healed with traces"),
                            ("referred", "Referred to others"),
                            ("unrelated", "Not related to the treatment"),
                        ],
                        max_length=11,
                    ),
                ),
                ("conclusion", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "ordering": ("-reported_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["patient"],
                        name="event_open",
                    ),
                    models.Index(
                        condition=models.Q(("page_at__isnull", False)),
                        fields=["page_at"],
                        name="event_to_page",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("what", ""), _negated=True), name="event_says_what"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["mild", "moderate", "severe"])),
                        name="event_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("noticed_at__lte", models.F("reported_at"))),
                        name="event_noticed_before_it_is_reported",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at", None),
                                ("closed_by", None),
                                ("conclusion", ""),
                                ("outcome", ""),
                            ),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                (
                                    "outcome__in",
                                    ["resolved", "with_traces", "referred", "unrelated"],
                                ),
                                models.Q(("conclusion", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="event_closed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("taken_at", None), ("taken_by", None)),
                            models.Q(("taken_at__isnull", False), ("taken_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="event_taken_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("page_at", None),
                            models.Q(("closed_at", None), ("taken_at", None)),
                            _connector="OR",
                        ),
                        name="event_pages_until_it_is_taken",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="clinic.site",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("plan", "Looking at a plan"),
                            ("offer", "Offered to the wait-list"),
                            ("own", "The patient looks at it"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="patients.patient",
                    ),
                ),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("held_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("held_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at", None)),
                        fields=["expires_at"],
                        name="hold_to_release",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("held_at"))),
                        name="hold_expires_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("purpose__in", ("plan", "own")), _negated=True),
                            ("patient__isnull", False),
                            _connector="OR",
                        ),
                        name="hold_plan_is_for_a_patient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("held_by", None), ("purpose", "own")),
                            models.Q(
                                models.Q(("purpose", "own"), _negated=True),
                                ("held_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="hold_own_is_held_by_no_staff",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("purpose", "plan"), ("released_at", None)),
                        fields=("held_by", "patient"),
                        name="hold_one_plan_at_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("purpose", "own"), ("released_at", None)),
                        fields=("patient",),
                        name="hold_one_own_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="clinic.site",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("maintenance", "Maintenance"),
                            ("time_off", "Time off"),
                            ("blocked", "Blocked"),
                        ],
                        max_length=11,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("resources", models.ManyToManyField(related_name="blocks", to="clinic.resource")),
            ],
            options={
                "ordering": ("starts_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at", None)),
                        fields=["site", "ends_at"],
                        name="block_standing",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="block_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="clinic.resource",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "block",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="appointments.block",
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="allocations",
                        to="appointments.hold",
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "during",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            models.F("starts_at"),
                            models.F("ends_at"),
                            models.Value("[)"),
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("expires_at", models.DateTimeField(help_text="Of a hold: its end.", null=True)),
                (
                    "is_deliberate",
                    models.BooleanField(
                        db_default=False, default=False, help_text="Over another visit on purpose."
                    ),
                ),
            ],
            options={
                "ordering": ("starts_at", "resource"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("active", True)),
                        fields=["resource", "starts_at"],
                        include=("ends_at", "expires_at", "appointment", "hold"),
                        name="allocation_busy",
                    ),
                    models.Index(
                        condition=models.Q(("active", True), ("is_deliberate", True)),
                        fields=["resource", "starts_at"],
                        name="allocation_deliberate",
                    ),
                ],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("active", True), ("is_deliberate", False)),
                        expressions=[
                            (
                                models.Func(
                                    models.F("resource"),
                                    models.F("resource"),
                                    models.Value("[]"),
                                    function="int8range",
                                    output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                                ),
                                "&&",
                            ),
                            ("during", "&&"),
                        ],
                        name="allocation_no_overlap",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="allocation_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("starts_at"),
                                    "+",
                                    models.Value(datetime.timedelta(days=1)),
                                ),
                            )
                        ),
                        name="allocation_within_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("appointment__isnull", False), ("block", None), ("hold", None)
                            ),
                            models.Q(
                                ("appointment", None), ("block__isnull", False), ("hold", None)
                            ),
                            models.Q(
                                ("appointment", None), ("block", None), ("hold__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="allocation_one_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at", None), ("hold", None)),
                            models.Q(("expires_at__isnull", False), ("hold__isnull", False)),
                            _connector="OR",
                        ),
                        name="allocation_only_holds_expire",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_deliberate", False),
                            ("appointment__isnull", False),
                            _connector="OR",
                        ),
                        name="allocation_only_visits_overlap",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feeds",
                        to="clinic.site",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feeds",
                        to="clinic.resource",
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        choices=[
                            ("busy", "Free or busy only"),
                            ("initials", "Initials of the patient"),
                        ],
                        default="busy",
                        max_length=8,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "read_at",
                    models.DateTimeField(
                        blank=True, help_text="When it was last fetched.", null=True
                    ),
                ),
                ("etag", models.CharField(blank=True, max_length=64)),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-made_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at", None), ("revoked_by", None)),
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="feed_revoked_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("detail__in", ["busy", "initials"])),
                        name="feed_detail_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("changed_at", None), ("etag", "")),
                            models.Q(
                                models.Q(("etag", ""), _negated=True), ("changed_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="feed_content_since",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="clinic.site",
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="Of the file, as it was uploaded.", max_length=120),
                ),
                ("file", models.CharField(blank=True, max_length=80)),
                ("size", models.BigIntegerField(help_text="Bytes.")),
                ("digest", models.CharField(help_text="SHA-256 of the file.", max_length=64)),
                ("encoding", models.CharField(max_length=12)),
                ("delimiter", models.CharField(max_length=1)),
                ("first", models.PositiveSmallIntegerField(help_text="The row of the header.")),
                ("columns", models.JSONField(help_text="Column names, in order.")),
                ("signature", models.CharField(help_text="Of the column names.", max_length=32)),
                ("mapping", models.JSONField(default=dict, help_text="Column by field.")),
                (
                    "date_order",
                    models.CharField(
                        blank=True,
                        choices=[("dmy", "Day first"), ("mdy", "Month first")],
                        max_length=3,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Columns to be named"),
                            ("checking", "Being checked"),
                            ("checked", "Checked"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("cancelled", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        max_length=9,
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reading", "Reading the file"),
                            ("comparing", "Looking for the same people in it"),
                            ("people", "Patients and what was done"),
                            ("places", "Visits to come"),
                        ],
                        max_length=9,
                    ),
                ),
                ("cursor", models.CharField(blank=True, max_length=80)),
                ("rows", models.PositiveIntegerField(default=0, help_text="Rows read so far.")),
                ("done", models.PositiveIntegerField(default=0, help_text="Of the phase.")),
                (
                    "total",
                    models.PositiveIntegerField(
                        default=0, help_text="Of the phase; 0 is not known yet."
                    ),
                ),
                ("counts", models.JSONField(default=dict, help_text="What was written, by kind.")),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-made_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("checking", "running"))),
                        fields=["id"],
                        name="import_to_be_done",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "uploaded",
                                    "checking",
                                    "checked",
                                    "running",
                                    "done",
                                    "cancelled",
                                    "failed",
                                ],
                            )
                        ),
                        name="import_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ("checking", "running")),
                                models.Q(("phase", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state__in", ("checking", "running")), _negated=True),
                                ("phase", ""),
                            ),
                            _connector="OR",
                        ),
                        name="import_works_in_a_phase",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("running", "done")), _negated=True),
                            ("run_by__isnull", False),
                            _connector="OR",
                        ),
                        name="import_run_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at", None),
                            ("finished_at__gte", models.F("made_at")),
                            _connector="OR",
                        ),
                        name="import_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="appointments.import",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("person_key", models.CharField(blank=True, max_length=32)),
                ("visit_key", models.CharField(blank=True, max_length=32)),
                ("series_key", models.CharField(blank=True, max_length=32)),
                ("starts_at", models.DateTimeField(null=True)),
                ("person", models.JSONField(default=dict)),
                ("visit", models.JSONField(default=dict)),
                ("decision", models.CharField(blank=True, max_length=20)),
                (
                    "alike",
                    models.JSONField(
                        default=list, help_text="Rows of others who may be the same person."
                    ),
                ),
                (
                    "remark",
                    models.CharField(
                        blank=True, help_text="What was noticed in reading.", max_length=300
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("create", "New"),
                            ("match", "Already a patient here"),
                            ("update", "Changed"),
                            ("skip", "Nothing to do"),
                            ("place", "Needs a place"),
                            ("conflict", "To be decided"),
                            ("error", "Error"),
                        ],
                        max_length=8,
                    ),
                ),
                ("sentence", models.CharField(blank=True, max_length=600)),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
                ("series", models.BigIntegerField(null=True)),
                ("appointment", models.BigIntegerField(null=True)),
                ("session", models.PositiveSmallIntegerField(null=True)),
                (
                    "waits",
                    models.BooleanField(default=False, help_text="For a place, in the last phase."),
                ),
                (
                    "held",
                    models.JSONField(
                        default=dict, help_text="Resources by kind that a check gave it."
                    ),
                ),
            ],
            options={
                "ordering": ("source", "number"),
                "indexes": [
                    models.Index(fields=["source", "person_key"], name="import_row_person"),
                    models.Index(
                        condition=models.Q(("patient__isnull", False)),
                        fields=["patient"],
                        name="import_row_patient",
                    ),
                    models.Index(fields=["source", "outcome", "number"], name="import_row_outcome"),
                    models.Index(
                        condition=models.Q(("waits", True)),
                        fields=["source", "starts_at", "visit_key"],
                        name="import_row_to_place",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "number"), name="import_row_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                (
                                    "",
                                    "create",
                                    "match",
                                    "update",
                                    "skip",
                                    "place",
                                    "conflict",
                                    "error",
                                ),
                            )
                        ),
                        name="import_row_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ColumnNaming",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                ("signature", models.CharField(max_length=32)),
                ("mapping", models.JSONField()),
                ("date_order", models.CharField(blank=True, max_length=3)),
                ("named_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("site", "signature"), name="column_naming_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BroughtOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("patient", "Patient"), ("series", "Series"), ("visit", "Visit")],
                        max_length=7,
                    ),
                ),
                ("key", models.CharField(max_length=32)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="brought_over",
                        to="patients.patient",
                    ),
                ),
                (
                    "subject",
                    models.BigIntegerField(
                        help_text="The id of the row it became; null while a visit has no place.",
                        null=True,
                    ),
                ),
                ("said", models.JSONField(default=dict)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="appointments.import",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient"], name="brought_over_patient")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "kind", "key"), name="brought_over_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "visit"), ("subject__isnull", False), _connector="OR"
                        ),
                        name="brought_over_has_a_subject",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitlistEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitlist",
                        to="clinic.site",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitlist",
                        to="patients.patient",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitlist",
                        to="clinic.protocolversion",
                    ),
                ),
                (
                    "areas",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(),
                        help_text="Area ids of the protocol.",
                        size=None,
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitlist",
                        to="appointments.treatmentseries",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waitlist",
                        to="appointments.appointment",
                    ),
                ),
                ("asked_start", models.DateTimeField(blank=True, null=True)),
                (
                    "provider",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("earliest", models.PositiveSmallIntegerField(default=0)),
                ("latest", models.PositiveSmallIntegerField(default=1440)),
                ("first_day", models.DateField(blank=True, null=True)),
                ("last_day", models.DateField(blank=True, null=True)),
                (
                    "notice_minutes",
                    models.PositiveIntegerField(
                        default=120,
                        help_text="How long before a start the patient must know of it.",
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(default=0, help_text="Higher comes first."),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_as",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("booked", "Booked"),
                            ("withdrawn", "Taken off the list"),
                            ("overtaken", "No longer needed"),
                        ],
                        max_length=9,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "wait-list entries",
                "ordering": ("-priority", "created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["site", "protocol_version"],
                        name="waitlist_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["site", "-priority", "created_at", "id"],
                        name="waitlist_rank",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("appointment", None), ("series__isnull", False), _connector="OR"
                        ),
                        name="waitlist_visit_is_of_a_series",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("appointment", None), ("asked_start", None)),
                            models.Q(
                                ("appointment__isnull", False), ("asked_start__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="waitlist_earlier_than_a_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("latest__gte", models.F("earliest")), ("latest__lte", 1440)
                        ),
                        name="waitlist_times_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_day", None),
                            ("last_day", None),
                            ("last_day__gte", models.F("first_day")),
                            _connector="OR",
                        ),
                        name="waitlist_days_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_as", ""), ("closed_at", None)),
                            models.Q(
                                ("closed_at__isnull", False),
                                models.Q(("closed_as", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="waitlist_closed_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("appointment__isnull", False), ("closed_at", None)),
                        fields=("appointment",),
                        name="waitlist_visit_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("appointment", None), ("closed_at", None)),
                        fields=("patient", "site", "protocol_version"),
                        name="waitlist_treatment_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Gap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gaps",
                        to="clinic.site",
                    ),
                ),
                (
                    "opened_by",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gap",
                        to="appointments.statuschange",
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_as",
                    models.CharField(
                        blank=True,
                        choices=[("filled", "Filled"), ("dismissed", "Dismissed")],
                        max_length=9,
                    ),
                ),
            ],
            options={
                "ordering": ("starts_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["site", "starts_at"],
                        name="gap_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="gap_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_as", ""), ("closed_at", None)),
                            models.Q(
                                ("closed_at__isnull", False),
                                models.Q(("closed_as", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="gap_closed_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "gap",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="appointments.gap",
                    ),
                ),
                (
                    "hold",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offer",
                        to="appointments.hold",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_as",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Nobody wanted it"),
                            ("expired", "Nobody took it in time"),
                            ("withdrawn", "Taken back"),
                        ],
                        max_length=9,
                    ),
                ),
            ],
            options={
                "ordering": ("-made_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("made_at"))),
                        name="offer_expires_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_as", ""), ("closed_at", None)),
                            models.Q(
                                ("closed_at__isnull", False),
                                models.Q(("closed_as", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="offer_closed_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("gap",),
                        name="offer_one_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="appointments.offer",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="appointments.waitlistentry",
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.resource",
                    ),
                ),
                (
                    "reasons",
                    models.JSONField(default=list, help_text="Sentences: why it was ranked so."),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("gone", "Somebody else was first"),
                            ("expired", "Not answered in time"),
                            ("withdrawn", "The offer was taken back"),
                        ],
                        max_length=9,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="appointments.appointment",
                    ),
                ),
            ],
            options={
                "ordering": ("offer", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("offer", "entry"), name="invitation_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("answer", "accepted")),
                        fields=("offer",),
                        name="invitation_one_winner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at", None)),
                            models.Q(
                                models.Q(("answer", ""), _negated=True),
                                ("answered_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invitation_answered_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="invitation_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PatientLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("care", "Care page"),
                            ("stop", "End marketing e-mail"),
                            ("offer", "Answer an offer of an earlier place"),
                            ("touch_up", "Book a touch-up, or end marketing e-mail"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="patients.patient",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="appointments.invitation",
                    ),
                ),
                (
                    "acted",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="appointments.statuschange",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "failed_tries",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Wrong birth dates in a row; the page closes at five."
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="link_expires_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invitation__isnull", False), ("purpose", "offer")),
                            models.Q(
                                models.Q(("purpose", "offer"), _negated=True), ("invitation", None)
                            ),
                            _connector="OR",
                        ),
                        name="link_offers_an_invitation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("purpose", "touch_up"), _negated=True),
                            ("appointment__isnull", False),
                            _connector="OR",
                        ),
                        name="link_touches_up_a_visit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Photo",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="patients.patient",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="photos",
                        to="appointments.adverseevent",
                    ),
                ),
                ("area", models.SlugField(blank=True)),
                ("view", models.SlugField(blank=True)),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("digest", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("camera", "Taken here"),
                            ("upload", "Uploaded by staff"),
                            ("patient", "Sent by the patient"),
                        ],
                        max_length=7,
                    ),
                ),
                ("taken_at", models.DateTimeField()),
                (
                    "is_dated",
                    models.BooleanField(help_text="Whether the picture itself told when."),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        help_text="None: the patient.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(null=True)),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "removed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("removed_reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ("-taken_at", "-id"),
                "indexes": [
                    models.Index(
                        fields=["patient", "area", "view", "taken_at"], name="photo_of_view"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at", None)),
                        fields=("patient", "digest"),
                        name="photo_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("area", ""),
                                ("reviewed_at", None),
                                ("source", "patient"),
                                ("view", ""),
                            ),
                            models.Q(
                                models.Q(("area", ""), _negated=True),
                                models.Q(("view", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="photo_shows_a_view",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("taken_at__lte", models.F("added_at"))),
                        name="photo_taken_before_it_came",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("added_by", None), ("source", "patient")),
                            models.Q(
                                models.Q(("source", "patient"), _negated=True),
                                ("added_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="photo_sent_by_patient_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reviewed_at", None), ("reviewed_by", None)),
                            models.Q(
                                ("reviewed_at__isnull", False), ("reviewed_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="photo_reviewed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("removed_at", None), ("removed_by", None), ("removed_reason", "")
                            ),
                            models.Q(
                                ("removed_at__isnull", False),
                                ("removed_by__isnull", False),
                                models.Q(("removed_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="photo_removed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("height__gt", 0), ("width__gt", 0)),
                        name="photo_has_pixels",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecallAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recall_attempts",
                        to="appointments.treatmentseries",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("no_answer", "No answer"),
                            ("later", "Wants to be asked later"),
                            ("declined", "Does not want it"),
                            ("written", "Written to"),
                        ],
                        max_length=9,
                    ),
                ),
                ("again_on", models.DateField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("cause", models.CharField(blank=True, max_length=12)),
                ("session", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("channel", models.CharField(blank=True, max_length=5)),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("-at", "-id"),
                "indexes": [
                    models.Index(
                        models.F("series"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="recall_latest",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["no_answer", "later", "declined", "written"])
                        ),
                        name="recall_outcome_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("cause__in", ("missed", "next_session", "touch_up")),
                                ("channel__in", ("sms", "email")),
                                ("outcome", "written"),
                                ("session__isnull", False),
                            ),
                            models.Q(
                                models.Q(("outcome", "written"), _negated=True),
                                ("cause", ""),
                                ("channel", ""),
                                ("session", None),
                                ("taken_back_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="recall_written_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "declined"), ("again_on__isnull", False), _connector="OR"
                        ),
                        name="recall_again_unless_declined",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cartridge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cartridges",
                        to="clinic.site",
                    ),
                ),
                (
                    "modality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cartridges",
                        to="clinic.modality",
                    ),
                ),
                ("code", models.CharField(max_length=120)),
                ("lot", models.CharField(blank=True, max_length=120)),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("life", models.PositiveIntegerField(blank=True, null=True)),
                ("unit", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "ordering": ("code",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "modality", "code"), name="cartridge_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code", ""), _negated=True), name="cartridge_named"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TreatmentRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "appointment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="record",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="clinic.protocolversion",
                    ),
                ),
                ("document", models.JSONField(default=dict)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("completed", "Completed"),
                            ("partial", "Partial"),
                            ("aborted", "Aborted"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "treated",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SlugField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "cartridge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="appointments.cartridge",
                    ),
                ),
                ("used", models.PositiveIntegerField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("saved_at", models.DateTimeField()),
                (
                    "drafted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("statement", models.TextField(blank=True)),
                ("digest", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ("-appointment__starts_at", "-id"),
                "indexes": [
                    models.Index(fields=["cartridge"], name="record_cartridge"),
                    models.Index(
                        condition=models.Q(("signed_at", None)),
                        fields=["drafted_by"],
                        name="record_unsigned",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("digest", ""),
                                ("signed_at", None),
                                ("signed_by", None),
                                ("statement", ""),
                            ),
                            models.Q(
                                ("signed_at__isnull", False),
                                ("signed_by__isnull", False),
                                models.Q(("statement", ""), _negated=True),
                                models.Q(("outcome", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="record_signed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ("", "completed", "partial", "aborted"))
                        ),
                        name="record_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Addendum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="addenda",
                        to="appointments.treatmentrecord",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                ("corrections", models.JSONField(default=dict, help_text="Path → value.")),
                (
                    "used_change",
                    models.IntegerField(default=0, help_text="Lines or pulses more or fewer."),
                ),
                ("statement", models.TextField()),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name_plural": "addenda",
                "ordering": ("record", "number"),
                "constraints": [
                    models.UniqueConstraint(fields=("record", "number"), name="addendum_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(
                                models.Q(("text", ""), _negated=True),
                                models.Q(("corrections", {}), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        name="addendum_says_why_and_what",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionCredit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "appointment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit",
                        to="appointments.appointment",
                    ),
                ),
                ("counts", models.BooleanField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="credit_has_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutcomeScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="appointments.treatmentseries",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("satisfaction", "Satisfaction, 1 to 5"),
                            ("gais", "Global improvement (GAIS), 1 to 5"),
                            ("laxity", "Laxity grade, 0 to 4"),
                        ],
                        max_length=12,
                    ),
                ),
                ("value", models.PositiveSmallIntegerField()),
                ("milestone", models.CharField(max_length=8)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("series", "at", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ("satisfaction", "gais")),
                                ("value__gte", 1),
                                ("value__lte", 5),
                            ),
                            models.Q(("kind", "laxity"), ("value__lte", 4)),
                            _connector="OR",
                        ),
                        name="score_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("milestone__in", ("baseline", "early", "first", "peak"))
                        ),
                        name="score_milestone_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SchedulingSettings",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="scheduling",
                        serialize=False,
                        to="clinic.site",
                    ),
                ),
                (
                    "hold_minutes",
                    models.PositiveSmallIntegerField(
                        default=5, help_text="How long looking at a plan keeps its places."
                    ),
                ),
                (
                    "offer_minutes",
                    models.PositiveSmallIntegerField(
                        default=15, help_text="How long a place is kept for those on the wait-list."
                    ),
                ),
                (
                    "notice_hours",
                    models.PositiveSmallIntegerField(
                        default=24,
                        help_text="How long before a visit patients may move it, and book one, by themselves.",
                    ),
                ),
                (
                    "late_terms_en",
                    models.CharField(
                        blank=True,
                        help_text="What cancelling later than that comes to.",
                        max_length=300,
                    ),
                ),
                ("late_terms_es", models.CharField(blank=True, max_length=300)),
                (
                    "early",
                    models.FloatField(
                        default=1.5,
                        help_text="For each day before the ideal date.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "late",
                    models.FloatField(
                        default=1.0,
                        help_text="For each day after the ideal date.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "other_provider",
                    models.FloatField(
                        default=15.0,
                        help_text="For another provider than at the visit before.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "other_weekday",
                    models.FloatField(
                        default=6.0,
                        help_text="For a weekday that the patient did not wish.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "off_time",
                    models.FloatField(
                        default=1.0,
                        help_text="For each half hour outside the wished time of day.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "most_off_time",
                    models.FloatField(
                        default=8.0,
                        help_text="At most so many for the time of day of one visit.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "finish",
                    models.FloatField(
                        default=0.05,
                        help_text="For each day until the last visit.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "device_load",
                    models.FloatField(
                        default=3.0,
                        help_text="For a day on which the devices are taken all day; less in part.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "idle_gap",
                    models.FloatField(
                        default=2.0,
                        help_text="For a gap of a quarter or more in the provider's day, too short for a visit.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "usable_minutes",
                    models.PositiveSmallIntegerField(
                        default=30, help_text="A gap shorter than this is too short for a visit."
                    ),
                ),
                (
                    "unchanged",
                    models.FloatField(
                        default=1000.0,
                        help_text="For moving a visit that could stay where it is; so many that none is moved.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "scheduling settings",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hold_minutes__gte", 1), ("hold_minutes__lte", 60)),
                        name="settings_hold_minutes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offer_minutes__gte", 1), ("offer_minutes__lte", 1440)),
                        name="settings_offer_minutes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("notice_hours__lte", 336)), name="settings_notice_hours"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("device_load__gte", 0),
                            ("early__gte", 0),
                            ("finish__gte", 0),
                            ("idle_gap__gte", 0),
                            ("late__gte", 0),
                            ("most_off_time__gte", 0),
                            ("off_time__gte", 0),
                            ("other_provider__gte", 0),
                            ("other_weekday__gte", 0),
                            ("unchanged__gte", 0),
                        ),
                        name="settings_points_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=120, unique=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="clinic.site",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="patients.patient",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="appointments.appointment",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("call", "Call the patient"),
                            ("prepare", "Prepare"),
                            ("check", "Check"),
                        ],
                        max_length=8,
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("detail", models.TextField(blank=True)),
                ("why", models.JSONField(default=list, help_text="Sentences.")),
                ("due_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("due_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["site", "due_at"],
                        name="task_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(
                                ("closed_at__isnull", False),
                                models.Q(("outcome", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="task_closed_with_outcome",
                    )
                ],
            },
        ),
        migrations.RunSQL(IS_OVER, "DROP FUNCTION afterglow_time_is_over"),
        migrations.RunSQL(WHOSE, "DROP FUNCTION afterglow_patient_of"),
        migrations.RunSQL(HISTORY, migrations.RunSQL.noop),
        migrations.RunSQL(VISIT, "DROP FUNCTION afterglow_appointment_stays() CASCADE"),
        migrations.RunSQL(BESIDE, "DROP FUNCTION afterglow_allocation_beside() CASCADE"),
        migrations.RunSQL(RECORD, "DROP FUNCTION afterglow_record_signed() CASCADE"),
        migrations.RunSQL(ADDENDUM, "DROP FUNCTION afterglow_addendum_stands() CASCADE"),
        migrations.RunSQL(CREDIT, migrations.RunSQL.noop),
        migrations.RunSQL(SCORES, migrations.RunSQL.noop),
        migrations.RunSQL(PHOTO, "DROP FUNCTION afterglow_photo_stays() CASCADE"),
        migrations.RunSQL(DESTROY, "DROP FUNCTION afterglow_destroy"),
    ]
