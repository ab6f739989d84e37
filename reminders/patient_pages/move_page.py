"""/p/<token>/visits/<visit>/move/: a few times that fit, every other free one, and one question
before the visit moves. GET changes nothing; the time that was pressed is kept for some minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments import links
from appointments.by_link import moving, times
from appointments.by_link.refusals import NotByLink, Why
from appointments.by_link.times import Times
from appointments.lifecycle import Move
from appointments.models import Appointment, Hold, PatientLink
from appointments.refusals import (
    NoWayForTheRest,
    PatientElsewhere,
    Refused,
    SlotTaken,
    StaleVersion,
)
from clinic import saying_days
from clinic.wall_time import local
from reminders.patient_pages import own_visit
from reminders.patient_pages.self_service import for_patients
from reminders.views.book_series import draft as drafts
from reminders.views.rippling import moves_in, rows_of

T = TypeVar("T")

# With what words a time is refused; any other refusal says that the treatment does not allow it.
_NOTICES: dict[type[Refused], str] = {
    SlotTaken: "taken",
    PatientElsewhere: "taken",
    NoWayForTheRest: "rest_in_the_way",
    StaleVersion: "changed_meanwhile",
}


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, token: str, visit: int) -> HttpResponse:
    """A few times; with `days` the free days, with `day` the times of one. POST keeps the time
    `at` and asks whether it is right."""
    now = timezone.now()
    link, shown = own_visit.opened(token, visit, now=now)
    back = reverse("care-page", args=[token])
    try:
        if request.method != "POST":
            notice = "run_out" if request.GET.get("run_out") == "1" else ""
            return _choose(request, link, shown, now=now, notice=notice)
        at = _instant(request.POST.get("at", ""))
        if at is None:
            return _choose(request, link, shown, now=now, notice="changed_meanwhile")
        try:
            moving.keep(visit=shown, starts_at=at, now=now)
        except NotByLink as refusal:
            if refusal.why not in (Why.TOO_SOON, Why.NOT_ALLOWED):
                raise
            return _choose(request, link, shown, now=now, notice="not_that")
        except Refused as refusal:
            return _choose(request, link, shown, now=now, notice=_notice(refusal), wished=at)
    except NotByLink as refusal:
        return own_visit.cannot(request, link, shown.site, refusal, back=back)
    sure_url = reverse("patient-move-sure", args=[token, visit])
    return HttpResponseRedirect(f"{sure_url}?at={drafts.moment(at)}", status=303)


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def sure(request: HttpRequest, token: str, visit: int) -> HttpResponse:
    """The time that is kept, beside the present one, and what moves along; POST moves the visit as
    it was shown. Pressing twice moves it once."""
    now = timezone.now()
    link, shown = own_visit.opened(token, visit, now=now)
    try:
        if request.method == "POST":
            return _move(request, token, link, shown, now=now)
        at, kept = _instant(request.GET.get("at", "")), Hold.objects.own_of(link.patient)
        if at is None or kept is None or kept.expires_at <= now:
            if shown.starts_at == at and _was_done(token, shown, at, now=now):
                # Who goes back in their browser is told what they did, not that it was lost.
                return HttpResponseRedirect(reverse("patient-done", args=[token]))
            choose_url = reverse("patient-move", args=[token, visit])
            return HttpResponseRedirect(f"{choose_url}?run_out=1")
        try:
            return _sure(request, link, shown, at, kept, now=now)
        except NotByLink:
            raise
        except Refused as refusal:
            return _choose(request, link, shown, now=now, notice=_notice(refusal), wished=at)
    except NotByLink as refusal:
        back = reverse("care-page", args=[token])
        return own_visit.cannot(request, link, shown.site, refusal, back=back)


def _move(
    request: HttpRequest, token: str, link: PatientLink, shown: Appointment, *, now: datetime
) -> HttpResponse:
    visits = shown.series.appointments.select_related("site", "series", "protocol_version")
    moves = moves_in(request, {each.pk: each for each in visits})
    wished = next((each.wish.starts_at for each in moves if each.appointment.pk == shown.pk), None)
    try:
        moving.move(link=link, visit=shown, moves=moves, now=now)
    except Refused as refusal:
        if _was_done(token, shown, wished, now=now):
            return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
        if isinstance(refusal, NotByLink):
            raise
        fresh = own_visit.opened(token, shown.pk, now=now)[1]
        return _choose(request, link, fresh, now=now, notice=_notice(refusal), wished=wished)
    return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)


def _was_done(token: str, shown: Appointment, wished: datetime | None, *, now: datetime) -> bool:
    """Whether this link has just moved the visit to that time: the same press, come twice."""
    act = links.open(token, now=now).acted
    return (
        act is not None
        and act.move == Move.MOVE
        and (act.appointment_id, act.starts_after) == (shown.pk, wished)
    )


def _choose(
    request: HttpRequest,
    link: PatientLink,
    shown: Appointment,
    *,
    now: datetime,
    notice: str,
    wished: datetime | None = None,
) -> HttpResponse:
    """The times to choose from; near to `wished`, if that was lost, else to the present time."""
    day = _day(request.GET.get("day", "")) if request.method != "POST" else None
    try:
        free = times.to_move(shown, now=now, day=day)
    except NotByLink as refusal:
        if day is None or refusal.why is not Why.NOT_ALLOWED:
            raise
        day, free = None, times.to_move(shown, now=now)
    context = own_visit.base(request, link, shown.site)
    language, words = context["language"], context["words"]
    like = local(wished or shown.starts_at, shown.site.zone)
    has_later = shown.series.appointments.filter(starts_at__gt=shown.starts_at).exists()
    context |= {
        "here": reverse("patient-move", args=[own_visit.token_of(request), shown.pk]),
        "ask_url": reverse("patient-ask-to-move", args=[own_visit.token_of(request), shown.pk]),
        "heading": _heading(day, "days" in request.GET, words, language),
        "present": own_visit.when(shown.starts_at, shown.site, link.patient, language),
        "session": _session(shown, words),
        "window": _window(free, shown, language, words),
        "notice": words[notice] if notice else "",
        "until": words["you_can_until"].format(
            own_visit.when(
                shown.starts_at - times.notice_of(shown.site), shown.site, link.patient, language
            )
        ),
        "choices": [
            _slot(choice.at, choice.fit.value, free, has_later, words, language)
            for choice in free.first(like=like, near=like.date())
        ],
        "day": saying_days.format_day(day, language) if day else "",
        "on_day": [(drafts.moment(at), f"{at:%H:%M}") for at in free.on(day)] if day else [],
        "shifts": bool(day) and has_later and not free.window.rest_stays(day or like.date()),
        "days": _days(free, has_later, words, language) if "days" in request.GET else [],
    }
    status = 409 if request.method == "POST" else 200
    return render(request, "reminders/care/move.html", context, status=status)


def _heading(day: date | None, every: bool, words: Any, language: str) -> str:
    if day is not None:
        return str(words["times_of"].format(saying_days.format_day(day, language)))
    return str(words["all_days_title" if every else "move_title"])


def _session(shown: Appointment, words: Any) -> str:
    sessions = shown.series.sessions
    return words["session"].format(shown.session, sessions) if sessions > 1 else ""


def _window(free: Times, shown: Appointment, language: str, words: Any) -> str:
    first, last = (
        saying_days.format_day(day, language) for day in (free.window.earliest, free.window.latest)
    )
    if shown.session == 1:
        return str(words["until"].format(last))
    return str(words["between"].format(first, last))


def _slot(
    at: datetime, fit: str, free: Times, has_later: bool, words: Any, language: str
) -> dict[str, str]:
    hints = [words[fit]]
    if has_later and not free.window.rest_stays(at.date()):
        hints.append(words["later_move"])
    return {
        "at": drafts.moment(at),
        "day": saying_days.format_day(at.date(), language),
        "time": f"{at:%H:%M}",
        "hint": " · ".join(hints),
    }


def _days(free: Times, has_later: bool, words: Any, language: str) -> list[dict[str, str]]:
    return [
        {
            "day": day.isoformat(),
            "said": saying_days.format_day(day, language),
            "count": words["one_time"] if count == 1 else words["times"].format(count),
            "hint": words["later_move"] if has_later and not free.window.rest_stays(day) else "",
        }
        for day, count in free.days().items()
    ]


def _sure(
    request: HttpRequest,
    link: PatientLink,
    shown: Appointment,
    at: datetime,
    kept: Hold,
    *,
    now: datetime,
) -> HttpResponse:
    found = moving.proposed(visit=shown, starts_at=at, now=now, kept=kept)
    context = own_visit.base(request, link, shown.site)
    words = context["words"]

    def said(moment: datetime) -> str:
        return own_visit.when(moment, shown.site, link.patient, context["language"])

    later = [line for line in found.lines if line.appointment.pk != shown.pk]
    context |= {
        "visit": shown,
        "new": said(at),
        "present": said(shown.starts_at),
        "session": _session(shown, words),
        "later": [
            words["was_to"].format(said(line.after.starts_at), said(line.before.starts_at))
            for line in later
            if line.after.starts_at != line.before.starts_at
        ],
        "has_later": bool(later),
        "kept": words["kept_until"].format(own_visit.clock(kept.expires_at, shown.site)),
        "moves": [row.written for row in rows_of(found.lines, shown.site.zone) if row.written],
    }
    return render(request, "reminders/care/sure.html", context)


def _notice(refusal: Refused) -> str:
    said = (words for kind, words in _NOTICES.items() if isinstance(refusal, kind))
    return next(said, "not_that")


def _instant(text: str) -> datetime | None:
    return _read(drafts.instant, text)


def _day(text: str) -> date | None:
    return _read(date.fromisoformat, text)


def _read(of: Callable[[str], T], text: str) -> T | None:
    try:
        return of(text)
    except (ValueError, OverflowError):
        return None
