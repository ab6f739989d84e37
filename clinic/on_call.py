"""The rota of who is on call at a site: every write to it, and who it is at a moment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import OnCallShift, Site, Staff
from clinic.periods import Period, subtract
from clinic.saying import gettext

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST = timedelta(days=31)


class ShiftRefused(Exception):
    """The shift cannot be like that. Nothing was changed."""

    code = "shift_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


@transaction.atomic
def add(
    *,
    site: Site,
    staff: Staff,
    starts_at: datetime,
    ends_at: datetime,
    by: Staff,
    now: datetime,
    phone: str = "",
    email: str = "",
) -> OnCallShift:
    """Put `staff` on call for [starts_at, ends_at) (UTC), reached by text, mail or both.

    Without a contact point it is the address that they sign in with.

    Raises:
        ShiftRefused: when it is over, too long, twice there, or nobody could be reached.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    phone, email = re.sub(r"[\s().-]", "", phone), email.strip().lower()
    if not phone and not email:
        email = staff.email
    shift = OnCallShift(
        site=site, staff=staff, starts_at=starts_at, ends_at=ends_at, phone=phone, email=email
    )
    _check(shift, now)
    _store(shift, "on_call.add", by=by, now=now)
    return shift


@transaction.atomic
def remove(*, shift: OnCallShift, by: Staff, now: datetime) -> None:
    """Take a shift out of the rota, also while it lasts; once is enough. Raises Forbidden."""
    access.require(by, Capability.MANAGE_SITE, shift.site)
    shift = OnCallShift.objects.select_for_update(of=("self",)).get(pk=shift.pk)
    if shift.removed_at is not None:
        return
    shift.removed_at = now
    shift.save(update_fields=["removed_at"])
    audit.record(
        action="on_call.remove",
        subject=shift,
        by=by,
        now=now,
        site=shift.site,
        before={"staff": shift.staff_id, "starts_at": shift.starts_at.isoformat()},
    )


@transaction.atomic
def put_back(*, shift: OnCallShift, by: Staff, now: datetime) -> None:
    """Put a shift that was taken out back into the rota, as it was.

    Raises ShiftRefused and Forbidden, as `add`.
    """
    access.require(by, Capability.MANAGE_SITE, shift.site)
    shift = OnCallShift.objects.select_for_update(of=("self",)).get(pk=shift.pk)
    if shift.removed_at is None:
        return
    _check(shift, now)
    shift.removed_at = None
    _store(shift, "on_call.put_back", by=by, now=now)


def uncovered(shifts: Sequence[OnCallShift], now: datetime) -> list[Period]:
    """When nobody is on call, from `now` to the end of the last of the `shifts`."""
    paged = [Period(each.starts_at, each.ends_at) for each in shifts if each.staff.is_active]
    return subtract([Period(now, max((each.ends_at for each in shifts), default=now))], paged)


def at(site: Site, moment: datetime) -> list[OnCallShift]:
    """Everybody who is on call for `site` at `moment` (UTC)."""
    on_call = OnCallShift.objects.at(moment).filter(site=site, staff__is_active=True)
    return list(on_call.select_related("staff"))


def _store(shift: OnCallShift, action: str, *, by: Staff, now: datetime) -> None:
    try:
        with transaction.atomic():
            shift.save()
    except IntegrityError:
        raise ShiftRefused(
            gettext("%(staff)s is on call from then already.") % {"staff": shift.staff},
            "starts_at",
        ) from None
    audit.record(
        action=action,
        subject=shift,
        by=by,
        now=now,
        site=shift.site,
        after={
            "staff": shift.staff_id,
            "starts_at": shift.starts_at.isoformat(),
            "ends_at": shift.ends_at.isoformat(),
        },
    )


def _check(shift: OnCallShift, now: datetime) -> None:
    if not shift.staff.site_roles.filter(site=shift.site).exists():
        raise ShiftRefused(
            gettext("%(staff)s does not work at %(site)s.")
            % {"staff": shift.staff, "site": shift.site},
            "staff",
        )
    if shift.ends_at <= shift.starts_at:
        raise ShiftRefused(gettext("The end must lie after the start."), "ends_at")
    if shift.ends_at <= now:
        raise ShiftRefused(gettext("This time is over."), "ends_at")
    if shift.ends_at - shift.starts_at > LONGEST:
        raise ShiftRefused(gettext("Make a shift of at most 31 days."), "ends_at")
    if shift.phone and not E164.fullmatch(shift.phone):
        raise ShiftRefused(
            gettext("Write the number with its country code, like +1 212 555 0123."), "phone"
        )
    if shift.email:
        try:
            validate_email(shift.email)
        except ValidationError:
            raise ShiftRefused(
                gettext("This is not an e-mail address. Write it like name@example.com."), "email"
            ) from None
