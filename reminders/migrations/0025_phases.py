"""The mark of a message touches no index and stays on the row's page."""

from django.db import migrations, models

# Half of each page is left free: a message is written anew four times within minutes, and three of
# these versions fit beside it. Before the column, whose coming writes the table anew.
ROOM = "ALTER TABLE reminders_message SET (fillfactor = 50)"
NO_ROOM = "ALTER TABLE reminders_message RESET (fillfactor)"
LEASES = """
UPDATE reminders_message SET leased_until = wake_at, wake_at = coalesce(claimed_at, wake_at)
 WHERE state = 'submitting'
"""
# Formerly `wake_at` was the end of the lease: calls that are under way would be unknown at once.
NO_LEASES = """
UPDATE reminders_message SET wake_at = leased_until
 WHERE state = 'submitting' AND leased_until > wake_at
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0024_skips_of_one_asking"),
    ]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RemoveIndex(
            model_name="message",
            name="message_unknown",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_list",
        ),
        migrations.AddField(
            model_name="message",
            name="leased_until",
            field=models.DateTimeField(help_text="The end of the last mark's lease.", null=True),
        ),
        migrations.RunSQL(LEASES, NO_LEASES),
        migrations.AddField(
            model_name="message",
            name="phase",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(state="scheduled", then=models.Value("to_come")),
                    models.When(state="submitting", then=models.Value("to_come")),
                    models.When(state="unknown", then=models.Value("unknown")),
                    models.When(state="accepted", then=models.Value("told")),
                    models.When(state="sent", then=models.Value("told")),
                    models.When(state="delivered", then=models.Value("told")),
                    models.When(state="undelivered", then=models.Value("failed")),
                    models.When(state="failed", then=models.Value("failed")),
                    models.When(state="withdrawn", then=models.Value("withdrawn")),
                    models.When(state="skipped", then=models.Value("skipped")),
                ),
                output_field=models.CharField(max_length=9),
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("phase", "unknown")),
                fields=["priority", "id"],
                name="message_unknown",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["site", "phase", "due_at"], name="message_list"),
        ),
    ]
