"""/feeds/: addresses of calendars, made and revoked; and /feeds/<token>.ics, the calendars."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.feeds import ical, subscriptions
from appointments.feeds.subscriptions import FeedClosed
from appointments.models import CalendarFeed, FeedDetail
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, Site, Staff
from clinic.views.current_site import current_site

WHOLE_SITE = "site"


class FeedForm(forms.Form):
    """Whose calendar, and how much of a visit it tells."""

    whose = forms.ChoiceField(label=_("Whose visits"))
    detail = forms.ChoiceField(
        label=_("What others read"),
        choices=[
            (FeedDetail.BUSY, _("“Busy” only")),
            (
                FeedDetail.INITIALS,
                _("Initials, session and code, such as “E.S. · session 2/3 · RM”"),
            ),
        ],
        initial=FeedDetail.BUSY,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, site: Site, offered: list[Resource | None], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.by_value = {str(each.pk) if each else WHOLE_SITE: each for each in offered}
        self["whose"].field.choices = [  # type: ignore[attr-defined]
            (value, each.name if each else gettext("Everybody at %(site)s") % {"site": site.name})
            for value, each in self.by_value.items()
        ]

    @property
    def provider(self) -> Resource | None:
        return self.by_value[self.cleaned_data["whose"]]


@require_http_methods(["GET", "HEAD", "POST"])
def feed_list(request: HttpRequest) -> HttpResponse:
    """The open feeds of the site, and a form for one more.

    The answer to the form is the page itself and no redirect: the address is shown this once, and
    a redirect would need it stored somewhere.
    """
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.SEE_PATIENTS, site)
    offered = subscriptions.on_offer(site=site, by=by)
    form = FeedForm(request.POST or None, site=site, offered=offered)
    made = address = None
    if request.method == "POST" and form.is_valid():
        token, made = subscriptions.make(
            site=site,
            provider=form.provider,
            detail=FeedDetail(form.cleaned_data["detail"]),
            by=by,
            now=timezone.now(),
        )
        address = subscriptions.address(token)
        form = FeedForm(site=site, offered=offered)
    standing = (
        CalendarFeed.objects.seen_by(by)
        .filter(site=site, revoked_at=None)
        .select_related("site", "provider", "made_by")
    )
    context = {
        "site": site,
        "form": form,
        "offered": offered,
        "made": made,
        "address": address,
        "subscribe": address and f"webcal://{address.partition('://')[2]}",
        "rows": [(feed, subscriptions.may_revoke(feed, by)) for feed in standing],
    }
    answer = render(request, "appointments/feeds/feed_list.html", context)
    if address:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    by = cast(Staff, request.user)
    feed = get_object_or_404(CalendarFeed.objects.seen_by(by), pk=pk)
    subscriptions.revoke(feed=feed, by=by, now=timezone.now())
    messages.success(
        request,
        gettext("The address is revoked for good. Programs that read it find nothing any more."),
    )
    return HttpResponseRedirect(reverse("feeds"), status=303)


@login_not_required
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar for a program that subscribes to it, or 304 when it has it already."""
    try:
        found = subscriptions.read(token, now=timezone.now())
    except FeedClosed as closed:
        answer = HttpResponse(closed.sentence, status=404, content_type="text/plain; charset=utf-8")
    else:
        since = int(found.changed_at.timestamp())
        etag = quote_etag(found.etag)
        answer = get_conditional_response(request, etag=etag, last_modified=since) or HttpResponse(
            ical.write(found.calendar),
            content_type="text/calendar; charset=utf-8",
            headers={"Content-Disposition": 'inline; filename="visits.ics"'},
        )
        answer.headers["ETag"], answer.headers["Last-Modified"] = etag, http_date(since)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
