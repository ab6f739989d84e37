"""What an HTTP call that broke off proves about the message it carried."""

import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from reminders.channels.base import Outcome, Submission

NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)


def broken(error: BaseException) -> Submission:
    """Only a connection that was never made proves that nothing was sent."""
    if any(isinstance(cause, NEVER_CONNECTED) for cause in _causes(error)):
        return Submission(outcome=Outcome.NOT_SENT, code="no-connection")
    timed_out = isinstance(error, requests.Timeout)
    return Submission(outcome=Outcome.UNKNOWN, code="timeout" if timed_out else "dropped")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: `requests` and urllib3 nest theirs as arguments."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
