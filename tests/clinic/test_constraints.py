"""What the database itself refuses of exceptional hours and travel times."""

from collections.abc import Callable
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from clinic.models import HoursException, Resource, Site, TravelTime

pytestmark = pytest.mark.django_db

EVE = date(2027, 12, 24)


def refused(name: str, write: Callable[[], object]) -> None:
    """`write` must break exactly the constraint of that name."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()


@pytest.mark.parametrize(
    ("starts", "ends"), [(540, None), (None, 1020), (600, 600), (600, 540), (600, 1441)]
)
def test_exceptional_hours_are_a_stretch_of_the_day_or_none(
    site: Site, starts: int | None, ends: int | None
) -> None:
    refused(
        "hours_exception_whole",
        lambda: HoursException.objects.create(site=site, day=EVE, starts=starts, ends=ends),
    )


@pytest.mark.parametrize("starts", [None, 540])
@pytest.mark.parametrize("of_a_provider", [False, True])
def test_a_stretch_of_a_day_stands_once(
    site: Site, treatment_provider: Resource, starts: int | None, of_a_provider: bool
) -> None:
    row = {
        "site": site,
        "provider": treatment_provider if of_a_provider else None,
        "day": EVE,
        "starts": starts,
    }
    HoursException.objects.create(**row, ends=starts and 600)
    refused(
        "hours_exception_once", lambda: HoursException.objects.create(**row, ends=starts and 720)
    )


def test_a_day_has_hours_of_the_site_and_of_each_provider(
    site: Site, treatment_provider: Resource
) -> None:
    for provider in (None, treatment_provider):
        HoursException.objects.create(site=site, provider=provider, day=EVE, starts=540, ends=720)
        HoursException.objects.create(site=site, provider=provider, day=EVE, starts=780, ends=900)
    assert HoursException.objects.count() == 4


def test_each_pair_of_sites_has_one_travel_time_within_a_day(site: Site, other_site: Site) -> None:
    low, high = sorted((site, other_site), key=lambda each: each.pk)
    refused(
        "travel_pair_in_order",
        lambda: TravelTime.objects.create(site=high, other=low, minutes=30),
    )
    refused(
        "travel_pair_in_order",
        lambda: TravelTime.objects.create(site=low, other=low, minutes=30),
    )
    refused(
        "travel_within_a_day",
        lambda: TravelTime.objects.create(site=low, other=high, minutes=1441),
    )
    TravelTime.objects.create(site=low, other=high, minutes=40)
    refused(
        "travel_pair_once",
        lambda: TravelTime.objects.create(site=low, other=high, minutes=20),
    )


@pytest.mark.parametrize(
    ("field", "wrong", "right", "constraint"),
    [
        ("phone", "(212) 555-0100", "+34911234567", "site_phone"),
        ("phone", "+0123456789", "+12125550100", "site_phone"),
        ("sms_name", "Piel “Lumen”", "Piel Niña & Co.", "site_sms_name"),
        ("sms_name", "Clínica", "Ünal Skin", "site_sms_name"),
        ("sms_name", "", "Skin 1", "site_sms_name"),
    ],
)
def test_texts_are_signed_with_plain_letters_and_a_number_that_can_be_dialled(
    site: Site, field: str, wrong: str, right: str, constraint: str
) -> None:
    rows = Site.objects.filter(pk=site.pk)
    refused(constraint, lambda: rows.update(**{field: wrong}))
    rows.update(**{field: right})
    setattr(site, field, wrong)
    with pytest.raises(ValidationError) as told:
        site.full_clean()
    assert field in told.value.message_dict
    setattr(site, field, right)
    site.full_clean()
