"""/messages/…/mail/: the HTML of a sent e-mail, word for word, in a frame without any power."""

from __future__ import annotations

from typing import cast

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from clinic.models import Staff
from clinic.views.looking import shows
from reminders.models import Message, SentContent

# No script, no form and no network; its own style alone. The links in it open nothing: the token
# of each was the patient's.
_POWERLESS = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "sandbox": [],
}


@csp(_POWERLESS)  # type: ignore[arg-type]  # its types know no arguments
@xframe_options_sameorigin
@require_safe
def mail(request: HttpRequest, message_id: int) -> HttpResponse:
    seen = Message.objects.seen_by(cast(Staff, request.user))
    content = get_object_or_404(
        SentContent.objects.filter(message__in=seen, emptied_at=None)
        .exclude(html="")
        .select_related("message"),
        message_id=message_id,
    )
    shows(request, content.message, patient_id=content.message.patient_id)
    return HttpResponse(content.html)
