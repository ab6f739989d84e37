"""Reading the audit trail: who may, what is found, and that an index answers."""

import ast
import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from appointments.lifecycle import Move
from clinic import audit, csv_cells, origin
from clinic.models import AuditEntry, Resource, Site, Staff
from clinic.origin import Origin, Via
from patients import consent, registration
from patients.models import Patient
from patients.trail import searching, words
from patients.trail.folding import folded
from patients.trail.searching import Asked, Place
from patients.trail.vocabulary import ACTIONS
from tests.api import CLOCK, api, refused
from tests.personas import NOW, a_patient

pytestmark = [pytest.mark.django_db, CLOCK]


REPOSITORY = Path(__file__).parents[2]
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def signed_in(staff: Staff) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="Tablet 3")
    client.force_login(staff)
    return client


def test_a_change_is_found_with_before_after_and_where_it_came_from(
    patient: Patient, front_desk: Staff, manager: Staff
) -> None:
    desk = api(front_desk)
    desk.credentials(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="Tablet 3")
    desk.patch(f"/api/v1/patients/{patient.pk}/", {"version": 1, "legal_family": "Novak"})
    [entry] = searching.found(manager, Asked(action="patient.change", patient=patient.pk))
    assert (entry.before, entry.after) == ({"legal_family": "Sato"}, {"legal_family": "Novak"})
    assert (entry.by, entry.via, entry.ip) == (front_desk, Via.API, "203.0.113.7")
    assert len(entry.agent) == 16 and len(entry.request) == 32
    page = signed_in(manager).get(f"/audit/?patient={patient.pk}&action=patient.change")
    for shown in ("Ana Front", "Patient: change", "family name", "Novak", "203.0.113.7", "API"):
        assert shown in page.content.decode()
    for row, count in ((f"patients.patient:{patient.pk}", 1), ("patients.patient:0", 0)):
        asked = f"subject={row}&action=patient.change"
        found = api(manager).get(f"/api/v1/audit/?{asked}").json()["results"]
        assert len(found) == count
        assert ("Novak" in signed_in(manager).get(f"/audit/?{asked}").content.decode()) is bool(
            count
        )


def test_a_page_shows_what_differs_as_it_is_read() -> None:
    before = {"state": "booked", "starts_at": "2027-03-04T14:30:00+00:00", "digest": "ab" * 32}
    after = {**before, "starts_at": "2027-03-04T15:30:00+00:00", "purpose": "phi_detail"}
    assert words.shown(before, after, "America/New_York") == [
        ("starts", "Thu 4 Mar 09:30", "Thu 4 Mar 10:30"),
        ("purpose", "", "phi detail"),
    ]
    [(_, _, digest)] = words.shown({}, {"digest": before["digest"]}, "UTC")
    assert digest == "abababababab…"
    with translation.override("es"):
        told = words.shown(
            {"state": "booked"}, {"state": "cancelled", "patient_told": False}, "UTC"
        )
        assert told == [("estado", "reservada", "cancelada"), ("paciente avisado", "", "no")]
        assert words.said("appointment.cancel") == "Cita: cancelar"
        assert words.named("appointments.appointment", "812") == "cita 812"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("birth_date", "1972-02-11", "vie 11 feb 1972"),
        ("reason", "1972-13-11", "1972-13-11"),
        ("language", "es", "español"),
        ("name", "es", "es"),
        ("quiet_from", "20:00:00 – 08:30:00", "20:00 – 08:30"),
    ],
)
def test_days_times_and_languages_are_told_in_words(field: str, value: str, told: str) -> None:
    with translation.override("es"):
        assert words.value_in_words(value, field, "UTC").lower() == told


def test_everything_that_is_written_to_the_trail_has_its_words() -> None:
    written = {f"appointment.{move}" for move in Move if move != Move.BOOK}
    for app in ("clinic", "patients", "appointments", "reminders"):
        for path in (REPOSITORY / app).rglob("*.py"):
            written |= _actions(ast.parse(path.read_text()))
    assert len(written) > 100
    assert sorted(written - ACTIONS.keys()) == []


def _actions(module: ast.Module) -> set[str]:
    """What a module names as an `action`: of the trail itself, or of its own functions that write
    to it."""
    at = {"record": None} | {
        each.name: [arg.arg for arg in each.args.args].index("action")
        for each in ast.walk(module)
        if isinstance(each, ast.FunctionDef)
        if "action" in (arg.arg for arg in each.args.args)
    }
    found = []
    for call in (each for each in ast.walk(module) if isinstance(each, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name not in at:
            continue
        place = at[name]
        found += [each.value for each in call.keywords if each.arg == "action"]
        found += call.args[place : place + 1] if place is not None else []
    says = {each.value for one in found for each in ast.walk(one) if isinstance(each, ast.Constant)}
    return {each for each in says if isinstance(each, str) and _ACTION.fullmatch(each)}


def test_only_managers_read_it_and_only_that_of_their_sites(
    patient: Patient,
    other_site: Site,
    outsider: Staff,
    front_desk: Staff,
    manager: Staff,
) -> None:
    theirs = a_patient(other_site, outsider, NOW, family="Elsewhere", phone="+13105550123")
    assert "Elsewhere" not in signed_in(manager).get("/audit/").content.decode()
    assert "Sato" not in signed_in(outsider).get("/audit/").content.decode()
    assert "Elsewhere" in signed_in(outsider).get("/audit/").content.decode()
    assert not searching.found(outsider, Asked(patient=patient.pk)).exists()
    body = api(outsider).get(f"/api/v1/audit/?patient={patient.pk}").json()
    assert body["results"] == []
    assert api(manager).get(f"/api/v1/audit/?patient={theirs.pk}").json()["results"] == []
    for path in ("/audit/", "/audit/audit.csv"):
        assert signed_in(front_desk).get(path).status_code == 403
        assert Client().get(path).status_code == 302
    refused(api(front_desk).get("/api/v1/audit/"), 403, "forbidden")
    refused(api().get("/api/v1/audit/"), 401, "not_authenticated")
    assert api(manager).post("/api/v1/audit/", {}).status_code == 405


def test_a_page_goes_on_where_the_one_before_ended(manager: Staff, site: Site) -> None:
    for number in range(7):
        # Three share a moment: the id decides between them.
        at = NOW + timedelta(seconds=number // 3)
        audit.record(action=f"act.{number}", subject=site, by=manager, now=at, site=site)
    rows = searching.found(manager, Asked())
    seen: list[str] = []
    place = None
    while True:
        entries, place = searching.page(rows, place, size=2)
        seen += [entry.action for entry in entries]
        if place is None:
            break
        assert Place.read(str(place)) == place
    assert seen == [f"act.{number}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert [each.action for part in searching.everything(rows) for each in part] == seen
    for nonsense in ("", "x~1", "2027-01-01~3", "2027-01-01T00:00:00+00:00~x"):
        assert Place.read(nonsense) is None


def test_a_list_is_found_by_each_of_its_patients(
    patient: Patient, manager: Staff, front_desk: Staff
) -> None:
    signed_in(front_desk).get("/patients/?q=sato")
    [entry] = searching.found(manager, Asked(action="record.list", patient=patient.pk))
    assert entry.after == {"patients": [patient.pk]}
    assert "sato" not in str(entry.__dict__).lower(), "what was typed is a name"


def test_the_file_holds_all_that_fits_and_runs_nothing(
    patient: Patient, manager: Staff, front_desk: Staff, site: Site
) -> None:
    registration.change(
        patient=patient, expected_version=1, by=front_desk, now=NOW, notes="=HYPERLINK(1)"
    )
    consent.give(patient=patient, purpose="marketing", channel="sms", by=front_desk, now=NOW)
    answer = signed_in(manager).get(f"/audit/audit.csv?patient={patient.pk}")
    text = b"".join(answer).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["what"] for row in rows} >= {"patient.register", "patient.change", "consent.give"}
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "@"))]
    by_api = api(manager).get(f"/api/v1/audit/csv/?patient={patient.pk}")
    assert b"patient.register" in b"".join(by_api)
    taken = AuditEntry.objects.filter(action="audit.export", by=manager)
    assert [entry.after for entry in taken] == [{"patient": str(patient.pk)}] * 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", " =1", "\r=1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert csv_cells.cell(text) == f"'{text}"
    assert csv_cells.cell("a = b") == "a = b" and csv_cells.cell(None) == ""


def test_behind_proxies_the_address_is_what_the_outermost_of_ours_saw() -> None:
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7, 10.0.0.2"}
    assert origin.client_ip(meta, proxies=0) == "10.0.0.1"
    assert origin.client_ip(meta, proxies=1) == "10.0.0.2"
    assert origin.client_ip(meta, proxies=2) == "203.0.113.7"
    assert origin.client_ip({"REMOTE_ADDR": ""}, proxies=0) is None
    assert origin.client_ip({"REMOTE_ADDR": "10.0.0.1"}, proxies=1) == "10.0.0.1"
    assert origin.current() == Origin(Via.SYSTEM)


def test_nobody_changes_or_deletes_an_entry(
    patient: Patient, as_owner: Callable[[str], None]
) -> None:
    def as_app(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    for run in (as_app, as_owner):
        for statement in (
            "UPDATE clinic_auditentry SET reason = 'x'",
            "DELETE FROM clinic_auditentry",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                run(statement)
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE afterglow_app")


@pytest.fixture
def much(patient: Patient, manager: Staff, site: Site, as_owner: Callable[[str], None]) -> Asked:
    """Twenty thousand entries by twenty people, a hundred of them about the patient."""
    Staff.objects.bulk_create(
        Staff(email=f"{number}@clinic.example", name=str(number)) for number in range(20)
    )
    as_owner(
        f"""INSERT INTO clinic_auditentry (at, by_id, action, subject_type, subject_id, site_id,
                patient_id, before, after, reason, via, ip)
            SELECT timestamptz '2027-01-01' + n * interval '1 minute',
                   (SELECT min(id) FROM clinic_staff) + n % 20, 'act.' || n % 40, 'x.y', n::text,
                   {site.pk}, CASE WHEN n % 200 = 0 THEN {patient.pk} ELSE -n END, '{{}}', '{{}}',
                   '', 'page', ('10.0.0.' || n % 250)::inet
              FROM generate_series(1, 20000) AS n; ANALYZE clinic_auditentry"""
    )
    return Asked()


def test_every_question_is_answered_from_an_index(
    much: Asked, patient: Patient, manager: Staff
) -> None:
    since = datetime(2027, 1, 8, tzinfo=UTC)
    questions: dict[str, dict[str, Any]] = {
        "audit_latest": {},
        "audit_patient": {"patient": patient.pk},
        "audit_by": {"by": manager.pk},
        "audit_action": {"action": "patient.register"},
        "audit_ip": {"ip": "10.0.0.7"},
        "audit_subject": {"subject": "x.y:777"},
    }
    for index, question in questions.items():
        for place in (None, Place(since, 10**6)):
            rows = searching.found(manager, Asked(**question))
            if place is not None:
                rows = rows.filter(at__lte=place.at).exclude(at=place.at, pk__gte=place.pk)
            plan = rows.select_related("by", "site")[:51].explain()
            assert index in plan, f"{index} for {question}:\n{plan}"
            assert "Seq Scan on clinic_auditentry" not in plan, plan
    assert set(searching.actions()) >= {"act.0", "act.39", "patient.register"}


def test_a_look_costs_one_statement(patient: Patient, front_desk: Staff) -> None:
    with CaptureQueriesContext(connection) as queries:
        audit.look(subject=patient, patient_id=patient.pk, by=front_desk, now=NOW)
        audit.look(subject=patient, patient_id=patient.pk, by=front_desk, now=NOW)
    inserts = [each["sql"] for each in queries if "INSERT" in each["sql"]]
    assert len(inserts) == 2 and all("ON CONFLICT DO NOTHING" in each for each in inserts)
    assert AuditEntry.objects.filter(action="record.view").count() == 1
    with time_machine.travel(NOW, tick=False):
        audit.look(subject=patient, patient_id=None, by=front_desk, now=NOW)
    assert AuditEntry.objects.filter(action="record.view").count() == 1


def test_looks_in_a_row_are_one_line_that_opens_and_acts_stand_alone(
    patient: Patient, manager: Staff, front_desk: Staff, site: Site
) -> None:
    def looked(by: Staff, number: float) -> None:
        at = NOW + timedelta(minutes=number)
        found = {"subject": patient, "by": by, "now": at, "site": site}
        audit.record(action="record.view", patient_id=patient.pk, **found)  # type: ignore[arg-type]

    for number in (1, 2, 2.5):
        looked(front_desk, number)
    audit.record(
        action="patient.change", subject=patient, by=front_desk, now=NOW + timedelta(minutes=3),
        site=site, patient_id=patient.pk,
    )  # fmt: skip
    looked(front_desk, 4)
    looked(manager, 5)
    asked = Asked(patient=patient.pk, since=NOW + timedelta(minutes=1))
    rows = searching.found(manager, asked)
    lines, place = searching.lines(rows, None, folds=True, zone=site.zone)
    assert ([len(line) for line in lines], place) == ([1, 1, 1, 3], None)
    unfolded, _ = searching.lines(rows, None, folds=False, zone=site.zone)
    assert [len(line) for line in unfolded] == [1] * 6
    client = signed_in(manager)
    page = client.get(f"/audit/?patient={patient.pk}").content.decode()
    assert "3 looks at records" in page and "Patient: change" in page
    for kind, count in (("acts", 0), ("looks", 5)):
        rows = searching.found(manager, replace(asked, kind=kind))
        assert sum(each.action == "record.view" for each in rows) == count
    assert "looks at records" not in (
        client.get(f"/audit/?patient={patient.pk}&kind=acts").content.decode().lower()
    ).replace(">looks at records</a>", "")
    assert client.get("/audit/?kind=odd").status_code == 422


def test_a_page_of_lines_goes_on_where_its_last_run_ended(
    patient: Patient, manager: Staff, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PAGE", 2)
    actions = ["record.view", "record.view", "act.a", "record.view", "record.view", "act.b"]
    for number, action in enumerate(actions):
        at = NOW + timedelta(minutes=1, seconds=number)
        audit.record(action=action, subject=site, by=manager, now=at, site=site)
    rows = searching.found(manager, Asked(since=NOW + timedelta(minutes=1)))
    first, place = searching.lines(rows, None, folds=True, zone=site.zone)
    assert [[each.action for each in line] for line in first] == [["act.b"], ["record.view"] * 2]
    second, end = searching.lines(rows, place, folds=True, zone=site.zone)
    assert [len(line) for line in second] == [1, 2] and end is None


def test_a_line_of_looks_hides_no_address_device_site_or_day_and_of_patients_no_other() -> None:
    desk: dict[str, Any] = {"by_id": 3, "via": "page", "ip": "203.0.113.7", "agent": "a1"}
    patients: dict[str, Any] = {"via": "patient_page", "ip": "203.0.113.7"}
    evening, night = NOW.replace(hour=20), NOW.replace(hour=2) + timedelta(days=1)
    runs: list[tuple[datetime, dict[str, Any], int]] = [
        (evening, desk | {"patient_id": 8}, 1),
        (night, desk, 2),  # the same day in New York, another one in UTC
        (night.replace(hour=6), desk, 2),
        (night.replace(hour=6), desk | {"ip": "198.51.100.1"}, 1),
        (night.replace(hour=6), desk | {"agent": "b2"}, 1),
        (night.replace(hour=6), desk | {"site_id": 2}, 1),
        (night.replace(hour=6), patients | {"patient_id": 8}, 2),
        (night.replace(hour=6), patients | {"patient_id": 9}, 1),
        (night.replace(hour=6), patients, 1),
        (night.replace(hour=6), patients, 1),
    ]
    looks = [
        AuditEntry(pk=pk, at=at, action="record.view", **fields)
        for pk, (at, fields) in enumerate(
            (at, fields) for at, fields, count in runs for _ in range(count)
        )
    ]
    lines = folded(list(reversed(looks)), "America/New_York")
    assert [len(line) for line in reversed(lines)] == [3, 2, 1, 1, 1, 2, 1, 1, 1]
    assert len(folded(looks[:3], "UTC")) == 2


def test_who_had_something_and_who_has_it_now_are_told_by_name(
    patient: Patient, manager: Staff, front_desk: Staff, site: Site
) -> None:
    fields = ("owner", "staff", "taken_by")
    audit.record(
        action="task.take", subject=patient, by=manager, now=NOW, site=site,
        before=dict.fromkeys(fields, front_desk.pk), after=dict.fromkeys(fields, manager.pk),
    )  # fmt: skip
    page = signed_in(manager).get("/audit/?action=task.take").content.decode()
    assert page.count(f"<del>{front_desk.name}</del> → <ins>{manager.name}</ins>") == len(fields)
    file = signed_in(manager).get("/audit/audit.csv?action=task.take")
    assert f"owner: {manager.pk}; staff: {manager.pk}" in file.getvalue().decode()


def test_who_and_what_an_entry_names_by_id_is_told_in_words_as_far_as_the_reader_sees_them(
    patient: Patient, manager: Staff, site: Site, other_site: Site, outsider: Staff, room: Resource
) -> None:
    twin = a_patient(site, manager, NOW, given="Noor", family="Haddad", email="")
    there = a_patient(other_site, outsider, NOW, given="Ida", family="Fernweh", email="")
    audit.record(
        action="patient.merge", subject=patient, by=manager, now=NOW, site=site,
        patient_id=patient.pk, before={"records": [twin.pk, there.pk]},
        after={"record": twin.pk, "provider": room.pk, "other": other_site.pk},
    )  # fmt: skip
    page = signed_in(manager).get("/audit/?action=patient.merge").content.decode()
    assert f"<del>Noor Haddad #{twin.pk}, #{there.pk}</del>" in page and "Fernweh" not in page
    for said in (f"Noor Haddad #{twin.pk}", room.name, other_site.name):
        assert f"<ins>{said}</ins>" in page
    # Whom the page named is a look at their record.
    looked = AuditEntry.objects.filter(action="record.list", by=manager).latest("id")
    assert twin.pk in looked.after["patients"] and there.pk not in looked.after["patients"]
    file = signed_in(manager).get("/audit/audit.csv?action=patient.merge")
    assert "Haddad" not in file.getvalue().decode()
