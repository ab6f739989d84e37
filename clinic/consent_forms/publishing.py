"""Putting a consent form before patients, and taking it away again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from clinic import access
from clinic.access import Capability
from clinic.consent_forms import drafting, wording
from clinic.consent_forms.drafting import ConsentFormRefused, record
from clinic.models import ConsentForm, FormState, Site, Staff
from clinic.saying import gettext


@transaction.atomic
def publish(
    *, draft: ConsentForm, seen: str, asks_anew: bool, by: Staff, now: datetime
) -> ConsentForm:
    """Let patients sign a draft from now on, in place of the edition before. `seen` is its digest
    as it was shown; with `asks_anew` signatures of earlier editions count no more.

    Raises Forbidden, StaleConsentForm, and ConsentFormRefused when nothing has changed.
    """
    access.require(by, Capability.PUBLISH_CONSENT_FORMS)
    form = drafting.locked(draft, seen)
    if form.digest != wording.digest_of_all(drafting.words_of(form), form.valid_for):
        raise ConsentFormRefused(
            gettext("These words do not match their digest. Save the draft anew.")
        )
    subject = (form.purpose, form.protocol)
    before = drafting.editions(subject).select_for_update(of=("self",))
    standing = before.filter(state=FormState.PUBLISHED).first()
    if standing is not None:
        if standing.digest == form.digest:
            raise ConsentFormRefused(
                gettext("Patients sign these words already. Discard the draft.")
            )
        _retire(standing, by=by, now=now)
    form.state, form.asks_anew = FormState.PUBLISHED, asks_anew
    form.published_at, form.published_by = now, by
    form.save(update_fields=["state", "asks_anew", "published_at", "published_by"])
    record("consent_form.publish", form, by=by, now=now)
    _plan_anew()
    return form


@transaction.atomic
def retire(*, form: ConsentForm, by: Staff, now: datetime) -> ConsentForm:
    """Ask for this form no more. Signatures stay as they are.

    Raises Forbidden, and ConsentFormRefused unless it is published.
    """
    access.require(by, Capability.PUBLISH_CONSENT_FORMS)
    fresh = ConsentForm.objects.select_for_update().get(pk=form.pk)
    if fresh.state != FormState.PUBLISHED:
        raise ConsentFormRefused(gettext("This edition is not before patients."))
    _retire(fresh, by=by, now=now)
    record("consent_form.retire", fresh, by=by, now=now)
    _plan_anew()
    return fresh


def _plan_anew() -> None:
    """Which forms patients are asked for by message follows from what is published."""
    Site.objects.update(revision=F("revision") + 1)


def _retire(form: ConsentForm, *, by: Staff, now: datetime) -> None:
    form.state, form.retired_at, form.retired_by = FormState.RETIRED, now, by
    form.save(update_fields=["state", "retired_at", "retired_by"])
