"""Opens each channel once per process, from the settings."""

from collections.abc import Callable
from functools import cache

from reminders.channels.base import Channel
from reminders.channels.email import EmailChannel
from reminders.channels.twilio import TwilioChannel

FACTORIES: dict[str, Callable[[], Channel]] = {
    "email": EmailChannel,
    "sms": TwilioChannel.from_settings,
}


@cache
def channel(name: str) -> Channel:
    """The process's one channel of this name ("email", "sms"); KeyError for another name.

    Call it after the worker has forked: a connection must not be shared between processes.
    """
    return FACTORIES[name]()


def forget() -> None:
    """Close what was opened; the next call opens anew, from the settings of that moment."""
    for name in FACTORIES:
        channel(name).close()
    channel.cache_clear()
