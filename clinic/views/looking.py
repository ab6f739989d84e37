"""Pages say whose record they show: one call each, before they answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from clinic import audit
from clinic.models import Staff


def shows(request: HttpRequest, subject: Model, *, patient_id: int | None) -> None:
    """The page shows `subject`, a part of this patient's record, to whoever is signed in."""
    audit.look(
        subject=subject,
        patient_id=patient_id,
        by=cast(Staff, request.user),
        now=timezone.now(),
        site_id=getattr(subject, "site_id", None),
    )


def lists(request: HttpRequest, patient_ids: Iterable[int | None], *, site_id: int | None) -> None:
    """The page lists these patients, by name and with more than a name."""
    audit.looked_through(
        patient_ids={each for each in patient_ids if each is not None},
        by=cast(Staff, request.user),
        now=timezone.now(),
        site_id=site_id,
    )
