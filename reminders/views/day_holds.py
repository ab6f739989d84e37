"""What is held on a day of a site, as rows between the visits of the day list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from appointments.models import Allocation, Hold, HoldPurpose
from clinic.models import ResourceKind, Site, Staff
from clinic.periods import Period
from clinic.views.row_id import row_id
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One place of a hold. `held` are the names of who and what by kind; `patient` is the one
    that a plan is for, if the reader may see them."""

    hold: Hold
    starts_at: datetime
    minutes: int
    held: dict[str, str]
    patient: Patient | None

    @property
    def is_offer(self) -> bool:
        return self.hold.purpose == HoldPurpose.OFFER


def held_rows(
    staff: Staff, site: Site, day: Period, provider: str, *, now: datetime
) -> list[HeldRow]:
    """The places that stand at `now` and start in `day`, in order of time."""
    holds = list(_holds(site, day, now))
    planned = [hold.patient_id for hold in holds if hold.purpose == HoldPurpose.PLAN]
    seen = Patient.objects.seen_by(staff).in_bulk(planned)
    rows, provider_id = [], row_id(provider)
    for hold in holds:
        for held in _places(hold.allocations.all()):
            if provider_id and provider_id not in {each.resource_id for each in held}:
                continue
            body = next((e for e in held if e.resource.kind == ResourceKind.PATIENT), held[0])
            rows.append(
                HeldRow(
                    hold,
                    body.starts_at,
                    int((body.ends_at - body.starts_at).total_seconds()) // 60,
                    {each.resource.kind: each.resource.name for each in held},
                    None if hold.purpose == HoldPurpose.OFFER else seen.get(hold.patient_id),
                )
            )
    return sorted(rows, key=lambda row: (row.starts_at, row.hold.pk))


def _holds(site: Site, day: Period, now: datetime) -> QuerySet[Hold]:
    kept = Allocation.objects.filter(
        active=True, starts_at__gte=day.starts_at, starts_at__lt=day.ends_at
    )
    kept = kept.select_related("resource").order_by("starts_at", "id")
    return (
        Hold.objects.standing(now)
        .filter(site=site)
        .select_related("held_by")
        .prefetch_related(Prefetch("allocations", kept))
    )


def _places(held: Iterable[Allocation]) -> list[list[Allocation]]:
    """The allocations, in order of their start, of each place: set-up differs by kind, so what
    belongs together overlaps, and nothing else does."""
    places: list[list[Allocation]] = []
    for each in held:
        if places and any(each.starts_at < other.ends_at for other in places[-1]):
            places[-1].append(each)
        else:
            places.append([each])
    return places
