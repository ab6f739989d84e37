"""Who works at a site and as what: accounts, their roles, and how a password is come by.

Nobody learns the password of another: whoever employs hands out a link, by which the person chooses
one. Refuses to know whether somebody is booked; who may still be booked cannot be let go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from knox.models import AuthToken

from clinic import access, audit, on_call
from clinic.access import Capability
from clinic.models import OnCallShift, Role, Site, SiteRole, Staff
from clinic.saying import gettext


class StaffRefused(Exception):
    """It cannot be like that; `field` is the input to mend. Nothing was changed."""

    code = "staff_refused"

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


class RolesChanged(StaffRefused):
    """Somebody else changed the same roles meanwhile; `stands` are the roles now."""

    code = "roles_changed"

    def __init__(self, stands: frozenset[str]) -> None:
        super().__init__(
            gettext("Somebody else changed these roles meanwhile. Nothing of yours is saved.")
        )
        self.stands = stands


def people_of(site: Site, *, by: Staff) -> QuerySet[Staff]:
    """Everybody with a role at `site`, by name. Raises Forbidden when `by` does not manage it."""
    access.require(by, Capability.MANAGE_SITE, site)
    return Staff.objects.filter(site_roles__site=site, is_active=True).distinct()


def roles_at(site: Site, staff: Staff) -> frozenset[str]:
    return frozenset(staff.site_roles.filter(site=site).values_list("role", flat=True))


@transaction.atomic
def employ(
    *, site: Site, email: str, name: str, roles: Collection[str], by: Staff, now: datetime
) -> Staff:
    """Give somebody roles at `site`; an account is made where the company has none of the address.

    Somebody known by the address keeps their name and password.

    Raises:
        StaffRefused: when they work at the site already, or have no role to work in.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    if not roles:
        raise StaffRefused(gettext("Choose at least one role."), "roles")
    _lock(site)
    address = email.strip().lower()
    staff = Staff.objects.filter(email__iexact=address).first()
    if staff is None:
        staff = Staff.objects.create_user(address, None, name=name.strip())
    elif roles_at(site, staff):
        raise StaffRefused(
            gettext("%(name)s works here already. Change their roles instead.")
            % {"name": staff.name},
            "email",
        )
    elif not staff.is_active:
        staff.is_active = True
        staff.save(update_fields=["is_active"])
    _write(staff, site, frozenset(), frozenset(roles), "staff.employ", by, now)
    return staff


@transaction.atomic
def change_roles(
    *,
    staff: Staff,
    site: Site,
    roles: Collection[str],
    by: Staff,
    now: datetime,
    seen: Collection[str] | None = None,
) -> None:
    """Let `staff` hold these roles at `site` and no others; without any they are let go, and
    their shifts on call there end.

    Whoever has no role at any site is signed out everywhere and cannot sign in again. `seen` are
    the roles in whose place these are meant; without them, whatever stands is changed.

    Raises:
        RolesChanged: when what stands is not what was seen.
        StaffRefused: when nobody would manage the site, or who is let go can still be booked.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    _lock(site)
    before, after = roles_at(site, staff), frozenset(roles)
    if before == after:
        return
    if seen is not None and before != frozenset(seen):
        raise RolesChanged(before)
    _somebody_manages(site, staff, before, after)
    if not after:
        _cannot_be_booked(staff, site)
        for shift in OnCallShift.objects.standing().filter(site=site, staff=staff, ends_at__gt=now):
            on_call.remove(shift=shift, by=by, now=now)
    _write(staff, site, before, after, "staff.roles" if after else "staff.let_go", by, now)
    if not after and not staff.site_roles.exists() and not staff.is_superuser:
        staff.is_active = False
        staff.set_unusable_password()
        staff.save(update_fields=["is_active", "password"])
        AuthToken.objects.filter(user=staff).delete()


class AccountChanged(StaffRefused):
    """Somebody else changed the same account meanwhile; `stands` are its name and address now."""

    code = "account_changed"

    def __init__(self, stands: Mapping[str, str]) -> None:
        super().__init__(
            gettext("Somebody else changed this account meanwhile. Nothing of yours is saved."),
            next(iter(stands)),
        )
        self.stands = stands


@transaction.atomic
def change_account(
    *,
    staff: Staff,
    name: str,
    email: str,
    by: Staff,
    now: datetime,
    seen: Mapping[str, str] | None = None,
) -> None:
    """Give `staff` another name, or another address to sign in with; the password stays. Of another
    address, a link to choose a password that was made before (`invite`) is void.

    Who treats keeps the name by which they are booked. `seen` are the name and the address in whose
    place these are meant; without them, whatever stands is changed.

    Raises:
        AccountChanged: when what stands is not what was seen.
        StaffRefused: for an address that somebody else signs in with, or no name.
        Forbidden: when `by` may not (`may_invite`).
    """
    if not may_invite(staff=staff, by=by):
        raise access.Forbidden(
            gettext(
                "This account also works where you do not manage. Somebody who manages all of its"
                " sites can change it."
            )
        )
    stored = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    wanted = {"name": " ".join(name.split()), "email": email.strip().lower()}
    before = {each: str(getattr(stored, each)) for each in wanted}
    changed = [each for each in wanted if wanted[each] != before[each]]
    others = {each: before[each] for each in changed if before[each] != (seen or before)[each]}
    if others:
        raise AccountChanged(others)
    if not wanted["name"]:
        raise StaffRefused(gettext("Enter a name."), "name")
    if not changed:
        return
    for each in changed:
        setattr(stored, each, wanted[each])
    try:
        with transaction.atomic():
            stored.save(update_fields=changed)
    except IntegrityError:
        said = gettext("Somebody else signs in with this address.")
        raise StaffRefused(said, "email") from None
    audit.record(
        action="staff.account",
        subject=stored,
        by=by,
        now=now,
        before={each: before[each] for each in changed},
        after={each: wanted[each] for each in changed},
    )


def may_invite(*, staff: Staff, by: Staff) -> bool:
    """Whether `by` may hand out a link to this account: they manage every site it has a role at,
    and it may not open the set-up."""
    if staff.is_superuser or staff.is_staff:
        return False
    managed = access.sites_with(by, Capability.MANAGE_SITE)
    return staff.is_active and not staff.site_roles.exclude(site__in=managed).exists()


def invite(*, staff: Staff, by: Staff, now: datetime) -> str:
    """The path of a page at which `staff` chooses a password, good once and for three days.

    It ends earlier when they sign in. The password they have stays good until then.

    Raises:
        Forbidden: when `by` may not (`may_invite`).
    """
    if not may_invite(staff=staff, by=by):
        raise access.Forbidden(
            gettext(
                "This account also works where you do not manage. Somebody who manages all of its"
                " sites can make the link."
            )
        )
    audit.record(action="staff.invite", subject=staff, by=by, now=now)
    uid = urlsafe_base64_encode(force_bytes(staff.pk))
    return reverse("welcome", args=[uid, default_token_generator.make_token(staff)])


def password_chosen(*, staff: Staff, by_link: bool, now: datetime) -> None:
    """Write down that `staff` has a new password, and end every token that the old one gave."""
    AuthToken.objects.filter(user=staff).delete()
    action = "staff.password_by_link" if by_link else "staff.password"
    audit.record(action=action, subject=staff, by=staff, now=now)


def _lock(site: Site) -> None:
    """Of two who change the roles of a site at once, the later one sees what the first wrote."""
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def _somebody_manages(
    site: Site, staff: Staff, before: frozenset[str], after: frozenset[str]
) -> None:
    if Role.MANAGER not in before - after:
        return
    others = SiteRole.objects.filter(site=site, role=Role.MANAGER, staff__is_active=True)
    if not others.exclude(staff=staff).exists():
        raise StaffRefused(
            gettext("Nobody else manages %(site)s. Make somebody else a manager first.")
            % {"site": site.name},
            "roles",
        )


def _cannot_be_booked(staff: Staff, site: Site) -> None:
    resource = getattr(staff, "resource", None)
    if resource is not None and resource.is_active and resource.hours.filter(site=site).exists():
        raise StaffRefused(
            gettext(
                "%(name)s still has working hours here and can be booked. Block their time and"
                " empty their hours under Resources first."
            )
            % {"name": staff.name},
            "roles",
        )


def _write(
    staff: Staff,
    site: Site,
    before: frozenset[str],
    after: frozenset[str],
    action: str,
    by: Staff,
    now: datetime,
) -> None:
    staff.site_roles.filter(site=site, role__in=before - after).delete()
    SiteRole.objects.bulk_create(
        SiteRole(staff=staff, site=site, role=role) for role in sorted(after - before)
    )
    audit.record(
        action=action,
        subject=staff,
        by=by,
        now=now,
        site=site,
        before={"roles": sorted(before)},
        after={"roles": sorted(after)},
    )
