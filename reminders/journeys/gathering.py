"""Gathering what planning and letters need to know of patients, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from appointments.clearance import follow_up
from appointments.clearance.screening import screen
from appointments.finding.needs import body_after
from appointments.finding.ticks import TICK
from appointments.lifecycle import TO_COME, State
from appointments.models import (
    AdverseEvent,
    Answer,
    Appointment,
    Invitation,
    RecallAttempt,
    RecallOutcome,
    StatusChange,
    TreatmentSeries,
)
from appointments.models.record import NOT_WHOLE
from appointments.recalling.windows import Cause
from clinic import statements
from clinic.models import ProtocolVersion, Site
from clinic.protocols import loading
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from patients.dialling import zones_of
from patients.models import ContactKind, ContactPoint, Patient
from patients.screening.assessing import Finding, Screened, assess
from patients.screening.conditions import conditions, holding
from reminders.catalogue import UNWRITTEN, Channel
from reminders.channels import agreements
from reminders.gate import Recipient
from reminders.journeys import saying, to_fill_in
from reminders.ledger.claiming import Holder
from reminders.ledger.fallback import CALL_UP_TO_PRIORITY
from reminders.ledger.provider_statuses import FAILURES
from reminders.models import MessageItem, SkipChoice
from reminders.planning.facts import (
    ChosenTime,
    EventFacts,
    InvitationFacts,
    Item,
    PatientFacts,
    RecallFacts,
    SeriesFacts,
    SiteFacts,
    ToFillIn,
    Untold,
    VisitFacts,
)
from reminders.wording.lettering import Reader, Sender

_NO_VERSIONS: Mapping[int, ProtocolVersion] = {}


def facts_of(
    patient_ids: Collection[int],
    *,
    as_if: Site | None = None,
    going_over: Mapping[int, ProtocolVersion] = _NO_VERSIONS,
) -> dict[int, PatientFacts]:
    """What is known now of each of these patients, by id; unknown ids are left out.

    With `as_if` that site, which need not be stored, counts in the place of its row. Series, by id,
    that are `going_over` to another version of their protocol count as if they had, with their
    visits to come at the same starts.
    """
    patients = list(Patient.objects.filter(pk__in=patient_ids))
    series = defaultdict(list)
    rows = list(
        TreatmentSeries.objects.filter(patient__in=patient_ids, archived=None).order_by("id")
    )
    visits = list(
        Appointment.objects.filter(series__in=[row.pk for row in rows])
        .annotate(outcome=F("record__outcome"), treated=F("record__treated"))
        .order_by("session", "id")
    )
    protocols = _protocols_of(
        {each.protocol_version_id for each in rows}
        | {each.protocol_version_id for each in visits}
        | {version.pk for version in going_over.values()}
    )
    _go_over(rows, visits, going_over, protocols)
    # By visit what was treated in a session that was not completed, its log signed or not.
    cut_short = {
        each.pk: tuple(each.treated)  # type: ignore[attr-defined]
        for each in visits
        if each.outcome in NOT_WHOLE  # type: ignore[attr-defined]
    }
    site_rows = statements.by_id(
        Site, {each.site_id for each in rows} | {each.site_id for each in visits}
    )
    site_rows = {pk: _as_if(site, as_if) for pk, site in site_rows.items()}
    sites = {pk: site_facts(site) for pk, site in site_rows.items()}
    screened = _screened(rows, patients, protocols)
    lacking = _lacking_of(visits, rows, site_rows, screened, protocols)
    known = {pk: each for pk, each in screened.items() if each.answers or each.skin_type}
    by_series = _visits_of(visits, cut_short, sites, protocols, known, lacking)
    skips, switched = _choices_of(patient_ids)
    chosen = _chosen_by(patient_ids)
    recalls = _recalls_of([row.pk for row in rows])
    for row in rows:
        series[row.patient_id].append(
            SeriesFacts(
                id=row.pk,
                site=sites[row.site_id],
                protocol=protocols[row.protocol_version_id],
                areas=tuple(row.areas),
                sessions=row.sessions,
                is_closed=row.closed_at is not None,
                visits=tuple(by_series[row.pk]),
                skips=frozenset(skips[row.pk]),
                switched=frozenset(switched[row.pk]),
                conditions=conditions(known[row.pk]) if row.pk in known else {},
                recalls=tuple(recalls[row.pk]),
            )
        )
    invitations = _invitations_of(patient_ids, as_if)
    phones = _phones_of(series)
    spoken = _spoken_by(patient_ids)
    unheard = _unheard_by(patient_ids)
    events = _events_of(patient_ids)
    return {
        patient.pk: PatientFacts(
            id=patient.pk,
            is_deceased=patient.is_silent,
            series=tuple(series[patient.pk]),
            invitations=tuple(invitations[patient.pk]),
            spoken=frozenset(spoken[patient.pk]),
            catch_up_at=patient.catch_up_at,
            zones=_zones(patient, series[patient.pk], phones),
            unheard=unheard[patient.pk],
            events=tuple(events[patient.pk]),
            birth_date=patient.birth_date,
            chosen=tuple(chosen[patient.pk]),
        )
        for patient in patients
    }


def _phones_of(series: Mapping[int, Sequence[SeriesFacts]]) -> dict[int, list[str]]:
    """The numbers of the patients for some of whose steps the hour matters to the plan."""
    timed = [
        patient
        for patient, several in series.items()
        if any(step.advance for one in several for each in one.protocols for step in each.steps)
    ]
    phones = defaultdict(list)
    if timed:
        points = ContactPoint.objects.filter(
            patient__in=timed, kind=ContactKind.PHONE, guardian=None, retired_at=None
        )
        for patient, value in points.order_by("id").values_list("patient_id", "value"):
            phones[patient].append(value)
    return phones


def _zones(
    patient: Patient, series: Sequence[SeriesFacts], phones: Mapping[int, Sequence[str]]
) -> tuple[str, ...]:
    """Where the patient may be: the zone on record, else the sites' and those of their numbers."""
    if patient.zone:
        return (patient.zone,)
    sites = (one.site.zone for one in series)
    numbers = (zone for phone in phones.get(patient.pk, ()) for zone in zones_of(phone))
    return tuple(dict.fromkeys((*sites, *numbers)))


def site_facts(site: Site) -> SiteFacts:
    """A site as planning sees it."""
    return SiteFacts(
        id=site.pk,
        name=site.name,
        zone=site.zone,
        hold=timedelta(seconds=site.notice_hold_seconds),
        live_from=site.live_from,
        spread=timedelta(minutes=site.spread_minutes),
        reviews_from=site.reviews_from,
        birthdays_from=site.birthdays_from,
        week_reminders_from=site.week_reminders_from,
        nudges_from=site.nudges_from,
    )


def sender_of(site: Site) -> Sender:
    """A site as patients know it."""
    return Sender(
        clinic_name=site.name,
        sms_name=site.sms_name,
        phone=site.phone,
        address=site.address,
        review_url=site.review_url,
    )


def reader_of(
    patient: Patient | Holder, recipient: Recipient, *, first_sms: bool = False
) -> Reader:
    """A patient as letters address them."""
    return Reader(
        first_name=patient.first_name,
        language=recipient.language or patient.language,
        zone=patient.zone,
        detail=agreements.mail_names_treatment(recipient.consents),
        first_sms=first_sms,
    )


def _as_if(site: Site, other: Site | None) -> Site:
    return other if other is not None and other.pk == site.pk else site


def _go_over(
    series: Sequence[TreatmentSeries],
    visits: Sequence[Appointment],
    going_over: Mapping[int, ProtocolVersion],
    protocols: Mapping[int, Protocol],
) -> None:
    """Let rows that are not stored be as `appointments.visits.migrating` would leave them."""
    areas = {row.pk: row.areas for row in series}
    for visit in visits:
        version = going_over.get(visit.series_id)
        if version is not None and visit.state in TO_COME:
            old, new = protocols[visit.protocol_version_id], protocols[version.pk]
            body = body_after(old, new, areas[visit.series_id], visit.body)
            visit.ends_at = visit.starts_at + body * TICK
            visit.protocol_version = version
    for row in series:
        if row.pk in going_over:
            row.protocol_version = going_over[row.pk]


def _protocols_of(versions: Collection[int]) -> dict[int, Protocol]:
    """By id of the version; a document is read the first time only."""
    rows = ProtocolVersion.objects.filter(pk__in=versions).values_list("digest", "pk")
    digests = dict(rows)
    return {digests[digest]: each for digest, each in loading.by_digest(digests).items()}


def _screened(
    series: Sequence[TreatmentSeries],
    patients: Sequence[Patient],
    protocols: Mapping[int, Protocol],
) -> dict[int, Screened]:
    """By series what its patient answered."""
    by_id = {patient.pk: patient for patient in patients}
    known = [row for row in series if row.patient_id in by_id]
    found = screen(
        [(by_id[row.patient_id], protocols[row.protocol_version_id], row.areas) for row in known]
    )
    return {row.pk: screened for row, screened in zip(known, found, strict=True)}


def _lacking_of(
    visits: Sequence[Appointment],
    series: Sequence[TreatmentSeries],
    sites: Mapping[int, Site],
    screened: Mapping[int, Screened],
    protocols: Mapping[int, Protocol],
) -> dict[int, ToFillIn | None]:
    """By visit to come, what the patient is asked for before it."""
    patients = {row.pk: row.patient_id for row in series if row.pk in screened}
    expected = [
        visit
        for visit in visits
        if visit.state in TO_COME and visit.series_id in patients
        if sites[visit.site_id].clearance_from is not None
    ]
    wanted = defaultdict(set)
    for visit in expected:
        wanted[patients[visit.series_id]].add(protocols[visit.protocol_version_id].id)
    forms = to_fill_in.forms_of(wanted)
    return {
        visit.pk: to_fill_in.of_visit(
            replace(screened[visit.series_id], protocol=protocol),
            forms.get((patients[visit.series_id], protocol.id)),
            starts_at=visit.starts_at,
            zone=sites[visit.site_id].zone,
            asks_from=sites[visit.site_id].clearance_from,
        )
        for visit in expected
        for protocol in (protocols[visit.protocol_version_id],)
    }


def _visits_of(
    rows: Sequence[Appointment],
    cut_short: Mapping[int, tuple[str, ...]],
    sites: Mapping[int, SiteFacts],
    protocols: Mapping[int, Protocol],
    screened: Mapping[int, Screened],
    lacking: Mapping[int, ToFillIn | None],
) -> dict[int, list[VisitFacts]]:
    findings = {pk: assess(each) for pk, each in screened.items()}
    told = saying.starts_told(f"visit:{row.pk}" for row in rows)
    untold = _untold_of(rows)
    held = {row.pk: _held_by(row, sites[row.site_id], findings) for row in rows}
    called = follow_up.called_about([pk for pk, by in held.items() if by])
    visits = defaultdict(list)
    for row in rows:
        visits[row.series_id].append(
            VisitFacts(
                id=row.pk,
                session=row.session,
                site=sites[row.site_id],
                state=State(row.state),
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                schedule_version=row.schedule_version,
                scheduled_at=row.scheduled_at,
                done_at=row.done_at,
                closed_at=row.closed_at,
                protocol=protocols[row.protocol_version_id],
                told_start=saying.told_before(
                    told[f"visit:{row.pk}"], row.schedule_version, elsewhere=row.imported_start
                ),
                imported_at=row.imported_at,
                is_history=row.is_history,
                treated=cut_short.get(row.pk),
                to_fill_in=lacking.get(row.pk),
                untold=untold.get(row.pk),
                held_by=held[row.pk],
                is_called_about=row.pk in called,
                version=row.version,
            )
        )
    return visits


def _held_by(
    visit: Appointment, site: SiteFacts, findings: Mapping[int, Sequence[Finding]]
) -> tuple[str, ...]:
    """The digests of what bars treatment on the day of the visit, by series of `findings`."""
    day = local(visit.starts_at, site.zone).date()
    found = holding(findings.get(visit.series_id, ()), day)
    return tuple(sorted(finding.digest for finding in found))


def _untold_of(visits: Sequence[Appointment]) -> dict[int, Untold]:
    """By cancelled visit who chose that its patient is not told, and when."""
    cancelled = [visit.pk for visit in visits if visit.state == State.CANCELLED]
    if not cancelled:
        return {}
    rows = StatusChange.objects.filter(appointment__in=cancelled, is_untold=True, undone_by=None)
    chosen = rows.values_list("appointment_id", "by__name", "at")
    return {visit: Untold(by or "", at) for visit, by, at in chosen}


def _invitations_of(
    patient_ids: Collection[int], as_if: Site | None
) -> dict[int, list[InvitationFacts]]:
    """The places on offer, and those that went without the patient's doing."""
    rows = (
        Invitation.objects.filter(
            entry__patient__in=patient_ids, answer__in=("", Answer.GONE, Answer.WITHDRAWN)
        )
        .select_related("offer__made_by", "entry__site", "entry__series", "entry__appointment")
        .order_by("id")
    )
    told = saying.told_offers(f"invitation:{row.pk}" for row in rows)
    invitations = defaultdict(list)
    for row in rows:
        entry = row.entry
        invitations[entry.patient_id].append(
            InvitationFacts(
                id=row.pk,
                site=site_facts(_as_if(entry.site, as_if)),
                session=entry.appointment.session if entry.appointment else 1,
                sessions=entry.series.sessions if entry.series and entry.appointment else 1,
                starts_at=row.starts_at,
                made_at=row.offer.made_at,
                expires_at=row.offer.expires_at,
                offered_by=row.offer.made_by.name,
                answer=row.answer,
                answered_at=row.answered_at,
                comes_at=entry.appointment.starts_at if entry.appointment else None,
                reasons=tuple(row.reasons),
                told=frozenset(told[f"invitation:{row.pk}"]),
            )
        )
    return invitations


def _recalls_of(series: Sequence[int]) -> dict[int, list[RecallFacts]]:
    """By series what staff wrote to ask the patient back."""
    rows = RecallAttempt.objects.filter(
        series__in=series, outcome=RecallOutcome.WRITTEN, taken_back_at=None
    )
    recalls = defaultdict(list)
    for row in rows.select_related("by").order_by("pk"):
        recalls[row.series_id].append(
            RecallFacts(
                id=row.pk,
                at=row.at,
                by=row.by.name,
                session=row.session or 0,
                is_touch_up=row.cause == Cause.TOUCH_UP,
                channel=Channel(row.channel),
            )
        )
    return recalls


def _events_of(patient_ids: Collection[int]) -> dict[int, list[EventFacts]]:
    events = defaultdict(list)
    rows = AdverseEvent.objects.open().filter(patient__in=patient_ids).order_by("pk")
    for patient_id, areas in rows.values_list("patient_id", "areas"):
        events[patient_id].append(EventFacts(tuple(areas)))
    return events


Choices = dict[int, list[tuple[int, str, str]]]


def _choices_of(patient_ids: Collection[int]) -> tuple[Choices, Choices]:
    """By series what staff chose not to send, and what to say by the other channel."""
    skips: Choices = defaultdict(list)
    switched: Choices = defaultdict(list)
    for row in SkipChoice.objects.filter(series__patient__in=patient_ids):
        chosen = switched if row.instead else skips
        chosen[row.series_id].append((row.session, row.step, row.channel))
    return skips, switched


# Of what no dispatcher has taken up, the newest message first.
_CHOSEN = """
SELECT message.patient_id, message.id, message.chosen_at, staff.name, message.at_any_hour,
       item.anchor, item.schedule_version, item.step, item.channel
  FROM reminders_message AS message
  JOIN clinic_staff AS staff ON staff.id = message.chosen_by_id
  JOIN reminders_messageitem AS item ON item.message_id = message.id
 WHERE message.patient_id = ANY (%s::bigint[]) AND message.chosen_at IS NOT NULL
   AND message.claimed_at IS NULL
 ORDER BY message.id DESC
"""


def _chosen_by(patient_ids: Collection[int]) -> dict[int, list[ChosenTime]]:
    """By patient the times that staff gave to messages."""
    items: defaultdict[tuple[int, int, datetime, str, bool], list[Item]] = defaultdict(list)
    for row in statements.rows(_CHOSEN, [statements.array(patient_ids)]):
        anchor, version, step, channel = row[5:]
        items[row[:5]].append(Item(anchor, version, step, Channel(channel)))
    chosen = defaultdict(list)
    for (patient, _, at, by, at_any_hour), said in items.items():
        chosen[patient].append(ChosenTime(frozenset(said), at, by, at_any_hour))
    return chosen


def _spoken_by(patient_ids: Collection[int]) -> dict[int, list[Item]]:
    """By patient the items of messages that a dispatcher took up, whatever became of them."""
    return _by_patient(
        MessageItem.objects.filter(
            message__patient__in=patient_ids, message__claimed_at__isnull=False, live=True
        )
    )


def _unheard_by(patient_ids: Collection[int]) -> dict[int, dict[Item, datetime | None]]:
    """By patient the items of urgent texts that failed for good, but for want of words."""
    failed = MessageItem.objects.filter(
        message__patient__in=patient_ids,
        message__priority__lte=CALL_UP_TO_PRIORITY,
        message__state__in=FAILURES,
        channel=Channel.SMS,
        live=True,
    ).exclude(message__reason__in=UNWRITTEN)
    found: dict[int, dict[Item, datetime | None]] = defaultdict(dict)
    for patient_id, chosen_at, anchor, version, step, channel in failed.values_list(
        *("message__patient_id", "message__chosen_at"),
        *("anchor", "schedule_version", "step", "channel"),
    ):
        found[patient_id][Item(anchor, version, step, Channel(channel))] = chosen_at
    return found


def _by_patient(items: QuerySet[MessageItem]) -> dict[int, list[Item]]:
    found = defaultdict(list)
    for patient_id, anchor, version, step, channel in items.values_list(
        "message__patient_id", "anchor", "schedule_version", "step", "channel"
    ):
        found[patient_id].append(Item(anchor, version, step, Channel(channel)))
    return found
