"""What a message is listed in has a name of its own, and what is planned otherwise is planned anew."""

from django.db import migrations, models

# The indexes name the column by its number: nothing is written anew.
TRAY = "ALTER TABLE reminders_message RENAME COLUMN phase TO tray"
PHASE = "ALTER TABLE reminders_message RENAME COLUMN tray TO phase"
# Of a visit whose treatment is barred nobody is reminded any more. Planned anew are only those whom
# something may bar: nothing of a patient who waits to be planned leaves. In the order of their ids,
# as everybody locks them.
PLAN_ANEW = """
UPDATE patients_patient SET revision = revision + 1 WHERE id IN (
    SELECT patient.id FROM patients_patient patient
     WHERE (patient.skin_type <> '' OR EXISTS (
               SELECT FROM patients_screeninganswer answer
                WHERE answer.patient_id = patient.id AND answer.value NOT IN ('no', 'never')))
       AND EXISTS (
               SELECT FROM appointments_appointment visit
                 JOIN appointments_treatmentseries series ON series.id = visit.series_id
                WHERE series.patient_id = patient.id
                  AND visit.state IN ('booked', 'confirmed') AND visit.starts_at > now())
     ORDER BY patient.id FOR NO KEY UPDATE OF patient
)"""


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0025_phases"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TRAY, PHASE)],
            state_operations=[
                migrations.RemoveIndex(model_name="message", name="message_unknown"),
                migrations.RemoveIndex(model_name="message", name="message_list"),
                migrations.RenameField(model_name="message", old_name="phase", new_name="tray"),
                migrations.AddIndex(
                    model_name="message",
                    index=models.Index(
                        condition=models.Q(("tray", "unknown")),
                        fields=["priority", "id"],
                        name="message_unknown",
                    ),
                ),
                migrations.AddIndex(
                    model_name="message",
                    index=models.Index(fields=["site", "tray", "due_at"], name="message_list"),
                ),
            ],
        ),
        migrations.RunSQL(PLAN_ANEW, PLAN_ANEW),
    ]
