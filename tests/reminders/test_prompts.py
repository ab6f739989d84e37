"""Requests for a review and birthday greetings, from the records to the mail."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from appointments.charting import courses, reporting
from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from clinic.wall_time import instant
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState, Purpose
from reminders.journeys import replanning
from reminders.ledger import skipping
from reminders.models import Message
from reminders.proving import proof
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, a_visit

pytestmark = pytest.mark.django_db
URL = "https://reviews.example/harbour"
WEEK = timedelta(days=7)


@pytest.fixture
def asking(visit: Appointment, site: Site, front_desk: Staff, now: datetime) -> Appointment:
    """A visit that is done, at a site that asks and greets, of somebody who agreed to it."""
    patient = visit.series.patient
    consent.give(patient=patient, purpose="marketing", channel="email", by=front_desk, now=now)
    Site.objects.filter(pk=site.pk).update(
        review_url=URL, reviews_from=now.date(), birthdays_from=now.date()
    )
    Patient.objects.filter(pk=patient.pk).update(birth_date=date(1984, 2, 29))
    Appointment.objects.filter(pk=visit.pk).update(state="done", done_at=visit.ends_at)
    visit.refresh_from_db()
    return visit


def planned(visit: Appointment, kind: Kind, *, now: datetime) -> Message:
    Patient.objects.filter(pk=visit.series.patient_id).raise_revision()
    replanning.sync_stale(now=now)
    return Message.objects.filter(kind=kind).earliest("due_at")


def only(message: Message) -> datetime:
    """Nothing but this message is due when it is; that moment."""
    Message.objects.update(wake_at=None)
    Message.objects.filter(pk=message.pk).update(wake_at=message.due_at)
    return message.due_at


def test_both_are_sent_with_their_link_and_a_way_to_unsubscribe(
    asking: Appointment, site: Site
) -> None:
    now, channel = asking.ends_at, Recorder()
    for kind in (Kind.REVIEW_REQUEST, Kind.BIRTHDAY):
        message = planned(asking, kind, now=now)
        assert (message.purpose, message.channel) == (Purpose.MARKETING, Channel.EMAIL)
        now = only(message)
        dispatch.send_due(now=now, channel=channel)
        message.refresh_from_db()
        assert message.state == MessageState.ACCEPTED, message.gate_why
    review, birthday = channel.sent
    assert URL in review.text and URL not in birthday.text
    assert birthday.subject == "Happy birthday"
    assert all("/unsubscribe/" in each.unsubscribe_url for each in channel.sent)
    leap = instant(date(2028, 2, 29), 10 * 60, site.zone)
    assert now == leap
    assert Message.objects.get(kind=Kind.BIRTHDAY, due_at=leap).state == MessageState.ACCEPTED
    # The others sleep, as nothing but these was to be due.
    assert [check.name for check, found in proof.prove(now=now) if found.faults] == ["asleep"]


def test_an_open_adverse_event_holds_back_what_was_planned_and_a_low_score_does_not(
    asking: Appointment, provider: Staff
) -> None:
    later = asking.ends_at + timedelta(days=1)
    message = planned(asking, Kind.REVIEW_REQUEST, now=asking.ends_at)
    courses.score(series=asking.series, kind="satisfaction", value=2, by=None, now=later)
    replanning.sync_stale(now=later)
    message.refresh_from_db()
    assert message.state == MessageState.SCHEDULED
    reporting.report(
        patient=asking.series.patient, site=asking.site, what="Burn", severity="mild",
        noticed_at=later, areas=[], by=provider, now=later,
    )  # fmt: skip
    replanning.sync_stale(now=later)
    message.refresh_from_db()
    assert (message.state, message.reason) == (MessageState.SKIPPED, "adverse_event")


def test_without_consent_to_marketing_nobody_is_greeted(
    asking: Appointment, front_desk: Staff
) -> None:
    message = planned(asking, Kind.BIRTHDAY, now=asking.ends_at)
    consent.withdraw(
        patient=asking.series.patient, purpose="marketing", channel="email", by=front_desk,
        now=asking.ends_at,
    )  # fmt: skip
    replanning.sync_stale(now=asking.ends_at)
    channel = Recorder()
    dispatch.send_due(now=only(message), channel=channel)
    message.refresh_from_db()
    assert (channel.sent, message.reason) == ([], "no_consent")


def test_of_two_visits_in_ninety_days_one_is_asked_about(
    asking: Appointment, site: Site, protocol: ProtocolVersion
) -> None:
    message = planned(asking, Kind.REVIEW_REQUEST, now=asking.ends_at)
    dispatch.send_due(now=only(message), channel=Recorder())
    later = message.due_at + WEEK
    again = a_visit(asking.series.patient, site, protocol, now=later)
    Appointment.objects.filter(pk=again.pk).update(state="done", done_at=later)
    planned(asking, Kind.REVIEW_REQUEST, now=later)
    second = Message.objects.get(kind=Kind.REVIEW_REQUEST, state="scheduled")
    channel = Recorder()
    dispatch.send_due(now=only(second), channel=channel)
    second.refresh_from_db()
    assert (channel.sent, second.reason) == ([], "too_often")


def test_a_greeting_is_not_skipped_but_the_consent_ended(
    asking: Appointment, front_desk: Staff
) -> None:
    message = planned(asking, Kind.BIRTHDAY, now=asking.ends_at)
    assert not skipping.can_skip(message)
    with pytest.raises(skipping.SkipRefused, match="End their consent"):
        skipping.skip(message=message, by=front_desk, now=asking.ends_at)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"spread_minutes": 15}, "site_spreads_within_a_quarter"),
        ({"review_url": "http://reviews.example"}, "site_review_url"),
        ({"reviews_from": date(2027, 1, 1)}, "site_asks_for_reviews_somewhere"),
    ],
)
def test_what_a_site_cannot_be_set_to(
    site: Site, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Site.objects.filter(pk=site.pk).update(**values)
