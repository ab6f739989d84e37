"""The OpenAPI document is whole and true, and no answer is ever a fault of ours."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clinic.models import ProtocolVersion, Resource, Role, Site, SiteRole, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused

Operation = tuple[str, str, dict[str, Any]]
OPEN = {"/api/v1/login/"}


# Other modules have their turn between the tests that need no database and those that do.
@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The document, made as strictly as it can be: any warning fails."""
    written = StringIO()
    call_command(
        "spectacular", validate=True, fail_on_warn=True, format="openapi-json", stdout=written
    )
    made: dict[str, Any] = json.loads(written.getvalue())
    return made


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


# --- The document ---------------------------------------------------------------------------------


def test_every_operation_has_a_sentence_a_tag_and_the_shape_of_its_errors(
    document: dict[str, Any],
) -> None:
    for path, method, operation in operations(document):
        summary = operation["summary"]
        assert re.fullmatch(r"[A-Z].{10,}\.", summary) and ". " not in summary, (path, summary)
        assert len(operation["tags"]) == 1 and operation["tags"] != ["v1"], path
        errors = {code: each for code, each in operation["responses"].items() if code >= "400"}
        assert "401" in errors, (path, method)
        for each in errors.values():
            schema = each["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Error"}


def test_the_main_operations_have_examples(document: dict[str, Any]) -> None:
    def examples(path: str, part: str, code: str = "") -> dict[str, Any]:
        operation = document["paths"][f"/api/v1/{path}/"]["post"]
        body = operation["responses"][code] if part == "responses" else operation[part]
        shown: dict[str, Any] = body["content"]["application/json"]["examples"]
        return shown

    for path in ("series", "appointments/{id}/move", "patients/{id}/consents", "series/propose"):
        assert examples(path, "requestBody"), path
    for path in ("series", "appointments/{id}/move"):
        taken = next(iter(examples(path, "responses", "409").values()))["value"]
        assert taken["code"] == "slot_taken" and taken["nearest"]
        soon = next(iter(examples(path, "responses", "400").values()))["value"]
        assert soon["code"] == "interval_too_short" and soon["earliest"]


@pytest.mark.django_db
def test_without_signing_in_every_operation_is_401_and_says_how(document: dict[str, Any]) -> None:
    for path, method, _ in operations(document):
        if path not in OPEN:
            answer = getattr(api(), method)(path.replace("{id}", "1"))
            told = refused(answer, 401, "not_authenticated")
            assert "Authorization: Token" in told["sentence"]
            assert answer.headers["WWW-Authenticate"] == "Token"


# --- The page of Swagger --------------------------------------------------------------------------


class Scripts(HTMLParser):
    """The addresses of a page's scripts, and whether any is written into the page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            address = dict(attrs).get("src")
            self.inline += address is None
            self.addresses += [address] if address else []


@pytest.mark.django_db
def test_swagger_runs_on_own_scripts_alone_as_the_policy_asks(client: Client) -> None:
    page = client.get("/api/docs/")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    scripts = Scripts()
    scripts.feed(page.content.decode())
    assert scripts.inline == 0 and scripts.addresses
    for address in scripts.addresses:
        with closing(client.get(address)) as script:
            assert script.status_code == 200, address
            assert "javascript" in script.headers["Content-Type"], address
    assert client.get("/api/schema/").status_code == 200


# --- Hostile input --------------------------------------------------------------------------------

_HOSTILE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**40, -(10**40), 1.5, 1e308, ""]),
    st.sampled_from(["\x00", "a\x00b", "x" * 5000, "9" * 400, "9999-12-31", "0001-01-01"]),
    st.sampled_from(["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2027-02-30", "{}"]),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.just([[[[[[{"a": {"b": {}}}]]]]]]),
)


def values(schema: dict[str, Any], document: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what the schema asks for, now and then anything else."""
    return st.integers(0, 5).flatmap(
        lambda dice: _HOSTILE if dice == 0 else _right(schema, document)
    )


def _right(schema: dict[str, Any], document: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _right(document["components"]["schemas"][schema["$ref"].split("/")[-1]], document)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return st.one_of([_right(each, document) for each in schema[several]])
    if "allOf" in schema:
        return _right(schema["allOf"][0], document)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            needed = set(schema.get("required", ()))
            made = {name: values(part, document) for name, part in parts.items()}
            return st.fixed_dictionaries(
                {name: each for name, each in made.items() if name in needed},
                optional={name: each for name, each in made.items() if name not in needed},
            )
        case "array":
            return st.lists(_right(schema["items"], document), max_size=3)
        case "integer" | "number":
            least = schema.get("minimum", 0)
            return st.integers(least, max(least, 12))
        case "boolean":
            return st.booleans()
    return {
        "date": st.dates().map(str),
        "date-time": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
        "email": st.sampled_from(["a@b.example", "ana.front@clinic.example"]),
    }.get(schema.get("format", ""), st.sampled_from(["face", "x", "2027-03-12T10:00", "rf"]))


@pytest.fixture
def everything(
    house: ProtocolVersion, site: Site, manager: Staff, patient: Patient, room: Resource
) -> dict[str, Any]:
    """Rows to be hit, and who may do anything with them."""
    SiteRole.objects.create(staff=manager, site=site, role=Role.CLINICAL_LEAD)
    lines = api(manager).post(
        "/api/v1/series/propose/",
        {
            "patient": patient.pk,
            "site": site.pk,
            "protocol": house.pk,
            "areas": ["face"],
            "sessions": 1,
        },
    )
    [visit] = lines.json()["visits"]
    place = {kind: visit[kind]["id"] for kind in ("provider", "room", "device")}
    treatment = {"patient": patient.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}
    series = api(manager).post(
        "/api/v1/series/", {**treatment, "visits": [{"starts_at": visit["starts_at"], **place}]}
    )
    block = {
        "site": site.pk,
        "kind": "blocked",
        "resources": [place["device"]],
        "starts_at": visit["starts_at"],
        "ends_at": "2027-12-01T12:00:00Z",
        "over_visits": True,
    }
    hours = {"site": site.pk, "day": visit["starts_at"][:10], "stretches": []}
    exceptions = api(manager).post("/api/v1/hours-exceptions/", hours, format="json").json()
    away = {"site": site.pk, "first_day": "2027-12-24", "reason": "Eve"}
    closed = api(manager).post("/api/v1/closures/", away, format="json").json()["closure"]
    # Of somebody else, for it bars what is booked.
    somebody = {"legal_given": "Omar", "legal_family": "Diaz", "birth_date": "1990-01-01"}
    other = api(manager).post(
        "/api/v1/patients/", {**somebody, "site": site.pk, "phone": "+1 212 555 0188"}
    )
    what = {"patient": other.json()["id"], "site": site.pk, "what": "Blister", "areas": []}
    event = api(manager).post(
        "/api/v1/adverse-events/",
        {**what, "severity": "mild", "noticed_at": "2027-02-15T13:00:00Z"},
        format="json",
    )
    return {
        **treatment,
        "as": manager,
        "adverse-events": event.json()["id"],
        "logs": series.json()["appointments"][0]["id"],
        "appointment": series.json()["appointments"][0]["id"],
        "blocks": api(manager).post("/api/v1/blocks/", block, format="json").json()["id"],
        "closures": closed["id"],
        "hours-exceptions": exceptions["exceptions"][0]["id"],
        **place,
        "series": series.json()["id"],
        "appointments": series.json()["appointments"][0]["id"],
        "patients": patient.pk,
        "protocols": house.pk,
        "sites": site.pk,
    }


def known(body: Any, rows: dict[str, Any], draw: Any) -> Any:
    """Ids that exist in place of most numbers, so that what follows is reached too."""
    if isinstance(body, list):
        return [known(each, rows, draw) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        name: rows[name]
        if name in rows and isinstance(value, int) and draw(st.integers(0, 3))
        else known(value, rows, draw)
        for name, value in body.items()
    }


@pytest.mark.django_db
@CLOCK
@settings(
    max_examples=12,
    phases=[Phase.generate],  # making one of so many requests smaller would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_sent_is_answered_and_never_a_fault_of_ours(
    data: st.DataObject, document: dict[str, Any], everything: dict[str, Any]
) -> None:
    cache.clear()
    client = api(everything["as"])
    for path, method, operation in operations(document):
        if method == "get" or "logout" in path:
            continue
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {"type": "object"})
        body = known(data.draw(values(schema, document)), everything, data.draw)
        resource = path.removeprefix("/api/v1/").split("/")[0]
        address = path.replace("{id}", str(everything.get(resource, 1)))
        answer = getattr(client, method)(address, json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, (method, address, body, answer.content)
        if answer.status_code >= 400:
            assert set(answer.json()) >= {"code", "sentence", "field"}


@pytest.mark.django_db
@CLOCK
@pytest.mark.parametrize("value", ["%00", "9" * 500, "-1", "1e999", "NaN", "%ED%A0%80", "[]", "''"])
def test_whatever_is_asked_of_a_list_is_answered(
    value: str, document: dict[str, Any], front_desk: Staff
) -> None:
    client = api(front_desk)
    for path, method, operation in operations(document):
        if method != "get":
            continue
        for each in operation.get("parameters", ()):
            if each["in"] == "query":
                answer = client.get(f"{path.replace('{id}', '1')}?{each['name']}={value}")
                assert answer.status_code < 500, (path, each["name"])
