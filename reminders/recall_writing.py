"""Writing to patients who are due back: who would get what on which channel, who not and why; and
the act itself, as it is foreseen at that moment.

The messages are planned, held and sent as all others are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from appointments.models import RecallAttempt, TreatmentSeries
from appointments.recalling import asking_in_writing, calling, listing
from appointments.recalling.asking_in_writing import ToWrite
from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.caps import Had
from reminders.catalogue import Channel, Kind, Purpose
from reminders.gate import Recipient
from reminders.journeys import addressing, gathering, preview, recipients, traffic
from reminders.journeys.foreseeing import SAMPLE_TOKEN
from reminders.journeys.preview import DUE, SEND, Preview
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
    event is open. `may_call` says whether one may call instead."""

    due: Due
    message: Preview | None
    may_call: bool

    @property
    def is_sent(self) -> bool:
        return self.message is not None and self.message.decision == SEND

    @property
    def held_by(self) -> str:
        """Why it does not leave when the hold is over, a key of `catalogue.REASONS`; empty when it
        does, and when nothing would even be planned."""
        return "" if self.message is None or self.message.reason == DUE else self.message.reason


@dataclass(frozen=True, slots=True)
class HeldBack:
    """How many messages the gate holds back for one reason: those that leave later all the same
    (`is_sent`), or those that never do."""

    reason: str
    is_sent: bool
    count: int


def foresee(*, site: Site, series: Collection[int], by: Staff, now: datetime) -> list[Foreseen]:
    """For each of these series (ids) that is due and that `by` sees: by text where that would be
    sent, else by e-mail.

    Whoever shares a number counts against its caps, those of this list as well: what leaves to one
    of them leaves less room for the next.
    """
    by_patient: defaultdict[int, list[Due]] = defaultdict(list)
    dues = [due for due in listing.due_at(site, by, now=now) if due.series.pk in series][:MOST]
    for due in dues:
        by_patient[due.series.patient_id].append(due)
    facts = gathering.facts_of(set(by_patient))
    wordings = in_force.at_site(site)
    readers = {
        patient: recipients.at_site(theirs[0].series.patient, site, now=now)
        for patient, theirs in by_patient.items()
    }
    addresses = {each.address for reader in readers.values() for each in reader.values()} - {""}
    had = traffic.lately(addresses, now=now)
    found: dict[int, Preview | None] = {due.series.pk: None for due in dues}
    # In the order in which they are planned, and so judged.
    for patient, theirs in sorted(by_patient.items()):
        leaving = {}
        for due in (each for each in theirs if not each.has_open_event):
            imagined = _imagined(facts[patient], due, by, now)
            lines = _lines(due.series.patient, site, imagined, readers[patient], had, wordings)
            message = found[due.series.pk] = _chosen(lines)
            if message is not None and message.send_at is not None:
                leaving[Channel(message.channel)] = message
        for channel, message in leaving.items():
            had[readers[patient][channel].address].append(_counted(message))
    called = calling.may_be_called(dues)
    return [Foreseen(due, found[due.series.pk], due.series.pk in called) for due in dues]


def held_back(found: Sequence[Foreseen]) -> list[HeldBack]:
    """How many of these the gate holds back and why: those that leave later first."""
    counted = Counter((each.held_by, each.is_sent) for each in found if each.held_by)
    ordered = sorted(counted.items(), key=lambda item: (not item[0][1], -item[1], item[0][0]))
    return [HeldBack(reason, is_sent, count) for (reason, is_sent), count in ordered]


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
    readers: Mapping[Channel, Recipient],
    had: Mapping[str, Sequence[Had]],
    wordings: Wordings,
) -> list[Preview]:
    page = f"{settings.PUBLIC_URL}/p/{SAMPLE_TOKEN}/"
    lines = preview.calendar(
        patient=facts,
        recipients=readers,
        reader=addressing.reader_of(patient, readers[Channel.EMAIL]),
        sender=addressing.sender_of(site),
        care_url=page,
        unsubscribe_url=page,
        wordings=wordings,
        had={channel: had.get(each.address, ()) for channel, each in readers.items()},
    )
    # Prompts of the protocol carry its steps.
    return [line for line in lines if line.kind in KINDS and not line.steps]


def _chosen(lines: Sequence[Preview]) -> Preview | None:
    """The first channel on which it is sent; where it is on none, the first that says why."""
    by_channel = {line.channel: line for line in lines}
    known = [by_channel[each] for each in ORDER if each in by_channel]
    return next((line for line in known if line.decision == SEND), next(iter(known), None))


def _counted(message: Preview) -> Had:
    assert message.send_at is not None
    return Had(
        message.send_at, Purpose(message.purpose), Channel(message.channel), Kind(message.kind)
    )
