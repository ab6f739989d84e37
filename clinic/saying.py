"""Sentences in the language of who reads them, for modules that know no Django.

Pure: a word is its own translation until the process says how words are translated (`speak`). A
request is answered in the language of who asks; a worker has nobody before it and speaks English.
What is stored is English, whoever caused it.
"""

from __future__ import annotations

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


def speak(tongue: Tongue) -> None:
    """From now on this process translates words with `tongue`."""
    global _tongue
    _tongue = tongue


def gettext(message: str) -> str:
    """`message` in the language of who reads it; fill its `%(facts)s` in afterwards."""
    return _tongue.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The form of a message that goes with `number`, in the language of who reads it."""
    return _tongue.ngettext(singular, plural, number)


def noop(message: str) -> str:
    """Mark a word that is translated later, where it is said; it stays as it is."""
    return message


def language() -> str:
    """The language at hand, "en" or "es", for what has words of its own: hours, durations."""
    return _tongue.language()
