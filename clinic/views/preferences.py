"""In which language somebody reads, and how the pages look and listen on this device: theme,
density and one-key shortcuts, kept in cookies."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clinic import reader_language
from clinic.forms import PreferencesForm
from clinic.models import Staff

THEME_COOKIE, KEYS_COOKIE = "afterglow_theme", "afterglow_keys"
DENSITY_COOKIE, COMPACT = "afterglow_density", "compact"
THEMES = ("light", "dark")
A_YEAR = 365 * 24 * 60 * 60


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    reader = request.user
    assert isinstance(reader, Staff)  # of LoginRequiredMiddleware
    form = PreferencesForm(
        request.POST or None,
        initial={
            "language": reader.language or "browser",
            "theme": request.COOKIES.get(THEME_COOKIE) or "device",
            "compact": request.COOKIES.get(DENSITY_COOKIE) == COMPACT,
            "keys": request.COOKIES.get(KEYS_COOKIE) != "off",
        },
    )
    if not form.is_valid():
        return render(request, "clinic/preferences.html", {"form": form})
    language = form.cleaned_data["language"]
    reader_language.choose(reader, "" if language == "browser" else language)
    messages.success(request, gettext("Saved."))
    response = redirect("preferences")
    chosen = {
        THEME_COOKIE: form.cleaned_data["theme"],
        DENSITY_COOKIE: COMPACT if form.cleaned_data["compact"] else "",
        KEYS_COOKIE: "" if form.cleaned_data["keys"] else "off",
    }
    for name, value in chosen.items():
        response.set_cookie(
            name, value, max_age=A_YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )
    return response
