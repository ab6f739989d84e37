"""/blocks/: times in which somebody or something is not to be had, and the visits under them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.absences import affected, blocks
from appointments.models import Appointment, Block, BlockKind
from appointments.refusals import Refused, VisitsInTheWay
from appointments.views import relocating
from appointments.views.block_form import BlockForm, EndForm, kind_for
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.views.current_site import current_site
from clinic.views.row_id import row_id
from clinic.wall_time import local


@require_http_methods(["GET", "HEAD", "POST"])
def block_list(request: HttpRequest) -> HttpResponse:
    """What is blocked now and later, and a form for one more: on `?date=`, of the resource `?of=`,
    when the board asks."""
    site, by, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.SEE_PATIENTS, site)
    in_the_way = False
    form = BlockForm(request.POST or None, site=site, initial=_initial(request, site, now))
    if request.method == "POST" and form.is_valid():
        try:
            made = _made(form, site, by, now)
        except Refused as refused:
            in_the_way = isinstance(refused, VisitsInTheWay)
            fields = {"starts_at": "starts_day", "ends_at": "ends_day"}
            field = fields.get(refused.field, refused.field)
            form.add_error(field if field in form.fields else None, refused.sentence)
        else:
            messages.success(
                request, gettext("Blocked."), extra_tags=reverse("block-release", args=[made.pk])
            )
            return HttpResponseRedirect(reverse("block", args=[made.pk]), status=303)
    standing = list(
        Block.objects.seen_by(by)
        .standing()
        .filter(site=site, ends_at__gt=now)
        .prefetch_related("resources")
    )
    counts = affected.counts(standing, now=now)
    context = {
        "site": site,
        "form": form,
        "in_the_way": in_the_way,
        "rows": [(each, counts[each.pk]) for each in standing],
        "now": now,
        "may_block": access.can(by, Capability.BLOCK_TIME, site),
    }
    status = 422 if form.errors else 200
    return render(request, "appointments/blocks/block_list.html", context, status=status)


@require_safe
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """One block, with the visits under it and the places proposed for them."""
    return _page(request, _seen(request, pk))


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    try:
        blocks.release(block=shown, by=cast(Staff, request.user), now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("The time is given back."))
    return HttpResponseRedirect(reverse("blocks"), status=303)


@require_POST
def change_end(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _seen(request, pk)
    form = EndForm(request.POST, site=shown.site)
    if form.is_valid():
        try:
            blocks.change_end(
                block=shown,
                ends_at=form.at["ends"],
                over_visits=form.cleaned_data["over_visits"],
                by=cast(Staff, request.user),
                now=timezone.now(),
            )
        except Refused as refused:
            form.add_error("ends_day", refused.sentence)
        else:
            messages.success(request, gettext("The block has another end."))
            return HttpResponseRedirect(reverse("block", args=[pk]), status=303)
    return _page(request, shown, form)


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the visits under a block to the places that were shown."""
    shown = _seen(request, pk)
    names = ", ".join(each.name for each in shown.resources.all())
    return relocating.move(
        request,
        site=shown.site,
        visits=_visits(request, shown),
        back=reverse("block", args=[pk]),
        address=reverse("block-move", args=[pk]),
        reason=f"{names}: {shown.get_kind_display().lower()}"[:200],
    )


def _made(form: BlockForm, site: Site, by: Staff, now: datetime) -> Block:
    asked = form.cleaned_data
    return blocks.block(
        site=site,
        resources=list(asked["resources"]),
        kind=BlockKind(asked["kind"]),
        starts_at=form.at["starts"],
        ends_at=form.at["ends"],
        reason=asked["reason"],
        over_visits=asked["over_visits"],
        by=by,
        now=now,
    )


def _initial(request: HttpRequest, site: Site, now: datetime) -> dict[str, Any]:
    """From the full hour that runs until the end of the day; of another day, the whole."""
    there = local(now, site.zone)
    try:
        day = date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        day = there.date()
    of = blocks.blockable(site).filter(pk=row_id(request.GET.get("of", "")))
    return {
        "resources": of,
        "kind": kind_for(of) if of else None,
        "starts_day": day,
        "starts_time": there.replace(minute=0).time() if day == there.date() else "08:00",
        "ends_day": day,
        "ends_time": "20:00",
    }


def _page(request: HttpRequest, shown: Block, form: EndForm | None = None) -> HttpResponse:
    ends = local(shown.ends_at, shown.site.zone)
    initial = {"ends_day": ends.date(), "ends_time": ends.time()}
    by = cast(Staff, request.user)
    context = {
        "kept": shown,
        "form": form or EndForm(site=shown.site, initial=initial),
        "address": reverse("block-move", args=[shown.pk]),
        "is_over": False,
        "is_past": shown.ends_at <= timezone.now(),
        "may_block": access.can(by, Capability.BLOCK_TIME, shown.site),
        **relocating.work(request, shown.site, _visits(request, shown)),
    }
    status = 422 if form is not None else 200
    return render(request, "appointments/blocks/block.html", context, status=status)


def _seen(request: HttpRequest, pk: int) -> Block:
    rows = Block.objects.seen_by(cast(Staff, request.user)).select_related("site", "created_by")
    return get_object_or_404(rows.prefetch_related("resources"), pk=pk)


def _visits(request: HttpRequest, shown: Block) -> QuerySet[Appointment]:
    seen = Appointment.objects.seen_by(cast(Staff, request.user))
    return affected.by_block(shown, now=timezone.now()).filter(pk__in=seen.values("pk"))
