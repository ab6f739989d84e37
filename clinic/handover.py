"""Handing a tablet to a patient: the member of staff is signed out on it, and all that is left is
whose forms it shows, for half an hour.

So nothing else can be opened with it: to go on with their own work, staff sign in again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from clinic import kept_forms
from clinic.models import Staff

KEY = "handover"
LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Handover:
    """Whose forms a tablet shows, at which site, by whom it was handed over, and the page to which
    staff come back."""

    patient_id: int
    site_id: int
    staff_id: int
    back: str


def begin(
    request: HttpRequest, *, patient_id: int, site_id: int, by: Staff, back: str, now: datetime
) -> None:
    """Sign `by` out on this device and leave the patient's forms on it."""
    logout(request)
    request.session[KEY] = {
        "patient_id": patient_id,
        "site_id": site_id,
        "staff_id": by.pk,
        "back": back,
        "until": (now + LIFE).timestamp(),
    }
    request.session.set_expiry(int(LIFE.total_seconds()))


def current(request: HttpRequest, *, now: datetime) -> Handover | None:
    """What was handed over on this device; None when nothing was, or its time is over."""
    kept: dict[str, Any] | None = request.session.get(KEY)
    if kept is None or request.user.is_authenticated or now.timestamp() >= kept["until"]:
        return None
    return Handover(**{name: kept[name] for name in Handover.__slots__})


def end(request: HttpRequest) -> None:
    """Leave nothing on this device."""
    request.session.flush()


def forget_staff(response: HttpResponse) -> HttpResponse:
    """Tell the browser to drop what it has of staff: the pages that it keeps for its way back, and
    who was signed in."""
    kept_forms.forget_who(response)
    response["Clear-Site-Data"] = '"cache"'
    return response
