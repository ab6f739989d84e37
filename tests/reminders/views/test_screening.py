"""Screening on the way to a visit: before booking, by the patient's link, and what is said then."""

import re
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from appointments.clearance import answering, treatment_of
from appointments.models import Appointment, Task
from clinic.consent_forms import in_force
from clinic.models import ProtocolVersion, Site, Staff
from clinic.retelling import retold
from patients.models import Patient, ScreeningAnswer, ScreeningMoment
from patients.screening.answers import FITTING, Said, Value
from patients.screening.questions import questions_of
from reminders.catalogue import Kind
from reminders.journeys import foreseeing
from reminders.journeys.preview import ImaginedVisit
from reminders.journeys.replanning import sync_stale
from reminders.models import Message
from tests.links import issued
from tests.patients.signing.conftest import publish
from tests.reminders.views.conftest import FIRST, SECOND, at
from tests.reminders.views.test_forms_pages import sign

pytestmark = pytest.mark.django_db
SCREENING, DATES = "/series/new/screening/", "/series/new/dates/"


def text_of(response: Any) -> str:
    return str(response.content.decode())


def clear_answers(page: str) -> dict[str, str]:
    """No or never to every question of a page."""
    names = {line.split('"')[0] for line in page.split('type="radio" name="')[1:]}
    return {name: "never" if f'name="{name}" value="never"' in page else "no" for name in names}


@pytest.fixture
def wanted(patient: Patient, house: ProtocolVersion, site: Site) -> dict[str, Any]:
    return {
        "site": site.slug,
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 1,
    }


# --- Before booking -------------------------------------------------------------------------------


def test_the_first_step_leads_to_the_questions_and_they_to_the_dates(
    desk: Client, wanted: dict[str, Any], house: ProtocolVersion, patient: Patient
) -> None:
    first: dict[str, Any] = {
        "patient": patient.pk,
        "protocol": house.pk,
        f"area_{house.pk}": "face",
    }
    at = desk.get(DATES, first)["Location"]
    assert at.startswith(SCREENING)
    page = text_of(desk.get(at))
    assert "When did you last take isotretinoin by mouth?" in page and "Ask later" in page
    assert "When did you last use a retinoid" not in page  # that is asked before the visit
    answers = clear_answers(page)
    done = desk.post(SCREENING, wanted | answers | {"skin_type": "III"})
    assert done.status_code == 303 and done["Location"].startswith(DATES)
    assert ScreeningAnswer.objects.filter(by__isnull=False, moment="consult").count() > 15
    assert desk.get(DATES, first)["Location"].startswith(DATES)  # answered, so passed by itself


def test_no_place_is_offered_for_what_may_never_be_booked(
    desk: Client, wanted: dict[str, Any]
) -> None:
    assert desk.post(SCREENING, wanted | {"q_pregnancy": "yes"}).status_code == 303
    page = desk.get(DATES, wanted)
    assert page.status_code == 409
    assert "This treatment cannot be booked" in text_of(page)
    assert 'name="visit"' not in text_of(page)
    assert Task.objects.get().title == "A clinician calls: this treatment is not possible"


def test_what_cannot_be_read_stays_on_the_page(desk: Client, wanted: dict[str, Any]) -> None:
    page = desk.post(SCREENING, wanted | {"q_filler": "date", "q_keloid": "yes"})
    assert page.status_code == 422 and not ScreeningAnswer.objects.exists()
    assert 'name="q_keloid" value="yes" checked' in text_of(page)


def test_the_outsider_does_not_reach_the_questions(
    stranger: Client, wanted: dict[str, Any], site: Site
) -> None:
    assert stranger.get(SCREENING, wanted).status_code in (403, 404)
    assert stranger.post(SCREENING, wanted | {"q_keloid": "yes"}).status_code in (403, 404)
    assert Client().get(SCREENING, wanted).status_code == 302
    assert not ScreeningAnswer.objects.exists()


# --- By the patient's link ------------------------------------------------------------------------


@pytest.fixture
def url(visits: list[Appointment], patient: Patient, now: datetime) -> str:
    return f"/p/{issued(patient_id=patient.pk, appointment=visits[0], now=now)}/"


def test_the_patient_answers_after_the_birth_date_and_hears_the_same_whatever_it_was(
    client: Client, url: str, patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="es")
    closed = client.get(f"{url}questions/")
    assert (closed.status_code, closed["Location"]) == (303, url)
    client.post(url, {"year": "1988", "month": "5", "day": "4"})
    assert "Responder a las preguntas" in text_of(client.get(url))
    page = text_of(client.get(f"{url}questions/"))
    assert "¿Está usted embarazada" in page and "Siga tomando" in page and "<script" not in page
    assert "fototipo" not in page and ">Llámenos: +" in page
    clear = clear_answers(page)
    left = client.post(f"{url}questions/", clear | {"q_pregnancy": ""})
    assert left.status_code == 422 and "Faltan respuestas" in text_of(left)
    assert not ScreeningAnswer.objects.exists()
    sent = client.post(f"{url}questions/", clear | {"q_pregnancy": "yes"}, follow=True)
    assert "Tenemos sus respuestas" in text_of(sent)
    assert not ScreeningAnswer.objects.exclude(by=None, moment="pre").exists()
    assert Task.objects.get().title == "A clinician calls: this treatment is not possible"
    assert "Responder a las preguntas" not in text_of(client.get(url))


def test_a_link_of_another_patient_opens_nothing(client: Client, url: str) -> None:
    assert client.get("/p/unknown-token/questions/").status_code == 404
    assert client.post(f"{url}questions/", {"q_pregnancy": "yes"}).status_code == 303
    assert not ScreeningAnswer.objects.exists()


# --- What is said then ----------------------------------------------------------------------------


def says(visit: Appointment, by: Staff, now: datetime, **answers: str) -> None:
    said = {question: Said(Value(value)) for question, value in answers.items()}
    moment = ScreeningMoment.PRE
    visit = Appointment.objects.select_related("site", "series__patient").get(pk=visit.pk)
    answering.answer(treatment=treatment_of(visit), said=said, moment=moment, by=by, now=now)
    sync_stale(now=now)


def to_send(step: str) -> int:
    return Message.objects.filter(steps__contains=[step], state="scheduled").count()


def test_pregnancy_stops_what_prepares_for_treatment_until_it_is_answered_anew(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    """Edge case 17."""
    sync_stale(now=now)
    before = to_send("pre.actives"), to_send("post.heat")
    assert all(before)
    says(visits[1], front_desk, now, pregnancy="yes")
    assert (to_send("pre.actives"), to_send("post.heat")) == (0, before[1])
    held = Message.objects.filter(steps__contains=["pre.actives"], reason="treatment_held")
    assert held.exists()
    reminders = Message.objects.filter(kind="reminder_final").exclude(state="withdrawn")
    asked = Task.objects.filter(title="Cancel or move the visit: treatment is barred")
    assert {each.reason for each in reminders} == {"visit_barred"}
    later = set(visits[1:])
    assert {each.appointment for each in asked.open()} == later
    called = Task.objects.open().get(kind="call", key__startswith="screening.")
    assert called.appointment == visits[0], "staff have it in hand"
    asked.update(closed_at=now, closed_by=front_desk, outcome="Asked her to come later.")
    says(visits[1], front_desk, now, pregnancy="no")
    says(visits[1], front_desk, now, pregnancy="yes")
    assert {each.appointment for each in asked.open()} == later, "barred by another answer"
    asked.update(closed_at=now, closed_by=front_desk, outcome="Moved.")
    Appointment.objects.filter(pk=visits[1].pk).update(schedule_version=F("schedule_version") + 1)
    Patient.objects.raise_revision()
    sync_stale(now=now)
    assert {each.appointment for each in asked.open()} == {visits[1]}, "barred on another day"
    says(visits[1], front_desk, now, pregnancy="no")
    assert to_send("pre.actives") == before[0]
    assert {each.state for each in reminders.all()} == {"scheduled"} and not asked.open()


def test_after_an_upgrade_those_alone_are_planned_anew_whom_something_may_bar(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    trays = import_module("reminders.migrations.0026_trays")
    soon = timezone.now() + timedelta(days=9)
    Appointment.objects.update(starts_at=soon, ends_at=soon + timedelta(hours=1))

    def raised() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(trays.PLAN_ANEW)
        sites = Site.objects.exclude(planned_revision=F("revision"))
        return not sites.exists() and Patient.objects.stale().exists()

    says(visits[1], front_desk, now, pregnancy="no")
    assert not raised()
    says(visits[1], front_desk, now, pregnancy="yes")
    Appointment.objects.update(starts_at=now - timedelta(days=999), ends_at=now)
    assert not raised()
    Appointment.objects.update(starts_at=soon, ends_at=soon + timedelta(hours=1))
    assert raised()


def test_who_takes_a_prescribed_blood_thinner_hears_nothing_of_pain_killers(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    """Edge case 18."""
    sync_stale(now=now)
    assert to_send("pre.otc_nsaid")
    says(visits[0], front_desk, now, bleeding="yes")
    assert not to_send("pre.otc_nsaid")
    title = "Ask the prescriber, then decide whether to treat"
    assert Task.objects.filter(title=title, closed_at=None).exists()


def test_a_condition_that_was_asked_about_opens_its_task_or_none(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    def antiviral() -> int:
        return Task.objects.filter(key__endswith=".pre.antiviral", closed_at=None).count()

    sync_stale(now=now)
    says(visits[0], front_desk, now, hsv="yes")
    opened = antiviral()
    says(visits[0], front_desk, now, hsv="no")
    assert opened and antiviral() == 0


def test_the_preview_of_a_booking_knows_the_answers(
    visits: list[Appointment],
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    says(visits[0], front_desk, now, bleeding="yes")
    last = visits[-1]
    lines = foreseeing.series(
        patient=patient, site=site, version=house, areas=["face"], now=now,
        visits=[ImaginedVisit(last.starts_at.replace(year=2028), last.ends_at.replace(year=2028))],
    )  # fmt: skip
    reasons = {line.reason for line in lines if "pre.otc_nsaid" in line.steps}
    assert reasons == {"condition_not_met"}


# --- What is to be filled in, by message and on the day -------------------------------------------


def test_what_lacks_is_asked_for_by_message_and_no_more_once_it_is_answered_and_signed(
    visits: list[Appointment],
    patient: Patient,
    site: Site,
    front_desk: Staff,
    clinical_lead: Staff,
    now: datetime,
) -> None:
    def asked() -> set[tuple[int, str, str]]:
        sync_stale(now=now)
        rows = Message.objects.filter(kind=Kind.FILL_IN, channel="sms", session=2)
        rows = rows.exclude(state="withdrawn")
        return {(row.session or 0, row.state, retold(row.why[0]).split(": ")[1]) for row in rows}

    assert asked() == set(), "the site does not ask yet"
    Site.objects.filter(pk=site.pk).update(clearance_from=FIRST, revision=F("revision") + 1)
    assert asked() == {(2, "scheduled", "22 screening questions to fill in.")}
    form = publish(clinical_lead, now, in_force.treatment("rf_microneedling"))
    said = f"22 screening questions and the form “{form.title_en}” to fill in."
    assert asked() == {(2, "scheduled", said)}
    sign(form, patient, site, front_desk, now)
    treatment = treatment_of(visits[1])
    questions = questions_of(treatment.protocol)
    answering.answer(
        treatment=treatment,
        said={each.id: Said(FITTING[each.trigger][0]) for each in questions},
        moment=ScreeningMoment.PRE,
        by=None,
        now=at(SECOND, "08:00") - timedelta(days=9),
    )
    assert asked() == {(2, "skipped", "nothing to fill in.")}


def test_the_day_says_in_words_what_stands_between_patients_and_treatment(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    def flags() -> list[tuple[str, str]]:
        page = text_of(desk.get(f"/day/?date={FIRST}"))
        found = re.findall(r'class="flag( mild)?">.*?</svg>(.*?)</span>', page)
        board = text_of(desk.get(f"/board/?date={FIRST}"))
        assert all(words in board for _, words in found)
        return [(tone.strip(), words) for tone, words in found]

    assert flags() == [("mild", "questions to ask")]
    treatment = treatment_of(visits[0])

    def says(**said: Said) -> None:
        answering.answer(
            treatment=treatment, said=said, moment=ScreeningMoment.PRE, by=front_desk, now=now
        )

    says(keloid=Said(Value.YES))
    assert flags() == [("", "task due"), ("mild", "to be decided on"), ("mild", "questions to ask")]
    says(filler=Said(Value.DATE, date(2027, 2, 10)))
    assert ("", "not before Fri 12 Mar") in flags()
    says(pregnancy=Said(Value.YES))
    assert ("", "not to be treated") in flags()
