"""Which rows are a patient's: found by following the foreign keys, so that no table is forgotten.

`columns` are those that name a patient themselves, and so what a merge moves. `paths` leads from
every table that holds something of a patient to the patient, directly or over other rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model, QuerySet

from clinic.saying import noop
from patients.models import Patient, RecordMerge, ToldApart

APPS = ("patients", "appointments", "reminders")
# Where the way over foreign keys would lead to somebody else, or to what is nobody's.
ELSEWHERE: dict[str, str | None] = {
    "appointments.gap": None,  # a free place; who left it stands in the history of the visit
    "appointments.offer": None,  # made to several; each one's invitation is theirs
    "appointments.invitation": "entry__patient",
    "appointments.allocation": "appointment__series__patient",
    "reminders.inboundmessage": "conversation__patient",
    "patients.recordmerge": "kept",
    "patients.toldapart": None,  # of two patients; a merge moves the side that is theirs
}
# They tell what was merged into what, and are not moved.
STAY = {(Patient, "merged_into"), (RecordMerge, "kept"), (RecordMerge, "gone")}
_WORDS = {
    "appointments.adverseevent": noop("adverse events"),
    "appointments.broughtover": noop("numbers of a former system"),
    "appointments.hold": noop("places held"),
    "appointments.importrow": noop("rows of imports"),
    "appointments.patientlink": noop("links"),
    "appointments.photo": noop("photos"),
    "appointments.task": noop("tasks"),
    "appointments.treatmentseries": noop("treatment series"),
    "appointments.waitlistentry": noop("wait-list entries"),
    "patients.contactconsent": noop("contact consents"),
    "patients.contactpoint": noop("numbers and addresses"),
    "patients.guardian": noop("guardians"),
    "patients.patient_sites": noop("sites"),
    "patients.screeninganswer": noop("screening answers"),
    "patients.screeningdecision": noop("screening decisions"),
    "patients.signedform": noop("signed forms"),
    "patients.toldapart": noop("records told apart"),
    "reminders.archivedmessage": noop("archived messages"),
    "reminders.conversation": noop("conversations"),
    "reminders.message": noop("messages"),
    "reminders.recordexport": noop("exports of the record"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that names a patient."""

    model: type[Model]
    name: str
    column: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def words(self) -> str:
        """What its rows are, as a word of the catalogue."""
        return _WORDS[self.model._meta.label_lower]

    @property
    def is_sites(self) -> bool:
        return self.model is Patient.sites.through

    def rows(self, *patients: int) -> QuerySet[Any]:
        return self.model._default_manager.filter(**{f"{self.name}__in": patients})

    def standing(self, *patients: int) -> QuerySet[Any]:
        """Its rows without those that were taken back, which go over unseen."""
        rows = self.rows(*patients)
        return rows.filter(taken_back_at=None) if self.model is ToldApart else rows


@cache
def columns() -> tuple[Column, ...]:
    """Every column of the house that names a patient and goes over with a merge."""
    found = [
        Column(model, field.name, field.column)
        for model in _models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is Patient
        if (model, field.name) not in STAY
    ]
    return tuple(sorted(found, key=lambda each: each.table))


@cache
def paths() -> dict[type[Model], str]:
    """By model the way to its patient, such as `series__patient`: the shortest over keys."""
    known: dict[type[Model], str] = {}
    known |= {each.model: each.name for each in columns() if not each.is_sites}
    for model in _models():
        if (label := model._meta.label_lower) in ELSEWHERE:
            known.pop(model, None)
            known |= {model: way} if (way := ELSEWHERE[label]) else {}
    waiting = [
        model
        for model in _models()
        if model not in known and model is not Patient
        if model._meta.label_lower not in ELSEWHERE
    ]
    while True:
        further = {model: way for model in waiting if (way := _way(model, known))}
        if not further:
            return known
        known |= further
        waiting = [model for model in waiting if model not in further]


def rows_of(model: type[Model], patients: Collection[int]) -> QuerySet[Any]:
    """The rows of a table that are these patients', in order of their ids."""
    return model._default_manager.filter(**{f"{paths()[model]}__in": patients}).order_by("pk")


def ids_of(patient: Patient) -> list[int]:
    """The patient and every record that became a part of it, however far back."""
    ids, last = [patient.pk], [patient.pk]
    while last:
        last = list(Patient.objects.filter(merged_into__in=last).values_list("pk", flat=True))
        ids += last
    return ids


def _way(model: type[Model], known: dict[type[Model], str]) -> str | None:
    ways = [
        f"{field.name}__{known[field.related_model]}"
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model in known
    ]
    return min(ways, key=lambda way: (way.count("__"), way), default=None)


def _models(**more: bool) -> list[type[Model]]:
    return [model for app in APPS for model in apps.get_app_config(app).get_models(**more)]
