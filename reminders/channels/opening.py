"""Opens each channel once per process, from the settings."""

import threading
from collections.abc import Callable

from reminders.channels.base import Channel
from reminders.channels.email import EmailChannel
from reminders.channels.twilio import TwilioChannel

FACTORIES: dict[str, Callable[[], Channel]] = {
    "email": EmailChannel,
    "sms": TwilioChannel.from_settings,
}
_open: dict[str, Channel] = {}
_lock = threading.Lock()


def channel(name: str) -> Channel:
    """The process's one channel of this name ("email", "sms"); KeyError for another name.

    Call it after the worker has forked: a connection must not be shared between processes.
    """
    with _lock:
        if name not in _open:
            _open[name] = FACTORIES[name]()
        return _open[name]


def forget() -> None:
    """Close what was opened; the next call opens anew, from the settings of that moment."""
    with _lock:
        while _open:
            _open.popitem()[1].close()
