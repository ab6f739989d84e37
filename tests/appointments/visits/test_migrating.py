"""Another version of its protocol for the visits of a series that are still to come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from appointments.absences import blocks
from appointments.lifecycle import Move
from appointments.models import (
    Allocation,
    Appointment,
    BlockKind,
    Gap,
    StatusChange,
    TreatmentSeries,
)
from appointments.refusals import (
    NoWayForTheRest,
    OtherProtocol,
    ProtocolNotApproved,
    SlotTaken,
    StaleVersion,
    VisitLocked,
)
from appointments.visits import attendance, booking, locking, migrating
from appointments.visits.moving import VisitMove
from appointments.visits.version_changes import changes
from clinic.access import Forbidden
from clinic.durations import Duration, parse
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from clinic.protocols import reading
from clinic.protocols.schema import Channel, Intent, Late, Protocol
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]

Publish = Callable[..., ProtocolVersion]


def longer(protocol: Protocol, minutes: int = 15) -> Protocol:
    """Every area takes so many minutes more in the chair."""
    areas = {
        name: replace(area, chair=Duration(seconds=(area.chair.minutes + minutes) * 60))
        for name, area in protocol.applicability.areas.items()
    }
    return replace(protocol, applicability=replace(protocol.applicability, areas=areas))


@pytest.fixture
def publish(
    house: ProtocolVersion, microneedling: Protocol, clinical_lead: Staff, now: datetime
) -> Publish:
    """Approves another version of RF microneedling in place of the one of the house."""

    def make(changed: Protocol, version: str = "99.0.0") -> ProtocolVersion:
        changed = replace(changed, version=version)
        document = reading.to_document(changed)
        digest = reading.digest(changed)
        ProtocolVersion.objects.filter(protocol=house.protocol, status="approved").update(
            status=ProtocolVersion.Status.RETIRED
        )
        return ProtocolVersion.objects.create(
            protocol=house.protocol,
            version=version,
            kind=house.kind,
            name=house.name,
            modality=house.modality,
            document=document,
            digest=digest,
            created_at=now,
            status=ProtocolVersion.Status.APPROVED,
            approved_at=now,
            approved_by=clinical_lead,
            approved_digest=digest,
        )

    return make


def versions(series: TreatmentSeries) -> list[str]:
    rows = series.appointments.order_by("session")
    return list(rows.values_list("protocol_version__version", flat=True))


def do_first(visits: list[Appointment], by: Staff) -> datetime:
    attendance.check_in(appointment=visits[0], by=by, now=at(FIRST, "10:00"))
    attendance.start(appointment=visits[0], by=by, now=at(FIRST, "10:10"))
    attendance.complete(appointment=visits[0], by=by, now=visits[0].ends_at)
    return visits[0].ends_at + timedelta(hours=1)


def test_the_difference_names_times_and_steps(microneedling: Protocol) -> None:
    gone, kept, *rest = microneedling.steps
    added = replace(gone, id="a_new_step")
    told = replace(kept, text=replace(kept.text, en="Something else."))
    new = replace(longer(microneedling), steps=(added, told, *rest))
    found = {(each.what, each.name): each for each in changes(microneedling, new, ["face"])}
    assert set(found) == {
        ("length", ""),
        ("step", gone.id),
        ("step", kept.id),
        ("step", "a_new_step"),
    }
    assert found["step", gone.id].after == "" and found["step", "a_new_step"].before == ""
    assert found["step", kept.id].after.endswith("Something else.")
    assert not changes(microneedling, microneedling, ["face"])
    later = replace(gone, late=next(each for each in Late if each is not gone.late))
    [rules] = changes(microneedling, replace(microneedling, steps=(later, kept, *rest)), ["face"])
    assert rules.before != rules.after == "The same words at the same time, by other rules."


def test_the_difference_is_told_in_the_language_of_its_reader(microneedling: Protocol) -> None:
    interval = replace(microneedling.series.interval, min=parse("P24D"))  # type: ignore[type-var]  # it has one
    step = next(each for each in microneedling.steps if each.id == "post.check24")
    by_mail = replace(step, channels={**step.channels, Channel.EMAIL: Intent.SHORT_REMINDER})
    new = replace(
        microneedling,
        series=replace(microneedling.series, interval=interval),
        steps=tuple(by_mail if each is step else each for each in microneedling.steps),
    )
    with translation.override("es"):
        between, said = changes(microneedling, new, ["face"])
    assert between.after == "idealmente 4 semanas; al menos 24 días, como máximo 6 semanas"
    assert said.before.startswith("24 horas después (mensaje de texto, página de cuidados): ")
    assert said.after.startswith("24 horas después (mensaje de texto, página de cuidados, correo)")


def test_visits_to_come_go_over_and_what_was_done_keeps_its_version(
    series: TreatmentSeries,
    visits: list[Appointment],
    publish: Publish,
    microneedling: Protocol,
    front_desk: Staff,
) -> None:
    now = do_first(visits, front_desk)
    version = publish(longer(microneedling))
    assert migrating.newer_version(series) == version
    seen = migrating.preview(series=series, version=version, now=now)
    assert [each.what for each in seen.changes] == ["length"]
    assert [(line.session, line.is_changed) for line in seen.lines] == [(2, True), (3, True)]
    revision = Patient.objects.get(pk=series.patient_id).revision
    migrated = migrating.migrate(series=series, version=version, by=front_desk, now=now)
    assert migrated.protocol_version == version
    assert versions(series) == [microneedling.version, "99.0.0", "99.0.0"]
    second = series.appointments.get(session=2)
    assert (second.starts_at, second.schedule_version) == (at(SECOND, "10:00"), 1)
    assert second.ends_at - second.starts_at == (
        visits[1].ends_at - visits[1].starts_at + timedelta(minutes=15)
    )
    room = second.allocations.get(active=True, resource__kind="room")
    assert room.ends_at >= second.ends_at
    assert StatusChange.objects.filter(move=Move.MIGRATE, by=front_desk).count() == 2
    entry = AuditEntry.objects.get(action="series.migrate")
    assert entry.after["protocol"] == str(version)
    assert Patient.objects.get(pk=series.patient_id).revision > revision


def test_a_visit_that_no_longer_fits_gets_another_place(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    publish: Publish,
    microneedling: Protocol,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    second = series.appointments.get(session=2)
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    after = second.allocations.filter(active=True).order_by("-ends_at")[0].ends_at
    beside = replace(wish(SECOND), starts_at=after + timedelta(minutes=15))
    book(beside, patient=ben)
    version = publish(longer(microneedling, 45))
    seen = migrating.preview(series=series, version=version, now=now)
    moved = next(line for line in seen.lines if line.session == 2)
    assert moved.after.wish != moved.before.wish
    migrating.migrate(series=series, version=version, by=front_desk, now=now)
    second.refresh_from_db()
    assert (second.starts_at, second.schedule_version) == (moved.after.starts_at, 2)


@pytest.mark.parametrize("minutes", [15, -15])
def test_the_gap_that_it_leaves_is_as_long_as_the_visit_was(
    minutes: int,
    series: TreatmentSeries,
    visits: list[Appointment],
    publish: Publish,
    microneedling: Protocol,
    front_desk: Staff,
    now: datetime,
) -> None:
    version = publish(longer(microneedling, minutes))
    seen = [
        VisitMove(line.appointment, line.after.wish, line.appointment.version)
        for line in migrating.preview(series=series, version=version, now=now).lines
    ]
    seen[1] = replace(seen[1], wish=replace(seen[1].wish, starts_at=at(SECOND, "14:00")))
    migrating.migrate(series=series, version=version, seen=seen, by=front_desk, now=now)
    gap = Gap.objects.get()
    assert (gap.starts_at, gap.ends_at) == (visits[1].starts_at, visits[1].ends_at)
    change = StatusChange.objects.get(appointment=visits[2], move=Move.MIGRATE)
    assert (change.starts_before, change.ends_before) == (visits[2].starts_at, visits[2].ends_at)


def test_a_locked_visit_that_would_grow_stops_the_whole_and_an_equal_one_goes_over(
    series: TreatmentSeries,
    visits: list[Appointment],
    publish: Publish,
    microneedling: Protocol,
    front_desk: Staff,
    now: datetime,
) -> None:
    locking.lock(appointment=visits[1], by=front_desk, now=now)
    grown = publish(longer(microneedling))
    with pytest.raises((VisitLocked, NoWayForTheRest)):
        migrating.migrate(series=series, version=grown, by=front_desk, now=now)
    assert set(versions(series)) == {microneedling.version}
    equal = publish(microneedling, "99.1.0")
    migrating.migrate(series=series, version=equal, by=front_desk, now=now)
    assert versions(series) == ["99.1.0"] * 3
    assert series.appointments.get(session=2).is_locked


def test_visits_that_stay_go_over_whatever_lies_over_or_under_them(
    visits: list[Appointment],
    publish: Publish,
    microneedling: Protocol,
    wish: Wish,
    house: ProtocolVersion,
    site: Site,
    room: Resource,
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    series = visits[0].series
    other = a_patient(site, front_desk, now, given="Olga", phone="", email="olga@p.example")
    over = booking.book_series(
        patient=other,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST, "10:30")],
        by=manager,
        now=now,
        override_reason="The last day before she travels",
        overlap=True,
    )
    blocks.block(
        site=site,
        resources=[room],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(SECOND, "08:00"),
        ends_at=at(SECOND, "18:00"),
        by=manager,
        now=now,
        over_visits=True,
    )
    before = list(Allocation.objects.order_by("pk").values_list("pk", "active", "is_deliberate"))
    version = publish(microneedling)
    # One of the visits should have begun by now and stays as well.
    late = at(FIRST, "10:20")
    migrating.migrate(series=series, version=version, by=front_desk, now=late)
    migrating.migrate(series=over, version=version, by=front_desk, now=late)
    assert versions(series) == [version.version] * 3
    assert versions(over) == [version.version]
    after = list(Allocation.objects.order_by("pk").values_list("pk", "active", "is_deliberate"))
    assert after == before


def test_only_an_approved_version_of_the_same_protocol_is_gone_over_to(
    series: TreatmentSeries,
    draft_protocol: ProtocolVersion,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    assert migrating.newer_version(series) is None
    with pytest.raises(OtherProtocol, match="already"):
        migrating.preview(series=series, version=house, now=now)
    with pytest.raises(ProtocolNotApproved):
        migrating.migrate(series=series, version=draft_protocol, by=front_desk, now=now)
    draft_protocol.protocol = "ipl"
    with pytest.raises(OtherProtocol):
        migrating.preview(series=series, version=draft_protocol, now=now)


def test_what_was_seen_is_committed_or_nothing(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    visits: list[Appointment],
    publish: Publish,
    microneedling: Protocol,
    site: Site,
    front_desk: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    version = publish(longer(microneedling))
    seen = [
        VisitMove(line.appointment, line.after.wish, line.appointment.version)
        for line in migrating.preview(series=series, version=version, now=now).lines
    ]
    with pytest.raises(StaleVersion, match="visits to come are others"):
        migrating.migrate(series=series, version=version, seen=seen[1:], by=front_desk, now=now)
    with pytest.raises(Forbidden):
        migrating.migrate(series=series, version=version, seen=seen, by=outsider, now=now)
    lost = replace(seen[2], wish=replace(seen[2].wish, starts_at=at(THIRD, "13:00")))
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    # Booked by the new version, which is the one approved now.
    book(wish(THIRD, "13:30"), patient=ben, version=version)
    with pytest.raises(SlotTaken):
        migrating.migrate(
            series=series, version=version, seen=[*seen[:2], lost], by=front_desk, now=now
        )
    assert set(versions(series)) == {microneedling.version}
    series.refresh_from_db()
    assert series.protocol_version.version == microneedling.version


def test_the_api_previews_and_migrates(
    series: TreatmentSeries,
    publish: Publish,
    microneedling: Protocol,
    house: ProtocolVersion,
    front_desk: Staff,
    outsider: Staff,
) -> None:
    version, desk, address = (
        publish(longer(microneedling)),
        api(front_desk),
        f"/api/v1/series/{series.pk}/migrate",
    )
    asked: dict[str, Any] = {"protocol": version.pk}
    seen = desk.post(f"{address}/preview/", asked).json()
    assert [each["what"] for each in seen["changes"]] == ["length"]
    assert len(seen["lines"]) == 3 and seen["problem"] is None
    for act in ("/preview/", "/"):
        refused(api(outsider).post(f"{address}{act}", asked), 404, "not_found")
    refused(desk.post(f"{address}/", {"protocol": house.pk}), 400, "other_protocol", "protocol")
    moves = [
        {
            "appointment": line["appointment"],
            "version": line["version"],
            "starts_at": line["after"]["starts_at"],
            **{kind: line["after"][kind]["id"] for kind in ("provider", "room", "device")},
        }
        for line in seen["lines"]
    ]
    done = desk.post(f"{address}/", {**asked, "moves": moves})
    assert done.json()["protocol"]["version"] == "99.0.0"
