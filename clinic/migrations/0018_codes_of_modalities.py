import re
from itertools import chain, product
from string import ascii_uppercase

from django.db import migrations, models


def in_capitals(rows):
    """The new code of each modality, by id, whose code is not two capital letters, of `rows` of id,
    name and code: in capitals, or else the first letters of the name that are free."""
    wrong = [row for row in rows if not re.fullmatch("[A-Z]{2}", row[2])]
    taken = {code for *_, code in rows}
    mended = {}
    for slug, name, code in wrong:
        typed = code.upper()
        if typed in taken or not re.fullmatch("[A-Z]{2}", typed):
            letters = re.findall("[A-Z]", name.upper())
            codes = chain(product(letters[:1], letters[1:]), product(ascii_uppercase, repeat=2))
            typed = next(code for code in map("".join, codes) if code not in taken)
        mended[slug] = typed
        taken.add(typed)
    return mended


def _write_in_capitals(apps, schema_editor):
    modalities = apps.get_model("clinic", "Modality").objects
    rows = list(modalities.order_by("slug").values_list("slug", "name", "code"))
    for slug, code in in_capitals(rows).items():
        modalities.filter(pk=slug).update(code=code)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0017_one_index_each"),
    ]

    operations = [
        migrations.RunPython(_write_in_capitals, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="modality",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z]{2}$")), name="modality_code"
            ),
        ),
    ]
