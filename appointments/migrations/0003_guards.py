"""The history of a visit is append-only in the database."""

from django.db import migrations

HISTORY = """
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE ON appointments_statuschange
  FOR EACH ROW EXECUTE FUNCTION afterglow_append_only();
REVOKE UPDATE, DELETE ON appointments_statuschange FROM afterglow_app;
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0002_initial"), ("clinic", "0002_guards")]

    operations = [
        migrations.RunSQL(HISTORY, "DROP TRIGGER history_append_only ON appointments_statuschange"),
    ]
