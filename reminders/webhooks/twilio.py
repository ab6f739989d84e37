"""Twilio's status callbacks and the texts that come in: a form, signed with the account's token.

Source, read in November 2026: twilio.com/docs/usage/security (validating requests).
"""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

from reminders.catalogue import Channel
from reminders.inbound import taking_in
from reminders.ledger import receipts
from reminders.models.held_report import Way


@login_not_required
@csrf_exempt
@require_POST
def status(request: HttpRequest, reference: UUID) -> HttpResponse:
    """One status of one text. The answer says nothing but whether it was believed.

    Twilio signs no time, so a report can be replayed: the event key makes a repeat harmless.
    """
    if not is_signed(request):
        return HttpResponse(status=403)
    sid, word = request.POST.get("MessageSid", ""), request.POST.get("MessageStatus", "")
    code = request.POST.get("ErrorCode", "")
    try:
        taking_in.take(
            Way.RECEIPT,
            {
                "provider": "twilio",
                "reference": str(reference),
                "event_key": f"{sid}:{word}:{code}",
                "status": word,
                "code": code,
                "to": request.POST.get("To", ""),
                "provider_id": sid,
            },
            now=timezone.now(),
        )
    except receipts.Misdirected:
        return HttpResponse(status=403)
    return HttpResponse(status=204)


@login_not_required
@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """One text that somebody sent us. The empty answer tells Twilio to say nothing in our name.

    A replay is harmless: a reply is stored once by Twilio's id of it.
    """
    if not is_signed(request):
        return HttpResponse(status=403)
    taking_in.take(
        Way.REPLY,
        {
            "channel": Channel.SMS,
            "provider": "twilio",
            "provider_id": request.POST.get("MessageSid", ""),
            "from_address": request.POST.get("From", ""),
            "to_address": request.POST.get("To", ""),
            "text": request.POST.get("Body", ""),
            "answered_as": request.POST.get("OptOutType", "").lower(),
        },
        now=timezone.now(),
    )
    return HttpResponse(status=204)


def is_signed(request: HttpRequest) -> bool:
    """Whether our account signed exactly this.

    The address is our public one: behind a proxy the Host header is another, and anybody can write
    it. All parameters count as they came, also unknown ones; the validator tries the address with
    and without its port, as Twilio may sign either.
    """
    signature = request.headers.get("X-Twilio-Signature", "")
    address = settings.PUBLIC_URL + request.get_full_path()
    tokens = (settings.TWILIO_AUTH_TOKEN, settings.TWILIO_AUTH_TOKEN_PREVIOUS)
    return constant_time_compare(
        request.POST.get("AccountSid", ""), settings.TWILIO_ACCOUNT_SID
    ) and any(
        RequestValidator(token).validate(address, request.POST, signature)
        for token in tokens
        if token
    )
