"""A row of any table for a patient, also of tables that did not exist when this was written."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import models

from appointments.models import PatientLink
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.records import tables

LATER = timedelta(hours=1)


class Furnisher:
    """Makes rows that hang on one patient; `known` are the rows that new ones may point to."""

    def __init__(self, patient: Patient, *, site: Site, staff: Staff, now: datetime) -> None:
        self.patient, self.now, self.numbers = patient, now, count(1)
        self.known: dict[type[models.Model], Any] = {Patient: patient, Site: site, Staff: staff}

    def row(self, model: type[models.Model]) -> Any:
        """A new row of the model, the rows that it needs included."""
        given = self._special(model)
        # What leads to the patient is filled, also where it may be empty.
        leads = tables.paths().get(model, "").partition("__")[0]
        for field in model._meta.concrete_fields:
            if field.name not in given and (field.name == leads or not self._is_left_out(field)):
                given[field.name] = self._value(field)
        return model._default_manager.create(**given)

    def _is_left_out(self, field: Any) -> bool:
        generated = isinstance(field, models.GeneratedField)
        return (
            generated
            or field.primary_key
            or field.null
            or field.has_default()
            or (field.blank and not field.is_relation)
        )

    def _value(self, field: Any) -> Any:
        if field.is_relation:
            return self._related(field)
        if field.choices:
            return field.choices[0][0]
        kinds: Mapping[type[models.Field[Any, Any]], Any] = {
            models.JSONField: [],
            models.GenericIPAddressField: "203.0.113.9",
            models.DateTimeField: self.now,
            models.DateField: date(2027, 2, 1),
            models.BooleanField: False,
            models.IntegerField: next(self.numbers),
            models.UUIDField: uuid4(),
            models.BinaryField: b"\x00signed",
            models.CharField: uuid4().hex[: field.max_length or 32],
            models.TextField: "x",
        }
        return next(value for kind, value in kinds.items() if isinstance(field, kind))

    def _related(self, field: Any) -> Any:
        model = field.related_model
        if field.unique and model not in (Patient,):
            return self.row(model)
        if model not in self.known:
            found = model._default_manager.first() if self._is_of_the_house(model) else None
            self.known[model] = found or self.row(model)
        return self.known[model]

    @staticmethod
    def _is_of_the_house(model: type[models.Model]) -> bool:
        return model._meta.app_label == "clinic"

    def _special(self, model: type[models.Model]) -> dict[str, Any]:
        """What constraints of a table ask for, where the first choice would not do."""
        n = uuid4().int
        later = self.now + LATER
        text = uuid4().hex
        signed = {"statement": text, "digest": hashlib.sha256(text.encode()).hexdigest()}
        special: dict[str, dict[str, Any]] = {
            "appointments.hold": {
                "patient": self.patient,
                "held_by": self.known[Staff],
                "released_at": self.now,
                "expires_at": later,
            },
            "appointments.patientlink": {
                "purpose": PatientLink.Purpose.CARE,
                "expires_at": later,
            },
            "appointments.task": {"patient": self.patient},
            "appointments.treatmentseries": {"areas": ["face"], "sessions": 3},
            "appointments.waitlistentry": {
                "areas": ["face"],
                "closed_at": self.now,
                "closed_as": "withdrawn",
            },
            "appointments.appointment": {
                "starts_at": self.now + timedelta(minutes=n % 10**6 * 10),
                "ends_at": self.now + timedelta(minutes=n % 10**6 * 10 + 5),
                "session": n % 30000,
            },
            "appointments.allocation": {
                "appointment": self.row_of("appointments.appointment")
                if model._meta.label_lower == "appointments.allocation"
                else None,
                "resource": self.patient.resource,
                "starts_at": self.now + timedelta(minutes=n % 10**6 * 10),
                "ends_at": self.now + timedelta(minutes=n % 10**6 * 10 + 5),
                "active": False,
            },
            "appointments.gap": {"ends_at": later},
            "appointments.offer": {"expires_at": later, "closed_at": later, "closed_as": "expired"},
            "appointments.invitation": {
                "entry": self.row_of("appointments.waitlistentry")
                if model._meta.label_lower == "appointments.invitation"
                else None,
                "ends_at": later,
                "starts_at": self.now,
            },
            "appointments.treatmentrecord": {
                "signed_at": self.now,
                "signed_by": self.known[Staff],
                "outcome": "completed",
                **signed,
            },
            "appointments.addendum": {
                "text": "Corrected",
                "reason": "A slip",
                "number": n % 30000,
                **signed,
            },
            "appointments.statuschange": {"move": "book", "state_after": "booked"},
            "patients.contactpoint": {"kind": "phone", "value": f"+1212{n % 10**7:07d}"},
            "patients.contactconsent": {
                "purpose": "care",
                "channel": "sms",
                "closed_at": later,
                "closed_source": "phone",
                "opened_source": "phone",
            },
            "appointments.outcomescore": {"value": 3, "milestone": "early"},
            "appointments.recallattempt": {"outcome": "declined"},
            "clinic.consentform": {"protocol": "rf_microneedling"},
            "appointments.broughtover": {"subject": 1},
            "appointments.photo": {"source": "patient"},
            "patients.screeningdecision": {"answers": [1], "reason": "Looked at"},
            "patients.signedform": {"place": "link"},
            "reminders.archivedmessage": {"state": "delivered", "key": text},
            # Of one record twice only what was taken back.
            "patients.toldapart": {"taken_back_at": self.now, "taken_back_by": self.known[Staff]},
            "patients.guardian": {"gets_messages": False},
            "reminders.conversation": {
                "patient": self.patient,
                "address": f"+1212{n % 10**7:07d}",
                "state": "new",
            },
            "reminders.message": {
                "patient": self.patient,
                "expires_at": later,
                "state": "skipped",
                "reason": "late",
                "key": text,
            },
            "reminders.recordexport": {"expires_at": later, "reason": "Asked"},
            "reminders.messageitem": {"anchor": text[:20]},
        }
        return dict(special.get(model._meta.label_lower, {}))

    def row_of(self, label: str) -> Any:
        return self.row(apps.get_model(label))
