"""/waitlist/add/ and /waitlist/entries/<id>/: putting a patient on the list, and other wishes."""

from __future__ import annotations

from datetime import time
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from appointments.lifecycle import MoveRefused
from appointments.models import Appointment, TreatmentSeries, WaitlistEntry
from appointments.proposing import loading
from appointments.refusals import Refused
from appointments.views import waitlist_rows
from appointments.waitlist import entries
from appointments.waitlist.entries import EarlierVisit, FirstVisit, NextSession, Target
from appointments.waitlist.wishes import NOTE_LENGTH, Wishes
from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, Resource, ResourceKind, Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import shows
from clinic.views.row_id import row_id
from clinic.wall_time import MINUTES_A_DAY
from clinic.when_fields import ClockField, DayField
from patients.models import Patient

NOTICES = (
    (0, _("no notice")),
    (60, _("1 hour")),
    (120, _("2 hours")),
    (240, _("4 hours")),
    (MINUTES_A_DAY, _("1 day")),
    (2 * MINUTES_A_DAY, _("2 days")),
    (7 * MINUTES_A_DAY, _("1 week")),
)


class WishesForm(forms.Form):
    """The wishes of an entry; `areas` and `provider` are those of its treatment."""

    areas = forms.MultipleChoiceField(
        label=_("Areas"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one area.")},
    )
    weekdays = forms.MultipleChoiceField(
        label=_("Weekdays"),
        choices=list(enumerate(waitlist_rows.WEEKDAYS)),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None ticked means any."),
    )
    earliest = ClockField(label=_("Start from"), required=False)
    latest = ClockField(label=_("Start until"), required=False)
    first_day = DayField(label=_("From day"), required=False)
    last_day = DayField(label=_("Until day"), required=False)
    provider = forms.ChoiceField(label=_("Provider"), required=False)
    notice_minutes = forms.TypedChoiceField(
        label=_("Needs to know before"), choices=NOTICES, coerce=int, initial=120
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=tuple(enumerate(waitlist_rows.PRIORITIES)),
        coerce=int,
        initial=0,
    )
    note = forms.CharField(label=_("Note"), max_length=NOTE_LENGTH, required=False)

    def __init__(
        self, *args: Any, site: Site, version: ProtocolVersion, with_areas: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        protocol = protocols.get(version)
        if with_areas:
            known = protocol.applicability.areas
            self._choose(
                "areas", [(area, known[area].name.get(reader_language())) for area in known]
            )
        else:
            del self.fields["areas"]
        providers = Resource.objects.filter(
            loading.eligible_at(site, protocol), kind=ResourceKind.PROVIDER, is_active=True
        )
        self.providers = {str(each.pk): each for each in providers.order_by("name")}
        named = [(value, each.name) for value, each in self.providers.items()]
        self._choose("provider", [("", gettext("Anybody")), *named])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    @property
    def wishes(self) -> Wishes:
        data = self.cleaned_data
        return Wishes(
            weekdays=tuple(int(each) for each in data["weekdays"]),
            earliest=_minute(data["earliest"], 0),
            latest=_minute(data["latest"], MINUTES_A_DAY),
            first_day=data["first_day"],
            last_day=data["last_day"],
            provider=self.providers.get(data["provider"]),
            notice_minutes=data["notice_minutes"],
            priority=data["priority"],
            note=data["note"],
        )


def _minute(at: time | None, otherwise: int) -> int:
    return otherwise if at is None else at.hour * 60 + at.minute


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """`?visit=`, `?series=` or `?patient=` and `&protocol=` say what is waited for."""
    staff = cast(Staff, request.user)
    waits = _asked(request, staff)
    if waits is None:
        return _choose_treatment(request, staff)
    patient, site, version, target = waits
    access.require(staff, Capability.BOOK, site)
    form = WishesForm(request.POST or None, site=site, version=version, with_areas=target is None)
    if request.method == "POST" and form.is_valid():
        areas = tuple(form.cleaned_data.get("areas", ()))
        wanted: Target = target or FirstVisit(patient, site, version, areas)
        try:
            entries.add(target=wanted, wishes=form.wishes, by=staff, now=timezone.now())
        except (Refused, MoveRefused) as refused:
            _refuse(form, refused)
        else:
            messages.success(
                request,
                gettext("%(patient)s is on the wait-list.") % {"patient": patient.display_name},
            )
            return HttpResponseRedirect(f"{reverse('waitlist')}?site={site.slug}", status=303)
    context = {
        "form": form,
        "patient": patient,
        "site": site,
        "version": version,
        "what": _what(target, site),
        "title": gettext("Put %(patient)s on the wait-list") % {"patient": patient.display_name},
        "action": gettext("Put on the wait-list"),
    }
    return render(request, "appointments/waitlist/form.html", context, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other wishes for an entry."""
    staff = cast(Staff, request.user)
    entry = get_object_or_404(
        WaitlistEntry.objects.seen_by(staff).select_related(
            "patient", "site", "series", "appointment", "provider", "protocol_version"
        ),
        pk=pk,
    )
    shows(request, entry, patient_id=entry.patient_id)
    access.require(staff, Capability.BOOK, entry.site)
    form = WishesForm(
        request.POST or None,
        site=entry.site,
        version=entry.protocol_version,
        with_areas=False,
        initial=_initial(entry),
    )
    if request.method == "POST" and form.is_valid():
        try:
            entries.change(entry=entry, wishes=form.wishes, by=staff, now=timezone.now())
        except Refused as refused:
            _refuse(form, refused)
        else:
            messages.success(
                request,
                gettext("%(patient)s: wishes changed.") % {"patient": entry.patient.display_name},
            )
            return HttpResponseRedirect(f"{reverse('waitlist')}?site={entry.site.slug}", status=303)
    context = {
        "form": form,
        "entry": entry,
        "patient": entry.patient,
        "site": entry.site,
        "version": entry.protocol_version,
        "what": waitlist_rows.what(entry),
        "title": gettext("%(patient)s on the wait-list") % {"patient": entry.patient.display_name},
        "action": gettext("Save the wishes"),
    }
    return render(request, "appointments/waitlist/form.html", context, status=_status(form))


_Waits = tuple[Patient, Site, ProtocolVersion, Target | None]


def _asked(request: HttpRequest, staff: Staff) -> _Waits | None:
    """Who waits, where, by which protocol and for what; None until the protocol is chosen."""
    asked = {name: row_id(request.GET.get(name, "")) for name in ("visit", "series", "protocol")}
    if asked["visit"]:
        visits = Appointment.objects.seen_by(staff).select_related(
            "series__patient", "series__site", "series__protocol_version", "site"
        )
        visit = get_object_or_404(visits, pk=asked["visit"])
        shows(request, visit, patient_id=visit.series.patient_id)
        series = visit.series
        return series.patient, visit.site, series.protocol_version, EarlierVisit(visit)
    if asked["series"]:
        rows = TreatmentSeries.objects.seen_by(staff).select_related(
            "patient", "site", "protocol_version"
        )
        series = get_object_or_404(rows, pk=asked["series"])
        shows(request, series, patient_id=series.patient_id)
        return series.patient, series.site, series.protocol_version, NextSession(series)
    if asked["protocol"]:
        version = get_object_or_404(ProtocolVersion, pk=asked["protocol"])
        return _patient(request, staff), current_site(request), version, None
    return None


def _choose_treatment(request: HttpRequest, staff: Staff) -> HttpResponse:
    """What the patient may wait for: visits, series with sessions left, and first visits."""
    patient, site = _patient(request, staff), current_site(request)
    series = patient.series.filter(state="open", site=site).select_related("protocol_version")
    visits = Appointment.objects.filter(
        series__in=series, state__in=("booked", "confirmed"), starts_at__gt=timezone.now()
    ).select_related("series__protocol_version", "site")
    context = {
        "patient": patient,
        "site": site,
        "visits": visits,
        "series": [each for each in series if each.appointments.standing().count() < each.sessions],
        "versions": ProtocolVersion.objects.filter(status=ProtocolVersion.Status.APPROVED).order_by(
            "name"
        ),
    }
    return render(request, "appointments/waitlist/choose.html", context)


def _patient(request: HttpRequest, staff: Staff) -> Patient:
    pk = row_id(request.GET.get("patient", ""))
    if not pk:
        raise Http404
    found = get_object_or_404(Patient.objects.seen_by(staff), pk=pk)
    shows(request, found, patient_id=found.pk)
    return found


def _what(target: Target | None, site: Site) -> str:
    match target:
        case EarlierVisit(appointment=visit):
            at = waitlist_rows.said_when(visit.starts_at, site)
            return gettext("Earlier than %(at)s (session %(session)s/%(sessions)s)") % {
                "at": at,
                "session": visit.session,
                "sessions": visit.series.sessions,
            }
        case NextSession():
            return gettext("Next session of the series")
    return gettext("First visit")


def _initial(entry: WaitlistEntry) -> dict[str, Any]:
    def clock(minute: int) -> time | None:
        return time(minute // 60, minute % 60) if minute < MINUTES_A_DAY else None

    return {
        "weekdays": [str(each) for each in entry.weekdays],
        "earliest": clock(entry.earliest) if entry.earliest else None,
        "latest": clock(entry.latest),
        "first_day": entry.first_day,
        "last_day": entry.last_day,
        "provider": str(entry.provider_id or ""),
        "notice_minutes": entry.notice_minutes,
        "priority": entry.priority,
        "note": entry.note,
    }


def _refuse(form: WishesForm, refused: Refused) -> None:
    form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)


def _status(form: forms.Form) -> int:
    return 422 if form.is_bound and form.errors else 200
