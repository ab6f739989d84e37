"""A protocol written field by field: the form and the text are two views of one draft."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic.access import Forbidden
from clinic.models import ProtocolDraft, ProtocolVersion, Site, Staff
from clinic.protocols import drafting, loading, reading, saving_sections, writing
from clinic.protocols.saving_sections import Arrange, Target
from clinic.protocols.schema import Text, Urgency, WarningSign
from clinic.protocols.sections import BY_SLUG
from tests.clinic.views.conftest import keeps_to_the_policy

pytestmark = pytest.mark.django_db

DRAFT = "/protocols/ipl/draft/"
As = Callable[[Staff], Client]


@pytest.fixture
def draft(now: datetime, clinical_lead: Staff) -> ProtocolDraft:
    loading.load_library(now=now)
    base = ProtocolVersion.objects.get(protocol="ipl")
    return drafting.begin(base=base, by=clinical_lead, now=now)


@pytest.fixture
def lead(as_: As, clinical_lead: Staff) -> Client:
    return as_(clinical_lead)


def document() -> dict[str, Any]:
    return tomllib.loads(ProtocolDraft.objects.get().text)


def form_of(client: Client, address: str) -> dict[str, list[str]]:
    """What a browser would send of the form at an address, as it stands."""
    html = client.get(address).text
    html = html[html.index('<div class="stack" id="writing">') : html.index('<aside class="stack"')]
    typed: dict[str, list[str]] = {}
    pattern = r"<input([^>]*)>|<textarea([^>]*)>([^<]*)<|<select([^>]*)>(.*?)</select>"
    for found in re.finditer(pattern, html, re.DOTALL):
        box, area, text, select, options = found.groups()
        name = re.search(r'name="([^"]+)"', box or area or select)
        assert name
        if box and 'type="checkbox"' in box and " checked" not in box:
            continue
        value = re.search(r'value="([^"]*)"', box or "")
        chosen = re.search(r'value="([^"]*)" selected', options or "")
        said = value or chosen
        typed.setdefault(name[1], []).append(said[1] if said else text or "")
    typed.pop("csrfmiddlewaretoken")
    return typed


def test_a_field_is_changed_and_the_text_the_picture_and_the_changes_say_so(
    lead: Client, draft: ProtocolDraft
) -> None:
    address = f"{DRAFT}series/"
    typed = form_of(lead, address)
    before = document()
    typed |= {"interval.ideal": ["5"], "interval.ideal:unit": ["weeks"]}
    seen = lead.post(address, {**typed, "preview": "1"}, headers={"HX-Request": "true"})
    assert "5 weeks" in seen.text and ProtocolDraft.objects.get().revision == 1
    assert lead.post(address, typed).headers["Location"] == address
    answer = lead.get(address)
    keeps_to_the_policy(answer)
    assert "<ins>5 weeks</ins>" in answer.text
    assert "<b>Sessions and intervals · From one session to the next: Ideal</b>" in answer.text
    assert "ideally 5 weeks apart" in answer.text
    assert 'ideal = "P5W"' in lead.get(DRAFT).text.replace("&quot;", '"')
    before["series"]["interval"]["ideal"] = "P5W"
    assert document() == before


def test_what_is_wrong_stands_at_its_field_in_plain_words_and_is_kept(
    lead: Client, draft: ProtocolDraft
) -> None:
    typed = form_of(lead, f"{DRAFT}series/")
    typed |= {"interval.min": ["soon"], "sessions.min": ["9"], "interval.max": ["999"]}
    lead.post(f"{DRAFT}series/", typed)
    html = lead.get(f"{DRAFT}series/").text
    assert 'name="interval.min" value="soon"' in html
    assert 'id="f-interval-min-error"><li>Write a whole number and choose its unit.' in html
    assert 'id="f-sessions-error"><li>Must be 1 ≤ “Fewest sessions” ≤ “Usual' in html
    assert f'href="{DRAFT}series/#f-interval-min">Sessions and intervals · ' in html
    answer = lead.post(f"{DRAFT}series/", {**form_of(lead, f"{DRAFT}series/"), "publish": ""})
    assert answer.status_code == 422 and "It becomes no version yet" in answer.text


def test_rows_are_added_copied_moved_and_taken_out_and_that_is_taken_back(
    lead: Client, draft: ProtocolDraft
) -> None:
    steps = document()["steps"]
    names = [each["id"] for each in steps]
    listed = lead.get(f"{DRAFT}steps/")
    keeps_to_the_policy(listed)
    assert all(name in listed.text for name in names)

    copied = form_of(lead, f"{DRAFT}steps/{len(steps)}/?like=0")
    assert copied["topic"] == [steps[0]["topic"]] and copied["id"] == [""]
    lead.post(f"{DRAFT}steps/{len(steps)}/", {**copied, "id": ["pre.again"]})
    assert [each["id"] for each in document()["steps"]] == [*names, "pre.again"]

    def arrange(number: int, act: str) -> None:
        seen = form_of(lead, f"{DRAFT}steps/")["seen"][0]
        lead.post(f"{DRAFT}steps/{number}/arrange/", {"act": act, "seen": seen})

    arrange(0, "down")
    arrange(len(steps), "up")
    arrange(0, "up")  # it is at its end already
    now = [each["id"] for each in document()["steps"]]
    assert now == [names[1], names[0], *names[2:-1], "pre.again", names[-1]]
    arrange(1, "remove")
    assert names[0] not in [each["id"] for each in document()["steps"]]
    undo = re.search(r'action="([^"]+/undo/\?revision=\d+)"', lead.get(f"{DRAFT}steps/").text)
    assert undo
    lead.post(undo[1])
    assert [each["id"] for each in document()["steps"]] == now
    assert lead.post(f"{DRAFT}steps/0/arrange/", {"act": "burn"}).status_code == 404
    assert lead.get(f"{DRAFT}steps/99/").status_code == 404
    assert lead.get(f"{DRAFT}nothing/").status_code == 404


def test_only_rows_of_which_a_version_keeps_the_order_are_moved(
    lead: Client, draft: ProtocolDraft
) -> None:
    assert "Move up: " in lead.get(f"{DRAFT}steps/").text
    for slug in ("sources", "areas"):
        html = lead.get(f"{DRAFT}{slug}/").text
        assert "Take out: " in html and "Move up: " not in html


def test_the_list_of_steps_says_when_each_is_due_as_one_says_it(
    lead: Client, draft: ProtocolDraft
) -> None:
    address = f"{DRAFT}steps/0/"
    for typed, said in ((("1", "days"), "1 day"), (("42", "days"), "6 weeks")):
        form = form_of(lead, address)
        form |= {"before": [typed[0]], "before:unit": [typed[1]], "after": [""]}
        lead.post(address, form)
        assert f"<small>Before: {said} · " in lead.get(f"{DRAFT}steps/").text


def test_a_row_that_is_renamed_takes_along_what_points_at_it_and_has_a_name_of_its_own(
    lead: Client, draft: ProtocolDraft
) -> None:
    address = f"{DRAFT}areas/0/"
    typed = form_of(lead, address)
    _, second, *_ = document()["applicability"]["areas"]
    answer = lead.post(address, {**typed, "id": [second]})
    assert answer.status_code == 422 and f"Another row has the id “{second}”" in answer.text
    lead.post(address, {**typed, "id": ["forehead"]})
    assert list(document()["applicability"]["areas"])[:2] == ["forehead", second]
    assert drafting.checked(ProtocolDraft.objects.get()).protocol


def test_who_saves_upon_the_same_part_sees_both_and_upon_another_one_nothing(
    lead: Client, draft: ProtocolDraft, clinical_lead: Staff
) -> None:
    series, step = f"{DRAFT}series/", f"{DRAFT}steps/1/"
    mine, mine_of_step = form_of(lead, series), form_of(lead, step)
    theirs = {**mine, "interval.ideal": ["6"], "interval.ideal:unit": ["weeks"]}
    lead.post(series, theirs)
    # Another section, and a row that stands elsewhere by now, are no conflict.
    seen = form_of(lead, f"{DRAFT}steps/")["seen"][0]
    lead.post(f"{DRAFT}steps/0/arrange/", {"act": "remove", "seen": seen})
    answer = lead.post(step, {**mine_of_step, "title.en": ["Mine"]})
    assert answer.headers["Location"] == f"{DRAFT}steps/0/"
    assert document()["steps"][0]["title"]["en"] == "Mine"

    mine |= {"interval.ideal": ["5"], "interval.ideal:unit": ["weeks"]}
    answer = lead.post(series, mine)
    assert answer.status_code == 409
    assert 'name="interval.ideal" value="5"' in answer.text
    assert "Saved meanwhile: <b>6 weeks</b>" in answer.text
    assert answer.text.count("Saved meanwhile:") == 1
    assert document()["series"]["interval"]["ideal"] == "P6W"
    seen = re.findall(r'name="seen" value="(\w+)"', answer.text)[0]
    lead.post(series, {**mine, "seen": [seen]})
    assert document()["series"]["interval"]["ideal"] == "P5W"


def test_what_is_filled_in_becomes_a_version_at_once_or_is_kept_with_what_is_wrong(
    lead: Client, draft: ProtocolDraft, clinical_lead: Staff, now: datetime
) -> None:
    series = f"{DRAFT}series/"
    weeks = {"interval.ideal:unit": ["weeks"]}
    typed = form_of(lead, series) | weeks | {"interval.ideal": ["x"]}
    answer = lead.post(series, typed | {"publish": [""]})
    assert answer.status_code == 422 and "It becomes no version yet" in answer.text
    assert document()["series"]["interval"]["ideal"] == "x weeks"
    typed = form_of(lead, series) | weeks | {"interval.ideal": ["5"]}
    # Nothing is kept of what cannot be stored: both are one act.
    act: dict[str, Any] = {"draft": draft, "target": Target(BY_SLUG["series"]), "typed": typed}
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(loading, "store", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            saving_sections.fill_in(
                **act, saw=typed["seen"][0], by=clinical_lead, now=now, publish=True
            )
    assert ProtocolDraft.objects.get().revision == 2
    answer = lead.post(series, typed | {"publish": [""]})
    assert answer.headers["Location"] == "/protocols/ipl/1.1.0/changes/"
    assert not ProtocolDraft.objects.exists()


def test_a_text_that_cannot_be_read_has_no_fields_and_remarks_are_warned_of(
    lead: Client, draft: ProtocolDraft, clinical_lead: Staff, now: datetime
) -> None:
    text = f"# A remark\n{draft.text}"
    drafting.save(draft=draft, text=text, seen=1, by=clinical_lead, now=now)
    assert "The text has remarks" in lead.get(f"{DRAFT}series/").text
    # Saved twice, it takes the remark back once.
    typed = form_of(lead, f"{DRAFT}series/")
    for _ in range(2):
        assert lead.post(f"{DRAFT}series/", typed).status_code == 302
    assert "A remark" not in ProtocolDraft.objects.get().text
    lead.post(f"{DRAFT}undo/", {"revision": 3})
    assert ProtocolDraft.objects.get().text == text
    drafting.save(draft=draft, text="code = ", seen=4, by=clinical_lead, now=now)
    for there in ("series/", "steps/", "steps/0/"):
        assert lead.get(f"{DRAFT}{there}").headers["Location"] == DRAFT
    html = lead.get(DRAFT).text
    assert 'href="/protocols/ipl/draft/steps/"' not in html
    lead.post(f"{DRAFT}undo/", {"revision": 5})
    assert ProtocolDraft.objects.get().text == text
    answer = lead.post(f"{DRAFT}publish/", {"revision": 6})
    assert answer.headers["Location"] == "/protocols/ipl/1.1.0/changes/"


def test_nobody_else_fills_in_a_protocol(
    as_: As, front_desk: Staff, manager: Staff, draft: ProtocolDraft, now: datetime
) -> None:
    target, section = Target(BY_SLUG["series"]), BY_SLUG["steps"]
    for staff in (front_desk, manager):
        act: dict[str, Any] = {"draft": draft, "by": staff, "now": now, "saw": ""}
        with pytest.raises(Forbidden):
            saving_sections.fill_in(target=target, typed={}, **act)
        with pytest.raises(Forbidden):
            saving_sections.arrange(section=section, row=0, act=Arrange.UP, **act)
        client = as_(staff)
        assert client.get(f"{DRAFT}series/").status_code == 403
        assert client.get(f"{DRAFT}steps/0/").status_code == 403
        for act_of in ("steps/0/arrange/", "undo/", "publish/"):
            sent = {"act": "up", "revision": "1"}
            assert client.post(f"{DRAFT}{act_of}", sent).status_code == 403
    assert Client().get(f"{DRAFT}series/").status_code == 302


# --- Plain services -------------------------------------------------------------------------------

FACIAL = "/protocols/facial/draft/"


@pytest.fixture
def facial(manager: Staff, now: datetime) -> ProtocolVersion:
    name = Text("Facial", "Limpieza facial")
    return loading.create_service(
        id="facial", name=name, code="FA", minutes=60, room_kind="treatment", by=manager, now=now
    )


def test_a_service_goes_over_a_draft_to_its_next_version_by_who_manages_every_site(
    as_: As, facial: ProtocolVersion, manager: Staff, clinical_lead: Staff
) -> None:
    client = as_(manager)
    begun = client.post("/protocols/facial/1.0.0/edit/")
    assert begun.headers["Location"] == f"{FACIAL}about/"
    listed = client.get(f"{FACIAL}areas/").text
    keeps_to_the_policy(client.get(f"{FACIAL}about/"))
    assert f"{FACIAL}resources/" in listed and f"{FACIAL}steps/" not in listed
    typed = form_of(client, f"{FACIAL}areas/0/") | {"chair": ["45"], "chair:unit": ["minutes"]}
    answer = client.post(f"{FACIAL}areas/0/", {**typed, "publish": ""})
    assert answer.headers["Location"] == "/protocols/facial/1.1.0/changes/"
    assert client.post("/protocols/facial/1.1.0/approve/").status_code == 302
    facial.refresh_from_db()
    second = ProtocolVersion.objects.get(protocol="facial", status="approved")
    assert (facial.status, second.version, second.approved_by) == ("retired", "1.1.0", manager)
    assert loading.get(second).chair_minutes(["visit"]) == 45

    # From the first one again, the next number is a free one.
    client.post("/protocols/facial/1.0.0/edit/")
    text = ProtocolDraft.objects.get().text
    assert 'version = "1.2.0"' in text
    twin = ProtocolVersion.objects.defer(None).get(pk=facial.pk)
    twin.pk = None
    with pytest.raises(IntegrityError, match="protocol_version_once"), transaction.atomic():
        twin.save()
    # What it says of health is the clinical lead's.
    row = drafting.checked(ProtocolDraft.objects.get()).protocol
    assert row
    asked = replace(row, warnings=(WarningSign("hot", Text("heat", "calor"), Urgency.SAME_DAY),))
    said = writing.toml(reading.whole_document(asked))
    client.post(FACIAL, {"text": said, "revision": 1, "publish": ""})
    refused = client.post("/protocols/facial/1.2.0/approve/")
    assert refused.status_code == 403 and "clinical lead" in refused.text
    assert "1.2.0/approve/" not in client.get("/protocols/facial/1.2.0/").text
    assert as_(clinical_lead).post("/protocols/facial/1.2.0/approve/").status_code == 302
    # So what began from it is as well.
    assert as_(manager).post("/protocols/facial/1.2.0/edit/").status_code == 403


def test_what_the_lead_approved_gives_way_to_nothing_that_a_manager_writes(
    as_: As, facial: ProtocolVersion, manager: Staff, clinical_lead: Staff, now: datetime
) -> None:
    plain = drafting.text_of(facial, "1.3.0")
    row = reading.read(drafting.text_of(facial, "1.2.0"), filename="draft")
    asked = replace(row, warnings=(WarningSign("hot", Text("heat", "calor"), Urgency.SAME_DAY),))
    clinical = loading.store(asked, by=clinical_lead, now=now)
    drafting.store_text(protocol="facial", text=plain, by=clinical_lead, now=now)
    loading.approve(version=clinical, by=clinical_lead, now=now)
    client = as_(manager)
    assert client.post("/protocols/facial/1.0.0/edit/").status_code == 403
    for version in ("1.0.0", "1.3.0"):
        shown = client.get(f"/protocols/facial/{version}/").text
        assert "/edit/" not in shown and "/approve/" not in shown, version
    refused = client.post("/protocols/facial/1.3.0/approve/")
    assert refused.status_code == 403 and "clinical lead" in refused.text
    again = drafting.text_of(facial, "1.4.0")
    with pytest.raises(Forbidden, match="clinical lead"):
        drafting.store_text(protocol="facial", text=again, by=manager, now=now)
    assert ProtocolVersion.objects.get(protocol="facial", status="approved") == clinical


def test_a_new_modality_that_cannot_be_is_told_and_nothing_is_lost(
    as_: As, facial: ProtocolVersion, manager: Staff, draft: ProtocolDraft
) -> None:
    client = as_(manager)
    client.post("/protocols/facial/1.0.0/edit/")
    typed = form_of(client, f"{FACIAL}about/") | {"modality": ["other"]}
    answer = client.post(f"{FACIAL}about/", {**typed, "publish": ""})
    assert answer.status_code == 422 and "Facial has it already" in answer.text
    assert 'name="modality" value="other"' in answer.text


def test_who_manages_one_site_of_several_does_not_change_a_service(
    as_: As, facial: ProtocolVersion, manager: Staff, other_site: Site, front_desk: Staff, now: Any
) -> None:
    for by in (manager, front_desk):
        with pytest.raises(Forbidden, match="manager of every site or the clinical lead"):
            drafting.begin(base=facial, by=by, now=now)
        client = as_(by)
        assert client.post("/protocols/facial/1.0.0/edit/").status_code == 403
        assert client.post("/protocols/facial/1.0.0/retire/").status_code == 403
