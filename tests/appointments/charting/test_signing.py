"""A signed record never changes: not by the application, not by its role, not by the owner."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.charting import amending, copying, drafting, signing
from appointments.charting.log import canonical, digest
from appointments.charting.refusals import CorrectionRefused, LogIncomplete, NotSigned, StaleLog
from appointments.charting.sheets import sheet_of, signed_of
from appointments.models import Addendum, Appointment, TreatmentRecord, TreatmentSeries
from appointments.refusals import LogSigned, ReasonMissing
from appointments.visits import undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Staff
from clinic.protocols.schema import Protocol
from reminders.proving.records import RECORDS
from tests.appointments.charting.conftest import MINUTE, Sign, treated
from tests.appointments.charting.logs import a_log, with_a_map
from tests.appointments.conftest import FIRST, Book, Wish
from tests.personas import a_patient
from tests.publishing import publish

pytestmark = pytest.mark.django_db


def test_what_was_signed_is_whole_and_its_digest_is_written_where_nothing_changes(
    visits: list[Appointment], sign: Sign, provider: Staff, front_desk: Staff
) -> None:
    record = sign(visits[0])
    said = json.loads(record.statement)
    assert said["log"] == record.document and said["visit"] == visits[0].pk
    assert said["protocol"]["digest"] == visits[0].protocol_version.digest
    assert said["held"]["device"]["name"] == "Needle 1"
    assert said["signed_by"] == {"id": provider.pk, "name": "Sam Okafor"}
    assert record.digest == digest(record.statement) and canonical(said) == record.statement
    assert AuditEntry.objects.get(action="record.sign").after["digest"] == record.digest
    with pytest.raises(LogSigned):
        signing.sign(appointment=visits[0], by=provider, now=visits[0].starts_at)
    visits[0].refresh_from_db()
    with pytest.raises(LogSigned, match="stays done"):
        undoing.undo(appointment=visits[0], by=front_desk, now=visits[0].starts_at)


def test_it_is_signed_whole_or_not_at_all(
    visits: list[Appointment], provider: Staff, clinical_lead: Staff, front_desk: Staff
) -> None:
    now = treated(visits[0], front_desk)
    with pytest.raises(StaleLog):
        signing.sign(appointment=visits[0], by=provider, now=now)
    lacking = a_log(without=("pain", "depth"))
    drafting.save(appointment=visits[0], log=lacking, by=provider, now=now, expected_version=0)
    with pytest.raises(LogIncomplete) as refused:
        signing.sign(appointment=visits[0], by=provider, now=now)
    assert [each.path for each in refused.value.errors] == ["session.pain", "zones.face.depth"]
    with pytest.raises(Forbidden):
        signing.sign(appointment=visits[0], by=front_desk, now=now)
    drafting.save(appointment=visits[0], log=a_log(), by=provider, now=now, expected_version=1)
    with pytest.raises(StaleLog):
        signing.sign(appointment=visits[0], by=provider, now=now, expected_version=1)
    assert not TreatmentRecord.objects.signed().exists()


def test_an_addendum_takes_nothing_off_the_transducer_that_it_leaves_untold(
    wish: Wish,
    book: Book,
    house: ProtocolVersion,
    microneedling: Protocol,
    sign: Sign,
    provider: Staff,
    clinical_lead: Staff,
    now: datetime,
) -> None:
    one = with_a_map(microneedling)
    deep = replace(one.session_log[-1], id="deep")
    two = replace(one, session_log=(*one.session_log, deep))
    version = publish(two, instead_of=house, by=clinical_lead, now=now)
    (visit,) = book(wish(FIRST), version=version).appointments.all()

    def change(path: str, value: int) -> int:
        return amending.amend(
            appointment=visit,
            reason="Miscounted",
            text="",
            corrections={f"regions.{path}": value},
            by=provider,
            now=visit.starts_at + timedelta(hours=2),
        ).used_change

    assert sign(visit, a_log(more={"regions": {"cheeks": {"shots": 40}}})).used == 40
    # Two columns are two transducers, and the log names one.
    assert [change("cheeks.deep", 9), change("cheeks.shots", 46)] == [0, 0]
    assert change("cheeks.deep", 0) == 6


def test_addenda_stand_above_and_the_corrected_value_is_what_is_copied(
    visits: list[Appointment], sign: Sign, provider: Staff, clinical_lead: Staff, front_desk: Staff
) -> None:
    def amend(**said: Any) -> Addendum:
        asked = {"reason": "Misread the display", "text": "", "by": clinical_lead, **said}
        return amending.amend(appointment=visits[0], now=later, **asked)

    later = visits[0].starts_at + timedelta(hours=3)
    with pytest.raises(NotSigned):
        amend(text="Late")
    record = sign(visits[0], a_log(depth=1.5))
    first = amend(corrections={"zones.face.depth": "1,8", "zones.face.pulses": 350})
    second = amend(text="The patient called: no pain.")
    assert (first.number, first.corrections, first.used_change) == (
        1,
        {"zones.face.depth": 1.8, "zones.face.pulses": 350},
        50,
    )
    assert json.loads(first.statement)["upon"] == record.digest
    assert json.loads(second.statement)["upon"] == first.digest
    record.refresh_from_db()
    assert record.document["zones"]["face"]["depth"] == 1.5
    assert copying.corrected(signed_of(record)).zones["face"]["depth"] == 1.8
    assert sheet_of(visits[1]).was["zones.face.depth"] == 1.8
    # Out of range it may be, for an addendum gives its reason; of the wrong type never.
    assert amend(corrections={"zones.face.depth": 8.5}).corrections == {"zones.face.depth": 8.5}
    for path, value in (
        ("zones.face.depth", "deep"),
        ("zones.neck.depth", 1),
        ("session.moon", 1),
        ("session.outcome", "aborted"),
    ):
        with pytest.raises(CorrectionRefused) as refused:
            amend(corrections={path: value})
        assert refused.value.field == path
    with pytest.raises(CorrectionRefused):
        amend()
    with pytest.raises(ReasonMissing):
        amend(reason=" ", text="Why not")
    with pytest.raises(Forbidden):
        amend(text="Late", by=front_desk)


# --- Nothing changes it ---------------------------------------------------------------------------

_VALUES = st.one_of(
    st.none(), st.integers(-5, 10**6), st.text("abc '\"\\;-", max_size=8), st.booleans()
)


def _columns(model: type[Model]) -> list[str]:
    return [field.column or "" for field in model._meta.concrete_fields]


@pytest.mark.parametrize("role", ["app", "owner"])
def test_no_statement_changes_a_signed_record_or_an_addendum(
    visits: list[Appointment], sign: Sign, provider: Staff, role: str
) -> None:
    record = sign(visits[0])
    addendum = amending.amend(
        appointment=visits[0],
        reason="Misread",
        text="Late",
        by=provider,
        now=visits[0].starts_at + timedelta(hours=2),
    )

    def rows() -> list[Any]:
        return [list(model.objects.values()) for model in (TreatmentRecord, Addendum)]

    before = rows()
    columns = [(model, name) for model in (record, addendum) for name in _columns(type(model))]
    if role == "owner":
        _as(None)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(column=st.sampled_from(columns), value=_VALUES, verb=st.sampled_from("UUUDR"))
    def holds(column: tuple[Model, str], value: Any, verb: str) -> None:
        model, name = column
        table = model._meta.db_table
        statement = {
            "U": f'UPDATE {table} SET "{name}" = %s WHERE id = %s',
            "D": f"DELETE FROM {table} WHERE %s IS NOT DISTINCT FROM %s OR true",
            "R": f'UPDATE {table} SET "{name}" = "{name}" WHERE %s IS NOT NULL OR id = %s',
        }[verb]
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [value if verb == "U" else "x", model.pk])

    try:
        holds()
    finally:
        _as("afterglow_app")
    assert rows() == before


def test_the_visit_of_a_signed_record_stays_done_and_with_its_patient(
    visits: list[Appointment], sign: Sign, front_desk: Staff, now: datetime, as_owner: Any
) -> None:
    sign(visits[0])
    series = visits[0].series
    other = a_patient(series.site, front_desk, now, given="Omar", phone="+12125550188", email="")
    theirs = TreatmentSeries.objects.get(pk=series.pk)
    theirs.pk, theirs.patient = None, other
    theirs.save(force_insert=True)
    for statement in (
        "UPDATE appointments_appointment SET state = 'in_treatment', done_at = NULL",
        f"UPDATE appointments_appointment SET series_id = {theirs.pk} WHERE id = {visits[0].pk}",
        f"UPDATE appointments_treatmentseries SET patient_id = {other.pk} WHERE id = {series.pk}",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            as_owner(statement)


def _as(role: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}" if role else "RESET ROLE")


def test_no_row_is_signed_with_a_digest_that_is_not_its_own(
    visits: list[Appointment], provider: Staff, front_desk: Staff
) -> None:
    now = treated(visits[0], front_desk)
    record = drafting.save(
        appointment=visits[0], log=a_log(), by=provider, now=now, expected_version=0
    )
    rows = TreatmentRecord.objects.filter(pk=record.pk)
    signed = {"signed_at": now, "signed_by": provider, "statement": "{}", "digest": "0" * 64}
    with pytest.raises(IntegrityError, match="digest"), transaction.atomic():
        rows.update(**signed)
    with pytest.raises(IntegrityError, match="signed record only"), transaction.atomic():
        Addendum.objects.create(
            record=record, number=1, at=now, by=provider, reason="a", text="b", statement="{}"
        )
    with pytest.raises(IntegrityError, match="record_signed_whole"), transaction.atomic():
        rows.update(**{**signed, "digest": digest("{}"), "outcome": ""})
    with pytest.raises(IntegrityError, match="record_signed_whole"), transaction.atomic():
        rows.update(signed_by=provider)


def test_constraints_of_cartridges_and_addenda(
    visits: list[Appointment], sign: Sign, as_owner: Callable[[str], None]
) -> None:
    record = sign(visits[0], a_log(more={"cartridge": {"code": "AX-1"}}))
    assert record.cartridge is not None
    with pytest.raises(IntegrityError, match="cartridge_named"), transaction.atomic():
        type(record.cartridge).objects.update(code="")
    twin = record.cartridge
    twin.pk = None
    with pytest.raises(IntegrityError, match="cartridge_once"), transaction.atomic():
        twin.save(force_insert=True)
    with pytest.raises(IntegrityError, match="addendum_says_why"), transaction.atomic():
        Addendum.objects.create(
            record=record,
            number=1,
            at=record.saved_at + MINUTE,
            by=record.drafted_by,
            reason="Why",
            statement="{}",
            digest=digest("{}"),
        )


def test_the_proof_finds_what_was_changed_behind_the_trigger(
    visits: list[Appointment], sign: Sign, provider: Staff, as_owner: Callable[[str], None]
) -> None:
    def faults() -> dict[str, int]:
        found = {check.name: check.run(visits[0].starts_at).faults for check in RECORDS}
        return {name: count for name, count in found.items() if count}

    record = sign(visits[0])
    later = visits[0].starts_at + timedelta(hours=2)
    for text in ("Late", "Later"):
        amending.amend(appointment=visits[0], reason="x", text=text, by=provider, now=later)
    assert faults() == {}
    forged = record.statement.replace('"pain":4', '"pain":1')
    changes = {
        "appointments_treatmentrecord": (
            "document = jsonb_set(document, '{session,pain}', '1')",
            f"statement = '{forged}'",
            # Even with a digest of its own it is not the one that was written down.
            f"statement = '{forged}', document = jsonb_set(document, '{{session,pain}}', '1'),"
            f" digest = '{digest(forged)}'",
        ),
        "appointments_addendum": ("reason = 'y'", "number = number + 1"),
    }
    for table, several in changes.items():
        for change in several:
            with transaction.atomic():
                as_owner("SET CONSTRAINTS ALL IMMEDIATE")
                as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                as_owner(f"UPDATE {table} SET {change} WHERE id = (SELECT max(id) FROM {table})")
                assert faults(), change
                as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
                transaction.set_rollback(True)
    assert faults() == {}
