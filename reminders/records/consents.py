"""Consents when two records become one: of an agreement and a withdrawal the withdrawal wins.

What was never asked is no withdrawal: who agreed in one record and was not asked in the other has
agreed. Rows go over as they are, so that what was sent under them stays proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.models import Staff
from clinic.saying import gettext
from patients import consent
from patients.models import ContactConsent, Patient, Purpose
from patients.models.consent import ConsentChannel, ConsentSource


@dataclass(frozen=True, slots=True)
class Ruling:
    """What will hold of one purpose on one channel, and why. `ends` are the open ones that end."""

    purpose: str
    channel: str
    agreed: bool
    why: str
    ends: Sequence[ContactConsent] = ()

    @property
    def words(self) -> str:
        purpose = str(Purpose(self.purpose).label)
        if self.channel == ConsentChannel.ANY:
            return purpose
        return f"{purpose}: {ConsentChannel(self.channel).label}"


def rulings(kept: Patient, gone: Patient) -> list[Ruling]:
    """By purpose and channel, where either record says anything."""
    said = {patient.pk: _latest(patient) for patient in (kept, gone)}
    pairs = sorted({*said[kept.pk], *said[gone.pk]})
    return [_rule(*pair, said[kept.pk].get(pair), said[gone.pk].get(pair)) for pair in pairs]


def _rule(
    purpose: str, channel: str, kept: ContactConsent | None, gone: ContactConsent | None
) -> Ruling:
    stands = [each for each in (kept, gone) if each is not None and each.closed_at is None]
    closed = [each for each in (kept, gone) if each is not None and each.closed_at is not None]
    if closed:
        why = (
            gettext("Withdrawn in one of the records: the stricter wins.")
            if stands
            else gettext("Withdrawn.")
        )
        return Ruling(purpose, channel, False, why, stands)
    if len(stands) == 2:
        later = max(stands, key=lambda each: (each.opened_at, each.pk))
        return Ruling(purpose, channel, True, gettext("Agreed to in both records."), [later])
    return Ruling(
        purpose, channel, True, gettext("Agreed to in one record, not asked in the other.")
    )


def enforce(kept: Patient, gone: Patient, *, by: Staff, now: datetime) -> list[int]:
    """End what may not stand in the one record; the ids of the consents that ended."""
    ended = []
    for ruling in rulings(kept, gone):
        for each in ruling.ends:
            consent.end(
                patient=each.patient,
                purpose=each.purpose,
                channel=each.channel,
                by=by,
                now=now,
                source=ConsentSource.FRONT_DESK,
            )
            ended.append(each.pk)
    return ended


def give_again(ended: Sequence[int], *, by: Staff, now: datetime) -> None:
    """Open once more what a merge had ended, in the record that it belongs to."""
    for each in ContactConsent.objects.filter(pk__in=ended).select_related("patient"):
        consent.give_again(each, by=by, now=now, source=ConsentSource.FRONT_DESK)


def _latest(patient: Patient) -> dict[tuple[str, str], ContactConsent]:
    """By purpose and channel the open consent, else the one that was closed last."""
    rows = patient.consents.select_related("patient").order_by("closed_at", "id")
    found: dict[tuple[str, str], ContactConsent] = {}
    for each in rows:
        standing = found.get((each.purpose, each.channel))
        if standing is None or standing.closed_at is not None:
            found[each.purpose, each.channel] = each
    return found
