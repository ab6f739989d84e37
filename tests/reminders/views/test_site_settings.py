"""The page of a site's settings: what a change touches is said before it is saved."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment, TreatmentSeries
from clinic import site_settings
from clinic.models import AuditEntry, Site, Staff
from reminders.catalogue import Kind, MessageState
from reminders.journeys import replanning, resetting
from reminders.models import Message, SentContent
from tests.api import api, refused
from tests.reminders.ledger import queued
from tests.reminders.views.conftest import SECOND, SignIn

pytestmark = pytest.mark.django_db

PAGE = "/settings/"


@pytest.fixture
def boss(sign_in: SignIn, manager: Staff) -> Client:
    return sign_in(manager)


def fields(answer: Any) -> dict[str, Any]:
    """What a browser would send of the form that an answer shows."""
    form = answer.context["form"]
    return {each.html_name: "" if each.value() is None else each.value() for each in form}


def test_what_touches_nothing_is_saved_at_once_and_written_down(
    boss: Client, site: Site, manager: Staff
) -> None:
    page = boss.get(PAGE)
    assert 'value="2025-12-31T19:00"' in page.text and "America/New_York" in page.text
    saved = boss.post(PAGE, fields(page) | {"phone": "+1 212 555 0111"})
    assert saved["Location"] == "/settings/?site=harbour"
    site.refresh_from_db()
    # An instant that was shown and left alone keeps its seconds, and all else stays.
    assert site.phone == "+12125550111"
    entry = AuditEntry.objects.get(action="site.settings")
    assert (entry.by, set(entry.after)) == (manager, {"phone"})


def test_what_a_change_touches_is_shown_and_saved_by_a_second_press(
    boss: Client, site: Site, series: TreatmentSeries, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    waiting = Message.objects.filter(site=site, state=MessageState.SCHEDULED)
    last = waiting.latest("due_at").due_at
    page = boss.get(PAGE)
    mine = {"phone": "+12125550111", "live_from": "2037-01-01T08:00"}
    asked = boss.post(PAGE, fields(page) | mine)
    count = waiting.filter(due_at__gte=now).count()
    assert asked.status_code == 200 and "Not saved yet" in asked.text
    assert f"<b>{count} messages</b> that wait are never sent" in asked.text
    assert Site.objects.get().phone == site.phone and last > now
    # Changed in between, its effect is shown anew.
    again = boss.post(PAGE, fields(asked) | {"phone": "+12125550122"})
    assert "Not saved yet" in again.text
    assert boss.post(PAGE, fields(again)).status_code == 303
    assert Site.objects.get().phone == "+12125550122"


def test_each_setting_counts_what_it_touches(
    site: Site, visits: list[Appointment], now: datetime
) -> None:
    replanning.sync_stale(now=now)

    def touched(**changes: Any) -> resetting.Resetting:
        return resetting.foresee(site=site, changes=changes, now=now)

    waiting = Message.objects.filter(state=MessageState.SCHEDULED)
    texts, emails = (waiting.filter(channel=each).count() for each in ("sms", "email"))
    assert texts and emails
    assert (touched(sms_name="Glow").texts, touched(sms_name="Glow").emails) == (texts, 0)
    assert (touched(address="2 Street").texts, touched(address="2 Street").emails) == (0, emails)
    assert touched(clearance_from=SECOND).visits == 2
    # What waits for the morning or leaves at once was due before.
    late = waiting.filter(expires_at__gt=now + timedelta(days=1)).earliest("due_at")
    Message.objects.filter(pk=late.pk).update(due_at=now - timedelta(hours=1))
    assert touched(live_from=None).silenced == waiting.filter(expires_at__gt=now).count()
    Message.objects.filter(pk=late.pk).update(due_at=late.due_at)
    spread = touched(spread_minutes=10).plan
    assert spread is not None and (spread.touched, spread.changed > 0) == (1, True)
    assert not touched(canary_number="+12125550177").touches
    assert not touched(birthdays_from=None, live_from=site.live_from).touches
    # What is planned then is what was foreseen.
    before = dict(waiting.values_list("key", "due_at"))
    Site.objects.update(spread_minutes=10, revision=site.revision + 1)
    replanning.sync_stale(now=now)
    after = dict(waiting.values_list("key", "due_at"))
    to_come = {key for key, at in before.items() if at >= now}
    assert sum(before[key] != after[key] for key in to_come) == spread.changed

    # To be asked for answers alone is planned otherwise, too; it takes in what falls due then.
    site.refresh_from_db()
    asked = touched(clearance_from=SECOND).plan
    Site.objects.update(clearance_from=SECOND, revision=site.revision + 2)
    replanning.sync_stale(now=now)
    assert asked is not None
    assert asked.messages == Message.objects.filter(kind=Kind.FILL_IN).count() > 0

    old = queued(visits[0], now=now - timedelta(days=100), kind=Kind.NUDGE)
    Message.objects.filter(pk=old.pk).update(
        state="accepted", accepted_at=now, claimed_at=now, wake_at=None
    )
    SentContent.objects.create(message=old, address="x", text="Hi", at=now - timedelta(days=100))
    assert touched(words_kept_days=90).emptied == 1
    assert touched(words_kept_days=110).emptied == 0
    Site.objects.update(live_from=None)
    site.refresh_from_db()
    assert touched(live_from=now).voiced > 0


def test_a_stale_save_shows_both_values_and_the_next_one_goes_through(
    boss: Client, site: Site, manager: Staff, now: datetime
) -> None:
    page = boss.get(PAGE)
    site_settings.change(site=site, changes={"reply_to": "new@clinic.example"}, by=manager, now=now)
    sent = fields(page) | {"reply_to": "mine@clinic.example", "spread_minutes": "7"}
    stale = boss.post(PAGE, sent)
    assert stale.status_code == 409
    assert "<td>new@clinic.example</td><td>mine@clinic.example</td>" in stale.text
    assert boss.post(PAGE, fields(stale)).status_code == 303
    site.refresh_from_db()
    assert (site.reply_to, site.spread_minutes) == ("mine@clinic.example", 7)


WRONG = {
    "spread_minutes": ("15", "Enter a whole number from 0 to 14."),
    "phone": ("555", "Write the number with its country code"),
    "live_from": ("2027-03-14T02:30", "does not exist"),
    "birthdays_from": ("soon", "Enter a date such as"),
    "clearance_from": ("1999-12-31", "between the years 2000 and 2100"),
    "reviews_from": ("2027-03-01", "Write where patients write a review"),
    "name": ("", "Write something here."),
}


def test_what_cannot_be_is_refused_beside_its_field(boss: Client, site: Site) -> None:
    shown = fields(boss.get(PAGE))
    for name, (value, said) in WRONG.items():
        answer = boss.post(PAGE, shown | {name: value, "address": "9 Pier"})
        assert answer.status_code == 422 and said in answer.text and "9 Pier" in answer.text, name
        assert list(answer.context["form"].errors) == [name]
    never = boss.post(PAGE, shown | {"live_from": "9999-12-31T23:59"})
    assert never.status_code == 422 and "between the years 2000 and 2100" in never.text
    assert Site.objects.get().address == site.address


def test_it_is_the_managers_alone(
    client: Client, front_desk: Staff, clinical_lead: Staff, manager: Staff, stranger: Client
) -> None:
    for nobody in (front_desk, clinical_lead):
        client.force_login(nobody)
        turned_away = client.get(PAGE)
        assert turned_away.status_code == 403 and "manager" in turned_away.text
        assert client.post(PAGE, {"name": "X"}).status_code == 403
        assert 'href="/settings/"' not in client.get("/day/").text
    assert stranger.post(f"{PAGE}?site=harbour", {"name": "X"}).status_code == 403
    assert Client().get(PAGE).status_code == 302
    client.force_login(manager)
    assert 'href="/settings/"' in client.get("/day/").text


def test_the_api_says_what_would_be_touched_and_saves_nothing(
    site: Site, series: TreatmentSeries, manager: Staff, front_desk: Staff, outsider: Staff,
    now: datetime,
) -> None:  # fmt: skip
    replanning.sync_stale(now=now)
    address, asked = f"/api/v1/sites/{site.pk}/settings/effect/", {"live_from": None}
    refused(api(outsider).post(address, asked), 404, "not_found")
    refused(api(front_desk).post(address, asked), 403, "forbidden")
    refused(api(manager).post(address, {"phone": "0"}), 400, "site_refused", "phone")
    said = api(manager).post(address, asked).json()
    assert said["silenced"] > 0 and said["plan"] is None
    said = api(manager).post(address, {"clearance_from": str(date(2027, 1, 1))}).json()
    assert said["visits"] == 3
    site.refresh_from_db()
    assert (site.live_from is None, site.clearance_from) == (False, None)
