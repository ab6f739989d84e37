"""The pages of messages: what is where, with which reason, and what can be done about it."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from time_machine import Traveller

from appointments.models import Appointment
from clinic.models import Site, Staff
from clinic.saying_days import format_day
from clinic.wall_time import local
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.journeys import replanning
from reminders.models import Attempt, LookUp, Message, Receipt
from tests.reminders.ledger import queued
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db

LIST = "/messages/"
ACTS = (
    *("skip", "put-back", "retry"),
    *("put-off", "send-now", "planned-time", "switch", "switch-back"),
)


@pytest.fixture
def message(visits: list[Appointment], now: datetime) -> Message:
    """The first text of a planned series."""
    replanning.sync_stale(now=now)
    return Message.objects.filter(channel="sms", state="scheduled").earliest("due_at", "id")


def text_of(response: Any) -> str:
    return str(response.content.decode())


def become(message: Message, state: MessageState, reason: str = "", **fields: Any) -> Message:
    fields = {"claim_token": None, "wake_at": None, **fields}
    if state in (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED):
        fields["accepted_at"] = message.due_at
    Message.objects.filter(pk=message.pk).update(state=state, reason=reason, **fields)
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(
    ("state", "reason", "tab", "words"),
    [
        ("scheduled", "", "scheduled", "Scheduled"),
        ("sent", "", "sent", "Sent"),
        ("delivered", "", "sent", "Delivered"),
        ("failed", "refused", "failed", "The provider refused it."),
        ("undelivered", "not_delivered", "failed", "could not deliver it."),
        ("unknown", "", "failed", "Being checked"),
        ("skipped", "no_consent", "skipped", "The patient has not agreed"),
        ("withdrawn", "plan_changed", "withdrawn", "The plan changed"),
    ],
)
def test_each_state_has_its_tab_and_its_words(
    desk: Client, message: Message, state: str, reason: str, tab: str, words: str
) -> None:
    Message.objects.exclude(pk=message.pk).delete()
    become(message, MessageState(state), reason)
    for name in ("scheduled", "sent", "failed", "skipped", "withdrawn"):
        text = text_of(desk.get(LIST, {"tab": name}))
        assert ("Elena Sato" in text) == (name == tab), name
        if name == tab:
            assert words in text


def test_a_failed_message_says_what_its_code_means_and_leads_to_the_number(
    desk: Client, message: Message, patient: Patient
) -> None:
    become(message, MessageState.UNDELIVERED, "not_delivered")
    message.receipts.create(
        provider="twilio",
        event_key="x",
        status="undelivered",
        code="30005",
        applied=True,
        received_at=message.due_at,
    )
    for address in (f"{LIST}?tab=failed", f"/messages/{message.pk}/"):
        page = text_of(desk.get(address))
        assert "The number is unknown" in page and f"/patients/{patient.pk}/edit/" in page


def test_what_the_gate_holds_says_until_when_and_why(
    desk: Client, message: Message, now: datetime
) -> None:
    why = "Care messages go out between 08:00 and 20:00."
    become(message, MessageState.SCHEDULED, wake_at=now + timedelta(hours=23), gate_why=[why])
    text = text_of(desk.get(LIST))
    assert "Waits until" in text and f"Tue 16 Feb 08:00</time>. {why}" in text


def test_an_empty_tab_says_what_it_is_for(desk: Client) -> None:
    for tab in ("scheduled", "sent", "failed", "skipped", "withdrawn", "%00"):
        text = text_of(desk.get(f"{LIST}?tab={tab}"))
        assert "No messages here" in text


def test_no_failed_messages_says_since_when(
    desk: Client, message: Message, now: datetime, other_site: Site
) -> None:
    def said() -> str:
        return text_of(desk.get(f"{LIST}?tab=failed"))

    assert "Of what was due in the last 30 days nothing failed." in said()
    Message.objects.filter(pk=message.pk).update(due_at=now - timedelta(days=20))
    at = now - timedelta(days=2)
    Attempt.objects.create(message=message, number=1, started_at=at, outcome="refused")
    day = format_day(local(at, "America/New_York").date())
    assert f"Nothing failed since {day}." in said()
    at = now - timedelta(hours=40)
    report = Receipt.objects.create(
        provider="twilio",
        event_key="late",
        message=message,
        status="undelivered",
        applied=False,
        received_at=at,
    )
    assert f"Nothing failed since {day}." in said()
    Receipt.objects.filter(pk=report.pk).update(applied=True)
    assert f"Nothing failed since {format_day(local(at, 'America/New_York').date())}." in said()
    Message.objects.filter(pk=message.pk).update(site=other_site)
    assert "nothing failed" in said()


def test_filters_by_kind_channel_and_local_day(desk: Client, message: Message) -> None:
    due = message.due_at.date()

    def count(**asked: str) -> int:
        return text_of(desk.get(LIST, {"tab": "scheduled", **asked})).count("/skip/")

    everything = count()
    assert 0 < count(channel="sms") < everything
    assert 0 < count(kind=message.kind) < everything
    assert 0 < count(since=due.isoformat(), until=due.isoformat()) < everything
    assert count(since="2099-01-01") == 0
    assert "Nothing fits these filters" in text_of(desk.get(LIST, {"since": "2099-01-01"}))


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "x"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"kind": "\x00"},
        {"channel": "pigeon"},
        {"page": "9" * 30},
    ],
)
def test_filters_that_cannot_be_break_nothing(
    desk: Client, message: Message, asked: dict[str, str]
) -> None:
    assert desk.get(LIST, asked).status_code == 200


def test_the_page_of_a_message_shows_words_why_and_every_try(
    desk: Client, message: Message, now: datetime
) -> None:
    become(message, MessageState.UNDELIVERED, "not_delivered", attempts_made=1)
    Attempt.objects.create(message=message, number=1, started_at=now, outcome="accepted")
    Receipt.objects.create(
        provider="twilio",
        event_key="1",
        message=message,
        status="undelivered",
        code="30003",
        applied=True,
        received_at=now,
    )
    text = text_of(desk.get(f"{LIST}{message.pk}/"))
    for words in (
        "Taken by the provider",
        "The provider reports: undelivered",
        "30003",
        "Never after",
        "could not deliver it",
    ):
        assert words in text


def test_the_page_of_a_message_shows_what_the_provider_said_when_it_was_asked(
    desk: Client, message: Message, now: datetime
) -> None:
    become(message, MessageState.DELIVERED)
    LookUp.objects.create(message=message, attempt=1, at=now, answer="absent")
    Receipt.objects.create(
        provider="twilio",
        event_key="SM1:failed:30008",
        message=message,
        status="failed",
        applied=False,
        is_flagged=True,
        received_at=now,
    )
    text = text_of(desk.get(f"{LIST}{message.pk}/"))
    assert "it has nothing like it" in text
    assert "after it was delivered" in text


def test_a_message_is_skipped_and_put_back_from_where_one_was(
    desk: Client, message: Message, now: datetime
) -> None:
    back = "/messages/?tab=scheduled&kind=reminder_final"
    response = desk.post(f"{LIST}{message.pk}/skip/", {"next": back})
    assert (response.status_code, response["Location"]) == (302, back)
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert (message.state, message.reason) == ("skipped", "skipped_by_staff")
    desk.post(f"{LIST}{message.pk}/put-back/")
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert message.state == "scheduled"


def test_a_skip_is_undone_from_what_says_it_was_done(
    desk: Client, message: Message, now: datetime
) -> None:
    back = "/messages/?tab=scheduled"
    text = text_of(desk.post(f"{LIST}{message.pk}/skip/", {"next": back}, follow=True))
    [undo] = re.findall(rf'action="({LIST}{message.pk}/put-back/[^"]*)"', text)
    response = desk.post(undo.replace("&amp;", "&"))
    assert response["Location"] == back
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert message.state == "scheduled"


def test_a_message_is_put_off_on_the_clock_of_its_site(
    desk: Client, message: Message, now: datetime
) -> None:
    message = Message.objects.filter(kind=Kind.REMINDER_FINAL).earliest("due_at")
    page, act = f"{LIST}{message.pk}/", f"{LIST}{message.pk}/put-off/"
    assert f'action="{act}"' in text_of(desk.get(page))
    due = local(message.due_at, "America/New_York")
    for typed, said in (
        ("", "Choose a day and a time."),
        ("9999-12-31T23:59", "Choose a day and a time."),
        (f"{due:%Y-%m-%d}T23:30", "08:00"),
    ):
        assert said in text_of(desk.post(act, {"until": typed}, follow=True))
    answer = desk.post(act, {"until": f"{due:%Y-%m-%d}T15:30"}, follow=True)
    assert "15:30" in text_of(answer) and "/planned-time/" in text_of(answer)
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert local(message.due_at, "America/New_York").strftime("%H:%M") == "15:30"
    assert "Ana Front chose" in text_of(desk.get(page))


def test_at_night_who_may_is_asked_for_the_reason_and_others_hear_when(
    sign_in: SignIn,
    front_desk: Staff,
    manager: Staff,
    message: Message,
    clock: Traveller,
    now: datetime,
) -> None:
    message = Message.objects.filter(kind=Kind.REMINDER_FINAL).earliest("due_at")
    clock.move_to(now + timedelta(hours=14))
    act = f"{LIST}{message.pk}/send-now/"
    text = text_of(sign_in(front_desk).post(act, follow=True))
    assert "It may leave from Tue 16 Feb 08:00 on" in text and 'name="reason"' not in text
    boss = sign_in(manager)
    assert 'name="reason"' in text_of(boss.post(act, follow=True))
    assert 'name="reason"' in text_of(boss.post(act, {"at_any_hour": "1"}, follow=True))
    text = text_of(boss.post(act, {"at_any_hour": "1", "reason": "Flooded"}, follow=True))
    assert "Last reminder leaves now." in text


def test_a_text_goes_by_mail_and_back(desk: Client, message: Message, now: datetime) -> None:
    message = Message.objects.filter(kind=Kind.REMINDER_FINAL).earliest("due_at")
    text = text_of(desk.post(f"{LIST}{message.pk}/switch/", follow=True))
    assert "goes by e-mail and not by text" in text and "/switch-back/" in text
    replanning.sync_stale(now=now)
    mail = Message.objects.filter(kind=Kind.REMINDER_FINAL, channel="email").get()
    assert "By text after all" in text_of(desk.get(f"{LIST}{mail.pk}/"))
    desk.post(f"{LIST}{mail.pk}/switch-back/")
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert message.state == "scheduled"
    assert "its own channel" in text_of(desk.post(f"{LIST}{message.pk}/switch-back/", follow=True))


def test_what_is_too_late_to_skip_says_where_it_is(desk: Client, message: Message) -> None:
    become(message, MessageState.DELIVERED)
    response = desk.post(f"{LIST}{message.pk}/skip/", follow=True)
    assert "cannot be skipped any more" in text_of(response)
    response = desk.post(f"{LIST}{message.pk}/put-back/", follow=True)
    assert "Only a message that staff skipped" in text_of(response)


def test_a_failed_message_is_retried(desk: Client, message: Message) -> None:
    become(message, MessageState.FAILED, "refused")
    assert f"{LIST}{message.pk}/retry/" in text_of(desk.get(LIST, {"tab": "failed"}))
    desk.post(f"{LIST}{message.pk}/retry/")
    message.refresh_from_db()
    assert message.state == "scheduled"


def test_a_failed_text_that_the_mail_says_too_offers_a_retry_and_no_switch(
    desk: Client, message: Message, now: datetime, django_assert_max_num_queries: Any
) -> None:
    texts = list(
        Message.objects.filter(
            kind__in=(Kind.REMINDER_CONFIRM, Kind.REMINDER_FINAL), channel="sms", state="scheduled"
        ).order_by("due_at", "kind")
    )
    Message.objects.filter(channel="sms").exclude(pk__in=[each.pk for each in texts]).delete()

    def offered(text: Message) -> dict[str, bool]:
        page = text_of(desk.get(LIST, {"tab": "failed"}))
        return {act: f"{LIST}{text.pk}/{act}/" in page for act in ("retry", "switch")}

    both = next(each for each in texts if each.kind == Kind.REMINDER_CONFIRM)
    alone = next(each for each in texts if each.kind == Kind.REMINDER_FINAL)
    # While it is planned the page says so as well, and offers what only a refusal would answer.
    planned = text_of(desk.get(f"{LIST}{both.pk}/"))
    assert "The other channel says the same already." in planned
    assert "/switch/" not in planned and "/put-off/" in planned
    assert "/switch/" in text_of(desk.get(f"{LIST}{alone.pk}/"))
    become(both, MessageState.FAILED, "refused", claimed_at=now)
    with django_assert_max_num_queries(40) as one:
        assert offered(both) == {"retry": True, "switch": False}
    asked = len(one)
    for address in (f"{LIST}?tab=failed", f"{LIST}{both.pk}/"):
        assert "The other channel says the same already." in text_of(desk.get(address))
    for text in texts:
        become(text, MessageState.FAILED, "refused", claimed_at=now)
    with django_assert_max_num_queries(asked):
        assert offered(alone) == {"retry": True, "switch": True}
    desk.post(f"{LIST}{alone.pk}/switch/")
    assert offered(alone) == {"retry": False, "switch": False}
    said = "Staff let this text go by e-mail instead"
    assert said in text_of(desk.get(f"{LIST}{alone.pk}/"))
    assert said in text_of(desk.post(f"{LIST}{alone.pk}/retry/", follow=True))
    alone.refresh_from_db()
    assert alone.state == "failed"
    undone = text_of(desk.post(f"{LIST}{alone.pk}/switch-back/", follow=True))
    assert "does not go by the other channel" in undone
    assert offered(alone) == {"retry": True, "switch": True}


def test_what_may_have_arrived_is_asked_about_before_it_is_repeated(
    desk: Client, message: Message
) -> None:
    become(message, MessageState.UNKNOWN)
    response = desk.post(f"{LIST}{message.pk}/retry/", follow=True)
    assert "The patient may already have this message." in text_of(response)
    assert response.content.decode().count(f"{LIST}{message.pk}/retry/") == 1
    message.refresh_from_db()
    assert message.state == "unknown"
    become(message, MessageState.FAILED, "refused")
    known = text_of(desk.get(response.redirect_chain[-1][0]))
    assert "may already have" not in known and f"{LIST}{message.pk}/retry/" in known
    become(message, MessageState.UNKNOWN)
    desk.post(f"{LIST}{message.pk}/retry/", {"may_repeat": "1"})
    message.refresh_from_db()
    assert message.state == "scheduled"


def test_what_is_too_late_to_be_of_use_offers_no_retry(
    desk: Client, message: Message, now: datetime
) -> None:
    become(
        message,
        MessageState.FAILED,
        "refused",
        due_at=now - timedelta(days=2),
        expires_at=now - timedelta(days=1),
    )
    assert "/retry/" not in text_of(desk.get(LIST, {"tab": "failed"}))
    response = desk.post(f"{LIST}{message.pk}/retry/", follow=True)
    assert "too late" in text_of(response)


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_leads_to_our_own_pages_only(
    desk: Client, message: Message, next: str
) -> None:
    response = desk.post(f"{LIST}{message.pk}/skip/", {"next": next})
    assert response["Location"] == f"{LIST}{message.pk}/"


def test_get_changes_nothing(desk: Client, message: Message) -> None:
    for act in ACTS:
        assert desk.get(f"{LIST}{message.pk}/{act}/").status_code == 405


def test_staff_of_another_site_meet_no_message(stranger: Client, message: Message) -> None:
    assert stranger.get(f"{LIST}{message.pk}/").status_code == 404
    for act in ACTS:
        assert stranger.post(f"{LIST}{message.pk}/{act}/").status_code == 404
    assert "Elena Sato" not in text_of(stranger.get(LIST))
    assert stranger.get(LIST, {"site": "harbour"}).status_code == 403


def test_those_who_may_not_manage_messages_are_told_who_may(
    sign_in: SignIn, provider: Staff, message: Message
) -> None:
    client = sign_in(provider)
    refusals = [client.get(LIST)]
    until = {"until": "2027-03-01T12:00"}
    refusals += [client.post(f"{LIST}{message.pk}/{act}/", until) for act in ACTS]
    for answer in refusals:
        assert answer.status_code == 403
        assert "front desk, manager" in text_of(answer)
    assert client.get(f"{LIST}{message.pk}/").status_code == 200


def test_a_full_page_takes_as_few_queries_as_a_short_one(
    desk: Client,
    message: Message,
    visits: list[Appointment],
    patient: Patient,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    Message.objects.exclude(pk=message.pk).delete()
    with django_assert_max_num_queries(20) as short:
        desk.get(LIST)
    for number in range(60):
        queued(
            visits[0],
            now=now,
            kind=Kind.CHECKIN,
            channel=Channel.EMAIL,
            steps=[f"step{number}"],
        )
    with django_assert_max_num_queries(len(short)):
        text = text_of(desk.get(LIST))
    assert text.count("/skip/") == 50


def test_what_failed_is_retried_at_once_by_who_may_and_what_stays_is_named(
    desk: Client,
    stranger: Client,
    provider: Staff,
    front_desk: Staff,
    message: Message,
    now: datetime,
) -> None:
    become(message, MessageState.FAILED, "refused", claimed_at=now)
    patient = message.patient
    assert patient is not None
    url = f"{LIST}retry-failed/"
    page = text_of(desk.get(url))
    assert "1 message goes out again" in page and "Retry 1 message<" in page
    assert "0 messages go out again" in text_of(stranger.get(url))
    for other in (desk.get, desk.post):
        desk.force_login(provider)
        assert other(url).status_code == 403
    assert Client().post(url).status_code == 302
    stranger.post(url)
    message.refresh_from_db()
    assert message.state == MessageState.FAILED
    desk.force_login(front_desk)
    consent.withdraw(patient=patient, purpose="care", channel="sms", by=front_desk, now=now)
    page = text_of(desk.get(url))
    assert f'href="{LIST}{message.pk}/"' in page and "can be sent again as things stand" in page
    consent.give(patient=patient, purpose="care", channel="sms", by=front_desk, now=now)
    assert "1 message goes out again now" in text_of(desk.post(url, follow=True))
    message.refresh_from_db()
    assert message.state == MessageState.SCHEDULED
