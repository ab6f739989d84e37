"""Opens each channel once per process, from the settings."""

import threading
from collections.abc import Callable

from django.conf import settings

from reminders.channels.base import Channel
from reminders.channels.email import EmailChannel
from reminders.channels.telnyx import TelnyxChannel
from reminders.channels.twilio import TwilioChannel

# Text providers by the name that SMS_PROVIDER and the ledger use.
TEXT_PROVIDERS: dict[str, Callable[[], Channel]] = {
    "twilio": TwilioChannel.from_settings,
    "telnyx": TelnyxChannel.from_settings,
}
_open: dict[str, Channel] = {}
_lock = threading.Lock()


def channel(name: str) -> Channel:
    """The process's one channel of this name ("email", "sms"); KeyError for another name.

    Call it after the worker has forked: a connection must not be shared between processes.
    """
    if name == "email":
        return _opened(name, EmailChannel)
    if name == "sms":
        return _opened(settings.SMS_PROVIDER, TEXT_PROVIDERS[settings.SMS_PROVIDER])
    raise KeyError(name)


def of_provider(provider: str) -> Channel:
    """The channel of the provider that took a message, also when another sends by now: what was
    given to it is looked for there. KeyError when there is none (any more)."""
    if provider in TEXT_PROVIDERS:
        return _opened(provider, TEXT_PROVIDERS[provider])
    if (mail := channel("email")).provider == provider:
        return mail
    raise KeyError(provider)


def forget() -> None:
    """Close what was opened; the next call opens anew, from the settings of that moment."""
    with _lock:
        while _open:
            _open.popitem()[1].close()


def _opened(name: str, factory: Callable[[], Channel]) -> Channel:
    with _lock:
        if name not in _open:
            _open[name] = factory()
        return _open[name]
