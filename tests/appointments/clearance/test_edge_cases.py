"""The edge cases of screening and intervals at the doors: what is proposed, booked and started."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from appointments import clearance, proposing
from appointments.clearance import Barred, Treatment, answering
from appointments.models import Appointment, Task
from appointments.refusals import IntervalTooLong, IntervalTooShort
from appointments.visits import attendance
from clinic.models import Modality, ProtocolVersion, Site, Staff
from clinic.protocols import loading, reading
from clinic.retelling import retold
from patients.models import Patient, ScreeningAnswer, ScreeningMoment
from patients.screening.answers import Said, Value
from tests.api import api, refused
from tests.appointments.clearance.conftest import Answers
from tests.appointments.conftest import FIRST, Book, Wish, at

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PROPOSE = "/api/v1/series/propose/"


def approved(name: str, modality: Modality, lead: Staff, now: datetime) -> ProtocolVersion:
    """A protocol of the library, as patients are booked by it."""
    file = loading.LIBRARY / f"{name}.toml"
    protocol = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    digest = reading.digest(protocol)
    return ProtocolVersion.objects.create(
        protocol=protocol.id,
        version=protocol.version,
        kind=protocol.kind,
        name=protocol.name.en,
        document=reading.to_document(protocol),
        digest=digest,
        modality=modality,
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by=lead,
        approved_digest=digest,
    )


@pytest.fixture
def light(modality: Modality, clinical_lead: Staff, now: datetime) -> ProtocolVersion:
    return approved("ipl", modality, clinical_lead, now)


@pytest.fixture
def radiofrequency(modality: Modality, clinical_lead: Staff, now: datetime) -> ProtocolVersion:
    return approved("rf_series", modality, clinical_lead, now)


@pytest.fixture
def asked(patient: Patient, site: Site, house: ProtocolVersion) -> dict[str, Any]:
    wanted = {"patient": patient.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}
    return wanted | {"sessions": 2, "first_from": "2027-03-01"}


def test_14_retinoid_two_days_ago_is_reviewed_and_staff_decide(
    says: Answers, book: Book, wish: Wish, provider: Staff, front_desk: Staff, now: datetime
) -> None:
    """Edge cases 1 and 14: booked a day ahead all the same, and never started unseen."""
    today = date(2027, 2, 15)
    says(retinoid_use=today - 2 * DAY)
    (visit,) = book(wish(today + DAY)).appointments.all()
    (task,) = Task.objects.filter(closed_at=None)
    assert task.title == "Decide whether to treat" and "Sat 20 Feb 2027" in retold(task.detail)
    with translation.override("es"):
        told = " ".join(retold(each) for each in (task.detail, *task.why))
    assert "un clínico decide antes del tratamiento" in told
    assert "sáb 20 feb 2027" in told and "pregunta “" in told
    assert "y responde con la decisión de un clínico" in told
    then = at(today + DAY, "10:00")
    attendance.check_in(appointment=visit, by=front_desk, now=at(today + DAY, "09:55"))
    with pytest.raises(Barred, match="a clinician decides before treatment"):
        attendance.start(appointment=visit, by=provider, now=then)


def test_isotretinoin_five_months_ago_proposes_the_first_valid_date_and_says_why(
    says: Answers, asked: dict[str, Any], front_desk: Staff, book: Book, wish: Wish
) -> None:
    says(isotretinoin=date(2026, 9, 15))
    found = api(front_desk).post(PROPOSE, asked).json()
    assert found["visits"][0]["starts_at"][:10] >= "2027-03-15"
    (why,) = found["shifted"]
    assert "isotretinoin" in why and "not given before Mon 15 Mar 2027" in why
    day = asked | {"day": "2027-03-11"}
    del day["sessions"], day["first_from"]
    starts = api(front_desk).post("/api/v1/series/free-starts/", day).json()
    assert starts["places"] == [] and starts["sentence"] == why
    with pytest.raises(Barred):
        book(wish(date(2027, 3, 11)))


def test_15_skin_type_six_and_light_is_stopped_before_a_place_is_offered(
    patient: Patient, site: Site, front_desk: Staff, now: datetime, light: ProtocolVersion
) -> None:
    """Edge case 15: nothing else is proposed in its place."""
    treatment = Treatment(patient, site, light, ["face"])
    answering.answer(
        treatment=treatment,
        said={},
        moment=ScreeningMoment.CONSULT,
        skin_type="VI",
        by=front_desk,
        now=now,
    )
    with pytest.raises(Barred, match="Skin type VI: this treatment is not given"):
        clearance.kept_free(treatment, now=now)
    asked = {"patient": patient.pk, "site": site.pk, "protocol": light.pk, "areas": ["face"]}
    answer = api(front_desk).post(PROPOSE, asked | {"sessions": 3})
    assert "plans" not in refused(answer, 409, "barred")


@pytest.mark.parametrize(("days", "refusal"), [(12, IntervalTooShort), (43, IntervalTooLong)])
def test_16_an_interval_that_is_not_kept_is_refused_and_nothing_is_shifted_silently(
    book: Book, wish: Wish, days: int, refusal: type[Exception]
) -> None:
    """Edge case 16: 12 days after session 1, of at least 21; and beyond 42."""
    with pytest.raises(refusal) as caught:
        book(wish(FIRST), wish(FIRST + days * DAY))
    found = getattr(caught.value, "earliest", None) or getattr(caught.value, "latest", None)
    assert found in (FIRST + 21 * DAY, FIRST + 42 * DAY)
    assert not Appointment.objects.exists()


def test_17_pregnancy_after_session_two_stops_the_rest(
    says: Answers,
    series: Any,
    visits: list[Appointment],
    front_desk: Staff,
    provider: Staff,
    wish: Wish,
) -> None:
    """Edge case 17: the visits stay until somebody has called; none can start."""
    says(pregnancy="yes", by=None, when=at(FIRST + 30 * DAY, "12:00"))
    (task,) = Task.objects.filter(closed_at=None)
    assert task.kind == "call" and task.title == "A clinician calls: this treatment is not possible"
    last = visits[2]
    when = last.starts_at - timedelta(minutes=5)
    attendance.check_in(appointment=last, by=front_desk, now=when)
    with pytest.raises(Barred):
        attendance.start(appointment=last, by=provider, now=last.starts_at)
    last.refresh_from_db()
    assert last.state == "arrived"


def test_19_a_holiday_in_the_sun_moves_the_proposal_to_four_weeks_after_the_return(
    patient: Patient,
    site: Site,
    front_desk: Staff,
    now: datetime,
    light: ProtocolVersion,
    house: ProtocolVersion,
) -> None:
    """Edge case 19: the trip ends ten days before the visit that is wished for."""
    treatment = Treatment(patient, site, light, ["face"])
    leaves, returns, wished = date(2027, 3, 1), date(2027, 3, 14), date(2027, 3, 24)
    answering.answer(
        treatment=treatment,
        said={"tan_planned": Said(Value.DATE, returns, leaves)},
        moment=ScreeningMoment.CONSULT,
        by=front_desk,
        now=now,
    )
    kept = clearance.kept_free(treatment, now=now)
    found = proposing.propose_series(
        patient=patient,
        site=site,
        version=light,
        areas=["face"],
        sessions=1,
        now=now,
        first_from=wished,
        kept_free=kept,
    )
    assert "before Sun 11 Apr 2027" in found.shifted[0]
    assert [wished in each for each in kept] == [True]
    assert [leaves - DAY in each or returns + 28 * DAY in each for each in kept] == [False]


def test_light_beside_radiofrequency_makes_its_sun_rule_the_stricter_one(
    patient: Patient,
    site: Site,
    front_desk: Staff,
    now: datetime,
    light: ProtocolVersion,
    radiofrequency: ProtocolVersion,
) -> None:
    treatment = Treatment(patient, site, radiofrequency, ["face"])
    answering.answer(
        treatment=treatment,
        said={"tan": Said(Value.DATE, date(2027, 2, 14))},
        moment=ScreeningMoment.CONSULT,
        by=front_desk,
        now=now,
    )
    (alone,) = clearance.kept_free(treatment, now=now)
    assert alone.before == date(2027, 2, 28)
    patient.series.create(
        site=site,
        protocol_version=light,
        areas=["face_neck"],
        sessions=3,
        booked_at=now,
        booked_by=front_desk,
    )
    (beside,) = clearance.kept_free(treatment, now=now)
    assert beside.before == date(2027, 3, 14)


def test_no_to_all_the_rest_is_written_down_as_asked_together(
    treatment: Treatment, front_desk: Staff, asked: dict[str, Any], now: datetime
) -> None:
    del asked["sessions"], asked["first_from"]
    body = {"answers": [{"question": "keloid", "value": "yes"}], "no_to_the_rest": True}
    found = api(front_desk).post("/api/v1/screening/answers/", {**asked, **body})
    assert found.status_code == 201
    rows = {row.question: row for row in ScreeningAnswer.objects.all()}
    assert (rows["keloid"].value, rows["keloid"].together) == ("yes", False)
    rest = [row for row in rows.values() if row.question != "keloid"]
    assert len(rest) > 15 and all(row.together and row.value in ("no", "never") for row in rest)
    assert found.json()["questions"] == []
    told = {each["question"]: each for each in found.json()["answers"]}
    assert (
        told["keloid"]["counts_until"] is None
        and "a clinician decides" in told["keloid"]["leads_to"].lower()
    )
    assert told["pregnancy"]["together"] and told["pregnancy"]["counts_until"]
