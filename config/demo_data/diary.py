"""Places for visits that never collide: one diary of all resources, kept in memory.

The whole history is placed before any of it is booked, so that today is full first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, Need, need_of
from appointments.models import Allocation
from appointments.proposing.places import VisitWish
from clinic.periods import Period
from clinic.protocols.schema import Protocol
from clinic.wall_time import instant
from config.demo_data.house import House, Place

_GRID_MINUTES = 15


class Diary:
    def __init__(self, house: House) -> None:
        self._house = house
        self._taken: defaultdict[int | str, list[Period]] = defaultdict(list)
        for resource, starts_at, ends_at in Allocation.objects.values_list(
            "resource_id", "starts_at", "ends_at"
        ):
            self._taken[resource].append(Period(starts_at, ends_at))

    def place(
        self,
        *,
        slug: str,
        protocol: Protocol,
        areas: Sequence[str],
        person: int,
        on: date,
        near: int,
    ) -> VisitWish | None:
        """Take the free place on `on` whose start is nearest to minute `near` of the wall clock."""
        place, need = self._house.places[slug], need_of(protocol, areas)
        for starts_at in _starts(place, need, on, near):
            chosen = self._chosen(place, need, protocol, on, starts_at, person)
            if chosen is not None:
                for kind, resource in chosen.items():
                    self._taken[resource].append(need.held(kind, starts_at))
                device = chosen.get(DEVICE)
                return VisitWish(
                    starts_at,
                    int(chosen[PROVIDER]),
                    int(chosen[ROOM]),
                    None if device is None else int(device),
                )
        return None

    def _chosen(
        self,
        place: Place,
        need: Need,
        protocol: Protocol,
        on: date,
        starts_at: datetime,
        person: int,
    ) -> dict[str, int | str] | None:
        """A free resource of every kind, or None."""
        pools: dict[str, Iterable[int | str]] = {
            PATIENT: (f"person {person}",),
            PROVIDER: (
                provider.resource.pk
                for provider in place.providers
                if provider.may(protocol.modality, on)
            ),
            ROOM: (room.pk for room in place.rooms[protocol.resources.room_kind]),
            DEVICE: (device.pk for device in place.devices.get(protocol.modality, ())),
        }
        chosen = {}
        for kind in need.windows:
            held = need.held(kind, starts_at)
            free = [pk for pk in pools[kind] if not self._is_taken(pk, held)]
            if not free:
                return None
            # The least busy first, so that work is spread and does not depend on ids.
            chosen[kind] = min(free, key=lambda pk: len(self._taken[pk]))
        return chosen

    def _is_taken(self, resource: int | str, held: Period) -> bool:
        return any(
            taken.starts_at < held.ends_at and held.starts_at < taken.ends_at
            for taken in self._taken[resource]
        )


def _starts(place: Place, need: Need, on: date, near: int) -> Iterator[datetime]:
    hours = place.open_on(on)
    if hours is None:
        return
    before = max(window.set_up for window in need.windows.values()) * 5
    after = (need.body + max(window.clean_up for window in need.windows.values())) * 5
    first = -(-(hours[0] + before) // _GRID_MINUTES) * _GRID_MINUTES
    minutes = range(first, hours[1] - after + 1, _GRID_MINUTES)
    for minute in sorted(minutes, key=lambda minute: (abs(minute - near), minute)):
        yield instant(on, minute, place.site.zone)
