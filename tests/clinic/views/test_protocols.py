"""Protocol pages: everyone reads, the clinical lead approves, managers add plain services."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.utils.html import escape

from clinic import reader_language
from clinic.models import AuditEntry, Credential, ProtocolVersion, Resource, Staff
from clinic.protocols import loading, references
from clinic.protocols.rules import OTHER_TREATMENTS
from clinic.templatetags.protocols import CONDITIONS, OTHERS
from tests.clinic.views.conftest import keeps_to_the_policy

pytestmark = pytest.mark.django_db

As = Callable[[Staff], Client]
SERVICE = {
    "name": "Toxin",
    "name_es": "Toxina",
    "code": "TX",
    "id": "toxin",
    "minutes": "30",
    "set_up_minutes": "5",
    "clean_up_minutes": "10",
    "room_kind": "treatment",
}


@pytest.fixture
def draft(now: datetime) -> ProtocolVersion:
    loading.load_library(now=now)
    return ProtocolVersion.objects.get(protocol="rf_microneedling")


def page_of(version: ProtocolVersion) -> str:
    return f"/protocols/{version.protocol}/{version.version}/"


def test_the_list_names_every_version_with_its_status_and_who_approved(
    as_: As, front_desk: Staff, protocol: ProtocolVersion, draft_protocol: ProtocolVersion
) -> None:
    answer = as_(front_desk).get("/protocols/")
    html = answer.content.decode()
    keeps_to_the_policy(answer)
    for row in ProtocolVersion.objects.all():
        assert page_of(row) in html
    assert "Approved" in html
    assert "Draft" in html
    assert "Dr Novak, " in html


def test_an_empty_library_says_how_to_load_it(as_: As, front_desk: Staff) -> None:
    assert "No protocols yet" in as_(front_desk).get("/protocols/").content.decode()


def test_a_downtime_of_nothing_is_said_in_words(as_: As, provider: Staff, now: datetime) -> None:
    loading.load_library(now=now)
    said = {
        row.protocol: as_(provider).get(page_of(row)).content.decode()
        for row in ProtocolVersion.objects.filter(protocol__in=("ultrasound", "ipl"))
    }
    assert "mostly none, up to 14 days" in said["ultrasound"]
    assert "3 days, up to 5 days" in said["ipl"]


def test_every_protocol_of_the_library_can_be_read_to_its_last_word(
    as_: As, provider: Staff, now: datetime
) -> None:
    loading.load_library(now=now)
    client = as_(provider)
    for row in ProtocolVersion.objects.all():
        answer = client.get(page_of(row))
        html = answer.content.decode()
        keeps_to_the_policy(answer)
        content = loading.get(row)
        texts = [step.text for step in content.steps]
        texts += [step.late_text for step in content.steps if step.late_text]
        texts += [step.staff_text for step in content.steps if step.staff_text]
        texts += [item.question for item in content.screening]
        texts += [item.sign for item in content.warnings]
        texts += [item.label for item in content.session_log]
        texts += [item.name for item in content.products]
        texts += [item.question for item in content.policy]
        for text in texts:
            assert escape(text.en) in html
            assert escape(text.es) in html
        for source in content.evidence.values():
            assert escape(source.url) in html


def test_the_page_speaks_of_treatments_roles_and_conditions_in_the_readers_words(
    as_: As, provider: Staff, protocol: ProtocolVersion
) -> None:
    english = as_(provider).get(page_of(protocol)).content.decode()
    assert "Any device<small>" in english and "decided by the clinical lead" in english
    assert "only if: photos were agreed to" in english
    assert "only if: the answer to “Have you ever had cold sores?” asks for it" in english
    reader_language.choose(provider, "es")
    spanish = as_(provider).get(page_of(protocol)).content.decode()
    assert "Cualquier aparato<small>" in spanish and "Luz pulsada intensa<small>" in spanish
    assert "responsable clínico" in spanish and "se aceptaron las fotos" in spanish
    assert "la respuesta a «¿Ha tenido alguna vez herpes labial?» lo pide" in spanish
    for page in (english, spanish):
        assert "any_device" not in page and "consent: photo" not in page
    assert "clinical lead" not in spanish


def test_lists_call_a_treatment_as_its_reader_does(
    as_: As, clinical_lead: Staff, protocol: ProtocolVersion
) -> None:
    client = as_(clinical_lead)
    reader_language.choose(clinical_lead, "es")
    name = loading.get(protocol).name
    for address in ("/protocols/", "/consent-forms/"):
        page = client.get(address).content.decode()
        assert name.es in page and name.en not in page, address
    page = client.get(page_of(protocol)).content.decode()
    disclaimer = loading.get(protocol).disclaimer
    assert escape(disclaimer.es) in page and escape(disclaimer.en) not in page


def test_titles_of_sources_say_in_which_language_they_are(
    as_: As, provider: Staff, protocol: ProtocolVersion
) -> None:
    reader_language.choose(provider, "es")
    html = as_(provider).get(page_of(protocol)).content.decode()
    for source in loading.get(protocol).evidence.values():
        assert f">{escape(source.title)}</a>" in html
    assert '<ul class="evidence" lang="en">' in html


def test_a_draft_is_read_whole_and_any_other_version_by_its_parts(
    as_: As, provider: Staff, protocol: ProtocolVersion, draft_protocol: ProtocolVersion
) -> None:
    for version, are_open in ((protocol, False), (draft_protocol, True)):
        html = as_(provider).get(page_of(version)).content.decode()
        parts = re.findall(r'<details class="panel flush" id="(\w+)"( open)?>', html)
        assert {name for name, _ in parts} >= {"before", "screening", "warnings", "sources"}
        assert all(bool(opened) == are_open for _, opened in parts), parts


def test_every_other_treatment_has_words_of_its_own() -> None:
    assert set(OTHERS) == OTHER_TREATMENTS and set(CONDITIONS) == set(references.CONDITIONS)


def test_the_page_draws_the_series_and_says_it_in_words(
    as_: As, provider: Staff, protocol: ProtocolVersion
) -> None:
    html = as_(provider).get(page_of(protocol)).content.decode()
    assert "3 sessions, ideally 4 weeks apart, at least 21 days, at most 6 weeks." in html
    assert html.count('class="session"') == 3


def test_the_clinical_lead_approves_a_draft(
    as_: As, clinical_lead: Staff, draft: ProtocolVersion
) -> None:
    client = as_(clinical_lead)
    client.post(page_of(draft) + "approve/")
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by, draft.is_demo) == ("approved", clinical_lead, False)
    assert "is approved for new series" in client.get(page_of(draft)).content.decode()


def test_approving_twice_says_why_not(
    as_: As, clinical_lead: Staff, protocol: ProtocolVersion
) -> None:
    html = as_(clinical_lead).post(page_of(protocol) + "approve/", follow=True).content.decode()
    assert "is no draft any more" in html


def test_the_clinical_lead_retires_a_version_with_a_reason(
    as_: As, clinical_lead: Staff, protocol: ProtocolVersion
) -> None:
    client = as_(clinical_lead)
    refused = client.post(page_of(protocol) + "retire/", {"reason": " "})
    assert refused.status_code == 422
    assert "Reason: Write why it goes out of use" in refused.content.decode()
    protocol.refresh_from_db()
    assert protocol.status == "approved"
    client.post(page_of(protocol) + "retire/", {"reason": "Device was sold"})
    protocol.refresh_from_db()
    assert protocol.status == "retired"
    assert AuditEntry.objects.get(action="protocol.retire").reason == "Device was sold"


@pytest.mark.parametrize("act", ["approve", "retire"])
@pytest.mark.parametrize("persona", ["front_desk", "provider", "manager"])
def test_nobody_else_approves_or_retires(
    as_: As, draft: ProtocolVersion, request: pytest.FixtureRequest, persona: str, act: str
) -> None:
    client = as_(request.getfixturevalue(persona))
    assert f"{act}/" not in client.get(page_of(draft)).content.decode()
    answer = client.post(page_of(draft) + f"{act}/")
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert answer.status_code == 403
    assert "Those who may: clinical lead." in answer.content.decode()


def test_a_version_that_does_not_exist_is_not_found(as_: As, provider: Staff) -> None:
    assert as_(provider).get("/protocols/ipl/9.9.9/").status_code == 404


def test_a_manager_adds_a_service_that_can_be_booked_at_once(
    as_: As, manager: Staff, treatment_provider: Resource, room: Resource
) -> None:
    client = as_(manager)
    keeps_to_the_policy(client.get("/protocols/services/new/"))
    answer = client.post(
        "/protocols/services/new/", {**SERVICE, "providers": [treatment_provider.pk]}
    )
    assert answer.headers["Location"] == "/protocols/toxin/1.0.0/"
    service = loading.get(ProtocolVersion.objects.get(protocol="toxin", status="approved"))
    assert service.chair_minutes(["visit"]) == 30
    assert service.resources.room.clean_up.minutes == 10
    assert service.resources.device is None
    assert Credential.objects.filter(provider=treatment_provider, modality_id="toxin").exists()
    keeps_to_the_policy(client.get("/protocols/toxin/1.0.0/"))


def test_a_service_with_a_device_asks_for_its_modality(
    as_: As, manager: Staff, treatment_provider: Resource, room: Resource, needling_device: Resource
) -> None:
    given = {**SERVICE, "providers": [treatment_provider.pk], "device": needling_device.modality_id}
    as_(manager).post("/protocols/services/new/", given)
    row = ProtocolVersion.objects.get(protocol="toxin")
    assert row.modality_id == needling_device.modality_id
    assert loading.get(row).resources.device is not None
    # The provider held the credential of that modality before.
    assert Credential.objects.filter(provider=treatment_provider).count() == 1


def test_a_treatment_protocol_is_never_overwritten_by_a_service(
    as_: As, manager: Staff, treatment_provider: Resource, room: Resource
) -> None:
    given = {**SERVICE, "id": "ipl", "providers": [treatment_provider.pk]}
    answer = as_(manager).post("/protocols/services/new/", given)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert re.search(r'name="id"[^>]*aria-invalid="true"', html) and "Choose another id." in html


def test_a_service_without_people_or_with_a_bad_code_says_so_and_keeps_what_was_typed(
    as_: As, manager: Staff, room: Resource
) -> None:
    answer = as_(manager).post("/protocols/services/new/", {**SERVICE, "code": "tox"})
    html = answer.content.decode()
    assert "A code is two capital letters" in html
    assert "Choose at least one person" in html
    assert 'value="Toxina"' in html
    assert not ProtocolVersion.objects.exists()


def test_only_who_manages_every_site_adds_services(
    as_: As, front_desk: Staff, manager: Staff, outsider: Staff, room: Resource
) -> None:
    for by in (front_desk, manager, outsider):
        client = as_(by)
        assert "/protocols/services/new/" not in client.get("/protocols/").content.decode()
        answer = client.post("/protocols/services/new/", SERVICE)
        assert answer.status_code == 403
        assert "Only a manager of every site adds" in answer.content.decode()
