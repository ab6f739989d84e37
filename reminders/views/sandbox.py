"""What the demo's patients received: texts and mail out of the stand-in's memory.

There is no such page where SANDBOX_URL is empty, that is wherever real messages are sent.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

TIMEOUT_SECONDS = 2
SHOWN = 100  # of each kind: the page is read anew every few seconds

View = Callable[..., HttpResponse]
# The stand-in is on this machine; the machine's proxy is not asked.
_opener = build_opener(ProxyHandler({}))


class SandboxDown(Exception):
    """The stand-in does not answer."""


def demo_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.SANDBOX_URL:
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except SandboxDown:
            return render(request, "reminders/sandbox/down.html", status=503)

    return guarded


@require_safe
@demo_only
def received(request: HttpRequest) -> HttpResponse:
    """Texts and mails, newest first. htmx asks for the lists alone, so that they stay fresh."""
    page = "lists" if request.headers.get("HX-Request") else "received"
    try:
        found = _received()
        shelves: dict[str, Any] = {kind: items[:SHOWN] for kind, items in found.items()}
        shelves["phones"] = list(dict.fromkeys(text["to"] for text in shelves["texts"]))
    except SandboxDown:
        shelves = {"is_down": True}
    return render(request, f"reminders/sandbox/{page}.html", shelves)


@require_POST
@demo_only
def reply(request: HttpRequest) -> HttpResponse:
    """Write back as one of the patients: to the number that last wrote to theirs."""
    phone, text = request.POST.get("phone", ""), request.POST.get("text", "").strip()
    last = next((each for each in _received()["texts"] if each["to"] == phone), None)
    if last is None or not text:
        raise Http404
    told = {
        "text": text,
        "sender": phone,
        "to": last["sender"],
        "url": settings.PUBLIC_URL + reverse("twilio-inbound"),
    }
    try:
        _opener.open(
            f"{settings.SANDBOX_URL}/reply", json.dumps(told).encode(), timeout=TIMEOUT_SECONDS
        ).close()
    except (URLError, OSError) as error:
        raise SandboxDown from error
    messages.success(request, "Sent. What the clinic makes of it is in the inbox.")
    return redirect("sandbox")


# The frame holds the mail's own HTML, which comes from mail_html below.
@csp_update({"frame-src": [SELF]})
@require_safe
@demo_only
def mail(request: HttpRequest, number: int) -> HttpResponse:
    return render(request, "reminders/sandbox/mail.html", {"mail": _mail(number)})


# The mail's own HTML gets no script, no form and no network; its links open beside it.
@csp(
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
@xframe_options_sameorigin
@require_safe
@demo_only
def mail_html(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f'<base target="_blank">{_mail(number)["html"]}')


@require_safe
@demo_only
def invitation(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(
        _mail(number)["calendar"],
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )


def _received() -> dict[str, list[dict[str, Any]]]:
    """ "texts" and "mails", newest first. Raises SandboxDown."""
    try:
        with _opener.open(
            f"{settings.SANDBOX_URL}/received.json", timeout=TIMEOUT_SECONDS
        ) as answer:
            shelves: dict[str, list[dict[str, Any]]] = json.load(answer)
    except (URLError, OSError, ValueError) as error:
        raise SandboxDown from error
    for items in shelves.values():
        items.reverse()
        for item in items:
            item["received_at"] = datetime.fromisoformat(item["received_at"])
    return shelves


def _mail(number: int) -> dict[str, Any]:
    for item in _received()["mails"]:
        if item["id"] == number:
            return item
    raise Http404
