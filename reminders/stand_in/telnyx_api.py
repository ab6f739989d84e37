"""Telnyx's messages and detail records: what it takes, what it answers, what it refuses.

Shapes and codes follow Telnyx's pages (docs/messaging/messages, api-reference/detail-records,
development/api-fundamentals/api-errors).
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from reminders.stand_in.answers import CUT, GARBAGE, NOT_TAKEN, Answer, busy
from reminders.stand_in.callbacks import Callbacks
from reminders.stand_in.modes import Mode, Modes
from reminders.stand_in.received import Received, Text
from reminders.stand_in.twilio_api import E164

MAX_URL_CHARACTERS = 2000
MAX_CHARACTERS = 1530  # ten parts
# What a number asks for in Twilio's codes, in Telnyx's.
EQUIVALENT = {
    "21211": "40310",
    "21610": "40300",
    "21614": "40301",
    "30003": "40006",
    "30007": "40002",
}
TITLES = {"40300": "Blocked due to STOP message", "40310": "Invalid 'to' address"}
# What is said of a text in its detail record.
RECORD_STATUS = {"undelivered": "delivery_failed", "failed": "sending_failed"}
KNOWN_FIELDS = frozenset(
    {
        *("from", "to", "text", "type", "subject", "media_urls", "messaging_profile_id"),
        *("webhook_url", "webhook_failover_url", "use_profile_webhooks", "auto_detect", "send_at"),
    }
)


class TelnyxApi:
    def __init__(
        self,
        *,
        api_key: str,
        profile_id: str,
        received: Received,
        modes: Modes,
        callbacks: Callbacks,
    ) -> None:
        self._api_key = api_key
        self._profile_id = profile_id
        self._received = received
        self._modes = modes
        self._callbacks = callbacks

    def admits(self, authorization: str) -> bool:
        return authorization == f"Bearer {self._api_key}"

    def create(self, sent: Mapping[str, Any]) -> Answer:
        fault = _fault(sent)
        if fault is not None:
            return error(422, *fault)
        asked = self._modes.for_number(sent["to"])
        mode = Mode(EQUIVALENT.get(asked.name, asked.name), asked.ms)
        if mode.is_refusal_code:
            title = TITLES.get(mode.name, "Refused as this number asks for it")
            return error(403 if mode.name == "40300" else 422, mode.name, title)
        if mode.name in NOT_TAKEN:
            return _trouble(mode)
        text = self._take(sent, mode)
        if mode.name == "garbage":
            return GARBAGE
        if mode.name in ("500_after_accept", "drop_after_accept"):
            return _trouble(mode)
        wait = mode.ms if mode.name == "slow" else 0
        return Answer(200, {"data": self._resource(text)}, wait_ms=wait)

    def records(self, query: Mapping[str, str]) -> Answer:
        """Detail records, the newest first, in pages. A day is a whole one in UTC."""
        if query.get("filter[record_type]") != "messaging":
            return error(400, "10004", "Missing required parameter")
        listed = self._received.listed("telnyx", after_ms=self._modes.listed_after_ms)
        found = [text for text in listed if _matches(text, query)]
        size = min(int(query.get("page[size]", "20")), 50)
        page = int(query.get("page[number]", "1"))
        shown = found[(page - 1) * size : page * size]
        return Answer(
            200,
            {
                "data": [self._record(text) for text in shown],
                "meta": {
                    "page_number": page,
                    "page_size": size,
                    "total_pages": -(-len(found) // size),
                    "total_results": len(found),
                },
            },
        )

    def _take(self, sent: Mapping[str, Any], mode: Mode) -> Text:
        text = Text(
            sid=str(uuid.uuid4()),
            to=sent["to"],
            sender=sent["from"],
            text=sent["text"],
            status="queued",
            code="",
            status_callback=sent.get("webhook_url", ""),
            validity_seconds=None,
            received_at=datetime.now(UTC).isoformat(),
            provider="telnyx",
        )
        self._received.add(text)
        self._callbacks.plan(text, mode)
        return text

    def _resource(self, text: Text) -> dict[str, Any]:
        return {
            "record_type": "message",
            "direction": "outbound",
            "id": text.sid,
            "type": "SMS",
            "messaging_profile_id": self._profile_id,
            "from": {"phone_number": text.sender, "carrier": "", "line_type": ""},
            "to": [{"phone_number": text.to, "status": "queued", "carrier": "", "line_type": ""}],
            "text": text.text,
            "webhook_url": text.status_callback,
            "parts": 1,
            "tags": [],
            "errors": [],
            "received_at": text.received_at,
        }

    def _record(self, text: Text) -> dict[str, Any]:
        return {
            "record_type": "message_detail_record",
            "uuid": text.sid,
            "direction": "outbound",
            "cli": text.sender,
            "cld": text.to,
            "created_at": text.received_at,
            "status": RECORD_STATUS.get(text.status, text.status),
            "delivery_status_webhook_url": text.status_callback,
            "profile_id": self._profile_id,
            "errors": [text.code] if text.code else [],
        }


def error(status: int, code: str, title: str) -> Answer:
    return Answer(status, {"errors": [{"code": code, "title": title, "detail": f"{title}."}]})


def _trouble(mode: Mode) -> Answer:
    if mode.name.startswith("429"):
        return busy(error(429, "10011", "Too many requests"), mode.name)
    return error(500, "10007", "Unexpected error") if mode.name.startswith("500") else CUT


def _fault(sent: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first thing wrong with a request, as Telnyx's code and title."""
    if sent.keys() - KNOWN_FIELDS:
        return "10015", "Bad Request"
    if not sent.get("to"):
        return "10004", "Missing required parameter"
    if not E164.fullmatch(sent["to"]):
        return "40310", "Invalid 'to' address"
    if not E164.fullmatch(sent.get("from") or ""):
        return "40305", "Invalid 'from' address"
    if not sent.get("text"):
        return "40316", "No content provided for message"
    if len(sent["text"]) > MAX_CHARACTERS:
        return "40302", "Message too large"
    url = sent.get("webhook_url", "")
    if url and (urlsplit(url).scheme not in ("http", "https") or len(url) > MAX_URL_CHARACTERS):
        return "10003", "Invalid URL"
    return None


def _matches(text: Text, query: Mapping[str, str]) -> bool:
    day = text.received_at[:10]
    return (
        query.get("filter[direction]", "outbound") == "outbound"
        and query.get("filter[cld]", text.to) == text.to
        and query.get("filter[cli]", text.sender) == text.sender
        and day >= query.get("filter[created_at][gte]", "")
        and day < query.get("filter[created_at][lt]", "9999")
    )
