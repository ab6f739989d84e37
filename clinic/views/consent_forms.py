"""/consent-forms/: what patients sign, to read for everybody and to write for the clinical lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import access
from clinic.access import Capability
from clinic.consent_forms import drafting, in_force, publishing, wording
from clinic.consent_forms.drafting import ConsentFormRefused, StaleConsentForm, WordsRefused
from clinic.consent_forms.in_force import Subject
from clinic.consent_forms.wording import LANGUAGES, Words
from clinic.models import ConsentForm, ConsentPurpose, FormState, ProtocolVersion, Staff
from clinic.protocols import loading
from clinic.views.current_site import current_site
from clinic.views.length_field import LengthField


class WordsForm(forms.Form):
    """The words in every language, as typed, and the digest of the draft that they began from."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    title_en = forms.CharField(
        label=_("Title in English"), error_messages={"required": _("Write the title in English.")}
    )
    body_en = forms.CharField(
        label=_("Words in English"),
        error_messages={"required": _("Write the words in English.")},
        widget=forms.Textarea(attrs={"rows": 24}),
    )
    title_es = forms.CharField(
        label=_("Title in Spanish"), error_messages={"required": _("Write the title in Spanish.")}
    )
    body_es = forms.CharField(
        label=_("Words in Spanish"),
        error_messages={"required": _("Write the words in Spanish.")},
        widget=forms.Textarea(attrs={"rows": 24}),
    )
    valid_for = LengthField(
        units=("months", "weeks", "days"),
        label=_("How long a signature counts"),
        help_text=_("Empty: until it is withdrawn."),
    )

    @property
    def words(self) -> dict[str, Words]:
        typed = self.cleaned_data
        return {each: Words(typed[f"title_{each}"], typed[f"body_{each}"]) for each in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Line:
    """One form: what it is for, what patients sign now, and the draft beside it."""

    key: str
    name: str
    published: ConsentForm | None
    draft: ConsentForm | None


@require_safe
def form_list(request: HttpRequest) -> HttpResponse:
    """Every treatment with steps and every use of photos, with or without a form."""
    site = current_site(request)
    staff = cast(Staff, request.user)
    access.require(staff, Capability.SEE_PATIENTS, site)
    current = ConsentForm.objects.exclude(state=FormState.RETIRED).select_related(
        "published_by", "saved_by"
    )
    by_subject: dict[Subject, dict[str, ConsentForm]] = {}
    for form in current:
        by_subject.setdefault((form.purpose, form.protocol), {})[form.state] = form
    lines = [
        Line(
            subject[1] or subject[0],
            name,
            by_subject.get(subject, {}).get(FormState.PUBLISHED),
            by_subject.get(subject, {}).get(FormState.DRAFT),
        )
        for subject, name in _subjects().items()
    ]
    context = {
        "site": site,
        "lines": lines,
        "may_manage": access.can(staff, Capability.MANAGE_SITE, site),
        **_rights(staff),
    }
    return render(request, "clinic/consent_forms/list.html", context)


@require_safe
def form_page(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One edition in every language, with the editions before it."""
    site = current_site(request)
    staff = cast(Staff, request.user)
    access.require(staff, Capability.SEE_PATIENTS, site)
    form = get_object_or_404(drafting.editions(_subject(key)), number=number)
    editions = list(drafting.editions(_subject(key)))
    context = {
        "site": site,
        "form": form,
        "name": _subjects()[_subject(key)],
        "languages": [
            (code, form.title(code), wording.blocks(form.body(code)), form.digest_in(code))
            for code in LANGUAGES
        ],
        "editions": editions,
        "draft": next((each for each in editions if each.state == FormState.DRAFT), None),
        "has_earlier": any(each.published_at for each in editions),
        **_rights(staff),
    }
    return render(request, "clinic/consent_forms/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """The draft of a form; a new one begins with the words that patients sign now."""
    site = current_site(request)
    staff = cast(Staff, request.user)
    access.require(staff, Capability.PUBLISH_CONSENT_FORMS)
    subject = _subject(key)
    draft = drafting.editions(subject).filter(state=FormState.DRAFT).first()
    start = draft or drafting.editions(subject).filter(published_at__isnull=False).first()
    form = WordsForm(request.POST or None, initial=_typed(start) | _seen(draft))
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            saved = drafting.save(
                subject=subject,
                words=form.words,
                valid_for=form.cleaned_data["valid_for"],
                seen=form.cleaned_data["seen"],
                by=staff,
                now=timezone.now(),
            )
        except WordsRefused as refused:
            status = 422
            for problem in refused.problems:
                form.add_error(problem.field, problem.sentence)
        except StaleConsentForm as stale:
            status = 409
            form.add_error(None, stale.sentence)
        else:
            messages.success(
                request, gettext("The draft is saved. Read it once more, then publish it.")
            )
            return redirect("consent-form", saved.key, saved.number)
    context = {"site": site, "form": form, "key": key, "name": _subjects()[subject], "draft": draft}
    return render(request, "clinic/consent_forms/edit.html", context, status=status)


@require_POST
def publish(request: HttpRequest, key: str, number: int) -> HttpResponse:
    form = get_object_or_404(drafting.editions(_subject(key)), number=number)
    try:
        publishing.publish(
            draft=form,
            seen=request.POST.get("seen", ""),
            asks_anew=request.POST.get("asks_anew") == "on",
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except ConsentFormRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("Published. Patients sign these words from now on."))
    return redirect("consent-form", key, number)


@require_POST
def close(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Throw a draft away, or take the published edition from patients."""
    form = get_object_or_404(drafting.editions(_subject(key)), number=number)
    act: dict[str, Any] = {"by": cast(Staff, request.user), "now": timezone.now()}
    try:
        if form.state == FormState.DRAFT:
            drafting.discard(draft=form, seen=request.POST.get("seen", ""), **act)
            said = gettext("The draft is thrown away.")
        else:
            publishing.retire(form=form, **act)
            said = gettext("Patients are not asked for this form any more. What they signed stays.")
    except ConsentFormRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said)
    return redirect("consent-forms")


def _subjects() -> dict[Subject, str]:
    """Every form that there can be, with its name: treatments first, then the uses of photos."""
    protocols = ProtocolVersion.objects.filter(kind=ProtocolVersion.Kind.SERIES)
    # Of several versions the newest says what it is called.
    newest = protocols.order_by("protocol", "-created_at", "-pk").distinct("protocol")
    names = {row.protocol: loading.called(row) for row in newest}
    for key, title in ConsentForm.objects.exclude(protocol="").values_list("protocol", "title_en"):
        names.setdefault(key, title)
    by_name = sorted(names.items(), key=lambda each: each[1])
    treatments = {in_force.treatment(key): name for key, name in by_name}
    photos = {(each.value, ""): str(each.label) for each in in_force.PHOTO_PURPOSES}
    return treatments | photos


def _subject(key: str) -> Subject:
    for subject in _subjects():
        if key == (subject[1] or subject[0]):
            return subject
    raise Http404


def _typed(form: ConsentForm | None) -> dict[str, str]:
    names = ("title_en", "body_en", "title_es", "body_es", "valid_for")
    return {name: getattr(form, name) for name in names} if form else {}


def _seen(draft: ConsentForm | None) -> dict[str, str]:
    return {"seen": draft.digest if draft else ""}


def _rights(staff: Staff) -> dict[str, Any]:
    return {
        "may_publish": access.can(staff, Capability.PUBLISH_CONSENT_FORMS),
        "who_publishes": ", ".join(access.roles_with(Capability.PUBLISH_CONSENT_FORMS)).lower(),
        "purposes": ConsentPurpose,
    }
