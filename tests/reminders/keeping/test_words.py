"""Words are removed when their site keeps them no longer; the rest of the ledger stays."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic.models import Site
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import Unanswered
from reminders.inbound import receiving
from reminders.keeping import words
from reminders.ledger import reconciling, saying_now
from reminders.models import (
    Conversation,
    DraftText,
    InboundMessage,
    LookUp,
    Message,
    SentContent,
)
from reminders.proving import proof
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db

NUMBER = "+12125550123"
NOTHING = {"sent": 0, "drafts": 0, "replies": 0}


@pytest.fixture
def said(visit: Appointment, site: Site, now: datetime) -> Message:
    """A notice that went out, an answer of staff and a reply, all of one moment."""
    saying_now.say(
        site=site,
        kind=Kind.STAFF_REPLY,
        channel=Channel.SMS,
        to_address=NUMBER,
        key="staff:1",
        text="Yes, please come.",
        now=now,
    )
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    receiving.receive(
        channel=Channel.SMS,
        provider="twilio",
        provider_id="SM1",
        from_address=NUMBER,
        to_address=site.sms_number,
        text="thanks, see you then",
        answered_as="",
        received_at=now,
        now=now,
    )
    return message


def over(site: Site, now: datetime) -> datetime:
    """The first second at which what was said `now` is kept no longer."""
    return now + timedelta(days=site.words_kept_days, seconds=1)


def closed(now: datetime) -> None:
    Conversation.objects.update(state="closed", closed_at=now, page_at=None)


def test_words_go_when_their_time_is_over_and_nothing_else_goes(
    said: Message, site: Site, now: datetime
) -> None:
    before = SentContent.objects.get(message=said)
    Site.objects.update(words_kept_days=90)
    site.refresh_from_db()
    later = over(site, now)
    assert words.remove(now=later - timedelta(seconds=1)) == NOTHING
    assert words.remove(now=later) == {"sent": 2, "drafts": 1, "replies": 0}  # still open
    closed(now)
    assert words.remove(now=later) == NOTHING | {"replies": 1}
    assert words.remove(now=later) == NOTHING
    content = SentContent.objects.get(message=said)
    assert (content.address, content.text, content.emptied_at) == ("", "", later)
    assert content.body_digest == before.body_digest
    draft, reply = DraftText.objects.get(), InboundMessage.objects.get()
    assert (draft.text, draft.emptied_at) == ("", later)
    assert (reply.text, reply.forgotten_at, reply.labels) == ("", later, ["free_text"])
    said.refresh_from_db()
    assert said.state == MessageState.ACCEPTED
    held = {check.name: found.named for check, found in proof.prove(now=later) if found.faults}
    assert held.keys() <= {"places", "plan"}  # of a visit that stands here without its house


def test_each_site_keeps_words_for_as_long_as_it_says(
    said: Message, site: Site, other_site: Site, now: datetime
) -> None:
    Site.objects.filter(pk=other_site.pk).update(words_kept_days=60)
    assert words.remove(now=over(site, now) - timedelta(days=1)) == NOTHING
    for days in (60, site.words_kept_days + 1):
        Site.objects.filter(pk=other_site.pk).update(words_kept_days=days)
        assert words.going(now=over(site, now))["sent"] == {site.pk: 2}


def test_many_go_in_small_batches_and_none_without_time(
    said: Message, site: Site, now: datetime
) -> None:
    later = over(site, now)
    assert words.remove(now=later, seconds=0.0) == NOTHING
    assert words.remove(now=later, most=1)["sent"] == 2


def test_what_still_waits_to_go_out_keeps_its_words(
    said: Message, site: Site, now: datetime
) -> None:
    Message.objects.update(state=MessageState.SCHEDULED)
    assert words.remove(now=over(site, now)) == NOTHING


def test_a_message_that_goes_out_again_has_new_words_that_stay(
    said: Message, site: Site, now: datetime
) -> None:
    later = over(site, now)
    words.remove(now=later)
    Message.objects.filter(pk=said.pk).update(
        state=MessageState.SCHEDULED,
        wake_at=later,
        claim_token=None,
        expires_at=later + timedelta(days=1),
    )
    dispatch.send_due(now=later, channel=Recorder())
    content = SentContent.objects.get(message=said)
    assert content.text and content.emptied_at is None
    assert words.remove(now=later)["sent"] == 0


def test_a_provider_is_not_asked_about_words_that_are_gone(
    said: Message, site: Site, now: datetime
) -> None:
    later = over(site, now)
    words.remove(now=later)
    Message.objects.filter(pk=said.pk).update(state=MessageState.UNKNOWN, provider="recorder")
    asked: list[Unanswered] = []
    channel = Recorder()
    channel.asked = asked
    reconciling.reconcile(now=later, channel=channel)
    assert LookUp.objects.get().answer == "cannot_say"
    assert not asked


def test_a_draft_is_removed_whole(said: Message, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="draft_emptied_is_empty"), transaction.atomic():
        DraftText.objects.update(emptied_at=now)


@pytest.mark.usefixtures("said")
def test_the_command_counts_what_would_go_and_then_removes_it(site: Site) -> None:
    Site.objects.update(words_kept_days=60)
    long_ago = datetime.fromisoformat("2020-01-01T00:00:00Z")
    SentContent.objects.update(at=long_ago)

    def run(*arguments: str) -> list[str]:
        written = StringIO()
        call_command("remove_words", *arguments, stdout=written)
        return [
            line for line in written.getvalue().splitlines() if site.name in line or "." in line
        ]

    assert run("--dry-run")[0].split()[-3:] == ["2", "0", "0"]
    assert SentContent.objects.filter(emptied_at=None).count() == 2
    assert run()[-1] == "2 removed."
    assert not SentContent.objects.filter(emptied_at=None).exists()
