"""Texts through Telnyx's API, version 2.

Sources, read in November 2026: developers.telnyx.com, the pages on sending a message
(docs/messaging/messages/send-message), its parameters (MessageSendParams of the OpenAPI
description), errors (development/api-fundamentals/api-errors, docs/messaging/messages/error-codes)
and detail records (api-reference/detail-records/search-detail-records).

POST /v2/messages takes no key and no validity: how long a text may wait is a setting of the
messaging profile there. Our reference travels in the address of the webhook, and that address
stands in the detail record of each text: so an unanswered call can be looked for by it alone.
Nothing here logs.
"""

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import requests
from django.conf import settings

from reminders.channels import wire
from reminders.channels.base import (
    Absent,
    Found,
    LookUp,
    NoAnswer,
    Outcome,
    Outgoing,
    Submission,
    Unanswered,
)
from reminders.channels.broken_calls import broken
from reminders.ledger.provider_codes import Action, is_known, meaning

API = "https://api.telnyx.com/v2"
PAGE_SIZE, MOST_PAGES = 50, 20
NOT_TELNYXS_ANSWER = (ValueError, TypeError, AttributeError, KeyError, IndexError)
# A text that Telnyx has not processed although the answer is an error.
BUSY = (Action.SLOW_DOWN, Action.RETRY_ONCE)


class TelnyxChannel:
    name = "sms"
    provider = "telnyx"

    def __init__(
        self, *, api_key: str, public_url: str, profile_id: str = "", base_url: str = ""
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._profile_id = profile_id
        self._base_url = base_url
        self._session = wire.session(base_url=base_url)
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    @classmethod
    def from_settings(cls) -> "TelnyxChannel":
        return cls(
            api_key=settings.TELNYX_API_KEY,
            public_url=settings.PUBLIC_URL,
            profile_id=settings.TELNYX_MESSAGING_PROFILE_ID,
            base_url=settings.TELNYX_BASE_URL,
        )

    def submit(self, outgoing: Outgoing) -> Submission:
        try:
            response = self._call("POST", "/messages", json=self._fields(outgoing))
        except requests.RequestException as error:
            return broken(error)
        if response.status_code != 200:
            return _answered(response)
        try:
            taken = str(response.json()["data"]["id"])
        except NOT_TELNYXS_ANSWER:
            return Submission(outcome=Outcome.UNKNOWN, code="garbled")
        return Submission(outcome=Outcome.ACCEPTED, provider_id=taken)

    def look_up(self, unanswered: Unanswered) -> LookUp:
        """By the address of the webhook, among the records of this number of those days."""
        wanted = self._webhook(unanswered.reference)
        try:
            found = tuple(
                str(record["uuid"])
                for record in self._records(unanswered)
                if record.get("delivery_status_webhook_url") == wanted
            )
        except (requests.RequestException, *NOT_TELNYXS_ANSWER):
            return NoAnswer()
        return Found(found, is_by_reference=True) if found else Absent()

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, path: str, **how: Any) -> requests.Response:
        return self._session.request(
            method,
            wire.at_base(API + path, self._base_url),
            timeout=(wire.CONNECT_SECONDS, wire.READ_SECONDS),
            allow_redirects=False,
            **how,
        )

    def _fields(self, outgoing: Outgoing) -> dict[str, Any]:
        fields = {
            "from": outgoing.sender,
            "to": outgoing.to,
            "text": outgoing.text,
            "type": "SMS",
            "webhook_url": self._webhook(outgoing.reference),
            "use_profile_webhooks": False,
        }
        return fields | ({"messaging_profile_id": self._profile_id} if self._profile_id else {})

    def _webhook(self, reference: str) -> str:
        return f"{self._public_url}/webhooks/telnyx/status/{reference}/"

    def _records(self, unanswered: Unanswered) -> Iterator[dict[str, Any]]:
        """The records of texts to this number, from the day of the call to the day after.

        Raises ValueError when there are more than can be read: nothing can then be said.
        """
        day = unanswered.called_at.astimezone(UTC).date()
        query = {
            "filter[record_type]": "messaging",
            "filter[direction]": "outbound",
            "filter[cld]": unanswered.to,
            "filter[created_at][gte]": str(day - timedelta(days=1)),
            "filter[created_at][lt]": str(day + timedelta(days=2)),
            "page[size]": str(PAGE_SIZE),
        }
        for page in range(1, MOST_PAGES + 1):
            response = self._call("GET", "/detail_records", params={**query, "page[number]": page})
            response.raise_for_status()
            answer = response.json()
            yield from answer["data"]
            if page >= answer["meta"]["total_pages"]:
                return
        raise ValueError


def error_code(error: dict[str, Any]) -> str:
    """One of Telnyx's errors, of an answer or a report, as our tables name it."""
    code = f"telnyx-{error.get('code', '')}"
    words = f"{error.get('title', '')} {error.get('detail', '')}"
    if code == "telnyx-40300" and "STOP" not in words.upper():
        return "telnyx-40300-sender"
    return code


def _answered(response: requests.Response) -> Submission:
    """What a negative answer proves. Telnyx may have processed what it answers with a 5xx."""
    status = response.status_code
    code = _code(response) or f"http-{status}"
    if not 400 <= status < 500:
        return Submission(outcome=Outcome.UNKNOWN, code=f"http-{status}")
    action = meaning(code).action
    if status == 429 or action in BUSY:
        wish = wire.seconds(response.headers)
        return Submission(outcome=Outcome.NOT_SENT, code=code, retry_after_seconds=wish)
    if action is Action.ALARM or status == 401 or (status == 403 and not is_known(code)):
        wait = wire.RETRY_AFTER_ALARM_SECONDS
        return Submission(outcome=Outcome.NOT_SENT, code=code, retry_after_seconds=wait)
    return Submission(outcome=Outcome.REFUSED, code=code)


def _code(response: requests.Response) -> str:
    try:
        return error_code(json.loads(response.text)["errors"][0])
    except NOT_TELNYXS_ANSWER:
        return ""
