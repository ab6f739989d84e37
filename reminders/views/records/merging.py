"""/patients/<id>/merge/: two records of one person: what moves, what wins, what is in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.looking import lists, shows
from clinic.views.row_id import row_id
from patients import registration, telling_apart
from patients.models import Patient, RecordMerge, ToldApart
from patients.telling_apart import TellingApartRefused
from reminders.records import merging
from reminders.records.merging import MergeRefused, UndoRefused
from reminders.views.records.asking import alike, judged, may, reason_of, seen_patient

MOST_FOUND = 8


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, patient_id: int) -> HttpResponse:
    """`?with=` is the record that goes; before that the page offers likenesses, and `?q=` finds."""
    staff, now = cast(Staff, request.user), timezone.now()
    kept = seen_patient(request, patient_id)
    access.require(staff, Capability.MERGE_RECORDS)
    wanted = row_id(request.GET.get("with", ""))
    if not wanted:
        return _choose(request, kept, staff)
    gone = get_object_or_404(Patient.objects.seen_by(staff), pk=wanted)
    shows(request, gone, patient_id=gone.pk)
    problem, reason = "", reason_of(request)
    taken = [name for name in request.POST if request.POST[name] == "gone"]
    if request.method == "POST":
        try:
            merging.merge(
                kept=kept, gone=gone, taken_from_gone=taken, reason=reason, by=staff, now=now
            )
        except MergeRefused as refused:
            problem = refused.sentence
        else:
            messages.success(
                request, gettext("#%(pk)s is a part of this record now.") % {"pk": gone.pk}
            )
            return redirect("patient", kept.pk)
    found = merging.preview(kept=kept, gone=gone, by=staff, now=now)
    if request.method == "POST":
        wins = {True: "gone", False: "kept"}
        differences = [replace(each, wins=wins[each.name in taken]) for each in found.differences]
        found = replace(found, differences=differences)
    context = {
        "found": found,
        "patient": kept,
        "problem": problem,
        "reason": reason,
        "until": now + merging.UNDO_WITHIN,
    }
    return render(request, "reminders/records/merge.html", context, status=409 if problem else 200)


def _choose(request: HttpRequest, kept: Patient, staff: Staff) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    if query:
        rows = Patient.objects.filter(
            pk__in=[each.pk for each in registration.search(staff=staff, query=query)]
        ).exclude(pk=kept.pk)
        found = list(rows[:MOST_FOUND])
    else:
        found = alike(kept, staff)
    lists(request, (each.pk for each in found), site_id=None)
    standing = ToldApart.objects.standing().of(kept).seen_by(staff)
    said = list(standing.select_related("one", "other", "by"))
    others = judged([each.than(kept) for each in said], staff)
    lists(request, (other.pk for other, _ in others), site_id=None)
    may_here = may(staff, Capability.MERGE_RECORDS, kept)
    apart = [
        (other, each, may_here and may_there)
        for (other, may_there), each in zip(others, said, strict=True)
    ]
    context = {
        "patient": kept,
        "found": found,
        "query": query,
        "apart": apart,
        "site": kept.sites.first(),
    }
    return render(request, "reminders/records/merge_choose.html", context)


@require_POST
def tell_apart(request: HttpRequest, patient_id: int, other_id: int) -> HttpResponse:
    """They are not the same person, whichever of the two says so."""
    patient, other = seen_patient(request, patient_id), seen_patient(request, other_id)
    try:
        telling_apart.tell_apart(
            patient=patient, other=other, by=cast(Staff, request.user), now=timezone.now()
        )
    except TellingApartRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("patient", patient.pk)
    said = gettext("%(one)s and %(other)s are two persons: they are not shown as one any more.")
    messages.success(
        request,
        said % {"one": patient.display_name, "other": other.display_name},
        extra_tags=reverse("patient-not-apart", args=[patient.pk, other.pk]),
    )
    return redirect("patient", patient.pk)


@require_POST
def not_apart(request: HttpRequest, patient_id: int, other_id: int) -> HttpResponse:
    patient, other = seen_patient(request, patient_id), seen_patient(request, other_id)
    try:
        telling_apart.take_back(
            patient=patient, other=other, by=cast(Staff, request.user), now=timezone.now()
        )
    except TellingApartRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("They may be the same person again."))
    return redirect("patient", patient.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, patient_id: int, merge_id: int) -> HttpResponse:
    """GET says what comes of it and asks why; POST makes two records again."""
    staff, patient = cast(Staff, request.user), seen_patient(request, patient_id)
    done = get_object_or_404(
        RecordMerge.objects.select_related("kept", "gone", "by"), pk=merge_id, kept=patient
    )
    access.require(staff, Capability.MERGE_RECORDS)
    problem, reason = "", reason_of(request)
    if request.method == "POST":
        try:
            gone = merging.undo(merge=done, reason=reason, by=staff, now=timezone.now())
        except UndoRefused as refused:
            problem = refused.sentence
        else:
            messages.success(
                request, gettext("#%(pk)s is a record of its own again.") % {"pk": gone.pk}
            )
            return redirect("patient", gone.pk)
    rows = sum(len(ids) for ids in done.manifest["moved"].values())
    context = {
        "patient": patient,
        "merge": done,
        "rows": rows,
        "problem": problem,
        "reason": reason,
    }
    status = 409 if problem else 200
    return render(request, "reminders/records/unmerge.html", context, status=status)
