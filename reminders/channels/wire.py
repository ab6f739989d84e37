"""Kept HTTP connections to a provider's API, and the address under which it is called."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
# As many calls as may be in flight at once; more would open a connection each and drop it.
CONNECTIONS = 128
RETRY_AFTER_BUSY_SECONDS = 30
# Whoever asks for more is asked again meanwhile: one wrong header must not silence an account.
LONGEST_BUSY_SECONDS = 3600
# A fault of our account, not of the message: that waits until somebody has mended it.
RETRY_AFTER_ALARM_SECONDS = 300


def session(*, base_url: str) -> requests.Session:
    """A session without retries: a repeated POST is a second text. `base_url` is empty for the
    provider's own address."""
    # urllib3 writes request lines, and so numbers, at DEBUG.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    kept = requests.Session()
    # An address given by hand is near; the machine's proxy settings are for the far one.
    kept.trust_env = not base_url
    for scheme in ("http://", "https://"):
        kept.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return kept


def at_base(uri: str, base_url: str) -> str:
    """`uri` as it is called: at another host when one is given."""
    if not base_url:
        return uri
    parts = urlsplit(uri)
    return f"{base_url.rstrip('/')}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def seconds(headers: Mapping[str, str]) -> int:
    """For how long a provider's Retry-After asks to be left alone, an hour at most: in seconds, or
    until a date by the clock by which the answer itself is dated. 30 s where that cannot be read.
    """
    wish = headers.get("Retry-After", "")
    if wish.isdecimal():
        return min(int(wish[:9]), LONGEST_BUSY_SECONDS)
    try:
        rest = _moment(wish) - _moment(headers.get("Date", ""))
    except (ValueError, OverflowError):
        return RETRY_AFTER_BUSY_SECONDS
    return min(max(int(rest.total_seconds()), 0), LONGEST_BUSY_SECONDS)


def _moment(date: str) -> datetime:
    """An HTTP-date, in any of its three forms; all are of UTC."""
    moment = parsedate_to_datetime(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
