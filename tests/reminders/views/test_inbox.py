"""The inbox: its list, one conversation, and the acts of staff, on pages and by the API."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from appointments.models import Appointment
from clinic.models import Site, Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.inbound import receiving
from reminders.models import Conversation, Message, SentContent
from tests.api import api, refused
from tests.personas import a_patient
from tests.reminders.inbound.conftest import PHONE, asked
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db

ACTS = ("take", "reply", "count", "match", "assign", "snooze", "wake", "close", "reopen")


def heard(text: str, site: Site, now: datetime, *, by: str = PHONE) -> Conversation:
    receiving.receive(
        channel=Channel.SMS,
        provider="twilio",
        provider_id=uuid4().hex,
        from_address=by,
        to_address=site.sms_number,
        text=text,
        answered_as="",
        received_at=now,
        now=now,
    )
    return Conversation.objects.latest("id")


@pytest.fixture
def plain(patient: Patient, site: Site, now: datetime) -> Conversation:
    return heard("do you sell the <b>cream</b>?", site, now)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_each_conversation_is_in_its_tab_with_its_last_words(
    desk: Client, plain: Conversation, site: Site, now: datetime
) -> None:
    heard("my lip is white and numb", site, now, by="+12125559999")
    heard("HELP", site, now, by="+12125559998")
    everything = text_of(desk.get("/inbox/"))
    assert "do you sell the &lt;b&gt;cream" in everything and "my lip is white" in everything
    assert "HELP" not in everything
    for tab, words in (
        ("new", "do you sell"),
        ("escalated", "my lip is white"),
        ("closed", "HELP"),
    ):
        assert words in text_of(desk.get(f"/inbox/?tab={tab}"))
    for tab in ("unmatched", "waiting"):
        assert "No conversations here" in text_of(desk.get(f"/inbox/?tab={tab}"))
    assert everything.index("my lip is white") < everything.index("do you sell")
    for odd in ("?tab=%00", "?owner=x", "?page=99999999999999999999"):
        assert desk.get(f"/inbox/{odd}").status_code == 200


def test_the_owner_filters_the_list(desk: Client, plain: Conversation) -> None:
    assert "do you sell" in text_of(desk.get("/inbox/?owner=nobody"))
    desk.post(f"/inbox/{plain.pk}/take/")
    assert "do you sell" in text_of(desk.get("/inbox/?owner=mine"))
    assert "do you sell" not in text_of(desk.get("/inbox/?owner=nobody"))


def test_a_conversation_shows_what_was_said_before_beside_the_reply(
    desk: Client, plain: Conversation, visits: list[Appointment], now: datetime
) -> None:
    message = asked(visits[0], now=now)
    SentContent.objects.filter(message=message).update(text="Does Thursday suit you?")
    page = text_of(desk.get(f"/inbox/{plain.pk}/"))
    for words in ("Does Thursday suit you?", "do you sell the", "Elena Sato", "next visit", PHONE):
        assert words in page
    assert "text message" in page


def test_an_answer_is_counted_sent_and_shown(desk: Client, plain: Conversation) -> None:
    address = f"/inbox/{plain.pk}/"
    assert "2 text messages" in text_of(desk.post(f"{address}count/", {"text": "x" * 160}))
    told = {"text": "Yes, at the desk.", "reference": str(uuid4())}
    for _ in range(2):
        assert desk.post(f"{address}reply/", told).status_code == 302
    assert Message.objects.filter(kind=Kind.STAFF_REPLY).count() == 1
    page = text_of(desk.get(address))
    assert "Yes, at the desk." in page and "Waiting for the patient" in page


def test_staff_hear_that_mail_may_name_the_treatment_only_where_it_may(
    desk: Client,
    plain: Conversation,
    patient: Patient,
    front_desk: Staff,
    now: datetime,
    settings: Settings,
) -> None:
    may, texts = "e-mail may name the treatment", f"/inbox/{plain.pk}/"
    by_mail = Conversation.objects.create(
        site=plain.site,
        channel=Channel.EMAIL,
        address="elena@patients.example",
        patient=patient,
        state="new",
        opened_at=now,
        last_at=now,
    )
    mails = f"/inbox/{by_mail.pk}/"
    assert may not in text_of(desk.get(mails))
    consent.give(patient=patient, purpose="phi_detail", channel="any", by=front_desk, now=now)
    assert may in text_of(desk.get(mails)) and may not in text_of(desk.get(texts))
    settings.HEALTH_DATA_AGREEMENTS = []
    assert may not in text_of(desk.get(mails))


def test_an_answer_that_cannot_be_sent_stays_in_the_box(desk: Client, plain: Conversation) -> None:
    told = {"text": "long " * 80, "reference": str(uuid4())}
    answer = desk.post(f"/inbox/{plain.pk}/reply/", told)
    assert answer.status_code == 422
    assert "text messages; write at most 2" in text_of(answer) and "long long" in text_of(answer)
    assert text_of(answer).count("write at most 2") == 1
    assert desk.post(f"/inbox/{plain.pk}/reply/", {"text": ""}).status_code == 422


def test_a_shared_number_asks_who_wrote(
    desk: Client, patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    omar = a_patient(site, front_desk, now, given="Omar", email="omar@patients.example")
    shared = heard("do you sell the cream?", site, now)
    assert "Who wrote?" in text_of(desk.get(f"/inbox/{shared.pk}/"))
    assert desk.post(f"/inbox/{shared.pk}/match/", {"patient": "x"}).status_code == 404
    desk.post(f"/inbox/{shared.pk}/match/", {"patient": omar.pk})
    assert "Omar Sato" in text_of(desk.get(f"/inbox/{shared.pk}/"))


def test_an_unknown_number_is_given_to_whoever_is_found_at_the_site(
    desk: Client,
    patient: Patient,
    other_site: Site,
    outsider: Staff,
    site: Site,
    now: datetime,
) -> None:
    elsewhere = a_patient(other_site, outsider, now, given="Elena", phone="+13105550177")
    address = f"/inbox/{heard('it is my new number', site, now, by='+12125559997').pk}/"
    assert "belongs to nobody" in text_of(desk.get(address))
    found = text_of(desk.get(f"{address}?find=elena"))
    assert f'value="{patient.pk}"' in found and f'value="{elsewhere.pk}"' not in found
    assert "Nobody found" in text_of(desk.get(f"{address}?find=nobody"))
    assert desk.post(f"{address}match/", {"patient": elsewhere.pk}).status_code == 404
    desk.post(f"{address}match/", {"patient": patient.pk})
    page = text_of(desk.get(address))
    assert "Elena Sato" in page and "is not on Elena Sato’s page" in page


def test_an_urgent_conversation_says_what_to_do_and_closing_ends_it(
    desk: Client, patient: Patient, site: Site, now: datetime
) -> None:
    urgent = heard("I can't breathe", site, now)
    page = text_of(desk.get(f"/inbox/{urgent.pk}/"))
    assert "call the patient" in page and "held back" in page
    assert desk.post(f"/inbox/{urgent.pk}/close/").status_code == 302
    page = text_of(desk.get(f"/inbox/{urgent.pk}/"))
    assert "by Ana Front" in page and "Send now" not in page
    assert "is closed" in text_of(desk.post(f"/inbox/{urgent.pk}/close/", follow=True))


def test_staff_of_another_site_meet_no_conversation(
    stranger: Client, outsider: Staff, plain: Conversation
) -> None:
    assert "do you sell" not in text_of(stranger.get("/inbox/"))
    assert stranger.get("/inbox/?site=harbour").status_code == 403
    assert stranger.get(f"/inbox/{plain.pk}/").status_code == 404
    for act in ACTS:
        assert stranger.post(f"/inbox/{plain.pk}/{act}/", {"text": "x"}).status_code == 404
    assert api(outsider).get("/api/v1/inbox/").json()["count"] == 0
    for act in (each for each in ACTS if each != "count"):
        refused(api(outsider).post(f"/api/v1/inbox/{plain.pk}/{act}/", {}), 404, "not_found")


def test_who_treats_sees_conversations_with_a_symptom_only(
    sign_in: SignIn, provider: Staff, plain: Conversation, site: Site, now: datetime
) -> None:
    client = sign_in(provider)
    assert "do you sell" not in text_of(client.get("/inbox/"))
    assert client.get(f"/inbox/{plain.pk}/").status_code == 404
    heard("now I have a blister", site, now)
    assert "now I have a blister" in text_of(client.get("/inbox/"))
    assert client.post(f"/inbox/{plain.pk}/take/").status_code == 302


def test_nobody_sees_nothing_and_get_changes_nothing(client: Client, plain: Conversation) -> None:
    for address in ("/inbox/", f"/inbox/{plain.pk}/"):
        assert client.get(address).status_code == 302
    for act in ACTS:
        assert client.get(f"/inbox/{plain.pk}/{act}/").status_code in (302, 405)


def test_the_api_reads_takes_answers_and_closes(
    front_desk: Staff, manager: Staff, plain: Conversation, patient: Patient, now: datetime
) -> None:
    client, address = api(front_desk), f"/api/v1/inbox/{plain.pk}/"
    assert client.get("/api/v1/inbox/?state=new").json()["count"] == 1
    shown = client.get(address).json()
    assert shown["replies"][0]["labels"] == ["free_text"] and shown["patient"] == patient.pk
    assert client.post(f"{address}take/", {}).json()["owner"]["name"] == "Ana Front"
    told = {"text": "Yes.", "reference": str(uuid4())}
    for _ in range(2):
        assert client.post(f"{address}reply/", told).json()["state"] == "waiting"
    assert Message.objects.filter(kind=Kind.STAFF_REPLY).count() == 1
    refused(
        client.post(f"{address}match/", {"patient": patient.pk}),
        409,
        "conversation_refused",
        "state",
    )
    tomorrow = {"until": (now + timedelta(days=1)).isoformat()}
    assert client.post(f"{address}snooze/", tomorrow).json()["snoozed_until"] is not None
    assert client.get("/api/v1/inbox/?snoozed=true").json()["count"] == 1
    assert client.get("/api/v1/inbox/?snoozed=false").json()["count"] == 0
    assert client.post(f"{address}wake/").json()["snoozed_until"] is None
    given = client.post(f"{address}assign/", {"staff": manager.pk}).json()
    assert given["owner"]["name"] == manager.name
    refused(client.post(f"{address}assign/", {"staff": 10**6}), 404, "not_found", "staff")
    assert client.post(f"{address}close/").json()["state"] == "closed"
    refused(client.post(f"{address}close/"), 409, "conversation_refused", "state")
    refused(client.post(f"{address}snooze/", tomorrow), 409, "conversation_refused", "state")
    assert client.post(f"{address}reopen/").json()["state"] == "new"
    refused(client.post(f"{address}reopen/"), 409, "conversation_refused", "state")


def test_what_was_closed_by_mistake_is_opened_again_unless_they_wrote_since(
    desk: Client, plain: Conversation, site: Site, now: datetime
) -> None:
    address = f"/inbox/{plain.pk}/"
    closed = text_of(desk.post(f"{address}close/", follow=True))
    assert f'action="{address}reopen/"' in closed
    page = text_of(desk.post(f"{address}reopen/", follow=True))
    assert "open again" in page and "yours" in page and "Send now" in page
    desk.post(f"{address}close/")
    heard("are you there?", site, now)
    page = text_of(desk.post(f"{address}reopen/", follow=True))
    assert "They wrote again since" in page and "Send now" not in page


def test_a_full_list_takes_as_few_queries_as_a_short_one(
    desk: Client,
    plain: Conversation,
    site: Site,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(20) as short:
        desk.get("/inbox/")
    for number in range(10):
        heard("hello?", site, now, by=f"+1212555{number:04d}")
    with django_assert_max_num_queries(len(short)):
        assert text_of(desk.get("/inbox/")).count("hello?") == 10


def test_who_asks_for_another_time_is_offered_three_that_keep_the_intervals(
    desk: Client, visits: list[Appointment], patient: Patient, site: Site, now: datetime
) -> None:
    conversation = heard("can we reschedule please", site, now)
    page = text_of(desk.get(f"/inbox/{conversation.pk}/"))
    assert "Asks for another time" in page
    places = re.findall(r'name="place" value="([^"]+)"', page)
    assert len(places) == 3
    data = {"version": visits[0].version, "place": places[0]}
    assert desk.post(f"/visits/{visits[0].pk}/move/", data).status_code == 303
    visits[0].refresh_from_db()
    assert visits[0].version == 2
    other = heard("do you sell the cream?", site, now)
    assert "Asks for another time" not in text_of(desk.get(f"/inbox/{other.pk}/"))


def test_a_conversation_is_handed_on_and_put_out_of_sight_on_its_page(
    desk: Client,
    plain: Conversation,
    manager: Staff,
    provider: Staff,
    front_desk: Staff,
    clock: Traveller,
) -> None:
    clock.move_to(datetime(2027, 11, 7, 5, 15, tzinfo=UTC))  # an hour before it is 1:15 again
    desk.force_login(front_desk)
    address = f"/inbox/{plain.pk}/"
    page = text_of(desk.post(f"{address}assign/", {"staff": manager.pk}, follow=True))
    assert f"This conversation is {manager.name}" in page.replace("&#x27;", "'")
    assert "do you sell" in text_of(desk.get(f"/inbox/?owner={manager.pk}"))
    assert desk.post(f"{address}assign/", {"staff": provider.pk}).status_code == 404
    [soonest, *_] = re.findall(r'name="at" value="([^"]+)">', text_of(desk.get(address)))
    snoozed = text_of(desk.post(f"{address}snooze/", {"at": soonest}, follow=True))
    assert "No conversations here" in snoozed and f'action="{address}wake/"' in snoozed
    assert "do you sell" in text_of(desk.get("/inbox/?tab=snoozed"))
    assert "Out of sight until" in text_of(desk.get(address))
    assert "in sight again" in text_of(desk.post(f"{address}wake/", follow=True))
    assert "do you sell" in text_of(desk.get("/inbox/"))
    for odd in ("", "soon", "2027-01-01T00:00"):
        for field in ("until", "at"):
            assert desk.post(f"{address}snooze/", {field: odd}).status_code == 302
    assert "No conversations here" in text_of(desk.get("/inbox/?tab=snoozed"))


def test_a_yes_that_came_too_late_and_a_wrong_number_are_answered_in_one_press(
    desk: Client, visits: list[Appointment], site: Site, now: datetime
) -> None:
    asked(visits[0], now=now)
    conversation = heard("do you sell the cream?", site, now)
    heard("yes", site, now + timedelta(minutes=1))
    moved = {"state": "booked", "schedule_version": 2}
    Appointment.objects.filter(pk=visits[0].pk).update(**moved)
    page = text_of(desk.get(f"/inbox/{conversation.pk}/"))
    assert (
        "Says that the time suits" in page and f'action="/visits/{visits[0].pk}/confirm/"' in page
    )
    Appointment.objects.filter(pk=visits[0].pk).update(state="cancelled", closed_at=now)
    page = text_of(desk.get(f"/inbox/{conversation.pk}/"))
    assert f"/visits/{visits[1].pk}/" in page and "the time suits" not in page
    heard("you have the wrong number", site, now + timedelta(minutes=2))
    assert "somebody else" in text_of(desk.get(f"/inbox/{conversation.pk}/"))
