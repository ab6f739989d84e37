"""The board: who and what is taken and free, on a day or through a week, and the visit beside it.

The address holds its whole state. A part of it is answered to what asks for a part: the columns
to the refresh of an idle page, the panel to a visit that is chosen.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from appointments.absences import affected
from appointments.lifecycle import State
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.templatetags.ui import VISIT_STATES
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import local
from reminders.views import day_flags
from reminders.views.board import panel, picking
from reminders.views.board.asking import COLUMN_WORDS, COLUMNS, ONE_DAY, WEEK, Asked, asked
from reminders.views.board.columns import Board, of_day, of_week, resources_of
from reminders.views.day_list import next_busy

PANEL, DAY = "panel", "board"


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    wanted = asked(request.GET, today=local(now, site.zone).date())
    if request.headers.get("HX-Target") == PANEL:
        return render(request, "reminders/board/_panel.html", panel.of(request, site, wanted, now))
    page = "_board" if request.headers.get("HX-Target") == DAY else "board"
    return render(request, f"reminders/board/{page}.html", shown(request, site, wanted, now))


def shown(request: HttpRequest, site: Site, wanted: Asked, now: datetime) -> dict[str, Any]:
    """Everything that the page shows, its panel included."""
    staff = cast(Staff, request.user)
    held = access.capabilities(staff, site)
    resources = resources_of(site)
    of = next((each for each in resources if each.pk == wanted.of), None)
    if wanted.view == WEEK:
        of = of or next(iter(resources), None)
    if wanted.view == WEEK and of is not None:
        drawn = of_week(site, staff, of, wanted.monday, now=now, cancelled=wanted.cancelled)
    else:
        kinds = COLUMNS[wanted.cols]
        columns = [each for each in resources if each.kind in kinds]
        drawn = of_day(site, staff, wanted.day, columns, now=now, cancelled=wanted.cancelled)
    lists(
        request,
        (card.visit.series.patient_id for card in drawn.cards.values()),
        site_id=site.pk,
    )
    pick = picking.picked(request, site, wanted, now) if Capability.BOOK in held else None
    nearest_start = picking.draw(pick, drawn) if pick is not None else ""
    today, sums = local(now, site.zone).date(), _sums(drawn)
    last_day = wanted.monday + 6 * ONE_DAY if wanted.view == WEEK else wanted.day
    return {
        "site": site,
        "asked": wanted,
        "today": today,
        "before": wanted.day - wanted.step,
        "after": wanted.day + wanted.step,
        "last_day": last_day,
        "board": drawn,
        "panel_at": _panel_at(request),
        "grid": drawn.columns[0].grid if drawn.columns else None,
        "resources": resources,
        "of": of,
        "now_at": _now_at(drawn, wanted, today, now),
        "now": now,
        "pick": pick,
        "nearest_start": nearest_start,
        "may_book": Capability.BOOK in held,
        "board_columns": list(COLUMN_WORDS.items()),
        "legend": VISIT_STATES,
        "to_move": affected.count_at(site, now=now),
        "next_busy": None if sums["total"] else next_busy(staff, site, last_day),
        **sums,
        **panel.of(request, site, wanted, now),
    }


def _panel_at(request: HttpRequest) -> str:
    """This board with the panel of a visit, whose id is to follow."""
    query = request.GET.copy()
    for name in ("visit", "pick"):
        query.pop(name, None)
    query["visit"] = ""
    return f"{reverse('board')}?{query.urlencode()}"


def _sums(drawn: Board) -> dict[str, Any]:
    cards = drawn.cards.values()
    states = Counter(card.visit.state for card in cards)
    return {
        "total": sum(count for state, count in states.items() if state != State.CANCELLED),
        "counts": states,
        "failed": sum(day_flags.has_failed(card.flags) for card in cards),
        "late": max((card.waiting for card in cards if card.waiting is not None), default=None),
    }


def _now_at(drawn: Board, wanted: Asked, today: Any, now: datetime) -> Any:
    """The column of today whose grid holds the present, for the line across it."""
    columns = [each for each in drawn.columns if each.day == today and now in each.grid.period]
    return columns[0].grid.place_of(now) if columns else None
