"""The words in which the choices of a log are told.

A protocol writes each choice once, in English, and that is what a log keeps. Those of our own
protocols are told in the reader's language; a clinic's own as the clinic wrote them. Pure.
"""

from __future__ import annotations

from clinic.saying import gettext, noop

KNOWN = frozenset(
    {
        noop("completed"),
        noop("partial"),
        noop("aborted"),
        noop("none"),
        noop("redness"),
        noop("swelling"),
        noop("welt"),
        noop("burn"),
        noop("blister"),
        noop("numbness"),
        noop("blanching"),
        noop("bronzing"),
        noop("pinpoint bleeding"),
        noop("spots darkened"),
        noop("single"),
        noop("double, 2.5 ms"),
        noop("other"),
    }
)


def choice_word(choice: str) -> str:
    """As a label: with a capital letter."""
    word = gettext(choice) if choice in KNOWN else choice
    return word[:1].upper() + word[1:]
