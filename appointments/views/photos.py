"""/patients/<id>/photos/ and /photos/<id>/: photos to take, to compare and to take out."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.models import Photo
from appointments.photos import (
    adding,
    changing,
    comparing,
    keeping,
    preparing,
    showing,
    standard_views,
)
from appointments.photos.comparing import NotComparable
from appointments.photos.preparing import PictureRefused
from appointments.refusals import Refused
from clinic import access
from clinic.access import Capability
from clinic.body_limits import takes_up_to
from clinic.models import Site, Staff
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import shows
from clinic.views.row_id import row_id
from patients.models import Patient

_PICTURES = {"accept": "image/jpeg,image/png,image/heic,image/heif"}


class PhotoForm(forms.Form):
    """The file, from the camera or from what the device holds; what it shows stands in the
    address."""

    taken = forms.FileField(
        required=False,
        label=_("Take a photo"),
        widget=forms.ClearableFileInput(attrs={**_PICTURES, "capture": "environment"}),
    )
    file = forms.FileField(
        required=False,
        label=_("Choose a photo"),
        widget=forms.ClearableFileInput(attrs=_PICTURES),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not (data.get("taken") or data.get("file")):
            self.add_error("file", gettext("Take or choose a photo."))
        return data


@require_safe
def gallery(request: HttpRequest, patient_id: int) -> HttpResponse:
    """By area and view; `?visit=` is the visit at which new ones are taken."""
    staff, patient, site = _asked(request, patient_id)
    now = timezone.now()
    photos = Photo.objects.seen_by(staff).filter(patient=patient)
    uses = showing.uses(patient, now=now)
    context = {
        "site": site,
        "patient": patient,
        "areas": showing.by_area(patient, photos.exclude(area="")),
        "waiting": photos.to_review(),
        "uses": uses,
        "may_add": uses[0].is_agreed and access.can(staff, Capability.RUN_VISIT, site),
        "visit": row_id(request.GET.get("visit", "")) or "",
    }
    return render(request, "appointments/photos/gallery.html", context)


@takes_up_to(preparing.MOST_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Take or upload the photo of the area and view in the address, the last one as its ghost;
    `visit` and `event` are what it is taken at and what it shows."""
    staff, patient, site = _asked(request, patient_id)
    access.require(staff, Capability.RUN_VISIT, site)
    area, view = request.GET.get("area", ""), request.GET.get("view", "")
    if shows_what := request.GET.get("shows", ""):
        area, _, view = shows_what.partition("/")
    if not standard_views.is_view_of(view, area):
        raise Http404
    visit = showing.visit_of(patient, row_id(request.GET.get("visit", "")))
    event = showing.event_of(patient, row_id(request.GET.get("event", "")))
    form = PhotoForm(request.POST, request.FILES) if request.method == "POST" else PhotoForm()
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            photo = adding.add(
                patient=patient,
                site=visit.site if visit else site,
                area=area,
                view=view,
                content=content_of(form.cleaned_data["taken"] or form.cleaned_data["file"]),
                by=staff,
                now=timezone.now(),
                appointment=visit,
                event=event,
                is_from_camera=bool(form.cleaned_data["taken"]),
            )
        except (Refused, PictureRefused) as refused:
            form.add_error("file", refused.sentence)
            status = 422
        else:
            messages.success(
                request, gettext("The photo is kept. Where it was taken is not kept with it.")
            )
            if event is not None:
                return redirect(f"{reverse('event', args=[event.pk])}#photos")
            back = reverse("photos", args=[patient.pk])
            query = f"?visit={visit.pk}" if visit else ""
            return redirect(f"{back}{query}#{photo.area}")
    context = {
        "site": site,
        "patient": patient,
        "form": form,
        "area": area,
        "area_name": showing.name_of(area, showing.areas_of(patient)),
        "view": view,
        "view_name": standard_views.name(view, reader_language()),
        "visit": visit,
        "event": event,
        "last": showing.last_of(patient, area, view),
        "most": preparing.MOST_BYTES // 1024 // 1024,
    }
    return render(request, "appointments/photos/add.html", context, status=status)


@require_safe
def compare(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Two photos of one view, side by side and, with a script, under a slider."""
    staff, patient, site = _asked(request, patient_id)
    rows = Photo.objects.seen_by(staff).filter(patient=patient)
    one, other = (
        get_object_or_404(rows, pk=row_id(request.GET.get(name, "")))
        for name in ("before", "after")
    )
    try:
        pair = comparing.pair(one, other)
    except NotComparable as refused:
        messages.error(request, refused.sentence)
        return redirect("photos", patient.pk)
    context = {
        "site": site,
        "patient": patient,
        "pair": pair,
        "view_name": standard_views.name(one.view, reader_language()),
        "area_name": showing.name_of(one.area, showing.areas_of(patient)),
        "same": rows.filter(area=one.area, view=one.view).order_by("taken_at", "pk"),
        "uses": showing.uses(patient, now=timezone.now()),
    }
    return render(request, "appointments/photos/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """One photo; POST says what it shows."""
    shown = _seen(request, pk)
    shows(request, shown, patient_id=shown.patient_id)
    staff = cast(Staff, request.user)
    problem = ""
    if request.method == "POST":
        area, _, view = request.POST.get("shows", "").partition("/")
        try:
            changing.review(photo=shown, area=area, view=view, by=staff, now=timezone.now())
        except Refused as refused:
            problem = refused.sentence
        else:
            messages.success(request, gettext("It is kept with the photos of this view."))
            return redirect("photos", shown.patient_id)
    areas, said_in = showing.areas_of(shown.patient), reader_language()
    held = access.capabilities(staff, shown.site)
    context: dict[str, Any] = {
        "site": current_site(request),
        "photo": shown,
        "patient": shown.patient,
        "area_name": showing.name_of(shown.area, areas),
        "view_name": standard_views.name(shown.view, said_in) if shown.view else "",
        "uses": showing.uses(shown.patient, now=timezone.now()),
        "choices": [
            (
                name,
                [(f"{area}/{view.id}", view.name(said_in)) for view in standard_views.of(area)],
            )
            for area, name in areas.items()
        ],
        "chosen": f"{shown.area}/{shown.view}",
        "may_review": Capability.RUN_VISIT in held,
        "may_remove": Capability.CHART in held,
        "problem": problem,
    }
    return render(
        request, "appointments/photos/photo.html", context, status=422 if problem else 200
    )


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    try:
        changing.remove(
            photo=shown,
            reason=request.POST.get("reason", ""),
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("photo", pk)
    messages.success(request, gettext("The photo is taken out of the record."))
    return redirect("photos", shown.patient_id)


@require_safe
def picture(request: HttpRequest, pk: int, rendition: str) -> HttpResponse:
    """The picture itself, to whoever may see the patient; kept by no browser and no proxy."""
    shown = _seen(request, pk)
    if rendition != "thumb":  # a list of small ones is a look at the page that lists them
        shows(request, shown, patient_id=shown.patient_id)
    return picture_of(shown, rendition)


def picture_of(shown: Photo, rendition: str) -> HttpResponse:
    try:
        content = keeping.read(shown.key, rendition)
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type="image/jpeg")
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def content_of(file: UploadedFile[Any]) -> bytes:
    """The bytes of an upload. Raises PictureRefused when there are too many to be read."""
    if (file.size or 0) > preparing.MOST_BYTES:
        raise preparing.too_large()
    return bytes(file.read())


def _asked(request: HttpRequest, patient_id: int) -> tuple[Staff, Patient, Site]:
    staff = cast(Staff, request.user)
    patient = get_object_or_404(Patient.objects.seen_by(staff), pk=patient_id)
    shows(request, patient, patient_id=patient.pk)
    site = current_site(request)
    if not patient.sites.filter(pk=site.pk).exists():
        site = patient.sites.filter(pk__in=access.sites_of(staff)).first() or site
    return staff, patient, site


def _seen(request: HttpRequest, pk: int) -> Photo:
    rows = Photo.objects.seen_by(cast(Staff, request.user))
    return get_object_or_404(
        rows.select_related(
            *("patient", "site", "added_by", "reviewed_by", "event"), "appointment__site"
        ),
        pk=pk,
    )
