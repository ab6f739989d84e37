"""Signing in by token, sites, protocols, and the one shape of every error."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from knox.models import AuthToken
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from clinic.api.signing_in import LoginThrottle
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from clinic.protocols import loading
from tests.api import CLOCK, api, refused
from tests.personas import NOW, PASSWORD

pytestmark = [pytest.mark.django_db, CLOCK]


@pytest.fixture(autouse=True)
def rested() -> None:
    """No test has tried to sign in before."""
    cache.clear()


def log_in(email: str, password: str = PASSWORD, **more: Any) -> Any:
    return APIClient().post("/api/v1/login/", {"email": email, "password": password}, **more)


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


# --- Signing in -----------------------------------------------------------------------------------


def test_a_token_opens_the_api_for_twelve_hours(
    front_desk: Staff, time_machine: TimeMachineFixture
) -> None:
    answer = log_in("Ana.Front@clinic.example")
    assert answer.status_code == 200
    assert answer.json()["expires_at"] == "2027-02-16T02:00:00Z"
    assert answer.json()["name"] == "Ana Front"
    client = with_token(answer.json()["token"])
    assert client.get("/api/v1/sites/").status_code == 200
    time_machine.move_to(NOW + timedelta(hours=12, seconds=1))
    refused(client.get("/api/v1/sites/"), 401, "authentication_failed")


def test_a_token_is_stored_hashed(front_desk: Staff) -> None:
    token = log_in(front_desk.email).json()["token"]
    stored = AuthToken.objects.get()
    assert token not in (stored.digest, stored.token_key)
    assert not stored.digest.startswith(token[:20])


def test_an_unknown_address_a_wrong_password_and_a_former_colleague_are_told_the_same(
    front_desk: Staff, provider: Staff
) -> None:
    provider.is_active = False
    provider.save()
    answers = [
        log_in(front_desk.email, "wrong"),
        log_in("nobody@clinic.example"),
        log_in(provider.email),
    ]
    for answer in answers:
        refused(answer, 401, "credentials")
    assert len({answer.content for answer in answers}) == 1


def test_an_account_rests_after_eight_tries_even_with_the_right_password(front_desk: Staff) -> None:
    for _ in range(7):
        refused(log_in(front_desk.email, "wrong"), 401, "credentials")
    refused(log_in(front_desk.email, "wrong"), 429, "account_rests")
    refused(log_in(front_desk.email), 429, "account_rests")


def test_one_address_of_the_network_is_slowed_down_whoever_it_tries(front_desk: Staff) -> None:
    limit = int(LoginThrottle.rate.split("/")[0])
    codes = [log_in(f"n{number}@clinic.example").status_code for number in range(limit + 1)]
    assert codes == [401] * limit + [429]
    slowed = log_in(front_desk.email)
    refused(slowed, 429, "throttled")
    assert int(slowed.headers["Retry-After"]) > 0


def test_signing_out_ends_this_token_and_signing_out_everywhere_ends_all(front_desk: Staff) -> None:
    one, two, three = (with_token(log_in(front_desk.email).json()["token"]) for _ in range(3))
    assert one.post("/api/v1/logout/").status_code == 204
    refused(one.get("/api/v1/sites/"), 401, "authentication_failed")
    assert two.get("/api/v1/sites/").status_code == 200
    assert two.post("/api/v1/logoutall/").status_code == 204
    refused(three.get("/api/v1/sites/"), 401, "authentication_failed")


def test_a_session_of_the_pages_reads_the_api_and_writes_only_with_its_csrf_token(
    front_desk: Staff,
) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(front_desk)
    assert client.get("/api/v1/sites/").status_code == 200
    refused(client.post("/api/v1/patients/", {}), 403, "permission_denied")


# --- The shape of errors --------------------------------------------------------------------------


# Half of a pair, as a value, deep inside and as a name.
HALVES = (r'{"legal_given": "\ud83d"}', r'{"site": [{"x": "\uDE00"}]}', r'{"\ud800": 1}')


def test_every_kind_of_error_is_json_with_a_code_a_sentence_and_the_field(
    front_desk: Staff,
) -> None:
    client = api(front_desk)
    refused(client.get("/api/v1/nothing/like/this/"), 404, "not_found")
    refused(client.post("/api/v1/patients"), 404, "not_found")
    refused(client.get("/api/v1/patients/99999999999999999999999/"), 404, "not_found")
    refused(client.get("/api/v1/patients/?page=7"), 404, "not_found")
    refused(client.delete("/api/v1/patients/"), 405, "method_not_allowed")
    refused(
        client.post("/api/v1/patients/", "a,b", content_type="text/csv"),
        415,
        "unsupported_media_type",
    )
    for body in ("{", "", "NaN", "[" * 100_000, '{"a": ' * 50_000, "9" * 5_000, b"\xff", *HALVES):
        answer = client.post("/api/v1/patients/", body, content_type="application/json")
        assert answer.status_code == 400, body[:20]
        assert set(answer.json()) >= {"code", "sentence", "field"}
    huge = client.post("/api/v1/patients/", b" " * 1_000_001, content_type="application/json")
    refused(huge, 413, "too_large")
    refused(api().get("/api/v1/patients/"), 401, "not_authenticated")


def test_several_wrong_fields_are_all_named(front_desk: Staff, site: Site) -> None:
    answer = api(front_desk).post(
        "/api/v1/patients/", {"legal_given": "", "site": site.pk, "birth_date": "yesterday"}
    )
    body = refused(answer, 400, "blank", "legal_given")
    assert {line["field"]: line["code"] for line in body["errors"]} == {
        "legal_given": "blank",
        "legal_family": "required",
        "birth_date": "invalid",
    }


def test_a_mistyped_field_is_an_error_and_not_lost(front_desk: Staff) -> None:
    answer = api(front_desk).post("/api/v1/series/preview/", {"overide_reason": "x"})
    refused(answer, 400, "unknown_field", "overide_reason")


def test_a_fault_of_ours_is_json_without_any_detail(
    front_desk: Staff, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(staff: Staff) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("clinic.access.sites_of", broken)
    answer = api(front_desk).get("/api/v1/sites/")
    refused(answer, 500, "error")
    assert b"secret" not in answer.content
    assert "An endpoint failed" in caplog.text


# --- Sites and protocols --------------------------------------------------------------------------


def test_one_sees_the_sites_at_which_one_works_with_whom_and_what_they_have(
    front_desk: Staff,
    outsider: Staff,
    site: Site,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
) -> None:
    seen = api(front_desk).get("/api/v1/sites/").json()["results"]
    assert [each["slug"] for each in seen] == ["harbour"]
    whole = api(front_desk).get(f"/api/v1/sites/{site.pk}/").json()
    assert {each["kind"] for each in whole["resources"]} == {"provider", "room", "device"}
    assert whole["opening_hours"][0] == {"weekday": 0, "opens": 540, "closes": 1080}
    refused(api(outsider).get(f"/api/v1/sites/{site.pk}/"), 404, "not_found")


def test_a_manager_says_from_when_a_site_sends(
    front_desk: Staff, manager: Staff, outsider: Staff, site: Site
) -> None:
    address, asked = f"/api/v1/sites/{site.pk}/go-live/", {"live_from": "2027-03-01T09:00:00-05:00"}
    refused(api(outsider).put(address, asked), 404, "not_found")
    refused(api(front_desk).put(address, asked), 403, "forbidden")
    refused(api(manager).put(address, {}), 400, "required", "live_from")
    refused(api(manager).put(address, {"live_from": "2027-03-01T09:00"}), 400, "naive", "live_from")
    said = api(manager).put(address, asked)
    assert (said.status_code, said.json()["live_from"]) == (200, "2027-03-01T14:00:00Z")
    assert AuditEntry.objects.get(action="site.settings").by == manager
    assert api(manager).put(address, {"live_from": None}).json()["live_from"] is None
    site.refresh_from_db()
    assert site.live_from is None


def test_protocols_are_listed_and_read_whole(
    front_desk: Staff, protocol: ProtocolVersion, draft_protocol: ProtocolVersion
) -> None:
    client = api(front_desk)
    approved = client.get("/api/v1/protocols/?status=approved").json()
    assert [each["protocol"] for each in approved["results"]] == ["rf_microneedling"]
    listed = client.get("/api/v1/protocols/").json()["results"]
    assert {each["id"] for each in listed} == {protocol.pk, draft_protocol.pk}
    whole = client.get(f"/api/v1/protocols/{protocol.pk}/").json()
    assert whole["document"]["id"] == "rf_microneedling"
    assert whole["approved_by"]["name"] == "Dr Novak"
    refused(client.get("/api/v1/protocols/?status=alive"), 400, "invalid_choice", "status")


def test_only_the_clinical_lead_approves_and_retires(
    front_desk: Staff, clinical_lead: Staff, protocol: ProtocolVersion
) -> None:
    loading.load_library(now=NOW)
    draft = ProtocolVersion.objects.filter(status="draft").first()
    assert draft is not None
    for act in ("approve", "retire"):
        address = f"/api/v1/protocols/{draft.pk}/{act}/"
        denied = refused(api(front_desk).post(address, {}), 403, "forbidden")
        assert "clinical lead" in denied["sentence"]
    lead = api(clinical_lead)
    assert lead.post(f"/api/v1/protocols/{draft.pk}/approve/").json()["status"] == "approved"
    again = lead.post(f"/api/v1/protocols/{draft.pk}/approve/")
    refused(again, 409, "protocol_status", "status")
    silent = lead.post(f"/api/v1/protocols/{draft.pk}/retire/", {})
    refused(silent, 400, "reason_missing", "reason")
    gone = lead.post(f"/api/v1/protocols/{draft.pk}/retire/", {"reason": "a better one"})
    assert gone.json()["status"] == "retired"
    assert AuditEntry.objects.get(action="protocol.retire").reason == "a better one"


def test_the_api_cannot_set_a_status_by_writing_it(
    clinical_lead: Staff, protocol: ProtocolVersion
) -> None:
    answer = api(clinical_lead).patch(f"/api/v1/protocols/{protocol.pk}/", {"status": "draft"})
    refused(answer, 405, "method_not_allowed")


def a_service(provider: Resource, **changes: Any) -> dict[str, Any]:
    return {
        "id": "toxin",
        "name": "Toxin",
        "name_es": "Toxina",
        "code": "TX",
        "minutes": 30,
        "room_kind": "treatment",
        "providers": [provider.pk],
        **changes,
    }


def test_a_manager_adds_a_plain_service_that_can_be_booked_at_once(
    manager: Staff, front_desk: Staff, treatment_provider: Resource, room: Resource
) -> None:
    address = "/api/v1/protocols/services/"
    denied = refused(api(front_desk).post(address, a_service(treatment_provider)), 403, "forbidden")
    assert "manager" in denied["sentence"]
    made = api(manager).post(address, a_service(treatment_provider))
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["status"]) == ("service", "approved")
    assert treatment_provider.credentials.filter(modality="toxin").exists()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"code": "toxin"}, "max_length", "code"),
        ({"room_kind": "garage"}, "invalid", "room_kind"),
        ({"device": "hammer"}, "invalid", "device"),
        ({"providers": []}, "min_length", "providers"),
        ({"id": "rf_microneedling"}, "protocol_invalid", ""),
        ({"id": "rf-micro"}, "protocol_invalid", ""),
    ],
)
def test_a_service_that_cannot_be_is_refused_with_its_field(
    change: dict[str, Any],
    code: str,
    field: str,
    manager: Staff,
    treatment_provider: Resource,
    room: Resource,
) -> None:
    loading.load_library(now=NOW)
    sent = a_service(treatment_provider, **change)
    answer = api(manager).post("/api/v1/protocols/services/", sent)
    assert answer.status_code == 400
    lines = answer.json().get("errors", [answer.json()])
    assert (code, field) in {(line["code"], line["field"]) for line in lines}


def test_who_manages_another_site_alone_adds_no_service(
    outsider: Staff, treatment_provider: Resource, room: Resource
) -> None:
    answer = api(outsider).post("/api/v1/protocols/services/", a_service(treatment_provider))
    refused(answer, 403, "forbidden")
