"""What visits hold beside their patient: who treats, where, and with what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.lifecycle import State
from appointments.models import Allocation, Appointment
from clinic import statements
from clinic.models import Resource, ResourceKind
from clinic.periods import Period

# The way a desk reads them.
KINDS: tuple[str, ...] = (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE)
_FACTS = ("resource", "starts_at", "ends_at", "is_deliberate")


class Holding(NamedTuple):
    """A resource for a time (UTC, half-open), set-up and clean-up included."""

    resource: Resource
    starts_at: datetime
    ends_at: datetime
    is_deliberate: bool

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)


HeldBy = Mapping[int, Collection[Holding]]


def of(visits: Collection[Appointment]) -> dict[int, list[Holding]]:
    """By visit what it holds, provider, room and device; of one that was over when it was brought
    over, what it had held. In two queries, however many visits there are, and in none for none."""
    found: dict[int, list[Holding]] = {visit.pk: [] for visit in visits}
    if not found:
        return found
    history = {visit.pk for visit in visits if visit.is_history}
    rows = _rows().filter(appointment__in=statements.one_of(found))
    held = list(rows.values_list("appointment", "active", *_FACTS))
    # Many visits are in one room: it is read once and shared.
    resources = Resource.objects.in_bulk({resource for _, _, resource, *_ in held})
    for visit, is_active, resource, *facts in held:
        if is_active is (visit not in history):
            found[visit].append(Holding(resources[resource], *facts))
    for some in found.values():
        some.sort(key=lambda each: KINDS.index(each.resource.kind))
    return found


def holds(resource: int) -> Exists:
    """Whether a visit holds a resource, as a condition on visits."""
    return Exists(_rows().filter(appointment=OuterRef("pk"), resource=resource))


def names(held: Iterable[Holding]) -> dict[str, str]:
    """The names of what is held, by kind."""
    return {each.resource.kind: each.resource.name for each in held}


def provider(held: Iterable[Holding]) -> Resource | None:
    """Who treats, if anybody does."""
    providers = (each.resource for each in held if each.resource.kind == ResourceKind.PROVIDER)
    return next(providers, None)


def _rows() -> QuerySet[Allocation]:
    over = Q(appointment__state__in=(State.DONE, State.NO_SHOW, State.CANCELLED))
    history = over & Q(appointment__imported_at__isnull=False)
    held = Allocation.objects.filter(Q(active=True) | history)
    return held.exclude(resource__kind=ResourceKind.PATIENT).order_by()
