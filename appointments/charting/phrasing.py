"""The phrases of a site for the notes of its logs: to add, to remove, and to put into a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from appointments.charting.log import NOTE_LENGTH, Log
from appointments.charting.refusals import PhraseRefused
from appointments.models import Phrase
from appointments.models.phrase import PHRASE_LENGTH
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.saying import gettext

MOST = 40


@transaction.atomic
def add(*, site: Site, text: str, by: Staff, now: datetime) -> Phrase:
    """Another phrase of `site`, its white space made single spaces.

    Raises:
        PhraseRefused: when it is empty, too long or there already, and beyond 40 of a site.
        Forbidden: when `by` may not write logs at the site.
    """
    access.require(by, Capability.CHART, site)
    text = " ".join(text.replace("\x00", " ").split())
    if not text:
        raise PhraseRefused(gettext("Write the phrase."))
    if len(text) > PHRASE_LENGTH:
        raise PhraseRefused(
            gettext("A phrase has at most %(most)s characters. Shorten it.")
            % {"most": PHRASE_LENGTH}
        )
    # Of two who add the last one, the second one is told.
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    standing = set(Phrase.objects.filter(site=site).values_list("text", flat=True))
    if text in standing:
        raise PhraseRefused(gettext("The site has this phrase already."))
    if len(standing) >= MOST:
        raise PhraseRefused(
            gettext("A site has at most %(most)s phrases. Remove one first.") % {"most": MOST}
        )
    made = Phrase.objects.create(site=site, text=text)
    audit.record(action="phrase.add", subject=made, by=by, now=now, site=site, after={"text": text})
    return made


@transaction.atomic
def remove(*, phrase: Phrase, by: Staff, now: datetime) -> None:
    """Offer a phrase no more; notes that have it keep it. Twice is once.

    Raises Forbidden when `by` may not write logs at its site.
    """
    access.require(by, Capability.CHART, phrase.site)
    if not Phrase.objects.select_for_update().filter(pk=phrase.pk).exists():
        return
    audit.record(
        action="phrase.remove",
        subject=phrase,
        by=by,
        now=now,
        site=phrase.site,
        before={"text": phrase.text},
    )
    phrase.delete()


def put(log: Log, phrase: Phrase) -> Log:
    """`log` with the phrase at the end of its note.

    Raises PhraseRefused when the note has no room for it.
    """
    gap = "" if not log.note or log.note[-1].isspace() else " "
    note = f"{log.note}{gap}{phrase.text}"
    if len(note) > NOTE_LENGTH:
        raise PhraseRefused(gettext("The note has no room for this phrase."), field="note")
    return replace(log, note=note)
