"""A protocol written as text: nothing is lost on the way, and what is wrong has its line."""

from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client

from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import drafting, loading, locating, reading, writing
from clinic.protocols.drafting import DraftMovedOn, DraftRefused
from clinic.protocols.schema import Kind
from tests.api import api
from tests.clinic.views.conftest import keeps_to_the_policy

LIBRARY = sorted(loading.LIBRARY.glob("*.toml"))


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_what_is_written_reads_as_the_same_and_every_step_is_found(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    protocol = reading.read(text, filename=file.name)
    written = writing.toml(reading.whole_document(protocol))
    assert reading.digest(reading.read(written, filename="draft")) == reading.digest(protocol)
    for each in (text, written):
        lines, rows = locating.lines_of(each), each.splitlines()
        for number, step in enumerate(protocol.steps):
            line = locating.line_of(f"steps[{number}].id.nowhere", lines)
            assert line and f'id = "{step.id}"' in rows[line - 1]


def test_a_place_is_found_whatever_stands_around_it() -> None:
    text = """\
# [[steps]] is no header here
title = \'\'\'
[not.a.header]
steps = 3\'\'\'
words = [
  "a ] in a text", # and ] in a remark
  { x = "[" },
]
"a.key" . other = 1
[[steps]]
id = "one"
[[steps]]
id = "two"
[steps.text]
en = "Two"
[series.interval]
min = "P7D"
"""
    lines = locating.lines_of(text)
    rows = text.splitlines()
    for place, reads in {
        "words[1].x": "words = [",
        "steps[0].id": 'id = "one"',
        "steps[1].text.en": 'en = "Two"',
        "steps[1].missing": "[[steps]]",
        "series.interval.min": 'min = "P7D"',
        "series.interval.max": "[series.interval]",
    }.items():
        line = locating.line_of(place, lines)
        assert line and rows[line - 1] == reads, place
    assert lines["steps[1]"] == 12
    assert locating.line_of("nothing.like.it", lines) is None


@pytest.mark.parametrize(
    ("write", "line_reads", "cause"),
    [
        (('min = "P21D"', 'min = "P21"'), "interval =", "P21"),
        (('id = "', "id = '"), "id = '", ""),
        (("[series]", "[series"), "[series", ""),
        (('code = "RM"', 'code = "RM"\ncolour = "red"'), 'colour = "red"', "unknown field"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    write: tuple[str, str], line_reads: str, cause: str
) -> None:
    file = loading.LIBRARY / "rf_microneedling.toml"
    protocol = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    text = writing.toml(reading.whole_document(protocol)).replace(*write, 1)
    found = drafting.check(text, protocol="rf_microneedling", kind=Kind.SERIES, taken=set())
    assert found.protocol is None
    assert any(
        each.source.startswith(line_reads) and cause in each.cause for each in found.problems
    ), found.problems


def test_a_draft_stays_its_protocol_with_a_version_of_its_own() -> None:
    file = loading.LIBRARY / "ipl.toml"
    text = file.read_text(encoding="utf-8")
    assert drafting.check(text, protocol="ipl", kind=Kind.SERIES, taken=set()).protocol
    found = drafting.check(text, protocol="us", kind=Kind.SERVICE, taken={"1.0.2"})
    assert [each.place for each in found.problems] == ["id", "kind", "version"]
    assert drafting.next_version("1.0.0", {"1.0.0", "1.1.0"}) == "1.2.0"
    assert drafting.next_version("1.0.1", {"1.0.1"}) == "1.1.0"


# --- Kept -----------------------------------------------------------------------------------------


@pytest.fixture
def base(now: datetime) -> ProtocolVersion:
    loading.load_library(now=now)
    return ProtocolVersion.objects.get(protocol="ipl")


@pytest.mark.django_db
def test_from_a_version_over_a_draft_to_the_next_version(
    client: Client, clinical_lead: Staff, base: ProtocolVersion
) -> None:
    client.force_login(clinical_lead)
    page = f"/protocols/ipl/{base.version}/"
    assert "Write the next version" in client.get(page).text
    assert client.post(f"{page}edit/").headers["Location"] == "/protocols/ipl/draft/series/"
    answer = client.get("/protocols/ipl/draft/")
    keeps_to_the_policy(answer)
    assert "This can become version 1.1.0" in answer.text
    text = ProtocolDraft.objects.get().text

    broken = text.replace('ideal = "', 'ideal = "x', 1)
    answer = client.post("/protocols/ipl/draft/", {"text": broken, "revision": 1, "publish": ""})
    assert answer.status_code == 422
    assert "It becomes no version yet" in answer.text and "data-line=" in answer.text
    # What is wrong is kept all the same.
    assert ProtocolDraft.objects.get().text == broken

    again = text.replace('en = "Intense pulsed light"', 'en = "Pulsed light"', 1)
    answer = client.post("/protocols/ipl/draft/", {"text": again, "revision": 2})
    assert "Saved." in answer.text and "<ins>Pulsed light</ins>" in answer.text

    answer = client.post("/protocols/ipl/draft/", {"text": again, "revision": 3, "publish": ""})
    assert answer.headers["Location"] == "/protocols/ipl/1.1.0/changes/"
    row = ProtocolVersion.objects.get(protocol="ipl", version="1.1.0")
    assert (row.status, row.name, row.created_by) == ("draft", "Pulsed light", clinical_lead)
    assert not ProtocolDraft.objects.exists()
    acts = set(AuditEntry.objects.filter(by=clinical_lead).values_list("action", flat=True))
    assert {"protocol.draft", "protocol.load"} <= acts


@pytest.mark.django_db
def test_who_saves_upon_somebody_elses_draft_sees_both(
    client: Client, clinical_lead: Staff, base: ProtocolVersion, now: datetime
) -> None:
    draft = drafting.begin(base=base, by=clinical_lead, now=now)
    assert drafting.begin(base=base, by=clinical_lead, now=now) == draft
    drafting.save(draft=draft, text="theirs = 1", seen=1, by=clinical_lead, now=now)
    with pytest.raises(DraftMovedOn):
        drafting.discard(draft=draft, seen=1, by=clinical_lead, now=now)
    client.force_login(clinical_lead)
    answer = client.post("/protocols/ipl/draft/", {"text": "mine = 2", "revision": 1})
    assert answer.status_code == 409
    assert '<pre tabindex="0">theirs = 1</pre>' in answer.text
    assert '<pre tabindex="0">mine = 2</pre>' in answer.text
    assert ProtocolDraft.objects.get().text == "theirs = 1"
    answer = client.post("/protocols/ipl/draft/", {"text": "mine = 2", "revision": 2})
    assert ProtocolDraft.objects.get().text == "mine = 2"
    client.post("/protocols/ipl/draft/discard/", {"revision": 3})
    assert not ProtocolDraft.objects.exists()
    with pytest.raises(DraftRefused, match="became a version or was thrown away"):
        drafting.save(draft=draft, text="x", seen=3, by=clinical_lead, now=now)


@pytest.mark.django_db
def test_only_who_approves_protocols_writes_them(
    client: Client,
    clinical_lead: Staff,
    front_desk: Staff,
    manager: Staff,
    base: ProtocolVersion,
    now: datetime,
) -> None:
    drafting.begin(base=base, by=clinical_lead, now=now)
    for staff in (front_desk, manager):
        with pytest.raises(Forbidden):
            drafting.begin(base=base, by=staff, now=now)
        client.force_login(staff)
        assert client.post("/protocols/ipl/1.0.2/edit/").status_code == 403
        assert client.get("/protocols/ipl/draft/").status_code == 403
        sent = {"protocol": "ipl", "text": "x"}
        assert api(staff).post("/api/v1/protocols/versions/", sent).status_code == 403
    assert Client().get("/protocols/ipl/draft/").status_code == 302


@pytest.mark.django_db
def test_the_next_version_over_the_api(clinical_lead: Staff, base: ProtocolVersion) -> None:
    client = api(clinical_lead)
    text = client.get(f"/api/v1/protocols/{base.pk}/text/").json()["text"]
    sent = {"protocol": "ipl", "text": text}
    answer = client.post("/api/v1/protocols/versions/", sent)
    assert answer.status_code == 400
    assert answer.json()["sentence"].startswith("line 2: version: 1.0.2 is there already")
    sent["text"] = text.replace('version = "1.0.2"', 'version = "2.0.0"', 1)
    answer = client.post("/api/v1/protocols/versions/", sent)
    assert (answer.status_code, answer.json()["status"]) == (201, "draft")
