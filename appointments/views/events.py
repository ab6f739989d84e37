"""/events/: adverse events, to report at once, to see to and to close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.charting import reporting
from appointments.charting.device_data import device_data, device_sheet
from appointments.models import AdverseEvent, Appointment, Photo
from appointments.photos import changing, showing, standard_views
from appointments.refusals import Refused
from appointments.views.event_form import CloseForm, CompleteForm, ReportForm, area_choices
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists, shows
from clinic.views.row_id import row_id
from clinic.wall_time import local
from patients.models import Patient


@require_safe
def event_list(request: HttpRequest) -> HttpResponse:
    """The open events of the site; `closed=1` lists those that were closed."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_PATIENTS, site)
    closed = request.GET.get("closed") == "1"
    events = AdverseEvent.objects.filter(site=site, closed_at__isnull=not closed)
    rows = list(events.select_related("patient", "taken_by")[:100])
    lists(request, (event.patient_id for event in rows), site_id=site.pk)
    context = {"site": site, "rows": rows, "closed": closed}
    return render(request, "appointments/events/event_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Three fields for the patient `patient`, or of the visit `visit`."""
    staff, now = cast(Staff, request.user), timezone.now()
    visit = _visit(request, staff)
    patient = visit.series.patient if visit else _patient(request, staff)
    site = visit.site if visit else current_site(request)
    access.require(staff, Capability.RUN_VISIT, site)
    shows(request, patient, patient_id=patient.pk)
    there = local(now, site.zone)
    initial = {
        "day": there.date(),
        "time": there.time(),
        "areas": visit.series.areas if visit else [],
    }
    form = ReportForm(request.POST or None, patient=patient, initial=initial)
    if form.is_valid():
        try:
            made = reporting.report(
                patient=patient,
                site=site,
                appointment=visit,
                what=form.cleaned_data["what"],
                severity=form.cleaned_data["severity"],
                areas=form.cleaned_data["areas"],
                noticed_at=form.noticed_at(site),
                by=staff,
                now=now,
            )
        except Refused as refused:
            field = {"noticed_at": "day"}.get(refused.field, refused.field)
            form.add_error(field if field in form.fields else None, refused.sentence)
        else:
            messages.success(request, gettext("Reported. Nothing further is booked in this area."))
            return HttpResponseRedirect(reverse("event", args=[made.pk]), status=303)
    context = {"form": form, "patient": patient, "visit": visit, "site": site}
    status = 422 if form.errors else 200
    return render(request, "appointments/events/report.html", context, status=status)


@require_safe
def event(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _seen(request, pk))


@require_safe
def of_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """The open event that bars a visit; without one, the form that reports one."""
    staff = cast(Staff, request.user)
    seen = Appointment.objects.seen_by(staff).select_related("series")
    visit = get_object_or_404(seen, pk=pk)
    open_events = AdverseEvent.objects.open().filter(patient=visit.series.patient_id)
    barring = (each for each in open_events if each.is_about(visit.series.areas))
    found = next(barring, None)
    if found is None:
        return HttpResponseRedirect(f"{reverse('event-report')}?visit={visit.pk}")
    return HttpResponseRedirect(reverse("event", args=[found.pk]))


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    try:
        reporting.take(event=shown, by=cast(Staff, request.user), now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("You see to it. On call is paged no more."))
    return HttpResponseRedirect(reverse("event", args=[pk]), status=303)


@require_POST
def complete(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    form = CompleteForm(request.POST, patient=shown.patient)
    done = gettext("Written down.")
    return _written(request, shown, reporting.complete, done, complete_form=form)


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    access.require(cast(Staff, request.user), Capability.CHART, shown.site)
    done = gettext("Closed. What was held back goes on.")
    return _written(request, shown, reporting.close, done, close_form=CloseForm(request.POST))


@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a photo of the patient shows it; with `off` that it does not."""
    shown, staff = _seen(request, pk), cast(Staff, request.user)
    rows = Photo.objects.seen_by(staff).filter(patient=shown.patient_id)
    photo = get_object_or_404(rows.select_related("site"), pk=row_id(request.POST.get("photo", "")))
    event = None if request.POST.get("off") else shown
    try:
        changing.attach(photo=photo, event=event, by=staff, now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    return HttpResponseRedirect(f"{reverse('event', args=[pk])}#photos", status=303)


@require_safe
def data(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """What the device did, as JSON or PDF."""
    shown = _seen(request, pk)
    name = f'attachment; filename="adverse-event-{pk}.{kind}"'
    headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
    if kind == "json":
        return JsonResponse(
            device_data(shown),
            headers=headers,
            json_dumps_params={"indent": 2, "ensure_ascii": False},
        )
    sheet = device_sheet(shown, now=timezone.now())
    return HttpResponse(sheet, content_type="application/pdf", headers=headers)


def _written(
    request: HttpRequest,
    shown: AdverseEvent,
    act: Callable[..., object],
    done: str,
    **forms_: forms.Form,
) -> HttpResponse:
    """Do `act` with what the one form says, upon the version that was seen."""
    [form] = forms_.values()
    if not form.is_valid():
        return _page(request, shown, status=422, **forms_)
    try:
        act(
            event=shown,
            **form.cleaned_data,
            expected_version=row_id(request.POST.get("version", "")),
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
        return _page(request, _seen(request, shown.pk), status=409, **forms_)
    messages.success(request, done)
    return HttpResponseRedirect(reverse("event", args=[shown.pk]), status=303)


def _page(
    request: HttpRequest,
    shown: AdverseEvent,
    *,
    complete_form: forms.Form | None = None,
    close_form: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    held = access.capabilities(cast(Staff, request.user), shown.site)
    names = dict(area_choices(shown.patient))
    written = {
        "severity": shown.severity,
        "areas": shown.areas,
        "course": shown.course,
        "measures": shown.measures,
    }
    is_open = shown.closed_at is None
    context: dict[str, Any] = {
        "event": shown,
        "patient": shown.patient,
        "site": shown.site,
        "areas": [names.get(area, area) for area in shown.areas],
        "is_open": is_open,
        "may_run": is_open and Capability.RUN_VISIT in held,
        "may_close": is_open and Capability.CHART in held,
        "complete_form": complete_form or CompleteForm(patient=shown.patient, initial=written),
        "close_form": close_form or CloseForm(),
        "photos": showing.of_event(shown),
        "to_attach": showing.to_attach(shown) if Capability.RUN_VISIT in held else [],
        "may_take": Capability.RUN_VISIT in held,
        "sides": _sides(shown),
    }
    return render(request, "appointments/events/event.html", context, status=status)


def _sides(shown: AdverseEvent) -> list[tuple[str, str]]:
    """What a photo of it may show, close-ups of its areas first."""
    names = showing.areas_of(shown.patient)
    areas = [area for area in shown.areas if area in names] or list(names)
    pairs = [(area, view) for area in areas for view in standard_views.of(area)]
    pairs.sort(key=lambda pair: pair[1].id != standard_views.CLOSE)
    return [(f"{area}/{view.id}", f"{names[area]}, {view.en.lower()}") for area, view in pairs]


def _seen(request: HttpRequest, pk: int) -> AdverseEvent:
    rows = AdverseEvent.objects.seen_by(cast(Staff, request.user)).select_related(
        "patient", "site", "appointment__series__patient", "appointment__site"
    )
    found = get_object_or_404(rows, pk=pk)
    shows(request, found, patient_id=found.patient_id)
    return found


def _visit(request: HttpRequest, staff: Staff) -> Appointment | None:
    pk = row_id(request.GET.get("visit", ""))
    if not pk:
        return None
    rows = Appointment.objects.seen_by(staff).select_related("series__patient", "site")
    return get_object_or_404(rows, pk=pk)


def _patient(request: HttpRequest, staff: Staff) -> Patient:
    pk = row_id(request.GET.get("patient", ""))
    return get_object_or_404(Patient.objects.seen_by(staff), pk=pk)
