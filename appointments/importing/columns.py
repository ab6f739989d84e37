"""What a column may mean, and guessing it from its name. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from clinic.saying import gettext, noop
from patients.naming import folded

PATIENT, CONSENT = noop("The patient"), noop("What they agreed to")
VISIT, IMPORT = noop("A visit"), noop("This import")

# What each column is taken for: a field by its name, and the file's column.
Mapping_ = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a row can tell. `names` are how files call it, folded; the first is ours."""

    name: str
    label: str
    group: str
    names: tuple[str, ...]
    help: str = ""


def _field(name: str, label: str, group: str, names: str = "", help: str = "") -> Field:
    ours = folded(name)
    return Field(name, label, group, (ours, *(each for each in names.split("|") if each)), help)


FIELDS: tuple[Field, ...] = (
    _field("patient_id", noop("Number in the former system"), PATIENT,
           "id|patient no|patient number|client id|customer id|chart number|mrn|record id|numero",
           "Makes a second import of the same people safe."),
    _field("name", noop("Whole name in one cell"), PATIENT,
           "full name|patient name|patient|client|client name|nombre completo|customer"),
    _field("given", noop("Given name"), PATIENT,
           "given name|first name|firstname|forename|nombre|first"),
    _field("family", noop("Family name"), PATIENT,
           "family name|last name|lastname|surname|apellido|apellidos|last"),
    _field("preferred", noop("Called"), PATIENT, "preferred name|nickname|known as|goes by"),
    _field("birth_date", noop("Birth date"), PATIENT,
           "date of birth|dob|birthdate|birthday|born|fecha de nacimiento|d o b"),
    _field("phone", noop("Mobile number"), PATIENT,
           "mobile|cell|cell phone|mobile phone|telephone|phone number|tel|telefono|movil"),
    _field("email", noop("E-mail address"), PATIENT, "e mail|email address|mail|correo"),
    _field("language", noop("Language"), PATIENT, "preferred language|idioma|lang"),
    _field("zone", noop("Time zone, if another than the site's"), PATIENT, "time zone|timezone"),
    _field("notes", noop("Notes"), PATIENT, "note|comments|remarks|notas"),
    _field("care_sms", noop("Care messages by text"), CONSENT,
           "sms consent|text reminders|sms"),
    _field("care_email", noop("Care messages by e-mail"), CONSENT, "email consent|email reminders"),
    _field("marketing_sms", noop("Offers by text"), CONSENT, "sms marketing|marketing texts"),
    _field("marketing_email", noop("Offers by e-mail"), CONSENT,
           "newsletter|email marketing|marketing"),
    _field("photos", noop("Progress photos"), CONSENT, "photo consent"),
    _field("phi_detail", noop("Treatment detail in e-mail"), CONSENT, "detail consent"),
    _field("consented_on", noop("When they agreed"), CONSENT, "consent date"),
    _field("visit_id", noop("Visit's number in the former system"), VISIT,
           "appointment id|booking id|appt id|visit number|appointment number"),
    _field("protocol", noop("Treatment"), VISIT,
           "service|procedure|treatment|tratamiento"),
    _field("areas", noop("Areas"), VISIT, "area|body area|zones|treated area|zona"),
    _field("date", noop("Date, or date and time"), VISIT,
           "appointment date|appt date|visit date|date of visit|start date|fecha|datetime|starts at"
           "|start|start time"),
    _field("time", noop("Time, if in a cell of its own"), VISIT,
           "appointment time|appt time|visit time|hora|start time|starts at|start"),
    _field("state", noop("What became of it"), VISIT, "status|appointment status|outcome|estado"),
    _field("provider", noop("Provider"), VISIT, "practitioner|staff|doctor|therapist|employee"),
    _field("room", noop("Room"), VISIT, "treatment room|sala"),
    _field("device", noop("Device"), VISIT, "machine|equipment|laser"),
    _field("series_id", noop("Series' number in the former system"), VISIT,
           "package id|course id|plan id|treatment plan"),
    _field("session", noop("Session number"), VISIT, "session number|session no|visit of series"),
    _field("sessions", noop("Sessions agreed"), VISIT,
           "total sessions|number of sessions|package size"),
    _field("booked_on", noop("When it was booked"), VISIT,
           "booked|created|created at|booking date"),
    _field("decision", noop("Decision about a possible duplicate"), IMPORT, "same as",
           "“new” for another person, or our patient's number such as #412."),
)  # fmt: skip
BY_NAME = {field.name: field for field in FIELDS}
OF_VISIT = tuple(field.name for field in FIELDS if field.group == VISIT)
DATES = ("birth_date", "date", "booked_on", "consented_on")
_AS_NEAR = 0.86


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """The column that each field is most likely in; no column is taken twice."""
    found: dict[str, str] = {}
    left = {column: folded(column) for column in columns}
    for field in FIELDS:
        for name in field.names:
            column = next((each for each, key in left.items() if key == name), None)
            if column is not None:
                found[field.name] = column
                del left[column]
                break
    for field in FIELDS:
        if field.name in found or not left:
            continue
        near, column = max((_nearness(field, key), each) for each, key in left.items())
        if near >= _AS_NEAR:
            found[field.name] = column
            del left[column]
    if "given" in found and "family" in found:
        found.pop("name", None)
    return found


def fitting(mapping: Mapping_, columns: Sequence[str]) -> dict[str, str]:
    """What of a remembered mapping these columns still have."""
    return {name: each for name, each in mapping.items() if name in BY_NAME and each in columns}


def problems(mapping: Mapping_, columns: Sequence[str]) -> dict[str, str]:
    """By field the sentences that keep a mapping from being used; empty when it can be."""
    found = {}
    for name, column in mapping.items():
        if name not in BY_NAME:
            found[name] = gettext("There is no field “%(name)s”.") % {"name": name}
        elif column not in columns:
            found[name] = gettext("The file has no column “%(column)s”.") % {"column": column}
    taken: dict[str, str] = {}
    for name, column in mapping.items():
        if name not in BY_NAME:
            continue
        if column in taken:
            found[name] = gettext("“%(column)s” is taken already, for: %(field)s.") % {
                "column": column,
                "field": gettext(BY_NAME[taken[column]].label),
            }
        taken.setdefault(column, name)
    named = "name" in mapping or {"given", "family"} <= mapping.keys()
    if not (named and "birth_date" in mapping) and "patient_id" not in mapping:
        found["birth_date"] = gettext(
            "Say which columns hold the names and the birth date, or else the patient's number in"
            " the former system."
        )
    if "given" in mapping and "name" in mapping:
        found["name"] = gettext("Take either the whole name or given and family name, not both.")
    visits = [name for name in OF_VISIT if name in mapping]
    if visits:
        lacking = {each: sentence for each, sentence in _NEEDED.items() if each not in mapping}
        found |= {each: gettext(sentence) for each, sentence in lacking.items()}
    return found


_NEEDED = {
    "protocol": noop("A visit needs its treatment as well."),
    "date": noop("A visit needs its date as well."),
}


def _nearness(field: Field, key: str) -> float:
    return max(SequenceMatcher(None, name, key).ratio() for name in field.names)
