import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0007_true_times_and_overrides"),
        ("patients", "0002_guards"),
    ]

    operations = [
        migrations.AlterField(
            model_name="task",
            name="patient",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tasks",
                to="patients.patient",
            ),
        ),
    ]
