"""Middleware: every page needs a signed-in member of staff, and what is sent after a session has
ended comes back to who wrote it, once they have signed in again.

A GET changes nothing: the form waits in the session, its page shows it filled, and it is sent by a
press only. A POST to its address that succeeds ends that; a look ahead is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

from clinic import kept_forms
from clinic.kept_forms import Kept
from clinic.refilling import is_same, refill
from clinic.views.current_site import REMEMBERED
from clinic.views.signing_in import sign_in_again

# A page sends it with what is typed to show what would come of it, at the address of the form.
LOOKS_AHEAD = "Looks-Ahead"
_MAIN = re.compile(r"<main\b[^>]*>")


class SessionEnd(LoginRequiredMiddleware):
    """In the place of Django's own: signs in on the spot where a form would be lost."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *rest: Any
    ) -> HttpResponseBase | None:
        answer: HttpResponseBase | None = super().process_view(request, view_func, *rest)
        if answer is None and getattr(view_func, "login_required", True):
            now = timezone.now()
            request.shows_kept = kept_forms.waiting(request, now=now)  # type: ignore[attr-defined]
        return answer

    def handle_no_permission(  # type: ignore[override]  # an answer on the spot is none of its kinds
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        now = timezone.now()
        kept = kept_forms.of_request(request)
        sealed = kept_forms.seal(kept, now=now) if kept else ""
        if kept is None or not sealed:
            answer: HttpResponseBase = super().handle_no_permission(request, view_func)
            return answer
        return sign_in_again(request, kept, sealed)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not hasattr(request, "shows_kept"):
            return response
        kept_forms.remember_who(request, response)
        kept: Kept | None = request.shows_kept
        if kept is None:
            return response
        if _was_sent(request, response, kept):
            kept_forms.forget(request)
        if (
            request.method != "GET"
            or request.get_full_path() != kept.page
            or not kept.is_at(request.session.get(REMEMBERED))
            or "HX-Request" in request.headers
        ):
            return response
        return _with_kept(request, response, kept)


def _was_sent(request: HttpRequest, response: HttpResponse, kept: Kept) -> bool:
    """Whether the form was taken: what was refused, or went wrong, is still wanted."""
    return (
        request.method == "POST"
        and is_same(request.get_full_path(), kept.address)
        and LOOKS_AHEAD not in request.headers
        and response.status_code < 400
    )


def _with_kept(request: HttpRequest, response: HttpResponse, kept: Kept) -> HttpResponse:
    """The page with what was written; a page of its own where the address shows none any more."""
    is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
    if response.status_code != 200 or not is_page:
        return render(request, "clinic/kept_form.html", {"kept": kept})
    html = response.content.decode()
    filled = refill(html, page=kept.page, address=kept.address, entries=kept.entries)
    context = {"kept": kept, "is_filled": filled is not None}
    notice = render_to_string("clinic/partials/kept_form.html", context, request)
    page = filled or html
    response.content = _MAIN.sub(lambda found: found[0] + notice, page, count=1).encode()
    return response
