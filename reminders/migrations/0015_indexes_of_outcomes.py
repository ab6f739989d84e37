import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0014_writing_deaths"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="reminders.message",
            ),
        ),
        migrations.AlterField(
            model_name="sentcontent",
            name="wording",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reminders.wordingversion",
            ),
        ),
        migrations.AddIndex(
            model_name="sentcontent",
            index=models.Index(
                condition=models.Q(("wording__isnull", False)),
                fields=["wording"],
                name="content_wording",
            ),
        ),
    ]
