"""The tables of messages, and published words that never change."""

import django.contrib.postgres.indexes
import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import reminders.catalogue

# What was published is never changed: it is only retired, and a retired version is what it is.
WORDING = """
CREATE FUNCTION afterglow_wording_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'draft' AND TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state = 'draft'
     AND NEW.state IN ('draft', 'published')
     AND (NEW.site_id, NEW.kind, NEW.language, NEW.number)
         IS NOT DISTINCT FROM (OLD.site_id, OLD.kind, OLD.language, OLD.number)
  THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'retired'
     AND to_jsonb(NEW) - '{state,retired_at,retired_by_id}'::text[]
         = to_jsonb(OLD) - '{state,retired_at,retired_by_id}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published wording never changes; publish a new version'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER wording_immutable BEFORE UPDATE OR DELETE ON reminders_wordingversion
  FOR EACH ROW EXECUTE FUNCTION afterglow_wording_immutable();
"""


class Migration(migrations.Migration):
    replaces = [
        ("reminders", "0001_initial"),
        ("reminders", "0002_offers_of_places"),
        ("reminders", "0003_to_a_fixed_address"),
        ("reminders", "0004_watched"),
        ("reminders", "0005_said_at_once"),
        ("reminders", "0006_wording_versions"),
        ("reminders", "0007_looks_at_providers"),
        ("reminders", "0008_conversations"),
        ("reminders", "0009_lanes_and_accounts"),
        ("reminders", "0010_opt_out_line"),
        ("reminders", "0011_words_to_empty"),
        ("reminders", "0012_no_state_claimed"),
        ("reminders", "0013_answers_keywords"),
        ("reminders", "0014_writing_deaths"),
        ("reminders", "0015_indexes_of_outcomes"),
        ("reminders", "0016_archive"),
        ("reminders", "0017_record_exports"),
        ("reminders", "0018_reviews_and_birthdays"),
        ("reminders", "0019_held_reports"),
        ("reminders", "0020_to_fill_in"),
        ("reminders", "0021_asking_in_writing"),
    ]

    initial = True

    dependencies = [
        ("appointments", "0001_tables_and_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArchivedJourney",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "series",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archived",
                        to="appointments.treatmentseries",
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ArchivedMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="reminders.archivedjourney",
                    ),
                ),
                ("key", models.CharField(max_length=80, unique=True)),
                ("reference", models.UUIDField(unique=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archived_messages",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("booking_confirmed", "booking_confirmed"),
                            ("precare_step", "precare_step"),
                            ("fill_in", "fill_in"),
                            ("reminder_7d", "reminder_7d"),
                            ("reminder_confirm", "reminder_confirm"),
                            ("reminder_final", "reminder_final"),
                            ("nudge", "nudge"),
                            ("appt_moved", "appt_moved"),
                            ("cancelled", "cancelled"),
                            ("no_show_followup", "no_show_followup"),
                            ("postcare_0", "postcare_0"),
                            ("postcare_step", "postcare_step"),
                            ("checkin", "checkin"),
                            ("progress_milestone", "progress_milestone"),
                            ("touchup_prompt", "touchup_prompt"),
                            ("review_request", "review_request"),
                            ("birthday", "birthday"),
                            ("session_due", "session_due"),
                            ("waitlist_offer", "waitlist_offer"),
                            ("waitlist_gone", "waitlist_gone"),
                            ("optout_ack", "optout_ack"),
                            ("start_ack", "start_ack"),
                            ("help_reply", "help_reply"),
                            ("safety_text", "safety_text"),
                            ("away_reply", "away_reply"),
                            ("staff_reply", "staff_reply"),
                            ("new_link", "new_link"),
                            ("on_call", "on_call"),
                            ("canary", "canary"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("sms", "sms"), ("email", "email")], max_length=5),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scheduled", "scheduled"),
                            ("submitting", "submitting"),
                            ("unknown", "unknown"),
                            ("accepted", "accepted"),
                            ("sent", "sent"),
                            ("delivered", "delivered"),
                            ("undelivered", "undelivered"),
                            ("failed", "failed"),
                            ("withdrawn", "withdrawn"),
                            ("skipped", "skipped"),
                        ],
                        max_length=11,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("due_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("whole", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
            ],
            options={
                "ordering": ("due_at", "id"),
                "indexes": [models.Index(fields=["patient", "due_at"], name="archived_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("scheduled", "submitting")), _negated=True
                        ),
                        name="archived_at_rest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80, unique=True)),
                ("reference", models.UUIDField(help_text="Our id at the provider.", unique=True)),
                (
                    "patient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="patients.patient",
                    ),
                ),
                (
                    "to_address",
                    models.CharField(blank=True, help_text="If not the patient's.", max_length=254),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="clinic.site",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="appointments.treatmentseries",
                    ),
                ),
                (
                    "session",
                    models.PositiveSmallIntegerField(
                        help_text="Of the series, if of one.", null=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("booking_confirmed", "booking_confirmed"),
                            ("precare_step", "precare_step"),
                            ("fill_in", "fill_in"),
                            ("reminder_7d", "reminder_7d"),
                            ("reminder_confirm", "reminder_confirm"),
                            ("reminder_final", "reminder_final"),
                            ("nudge", "nudge"),
                            ("appt_moved", "appt_moved"),
                            ("cancelled", "cancelled"),
                            ("no_show_followup", "no_show_followup"),
                            ("postcare_0", "postcare_0"),
                            ("postcare_step", "postcare_step"),
                            ("checkin", "checkin"),
                            ("progress_milestone", "progress_milestone"),
                            ("touchup_prompt", "touchup_prompt"),
                            ("review_request", "review_request"),
                            ("birthday", "birthday"),
                            ("session_due", "session_due"),
                            ("waitlist_offer", "waitlist_offer"),
                            ("waitlist_gone", "waitlist_gone"),
                            ("optout_ack", "optout_ack"),
                            ("start_ack", "start_ack"),
                            ("help_reply", "help_reply"),
                            ("safety_text", "safety_text"),
                            ("away_reply", "away_reply"),
                            ("staff_reply", "staff_reply"),
                            ("new_link", "new_link"),
                            ("on_call", "on_call"),
                            ("canary", "canary"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("sms", "sms"), ("email", "email")], max_length=5),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("care", "care"),
                            ("marketing", "marketing"),
                            ("system", "system"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(help_text="0 goes first and at any hour."),
                ),
                (
                    "needs",
                    models.JSONField(default=list, help_text="Further consents, such as photos."),
                ),
                (
                    "steps",
                    models.JSONField(default=list, help_text="Protocol step ids it carries."),
                ),
                ("due_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("wake_at", models.DateTimeField(null=True)),
                (
                    "waits_for",
                    models.CharField(
                        blank=True, help_text="visit_done, series_done", max_length=12
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scheduled", "scheduled"),
                            ("submitting", "submitting"),
                            ("unknown", "unknown"),
                            ("accepted", "accepted"),
                            ("sent", "sent"),
                            ("delivered", "delivered"),
                            ("undelivered", "undelivered"),
                            ("failed", "failed"),
                            ("withdrawn", "withdrawn"),
                            ("skipped", "skipped"),
                        ],
                        default=reminders.catalogue.MessageState["SCHEDULED"],
                        max_length=11,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("why", models.JSONField(default=list)),
                ("gate_why", models.JSONField(default=list)),
                ("attempts_made", models.PositiveSmallIntegerField(default=0)),
                ("claim_token", models.UUIDField(null=True)),
                ("claimed_at", models.DateTimeField(null=True)),
                ("provider", models.CharField(blank=True, max_length=10)),
                ("provider_id", models.CharField(blank=True, max_length=64)),
                ("error_code", models.CharField(blank=True, max_length=20)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "closed_at",
                    models.DateTimeField(
                        help_text="When it was withdrawn, skipped or given up.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("due_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("priority", 0), ("wake_at__isnull", False)),
                        fields=["wake_at", "channel"],
                        name="message_wake_at_once",
                    ),
                    models.Index(
                        condition=models.Q(("priority__range", (1, 2)), ("wake_at__isnull", False)),
                        fields=["wake_at", "channel"],
                        name="message_wake_soon",
                    ),
                    models.Index(
                        condition=models.Q(("priority__gte", 3), ("wake_at__isnull", False)),
                        fields=["wake_at", "channel"],
                        name="message_wake_later",
                    ),
                    models.Index(
                        condition=models.Q(("state", "unknown")),
                        fields=["claimed_at"],
                        name="message_unknown",
                    ),
                    models.Index(fields=["patient", "due_at"], name="message_patient"),
                    models.Index(fields=["site", "state", "due_at"], name="message_list"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("patient__isnull", False),
                            models.Q(("to_address", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="message_has_recipient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("due_at"))),
                        name="message_expires_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "scheduled",
                                    "submitting",
                                    "unknown",
                                    "accepted",
                                    "sent",
                                    "delivered",
                                    "undelivered",
                                    "failed",
                                    "withdrawn",
                                    "skipped",
                                ],
                            )
                        ),
                        name="message_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["sms", "email"])),
                        name="message_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "booking_confirmed",
                                    "precare_step",
                                    "fill_in",
                                    "reminder_7d",
                                    "reminder_confirm",
                                    "reminder_final",
                                    "nudge",
                                    "appt_moved",
                                    "cancelled",
                                    "no_show_followup",
                                    "postcare_0",
                                    "postcare_step",
                                    "checkin",
                                    "progress_milestone",
                                    "touchup_prompt",
                                    "review_request",
                                    "birthday",
                                    "session_due",
                                    "waitlist_offer",
                                    "waitlist_gone",
                                    "optout_ack",
                                    "start_ack",
                                    "help_reply",
                                    "safety_text",
                                    "away_reply",
                                    "staff_reply",
                                    "new_link",
                                    "on_call",
                                    "canary",
                                ],
                            )
                        ),
                        name="message_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["care", "marketing", "system"])),
                        name="message_purpose_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "submitting"), _negated=True),
                            models.Q(("claim_token__isnull", False), ("wake_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="message_claim_has_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ("skipped", "withdrawn", "failed")), _negated=True
                            ),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="message_unsent_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ("accepted", "sent", "delivered")), _negated=True
                            ),
                            ("accepted_at__isnull", False),
                            _connector="OR",
                        ),
                        name="message_accepted_when_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="reminders.message",
                    ),
                ),
                ("anchor", models.CharField(help_text="visit:ID or series:ID.", max_length=30)),
                ("schedule_version", models.PositiveIntegerField()),
                (
                    "step",
                    models.CharField(help_text="Protocol step id or message kind.", max_length=60),
                ),
                ("channel", models.CharField(max_length=5)),
                ("starts_at", models.DateTimeField(null=True)),
                ("live", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("live", True)),
                        fields=("anchor", "schedule_version", "step", "channel"),
                        name="message_item_said_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
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
                        related_name="conversations",
                        to="clinic.site",
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("sms", "sms"), ("email", "email")], max_length=5),
                ),
                ("address", models.CharField(max_length=254)),
                (
                    "patient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="patients.patient",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unmatched", "Unmatched"),
                            ("new", "New"),
                            ("waiting", "Waiting for the patient"),
                            ("escalated", "Escalated"),
                            ("closed", "Closed"),
                        ],
                        max_length=9,
                    ),
                ),
                ("has_symptom", models.BooleanField(default=False)),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField(help_text="When either side last wrote.")),
                ("page_at", models.DateTimeField(null=True)),
                (
                    "pages",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="How often on-call was paged."
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
            ],
            options={
                "ordering": ("-last_at", "-id"),
                "indexes": [
                    models.Index(fields=["site", "state", "-last_at"], name="conversation_list"),
                    models.Index(
                        condition=models.Q(("page_at__isnull", False)),
                        fields=["page_at"],
                        name="conversation_page",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("has_symptom", True), models.Q(("state", "closed"), _negated=True)
                        ),
                        fields=["patient"],
                        name="conversation_holds",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("site", "channel", "address"),
                        name="conversation_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["unmatched", "new", "waiting", "escalated", "closed"])
                        ),
                        name="conversation_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(
                                models.Q(("state", "closed"), _negated=True), ("closed_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="conversation_closed_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "unmatched"), _negated=True),
                            ("patient", None),
                            _connector="OR",
                        ),
                        name="conversation_unmatched_has_no_patient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("page_at", None),
                            models.Q(("owner", None), ("state", "escalated")),
                            _connector="OR",
                        ),
                        name="conversation_paged_while_escalated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replies",
                        to="reminders.conversation",
                    ),
                ),
                ("provider", models.CharField(max_length=10)),
                (
                    "provider_id",
                    models.CharField(help_text="The provider's id of the reply.", max_length=120),
                ),
                ("received_at", models.DateTimeField()),
                ("text", models.TextField(blank=True)),
                (
                    "forgotten_at",
                    models.DateTimeField(help_text="When retention emptied the text.", null=True),
                ),
                ("labels", models.JSONField(default=list)),
                (
                    "question",
                    models.CharField(blank=True, help_text="confirm, checkin", max_length=7),
                ),
                (
                    "answers",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replies",
                        to="reminders.message",
                    ),
                ),
                (
                    "did",
                    models.JSONField(default=list, help_text="Sentences: what was done at once."),
                ),
            ],
            options={
                "ordering": ("received_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("forgotten_at", None)),
                        fields=["received_at"],
                        name="inbound_to_forget",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "provider_id"), name="inbound_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("forgotten_at", None), ("text", ""), _connector="OR"),
                        name="inbound_forgotten_is_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="draft",
                        to="reminders.message",
                    ),
                ),
                ("language", models.CharField(max_length=2)),
                ("text", models.TextField(blank=True)),
                ("emptied_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("text", ""), _negated=True),
                        fields=["message"],
                        name="draft_to_empty",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("emptied_at", None), ("text", ""), _connector="OR"),
                        name="draft_emptied_is_empty",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordExport",
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
                        related_name="exports",
                        to="patients.patient",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=200)),
                ("expires_at", models.DateTimeField()),
                (
                    "taken",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="How often it was taken."
                    ),
                ),
            ],
            options={
                "ordering": ("-asked_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("asked_at"))),
                        name="export_expires_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="export_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("reply", "A reply"),
                            ("receipt", "What became of a text"),
                            ("mail", "What became of a mail"),
                        ],
                        max_length=7,
                    ),
                ),
                ("said", models.JSONField()),
                ("received_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "next_at",
                    models.DateTimeField(help_text="When it is dealt with, if it is still here."),
                ),
                ("fault", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "indexes": [models.Index(fields=["next_at"], name="held_report_next")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("way__in", ["reply", "receipt", "mail"])),
                        name="held_report_way_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LookUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="look_ups",
                        to="reminders.message",
                    ),
                ),
                (
                    "attempt",
                    models.PositiveSmallIntegerField(help_text="The number of the attempt."),
                ),
                ("at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("found", "Found"),
                            ("several", "Several"),
                            ("absent", "Absent"),
                            ("no_answer", "No Answer"),
                            ("cannot_say", "Cannot Say"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "answer__in",
                                ["", "found", "several", "absent", "no_answer", "cannot_say"],
                            )
                        ),
                        name="look_up_answer_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WordingVersion",
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wordings",
                        to="clinic.site",
                    ),
                ),
                ("kind", models.CharField(help_text="A kind of the catalogue.", max_length=20)),
                (
                    "language",
                    models.CharField(choices=[("en", "English"), ("es", "Spanish")], max_length=2),
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
                ("sms", models.TextField(blank=True)),
                ("sms_several", models.TextField(blank=True)),
                ("subject", models.TextField(blank=True)),
                ("subject_several", models.TextField(blank=True)),
                ("opening", models.TextField(blank=True)),
                ("opening_several", models.TextField(blank=True)),
                ("closing", models.TextField(blank=True)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("saved_at", models.DateTimeField(help_text="The last change of the draft.")),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "retired_by",
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
                "ordering": ("kind", "language", "site", "-number"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "kind", "language", "number"),
                        name="wording_number_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "published")),
                        fields=("site", "kind", "language"),
                        name="wording_one_published",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "draft")),
                        fields=("site", "kind", "language"),
                        name="wording_one_draft",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["en", "es"])),
                        name="wording_language_known",
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
                                ("published_at__isnull", False),
                                ("published_by__isnull", False),
                                ("retired_at__isnull", False),
                                ("retired_by__isnull", False),
                                ("state", "retired"),
                            ),
                            _connector="OR",
                        ),
                        name="wording_state_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SentContent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="content",
                        to="reminders.message",
                    ),
                ),
                ("address", models.CharField(max_length=254)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField()),
                ("html", models.TextField(blank=True)),
                ("calendar", models.TextField(blank=True)),
                (
                    "segments",
                    models.PositiveSmallIntegerField(help_text="Of a text message.", null=True),
                ),
                (
                    "tells_opt_out",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="A text that says how to get no more.",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "wording",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reminders.wordingversion",
                    ),
                ),
                ("wording_digest", models.CharField(blank=True, max_length=64)),
                ("body_digest", models.CharField(blank=True, max_length=64)),
                ("emptied_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["address", "at"], name="content_address"),
                    models.Index(
                        condition=models.Q(("emptied_at", None)),
                        fields=["at"],
                        name="content_to_empty",
                    ),
                    models.Index(
                        condition=models.Q(("wording__isnull", False)),
                        fields=["wording"],
                        name="content_wording",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("emptied_at", None),
                            models.Q(
                                ("address", ""),
                                ("calendar", ""),
                                ("html", ""),
                                ("subject", ""),
                                ("text", ""),
                            ),
                            _connector="OR",
                        ),
                        name="content_emptied_whole",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="reminders.message",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(blank=True, help_text="Empty while under way.", max_length=9),
                ),
                ("code", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "ordering": ("message", "number"),
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["started_at"], name="attempt_recent", pages_per_range=16
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("message", "number"), name="attempt_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="WritingDeath",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reminders.message",
                    ),
                ),
                ("deaths", models.PositiveSmallIntegerField(default=0)),
                ("last_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=10)),
                ("event_key", models.CharField(max_length=120)),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="receipts",
                        to="reminders.message",
                    ),
                ),
                ("status", models.CharField(max_length=20)),
                ("code", models.CharField(blank=True, max_length=20)),
                ("applied", models.BooleanField(help_text="Whether it moved the message's state.")),
                (
                    "is_flagged",
                    models.BooleanField(
                        default=False, help_text="Says that what was delivered was not."
                    ),
                ),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "event_key"), name="receipt_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("sms", "sms"), ("email", "email")], max_length=5),
                ),
                ("provider", models.CharField(max_length=10)),
                ("rate", models.FloatField(blank=True, help_text="Calls a second.", null=True)),
                (
                    "burst",
                    models.PositiveIntegerField(
                        default=1, help_text="Calls at once after a quiet time."
                    ),
                ),
                (
                    "most_at_once",
                    models.PositiveIntegerField(
                        blank=True, help_text="Calls under way.", null=True
                    ),
                ),
                (
                    "answers_keywords",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="It answers STOP, START and HELP itself, so we do not answer them as well.",
                    ),
                ),
                ("blocked_until", models.DateTimeField(blank=True, null=True)),
                ("tokens", models.FloatField(default=0, editable=False)),
                ("filled_at", models.DateTimeField(editable=False)),
                ("calls", models.PositiveIntegerField(default=0, editable=False)),
                ("unknown", models.PositiveIntegerField(default=0, editable=False)),
                ("lost", models.PositiveIntegerField(default=0, editable=False)),
                ("pauses", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "ordering": ("channel", "provider"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "provider"), name="provider_account_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rate", None), ("rate__gt", 0), _connector="OR"),
                            ("burst__gte", 1),
                            models.Q(
                                ("most_at_once", None), ("most_at_once__gte", 1), _connector="OR"
                            ),
                        ),
                        name="provider_account_limits_let_something_through",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallsUnderWay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reminders.provideraccount",
                    ),
                ),
                ("process", models.UUIDField()),
                ("calls", models.PositiveIntegerField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "process"), name="calls_under_way_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SkipChoice",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skips",
                        to="appointments.treatmentseries",
                    ),
                ),
                ("session", models.PositiveSmallIntegerField()),
                ("step", models.CharField(max_length=60)),
                ("channel", models.CharField(max_length=5)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("series", "session", "step", "channel"), name="skip_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=5)),
                ("address", models.CharField(max_length=254)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("opted_out", "The person asked for no more messages here"),
                            ("wrong_number", "The person is not our patient"),
                            ("complained", "Our mail was marked as spam"),
                            ("hard_bounce", "The mail address does not exist"),
                            ("not_textable", "The number takes no text messages"),
                        ],
                        max_length=40,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("reply", "by reply"),
                            ("link", "by a link"),
                            ("one_click", "by one click in the mail program"),
                            ("staff", "told to staff"),
                            ("provider", "reported by the provider"),
                        ],
                        default="provider",
                        max_length=9,
                    ),
                ),
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
                    "note",
                    models.CharField(
                        blank=True, help_text="What staff gave as the reason.", max_length=200
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=20)),
                ("since", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("channel", "address"),
                        name="suppression_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "opted_out",
                                    "wrong_number",
                                    "complained",
                                    "hard_bounce",
                                    "not_textable",
                                ],
                            )
                        ),
                        name="suppression_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", "staff"), _negated=True),
                            models.Q(("by__isnull", False), models.Q(("note", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="suppression_by_staff_is_explained",
                    ),
                ],
            },
        ),
        migrations.RunSQL(WORDING, "DROP FUNCTION afterglow_wording_immutable() CASCADE"),
    ]
