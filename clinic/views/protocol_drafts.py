"""Writing the next version of a protocol: as text, with what is wrong line by line, what it
changes and its picture, until it becomes a version to be approved."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import drafting, reading
from clinic.protocols.comparing import differences
from clinic.protocols.drafting import DraftMovedOn, DraftRefused
from clinic.views.current_site import current_site
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
    return redirect("protocol-draft", protocol)


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, protocol: str) -> HttpResponse:
    """POST saves, and stores the version when `publish` was pressed."""
    by = cast(Staff, request.user)
    access.require(by, Capability.APPROVE_PROTOCOL)
    row = get_object_or_404(
        ProtocolDraft.objects.select_related("base", "saved_by"), protocol=protocol
    )
    if request.method != "POST":
        return _page(request, row)
    text, seen = request.POST.get("text", ""), row_id(request.POST.get("revision", ""))
    now = timezone.now()
    try:
        row = drafting.save(draft=row, text=text, seen=seen, by=by, now=now)
        if "publish" not in request.POST:
            return _page(request, row, saved=True)
        if drafting.checked(row).protocol is None:
            return _page(request, row, refused=gettext("It becomes no version yet."))
        version = drafting.publish(draft=row, seen=row.revision, by=by, now=now)
    except DraftMovedOn as moved:
        row = moved.theirs
        return _page(request, row, text=text, refused=moved.sentence, theirs=row.text)
    except DraftRefused as refused:
        return _page(request, row, text=text, refused=refused.sentence)
    messages.success(
        request,
        gettext("Version %(version)s is stored. Look what it changes, then approve it.")
        % {"version": version.version},
    )
    return redirect("protocol-changes", protocol, version.version)


@require_POST
def discard(request: HttpRequest, protocol: str) -> HttpResponse:
    row = get_object_or_404(ProtocolDraft.objects.select_related("base"), protocol=protocol)
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
    refused: str = "",
    theirs: str = "",
    saved: bool = False,
) -> HttpResponse:
    """`text` is what the reader wrote where it is not what is saved, `theirs` what is."""
    text = row.text if text is None else text
    found = drafting.check_for(row, text)
    changes = (
        differences(row.base.document, reading.to_document(found.protocol))
        if found.protocol
        else []
    )
    context: dict[str, Any] = {
        "site": current_site(request),
        "draft": row,
        "base": row.base,
        "text": text,
        "rows": min(max(text.count("\n") + 2, 24), 36),
        "found": found,
        "changes": changes,
        "refused": refused,
        "theirs": theirs,
        "saved": saved,
    }
    status = 409 if theirs else 422 if refused else 200
    return render(request, "clinic/protocols/draft.html", context, status=status)
