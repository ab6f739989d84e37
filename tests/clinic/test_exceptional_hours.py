"""Other hours on one day: the whole day at once, by who manages the site."""

from datetime import date, datetime
from typing import Any

import pytest

from clinic import exceptional_hours
from clinic.access import Forbidden
from clinic.models import AuditEntry, HoursException, Resource, Site, Staff
from clinic.stretches import HoursRefused

pytestmark = pytest.mark.django_db

EVE = date(2027, 12, 24)


def spans(**of: object) -> list[tuple[int | None, int | None]]:
    return list(HoursException.objects.filter(**of).values_list("starts", "ends"))


def test_a_day_has_the_stretches_that_were_written_last(
    site: Site, manager: Staff, now: datetime
) -> None:
    def write(*stretches: tuple[int, int]) -> None:
        exceptional_hours.set_day(
            site=site, day=EVE, stretches=stretches, by=manager, now=now, reason="Eve"
        )

    write((780, 900), (540, 720))
    assert spans() == [(540, 720), (780, 900)]
    write((600, 700))
    assert spans() == [(600, 700)]
    write()
    assert spans() == [(None, None)]
    trail = AuditEntry.objects.filter(action="hours.set_day").order_by("id")
    assert [entry.before.get("stretches") for entry in trail] == [
        None,
        [[540, 720], [780, 900]],
        [[600, 700]],
    ]


def test_a_provider_has_a_day_of_their_own_and_may_go_back_to_the_weekly_hours(
    site: Site, treatment_provider: Resource, manager: Staff, now: datetime
) -> None:
    for provider in (None, treatment_provider):
        exceptional_hours.set_day(
            site=site, day=EVE, stretches=[(540, 720)], provider=provider, by=manager, now=now
        )
    own = HoursException.objects.get(provider=treatment_provider)
    for _ in range(2):
        exceptional_hours.clear_day(exception=own, by=manager, now=now)
    assert AuditEntry.objects.filter(action="hours.clear_day").count() == 1
    assert spans(provider=treatment_provider) == []
    assert spans(provider=None) == [(540, 720)]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"day": date(2027, 2, 14)}, "day", "is past"),
        ({"stretches": [(600, 600)]}, "stretches", "after they begin"),
        ({"stretches": [(0, 1441)]}, "stretches", "after they begin"),
        ({"stretches": [(540, 720), (700, 800)]}, "stretches", "overlap"),
        ({"stretches": [(n, n + 1) for n in range(9)]}, "stretches", "8 stretches at most"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_the_field_to_mend(
    site: Site, manager: Staff, now: datetime, changes: dict[str, Any], field: str, said: str
) -> None:
    wanted: dict[str, Any] = {
        "site": site,
        "day": EVE,
        "stretches": [(540, 720)],
        "by": manager,
        "now": now,
    }
    with pytest.raises(HoursRefused, match=said) as refused:
        exceptional_hours.set_day(**wanted | changes)
    assert refused.value.field == field
    assert not HoursException.objects.exists()


def test_only_a_provider_who_works_there_has_hours_there(
    other_site: Site, treatment_provider: Resource, room: Resource, outsider: Staff, now: datetime
) -> None:
    for resource in (treatment_provider, room):
        with pytest.raises(HoursRefused, match="does not work at Sunset"):
            exceptional_hours.set_day(
                site=other_site, day=EVE, stretches=[], provider=resource, by=outsider, now=now
            )


def test_only_who_manages_the_site_changes_its_hours(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    (made,) = exceptional_hours.set_day(
        site=site, day=EVE, stretches=[(540, 720)], by=manager, now=now
    )
    for nobody in (front_desk, outsider):
        with pytest.raises(Forbidden):
            exceptional_hours.set_day(site=site, day=EVE, stretches=[], by=nobody, now=now)
        with pytest.raises(Forbidden):
            exceptional_hours.clear_day(exception=made, by=nobody, now=now)
