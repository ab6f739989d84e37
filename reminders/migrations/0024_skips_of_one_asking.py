"""What staff skipped of being asked back is about the one time that it was; it was of every time."""

from django.db import migrations

OF_ONE_ASKING = """
INSERT INTO reminders_skipchoice (series_id, session, step, channel, instead, by_id, at)
SELECT DISTINCT skip.series_id, 0, skip.step || ':' || item.schedule_version, skip.channel,
       skip.instead, skip.by_id, skip.at
  FROM reminders_skipchoice AS skip
  JOIN reminders_messageitem AS item
    ON item.anchor = 'series:' || skip.series_id AND item.step = skip.step
   AND item.channel = skip.channel
  JOIN reminders_message AS message ON message.id = item.message_id
 WHERE skip.session = 0 AND skip.step IN ('session_due', 'touchup_prompt')
   AND message.state = 'skipped' AND message.reason = 'skipped_by_staff'
    ON CONFLICT DO NOTHING;
DELETE FROM reminders_skipchoice
 WHERE session = 0 AND step IN ('session_due', 'touchup_prompt');
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0023_one_index_each")]

    operations = [migrations.RunSQL(OF_ONE_ASKING, migrations.RunSQL.noop)]
