"""/reports/: how the clinic does, in whole weeks or a month, beside what came before."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, ResourceKind, Staff
from clinic.views.current_site import current_site
from clinic.views.row_id import row_id
from clinic.wall_time import local
from reminders.reporting import measuring, periods, using
from reminders.reporting.figures import Bar, Figure, line
from reminders.reporting.periods import CHOICES, Span
from reminders.templatetags.kinds import kind_word

USUAL = 12
# How many months the list has; older ones are reached one by one, or in the address.
LISTED = 24
USED = {
    ResourceKind.PROVIDER: _("Providers"),
    ResourceKind.ROOM: _("Rooms"),
    ResourceKind.DEVICE: _("Devices"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The span that is asked for: a `month` by its first day, or so many `weeks`; `unread` says
    what to write in place of what could not be read."""

    span: Span
    month: date | None = None
    weeks: int = USUAL
    unread: str = ""


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """`month` is one such as "2026-10", `weeks` else how many, `protocol` the id of one;
    `format=csv` gives the numbers."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_REPORTS, site)
    today = local(timezone.now(), site.zone).date()
    asked = _asked(request, today, site.zone)
    names = _protocols()
    protocol = request.GET.get("protocol", "")
    protocol = protocol if protocol in names else ""
    report = measuring.report(site, asked.span, protocol=protocol)
    used = using.by_kind(site, asked.span, protocol=protocol)
    if request.GET.get("format") == "csv" and not asked.unread:
        return _csv(report, used, asked.span)
    context = {
        "site": site,
        "asked": asked,
        "span": asked.span,
        "choices": CHOICES,
        "newest": periods.newest_month(today),
        **(_months(asked.month, today) if asked.month else {}),
        "protocol": protocol,
        "protocols": sorted(names.items(), key=lambda pair: pair[1]),
        "figures": [_drawn(figure, asked.span) for figure in report.figures],
        "has_past": any(figure.before.percent is not None for figure in report.figures),
        "used": [(USED[kind], bars) for kind, bars in used.items()],
        "by_protocol": report.by_protocol,
        "by_kind": [Bar(kind_word(bar.name), bar.share) for bar in report.by_kind],
    }
    return render(request, "reminders/reports/reports.html", context)


def _asked(request: HttpRequest, today: date, zone: str) -> Asked:
    """What cannot be read shows the newest month, or the usual weeks."""
    if (text := request.GET.get("month")) is not None:
        newest = periods.newest_month(today)
        try:
            first, unread = periods.read_month(text, today), ""
        except ValueError:
            first = newest
            unread = gettext(
                "That is no month with days that are over: choose one of the list, or write it such"
                " as %(such)s. You see that one instead."
            ) % {"such": f"{newest:%Y-%m}"}
        return Asked(periods.month(first, today, zone), month=first, unread=unread)
    text = request.GET.get("weeks")
    count = USUAL if text is None else row_id(text)
    if count in CHOICES:
        return Asked(periods.weeks_before(today, count, zone), weeks=count)
    unread = gettext("Choose %(choices)s weeks. You see %(usual)s instead.") % {
        "choices": ", ".join(map(str, CHOICES)),
        "usual": USUAL,
    }
    return Asked(periods.weeks_before(today, USUAL, zone), unread=unread)


def _months(shown: date, today: date) -> dict[str, Any]:
    """The months around the one that is shown, and those of the list, the newest first."""
    newest = each = periods.newest_month(today)
    listed: list[date] = []
    while len(listed) < LISTED:
        listed.append(each)
        each = periods.month_before(each)
    return {
        "earlier": periods.month_before(shown) if shown > periods.FIRST_MONTH else None,
        "later": periods.month_after(shown) if shown < newest else None,
        "months": listed if shown in listed else [*listed, shown],
    }


def _protocols() -> dict[str, str]:
    """The name of each protocol's newest version, by its id."""
    rows = ProtocolVersion.objects.order_by("created_at").values_list("protocol", "name")
    return dict(rows)


def _drawn(figure: Figure, span: Span) -> dict[str, Any]:
    return {
        "figure": figure,
        "line": line(figure.weeks),
        "rows": list(zip(span.weeks, figure.weeks, strict=True)),
    }


def _csv(
    report: measuring.Report, used: Mapping[ResourceKind, Sequence[Bar]], span: Span
) -> HttpResponse:
    """One row for each figure and week, and one for each protocol, kind of message and resource;
    of resources minutes."""
    out = StringIO()
    write = csv.writer(out)
    write.writerow([gettext("figure"), gettext("week from"), gettext("part"), gettext("whole")])
    for figure in report.figures:
        for day, share in zip(span.weeks, figure.weeks, strict=True):
            write.writerow([figure.name, day.isoformat(), share.part, share.whole])
    for name, bars in (
        (gettext("Series completed"), report.by_protocol),
        (gettext("Messages that failed"), report.by_kind),
        (gettext("Minutes in use"), [bar for some in used.values() for bar in some]),
    ):
        for bar in bars:
            row = [f"{name}: {bar.name}", span.first.isoformat(), bar.share.part, bar.share.whole]
            write.writerow(row)
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"report-{span.first}-{span.last_day}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
