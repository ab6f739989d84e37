"""/messages/: what is scheduled, was sent, failed or was left out, and what can be done."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from clinic import access, saying_days
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import instant, local
from clinic.when_fields import DayField
from reminders.catalogue import Channel, Kind, Tray
from reminders.ledger import showing_consent
from reminders.ledger.last_failure import last_failure
from reminders.models import Message
from reminders.sending import switching
from reminders.templatetags.kinds import kind_word
from reminders.views import message_rows
from reminders.views.message_acts import UntilForm

PER_PAGE = 50
ONE_DAY = timedelta(days=1)
# How far back an empty tab of failed messages looks for the last one.
LOOKED_BACK = timedelta(days=30)
# tab → its name, its trays, what an empty one says.
TABS: dict[str, tuple[Promise, tuple[Tray, ...], Promise]] = {
    "scheduled": (
        _("Scheduled"),
        (Tray.TO_COME,),
        _("Messages are planned within moments of a booking."),
    ),
    "sent": (_("Sent"), (Tray.TOLD,), _("What providers took over appears here.")),
    "failed": (
        _("Failed"),
        message_rows.FAILED,
        _("What fails appears here with its reason and a way on."),
    ),
    "skipped": (
        _("Skipped"),
        (Tray.SKIPPED,),
        _("What is left out on purpose appears here with its reason."),
    ),
    "withdrawn": (
        _("Withdrawn"),
        (Tray.WITHDRAWN,),
        _("What a moved or cancelled visit made needless appears here."),
    ),
}


class FilterForm(forms.Form):
    """What to show of a tab; days are local to the site, both included."""

    kind = forms.ChoiceField(
        required=False,
        # Asked anew for each form: its words are in the language of the request.
        choices=lambda: [("", _("Every kind")), *((kind.value, kind_word(kind)) for kind in Kind)],
    )
    channel = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("Every channel")),
            (Channel.SMS.value, _("Text message")),
            (Channel.EMAIL.value, _("E-mail")),
        ],
    )
    since = DayField(required=False, label=_("From"))
    until = DayField(required=False, label=_("To"))


@require_GET
def message_list(request: HttpRequest) -> HttpResponse:
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.MANAGE_MESSAGES, site)
    tab = request.GET.get("tab", "scheduled")
    tab = tab if tab in TABS else "scheduled"
    form = FilterForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    here = Message.objects.seen_by(staff).filter(site=site)
    name, trays, when_empty = TABS[tab]
    found = _filtered(here.filter(tray__in=trays), asked, site)
    order = ("due_at", "id") if tab == "scheduled" else ("-due_at", "-id")
    page = Paginator(found.select_related("patient", "site").order_by(*order), PER_PAGE).get_page(
        request.GET.get("page")
    )
    lists(request, (each.patient_id for each in page), site_id=site.pk)
    rows = message_rows.rows_of(list(page), staff=staff, now=now)
    message_rows.add_codes(rows)
    is_filtered = any(asked.values()) or not form.is_valid()
    empty = str(when_empty)
    if tab == "failed" and not rows and not is_filtered:
        empty = f"{_nothing_failed(site, now)} {empty}"
    context = {
        "site": site,
        "tab": tab,
        "tabs": [(slug, words, slug == tab) for slug, (words, _, _) in TABS.items()],
        "failed": _awaiting_a_hand(here, now),
        "form": form,
        "is_filtered": is_filtered,
        "page": page,
        "rows": rows,
        "name": name,
        "empty": empty,
        "now": now,
    }
    return render(request, "reminders/messages/message_list.html", context)


# The frame holds a mail's own HTML, which comes from sent_words.
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know no arguments
@require_GET
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message: its words, its why, and every try to send it."""
    staff, now = cast(Staff, request.user), timezone.now()
    shown = message_rows.seen(request, message_id)
    [row] = rows = message_rows.rows_of([shown], staff=staff, now=now, whole=True)
    message_rows.add_words(rows, now)
    message_rows.add_codes(rows)
    context = {
        "row": row,
        "message": shown,
        "site": shown.site,
        "patient": shown.patient,
        "attempts": shown.attempts.order_by("number"),
        "receipts": shown.receipts.order_by("id"),
        "consents": showing_consent.standing_for(shown, now=now),
        "looks": shown.look_ups.order_by("id"),
        "until_form": UntilForm({"until": _proposed(shown, now)}),
        "is_switched": row.may_skip and switching.is_switched(shown),
        "may_at_any_hour": access.can(staff, Capability.SEND_AT_ANY_HOUR, shown.site),
    }
    return render(request, "reminders/messages/message.html", context)


def _proposed(shown: Message, now: datetime) -> datetime:
    """What the field proposes, on the clock of the site: when it leaves as things stand, or the
    next hour to come."""
    next_hour = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    leaves_at = max(shown.wake_at or shown.due_at, next_hour)
    return local(leaves_at, shown.site.zone).replace(tzinfo=None)


def _filtered(found: QuerySet[Message], asked: dict[str, Any], site: Site) -> QuerySet[Message]:
    if asked.get("kind"):
        found = found.filter(kind=asked["kind"])
    if asked.get("channel"):
        found = found.filter(channel=asked["channel"])
    if since := asked.get("since"):
        found = found.filter(due_at__gte=_midnight(since, site))
    if until := asked.get("until"):
        found = found.filter(due_at__lt=_midnight(until + ONE_DAY, site))
    return found


def _midnight(day: date, site: Site) -> datetime:
    return instant(day, 0, site.zone)


def _nothing_failed(site: Site, now: datetime) -> str:
    """Since when: "Nothing failed since Mon 23 Nov."; what failed before was sent again."""
    at = last_failure(site, since=now - LOOKED_BACK)
    if at is None:
        return gettext("Of what was due in the last %(days)s days nothing failed.") % {
            "days": LOOKED_BACK.days
        }
    day = saying_days.format_day(local(at, site.zone).date(), reader_language())
    return gettext("Nothing failed since %(day)s.") % {"day": day}


def _awaiting_a_hand(here: QuerySet[Message], now: datetime) -> int:
    """How many failed messages could still be of use."""
    return here.filter(tray__in=message_rows.FAILED, expires_at__gt=now).count()
