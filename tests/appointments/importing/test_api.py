"""Imports through the API and at a terminal: the same acts, refused to whom they are not."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from appointments.importing import tables, uploading, working
from appointments.models import Import, ImportRow
from clinic.models import AuditEntry, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.importing.conftest import HEADER, as_file, person

pytestmark = [pytest.mark.django_db, CLOCK]
ADDRESS = "/api/v1/imports/"


def send(staff: Staff, site: Site, content: bytes) -> Any:
    file = SimpleUploadedFile("old.csv", content)
    return api(staff).post(ADDRESS, {"site": site.pk, "file": file}, format="multipart")


def test_a_file_goes_all_the_way(site: Site, manager: Staff, now: datetime) -> None:
    bad = person(2, "Ben", "Berg", dob="soon")
    sent = send(manager, site, as_file(HEADER, person(1), bad))
    assert sent.status_code == 201, sent.content
    one = f"{ADDRESS}{sent.json()['id']}/"
    client = api(manager)
    offer = client.get(f"{one}offer/").json()
    assert offer["mapping"]["phone"] == "Mobile" and not offer["remembered"]
    refused(client.put(f"{one}mapping/", {"mapping": {"phone": "Mobile"}}), 400, "import_columns",
            "mapping")  # fmt: skip
    named = client.put(f"{one}mapping/", {"mapping": offer["mapping"]})
    assert named.json()["date_order"] == "mdy"
    refused(client.post(f"{one}run/"), 409, "import_state", "state")
    assert client.post(f"{one}check/").json()["state"] == "checking"
    working.work(clock=lambda: now)
    assert client.get(one).json()["outcomes"] == {"create": 1, "error": 1}
    assert client.post(f"{one}run/").status_code == 202
    working.work(clock=lambda: now)
    done = client.get(one).json()
    assert (done["state"], done["written"]["people_create"]) == ("done", 1)
    rows = client.get(f"{one}rows/?outcome=error").json()
    assert [row["number"] for row in rows["results"]] == [3]
    errors = b"".join(client.get(f"{one}errors/").streaming_content).decode()  # type: ignore[attr-defined]
    assert errors.startswith("\ufeffPatient no,") and "soon" in errors and "is not a date" in errors
    # The mended file is of the same kind, so its columns are known.
    again = send(manager, site, errors.replace("soon", "1990-02-03").encode())
    offer = client.get(f"{ADDRESS}{again.json()['id']}/offer/").json()
    assert offer["remembered"] and offer["mapping"]["decision"] == "decision"


def test_a_date_that_may_be_two_is_asked_about(site: Site, manager: Staff) -> None:
    content = as_file(HEADER, person(1, dob="03/04/1980"), person(2, dob="05/06/1981"))
    one = f"{ADDRESS}{send(manager, site, content).json()['id']}/"
    client = api(manager)
    mapping = client.get(f"{one}offer/").json()["mapping"]
    body = refused(
        client.put(f"{one}mapping/", {"mapping": mapping}), 400, "import_date_order", "date_order"
    )
    assert "“03/04/1980” can be two dates" in body["sentence"]
    said = client.put(f"{one}mapping/", {"mapping": mapping, "date_order": "dmy"})
    assert said.json()["date_order"] == "dmy"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"\n\n", "no column names"),
        (b"a,b\n\x81\x8d", "neither UTF-8, UTF-16 nor Windows"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(
    site: Site, manager: Staff, private_folder: Path, content: bytes, said: str
) -> None:
    # An empty file is refused by the upload itself, before it is looked at.
    if content:
        body = refused(send(manager, site, content), 400, "file_unreadable", "file")
        assert said in body["sentence"]
    else:
        assert send(manager, site, content).status_code == 400
    assert not Import.objects.exists()
    assert not list((private_folder / "imports").glob("*"))


def test_others_are_refused(
    site: Site, manager: Staff, front_desk: Staff, clinical_lead: Staff, outsider: Staff
) -> None:
    content = as_file(HEADER, person(1))
    one = f"{ADDRESS}{send(manager, site, content).json()['id']}/"
    for member in (front_desk, clinical_lead):
        refused(send(member, site, content), 403, "forbidden")
        refused(api(member).get(one), 403, "forbidden")
        refused(api(member).post(f"{one}check/"), 403, "forbidden")
    refused(send(outsider, site, content), 404, "not_found", "site")
    for act in ("offer", "rows", "errors"):
        refused(api(outsider).get(f"{one}{act}/"), 404, "not_found")
    for act in ("check", "run", "stop"):
        refused(api(outsider).post(f"{one}{act}/"), 404, "not_found")
    refused(api(outsider).delete(one), 404, "not_found")
    assert api(outsider).get(ADDRESS).json()["count"] == 0
    assert api().get(ADDRESS).status_code == 401
    assert Import.objects.get().file


def test_a_file_is_private_and_goes_when_it_was_kept_long_enough(
    site: Site, manager: Staff, private_folder: Path, now: datetime
) -> None:
    pk = send(manager, site, as_file(HEADER, person(1))).json()["id"]
    (kept,) = (private_folder / "imports").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert uploading.delete_old(now=now + uploading.KEPT) == 0
    with pytest.MonkeyPatch.context() as patch:
        # Files go after the commit, and a test has none.
        patch.setattr("django.db.transaction.on_commit", lambda act: act())
        assert uploading.delete_old(now=now + 2 * uploading.KEPT) == 1
    assert not kept.exists()
    assert Import.objects.get(pk=pk).file == "" and not ImportRow.objects.exists()
    body = refused(api(manager).post(f"{ADDRESS}{pk}/check/"), 409, "import_state", "state")
    assert body["sentence"]


def test_deleting_is_written_down(site: Site, manager: Staff) -> None:
    pk = send(manager, site, as_file(HEADER, person(1))).json()["id"]
    assert api(manager).delete(f"{ADDRESS}{pk}/").status_code == 204
    assert api(manager).delete(f"{ADDRESS}{pk}/").status_code == 204
    acts = AuditEntry.objects.filter(subject_type="appointments.import").order_by("id")
    assert [each.action for each in acts] == ["import.upload", "import.delete_file"]


def test_the_command_checks_runs_and_hands_back_what_is_to_be_mended(
    site: Site, manager: Staff, tmp_path: Path
) -> None:
    file, errors = tmp_path / "old.csv", tmp_path / "errors.csv"
    file.write_bytes(as_file(HEADER, person(1), person(2, dob="soon")))
    words = [str(file), "--site", site.slug, "--by", manager.email]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_patients", *words, "--dry-run", "--json", stdout=out)
    assert json.loads(out.getvalue())["outcomes"] == {"create": 1, "error": 1}
    assert not Patient.objects.exists()
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_patients", *words, "--errors", str(errors), stdout=out)
    assert "old.csv: 2 rows, done" in out.getvalue()
    assert Patient.objects.count() == 1
    with errors.open("rb") as stream:
        layout = tables.layout_of(stream)
        assert [record.number for record in tables.records(stream, layout)] == [2]
    mapping = json.dumps({"patient_id": "Patient no"})
    out = StringIO()
    file.write_bytes(as_file(HEADER, person(1)))
    call_command("import_patients", *words, "--mapping", mapping, stdout=out)
    assert "Nothing to do" in out.getvalue()


def test_the_command_says_what_is_missing(
    site: Site, front_desk: Staff, manager: Staff, tmp_path: Path
) -> None:
    file = tmp_path / "old.csv"
    file.write_bytes(as_file(HEADER, person(1)))
    asked = ("import_patients", str(file), "--site", site.slug, "--by")
    with pytest.raises(CommandError, match="Those who may: manager"):
        call_command(*asked, front_desk.email)
    with pytest.raises(CommandError, match="Name a --site"):
        call_command(*asked, "nobody@clinic.example")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_patients", "/nowhere", *asked[2:], "mia.manager@clinic.example")
