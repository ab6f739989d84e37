"""What is said to who is asked back in writing. Pure.

It is said once, on the channel that was chosen, after the hold of the site; no longer once the
patient has come back, or has a visit to come to.
"""

from __future__ import annotations

from collections.abc import Iterator

from appointments.lifecycle import OPEN, State
from clinic.retelling import kept, text
from reminders.catalogue import CATALOGUE, Kind
from reminders.planning.facts import Item, PatientFacts, RecallFacts, SeriesFacts
from reminders.planning.wish import Wish, title_of

STANDING = (*OPEN, State.DONE)


def wishes(patient: PatientFacts, series: SeriesFacts) -> Iterator[Wish]:
    """One for each time that nothing has overtaken."""
    for recall in series.recalls:
        if not _came_back(patient, series, recall):
            yield _wish(series, recall)


def _came_back(patient: PatientFacts, series: SeriesFacts, recall: RecallFacts) -> bool:
    """Whether a visit of the same modality was booked since, or is to come."""
    return any(
        visit.state in OPEN or (visit.state in STANDING and visit.scheduled_at > recall.at)
        for other in patient.series
        if other.protocol.modality == series.protocol.modality
        for visit in other.visits
    )


def _wish(series: SeriesFacts, recall: RecallFacts) -> Wish:
    kind = Kind.TOUCHUP_PROMPT if recall.is_touch_up else Kind.SESSION_DUE
    due_at, life = recall.at + series.site.hold, CATALOGUE[kind].life
    assert life is not None  # neither kind is about a visit
    protocol = title_of(series.protocol)
    is_due = (
        kept("A touch-up of %(protocol)s is due and nothing is booked.", protocol=protocol)
        if recall.is_touch_up
        else kept(
            "Session %(session)s of %(protocol)s is due and nothing is booked.",
            session=recall.session,
            protocol=protocol,
        )
    )
    return Wish(
        item=Item(series.anchor, recall.id, kind, recall.channel),
        kind=kind,
        series_id=series.id,
        session=0,
        site_id=series.site.id,
        due_at=due_at,
        expires_at=due_at + life,
        why=(
            is_due,
            kept("%(by)s asked the patient back in writing.", by=text(recall.by)),
        ),
    )
