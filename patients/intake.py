"""Taking in and changing a patient together with what they agreed to, as one act.

Owns the difference between the consents that were shown and those that were ticked: what nobody
touched on the form stays as it is, whatever happened to it meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic.models import Site, Staff
from patients import consent, registration
from patients.models import Patient
from patients.models.consent import ConsentSource

Agreed = Collection[tuple[str, str]]  # (purpose, channel)


@transaction.atomic
def take_in(
    *,
    agreed: Agreed,
    site: Site,
    by: Staff,
    now: datetime,
    source: str = ConsentSource.FRONT_DESK,
    **details: Any,
) -> Patient:
    """Register a patient who agrees to `agreed`. `details` and errors are those of
    `registration.register` and `consent.give`; on an error nothing is stored."""
    patient = registration.register(site=site, by=by, now=now, **details)
    for purpose, channel in sorted(agreed):
        consent.give(
            patient=patient, purpose=purpose, channel=channel, by=by, now=now, source=source
        )
    return patient


@transaction.atomic
def amend(
    *,
    patient: Patient,
    expected_version: int,
    shown: Agreed,
    agreed: Agreed,
    by: Staff,
    now: datetime,
    source: str = ConsentSource.FRONT_DESK,
    **details: Any,
) -> Patient:
    """Change a patient, give what is in `agreed` and was not in `shown`, and withdraw what was
    shown and is not agreed to any more. Errors are those of `registration.change` and
    `consent.give`; on an error nothing is stored."""
    changed = registration.change(
        patient=patient, expected_version=expected_version, by=by, now=now, **details
    )
    act: dict[str, Any] = {"patient": changed, "by": by, "now": now, "source": source}
    for purpose, channel in sorted(set(agreed) - set(shown)):
        consent.give(purpose=purpose, channel=channel, **act)
    for purpose, channel in sorted(set(shown) - set(agreed)):
        consent.withdraw(purpose=purpose, channel=channel, **act)
    return changed
