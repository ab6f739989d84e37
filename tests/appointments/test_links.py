from datetime import date, datetime, timedelta

import pytest

from appointments import links
from appointments.lifecycle import State
from appointments.links import Closed, LinkClosed, WrongBirthDate
from appointments.models import Appointment, PatientLink
from appointments.visits import moving, undoing
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.links import issued
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db

WRONG = date(1999, 1, 1)


@pytest.fixture
def visit(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, protocol, now=now)


@pytest.fixture
def token(visit: Appointment, patient: Patient, now: datetime) -> str:
    return issued(patient_id=patient.pk, appointment=visit, now=now)


def closed(token: str, now: datetime) -> Closed:
    with pytest.raises(LinkClosed) as refusal:
        links.open(token, now=now)
    return refusal.value.reason


def test_a_token_opens_its_link(
    token: str, visit: Appointment, patient: Patient, now: datetime
) -> None:
    link = links.open(token, now=now)
    assert (link.patient, link.appointment) == (patient, visit)


def test_a_token_has_at_least_96_random_bits_and_is_not_stored(token: str) -> None:
    assert links.TOKEN_BYTES * 8 >= 96
    assert token not in str(list(PatientLink.objects.values()))


def test_every_token_is_another(patient: Patient, now: datetime) -> None:
    tokens = {issued(patient_id=patient.pk, appointment=None, now=now) for _ in range(50)}
    assert len(tokens) == 50


@pytest.mark.parametrize("token", ["", "x", "…", "a" * 5000])
def test_a_token_of_nobody_is_unknown(db: None, token: str, now: datetime) -> None:
    assert closed(token, now) is Closed.UNKNOWN


def test_a_link_says_that_its_visit_was_moved(
    token: str, visit: Appointment, now: datetime
) -> None:
    visit.scheduled_at = now + timedelta(hours=1)
    visit.save()
    assert closed(token, now + timedelta(hours=2)) is Closed.MOVED


def test_a_link_stays_open_when_a_move_was_taken_back(
    visits: list[Appointment], patient: Patient, front_desk: Staff, now: datetime
) -> None:
    token = issued(patient_id=patient.pk, appointment=visits[0], now=now)
    moved = moving.move(
        appointment=visits[0],
        starts_at=visits[0].starts_at + timedelta(hours=3),
        by=front_desk,
        now=now + timedelta(minutes=1),
    )
    assert closed(token, now + timedelta(minutes=1)) is Closed.MOVED
    undoing.undo(appointment=moved, by=front_desk, now=now + timedelta(minutes=2))
    assert links.open(token, now=now + timedelta(minutes=2)).appointment == visits[0]


def test_a_link_says_that_its_visit_was_cancelled(
    token: str, visit: Appointment, now: datetime
) -> None:
    visit.state, visit.closed_at = State.CANCELLED, now
    visit.save()
    assert closed(token, now) is Closed.CANCELLED


def test_a_link_of_a_visit_closes_thirty_days_after_it(
    token: str, visit: Appointment, now: datetime
) -> None:
    over = visit.ends_at + timedelta(days=30)
    assert links.open(token, now=over - timedelta(seconds=1)).appointment == visit
    assert closed(token, over) is Closed.PAST


def test_a_link_of_an_erased_record_is_closed_whenever_it_was_made(
    token: str, patient: Patient, now: datetime
) -> None:
    Patient.objects.filter(pk=patient.pk).update(erased_at=now - timedelta(days=1))
    assert closed(token, now) is Closed.ERASED


def test_a_link_without_a_visit_expires_after_thirty_days(patient: Patient, now: datetime) -> None:
    token = issued(patient_id=patient.pk, appointment=None, now=now)
    over = now + timedelta(days=30)
    assert links.open(token, now=over - timedelta(seconds=1)).appointment is None
    assert closed(token, over) is Closed.EXPIRED


def test_opening_a_link_writes_nothing(token: str, now: datetime) -> None:
    before = PatientLink.objects.values().get()
    links.open(token, now=now)
    assert PatientLink.objects.values().get() == before


def test_the_birth_date_proves_the_patient(token: str, patient: Patient, now: datetime) -> None:
    link = links.open(token, now=now)
    with pytest.raises(WrongBirthDate):
        links.prove_birth_date(link=link, birth_date=WRONG, now=now)
    links.prove_birth_date(link=link, birth_date=patient.birth_date, now=now)
    assert PatientLink.objects.get().failed_tries == 0


def test_five_wrong_birth_dates_close_the_link_even_for_the_right_one(
    token: str, patient: Patient, now: datetime
) -> None:
    link = links.open(token, now=now)
    left = []
    for _ in range(5):
        with pytest.raises(WrongBirthDate) as wrong:
            links.prove_birth_date(link=link, birth_date=WRONG, now=now)
        left.append(wrong.value.tries_left)
    assert left == [4, 3, 2, 1, 0]
    assert closed(token, now) is Closed.REVOKED
    with pytest.raises(LinkClosed):
        links.prove_birth_date(link=link, birth_date=patient.birth_date, now=now)
