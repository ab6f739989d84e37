"""The settings of a site: what they may be, who changes them, and what is written down of it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clinic import site_settings
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from clinic.site_settings import SiteChanged, SiteRefused
from tests.api import CLOCK, api, refused
from tests.personas import NOW

pytestmark = [pytest.mark.django_db, CLOCK]


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("name", "  Harbour  Skin ", "Harbour Skin"),
        ("phone", "+1 (212) 555-0199", "+12125550199"),
        ("canary_number", " ", ""),
        ("sms_number", "GLOW", "GLOW"),
        ("sms_number", "72345", "72345"),
        ("sms_number", "+1 212 555 0123", "+12125550123"),
        ("sms_name", "Clínica", None),
        ("sms_name", "Clínica"[:2] + "é", "Clé"),
        ("name", " ", None),
        ("address", "x" * 201, None),
        ("phone", "212 555 0199", None),
        ("sms_number", "212-555", None),
        ("reply_to", "desk", None),
        ("reply_to", f"{'x' * 250}@clinic.example", None),
        ("review_url", "http://reviews.example", None),
        ("review_url", "javascript:alert(1)", None),
        ("spread_minutes", 15, None),
        ("notice_hold_seconds", -1, None),
        ("words_kept_days", 59, None),
        ("zone", "America/Chicago", None),
        ("reviews_from", date(2027, 3, 1), None),
    ],
)
def test_a_value_is_stored_tidied_or_refused_by_name(
    site: Site, name: str, value: Any, stored: Any
) -> None:
    if stored is None:
        with pytest.raises(SiteRefused) as caught:
            site_settings.checked(site, {name: value})
        assert caught.value.field == name
    else:
        assert site_settings.checked(site, {name: value}) == {name: stored}


def test_a_review_needs_its_address_whichever_of_the_two_is_changed(site: Site) -> None:
    day, url = date(2027, 3, 1), "https://reviews.example/harbour"
    both = {"reviews_from": day, "review_url": url}
    assert site_settings.checked(site, both) == both
    site.review_url, site.reviews_from = url, day
    with pytest.raises(SiteRefused) as caught:
        site_settings.checked(site, {"review_url": ""})
    assert caught.value.field == "review_url"


def test_before_and_after_are_written_down_and_messages_planned_anew(
    site: Site, manager: Staff
) -> None:
    change = {"name": "Harbour", "live_from": None, "phone": site.phone}
    changed = site_settings.change(site=site, changes=change, by=manager, now=NOW)
    assert (changed.name, changed.live_from) == ("Harbour", None)
    assert changed.revision == site.revision + 1
    entry = AuditEntry.objects.get(action="site.settings")
    assert entry.before == {
        "name": "Harbour Skin Clinic",
        "live_from": "2026-01-01T00:00:00+00:00",
    }
    assert entry.after == {"name": "Harbour", "live_from": None} and entry.by == manager
    # The same again is no change, and a number that only letters read has nothing planned anew.
    site_settings.change(site=site, changes=change, by=manager, now=NOW)
    phone = {"phone": "+12125550111"}
    assert site_settings.change(site=site, changes=phone, by=manager, now=NOW).revision == 2
    assert AuditEntry.objects.filter(action="site.settings").count() == 2


def test_upon_what_somebody_else_wrote_nothing_is_changed(site: Site, manager: Staff) -> None:
    site_settings.change(site=site, changes={"phone": "+12125550111"}, by=manager, now=NOW)
    mine = {"phone": "+12125550122", "name": "Mine"}
    seen = {"phone": site.phone, "name": site.name}
    with pytest.raises(SiteChanged) as caught:
        site_settings.change(site=site, changes=mine, seen=seen, by=manager, now=NOW)
    assert caught.value.stands == {"phone": "+12125550111"}
    assert Site.objects.get(pk=site.pk).name == site.name
    # Two who write the same do not disagree.
    same = {"phone": "+1 212 555 0111"}
    site_settings.change(site=site, changes=same, seen=seen, by=manager, now=NOW)


def test_it_is_the_managers_of_the_site_alone(
    site: Site, front_desk: Staff, clinical_lead: Staff, outsider: Staff
) -> None:
    for nobody in (front_desk, clinical_lead, outsider):
        with pytest.raises(Forbidden):
            site_settings.settings_of(site, by=nobody)
        with pytest.raises(Forbidden):
            site_settings.change(site=site, changes={"name": "X"}, by=nobody, now=NOW)


def test_over_the_api(site: Site, manager: Staff, front_desk: Staff, outsider: Staff) -> None:
    address = f"/api/v1/sites/{site.pk}/settings/"
    change = {"phone": "+1 212 555 0111", "live_from": "2027-03-01T09:00:00-05:00"}
    for act in ("get", "patch"):
        refused(getattr(api(outsider), act)(address, change), 404, "not_found")
        refused(getattr(api(front_desk), act)(address, change), 403, "forbidden")
    refused(api().patch(address, change), 401, "not_authenticated")
    said = api(manager).patch(address, {**change, "seen": {"phone": site.phone}}).json()
    assert (said["phone"], said["live_from"]) == ("+12125550111", "2027-03-01T14:00:00Z")
    assert api(manager).get(address).json() == said
    stale = {"phone": "+12125550122", "seen": {"phone": site.phone}}
    refused(api(manager).patch(address, stale), 409, "site_changed", "phone")
    refused(api(manager).patch(address, {"phone": "0"}), 400, "site_refused", "phone")
    refused(api(manager).patch(address, {"zone": "UTC"}), 400, "unknown_field", "zone")
    site.refresh_from_db()
    assert site.live_from == datetime(2027, 3, 1, 14, tzinfo=UTC)
