"""Two records become one and part again: no row is lost, and of consents the stricter wins."""

import json
import threading
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.utils import DatabaseError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from appointments.models import Allocation, Appointment
from appointments.visits import booking, cancelling, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from patients import consent, telling_apart
from patients.models import (
    ContactConsent,
    ContactPoint,
    Patient,
    RecordMerge,
    ToldApart,
)
from reminders.journeys import replanning
from reminders.models import Message
from reminders.proving import proof
from reminders.records import exporting, merging, stopping, tables
from reminders.records.merging import MergeRefused, UndoRefused
from tests.appointments.visits.test_beside import beside
from tests.personas import a_patient
from tests.reminders.records.archives import files_of
from tests.reminders.records.rows import Furnisher
from tests.reminders.views.conftest import FIRST, SECOND, Wish
from tests.reminders.views.conftest import wish as wish  # a fixture

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def twin(site: Site, front_desk: Staff, now: datetime) -> Patient:
    """Elena again, with the same number, another address and another spelling."""
    return a_patient(
        site, front_desk, now, given="Elena", family="Sató", email="sato@patients.example",
        birth_date=date(1988, 4, 5),
    )  # fmt: skip


@pytest.fixture
def booked(house: ProtocolVersion, site: Site, front_desk: Staff, now: datetime) -> Any:
    def make(patient: Patient, *visits: Any) -> list[Appointment]:
        series = booking.book_series(
            patient=patient, site=site, version=house, areas=["face"], visits=list(visits),
            by=front_desk, now=now,
        )  # fmt: skip
        return list(series.appointments.order_by("session"))

    return make


def merged(kept: Patient, gone: Patient, by: Staff, now: datetime, **more: Any) -> RecordMerge:
    return merging.merge(
        kept=kept, gone=gone, reason="Same person, asked at the desk", by=by, now=now, **more
    )


def rows(patients: Iterable[int]) -> dict[type[models.Model], set[Any]]:
    """Every row of these patients, by table."""
    ids = list(patients)
    return {
        model: set(tables.rows_of(model, ids).values_list("pk", flat=True))
        for model in tables.paths()
    }


def named(patient: Patient) -> list[str]:
    """Which columns name a patient still, beside what tells of merges and sites."""
    apart = (RecordMerge, Patient.sites.through)
    columns = [
        (model, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.related_model is Patient and model not in apart
    ]
    return [
        f"{model._meta.label}.{name}"
        for model, name in columns
        if model._default_manager.filter(**{name: patient}).exists()
    ]


def broken(now: datetime, without: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Which promises do not hold, and by which rows."""
    found = {check.name: check.run(now) for check in proof.CHECKS}
    return {
        name: finding.named
        for name, finding in found.items()
        if finding.faults and name not in without
    }


def test_everything_goes_over_and_comes_back(
    patient: Patient, twin: Patient, booked: Any, wish: Wish, manager: Staff, now: datetime
) -> None:
    [visit] = booked(twin, wish(FIRST))
    replanning.sync_stale(now=now)
    before = rows([twin.pk]), rows([patient.pk])
    assert before[0][Message] and before[0][Appointment]

    done = merged(patient, twin, manager, now, taken_from_gone=["birth_date"])
    patient.refresh_from_db()
    assert patient.birth_date == date(1988, 4, 5) and patient.legal_family == "Sato"
    assert not Patient.objects.seen_by(manager).filter(pk=twin.pk).exists()
    assert not twin.is_seen_by(manager)
    held = Allocation.objects.filter(appointment=visit, resource__kind="patient")
    assert {each.resource_id for each in held} == {patient.resource_id}
    assert patient.contact_points.filter(retired_at=None, kind="phone").count() == 1
    assert patient.revision != patient.planned_revision
    replanning.sync_stale(now=now)
    assert not broken(now)
    lost = {
        model: ids - rows([patient.pk, twin.pk])[model]
        for model, ids in before[0].items()
        if model is not ContactConsent
    }
    assert not any(lost.values()), lost

    soon = now + timedelta(minutes=1)
    merging.undo(merge=done, reason="They are sisters", by=manager, now=soon)
    patient.refresh_from_db()
    assert patient.birth_date == date(1988, 5, 4)
    after = rows([twin.pk]), rows([patient.pk])
    for was, is_ in zip(before, after, strict=True):
        assert not {m: ids - is_[m] for m, ids in was.items() if ids - is_[m]}
    held = Allocation.objects.filter(appointment=visit, resource__kind="patient")
    assert {each.resource_id for each in held} == {twin.resource_id}
    assert twin.contact_points.get(kind="phone", retired_at=None).is_preferred
    replanning.sync_stale(now=soon)
    assert not broken(soon)
    assert AuditEntry.objects.filter(action="patient.unmerge").count() == 2


@pytest.mark.parametrize(
    ("kept", "gone", "stands"),
    [
        ("given", "given", True),
        ("given", "never", True),
        ("never", "given", True),
        ("given", "withdrawn", False),
        ("withdrawn", "given", False),
        ("withdrawn", "never", False),
    ],
)
def test_of_an_agreement_and_a_withdrawal_the_withdrawal_wins(
    kept: str, gone: str, stands: bool,
    patient: Patient, twin: Patient, manager: Staff, now: datetime,
) -> None:  # fmt: skip
    for each, state in ((patient, kept), (twin, gone)):
        what: dict[str, Any] = {"patient": each, "purpose": "photos", "channel": "any"}
        if state != "never":
            consent.give(**what, by=manager, now=now)
        if state == "withdrawn":
            consent.withdraw(**what, by=manager, now=now)
    found = merging.preview(kept=patient, gone=twin, by=manager, now=now)
    [ruling] = [each for each in found.rulings if each.purpose == "photos"]
    assert ruling.agreed is stands
    done = merged(patient, twin, manager, now + DAY)
    agreed = consent.standing([patient.pk])[patient.pk]
    assert (("photos", "any") in agreed) is stands
    merging.undo(merge=done, reason="Not the same", by=manager, now=now + 2 * DAY)
    for each, state in ((patient, kept), (twin, gone)):
        agreed = consent.standing([each.pk])[each.pk]
        assert (("photos", "any") in agreed) is (state == "given")


def test_visits_at_one_time_are_to_be_settled_first(
    patient: Patient, twin: Patient, booked: Any, wish: Wish, manager: Staff,
    modality: Any, site: Site, now: datetime, as_owner: Any,
) -> None:  # fmt: skip
    [mine] = booked(patient, wish(FIRST))
    [theirs] = booked(twin, wish(SECOND))
    # Another provider, room and device would do; here the patient alone is at two places.
    held = Allocation.objects.get(appointment=theirs, resource=twin.resource)
    same = Allocation.objects.get(appointment=mine, resource=patient.resource)
    Allocation.objects.filter(pk=held.pk).update(starts_at=same.starts_at, ends_at=same.ends_at)
    found = merging.preview(kept=patient, gone=twin, by=manager, now=now)
    assert len(found.conflicts) == 1 and "at one time" in found.conflicts[0]
    with pytest.raises(MergeRefused, match="at one time"):
        merged(patient, twin, manager, now)
    assert not RecordMerge.objects.exists()
    # What is over is no conflict, and is let go.
    done = merged(patient, twin, manager, mine.ends_at + DAY)
    assert not Allocation.objects.get(pk=held.pk).active
    merging.undo(merge=done, reason="No", by=manager, now=mine.ends_at + 2 * DAY)
    assert Allocation.objects.get(pk=held.pk).active


def test_an_act_before_the_merge_is_taken_back_for_the_one_record(
    patient: Patient, twin: Patient, booked: Any, wish: Wish, manager: Staff, now: datetime
) -> None:
    [visit] = booked(twin, wish(FIRST))
    cancelling.cancel(appointment=visit, by=manager, now=now, reason="Ill")
    merged(patient, twin, manager, now)
    visit.refresh_from_db()
    undoing.undo(appointment=visit, by=manager, now=now, expected_version=visit.version)
    held = Allocation.objects.get(appointment=visit, active=True, resource__kind="patient")
    assert held.resource_id == patient.resource_id


def test_what_was_added_to_a_series_meanwhile_goes_back_with_it(
    patient: Patient, twin: Patient, booked: Any, wish: Wish, manager: Staff, now: datetime
) -> None:
    [visit] = booked(twin, wish(FIRST))
    done = merged(patient, twin, manager, now)
    replanning.sync_stale(now=now)
    new = Message.objects.filter(series=visit.series)
    assert new and {each.patient_id for each in new} == {patient.pk}
    merging.undo(merge=done, reason="No", by=manager, now=now + DAY)
    assert {each.patient_id for each in new.all()} == {twin.pk}


def test_the_stricter_word_about_contact_and_the_notes_of_both_stay(
    patient: Patient, twin: Patient, manager: Staff, front_desk: Staff, now: datetime
) -> None:
    stopping.stop_contact(patient=twin, reason="By letter", by=front_desk, now=now)
    Patient.objects.filter(pk=patient.pk).update(notes="Likes tea")
    Patient.objects.filter(pk=twin.pk).update(notes="Comes late", quiet_from="21:00",
                                              quiet_until="09:00")  # fmt: skip
    done = merged(patient, twin, manager, now)
    patient.refresh_from_db()
    assert (patient.do_not_contact_at, patient.do_not_contact_why) == (now, "By letter")
    assert patient.notes == "Likes tea\n\nComes late" and patient.quiet_until is not None
    merging.undo(merge=done, reason="No", by=manager, now=now + DAY)
    patient.refresh_from_db()
    assert (patient.do_not_contact_at, patient.notes) == (None, "Likes tea")


def test_who_was_told_apart_is_of_the_one_record_then_and_not_merged_before(
    patient: Patient, twin: Patient, site: Site, manager: Staff, now: datetime
) -> None:
    ben = a_patient(site, manager, now, given="Ben", phone="+12125550177", email="")
    said = telling_apart.tell_apart(patient=patient, other=twin, by=manager, now=now)
    with pytest.raises(MergeRefused, match="Mia Manager said on"):
        merged(patient, twin, manager, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        ToldApart.objects.create(one=twin, other=patient, at=now, by=manager)
    with pytest.raises(IntegrityError), transaction.atomic():
        ToldApart.objects.filter(pk=said.pk).update(other=patient)
    telling_apart.take_back(patient=twin, other=patient, by=manager, now=now)

    def apart() -> set[frozenset[int]]:
        standing = ToldApart.objects.standing()
        return {frozenset(pair) for pair in standing.values_list("one", "other")}

    for each in (patient, twin):
        telling_apart.tell_apart(patient=ben, other=each, by=manager, now=now)
    before = apart()
    assert before == {frozenset((ben.pk, each.pk)) for each in (patient, twin)}
    # What was taken back goes over too, and is not told as standing.
    counts = dict(merging.preview(kept=patient, gone=twin, by=manager, now=now).counts)
    assert counts["records told apart"] == 1
    done = merged(patient, twin, manager, now)
    assert apart() == {frozenset((ben.pk, patient.pk))}
    merging.undo(merge=done, reason="Sisters", by=manager, now=now + DAY)
    assert apart() == before


def test_who_may_and_until_when(
    patient: Patient, twin: Patient, front_desk: Staff, outsider: Staff, manager: Staff,
    now: datetime,
) -> None:  # fmt: skip
    for stranger in (front_desk, outsider):
        with pytest.raises(Forbidden):
            merging.preview(kept=patient, gone=twin, by=stranger, now=now)
        with pytest.raises(Forbidden):
            merged(patient, twin, stranger, now)
    with pytest.raises(MergeRefused, match="one record already"):
        merged(patient, patient, manager, now)
    done = merged(patient, twin, manager, now)
    with pytest.raises(MergeRefused, match="merged into"):
        merged(patient, twin, manager, now)
    with pytest.raises(Forbidden):
        merging.undo(merge=done, reason="No", by=outsider, now=now)
    with pytest.raises(UndoRefused, match="30 days"):
        merging.undo(merge=done, reason="No", by=manager, now=now + 30 * DAY)
    merging.undo(merge=done, reason="No", by=manager, now=now + 29 * DAY)
    with pytest.raises(UndoRefused, match="undone already"):
        merging.undo(merge=done, reason="No", by=manager, now=now + 29 * DAY)


def test_rows_go_over_along_a_merge_and_never_otherwise(
    patient: Patient, twin: Patient, manager: Staff, now: datetime
) -> None:
    [given, _] = twin.consents.order_by("pk")
    for statement in (
        f"UPDATE patients_contactconsent SET patient_id = {patient.pk} WHERE id = {given.pk}",
        "SELECT afterglow_take_over('patients_contactconsent', 'patient_id',"
        f" ARRAY[{given.pk}]::bigint[], {twin.pk}, {patient.pk})",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    merged(patient, twin, manager, now)
    for named in ("'patients_patient', 'merged_into_id'", "'clinic_site', 'id'",
                  "'patients_contactpoint', 'guardian_id'"):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT afterglow_take_over({named}, ARRAY[1]::bigint[], {twin.pk}, {patient.pk})"
            )


@settings(
    max_examples=2,
    phases=[Phase.generate],  # to make a failure smaller would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(counts=st.lists(st.integers(1, 2), min_size=80, max_size=80), turned=st.booleans())
def test_merge_then_export_loses_no_row(
    counts: list[int], turned: bool,
    site: Site, house: ProtocolVersion, manager: Staff, room: Resource, now: datetime,
) -> None:  # fmt: skip
    """Over every table that is found to hold something of a patient."""
    with transaction.atomic():
        kept = a_patient(site, manager, now, phone="+12125550171", email="")
        gone = a_patient(site, manager, now, family="Twin", phone="+12125550172", email="")
        furnish = Furnisher(gone, site=site, staff=manager, now=now)
        for model, count in zip(tables.paths(), counts, strict=False):
            if model is not RecordMerge:
                for _ in range(count):
                    furnish.row(model)
        before = {model: ids for model, ids in rows([gone.pk]).items() if model is not RecordMerge}
        assert all(before.values()), [m._meta.label for m, ids in before.items() if not ids]
        mine = rows([kept.pk])
        if turned:
            kept, gone = gone, kept
        merged(kept, gone, manager, now)
        assert not named(gone), "rows that name the record that is gone"
        asked = exporting.ask(patient=kept, reason="Asked for it", by=manager, now=now)
        document = json.loads(files_of(asked, by=manager, now=now)["record.json"])
        for model, ids in before.items():
            found = {row["id"] for row in document["tables"][model._meta.label_lower]}
            assert ids | mine[model] <= found, model
        assert {row["id"] for row in document["patients"]} == {kept.pk, gone.pk}
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_who_is_merged_at_this_moment_is_told_apart_from_nobody(
    patient: Patient, twin: Patient, site: Site, manager: Staff, now: datetime
) -> None:
    ben = a_patient(site, manager, now, given="Ben", phone="+12125550177", email="")
    refused = beside(
        lambda: merged(patient, twin, manager, now),
        lambda: telling_apart.tell_apart(patient=ben, other=twin, by=manager, now=now),
    )
    assert isinstance(refused, Forbidden) and "merged or erased" in str(refused)
    assert not ToldApart.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_merges_at_once_make_one(
    patient: Patient, twin: Patient, manager: Staff, now: datetime
) -> None:
    ends: list[str] = []
    together = threading.Barrier(2)

    def run(kept: Patient, gone: Patient) -> None:
        together.wait()
        try:
            merged(kept, gone, manager, now)
            ends.append("merged")
        except MergeRefused:
            ends.append("refused")
        finally:
            connection.close()

    pairs = ((patient, twin), (twin, patient))
    threads = [threading.Thread(target=run, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["merged", "refused"]
    assert RecordMerge.objects.count() == 1
    assert ContactPoint.objects.filter(retired_at=None, kind="phone").count() == 1
