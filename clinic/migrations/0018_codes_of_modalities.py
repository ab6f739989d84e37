from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0017_one_index_each"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="modality",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z]{2}$")), name="modality_code"
            ),
        ),
    ]
