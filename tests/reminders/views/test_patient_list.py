"""The list of patients: finding, where each stands, and a constant number of queries."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from appointments.models import Appointment, Task, TreatmentSeries
from appointments.visits import cancelling
from clinic.models import ConsentForm, Modality, Resource, ResourceKind, Site, Staff
from clinic.wall_time import local
from patients import consent
from patients.models import ContactPoint, Patient
from patients.signing import signing
from reminders.views import forms_to_sign, patient_list
from reminders.views.patient_filters import PatientFilters
from tests.history import a_past_visit, treated_by
from tests.patients.signing.conftest import publish
from tests.personas import a_patient
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db


def signed_by(
    patients: Iterable[Patient], form: ConsentForm, site: Site, *, by: Staff, now: datetime
) -> None:
    for each in patients:
        signing.sign(
            patient=each,
            forms=[form],
            signature=signing.Signature(each.display_name),
            language="en",
            site=site,
            handed_by=by,
            ip=None,
            now=now,
        )


def listed(client: Client, query: str = "", **headers: str) -> str:
    response = client.get("/patients/", {"q": query} if query else {}, headers=headers)
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_row_says_where_a_patient_stands(
    desk: Client, patient: Patient, visits: list[Appointment]
) -> None:
    text = listed(desk)
    for words in ("Elena Sato", "4 May 1988", "Thu 18 Feb 10:00", "0 of 3 done", "RM"):
        assert words in text
    assert 'class="flag"' not in text


def test_flags_stand_out_only_where_something_is_to_be_done(
    desk: Client, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    for channel in ("sms", "email"):
        consent.withdraw(patient=patient, purpose="care", channel=channel, by=front_desk, now=now)
    ContactPoint.objects.update(retired_at=now, is_preferred=False)
    text = listed(desk)
    assert "no consent" in text
    assert "no contact" in text


@pytest.mark.parametrize("query", ["sato", "SÁTO", "0123", "1988-05-04", "5/4/1988", "ele sa"])
def test_patients_are_found_without_script(desk: Client, patient: Patient, query: str) -> None:
    text = listed(desk, query)
    assert "Elena Sato" in text
    assert "<html" in text


def test_htmx_gets_the_list_alone(desk: Client, patient: Patient) -> None:
    text = listed(desk, "sato", **{"HX-Request": "true"})
    assert "<html" not in text
    assert 'id="found"' in text


def test_the_field_of_every_page_finds_a_few_and_before_typing_who_was_seen_lately(
    desk: Client, patient: Patient, visits: list[Appointment]
) -> None:
    anywhere = {"HX-Request": "true", "HX-Target": "find-list"}
    assert "Elena Sato" not in listed(desk, **anywhere)
    text = listed(desk, "sato", **anywhere)
    assert "Thu 18 Feb 10:00</time>" in text and "4 May 1988" in text
    assert f'data-book="/series/new/?patient={patient.pk}"' in text
    desk.get(f"/patients/{patient.pk}/")
    assert "Elena Sato" in listed(desk, **anywhere)
    assert "Elena Sato" in listed(desk, "e", **anywhere)
    assert "/patients/new/?q=nobody" in listed(desk, "nobody", **anywhere)


def test_a_search_in_vain_offers_to_create_the_patient(desk: Client, patient: Patient) -> None:
    text = listed(desk, "O'Neil & <b>")
    assert "/patients/new/?q=O%27Neil%20%26%20%3Cb%3E" in text
    assert "Create “O&#x27;Neil &amp; &lt;b&gt;”" in text


def test_those_who_may_not_create_are_not_offered_it(
    sign_in: SignIn, provider: Staff, patient: Patient
) -> None:
    text = listed(sign_in(provider), "nobody")
    assert "/patients/new/" not in text


def test_staff_of_another_site_find_nobody(stranger: Client, patient: Patient) -> None:
    for query in ("", "sato", f"#{patient.pk}"):
        assert "Elena Sato" not in listed(stranger, query)


@pytest.mark.parametrize("query", ["\x00", "#²", "#" + "9" * 40, "%' OR 1=1", "x" * 3000, "ï¿½"])
def test_hostile_searches_find_nobody_and_break_nothing(
    desk: Client, patient: Patient, query: str
) -> None:
    assert "Elena Sato" not in listed(desk, query)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 40])
def test_any_page_number_shows_a_page(desk: Client, patient: Patient, page: str) -> None:
    assert desk.get("/patients/", {"page": page}).status_code == 200


def test_fifty_patients_take_as_few_queries_as_one(
    desk: Client,
    patient: Patient,
    series: TreatmentSeries,
    site: Site,
    front_desk: Staff,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(24) as one:
        listed(desk)
    for number in range(60):
        each = a_patient(site, front_desk, now, family=f"N{number}", email=f"n{number}@x.example")
        TreatmentSeries.objects.create(
            patient=each,
            site=site,
            protocol_version=series.protocol_version,
            areas=["face"],
            sessions=3,
            booked_at=now,
        )
    with django_assert_max_num_queries(len(one)):
        text = listed(desk)
    assert text.count('class="cover"') == 50
    assert "1–50 of 61" in text
    assert "next visit not booked" in text


# --- Filters --------------------------------------------------------------------------------------


@pytest.fixture
def people(
    site: Site,
    patient: Patient,
    series: TreatmentSeries,
    front_desk: Staff,
    treatment_provider: Resource,
    now: datetime,
) -> dict[str, Patient]:
    """Elena has a booked series; Ben one with a session left and a task; Cara was treated once by
    somebody else and agreed to nothing; Dan has no series, no number and is of both sites."""
    version, today = series.protocol_version, local(now, site.zone).date()
    ben, cara, dan = (
        a_patient(site, front_desk, now, given=given, family="Ode", email=f"{given}@x.example")
        for given in ("Ben", "Cara", "Dan")
    )
    a_past_visit(ben, site, version, today - timedelta(days=30), sessions=2)
    Task.objects.create(
        key="t", site=site, patient=ben, kind="call", title="Call", due_at=now, created_at=now
    )
    a_past_visit(cara, site, version, today - timedelta(days=30), ended="completed")
    for channel in ("sms", "email"):
        consent.withdraw(patient=cara, purpose="care", channel=channel, by=front_desk, now=now)
    ContactPoint.objects.filter(patient=dan).update(retired_at=now, is_preferred=False)
    return {"Elena": patient, "Ben": ben, "Cara": cara, "Dan": dan}


SHOWN = {
    "": "Elena Ben Cara Dan",
    "series=open": "Elena Ben",
    "series=unbooked": "Ben",
    "series=completed": "Cara",
    "series=ended": "",
    "series=none": "Dan",
    "modality=rf_microneedling": "Elena Ben Cara",
    "modality=ipl": "",
    "modality=ipl&series=none": "Elena Ben Cara Dan",
    "provider={provider}": "Elena",
    "provider={provider}&series=completed": "",
    "flag=no_visit": "Ben Cara Dan",
    "flag=no_visit&series=open": "Ben",
    "flag=to_do": "Ben",
    "flag=no_contact": "Dan",
    "flag=no_consent&flag=no_visit": "Cara",
    "flag=unsigned": "",
    "flag=runs_out": "",
    "at=harbour&q=ode": "Ben Cara Dan",
    # What cannot be meant is not asked for.
    "at=sunset&provider=99999999999999999999&series=x&flag=x": "Elena Ben Cara Dan",
    "modality=%00": "Elena Ben Cara Dan",
}


def test_the_address_says_who_is_shown(
    desk: Client, people: dict[str, Patient], treatment_provider: Resource
) -> None:
    Modality.objects.create(slug="ipl", name="IPL", code="IP")
    found = {}
    for asked in SHOWN:
        page = desk.get(f"/patients/?{asked.format(provider=treatment_provider.pk)}")
        found[asked] = {row.patient.legal_given for row in page.context["rows"]}
    assert found == {asked: set(names.split()) for asked, names in SHOWN.items()}


def test_a_provider_has_the_patients_of_now_and_of_what_was_brought_over(
    desk: Client, people: dict[str, Patient], treatment_provider: Resource
) -> None:
    another = Resource.objects.create(kind=ResourceKind.PROVIDER, name="Ana")
    for visit in Appointment.objects.filter(series__patient=people["Elena"]):
        treated_by(visit, another)
    history = Appointment.objects.get(series__patient=people["Cara"])
    treated_by(history, treatment_provider, active=False)
    page = desk.get(f"/patients/?provider={treatment_provider.pk}")
    assert {row.patient.legal_given for row in page.context["rows"]} == {"Cara"}


def test_who_has_a_form_to_sign_is_found_and_said(
    desk: Client, people: dict[str, Patient], clinical_lead: Staff, now: datetime
) -> None:
    publish(clinical_lead, now)
    page = desk.get("/patients/?flag=unsigned")
    assert {row.patient.legal_given for row in page.context["rows"]} == {"Elena", "Ben"}
    assert page.text.count("form to sign") == 2 + 1  # beside each, and the filter
    assert "task due" in page.text


def test_who_has_a_form_to_sign_is_asked_for_as_one_parameter(
    people: dict[str, Patient],
    series: TreatmentSeries,
    site: Site,
    clinical_lead: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    def found() -> tuple[set[str], int]:
        filters = PatientFilters(QueryDict("flag=unsigned"), staff=front_desk)
        rows = filters.narrow(Patient.objects.all(), now=now)
        params = rows.query.sql_with_params()[1]
        return {row.legal_given for row in rows}, len(params)

    form = publish(clinical_lead, now)
    names, params = found()
    assert names == {"Elena", "Ben"}
    more = [
        a_patient(site, front_desk, now, given="Fay", family=f"N{number}", email=f"{number}@x.se")
        for number in range(2)
    ]
    for each in more:
        a_past_visit(each, site, series.protocol_version, local(now, site.zone).date(), sessions=2)
    signed_by((people["Elena"], *more), form, site, by=front_desk, now=now)
    assert found() == ({"Ben"}, params)
    publish(clinical_lead, now, note="2")
    assert found() == ({"Elena", "Ben", "Fay"}, params)


def test_whose_signature_ends_soon_or_before_the_next_visit_is_found_and_said(
    desk: Client,
    people: dict[str, Patient],
    visits: list[Appointment],
    site: Site,
    clinical_lead: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    elena, month_before = people["Elena"], now - timedelta(days=15)
    form = publish(clinical_lead, month_before, valid_for="P45D")
    # Dan has no series to need it.
    signed_by((elena, people["Dan"]), form, site, by=front_desk, now=month_before)
    page = desk.get("/patients/?flag=runs_out")
    [row] = page.context["rows"]
    assert (row.patient, row.flags) == (elena, ["form runs out soon"])

    def soon(days: int) -> set[int]:
        found = forms_to_sign.flagged_forms([elena.pk], now=now + timedelta(days=days))
        return found["runs_out"]

    assert (soon(-1), soon(0), soon(31)) == (set(), {elena.pk}, set())
    for visit in visits[:2]:
        cancelling.cancel(appointment=visit, by=front_desk, now=now)
    assert soon(-1) == {elena.pk}


def test_filters_stay_in_the_pages_and_the_form_and_nobody_is_said_in_words(
    desk: Client, people: dict[str, Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_list, "PER_PAGE", 1)
    text = listed(desk) and desk.get("/patients/?flag=no_visit&flag=no_consent&series=").text
    assert text.count("checked") == 2 and "<details" in text and "Elena" not in text
    text = desk.get("/patients/?flag=no_visit&page=2").text
    assert 'href="?flag=no_visit&amp;page=3"' in text and "2–2 of 3" in text
    empty = desk.get("/patients/?series=ended").text
    assert "Nobody fits this" in empty and "Show all patients" in empty
    saved = desk.get("/patients/?series=unbooked").text
    assert 'href="/patients/?series=unbooked" aria-current="page"' in saved


def test_filters_take_as_few_queries_however_many_they_find(
    desk: Client,
    people: dict[str, Patient],
    clinical_lead: Staff,
    front_desk: Staff,
    site: Site,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    publish(clinical_lead, now)
    every = "series=unbooked&modality=rf_microneedling&flag=unsigned&flag=no_visit"
    desk.get(f"/patients/?{every}")
    with django_assert_max_num_queries(28) as one:
        desk.get(f"/patients/?{every}")
    version = TreatmentSeries.objects.all()[0].protocol_version
    for number in range(10):
        each = a_patient(site, front_desk, now, family=f"N{number}", email=f"n{number}@x.example")
        a_past_visit(
            each, site, version, local(now, site.zone).date() - timedelta(days=9), sessions=2
        )
    with django_assert_max_num_queries(len(one)):
        assert len(desk.get(f"/patients/?{every}").context["rows"]) == 11


def test_staff_of_another_site_filter_their_own_alone(
    stranger: Client, people: dict[str, Patient], treatment_provider: Resource
) -> None:
    for asked in ("series=open", f"provider={treatment_provider.pk}", "at=harbour", "flag=to_do"):
        page = stranger.get(f"/patients/?{asked}")
        assert page.context["rows"] == [] and "Sam Okafor" not in page.text
