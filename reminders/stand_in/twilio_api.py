"""Twilio's Messages resource: what it takes, what it answers, what it refuses.

Shapes and codes follow Twilio's pages (docs/messaging/api/message-resource, docs/api/errors).
"""

import base64
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from reminders.stand_in.answers import CUT, GARBAGE, NOT_TAKEN, Answer, busy
from reminders.stand_in.callbacks import Callbacks
from reminders.stand_in.modes import Mode, Modes
from reminders.stand_in.received import Received, Text

E164 = re.compile(r"\+[1-9]\d{6,14}")
SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{5,6}|[A-Za-z0-9 ]{1,11}")
MAX_CHARACTERS = 1600
MAX_VALIDITY_SECONDS = 36_000
MAX_URL_CHARACTERS = 4000
TROUBLE = {
    "429": (429, 20429, "Too Many Requests"),
    "429_date": (429, 20429, "Too Many Requests"),
    "500": (500, 20500, "Internal Server Error"),
    "500_after_accept": (500, 20500, "Internal Server Error"),
}


class TwilioApi:
    def __init__(
        self,
        *,
        account_sid: str,
        token: str,
        received: Received,
        modes: Modes,
        callbacks: Callbacks,
    ) -> None:
        self._account_sid = account_sid
        self._credentials = base64.b64encode(f"{account_sid}:{token}".encode()).decode()
        self._received = received
        self._modes = modes
        self._callbacks = callbacks

    def admits(self, account_sid: str, authorization: str) -> bool:
        return account_sid == self._account_sid and authorization == f"Basic {self._credentials}"

    def create(self, form: Mapping[str, str]) -> Answer:
        fault = _fault(form)
        if fault is not None:
            return error(400, *fault)
        mode = self._modes.for_number(form["To"])
        if mode.is_refusal_code:
            return error(400, int(mode.name), "Refused as this number asks for it")
        if mode.name in NOT_TAKEN:
            return _trouble(mode)
        text = self._take(form, mode)
        if mode.name == "garbage":
            return replace(GARBAGE, status=201)
        if mode.name in TROUBLE or mode.name == "drop_after_accept":
            return _trouble(mode)
        return Answer(201, self._resource(text), wait_ms=mode.ms if mode.name == "slow" else 0)

    def fetch(self, sid: str) -> Answer:
        for text in self._listed():
            if text.sid == sid:
                return Answer(200, self._resource(text))
        return error(404, 20404, f"The requested resource /Messages/{sid}.json was not found")

    def search(self, query: Mapping[str, str]) -> Answer:
        """Newest first, by To, From and DateSent (with <, > as Twilio spells them), in pages.

        As at Twilio, a date is a whole day in GMT and leaves out what has not been sent yet; a text
        may be missing for some seconds; and a Messaging Service is nobody's From.
        """
        found = [text for text in self._listed() if _matches(text, query)]
        size = min(int(query.get("PageSize", "50")), 1000)
        page = int(query.get("Page", "0"))
        path = f"/2010-04-01/Accounts/{self._account_sid}/Messages.json"
        more = len(found) > (page + 1) * size
        following = "&".join(
            f"{name}={value.replace('+', '%2B')}"
            for name, value in {**query, "PageSize": str(size), "Page": str(page + 1)}.items()
        )
        shown = found[page * size : (page + 1) * size]
        return Answer(
            200,
            {
                "messages": [self._resource(text) for text in shown],
                "page": page,
                "page_size": size,
                "uri": path,
                "next_page_uri": f"{path}?{following}" if more else None,
                "previous_page_uri": None,
            },
        )

    def _listed(self) -> list[Text]:
        return self._received.listed("twilio", after_ms=self._modes.listed_after_ms)

    def _take(self, form: Mapping[str, str], mode: Mode) -> Text:
        validity = form.get("ValidityPeriod")
        text = Text(
            sid=f"SM{uuid.uuid4().hex}",
            to=form["To"],
            sender=form.get("From") or form.get("MessagingServiceSid", ""),
            text=form["Body"],
            status="queued" if form.get("From") else "accepted",
            code="",
            status_callback=form.get("StatusCallback", ""),
            validity_seconds=int(validity) if validity else None,
            received_at=datetime.now(UTC).isoformat(),
        )
        self._received.add(text)
        self._callbacks.plan(text, mode)
        return text

    def _resource(self, text: Text) -> dict[str, Any]:
        created = format_datetime(datetime.fromisoformat(text.received_at))
        sender = _from(text)
        path = f"/2010-04-01/Accounts/{self._account_sid}/Messages/{text.sid}"
        return {
            "account_sid": self._account_sid,
            "api_version": "2010-04-01",
            "body": text.text,
            "date_created": created,
            "date_sent": None if text.status in {"accepted", "queued"} else created,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": int(text.code) if text.code else None,
            "error_message": None,
            "from": sender or None,
            "messaging_service_sid": None if sender else text.sender,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": text.sid,
            "status": text.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": text.to,
            "uri": f"{path}.json",
        }


def error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return Answer(status, body)


def _trouble(mode: Mode) -> Answer:
    if mode.name not in TROUBLE:
        return CUT
    status, code, message = TROUBLE[mode.name]
    answer = error(status, code, message)
    return busy(answer, mode.name) if status == 429 else answer


def _fault(form: Mapping[str, str]) -> tuple[int, str] | None:
    """The first thing wrong with a request, as Twilio's code and words."""
    sender, body = form.get("From", ""), form.get("Body", "")
    validity = form.get("ValidityPeriod", "1")
    if not form.get("To"):
        return 21604, "A 'To' phone number is required."
    if not sender and not form.get("MessagingServiceSid"):
        return 21603, "A 'From' phone number is required."
    if not body:
        return 21602, "Message body is required."
    if not E164.fullmatch(form["To"]):
        return 21211, "Invalid 'To' Phone Number"
    if sender and not SENDER.fullmatch(sender):
        return 21212, "The 'From' number is not a valid phone number, shortcode, or sender ID."
    if len(body) > MAX_CHARACTERS:
        return 21617, "The concatenated message body exceeds the 1600 character limit."
    if not (validity.isdecimal() and 1 <= int(validity) <= MAX_VALIDITY_SECONDS):
        return 21624, "Invalid validity period value"
    if form.get("StatusCallback") and not _is_url(form["StatusCallback"]):
        return 21609, "The 'StatusCallback' URL is not a valid URL."
    return None


def _from(text: Text) -> str:
    """The number it leaves from; a Messaging Service has not chosen one yet."""
    return "" if text.sender.startswith("MG") else text.sender


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    host = parts.hostname or ""
    return (
        parts.scheme in {"http", "https"}
        and bool(host)
        and "_" not in host
        and len(value) <= MAX_URL_CHARACTERS
    )


def _matches(text: Text, query: Mapping[str, str]) -> bool:
    sent_date = "" if text.status in {"accepted", "queued"} else text.received_at[:10]
    return (
        query.get("To", text.to) == text.to
        and query.get("From") in (None, _from(text))
        and query.get("DateSent", sent_date) == sent_date
        and sent_date >= query.get("DateSent>", "")
        and (not query.get("DateSent<") or "" < sent_date <= query["DateSent<"])
    )
