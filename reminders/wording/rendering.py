"""Writes a letter to a patient in the patient's language, as a text message or an e-mail.

A text message names the clinic and the visit's time, never a treatment, an area, a provider, a
surname or a price. An e-mail names the treatment and prints its steps only with `detail`.
Consent, times and sending are decided elsewhere, and so is which words are in force. Pure.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from reminders.catalogue import Channel
from reminders.wording.email import write_email
from reminders.wording.phrases import PhraseError
from reminders.wording.sms import write_sms
from reminders.wording.texts import LANGUAGES, Wording
from reminders.wording.values import Letter, LetterStep, LetterVisit, Rendered, WordingError

__all__ = [
    "Letter",
    "LetterStep",
    "LetterVisit",
    "Rendered",
    "WordingError",
    "render",
]


def render(letter: Letter, wording: Wording | None = None) -> Rendered:
    """Write `letter` for its channel; WordingError when it lacks something or cannot fit.

    `wording` are the words in force of its kind; None are those that come with the product.
    """
    language = LANGUAGES.get(letter.language)
    if language is None:
        raise WordingError(f"There are no messages in the language “{letter.language}”.")
    for url in (letter.care_url, letter.unsubscribe_url, letter.review_url):
        if url and urlsplit(url).scheme not in {"https", "http"}:
            raise WordingError("A link in a message must start with https://.")
    write = write_sms if letter.channel is Channel.SMS else write_email
    try:
        return write(letter, language, wording or language.kinds[letter.kind])
    except PhraseError as error:
        raise WordingError(str(error)) from error
