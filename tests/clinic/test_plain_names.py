"""What becomes of numbers and names of sites that were stored before the database refused them."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from clinic.models import Site

pytestmark = pytest.mark.django_db

migration: Any = import_module("clinic.migrations.0008_plain_names")
RULES = ("site_phone", "site_sms_name")


@pytest.fixture(autouse=True)
def before_the_rules(site: Site, as_owner: Callable[[str], None]) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY (%s)",
            [list(RULES)],
        )
        rules = dict(cursor.fetchall())
    for name in RULES:
        as_owner(f"ALTER TABLE clinic_site DROP CONSTRAINT {name}")
    yield
    Site.objects.exclude(pk=site.pk).delete()
    for name, rule in rules.items():
        as_owner(f"ALTER TABLE clinic_site ADD CONSTRAINT {name} {rule}")


def mended(site: Site, **values: str) -> Site:
    Site.objects.filter(pk=site.pk).update(**values)
    migration.mend(apps, None)
    site.refresh_from_db()
    return site


def test_signs_accents_and_marks_are_mended_and_messages_planned_anew(site: Site) -> None:
    revision = site.revision
    mended(site, phone="0044 (0)20 7946-0958", sms_name="Clínica “São João”…")

    assert (site.phone, site.sms_name) == ("+442079460958", 'Clinica "Sao Joao".')
    assert site.revision == revision + 1


def test_what_was_right_stays_as_it_was(site: Site) -> None:
    before = (site.phone, "Clinique Zoé à Köln £$", site.revision)
    mended(site, sms_name=before[1])

    assert (site.phone, site.sms_name, site.revision) == before


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"phone": "020 7946 0958"}, "country code"),
        ({"sms_name": "診療所"}, "letters of plain texts"),
    ],
)
def test_what_only_a_person_knows_is_named_with_its_site(
    site: Site, values: dict[str, str], says: str
) -> None:
    with pytest.raises(migration.Unclear, match=f"site {site.slug}: .*{says}"):
        mended(site, **values)
    Site.objects.filter(pk=site.pk).update(phone="+12125550123", sms_name="Back to letters")
