"""/reports/: how the clinic does, in whole weeks, beside the weeks before them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
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
from clinic.hours import local
from clinic.models import ProtocolVersion, ResourceKind, Staff
from clinic.views.current_site import current_site
from clinic.views.row_id import row_id
from reminders.reporting import measuring, using
from reminders.reporting.figures import Bar, Figure, line
from reminders.reporting.periods import CHOICES, WEEK, Weeks, weeks_before
from reminders.templatetags.kinds import kind_word

USUAL = 12
USED = {
    ResourceKind.PROVIDER: _("Providers"),
    ResourceKind.ROOM: _("Rooms"),
    ResourceKind.DEVICE: _("Devices"),
}


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """`weeks` are how many, `protocol` the id of one; `format=csv` gives the numbers."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_REPORTS, site)
    today = local(timezone.now(), site.zone).date()
    count = row_id(request.GET.get("weeks", ""))
    weeks = weeks_before(today, count if count in CHOICES else USUAL, site.zone)
    names = _protocols()
    protocol = request.GET.get("protocol", "")
    protocol = protocol if protocol in names else ""
    report = measuring.report(site, weeks, protocol=protocol)
    used = using.by_kind(site, weeks, protocol=protocol)
    if request.GET.get("format") == "csv":
        return _csv(report, used, weeks)
    context = {
        "site": site,
        "weeks": weeks,
        "choices": CHOICES,
        "protocol": protocol,
        "protocols": sorted(names.items(), key=lambda pair: pair[1]),
        "figures": [_drawn(figure, weeks) for figure in report.figures],
        "has_past": any(figure.before.percent is not None for figure in report.figures),
        "used": [(USED[kind], bars) for kind, bars in used.items()],
        "by_protocol": report.by_protocol,
        "by_kind": [Bar(kind_word(bar.name), bar.share) for bar in report.by_kind],
    }
    return render(request, "reminders/reports/reports.html", context)


def _protocols() -> dict[str, str]:
    """The name of each protocol's newest version, by its id."""
    rows = ProtocolVersion.objects.order_by("created_at").values_list("protocol", "name")
    return dict(rows)


def _drawn(figure: Figure, weeks: Weeks) -> dict[str, Any]:
    days = [weeks.first + number * WEEK for number in range(weeks.count)]
    return {
        "figure": figure,
        "line": line(figure.weeks),
        "rows": list(zip(days, figure.weeks, strict=True)),
    }


def _csv(
    report: measuring.Report, used: Mapping[ResourceKind, Sequence[Bar]], weeks: Weeks
) -> HttpResponse:
    """One row for each figure and week, and one for each protocol, kind of message and resource;
    of resources minutes."""
    out = StringIO()
    write = csv.writer(out)
    write.writerow([gettext("figure"), gettext("week from"), gettext("part"), gettext("whole")])
    for figure in report.figures:
        for number, share in enumerate(figure.weeks):
            day = weeks.first + number * WEEK
            write.writerow([figure.name, day.isoformat(), share.part, share.whole])
    for name, bars in (
        (gettext("Series completed"), report.by_protocol),
        (gettext("Messages that failed"), report.by_kind),
        (gettext("Minutes in use"), [bar for some in used.values() for bar in some]),
    ):
        for bar in bars:
            row = [f"{name}: {bar.name}", weeks.first.isoformat(), bar.share.part, bar.share.whole]
            write.writerow(row)
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="report-{weeks.first}.csv"'
    return answer
