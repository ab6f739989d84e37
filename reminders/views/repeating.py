"""/messages/retry-failed/: what sending all that failed again would come to, and doing it."""

from __future__ import annotations

from collections import Counter
from typing import cast

from django.contrib import messages as toasts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic.models import Staff
from clinic.retelling import retold
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from reminders.sending import repeating

# So many of those that stay are named.
MOST_NAMED = 100


@require_http_methods(["GET", "HEAD", "POST"])
def retry_failed(request: HttpRequest) -> HttpResponse:
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    if request.method == "POST":
        done = repeating.retry_all(site=site, by=staff, now=now)
        said = ngettext(
            "%(count)s message goes out again now.", "%(count)s messages go out again now.", done
        )
        toasts.success(request, said % {"count": done})
        return HttpResponseRedirect(f"{reverse('message-list')}?tab=failed", status=303)
    outlook = repeating.outlook(site=site, by=staff, now=now)
    held = outlook.held[:MOST_NAMED]
    shown = [*outlook.goes, *(message for message, _ in held)]
    lists(request, (message.patient_id for message in shown), site_id=site.pk)
    kinds = Counter((message.kind, message.channel) for message in outlook.goes)
    context = {
        "site": site,
        "outlook": outlook,
        "kinds": [(kind, channel, count) for (kind, channel), count in kinds.most_common()],
        "held": [(message, retold(why)) for message, why in held],
        "others": len(outlook.held) - len(held),
    }
    return render(request, "reminders/messages/retry_failed.html", context)
