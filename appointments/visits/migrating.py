"""Another version of its protocol for the visits of a series that are still to come.

`preview` shows what changes; `migrate` commits what was seen, all or nothing. What was done keeps
its version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from appointments import proposing
from appointments.claiming import allocating, checking
from appointments.claiming.allocating import Lost
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.lifecycle import TO_COME
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.proposing.places import Replan, ReplanLine, VisitWish
from appointments.refusals import NoWayForTheRest, OtherProtocol, SeriesClosed, StaleVersion, busy
from appointments.visits import moving
from appointments.visits.moving import VisitMove
from appointments.visits.version_changes import Change, changes
from clinic import access, audit
from clinic.access import Capability
from clinic.models import ProtocolVersion, Staff
from clinic.protocols import loading as protocols
from clinic.retelling import kept, text
from clinic.saying import gettext
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Migration:
    """What `version` changes, and the visits to come: each stays, is lengthened or moves; or the
    `problem` that leaves no way."""

    series: TreatmentSeries
    version: ProtocolVersion
    changes: tuple[Change, ...]
    replan: Replan

    @property
    def lines(self) -> tuple[ReplanLine, ...]:
        return tuple(line for line in self.replan.lines if line.appointment.state in TO_COME)


def newer_version(series: TreatmentSeries) -> ProtocolVersion | None:
    """The approved version of the series' protocol, when the series goes by another one."""
    return (
        ProtocolVersion.objects.filter(
            protocol=series.protocol_version.protocol, status=ProtocolVersion.Status.APPROVED
        )
        .exclude(pk=series.protocol_version_id)
        .first()
    )


def preview(*, series: TreatmentSeries, version: ProtocolVersion, now: datetime) -> Migration:
    """What going over to `version` would change; nothing is held.

    Raises OtherProtocol, ProtocolNotApproved, AreaNotTreated and SeriesClosed.
    """
    _may_be(series, version)
    old = protocols.get(series.protocol_version)
    found = proposing.replan(series=series, wished={}, now=now, version=version)
    return Migration(series, version, changes(old, protocols.get(version), series.areas), found)


def migrate(
    *,
    series: TreatmentSeries,
    version: ProtocolVersion,
    by: Staff,
    now: datetime,
    seen: Sequence[VisitMove] | None = None,
) -> TreatmentSeries:
    """Give the visits to come the version and the places that were `seen` (default: those of a
    preview now), and the series the version for what is still to be booked.

    Raises:
        Refused: NoWayForTheRest, VisitLocked when a locked visit would change, StaleVersion when
            the visits to come are others by now, or as `moving.move_together` and `preview`.
        Forbidden: when `by` may not book at the series' site.
    """
    access.require(by, Capability.BOOK, series.site)
    _may_be(series, version)
    moves = list(_proposed(series, version, now) if seen is None else seen)
    known = {each.appointment.pk for each in moves}
    # A locked visit keeps its place, so it need not have been seen.
    locked = series.appointments.filter(state__in=TO_COME, is_locked=True).exclude(pk__in=known)
    moves += [VisitMove(visit, _present(visit), visit.version) for visit in locked]
    moves = [replace(each, protocol_version=version) for each in moves]
    try:
        with allocating.guarded():
            moving.move_together(
                moves=moves,
                by=by,
                now=now,
                reason=kept("Version %(version)s", version=text(version.version)),
            )
            # Visits and resources come first, then the series: as everybody locks them.
            fresh = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
            _may_be(fresh, version)
            coming = set(fresh.appointments.filter(state__in=TO_COME).values_list("pk", flat=True))
            if coming != {each.appointment.pk for each in moves}:
                raise StaleVersion(
                    gettext(
                        "The visits to come are others than those you saw. Look again, then repeat."
                    )
                )
            before = str(fresh.protocol_version)
            fresh.protocol_version = version
            fresh.save(update_fields=["protocol_version"])
            audit.record(
                action="series.migrate",
                subject=fresh,
                by=by,
                now=now,
                site=fresh.site,
                patient_id=fresh.patient_id,
                before={"protocol": before},
                after={"protocol": str(version), "visits": len(moves)},
            )
            Patient.objects.filter(pk=fresh.patient_id).raise_revision()
            return fresh
    except Lost:
        raise busy() from None


def _may_be(series: TreatmentSeries, version: ProtocolVersion) -> None:
    if version.protocol != series.protocol_version.protocol:
        raise OtherProtocol(
            gettext("That is another protocol. Choose a version of the series' own.")
        )
    if version.pk == series.protocol_version_id:
        raise OtherProtocol(gettext("The series goes by this version already."))
    checking.protocol_may_be_booked(version)
    checking.treatment_fits(protocols.get(version), series.areas, 1)
    if series.state != SeriesState.OPEN:
        raise SeriesClosed(gettext("This series is closed, so its version stays."))


def _proposed(series: TreatmentSeries, version: ProtocolVersion, now: datetime) -> list[VisitMove]:
    """Every visit to come with its place by that version; a locked one keeps its own."""
    found = preview(series=series, version=version, now=now)
    if found.replan.problem is not None:
        raise NoWayForTheRest(found.replan.problem.sentence)
    places = {line.session: line.after.wish for line in found.lines}
    return [
        VisitMove(visit, places.get(visit.session) or _present(visit), visit.version)
        for visit in series.appointments.filter(state__in=TO_COME).select_related("site")
    ]


def _present(visit: Appointment) -> VisitWish:
    held = visit.resources_held()
    return VisitWish(visit.starts_at, held[PROVIDER], held[ROOM], held.get(DEVICE))
