"""Gathering what planning needs to know of patients, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db.models import F

from appointments.models import (
    AdverseEvent,
    Answer,
    Appointment,
    Invitation,
    RecallAttempt,
    RecallOutcome,
    TreatmentSeries,
)
from appointments.models.record import NOT_WHOLE
from appointments.recalling.windows import Cause
from clinic import statements
from clinic.models import ProtocolVersion, Site
from patients.dialling import zones_of
from patients.models import ContactKind, ContactPoint, Patient
from patients.screening.conditions import conditions
from reminders.catalogue import Channel
from reminders.journeys import gathering_messages, gathering_visits, saying
from reminders.planning.facts import (
    EventFacts,
    InvitationFacts,
    PatientFacts,
    RecallFacts,
    SeriesFacts,
    SiteFacts,
)

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
    protocols = gathering_visits.protocols_of(
        {each.protocol_version_id for each in rows}
        | {each.protocol_version_id for each in visits}
        | {version.pk for version in going_over.values()}
    )
    gathering_visits.go_over(rows, visits, going_over, protocols)
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
    screened = gathering_visits.screened_by(rows, patients, protocols)
    lacking = gathering_visits.lacking_of(visits, rows, site_rows, screened, protocols)
    known = {pk: each for pk, each in screened.items() if each.answers or each.skin_type}
    by_series = gathering_visits.visits_of(visits, cut_short, sites, protocols, known, lacking)
    skips, switched = gathering_messages.choices_of(patient_ids)
    chosen = gathering_messages.chosen_by(patient_ids)
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
    spoken = gathering_messages.spoken_by(patient_ids)
    unheard = gathering_messages.unheard_by(patient_ids)
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


def _as_if(site: Site, other: Site | None) -> Site:
    return other if other is not None and other.pk == site.pk else site


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
