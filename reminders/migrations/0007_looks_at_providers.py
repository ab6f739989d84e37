import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0008_tasks_of_a_site"),
        ("reminders", "0006_wording_versions"),
    ]

    operations = [
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
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="look_ups",
                        to="reminders.message",
                    ),
                ),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.AddField(
            model_name="receipt",
            name="is_flagged",
            field=models.BooleanField(
                default=False, help_text="Says that what was delivered was not."
            ),
        ),
        migrations.AddConstraint(
            model_name="lookup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer__in", ["", "found", "several", "absent", "no_answer", "cannot_say"])
                ),
                name="look_up_answer_known",
            ),
        ),
    ]
