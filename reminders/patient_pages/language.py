"""The language of a patient's page: the one that this browser switched to, else the patient's."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from patients.models import Language, Patient

SWITCHED = "afterglow_language"
SWITCHED_LIFE = timedelta(days=30)


def language_of(request: HttpRequest, patient: Patient | None) -> str:
    """ "en" or "es"."""
    for wanted in (request.GET.get("lang", ""), request.COOKIES.get(SWITCHED, "")):
        if wanted in Language.values:
            return wanted
    if patient is not None:
        return patient.language
    accepted = cast(str, getattr(request, "LANGUAGE_CODE", "en"))
    return accepted if accepted in Language.values else "en"


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let this browser keep the language that was just asked for, on the patient's pages alone."""
    wanted = request.GET.get("lang", "")
    if wanted in Language.values:
        response.set_cookie(
            SWITCHED,
            wanted,
            max_age=SWITCHED_LIFE,
            path="/p/",
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
