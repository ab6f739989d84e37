"""A protocol as fields: nothing is lost between the document and the form, in either direction."""

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from clinic.durations import Duration
from clinic.protocols import filling, following, loading, reading, schema, sections, writing
from clinic.protocols.filling import Entry, Group, Widget
from clinic.protocols.sections import BY_SLUG, KEY, SECTIONS, Rows, Section
from clinic.templatetags.protocols import WORDS
from clinic.views import protocol_fields
from clinic.views.protocol_words import FIELDS
from clinic.views.protocol_words import SECTIONS as NAMED

LIBRARY = sorted(loading.LIBRARY.glob("*.toml"))


def sent(section: Section, part: dict[str, Any]) -> dict[str, list[str]]:
    """What a browser sends of the fields as they are shown."""
    typed: dict[str, list[str]] = {}
    for entry in filling.flat(filling.entries(section.of, part, only=section.only)):
        if entry.widget is Widget.SEVERAL:
            typed |= {entry.path: list(entry.chosen)} if entry.chosen else {}
        elif entry.widget is not Widget.TRUTH or entry.value:
            typed[entry.path] = [entry.value]
        if entry.widget is Widget.LENGTH:
            typed[entry.path + filling.UNIT] = [entry.unit]
    return typed


def saved(section: Section, part: dict[str, Any]) -> dict[str, Any]:
    made = filling.filled(section.of, sent(section, part), part, only=section.only)
    return {KEY: part[KEY], **made} if section.rows is Rows.KEYED else made


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_a_protocol_of_which_every_field_is_saved_unchanged_is_the_same(file: Path) -> None:
    before = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    document: dict[str, Any] = tomllib.loads(writing.toml(reading.whole_document(before)))
    for section in SECTIONS:
        if section.has_rows:
            rows = [saved(section, row) for row in sections.rows(document, section)]
            document = sections.with_rows(document, section, rows)
        else:
            record = saved(section, sections.record(document, section))
            document = sections.with_record(document, section, record)
    after = reading.read(writing.toml(document), filename="draft")
    assert reading.digest(after) == reading.digest(before)


def test_every_field_of_a_protocol_stands_in_a_section_and_has_words() -> None:
    seen: set[type[Any]] = set()

    def walk(tree: tuple[Entry | Group, ...]) -> None:
        for each in tree:
            assert each.of in WORDS or (each.of, each.name) in FIELDS, (each.of, each.name)
            seen.add(each.of)
            if isinstance(each, Group):
                walk(each.entries)
            else:
                assert all(type(word) in WORDS or word in schema.SkinType for word in each.options)

    for section in SECTIONS:
        walk(filling.entries(section.of, {}, only=section.only))
        assert section.slug in NAMED
    classes = {
        each
        for each in vars(schema).values()
        if isinstance(each, type) and is_dataclass(each) and each not in (schema.Protocol, Duration)
    }
    assert classes <= seen
    # What is not filled in: what a protocol is, and is called in the code.
    own = {each.name for each in fields(schema.Protocol)}
    filled_in = {section.path.partition(".")[0] for section in SECTIONS} | {*BY_SLUG["about"].only}
    assert own - filled_in == {"id", "kind"}


@pytest.mark.parametrize(
    ("written", "fields_say", "comes_back"),
    [
        ("P21D", ("21", "days"), "P21D"),
        ("P4W", ("4", "weeks"), "P4W"),
        ("PT90M", ("90", "minutes"), "PT90M"),
        ("PT1H30M", ("90", "minutes"), "PT90M"),
        ("P1Y", ("12", "months"), "P12M"),
        ("PT0S", ("0", "days"), "P0D"),
        ("P1M15D", ("P1M15D", ""), "P1M15D"),
        ("2.5 days", ("2.5", "days"), "2.5 days"),
        ("soon", ("soon", ""), "soon"),
    ],
)
def test_a_length_is_a_number_and_its_unit_and_stays_what_was_written(
    written: str, fields_say: tuple[str, str], comes_back: str
) -> None:
    section = BY_SLUG["products"]
    [start] = [
        entry
        for entry in filling.flat(filling.entries(section.of, {"start": written}))
        if entry.path == "start"
    ]
    assert (start.value, start.unit) == fields_say
    assert saved(section, {"start": written})["start"] == comes_back


def test_what_does_not_fit_is_kept_and_what_is_empty_is_left_out() -> None:
    section = BY_SLUG["log"]
    typed = {"id": ["depth"], "minimum": ["0,5"], "maximum": ["deep"], "unit": [""]}
    typed |= {"choices": ["one\r\n\r\n two "], "label.en": ["Depth\r\nof it"]}
    made = filling.filled(section.of, typed, {"colour": "red", "type": "number"})
    assert made == {
        "id": "depth",
        "label": {"en": "Depth of it"},
        "type": "number",
        "required": False,
        "choices": ["one", "two"],
        "minimum": 0.5,
        "maximum": "deep",
        "colour": "red",
    }


def test_a_place_is_found_in_the_section_that_fills_it_in() -> None:
    document = {"applicability": {"areas": {"face": {}, "neck": {}}}, "steps": [{}, {}]}
    for place, where in {
        "steps[1].text.en": ("steps", 1, "text.en"),
        "applicability.areas.neck.chair": ("areas", 1, "chair"),
        "applicability.areas.neck": ("areas", 1, KEY),
        "applicability.fitzpatrick": ("who", None, "fitzpatrick"),
        "series.interval": ("series", None, "interval"),
        "inferences[3]": ("about", None, "inferences[3]"),
    }.items():
        found = sections.spot(place, document)
        assert found is not None
        assert (found.section.slug, found.row, found.rest) == where
    assert sections.spot("id", document) is None
    assert protocol_fields.anchor(BY_SLUG["steps"], "evidence[0]") == "f-evidence"


def test_what_points_at_a_row_follows_it() -> None:
    document: dict[str, Any] = {
        "screening": [{"id": "tan", "evidence": ["M1"]}],
        "steps": [{"applies_if": "screening.tan"}, {"evidence": ["M1", "M2"]}],
        "evidence": {"M1": {"title": "One"}, "M2": {"title": "Two"}},
        "inferences": ["screening[tan].ask", "screening[tanned].ask", "screening[*].ask"],
    }
    renamed = following.renamed(document, BY_SLUG["screening"], "tan", "sun")
    assert renamed["inferences"][0] == "screening[sun].ask"
    assert renamed["inferences"][1:] == document["inferences"][1:]
    assert renamed["steps"][0] == {"applies_if": "screening.sun"}
    sourced = following.renamed(document, BY_SLUG["sources"], "M1", "X1")
    assert sourced["steps"][1] == {"evidence": ["X1", "M2"]}
    assert sourced["screening"][0]["evidence"] == ["X1"]
    gone = following.renamed(document, BY_SLUG["screening"], "tan", "")
    assert gone["inferences"] == document["inferences"][1:]
    assert gone["steps"] == document["steps"]
