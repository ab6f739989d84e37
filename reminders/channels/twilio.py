"""Texts through Twilio's SDK.

Twilio takes no key and cannot be asked by our reference. So the reference travels in the address
of the status callback.
Nothing here logs: the SDK's own client would log numbers and words, so it is not used.
"""

import logging
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.channels.broken_calls import broken
from reminders.ledger.provider_statuses import Action, meaning

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
CONNECTIONS = 64
MAX_VALIDITY_SECONDS = 36_000  # Twilio's error 21624
# A fault of our account, not of the message: the text waits until somebody has mended it.
RETRY_AFTER_ALARM_SECONDS = 300
RETRY_AFTER_BUSY_SECONDS = 30
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
        self.base_url = base_url.rstrip("/")
        self.session = requests.Session()
        # An address given by hand is near; the machine's proxy settings are for the far one.
        self.session.trust_env = not base_url
        # Its default of no retries stays: a repeated POST is a second text.
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

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
            self._at_base(uri),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=(CONNECT_SECONDS, timeout or READ_SECONDS),
            allow_redirects=allow_redirects,
        )
        if response.status_code == 429:
            raise Busy(_seconds(response.headers.get("Retry-After", "")))
        return Response(response.status_code, response.text, response.headers)

    def _at_base(self, uri: str) -> str:
        if not self.base_url:
            return uri
        parts = urlsplit(uri)
        return f"{self.base_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")


class TwilioChannel:
    name = "sms"
    provider = "twilio"

    def __init__(
        self, *, account_sid: str, auth_token: str, public_url: str, base_url: str = ""
    ) -> None:
        # urllib3 writes request lines, and so numbers, at DEBUG.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
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
            retry_after_seconds=RETRY_AFTER_ALARM_SECONDS,
        )
    return Submission(outcome=Outcome.REFUSED, code=known)


def _seconds(retry_after: str) -> int:
    return int(retry_after) if retry_after.isdecimal() else RETRY_AFTER_BUSY_SECONDS
