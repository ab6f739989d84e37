"""Protocols in the database: loading, approval, retirement, plain services."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.utils import DatabaseError

from appointments.models import Appointment, TreatmentSeries, WaitlistEntry
from clinic.access import Forbidden
from clinic.models import AuditEntry, Modality, ProtocolVersion, Role, Site, SiteRole, Staff
from clinic.protocols import loading, reading
from clinic.protocols.loading import LIBRARY, LoadRefused, ReasonMissing, StatusRefused
from clinic.protocols.reading import ProtocolError
from clinic.protocols.schema import Text
from clinic.retelling import retold

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2027, 3, 2, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def staff(role: Role) -> Staff:
    site, _ = Site.objects.get_or_create(
        slug="harbour",
        defaults={
            "name": "Harbour",
            "zone": "Europe/London",
            "phone": "+442079460000",
            "sms_name": "Harbour",
        },
    )
    person = Staff.objects.create_user(f"{role}@example.org", name=role.label)
    SiteRole.objects.create(staff=person, site=site, role=role)
    return person


@pytest.fixture
def clinical_lead() -> Staff:
    return staff(Role.CLINICAL_LEAD)


@pytest.fixture
def manager() -> Staff:
    return staff(Role.MANAGER)


@pytest.fixture
def front_desk() -> Staff:
    return staff(Role.FRONT_DESK)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of two files that a test may change."""
    for name in ("consultation", "rf_microneedling"):
        source = (LIBRARY / f"{name}.toml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.toml").write_text(source, encoding="utf-8")
    return tmp_path


def change(library: Path, old: str, new: str, name: str = "rf_microneedling") -> None:
    path = library / f"{name}.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")


def draft(library: Path) -> ProtocolVersion:
    loading.load_library(directory=library, now=NOW)
    return ProtocolVersion.objects.get(protocol="rf_microneedling")


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# --- Loading --------------------------------------------------------------------------------------


def test_the_library_loads_as_drafts_with_their_modalities() -> None:
    report = loading.load_library(now=NOW)
    files = {path.stem for path in LIBRARY.glob("*.toml")}
    assert {each.split()[0] for each in report.added} == files
    assert set(ProtocolVersion.objects.values_list("status", flat=True)) == {"draft"}
    assert Modality.objects.get(slug="rf_microneedling").code == "RM"


def test_loading_twice_changes_nothing(library: Path) -> None:
    loading.load_library(directory=library, now=NOW)
    before = list(ProtocolVersion.objects.order_by("pk").values())
    report = loading.load_library(directory=library, now=LATER)
    assert report.added == ()
    assert report.unchanged == ("consultation 1.1.1", "rf_microneedling 1.0.2")
    assert list(ProtocolVersion.objects.order_by("pk").values()) == before
    assert actions() == ["protocol.load", "protocol.load"]


def test_what_is_stored_gives_back_the_protocol_of_the_file(library: Path) -> None:
    row = draft(library)
    row.refresh_from_db()
    source = (library / "rf_microneedling.toml").read_text(encoding="utf-8")
    protocol = reading.read(source, filename="rf_microneedling.toml")
    assert loading.get(row) == protocol
    assert reading.from_document(row.document) == protocol
    assert reading.digest(reading.from_document(row.document)) == row.digest
    assert loading.get(row) is loading.get(ProtocolVersion.objects.get(pk=row.pk))


def test_a_stored_version_with_other_content_is_refused_and_nothing_is_stored(
    library: Path,
) -> None:
    loading.load_library(directory=library, now=NOW)
    change(library, 'before = "P14D"', 'before = "P15D"')
    change(library, 'version = "1.1.1"', 'version = "1.2.0"', name="consultation")
    with pytest.raises(LoadRefused) as refused:
        loading.load_library(directory=library, now=LATER)
    assert refused.value.problems == [
        "rf_microneedling 1.0.2 is already published with other content; raise the version"
    ]
    assert not ProtocolVersion.objects.filter(version="1.2.0").exists()


def test_a_raised_version_stands_beside_the_old_one(library: Path) -> None:
    first = draft(library)
    change(library, 'before = "P14D"', 'before = "P15D"')
    change(library, 'version = "1.0.2"', 'version = "1.1.0"')
    assert loading.load_library(directory=library, now=LATER).added == ("rf_microneedling 1.1.0",)
    second = ProtocolVersion.objects.get(protocol="rf_microneedling", version="1.1.0")
    assert loading.get(first) != loading.get(second)


def test_every_problem_of_every_file_is_told(library: Path) -> None:
    change(library, 'before = "P14D"', 'before = "P7X"')
    change(library, 'code = "CO"', 'code = "consult"', name="consultation")
    (library / "latin.toml").write_bytes(b'id = "\xe9"')
    (library / "other.toml").write_bytes((LIBRARY / "consultation.toml").read_bytes())
    with pytest.raises(LoadRefused) as refused:
        loading.load_library(directory=library, now=NOW)
    steps = reading.read(
        (LIBRARY / "rf_microneedling.toml").read_text(encoding="utf-8"), filename=""
    ).steps
    number = [step.id for step in steps].index("pre.sun")
    assert refused.value.problems == [
        "consultation.toml: code: 'consult' is not two capital letters",
        "latin.toml: is not UTF-8 text",
        "other.toml: id: 'consultation' is not the name of the file",
        f"rf_microneedling.toml: steps[{number}].before: 'P7X' is not an ISO-8601 duration",
    ]
    assert not ProtocolVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_loads_at_once_store_each_version_once(library: Path) -> None:
    reports: list[loading.LoadReport] = []

    def load() -> None:
        try:
            reports.append(loading.load_library(directory=library, now=NOW))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(reports) == 4
    assert sorted(each for report in reports for each in report.added) == [
        "consultation 1.1.1",
        "rf_microneedling 1.0.2",
    ]
    assert ProtocolVersion.objects.count() == 2


@pytest.mark.parametrize("field", ["digest", "version", "protocol"])
def test_the_database_itself_keeps_a_version_as_it_is(library: Path, field: str) -> None:
    row = draft(library)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        ProtocolVersion.objects.filter(pk=row.pk).update(**{field: "other"})
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        ProtocolVersion.objects.filter(pk=row.pk).update(document={})
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        row.delete()


def test_the_command_says_what_it_did(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_protocols", directory=library)
    call_command("load_protocols", directory=library)
    assert capsys.readouterr().out.splitlines() == [
        "added      consultation 1.1.1 (draft)",
        "added      rf_microneedling 1.0.2 (draft)",
        "unchanged  consultation 1.1.1",
        "unchanged  rf_microneedling 1.0.2",
    ]


def test_the_command_stops_with_the_problems(library: Path) -> None:
    change(library, 'before = "P14D"', 'before = "P7X"')
    with pytest.raises(CommandError, match=r"Nothing was loaded\.\nrf_microneedling\.toml: steps"):
        call_command("load_protocols", directory=library)


# --- Approval -------------------------------------------------------------------------------------


def test_a_clinical_lead_approves_a_draft_bound_to_its_digest(
    library: Path, clinical_lead: Staff
) -> None:
    row = loading.approve(version=draft(library), by=clinical_lead, now=LATER)
    row.refresh_from_db()
    assert (row.status, row.approved_by, row.approved_at) == ("approved", clinical_lead, LATER)
    assert row.approved_digest == row.digest
    assert not row.is_demo
    entry = AuditEntry.objects.get(action="protocol.approve")
    assert entry.by == clinical_lead
    assert entry.after["digest"] == row.digest


def test_a_demo_approval_is_marked(library: Path, clinical_lead: Staff) -> None:
    loading.approve(version=draft(library), by=clinical_lead, now=LATER, demo=True)
    assert ProtocolVersion.objects.get(protocol="rf_microneedling").is_demo


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.PROVIDER, Role.MANAGER])
def test_nobody_else_approves_or_retires(library: Path, role: Role) -> None:
    row, person = draft(library), staff(role)
    with pytest.raises(Forbidden, match="clinical lead"):
        loading.approve(version=row, by=person, now=LATER)
    with pytest.raises(Forbidden, match="clinical lead"):
        loading.retire(version=row, by=person, now=LATER, reason="a recall")
    row.refresh_from_db()
    assert row.status == "draft"


def test_approving_a_newer_version_retires_the_one_before(
    library: Path, clinical_lead: Staff
) -> None:
    first = loading.approve(version=draft(library), by=clinical_lead, now=NOW)
    change(library, 'version = "1.0.2"', 'version = "1.1.0"')
    loading.load_library(directory=library, now=LATER)
    second = ProtocolVersion.objects.get(protocol="rf_microneedling", version="1.1.0")
    loading.approve(version=second, by=clinical_lead, now=LATER)
    first.refresh_from_db()
    assert (first.status, first.approved_digest) == ("retired", first.digest)
    assert ProtocolVersion.objects.get(status="approved").version == "1.1.0"
    why = AuditEntry.objects.get(action="protocol.retire").reason
    assert retold(why) == "rf_microneedling 1.1.0 took its place"


def test_what_is_approved_or_retired_is_not_approved_again(
    library: Path, clinical_lead: Staff
) -> None:
    row = draft(library)
    loading.approve(version=row, by=clinical_lead, now=NOW)
    with pytest.raises(StatusRefused, match="is no draft any more"):
        loading.approve(version=row, by=clinical_lead, now=LATER)
    with pytest.raises(ReasonMissing, match="Write why"):
        loading.retire(version=row, by=clinical_lead, now=LATER, reason=" ")
    loading.retire(version=row, by=clinical_lead, now=LATER, reason="a recall")
    with pytest.raises(StatusRefused, match="is no draft any more"):
        loading.approve(version=row, by=clinical_lead, now=LATER)
    for reason in ("a recall", ""):
        with pytest.raises(StatusRefused, match="is retired already"):
            loading.retire(version=row, by=clinical_lead, now=LATER, reason=reason)


def test_a_version_that_does_not_match_its_digest_cannot_be_approved(
    library: Path, clinical_lead: Staff
) -> None:
    row = draft(library)
    forged = ProtocolVersion.objects.create(
        protocol="rf_microneedling",
        version="9.0.0",
        kind=row.kind,
        name=row.name,
        modality=row.modality,
        document=row.document | {"disclaimer": {"en": "Trust us.", "es": "Confíe."}},
        digest="0" * 64,
        created_at=NOW,
    )
    with pytest.raises(StatusRefused, match="does not match its digest"):
        loading.approve(version=forged, by=clinical_lead, now=LATER)


# --- Plain services -------------------------------------------------------------------------------


def create(by: Staff, **changes: Any) -> ProtocolVersion:
    values: dict[str, Any] = {
        "id": "facial",
        "name": Text("Facial", "Limpieza facial"),
        "code": "FA",
        "minutes": 60,
        "room_kind": "treatment",
    }
    return loading.create_service(**(values | changes), by=by, now=NOW)


def test_a_manager_adds_a_plain_service_that_can_be_booked_at_once(manager: Staff) -> None:
    row = create(manager)
    assert (row.kind, row.status, row.approved_by) == ("service", "approved", manager)
    assert loading.get(row).chair_minutes(["visit"]) == 60
    assert Modality.objects.get(slug="facial").code == "FA"


def test_a_new_modality_with_the_name_or_code_of_another_is_refused(
    manager: Staff, library: Path
) -> None:
    create(manager)
    for field, taken in (("code", {"code": "FA"}), ("name.en", {"name": Text("FACIAL", "Otra")})):
        wanted: dict[str, Any] = {"id": "peel", "name": Text("Peel", "Peeling"), "code": "PE"}
        with pytest.raises(LoadRefused, match=f"peel 1.0.0: {field}: Facial has it already"):
            create(manager, **(wanted | taken))
    Modality.objects.create(slug="mine", name="Mine", code="RM")
    Modality.objects.create(slug="own", name="consultation", code="OW")
    with pytest.raises(LoadRefused) as refused:
        loading.load_library(directory=library, now=NOW)
    assert len(refused.value.problems) == 2
    assert not Modality.objects.filter(slug="consultation").exists()


def test_a_service_cannot_take_the_place_of_another_protocol(manager: Staff, library: Path) -> None:
    create(manager)
    for taken in ("facial", "ultrasound"):
        with pytest.raises(LoadRefused, match=f"id: “{taken}” is another one's already"):
            create(manager, id=taken, minutes=45)
    (library / "rf_microneedling.toml").rename(library / "needling.toml")
    change(library, 'id = "rf_microneedling"', 'id = "needling"', name="needling")
    loading.load_library(directory=library, now=NOW)
    with pytest.raises(LoadRefused, match="another one's"):
        create(manager, id="needling")


def test_a_service_with_a_wrong_value_is_refused(manager: Staff) -> None:
    with pytest.raises(ProtocolError, match="is not two capital letters"):
        create(manager, code="f1")
    assert not ProtocolVersion.objects.exists()


def test_front_desk_cannot_add_a_service(front_desk: Staff) -> None:
    with pytest.raises(Forbidden, match="manager"):
        create(front_desk)


def test_rows_that_point_to_versions_leave_their_documents_where_they_are() -> None:
    loaded = [
        ProtocolVersion.objects.all(),
        Appointment.objects.select_related("site", "protocol_version__modality"),
        TreatmentSeries.objects.select_related("protocol_version"),
        WaitlistEntry.objects.select_related("series__protocol_version", "protocol_version"),
    ]
    for rows in loaded:
        asked = str(rows.query)
        assert '"digest"' in asked and '"document"' not in asked
