"""The set-up pages: for superusers only, and a changed site has its messages planned anew."""

from datetime import date

import pytest
from django.test import Client

from clinic.models import HoursException, Resource, Site, Staff

PAGES = ["site", "staff", "modality", "resource"]


@pytest.fixture
def superuser(db: None) -> Staff:
    return Staff.objects.create_superuser("root@clinic.example", "a-long-password", name="Root")


@pytest.mark.parametrize("page", PAGES)
def test_a_superuser_sees_and_adds_set_up_data(
    client: Client, superuser: Staff, page: str, house: object
) -> None:
    client.force_login(superuser)
    assert client.get(f"/admin/clinic/{page}/").status_code == 200
    assert client.get(f"/admin/clinic/{page}/add/").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_manager_without_the_set_up_right_is_turned_away(
    client: Client, manager: Staff, page: str
) -> None:
    client.force_login(manager)
    response = client.get(f"/admin/clinic/{page}/")
    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]


def test_a_changed_site_has_its_messages_planned_anew(
    client: Client, superuser: Staff, site: Site
) -> None:
    client.force_login(superuser)
    address = f"/admin/clinic/site/{site.pk}/change/"
    form = client.get(address).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    data |= {"phone": "+12125550111", "live_from_0": "2026-01-01", "live_from_1": "00:00"}
    for prefix in ("opening_hours", "closures", "hours_exceptions"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    before = site.revision
    response = client.post(address, data)
    assert response.status_code == 302
    site.refresh_from_db()
    assert (site.phone, site.revision) == ("+12125550111", before + 1)


def test_other_hours_and_closures_are_read_here_and_changed_elsewhere(
    client: Client, superuser: Staff, site: Site, treatment_provider: Resource
) -> None:
    HoursException.objects.create(site=site, provider=treatment_provider, day=date(2027, 12, 24))
    client.force_login(superuser)
    for address in (
        f"/admin/clinic/site/{site.pk}/change/",
        f"/admin/clinic/resource/{treatment_provider.pk}/change/",
    ):
        page = client.get(address)
        data = {
            name: value
            for name, value in page.context["adminform"].form.initial.items()
            if value is not None
        }
        data |= {"live_from_0": "2026-01-01", "live_from_1": "00:00"}
        for formset in page.context["inline_admin_formsets"]:
            prefix = formset.formset.prefix
            data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
        data |= {
            "hours_exceptions-TOTAL_FORMS": 1,
            "hours_exceptions-0-site": site.pk,
            "hours_exceptions-0-day": "2027-12-25",
            "closures-TOTAL_FORMS": 1,
            "closures-0-first_day": "2027-12-25",
            "closures-0-last_day": "2027-12-26",
            "closures-0-reason": "Christmas",
        }
        assert "Dec. 24, 2027" in page.content.decode()
        assert client.post(address, data).status_code == 302
    assert HoursException.objects.count() == 1 and not site.closures.exists()
