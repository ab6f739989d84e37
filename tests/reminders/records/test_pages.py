"""The pages and endpoints of the whole record: what they do, and whom they refuse."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from appointments.models import Task
from clinic.models import AuditEntry, ProtocolVersion, Resource, Role, Site, SiteRole, Staff
from clinic.retelling import kept
from patients import telling_apart
from patients.models import Patient, RecordMerge, ToldApart
from patients.trail import searching
from reminders.models import ArchivedMessage, InboundMessage, RecordExport
from reminders.records import exporting, merging
from tests.api import CLOCK, api, refused
from tests.personas import a_patient, staff_at
from tests.reminders.records.archives import files_of
from tests.reminders.records.rows import Furnisher

pytestmark = [pytest.mark.django_db, CLOCK]
HOUR = timedelta(hours=1)


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def boss(manager: Staff) -> Client:
    return signed_in(manager)


@pytest.fixture
def twin(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, family="Sató", email="", birth_date=date(1988, 4, 5))


def pages(patient: Patient, twin: Patient) -> list[str]:
    here = f"/patients/{patient.pk}"
    return [
        *(f"{here}/life/{act}/" for act in ("death", "alive", "no-contact", "contact")),
        f"{here}/guardians/add/", f"{here}/merge/", f"{here}/merge/?with={twin.pk}",
        f"{here}/export/", f"{here}/erase/",
    ]  # fmt: skip


def test_outsiders_find_nothing_and_the_front_desk_no_more_than_life(
    patient: Patient, twin: Patient, outsider: Staff, front_desk: Staff, provider: Staff
) -> None:
    stranger, desk, hand = signed_in(outsider), signed_in(front_desk), signed_in(provider)
    for page in pages(patient, twin):
        assert stranger.get(page).status_code == 404, page
        assert stranger.post(page, {"reason": "x"}).status_code == 404, page
        assert Client().get(page).status_code == 302, page
        assert hand.get(page).status_code == 403, page
        allowed = 200 if "/life/" in page or "guardians" in page else 403
        assert desk.get(page).status_code == allowed, page
        assert allowed == 200 or desk.post(page, {"reason": "x"}).status_code == 403, page
    for path, body in (
        ("life/death", {}), ("life/stop-contact", {"reason": "x"}),
        ("merge", {"gone": twin.pk, "reason": "x"}), ("exports", {"reason": "x"}),
        ("erase", {"reason": "x", "typed": f"erase {patient.pk}"}),
        ("guardians", {"name": "A", "relation": "parent"}),
    ):  # fmt: skip
        url = f"/api/v1/patients/{patient.pk}/{path}/"
        refused(api(outsider).post(url, body), 404, "not_found")
        refused(api(provider).post(url, body), 403, "forbidden")
        refused(api().post(url, body), 401, "not_authenticated")
    assert not RecordMerge.objects.exists() and not RecordExport.objects.exists()
    patient.refresh_from_db()
    assert patient.deceased_at is None and patient.erased_at is None


def test_two_records_are_compared_merged_and_parted_by_page(
    patient: Patient, twin: Patient, boss: Client, front_desk: Staff
) -> None:
    # Who may merge is told of the likeness on the page itself.
    hint = f"/patients/{patient.pk}/merge/?with={twin.pk}"
    assert hint in boss.get(f"/patients/{patient.pk}/").content.decode()
    assert AuditEntry.objects.get(action="record.list").after == {"patients": [twin.pk]}
    other = signed_in(front_desk).get(f"/patients/{patient.pk}/").content.decode()
    assert "may be the same person" not in other and "Sató" not in other
    assert f"with={twin.pk}" in boss.get(f"/patients/{patient.pk}/merge/").content.decode()
    address = f"/patients/{patient.pk}/merge/?with={twin.pk}"
    shown = boss.get(address).content.decode()
    assert "Tue 5 Apr 1988" in shown and "1988-04-05" not in shown and "Contact consents" in shown
    assert 'name="birth_date" value="kept" checked' in shown
    # A refusal keeps what was chosen.
    refused = boss.post(address, {"birth_date": "gone"}).content.decode()
    assert "Not merged" in refused and 'name="birth_date" value="gone" checked' in refused
    done = boss.post(address, {"reason": "Registered twice", "birth_date": "gone"})
    assert done.status_code == 302
    patient.refresh_from_db()
    assert patient.birth_date == date(1988, 4, 5)
    # The record that went leads to the one that stayed.
    assert boss.get(f"/patients/{twin.pk}/").headers["Location"] == f"/patients/{patient.pk}/"
    merge = RecordMerge.objects.get()
    assert (
        f"#{twin.pk} was merged into this record"
        in boss.get(f"/patients/{patient.pk}/").content.decode()
    )
    undo = f"/patients/{patient.pk}/merges/{merge.pk}/undo/"
    assert "go back" in boss.get(undo).content.decode()
    assert boss.post(undo, {"reason": "Sisters"}).headers["Location"] == f"/patients/{twin.pk}/"
    assert boss.get(f"/patients/{twin.pk}/").status_code == 200


def test_twins_are_told_apart_for_good_from_either_side(
    patient: Patient,
    twin: Patient,
    boss: Client,
    outsider: Staff,
    front_desk: Staff,
    manager: Staff,
    other_site: Site,
) -> None:
    def is_hinted(here: Patient, there: Patient) -> bool:
        page = boss.get(f"/patients/{here.pk}/").content.decode()
        return f"/patients/{here.pk}/merge/?with={there.pk}" in page

    apart, undo = (f"/patients/{twin.pk}/{way}/{patient.pk}/" for way in ("apart", "not-apart"))
    assert is_hinted(patient, twin) and is_hinted(twin, patient)
    for address in (apart, undo):
        assert signed_in(outsider).post(address).status_code == 404
        assert signed_in(front_desk).post(address).status_code == 403
        assert Client().post(address).status_code == 302
        assert boss.get(address).status_code == 405
    assert not ToldApart.objects.exists()
    # The button is there for who may merge both.
    twin.sites.set([other_site])
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.FRONT_DESK)
    assert "Sató" in boss.get(f"/patients/{patient.pk}/").content.decode()
    assert not is_hinted(patient, twin)
    twin.sites.set(patient.sites.all())
    said = boss.post(apart, follow=True).content.decode()
    assert "are two persons" in said and undo in said
    assert not is_hinted(patient, twin) and not is_hinted(twin, patient)
    boss.post(f"/patients/{patient.pk}/apart/{twin.pk}/")  # said twice
    assert ToldApart.objects.count() == 1
    assert AuditEntry.objects.filter(action="patient.tell_apart").count() == 2
    # It stands beside the search for another record, and is taken back from either side.
    for here, there in ((patient, twin), (twin, patient)):
        page = boss.get(f"/patients/{here.pk}/merge/").content.decode()
        assert f"/patients/{here.pk}/not-apart/{there.pk}/" in page and "Mia Manager" in page
    # By API it is the same act.
    body, url = {"other": twin.pk}, f"/api/v1/patients/{patient.pk}/apart/"
    for address in (url, f"{url}undo/"):
        refused(api(outsider).post(address, body), 404, "not_found")
        refused(api(front_desk).post(address, body), 403, "forbidden")
    [said_by_api] = ToldApart.objects.all()
    assert api(manager).post(url, body).json()["id"] == said_by_api.pk
    assert api(manager).post(f"{url}undo/", body).status_code == 204
    assert is_hinted(patient, twin) and is_hinted(twin, patient)
    boss.post(apart)
    boss.post(f"/patients/{patient.pk}/not-apart/{twin.pk}/")
    assert is_hinted(patient, twin) and is_hinted(twin, patient)
    assert AuditEntry.objects.filter(action="patient.tell_apart_undo").count() == 4


def test_who_sees_one_of_the_two_only_is_not_told_of_the_other(
    patient: Patient, site: Site, other_site: Site, manager: Staff, outsider: Staff, now: datetime
) -> None:
    both = staff_at(site, Role.MANAGER, "Bo Both")
    SiteRole.objects.create(staff=both, site=other_site, role=Role.MANAGER)
    there = a_patient(other_site, outsider, now, family="Fernweh", email="")
    # The evening before, where they are.
    night = datetime(2027, 2, 15, 2, tzinfo=UTC)
    said = telling_apart.tell_apart(patient=patient, other=there, by=both, now=night)
    pages = {each: signed_in(each) for each in (both, manager, outsider)}
    for here, other, by in ((patient, there, manager), (there, patient, outsider)):
        page, rows = f"/patients/{here.pk}/merge/", f"/api/v1/patients/{here.pk}/apart/"
        [shown] = api(both).get(rows).json()
        assert (shown["id"], shown["at"]) == (said.pk, "2027-02-15T02:00:00Z")
        assert "14 Feb 2027" in (seen := pages[both].get(page).content.decode())
        assert f"#{other.pk}" in seen and "15 Feb" not in seen
        seen = pages[by].get(page).content.decode()
        assert "Bo Both" not in seen and other.display_name not in seen and "not-apart" not in seen
        assert api(by).get(rows).json() == []
        assert not AuditEntry.objects.filter(searching.about(other.pk), by=by).exists()
        refused(api(manager if by is outsider else outsider).get(rows), 404, "not_found")
    compared = pages[both].get(f"/patients/{patient.pk}/merge/?with={there.pk}").content.decode()
    assert "Bo Both said on Sun 14 Feb that" in compared


def test_who_may_not_merge_one_of_the_two_is_offered_no_way_to_take_it_back(
    patient: Patient, site: Site, other_site: Site, manager: Staff, outsider: Staff, now: datetime
) -> None:
    there = a_patient(other_site, outsider, now, family="Fernweh", email="")
    both = staff_at(site, Role.MANAGER, "Bo Both")
    SiteRole.objects.create(staff=both, site=other_site, role=Role.MANAGER)
    telling_apart.tell_apart(patient=patient, other=there, by=both, now=now)
    # They see both, and manage one site only.
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.FRONT_DESK)
    SiteRole.objects.create(staff=outsider, site=site, role=Role.FRONT_DESK)
    for here, other in ((patient, there), (there, patient)):
        page, undo = f"/patients/{here.pk}/merge/", f"/patients/{here.pk}/not-apart/{other.pk}/"
        for staff in (manager, outsider):
            shown = signed_in(staff).get(page).content.decode()
            assert "Bo Both" in shown and "not-apart" not in shown, (here.pk, staff.name)
            assert signed_in(staff).post(undo).status_code == 403
        assert undo in signed_in(both).get(page).content.decode()


def test_a_record_is_neither_told_apart_from_itself_nor_taken_back_so(
    patient: Patient, twin: Patient, boss: Client, manager: Staff, now: datetime
) -> None:
    telling_apart.tell_apart(patient=patient, other=twin, by=manager, now=now)
    here, url = f"/patients/{patient.pk}", f"/api/v1/patients/{patient.pk}/apart/"
    for way in ("apart", "not-apart"):
        page = boss.post(f"{here}/{way}/{patient.pk}/", follow=True).content.decode()
        assert "This is one record." in page and "two persons:" not in page
    for address in (url, f"{url}undo/"):
        refused(api(manager).post(address, {"other": patient.pk}), 400, "apart_refused", "other")
    [said] = ToldApart.objects.all()
    assert (
        said.taken_back_at is None
        and AuditEntry.objects.filter(action__startswith="patient.tell_apart").count() == 2
    )


def test_the_acts_on_a_record_are_told_by_the_day_of_its_site(
    patient: Patient, twin: Patient, boss: Client, manager: Staff, now: datetime
) -> None:
    here, night = f"/patients/{patient.pk}/", datetime(2027, 2, 16, 2, tzinfo=UTC)
    done = merging.merge(kept=patient, gone=twin, reason="Twice", by=manager, now=now)
    RecordMerge.objects.filter(pk=done.pk).update(undo_until=night)
    asked = exporting.ask(patient=patient, reason="By letter", by=manager, now=now)
    RecordExport.objects.filter(pk=asked.pk).update(asked_at=night, expires_at=night + HOUR)
    Patient.objects.filter(pk=patient.pk).update(erased_at=night)
    for page in (here, f"{here}export/", f"{here}erase/"):
        shown = boss.get(page).content.decode()
        assert "15 Feb 2027" in shown and "16 Feb" not in shown, page


def test_two_records_are_merged_and_parted_by_api(
    patient: Patient, twin: Patient, manager: Staff, outsider: Staff
) -> None:
    here = f"/api/v1/patients/{patient.pk}"
    found = api(manager).post(f"{here}/merge/preview/", {"gone": twin.pk}).json()
    assert found["conflicts"] == [] and found["counts"]["contact consents"] == 2
    assert {each["name"] for each in found["differences"]} >= {"birth_date", "legal_family"}
    assert all(each["agreed"] for each in found["consents"])
    done = api(manager).post(f"{here}/merge/", {"gone": twin.pk, "reason": "Twice"}).json()
    assert done["undone_at"] is None
    gone = f"/api/v1/patients/{twin.pk}/"
    body = refused(api(manager).get(gone), 410, "record_merged", "id")
    assert f"{patient.pk}" in body["sentence"]
    refused(api(outsider).get(gone), 404, "not_found")
    again = {"gone": twin.pk, "reason": "Twice"}
    refused(api(manager).post(f"{here}/merge/", again), 404, "not_found", "gone")
    undone = api(manager).post(f"{here}/merge/undo/", {"merge": done["id"], "reason": "Sisters"})
    assert undone.json()["undone_at"] and api(manager).get(gone).status_code == 200


def test_a_death_and_its_taking_back_by_page_and_api(
    patient: Patient, front_desk: Staff, boss: Client
) -> None:
    boss.post(f"/patients/{patient.pk}/life/no-contact/", {"reason": "By letter"})
    assert "Do not contact." in boss.get(f"/patients/{patient.pk}/").content.decode()
    here = f"/api/v1/patients/{patient.pk}/life"
    stood = api(front_desk).post(f"{here}/death/").json()
    assert stood["deceased_at"] and stood["do_not_contact_why"] == "By letter"
    refused(
        api(front_desk).post(f"{here}/take-back-death/", {"reason": ""}), 400, "blank", "reason"
    )
    for act in ("take-back-death", "allow-contact"):
        stood = api(front_desk).post(f"{here}/{act}/", {"reason": "Mixed up"}).json()
    assert stood["deceased_at"] is None and stood["do_not_contact_at"] is None
    refused(api(front_desk).post(f"{here}/allow-contact/", {"reason": "x"}), 409, "life_refused",
            "reason")  # fmt: skip


def test_guardians_by_page_and_api(
    site: Site, front_desk: Staff, boss: Client, now: datetime
) -> None:
    child = a_patient(site, front_desk, now, given="Noor", birth_date=date(2012, 1, 2), phone="")
    page = f"/patients/{child.pk}/guardians/add/"
    asked = {"name": "Ana", "relation": "parent", "language": "es", "gets_messages": "on"}
    assert boss.post(page, asked).status_code == 422
    assert boss.post(page, asked | {"phone": "+1 212 555 0188"}).status_code == 302
    assert "+12125550188" in boss.get(f"/patients/{child.pk}/").content.decode()
    here = f"/api/v1/patients/{child.pk}/guardians/"
    [row] = api(front_desk).get(here).json()
    assert row["contact_points"] == ["+12125550188"]
    ended = api(front_desk).post(f"{here}end/", {"guardian": row["id"], "reason": "Custody"})
    assert ended.json()["ended_at"]
    added = api(front_desk).post(here, {"name": "Bo", "relation": "other", "email": "bo@x.example"})
    assert added.status_code == 201


def test_the_record_is_taken_by_who_asked_and_within_the_hour(
    patient: Patient, manager: Staff, clinical_lead: Staff, boss: Client, time_machine: Any
) -> None:
    page = f"/patients/{patient.pk}/export/"
    assert boss.post(page, {"reason": ""}).status_code == 422
    boss.post(page, {"reason": "Asked by letter"})
    asked = RecordExport.objects.get()
    file = f"/patients/{patient.pk}/export/{asked.pk}/record.zip"
    shown = boss.get(page).content.decode()
    until = asked.expires_at.astimezone(ZoneInfo("America/New_York")).strftime("%H:%M E")
    assert file in shown and f">{until}" in shown
    with zipfile.ZipFile(io.BytesIO(b"".join(boss.get(file)))) as archive:
        assert archive.testzip() is None
        document = json.loads(archive.read("record.json"))
        described = json.loads(archive.read("schema.json"))
        assert archive.read("summary.pdf").startswith(b"%PDF")
        assert b"patient.register" in archive.read("audit.csv")
    assert document["patients"][0]["legal_family"] == "Sato"
    assert set(document["tables"]) == set(described["tables"])
    for table, rows in document["tables"].items():
        assert all(set(row) == set(described["tables"][table]["fields"]) for row in rows), table
    assert {row["action"] for row in document["audit"]} >= {"patient.register", "record.take"}
    by_api = api(manager)
    mine = by_api.post(f"/api/v1/patients/{patient.pk}/exports/", {"reason": "Mine"}).json()
    taken = by_api.get(f"/api/v1/patients/{patient.pk}/exports/{mine['id']}/file/")
    assert b"".join(taken).startswith(b"PK")
    time_machine.shift(3601)
    late = boss.get(file)
    assert late.status_code == 302 and late.headers["Location"] == page
    assert AuditEntry.objects.filter(action="record.take").count() == 2


def test_what_the_patient_wrote_is_handed_out_as_it_was_and_sentences_are_told(
    patient: Patient, site: Site, house: ProtocolVersion, room: Resource, manager: Staff,
    now: datetime,
) -> None:  # fmt: skip
    wrote = "50% off\x1fok"
    furnish = Furnisher(patient, site=site, staff=manager, now=now)
    InboundMessage.objects.filter(pk=furnish.row(InboundMessage).pk).update(text=wrote)
    why = [kept("Session %(session)s is due.", session=2)]
    Task.objects.filter(pk=furnish.row(Task).pk).update(why=why, detail=why[0], wish=wrote)
    left = {"message": {"why": why, "key": wrote}, "content": {"text": wrote, "why": why}}
    ArchivedMessage.objects.filter(pk=furnish.row(ArchivedMessage).pk).update(whole=left)
    asked = exporting.ask(patient=patient, reason="By letter", by=manager, now=now)
    files = files_of(asked, by=manager, now=now)
    tables = json.loads(files["record.json"])["tables"]
    told = ["Session 2 is due."]
    assert [row["text"] for row in tables["reminders.inboundmessage"]] == [wrote]
    assert [(row["why"], row["detail"], row["wish"]) for row in tables["appointments.task"]] == [
        (told, told[0], wrote)
    ]
    [gone] = tables["reminders.archivedmessage"]
    assert gone["whole"] == left | {"message": {"why": told, "key": wrote}}


def test_a_record_is_erased_with_typed_words(
    patient: Patient, manager: Staff, boss: Client
) -> None:
    page = f"/patients/{patient.pk}/erase/"
    shown = boss.get(page).content.decode()
    assert "What goes now" in shown and f"erase {patient.pk}" in shown
    assert boss.post(page, {"typed": "yes", "reason": "Letter"}).status_code == 409
    stated = api(manager).get(f"/api/v1/patients/{patient.pk}/erasure/").json()
    assert stated["kept_until"] is None and stated["typed"] == f"erase {patient.pk}"
    boss.post(page, {"typed": f"erase {patient.pk}", "reason": "Letter"})
    after = boss.get(page).content.decode()
    assert "This record was erased" in after and "audit trail" in after
    assert "Sato" not in boss.get(f"/patients/{patient.pk}/").content.decode()
    again = {"typed": f"erase {patient.pk}", "reason": "x"}
    refused(api(manager).post(f"/api/v1/patients/{patient.pk}/erase/", again), 409,
            "erase_refused", "typed")  # fmt: skip
