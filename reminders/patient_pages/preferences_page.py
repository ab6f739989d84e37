"""/p/<token>/preferences/: how the patient wants to be written to.

Whoever holds the link may end the messages, as they may by STOP; only who proved to be the patient
sees and changes the rest. GET changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments import links
from appointments.models import PatientLink
from clinic.when_fields import ClockField
from patients.models import Language
from patients.registration import RegistrationRefused
from reminders.patient_pages import preferring, self_service
from reminders.patient_pages.language import language_of
from reminders.patient_pages.preferring import Way, Wishes
from reminders.patient_pages.self_service import for_patients
from reminders.wording.preference_words import PREFERENCE_WORDS


class WishesForm(forms.Form):
    """What a patient chooses. An unticked box is a no."""

    language = forms.ChoiceField(choices=Language.choices)
    quiet_from = ClockField(required=False)
    quiet_until = ClockField(required=False)

    def __init__(self, *args: Any, ways: list[Way], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.boxes = [(purpose, way) for purpose in preferring.CHOSEN for way in ways]
        for purpose, way in self.boxes:
            self.fields[f"{purpose}_{way.channel}"] = forms.BooleanField(required=False)

    @property
    def wishes(self) -> Wishes:
        told = self.cleaned_data
        return Wishes(
            language=told["language"],
            agreed=frozenset(
                (purpose.value, way.channel.value)
                for purpose, way in self.boxes
                if told[f"{purpose}_{way.channel}"]
            ),
            quiet_from=told["quiet_from"],
            quiet_until=told["quiet_until"],
        )


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """POST saves what was chosen, or with `stop` ends everything."""
    now = timezone.now()
    link = links.open(token, now=now)
    if "stop" in request.POST:
        preferring.stop(patient=link.patient, now=now)
        return HttpResponseRedirect(f"{request.path}?done=stopped", status=303)
    if not self_service.is_proved(request, link):
        return _shown(request, link, {}, status=403 if request.method == "POST" else 200)
    if request.method == "POST":
        return _save(request, link, now=now)
    return _shown(request, link, _as_stored(link, language_of(request, link.patient)))


def _save(request: HttpRequest, link: PatientLink, *, now: datetime) -> HttpResponse:
    form = WishesForm(request.POST, ways=preferring.ways(link.patient))
    language = language_of(request, link.patient)
    words = PREFERENCE_WORDS[language]
    more = {"rows": _rows(form.data, link, language), "told": form.data}
    if not form.is_valid():
        return _shown(request, link, more | {"problem": words["times"]}, status=422)
    try:
        preferring.save(patient=link.patient, wishes=form.wishes, now=now)
    except RegistrationRefused:
        one_end = form.wishes.quiet_from is None or form.wishes.quiet_until is None
        problem = words["both_ends" if one_end else "narrow"]
        return _shown(request, link, more | {"problem": problem}, status=422)
    return HttpResponseRedirect(f"{request.path}?done=saved", status=303)


def _as_stored(link: PatientLink, language: str) -> dict[str, Any]:
    patient = link.patient
    ways = preferring.ways(patient)
    ticked = {f"{purpose}_{way.channel}" for way in ways for purpose in way.agreed}
    told = {
        "language": patient.language,
        "quiet_from": f"{patient.quiet_from:%H:%M}" if patient.quiet_from else "",
        "quiet_until": f"{patient.quiet_until:%H:%M}" if patient.quiet_until else "",
    }
    return {"rows": _rows(dict.fromkeys(ticked, "on"), link, language), "told": told}


def _rows(told: Any, link: PatientLink, language: str) -> list[dict[str, Any]]:
    """By purpose its boxes, each with its words."""
    words = PREFERENCE_WORDS[language]
    ways = preferring.ways(link.patient)
    site = self_service.site_of(link, link.appointment)
    number = site.sms_number if site else ""
    return [
        {
            "purpose": purpose.value,
            "title": words[purpose.value],
            "hint": words.get(f"{purpose.value}_hint", ""),
            "boxes": [
                {
                    "name": f"{purpose}_{way.channel}",
                    "label": words[way.channel].format(way.shown),
                    "is_ticked": bool(told.get(f"{purpose}_{way.channel}")),
                    "blocked": words[f"blocked_{way.channel}"].format(number)
                    if way.is_closed
                    else "",
                }
                for way in ways
            ],
        }
        for purpose in preferring.CHOSEN
    ]


def _shown(
    request: HttpRequest, link: PatientLink, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    language = language_of(request, link.patient)
    words = PREFERENCE_WORDS[language]
    is_proved = self_service.is_proved(request, link)
    done = request.GET.get("done", "") if request.method != "POST" else ""
    # Nobody else learns what the patient agrees to.
    may_stop = preferring.agrees(link.patient) if is_proved else done != "stopped"
    context = {
        "language": language,
        "languages": [(code, words[code]) for code in Language.values],
        "words": words,
        "site": self_service.site_of(link, link.appointment),
        "done": "" if done == "stopped" and may_stop else words.get(done, ""),
        "may_stop": may_stop,
        **more,
    }
    return render(request, "reminders/care/preferences.html", context, status=status)
