"""/modalities/: the ways of treating that the company knows, to add and to rename."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic import access, modalities
from clinic.access import Capability
from clinic.modalities import ModalityRefused
from clinic.models import Modality, Staff


class NamesForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Enter a name.")},
    )
    code = forms.CharField(
        max_length=2,
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Two capital letters on the day list, such as TX."),
        error_messages={
            "required": gettext_lazy("Enter a code of two capital letters."),
        },
    )


class ModalityForm(NamesForm):
    slug = forms.CharField(
        max_length=50,
        label=gettext_lazy("Id"),
        help_text=gettext_lazy("What protocols name it by, such as led_therapy. It stays."),
        error_messages={"required": gettext_lazy("Enter an id.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def modality_list(request: HttpRequest) -> HttpResponse:
    """All of them, with what is of each; the form for one more below, for who may add one."""
    by = cast(Staff, request.user)
    access.require(by, Capability.MANAGE_SITE)
    if request.method == "POST":
        modalities.require_change(by)
    form = ModalityForm(request.POST or None)
    if form.is_valid():
        try:
            made = modalities.add(by=by, now=timezone.now(), **form.cleaned_data)
        except ModalityRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": made.called})
            return redirect("modalities")
    rows = Modality.objects.annotate(
        versions=Count("protocols__protocol", distinct=True),
        machines=Count("devices", distinct=True),
        people=Count("credentials__provider", distinct=True),
    )
    context = {"rows": rows, "form": form, "may_change": modalities.may_change(by)}
    status = 422 if form.errors else 200
    return render(request, "clinic/modalities/list.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, modality: str) -> HttpResponse:
    """Another name, or other letters on the day list."""
    by = cast(Staff, request.user)
    modalities.require_change(by)
    shown = get_object_or_404(Modality, pk=modality)
    form = NamesForm(request.POST or None, initial={"name": shown.name, "code": shown.code})
    if form.is_valid():
        try:
            modalities.rename(modality=shown, by=by, now=timezone.now(), **form.cleaned_data)
        except ModalityRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            return redirect("modalities")
    context = {"shown": shown, "form": form}
    status = 422 if form.errors else 200
    return render(request, "clinic/modalities/modality.html", context, status=status)
