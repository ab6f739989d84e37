"""Whom the list of patients shows: by site, provider, treatment, where a series stands, and what is
still to be done. All of it stands in the address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from appointments.lifecycle import TO_COME, State
from appointments.models import Allocation, Appointment, Task, TreatmentSeries
from appointments.models.series import SeriesState
from clinic import access, statements
from clinic.models import Modality, Resource, ResourceKind, Staff
from patients.models import ContactConsent, ContactPoint, Patient, Purpose
from reminders.views import forms_to_sign
from reminders.views.forms_to_sign import RUNS_OUT, UNSIGNED

# Where a series stands; the last is of patients who have none.
UNBOOKED, NO_SERIES = "unbooked", "none"
SERIES: tuple[tuple[str, str | Promise], ...] = (
    ("", _("Any or none")),
    (SeriesState.OPEN, _("Under way")),
    (UNBOOKED, _("A session not booked")),
    (SeriesState.COMPLETED, _("Completed")),
    (SeriesState.ENDED, _("Ended early")),
    (NO_SERIES, _("No series")),
)
NO_VISIT, TO_DO, NO_CONTACT, NO_CONSENT = "no_visit", "to_do", "no_contact", "no_consent"
FLAGS: tuple[tuple[str, Promise], ...] = (
    (NO_VISIT, _("no next visit")),
    (UNSIGNED, _("form to sign")),
    (RUNS_OUT, _("form runs out soon")),
    (TO_DO, _("task due")),
    (NO_CONTACT, _("no contact")),
    (NO_CONSENT, _("no consent")),
)
# What is asked for most, as the query of its address.
SAVED: tuple[tuple[Promise, str], ...] = (
    (_("All"), ""),
    (_("Session not booked"), f"series={UNBOOKED}"),
    (_("Under way, no next visit"), f"series={SeriesState.OPEN}&flag={NO_VISIT}"),
    (_("Form to sign"), f"flag={UNSIGNED}"),
    (_("Form runs out soon"), f"flag={RUNS_OUT}"),
    (_("Task due"), f"flag={TO_DO}"),
)


class PatientFilters(forms.Form):
    """What the address asks for; what it cannot mean is not asked for."""

    at = forms.ChoiceField(label=_("Site"), required=False)
    provider = forms.TypedChoiceField(
        label=_("Provider"), required=False, coerce=int, empty_value=None
    )
    modality = forms.ChoiceField(label=_("Treatment"), required=False)
    series = forms.ChoiceField(label=_("Series"), required=False, choices=SERIES)
    flag = forms.MultipleChoiceField(
        label=_("To do"), required=False, choices=FLAGS, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: QueryDict, *, staff: Staff) -> None:
        super().__init__(data)
        self._staff = staff
        # Asked for only where they are shown, or something of them was chosen.
        self._choose("at", lambda: [("", _("All of yours")), *self._sites])
        self._choose("provider", lambda: [("", _("Anybody")), *self._providers])
        self._choose("modality", lambda: [("", _("Any")), *self._modalities])
        for name in ("at", "provider", "modality", "series"):
            self.fields[name].widget.attrs["data-autosend"] = True
        self.is_valid()

    @cached_property
    def _sites(self) -> list[tuple[str, str]]:
        return list(access.sites_of(self._staff).values_list("slug", "name"))

    @cached_property
    def _providers(self) -> list[tuple[int, str]]:
        people = Resource.objects.filter(
            kind=ResourceKind.PROVIDER,
            is_active=True,
            hours__site__in=access.sites_of(self._staff),
        )
        return list(people.order_by("name").distinct().values_list("pk", "name"))

    @cached_property
    def _modalities(self) -> list[tuple[str, str]]:
        return [(each.slug, each.called) for each in Modality.objects.all()]

    @property
    def has_sites(self) -> bool:
        """Whether there is more than one to choose from."""
        return len(self._sites) > 1

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, by the name of its filter; nothing that is not."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def narrow(self, found: QuerySet[Patient], *, now: datetime) -> QuerySet[Patient]:
        """Those of `found` who fit all of it; what is said of a series is of one and the same."""
        asked = self.asked
        if "at" in asked:
            here = Patient.sites.through.objects.filter(site__slug=asked["at"])
            found = found.filter(pk__in=here.values("patient"))
        found = _of_series(found, asked)
        for flag in asked.get("flag", ()):
            found = _NARROW[flag](found, self._staff, now)
        return found

    def _choose(self, name: str, choices: Callable[[], Sequence[Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def with_task(staff: Staff, *, now: datetime) -> QuerySet[Task]:
    """The tasks about patients that are due at the sites of `staff`."""
    return Task.objects.seen_by(staff).open().filter(patient__isnull=False, due_at__lte=now)


def _of_series(found: QuerySet[Patient], asked: dict[str, Any]) -> QuerySet[Patient]:
    state = asked.get("series", "")
    series = TreatmentSeries.objects.order_by()
    if "modality" in asked:
        series = series.filter(protocol_version__modality__slug=asked["modality"])
    if "provider" in asked:
        series = series.filter(pk__in=_provided_by(asked["provider"]).values("series"))
    if state in SeriesState.values:
        series = series.filter(state=state)
    elif state == UNBOOKED:
        booked = Count("appointments", filter=~Q(appointments__state=State.CANCELLED))
        series = (
            series.filter(closed_at=None).alias(booked=booked).filter(Q(booked__lt=F("sessions")))
        )
    elif not asked.keys() & {"modality", "provider", "series"}:
        return found
    if state == NO_SERIES:
        return found.exclude(pk__in=series.values("patient"))
    return found.filter(pk__in=series.values("patient"))


def _provided_by(provider: int) -> QuerySet[Appointment]:
    """The visits that stand or stood with a provider (id), not those that went to somebody else."""
    held = Allocation.objects.filter(appointment=OuterRef("pk"))
    active, theirs = held.filter(active=True), held.filter(resource=provider)
    # Visits that were over when they were brought over hold nothing, and say who it was.
    return (
        Appointment.objects.exclude(state=State.CANCELLED)
        .filter(Exists(theirs.filter(active=True)) | Exists(theirs) & ~Exists(active))
        .order_by()
    )


def _no_visit(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    to_come = Appointment.objects.filter(state__in=TO_COME, ends_at__gt=now).order_by()
    return found.filter(deceased_at=None).exclude(pk__in=to_come.values("series__patient"))


def _unsigned(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    lacking = statements.one_of(forms_to_sign.lacking(now=now))
    return found.filter(deceased_at=None, pk__in=lacking)


def _runs_out(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    ending = statements.one_of(forms_to_sign.ending(now=now))
    return found.filter(deceased_at=None, pk__in=ending)


def _to_do(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    return found.filter(pk__in=with_task(staff, now=now).order_by().values("patient"))


def _no_contact(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    reached = ContactPoint.objects.filter(retired_at=None).order_by()
    return found.filter(deceased_at=None).exclude(pk__in=reached.values("patient"))


def _no_consent(found: QuerySet[Patient], staff: Staff, now: datetime) -> QuerySet[Patient]:
    agreed = ContactConsent.objects.filter(purpose=Purpose.CARE, closed_at=None).order_by()
    return found.filter(deceased_at=None).exclude(pk__in=agreed.values("patient"))


_NARROW = {
    NO_VISIT: _no_visit,
    UNSIGNED: _unsigned,
    RUNS_OUT: _runs_out,
    TO_DO: _to_do,
    NO_CONTACT: _no_contact,
    NO_CONSENT: _no_consent,
}
