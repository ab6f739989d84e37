"""The patients' tables. What never changes goes over to the other record of a merge, and only that.

Consents are closed, never edited; forms are withdrawn once; screening is added. The database refuses
anything else, to everybody.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.models.site

GOES_OVER = """
CREATE FUNCTION afterglow_goes_over(former bigint, later bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM patients_recordmerge
                  WHERE undone_at IS NULL
                    AND (former, later) IN ((gone_id, kept_id), (kept_id, gone_id)))
$$;
"""

CONSENT = """
CREATE FUNCTION afterglow_consent_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER consent_closes_once BEFORE UPDATE OR DELETE ON patients_contactconsent
  FOR EACH ROW EXECUTE FUNCTION afterglow_consent_closes_once();
"""

# A signature is withdrawn once; nothing else of it ever changes. It is deleted with a record whose
# time is over, and not before; so is what was answered.
SIGNED_FORM = """
CREATE FUNCTION afterglow_signed_form_withdrawn_once() RETURNS trigger
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
CREATE TRIGGER signed_form_withdrawn_once BEFORE UPDATE OR DELETE ON patients_signedform
  FOR EACH ROW EXECUTE FUNCTION afterglow_signed_form_withdrawn_once();
"""

SCREENING = """
CREATE FUNCTION afterglow_screening_is_added() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER screening_answer_is_added BEFORE UPDATE OR DELETE ON patients_screeninganswer
  FOR EACH ROW EXECUTE FUNCTION afterglow_screening_is_added();
CREATE TRIGGER screening_decision_is_added BEFORE UPDATE OR DELETE ON patients_screeningdecision
  FOR EACH ROW EXECUTE FUNCTION afterglow_screening_is_added();
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
    replaces = [
        ("patients", "0001_initial"),
        ("patients", "0002_guards"),
        ("patients", "0003_quiet_hours"),
        ("patients", "0004_signed_forms"),
        ("patients", "0005_screening"),
        ("patients", "0006_patient_life"),
        ("patients", "0007_going_over"),
        ("patients", "0008_asked_together"),
    ]

    initial = True

    dependencies = [
        ("clinic", "0001_tables_and_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("legal_given", models.CharField(max_length=60)),
                ("legal_family", models.CharField(max_length=60)),
                ("preferred_name", models.CharField(blank=True, max_length=60)),
                ("birth_date", models.DateField()),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Spanish")], default="en", max_length=2
                    ),
                ),
                (
                    "zone",
                    models.CharField(
                        blank=True,
                        help_text="Only when the patient lives in another zone than the site.",
                        max_length=64,
                        validators=[clinic.models.site.validate_zone],
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        blank=True,
                        help_text="The patient's own quiet hours, in the zone they live in.",
                        null=True,
                    ),
                ),
                (
                    "quiet_until",
                    models.TimeField(blank=True, help_text="May be past midnight.", null=True),
                ),
                ("notes", models.TextField(blank=True)),
                (
                    "skin_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("I", "Type I"),
                            ("II", "Type II"),
                            ("III", "Type III"),
                            ("IV", "Type IV"),
                            ("V", "Type V"),
                            ("VI", "Type VI"),
                        ],
                        help_text="Fitzpatrick; seen by staff.",
                        max_length=3,
                    ),
                ),
                ("skin_type_at", models.DateTimeField(blank=True, null=True)),
                (
                    "skin_type_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "resource",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patient",
                        to="clinic.resource",
                    ),
                ),
                ("deceased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "do_not_contact_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From then on nothing is sent, whatever was agreed to.",
                        null=True,
                    ),
                ),
                (
                    "do_not_contact_why",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="patients.patient",
                    ),
                ),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "kept_until",
                    models.DateField(
                        blank=True,
                        help_text="Of an erased record: when what the law keeps goes too.",
                        null=True,
                    ),
                ),
                ("search_key", models.CharField(editable=False, max_length=250)),
                ("created_at", models.DateTimeField()),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="Rises with every saved edit."
                    ),
                ),
                ("revision", models.BigIntegerField(default=1)),
                ("planned_revision", models.BigIntegerField(default=0)),
                (
                    "catch_up_at",
                    models.DateTimeField(
                        help_text="What was late then is said together, in one message.", null=True
                    ),
                ),
                ("sites", models.ManyToManyField(related_name="patients", to="clinic.site")),
            ],
            options={
                "ordering": ("legal_family", "legal_given", "id"),
                "indexes": [
                    models.Index(
                        models.F("id"),
                        condition=models.Q(
                            ("planned_revision", models.F("revision")), _negated=True
                        ),
                        name="patient_stale",
                    ),
                    models.Index(fields=["birth_date"], name="patient_birth_date"),
                    models.Index(
                        condition=models.Q(("kept_until__isnull", False)),
                        fields=["kept_until"],
                        name="patient_to_erase",
                    ),
                    models.Index(fields=["legal_family", "legal_given", "id"], name="patient_name"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["en", "es"])),
                        name="patient_language_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("quiet_from", None), ("quiet_until", None)),
                            models.Q(
                                ("quiet_from__isnull", False),
                                ("quiet_until__isnull", False),
                                models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="patient_quiet_hours_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("skin_type", ""), ("skin_type_at", None), ("skin_type_by", None)
                            ),
                            models.Q(
                                ("skin_type__in", ["I", "II", "III", "IV", "V", "VI"]),
                                ("skin_type_at__isnull", False),
                                ("skin_type_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="patient_skin_type_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("planned_revision__lte", models.F("revision"))),
                        name="patient_plan_not_ahead",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("do_not_contact_at", None), ("do_not_contact_why", "")),
                            models.Q(
                                ("do_not_contact_at__isnull", False),
                                models.Q(("do_not_contact_why", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="patient_do_not_contact_explained",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into", None),
                            models.Q(("merged_into", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="patient_merged_into_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kept_until", None), ("erased_at__isnull", False), _connector="OR"
                        ),
                        name="patient_kept_until_when_erased",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("legal_given", ""), _negated=True),
                            models.Q(("legal_family", ""), _negated=True),
                        ),
                        name="patient_named",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactConsent",
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
                        related_name="consents",
                        to="patients.patient",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("care", "Care messages"),
                            ("marketing", "Offers and touch-up prompts"),
                            ("photos", "Messages that ask for photos"),
                            ("phi_detail", "Treatment detail in e-mail"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "Text message"), ("email", "E-mail"), ("any", "Any")],
                        max_length=5,
                    ),
                ),
                (
                    "wording",
                    models.CharField(help_text="Version of the wording agreed to.", max_length=40),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "opened_source",
                    models.CharField(
                        choices=[
                            ("front_desk", "At the front desk"),
                            ("phone", "By phone"),
                            ("patient_page", "On the patient's page"),
                            ("reply", "By reply"),
                            ("import", "Imported"),
                            ("signed_form", "By a signed form"),
                        ],
                        max_length=12,
                    ),
                ),
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
                    "closed_source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("front_desk", "At the front desk"),
                            ("phone", "By phone"),
                            ("patient_page", "On the patient's page"),
                            ("reply", "By reply"),
                            ("import", "Imported"),
                            ("signed_form", "By a signed form"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "ordering": ("-opened_at", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("patient", "purpose", "channel"),
                        name="consent_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at", None), ("closed_by", None), ("closed_source", "")
                            ),
                            models.Q(
                                ("closed_at__gte", models.F("opened_at")),
                                ("closed_at__isnull", False),
                                models.Q(("closed_source", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="consent_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("channel__in", ("sms", "email")),
                                ("purpose__in", ("care", "marketing")),
                            ),
                            models.Q(("channel", "any"), ("purpose__in", ("photos", "phi_detail"))),
                            _connector="OR",
                        ),
                        name="consent_channel_fits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Guardian",
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
                        related_name="guardians",
                        to="patients.patient",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "relation",
                    models.CharField(
                        choices=[
                            ("parent", "Parent"),
                            ("guardian", "Legal guardian"),
                            ("other", "Other"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "language",
                    models.CharField(choices=[("en", "English"), ("es", "Spanish")], max_length=2),
                ),
                ("gets_messages", models.BooleanField(default=True)),
                ("may_sign", models.BooleanField(default=False)),
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
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("patient", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="guardian_named"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("language__in", ["en", "es"]),
                            ("relation__in", ["parent", "guardian", "other"]),
                        ),
                        name="guardian_relation_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            models.Q(
                                ("ended_at__gte", models.F("created_at")),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="guardian_in_order",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None), ("gets_messages", True)),
                        fields=("patient",),
                        name="guardian_one_is_written_to",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPoint",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_points",
                        to="patients.patient",
                    ),
                ),
                (
                    "guardian",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_points",
                        to="patients.guardian",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("phone", "Mobile phone"), ("email", "E-mail")], max_length=5
                    ),
                ),
                ("value", models.CharField(max_length=254)),
                ("is_preferred", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("kind", "-is_preferred", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("retired_at", None)),
                        fields=["kind", "value"],
                        name="contact_value",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("patient", "kind", "value", "guardian"),
                        name="contact_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_preferred", True), ("retired_at", None)),
                        fields=("patient", "kind", "guardian"),
                        name="contact_one_preferred",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "phone"), ("value__regex", "^\\+[1-9][0-9]{6,14}$")),
                            models.Q(("kind", "email"), ("value__contains", "@")),
                            models.Q(("retired_at__isnull", False), ("value", "")),
                            _connector="OR",
                        ),
                        name="contact_shape",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordMerge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kept",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="patients.patient",
                    ),
                ),
                (
                    "gone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_by",
                        to="patients.patient",
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
                ("reason", models.CharField(max_length=200)),
                ("manifest", models.JSONField(default=dict)),
                ("undo_until", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kept", models.F("gone")), _negated=True),
                        name="merge_of_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="merge_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undone_at", None), ("undone_by", None)),
                            models.Q(("undone_at__isnull", False), ("undone_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="merge_undone_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)), fields=("gone",), name="merge_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScreeningAnswer",
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
                        related_name="screening_answers",
                        to="patients.patient",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        help_text="Whose question.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.protocolversion",
                    ),
                ),
                ("question", models.CharField(max_length=60)),
                ("wording", models.CharField(max_length=16)),
                ("area", models.SlugField(blank=True)),
                (
                    "value",
                    models.CharField(
                        choices=[
                            ("yes", "Yes"),
                            ("no", "No"),
                            ("date", "On a day"),
                            ("never", "Never"),
                            ("unsure", "Not sure"),
                        ],
                        max_length=6,
                    ),
                ),
                ("day", models.DateField(null=True)),
                ("begins", models.DateField(null=True)),
                (
                    "moment",
                    models.CharField(
                        choices=[
                            ("consult", "At booking"),
                            ("pre", "Before the visit"),
                            ("day_of", "On the day"),
                        ],
                        max_length=7,
                    ),
                ),
                ("said_at", models.DateTimeField()),
                ("said_on", models.DateField()),
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
                    "together",
                    models.BooleanField(
                        default=False,
                        help_text="Whether it was said in one word with others: no to all the rest.",
                    ),
                ),
            ],
            options={
                "ordering": ("patient", "said_at", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("moment__in", ["consult", "pre", "day_of"]),
                            ("value__in", ["yes", "no", "date", "never", "unsure"]),
                        ),
                        name="screening_answer_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("day__isnull", False),
                                ("value", "date"),
                                models.Q(
                                    ("begins", None),
                                    ("begins__lte", models.F("day")),
                                    _connector="OR",
                                ),
                            ),
                            models.Q(
                                models.Q(("value", "date"), _negated=True),
                                ("begins", None),
                                ("day", None),
                            ),
                            _connector="OR",
                        ),
                        name="screening_answer_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScreeningDecision",
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
                        related_name="screening_decisions",
                        to="patients.patient",
                    ),
                ),
                (
                    "protocol_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.protocolversion",
                    ),
                ),
                ("rule", models.CharField(max_length=60)),
                (
                    "answers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "skin_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("I", "Type I"),
                            ("II", "Type II"),
                            ("III", "Type III"),
                            ("IV", "Type IV"),
                            ("V", "Type V"),
                            ("VI", "Type VI"),
                        ],
                        max_length=3,
                    ),
                ),
                ("proceeds", models.BooleanField(help_text="Whether treatment may go on.")),
                ("reason", models.CharField(max_length=200)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("decided_on", models.DateField(help_text="The local day of the site.")),
            ],
            options={
                "ordering": ("patient", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="screening_decision_reasoned",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answers__len__gt", 0), ("skin_type", "")),
                            models.Q(
                                ("answers__len", 0), models.Q(("skin_type", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="screening_decision_is_about_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignedForm",
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
                        related_name="signed_forms",
                        to="patients.patient",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.consentform",
                    ),
                ),
                (
                    "language",
                    models.CharField(choices=[("en", "English"), ("es", "Spanish")], max_length=2),
                ),
                ("wording_digest", models.CharField(max_length=64)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                (
                    "signer",
                    models.CharField(
                        choices=[("patient", "The patient"), ("guardian", "A parent or guardian")],
                        max_length=8,
                    ),
                ),
                ("signer_name", models.CharField(max_length=120)),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        help_text="What a guardian is to the patient, such as mother.",
                        max_length=60,
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[("typed", "Typed"), ("drawn", "Drawn")], max_length=5
                    ),
                ),
                (
                    "drawing",
                    models.TextField(
                        blank=True, help_text="The path of a drawn signature (signing.drawing)."
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        choices=[("clinic", "At the clinic"), ("link", "By the patient's link")],
                        max_length=6,
                    ),
                ),
                (
                    "handed_by",
                    models.ForeignKey(
                        help_text="At the clinic.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ip", models.GenericIPAddressField(null=True)),
                ("signed_at", models.DateTimeField()),
                ("facts_digest", models.CharField(max_length=64)),
                ("sheet", models.BinaryField(help_text="The PDF.")),
                ("sheet_digest", models.CharField(max_length=64)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "withdrawn_source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("front_desk", "At the front desk"),
                            ("phone", "By phone"),
                            ("patient_page", "On the patient's page"),
                            ("reply", "By reply"),
                            ("import", "Imported"),
                            ("signed_form", "By a signed form"),
                        ],
                        max_length=12,
                    ),
                ),
                ("withdrawn_reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ("-signed_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("signer_name", ""), _negated=True),
                        name="signed_form_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("relation", ""), ("signer", "patient")),
                            models.Q(
                                ("signer", "guardian"), models.Q(("relation", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="signed_form_guardian_related",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("drawing", ""), ("way", "typed")),
                            models.Q(("way", "drawn"), models.Q(("drawing", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="signed_form_drawn_when_drawn",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("handed_by__isnull", False), ("place", "clinic")),
                            models.Q(("handed_by", None), ("place", "link")),
                            _connector="OR",
                        ),
                        name="signed_form_handed_at_the_clinic",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("withdrawn_at", None),
                                ("withdrawn_by", None),
                                ("withdrawn_reason", ""),
                                ("withdrawn_source", ""),
                            ),
                            models.Q(
                                ("withdrawn_at__gte", models.F("signed_at")),
                                ("withdrawn_at__isnull", False),
                                models.Q(("withdrawn_source", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="signed_form_withdrawn_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GOES_OVER, "DROP FUNCTION afterglow_goes_over"),
        migrations.RunSQL(CONSENT, "DROP FUNCTION afterglow_consent_closes_once() CASCADE"),
        migrations.RunSQL(
            SIGNED_FORM, "DROP FUNCTION afterglow_signed_form_withdrawn_once() CASCADE"
        ),
        migrations.RunSQL(SCREENING, "DROP FUNCTION afterglow_screening_is_added() CASCADE"),
        migrations.RunSQL(TAKE_OVER, "DROP FUNCTION afterglow_take_over"),
    ]
