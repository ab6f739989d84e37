from django.db import migrations, models

# What patients asked for stood where sentences of ours stand.
APART = "UPDATE appointments_task SET wish = detail, detail = '' WHERE key LIKE 'asked:%'"
TOGETHER = "UPDATE appointments_task SET detail = wish WHERE key LIKE 'asked:%'"


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0026_rows_keep_facts"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="wish",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="The patient's own words, never told anew.",
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="detail",
            field=models.TextField(blank=True, help_text="Sentences of ours, told anew."),
        ),
        migrations.RunSQL(APART, TOGETHER),
    ]
