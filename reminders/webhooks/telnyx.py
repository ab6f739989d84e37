"""Telnyx's reports and the texts that come in: JSON, signed with the account's Ed25519 key over
its time and its raw body.

Sources, read in November 2026: developers.telnyx.com/docs/development/api-fundamentals/webhooks
(signature, doubled and late events), docs/messaging/messages/receiving-webhooks (event types),
docs/messaging/messages/advanced-opt-in-out (`autoresponse_type`).
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from reminders.catalogue import Channel
from reminders.channels.telnyx import error_code
from reminders.inbound import taking_in
from reminders.ledger import receipts
from reminders.models.held_report import Way

TOLERANCE_SECONDS = 300
ABOUT_A_TEXT = frozenset({"message.sent", "message.finalized"})
COMES_IN = "message.received"


@login_not_required
@csrf_exempt
@require_POST
def status(request: HttpRequest, reference: UUID) -> HttpResponse:
    """One event of one text; what is signed but about something else is taken and left at that."""
    now = timezone.now()
    if not is_signed(request, now=now):
        return HttpResponse(status=403)
    try:
        event = json.loads(request.body)["data"]
        if event["event_type"] not in ABOUT_A_TEXT:
            return HttpResponse(status=204)
        payload = event["payload"]
        recipient, errors = payload["to"][0], payload.get("errors") or []
        if not _is_our_profile(payload):
            return HttpResponse(status=403)
        told = {
            "provider": "telnyx",
            "reference": str(reference),
            "event_key": str(event["id"]),
            "status": str(recipient["status"]),
            "code": error_code(errors[0]) if errors else "",
            "to": str(recipient["phone_number"]),
            "provider_id": str(payload["id"]),
        }
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return HttpResponse(status=400)
    try:
        taking_in.take(Way.RECEIPT, told, now=now)
    except receipts.Misdirected:
        return HttpResponse(status=403)
    return HttpResponse(status=204)


@login_not_required
@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """One text that somebody sent us; whatever else the profile reports here is left at that.

    A report that is repeated is harmless: a reply is stored once by Telnyx's id of the text.
    """
    now = timezone.now()
    if not is_signed(request, now=now):
        return HttpResponse(status=403)
    try:
        event = json.loads(request.body)["data"]
        if event["event_type"] != COMES_IN:
            return HttpResponse(status=204)
        payload = event["payload"]
        if not _is_our_profile(payload):
            return HttpResponse(status=403)
        told = {
            "channel": Channel.SMS,
            "provider": "telnyx",
            "provider_id": str(payload["id"]),
            "from_address": str(payload["from"]["phone_number"]),
            "to_address": str(payload["to"][0]["phone_number"]),
            "text": str(payload.get("text") or ""),
            "answered_as": str(payload.get("autoresponse_type") or "").lower(),
        }
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return HttpResponse(status=400)
    taking_in.take(Way.REPLY, told, now=now)
    return HttpResponse(status=204)


def is_signed(request: HttpRequest, *, now: datetime) -> bool:
    """Whether our account signed exactly this body within the last five minutes."""
    stamp = request.headers.get("Telnyx-Timestamp", "")
    if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        return False
    signature = _bytes(request.headers.get("Telnyx-Signature-Ed25519", ""))
    message = stamp.encode() + b"|" + request.body
    keys = (settings.TELNYX_PUBLIC_KEY, settings.TELNYX_PUBLIC_KEY_PREVIOUS)
    return any(_verifies(key, signature, message) for key in keys if key)


def _verifies(key: str, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_our_profile(payload: dict[str, Any]) -> bool:
    wanted = settings.TELNYX_MESSAGING_PROFILE_ID
    told = str(payload.get("messaging_profile_id", ""))
    return not wanted or constant_time_compare(told, wanted)


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
