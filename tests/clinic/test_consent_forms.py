"""Consent forms: what comes with the product, how a lead publishes, what never changes again."""

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from clinic.access import Forbidden
from clinic.consent_forms import drafting, in_force, loading, publishing, wording
from clinic.consent_forms.drafting import ConsentFormRefused, StaleConsentForm, WordsRefused
from clinic.consent_forms.wording import Words
from clinic.models import ConsentForm, FormState, ProtocolVersion, Staff
from clinic.printing import Bullets, Heading, Paragraph
from clinic.protocols.loading import LIBRARY
from tests.api import CLOCK, api, refused
from tests.clinic.views.conftest import keeps_to_the_policy

SUBJECT = in_force.treatment("rf_microneedling")
WORDS = {
    "en": Words("Consent", "## Risks\n- burns\n- scars\n\nI may say no."),
    "es": Words("Consentimiento", "## Riesgos\n- quemaduras\n- cicatrices\n\nPuedo decir que no."),
}


def a_draft(by: Staff, now: datetime, **changed: Any) -> ConsentForm:
    asked = {"subject": SUBJECT, "words": WORDS, "valid_for": "P12M", "seen": "", **changed}
    return drafting.save(**asked, by=by, now=now)


def published(by: Staff, now: datetime, *, asks_anew: bool = True, **changed: Any) -> ConsentForm:
    draft = a_draft(by, now, **changed)
    return publishing.publish(draft=draft, seen=draft.digest, asks_anew=asks_anew, by=by, now=now)


# --- The words ------------------------------------------------------------------------------------


def test_a_body_is_headings_paragraphs_and_lists_in_order() -> None:
    assert wording.blocks("One\ntwo\n\n## Risks\n- a\n- b\nThree\n- c") == (
        Paragraph("One\ntwo"),
        Heading("Risks"),
        Bullets(("a", "b")),
        Paragraph("Three"),
        Bullets(("c",)),
    )


def test_every_treatment_with_steps_has_a_form_in_both_languages_and_photos_have_three() -> None:
    defaults = {each.subject: each for each in loading.read_library()}
    treatments = {path.stem for path in LIBRARY.glob("*.toml")} - {"consultation"}
    assert set(defaults) == {in_force.treatment(each) for each in treatments} | set(
        in_force.photos()
    )
    for each in defaults.values():
        assert not wording.problems(each.words, each.valid_for)
        shapes = [
            [
                (type(block), len(getattr(block, "items", ())))
                for block in wording.blocks(words.body)
            ]
            for words in each.words.values()
        ]
        assert shapes[0] == shapes[1], f"{each.subject}: the languages say different things"


def test_the_form_of_rf_microneedling_carries_the_communication_of_the_fda() -> None:
    [form] = [each for each in loading.read_library() if each.subject == SUBJECT]
    for language, said in {
        "en": ("15 October 2025", "burns", "scarring", "fat loss", "disfigurement", "nerve damage"),
        "es": (
            *("15 de octubre de 2025", "quemaduras", "cicatrices", "pérdida de grasa"),
            *("desfiguración", "daño de los nervios"),
        ),
    }.items():
        assert all(each in form.words[language].body for each in said)


@pytest.mark.parametrize(
    ("words", "valid_for", "field"),
    [
        (WORDS | {"es": Words("", "x")}, "", "title_es"),
        (WORDS | {"en": Words("x", " \n")}, "", "body_en"),
        (WORDS | {"en": Words("x" * 121, "x")}, "", "title_en"),
        (WORDS | {"en": Words("x", "x" * 20_001)}, "", "body_en"),
        (WORDS | {"en": Words("x", "a\x00b")}, "", "body_en"),
        (WORDS, "12 months", "valid_for"),
        (WORDS, "P0D", "valid_for"),
    ],
)
def test_words_that_cannot_be_kept_are_named(
    words: dict[str, Words], valid_for: str, field: str
) -> None:
    kept = {language: wording.cleaned(each) for language, each in words.items()}
    assert field in [each.field for each in wording.problems(kept, valid_for)]


# --- Editions -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_library_becomes_drafts_once_and_what_was_thrown_away_stays_away(
    clinical_lead: Staff, now: datetime
) -> None:
    call_command("load_protocols", stdout=StringIO())
    added = list(ConsentForm.objects.all())
    assert {each.state for each in added} == {FormState.DRAFT} and len(added) == 10
    assert loading.load_library(now=now) == []
    mine = next(each for each in added if each.protocol == "ipl")
    drafting.discard(draft=mine, seen=mine.digest, by=clinical_lead, now=now)
    assert loading.load_library(now=now) == []


@pytest.mark.django_db
def test_a_new_edition_takes_the_place_of_the_one_before_and_says_who_signs_anew(
    clinical_lead: Staff, now: datetime
) -> None:
    published(clinical_lead, now)
    corrected = WORDS | {"en": Words("Consent", "## Risks\n- burns\n- scars")}
    second = published(clinical_lead, now, asks_anew=False, words=corrected)
    [found] = in_force.of([SUBJECT, in_force.treatment("ipl")]).values()
    assert (found.form, found.counts_from) == (second, 1)
    worse = WORDS | {"en": Words("Consent", "## Risks\n- burns\n- scars\n- nerve damage")}
    third = published(clinical_lead, now, words=worse)
    [found] = in_force.of([SUBJECT]).values()
    assert (found.form, found.counts_from) == (third, 3)
    assert third.digest_es == second.digest_es and third.digest_en != second.digest_en
    states = drafting.editions(SUBJECT).values_list("state", flat=True)
    assert list(states) == ["published", "retired", "retired"]
    publishing.retire(form=third, by=clinical_lead, now=now)
    assert in_force.of([SUBJECT]) == {}


@pytest.mark.django_db
def test_two_who_write_at_once_do_not_overwrite_each_other(
    clinical_lead: Staff, now: datetime
) -> None:
    first = a_draft(clinical_lead, now)
    changed = WORDS | {"en": Words("Other", "words")}
    second = a_draft(clinical_lead, now, words=changed, seen=first.digest)
    assert second.pk == first.pk
    for seen in ("", first.digest):
        with pytest.raises(StaleConsentForm):
            a_draft(clinical_lead, now, seen=seen)
    with pytest.raises(StaleConsentForm):
        publishing.publish(
            draft=second, seen=first.digest, asks_anew=True, by=clinical_lead, now=now
        )
    with pytest.raises(WordsRefused):
        a_draft(clinical_lead, now, valid_for="soon", seen=second.digest)


@pytest.mark.django_db
def test_the_same_words_are_not_published_twice(clinical_lead: Staff, now: datetime) -> None:
    published(clinical_lead, now)
    again = a_draft(clinical_lead, now)
    with pytest.raises(ConsentFormRefused, match="already"):
        publishing.publish(
            draft=again, seen=again.digest, asks_anew=True, by=clinical_lead, now=now
        )


@pytest.mark.django_db
def test_only_the_clinical_lead_writes_and_publishes(
    clinical_lead: Staff, manager: Staff, provider: Staff, front_desk: Staff, now: datetime
) -> None:
    form = published(clinical_lead, now)
    draft = a_draft(clinical_lead, now, words=WORDS | {"en": Words("Other", "words")})
    for by in (manager, provider, front_desk):
        for act in (
            lambda by=by: a_draft(by, now, seen=draft.digest),
            lambda by=by: drafting.discard(draft=draft, seen=draft.digest, by=by, now=now),
            lambda by=by: publishing.publish(
                draft=draft, seen=draft.digest, asks_anew=True, by=by, now=now
            ),
            lambda by=by: publishing.retire(form=form, by=by, now=now),
        ):
            with pytest.raises(Forbidden):
                act()


# --- The database ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_published_never_changes_also_by_raw_sql_of_the_owner(
    clinical_lead: Staff, now: datetime, as_owner: Any
) -> None:
    form = published(clinical_lead, now)
    for statement in (
        "UPDATE clinic_consentform SET body_en = 'nothing can happen'",
        "UPDATE clinic_consentform SET state = 'draft', published_at = NULL",
        "UPDATE clinic_consentform SET asks_anew = FALSE",
        "DELETE FROM clinic_consentform",
    ):
        for run in (as_owner, _as_app):
            with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
                run(statement)
    publishing.retire(form=form, by=clinical_lead, now=now)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        _as_app("UPDATE clinic_consentform SET retired_at = now()")


def _as_app(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"purpose": "treatment", "protocol": ""}, "consent_form_of_a_protocol"),
        ({"purpose": "photos_record"}, "consent_form_of_a_protocol"),
        ({"purpose": "photos_else", "protocol": ""}, "consent_form_of_a_protocol"),
        ({"state": "published"}, "consent_form_state_whole"),
        ({"state": "retired"}, "consent_form_state_whole"),
        ({"number": 1}, "consent_form_number_once"),
        ({}, "consent_form_one_draft"),
    ],
)
def test_the_database_refuses_an_edition_that_cannot_be(
    clinical_lead: Staff, now: datetime, changed: dict[str, Any], name: str
) -> None:
    a_draft(clinical_lead, now)
    row = drafting.new(SUBJECT, now=now)
    drafting.write(row, WORDS, "")
    for field, value in changed.items():
        setattr(row, field, value)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        row.save()


# --- Pages and API --------------------------------------------------------------------------------


@CLOCK
@pytest.mark.django_db
def test_the_lead_writes_reads_and_publishes_on_the_pages(
    client: Client, clinical_lead: Staff, front_desk: Staff, protocol: ProtocolVersion
) -> None:
    client.force_login(clinical_lead)
    page = client.get("/consent-forms/")
    keeps_to_the_policy(page)
    assert "Visits start without a signature" in page.content.decode()
    typed = {
        **{f"title_{each}": WORDS[each].title for each in WORDS},
        **{f"body_{each}": WORDS[each].body for each in WORDS},
        "valid_for": "12",
        "valid_for_unit": "months",
    }
    address = "/consent-forms/rf_microneedling/"
    keeps_to_the_policy(client.get(f"{address}edit/"))
    assert client.post(f"{address}edit/", {**typed, "title_es": ""}).status_code == 422
    soon = client.post(f"{address}edit/", {**typed, "valid_for": "soon"})
    assert soon.status_code == 422 and 'value="soon"' in soon.content.decode()
    assert client.post(f"{address}edit/", typed).status_code == 302
    assert ConsentForm.objects.get().valid_for == "P12M"
    again = client.get(f"{address}edit/").content.decode()
    assert '="12"' in again and '<option value="months" selected>' in again
    assert client.post(f"{address}edit/", typed).status_code == 409
    draft = ConsentForm.objects.get()
    ConsentForm.objects.update(valid_for="PT90M")
    in_minutes = client.get(f"{address}edit/").content.decode()
    assert '="90"' in in_minutes and '<option value="minutes" selected>' in in_minutes
    ConsentForm.objects.update(valid_for="P12M")
    shown = client.get(f"{address}1/")
    keeps_to_the_policy(shown)
    assert "<li>quemaduras</li>" in shown.content.decode()
    client.post(f"{address}1/publish/", {"seen": draft.digest, "asks_anew": "on"})
    assert ConsentForm.objects.get().state == FormState.PUBLISHED
    client.force_login(front_desk)
    assert client.get(f"{address}1/").status_code == 200
    assert client.get(f"{address}edit/").status_code == 403
    assert client.post(f"{address}1/close/").status_code == 403
    assert client.get("/consent-forms/nothing/1/").status_code == 404
    client.force_login(clinical_lead)
    client.post(f"{address}1/close/")
    assert ConsentForm.objects.get().state == FormState.RETIRED


@CLOCK
@pytest.mark.django_db
def test_the_api_writes_and_publishes_for_the_lead_only(
    clinical_lead: Staff, front_desk: Staff, protocol: ProtocolVersion
) -> None:
    typed = {
        "purpose": "treatment",
        "protocol": "rf_microneedling",
        **{f"title_{each}": WORDS[each].title for each in WORDS},
        **{f"body_{each}": WORDS[each].body for each in WORDS},
    }
    lead, address = api(clinical_lead), "/api/v1/consent-forms/"
    refused(api(front_desk).post(address, typed), 403, "forbidden")
    refused(lead.post(address, {**typed, "protocol": ""}), 400, "invalid", "protocol")
    refused(lead.post(address, {**typed, "protocol": "none"}), 400, "invalid", "protocol")
    made = lead.post(address, typed)
    assert made.status_code == 201, made.content
    refused(lead.post(address, typed), 409, "stale_consent_form", "digest")
    here = f"{address}{made.json()['id']}/"
    refused(api(front_desk).post(f"{here}publish/", {}), 403, "forbidden")
    assert lead.post(f"{here}publish/", {"seen": made.json()["digest"]}).status_code == 200
    assert api(front_desk).get(here).json()["state"] == "published"
    refused(lead.post(f"{here}discard/", {}), 409, "stale_consent_form", "digest")
    assert lead.post(f"{here}retire/").status_code == 200
    refused(lead.post(f"{here}retire/"), 409, "consent_form_state", "state")
