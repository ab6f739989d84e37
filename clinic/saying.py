"""Sentences in the language of who reads them, for modules that know no Django.

Pure: a word is its own translation until the process says how words are translated (`speak`). A
web process does so for who asks; a worker has nobody before it and speaks English. What is stored
is English, whoever caused it (`kept`), and is translated when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Tongue(Protocol):
    """How words are translated, as `gettext` does it, and the code of the language at hand."""

    def gettext(self, message: str, /) -> str: ...

    def ngettext(self, singular: str, plural: str, number: int, /) -> str: ...

    def language(self) -> str: ...


class _English:
    def gettext(self, message: str, /) -> str:
        return message

    def ngettext(self, singular: str, plural: str, number: int, /) -> str:
        return singular if number == 1 else plural

    def language(self) -> str:
        return "en"


ENGLISH: Tongue = _English()
_tongue: Tongue = ENGLISH
_is_kept: ContextVar[bool] = ContextVar("kept", default=False)


def speak(tongue: Tongue) -> None:
    """From now on this process translates words with `tongue`."""
    global _tongue
    _tongue = tongue


def gettext(message: str) -> str:
    """`message` in the language of who reads it; fill its `%(facts)s` in afterwards."""
    return _spoken().gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The form of a message that goes with `number`, in the language of who reads it."""
    return _spoken().ngettext(singular, plural, number)


def noop(message: str) -> str:
    """Mark a word that is translated later, where it is said; it stays as it is."""
    return message


def language() -> str:
    """The language at hand, "en" or "es", for what has words of its own: hours, durations."""
    return _spoken().language()


@contextmanager
def kept() -> Iterator[None]:
    """Sentences made within are stored, so they are English, whoever asked for the act."""
    token = _is_kept.set(True)
    try:
        yield
    finally:
        _is_kept.reset(token)


def _spoken() -> Tongue:
    return ENGLISH if _is_kept.get() else _tongue
