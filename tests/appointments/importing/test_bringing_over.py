"""Files become patients, history, visits to come and work; twice is once."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import translation

from appointments.charting import reporting
from appointments.importing import people_phase, places_phase, working
from appointments.models import (
    Allocation,
    Appointment,
    BroughtOver,
    Import,
    StatusChange,
    Task,
    TreatmentSeries,
)
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from clinic.retelling import retold
from patients import registration
from patients.models import ContactConsent, ContactPoint, Patient
from tests.appointments.importing.conftest import (
    HEADER,
    VISITS,
    BringOver,
    as_file,
    outcomes,
    person,
    sentences,
)
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

ANA = person(1, "Ana", "Núñez")
BEN = person(2, "Ben", "van der Berg", sms="no")
NO_VISIT = [""] * len(VISITS)


def visit(number: str, day: str, status: str = "", **more: str) -> list[str]:
    told = {"area": "face", "provider": "Sam Okafor", "series": "", "sessions": "", **more}
    return [number, "RF microneedling", told["area"], day, status, told["provider"],
            told["series"], told["sessions"]]  # fmt: skip


def stored() -> dict[str, object]:
    """Everything that an import may write, without ids and times."""
    return {
        "patients": sorted(
            Patient.objects.values_list("legal_given", "legal_family", "birth_date", "language")
        ),
        "contacts": sorted(
            ContactPoint.objects.filter(retired_at=None).values_list("kind", "value")
        ),
        "consents": sorted(
            ContactConsent.objects.values_list("patient__legal_given", "purpose", "channel")
        ),
        "visits": sorted(
            Appointment.objects.values_list(
                "series__patient__legal_given", "session", "state", "starts_at", "ends_at"
            )
        ),
        "series": sorted(
            TreatmentSeries.objects.values_list("patient__legal_given", "sessions", "state")
        ),
        "held": sorted(
            Allocation.objects.values_list(
                "resource__kind", "resource__name", "starts_at", "active"
            )
        ),
        "tasks": sorted(Task.objects.values_list("title", "detail")),
    }


def test_patients_come_with_contacts_and_consents(
    bring_over: BringOver, site: Site, manager: Staff, now: datetime
) -> None:
    source = bring_over(as_file(HEADER, ANA, BEN))
    assert outcomes(source) == ["create", "create"]
    ana, ben = Patient.objects.order_by("legal_given")
    assert (ana.legal_given, ana.legal_family) == ("Ana", "Núñez")
    assert (ben.legal_given, ben.legal_family) == ("Ben", "van der Berg")
    assert list(ana.sites.all()) == [site]
    assert ana.resource.kind == "patient"
    assert [point.value for point in ana.contact_points.order_by("kind")] == [
        "n1@patients.example",
        "+12125551001",
    ]
    consent = ContactConsent.objects.get()
    assert (consent.patient, consent.purpose, consent.channel) == (ana, "care", "sms")
    assert (consent.opened_source, consent.wording) == ("import", "former-system")
    assert registration.search(staff=manager, query="nunez").get() == ana  # type: ignore[attr-defined]
    # Nobody has a visit, so nobody is to be planned.
    assert not Patient.objects.stale().exists()
    entries = AuditEntry.objects.filter(action="patient.import")
    assert {(each.patient_id, each.by, each.site) for each in entries} == {
        (ana.pk, manager, site),
        (ben.pk, manager, site),
    }
    assert AuditEntry.objects.get(action="import.finish").after["people_create"] == 2


def test_a_check_writes_nothing_and_says_what_would_happen(checked: BringOver) -> None:
    before = stored()
    source = checked(as_file(HEADER, ANA, BEN, [*BEN[:3], "not a day", *BEN[4:]]))
    assert outcomes(source) == ["create", "create", "error"]
    assert "“not a day” is not a date" in sentences(source)[2]
    assert stored() == before
    assert not BroughtOver.objects.exists()


def test_twice_is_once_and_says_so(
    bring_over: BringOver, house: ProtocolVersion, now: datetime
) -> None:
    rows = [
        [*ANA, *visit("v1", "2026-11-02 10:00", series="s1", sessions="3")],
        [*ANA, *visit("v2", "2027-03-01 10:00", series="s1", sessions="3")],
        [*BEN, *visit("v3", "2027-03-01 10:00")],
    ]
    first = bring_over(as_file(HEADER + VISITS, *rows))
    assert outcomes(first) == ["create", "create", "place"]
    before = stored()
    revisions = list(Patient.objects.order_by("pk").values_list("revision", "version"))
    again = bring_over(as_file(HEADER + VISITS, *rows), at=now + timedelta(days=1))
    assert outcomes(again) == ["skip"] * 3
    assert stored() == before
    assert list(Patient.objects.order_by("pk").values_list("revision", "version")) == revisions
    assert "Nothing changed." in sentences(again)[0]
    assert "still needs a place" in sentences(again)[2]


def test_a_new_visit_of_somebody_known_is_not_told_as_no_change(
    bring_over: BringOver, house: ProtocolVersion, now: datetime
) -> None:
    bring_over(as_file(HEADER, ANA))
    rows = [
        [*ANA, *visit("v1", "2026-11-02 10:00")],
        [*ANA, *visit("v2", "2027-03-01 10:00")],
    ]
    source = bring_over(as_file(HEADER + VISITS, *rows), at=now + timedelta(days=1))
    assert outcomes(source) == ["create", "create"]
    assert "Nothing changed." not in " ".join(sentences(source))


def test_the_order_of_rows_makes_no_difference(
    bring_over: BringOver, house: ProtocolVersion, django_db_blocker: object
) -> None:
    rows = [
        [*ANA, *visit("v1", "2026-11-02 10:00", series="s1", sessions="3")],
        [*ANA, *visit("v2", "2027-03-01 10:00", series="s1", sessions="3")],
        [*BEN, *visit("v3", "2027-03-01 10:00")],
        [*person(3, "Cleo", "Dark"), *visit("v4", "2027-03-01 09:45")],
        [*person(4, "Cleo", "Dark"), *NO_VISIT],
    ]
    from django.db import transaction

    seen = []
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        with transaction.atomic():
            bring_over(as_file(HEADER + VISITS, *order))
            seen.append(stored())
            transaction.set_rollback(True)
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["tasks"]


def test_history_holds_nothing_and_is_not_to_be_undone(
    bring_over: BringOver, house: ProtocolVersion, treatment_provider: Resource, now: datetime
) -> None:
    bring_over(
        as_file(
            HEADER + VISITS,
            [*ANA, *visit("v1", "2026-11-02 10:00", "Completed", series="s1", sessions="4")],
            [*ANA, *visit("v2", "2026-12-07 10:00", "No show", series="s1", sessions="4")],
            [*ANA, *visit("v3", "2026-12-14 10:00", "Cancelled", series="s1", sessions="4")],
            [*BEN, *visit("v4", "2020-01-07 10:00")],
        )
    )
    assert not Allocation.objects.filter(active=True).exists()
    assert Allocation.objects.filter(resource=treatment_provider).count() == 4
    running = TreatmentSeries.objects.get(patient__legal_given="Ana")
    assert (running.state, running.sessions) == ("open", 4)
    states = {each.state: each for each in running.appointments.all()}
    assert set(states) == {"done", "no_show", "cancelled"}
    assert all(each.is_history for each in states.values())
    assert (states["done"].session, states["no_show"].session) == (1, 2)
    over = TreatmentSeries.objects.get(patient__legal_given="Ben")
    assert (over.state, over.sessions, over.closed_at is not None) == ("completed", 1, True)
    assert {each.move for each in StatusChange.objects.all()} == {"import"}


def test_visits_to_come_are_placed_and_those_that_collide_are_work(
    bring_over: BringOver, house: ProtocolVersion, site: Site, now: datetime
) -> None:
    source = bring_over(
        as_file(
            HEADER + VISITS,
            [*ANA, *visit("v1", "2027-03-01 10:00")],
            [*BEN, *visit("v2", "2027-03-01 10:30", series="s9", sessions="2")],
            [*BEN, *visit("v3", "2027-04-12 10:00", series="s9", sessions="2")],
        )
    )
    assert outcomes(source) == ["create", "place", "create"]
    placed = Appointment.objects.get(series__patient__legal_given="Ana")
    assert placed.starts_at == datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
    assert set(placed.resources_held()) == {"patient", "provider", "room", "device"}
    assert (placed.imported_at, placed.imported_start) == (now, placed.starts_at)
    assert not placed.is_history
    # Her series is there with both sessions agreed, and the first of them is to be booked.
    running = TreatmentSeries.objects.get(patient__legal_given="Ben")
    assert (running.sessions, [each.session for each in running.appointments.all()]) == (2, [2])
    task = Task.objects.get()
    assert task.patient == running.patient and task.site == site
    detail = retold(task.detail)
    assert "Mon 1 Mar 10:30" in detail and "Sam Okafor is taken then." in detail
    assert Patient.objects.stale().count() == 2


def test_a_check_sees_the_same_collisions(checked: BringOver, house: ProtocolVersion) -> None:
    rows = [
        [*ANA, *visit("v1", "2027-03-01 10:00")],
        [*BEN, *visit("v2", "2027-03-01 10:30")],
    ]
    source = checked(as_file(HEADER + VISITS, *rows))
    assert outcomes(source) == ["create", "place"]
    assert "Sam Okafor is taken then." in sentences(source)[1]


def test_a_corrected_file_moves_what_nobody_touched(
    bring_over: BringOver, house: ProtocolVersion, manager: Staff, now: datetime
) -> None:
    rows = [
        [*ANA, *visit("v1", "2027-03-01 10:00")],
        [*BEN, *visit("v2", "2027-03-01 10:30")],
    ]
    bring_over(as_file(HEADER + VISITS, *rows))
    rows[0] = [*ANA, *visit("v1", "2027-03-02 10:00")]
    # Ben's has a place once Ana's is gone.
    rows[1] = [*BEN, *visit("v2", "2027-03-01 10:00")]
    source = bring_over(as_file(HEADER + VISITS, *rows))
    assert outcomes(source) == ["update", "update"]
    moved = Appointment.objects.get(series__patient__legal_given="Ana")
    assert moved.starts_at == datetime(2027, 3, 2, 15, 0, tzinfo=UTC)
    assert moved.imported_start == moved.starts_at and moved.schedule_version == 1
    assert Task.objects.get().outcome == "It has its place now."
    assert Appointment.objects.count() == 2


def test_a_corrected_file_changes_what_it_changed_and_keeps_what_staff_did(
    bring_over: BringOver, manager: Staff, now: datetime
) -> None:
    bring_over(as_file(HEADER, ANA, BEN))
    ana, ben = Patient.objects.order_by("legal_given")
    registration.change(patient=ben, expected_version=1, by=manager, now=now, phone="+12125550199")
    corrected = as_file(
        HEADER,
        [*ANA[:2], "Núñez Rey", *ANA[3:6], "no"],
        [*BEN[:4], "(212) 555-7777", *BEN[5:]],
    )
    source = bring_over(corrected)
    assert outcomes(source) == ["update", "conflict"]
    ana.refresh_from_db()
    assert ana.legal_family == "Núñez Rey"
    assert registration.search(staff=manager, query="rey").get() == ana  # type: ignore[attr-defined]
    assert ContactConsent.objects.get().closed_source == "import"
    assert ben.contact_points.get(kind="phone", retired_at=None).value == "+12125550199"
    assert "Staff changed the mobile number since, so that was kept." in sentences(source)[1]
    assert outcomes(bring_over(corrected)) == ["skip", "conflict"]


def test_who_is_here_already_is_found_as_at_the_front_desk(
    bring_over: BringOver, site: Site, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    here = a_patient(site, front_desk, now, given="Ana", family="Nunez", phone="+12125550188")
    twin = a_patient(site, front_desk, now, given="Ida", family="Nunez", phone="+12125550189",
                     email="")  # fmt: skip
    born = "1988-05-04"
    rows = [
        ["", "Ana", "Núñez", born, "", "", ""],
        ["7", "Iris", "Núñez", born, "", "", ""],
        ["8", "Anna", "Nunez", "1990-01-01", "(212) 555-0188", "", ""],
    ]
    header = [*HEADER, "decision"]
    source = bring_over(as_file(header, *([*row, ""] for row in rows)))
    assert outcomes(source) == ["match", "conflict", "conflict"]
    assert f"Is patient #{here.pk}." in sentences(source)[0]
    assert f"patient {here.pk}, {twin.pk}" in sentences(source)[1]
    assert Patient.objects.count() == 2
    source = bring_over(as_file(header, [*rows[1], "new"], [*rows[2], f"#{here.pk}"]))
    assert outcomes(source) == ["create", "match"]
    assert Patient.objects.count() == 3


def test_a_record_that_went_into_another_or_was_erased_is_nobody_to_be_found(
    bring_over: BringOver, site: Site, front_desk: Staff, now: datetime
) -> None:
    kept, gone = (
        a_patient(
            site, front_desk, now, given="Ana", family="Lind", phone=f"+1212555018{n}", email=""
        )
        for n in (1, 2)
    )
    Patient.objects.filter(pk=gone.pk).update(merged_into=kept)
    row = ["7", "Ana", "Lind", kept.birth_date.isoformat(), "", "", ""]
    source = bring_over(as_file(HEADER, row))
    assert outcomes(source) == ["match"] and f"Is patient #{kept.pk}." in sentences(source)[0]
    Patient.objects.filter(pk=kept.pk).update(
        erased_at=now, do_not_contact_at=now, do_not_contact_why="Erased"
    )
    source = bring_over(as_file(HEADER, [*row[:2], "Lindt", *row[3:]]))
    assert outcomes(source) == ["error"] and "was erased" in sentences(source)[0]


def test_what_bars_a_visit_to_come_is_said_and_kept_as_work(
    checked: BringOver, house: ProtocolVersion, site: Site, front_desk: Staff, provider: Staff,
    manager: Staff, now: datetime,
) -> None:  # fmt: skip
    ana = a_patient(site, front_desk, now, given="Ana", family="Lind", email="")
    reporting.report(
        patient=ana, site=site, what="Blister", severity="mild", noticed_at=now, areas=[],
        by=provider, now=now,
    )  # fmt: skip
    for number in range(8):  # more than there is room to tell
        reporting.report(
            patient=ana, site=site, what=f"{number}" * 200, severity="mild", noticed_at=now,
            areas=[], by=provider, now=now,
        )  # fmt: skip
    row = ["7", "Ana", "Lind", ana.birth_date.isoformat(), "", "", ""]
    source = checked(
        as_file(
            HEADER + VISITS,
            [*row, *visit("v1", "2027-03-01 10:00")],
            [*BEN, *visit("v2", "2027-03-02 10:00")],
        )
    )
    said = sentences(source)
    # Which of them there is room for is left open.
    assert "An adverse event (mild: " in said[0] and "adverse" not in said[1]
    assert not Task.objects.filter(key__startswith="import.").exists()
    working.run(source=source, by=manager, now=now)
    working.work(clock=lambda: now, only=source)
    assert sentences(source) == said
    task = Task.objects.get(key__startswith="import.barred.")
    assert task.appointment is not None and task.appointment.series.patient == ana == task.patient
    with translation.override("es"):
        assert "Hay un evento adverso abierto (leve: " in sentences(source)[0]
        assert "evento adverso" in retold(task.detail)


def test_duplicates_in_the_file_are_one_patient_or_are_told(bring_over: BringOver) -> None:
    source = bring_over(
        as_file(
            HEADER,
            person(1, "Ana", "Lind"),
            person(1, "Ana", "Lind"),
            person(2, "Bea", "Lind"),
            person(2, "Bea", "Lund"),
            ["", "Cleo", "Dark", "1990-01-01", "", "", ""],
            ["", "Chloe", "Dark", "1990-01-01", "", "", ""],
        )
    )
    assert outcomes(source) == ["create", "skip", *["conflict"] * 4]
    assert sentences(source)[1] == "The same patient as in row 2."
    assert "Rows 4 and 5 name one patient and differ in the family name." in sentences(source)[3]
    assert "the one in row 7" in sentences(source)[4]


def test_what_is_unknown_is_told_with_the_nearest_name(
    checked: BringOver, house: ProtocolVersion
) -> None:
    good = visit("v1", "2027-03-01 10:00")
    source = checked(
        as_file(
            HEADER + VISITS,
            [*ANA, *good[:1], "RF microneedeling", *good[2:]],
            [*BEN, *good[:2], "fase", *good[3:]],
            [*person(3, "Cleo", "Dark"), *good[:5], "Sam Okefor", *good[6:]],
            [*person(4, "Dora", "Dark"), *good[:3], "2027-03-14 02:30", *good[4:]],
        )
    )
    told = sentences(source)
    assert "Did you mean “RF microneedling”?" in told[0]
    assert "Did you mean “face”?" in told[1] or "Did you mean “Face”?" in told[1]
    assert "Did you mean “Sam Okafor”?" in told[2]
    assert "02:30 does not exist on Sun 14 Mar" in told[3]
    assert outcomes(source) == ["error"] * 4


def test_what_is_refused_names_its_column_as_the_file_does(
    checked: BringOver, house: ProtocolVersion
) -> None:
    good = visit("v1", "2027-03-01 10:00")
    born = HEADER.index("DOB")
    rows = [[*ANA, *good], [*BEN, *good[:1], "", *good[2:]]]
    rows[0][born] = "soon"
    told = sentences(checked(as_file(HEADER + VISITS, *rows)))
    assert told[0].startswith("Column “DOB”: “soon” is not a date.")
    assert told[1] == f"Column “{VISITS[1]}”: The visit has no treatment."
    rows[0][born] = "1850-01-01"
    [first, _] = sentences(checked(as_file(HEADER + VISITS, *rows)))
    assert first.startswith("Column “DOB”: A birth date lies within")


def test_a_run_that_is_cut_off_goes_on_where_it_was(
    checked: BringOver, house: ProtocolVersion, manager: Staff, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(people_phase, "BATCH", 2)
    monkeypatch.setattr(places_phase, "BATCH", 1)
    rows = [
        [*person(n, f"Ana{n}", f"Lind{n}"), *visit(f"v{n}", f"2027-03-0{n} 10:00")]
        for n in range(1, 6)
    ]
    source = checked(as_file(HEADER + VISITS, *rows))
    working.run(source=source, by=manager, now=now)
    seen = Counter[str]()
    while True:
        # Each of these could be the last that a process lived to see.
        before = Import.objects.get(pk=source.pk)
        if not before.is_working:
            break
        seen[before.phase] += 1
        working.work(clock=lambda: now, seconds=1e-9, only=source)
    assert seen["people"] >= 3 and seen["places"] >= 5
    assert Patient.objects.count() == Appointment.objects.count() == 5
    assert Import.objects.get(pk=source.pk).counts["placed"] == 5


def test_a_fault_writes_nothing_of_its_batch_and_is_told(
    checked: BringOver, manager: Staff, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = checked(as_file(HEADER, ANA, BEN))
    working.run(source=source, by=manager, now=now)

    def broken(*_: object) -> None:
        raise RuntimeError("Ana Núñez")

    monkeypatch.setattr(people_phase, "_store", broken)
    working.work(clock=lambda: now, only=source)
    source.refresh_from_db()
    assert source.state == "failed" and "unforeseen" in source.problem
    assert not Patient.objects.exists()
    assert date(2027, 1, 1) < now.date()


def test_the_samples_show_what_may_happen(bring_over: BringOver, house: ProtocolVersion) -> None:
    samples = Path(__file__).parents[3] / "docs" / "samples"
    people = bring_over((samples / "patients.csv").read_bytes())
    assert outcomes(people) == ["create"] * 4 + ["error"]
    visits = bring_over((samples / "visits.csv").read_bytes())
    assert outcomes(visits) == ["create", "create", "create", "error", "error"]
    assert "Did you mean" in sentences(visits)[3]
    assert "Import the patients first." in sentences(visits)[4]


def test_each_refusal_stands_behind_its_own_column(
    checked: BringOver, house: ProtocolVersion
) -> None:
    header = ["Patient no", "Full name", "DOB", "Visit id", "Service", "Area", "Date", "Time"]
    row = ["p1", "Ana 12!3", "soon", "v1", "RF microneedling", "face", "2027-03-01", "noonish"]
    [told] = sentences(checked(as_file(header, row)))
    assert "Column “Full name”: “12!3” is no name." in told
    assert "Column “DOB”: “soon” is not a date." in told
    assert "Column “Time”: “noonish” is not a time of day." in told
    assert "Column “Date”" not in told
    row[6] = "someday"
    [told] = sentences(checked(as_file(header, row)))
    assert "Column “Date”: “someday” is not a date." in told and "Column “Time”" not in told
