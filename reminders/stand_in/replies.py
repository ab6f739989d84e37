"""Texts that patients send back, reported to the clinic as Twilio reports an incoming text."""

import secrets
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from reminders.stand_in import signing
from reminders.stand_in.callbacks import TIMEOUT_SECONDS

# What the clinic is told stays on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Reply:
    """`sender` writes `text` to the clinic's number `to`; `url` is where the clinic hears of it.

    The same `sid` twice is the same text reported twice. `opt_out_type` is what Twilio adds where
    it deals with STOP itself.
    """

    text: str
    sender: str
    to: str
    url: str
    sid: str = field(default_factory=lambda: f"SM{secrets.token_hex(16)}")
    opt_out_type: str = ""


def send(reply: Reply, *, account_sid: str, token: str) -> int:
    """Report it once; the HTTP status of the answer, 0 when nobody answered."""
    fields = {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "Body": reply.text,
        "From": reply.sender,
        "MessageSid": reply.sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": reply.sid,
        "SmsSid": reply.sid,
        "SmsStatus": "received",
        "To": reply.to,
    }
    if reply.opt_out_type:
        fields["OptOutType"] = reply.opt_out_type
    request = urllib.request.Request(
        reply.url,
        data=urllib.parse.urlencode(fields).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signing.twilio(token, reply.url, fields),
            "User-Agent": "TwilioProxy/1.1",
        },
    )
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except (urllib.error.URLError, OSError):
        return 0
