"""What planning needs to know of visits: what was told of them, what bars them, what they lack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from appointments.clearance import follow_up
from appointments.clearance.screening import screen
from appointments.finding.needs import body_after
from appointments.finding.ticks import TICK
from appointments.lifecycle import TO_COME, State
from appointments.models import Appointment, StatusChange, TreatmentSeries
from clinic.models import ProtocolVersion, Site
from clinic.protocols import loading
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from patients.models import Patient
from patients.screening.assessing import Finding, Screened, assess
from patients.screening.conditions import holding
from reminders.journeys import saying, to_fill_in
from reminders.planning.facts import SiteFacts, ToFillIn, Untold, VisitFacts


def go_over(
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


def protocols_of(versions: Collection[int]) -> dict[int, Protocol]:
    """By id of the version; a document is read the first time only."""
    rows = ProtocolVersion.objects.filter(pk__in=versions).values_list("digest", "pk")
    digests = dict(rows)
    return {digests[digest]: each for digest, each in loading.by_digest(digests).items()}


def screened_by(
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


def lacking_of(
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


def visits_of(
    rows: Sequence[Appointment],
    cut_short: Mapping[int, tuple[str, ...]],
    sites: Mapping[int, SiteFacts],
    protocols: Mapping[int, Protocol],
    screened: Mapping[int, Screened],
    lacking: Mapping[int, ToFillIn | None],
) -> dict[int, list[VisitFacts]]:
    """By series its visits as planning sees them. `screened` are the series about whom something
    is known, `cut_short` by visit what was treated in a session that was not completed."""
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
