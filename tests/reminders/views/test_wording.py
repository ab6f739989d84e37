"""The pages of the words of messages: written with a preview, compared, published, used again."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from clinic import reader_language
from clinic.models import Site, Staff
from reminders.catalogue import Channel, Kind
from reminders.journeys import replanning
from reminders.models import Message, SentContent, WordingVersion
from reminders.sending import dispatch
from reminders.wording.texts import SOURCES
from reminders.wording.versions import shipped
from tests.reminders.ledger import Recorder, queued
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db

KIND = Kind.BOOKING_CONFIRMED
PAGE = f"/wording/site/{KIND}/en/"
ANEW = "{sms_name}: It is booked: {when}.[ Questions? Call {phone}.|]"


@pytest.fixture
def boss(sign_in: SignIn, manager: Staff) -> Client:
    return sign_in(manager)


def typed(seen: str = "", **changes: str) -> dict[str, str]:
    return {**SOURCES["en"][KIND], **changes, "seen": seen}


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def saved(client: Client, seen: str = "", **changes: str) -> WordingVersion:
    answer = client.post(PAGE, {**typed(seen, **changes), "act": "save"})
    assert answer.status_code == 302, text_of(answer)
    return WordingVersion.objects.get(state="draft")


def published(client: Client, **changes: str) -> WordingVersion:
    draft = saved(client, **changes)
    answer = client.post(f"{PAGE}publish/", {"seen": draft.digest})
    assert answer.status_code == 302, text_of(answer)
    draft.refresh_from_db()
    assert draft.state == "published"
    return draft


def test_the_list_says_whose_words_are_in_force(boss: Client) -> None:
    assert "This site, version" not in text_of(boss.get("/wording/"))
    published(boss, sms=ANEW)
    saved(boss, sms=ANEW.replace("booked", "kept"))
    text = text_of(boss.get("/wording/"))
    assert "This site, version 1" in text and "Draft" in text
    assert "/wording/site/optout_ack/" not in text


def test_the_editor_begins_with_what_patients_read(boss: Client) -> None:
    text = text_of(boss.get(PAGE))
    assert SOURCES["en"][KIND]["sms"] in text
    assert "In use now: <b>The words that come with Afterglow</b>" in text
    assert "Nothing to mend" in text and "room for" in text


def test_the_preview_shows_the_text_at_its_longest_and_what_is_wrong_beside_the_field(
    boss: Client,
) -> None:
    whole = text_of(boss.post(PAGE, {**typed(sms="{sms_name}: tomorrow {when}"), "act": "preview"}))
    part = text_of(
        boss.post(PAGE, typed(sms="{sms_name}: tomorrow {when}"), HTTP_HX_REQUEST="true")
    )
    for text in (whole, part):
        assert "Harbour Skin: tomorrow Fri 12 Mar 10:00" in text
        assert f"{'N' * 24}: tomorrow {'W' * 26}" in text
        beside = text.split('id="findings-sms"')[1].split('id="findings-')[0]
        assert "It says “tomorrow”" in beside and "At its longest 61 of 160 units" in beside
    assert "<html" in whole and "<html" not in part
    assert part.count('hx-swap-oob="true"') == 7
    assert WordingVersion.objects.count() == 0


@pytest.mark.parametrize("sms", ["{sms_name}: {when", "{sms_name}: {nothing}", "", "x" * 3000])
def test_what_cannot_be_read_is_shown_as_it_was_typed(boss: Client, sms: str) -> None:
    answer = boss.post(PAGE, {**typed(sms=sms), "act": "preview"})
    assert answer.status_code in (200, 422)
    assert f">\n{sms}</textarea>" in text_of(answer)


def test_markup_that_is_typed_stays_text(boss: Client) -> None:
    hostile = "<script>alert(1)</script>"
    answer = boss.post(PAGE, {**typed(opening=hostile, subject=hostile), "act": "preview"})
    assert hostile.encode() not in answer.content
    assert text_of(answer).count(hostile) >= 3


def test_a_stale_save_shows_both_and_keeps_what_was_typed(boss: Client) -> None:
    saved(boss, sms=ANEW.replace("It", "Theirs"))
    answer = boss.post(PAGE, {**typed(sms=ANEW.replace("It", "Mine")), "act": "save"})
    assert answer.status_code == 409
    text = text_of(answer)
    table = text.split("both-values")[1].split("</table>")[0]
    assert "Theirs is booked" in table and "Mine is booked" in table
    draft = WordingVersion.objects.get()
    assert "Theirs" in draft.sms
    # Saving once more, after having seen both, puts one's own in place.
    assert f'name="seen" value="{draft.digest}"' in text
    assert "Mine" in saved(boss, draft.digest, sms=ANEW.replace("It", "Mine")).sms


def test_publishing_shows_what_changes_whom_it_reaches_and_asks_for_ticks(
    boss: Client, visits: list[Appointment], site: Site, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    waiting = Message.objects.filter(kind=KIND, state="scheduled").count()
    assert waiting
    draft = saved(boss, sms=ANEW, opening="Feel free to come.")
    text = text_of(boss.get(f"{PAGE}publish/"))
    assert "<ins>" in text and "<del>" in text
    assert f"{waiting} scheduled message" in text
    assert "Patients who read Spanish keep: The words that come with Afterglow." in text
    assert 'value="perhaps_offer:opening:free" required' in text
    unticked = boss.post(f"{PAGE}publish/", {"seen": draft.digest})
    assert unticked.status_code == 409 and "Accept each warning" in text_of(unticked)
    ticked = {"seen": draft.digest, "accepted": "perhaps_offer:opening:free"}
    assert boss.post(f"{PAGE}publish/", ticked).status_code == 302
    draft.refresh_from_db()
    assert draft.state == "published"


def test_errors_leave_no_button_to_publish(boss: Client) -> None:
    draft = saved(boss, sms="{sms_name}: tomorrow {when}")
    text = text_of(boss.get(f"{PAGE}publish/"))
    assert "To mend before" in text and "Publish version" not in text
    assert boss.post(f"{PAGE}publish/", {"seen": draft.digest}).status_code == 409


def test_whose_words_they_are_is_said_in_the_readers_language(
    boss: Client, manager: Staff, site: Site
) -> None:
    number = published(boss, sms=ANEW).number
    saved(boss, sms=ANEW.replace("It", "All"))
    assert f"Version {number} of {site.name}" in text_of(boss.get(f"{PAGE}publish/"))
    reader_language.choose(manager, "es")
    samples = text_of(boss.get(PAGE))
    assert "Con las horas, el nombre" in samples and "With the longest times" not in samples
    page = text_of(boss.get(f"{PAGE}publish/"))
    assert f"Versión {number} de {site.name}" in page and f"Version {number}" not in page


def test_an_earlier_version_is_used_again_and_one_is_taken_out_of_force(boss: Client) -> None:
    first = published(boss, sms=ANEW)
    second = published(boss, sms=ANEW.replace("It", "All"))
    text = text_of(boss.get(f"{PAGE}{first.number}/"))
    assert "It is booked" in text and "retired" in text and first.digest in text
    boss.post(f"{PAGE}{first.number}/take-up/")
    draft = WordingVersion.objects.get(state="draft")
    assert draft.digest == first.digest
    boss.post(f"{PAGE}discard/", {"seen": draft.digest})
    boss.post(f"{PAGE}retire/")
    assert not WordingVersion.objects.filter(state__in=("draft", "published")).exists()
    assert second.number == 2 and "As it comes" in text_of(boss.get("/wording/"))


@pytest.mark.parametrize("page", ["", "publish/", "1/"])
def test_a_page_of_words_that_there_are_not_is_not_found(boss: Client, page: str) -> None:
    for address in (
        f"/wording/site/optout_ack/en/{page}",
        f"/wording/site/{KIND}/fr/{page}",
        f"/wording/some/{KIND}/en/{page}",
    ):
        assert boss.get(address).status_code == 404


# --- Who may --------------------------------------------------------------------------------------

ACTS = ("", "discard/", "publish/", "retire/", "1/take-up/")


def test_strangers_and_other_roles_neither_see_nor_change_the_words_of_a_site(
    boss: Client, stranger: Client, provider: Staff, site: Site
) -> None:
    published(boss, sms=ANEW)
    draft = saved(boss, sms=ANEW.replace("It", "This"))
    treating, nobody = Client(), Client()
    treating.force_login(provider)
    for client, here in ((stranger, f"?site={site.slug}"), (treating, ""), (nobody, "")):
        refusal = 302 if client is nobody else 403
        for page in ("/wording/", PAGE, f"{PAGE}1/", f"{PAGE}publish/"):
            assert client.get(f"{page}{here}").status_code == refusal, page
        for act in ACTS:
            body = {**typed(draft.digest), "act": "save"}
            assert client.post(f"{PAGE}{act}{here}", body).status_code == refusal, act
    # At home the stranger's address means the stranger's own site.
    assert "It is booked" not in text_of(stranger.get(PAGE))
    draft.refresh_from_db()
    assert "This is booked" in draft.sms and draft.state == "draft"


def test_the_front_desk_writes_and_does_not_publish(desk: Client, site: Site) -> None:
    draft = saved(desk, sms=ANEW)
    text = text_of(desk.get(PAGE))
    assert "Save draft" in text and "Compare and publish" not in text
    assert desk.get(f"{PAGE}publish/").status_code == 403
    assert desk.post(f"{PAGE}publish/", {"seen": draft.digest}).status_code == 403
    assert desk.post(f"{PAGE}retire/").status_code == 404


def test_words_of_all_sites_are_read_by_all_and_written_by_who_has_all(
    boss: Client, other_site: Site
) -> None:
    page = f"/wording/all/{KIND}/en/"
    assert boss.get(page).status_code == 200
    assert "Save draft" not in text_of(boss.get(page))
    assert boss.post(page, {**typed(sms=ANEW), "act": "save"}).status_code == 403
    assert "For all sites" not in text_of(boss.get("/wording/"))


# --- What was sent --------------------------------------------------------------------------------


def test_what_was_sent_is_shown_word_for_word_with_the_version_and_after_its_time_not(
    boss: Client, stranger: Client, visits: list[Appointment], now: datetime
) -> None:
    version = published(boss, sms=ANEW, opening="It is booked anew.")
    message = queued(visits[0], now=now, channel=Channel.EMAIL)
    recorder = Recorder()
    dispatch.send_due(now=now, channel=recorder)
    content = SentContent.objects.get(message=message)
    page, frame = f"/messages/{message.pk}/", f"/messages/{message.pk}/mail/"
    text = text_of(boss.get(page))
    assert "It is booked anew." in text and "BEGIN:VCALENDAR" in text
    assert "Version 1 of Harbour Skin Clinic" in text and content.body_digest in text
    mail = boss.get(frame)
    assert mail.content.decode() == content.html and "It is booked anew." in content.html
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    assert "script" not in mail.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in boss.get(page).headers["Content-Security-Policy"]
    assert stranger.get(page).status_code == stranger.get(frame).status_code == 404
    gone = {"address": "", "subject": "", "text": "", "html": "", "calendar": ""}
    SentContent.objects.filter(pk=content.pk).update(**gone, emptied_at=now)
    text = text_of(boss.get(page))
    assert "The words were removed on" in text and "keeps them for 2557 days" in text
    assert f"Version {version.number} of" in text and content.body_digest in text
    assert boss.get(frame).status_code == 404


def test_what_was_sent_in_the_words_of_the_product_says_so(
    desk: Client, visits: list[Appointment], now: datetime
) -> None:
    message = queued(visits[0], now=now)
    dispatch.send_due(now=now, channel=Recorder())
    text = text_of(desk.get(f"/messages/{message.pk}/"))
    assert "Written with the words that come with Afterglow." in text
    assert SentContent.objects.get(message=message).wording_digest == shipped(KIND, "en").digest
