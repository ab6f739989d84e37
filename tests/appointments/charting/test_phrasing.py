"""Phrases for notes: of a site, added, put into a log and removed by who treats there."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from appointments.charting import phrasing
from appointments.charting.log import NOTE_LENGTH, Log
from appointments.charting.refusals import PhraseRefused
from appointments.models import Appointment, Phrase, TreatmentRecord
from clinic.models import AuditEntry, Site, Staff
from tests.api import api, refused
from tests.appointments.charting.conftest import treated
from tests.appointments.conftest import FIRST, at

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(at(FIRST, "10:55"), tick=False)]

COOLED = "Cooled for ten minutes."


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def test_a_site_has_each_phrase_once_and_not_too_many(
    site: Site, other_site: Site, provider: Staff, now: datetime
) -> None:
    by: dict[str, Any] = {"by": provider, "now": now}
    phrasing.add(site=site, text=" Cooled  for\nten minutes. ", **by)
    for text in (COOLED, " \x00", "x" * 201):
        with pytest.raises(PhraseRefused):
            phrasing.add(site=site, text=text, **by)
    assert [each.text for each in Phrase.objects.all()] == [COOLED]
    for text, name in ((COOLED, "phrase_once"), ("", "phrase_says_something")):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Phrase.objects.create(site=site, text=text)
    Phrase.objects.create(site=other_site, text=COOLED)
    more = (Phrase(site=site, text=str(each)) for each in range(phrasing.MOST - 2))
    Phrase.objects.bulk_create(more)
    phrasing.add(site=site, text="x" * 200, **by)
    with pytest.raises(PhraseRefused, match="40"):
        phrasing.add(site=site, text="One too many", **by)


@pytest.mark.parametrize(
    ("note", "then"),
    [("", COOLED), ("Pale.", f"Pale. {COOLED}"), ("Pale.\n", f"Pale.\n{COOLED}")],
)
def test_a_phrase_goes_to_the_end_of_a_note(note: str, then: str) -> None:
    phrase = Phrase(text=COOLED)
    assert phrasing.put(Log(note=note), phrase).note == then
    room = NOTE_LENGTH - len(COOLED) - 1
    assert len(phrasing.put(Log(note="x" * room), phrase).note) == NOTE_LENGTH
    with pytest.raises(PhraseRefused):
        phrasing.put(Log(note="x" * (room + 1)), phrase)


def test_who_treats_adds_a_phrase_presses_it_in_a_log_and_removes_it(
    visits: list[Appointment], site: Site, other_site: Site, provider: Staff, front_desk: Staff
) -> None:
    treated(visits[0], front_desk, done=False)
    client, page, log = signed_in(provider), f"/phrases/{site.slug}/", f"/log/{visits[0].pk}/"
    assert page in client.get(log).content.decode()
    assert client.post(page, {"text": COOLED}).status_code == 302
    again = client.post(page, {"text": COOLED})
    assert again.status_code == 422 and "already" in again.content.decode()
    phrase = Phrase.objects.get()
    shown = client.get(log).content.decode()
    button = f'name="phrase" value="{phrase.pk}">{COOLED}</button>'
    assert button in shown and COOLED in client.get(page).content.decode()
    # Enter in a field presses the first button of the form: that keeps what is written.
    form = shown[shown.index("data-log=") :]
    assert form[form.index("<button") :].startswith('<button class="vh" name="act" value="save"')
    others = Phrase.objects.create(site=other_site, text="Of another site")
    sent = {"note": "Pale.", "treated": ["face"], "session.pain": "3"}
    assert client.post(log, {**sent, "version": 0, "phrase": phrase.pk}).status_code == 303
    kept = TreatmentRecord.objects.get().document
    assert (kept["note"], kept["session"]["pain"]) == (f"Pale. {COOLED}", 3)
    assert client.post(f"/phrases/{phrase.pk}/remove/").status_code == 302
    # What is removed, or another site's, is not put in; the draft is kept all the same.
    for version, each in enumerate((phrase.pk, others.pk, "x"), start=1):
        pressed = {**sent, "note": f"Red {version}.", "version": version, "phrase": each}
        assert client.post(log, pressed).status_code == 303
        assert TreatmentRecord.objects.get().document["note"] == f"Red {version}."
    full = {**sent, "note": "x" * NOTE_LENGTH, "version": 4, "phrase": _phrase(site).pk}
    assert "no room" in client.post(log, full, follow=True).content.decode()
    assert TreatmentRecord.objects.get().document["note"] == "x" * NOTE_LENGTH
    trail = AuditEntry.objects.filter(action__startswith="phrase.").order_by("pk")
    assert [(each.action, each.before, each.after, each.site) for each in trail] == [
        ("phrase.add", {}, {"text": COOLED}, site),
        ("phrase.remove", {"text": COOLED}, {}, site),
    ]


def test_only_who_treats_at_the_site_changes_its_phrases(
    site: Site, provider: Staff, front_desk: Staff, manager: Staff, outsider: Staff
) -> None:
    phrase, page = _phrase(site), f"/phrases/{site.slug}/"
    remove = f"/phrases/{phrase.pk}/remove/"
    for path in (page, remove):
        assert Client().post(path, {"text": "x"}).headers["Location"].startswith("/login/")
        assert signed_in(outsider).post(path, {"text": "x"}).status_code == 404
        for staff in (front_desk, manager):
            assert signed_in(staff).post(path, {"text": "x"}).status_code == 403
    assert signed_in(outsider).get(page).status_code == 404
    assert signed_in(front_desk).get(page).status_code == 403
    listed, row = "/api/v1/phrases/", f"/api/v1/phrases/{phrase.pk}/"
    sent = {"site": site.pk, "text": "x"}
    assert api().get(listed).status_code == 401
    assert api().post(listed, sent, format="json").status_code == 401
    assert api().delete(row).status_code == 401
    assert api(outsider).get(listed).json()["results"] == []
    assert api(outsider).post(listed, sent, format="json").status_code == 404
    assert api(outsider).delete(row).status_code == 404
    refused(api(front_desk).post(listed, sent, format="json"), 403, "forbidden")
    refused(api(front_desk).delete(row), 403, "forbidden")
    assert [each.text for each in Phrase.objects.all()] == [COOLED]
    mine = api(provider)
    made = mine.post(listed, sent, format="json")
    assert (made.status_code, made.json()["text"]) == (201, "x")
    refused(mine.post(listed, sent, format="json"), 400, "phrase_refused", "text")
    assert mine.delete(row).status_code == 204
    found = mine.get(listed, {"site": site.pk}).json()["results"]
    assert found == [{"id": made.json()["id"], **sent}]


def _phrase(site: Site) -> Phrase:
    return Phrase.objects.create(site=site, text=COOLED)
