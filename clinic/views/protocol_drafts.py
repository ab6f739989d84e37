"""The next version of a protocol: begun, written as text with what is wrong line by line, taken
back, thrown away, and made a version to be approved."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import drafting, sections
from clinic.protocols.comparing import lines_apart
from clinic.protocols.drafting import DraftMovedOn, DraftRefused
from clinic.views import protocol_frame
from clinic.views.row_id import row_id


@require_POST
def begin(request: HttpRequest, protocol: str, version: str) -> HttpResponse:
    """Open the working draft of a protocol, as a copy of this version if there is none."""
    row = get_object_or_404(ProtocolVersion, protocol=protocol, version=version)
    try:
        drafting.begin(base=row, by=cast(Staff, request.user), now=timezone.now())
    except DraftRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("protocol", protocol, version)
    return redirect("protocol-draft-section", protocol, protocol_frame.first_section(row))


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, protocol: str) -> HttpResponse:
    """POST saves, and stores the version when `publish` was pressed."""
    row = draft_of(request, protocol)
    if request.method != "POST":
        return _page(request, row)
    text, seen = request.POST.get("text", ""), row_id(request.POST.get("revision", ""))
    by, now, publish = cast(Staff, request.user), timezone.now(), "publish" in request.POST
    try:
        saved = drafting.save(draft=row, text=text, seen=seen, by=by, now=now, publish=publish)
    except DraftMovedOn as moved:
        return _page(request, moved.theirs, text=text, refused=moved)
    except DraftRefused as refused:
        return _page(request, row, text=text, refused=refused)
    if saved.version:
        return to_changes(request, saved.version)
    wrong = drafting.no_version_yet() if publish else None
    return _page(request, saved.draft, refused=wrong, saved=True)


def draft_of(request: HttpRequest, protocol: str) -> ProtocolDraft:
    """The working draft of a protocol, to who may write it."""
    rows = ProtocolDraft.objects.select_related("base", "saved_by")
    row = get_object_or_404(rows, protocol=protocol)
    drafting.require(cast(Staff, request.user), row)
    return row


@require_POST
def publish(request: HttpRequest, protocol: str) -> HttpResponse:
    """Make what is saved a version; `revision` is the draft that was seen."""
    row, seen = draft_of(request, protocol), row_id(request.POST.get("revision", ""))
    by, now = cast(Staff, request.user), timezone.now()
    try:
        version = drafting.publish(draft=row, seen=seen, by=by, now=now)
    except DraftRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("protocol-draft", protocol)
    return to_changes(request, version)


def to_changes(request: HttpRequest, version: ProtocolVersion) -> HttpResponse:
    """To what a version that was just stored changes."""
    messages.success(
        request,
        gettext("Version %(version)s is stored. Look what it changes, then approve it.")
        % {"version": version.version},
    )
    return redirect("protocol-changes", version.protocol, version.version)


@require_POST
def take_back(request: HttpRequest, protocol: str) -> HttpResponse:
    """Put back what the last save replaced. `revision` is the draft that was seen."""
    row = draft_of(request, protocol)
    seen = row_id(request.POST.get("revision", request.GET.get("revision", "")))
    by, now = cast(Staff, request.user), timezone.now()
    try:
        drafting.take_back(draft=row, seen=seen, by=by, now=now)
    except DraftRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("The last save is taken back."))
    there = request.POST.get("section", "")
    if there in sections.BY_SLUG:
        return redirect("protocol-draft-section", protocol, there)
    return redirect("protocol-draft", protocol)


@require_POST
def discard(request: HttpRequest, protocol: str) -> HttpResponse:
    row = draft_of(request, protocol)
    seen = row_id(request.POST.get("revision", ""))
    try:
        drafting.discard(draft=row, seen=seen, by=cast(Staff, request.user), now=timezone.now())
    except DraftRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("protocol-draft", protocol)
    messages.success(request, gettext("The draft was thrown away."))
    return redirect("protocol", protocol, row.base.version)


def _page(
    request: HttpRequest,
    row: ProtocolDraft,
    *,
    text: str | None = None,
    refused: DraftRefused | None = None,
    saved: bool = False,
) -> HttpResponse:
    """`text` is what the reader wrote where it is not what is saved. Where somebody else saved it
    meanwhile, both stand side by side, line by line."""
    text = row.text if text is None else text
    is_stale = isinstance(refused, DraftMovedOn)
    context = protocol_frame.frame(request, row, text, "text") | {
        "text": text,
        "rows": min(max(text.count("\n") + 2, 24), 36),
        "refused": refused.sentence if refused else "",
        "is_stale": is_stale,
        "apart": lines_apart(text, row.text) if is_stale else (),
        "saved": saved,
    }
    status = 409 if is_stale else 422 if refused else 200
    return render(request, "clinic/protocols/draft.html", context, status=status)
