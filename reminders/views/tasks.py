"""/tasks/: the work that protocols and failed messages ask of staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from appointments import tasks
from appointments.models import Task
from appointments.tasks import TaskRefused
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.retelling import retold
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import instant, local
from patients.models import ContactPoint, Patient
from reminders.models import InboundMessage

PER_PAGE = 30
# How many later tasks are listed under the fold.
LATER = 30


@dataclass(slots=True)
class Row:
    """A task with the patient's number; `is_overdue` when its moment has passed, `about` where
    what it speaks of is seen, and in which words."""

    task: Task
    phone: str
    is_overdue: bool
    about: tuple[str, str] | None = None


@dataclass(slots=True)
class Group:
    """The tasks of one patient that are listed together, where the most urgent of them stands."""

    patient: Patient | None
    phone: str
    rows: list[Row]


@require_GET
def task_list(request: HttpRequest) -> HttpResponse:
    """Due today or before first, later ones folded; `?show=closed` the closed ones."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    today = local(now, site.zone).date()
    midnight = instant(today + timedelta(days=1), 0, site.zone)
    here = (
        Task.objects.seen_by(staff)
        .filter(site=site)
        .select_related("patient", "owner", "closed_by", "appointment", "site")
    )
    is_closed = request.GET.get("show") == "closed"
    chosen = (
        here.filter(closed_at__isnull=False).order_by("-closed_at", "-id")
        if is_closed
        else here.open().filter(due_at__lt=midnight).order_by("due_at", "id")
    )
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    later = [] if is_closed else list(here.open().filter(due_at__gte=midnight)[: LATER + 1])
    phones = ContactPoint.objects.numbers(
        {task.patient_id for task in [*page, *later] if task.patient_id}
    )
    about = _about([*page, *later])
    lists(request, (each.patient_id for each in (*page, *later)), site_id=site.pk)
    context = {
        "site": site,
        "page": page,
        "groups": _groups(
            [_row(task, phones, about, is_overdue=task.due_at <= now) for task in page]
        ),
        "later": _groups([_row(task, phones, about, is_overdue=False) for task in later[:LATER]]),
        "later_count": min(len(later), LATER),
        "has_more_later": len(later) > LATER,
        "is_closed": is_closed,
        "staff": staff,
    }
    return render(request, "reminders/tasks/task_list.html", context)


@require_POST
def take_task(request: HttpRequest, task_id: int) -> HttpResponse:
    task = _seen(request, task_id)
    try:
        tasks.take(
            task=task,
            by=cast(Staff, request.user),
            now=timezone.now(),
            over="over" in request.POST,
        )
    except TaskRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("“%(title)s” is yours.") % {"title": retold(task.title)})
    return _back(request)


@require_POST
def close_task(request: HttpRequest, task_id: int) -> HttpResponse:
    task = _seen(request, task_id)
    try:
        tasks.close(
            task=task,
            by=cast(Staff, request.user),
            now=timezone.now(),
            outcome=request.POST.get("outcome", ""),
        )
    except TaskRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("“%(title)s” is closed.") % {"title": retold(task.title)})
    return _back(request)


def _seen(request: HttpRequest, task_id: int) -> Task:
    seen = Task.objects.seen_by(cast(Staff, request.user))
    return get_object_or_404(seen.select_related("site"), pk=task_id)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    wanted = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        wanted = reverse("task-list")
    return HttpResponseRedirect(wanted)


def _row(
    task: Task,
    phones: dict[int, str],
    about: dict[int, tuple[str, str]],
    *,
    is_overdue: bool,
) -> Row:
    phone = phones.get(task.patient_id, "") if task.patient_id else ""
    return Row(task, phone, is_overdue, about.get(task.pk))


def _about(listed: list[Task]) -> dict[int, tuple[str, str]]:
    """By task the address and the words of the reply or the event that it came from, as far as its
    key tells."""
    parts = {task.pk: task.key.split(":") for task in listed}
    parts = {pk: of for pk, of in parts.items() if of[1:] and of[1].isdecimal()}
    replies = {pk: int(of[1]) for pk, of in parts.items() if of[0] == "reply"}
    rows = InboundMessage.objects.filter(pk__in=replies.values()) if replies else None
    talks = dict(rows.values_list("pk", "conversation")) if rows is not None else {}
    found = {
        pk: (reverse("conversation", args=[talks[reply]]), gettext("the reply"))
        for pk, reply in replies.items()
        if reply in talks
    }
    for pk, of in parts.items():
        if of[0] == "event":
            found[pk] = (reverse("event", args=[of[1]]), gettext("the adverse event"))
    return found


def _groups(rows: list[Row]) -> list[Group]:
    """By patient, in the order of the first of each; what is of nobody stands alone."""
    groups: dict[int, Group] = {}
    for row in rows:
        task = row.task
        key = task.patient_id or -task.pk
        groups.setdefault(key, Group(task.patient, row.phone, [])).rows.append(row)
    return list(groups.values())
