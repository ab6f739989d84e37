"""/patients/<id>/life/…: a death, a wish not to be contacted, guardians; and taking them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from clinic.models import Staff
from patients import guardians, registration
from patients.contacts import ContactRefused
from patients.models import Guardian, Language, Patient, Relation
from patients.registration import RegistrationRefused
from reminders.records import stopping
from reminders.records.stopping import LifeRefused
from reminders.views.records.asking import reason_of, seen_patient


@dataclass(frozen=True, slots=True)
class LifeAct:
    """One act: its words, and whether it asks for a reason."""

    title: str | Promise
    text: str | Promise
    button: str | Promise
    said: str | Promise
    run: Callable[..., None]
    reason: str | Promise = ""
    is_grave: bool = True


ACTS = {
    "death": LifeAct(
        _("Record a death"),
        _(
            "From now on nothing is sent to or about this patient, not even what is "
            "planned or queued. Their links are closed. Visits to come are listed as "
            "work; nobody is told of them."
        ),
        _("Record the death"),
        _("Everything is stopped. Decide what becomes of the visits to come."),
        stopping.record_death,
    ),
    "alive": LifeAct(
        _("Take back a recorded death"),
        _("Messages and links go on as they were planned."),
        _("Take back"),
        _("The recorded death is taken back."),
        stopping.take_back_death,
        _("Why it was recorded by mistake"),
        is_grave=False,
    ),
    "no-contact": LifeAct(
        _("Do not contact"),
        _(
            "From now on nothing is sent to this patient, on any channel, not even what "
            "is planned or queued. Whatever they agreed to stays on record."
        ),
        _("Stop all contact"),
        _("Nothing is sent to this patient any more."),
        stopping.stop_contact,
        _("Reason: what the patient said, and how"),
    ),
    "contact": LifeAct(
        _("Allow contact again"),
        _("Messages go out again, as far as the patient agreed to them."),
        _("Allow contact"),
        _("The patient may be contacted again."),
        stopping.allow_contact,
        _("Reason: what the patient said, and how"),
        is_grave=False,
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def life(request: HttpRequest, patient_id: int, act: str) -> HttpResponse:
    """GET says what it does and asks why; POST does it. `act` is one of `ACTS`."""
    if act not in ACTS:
        raise Http404
    wanted, staff, now = ACTS[act], cast(Staff, request.user), timezone.now()
    patient = seen_patient(request, patient_id)
    registration.require_edit(staff, patient)
    problem, reason = "", reason_of(request)
    if request.method == "POST":
        try:
            given = {"reason": reason} if wanted.reason else {}
            wanted.run(patient=patient, by=staff, now=now, **given)
        except LifeRefused as refused:
            problem = refused.sentence
        else:
            messages.success(request, f"{patient.display_name}: {wanted.said}")
            return redirect("patient", patient.pk)
    context = {
        "patient": patient,
        "act": wanted,
        "problem": problem,
        "reason": reason,
        "visits": stopping.visits_to_come(patient, now=now) if wanted.is_grave else [],
    }
    status = 422 if problem else 200
    return render(request, "reminders/records/life.html", context, status=status)


class GuardianForm(forms.Form):
    name = forms.CharField(max_length=guardians.NAME_LENGTH)
    relation = forms.ChoiceField(label=_("Is the patient’s"), choices=Relation.choices)
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    phone = forms.CharField(max_length=40, required=False, label=_("Mobile phone"))
    email = forms.CharField(max_length=254, required=False, label=_("E-mail"))
    gets_messages = forms.BooleanField(
        required=False, initial=True, label=_("Gets the patient’s messages until they are of age")
    )
    may_sign = forms.BooleanField(required=False, label=_("May sign for the patient"))


@require_http_methods(["GET", "HEAD", "POST"])
def add_guardian(request: HttpRequest, patient_id: int) -> HttpResponse:
    staff, patient = cast(Staff, request.user), seen_patient(request, patient_id)
    registration.require_edit(staff, patient)
    form = GuardianForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            guardians.add(patient=patient, by=staff, now=timezone.now(), **form.cleaned_data)
        except (RegistrationRefused, ContactRefused) as refused:
            form.add_error(
                refused.field if refused.field in form.fields else None, refused.sentence
            )
        else:
            messages.success(
                request,
                gettext("%(name)s is a guardian now.") % {"name": form.cleaned_data["name"]},
            )
            return redirect("patient", patient.pk)
    context = {"patient": patient, "form": form}
    status = 422 if form.errors else 200
    return render(request, "reminders/records/guardian.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def end_guardian(request: HttpRequest, patient_id: int, guardian_id: int) -> HttpResponse:
    staff, patient = cast(Staff, request.user), seen_patient(request, patient_id)
    registration.require_edit(staff, patient)
    guardian = get_object_or_404(Guardian, pk=guardian_id, patient=patient, ended_at=None)
    problem, reason = "", reason_of(request)
    if request.method == "POST":
        try:
            guardians.end(guardian=guardian, reason=reason, by=staff, now=timezone.now())
        except RegistrationRefused as refused:
            problem = refused.sentence
        else:
            messages.success(
                request,
                gettext("%(guardian)s is no guardian any more.") % {"guardian": guardian.name},
            )
            return redirect("patient", patient.pk)
    context: dict[str, Any] = {
        "patient": patient,
        "act": _ending(guardian, patient),
        "problem": problem,
        "reason": reason,
    }
    status = 422 if problem else 200
    return render(request, "reminders/records/life.html", context, status=status)


def _ending(guardian: Guardian, patient: Patient) -> LifeAct:
    return LifeAct(
        gettext("End that %(guardian)s answers for %(first_name)s")
        % {"guardian": guardian.name, "first_name": patient.first_name},
        gettext(
            "Their numbers and addresses are not used for the patient any more, and they "
            "sign nothing."
        ),
        gettext("End"),
        "",
        guardians.end,
        gettext("Reason"),
    )
