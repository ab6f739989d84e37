"""/imports/: files of a former system, from upload to report; and when the site goes live."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.api.imports import errors_file
from appointments.importing import naming, reporting, uploading, working
from appointments.importing.decoding import Unreadable
from appointments.importing.naming import ImportBusy, NamingRefused, OrderUnknown
from appointments.models import Import, ImportRow, ImportState, RowOutcome
from appointments.views.imports_form import ColumnsForm, GoLiveForm, UploadForm
from clinic import access, site_settings
from clinic.access import Capability
from clinic.body_limits import takes_up_to
from clinic.models import Site, Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists

ROWS_A_PAGE = 50
STEPS = (_("Upload"), _("Columns"), _("Check"), _("Run"))


@takes_up_to(uploading.MOST_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """What was imported at the site, and a form for one more file."""
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.IMPORT, site)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = uploading.take_in(
                blocks=file.chunks(), name=file.name, site=site, by=by, now=timezone.now()
            )
        except Unreadable as refused:
            form.add_error("file", refused.sentence)
        else:
            return HttpResponseRedirect(reverse("import", args=[made.pk]), status=303)
    return _listed(request, site, by, form, GoLiveForm(site=site))


@require_POST
def set_live(request: HttpRequest) -> HttpResponse:
    """From when on the site sends."""
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.MANAGE_SITE, site)
    form = GoLiveForm(request.POST, site=site)
    if not form.is_valid():
        return _listed(request, site, by, UploadForm(), form)
    live = {"live_from": form.live_from}
    site_settings.change(site=site, changes=live, by=by, now=timezone.now())
    said = (
        gettext("Saved. What falls due before is never sent.")
        if form.live_from
        else gettext("Nothing is sent.")
    )
    messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('imports')}?site={site.slug}", status=303)


def _listed(
    request: HttpRequest, site: Site, by: Staff, form: UploadForm, live: GoLiveForm
) -> HttpResponse:
    found = Import.objects.filter(site=site).select_related("made_by")
    context = {
        "site": site,
        "form": form,
        "live": live,
        "page": Paginator(found, 20).get_page(request.GET.get("page")),
        "kept_days": uploading.KEPT.days,
    }
    status = 422 if form.errors or live.errors else 200
    return render(request, "appointments/imports/import_list.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: its columns, its progress or what becomes of its rows. POST names the columns
    and begins the check."""
    source, by = _seen(request, pk), cast(Staff, request.user)
    if source.is_working:
        return render(request, "appointments/imports/working.html", _shown(source, 2))
    wants_columns = source.state == ImportState.UPLOADED or "columns" in request.GET
    if source.file and (wants_columns or request.method == "POST"):
        return _columns(request, source, by)
    return _report(request, source)


def _columns(request: HttpRequest, source: Import, by: Staff) -> HttpResponse:
    offer = naming.offered(source)
    form = ColumnsForm(
        request.POST or None,
        source=source,
        offer=offer,
        sample=uploading.sample_of(source),
        asks_order="order" in request.GET,
    )
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            naming.name(
                source=source,
                mapping=form.mapping,
                date_order=form.cleaned_data["date_order"],
                by=by,
                now=now,
            )
            working.check(source=source, by=by, now=now)
        except NamingRefused as refused:
            form.refuse(refused.problems)
        except OrderUnknown as asked:
            form.add_error("date_order", asked.sentence)
        except ImportBusy as busy:
            form.add_error(None, busy.sentence)
        else:
            return HttpResponseRedirect(reverse("import", args=[source.pk]), status=303)
    context = {**_shown(source, 1), "form": form, "offer": offer}
    status = 422 if form.errors else 200
    return render(request, "appointments/imports/columns.html", context, status=status)


def _report(request: HttpRequest, source: Import) -> HttpResponse:
    counts = reporting.counts(source)
    chosen = request.GET.get("outcome", "")
    chosen = chosen if chosen in counts else ""
    rows = ImportRow.objects.filter(source=source).exclude(outcome="").order_by("number")
    rows = rows.select_related("patient")
    if chosen:
        rows = rows.filter(outcome=chosen)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    lists(request, [row.patient_id for row in page], site_id=source.site_id)
    step = 3 if source.state == ImportState.CHECKED else 4
    context = {
        **_shown(source, step),
        "chosen": chosen,
        "counts": [(value, RowOutcome(value).label, count) for value, count in counts.items()],
        "all_rows": sum(counts.values()),
        "to_write": sum(
            count for value, count in counts.items() if value not in (*reporting.OPEN, "skip")
        ),
        "to_mend": sum(counts.get(value, 0) for value in reporting.OPEN),
        "page": page,
    }
    return render(request, "appointments/imports/report.html", context)


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, for the page that waits; once it is done the page is loaded anew."""
    source = _seen(request, pk)
    answer = render(request, "appointments/imports/_progress.html", {"source": source})
    if not source.is_working:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Check again, run, stop, or delete the file."""
    source, by = _seen(request, pk), cast(Staff, request.user)
    act_of = {
        "check": working.check,
        "run": working.run,
        "stop": working.stop,
        "delete": uploading.delete,
    }[act]
    try:
        act_of(source=source, by=by, now=timezone.now())
    except ImportBusy as busy:
        messages.error(request, busy.sentence)
    else:
        if act == "delete":
            messages.success(request, gettext("The file and its rows are deleted."))
    return HttpResponseRedirect(reverse("import", args=[pk]), status=303)


@require_safe
def errors(request: HttpRequest, pk: int) -> StreamingHttpResponse | HttpResponse:
    """The rows to be mended, as a file."""
    source = _seen(request, pk)
    try:
        return errors_file(source)
    except Unreadable as refused:
        messages.error(request, refused.sentence)
        return HttpResponseRedirect(reverse("import", args=[pk]), status=303)


def _seen(request: HttpRequest, pk: int) -> Import:
    by = cast(Staff, request.user)
    access.require(by, Capability.IMPORT)
    here = access.sites_with(by, Capability.IMPORT)
    rows = Import.objects.filter(site__in=here).select_related("site", "made_by", "run_by")
    return get_object_or_404(rows, pk=pk)


def _shown(source: Import, step: int) -> dict[str, object]:
    return {
        "source": source,
        "site": source.site,
        "steps": [(name, number < step, number == step) for number, name in enumerate(STEPS)],
        "deleted_on": source.made_at + uploading.KEPT,
    }
