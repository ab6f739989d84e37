"""What patients change by themselves from a link: confirm, move, cancel, take back, ask."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from appointments.lifecycle import State
from appointments.models import (
    Appointment,
    Gap,
    Hold,
    PatientLink,
    SchedulingSettings,
    Task,
)
from appointments.visits import attendance, booking, cancelling, moving, undoing
from clinic.audit import LOOKED
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from clinic.retelling import retold
from patients.models import Patient
from reminders.models import Message
from reminders.views.book_series import draft as drafts
from tests.links import issued
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SECOND, at

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Clock = time_machine.Traveller


@pytest.fixture
def url(visits: list[Appointment], patient: Patient, now: datetime) -> str:
    return f"/p/{issued(patient_id=patient.pk, appointment=visits[0], now=now)}/"


@pytest.fixture
def of_visit(url: str, visits: list[Appointment]) -> Callable[..., str]:
    return lambda act, number=0: f"{url}visits/{visits[number].pk}/{act}/"


def text_of(response: Any) -> str:
    return str(response.content.decode())


def moment(day: date, wall: str) -> str:
    return drafts.moment(at(day, wall))


def slots_in(text: str) -> list[str]:
    return re.findall(r'name="at" value="([^"]+)"', text)


def move_to(client: Client, address: str, when: str) -> Any:
    """Press a time, then the button that is asked for; the last answer."""
    kept = client.post(address, {"at": when})
    assert kept.status_code == 303, text_of(kept)
    page = client.get(kept["Location"])
    moves = re.findall(r'name="move" value="([^"]+)"', text_of(page))
    return client.post(f"{address}sure/", {"move": moves})


# --- Looking changes nothing, and every way in is the patient's own ------------------------------


def test_scanners_that_open_every_page_change_nothing(
    client: Client, url: str, of_visit: Any, visits: list[Appointment]
) -> None:
    def everything() -> list[Any]:
        rows = []
        for table in ("appointment", "statuschange", "hold", "allocation", "patientlink", "task"):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM appointments_{table} ORDER BY id")
                rows.append(cursor.fetchall())
        return [*rows, AuditEntry.objects.exclude(action=LOOKED).count()]

    before = everything()
    for page in ("move", "cancel", "ask"):
        response = client.get(of_visit(page))
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"] and "<script" not in text_of(response)
        for secret in ("microneedling", "Sato", "Okafor", "Room 1"):
            assert secret not in text_of(response)
    for query in ("?days=1", f"?day={FIRST + DAY}", "?day=nonsense", "?day=2020-01-01"):
        assert client.get(of_visit("move") + query).status_code == 200
    assert client.get(f"{of_visit('move')}sure/").status_code == 302
    assert client.get(f"{url}done/").status_code == 302
    for act in ("confirm",):
        assert client.get(of_visit(act)).headers["Location"] == url
    assert client.get(f"{url}take-back/").headers["Location"] == url
    assert everything() == before


@pytest.mark.parametrize("page", ["confirm", "move", "move/sure", "cancel", "ask"])
def test_a_visit_of_somebody_else_is_not_there_and_forgery_is_refused(
    client: Client, url: str, page: str, site: Site, visits: list[Appointment], front_desk: Staff,
    now: datetime,
) -> None:  # fmt: skip
    noor = a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")
    theirs = f"/p/{issued(patient_id=noor.pk, appointment=None, now=now)}/"
    for response in (
        client.post(f"{theirs}visits/{visits[0].pk}/{page}/", {"wish": "x"}),
        client.post(f"/p/not-a-token/visits/{visits[0].pk}/{page}/"),
    ):
        assert response.status_code == 404
        assert "10:00" not in text_of(response)
    other_purpose = issued(
        patient_id=visits[0].series.patient_id,
        appointment=visits[0],
        now=now,
        purpose=PatientLink.Purpose.UNSUBSCRIBE,
    )
    refused = client.post(f"/p/{other_purpose}/visits/{visits[0].pk}/{page}/")
    assert refused.status_code == 404
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"{url}visits/{visits[0].pk}/{page}/").status_code == 403
    visits[0].refresh_from_db()
    assert (visits[0].version, visits[0].state) == (1, "booked")
    assert Task.objects.count() == 0


# --- Confirming -----------------------------------------------------------------------------------


def test_one_press_confirms_and_a_second_says_the_same(
    client: Client, url: str, of_visit: Any, visits: list[Appointment]
) -> None:
    assert "Yes, I will come" in text_of(client.get(url))
    for _ in range(2):
        assert client.post(of_visit("confirm")).status_code == 303
        text = text_of(client.get(url))
        assert "Confirmed." in text and "Yes, I will come" not in text
    visits[0].refresh_from_db()
    assert (visits[0].state, visits[0].version) == ("confirmed", 2)
    entry = AuditEntry.objects.get(action="appointment.confirm")
    assert (entry.by_id, entry.via) == (None, "patient_page")


# --- Moving ---------------------------------------------------------------------------------------


def test_the_page_offers_a_few_times_then_days_then_times_of_a_day(
    client: Client, of_visit: Any
) -> None:
    text = text_of(client.get(of_visit("move", 1)))
    # 21 to 42 days after the first session, as the protocol asks.
    assert "between Thu 11 Mar and Thu 1 Apr" in text
    assert len(slots_in(text)) == 3
    assert "the same weekday and time" in text and "the same day" in text
    days = text_of(client.get(f"{of_visit('move', 1)}?days=1"))
    assert "Thu 1 Apr" in days and "Sun 14 Mar" not in days and "Fri 2 Apr" not in days
    # Up to 42 days before the third session, and no less than 21.
    assert "your later visits move along" in days.split("Thu 25 Mar")[1]
    on_day = slots_in(text_of(client.get(f"{of_visit('move', 1)}?day=2027-03-19")))
    assert moment(date(2027, 3, 19), "09:30") in on_day


def test_a_move_takes_three_presses_keeps_the_time_meanwhile_and_may_be_taken_back(
    client: Client, url: str, of_visit: Any, visits: list[Appointment], site: Site, clock: Clock,
    front_desk: Staff,
) -> None:  # fmt: skip
    wished = moment(SECOND + DAY, "11:00")
    kept = client.post(of_visit("move", 1), {"at": wished})
    hold = Hold.objects.get()
    assert (hold.purpose, hold.held_by, hold.patient_id) == (
        "own",
        None,
        visits[1].series.patient_id,
    )
    page = text_of(client.get(kept["Location"]))
    assert "Fri 19 Mar 11:00" in page and "Thu 18 Mar 10:00" in page
    assert "Your other visits stay as they are." in page
    assert "We keep this time for you until" in page
    moves = re.findall(r'name="move" value="([^"]+)"', page)
    for _ in range(2):  # pressed twice
        done = client.post(f"{of_visit('move', 1)}sure/", {"move": moves})
        assert (done.status_code, done["Location"]) == (303, f"{url}done/")
    # Who goes back to the question reads what became of it.
    wished = moment(SECOND + DAY, "11:00")
    back = client.get(f"{of_visit('move', 1)}sure/", {"at": wished})
    assert (back.status_code, back["Location"]) == (302, f"{url}done/")
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND + DAY, "11:00")
    assert visits[1].version == 2
    text = text_of(client.get(f"{url}done/"))
    assert "Your visit has a new time" in text and "Fri 19 Mar 11:00" in text
    assert "Instead of Thu 18 Mar 10:00." in text and "visits.ics" in text
    assert Hold.objects.standing(visits[1].scheduled_at).count() == 0
    assert Gap.objects.filter(opened_by__appointment=visits[1]).count() == 1
    change = visits[1].history.get(move="move")
    assert change.by is None
    # The link goes on speaking of the visits, and takes the move back.
    assert "Fri 19 Mar 11:00" in text_of(client.get(url))
    for _ in range(2):
        assert client.post(f"{url}take-back/").status_code == 303
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND, "10:00")
    assert "It is as it was" in text_of(client.get(f"{url}done/"))


def test_a_time_that_was_theirs_before_may_be_chosen_again(
    client: Client, of_visit: Any, visits: list[Appointment], front_desk: Staff
) -> None:
    wished = moment(SECOND + DAY, "11:00")
    move_to(client, of_visit("move", 1), wished)
    visits[1].refresh_from_db()
    undoing.undo(appointment=visits[1], by=front_desk, now=timezone.now())
    kept = client.post(of_visit("move", 1), {"at": wished})
    assert "Fri 19 Mar 11:00" in text_of(client.get(kept["Location"]))


def test_the_move_is_taken_back_only_until_messages_go_out_and_only_ones_own(
    client: Client, url: str, of_visit: Any, visits: list[Appointment], site: Site, clock: Clock,
    front_desk: Staff, now: datetime,
) -> None:  # fmt: skip
    move_to(client, of_visit("move", 1), moment(SECOND + DAY, "11:00"))
    clock.shift(timedelta(seconds=site.notice_hold_seconds))
    late = client.post(f"{url}take-back/")
    assert late.status_code == 409 and "too late to take it back" in text_of(late)
    assert "Take it back" not in text_of(client.get(f"{url}done/"))
    visits[1].refresh_from_db()
    moving.move(appointment=visits[1], starts_at=at(SECOND, "14:00"), by=front_desk, now=now)
    assert client.post(f"{url}take-back/").status_code == 409
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND, "14:00")


def test_later_visits_that_no_longer_fit_are_shown_and_move_along(
    client: Client, url: str, of_visit: Any, visits: list[Appointment]
) -> None:
    """On 1 April the second is two weeks before the third, which asks for three at least."""
    kept = client.post(of_visit("move", 1), {"at": moment(date(2027, 4, 1), "10:00")})
    page = text_of(client.get(kept["Location"]))
    assert "Your later visits move along" in page and "instead of Thu 15 Apr 10:00" in page
    moves = re.findall(r'name="move" value="([^"]+)"', page)
    assert client.post(f"{of_visit('move', 1)}sure/", {"move": moves}).status_code == 303
    second, third = (Appointment.objects.get(pk=visit.pk) for visit in visits[1:])
    assert second.starts_at == at(date(2027, 4, 1), "10:00")
    assert 21 <= (third.starts_at - second.starts_at).days <= 42
    assert "instead of Thu 15 Apr 10:00" in text_of(client.get(f"{url}done/"))
    client.post(f"{url}take-back/")
    third.refresh_from_db()
    assert third.starts_at == visits[2].starts_at


def test_a_time_near_the_present_one_is_kept_and_taken_too(
    client: Client, of_visit: Any, visits: list[Appointment]
) -> None:
    assert move_to(client, of_visit("move", 1), moment(SECOND, "10:30")).status_code == 303
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND, "10:30")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("20270310T1500", "does not allow this time"),  # twenty days after the first
        ("20270402T1400", "does not allow this time"),  # forty-three
        ("20270318T1400", "does not allow this time"),  # where it is
        ("garbled", "Please choose again"),
        ("20270319T0700", "does not allow this time"),  # at night
    ],
)
def test_a_time_that_was_never_offered_is_refused_kindly(
    client: Client, of_visit: Any, visits: list[Appointment], when: str, words: str
) -> None:
    response = client.post(of_visit("move", 1), {"at": when})
    assert response.status_code == 409
    assert words in text_of(response) and len(slots_in(text_of(response))) == 3
    visits[1].refresh_from_db()
    assert visits[1].version == 1


def test_a_forged_move_of_the_form_is_held_to_the_same_rules(
    client: Client, of_visit: Any, visits: list[Appointment]
) -> None:
    kept = client.post(of_visit("move", 1), {"at": moment(SECOND + DAY, "11:00")})
    (move,) = re.findall(r'name="move" value="([^"]+)"', text_of(client.get(kept["Location"])))
    too_early = move.replace("20270319", "20270305")
    for moves in ([too_early], ["garbled"], []):
        response = client.post(f"{of_visit('move', 1)}sure/", {"move": moves})
        assert response.status_code == 409
    visits[1].refresh_from_db()
    assert visits[1].version == 1


def test_of_two_who_want_one_time_the_loser_gets_the_next_three_and_keeps_the_visit(
    client: Client, of_visit: Any, visits: list[Appointment], site: Site, house: ProtocolVersion,
    front_desk: Staff, now: datetime, wish: Any,
) -> None:  # fmt: skip
    noor = a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")
    booked = booking.book_series(
        patient=noor, site=site, version=house, areas=["face"], visits=[wish(SECOND, "15:00")],
        by=front_desk, now=now,
    ).appointments.get()  # fmt: skip
    other = f"/p/{issued(patient_id=noor.pk, appointment=booked, now=now)}/visits/{booked.pk}/move/"
    wished = moment(SECOND + DAY, "11:00")
    assert client.post(other, {"at": wished}).status_code == 303  # she looks at it
    lost = client.post(of_visit("move", 1), {"at": wished})
    assert lost.status_code == 409 and "was just taken" in text_of(lost)
    nearest = slots_in(text_of(lost))
    assert len(nearest) == 3 and wished not in nearest
    # He chose another one, and somebody takes that while he thinks.
    kept = client.post(of_visit("move", 1), {"at": nearest[0]})
    moves = re.findall(r'name="move" value="([^"]+)"', text_of(client.get(kept["Location"])))
    Hold.objects.filter(patient=visits[1].series.patient).get().allocations.all().delete()
    Hold.objects.filter(patient=visits[1].series.patient).update(released_at=now)
    assert client.post(other, {"at": nearest[0]}).status_code == 303
    lost = client.post(f"{of_visit('move', 1)}sure/", {"move": moves})
    assert lost.status_code == 409 and "You still have your visit" in text_of(lost)
    assert len(slots_in(text_of(lost))) == 3
    visits[1].refresh_from_db()
    assert visits[1].version == 1


def test_what_is_kept_runs_out_and_says_so(client: Client, of_visit: Any, clock: Clock) -> None:
    kept = client.post(of_visit("move", 1), {"at": moment(SECOND + DAY, "11:00")})
    clock.shift(timedelta(minutes=5))
    response = client.get(kept["Location"], follow=True)
    assert "We do not keep this time for you any more" in text_of(response)


def test_within_the_notice_of_the_site_the_page_says_the_rule_and_the_number(
    client: Client, url: str, of_visit: Any, visits: list[Appointment], site: Site, clock: Clock
) -> None:
    SchedulingSettings.objects.create(site=site, notice_hours=48)
    clock.move_to(visits[0].starts_at - 48 * HOUR + timedelta(seconds=1))
    for response in (
        client.get(of_visit("move")),
        client.post(of_visit("move"), {"at": moment(FIRST, "16:00")}),
        client.post(f"{of_visit('move')}sure/", {"move": [f"{visits[0].pk}.1.x"]}),
    ):
        assert response.status_code == 409
        text = text_of(response)
        assert "less than 48 hours before" in text or "choose again" in text or "call" in text
        assert f"tel:{site.phone}" in text
    visits[0].refresh_from_db()
    assert visits[0].version == 1


def test_a_locked_visit_and_one_under_way_lead_to_the_number(
    client: Client, of_visit: Any, visits: list[Appointment], front_desk: Staff, clock: Clock
) -> None:
    Appointment.objects.filter(pk=visits[1].pk).update(is_locked=True)
    assert "has to keep its time" in text_of(client.get(of_visit("move", 1)))
    clock.move_to(visits[0].starts_at)
    attendance.check_in(appointment=visits[0], by=front_desk, now=visits[0].starts_at)
    for page in ("move", "cancel"):
        assert "has begun" in text_of(client.get(of_visit(page)))


# --- Cancelling -----------------------------------------------------------------------------------


def test_a_visit_is_cancelled_once_opens_a_gap_asks_staff_and_may_be_taken_back(
    client: Client, url: str, of_visit: Any, visits: list[Appointment]
) -> None:
    text = text_of(client.get(of_visit("cancel")))
    assert "Your other visits stay as they are. We will call you" in text
    assert "You can also change the time instead." in text
    for _ in range(2):
        done = client.post(of_visit("cancel"), {"reason": " A  trip \x00"})
        assert (done.status_code, done["Location"]) == (303, f"{url}done/")
    visit = Appointment.objects.get(pk=visits[0].pk)
    assert (visit.state, visit.cancelled_by_patient, visit.version) == ("cancelled", True, 2)
    assert visit.history.get(move="cancel").reason == "A trip"
    assert Gap.objects.filter(opened_by__appointment=visit).count() == 1
    task = Task.objects.get()
    assert (task.title, task.closed_at) == ("Cancelled by the patient: find a new time", None)
    assert "Your visit is cancelled" in text_of(client.get(f"{url}done/"))
    closed = client.get(url)
    assert closed.status_code == 410 and "This visit was cancelled" in text_of(closed)
    for _ in range(2):
        assert client.post(f"{url}take-back/").status_code == 303
    visit.refresh_from_db()
    task.refresh_from_db()
    assert (visit.state, visit.cancelled_by_patient) == (State.BOOKED, False)
    assert task.closed_at is not None
    assert client.get(url).status_code == 200


def test_cancelling_late_states_the_terms_in_the_patients_language_before_the_act(
    client: Client, of_visit: Any, visits: list[Appointment], site: Site, clock: Clock
) -> None:
    SchedulingSettings.objects.create(
        site=site, late_terms_en="It costs 50 dollars.", late_terms_es="Cuesta 50 dólares."
    )
    early = text_of(client.get(of_visit("cancel")))
    assert "You can cancel until Wed 17 Feb 10:00" in early and "50 dollars" in early
    clock.move_to(visits[0].starts_at - 2 * HOUR)
    late = text_of(client.get(of_visit("cancel")))
    assert "less than 24 hours before" in late and "It costs 50 dollars." in late
    assert "Cuesta 50 dólares." in text_of(client.get(f"{of_visit('cancel')}?lang=es"))
    client.post(of_visit("cancel"))
    assert "less than 24 hours" in retold(Task.objects.get().detail)


# --- Asking, dead links, languages ----------------------------------------------------------------


def test_who_finds_no_time_asks_and_staff_get_one_task_with_their_words(
    client: Client, of_visit: Any, visits: list[Appointment], front_desk: Staff
) -> None:
    empty = client.post(of_visit("ask"), {"wish": "  "})
    assert empty.status_code == 422 and "There is a problem" in text_of(empty)
    # A word of our catalogue stays what the patient wrote.
    for wish in ("Confirmed", "Confirmed", "or Fridays"):
        sent = client.post(of_visit("ask"), {"wish": wish}, follow=True)
        assert "We will call you" in text_of(sent)
    task = Task.objects.get()
    assert task.appointment == visits[0]
    assert (task.title, task.wish) == ("Wants another time", "Confirmed\nor Fridays")
    client.force_login(front_desk)
    read = client.get(f"/tasks/?site={visits[0].site.slug}", headers={"Accept-Language": "es"})
    assert "“Confirmed\nor Fridays”" in text_of(read)


def test_each_dead_link_has_its_page_and_some_a_way_to_a_new_one(
    client: Client, url: str, visits: list[Appointment], patient: Patient, front_desk: Staff,
    now: datetime, clock: Clock,
) -> None:  # fmt: skip
    moving.move(appointment=visits[0], starts_at=at(FIRST, "14:00"), by=front_desk, now=now + HOUR)
    moved = client.get(url)
    assert moved.status_code == 410 and "This visit was moved" in text_of(moved)
    assert "14:00" not in text_of(moved)
    for _ in range(2):
        sent = client.post(f"{url}new-link/")
        assert sent.status_code == 200 and "a new one is on its way" in text_of(sent)
    message = Message.objects.get(kind="new_link")
    assert message.patient_id == patient.pk
    assert "a new one is on its way" in text_of(client.post("/p/garbled/new-link/"))
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now + HOUR)
    assert "new-link" not in text_of(client.get(url))
    assert Message.objects.filter(kind="new_link").count() == 1
    Patient.objects.filter(pk=patient.pk).update(erased_at=now)
    gone = client.get(url)
    assert gone.status_code == 410 and "There is nothing here any more" in text_of(gone)


def test_every_page_switches_its_language_and_the_browser_keeps_it(
    client: Client, url: str, of_visit: Any
) -> None:
    assert 'href="?lang=es"' in text_of(client.get(url))
    spanish = client.get(f"{of_visit('move', 1)}?days=1&lang=es")
    assert "Elija un día" in text_of(spanish) and "?days=1&amp;lang=en" in text_of(spanish)
    assert spanish.cookies["afterglow_language"]["path"] == "/p/"
    assert "Su cita" in text_of(client.get(url))
    assert "lang=xx" not in text_of(client.get(f"{url}?lang=xx"))
