"""Numbers and names of sites as patients can read them, held by the database.

Rows of before are mended first where the meaning is certain: signs between the digits of a number,
accents and typographic marks of a name. What only a person can know stops the migration, with the
sites and what to write.
"""

import re
import unicodedata

import django.core.validators
from django.db import migrations, models
from django.db.models import F

PHONE = r"^\+[1-9][0-9]{6,14}$"
PLAIN = r"^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$"
MARKS = str.maketrans("‘’‚‛“”„«»–—‐‑…•", '\'\'\'\'"""""----.-')


class Unclear(Exception):
    """Sites whose number or name only a person can mend."""


def number(value: str) -> str:
    """A number without the signs between its digits, and the 0 that is not dialled from abroad."""
    digits = re.sub(r"[\s().\-/\u2010-\u2015]", "", value.replace("(0)", ""))
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def plain(value: str) -> str:
    """A name in the letters of plain texts, without those that have no like there."""
    letters = (_plain_letter(char) for char in value.translate(MARKS))
    return " ".join("".join(letters).split())


def _plain_letter(char: str) -> str:
    if re.match(PLAIN, char):
        return char
    bare = "".join(each for each in unicodedata.normalize("NFKD", char) if each.isascii())
    return bare if bare and re.match(PLAIN, bare) else " " if char.isspace() else ""


def mend(apps, schema_editor):
    unclear = []
    sites = apps.get_model("clinic", "Site").objects
    for site in sites.order_by("slug"):
        phone, name = number(site.phone), plain(site.sms_name)
        if not re.match(PHONE, phone):
            unclear.append(f"site {site.slug}: phone with its country code, like +12125550123")
        if not 0 < len(name) <= 24:
            unclear.append(f"site {site.slug}: sms_name in up to 24 letters of plain texts")
        if (phone, name) != (site.phone, site.sms_name):
            sites.filter(pk=site.pk).update(phone=phone, sms_name=name, revision=F("revision") + 1)
    if unclear:
        raise Unclear(f"Write these first, then migrate again: {'; '.join(unclear)}.")


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0007_consent_forms"),
    ]

    operations = [
        migrations.RunPython(mend, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="site",
            name="phone",
            field=models.CharField(
                help_text="E.164; printed in messages.",
                max_length=20,
                validators=[
                    django.core.validators.RegexValidator(
                        "^\\+[1-9][0-9]{6,14}$",
                        "Write the number with its country code, like +12125550123.",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="site",
            name="sms_name",
            field=models.CharField(
                help_text="How the clinic signs a text message; plain GSM-7 letters.",
                max_length=24,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\\\"#¤%&'()*+,\\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$",
                        "Use the letters of plain texts only: no accents but those of é, ñ, ü and their like, no typographic marks, no emoji.",
                    )
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone__regex", "^\\+[1-9][0-9]{6,14}$")), name="site_phone"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sms_name__regex",
                        "^[ A-Za-z0-9@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\\\"#¤%&'()*+,\\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]+$",
                    )
                ),
                name="site_sms_name",
            ),
        ),
    ]
