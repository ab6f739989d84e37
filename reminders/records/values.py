"""Which value of two records wins, field by field, and how a changed value is put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.apps import apps
from django.db.models import Field, Model

from patients.models import ContactPoint, Guardian, Patient, ToldApart
from patients.trail.words import field_word

# What is counted, derived, or says what the record is and not who the patient is.
_NOT_CHOSEN = frozenset(
    {
        *("id", "resource", "search_key", "created_at", "version", "revision", "planned_revision"),
        *("catch_up_at", "merged_into", "erased_at", "kept_until", "deceased_at"),
        *("do_not_contact_at", "do_not_contact_why", "notes"),
    }
)
# Fields that mean something together only; the first stands for all of them.
_TOGETHER = (("quiet_from", "quiet_until"), ("skin_type", "skin_type_at", "skin_type_by"))

# What a merge changes in place.
Changeable = Patient | ContactPoint | Guardian | ToldApart
# (table, id, {field: [former, present]}), as JSON.
Changed = tuple[str, int, dict[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose values differ. `wins` is "kept" unless only `gone` has a value."""

    name: str
    label: str
    kept: str
    gone: str
    wins: str


def differences(kept: Patient, gone: Patient) -> list[Difference]:
    """What staff may choose between."""
    return [
        Difference(
            names[0],
            _label(names[0]),
            _shown(kept, names),
            _shown(gone, names),
            "gone" if _is_empty(kept, names) else "kept",
        )
        for names in _groups()
        if _values(kept, names) != _values(gone, names)
    ]


def winning(kept: Patient, gone: Patient, taken: Sequence[str]) -> list[dict[str, Any]]:
    """The fields of `kept` that change, those together that mean something together only: those
    taken from `gone`, those that only `gone` has, the notes of both, and the stricter word about
    contact."""
    changes: list[dict[str, Any]] = []
    for names in _groups():
        if _values(kept, names) == _values(gone, names) or _is_empty(gone, names):
            continue
        if names[0] in taken or _is_empty(kept, names):
            changes.append(dict(zip(names, _values(gone, names), strict=True)))
    if gone.notes.strip() and gone.notes != kept.notes:
        both = (kept.notes, gone.notes)
        changes.append({"notes": "\n\n".join(each for each in both if each.strip())})
    if kept.do_not_contact_at is None and gone.do_not_contact_at is not None:
        names = ("do_not_contact_at", "do_not_contact_why")
        changes.append(dict(zip(names, _values(gone, names), strict=True)))
    return changes


def change(row: Changeable, changed: Mapping[str, Any]) -> Changed:
    """Store other values of some fields together; (table, id, {field: [former, present]})."""
    said: dict[str, list[Any]] = {}
    for name, value in changed.items():
        attname = _attname(name, type(row))
        former = getattr(row, attname)
        setattr(row, attname, value)
        said[name] = [_json(former), _json(value)]
    row.save(update_fields=list(changed))
    return row._meta.label_lower, row.pk, said


def names_of(patient: Patient) -> dict[str, str]:
    """The names by which a patient is found."""
    names = ("legal_given", "legal_family", "preferred_name")
    return {name: getattr(patient, name) for name in names}


def restore(changed: Iterable[Changed]) -> None:
    """Put former values back, the last change first; a row that was changed again since stays."""
    for label, pk, said in reversed(list(changed)):
        model = apps.get_model(label)
        present, former = (
            {_attname(name, model): _read(model, name, pair[side]) for name, pair in said.items()}
            for side in (1, 0)
        )
        model._default_manager.filter(pk=pk, **present).update(**former)


def _groups() -> list[tuple[str, ...]]:
    known = [field.name for field in Patient._meta.concrete_fields if field.name not in _NOT_CHOSEN]
    together = [names for names in _TOGETHER if set(names) <= set(known)]
    single = [(name,) for name in known if not any(name in names for names in together)]
    return [*single, *together]


def _label(name: str) -> str:
    return field_word(name).capitalize()


def _values(patient: Patient, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(patient, _attname(name, Patient)) for name in names)


def _is_empty(patient: Patient, names: Sequence[str]) -> bool:
    return all(value in (None, "") for value in _values(patient, names))


def _shown(patient: Patient, names: Sequence[str]) -> str:
    return " – ".join(str(value) for value in _values(patient, names) if value not in (None, ""))


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime | time) else value


def _attname(name: str, model: type[Model]) -> str:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field.attname


def _read(model: type[Model], name: str, value: Any) -> Any:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return value if value is None else field.to_python(value)
