"""What every endpoint stands on: who asks, what they sent, and rows filtered and in pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

import django_filters as filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from clinic import access, audit
from clinic.api_fields import MOST_ID
from clinic.models import Site, Staff
from clinic.wall_time import MINUTES_A_DAY, instant


class Rows(GenericViewSet[Any]):
    """Endpoints of one resource. `get_queryset` gives what `staff` may see; the rest is 404.

    Rows that belong to the records of patients say whose (`patient_of`): that they were shown is
    written to the audit trail.
    """

    lookup_value_converter = "int"

    @property
    def staff(self) -> Staff:
        return cast(Staff, self.request.user)

    def patient_of(self, row: Any) -> int | None:
        """The id of the patient to whose record a row belongs."""
        return None

    def get_object(self) -> Any:
        row: Model = super().get_object()
        audit.look(
            subject=row,
            patient_id=self.patient_of(row),
            by=self.staff,
            now=timezone.now(),
            site_id=getattr(row, "site_id", None),
        )
        return row

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        if page is not None:
            self.listed(page)
        return page

    def listed(self, rows: Iterable[Any]) -> None:
        """Write down that these rows were shown, where they belong to the records of patients."""
        self.named(self.patient_of(row) for row in rows)

    def named(self, patient_ids: Iterable[int | None]) -> None:
        """Write down that the answer is about these patients."""
        audit.looked_through(
            patient_ids={each for each in patient_ids if each is not None},
            by=self.staff,
            now=timezone.now(),
        )

    def body(self, form: type[serializers.BaseSerializer[Any]]) -> dict[str, Any]:
        """What was sent, checked for its shape. Raises ValidationError and NotSeen."""
        read = form(data=self.request.data, context=self.get_serializer_context())
        read.is_valid(raise_exception=True)
        return cast(dict[str, Any], read.validated_data)


class OfSite(Rows):
    """Endpoints about one of the sites at which who asks works."""

    tag = "sites"
    queryset = Site.objects.none()
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Site]:
        return access.sites_of(self.staff)


class NoSuchAddress(APIView):
    """Under the API even an unknown address is answered in JSON."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing at this address. Addresses end with a slash.")


def router() -> SimpleRouter:
    """A router whose addresses are paths with typed parts."""
    return SimpleRouter(use_regex_path=False)


class IdFilter(filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """Rows that belong to the row with this id."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=MOST_ID, **kwargs)


class DayFilter(filters.DateFilter):  # type: ignore[misc]
    """Rows whose instant lies on this local date of their own site."""

    def filter(self, rows: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return rows
        return rows.filter(on_day(self.field_name, value, self.parent.request.user))


def on_day(field: str, day: date, staff: Staff) -> Q:
    """Whether the instant `field` lies on the local date `day` of the row's `site`."""
    found = Q(pk__in=())
    if not 1900 < day.year < 2200:
        return found
    for zone in set(access.sites_of(staff).values_list("zone", flat=True)):
        begins, ends = instant(day, 0, zone), instant(day, MINUTES_A_DAY, zone)
        found |= Q(**{"site__zone": zone, f"{field}__gte": begins, f"{field}__lt": ends})
    return found
