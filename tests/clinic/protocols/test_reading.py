"""Reading a protocol: what is accepted, and that every problem names file, place and cause."""

import copy
import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.durations import Duration
from clinic.protocols import reading
from clinic.protocols.loading import LIBRARY
from clinic.protocols.plain_service import service
from clinic.protocols.reading import ProtocolError
from clinic.protocols.schema import Channel, Intent, Kind, Protocol, Text

FILE = "rf_microneedling.toml"
SOURCE = (LIBRARY / FILE).read_text(encoding="utf-8")
DOCUMENT = tomllib.loads(SOURCE)


def problems_of(text: str) -> list[str]:
    with pytest.raises(ProtocolError) as refused:
        reading.read(text, filename=FILE)
    return refused.value.problems


def problems_after(change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The problems of the sample after `change` did its work on the document."""
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(ProtocolError) as refused:
        reading.checked_document(document, filename=FILE)
    return refused.value.problems


def step(document: dict[str, Any], id: str) -> dict[str, Any]:
    return next(each for each in document["steps"] if each["id"] == id)


def place(id: str) -> str:
    return f"steps[{[each['id'] for each in DOCUMENT['steps']].index(id)}]"


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return reading.read(SOURCE, filename=FILE)


def test_the_figures_of_the_file_arrive(protocol: Protocol) -> None:
    interval = protocol.series.interval
    assert interval is not None
    assert (interval.min.days, interval.ideal.days, interval.max.days) == (21, 28, 42)
    sun = next(each for each in protocol.steps if each.id == "pre.sun")
    assert sun.before == Duration(days=14)
    assert sun.hold_until is not None
    assert sun.hold_until.after == Duration(days=30)
    assert sun.channels == {Channel.APP: Intent.CHECKLIST, Channel.EMAIL: Intent.FULL_GUIDE}
    assert sun.text.get("es").startswith("Desde ahora")
    depth = next(each for each in protocol.session_log if each.id == "depth")
    assert (depth.unit, depth.minimum, depth.maximum) == ("mm", 0.5, 8.0)
    assert protocol.evidence["M17"].grade == "B"


def test_minutes_of_areas_add_up_in_the_chair_and_numb_together(protocol: Protocol) -> None:
    assert protocol.chair_minutes(["face", "neck"]) == 65
    assert protocol.numbing_minutes(["face", "neck"]) == 45
    assert protocol.numbing_minutes([]) == 0


def test_an_area_may_ask_for_more_sessions_than_the_series() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["applicability"]["areas"]["abdomen"]["sessions"] = {"min": 4, "typical": 8, "max": 10}
    body = reading.checked_document(document, filename=FILE)
    assert body.sessions_for(["face"]).typical == 3
    assert body.sessions_for(["face", "abdomen"]).typical == 8
    assert body.sessions_for([]).typical == 3


def test_a_language_that_nobody_wrote_is_an_error(protocol: Protocol) -> None:
    with pytest.raises(KeyError):
        protocol.name.get("fr")


# --- Problems -------------------------------------------------------------------------------------


def test_a_wrong_duration_names_file_step_and_field() -> None:
    def wrong(document: dict[str, Any]) -> None:
        document["steps"][3]["before"] = "P7X"

    assert problems_after(wrong) == [
        "rf_microneedling.toml: steps[3].before: 'P7X' is not an ISO-8601 duration"
    ]


def test_every_problem_is_told_at_once() -> None:
    def wrong(document: dict[str, Any]) -> None:
        document["steps"][3]["before"] = "P7X"
        document["steps"][2]["chanels"] = {"app": "checklist"}
        document["steps"][5]["evidence"] = ["M77"]
        document["series"]["sessions"] = {"min": 3, "typical": 2, "max": 5}
        document["steps"][8]["applies_if"] = "screening.nothing"
        del document["code"]

    assert problems_after(wrong) == [
        f"{FILE}: code: is missing",
        f"{FILE}: series.sessions: must be 1 ≤ min ≤ typical ≤ max ≤ 52",
        f"{FILE}: steps[2].chanels: unknown field; did you mean 'channels'?",
        f"{FILE}: steps[3].before: 'P7X' is not an ISO-8601 duration",
        f"{FILE}: steps[5].evidence[0]: 'M77' is not in the evidence of this protocol",
        f"{FILE}: steps[8].applies_if: no screening question has the id 'nothing'",
    ]


def test_a_slip_in_the_toml_names_its_line() -> None:
    [problem] = problems_of("id = 'x'\nversion = \n")
    assert problem.startswith(f"{FILE}: not valid TOML: ")
    assert "line 2" in problem


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "a = 1" + "0" * 5000, "a = {b = {" * 4000], ids=len
)
def test_hostile_toml_is_refused_in_a_sentence(text: str) -> None:
    [problem] = problems_of(text)
    assert problem.startswith(f"{FILE}: ")


def set_in_step(id: str, /, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: step(document, id).update(values)


def drop_in_step(id: str, field: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        del step(document, id)[field]

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (set_in_step("pre.sun", directive="avoyd"),
         f"{place('pre.sun')}.directive: 'avoyd' is not known; did you mean 'avoid'?"),
        (set_in_step("pre.sun", kind="question", hold_until={"after": "P1D"}),
         f"{place('pre.sun')}.directive: 'avoid' does not fit kind 'question'; use ask"),
        (set_in_step("pre.sun", after="P1D"),
         f"{place('pre.sun')}: needs exactly one of before and after"),
        (drop_in_step("pre.sun", "before"),
         f"{place('pre.sun')}: needs exactly one of before and after"),
        (set_in_step("pre.sun", anchor="session.end"),
         f"{place('pre.sun')}.anchor: 'session.end' does not fit phase 'pre'; use session.start"),
        (drop_in_step("pre.sun", "late_text"),
         f"{place('pre.sun')}.late_text: is missing, and late is reword_ask"),
        (set_in_step("pre.sun", late="skip"),
         f"{place('pre.sun')}.late_text: is never used, because late is not reword_ask"),
        (drop_in_step("pre.antiviral", "staff_text"),
         f"{place('pre.antiviral')}.staff_text: is missing, and kind is task"),
        (drop_in_step("post.check72", "staff_text"),
         f"{place('post.check72')}.staff_text: is missing, and a call is asked for"),
        (set_in_step("pre.hydrate", channels={}),
         f"{place('pre.hydrate')}.staff_text: is missing, and no channel carries the step"),
        (drop_in_step("pre.otc_nsaid", "applies_if"),
         (f"{place('pre.otc_nsaid')}.applies_if: must be not_prescribed: "
         "nobody is told to stop a prescribed medicine")),
        (set_in_step("post.no_pick", hold_until={"after": "PT3H"}),
         f"{place('post.no_pick')}.hold_until: ends before the step begins"),
        (set_in_step("pre.wax", hold_until={"before": "P20D"}),
         f"{place('pre.wax')}.hold_until: ends before the step begins"),
        (set_in_step("pre.wax", hold_until={}),
         f"{place('pre.wax')}.hold_until: needs exactly one of before and after"),
        (set_in_step("post.cool", title={"en": "Cool the skin", "es": " "}),
         f"{place('post.cool')}.title.es: is empty"),
        (set_in_step("post.cool", title={"en": "Cool the skin"}),
         f"{place('post.cool')}.title.es: is missing"),
        (set_in_step("post.cool", title="Cool the skin"),
         f"{place('post.cool')}.title: 'Cool the skin' is not a table"),
        (set_in_step("post.cool", channels={"fax": "full_guide"}),
         (f"{place('post.cool')}.channels.fax: 'fax' is not known; "
         "it is one of sms, email, app, call")),
        (set_in_step("post.cool", ack="yes"),
         f"{place('post.cool')}.ack: 'yes' is not true or false"),
        (set_in_step("post.cool", id="post.clean"),
         f"{place('post.clean')}.id: 'post.clean' is already used"),
        (set_in_step("post.cool", applies_if="consent.fotos"),
         (f"{place('post.cool')}.applies_if: 'consent.fotos' is not known; it is one of "
         "consent.photo, consent.marketing, not_prescribed, plan.sedation, screening.<id>")),
    ],
)  # fmt: skip
def test_a_slip_in_a_step_names_place_and_cause(
    change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    assert f"{FILE}: {expected}" in problems_after(change)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("version",), "1.0", "version: '1.0' is not a version such as 1.0.0"),
        (("code",), "rm", "code: 'rm' is not two capital letters"),
        (("id",), "RF", "id: 'RF' is not small letters, digits and _ (at most 50)"),
        (("kind",), "service", "series.sessions.max: a service has one session"),
        (("series", "interval", "min"), "P30D", "series.interval: must be min ≤ ideal ≤ max"),
        (("series", "interval", "min"), "PT21H",
         "series.interval.min: must be whole days or months"),
        (("series", "downtime", "max"), "P1D", "series.downtime: must be typical ≤ max"),
        (("series", "results", "peak"), "P1D", "series.results: must be first ≤ peak"),
        (("series", "maintenance", "latest"), "P1D",
         "series.maintenance: must be due ≤ latest"),
        (("series", "sessions", "min"), True, "series.sessions.min: true is not a whole number"),
        (("series", "sessions", "max"), 53,
         "series.sessions: must be 1 ≤ min ≤ typical ≤ max ≤ 52"),
        (("applicability", "min_age"), -1,
         "applicability.min_age: is not between 0 and 120"),
        (("applicability", "areas"), {}, "applicability.areas: names no area"),
        (("applicability", "areas", "face", "chair"), "P1D",
         "applicability.areas.face.chair: 'P1D' must be hours and minutes"),
        (("applicability", "areas", "face", "chair"), "PT0S",
         "applicability.areas.face.chair: is shorter than a minute"),
        (("applicability", "fitzpatrick", "block"), ["VI"],
         "applicability.fitzpatrick: type VI is listed more than once"),
        (("applicability", "fitzpatrick", "review"), ["IV", "V"],
         "applicability.fitzpatrick: type VI is in none of allow, review and block"),
        (("resources", "device", "set_up"), "P1D",
         "resources.device.set_up: 'P1D' must be hours and minutes"),
        (("evidence", "M1", "grade"), "E",
         "evidence.M1.grade: 'E' is not known; it is one of A, B, C, D"),
        (("evidence", "M1", "url"), "ask the maker",
         "evidence.M1.url: 'ask the maker' is not an http address"),
        (("inferences",), ["series.intervall.max"],
         "inferences[0]: 'series.intervall.max' names no field of this protocol"),
        (("inferences",), ["steps[pre.moon].late"],
         "inferences[0]: 'steps[pre.moon].late' names no field of this protocol"),
        (("steps",), 3, "steps: '3' is not a list"),
        (("name", "en"), "two\nlines", "name.en: holds a line break or a control character"),
        (("name", "en"), "x" * 61, "name.en: is longer than 60 characters"),
    ],
)  # fmt: skip
def test_a_slip_elsewhere_names_place_and_cause(
    path: tuple[str, ...], value: object, expected: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        at = document
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value

    assert f"{FILE}: {expected}" in problems_after(change)


@pytest.mark.parametrize(
    ("group", "index", "values", "expected"),
    [
        ("screening", 3, {"washout": None}, "washout: is missing, and the trigger is"),
        ("screening", 0, {"ask": []}, "ask: names no moment"),
        ("session_log", -1, {"choices": ["completed"]}, "choices: an enum has at least two"),
        ("session_log", 0, {"choices": ["a", "b"]}, "choices: type 'string' has none"),
        ("session_log", 0, {"minimum": 1}, "minimum: type 'string' has none"),
        ("session_log", 5, {"minimum": 9}, "maximum: is less than minimum"),
        ("session_log", 5, {"maximum": float("nan")}, "maximum: 'nan' is not a finite number"),
        ("session_log", 5, {"maximum": 10**400}, "maximum: 'inf' is not a finite number"),
        ("spacing", 0, {"other": "ilp"}, "other: 'ilp' is not known"),
        ("spacing", 0, {"min_gap": "P0D"}, "min_gap: is zero"),
        ("products", 1, {"until": "PT1H"}, "until: is before start"),
        ("policy", 0, {"choice": "toss a coin"}, "choice: 'toss a coin' is not one of"),
    ],
)
def test_a_slip_in_a_list_names_place_and_cause(
    group: str, index: int, values: dict[str, object], expected: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        entry = document[group][index]
        entry.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del entry[name]

    number = index % len(DOCUMENT[group])
    problems = problems_after(change)
    assert any(each.startswith(f"{FILE}: {group}[{number}].{expected}") for each in problems)


def test_more_than_one_session_needs_an_interval() -> None:
    def change(document: dict[str, Any]) -> None:
        del document["series"]["interval"]
        document["inferences"].remove("series.interval.max")

    assert problems_after(change) == [
        f"{FILE}: series.interval: is missing, and there can be more than one session"
    ]


# --- Anything at all ------------------------------------------------------------------------------

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["P7D", "PT1H", "P7X", "avoid", "screening.hsv", "session.end", "M1", ""]),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=5), st.integers()), max_size=3),
)


def _spots(at: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    keys = at.keys() if isinstance(at, dict) else range(len(at)) if isinstance(at, list) else ()
    here = [(at, key) for key in keys]
    return here + [spot for key in keys for spot in _spots(at[key])]


@given(st.data())
def test_whatever_a_document_holds_it_is_a_protocol_or_a_list_of_problems(
    data: st.DataObject,
) -> None:
    document = copy.deepcopy(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 3))):
        spots = _spots(document)
        container, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        act = data.draw(st.sampled_from(["replace", "remove", "add", "double"]))
        if act == "replace":
            container[key] = data.draw(ANYTHING)
        elif act == "remove":
            del container[key]
        elif act == "double" and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif isinstance(container, dict):
            container[data.draw(st.text(max_size=10))] = data.draw(ANYTHING)
    try:
        read = reading.checked_document(document, filename=FILE)
    except ProtocolError as refused:
        assert refused.problems
        assert all(problem.startswith(f"{FILE}: ") for problem in refused.problems)
    else:
        assert reading.from_document(json.loads(json.dumps(reading.to_document(read)))) == read


@given(st.text(max_size=200))
def test_whatever_a_text_holds_it_is_refused_in_sentences(text: str) -> None:
    assert problems_of(text)


# --- The stored form ------------------------------------------------------------------------------


def test_the_stored_document_gives_back_an_equal_protocol(protocol: Protocol) -> None:
    stored = json.loads(json.dumps(reading.to_document(protocol)))
    assert reading.from_document(stored) == protocol


def test_the_digest_follows_the_content_and_nothing_else(protocol: Protocol) -> None:
    stored = reading.to_document(protocol)
    shuffled = dict(reversed(list(stored.items())))
    assert reading.digest(reading.from_document(shuffled)) == reading.digest(protocol)
    changed = reading.read(SOURCE.replace('before = "P14D"', 'before = "P15D"', 1), filename=FILE)
    assert reading.digest(changed) != reading.digest(protocol)
    spaced = reading.read(SOURCE.replace("P4W", "P28D") + "\n# a remark\n", filename=FILE)
    assert reading.digest(spaced) == reading.digest(protocol)


def test_fields_at_their_default_are_not_stored_so_that_new_ones_keep_old_digests(
    protocol: Protocol,
) -> None:
    stored = reading.to_document(protocol)
    cool = step(stored, "post.cool")
    assert "critical" not in cool
    assert "late_text" not in cool
    assert cool["after"] == "PT0S"


def test_a_stored_document_stays_readable_when_the_rules_grow_stricter(protocol: Protocol) -> None:
    stored = reading.to_document(protocol)
    stored["series"]["sessions"] = {"min": 5, "typical": 3, "max": 1}
    assert reading.from_document(stored).series.sessions.min == 5
    del stored["series"]
    with pytest.raises(ProtocolError, match="series: is missing"):
        reading.from_document(stored)


# --- Plain services -------------------------------------------------------------------------------


def facial(**changes: Any) -> Protocol:
    values: dict[str, Any] = {
        "id": "facial",
        "name": Text("Facial", "Limpieza facial"),
        "modality": "facial",
        "code": "FA",
        "minutes": 60,
        "room_kind": "treatment",
        "clean_up_minutes": 10,
    }
    return service(**(values | changes))


def test_a_plain_service_is_one_visit_without_steps() -> None:
    made = reading.check(facial(), filename="facial")
    assert made.kind is Kind.SERVICE
    assert made.chair_minutes(["visit"]) == 60
    assert made.resources.device is None
    assert made.resources.room.clean_up.minutes == 10
    assert (made.series.sessions.max, made.series.interval, made.steps) == (1, None, ())
    assert reading.from_document(reading.to_document(made)) == made


def test_a_service_with_a_device_holds_it() -> None:
    made = reading.check(facial(needs_device=True), filename="facial")
    assert made.resources.device == made.resources.room


def test_a_service_with_a_wrong_value_is_refused() -> None:
    with pytest.raises(ProtocolError) as refused:
        reading.check(facial(code="f1", minutes=0), filename="facial")
    assert refused.value.problems == [
        "facial: applicability.areas.visit.chair: is shorter than a minute",
        "facial: code: 'f1' is not two capital letters",
    ]
