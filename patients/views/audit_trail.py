"""/audit/: who did and saw what, to whose record, when, why and from where. Read-only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.origin import Via
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import instant
from clinic.when_fields import DayField
from patients.trail import exporting, rows, searching, words
from patients.trail.searching import Asked, Place

KINDS = (
    ("", _("Everything")),
    (searching.ACTS_ONLY, _("Acts")),
    (searching.LOOKS_ONLY, _("Looks at records")),
)


class TrailForm(forms.Form):
    """What to show; days are local to the site, both included."""

    by = forms.ModelChoiceField(Staff.objects.none(), required=False, empty_label=_("Everybody"))
    action = forms.ChoiceField(required=False, label=_("What"))
    patient = forms.IntegerField(
        required=False, label=_("Patient #"), min_value=1, max_value=2**63 - 1
    )
    ip = forms.GenericIPAddressField(required=False, label=_("IP address"))
    via = forms.ChoiceField(
        required=False, label=_("Way in"), choices=[("", _("Any way in")), *Via.choices]
    )
    subject = forms.CharField(
        required=False, max_length=130, label="About", widget=forms.HiddenInput
    )
    since = DayField(required=False, label=_("From"))
    until = DayField(required=False, label=_("To"))

    kind = forms.ChoiceField(required=False, choices=KINDS, widget=forms.HiddenInput)

    def __init__(self, *args: Any, staff: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = searching.sites_of(staff)
        people = Staff.objects.filter(site_roles__site__in=sites).distinct().order_by("name")
        cast("forms.ModelChoiceField[Staff]", self.fields["by"]).queryset = people
        cast(forms.ChoiceField, self.fields["action"]).choices = [
            ("", gettext("Anything")),
            *((action, words.said(action)) for action in searching.actions()),
        ]
        self.fields["by"].label = gettext("Who")
        self.fields["patient"].widget.attrs |= {"inputmode": "numeric"}

    def asked(self, site: Site) -> Asked:
        """What is asked for; nothing while the form is not right."""
        data = self.cleaned_data if self.is_valid() else {}
        since, until = data.get("since"), data.get("until")
        return Asked(
            by=data["by"].pk if data.get("by") else None,
            action=data.get("action", ""),
            patient=data.get("patient"),
            ip=data.get("ip") or None,
            via=data.get("via", ""),
            subject=data.get("subject", ""),
            kind=data.get("kind", ""),
            since=instant(since, 0, site.zone) if since else None,
            until=instant(until + timedelta(days=1), 0, site.zone) if until else None,
        )


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """`?after=` is where the page before ended; the filters stand in the address too."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_AUDIT)
    form = TrailForm(request.GET, staff=staff)
    asked = form.asked(site)
    after = Place.read(request.GET.get("after", ""))
    found, older = searching.lines(
        searching.found(staff, asked), after, folds=asked.folds, zone=site.zone
    )
    shown = rows.lines_of(found, staff, zone=site.zone)
    named = (each.pk for line in shown for row in line.rows for each in (*row.patients, *row.told))
    lists(request, named, site_id=site.pk)
    filters = urlencode(
        [(name, request.GET[name]) for name in form.fields if request.GET.get(name)]
    )
    context = {
        "site": site,
        "form": form,
        "is_filtered": asked != Asked() or bool(form.errors),
        "lines": shown,
        "kinds": [(kind, words, kind == asked.kind) for kind, words in KINDS],
        "older": f"{filters}&{urlencode({'after': str(older)})}".lstrip("&") if older else "",
        "is_first": not request.GET.get("after"),
        "filters": filters,
    }
    return render(request, "patients/audit.html", context, status=422 if form.errors else 200)


@require_GET
def trail_file(request: HttpRequest) -> StreamingHttpResponse:
    """The same entries as a file, all of them."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_AUDIT)
    asked = TrailForm(request.GET, staff=staff).asked(site)
    lines = exporting.as_csv(asked=asked, by=staff, now=timezone.now())
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer
