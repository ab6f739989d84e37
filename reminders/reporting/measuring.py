"""Measures a span of a site's days, week by week, from its rows: one query for each
idea, however much there is.

A visit counts in the week in which it began, a series in that in which it was closed, a message
in that in which it was due, a gap in that in which it opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from appointments.lifecycle import State
from appointments.models import Appointment, Gap, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.models.waitlist import GapEnd
from clinic.models import Site
from clinic.saying import gettext
from reminders.catalogue import Tray
from reminders.models import Message
from reminders.reporting.figures import Bar, Figure, Share, worst_first
from reminders.reporting.periods import Span

_FAILED = Q(tray=Tray.FAILED)
_SENT = (Tray.TOLD, Tray.FAILED)


@dataclass(frozen=True, slots=True)
class Report:
    figures: list[Figure]
    by_protocol: list[Bar]
    by_kind: list[Bar]


@dataclass(frozen=True, slots=True)
class _Question:
    """Which `part` of the `rows` is asked for; a row counts in the week of its `field`."""

    name: str
    definition: str
    rows: QuerySet[Any]
    field: str
    part: Q
    more_is_better: bool = True


def report(site: Site, span: Span, *, protocol: str = "") -> Report:
    """The figures of `site`; those of visits and series only of `protocol` if one is named."""
    visits = Appointment.objects.filter(site=site)
    series = TreatmentSeries.objects.filter(site=site)
    if protocol:
        visits = visits.filter(protocol_version__protocol=protocol)
        series = series.filter(protocol_version__protocol=protocol)
    completed = _Question(
        gettext("Series completed"),
        gettext("Of series that came to an end, those that had all their sessions."),
        series.exclude(state=SeriesState.OPEN),
        "closed_at",
        Q(state=SeriesState.COMPLETED),
    )
    failed = _Question(
        gettext("Messages that failed"),
        gettext("Of messages that were sent, those that reached nobody."),
        Message.objects.filter(site=site, tray__in=_SENT),
        "due_at",
        _FAILED,
        more_is_better=False,
    )
    questions = [
        _Question(
            gettext("No-shows"),
            gettext("Of visits that were due, those to which nobody came."),
            visits.filter(state__in=(State.DONE, State.NO_SHOW)),
            "starts_at",
            Q(state=State.NO_SHOW),
            more_is_better=False,
        ),
        _Question(
            gettext("Rebooked when they left"),
            gettext(
                "Of visits done that were not the last of their series, those after which the next"
                " one stood already."
            ),
            _followed(visits),
            "starts_at",
            Q(is_followed=True),
        ),
        completed,
        _Question(
            gettext("Openings filled"),
            gettext("Of places that were given back, those that somebody on the wait-list took."),
            Gap.objects.filter(site=site),
            "opened_by__at",
            Q(closed_as=GapEnd.FILLED),
        ),
        failed,
    ]
    edges = span.edges()
    return Report(
        [_figure(each, edges) for each in questions],
        _by(completed, "protocol_version__name", edges),
        _by(failed, "kind", edges),
    )


def _followed(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Visits done with more to come, and whether the next stood when the treatment had ended."""
    following = Appointment.objects.filter(
        series=OuterRef("series"),
        session__gt=OuterRef("session"),
        booked_at__lte=OuterRef("done_at"),
    )
    return visits.filter(state=State.DONE, session__lt=F("series__sessions")).annotate(
        is_followed=Exists(following)
    )


def _bucket(field: str, edges: Sequence[datetime]) -> Func:
    """Between which edges `field` lies: 1 is what came before, 2 the first week and so on; 0 and
    one more are outside."""
    bounds = Value(list(edges), output_field=ArrayField(DateTimeField()))
    return Func(F(field), bounds, function="width_bucket", output_field=IntegerField())


def _figure(asked: _Question, edges: Sequence[datetime]) -> Figure:
    inside = _between(asked, edges[0], edges[-1]).annotate(week=_bucket(asked.field, edges))
    counted = inside.values_list("week").annotate(
        few=Count("pk", filter=asked.part), whole=Count("pk")
    )
    of_week = {week: Share(few, whole) for week, few, whole in counted}
    before, *weeks = [of_week.get(number, Share(0, 0)) for number in range(1, len(edges))]
    return Figure(asked.name, asked.definition, _sum(weeks), before, weeks, asked.more_is_better)


def _by(asked: _Question, name: str, edges: Sequence[datetime]) -> list[Bar]:
    """The share of each value of `name` in these weeks, the worst first."""
    inside = _between(asked, edges[1], edges[-1])
    counted = inside.values_list(name).annotate(
        few=Count("pk", filter=asked.part), whole=Count("pk")
    )
    bars = [Bar(str(value), Share(few, whole)) for value, few, whole in counted]
    return worst_first(bars, more_is_better=asked.more_is_better)


def _between(asked: _Question, first: datetime, end: datetime) -> QuerySet[Any]:
    bounds = {f"{asked.field}__gte": first, f"{asked.field}__lt": end}
    return asked.rows.filter(**bounds).order_by()


def _sum(shares: Sequence[Share]) -> Share:
    return Share(sum(each.part for each in shares), sum(each.whole for each in shares))
