"""The next version of a protocol field by field: its sections, their rows, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic.models import ProtocolDraft, Staff
from clinic.protocols import drafting, references, sections, writing
from clinic.protocols import saving_sections as saving
from clinic.protocols.drafting import DraftMovedOn, DraftRefused
from clinic.protocols.saving_sections import Arrange, RowRefused, Target, TextRefused
from clinic.protocols.sections import KEY, Part, Section
from clinic.views import protocol_fields, protocol_frame
from clinic.views.protocol_drafts import draft_of, to_changes
from clinic.views.protocol_words import SECTIONS
from clinic.views.row_id import row_id


@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, protocol: str, slug: str) -> HttpResponse:
    """One section: its fields, or the list of its rows."""
    found = _section(slug)
    if found.has_rows:
        return _rows(request, draft_of(request, protocol), found)
    return _filled_in(request, draft_of(request, protocol), Target(found))


@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, protocol: str, slug: str, number: int) -> HttpResponse:
    """One row of a section; the number behind the last one is a new row. `like` is the number of
    one that it begins as a copy of."""
    found = _section(slug)
    if not found.has_rows:
        raise Http404
    return _filled_in(request, draft_of(request, protocol), Target(found, number))


@require_POST
def arrange(request: HttpRequest, protocol: str, slug: str, number: int) -> HttpResponse:
    """Move a row up or down, or take it out."""
    draft, found = draft_of(request, protocol), _section(slug)
    if request.POST.get("act") not in [*Arrange]:
        raise Http404
    act = Arrange(request.POST["act"])
    try:
        saved = saving.arrange(
            draft=draft,
            section=found,
            row=number,
            act=act,
            saw=request.POST.get("seen", ""),
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except DraftRefused as refused:
        messages.error(request, f"{refused.sentence} {gettext('Nothing was changed.')}")
    else:
        if act is Arrange.REMOVE:
            undo = reverse("protocol-draft-undo", args=(protocol,))
            said = gettext("The row is taken out of the draft.")
            messages.success(request, said, extra_tags=f"{undo}?revision={saved.revision}")
    there = reverse("protocol-draft-section", args=(protocol, slug))
    return redirect(there if act is Arrange.REMOVE else f"{there}#row-{number}")


def _filled_in(request: HttpRequest, draft: ProtocolDraft, target: Target) -> HttpResponse:
    """A form: shown, looked at while it is typed (`preview`), kept, or made a version."""
    try:
        document = saving.document_of(draft.text)
    except TextRefused:
        return redirect("protocol-draft", draft.protocol)
    if request.method == "POST":
        return _saved(request, draft, target)
    if target.row is not None and target.row > len(sections.rows(document, target.section)):
        raise Http404
    return _form(request, draft, target, _began(request, document, target))


def _saved(request: HttpRequest, draft: ProtocolDraft, target: Target) -> HttpResponse:
    typed, saw = dict(request.POST.lists()), request.POST.get("seen", "")
    if "preview" in request.POST:
        return _preview(request, draft, target, typed)
    by, now, publish = cast(Staff, request.user), timezone.now(), "publish" in request.POST
    try:
        filled = saving.fill_in(
            draft=draft, target=target, typed=typed, saw=saw, by=by, now=now, publish=publish
        )
    except DraftMovedOn as moved:
        document = saving.document_of(moved.theirs.text)
        target = saving.found_again(document, target, typed, saw)
        part = saving.typed_part(document, target, typed)
        return _form(request, moved.theirs, target, part, refused=moved, status=409)
    except DraftRefused as refused:
        part = saving.typed_part(saving.document_of(draft.text), target, typed)
        return _form(request, draft, target, part, refused=refused, status=422)
    draft, target = filled.draft, filled.target
    if filled.version:
        return to_changes(request, filled.version)
    if publish:
        part = saving.typed_part(saving.document_of(draft.text), target, typed)
        wrong = drafting.no_version_yet()
        return _form(request, draft, target, part, refused=wrong, status=422)
    messages.success(request, gettext("Saved."))
    return redirect(protocol_frame.address(draft.protocol, target.section, target.row))


def _form(
    request: HttpRequest,
    draft: ProtocolDraft,
    target: Target,
    part: Part,
    *,
    refused: DraftRefused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The fields of `part`; what is saved stands beside those in which it differs, when somebody
    else saved it meanwhile."""
    document = saving.document_of(draft.text)
    context = protocol_frame.frame(request, draft, draft.text, target.section.slug)
    problems = protocol_frame.problems_of(
        context["found"].problems, document, target.section, target.row
    )
    if isinstance(refused, RowRefused):
        problems = [(refused.field, refused.sentence)]
    theirs = target.part(document) if isinstance(refused, DraftMovedOn) else None
    label, lead = SECTIONS[target.section.slug]
    rows = sections.rows(document, target.section) if target.row is not None else []
    is_new = target.row is not None and target.row == len(rows)
    context |= {
        "label": label,
        "lead": lead,
        "target": target,
        "filled": protocol_fields.filled(target.section, part, problems, theirs),
        "title": _title(target, part, is_new=is_new),
        "name": protocol_frame.name_of(target.section, part) if target.row is not None else "",
        "seen": saving.seen(document, target),
        "is_new": is_new,
        "is_stale": isinstance(refused, DraftMovedOn),
        "refused": refused.sentence if refused else "",
        "wrong": len(problems),
        "sources": sections.rows(document, sections.BY_SLUG["sources"]),
    }
    return render(request, "clinic/protocols/draft_form.html", context, status=status)


def _rows(request: HttpRequest, draft: ProtocolDraft, found: Section) -> HttpResponse:
    try:
        document = saving.document_of(draft.text)
    except TextRefused:
        return redirect("protocol-draft", draft.protocol)
    context = protocol_frame.frame(request, draft, draft.text, found.slug)
    problems = context["found"].problems
    label, lead = SECTIONS[found.slug]
    context |= {
        "label": label,
        "lead": lead,
        "section": found,
        "seen": saving.seen_rows(document, found),
        "whole": protocol_frame.problems_of(problems, document, found, None),
        "lines": [
            {
                "number": number,
                "name": protocol_frame.name_of(found, part),
                "title": protocol_fields.title(part),
                "facts": protocol_fields.facts(found, part),
                "wrong": len(protocol_frame.problems_of(problems, document, found, number)),
            }
            for number, part in enumerate(sections.rows(document, found))
        ],
    }
    return render(request, "clinic/protocols/draft_rows.html", context)


def _preview(
    request: HttpRequest, draft: ProtocolDraft, target: Target, typed: Mapping[str, list[str]]
) -> HttpResponse:
    """What the draft would come to with what is typed; nothing is kept."""
    document = saving.document_of(draft.text)
    with suppress(RowRefused):  # the row has no id yet, and is no part of the picture
        document = saving.filled_in(document, target, typed)
    context = protocol_frame.state(draft, writing.toml(document), document)
    return render(request, "clinic/protocols/_draft_preview.html", context)


def _began(request: HttpRequest, document: Part, target: Target) -> Part:
    """What stands in the fields at first; a copy has no name yet."""
    part = target.part(document)
    if part is not None:
        return part
    rows = dict(enumerate(sections.rows(document, target.section)))
    like = request.GET.get("like", "")
    name = references.NAMED_BY.get(target.section.path, KEY)
    copied = rows.get(row_id(like), {}) if like else {}
    return {field: value for field, value in copied.items() if field != name}


def _title(target: Target, part: Part, *, is_new: bool) -> str:
    label = str(SECTIONS[target.section.slug][0])
    if target.row is None:
        return label
    name = protocol_fields.title(part) or protocol_frame.name_of(target.section, part)
    return gettext("A new row") if is_new else name or str(target.row + 1)


def _section(slug: str) -> Section:
    if slug not in sections.BY_SLUG:
        raise Http404
    return sections.BY_SLUG[slug]
