"""Writing to patients who are due back: who would get what on which channel, who not and why; and
the act itself, as it is foreseen at that moment.

The messages are planned, held and sent as all others are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from appointments.models import RecallAttempt, TreatmentSeries
from appointments.recalling import asking_in_writing, listing
from appointments.recalling.asking_in_writing import ToWrite
from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.journeys import gathering, preview, recipients
from reminders.journeys.foreseeing import SAMPLE_TOKEN
from reminders.journeys.preview import SEND, Preview
from reminders.models import Message
from reminders.planning.facts import PatientFacts, RecallFacts
from reminders.rewording import in_force
from reminders.wording.versions import Wordings

MOST = 50
KINDS = frozenset({Kind.SESSION_DUE, Kind.TOUCHUP_PROMPT})
ORDER = (Channel.SMS, Channel.EMAIL)
# Ids that no stored attempt has.
_IMAGINED = {Channel.SMS: -1, Channel.EMAIL: -2}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What writing to one patient would come to: the message that would be sent, or the one that
    would not be, with its reason; None when nothing would even be planned, as while an adverse
    event is open."""

    due: Due
    message: Preview | None

    @property
    def is_sent(self) -> bool:
        return self.message is not None and self.message.decision == SEND


def foresee(*, site: Site, series: Collection[int], by: Staff, now: datetime) -> list[Foreseen]:
    """For each of these series (ids) that is due and that `by` sees: by text where that would be
    sent, else by e-mail."""
    dues = [due for due in listing.due_at(site, by, now=now) if due.series.pk in series][:MOST]
    facts = gathering.facts_of({due.series.patient_id for due in dues})
    wordings = in_force.at_site(site)
    found = []
    for due in dues:
        patient = due.series.patient
        lines = _lines(patient, site, _imagined(facts[patient.pk], due, by, now), wordings, now)
        by_channel = {line.channel: line for line in lines}
        known = [by_channel[each] for each in ORDER if each in by_channel]
        sent = (line for line in known if line.decision == SEND)
        message = None if due.has_open_event else next(sent, next(iter(known), None))
        found.append(Foreseen(due, message))
    return found


def write(*, site: Site, series: Collection[int], by: Staff, now: datetime) -> list[RecallAttempt]:
    """Write to those of them who would get something; what was stored.

    Raises Forbidden, as `asking_in_writing.write`.
    """
    found = foresee(site=site, series=series, by=by, now=now)
    wanted = [
        ToWrite(each.due, each.message.channel)
        for each in found
        if each.message is not None and each.is_sent
    ]
    return asking_in_writing.write(site=site, wanted=wanted, by=by, now=now)


def take_back(
    *, attempts: Collection[int], by: Staff, now: datetime
) -> tuple[Sequence[RecallAttempt], int]:
    """Let them not have been written to: those taken back, and how many were told already, who
    stay asked. Raises Forbidden."""
    seen = RecallAttempt.objects.filter(
        pk__in=attempts, series__in=TreatmentSeries.objects.seen_by(by)
    )
    known = dict(seen.values_list("pk", "series_id"))
    told = _told(known)
    rows = asking_in_writing.take_back(attempts=known.keys() - told, by=by, now=now)
    return rows, len(told)


def _told(attempts: Mapping[int, int]) -> set[int]:
    """Those, of attempts with their series, whose message was taken up for sending."""
    anchors = {(f"series:{series}", pk): pk for pk, series in attempts.items()}
    said = Message.objects.filter(
        items__anchor__in=[anchor for anchor, _ in anchors],
        items__step__in=KINDS,
        claimed_at__isnull=False,
    )
    pairs = said.values_list("items__anchor", "items__schedule_version")
    return {anchors[pair] for pair in pairs if pair in anchors}


def _imagined(patient: PatientFacts, due: Due, by: Staff, now: datetime) -> PatientFacts:
    """The patient as if they were written to on both channels."""
    recalls = tuple(
        RecallFacts(
            id=_IMAGINED[channel],
            at=now,
            by=by.name,
            session=due.session,
            is_touch_up=due.cause == Cause.TOUCH_UP,
            channel=channel,
        )
        for channel in ORDER
    )
    series = tuple(
        replace(each, recalls=recalls) if each.id == due.series.pk else replace(each, recalls=())
        for each in patient.series
    )
    return replace(patient, series=series)


def _lines(
    patient: Patient,
    site: Site,
    facts: PatientFacts,
    wordings: Wordings,
    now: datetime,
) -> list[Preview]:
    readers = recipients.at_site(patient, site, now=now)
    page = f"{settings.PUBLIC_URL}/p/{SAMPLE_TOKEN}/"
    lines = preview.calendar(
        patient=facts,
        recipients=readers,
        reader=gathering.reader_of(patient, readers[Channel.EMAIL]),
        sender=gathering.sender_of(site),
        care_url=page,
        unsubscribe_url=page,
        wordings=wordings,
    )
    # Prompts of the protocol carry its steps.
    return [line for line in lines if line.kind in KINDS and not line.steps]
