"""/phrases/<site>/: what a site puts into the notes of its logs, to add and to remove."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.charting import phrasing
from appointments.charting.refusals import PhraseRefused
from appointments.models import Phrase
from appointments.models.phrase import PHRASE_LENGTH
from clinic import access
from clinic.access import Capability
from clinic.models import Staff


class PhraseForm(forms.Form):
    text = forms.CharField(
        max_length=PHRASE_LENGTH,
        label=_("Phrase"),
        help_text=_("Everybody who treats at the site sees it: name no patient."),
        error_messages={"required": _("Write the phrase.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def phrase_list(request: HttpRequest, site: str) -> HttpResponse:
    """The phrases of a site, and a form for one more."""
    by = cast(Staff, request.user)
    here = get_object_or_404(access.sites_of(by), slug=site)
    access.require(by, Capability.CHART, here)
    form = PhraseForm(request.POST or None)
    if form.is_valid():
        try:
            phrasing.add(site=here, text=form.cleaned_data["text"], by=by, now=timezone.now())
        except PhraseRefused as refused:
            form.add_error("text", refused.sentence)
        else:
            messages.success(request, gettext("The phrase is added."))
            return redirect("phrases", site)
    context = {"site": here, "rows": Phrase.objects.filter(site=here), "form": form}
    status = 422 if form.errors else 200
    return render(request, "appointments/log/phrases.html", context, status=status)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    by = cast(Staff, request.user)
    rows = Phrase.objects.filter(site__in=access.sites_of(by)).select_related("site")
    phrase = get_object_or_404(rows, pk=pk)
    phrasing.remove(phrase=phrase, by=by, now=timezone.now())
    messages.success(request, gettext("The phrase is removed."))
    return redirect("phrases", phrase.site.slug)
