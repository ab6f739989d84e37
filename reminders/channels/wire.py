"""Kept HTTP connections to a provider's API, and the address under which it is called."""

import logging
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
# A fault of our account, not of the message: the text waits until somebody has mended it.
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


def seconds(retry_after: str) -> int:
    """For how long a provider's Retry-After asks to be left alone, an hour at most."""
    wish = int(retry_after[:9]) if retry_after.isdecimal() else RETRY_AFTER_BUSY_SECONDS
    return min(wish, LONGEST_BUSY_SECONDS)
