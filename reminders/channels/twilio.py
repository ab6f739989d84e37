"""Texts through Twilio's SDK.

Twilio takes no key and cannot be asked by our reference. So the reference travels in the address
of the status callback, and an unanswered call is looked for by numbers, words and time.
Nothing here logs: the SDK's own client would log numbers and words, so it is not used.
"""

import logging

import requests
from django.conf import settings
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from reminders.channels import matching, wire
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
from reminders.ledger.provider_codes import Action, meaning

MAX_VALIDITY_SECONDS = 36_000  # Twilio's error 21624
# Texts read of one pair of numbers, the newest first: years of one patient.
MOST_LISTED, LISTED_AT_ONCE = 1000, 100
NOT_TWILIOS_ANSWER = (ValueError, TypeError, AttributeError, KeyError)


class Busy(Exception):
    """HTTP 429: Twilio did not process the call."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class Wire(HttpClient):  # type: ignore[misc]  # the SDK has no types
    """Carries the SDK's calls over kept connections, to another address when one is given."""

    def __init__(self, base_url: str) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self.base_url = base_url
        self.session = wire.session(base_url=base_url)

    def request(  # type: ignore[no-untyped-def]
        self,
        method: str,
        uri: str,
        params=None,
        data=None,
        headers=None,
        auth=None,
        timeout=None,
        allow_redirects: bool = False,
    ) -> Response:
        response = self.session.request(
            method,
            wire.at_base(uri, self.base_url),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=(wire.CONNECT_SECONDS, timeout or wire.READ_SECONDS),
            allow_redirects=allow_redirects,
        )
        if response.status_code == 429:
            raise Busy(wire.seconds(response.headers))
        return Response(response.status_code, response.text, response.headers)


class TwilioChannel:
    name = "sms"
    provider = "twilio"

    def __init__(
        self, *, account_sid: str, auth_token: str, public_url: str, base_url: str = ""
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._wire = Wire(base_url)
        self._client = Client(account_sid, auth_token, http_client=self._wire)

    @classmethod
    def from_settings(cls) -> "TwilioChannel":
        return cls(
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
            public_url=settings.PUBLIC_URL,
            base_url=settings.TWILIO_BASE_URL,
        )

    def submit(self, outgoing: Outgoing) -> Submission:
        try:
            created = self._client.messages.create(**self._fields(outgoing))
        except Busy as busy:
            return Submission(
                outcome=Outcome.NOT_SENT,
                code="20429",
                retry_after_seconds=busy.retry_after_seconds,
            )
        except (TwilioRestException, TwilioServiceException) as refusal:
            return _answered(refusal.status, refusal.code)
        except requests.RequestException as error:
            return broken(error)
        except NOT_TWILIOS_ANSWER:
            return Submission(outcome=Outcome.UNKNOWN, code="garbled")
        if not created.sid:
            return Submission(outcome=Outcome.UNKNOWN, code="garbled")
        return Submission(outcome=Outcome.ACCEPTED, provider_id=created.sid)

    def look_up(self, unanswered: Unanswered) -> LookUp:
        """By To, From, words and time.

        Without Twilio's own date filter: it goes by the day on which a text was sent, so one that
        is still queued would not be found. A Messaging Service sends from a number that we do not
        know, so then the service is compared instead.
        """
        numbers = {"to": unanswered.to}
        if not _is_service(unanswered.sender):
            numbers["from_"] = unanswered.sender
        try:
            listed = self._client.messages.list(
                **numbers, limit=MOST_LISTED, page_size=LISTED_AT_ONCE
            )
            found = tuple(
                text.sid
                for text in listed
                if text.direction != "inbound"
                and unanswered.sender in (text.from_, text.messaging_service_sid)
                and matching.is_same_text(unanswered, text.body or "")
                and matching.is_same_time(unanswered, text.date_created)
            )
        except (Busy, TwilioException, requests.RequestException, *NOT_TWILIOS_ANSWER):
            return NoAnswer()
        if found:
            return Found(found)
        return Absent() if len(listed) < MOST_LISTED else NoAnswer()

    def close(self) -> None:
        self._wire.session.close()

    def _fields(self, outgoing: Outgoing) -> dict[str, str | int]:
        sender = "messaging_service_sid" if _is_service(outgoing.sender) else "from_"
        fields: dict[str, str | int] = {
            "to": outgoing.to,
            sender: outgoing.sender,
            "body": outgoing.text,
            "status_callback": f"{self._public_url}/webhooks/twilio/status/{outgoing.reference}/",
        }
        if outgoing.validity_seconds is not None:
            fields["validity_period"] = min(max(outgoing.validity_seconds, 1), MAX_VALIDITY_SECONDS)
        return fields


def _is_service(sender: str) -> bool:
    return sender.startswith("MG")


def _answered(status: int, code: int | None) -> Submission:
    """What a negative answer proves. Twilio may have processed what it answers with a 5xx."""
    if not 400 <= status < 500:
        return Submission(outcome=Outcome.UNKNOWN, code=f"http-{status}")
    known = str(code) if code and code != status else f"http-{status}"
    if status == 401 or meaning(known).action is Action.ALARM:
        return Submission(
            outcome=Outcome.NOT_SENT,
            code=known,
            retry_after_seconds=wire.RETRY_AFTER_ALARM_SECONDS,
        )
    return Submission(outcome=Outcome.REFUSED, code=known)
