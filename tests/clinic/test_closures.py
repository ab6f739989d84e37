"""Closing a site for whole days and opening it again: each on record once."""

from datetime import date, datetime

import pytest

from clinic import closures
from clinic.access import Forbidden
from clinic.models import AuditEntry, Closure, Site, Staff

pytestmark = pytest.mark.django_db

EVE = date(2027, 12, 24)


def test_a_closure_is_taken_back_once(site: Site, manager: Staff, now: datetime) -> None:
    made = closures.close(site=site, first_day=EVE, last_day=EVE, reason="Eve", by=manager, now=now)
    seen_twice = Closure.objects.get(pk=made.pk)
    closures.take_back(closure=made, by=manager, now=now)
    closures.take_back(closure=seen_twice, by=manager, now=now)
    assert AuditEntry.objects.filter(action="closure.take_back").count() == 1


def test_only_who_manages_the_site_closes_and_opens_it(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    made = closures.close(site=site, first_day=EVE, last_day=EVE, reason="Eve", by=manager, now=now)
    for nobody in (front_desk, outsider):
        with pytest.raises(Forbidden):
            closures.take_back(closure=made, by=nobody, now=now)
        with pytest.raises(Forbidden):
            closures.close(site=site, first_day=EVE, last_day=EVE, reason="x", by=nobody, now=now)
    assert Closure.objects.get() == made
