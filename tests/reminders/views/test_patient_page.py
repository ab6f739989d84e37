"""The patient's page: the journey in order, each row with its why, and what may be done."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from appointments.charting import reporting
from appointments.models import Allocation, Appointment, PatientLink, Task, TreatmentSeries
from appointments.visits import moving
from clinic.models import ProtocolVersion, Site, Staff
from clinic.retelling import retold
from patients import consent
from patients.models import Patient
from reminders.journeys import replanning
from reminders.ledger import skipping
from reminders.models import Message, SentContent, Suppression
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder
from tests.reminders.views.conftest import FIRST, SECOND, THIRD, SignIn, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(series: TreatmentSeries, now: datetime) -> TreatmentSeries:
    replanning.sync_stale(now=now)
    return series


def page(client: Client, patient: Patient, query: str = "") -> str:
    response = client.get(reverse("patient", args=[patient.pk]) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def send(now: datetime, clock: time_machine.Traveller, desk: Client, by: Staff) -> None:
    """What is due at `now` leaves; the desk has signed in anew by then."""
    clock.move_to(now)
    dispatch.send_due(now=now, channel=Recorder())
    desk.force_login(by)


def test_the_head_says_who_it_is_how_to_reach_them_and_how_far_they_are(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    text = page(desk, patient)
    for words in ("Elena Sato", "38 · born 4 May 1988", "tel:+12125550123", "0 of 3 done"):
        assert words in text
    assert "RF microneedling" in text


def test_an_open_adverse_event_stands_above_the_journey(
    desk: Client,
    site: Site,
    front_desk: Staff,
    patient: Patient,
    planned: TreatmentSeries,
    now: datetime,
) -> None:
    """On a phone the courses come after the whole of it."""
    reporting.report(
        patient=patient, site=site, what="Blister", severity="moderate", noticed_at=now,
        areas=[], by=front_desk, now=now,
    )  # fmt: skip
    text = page(desk, patient)
    assert text.index("Adverse event, moderate") < text.index('<ol class="timeline">')


def test_who_reads_spanish_is_told_of_treatments_in_it(
    desk: Client, front_desk: Staff, patient: Patient, planned: TreatmentSeries
) -> None:
    Staff.objects.filter(pk=front_desk.pk).update(language="es")
    addresses = (
        reverse("patient", args=[patient.pk]),
        reverse("visit", args=[planned.appointments.earliest("starts_at").pk]),
        "/patients/",
        f"{reverse('book-series')}?patient={patient.pk}",
        f"{reverse('protocol', args=['rf_microneedling', planned.protocol_version.version])}",
    )
    for address in addresses:
        text = desk.get(address).content.decode()
        assert "Radiofrecuencia con microagujas" in text, address
        assert "</abbr> RF microneedling" not in text and "<h1>RF" not in text, address


def test_the_future_stands_above_now_farthest_first_and_the_past_below(
    desk: Client,
    patient: Patient,
    planned: TreatmentSeries,
    front_desk: Staff,
    clock: time_machine.Traveller,
) -> None:
    send(at(FIRST, "09:00"), clock, desk, front_desk)
    text = page(desk, patient, "?more=1")
    places = [text.index(f"Session {n} of 3") for n in (3, 2)]
    places += [text.index("Now, "), text.rindex("Booking confirmation")]
    assert places == sorted(places)


def test_a_visit_that_was_over_when_it_was_brought_over_names_who_had_it(
    desk: Client, patient: Patient, planned: TreatmentSeries, now: datetime
) -> None:
    visit, later, _ = planned.appointments.order_by("session")
    over = {"state": "done", "done_at": now - timedelta(days=9), "imported_start": now}
    Appointment.objects.filter(pk=visit.pk).update(**over, imported_at=now)
    moved = {"imported_start": now, "imported_at": now}
    Appointment.objects.filter(pk=later.pk).update(**moved)
    Allocation.objects.filter(appointment__in=[visit, later]).update(active=False)
    text = page(desk, patient, "?kind=visits&more=1")
    assert text.count("Sam Okafor") == 2  # of the first, and of the last, which stands here
    shown = desk.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "Sam Okafor" in shown and "The place was given back." not in shown


def test_every_message_says_why_and_what_stops_it(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    text = page(desk, patient, "?more=1")
    for message in Message.objects.filter(patient=patient).exclude(state="withdrawn"):
        assert message.why
        for sentence in map(retold, message.why):
            assert sentence.split("“")[0].replace("'", "&#x27;") in text
    assert "Stops if the visit is moved or cancelled, or the patient opts out." in text


def test_words_to_come_are_shown_without_storing_or_issuing_anything(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    text = page(desk, patient)
    assert "What will be sent, as things stand" in text
    assert "Harbour Skin: Hello Elena." in text
    assert not PatientLink.objects.exists()
    assert not SentContent.objects.exists()


def test_words_that_were_sent_are_shown_word_for_word(
    desk: Client,
    patient: Patient,
    planned: TreatmentSeries,
    front_desk: Staff,
    clock: time_machine.Traveller,
) -> None:
    send(at(FIRST, "09:00"), clock, desk, front_desk)
    text = page(desk, patient, "?more=1")
    sent = SentContent.objects.filter(message__channel="sms").first()
    assert sent is not None
    assert escape(sent.text) in text
    assert "What was sent" in text


def test_a_message_that_would_not_go_out_says_so_before_its_time(
    desk: Client, patient: Patient, planned: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    assert "As things stand it will not go out" not in page(desk, patient)
    consent.withdraw(patient=patient, purpose="care", channel="sms", by=front_desk, now=now)
    text = page(desk, patient)
    assert "As things stand it will not go out: The patient has not agreed" in text


def test_a_moved_visit_leaves_its_messages_withdrawn_with_the_reason(
    desk: Client,
    patient: Patient,
    planned: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    clock: time_machine.Traveller,
) -> None:
    told = at(FIRST.replace(day=16), "09:00")
    send(told, clock, desk, front_desk)
    moving.move(
        appointment=visits[1],
        starts_at=at(SECOND.replace(day=19), "11:00"),
        by=front_desk,
        now=told,
    )
    assert "being planned anew" in page(desk, patient)
    replanning.sync_stale(now=told)
    text = page(desk, patient, "?more=1")
    assert "being planned anew" not in text
    assert "withdrawn or cancelled" in text
    assert "The plan changed: the visit was moved, cancelled or regrouped." in text
    assert "Visit moved" in text


def test_what_staff_skipped_can_be_put_back(
    desk: Client, patient: Patient, planned: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    message = Message.objects.filter(state="scheduled", kind="reminder_final").earliest("due_at")
    assert f"/messages/{message.pk}/skip/" in page(desk, patient, "?more=1")
    skipping.skip(message=message, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    text = page(desk, patient, "?more=1")
    assert f"/messages/{message.pk}/put-back/" in text
    assert "Staff chose not to send it." in text


def test_filters_show_visits_or_messages_alone(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    visits = page(desk, patient, "?show=visits")
    assert "Session 1 of 3" in visits
    assert "Last reminder" not in visits
    messages = page(desk, patient, "?show=messages&more=1")
    assert "Session 1 of 3" not in messages
    assert "Last reminder" in messages
    assert "Session 1 of 3" in page(desk, patient, "?show=%00nonsense")


def test_far_messages_are_folded_and_the_rest_is_one_press_away(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    few, all_of_them = page(desk, patient), page(desk, patient, "?more=1")
    assert "later messages" in few
    assert "later messages" not in all_of_them
    assert few.count('class="mark"') < all_of_them.count('class="mark"')
    for session in (1, 2, 3):
        assert f"Session {session} of 3" in few


def test_an_open_task_stands_above_now_until_it_is_closed(
    desk: Client, patient: Patient, site: Site, now: datetime
) -> None:
    Task.objects.create(
        key="message.1",
        site=site,
        patient=patient,
        kind="call",
        title="Ring <her>",
        why=["Nothing arrived."],
        due_at=now - timedelta(hours=1),
        created_at=now,
    )
    text = page(desk, patient)
    assert "Ring &lt;her&gt;" in text
    assert text.index("Ring &lt;her&gt;") < text.index("Now, ")


def test_a_closed_number_says_why_and_since_when(
    desk: Client, patient: Patient, now: datetime
) -> None:
    Suppression.objects.create(
        channel="sms", address="+12125550123", reason="opted_out", source="reply", since=now
    )
    text = page(desk, patient)
    assert "The person asked for no more messages here" in text
    assert "By reply, since 15 Feb 2027" in text
    assert "Allow again" not in text


def test_a_consent_that_no_mail_heeds_yet_says_why(
    desk: Client, patient: Patient, front_desk: Staff, now: datetime, settings: Settings
) -> None:
    consent.give(patient=patient, purpose="phi_detail", channel="any", by=front_desk, now=now)
    assert "names no treatment all the same" not in page(desk, patient)
    settings.HEALTH_DATA_AGREEMENTS = []
    assert "no agreement about health data with the mail provider" in page(desk, patient)


def test_an_empty_journey_leads_to_booking(desk: Client, patient: Patient) -> None:
    text = page(desk, patient)
    assert "No journey yet" in text
    assert f"/series/new/?patient={patient.pk}" in text


def test_no_word_of_the_database_reaches_the_page(
    desk: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    text = page(desk, patient, "?more=1")
    visible = text.split("<main")[1]
    for raw in ("reminder_final", "booking_confirmed", "plan_changed", "visit_done", "phi_detail>"):
        assert f">{raw}" not in visible
        assert f" {raw} " not in visible


def test_staff_of_another_site_meet_nobody(
    stranger: Client, patient: Patient, planned: TreatmentSeries
) -> None:
    assert stranger.get(reverse("patient", args=[patient.pk])).status_code == 404


def test_a_provider_sees_the_journey_and_no_button_that_is_not_theirs(
    sign_in: SignIn, provider: Staff, patient: Patient, planned: TreatmentSeries
) -> None:
    text = page(sign_in(provider), patient, "?more=1")
    assert "Last reminder" in text
    for missing in ("/skip/", "/edit/", "/withdraw/", "/give/"):
        assert missing not in text


def test_three_series_take_as_few_queries_as_one(
    desk: Client,
    patient: Patient,
    planned: TreatmentSeries,
    house: ProtocolVersion,
    site: Site,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    page(desk, patient)
    with django_assert_max_num_queries(50) as one:
        page(desk, patient, "?more=1")
    TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=patient,
            site=site,
            protocol_version=house,
            areas=["face"],
            sessions=3,
            booked_at=now,
        )
        for _ in range(2)
    )
    for number, other in enumerate(TreatmentSeries.objects.exclude(pk=planned.pk), 1):
        for session, day in enumerate((FIRST, SECOND, THIRD), 1):
            starts_at = at(day, "10:00") + timedelta(days=number)
            Appointment.objects.create(
                series=other,
                site=site,
                protocol_version=other.protocol_version,
                session=session,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1),
                booked_at=now,
                scheduled_at=now,
            )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    replanning.sync_stale(now=now)
    with django_assert_max_num_queries(len(one)):
        page(desk, patient, "?more=1")


def test_the_plan_of_care_is_told_once_for_all_courses_of_one_protocol(
    desk: Client, patient: Patient, planned: TreatmentSeries, house: ProtocolVersion, now: datetime
) -> None:
    for _ in range(2):
        TreatmentSeries.objects.create(
            patient=patient,
            site=planned.site,
            protocol_version=house,
            areas=["face"],
            sessions=3,
            booked_at=now,
        )
    text = page(desk, patient)
    assert text.count('<section class="panel course"') == 3
    assert text.count("Plan of care, with its sources") == 1
