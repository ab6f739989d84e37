"""The clinic's tables, the rights of the running role, and rows that never change."""

import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import clinic.models.site

# The owner migrates, `afterglow_app` runs. It reads and writes rows and never truncates.
RIGHTS = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'afterglow_app') THEN
    CREATE ROLE afterglow_app NOLOGIN;
  END IF;
END $$;
GRANT USAGE ON SCHEMA public TO afterglow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO afterglow_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO afterglow_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO afterglow_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO afterglow_app;
"""

# Named for what it is: attached to a table, it makes the table append-only for everybody. But a row
# goes over to the other record of a merge, and is destroyed with a record whose time is over
# (functions of the apps above); the audit trail never.
APPEND_ONLY = """
CREATE FUNCTION afterglow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
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

AUDIT = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON clinic_auditentry
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON clinic_auditentry FROM afterglow_app;
"""

PROTOCOL = """
CREATE FUNCTION afterglow_protocol_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE'
     OR (NEW.protocol, NEW.version, NEW.kind, NEW.modality_id, NEW.document, NEW.digest)
        IS DISTINCT FROM
        (OLD.protocol, OLD.version, OLD.kind, OLD.modality_id, OLD.document, OLD.digest)
  THEN
    RAISE EXCEPTION 'a published protocol version never changes; publish a new version'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER protocol_immutable BEFORE UPDATE OR DELETE ON clinic_protocolversion
  FOR EACH ROW EXECUTE FUNCTION afterglow_protocol_immutable();
"""

# What was published is never changed, only retired; and no edition is ever deleted, for signatures
# point to them.
CONSENT_FORM = """
CREATE FUNCTION afterglow_consent_form_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'draft'
     AND (NEW.purpose, NEW.protocol, NEW.number, NEW.created_at)
         IS NOT DISTINCT FROM (OLD.purpose, OLD.protocol, OLD.number, OLD.created_at)
  THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'retired'
     AND to_jsonb(NEW) - '{state,retired_at,retired_by_id}'::text[]
         = to_jsonb(OLD) - '{state,retired_at,retired_by_id}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published consent form never changes; publish a new edition'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consent_form_immutable BEFORE UPDATE OR DELETE ON clinic_consentform
  FOR EACH ROW EXECUTE FUNCTION afterglow_consent_form_immutable();
"""

RETENTION = """
CREATE TRIGGER retention_append_only BEFORE UPDATE OR DELETE ON clinic_recordretention
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON clinic_recordretention FROM afterglow_app;
"""


class Migration(migrations.Migration):
    replaces = [
        ("clinic", "0001_initial"),
        ("clinic", "0002_guards"),
        ("clinic", "0003_scheduler"),
        ("clinic", "0004_canary_number"),
        ("clinic", "0005_words_kept_days"),
        ("clinic", "0006_on_call"),
        ("clinic", "0007_consent_forms"),
        ("clinic", "0008_plain_names"),
        ("clinic", "0009_clearance_from"),
        ("clinic", "0010_looks_and_origins"),
        ("clinic", "0011_staff_language"),
        ("clinic", "0012_record_retention"),
        ("clinic", "0013_spread_and_prompts"),
        ("clinic", "0014_protocol_drafts"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=80)),
                (
                    "zone",
                    models.CharField(max_length=64, validators=[clinic.models.site.validate_zone]),
                ),
                ("address", models.CharField(max_length=200)),
                (
                    "phone",
                    models.CharField(
                        help_text="E.164; printed in messages.",
                        max_length=20,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^\\+[1-9][0-9]{6,14}$",
                                "Write the number with its country code, like +12125550123.",
                            )
                        ],
                    ),
                ),
                (
                    "sms_name",
                    models.CharField(
                        help_text="How the clinic signs a text message; plain GSM-7 letters.",
                        max_length=24,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\\\"#¤%&'()*+,\\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$",
                                "Use the letters of plain texts only: no accents but those of é, ñ, ü and their like, no typographic marks, no emoji.",
                            )
                        ],
                    ),
                ),
                (
                    "sms_number",
                    models.CharField(help_text="E.164 sender of text messages.", max_length=20),
                ),
                ("email_address", models.EmailField(help_text="Sender of e-mail.", max_length=254)),
                (
                    "reply_to",
                    models.EmailField(help_text="A mailbox that staff read.", max_length=254),
                ),
                (
                    "live_from",
                    models.DateTimeField(
                        blank=True,
                        help_text="Nothing is sent before; empty means not yet live.",
                        null=True,
                    ),
                ),
                (
                    "clearance_from",
                    models.DateField(
                        blank=True,
                        help_text="From this local day on, treatment starts only when nothing is lacking: screening answers, consents. Empty: what is lacking is shown, and stops nobody.",
                        null=True,
                    ),
                ),
                (
                    "canary_number",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="E.164 number of a telephone of the clinic's own. It gets a test text every quarter of an hour, whose delivery shows that texts arrive. Empty: none.",
                        max_length=20,
                    ),
                ),
                (
                    "spread_minutes",
                    models.PositiveSmallIntegerField(
                        db_default=10,
                        default=10,
                        help_text="What falls due for many patients at once leaves over so many minutes, each patient's at its own second. 0: all at once.",
                        validators=[django.core.validators.MaxValueValidator(14)],
                    ),
                ),
                (
                    "review_url",
                    models.URLField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Where patients write a review; an address with https.",
                    ),
                ),
                (
                    "reviews_from",
                    models.DateField(
                        blank=True,
                        help_text="Who is treated from this local day on, was content and agreed to news and offers is asked for a review. Empty: nobody is.",
                        null=True,
                    ),
                ),
                (
                    "birthdays_from",
                    models.DateField(
                        blank=True,
                        help_text="From this local day on patients who agreed to news and offers are greeted on their birthday. Empty: nobody is.",
                        null=True,
                    ),
                ),
                (
                    "notice_hold_seconds",
                    models.PositiveIntegerField(
                        default=180,
                        help_text="A notice waits this long after a change, so that an undo sends nothing.",
                    ),
                ),
                (
                    "words_kept_days",
                    models.PositiveIntegerField(
                        default=2557,
                        help_text="The words of a sent message are emptied after so many days: 2557 are 7 years.",
                        validators=[django.core.validators.MinValueValidator(60)],
                    ),
                ),
                ("revision", models.BigIntegerField(default=1)),
                ("planned_revision", models.BigIntegerField(default=0)),
            ],
            options={
                "ordering": ("name",),
                "indexes": [
                    models.Index(
                        models.F("id"),
                        condition=models.Q(
                            ("planned_revision", models.F("revision")), _negated=True
                        ),
                        name="site_stale",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("words_kept_days__gte", 60)), name="site_keeps_words"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("planned_revision__lte", models.F("revision"))),
                        name="site_plan_not_ahead",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("canary_number", ""),
                            ("canary_number__regex", "^\\+[1-9][0-9]{6,14}$"),
                            _connector="OR",
                        ),
                        name="site_canary_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spread_minutes__lte", 14)),
                        name="site_spreads_within_a_quarter",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("review_url", ""),
                            ("review_url__startswith", "https://"),
                            _connector="OR",
                        ),
                        name="site_review_url",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviews_from", None),
                            models.Q(("review_url", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="site_asks_for_reviews_somewhere",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone__regex", "^\\+[1-9][0-9]{6,14}$")),
                        name="site_phone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "sms_name__regex",
                                "^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\\\"#¤%&'()*+,\\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$",
                            )
                        ),
                        name="site_sms_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
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
                        related_name="opening_hours",
                        to="clinic.site",
                    ),
                ),
                ("weekday", models.PositiveSmallIntegerField()),
                (
                    "opens",
                    models.PositiveSmallIntegerField(help_text="Minute of the day, wall time."),
                ),
                (
                    "closes",
                    models.PositiveSmallIntegerField(
                        help_text="Minute of the day, wall time, exclusive."
                    ),
                ),
            ],
            options={
                "ordering": ("site", "weekday", "opens"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("weekday__lte", 6)), name="opening_weekday"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closes__gt", models.F("opens")), ("closes__lte", 1440)
                        ),
                        name="opening_not_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Closure",
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
                        related_name="closures",
                        to="clinic.site",
                    ),
                ),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("reason", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ("site", "first_day"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_day__gte", models.F("first_day"))),
                        name="closure_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TravelTime",
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
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                ("minutes", models.PositiveSmallIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("site__lt", models.F("other"))),
                        name="travel_pair_in_order",
                    ),
                    models.UniqueConstraint(fields=("site", "other"), name="travel_pair_once"),
                    models.CheckConstraint(
                        condition=models.Q(("minutes__lte", 1440)), name="travel_within_a_day"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Staff",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_staff",
                    models.BooleanField(default=False, help_text="May open the set-up admin."),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "English"), ("es", "Spanish")],
                        help_text="In which pages are read; empty leaves it to the browser.",
                        max_length=2,
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "staff",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="staff_email_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["", "en", "es"])),
                        name="staff_language_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SiteRole",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="site_roles",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="site_roles",
                        to="clinic.site",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("front_desk", "Front desk"),
                            ("provider", "Provider"),
                            ("manager", "Manager"),
                            ("clinical_lead", "Clinical lead"),
                        ],
                        max_length=16,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("staff", "site", "role"), name="site_role_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["front_desk", "provider", "manager", "clinical_lead"])
                        ),
                        name="site_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                ("action", models.CharField(max_length=60)),
                ("subject_type", models.CharField(max_length=60)),
                ("subject_id", models.CharField(max_length=60)),
                (
                    "site",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.site",
                    ),
                ),
                ("patient_id", models.BigIntegerField(null=True)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("page", "Page"),
                            ("api", "API"),
                            ("patient_page", "Patient's page"),
                            ("provider", "Report of a provider"),
                            ("system", "System"),
                        ],
                        db_default="system",
                        default="system",
                        max_length=12,
                    ),
                ),
                ("ip", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, db_default="", default="", max_length=16)),
                ("request", models.CharField(blank=True, db_default="", default="", max_length=32)),
                ("window", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ("-at", "-id"),
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
                    models.Index(
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_latest",
                    ),
                    models.Index(
                        models.F("patient_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_patient",
                    ),
                    models.Index(
                        models.F("by"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_by",
                    ),
                    models.Index(
                        models.F("action"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_action",
                    ),
                    models.Index(
                        models.F("ip"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_ip",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            models.F("after"), "jsonb_path_ops"
                        ),
                        condition=models.Q(("action", "record.list")),
                        name="audit_listed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("window__isnull", False)),
                        fields=("subject_id", "subject_type", "by", "window", "action"),
                        name="audit_look_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("via__in", ["page", "api", "patient_page", "provider", "system"])
                        ),
                        name="audit_via_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("treatment", "Treatment"),
                            ("photos_record", "Photos for the record"),
                            ("photos_education", "Photos for teaching"),
                            ("photos_marketing", "Photos for advertising"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "protocol",
                    models.SlugField(blank=True, help_text="The protocol's id; empty for photos."),
                ),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("title_en", models.CharField(max_length=120)),
                ("body_en", models.TextField()),
                ("title_es", models.CharField(max_length=120)),
                ("body_es", models.TextField()),
                (
                    "valid_for",
                    models.CharField(
                        blank=True,
                        help_text="How long a signature counts, such as P12M; empty is until it is withdrawn.",
                        max_length=12,
                    ),
                ),
                ("asks_anew", models.BooleanField(default=True)),
                ("digest_en", models.CharField(max_length=64)),
                ("digest_es", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                (
                    "from_library",
                    models.CharField(
                        blank=True,
                        help_text="The digest of the product's edition it began as.",
                        max_length=64,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("saved_at", models.DateTimeField(help_text="The last change of the draft.")),
                (
                    "saved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "retired_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("purpose", "protocol", "-number"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("purpose", "protocol", "number"), name="consent_form_number_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "published")),
                        fields=("purpose", "protocol"),
                        name="consent_form_one_published",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "draft")),
                        fields=("purpose", "protocol"),
                        name="consent_form_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("purpose", "treatment"), models.Q(("protocol", ""), _negated=True)
                            ),
                            models.Q(
                                (
                                    "purpose__in",
                                    ["photos_record", "photos_education", "photos_marketing"],
                                ),
                                ("protocol", ""),
                            ),
                            _connector="OR",
                        ),
                        name="consent_form_of_a_protocol",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("published_at", None),
                                ("published_by", None),
                                ("retired_at", None),
                                ("retired_by", None),
                                ("state", "draft"),
                            ),
                            models.Q(
                                ("published_at__isnull", False),
                                ("published_by__isnull", False),
                                ("retired_at", None),
                                ("retired_by", None),
                                ("state", "published"),
                            ),
                            models.Q(
                                ("retired_at__isnull", False),
                                ("retired_by__isnull", False),
                                ("state", "retired"),
                                models.Q(
                                    models.Q(("published_at", None), ("published_by", None)),
                                    models.Q(
                                        ("published_at__isnull", False),
                                        ("published_by__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="consent_form_state_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OnCallShift",
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
                        related_name="on_call_shifts",
                        to="clinic.site",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="on_call_shifts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "phone",
                    models.CharField(
                        blank=True, help_text="E.164, such as +12125550123.", max_length=20
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
            ],
            options={
                "ordering": ("starts_at", "id"),
                "indexes": [models.Index(fields=["site", "ends_at"], name="on_call_shift_now")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="on_call_shift_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("phone", ""), _negated=True),
                            models.Q(("email", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="on_call_shift_reachable",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("phone", ""),
                            ("phone__regex", "^\\+[1-9][0-9]{6,14}$"),
                            _connector="OR",
                        ),
                        name="on_call_shift_phone",
                    ),
                    models.UniqueConstraint(
                        fields=("site", "staff", "starts_at"), name="on_call_shift_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Modality",
            fields=[
                ("slug", models.SlugField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("code", models.CharField(max_length=2)),
            ],
            options={
                "verbose_name_plural": "modalities",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Resource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("provider", "Provider"),
                            ("room", "Room"),
                            ("device", "Device"),
                            ("patient", "Patient"),
                        ],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=60)),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="clinic.site",
                    ),
                ),
                (
                    "staff",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resource",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "room_kind",
                    models.SlugField(
                        blank=True, help_text="For a room: treatment, laser, consult …"
                    ),
                ),
                (
                    "modality",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="clinic.modality",
                    ),
                ),
                ("serial", models.CharField(blank=True, max_length=40)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ("kind", "name"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "provider"), ("modality", None), ("room_kind", "")),
                            models.Q(
                                ("kind", "room"),
                                ("modality", None),
                                ("site__isnull", False),
                                ("staff", None),
                                models.Q(("room_kind", ""), _negated=True),
                            ),
                            models.Q(
                                ("kind", "device"),
                                ("room_kind", ""),
                                ("staff", None),
                                ("modality__isnull", False),
                                ("site__isnull", False),
                            ),
                            models.Q(
                                ("kind", "patient"),
                                ("modality", None),
                                ("name", ""),
                                ("room_kind", ""),
                                ("site", None),
                                ("staff", None),
                            ),
                            _connector="OR",
                        ),
                        name="resource_shape",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credentials",
                        to="clinic.resource",
                    ),
                ),
                (
                    "modality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to="clinic.modality",
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until", None),
                            ("valid_until__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="credential_in_order",
                    ),
                    models.UniqueConstraint(
                        fields=("provider", "modality", "valid_from"), name="credential_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hours",
                        to="clinic.resource",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provider_hours",
                        to="clinic.site",
                    ),
                ),
                ("weekday", models.PositiveSmallIntegerField(help_text="0 is Monday.")),
                (
                    "starts",
                    models.PositiveSmallIntegerField(help_text="Minute of the day, wall time."),
                ),
                (
                    "ends",
                    models.PositiveSmallIntegerField(
                        help_text="Minute of the day, wall time, exclusive."
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "provider hours",
                "ordering": ("provider", "weekday", "starts"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("weekday__lte", 6)), name="provider_weekday"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("starts")), ("ends__lte", 1440)),
                        name="provider_hours_not_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HoursException",
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
                        related_name="hours_exceptions",
                        to="clinic.site",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        blank=True,
                        limit_choices_to={"kind": "provider"},
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hours_exceptions",
                        to="clinic.resource",
                    ),
                ),
                ("day", models.DateField()),
                (
                    "starts",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Minute of the day, wall time; empty: none that day.",
                        null=True,
                    ),
                ),
                (
                    "ends",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Minute of the day, wall time, exclusive.", null=True
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "ordering": ("site", "day", "starts"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ends", None), ("starts", None)),
                            models.Q(
                                ("ends__isnull", False),
                                ("starts__isnull", False),
                                ("ends__gt", models.F("starts")),
                                ("ends__lte", 1440),
                            ),
                            _connector="OR",
                        ),
                        name="hours_exception_whole",
                    ),
                    models.UniqueConstraint(
                        fields=("site", "provider", "day", "starts"),
                        name="hours_exception_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "protocol",
                    models.SlugField(help_text="The protocol's id, such as rf_microneedling."),
                ),
                ("version", models.CharField(max_length=20)),
                (
                    "kind",
                    models.CharField(
                        choices=[("series", "Treatment protocol"), ("service", "Plain service")],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "modality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protocols",
                        to="clinic.modality",
                    ),
                ),
                ("document", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Approved"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("approved_digest", models.CharField(blank=True, max_length=64)),
                (
                    "is_demo",
                    models.BooleanField(
                        default=False,
                        help_text="Approved by the demo's clinical lead, for the demo only.",
                    ),
                ),
            ],
            options={
                "ordering": ("name", "-created_at"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("protocol", "version"), name="protocol_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "approved")),
                        fields=("protocol",),
                        name="protocol_one_approved_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved_at", None),
                                ("approved_by", None),
                                ("approved_digest", ""),
                                ("status", "draft"),
                            ),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("approved_by__isnull", False),
                                ("approved_digest", models.F("digest")),
                                ("status__in", ("approved", "retired")),
                            ),
                            models.Q(
                                ("approved_at", None),
                                ("approved_by", None),
                                ("approved_digest", ""),
                                ("status", "retired"),
                            ),
                            _connector="OR",
                        ),
                        name="protocol_approval_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("protocol", models.SlugField(unique=True)),
                (
                    "base",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.protocolversion",
                    ),
                ),
                ("text", models.TextField()),
                ("revision", models.PositiveIntegerField(default=1)),
                ("saved_at", models.DateTimeField()),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecordRetention",
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
                        related_name="retentions",
                        to="clinic.site",
                    ),
                ),
                ("begins_on", models.DateField()),
                ("years", models.PositiveSmallIntegerField()),
                ("basis", models.CharField(max_length=200)),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("site", "-begins_on", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "begins_on"), name="retention_once_a_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("years__range", (3, 50))), name="retention_years"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("basis", ""), _negated=True),
                        name="retention_has_a_basis",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="Staff",
            name="sites",
            field=models.ManyToManyField(
                related_name="staff", through="clinic.SiteRole", to="clinic.site"
            ),
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION afterglow_append_only() CASCADE"),
        migrations.RunSQL(AUDIT, migrations.RunSQL.noop),
        migrations.RunSQL(PROTOCOL, "DROP FUNCTION afterglow_protocol_immutable() CASCADE"),
        migrations.RunSQL(CONSENT_FORM, "DROP FUNCTION afterglow_consent_form_immutable() CASCADE"),
        migrations.RunSQL(RETENTION, migrations.RunSQL.noop),
    ]
