"""One visit: what its page shows, and moving, cancelling and taking back from it."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import partial
from html import unescape

import pytest
import time_machine
from django.db.models import F
from django.test import Client
from django.urls import reverse

from appointments.lifecycle import State
from appointments.models import Appointment, SchedulingSettings, TreatmentSeries
from appointments.visits import attendance, booking, cancelling, moving
from clinic.models import AuditEntry, OpeningHours, ProviderHours, Site, Staff
from reminders.catalogue import NOTICES
from reminders.journeys import replanning
from reminders.models import Message
from reminders.views import visit_preparation
from reminders.views.book_series.draft import written
from tests.reminders.views.conftest import FIRST, SECOND, THIRD, SignIn, Wish, at

pytestmark = pytest.mark.django_db


def page(visit: Appointment) -> str:
    return reverse("visit", args=[visit.pk])


def move_url(visit: Appointment) -> str:
    return reverse("visit-move", args=[visit.pk])


def body(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_the_page_shows_series_resources_history_and_messages(
    desk: Client, visits: list[Appointment], now: datetime
) -> None:
    replanning.sync_stale(now=now)
    shown = body(desk.get(page(visits[1])))
    for words in (
        "Elena Sato",
        "2/3",
        "Thu 18 Mar 10:00",
        "Sam Okafor",
        "Room 1",
        "Needle 1",
        "Booked</b>",
        "Ana Front",
        "Last reminder",
        "Scheduled",
        "Why",
    ):
        assert words in shown
    for sibling in visits:
        assert page(sibling) in shown


def test_what_the_patient_prepares_is_listed_with_whether_they_were_told(
    desk: Client, visits: list[Appointment], now: datetime
) -> None:
    replanning.sync_stale(now=now)
    prepared = body(desk.get(page(visits[2]))).split('id="preparation"')[1].split("</section>")[0]
    assert "No waxing" in prepared
    assert "Will be told <time" in prepared
    assert "Not told" not in prepared

    # Nobody has planned or said a word of the visit: all of it is to be said by word of mouth.
    Message.objects.all().delete()
    untold = body(desk.get(page(visits[2]))).split('id="preparation"')[1].split("</section>")[0]
    assert "to say by word of mouth" in untold
    assert untold.count("Not told") == prepared.count("Will be told")


def test_a_visit_that_is_over_asks_for_no_preparation(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    assert 'id="preparation"' not in body(desk.get(page(visits[0])))


TOLD = datetime(2027, 1, 4, 15, tzinfo=UTC)
DUE = datetime(2027, 2, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], (None, None)),
        ([("delivered", TOLD), ("scheduled", None)], (TOLD, None)),
        ([("scheduled", None)], (None, DUE)),
        ([("failed", TOLD)], (None, None)),
        ([("undelivered", TOLD), ("scheduled", None)], (None, DUE)),
        ([("skipped", None), ("withdrawn", None)], (None, None)),
    ],
)
def test_a_step_was_told_once_one_message_went_out_and_arrived_as_far_as_one_knows(
    messages: list[tuple[str, datetime | None]],
    said: tuple[datetime | None, datetime | None],
) -> None:
    carried = [
        Message(steps=["sun", "waxing"], state=state, accepted_at=at, due_at=DUE)
        for state, at in messages
    ]
    assert visit_preparation.said_of("sun", carried) == said
    assert visit_preparation.said_of("alcohol", carried) == (None, None)


def test_every_breach_shows_ever_after_with_its_own_reason_beside_that_of_the_move(
    sign_in: SignIn, visits: list[Appointment], manager: Staff, now: datetime
) -> None:
    close = at(FIRST + timedelta(days=15), "10:00")
    move = partial(moving.move, appointment=visits[1], by=manager, now=now)
    move(starts_at=close, reason="Asked for it", override_reason="Leaves the country")
    move(starts_at=at(SECOND, "13:00"))
    near = move(
        starts_at=at(FIRST + timedelta(days=14), "10:00"), override_reason="Flies a day earlier"
    )
    assert near.overrides == ["interval_too_short"]
    shown = body(sign_in(manager).get(page(visits[1])))
    for said in ("“Asked for it”", "Leaves the country", "Flies a day earlier"):
        assert said in shown
    assert shown.count("Interval shorter than allowed") == 2


def test_the_words_of_a_patient_are_shown_as_they_were_written_in_every_language(
    sign_in: SignIn, visits: list[Appointment], manager: Staff, now: datetime
) -> None:
    Staff.objects.filter(pk=manager.pk).update(language="es")
    cancelling.cancel(appointment=visits[1], by=None, by_patient=True, reason="Confirmed", now=now)
    moving.move(
        appointment=visits[2],
        by=manager,
        now=now,
        starts_at=at(THIRD, "13:00"),
        reason="Earlier place from the wait-list",
    )
    assert "“Confirmed”" in body(sign_in(manager).get(page(visits[1])))
    ours = body(sign_in(manager).get(page(visits[2])))
    assert "“Earlier place from the wait-list”" not in ours


def test_the_series_may_be_ended_from_the_page_of_a_visit(
    desk: Client, visits: list[Appointment]
) -> None:
    end = reverse("series-end", args=[visits[0].series_id])
    assert end in body(desk.get(page(visits[0])))
    desk.post(end, {"reason": "Moves abroad"})
    assert end not in body(desk.get(page(visits[0])))


def test_a_stranger_finds_no_visit(stranger: Client, visits: list[Appointment]) -> None:
    for name in ("visit", "visit-cancel", "visit-move"):
        assert stranger.get(reverse(name, args=[visits[0].pk])).status_code == 404
    for name in ("visit-cancel", "visit-move"):
        sent = {"reason": "No", "place": "20270219T1500~1~1~1"}
        assert stranger.post(reverse(name, args=[visits[0].pk]), sent).status_code == 404
    visits[0].refresh_from_db()
    assert visits[0].version == 1


def test_an_act_that_does_not_exist_is_not_found(desk: Client, visits: list[Appointment]) -> None:
    assert desk.post(reverse("visit-act", args=[visits[0].pk, "explode"])).status_code == 404


def test_a_visit_is_locked_and_unlocked_on_its_page_and_marked_on_the_day(
    desk: Client, visits: list[Appointment]
) -> None:
    url = reverse("visit-act", args=[visits[1].pk, "lock"])
    locked = body(desk.post(url, {"version": 1}, follow=True))
    assert "locked to its time" in locked and ">Unlock</button>" in locked
    assert move_url(visits[1]) not in locked
    day = body(desk.get(f"{reverse('day-list')}?date={SECOND}"))
    assert "Locked to its time" in day
    assert desk.get(move_url(visits[1])).status_code == 403
    url = reverse("visit-act", args=[visits[1].pk, "unlock"])
    unlocked = body(desk.post(url, {"version": 2}, follow=True))
    assert ">Lock</button>" in unlocked and move_url(visits[1]) in unlocked


# --- Cancelling -----------------------------------------------------------------------------------


def test_cancelling_asks_for_a_reason_and_says_whose_wish_it_was(
    desk: Client, visits: list[Appointment]
) -> None:
    url = reverse("visit-cancel", args=[visits[1].pk])
    refused = desk.post(url, {"version": 1, "reason": " ", "by_patient": "on"})
    assert refused.status_code == 422
    assert "Write why" in body(refused)
    done = desk.post(url, {"version": 1, "reason": "Travels", "by_patient": "on"}, follow=True)
    visits[1].refresh_from_db()
    assert visits[1].state == State.CANCELLED
    assert visits[1].cancelled_by_patient
    assert "“Travels”" in body(done)
    assert "visit cancelled" in body(done)


def test_a_cancellation_that_is_not_told_says_so_and_who_chose_it(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    told = {"imported_at": now, "imported_start": F("starts_at")}
    Appointment.objects.update(**told)  # they know of them from elsewhere
    url = reverse("visit-cancel", args=[visits[0].pk])
    asked = body(desk.get(url))
    assert re.findall(r'name="tell" value="(\w+)"( checked)?', asked) == [
        ("yes", " checked"),
        ("no", ""),
    ]
    refused = body(desk.post(url, {"version": 1, "reason": " ", "tell": "no"}))
    assert 'value="no" checked' in refused
    seen = [f"{visit.pk}.1" for visit in visits[1:]]
    sent = {"version": 1, "reason": "Rang", "tell": "no", "later": "on", "seen": seen}
    desk.post(url, sent)
    replanning.sync_stale(now=now)
    shown = body(desk.get(page(visits[1])))
    assert "The front desk chose not to tell the patient." in shown
    assert f"The front desk chose not to tell the patient: {front_desk.name}, " in shown
    assert "The patient is not told." in shown
    spanish = body(desk.get(page(visits[1]), headers={"accept-language": "es"}))
    assert f"La recepción decidió no avisar al paciente: {front_desk.name}, " in spanish
    assert "La sesión 2 del jue 18 mar 10:00 se canceló." in spanish
    assert "%(" not in shown + spanish
    entries = AuditEntry.objects.filter(action="appointment.cancel")
    assert [entry.after["patient_told"] for entry in entries] == [False] * 3
    desk.post(reverse("visit-act", args=[visits[0].pk, "undo"]), {"version": 2})
    replanning.sync_stale(now=now)
    back = Message.objects.filter(items__anchor=f"visit:{visits[0].pk}").exclude(state="withdrawn")
    assert back.filter(kind="reminder_final", state="scheduled").exists()
    assert not back.filter(kind__in=NOTICES, state="scheduled").exists()
    assert not Message.objects.filter(kind="cancelled", state="scheduled").exists()


def test_a_cancelled_visit_comes_back_by_undo(desk: Client, visits: list[Appointment]) -> None:
    desk.post(reverse("visit-cancel", args=[visits[1].pk]), {"version": 1, "reason": "Slip"})
    shown = desk.post(
        reverse("visit-act", args=[visits[1].pk, "undo"]), {"version": 2}, follow=True
    )
    visits[1].refresh_from_db()
    assert visits[1].state == State.BOOKED
    assert "Taken back" in body(shown)


def test_the_later_visits_go_with_it_and_all_come_back_by_one_undo(
    desk: Client, visits: list[Appointment], site: Site
) -> None:
    SchedulingSettings.objects.update_or_create(
        site=site, defaults={"notice_hours": 168, "late_terms_en": "Half of the price."}
    )
    url = reverse("visit-cancel", args=[visits[0].pk])
    asked = body(desk.get(url))
    assert "The 2 later sessions too" in asked and "What the clinic asks then: Half of" in asked
    seen = [f"{visit.pk}.1" for visit in visits[1:]]
    assert re.findall(r'name="seen" value="([^"]+)"', asked) == seen
    sent = {"version": 1, "reason": "Moves away", "later": "on", "seen": seen}
    done = body(desk.post(url, sent, follow=True))
    assert "3 visits cancelled" in done
    assert {visit.state for visit in Appointment.objects.all()} == {State.CANCELLED}
    toast = done[done.index("3 visits cancelled") :]
    undo = unescape(toast.split('action="')[1].split('"')[0])
    assert "take-back" in undo
    desk.post(undo)
    assert {visit.state for visit in Appointment.objects.all()} == {State.BOOKED}
    # None of them when the one that was seen is another by now.
    assert desk.post(url, {**sent, "version": 1}).status_code == 409
    assert {visit.state for visit in Appointment.objects.all()} == {State.BOOKED}


def test_later_visits_that_are_not_as_they_were_seen_are_not_cancelled(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    url = reverse("visit-cancel", args=[visits[0].pk])
    sent = {"version": 1, "reason": "Moves away", "later": "on"}
    attendance.confirm(appointment=visits[1], by=front_desk, now=now)
    seen = [f"{visit.pk}.1" for visit in visits[1:]]
    stale = desk.post(url, {**sent, "seen": seen})
    shown = body(stale)
    assert stale.status_code == 409 and 'value="Moves away"' in shown
    assert "Session 2: Not done: you saw “Booked" in shown and "it is “Confirmed" in shown
    assert "Session 1:" not in shown and "Session 3:" not in shown
    # Nor is one that was not shown at all, and what cannot be read was not.
    unseen = body(desk.post(url, {**sent, "seen": [seen[1], "x.1", "7"]}))
    assert "Session 2: Not done: it is “Confirmed" in unseen
    assert not Appointment.objects.filter(state=State.CANCELLED).exists()
    again = re.findall(r'name="seen" value="([^"]+)"', shown)
    assert "3 visits cancelled" in body(desk.post(url, {**sent, "seen": again}, follow=True))


def test_check_in_says_what_is_lacking_and_is_one_press(
    desk: Client, stranger: Client, visits: list[Appointment], front_desk: Staff
) -> None:
    url = reverse("visit-check-in", args=[visits[0].pk])
    early = body(desk.get(url))
    assert "Patients are checked in on the day" in early and "4 May 1988" in early
    with time_machine.travel(visits[0].starts_at - timedelta(minutes=10), tick=False):
        desk.force_login(front_desk)
        shown = body(desk.get(url))
        assert "Ask for two of these" in shown and "to ask" in shown
        desk.post(url, {"version": visits[0].version})
        visits[0].refresh_from_db()
        assert visits[0].state == State.ARRIVED
        assert "They are here already." in body(desk.get(url))
    assert stranger.get(url).status_code == 404


def test_a_stale_cancelling_keeps_the_reason_and_shows_both_values(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[1], by=front_desk, now=now)
    # Also where something else is to be mended first: the next press would not be stale any more.
    for reason, status in (("Travels", 409), ("", 422)):
        answer = desk.post(
            reverse("visit-cancel", args=[visits[1].pk]), {"version": 1, "reason": reason}
        )
        assert answer.status_code == status
        assert f'value="{reason}"' in body(answer)
        assert "you saw “Booked" in body(answer)
        assert "it is “Confirmed" in body(answer)


# --- Moving ---------------------------------------------------------------------------------------


def test_a_visit_moves_to_a_free_start_of_another_day(
    desk: Client, visits: list[Appointment], wish: Wish
) -> None:
    friday = date(2027, 3, 19)
    choice = written(wish(friday, "14:00"))
    shown = body(desk.get(f"{move_url(visits[1])}?day={friday}"))
    assert choice in shown
    done = desk.post(move_url(visits[1]), {"version": 1, "place": choice}, follow=True)
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(friday, "14:00")
    assert "session 2 moved to Fri 19 Mar 14:00" in body(done)


def test_the_days_of_the_picker_come_as_a_part_to_htmx(
    desk: Client, visits: list[Appointment]
) -> None:
    part = body(desk.get(move_url(visits[1]), headers={"HX-Request": "true"}))
    assert 'id="choose"' in part
    assert "<html" not in part


def test_an_interval_breach_names_the_earliest_valid_date_and_who_may(
    desk: Client, visits: list[Appointment], wish: Wish
) -> None:
    refused = desk.post(
        move_url(visits[1]),
        {"version": 1, "place": written(wish(date(2027, 3, 3))), "reason": "Wedding"},
    )
    assert refused.status_code == 409
    shown = body(refused)
    assert "The earliest valid date is Thu 11 Mar" in shown
    assert "?day=2027-03-11" in shown
    assert "Only a manager or clinical lead" in shown
    assert 'value="Wedding"' in shown
    assert 'name="override_reason"' not in shown


def test_a_manager_overrides_an_interval_with_a_reason(
    sign_in: SignIn, manager: Staff, visits: list[Appointment], wish: Wish
) -> None:
    client, place = sign_in(manager), written(wish(date(2027, 3, 3)))
    asked = body(client.post(move_url(visits[1]), {"version": 1, "place": place}))
    assert 'name="override_reason"' in asked
    client.post(
        move_url(visits[1]), {"version": 1, "place": place, "override_reason": "Lead agreed"}
    )
    visits[1].refresh_from_db()
    assert visits[1].override_reason == "Lead agreed"


def test_a_typed_time_is_the_wall_time_of_the_site(desk: Client, visits: list[Appointment]) -> None:
    desk.post(move_url(visits[1]), {"version": 1, "day": str(SECOND), "time": "16:05"})
    visits[1].refresh_from_db()
    # The clocks went forward on 14 March: 16:05 is four hours behind UTC, no longer five.
    assert visits[1].starts_at == datetime(2027, 3, 18, 20, 5, tzinfo=UTC)


def test_a_typed_time_that_no_clock_shows_is_refused_with_the_next_one(
    desk: Client, visits: list[Appointment]
) -> None:
    answer = desk.post(move_url(visits[1]), {"version": 1, "day": "2027-03-14", "time": "02:30"})
    assert answer.status_code == 409
    assert "02:30 does not exist on Sun 14 Mar" in body(answer)
    assert 'value="02:30"' in body(answer)
    assert 'name="start" value="20270314T0700"' in body(answer)


def test_a_start_that_is_offered_instead_is_one_press_away_and_keeps_what_was_typed(
    desk: Client, visits: list[Appointment]
) -> None:
    typed = {"version": 1, "day": str(SECOND), "time": "16:30", "reason": "Work"}
    refused = desk.post(move_url(visits[1]), typed)
    shown = body(refused)
    assert refused.status_code == 409
    assert "It can start from 09:05 to 16:10." in shown
    assert 'value="16:30"' in shown and 'value="Work"' in shown
    assert 'name="start" value="20270318T2010">' in shown
    desk.post(move_url(visits[1]), {**typed, "start": "20270318T2010"})
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND, "16:10")


@pytest.mark.parametrize("start", ["x", "20271399T9999", "20270318T2010Z"])
def test_an_offered_start_that_was_tampered_with_is_refused_in_words(
    desk: Client, visits: list[Appointment], start: str
) -> None:
    answer = desk.post(move_url(visits[1]), {"version": 1, "start": start})
    assert answer.status_code == 409
    assert "Choose a free start" in body(answer)


def test_enter_in_a_field_moves_to_what_was_typed_and_to_no_free_start(
    desk: Client, visits: list[Appointment]
) -> None:
    shown = body(desk.get(f"{move_url(visits[1])}?day={SECOND}"))
    form = shown[shown.index('id="choose"') :]
    first = form[form.index("<button") :]
    assert 'name="place"' in form
    assert "name=" not in first[: first.index(">")]


def test_a_typed_time_that_comes_twice_asks_which(desk: Client, visits: list[Appointment]) -> None:
    OpeningHours.objects.create(site=visits[0].site, weekday=6, opens=0, closes=1440)
    provider = ProviderHours.objects.first()
    assert provider is not None
    ProviderHours.objects.create(
        provider=provider.provider, site=visits[0].site, weekday=6, starts=0, ends=1440
    )
    typed = {"version": 1, "day": "2027-11-07", "time": "01:30"}
    asked = desk.post(move_url(visits[2]), typed)
    assert asked.status_code == 409
    assert "01:30 comes twice on Sun 7 Nov" in body(asked)
    assert 'name="fold"' in body(asked)
    # Which of the two it was is now clear; the protocol's interval is what refuses.
    second = body(desk.post(move_url(visits[2]), {**typed, "fold": "1"}))
    assert "comes twice" not in second
    assert "days after session 2" in second


@pytest.mark.parametrize("time", ["", "quarter past", "25:00"])
def test_what_is_no_time_is_refused_in_words(
    desk: Client, visits: list[Appointment], time: str
) -> None:
    answer = desk.post(move_url(visits[1]), {"version": 1, "day": "2027-03-18", "time": time})
    assert "Choose a free start" in body(answer)


def test_a_taken_place_offers_the_nearest_free_starts(
    desk: Client,
    visits: list[Appointment],
    series: TreatmentSeries,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> None:
    from tests.personas import a_patient

    other = a_patient(
        series.site, front_desk, now, given="Nadia", phone="+12125550177", email="n@p.example"
    )
    friday = date(2027, 3, 19)
    booking.book_series(
        patient=other,
        site=series.site,
        version=series.protocol_version,
        areas=["face"],
        visits=[wish(friday, "14:00")],
        by=front_desk,
        now=now,
    )
    answer = desk.post(move_url(visits[1]), {"version": 1, "place": written(wish(friday, "14:00"))})
    assert answer.status_code == 409
    assert "was just taken at Fri 19 Mar 14:00" in body(answer)
    assert "Nearest free starts" in body(answer)


def test_a_stale_move_shows_both_values_and_moves_nothing(
    desk: Client, visits: list[Appointment], front_desk: Staff, wish: Wish, now: datetime
) -> None:
    attendance.confirm(appointment=visits[1], by=front_desk, now=now)
    place = written(wish(date(2027, 3, 19), "14:00"))
    answer = desk.post(move_url(visits[1]), {"version": 1, "place": place})
    assert answer.status_code == 409
    assert "it is “Confirmed, Thu 18 Mar 10:00” now" in body(answer)
    visits[1].refresh_from_db()
    assert visits[1].starts_at == at(SECOND, "10:00")


def test_a_visit_that_is_done_offers_no_move(
    desk: Client, visits: list[Appointment], front_desk: Staff
) -> None:
    visit = attendance.check_in(appointment=visits[2], by=front_desk, now=at(THIRD, "10:00"))
    visit = attendance.start(appointment=visit, by=front_desk, now=at(THIRD, "10:00"))
    assert move_url(visit) not in body(desk.get(page(visit)))
    answer = desk.get(move_url(visit))
    assert answer.status_code == 403
    assert "in treatment, so it cannot be moved" in body(answer)
