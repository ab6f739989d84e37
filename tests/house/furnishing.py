"""A house with a row of everything for one patient, and every address that there is of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, get_resolver

from appointments.charting import reporting
from appointments.claiming import holding
from appointments.models import Gap, Task
from appointments.photos import adding
from appointments.proposing.places import VisitWish
from appointments.visits import booking, cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit
from clinic.consent_forms import in_force
from clinic.models import ProtocolVersion, Role, Site, SiteRole, Staff
from patients.models import Guardian, Patient, RecordMerge
from patients.signing import signing
from reminders.catalogue import Kind, MessageState
from reminders.models import (
    ArchivedMessage,
    Conversation,
    InboundMessage,
    RecordExport,
    SentContent,
)
from tests.appointments.photos.pictures import picture
from tests.house import rows_of_the_house
from tests.house.test_urls import patterns
from tests.patients.signing.conftest import publish as published
from tests.personas import a_patient
from tests.reminders.ledger import queued
from tests.reminders.records.rows import Furnisher
from tests.reminders.views.conftest import FIRST, SECOND, Wish
from tests.reminders.views.conftest import wish as wish  # a fixture

# Ids by the word that stands before them in an address, and words by their name in it.
Rows = dict[str, list[Any]]

FAMILY = "Quxenburg"
# So large that it stands in no answer by chance.
FIRST_PATIENT = 918_273_001

# Nothing of a patient's is behind these: signing in, the stand-in, what programs of others ask,
# and what patients open by a token of their own.
BESIDE = (
    *(
        "admin/",
        "sandbox/",
        "webhooks/",
        "p/",
        "health/",
        "metrics/",
        "api/schema/",
        "api/docs/",
    ),
    *("login/", "logout/", "welcome/", "api/v1/login/", "api/v1/logout", "feeds/<str:token>.ics"),
)
# Rows of the house and not of a patient, by the word before their id.
OF_THE_HOUSE = {"sites", "staff", "protocols", "on-call", "feeds", "calendar-feeds", "blocks"}
OF_THE_HOUSE |= {
    "closures",
    "resources",
    "consent-forms",
    "import",
    "imports",
    "hours-exceptions",
    "phrases",
    "gaps",
    "wordings",
    "wording",
    "hours",
}


@dataclass(frozen=True)
class Places:
    """Where the patient's visit is, what somebody gave back before it, and what is held."""

    of_the_visit: VisitWish
    given_back: VisitWish
    held: VisitWish


@pytest.fixture
def places(wish: Wish) -> Places:
    return Places(wish(SECOND), wish(FIRST), wish(FIRST, "14:00"))


@pytest.fixture
def everybody(site: Site) -> Staff:
    """Somebody who may do everything at the site."""
    member = Staff.objects.create_user("all@clinic.example", "-", name="Alma All")
    for role in Role:
        SiteRole.objects.create(staff=member, site=site, role=role)
    return member


@pytest.fixture
def furnished(
    site: Site,
    house: ProtocolVersion,
    everybody: Staff,
    places: Places,
    as_owner: Any,
    now: datetime,
    settings: Any,
    tmp_path: Path,
) -> Rows:
    """One patient with a row of everything; the ids by the words that stand before them."""
    settings.PRIVATE_ROOT = tmp_path
    as_owner(f"ALTER SEQUENCE patients_patient_id_seq RESTART WITH {FIRST_PATIENT}")
    patient = a_patient(site, everybody, now, family=FAMILY)
    series = booking.book_series(
        patient=patient, site=site, version=house, areas=["face"],
        visits=[places.of_the_visit], by=everybody, now=now,
    )  # fmt: skip
    visit = series.appointments.get()
    sent = queued(visit, now=now, kind=Kind.BOOKING_CONFIRMED)
    sent.state, sent.accepted_at, sent.wake_at = MessageState.ACCEPTED, now, None
    sent.save()
    SentContent.objects.create(
        message=sent, address="+12125550123", text=f"For {FAMILY}", html=f"<p>{FAMILY}</p>", at=now
    )
    conversation = Conversation.objects.create(
        site=site, channel="sms", address="+12125550123", patient=patient, state="new",
        opened_at=now, last_at=now,
    )  # fmt: skip
    InboundMessage.objects.create(
        conversation=conversation, provider="twilio", provider_id=uuid4().hex, received_at=now,
        text="Is it red?",
    )  # fmt: skip
    task = Task.objects.create(
        key="t", site=site, patient=patient, kind="call", title="Call", due_at=now, created_at=now
    )
    entry = entries.add(target=EarlierVisit(visit), by=everybody, now=now)
    invitation = _invited(entry, site, house, everybody, places.given_back, now)
    hold = holding.hold_plan(
        patient=patient, site=site, version=house, areas=["face"], visits=[places.held],
        by=everybody, now=now,
    )  # fmt: skip
    event = reporting.report(
        patient=patient, site=site, what="Blister", severity="mild", noticed_at=now, areas=["face"],
        by=everybody, now=now,
    )  # fmt: skip
    return {
        "patients": [patient.pk],
        "events": [event.pk],
        "adverse-events": [event.pk],
        "visit": [visit.pk],
        "contacts": list(patient.contact_points.values_list("pk", flat=True)[:1]),
        "visits": [visit.pk],
        "appointments": [visit.pk],
        "log": [visit.pk],
        "logs": [visit.pk],
        "place": [visit.pk],
        "series": [series.pk],
        "messages": [sent.pk],
        "inbox": [conversation.pk],
        "tasks": [task.pk],
        "waitlist": [entry.pk],
        "entries": [entry.pk],
        "photos": _photos(patient, site, everybody, now),
        "signed-forms": [_signed(patient, site, everybody, now)],
        "holds": [hold.pk],
        "hold": [hold.pk],
        "offers": [invitation.offer_id],
        "invitations": [invitation.pk],
        "gaps": list(Gap.objects.values_list("pk", flat=True)),
        **rows_of_the_house.furnish(site, house, places.held, by=everybody, now=now),
        **_whole_record(patient, site, everybody, now),
    }


def _whole_record(patient: Patient, site: Site, by: Staff, now: datetime) -> Rows:
    """A row of what is kept of the record as a whole."""
    rows = Furnisher(patient, site=site, staff=by, now=now)
    other = a_patient(site, by, now, given="Gone", phone="+12125550189", email="")
    merge = RecordMerge.objects.create(
        kept=patient, gone=other, at=now, by=by, reason="Twice", manifest={"moved": {}},
        undo_until=now + timedelta(days=365),
    )  # fmt: skip
    export = rows.row(RecordExport)
    archived = rows.row(ArchivedMessage)
    archived.whole = {
        "message": {"id": 1, "why": [], "gate_why": []}, "content": None, "attempts": [],
        "receipts": [],
    }  # fmt: skip
    archived.save()
    return {
        "guardians": [rows.row(Guardian).pk],
        "merges": [merge.pk],
        "apart": [other.pk],
        "not-apart": [other.pk],
        "archived-messages": [archived.pk],
        "export": [export.pk],
        "exports": [export.pk],
    }


def _invited(
    entry: Any, site: Site, house: ProtocolVersion, by: Staff, place: VisitWish, now: datetime
) -> Any:
    """An offer to the entry of a place that somebody else gave back."""
    other = a_patient(site, by, now, given="Omar", family="Diaz", phone="+12125550188", email="")
    left = booking.book_series(
        patient=other, site=site, version=house, areas=["face"], visits=[place], by=by,
        now=now,
    ).appointments.get()  # fmt: skip
    cancelling.cancel(appointment=left, by=by, now=now, reason="Ill")
    return offering.offer(gap=Gap.objects.get(), entries=[entry], by=by, now=now).invitations.get()


def _signed(patient: Patient, site: Site, by: Staff, now: datetime) -> int:
    """What the patient signed at the clinic."""
    [row] = signing.sign(
        patient=patient, forms=[published(by, now)], signature=signing.Signature(FAMILY),
        language="en", site=site, handed_by=by, ip=None, now=now,
    )  # fmt: skip
    return row.pk


def _photos(patient: Patient, site: Site, by: Staff, now: datetime) -> list[int]:
    """Two photos for which the patient signed."""
    signing.sign(
        patient=patient, forms=[published(by, now, in_force.photos()[0])],
        signature=signing.Signature(FAMILY), language="en", site=site, handed_by=by, ip=None,
        now=now,
    )  # fmt: skip
    return [
        adding.add(
            patient=patient, site=site, area="face", view="front", content=content, by=by, now=now
        ).pk
        for content in (picture(), picture(kind="PNG"))
    ]


def asked(furnished: Rows, site: Site, day: date) -> dict[str, Any]:
    """What a page may be asked for, so that it shows the patient and `day`, that of the visit."""
    [patient], [visit] = furnished["patients"], furnished["visits"]
    before, after = furnished["photos"]
    return {
        "q": FAMILY, "find": FAMILY, "patient": patient, "series": furnished["series"][0],
        "date": day, "site": site.slug, "swap": visit, "tab": "sent", "area": "face",
        "view": "front", "before": before, "after": after,
    }  # fmt: skip


def addresses(furnished: Rows, *, read: bool = True) -> Iterator[tuple[str, str]]:
    """Every address that GET may open, or all there are, as (pattern, address with ids in it)."""
    for pattern, entry in patterns(get_resolver()):
        if pattern.startswith(BESIDE) or (read and not _reads(entry)) or "^" in pattern:
            continue
        parts = [_choices(part, before, furnished) for part, before in _pieces(pattern)]
        for chosen in product(*parts):
            yield pattern, "/" + "".join(chosen)


def _reads(entry: URLPattern) -> bool:
    actions = getattr(entry.callback, "actions", None)
    return actions is None or "get" in actions


def _pieces(pattern: str) -> Iterator[tuple[str, str]]:
    """The parts of a pattern, each with the word before it."""
    word = ""
    for number, part in enumerate(pattern.split("/")):
        yield (f"/{part}" if number else part), word
        word = part


# Such as /<slug:rendition>.jpg: what is around it, its kind and its name.
_PART = re.compile(r"(.*)<(\w+):(\w+)>(.*)")


def _choices(part: str, before: str, furnished: Rows) -> list[str]:
    if "<" not in part:
        return [part]
    lead, kind, name, tail = _PART.findall(part)[0]
    if kind != "int":
        return [f"{lead}{each}{tail}" for each in furnished.get(name, ["none"])]
    # An edition, a version, a row of a list: each counts from one.
    if name == "number":
        return [f"{lead}1"]
    known = furnished.get(before) or [
        furnished[each][0] for each in ("patients", "visits", "series")
    ]
    return [f"{lead}{each}" for each in known]


def signed_in(staff: Staff, now: datetime) -> Client:
    client = Client()
    with time_machine.travel(now, tick=False):
        client.force_login(staff)
    return client
