"""One row of a file as values that can be stored, or the sentences why not. Pure.

What it needs of the clinic is in a `House`. Every value is text, so that it can wait as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from appointments.importing import dates, names
from appointments.importing.columns import OF_VISIT
from appointments.importing.dates import NoDate, NoTime, Order
from appointments.importing.nearest import Lookup, Unknown
from clinic.retelling import kept, together, word
from clinic.retelling import text as quoted
from clinic.saying import noop
from clinic.wall_time import local
from patients.naming import folded

LONGEST_CELL = 4000
LONGEST_NUMBER = 100
MOST_SESSIONS = 12
CONSENTS = ("care_sms", "care_email", "marketing_sms", "marketing_email", "photos", "phi_detail")
_YES = frozenset(
    [
        "yes",
        "y",
        "true",
        "t",
        "1",
        "x",
        "si",
        "sí",
        "ja",
        "ok",
        "agreed",
        "given",
        "opt",
        "in",
        "opted",
        "in",
    ]
) | {"opted in"}
_NO = frozenset(
    ["no", "n", "false", "f", "0", "nein", "none", "declined", "opted", "out", "stop"]
) | {"opted out"}
_LANGUAGES = {"en": "en", "english": "en", "ingles": "en", "es": "es", "spanish": "es",
              "espanol": "es", "eng": "en", "spa": "es"}  # fmt: skip
_STATES = {
    "done": ("done", "completed", "complete", "attended", "show", "showed", "finished", "closed",
             "treated", "checked out", "arrived", "paid", "realizada"),
    "no_show": ("no show", "noshow", "dna", "did not attend", "missed", "no asistio"),
    "cancelled": ("cancelled", "canceled", "cancel", "late cancel", "deleted", "cancelada"),
    "booked": ("booked", "confirmed", "scheduled", "open", "new", "active", "pending", "upcoming",
               "reminded", "reservada"),
}  # fmt: skip
_STATE = {word: state for state, words in _STATES.items() for word in words}
_WHO = {
    "given": noop("given name"),
    "family": noop("family name"),
    "birth_date": noop("birth date"),
}
_NEEDED = {
    "protocol": noop("The visit has no treatment."),
    "date": noop("The visit has no date."),
}
# What a whole patient calls a field.
_AS_A_FIELD = {
    "legal_given": "given",
    "legal_family": "family",
    "preferred_name": "preferred",
    "birth_date": "birth_date",
    "language": "language",
    "zone": "zone",
    "notes": "notes",
}
# In a file with one column for the whole name these are parts of it.
_OF_A_NAME = ("given", "family")
_TEXT_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_FURTHEST = timedelta(days=3 * 366)
_OLDEST_VISIT = timedelta(days=60 * 366)


@dataclass(frozen=True, slots=True)
class Treatment:
    """A protocol in use: the id of its version, its areas, and the minutes of a visit in some."""

    version: int
    slug: str
    areas: Lookup[str]
    only_area: str
    minutes: Callable[[tuple[str, ...]], int]


@dataclass(frozen=True, slots=True)
class House:
    """What reading a row needs of the site. `phone` and `email` give a value as it is stored,
    `person` checks a whole patient; they raise ValueError with a `sentence`."""

    zone: str
    now: datetime
    order: Order | None
    phone: Callable[[str], str]
    email: Callable[[str], str]
    person: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    treatments: Lookup[Treatment]
    providers: Lookup[int]
    rooms: Lookup[int]
    devices: Lookup[int]

    @property
    def today(self) -> date:
        return local(self.now, self.zone).date()


@dataclass(slots=True)
class Row:
    """A row: what it says of its patient, and of a visit if it has one.

    Keys say who and what it is about, the same in every file: by the former system's number, else
    by name and birth date, or by what the visit is.
    """

    number: int
    person_key: str = ""
    person: dict[str, str] = field(default_factory=dict)
    visit_key: str = ""
    series_key: str = ""
    visit: dict[str, Any] = field(default_factory=dict)
    starts_at: datetime | None = None
    decision: str = ""
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    blamed: str = ""

    def refuse(self, name: str, *sentences: str) -> None:
        """Say what is wrong with the cell of a field, after its column as the file calls it, which
        is said once for what follows it at once."""
        called = "name" if name in _OF_A_NAME and name not in self.columns else name
        column = self.columns.get(called, "")
        lead = kept("Column “%(column)s”:", column=quoted(column[:60])) if column else ""
        told = () if column == self.blamed else (lead,)
        self.problems.append(together((*told, *sentences)))
        self.blamed = column


def key_of(*parts: str) -> str:
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def read(
    number: int,
    cells: Mapping[str, str],
    house: House,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> Row:
    """The row of these cells, by the field that each is taken for; `columns` are what the file
    calls those."""
    row = Row(number, columns=columns)
    told = {name: _text(cell) for name, cell in cells.items()}
    for name, text in told.items():
        if len(text) > LONGEST_CELL:
            row.refuse(
                name,
                kept(
                    "A cell has %(count)s characters; at most %(most)s.",
                    count=len(text),
                    most=LONGEST_CELL,
                ),
            )
            told[name] = ""
    _person(row, told, house)
    if any(told.get(name) for name in OF_VISIT):
        _visit(row, told, house)
    _decision(row, told.get("decision", ""))
    return row


def _text(cell: str) -> str:
    """A cell without the blanks around it, and without what spreadsheets put to keep zeros."""
    found = _TEXT_FORMULA.fullmatch(cell.strip())
    return (found[1] if found else cell).replace("\xa0", " ").strip()


def _try(
    row: Row, name: str, act: Callable[[], Any], default: Any = "", before: tuple[str, ...] = ()
) -> Any:
    """What comes of the cell of the field `name`; `before` is said first of what is refused."""
    try:
        return act()
    except (NoDate, Unknown) as error:
        row.refuse(name, *before, str(error))
    except ValueError as error:
        name = _AS_A_FIELD.get(getattr(error, "field", ""), name)
        row.refuse(name, *before, getattr(error, "sentence", "") or str(error))
    return default


# --- The patient ----------------------------------------------------------------------------------


def _person(row: Row, told: Mapping[str, str], house: House) -> None:
    outside = told.get("patient_id", "")[:LONGEST_NUMBER]
    _names(row, told)
    day = _day(row, "birth_date", told.get("birth_date", ""), house)
    row.person |= {"birth_date": day.isoformat()} if day else {}
    for name, stored in (("phone", house.phone), ("email", house.email)):
        if text := told.get(name):
            cell = kept("“%(cell)s”:", cell=quoted(text[:60]))
            value = _try(row, name, partial(stored, text), before=(cell,))
            row.person |= {name: value} if value else {}
    if text := told.get("language"):
        if language := _LANGUAGES.get(folded(text)):
            row.person["language"] = language
        else:
            row.refuse(
                "language",
                kept(
                    "“%(cell)s” is no language here: English (en) or Spanish (es).",
                    cell=quoted(text[:40]),
                ),
            )
    row.person |= {name: told[name] for name in ("zone", "notes") if told.get(name)}
    _consents(row, told, house)
    _whole(row, house, has_number=bool(outside))
    row.person_key = (
        key_of("number", outside)
        if outside
        else key_of("who", *(folded(row.person.get(each, "")) for each in _WHO))
    )
    row.person |= {"outside": outside} if outside else {}


def _names(row: Row, told: Mapping[str, str]) -> None:
    given, family = (names.without_title(told.get(name, "")) for name in ("given", "family"))
    if whole := told.get("name", ""):
        given, family = names.parted(whole)
        if not (given and family):
            row.refuse(
                "name",
                kept(
                    "“%(cell)s” has one word; a patient has two names here.",
                    cell=quoted(whole[:60]),
                ),
            )
    _named(row, given, family, told.get("preferred", ""))


def _whole(row: Row, house: House, *, has_number: bool) -> None:
    """Whether it tells a whole patient, or else none of it and the number that says who it is."""
    missing = [label for name, label in _WHO.items() if name not in row.person]
    if not missing:
        _try(row, "", lambda: house.person(row.person))
    elif (not has_number or len(missing) < len(_WHO)) and not row.problems:
        row.problems.append(kept("Missing: %(fields)s.", fields=word(*missing)))


def _day(row: Row, name: str, text: str, house: House) -> date | None:
    """The day in a cell, whatever time stands behind it; None when there is none."""
    if not text:
        return None
    only = re.sub(r"[T ]+\d{1,2}:\d{2}.*$", "", text)
    found: date | None = _try(
        row, name, lambda: dates.as_day(only, order=house.order, latest=house.today), None
    )
    return found


def _named(row: Row, given: str, family: str, preferred: str) -> None:
    for name, text in (("given", given), ("family", family), ("preferred", preferred)):
        text = " ".join(text.split())
        if text and not names.can_be(text):
            row.refuse(name, kept("“%(cell)s” is no name.", cell=quoted(text[:40])))
        elif text:
            row.person[name] = text


def _consents(row: Row, told: Mapping[str, str], house: House) -> None:
    for name in CONSENTS:
        text = folded(told.get(name, ""))
        if text in _YES or text in _NO:
            row.person[name] = "yes" if text in _YES else "no"
        elif text:
            row.refuse(
                name, kept("“%(cell)s” is neither yes nor no.", cell=quoted(told[name][:40]))
            )
    day = _day(row, "consented_on", told.get("consented_on", ""), house)
    if day is not None and day > house.today:
        row.refuse("consented_on", noop("The date of the agreement is still to come."))
    elif day is not None:
        row.person["consented_on"] = day.isoformat()


def _decision(row: Row, text: str) -> None:
    said = folded(text)
    if said in ("", "new"):
        row.decision = said
    elif said.isdecimal() and len(said) < 19:
        row.decision = f"#{int(said)}"
    else:
        row.refuse(
            "decision",
            kept(
                "“%(cell)s” is no decision. Write “new” or a number such as #412.",
                cell=quoted(text[:40]),
            ),
        )


# --- The visit ------------------------------------------------------------------------------------


def _visit(row: Row, told: Mapping[str, str], house: House) -> None:
    for name, problem in _NEEDED.items():
        if not told.get(name):
            row.refuse(name, problem)
    treatment: Treatment | None = None
    if text := told.get("protocol"):
        treatment = _try(row, "protocol", lambda: house.treatments.find(text), None)
    areas = _areas(row, treatment, told.get("areas", "")) if treatment else ()
    if when := told.get("date"):
        _moment(row, when, told.get("time", ""), house)
    _resources(row, told, house)
    _state(row, told.get("state", ""), house)
    _sessions(row, told)
    day = _day(row, "booked_on", told.get("booked_on", ""), house)
    if day is not None and day <= house.today:
        row.visit["booked_on"] = day.isoformat()
    if row.starts_at is None or treatment is None or not areas:
        return
    row.visit |= {
        "protocol": treatment.slug,
        "version": treatment.version,
        "areas": list(areas),
        "minutes": treatment.minutes(areas),
    }
    _keys(row, told, treatment)


def _moment(row: Row, day: str, clock: str, house: House) -> None:
    latest = house.today + _FURTHEST
    try:
        row.starts_at, remark = dates.as_moment(
            day, clock, order=house.order, zone=house.zone, latest=latest
        )
    except NoDate as error:
        has_own = "time" in row.columns and isinstance(error, NoTime)
        row.refuse("time" if has_own else "date", str(error))
    else:
        row.notes += [remark] if remark else []


def _resources(row: Row, told: Mapping[str, str], house: House) -> None:
    lookups = {"provider": house.providers, "room": house.rooms, "device": house.devices}
    for name, lookup in lookups.items():
        if text := told.get(name):
            row.visit[name] = _try(row, name, partial(lookup.find, text), None)


def _sessions(row: Row, told: Mapping[str, str]) -> None:
    for name in ("session", "sessions"):
        if text := told.get(name):
            number = int(text) if text.isdecimal() and len(text) < 4 else 0
            if 1 <= number <= MOST_SESSIONS:
                row.visit[name] = number
            else:
                row.refuse(
                    name,
                    kept(
                        "“%(cell)s” is no number of sessions from 1 to 12.", cell=quoted(text[:20])
                    ),
                )


def _areas(row: Row, treatment: Treatment, text: str) -> tuple[str, ...]:
    named = [each.strip() for each in re.split(r"[;,/+&|]", text) if each.strip()]
    if not named and treatment.only_area:
        return (treatment.only_area,)
    if not named:
        row.refuse("areas", noop("The visit has no area."))
    found = [_try(row, "areas", partial(treatment.areas.find, each)) for each in named]
    return tuple(sorted({each for each in found if each})) if all(found) else ()


def _state(row: Row, text: str, house: House) -> None:
    """What became of the visit: what the file says, or else what its time makes likely."""
    if row.starts_at is None:
        return
    past = row.starts_at < house.now
    state = _STATE.get(folded(text), "") if text else ("done" if past else "booked")
    if not state:
        row.refuse(
            "state",
            kept(
                "“%(cell)s” says nothing known of a visit. Write done, no-show, cancelled or"
                " booked.",
                cell=quoted(text[:40]),
            ),
        )
        return
    if not house.now - _OLDEST_VISIT < row.starts_at < house.now + _FURTHEST:
        row.refuse(
            "date", noop("The visit lies beyond all measure: more than 60 years back or 3 ahead.")
        )
    if past and state == "booked":
        row.notes.append(noop("Its time is past and it was still booked; it is taken for done."))
        state = "done"
    if not past and state in ("done", "no_show"):
        row.refuse("state", noop("The visit is still to come, so nothing can have become of it."))
    row.visit |= {"state": state, "told": folded(text)}


def _keys(row: Row, told: Mapping[str, str], treatment: Treatment) -> None:
    assert row.starts_at is not None
    areas = ",".join(row.visit["areas"])
    if number := told.get("visit_id", "")[:LONGEST_NUMBER]:
        row.visit_key = key_of("visit", number)
    else:
        at = row.starts_at.isoformat()
        row.visit_key = key_of("visit", row.person_key, treatment.slug, areas, at)
    if number := told.get("series_id", "")[:LONGEST_NUMBER]:
        row.series_key = key_of("series", row.person_key, number)
    elif "session" in row.visit:
        row.series_key = key_of("series", row.person_key, treatment.slug, areas)
    else:
        row.series_key = key_of("single", row.visit_key)


def booked_at(visit: Mapping[str, Any], starts_at: datetime, now: datetime) -> datetime:
    """When a visit was booked, as far as the file tells; never after its start or now."""
    known = visit.get("booked_on")
    at = datetime.combine(date.fromisoformat(known), time(12), UTC) if known else now
    return min(at, starts_at, now)
