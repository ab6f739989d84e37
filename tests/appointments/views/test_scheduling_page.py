"""The page of a site's scheduling settings: plain words, limits, and who saved meanwhile."""

import re
from typing import Any

import pytest
from django.test import Client

from appointments.models import SchedulingSettings
from appointments.proposing import tuning
from clinic import travel
from clinic.models import AuditEntry, Site, Staff
from tests.personas import NOW

pytestmark = pytest.mark.django_db

PAGE = "/scheduling/"


@pytest.fixture
def boss(client: Client, manager: Staff) -> Client:
    client.force_login(manager)
    return client


def fields(page: str) -> dict[str, Any]:
    """What a browser would send of the form."""
    inputs = re.findall(r"<input[^>]+>", page)
    found = (
        (re.search(r'name="([^"]+)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs
    )
    names = {*tuning.LIMITS, *(f"seen_{name}" for name in tuning.LIMITS)}
    return {name[1]: value[1] for name, value in found if name and value and name[1] in names}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_each_setting_is_said_in_words_with_its_limits_and_what_is_usual(boss: Client) -> None:
    page = text_of(boss.get(PAGE))
    assert set(fields(page)) == {*tuning.LIMITS, *(f"seen_{name}" for name in tuning.LIMITS)}
    assert "For another provider than at the visit before" in page
    assert "0 to 1000, usually 15." in page and "1 to 60, usually 5." in page


def test_a_manager_saves_what_was_changed_and_no_more(boss: Client, manager: Staff) -> None:
    sent = fields(text_of(boss.get(PAGE))) | {"other_provider": "2.5", "hold_minutes": "9"}
    assert boss.post(PAGE, sent)["Location"] == "/scheduling/?site=harbour"
    row = SchedulingSettings.objects.get()
    assert (row.other_provider, row.hold_minutes, row.early) == (2.5, 9, 1.5)
    entry = AuditEntry.objects.get(action="settings.tune")
    assert entry.by == manager and set(entry.after) == {"other_provider", "hold_minutes"}


def test_two_who_change_different_settings_are_not_in_each_others_way(
    boss: Client, site: Site, manager: Staff
) -> None:
    sent = fields(text_of(boss.get(PAGE))) | {"late": "3"}
    tuning.tune(site=site, changes={"early": 4}, by=manager, now=NOW)
    assert boss.post(PAGE, sent).status_code == 303
    row = SchedulingSettings.objects.get()
    assert (row.early, row.late) == (4, 3)


def test_a_stale_save_shows_both_values_and_the_next_one_goes_through(
    boss: Client, site: Site, manager: Staff
) -> None:
    sent = fields(text_of(boss.get(PAGE))) | {"late": "3"}
    tuning.tune(site=site, changes={"late": 4}, by=manager, now=NOW)
    stale = boss.post(PAGE, sent)
    page = text_of(stale)
    assert stale.status_code == 409 and "<td>4</td><td>3</td>" in page
    assert SchedulingSettings.objects.get().late == 4
    assert boss.post(PAGE, fields(page)).status_code == 303
    assert SchedulingSettings.objects.get().late == 3


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("hold_minutes", "61", "Enter a whole number from 1 to 60."),
        ("hold_minutes", "2.5", "Enter a whole number from 1 to 60."),
        ("early", "-1", "Enter a number from 0 to 1000."),
        ("early", "much", "Enter a number from 0 to 1000."),
        ("early", "nan", "Enter a number from 0 to 1000."),
        ("early", "", "Enter a number from 0 to 1000."),
    ],
)
def test_a_value_that_cannot_be_is_refused_beside_its_field(
    boss: Client, name: str, value: str, said: str
) -> None:
    answer = boss.post(PAGE, fields(text_of(boss.get(PAGE))) | {name: value, "late": "7"})
    assert answer.status_code == 422 and said in text_of(answer)
    assert fields(text_of(answer))["late"] == "7"
    assert not SchedulingSettings.objects.exists()


def test_it_is_the_managers_alone(
    client: Client, front_desk: Staff, clinical_lead: Staff, outsider: Staff, site: Site
) -> None:
    for nobody in (front_desk, clinical_lead):
        client.force_login(nobody)
        refused = client.get(PAGE)
        assert refused.status_code == 403 and "manager" in text_of(refused)
        assert client.post(PAGE, {"late": "3"}).status_code == 403
    client.force_login(outsider)
    assert client.post(f"{PAGE}?site=harbour", {"late": "3"}).status_code == 403
    assert not SchedulingSettings.objects.exists()


def test_the_way_to_another_site_is_written_beside_them(
    boss: Client, client: Client, site: Site, other_site: Site, front_desk: Staff
) -> None:
    address, name = f"{PAGE}travel/", f"way-{other_site.pk}"
    assert other_site.name in text_of(boss.get(PAGE))
    assert boss.post(address, {name: "35"})["Location"] == "/scheduling/?site=harbour"
    assert travel.minutes_from(site) == {other_site.pk: 35}
    # What was shown and left alone is no change of what somebody else wrote meanwhile.
    boss.post(address, {name: "40", f"initial-{name}": "40"})
    assert travel.minutes_from(site) == {other_site.pk: 35}
    wrong = boss.post(address, {name: "1441"})
    assert wrong.status_code == 422 and "Enter a whole number from 0 to 1440." in text_of(wrong)
    client.force_login(front_desk)
    for sent in ({name: "5"}, {name: "x"}):
        assert client.post(address, sent).status_code == 403
    assert travel.minutes_from(site) == {other_site.pk: 35}
