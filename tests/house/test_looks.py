"""Whatever shows a patient's record writes down that it did: every address is opened and read.

A new page or endpoint is found by the walk. One that takes the id of a row which no test furnishes
yet fails here until `furnished` has such a row.
"""

import json
import re
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import get_resolver

from appointments.models import Appointment, PatientLink
from clinic import reader_language
from clinic.models import AuditEntry, Site, Staff
from clinic.retelling import kept, together, word
from tests.house import unmarked
from tests.house.furnishing import FAMILY, addresses, asked, signed_in
from tests.house.furnishing import everybody as everybody  # fixtures
from tests.house.furnishing import furnished as furnished
from tests.house.furnishing import places as places
from tests.house.test_urls import patterns
from tests.links import issued
from tests.reminders.views.conftest import SECOND
from tests.reminders.views.conftest import wish as wish

pytestmark = pytest.mark.django_db

# Signs of a stored sentence that nobody told anew, as they are and as JSON has them.
UNTOLD = re.compile(r"[\x1d-\x1f]|\\u001[def]", re.IGNORECASE)
QUARTER = timedelta(minutes=16)


def test_a_sentence_that_nobody_told_anew_is_seen_by_any_of_its_signs() -> None:
    for stored in (
        kept("Session %(session)s.", session=1),
        together(("The offer was taken back.", "Nothing changed.")),
        word("a", "b"),
    ):
        assert UNTOLD.search(stored) and UNTOLD.search(json.dumps(stored))


def test_whatever_shows_a_record_writes_that_it_did_and_every_word_can_be_translated(
    furnished: dict[str, list[int]],
    everybody: Staff,
    site: Site,
    now: datetime,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    settings.SESSION_COOKIE_AGE = 10**7
    client = signed_in(everybody, now)
    unmarked.brackets(monkeypatch, tmp_path / "words")
    reader_language.choose(everybody, "es")
    stored, english = unmarked.stored(), defaultdict(set)
    [patient] = furnished["patients"]
    mine = asked(furnished, site, SECOND)
    marks = (FAMILY, str(patient))
    silent, seen, found = [], set(), defaultdict(set)
    for number, (pattern, address) in enumerate(addresses(furnished)):
        before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        with time_machine.travel(now + number * QUARTER, tick=False):
            # A filter of the API holds for one row, too.
            more = {"patient": patient} if address.startswith("/api/") else mine
            answer = client.get(address, more)
        found[pattern].add(answer.status_code)
        body = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code < 500, address
        text = body.decode(errors="replace").replace("&amp;", "&")
        if answer.get("Content-Type", "").startswith(("text/", "application/json")):
            assert not UNTOLD.search(text), address
        for each in mine.values():  # what was asked comes back as it was, which shows nothing
            text = text.replace(f"={each}", "=").replace(f'value="{each}"', "")
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            for phrase in unmarked.phrases(body.decode(), stored):
                english[phrase].add(pattern)
        if answer.status_code != 200 or not any(mark in text for mark in marks):
            continue
        seen.add(pattern)
        written = AuditEntry.objects.filter(pk__gt=before, by=everybody)
        if not any(
            entry.patient_id == patient or patient in entry.after.get("patients", ())
            for entry in written
        ):
            silent.append(f"{pattern} ({address})")
    missing = [each for each, statuses in found.items() if statuses == {404}]
    # A hold has run out by then.
    missing = [each for each in missing if each != "api/v1/holds/<int:pk>/"]
    assert not missing, f"furnish a row for each of {missing}"
    assert not silent, "\n".join(silent)
    assert not english, "\n".join(f"{phrase}: {sorted(on)}" for phrase, on in english.items())
    assert {
        "patients/", "patients/<int:patient_id>/", "visits/<int:pk>/", "messages/<int:message_id>/",
        "inbox/<int:pk>/", "day/", "tasks/", "waitlist/", "api/v1/patients/<int:pk>/",
        "api/v1/appointments/", "api/v1/appointments/<int:pk>/", "api/v1/messages/<int:pk>/",
    } <= seen  # fmt: skip


def test_whatever_a_patient_opens_by_a_link_is_written_too(
    furnished: dict[str, list[int]], now: datetime
) -> None:
    [patient], [visit] = furnished["patients"], furnished["visits"]
    opened, silent = set(), []
    pages = [each for each, _ in patterns(get_resolver()) if each.startswith("p/")]
    purposes = (PatientLink.Purpose.CARE, PatientLink.Purpose.UNSUBSCRIBE)
    for number, (pattern, purpose) in enumerate(product(pages, purposes)):
        at = now + number * QUARTER
        token = issued(
            patient_id=patient,
            appointment=Appointment.objects.get(pk=visit),
            now=at,
            purpose=purpose,
        )
        address = pattern.replace("<str:token>", token).replace("<int:signed>", "1")
        before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        with time_machine.travel(at, tick=False):
            answer = Client().get(f"/{address}")
        if answer.status_code == 200:
            opened.add(pattern)
            written = AuditEntry.objects.filter(pk__gt=before, by=None, patient_id=patient)
            if not written.filter(via="patient_page", action="record.view").exists():
                silent.append(address)
    assert not silent
    assert {"p/<str:token>/", "p/<str:token>/preferences/", "p/<str:token>/unsubscribe/"} <= opened


def test_the_same_look_is_written_once_in_a_quarter_of_an_hour(
    furnished: dict[str, list[int]], everybody: Staff, now: datetime
) -> None:
    client = signed_in(everybody, now)
    looks = AuditEntry.objects.filter(
        action="record.view", subject_type="patients.patient", by=everybody
    )
    for minutes, expected in ((0, 1), (5, 1), (14, 1), (15, 2)):
        with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
            client.get(f"/patients/{furnished['patients'][0]}/")
        assert looks.count() == expected
    entry = looks.latest("id")
    assert (entry.via, entry.ip, len(entry.request)) == ("page", "127.0.0.1", 32)
