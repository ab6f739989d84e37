"""Whether a wished place is right: every rule of a visit except whether it is still free.

The same pure functions that propose places check them here. Raises the specific refusal; writes
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from appointments.claiming import elsewhere, unsuitable
from appointments.finding import out_of_hours, ticks
from appointments.finding.intervals import interval_breaches, spacing_breach
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM
from appointments.finding.ticks import TICK, aligned
from appointments.models import Appointment
from appointments.proposing.loading import Loaded
from appointments.proposing.places import VisitWish
from appointments.refusals import (
    AreaNotTreated,
    InThePast,
    NotAligned,
    PatientDeceased,
    ProtocolNotApproved,
    RecordClosed,
    Refused,
    TooManySessions,
    TooYoung,
    WrongResource,
)
from clinic import access
from clinic.access import Capability, Forbidden
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Kind, Protocol
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.wall_time import local
from patients.models import Patient

# Stands among the overrides of a visit that was put over another one, beside codes of refusals.
OVERLAP = "overlap"


def patient_is_known(patient: Patient, by: Staff | None) -> None:
    """Raises Forbidden unless `by` (None is the patient) sees the patient, PatientDeceased after
    a death."""
    if by is not None and not patient.is_seen_by(by):
        raise Forbidden(
            gettext(
                "This patient is not at any of your sites. Ask a colleague there to share "
                "the record."
            )
        )
    if patient.deceased_at is not None:
        raise PatientDeceased(gettext("This patient has died. Nothing can be booked."))
    if patient.is_closed:
        raise RecordClosed(
            gettext("This record was merged or erased. Nothing can be booked in it.")
        )


def protocol_may_be_booked(version: ProtocolVersion) -> None:
    """Raises ProtocolNotApproved: drafts and retired versions never reach a new patient."""
    if version.status != ProtocolVersion.Status.APPROVED:
        raise ProtocolNotApproved(
            gettext(
                "%(version)s %(version_2)s is %(get_status_display)s. Choose an approved "
                "version, or ask the clinical lead to approve it."
            )
            % {
                "version": protocols.called(version),
                "version_2": version.version,
                "get_status_display": version.get_status_display().lower(),
            }
        )


def treatment_fits(protocol: Protocol, areas: Sequence[str], sessions: int) -> Refused | None:
    """Raises AreaNotTreated; gives back TooManySessions, which may be overridden."""
    known = protocol.applicability.areas
    if not areas:
        raise AreaNotTreated(gettext("Choose at least one area."))
    for area in areas:
        if area not in known:
            raise AreaNotTreated(
                gettext("%(protocol)s does not treat '%(area)s'. It treats %(known)s.")
                % {
                    "protocol": protocol.name.get(language()),
                    "area": area,
                    "known": ", ".join(known),
                }
            )
    most = protocol.sessions_for(areas).max
    if protocol.kind is Kind.SERIES and sessions > most:
        return TooManySessions(
            gettext("%(protocol)s has at most %(most)s sessions. Book fewer, or give a reason.")
            % {"protocol": protocol.name.get(language()), "most": most}
        )
    return None


def _old_enough(patient: Patient, protocol: Protocol, day: date) -> None:
    youngest = protocol.applicability.min_age
    if patient.age_on(day) < youngest:
        raise TooYoung(
            gettext(
                "The patient is %(day)s on %(day_2)s; %(protocol)s is for people of "
                "%(youngest)s and older."
            )
            % {
                "day": patient.age_on(day),
                "day_2": format_day(day, language()),
                "protocol": protocol.name.get(language()),
                "youngest": youngest,
            }
        )


def places_are_right(loaded: Loaded, patient: Patient, wishes: Sequence[VisitWish]) -> None:
    """As `place_is_right`, of several; the refusal says which of them."""
    for number, wish in enumerate(wishes):
        try:
            place_is_right(loaded, patient, wish)
        except Refused as refused:
            refused.visit = number
            raise


def resources_suit(
    loaded: Loaded, wishes: Sequence[VisitWish], *, without: Collection[int]
) -> None:
    """Raises WrongResource, which says which of them it is about; those `without` are not asked."""
    for number, wish in enumerate(wishes):
        if number in without:
            continue
        try:
            _chosen(loaded, wish)
        except Refused as refused:
            refused.visit = number
            raise


def place_is_right(loaded: Loaded, patient: Patient, wish: VisitWish) -> None:
    """Raises the refusal of a start, age, resource, credential or hours that do not fit, or of a
    patient who is at another site or on the way."""
    facts = loaded.facts
    zone = facts.site.zone
    if not aligned(wish.starts_at):
        before = ticks.at(ticks.floor(wish.starts_at))
        near = [before, before + TICK]
        said = gettext(" or ").join(f"{local(each, zone):%H:%M}" for each in near)
        raise NotAligned(
            gettext("A visit starts on full five minutes. Choose %(said)s.") % {"said": said},
            instead=near,
        )
    if wish.starts_at < facts.not_before:
        raise InThePast(
            gettext("%(starts_at)s is past. Choose a later start.")
            % {"starts_at": format_when(wish.starts_at, zone, language())}
        )
    on = local(wish.starts_at, zone).date()
    _old_enough(patient, loaded.protocol, on)
    chosen = _chosen(loaded, wish)
    provider = facts.providers[chosen[PROVIDER]]
    names = {pk: row.name for pk, row in loaded.resources.items()}
    if not provider.credentialed_on(on):
        raise out_of_hours.credential(
            provider, names[chosen[PROVIDER]], loaded.protocol.name.get(language()), on
        )
    outside = out_of_hours.hours(facts, chosen, names, wish.starts_at)
    if outside is not None:
        raise outside
    _patient_can_come(loaded, patient, wish)


def _chosen(loaded: Loaded, wish: VisitWish) -> dict[str, int]:
    """The wished resources by kind, each one eligible for the treatment."""
    wished = {PROVIDER: wish.provider_id, ROOM: wish.room_id, DEVICE: wish.device_id}
    chosen = {}
    for kind, resource in wished.items():
        if kind not in loaded.facts.need.windows:
            if resource is not None:
                raise WrongResource(
                    gettext("%(protocol)s needs no device.")
                    % {"protocol": loaded.protocol.name.get(language())},
                    field=kind,
                )
        elif resource is None or resource not in loaded.facts.pools[kind]:
            raise unsuitable.refusal(loaded, kind, resource)
        else:
            chosen[kind] = resource
    return chosen


def _patient_can_come(loaded: Loaded, patient: Patient, wish: VisitWish) -> None:
    """Visits at this site are the database's to keep apart; only those elsewhere need a way."""
    body = loaded.facts.need.held(PATIENT, wish.starts_at)
    first, end = ticks.floor(body.starts_at), ticks.ceil(body.ends_at)
    if any(away < end and back > first for away, back in loaded.facts.away.tolist()):
        raise elsewhere.refusal(
            patient=patient,
            site=loaded.site,
            body=body,
            among=Appointment.objects.exclude(site=loaded.site),
            now=loaded.facts.not_before,
        )


def breaches(
    loaded: Loaded, days: Sequence[tuple[int, date]], sessions: Collection[int]
) -> list[tuple[int, Refused]]:
    """The intervals and spacings that the visits of `sessions` breach, with their session.

    `days` are all standing visits of the series: (session, local date) in order of session.
    """
    found = interval_refusals(days, loaded.protocol, sessions)
    for session, day in days:
        too_near = spacing_breach(day, loaded.facts.spaced)
        if session in sessions and too_near is not None:
            found.append((session, too_near))
    return found


def interval_refusals(
    days: Sequence[tuple[int, date]], protocol: Protocol, sessions: Collection[int]
) -> list[tuple[int, Refused]]:
    """What is wrong between neighbours of which at least one is in `sessions`; it is laid to
    the later of them that is."""
    order = [number for number, _ in days]
    found = []
    for session, refusal in interval_breaches(days, protocol):
        owner = session if session in sessions else order[order.index(session) - 1]
        if owner in sessions:
            found.append((owner, refusal))
    return found


def may_overlap(wanted: bool, *, reason: str, by: Staff | None, site: Site) -> bool:
    """Whether a visit may lie over others: asked for, with a reason, by who may.

    Raises Forbidden when `by` may not; no patient (`by` is None) may.
    """
    if not wanted or by is None:
        return False
    access.require(by, Capability.OVERLAP, site)
    return bool(reason.strip())


def codes(
    found: Iterable[tuple[int, Refused]],
    over: Iterable[int] = (),
    passed: Iterable[tuple[int, Sequence[str]]] = (),
) -> dict[int, list[str]]:
    """The codes of what is breached, by session; `over` are those that lie over other visits,
    `passed` the codes of bars that yielded."""
    by_session: dict[int, list[str]] = {}
    for session, refusal in found:
        kept = by_session.setdefault(session, [])
        if refusal.code not in kept:
            kept.append(refusal.code)
    for session, bars in passed:
        if bars:
            by_session.setdefault(session, []).extend(bars)
    for session in over:
        by_session.setdefault(session, []).append(OVERLAP)
    return by_session


def override(found: Sequence[Refused], *, reason: str, by: Staff | None, site: Site) -> None:
    """Let breaches pass for a reason and the capability for it.

    Raises the first breach without a reason, or one that nobody may override; Forbidden when
    `by` may not. A patient (`by` is None) overrides nothing.
    """
    for refusal in found:
        if by is None or not refusal.overridable or not reason.strip():
            raise refusal
    if found and by is not None:
        access.require(by, Capability.OVERRIDE_INTERVAL, site)
