from django.db import migrations, models

import reminders.catalogue


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0009_waitlist_rank"),
        ("clinic", "0006_on_call"),
        ("patients", "0003_quiet_hours"),
        ("reminders", "0011_words_to_empty"),
    ]

    operations = [
        # A claim without a mark had sent nothing: it is due as before.
        migrations.RunSQL(
            """UPDATE reminders_message
                  SET state = 'scheduled', claim_token = NULL, claimed_at = NULL
                WHERE state = 'claimed'""",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_claim_has_lease",
        ),
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "submitting"), _negated=True),
                    models.Q(("claim_token__isnull", False), ("wake_at__isnull", False)),
                    _connector="OR",
                ),
                name="message_claim_has_lease",
            ),
        ),
    ]
