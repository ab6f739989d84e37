"""What the database itself refuses: rights of the running role, and rows that never change."""

from django.db import migrations

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

# Named for what it is: attached to a table, it makes the table append-only for everybody.
APPEND_ONLY = """
CREATE FUNCTION afterglow_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_initial")]

    operations = [
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION afterglow_append_only() CASCADE"),
        migrations.RunSQL(AUDIT, migrations.RunSQL.noop),
        migrations.RunSQL(PROTOCOL, "DROP FUNCTION afterglow_protocol_immutable() CASCADE"),
    ]
