from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0015_week_reminders_and_nudges"),
    ]

    operations = [
        migrations.AddField(
            model_name="protocoldraft",
            name="text_before",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
    ]
