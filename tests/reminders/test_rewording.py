"""Versions of the words of messages: drafted, checked, published, in force, and never changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from clinic.access import Forbidden
from clinic.models import AuditEntry, Role, Site, SiteRole, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.models import Message, SentContent, WordingVersion
from reminders.rewording import drafting, in_force, publishing
from reminders.rewording.drafting import DraftExists, StaleDraft
from reminders.rewording.publishing import (
    NothingChanged,
    NotInForce,
    WarningsOpen,
    WordingUnfit,
)
from reminders.sending import dispatch, letters
from reminders.wording.texts import SOURCES
from reminders.wording.versions import PHRASES, shipped
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db

KIND = Kind.BOOKING_CONFIRMED
Write = Callable[..., WordingVersion]


@pytest.fixture
def write(site: Site, manager: Staff, now: datetime) -> Write:
    """A draft of the booking confirmation of the site, the words in use but for these phrases."""

    def draft(scope: Site | None = site, seen: str = "", **changes: str) -> WordingVersion:
        return drafting.save(
            scope=scope,
            kind=KIND,
            language="en",
            sources={**SOURCES["en"][KIND], **changes},
            seen=seen,
            by=manager,
            now=now,
        )

    return draft


@pytest.fixture
def publish(manager: Staff, now: datetime) -> Write:
    def put_in_force(draft: WordingVersion, *accepted: str) -> WordingVersion:
        return publishing.publish(
            draft=draft, seen=draft.digest, accepted=accepted, by=manager, now=now
        )

    return put_in_force


def sms_at(site: Site) -> str:
    return (
        in_force.at_site(site)
        .of(KIND, "en")
        .wording.sms.fill({"sms_name": "Harbour", "when": "Fri 12 Mar 10:00", "phone": "+1"})
    )


def saying(word: str) -> str:
    return f"{{sms_name}}: {word} {{when}}.[ Questions? Call {{phone}}.|]"


# --- In force -------------------------------------------------------------------------------------


def test_a_site_has_its_own_words_before_those_of_the_company_before_those_of_the_product(
    site: Site, other_site: Site, manager: Staff, write: Write, publish: Write, now: datetime
) -> None:
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    assert "Your visit is booked" in sms_at(site)
    common = publish(write(None, sms=saying("All say")))
    assert "All say" in sms_at(site) and "All say" in sms_at(other_site)
    own = publish(write(site, sms=saying("Own say")))
    assert "Own say" in sms_at(site) and "All say" in sms_at(other_site)
    assert in_force.at_site(site).of(KIND, "es") == shipped(KIND, "es")
    publishing.retire(version=own, by=manager, now=now)
    assert "All say" in sms_at(site)
    publishing.retire(version=common, by=manager, now=now)
    assert "Your visit is booked" in sms_at(site)


def test_a_draft_reaches_nobody(site: Site, write: Write) -> None:
    write(sms=saying("Perhaps"))
    assert "Perhaps" not in sms_at(site)


def test_the_words_of_any_number_of_sites_are_read_in_one_query(
    site: Site, other_site: Site, write: Write, publish: Write
) -> None:
    publish(write(sms=saying("Own")))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        in_force.at({site.pk, other_site.pk})
    assert len(queries) == 1


# --- What is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_is_written_with_what_is_in_force_when_it_leaves_and_says_with_which(
    visit: Appointment, site: Site, write: Write, publish: Write, now: datetime, channel: Channel
) -> None:
    first = queued(visit, now=now, channel=channel)
    recorder = Recorder()
    dispatch.send_due(now=now, channel=recorder)
    version = publish(write(sms=saying("Anew"), opening="Anew it is booked."))
    revisions = list(Patient.objects.values_list("revision", "planned_revision"))
    later = now + timedelta(hours=1)
    second = queued(visit, now=later, channel=channel, steps=["again"])
    dispatch.send_due(now=later, channel=recorder)
    assert ["Anew" in each.text for each in recorder.sent] == [False, True]
    before, after = (SentContent.objects.get(message=each) for each in (first, second))
    assert (before.wording, before.wording_digest) == (None, shipped(KIND, "en").digest)
    assert (after.wording, after.wording_digest) == (version, version.digest)
    assert after.text == recorder.sent[1].text or channel is Channel.EMAIL
    for content in (before, after):
        assert content.body_digest == letters.body_digest(content) != ""
    # It is written as it leaves: nothing had to be planned anew.
    assert revisions == list(Patient.objects.values_list("revision", "planned_revision"))


def test_another_word_is_another_digest() -> None:
    said = SentContent(subject="a", text="b", html="c", calendar="d")
    others = [_but(said, name) for name in ("subject", "text", "html", "calendar")]
    assert len({letters.body_digest(each) for each in (said, *others)}) == 5


def _but(content: SentContent, name: str) -> SentContent:
    parts = {each: getattr(content, each) for each in ("subject", "text", "html", "calendar")}
    return SentContent(**{**parts, name: "x"})


def test_the_messages_that_will_be_written_with_a_version_are_counted(
    visit: Appointment, site: Site, other_site: Site, patient: Patient, now: datetime
) -> None:
    queued(visit, now=now)
    queued(visit, now=now, kind=Kind.NUDGE)
    sent = queued(visit, now=now, steps=["again"])
    Message.objects.filter(pk=sent.pk).update(state="skipped", reason="expired")

    def counted(scope: Site | None, language: str = "en") -> int:
        return publishing.waiting_messages(scope, KIND, language)

    assert (counted(site), counted(None), counted(other_site), counted(site, "es")) == (1, 1, 0, 0)


def test_company_words_do_not_count_the_messages_of_a_site_with_words_of_its_own(
    visit: Appointment, write: Write, publish: Write, now: datetime
) -> None:
    queued(visit, now=now)
    publish(write(sms=saying("Own")))
    assert publishing.waiting_messages(None, KIND, "en") == 0


# --- Drafts and publications ----------------------------------------------------------------------


def test_a_draft_is_saved_over_only_by_who_saw_it(write: Write) -> None:
    draft = write(sms=saying("One"))
    with pytest.raises(StaleDraft) as refused:
        write(sms=saying("Two"))
    assert refused.value.draft == draft
    again = write(seen=draft.digest, sms=saying("Two"))
    assert (again.pk, again.number) == (draft.pk, 1)
    with pytest.raises(StaleDraft):
        write(seen=draft.digest, sms=saying("Three"))
    draft.refresh_from_db()
    assert "Two" in draft.sms


def test_a_new_version_takes_the_next_number_and_retires_the_one_before(
    write: Write, publish: Write, manager: Staff, now: datetime
) -> None:
    first = publish(write(sms=saying("One")))
    second = publish(write(sms=saying("Two")))
    first.refresh_from_db()
    assert (first.number, first.state, first.retired_by) == (1, "retired", manager)
    assert (second.number, second.state, second.published_by) == (2, "published", manager)
    third = drafting.take_up(version=first, by=manager, now=now)
    assert (third.number, third.state, third.digest) == (3, "draft", first.digest)
    with pytest.raises(DraftExists):
        drafting.take_up(version=first, by=manager, now=now)
    drafting.discard(draft=third, seen=third.digest, by=manager, now=now)
    assert WordingVersion.objects.count() == 2
    with pytest.raises(NotInForce):
        publishing.retire(version=first, by=manager, now=now)


def test_what_was_not_seen_is_not_published(
    write: Write, publish: Write, manager: Staff, now: datetime
) -> None:
    draft = write(sms=saying("One"))
    write(seen=draft.digest, sms=saying("Two"))
    with pytest.raises(StaleDraft):
        publish(draft)
    with pytest.raises(StaleDraft):
        drafting.discard(draft=draft, seen=draft.digest, by=manager, now=now)


def test_errors_bar_the_publication_and_warnings_ask_for_a_tick(
    write: Write, publish: Write
) -> None:
    draft = write(sms=saying("Tomorrow"))
    with pytest.raises(WordingUnfit) as unfit:
        publish(draft, "relative_day:sms:tomorrow")
    assert [each.code for each in unfit.value.findings] == ["relative_day"]
    draft = write(seen=draft.digest, opening="Feel free to come. It is exclusive.")
    with pytest.raises(WarningsOpen) as open_:
        publish(draft, "perhaps_offer:opening:free")
    assert [each.found for each in open_.value.findings] == ["exclusive"]
    published = publish(draft, "perhaps_offer:opening:free", "perhaps_offer:opening:exclusive")
    trail = AuditEntry.objects.get(action="wording.publish")
    assert trail.subject_id == str(published.pk)
    assert trail.after["accepted"] == [
        "perhaps_offer:opening:exclusive",
        "perhaps_offer:opening:free",
    ]


def test_a_provider_of_the_house_is_not_named(
    write: Write, publish: Write, treatment_provider: object
) -> None:
    with pytest.raises(WordingUnfit, match="Okafor"):
        publish(write(closing="Your Okafor awaits you."))


def test_the_same_words_are_not_published_twice(write: Write, publish: Write) -> None:
    publish(write(sms=saying("One")))
    with pytest.raises(NothingChanged):
        publish(write(sms=saying("One")))


# --- Who may --------------------------------------------------------------------------------------


def test_the_front_desk_drafts_and_a_manager_publishes(
    site: Site, front_desk: Staff, provider: Staff, outsider: Staff, write: Write, now: datetime
) -> None:
    draft = write(sms=saying("One"))
    for nobody in (provider, outsider):
        with pytest.raises(Forbidden):
            drafting.discard(draft=draft, seen=draft.digest, by=nobody, now=now)
    for nobody in (front_desk, provider, outsider):
        with pytest.raises(Forbidden):
            publishing.publish(draft=draft, seen=draft.digest, accepted=(), by=nobody, now=now)
        draft.refresh_from_db()
        assert draft.state == "draft"
    drafting.discard(draft=draft, seen=draft.digest, by=front_desk, now=now)


def test_words_of_the_company_are_for_who_manages_every_site(
    site: Site, other_site: Site, manager: Staff, write: Write, publish: Write, now: datetime
) -> None:
    with pytest.raises(Forbidden, match="Sunset"):
        write(None, sms=saying("One"))
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.FRONT_DESK)
    draft = write(None, sms=saying("One"))
    with pytest.raises(Forbidden, match="publish the words of messages at Sunset"):
        publish(draft)
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    version = publish(draft)
    SiteRole.objects.filter(staff=manager, site=other_site).delete()
    with pytest.raises(Forbidden):
        publishing.retire(version=version, by=manager, now=now)


# --- What the database refuses --------------------------------------------------------------------


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        act()
    return str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        *({name: "other"} for name in PHRASES),
        *({"number": 9}, {"digest": "0" * 64}, {"kind": "nudge"}, {"language": "es"}),
        {"state": "draft", "published_at": None, "published_by": None},
    ],
    ids=str,
)
def test_a_published_version_never_changes(
    write: Write, publish: Write, change: dict[str, object]
) -> None:
    row = WordingVersion.objects.filter(pk=publish(write(sms=saying("One"))).pk)
    assert "never changes" in refused(lambda: row.update(**change))


def test_a_version_that_was_published_is_never_deleted_and_a_retired_one_never_comes_back(
    write: Write, publish: Write, manager: Staff, now: datetime
) -> None:
    version = publish(write(sms=saying("One")))
    row = WordingVersion.objects.filter(pk=version.pk)
    assert "never changes" in refused(row.delete)
    publishing.retire(version=version, by=manager, now=now)
    again = {"state": "published", "retired_at": None, "retired_by": None}
    assert "never changes" in refused(lambda: row.update(**again))
    assert "never changes" in refused(row.delete)


@pytest.mark.parametrize("is_own", [True, False])
def test_there_is_one_published_version_one_draft_and_each_number_once(
    site: Site, write: Write, publish: Write, manager: Staff, now: datetime, is_own: bool
) -> None:
    scope = site if is_own else None
    row = {
        **dict.fromkeys(PHRASES, "x"),
        "site": scope,
        "kind": KIND,
        "language": "en",
        "digest": "0" * 64,
        "created_at": now,
        "created_by": manager,
        "saved_at": now,
        "saved_by": manager,
    }
    done = {"state": "published", "published_at": now, "published_by": manager}

    def make(number: int, **changes: object) -> str:
        return refused(lambda: WordingVersion.objects.create(**row, **changes, number=number))

    draft = write(scope, sms=saying("One"))
    assert "wording_one_draft" in make(7)
    publish(draft)
    assert "wording_one_published" in make(7, **done)
    assert "wording_number_once" in make(1)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"language": "fr"}, "wording_language_known"),
        ({"state": "published"}, "wording_state_whole"),
        ({"state": "odd"}, "wording_state_whole"),
    ],
)
def test_a_version_is_whole(
    site: Site, manager: Staff, now: datetime, wrong: dict[str, str], constraint: str
) -> None:
    row = {
        "site": site,
        "kind": KIND,
        "language": "en",
        "digest": "0" * 64,
        "number": 1,
        "created_at": now,
        "created_by": manager,
        "saved_at": now,
        "saved_by": manager,
        **wrong,
    }
    assert constraint in refused(lambda: WordingVersion.objects.create(**row))


def test_words_are_kept_for_sixty_days_at_least_and_emptied_whole(
    visit: Appointment, site: Site, now: datetime
) -> None:
    queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    rows = SentContent.objects.all()
    assert "content_emptied_whole" in refused(lambda: rows.update(emptied_at=now, text=""))
    rows.update(emptied_at=now, address="", subject="", text="", html="", calendar="")
    sites = Site.objects.filter(pk=site.pk)
    assert "site_keeps_words" in refused(lambda: sites.update(words_kept_days=59))
