import re
from itertools import chain, count, product
from string import ascii_uppercase

import django.db.models.functions.text
from django.db import migrations, models

LONGEST_NAME = 60


def told_apart(rows):
    """The new name and code of each modality, by id, of `rows` of id, name and code. Of two with
    one name or code the first id keeps it; the other has a number after its name, or the first
    letters of the name that are free."""
    codes, names = {code for *_, code in rows}, {name.lower() for _, name, _ in rows}
    seen_codes, seen_names = set(), set()
    mended = {}
    for slug, name, code in rows:
        if code in seen_codes:
            letters = re.findall("[A-Z]", name.upper())
            tried = chain(product(letters[:1], letters[1:]), product(ascii_uppercase, repeat=2))
            code = next(free for free in map("".join, tried) if free not in codes)
        if name.lower() in seen_names:
            ends = (f" {number}" for number in count(2))
            longer = (name[: LONGEST_NAME - len(end)] + end for end in ends)
            name = next(free for free in longer if free.lower() not in names)
        mended[slug] = (name, code)
        seen_codes.add(code)
        seen_names.add(name.lower())
        codes.add(code)
        names.add(name.lower())
    return mended


def _tell_apart(apps, schema_editor):
    modalities = apps.get_model("clinic", "Modality").objects
    rows = list(modalities.order_by("slug").values_list("slug", "name", "code"))
    for slug, (name, code) in told_apart(rows).items():
        modalities.filter(pk=slug).update(name=name, code=code)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0018_codes_of_modalities"),
    ]

    operations = [
        migrations.RunPython(_tell_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="modality",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="modality_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="modality",
            constraint=models.UniqueConstraint(fields=("code",), name="modality_code_once"),
        ),
    ]
