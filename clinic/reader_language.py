"""The language of who reads a staff page: their own choice, else what their browser asks for.

Patients' pages speak the language of the patient and have words of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from clinic import saying
from clinic.models import Staff

# The languages of the screens; hours and durations can be said in these.
LANGUAGES = ("en", "es")


class ReaderLanguage:
    """Middleware behind the sign-in: a page is said in the language its reader chose.

    Without a choice it stays with what `LocaleMiddleware` read from the browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: object) -> None:
        # Who need not sign in is a patient, a program or a stranger, and costs no query.
        if not getattr(view, "login_required", True):
            return
        speak_to(request.user)


def speak_to(reader: object) -> None:
    """From here on in the language that this reader chose, if it is a member of staff who did."""
    if isinstance(reader, Staff) and reader.language:
        translation.activate(reader.language)


class _Reader:
    """Words for who reads the page at hand, as Django knows the language."""

    def gettext(self, message: str, /) -> str:
        return translation.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int, /) -> str:
        return translation.ngettext(singular, plural, number)

    def language(self) -> str:
        return reader_language()


READER: saying.Tongue = _Reader()


def reader_language() -> str:
    """ "en" or "es": the language in which the page at hand is said."""
    language = (translation.get_language() or "")[:2]
    return language if language in LANGUAGES else "en"


def choose(staff: Staff, language: str) -> None:
    """Say every page to `staff` in `language`; "" leaves it to the browser."""
    staff.language = language
    staff.save(update_fields=["language"])
    if language:
        translation.activate(language)
