"""The library that comes along: every file reads, names its sources and speaks with care."""

import re
import tomllib
from pathlib import Path

import pytest
from django.utils.translation import override

from clinic.protocols import choice_words, house_words, reading
from clinic.protocols.loading import LIBRARY
from clinic.protocols.schema import Directive, Kind, Protocol, Text

FILES = sorted(LIBRARY.glob("*.toml"))
IDS = {
    "consultation",
    "ipl",
    "laser_fractional",
    "laser_nonablative",
    "rf_microneedling",
    "rf_monopolar",
    "rf_series",
    "ultrasound",
}
DOCS = Path(__file__).parents[3] / "docs" / "protocols.md"

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path: Path) -> Protocol:
    return reading.read(path.read_text(encoding="utf-8"), filename=path.name)


def patient_texts(protocol: Protocol) -> list[Text]:
    """Every text that a patient may see."""
    steps = [
        text
        for step in protocol.steps
        for text in (step.title, step.text, step.late_text)
        if text is not None
    ]
    return [
        *steps,
        *(warning.sign for warning in protocol.warnings),
        *(question.question for question in protocol.screening),
        *(product.name for product in protocol.products),
    ]


def test_the_library_is_whole() -> None:
    assert {path.stem for path in FILES} == IDS


def test_no_two_protocols_share_a_code() -> None:
    codes = [read(path).code for path in FILES]
    assert len(set(codes)) == len(codes)


@each_file
def test_a_file_reads_and_its_name_is_its_id(path: Path) -> None:
    assert read(path).id == path.stem


@each_file
def test_a_stored_protocol_of_the_library_is_equal(path: Path) -> None:
    protocol = read(path)
    assert reading.from_document(reading.to_document(protocol)) == protocol


@each_file
def test_every_source_is_referred_to(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = document.pop("evidence", {})
    referred = set(re.findall(r"'([A-Z]\d+b?)'", str(document)))
    assert set(sources) == referred


@each_file
def test_a_step_without_a_source_is_owned_up_to(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    inferred = document["inferences"]
    silent = [
        step["id"]
        for step in document.get("steps", [])
        if not step.get("evidence")
        and not any(
            each == "steps[*]" or each.startswith(f"steps[{step['id']}]") for each in inferred
        )
    ]
    assert silent == []


@each_file
def test_a_series_protocol_asks_screens_warns_and_checks_in(path: Path) -> None:
    protocol = read(path)
    if protocol.kind is Kind.SERVICE:
        assert len(protocol.steps) <= 5
        return
    kinds = {step.kind for step in protocol.steps}
    assert {"instruction", "question", "checkin", "photo", "booking"} <= kinds
    assert protocol.warnings
    assert protocol.spacing
    assert protocol.products
    assert protocol.session_log
    # The sources name nothing that forbids a laser outright; they defer or ask for review.
    outcomes = {"defer", "review"} | (set() if path.stem.startswith("laser") else {"block"})
    assert outcomes <= {question.outcome for question in protocol.screening}


@each_file
def test_a_treatment_is_named_with_its_areas_and_a_service_without_places_by_itself(
    path: Path,
) -> None:
    protocol = read(path)
    area = next(iter(protocol.applicability.areas))
    where = protocol.applicability.areas[area].name.en
    if protocol.kind is Kind.SERVICE:
        assert protocol.areas_in_words([area], "en") == protocol.name.en
        assert protocol.treatment_in_words([area], "es") == protocol.name.es
    else:
        assert protocol.areas_in_words([area], "en") == where
        assert protocol.treatment_in_words([area], "en") == f"{protocol.name.en} · {where}"


@each_file
def test_prompts_to_come_back_need_marketing_consent_and_photos_photo_consent(path: Path) -> None:
    for step in read(path).steps:
        if step.kind == "booking":
            assert step.applies_if == "consent.marketing", step.id
        if step.kind == "photo":
            assert step.applies_if == "consent.photo", step.id


@each_file
def test_no_text_tells_anybody_to_stop_a_prescribed_medicine(path: Path) -> None:
    protocol = read(path)
    for step in protocol.steps:
        if step.topic.startswith("med.") and step.directive is Directive.AVOID:
            assert "prescribed" in step.text.en, step.id
            assert "recetado" in step.text.es, step.id
    orders = re.compile(
        r"\b(stop|quit|pause|interrupt)\b[^.]*\b(medicine|medication|tablet|prescri)"
        r"|\b(deje|suspenda|interrumpa)\b[^.]*\b(medicin|medicament|pastilla|recet)",
        re.IGNORECASE,
    )
    told = [t for text in patient_texts(protocol) for t in (text.en, text.es) if orders.search(t)]
    assert told == []


@each_file
def test_texts_are_short_end_as_sentences_and_speak_both_languages(path: Path) -> None:
    protocol = read(path)
    for step in protocol.steps:
        for text in (step.text, step.late_text):
            if text is None:
                continue
            for words in (text.en, text.es):
                assert words.endswith((".", "?", "!")), (step.id, words)
                assert len(words) <= 320, (step.id, words)
    same = [text.en for text in patient_texts(protocol) if text.en == text.es and " " in text.en]
    assert same == []


@each_file
def test_spanish_says_usted(path: Path) -> None:
    informal = re.compile(
        r"\b(tú|tu|tus|te|ti|contigo|tienes|puedes|debes|usa|evita|ven|llámanos|dinos|avísanos)\b"
    )
    texts = patient_texts(read(path))
    assert [text.es for text in texts if informal.search(text.es.lower())] == []


@each_file
def test_spanish_writes_numbers_as_the_devices_do(path: Path) -> None:
    """A decimal point, and a comma for thousands."""
    said = re.findall(r'\bes = "([^"]*)"', path.read_text(encoding="utf-8"))
    assert said
    assert not [text for text in said if re.search(r"\d,\d(?!\d\d\b)|\d\.\d{3}\b", text)]


@each_file
def test_every_topic_is_explained_in_the_docs(path: Path) -> None:
    known = set(re.findall(r"`([a-z0-9_.]+)`", DOCS.read_text(encoding="utf-8")))
    used = {step.topic for step in read(path).steps}
    assert used - known == set()


@each_file
def test_what_a_log_gives_to_choose_from_is_told_in_spanish(path: Path) -> None:
    fields = read(path).session_log
    words = {choice for field in fields for choice in field.choices}
    measures = {choice for choice in words if choice[0].isdigit()}
    assert words - measures <= choice_words.KNOWN
    with override("es"):
        said = {choice: choice_words.choice_word(choice) for choice in words - measures}
    assert said == {} or said["none"] == "Ninguna"
    assert all(word.lower() != choice for choice, word in said.items())


@each_file
def test_its_modality_and_room_are_told_in_spanish(path: Path) -> None:
    protocol = read(path)
    assert protocol.resources.room_kind in house_words.ROOMS
    with override("es"):
        assert house_words.modality_word(protocol.name.en) == protocol.name.es
        room = house_words.room_word(protocol.resources.room_kind)
    assert room in ("consulta", "láser", "tratamiento")
