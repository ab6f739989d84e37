"""Adding, reviewing, comparing and removing photos, and where their files lie."""

import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from appointments.charting.device_data import device_data
from appointments.models import AdverseEvent, Photo
from appointments.photos import adding, changing, comparing, keeping, standard_views
from appointments.photos.adding import (
    NoPhotoConsent,
    OtherPatientsEvent,
    PhotoKnown,
    TooManyWaiting,
    UnknownView,
)
from appointments.photos.changing import PhotoRemoved
from appointments.photos.comparing import NotComparable
from appointments.photos.preparing import PictureRefused
from appointments.refusals import ReasonMissing
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from clinic.protocols import loading as protocols
from clinic.protocols import reading
from patients.models import Patient, SignedForm
from patients.signing import withdrawing
from tests.appointments.photos.pictures import numbered, opened, picture
from tests.personas import a_patient

DAY = timedelta(days=1)


def files(root: Path) -> list[Path]:
    return [each for each in root.rglob("*") if each.is_file()]


# --- Pure -----------------------------------------------------------------------------------------


def test_every_area_of_every_protocol_has_standard_views_of_its_own() -> None:
    for path in protocols.LIBRARY.glob("*.toml"):
        protocol = reading.read(path.read_text(encoding="utf-8"), filename=path.name)
        if protocol.kind == "series":
            for area in set(protocol.applicability.areas) - {"visit"}:
                views = standard_views.of(area)
                assert len(views) > 1 and len({each.id for each in views}) == len(views), area
                assert all(each.en and each.es for each in views)
    assert [each.id for each in standard_views.of("somewhere")] == ["front", "close"]
    assert not standard_views.is_view_of("palms_down", "face")


@dataclass(frozen=True)
class Seen:
    pk: int
    area: str
    view: str
    taken_at: datetime


def test_photos_of_one_view_are_compared_in_order_of_time_and_no_others() -> None:
    at = datetime(2027, 2, 1, tzinfo=UTC)
    early, late = Seen(2, "face", "front", at), Seen(1, "face", "front", at + DAY)
    for pair in (comparing.pair(early, late), comparing.pair(late, early)):
        assert (pair.before, pair.after) == (early, late)
    for other in (early, Seen(3, "face", "left", at), Seen(4, "neck", "front", at)):
        with pytest.raises(NotComparable):
            comparing.pair(early, other)
    with pytest.raises(NotComparable):
        comparing.pair(Seen(5, "", "", at), Seen(6, "", "", at))
    assert comparing.first_and_last([late, Seen(9, "face", "front", at + DAY / 2), early]) == (
        comparing.Pair(early, late)
    )
    assert comparing.first_and_last([late]) is None


# --- Adding ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_photo_lies_outside_of_what_is_served_and_only_this_program_reads_it(
    add: Any, private_root: Path, now: datetime
) -> None:
    photo = add(content=picture(taken="2027:02:14 09:30:00"))
    assert photo.taken_at == datetime(2027, 2, 14, 14, 30, tzinfo=UTC) and photo.is_dated
    kept = files(private_root)
    assert sorted(each.name for each in kept) == ["full.jpg", "screen.jpg", "thumb.jpg"]
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in kept)
    assert all(str(photo.pk) != part for each in kept for part in each.parts)
    assert opened(keeping.read(photo.key, "screen")).size == (400, 300)
    with pytest.raises(FileNotFoundError):
        keeping.read(photo.key, "../full")
    entry = AuditEntry.objects.get(action="photo.add")
    assert entry.after == {"area": "face", "view": "front", "source": "upload"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("taken", "is_dated"),
    [
        ("", False),
        ("2031:01:01 00:00:00", False),
        ("1999:01:01 00:00:00", False),
        ("2026:03:08 02:30:00", True),
    ],
)
def test_a_clock_that_is_wrong_or_was_set_forward_is_taken_with_care(
    add: Any, now: datetime, taken: str, is_dated: bool
) -> None:
    photo = add(content=picture(taken=taken))
    assert photo.is_dated is is_dated and photo.taken_at <= now


@pytest.mark.django_db
def test_without_a_signature_for_the_record_no_photo_is_added(
    patient: Patient,
    site: Site,
    provider: Staff,
    now: datetime,
    private_root: Path,
    record_form: Any,
) -> None:
    act: dict[str, Any] = {"patient": patient, "site": site, "content": picture(), "now": now}
    with pytest.raises(NoPhotoConsent):
        adding.add(**act, area="face", view="front", by=provider)
    with pytest.raises(NoPhotoConsent):
        adding.receive(**act)
    assert not Photo.objects.exists() and files(private_root) == []


@pytest.mark.django_db
def test_after_a_withdrawal_no_more_are_added_and_those_there_stay(
    add: Any, agreed: SignedForm, front_desk: Staff, now: datetime
) -> None:
    add()
    withdrawing.withdraw(signed=agreed, by=front_desk, now=now)
    with pytest.raises(NoPhotoConsent):
        add()
    assert Photo.objects.standing().count() == 1


@pytest.mark.django_db
def test_what_is_refused_leaves_no_file(add: Any, private_root: Path, outsider: Staff) -> None:
    same = picture()
    add(content=same)
    for changed, refusal in (
        ({"content": same}, PhotoKnown),
        ({"view": "palms_down"}, UnknownView),
        ({"area": ""}, UnknownView),
        ({"content": b"none"}, PictureRefused),
        ({"by": outsider}, Forbidden),
    ):
        with pytest.raises(refusal):
            add(**changed)
    assert len(files(private_root)) == 3


@pytest.mark.django_db
def test_a_patients_photo_waits_until_staff_say_what_it_shows(
    patient: Patient,
    site: Site,
    provider: Staff,
    outsider: Staff,
    now: datetime,
    agreed: SignedForm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = adding.receive(patient=patient, site=site, content=numbered(1), now=now)
    assert list(Photo.objects.to_review()) == [photo]
    act: dict[str, Any] = {"photo": photo, "area": "face", "view": "left", "now": now}
    with pytest.raises(Forbidden):
        changing.review(**act, by=outsider)
    with pytest.raises(UnknownView):
        changing.review(**{**act, "view": "nothing"}, by=provider)
    reviewed = changing.review(**act, by=provider)
    assert (reviewed.view, reviewed.reviewed_by) == ("left", provider)
    assert not Photo.objects.to_review().exists()
    monkeypatch.setattr(adding, "MOST_WAITING", 1)
    adding.receive(patient=patient, site=site, content=numbered(2), now=now)
    with pytest.raises(TooManyWaiting):
        adding.receive(patient=patient, site=site, content=numbered(3), now=now)


@pytest.mark.django_db
def test_a_photo_is_removed_with_a_reason_by_who_may_and_can_be_added_again(
    add: Any, provider: Staff, front_desk: Staff, now: datetime
) -> None:
    same = picture()
    photo = add(content=same)
    with pytest.raises(Forbidden):
        changing.remove(photo=photo, reason="Another patient", by=front_desk, now=now)
    with pytest.raises(ReasonMissing):
        changing.remove(photo=photo, reason=" ", by=provider, now=now)
    changing.remove(photo=photo, reason="Another patient", by=provider, now=now)
    with pytest.raises(PhotoRemoved):
        changing.remove(photo=photo, reason="Again", by=provider, now=now)
    with pytest.raises(PhotoRemoved):
        changing.review(photo=photo, area="face", view="left", by=provider, now=now)
    assert not Photo.objects.seen_by(provider).exists()
    assert AuditEntry.objects.get(action="photo.remove").reason == "Another patient"
    assert add(content=same).pk != photo.pk


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"area": "", "view": ""}, "photo_shows_a_view"),
        ({"view": ""}, "photo_shows_a_view"),
        ({"source": "patient"}, "photo_sent_by_patient_only"),
        ({"added_by": None}, "photo_sent_by_patient_only"),
        ({"taken_at": datetime(2031, 1, 1, tzinfo=UTC)}, "photo_taken_before_it_came"),
        ({"reviewed_at": datetime(2027, 1, 1, tzinfo=UTC)}, "photo_reviewed_whole"),
        ({"removed_reason": "why"}, "photo_removed_whole"),
        ({"width": 0}, "photo_has_pixels"),
        ({}, "photo_once"),
    ],
)
def test_the_database_refuses_a_photo_that_cannot_be(
    add: Any, changed: dict[str, Any], name: str
) -> None:
    photo = add()
    photo.pk, photo.key = None, uuid4()
    if changed:
        photo.digest = "other"
    for field, value in changed.items():
        setattr(photo, field, value)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        photo.save(force_insert=True)


# --- What stays ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_statement_changes_or_deletes_a_photo_but_to_describe_and_take_it_out(
    add: Any, provider: Staff, now: datetime
) -> None:
    photo = add()

    def refused(statement: str, *values: Any) -> None:
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            connection.cursor().execute(statement, values)

    for change in (
        *("patient_id = patient_id + 1", "digest = 'x'", "taken_at = taken_at - interval '1 day'"),
        *("added_by_id = NULL", "source = 'camera'", "width = 1", "key = gen_random_uuid()"),
        *("is_dated = NOT is_dated", "site_id = site_id + 1", "added_at = now()"),
    ):
        refused(f"UPDATE appointments_photo SET {change} WHERE id = %s", photo.pk)
    refused("DELETE FROM appointments_photo WHERE id = %s", photo.pk)
    changing.remove(photo=photo, reason="Another patient", by=provider, now=now)
    for change in ("removed_reason = 'Nothing'", "removed_at = NULL", "view = 'left'"):
        refused(f"UPDATE appointments_photo SET {change} WHERE id = %s", photo.pk)


@pytest.mark.django_db
def test_an_adverse_event_carries_photos_of_its_own_patient(
    add: Any,
    patient: Patient,
    site: Site,
    provider: Staff,
    front_desk: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    event, others = (
        AdverseEvent.objects.create(
            patient=whose,
            site=site,
            what="Blister",
            severity="mild",
            noticed_at=now,
            reported_at=now,
            reported_by=provider,
        )
        for whose in (patient, a_patient(site, front_desk, now=now, family="Osei"))
    )
    close = add(view="close", event=event)
    with pytest.raises(OtherPatientsEvent):
        add(event=others)
    later = add()
    with pytest.raises(OtherPatientsEvent):
        changing.attach(photo=later, event=others, by=provider, now=now)
    with pytest.raises(Forbidden):
        changing.attach(photo=later, event=event, by=outsider, now=now)
    changing.attach(photo=later, event=event, by=provider, now=now)
    told = device_data(event)["photos"]
    assert [(each["number"], each["view"], each["sha256"]) for each in told] == [
        (close.pk, "close", close.digest),
        (later.pk, "front", later.digest),
    ]
    changing.attach(photo=later, event=None, by=provider, now=now)
    assert [photo.pk for photo in event.photos.all()] == [close.pk]
    assert AuditEntry.objects.filter(action="photo.attach").count() == 2
