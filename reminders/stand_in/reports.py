"""What each provider posts about a text: its words, its shape and its signature."""

import json
import time
import urllib.parse
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.request import Request

from reminders.stand_in import signing
from reminders.stand_in.received import Text


@dataclass(frozen=True)
class Step:
    """One status of a text, in Twilio's words. A silent step moves it and tells nobody."""

    status: str
    code: str = ""
    silent: bool = False
    forged: bool = False


class TwilioReports:
    def __init__(self, *, account_sid: str, token: str) -> None:
        self._account_sid, self._token = account_sid, token

    def request(self, text: Text, step: Step) -> Request:
        fields = {
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "MessageSid": text.sid,
            "MessageStatus": step.status,
            "SmsSid": text.sid,
            "SmsStatus": step.status,
            "To": text.to,
        }
        if step.code:
            fields["ErrorCode"] = step.code
        token = "not-the-token" if step.forged else self._token
        return Request(
            text.status_callback,
            data=urllib.parse.urlencode(fields).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": signing.twilio(token, text.status_callback, fields),
                "User-Agent": "TwilioProxy/1.1",
            },
        )


# Telnyx reports nothing before the carrier has the text.
TELNYX_WORDS = {
    "sent": ("message.sent", "sent"),
    "delivered": ("message.finalized", "delivered"),
    "undelivered": ("message.finalized", "delivery_failed"),
    "failed": ("message.finalized", "sending_failed"),
}


class TelnyxReports:
    def __init__(self, *, seed: bytes, profile_id: str) -> None:
        self._seed, self._profile_id = seed, profile_id

    def request(self, text: Text, step: Step) -> Request | None:
        if step.status not in TELNYX_WORDS:
            return None
        body = json.dumps({"data": self._event(text, step), "meta": {"attempt": 1}}).encode()
        stamp = str(int(time.time()))
        seed = bytes(32) if step.forged else self._seed
        return Request(
            text.status_callback,
            data=body,
            headers={
                "Content-Type": "application/json",
                "Telnyx-Timestamp": stamp,
                "Telnyx-Signature-Ed25519": signing.telnyx(seed, stamp, body),
                "User-Agent": "telnyx-webhooks",
            },
        )

    def _event(self, text: Text, step: Step) -> dict[str, Any]:
        event_type, status = TELNYX_WORDS[step.status]
        return {
            "record_type": "event",
            # The same event that comes twice has one id.
            "id": str(uuid.uuid5(uuid.UUID(text.sid), step.status)),
            "event_type": event_type,
            "occurred_at": text.received_at,
            "payload": {
                "record_type": "message",
                "direction": "outbound",
                "id": text.sid,
                "type": "SMS",
                "messaging_profile_id": self._profile_id,
                "from": {"phone_number": text.sender, "carrier": "", "line_type": ""},
                "to": [{"phone_number": text.to, "status": status, "carrier": ""}],
                "text": text.text,
                "webhook_url": text.status_callback,
                "errors": [{"code": step.code, "title": "As this number asks for it"}]
                if step.code
                else [],
            },
        }
