"""What patients write back, reported to the clinic as its provider reports a text or mail."""

import base64
import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request

from reminders.stand_in import signing
from reminders.stand_in.callbacks import TIMEOUT_SECONDS

# What the clinic is told stays on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Account:
    """What the providers sign with: Twilio's account and token, Telnyx's key and profile."""

    account_sid: str
    token: str
    seed: bytes
    profile_id: str


@dataclass(frozen=True)
class Reply:
    """`sender` writes `text` to the clinic's number or address `to`; `url` is where the clinic
    hears of it, for a mail with the user and password of the webhook.

    `provider` is `twilio`, `telnyx` or `postmark`. The same `sid` twice is the same reply reported
    twice. `opt_out_type` is what providers of texts add where they deal with STOP themselves;
    `subject` and `headers` are a mail's, `html` its body where it has no plain one.
    """

    text: str
    sender: str
    to: str
    url: str
    sid: str = field(default_factory=lambda: secrets.token_hex(16))
    opt_out_type: str = ""
    provider: str = "twilio"
    subject: str = ""
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def send(reply: Reply, account: Account) -> int:
    """Report it once; the HTTP status of the answer, 0 when nobody answered."""
    request = _REQUESTS[reply.provider](reply, account)
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except (urllib.error.URLError, OSError):
        return 0


def _twilio(reply: Reply, account: Account) -> Request:
    sid = f"SM{reply.sid}"
    fields = {
        "AccountSid": account.account_sid,
        "ApiVersion": "2010-04-01",
        "Body": reply.text,
        "From": reply.sender,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": reply.to,
    }
    if reply.opt_out_type:
        fields["OptOutType"] = reply.opt_out_type
    return Request(
        reply.url,
        data=urllib.parse.urlencode(fields).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signing.twilio(account.token, reply.url, fields),
            "User-Agent": "TwilioProxy/1.1",
        },
    )


def _telnyx(reply: Reply, account: Account) -> Request:
    event = {
        "record_type": "event",
        "id": str(uuid.uuid4()),
        "event_type": "message.received",
        "payload": {
            "record_type": "message",
            "direction": "inbound",
            "id": reply.sid,
            "type": "SMS",
            "messaging_profile_id": account.profile_id,
            "from": {"phone_number": reply.sender, "carrier": "", "line_type": "Wireless"},
            "to": [{"phone_number": reply.to, "status": "webhook_delivered", "carrier": ""}],
            "text": reply.text,
            "media": [],
            "autoresponse_type": reply.opt_out_type or None,
            "errors": [],
        },
    }
    body = json.dumps({"data": event, "meta": {"attempt": 1}}).encode()
    stamp = str(int(time.time()))
    return Request(
        reply.url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "Telnyx-Timestamp": stamp,
            "Telnyx-Signature-Ed25519": signing.telnyx(account.seed, stamp, body),
            "User-Agent": "telnyx-webhooks",
        },
    )


def _postmark(reply: Reply, account: Account) -> Request:
    address, login = _without_login(reply.url)
    headers = {"Return-Path": f"<{reply.sender}>", "Message-ID": f"<{reply.sid}@mail.example>"}
    event: dict[str, Any] = {
        "FromFull": {"Email": reply.sender, "Name": "", "MailboxHash": ""},
        "ToFull": [{"Email": reply.to, "Name": "", "MailboxHash": ""}],
        "CcFull": [],
        "BccFull": [],
        # The address that the clinic's mailbox passes its mail on to.
        "OriginalRecipient": "5f2c@inbound.postmarkapp.example",
        "Subject": reply.subject,
        "MessageID": str(uuid.uuid4()),
        "TextBody": reply.text,
        "HtmlBody": reply.html,
        "StrippedTextReply": "",
        "Headers": [
            {"Name": name, "Value": value} for name, value in {**headers, **reply.headers}.items()
        ],
        "Attachments": [],
    }
    secret = base64.b64encode(login.encode()).decode()
    return Request(
        address,
        data=json.dumps(event).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Basic {secret}",
            "User-Agent": "Postmark",
        },
    )


_REQUESTS = {"twilio": _twilio, "telnyx": _telnyx, "postmark": _postmark}


def _without_login(url: str) -> tuple[str, str]:
    """The address itself, and the `user:password` that stood in it."""
    parts = urllib.parse.urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=host).geturl(), login
