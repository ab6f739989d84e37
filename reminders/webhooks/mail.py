"""What the mail provider that Anymail speaks to reports, and the mail that comes in through it,
behind a secret that both sides share.

Anymail's own views check the secret, and the provider's signature where there is one, and put the
report in one form for all providers; here they are asked for that alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

import anymail.urls
from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic.body_limits import MEGABYTE, takes_up_to
from reminders.catalogue import Channel
from reminders.inbound import reading_mail, receiving, taking_in
from reminders.ledger.mail_reports import MailReport
from reminders.models.held_report import Way

# RFC 3463, in the words of the receiving server.
ENHANCED_CODE = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
# Of a mailbox that may be had again: providers name it apart, Anymail does not.
SOFT = re.compile(r"soft|transient|temporary", re.IGNORECASE)
NAMES_OF_TYPE = ("Type", "type", "event", "bounceType")


# What mail providers let through, with what is attached.
A_MAIL = 40 * MEGABYTE


# Some providers ask with HEAD whether anybody is there.
@login_not_required
@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def tracking(request: HttpRequest) -> HttpResponse:
    """Everything that one call reports. 404 while no provider is set, 403 without the secret."""
    if request.method == "HEAD":
        return HttpResponse()
    view = anymail_view("tracking")
    try:
        view.run_validators(request)
        events = list(_read(view.parse_events(request)))
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=403)
    except (AnymailError, ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    now = timezone.now()
    for event in events:
        taking_in.take(Way.MAIL, asdict(event), now=now)
    return HttpResponse(status=204)


@takes_up_to(A_MAIL)
@login_not_required
@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def inbound(request: HttpRequest) -> HttpResponse:
    """One call with mail that somebody wrote to us. 404 and 403 as above.

    A report that is repeated is harmless: a mail is stored once by its Message-ID.
    """
    if request.method == "HEAD":
        return HttpResponse()
    view = anymail_view("inbound")
    try:
        view.run_validators(request)
        events = filter(_came_in, view.parse_events(request))
        mails = [reading_mail.read(each.message, each.event_id) for each in events]
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=403)
    except (AnymailError, ValueError, KeyError, TypeError, AttributeError, LookupError):
        return HttpResponse(status=400)
    now = timezone.now()
    for mail in mails:
        if mail.is_automatic or receiving.ours([mail.from_address]):
            continue  # an answer to a machine is answered by it: for ever
        taking_in.take(
            Way.REPLY,
            {
                "channel": Channel.EMAIL,
                "provider": "mail",
                "provider_id": mail.identity,
                "from_address": mail.from_address,
                "to_address": receiving.ours(mail.to_addresses),
                "text": mail.text,
                "answered_as": "",
            },
            now=now,
        )
    return HttpResponse(status=204)


def anymail_view(purpose: str) -> Any:
    """Anymail's view for our provider and "tracking" or "inbound". Raises Http404."""
    if not (settings.MAIL_PROVIDER and settings.MAIL_WEBHOOK_SECRETS):
        raise Http404
    names = (f"{settings.MAIL_PROVIDER}_{purpose}_webhook", f"{settings.MAIL_PROVIDER}_webhook")
    for entry in anymail.urls.urlpatterns:
        if entry.name in names:
            return entry.callback.view_class(webhook_secret=list(settings.MAIL_WEBHOOK_SECRETS))
    raise Http404


def _read(events: list[Any]) -> Iterator[MailReport]:
    for event in events:
        yield MailReport(
            reference=str(_reference(event.metadata) or ""),
            event_key=f"{event.event_id or event.message_id}:{event.event_type}",
            status=str(event.event_type),
            code=_code(event),
            address=event.recipient or "",
        )


def _came_in(event: Any) -> bool:
    """Some providers report both kinds to one view."""
    return getattr(event, "event_type", "") == "inbound"


def _reference(metadata: Any) -> UUID | None:
    try:
        return UUID(str((metadata or {}).get("reference", "")))
    except (ValueError, AttributeError):
        return None


def _code(event: Any) -> str:
    """The receiving server's code, else the provider's reason in Anymail's words."""
    if found := ENHANCED_CODE.search(str(event.mta_response or event.description or "")):
        return found.group()
    told = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    if any(SOFT.search(str(told.get(name, ""))) for name in NAMES_OF_TYPE):
        return "mail-soft"
    return f"mail-{event.reject_reason}" if event.reject_reason else ""
