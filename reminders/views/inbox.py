"""/inbox/: what patients wrote back, who has it, and what was said before."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import uuid4

from django import forms
from django.contrib import messages as toasts
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.views.row_id import row_id
from reminders.inbound import conversing, threads
from reminders.inbound.conversing import ConversationRefused
from reminders.models import Conversation, ConversationState, InboundMessage
from reminders.models.conversation import ConversationQuerySet
from reminders.views import setting_aside, suggesting, whose_conversation
from reminders.views.one_conversation import attempt, seen
from reminders.wording.rules import HARD_SEGMENTS

PER_PAGE = 50
OPEN = "open"
SNOOZED = "snoozed"
TABS = (
    (OPEN, _("Open")),
    *((value, words) for value, words in ConversationState.choices if value != "closed"),
    (SNOOZED, _("Snoozed")),
    ("closed", ConversationState.CLOSED.label),
)
EMPTY = {
    OPEN: _("Everything that patients wrote back is dealt with."),
    "unmatched": _("Replies whose number belongs to nobody, or to several, wait here."),
    "new": _("Replies that nobody has answered yet wait here."),
    "waiting": _("Once you have answered, a conversation waits here for the patient."),
    "escalated": _("Replies that name an urgent symptom come here, and on call is paged."),
    SNOOZED: _(
        "What can wait is put out of sight until a time. It comes back then, or as soon as the"
        " patient writes again."
    ),
    "closed": _("What is dealt with, by you or at once, is kept here."),
}
OWNERS: tuple[tuple[str, Promise], ...] = (
    ("", _("Everybody's")),
    ("mine", _("Mine")),
    ("nobody", _("Nobody's")),
)


class ReplyForm(forms.Form):
    """An answer; `reference` is made with the form, so that a double click says it once."""

    text = forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    reference = forms.UUIDField(widget=forms.HiddenInput)


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.RUN_VISIT, site)
    tab, owner = request.GET.get("tab", OPEN), request.GET.get("owner", "")
    tab = tab if tab in EMPTY else OPEN
    here = conversing.of(staff).filter(site=site)
    page = Paginator(_with_last(_owned(_of_tab(here, tab, now), owner, staff)), PER_PAGE).get_page(
        request.GET.get("page")
    )
    in_sight = here.open().in_sight(now).order_by()
    counts = dict(in_sight.values_list("state").annotate(n=Count("pk")))
    counts[SNOOZED] = here.snoozed(now).count()
    owners = (*OWNERS, *_others(here, staff))
    lists(request, (each.patient_id for each in page), site_id=site.pk)
    context = {
        "site": site,
        "tabs": [(slug, words, counts.get(slug, 0), slug == tab) for slug, words in TABS],
        "tab": tab,
        "owners": [(value, words, value == owner) for value, words in owners],
        "page": page,
        "empty": EMPTY[tab],
        "may_manage": access.can(staff, Capability.MANAGE_MESSAGES, site),
        "staff": staff,
        "now": now,
    }
    return render(request, "reminders/inbox/inbox.html", context)


@require_GET
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation, beside what was said to the same address before."""
    return _shown(request, seen(request, pk), ReplyForm(initial={"reference": uuid4()}))


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    said, over = gettext("This conversation is yours."), "over" in request.POST
    attempt(request, conversing.take, seen(request, pk), said, over=over)
    return redirect("conversation", pk=pk)


@require_POST
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    shown, form = seen(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return _shown(request, shown, form, status=422)
    try:
        conversing.reply(
            conversation=shown,
            by=cast(Staff, request.user),
            now=timezone.now(),
            **form.cleaned_data,
        )
    except ConversationRefused as refused:
        form.add_error("text", refused.sentence)
        return _shown(request, shown, form, status=422)
    toasts.success(request, gettext("Your answer goes out now."))
    return redirect("conversation", pk=pk)


@require_POST
def match(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it is the conversation of `patient`, who is of its site."""
    shown, staff = seen(request, pk), cast(Staff, request.user)
    here = whose_conversation.of_its_site(shown, staff)
    patient = get_object_or_404(here, pk=row_id(request.POST.get("patient", "")))
    said = gettext("This conversation is %(patient)s's.") % {"patient": patient.display_name}
    attempt(request, conversing.match, shown, said, patient=patient)
    return redirect("conversation", pk=pk)


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    undo = reverse("conversation-reopen", args=[pk])
    said = gettext("The conversation is closed.")
    attempt(request, conversing.close, seen(request, pk), said, undo=undo)
    return redirect("inbox")


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    said = gettext("The conversation is open again, and yours.")
    attempt(request, conversing.reopen, seen(request, pk), said)
    return redirect("conversation", pk=pk)


@require_POST
def count(request: HttpRequest, pk: int) -> HttpResponse:
    """How many text messages the answer takes, while it is typed."""
    shown = seen(request, pk)
    context = {
        "counted": conversing.counted(shown.site, request.POST.get("text", "")),
        "most": HARD_SEGMENTS,
    }
    return render(request, "reminders/inbox/_count.html", context)


def _shown(
    request: HttpRequest, shown: Conversation, form: ReplyForm, *, status: int = 200
) -> HttpResponse:
    now, lines = timezone.now(), threads.of(shown)
    earlier, latest = threads.parted(lines)
    visit = threads.next_visit(shown, now=now)
    context = {
        "conversation": shown,
        "site": shown.site,
        "patient": shown.patient,
        "earlier": earlier,
        "lines": latest,
        "visit": visit,
        "suggestion": suggesting.suggested(
            shown, lines, visit, by=cast(Staff, request.user), now=now
        ),
        "suppression": conversing.suppression(shown),
        "detail": threads.may_name_detail(shown),
        **whose_conversation.asked(request, shown),
        "form": form,
        "counted": conversing.counted(shown.site, form["text"].value() or ""),
        "most": HARD_SEGMENTS,
        "staff": request.user,
        "now": now,
        **setting_aside.offered(shown, now=now),
    }
    return render(request, "reminders/inbox/conversation.html", context, status=status)


def _of_tab(here: ConversationQuerySet, tab: str, now: datetime) -> ConversationQuerySet:
    if tab == SNOOZED:
        return here.snoozed(now)
    in_sight = here.in_sight(now)
    return in_sight.open() if tab == OPEN else in_sight.filter(state=tab)


def _owned(found: QuerySet[Conversation], owner: str, staff: Staff) -> QuerySet[Conversation]:
    if owner == "mine":
        return found.filter(owner=staff)
    if pk := row_id(owner):
        return found.filter(owner=pk)
    return found.filter(owner=None) if owner == "nobody" else found


def _others(here: ConversationQuerySet, staff: Staff) -> list[tuple[str, str]]:
    """The colleagues who have an open conversation."""
    having = Staff.objects.filter(pk__in=here.open().values("owner")).exclude(pk=staff.pk)
    return [(str(pk), name) for pk, name in having.order_by("name").values_list("pk", "name")]


def _with_last(found: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Each with its latest reply's words and labels: the urgent first, then those in which
    somebody wrote last, or which came back last."""
    latest = InboundMessage.objects.filter(conversation=OuterRef("pk")).order_by("-id")
    return (
        found.annotate(
            last_text=Subquery(latest.values("text")[:1]),
            last_labels=Subquery(latest.values("labels")[:1]),
            up_at=Greatest("last_at", "snoozed_until"),
        )
        .select_related("patient", "owner", "site")
        .order_by("page_at", "-up_at", "-id")
    )
