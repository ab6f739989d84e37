"""Death, a wish not to be contacted, guardians: who is written to and who is not."""

from datetime import UTC, date, datetime, timedelta

import pytest

from appointments.models import Appointment, PatientLink, Task
from clinic.access import Forbidden
from clinic.models import ProtocolVersion, Site, Staff
from patients import consent, guardians, registration
from patients.models import Patient
from patients.registration import RegistrationRefused
from reminders import gate
from reminders.catalogue import Channel, Kind, MessageState
from reminders.journeys import addressing, recipients, replanning
from reminders.ledger import opting_out
from reminders.models import Message
from reminders.records import stopping
from reminders.records.stopping import LifeRefused
from reminders.sending import dispatch, taking
from reminders.views.records import asking
from tests.links import issued
from tests.personas import a_patient
from tests.reminders.ledger import a_visit, queued
from tests.reminders.records.test_merging import broken

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def visit(patient: Patient, site: Site, house: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, house, now=now)


def planned() -> set[str]:
    rows = Message.objects.filter(state=MessageState.SCHEDULED)
    return set(rows.values_list("key", flat=True))


@pytest.mark.parametrize("what", ["death", "no contact"])
def test_everything_stops_at_once_and_goes_on_when_it_was_a_mistake(
    what: str, visit: Appointment, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    wanted = planned()
    token = issued(patient_id=patient.pk, appointment=visit, now=now)
    assert wanted and token
    if what == "death":
        stopping.record_death(patient=patient, by=front_desk, now=now)
        stopping.record_death(patient=patient, by=front_desk, now=now + DAY)  # twice is once
    else:
        stopping.stop_contact(patient=patient, reason="Lawyer’s letter", by=front_desk, now=now)
        with pytest.raises(LifeRefused, match="already"):
            stopping.stop_contact(patient=patient, reason="x", by=front_desk, now=now)
    # Also what is not planned anew yet: the stale patient's messages are not taken up.
    assert dispatch.send_due(now=now + 30 * DAY).total() == 0
    replanning.sync_stale(now=now)
    assert planned() == set()
    # And what somebody says at once, whatever its priority: the gate has the last word.
    patient.refresh_from_db()
    Patient.objects.update(planned_revision=patient.revision)
    for kind in (Kind.STAFF_REPLY, Kind.BOOKING_CONFIRMED):
        said = queued(visit, now=now, kind=kind)
        said = Message.objects.select_related("patient", "site").get(pk=said.pk)
        decision = gate.decide(taking.envelope(said), recipients.of([said])[said.pk], now=now)
        assert isinstance(decision, gate.Skip)
        assert decision.reason == ("deceased" if what == "death" else "do_not_contact")
        said.delete()
    task = Task.objects.open().get(key__startswith="life.")
    assert "RF microneedling" in task.detail or visit.protocol_version.name in task.detail
    assert stopping.visits_to_come(patient, now=now) == [visit]
    revoked = PatientLink.objects.filter(revoked_at=now).count()
    assert revoked == (1 if what == "death" else 0)

    act = stopping.take_back_death if what == "death" else stopping.allow_contact
    with pytest.raises(LifeRefused, match="why"):
        act(patient=patient, reason=" ", by=front_desk, now=now + DAY)
    act(patient=patient, reason="Mixed up with her mother", by=front_desk, now=now + DAY)
    replanning.sync_stale(now=now + DAY)
    assert planned() == wanted
    assert not Task.objects.open().filter(key__startswith="life.").exists()
    assert not PatientLink.objects.filter(revoked_at=now).exists()
    with pytest.raises(LifeRefused):
        act(patient=patient, reason="again", by=front_desk, now=now + DAY)
    # The visit of this test holds no place, and nothing was sent meanwhile.
    assert not broken(now + DAY, without=("places", "overdue"))


def test_only_who_may_edit_the_patient_stops_anything(
    patient: Patient, outsider: Staff, provider: Staff, now: datetime
) -> None:
    for stranger in (outsider, provider):
        with pytest.raises(Forbidden):
            stopping.record_death(patient=patient, by=stranger, now=now)
        with pytest.raises(Forbidden):
            stopping.stop_contact(patient=patient, reason="x", by=stranger, now=now)
        with pytest.raises(Forbidden):
            guardians.add(patient=patient, name="Ana", relation="parent", by=stranger, now=now)


@pytest.fixture
def child(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(
        site, front_desk, now, given="Noor", family="Haddad", phone="+12125550177", email="",
        birth_date=date(2010, 3, 1),
    )  # fmt: skip


def test_a_minors_guardian_is_written_to_in_their_own_language_until_the_18th_birthday(
    child: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    mother = guardians.add(
        patient=child, name="Ana Haddad", relation="parent", phone="+1 212 555 0188",
        language="es", may_sign=True, by=front_desk, now=now,
    )  # fmt: skip
    # The form of the patient's own number does not touch the guardian's.
    registration.change(
        patient=child, expected_version=1, by=front_desk, now=now, phone="+12125550199"
    )
    found = recipients.at_site(child, site, now=now)[Channel.SMS]
    assert (found.address, found.language) == ("+12125550188", "es")
    assert addressing.reader_of(child, found).language == "es"
    assert guardians.who_may_sign(child, now.date()) == [mother]
    of_age = datetime(2028, 3, 1, 15, tzinfo=now.tzinfo)
    grown = recipients.at_site(child, site, now=of_age)[Channel.SMS]
    assert (grown.address, grown.language) == ("+12125550199", "")
    assert guardians.who_may_sign(child, of_age.date()) == []
    # A STOP from the guardian's number counts for the child.
    assert child.pk in opting_out.sharers(Channel.SMS, "+12125550188")
    guardians.end(guardian=mother, reason="Custody", by=front_desk, now=now)
    assert recipients.at_site(child, site, now=now)[Channel.SMS].address == "+12125550199"


def of_age_on(
    birthday: date, site: Site, front_desk: Staff, *, added_at: datetime
) -> tuple[Patient, str]:
    """Who comes of age on a day, and the number of their guardian."""
    born = birthday.replace(year=birthday.year - 18)
    child = a_patient(
        site, front_desk, added_at, given="Noor", family="Haddad", email="", birth_date=born
    )
    guardians.add(
        patient=child, name="Ana", relation="parent", phone="+12125550188", by=front_desk,
        now=added_at,
    )  # fmt: skip
    return child, "+12125550188"


@pytest.mark.parametrize("month", range(1, 13))
def test_the_guardian_is_written_to_on_the_eve_too_however_long_the_month(
    month: int, site: Site, front_desk: Staff, now: datetime
) -> None:
    birthday = date(2028, month, 2)
    child, guardians_number = of_age_on(birthday, site, front_desk, added_at=now)
    noon = datetime(2028, month, 1, 17, tzinfo=UTC)
    assert recipients.at_site(child, site, now=noon)[Channel.SMS].address == guardians_number
    grown = recipients.at_site(child, site, now=noon + DAY)[Channel.SMS].address
    assert grown not in ("", guardians_number)


def test_one_is_a_minor_until_the_birthday_begins_at_the_site(
    site: Site, front_desk: Staff
) -> None:
    eve = datetime(2027, 3, 2, 2, tzinfo=UTC)  # nine in the evening of the first
    child, guardians_number = of_age_on(date(2027, 3, 2), site, front_desk, added_at=eve)
    assert asking.panel(child, front_desk, now=eve)["is_minor"]
    assert recipients.at_site(child, site, now=eve)[Channel.SMS].address == guardians_number
    day = eve + timedelta(hours=3)
    with pytest.raises(RegistrationRefused, match="of age"):
        guardians.add(patient=child, name="Bo", relation="parent", by=front_desk, now=day)
    assert not asking.panel(child, front_desk, now=day)["is_minor"]
    assert recipients.at_site(child, site, now=day)[Channel.SMS].address != guardians_number


def test_a_shared_phone_is_the_guardians_and_the_childs(
    child: Patient, patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    guardians.add(
        patient=child, name="Elena", relation="parent", phone="+12125550123", by=front_desk,
        now=now,
    )  # fmt: skip
    assert opting_out.sharers(Channel.SMS, "+12125550123") == sorted([child.pk, patient.pk])
    registration.change(
        patient=child, expected_version=1, by=front_desk, now=now, phone="+12125550123"
    )
    assert recipients.at_site(child, site, now=now)[Channel.SMS].address == "+12125550123"
    assert consent.standing([child.pk])


def test_an_adult_has_no_guardian_and_one_is_written_to(
    patient: Patient, child: Patient, front_desk: Staff, now: datetime
) -> None:
    def add(to: Patient, **more: object) -> None:
        asked = {"name": "Ana", "relation": "parent", "phone": "+12125550166"} | more
        guardians.add(patient=to, by=front_desk, now=now, **asked)  # type: ignore[arg-type]

    with pytest.raises(RegistrationRefused, match="of age"):
        add(patient)
    with pytest.raises(RegistrationRefused, match="reach"):
        add(child, phone="")
    add(child)
    with pytest.raises(RegistrationRefused, match="Another"):
        add(child, name="Bo", phone="+12125550165")
    add(child, name="Bo", phone="", gets_messages=False)
