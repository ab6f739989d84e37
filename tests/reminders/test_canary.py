"""A test text goes out every quarter of an hour, and its silence is noticed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from clinic.models import Site
from reminders.catalogue import Kind, MessageState
from reminders.keeping import canaries
from reminders.ledger import receipts
from reminders.models import Attempt, DraftText, Message, Receipt, SentContent
from reminders.proving import proof
from reminders.sending import canary, dispatch, tidying
from tests.reminders.ledger import Recorder

pytestmark = pytest.mark.django_db
NUMBER = "+12125550199"
MINUTE = timedelta(minutes=1)
# A quarter begins, at three in the morning of New York.
NIGHT = datetime(2027, 2, 15, 8, 0, tzinfo=UTC)


@pytest.fixture
def watched(site: Site) -> Site:
    Site.objects.filter(pk=site.pk).update(canary_number=NUMBER, planned_revision=site.revision)
    site.refresh_from_db()
    return site


def comes_back(message: Message, *, now: datetime) -> None:
    receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key=str(message.reference),
        status="delivered",
        code="",
        now=now,
    )


def test_one_goes_out_every_quarter_at_any_hour_and_says_nothing_of_anybody(
    watched: Site, other_site: Site
) -> None:
    channel = Recorder()
    for minutes in (0, 1, 14, 15, 16):
        at = NIGHT + minutes * MINUTE
        tidying.tidy(now=at)
        dispatch.send_due(now=at, channel=channel)
    assert [sent.to for sent in channel.sent] == [NUMBER, NUMBER]
    assert channel.sent[0].text == "Harbour Skin: Test of our messages. There is nothing to do."
    assert Message.objects.filter(kind=Kind.CANARY, patient=None).count() == 2
    assert not [check.name for check, found in proof.prove(now=NIGHT) if found.faults]


def test_a_site_that_is_not_live_has_none(watched: Site) -> None:
    Site.objects.filter(pk=watched.pk).update(live_from=NIGHT + MINUTE)
    tidying.tidy(now=NIGHT)
    assert not Message.objects.exists()
    assert canary.silences(now=NIGHT) == []


def test_its_silence_is_measured_from_the_last_that_came_back(watched: Site) -> None:
    assert canary.silences(now=NIGHT) == []
    for minutes in (0, 15, 30):
        tidying.tidy(now=NIGHT + minutes * MINUTE)
        dispatch.send_due(now=NIGHT + minutes * MINUTE, channel=Recorder())
    first, second, _third = Message.objects.order_by("created_at")
    [silence] = canary.silences(now=NIGHT + 31 * MINUTE)
    assert (silence.seconds, silence.is_too_long) == (31 * 60, True)
    comes_back(second, now=NIGHT + 16 * MINUTE)
    comes_back(first, now=NIGHT + 31 * MINUTE)
    [silence] = canary.silences(now=NIGHT + 31 * MINUTE)
    assert (silence.site, silence.seconds, silence.is_too_long) == ("harbour", 16 * 60, False)
    [silence] = canary.silences(now=NIGHT + 36 * MINUTE)
    assert silence.is_too_long


def test_one_that_was_not_sent_in_its_quarter_is_not_sent_later(watched: Site) -> None:
    tidying.tidy(now=NIGHT)
    channel = Recorder()
    dispatch.send_due(now=NIGHT + 15 * MINUTE, channel=channel)
    assert not channel.sent
    assert Message.objects.get().state == MessageState.SKIPPED


def test_it_is_deleted_with_all_that_stands_about_it_once_it_has_told_what_it_had_to(
    watched: Site,
) -> None:
    for minutes in (0, 15):
        tidying.tidy(now=NIGHT + minutes * MINUTE)
    dispatch.send_due(now=NIGHT + 15 * MINUTE, channel=Recorder())
    unknown, back = Message.objects.order_by("created_at")
    comes_back(back, now=NIGHT + 16 * MINUTE)
    Message.objects.filter(pk=unknown.pk).update(state=MessageState.UNKNOWN, reason="")
    over = NIGHT + canaries.KEPT + 15 * MINUTE

    assert canaries.remove(now=over) == 0
    assert canaries.remove(now=over + MINUTE) == 1
    assert [each.pk for each in Message.objects.all()] == [unknown.pk]
    assert [each.message_id for each in DraftText.objects.all()] == [unknown.pk]
    for table in (Attempt, Receipt, SentContent):
        assert not table.objects.exists()


def test_the_health_page_says_that_it_is_silent(client: Client, watched: Site) -> None:
    assert "canary" not in client.get("/health/").json()["parts"]
    tidying.tidy(now=timezone.now() - 40 * MINUTE)
    assert client.get("/health/").json()["parts"]["canary"] == "silent"


def test_its_number_is_one_that_can_be_written_to(site: Site) -> None:
    with pytest.raises(IntegrityError, match="site_canary_number"):
        Site.objects.filter(pk=site.pk).update(canary_number="555 0199")
